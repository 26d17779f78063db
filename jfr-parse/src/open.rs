//! Options for opening a recording.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use crate::error::Result;
use crate::limits::Limits;
use crate::recording::{MetadataCache, Recording};
use crate::source::Source;
use crate::stop::Stop;

/// How the bytes of an uncompressed file get into memory.
///
/// Mapping saves about one seventh of the time it takes to convert a large recording, and the memory for its
/// bytes. But a map always shows the current content of the file. If another process truncates the file,
/// reading the missing part raises a bus error, which ends the process. If another process overwrites it, bytes
/// change under `&str`s that were already checked. Files are therefore mapped only in a process that opted in
/// with [`guard_maps`](crate::guard_maps), whose safety contract covers this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Maps the file if this process called [`guard_maps`](crate::guard_maps) and nobody appears to be writing
    /// to the file: no chunk is marked as unfinished, and the file either was not changed in the last two
    /// seconds or is larger than 64 MiB. Otherwise reads it.
    #[default]
    Auto,
    /// Reads the file into memory. Later changes to the file have no effect.
    Read,
}

/// Options for opening a recording: its limits, how its bytes get into memory, and how to stop work on it.
///
/// [`Recording::open`] and similar functions are shortcuts that use the defaults.
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
    /// The defaults: the limits of [`Limits::tool`], [`Access::Auto`], and no stop handle.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how the bytes of a file get into memory.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Always maps uncompressed files, regardless of [`access`](Self::access).
    ///
    /// # Safety
    /// Nobody may write to or truncate a file opened with these options while the [`Recording`] lives: text
    /// that was already checked to be UTF-8 is read from the map again. In addition, reading a truncated part
    /// raises a bus error unless [`guard_maps`](crate::guard_maps) was called.
    #[must_use]
    #[expect(unsafe_code, reason = "the caller knows who writes to the file")]
    pub unsafe fn map(mut self) -> Self {
        self.map = true;
        self
    }

    /// Sets a handle that stops opening, and all later work on the recording, when it is raised.
    #[must_use]
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Sets a cache of parsed metadata to share with other recordings. Useful for reading many recordings of
    /// the same JVMs.
    #[must_use]
    pub fn cache(mut self, cache: MetadataCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Opens a file, uncompressed or compressed with gzip, zip, LZ4 or zstd.
    ///
    /// # Errors
    /// Same as [`Recording::open`], and [`Error::Stopped`](crate::Error::Stopped).
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Recording<'static>> {
        self.recording(Source::open(path.as_ref(), &self.limits, self.access, self.map, &self.stop)?)
    }

    /// Reads a stream, such as a pipe or standard input, to its end.
    ///
    /// # Errors
    /// Same as [`open`](Self::open), and [`Error::Read`](crate::Error::Read).
    pub fn from_reader(&self, reader: impl Read) -> Result<Recording<'static>> {
        self.recording(Source::from_reader(reader, &self.limits, &self.stop)?)
    }

    /// Opens a recording in memory, uncompressed or compressed. Borrowed bytes are copied only if they are
    /// compressed.
    ///
    /// # Errors
    /// Same as [`open`](Self::open), without [`Error::Io`](crate::Error::Io).
    pub fn from_bytes<'a>(&self, bytes: impl Into<Cow<'a, [u8]>>) -> Result<Recording<'a>> {
        self.recording(Source::from_bytes(bytes.into(), &self.limits, &self.stop)?)
    }

    /// Decompresses the content of a file that may be compressed with gzip, zip, LZ4 or zstd. The content does
    /// not have to be a recording. Also returns what could not be decompressed.
    ///
    /// # Errors
    /// Same as [`from_bytes`](Self::from_bytes), except the errors about the content of a recording.
    pub fn unpack(&self, bytes: Vec<u8>) -> Result<(Vec<u8>, Vec<crate::Loss>)> {
        crate::source::unpacked(bytes, &self.limits, &self.stop)
    }

    fn recording<'a>(&self, source: Source<'a>) -> Result<Recording<'a>> {
        Recording::new(source, &self.limits, &self.stop, self.cache.clone().unwrap_or_default())
    }
}
