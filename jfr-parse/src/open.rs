//! How a recording is opened.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use crate::error::Result;
use crate::limits::Limits;
use crate::recording::{MetadataCache, Recording};
use crate::source::Source;
use crate::stop::Stop;

/// How a recording is opened: under which limits, and how it can be stopped.
///
/// [`Recording::open`] and its like are short for this with the defaults.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    limits: Limits,
    stop: Stop,
    cache: Option<MetadataCache>,
}

impl OpenOptions {
    /// The limits of a tool, and nothing that stops.
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
        self.recording(Source::open(path.as_ref(), &self.limits, &self.stop)?)
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
