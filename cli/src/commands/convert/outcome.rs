//! Reporting on inputs: lines, warnings, failures, progress.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;

use crate::failure::Failure;
use crate::inputs::Source;
use crate::output::{is_quiet, print_error, print_warnings, shows_bar, warn};

/// The outcome of an input.
#[derive(Default)]
pub(super) struct Outcome {
    /// Lines for standard output.
    pub(super) lines: String,
    /// The name of the input in warnings.
    pub(super) name: String,
    pub(super) warnings: Vec<String>,
    /// The failures, one line each.
    pub(super) failures: Vec<String>,
}

/// Prints outcomes in input order, no matter which finishes first.
pub(super) struct Printer<'b> {
    bar: &'b ProgressBar,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: usize,
    ready: BTreeMap<usize, Outcome>,
    error: Option<std::io::Error>,
}

impl<'b> Printer<'b> {
    /// Creates a printer that keeps out of the way of the progress bar.
    pub(super) fn new(bar: &'b ProgressBar) -> Self {
        Self { bar, waiting: Mutex::default() }
    }

    /// Prints an outcome and returns whether it is a failure.
    pub(super) fn print(&self, index: usize, outcome: Outcome) -> bool {
        let failed = !outcome.failures.is_empty();
        let mut guard = self.waiting.lock();
        let waiting = &mut *guard;
        waiting.ready.insert(index, outcome);
        while let Some(outcome) = waiting.ready.remove(&waiting.next) {
            waiting.next += 1;
            let written = self.bar.suspend(|| {
                for warning in &outcome.warnings {
                    warn(&outcome.name, warning);
                }
                print_warnings();
                for failure in &outcome.failures {
                    print_error(failure);
                }
                if is_quiet() {
                    return Ok(());
                }
                std::io::stdout().lock().write_all(outcome.lines.as_bytes())
            });
            if let Err(e) = written {
                waiting.error.get_or_insert(e);
            }
        }
        failed
    }

    /// Returns an error if writing to standard output failed.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let waiting = self.waiting.into_inner();
        waiting.error.map_or(Ok(()), |e| Err(e.into()))
    }
}

/// Anything smaller is done before a progress bar could be read.
const LONG: u64 = 256 << 20;

/// A progress bar on a terminal for work that takes a while; nothing in a pipe. Compressed recordings count with their
/// decompressed size, so the bar can run ahead.
pub(super) fn progress(sources: &[Source]) -> ProgressBar {
    let bytes: u64 = sources.iter().map(Source::size).sum();
    if bytes < LONG || is_quiet() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
    let bar = ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    shows_bar(&bar);
    bar
}
