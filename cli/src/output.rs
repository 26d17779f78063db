//! Standard output and standard error.

use std::io::{BufWriter, StdoutLock, Write};
use std::sync::OnceLock;

use indicatif::ProgressBar;

/// Standard output, locked and buffered. Has to be flushed at the end, so that a failure is noticed.
pub(crate) fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, std::io::stdout().lock())
}

/// The progress bar that is on the terminal, if one is.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// Notes that a bar is on the terminal.
pub(crate) fn shows_bar(bar: &ProgressBar) {
    let _ = BAR.set(bar.clone());
}

/// Takes the bar off the terminal, for good.
pub(crate) fn clear_bar() {
    if let Some(bar) = BAR.get() {
        bar.finish_and_clear();
    }
}

/// Writes one line to standard error; nobody can be told if that fails.
pub(crate) fn complain(kind: &str, message: &str) {
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(std::io::stderr(), "jfrkit: {kind}: {line}");
}
