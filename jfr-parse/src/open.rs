//! How a recording is opened.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use crate::error::Result;
use crate::limits::Limits;
use crate::recording::{MetadataCache, Recording};
use crate::source::Source;
use crate::stop::Stop;

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

/// How a recording is opened: under which limits, how its bytes get into memory, and how it can be stopped.
///
/// [`Recording::open`] and its like are short for this with the defaults.
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
    stop: Stop,
    cache: Option<MetadataCache>,
}

impl OpenOptions {
    /// The limits of a tool, [`Access::Auto`], and nothing that stops.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Under these limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How the bytes of a file get into memory.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Ends opening, and everything that is done with the recording later, when `stop` is raised.
    #[must_use]
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// With a cache of parsed metadata that other recordings use too. Worth it where many recordings of the same JVMs
    /// are read.
    #[must_use]
    pub fn cache(mut self, cache: MetadataCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Opens a file: plain, or packed with gzip, zip, LZ4 or zstd.
    ///
    /// # Errors
    /// As for [`Recording::open`], and [`Error::Stopped`](crate::Error::Stopped).
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Recording<'static>> {
        self.recording(Source::open(path.as_ref(), &self.limits, self.access, &self.stop)?)
    }

    /// Reads a stream to its end: a pipe, standard input.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and [`Error::Read`](crate::Error::Read).
    pub fn from_reader(&self, reader: impl Read) -> Result<Recording<'static>> {
        self.recording(Source::from_reader(reader, &self.limits, &self.stop)?)
    }

    /// A recording in memory, plain or packed. Bytes that are borrowed and not packed are not copied.
    ///
    /// # Errors
    /// As for [`open`](Self::open), without [`Error::Io`](crate::Error::Io).
    pub fn from_bytes<'a>(&self, bytes: impl Into<Cow<'a, [u8]>>) -> Result<Recording<'a>> {
        self.recording(Source::from_bytes(bytes.into(), &self.limits, &self.stop)?)
    }

    fn recording<'a>(&self, source: Source<'a>) -> Result<Recording<'a>> {
        Recording::new(source, &self.limits, &self.stop, self.cache.clone().unwrap_or_default())
    }
}
