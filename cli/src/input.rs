//! The recording that a command reads, and what is lost of it.

use std::cell::Cell;

use jfr_parse::Recording;

use crate::failure::Failure;
use crate::limits;
use crate::output::complain;

/// Warnings that are shown; more are only counted.
const MAX_WARNINGS: usize = 100;

/// Options that every command on a recording has.
#[derive(Debug, clap::Args)]
#[group(id = "input")]
pub(crate) struct Args {
    /// Recording to read, `-` for standard input
    #[arg(value_name = "INPUT")]
    path: std::ffi::OsString,

    /// What the input is called in messages; the system's names need not be text.
    #[arg(skip)]
    shown: std::cell::OnceCell<String>,

    /// Fail with status 1 where anything is lost, instead of warning
    #[arg(long)]
    pub(crate) strict: bool,

    #[command(flatten)]
    limits: limits::Args,
}

impl Args {
    /// The argument.
    pub(crate) fn path(&self) -> &std::ffi::OsString {
        &self.path
    }

    /// What it may ask for.
    pub(crate) fn limits(&self) -> &limits::Args {
        &self.limits
    }

    /// Opens the recording.
    pub(crate) fn open(&self) -> Result<Input<'_>, Failure> {
        let opening = self.limits.opening();
        let recording =
            if self.path == "-" { opening.from_reader(std::io::stdin().lock()) } else { opening.open(&self.path) };
        let recording = recording.map_err(|e| Failure::of(self.name(), &e))?;
        Ok(Input {
            name: self.name(),
            recording,
            losses: Losses { name: self.name(), strict: self.strict, count: Cell::new(0) },
        })
    }

    /// The argument as it was given, as far as it is text.
    pub(crate) fn label(&self) -> &str {
        if self.path == "-" { "-" } else { self.name() }
    }

    /// What the input is called in messages.
    pub(crate) fn name(&self) -> &str {
        self.shown.get_or_init(|| {
            if self.path == "-" { "standard input".to_owned() } else { self.path.to_string_lossy().into_owned() }
        })
    }
}

/// An open recording.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    pub(crate) name: &'a str,
    pub(crate) recording: Recording<'static>,
    pub(crate) losses: Losses<'a>,
}

impl Input<'_> {
    /// Fails if the file was changed while it was read.
    pub(crate) fn check_unchanged(&self) -> Result<(), Failure> {
        self.recording.check_unchanged().map_err(|e| Failure::of(self.name, &e))
    }

    /// Warns of a loss, unless it is due to a change of the file: that is one failure, however much is lost by it.
    pub(crate) fn warn(&self, loss: impl std::fmt::Display) -> Result<(), Failure> {
        self.check_unchanged()?;
        self.losses.warn(loss);
        Ok(())
    }

    /// Fails once the time is over.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.recording.stop().check().map_err(|e| Failure::of(self.name, &e))
    }
}

/// Tells the user what is lost.
#[derive(Debug)]
pub(crate) struct Losses<'a> {
    name: &'a str,
    strict: bool,
    count: Cell<usize>,
}

impl Losses<'_> {
    /// Warns of a loss; the text says where in the file.
    pub(crate) fn warn(&self, loss: impl std::fmt::Display) {
        let count = self.count.get();
        self.count.set(count.saturating_add(1));
        if count < MAX_WARNINGS {
            complain("warning", &format!("{}: {loss}", self.name));
        }
    }

    /// Ends the command: a failure if something was lost and that is not to be borne.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        let count = self.count.get();
        if count > MAX_WARNINGS {
            complain("warning", &format!("{}: {} more warnings", self.name, count - MAX_WARNINGS));
        }
        if self.strict && count > 0 {
            return Err(Failure::Failed(format!(
                "{}: not read completely; leave out --strict to accept that",
                self.name
            )));
        }
        Ok(())
    }
}
