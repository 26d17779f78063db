//! Reads the recordings of a command one after another, and reports their losses.

use std::cell::Cell;
use std::ffi::OsString;

use jfr_parse::{MetadataCache, Recording};

use crate::failure::Failure;
use crate::inputs::{Source, expand};
use crate::limits;
use crate::output::{print_error, warn};
use crate::profiles::is_pprof;

/// Options that every command on recordings has.
#[derive(Debug, clap::Args)]
#[group(id = "input")]
pub(crate) struct Args {
    /// Recordings, directories to search for recordings, or `-` for standard input
    #[arg(value_name = "INPUT", required = true)]
    paths: Vec<OsString>,

    /// Fail with status 1 if any data is lost, instead of printing a warning
    #[arg(long)]
    pub(crate) strict: bool,

    #[command(flatten)]
    limits: limits::Args,
}

impl Args {
    /// Processes each recording, even if some fail.
    pub(crate) fn each(&self, mut one: impl FnMut(&Input<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
        each(&self.paths, &self.limits, |source, recording, many| {
            let (name, label) = (source.name(), source.label());
            let losses = Losses { name: &name, strict: self.strict, count: Cell::new(0) };
            one(&Input { name: &name, label: &label, many, recording, losses })
        })
    }
}

/// Opens recordings one after another and calls `one` with each, and with whether there are several. A failure is reported and
/// does not stop the others; with a single recording it is returned.
pub(crate) fn each(
    paths: &[OsString],
    limits: &limits::Args,
    mut one: impl FnMut(&Source, Recording<'static>, bool) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let inputs = expand(paths);
    let mut failed = inputs.print_failures();
    let opening = limits.opening().cache(MetadataCache::default());
    let many = inputs.sources.len() + inputs.failures.len() > 1;
    for source in &inputs.sources {
        let opened = source.open(&opening).map_err(|e| {
            if !matches!(e, jfr_parse::Error::Io { .. }) && is_pprof(source, &opening) {
                return Failure::Failed(format!(
                    "{}: this is a pprof file, not a recording; analyze, convert, top, flame, diff, heatmap, report and metrics \
                     can read it",
                    source.name()
                ));
            }
            Failure::of(&source.name(), &e)
        });
        match opened.and_then(|recording| one(source, recording, many)) {
            Ok(()) => {}
            Err(failure @ (Failure::Usage(_) | Failure::ClosedPipe)) => return Err(failure),
            Err(failure) if !many => return Err(failure),
            Err(failure) => {
                print_error(&failure.to_string());
                failed = true;
            }
        }
    }
    if failed { Err(Failure::Reported) } else { Ok(()) }
}

/// An open recording.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    pub(crate) name: &'a str,
    /// The name in JSON.
    pub(crate) label: &'a str,
    /// Whether there are several inputs, so the output must name them.
    pub(crate) many: bool,
    pub(crate) recording: Recording<'static>,
    pub(crate) losses: Losses<'a>,
}

impl Input<'_> {
    /// Fails if the file changed while it was read.
    pub(crate) fn check_unchanged(&self) -> Result<(), Failure> {
        self.recording.check_unchanged().map_err(|e| Failure::of(self.name, &e))
    }

    /// Reports a loss, unless the file changed: that is one failure, however much was lost.
    pub(crate) fn warn(&self, loss: impl std::fmt::Display) -> Result<(), Failure> {
        self.check_unchanged()?;
        self.losses.warn(loss);
        Ok(())
    }

    /// Fails once the time is up.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.recording.stop().check().map_err(|e| Failure::of(self.name, &e))
    }
}

/// Reports losses to the user.
#[derive(Debug)]
pub(crate) struct Losses<'a> {
    name: &'a str,
    strict: bool,
    count: Cell<usize>,
}

impl Losses<'_> {
    /// Reports a loss; the text contains its position.
    pub(crate) fn warn(&self, loss: impl std::fmt::Display) {
        self.count.set(self.count.get().saturating_add(1));
        warn(self.name, loss);
    }

    /// Finishes the command; with --strict, a loss is a failure.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        if self.strict && self.count.get() > 0 {
            return Err(Failure::lossy(self.name));
        }
        Ok(())
    }
}
