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
/// Mapping saves about one seventh of the time of converting a large recording, and the memory for its bytes. But a map
/// shows what is in the file now: when another process truncates the file, reading the missing part is a bus error,
/// which ends the process; when it overwrites the file, bytes change under `&str`s that were checked. So files are only
/// mapped in a process that asked for it with [`guard_maps`](crate::guard_maps), whose contract covers this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Maps the file if this process called [`guard_maps`](crate::guard_maps) and nobody seems to be writing to it: no
    /// chunk says so, and it was not changed in the last two seconds, or is larger than 64 MiB. Otherwise reads it.
    #[default]
    Auto,
    /// Reads the file into memory. What happens to the file afterwards does not matter.
    Read,
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
    map: bool,
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

    /// Always maps plain files, whatever [`access`](Self::access) says.
    ///
    /// # Safety
    /// Nobody may write to a file that is opened with this, or truncate it, for as long as the [`Recording`] lives: text
    /// that was checked to be UTF-8 is read from the map again. Reading a truncated part is a bus error besides, unless
    /// [`guard_maps`](crate::guard_maps) was called.
    #[must_use]
    #[expect(unsafe_code, reason = "the caller knows who writes to the file")]
    pub unsafe fn map(mut self) -> Self {
        self.map = true;
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
        self.recording(Source::open(path.as_ref(), &self.limits, self.access, self.map, &self.stop)?)
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

    /// The content of a file in memory that may be packed with gzip, zip, lz4 or zstd, whatever it is, and what could not be unpacked.
    ///
    /// # Errors
    /// As for [`from_bytes`](Self::from_bytes), of which no recording is asked.
    pub fn unpack(&self, bytes: Vec<u8>) -> Result<(Vec<u8>, Vec<crate::Loss>)> {
        crate::source::unpacked(bytes, &self.limits, &self.stop)
    }

    fn recording<'a>(&self, source: Source<'a>) -> Result<Recording<'a>> {
        Recording::new(source, &self.limits, &self.stop, self.cache.clone().unwrap_or_default())
    }
}
