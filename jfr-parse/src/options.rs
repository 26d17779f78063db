//! How a file is opened.

use std::path::Path;

use crate::error::Result;
use crate::limits::Limits;
use crate::recording::Recording;
use crate::source::Source;

/// How the bytes of a plain file get into memory.
///
/// Mapping is the faster, by a seventh of what converting a large recording takes, and needs no memory of its own. But
/// a map shows what is in the file now: when another process cuts the file short, reading what is gone is a bus error,
/// which ends the process; when it writes over it, half of what is read is old and half is new. So a file is only
/// mapped where neither does harm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Maps the file if this process is guarded ([`guard_maps`](crate::guard_maps)) or the system does not let mapped
    /// files be cut (Windows), and nobody seems to be writing to it: no chunk says so, and it was not changed in the
    /// last two seconds, or is larger than 64 MiB. Else reads it.
    #[default]
    Auto,
    /// Reads the file into memory, as much again as it is long. What happens to it afterwards is not seen.
    Read,
    /// Maps the file, come what may. For a caller who knows that nobody changes it. Where the process is not guarded,
    /// cutting the file ends it.
    Map,
}

/// Options for opening a file as a [`Recording`].
///
/// ```
/// # fn main() -> jfr_parse::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
/// use jfr_parse::{Access, Limits, OpenOptions};
///
/// let recording = OpenOptions::new().limits(Limits::intake()).access(Access::Read).open(path)?;
/// assert_eq!(recording.chunk_count(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    limits: Limits,
    access: Access,
}

impl OpenOptions {
    /// The default [`Limits`] and [`Access::Auto`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The limits it is read under.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How its bytes get into memory.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Opens a file.
    ///
    /// # Errors
    /// As for [`Recording::open`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Recording<'static>> {
        Recording::new(Source::open(path.as_ref(), &self.limits, self.access)?, &self.limits)
    }
}
