//! Errors as typed values that carry their position in the file.

use std::path::PathBuf;

/// The result type of every fallible function in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a recording, or a part of it, cannot be read.
///
/// Offsets count bytes from the beginning of the decompressed recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// Reading from a stream (a pipe, standard input, a caller's reader) failed.
    #[error("reading the recording failed: {0}")]
    Read(#[source] std::io::Error),
    /// The input is not a flight recording.
    #[error(
        "not a flight recording: found {found} at offset 0; expected a .jfr file, optionally compressed with gzip, zip, LZ4 or zstd"
    )]
    NotARecording {
        /// What the input begins with instead.
        found: String,
    },
    /// An unsupported version of the format.
    #[error(
        "offset {offset}: recording format {major}.{minor} is not supported ({}); {}",
        if *major == 0 { "made by Oracle JDK 7 or 8" } else { "newer than this reader" },
        if *major == 0 { "open it in JDK Mission Control or record again with JDK 8u262 or later" }
        else { "use a newer release of the reader" }
    )]
    UnsupportedVersion {
        /// Offset of the chunk.
        offset: u64,
        /// Major version in the header.
        major: u16,
        /// Minor version in the header.
        minor: u16,
    },
    /// The chunk uses fixed-width integers instead of varints. No known writer produces such
    /// chunks.
    #[error(
        "offset {offset}: the chunk uses fixed-width integers, which no known JVM writes and this reader does not support"
    )]
    FixedWidthIntegers {
        /// Offset of the chunk.
        offset: u64,
    },
    /// The bytes violate the format.
    #[error("offset {offset}: {what}")]
    Damaged {
        /// Offset of the damage.
        offset: u64,
        /// The kind of damage.
        what: Damage,
    },
    /// The input exceeds one of the [`Limits`](crate::Limits).
    #[error("offset {offset}: more than {limit} {what}; raise the limit `{name}` if you trust the recording")]
    LimitExceeded {
        /// Offset at which the limit was exceeded.
        offset: u64,
        /// What the limit counts.
        what: &'static str,
        /// The name of the field in [`Limits`](crate::Limits).
        name: &'static str,
        /// The value of the limit.
        limit: u64,
    },
    /// A compressed file cannot be decompressed.
    #[error("cannot decompress the {format} file: {reason}")]
    Unpack {
        /// The compression format: gzip, zip, LZ4 or zstd.
        format: &'static str,
        /// The decoder's message.
        reason: String,
    },
    /// The requested name is not declared in the chunk's metadata.
    #[error("no {kind} named {name:?} in the chunk's metadata")]
    Unknown {
        /// "event type" or "field".
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A value does not fit the requested type.
    #[error("{0}")]
    Mismatch(String),
    /// A value that was read with a [`Plan`](crate::Plan) or a [`Cursor`](crate::Cursor) ends
    /// early. The error carries no position because the caller knows the offset.
    #[error(transparent)]
    Short(#[from] Short),
    /// The file was truncated or overwritten while it was mapped, so the data that was read may mix
    /// two states of the file.
    #[error("the file changed while it was being read; try again when nothing is writing to it, or read a copy")]
    Changed,
    /// The caller raised its [`Stop`](crate::Stop), or the deadline passed.
    #[error("stopped at the caller's request")]
    Stopped,
}

impl Error {
    /// The error for damage of kind `what` at `offset`.
    pub(crate) fn damaged(offset: u64, what: Damage) -> Self {
        Self::Damaged { offset, what }
    }
}

/// The ways in which bytes can violate the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// A value runs past the end of its event, chunk or file.
    #[error("the data ends in the middle of a value")]
    Truncated,
    /// A chunk should begin here, but the magic number is missing.
    #[error("no chunk begins here")]
    NoMagic,
    /// The chunk size is impossible.
    #[error("the chunk size in the header is impossible")]
    BadChunkSize,
    /// The event size is zero, smaller than the event's own header, or larger than the bytes left.
    #[error("the size of an event is impossible")]
    BadEventSize,
    /// The chunk has no readable metadata event, so its events cannot be interpreted.
    #[error("the chunk has no readable metadata event")]
    NoMetadata,
    /// The metadata event exists but does not parse.
    #[error("the metadata event does not parse")]
    BadMetadata,
    /// The chain of checkpoints is broken or circular.
    #[error("the chain of checkpoints is broken")]
    BadCheckpointChain,
    /// A checkpoint event does not parse to its end.
    #[error("a checkpoint does not parse")]
    BadCheckpoint,
    /// A checkpoint contains constants of a type that the metadata does not declare.
    #[error("a checkpoint contains constants of an undeclared type")]
    UndeclaredPool,
    /// Inline types are nested deeper than in any real recording.
    #[error("types are nested too deeply")]
    TooDeep,
    /// The chunk was still being written; its header records how much of it is complete.
    #[error("the chunk was still being written")]
    Unfinished,
    /// Chunks identical to earlier ones, as when two dumps of the same recording were concatenated.
    #[error("{}", repeated(*chunks))]
    Repeated {
        /// How many chunks.
        chunks: usize,
    },
    /// The clock has no frequency, so a tick counts as one nanosecond.
    #[error(
        "the chunk has {ticks_per_second} ticks per second; one tick counts as one nanosecond, so times may be wrong"
    )]
    NoFrequency {
        /// The value in the header.
        ticks_per_second: i64,
    },
    /// Bytes that belong to no chunk.
    #[error("bytes that belong to no chunk")]
    StrayBytes,
    /// The input exceeds a limit: the field of [`Limits`](crate::Limits) with this name.
    #[error("more {} than the limit `{limit}` allows", crate::Limits::what(.limit))]
    OverLimit {
        /// The name of the limit.
        limit: &'static str,
    },
}

fn repeated(chunks: usize) -> String {
    match chunks {
        1 => "1 chunk is identical to an earlier one and counts once".to_owned(),
        n => format!("{n} chunks are identical to earlier ones and count once"),
    }
}

/// Something that could not be read, and where. Reading continued after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Offset from the beginning of the decompressed recording, in bytes.
    pub offset: u64,
    /// Number of bytes skipped; 0 if only order or completeness is affected.
    pub bytes: u64,
    /// The kind of damage.
    pub what: Damage,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "offset {}: {}", self.offset, self.what)?;
        match self.bytes {
            0 => Ok(()),
            1 => write!(f, "; 1 byte skipped"),
            n => write!(f, "; {n} bytes skipped"),
        }
    }
}

/// A read ran past the end of its bytes. The type carries no data, which keeps the hot path cheap;
/// a caller that knows the offset turns it into an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the data ends in the middle of a value")]
pub struct Short;
