//! What can go wrong, as typed values that carry the place in the file.

use std::path::PathBuf;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a recording, or a part of it, cannot be read.
///
/// Offsets count bytes from the beginning of the (unpacked) recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Reading from a stream (a pipe, standard input, a caller's reader) failed.
    #[error("reading the recording failed: {0}")]
    Read(#[source] std::io::Error),
    /// The bytes are no flight recording.
    #[error(
        "not a flight recording: {found} at offset 0; give a .jfr file, plain or packed with gzip, zip, lz4 or zstd"
    )]
    NotARecording {
        /// What stands there instead.
        found: String,
    },
    /// A version of the format that is not read.
    #[error(
        "offset {offset}: recording format {major}.{minor} is not supported ({}); {}",
        if *major == 0 { "made by Oracle JDK 7 or 8" } else { "newer than this reader" },
        if *major == 0 { "open it in JDK Mission Control or record again with JDK 8u262 or later" }
        else { "use a newer release of the reader" }
    )]
    UnsupportedVersion {
        /// Where the chunk begins.
        offset: u64,
        /// Major version in the header.
        major: u16,
        /// Minor version in the header.
        minor: u16,
    },
    /// A chunk whose integers are not varints; no writer is known to make one.
    #[error(
        "offset {offset}: the chunk has fixed-width integers, which no known JVM writes and this reader does not read"
    )]
    FixedWidthIntegers {
        /// Where the chunk begins.
        offset: u64,
    },
    /// The bytes break the format.
    #[error("offset {offset}: {what}")]
    Damaged {
        /// Where the damage was met.
        offset: u64,
        /// What is wrong there.
        what: Damage,
    },
    /// A [`Limits`](crate::Limits) value was reached.
    #[error("offset {offset}: more than {limit} {what}; raise the limit `{name}` if the recording can be trusted")]
    LimitExceeded {
        /// Where it was reached.
        offset: u64,
        /// What there was too much of.
        what: &'static str,
        /// The field of [`Limits`](crate::Limits).
        name: &'static str,
        /// Its value.
        limit: u64,
    },
    /// A compressed file cannot be unpacked.
    #[error("cannot unpack the {format} file: {reason}")]
    Unpack {
        /// gzip, zip, LZ4 or zstd.
        format: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// A name that the chunk's metadata does not declare was asked for.
    #[error("no {kind} named {name:?} in the chunk's metadata")]
    Unknown {
        /// "event type" or "field".
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A value does not fit the type that was asked for.
    #[error("{0}")]
    Mismatch(String),
    /// A value that was read with a [`Plan`](crate::Plan) or a [`Cursor`](crate::Cursor) ends early; who reads
    /// so knows where.
    #[error(transparent)]
    Short(#[from] Short),
    /// The file was cut short or written over while it was mapped, so what was read of it belongs to no one recording.
    #[error("the file was changed while it was read; try again when nobody writes to it, or read a copy")]
    Changed,
    /// The caller's [`Stop`](crate::Stop) was raised or its deadline passed.
    #[error("stopped at the caller's request")]
    Stopped,
}

impl Error {
    /// The damage `what` at `offset`.
    pub(crate) fn damaged(offset: u64, what: Damage) -> Self {
        Self::Damaged { offset, what }
    }
}

/// A way in which bytes break the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// A value runs past the end of its event, chunk or file.
    #[error("the data ends in the middle of a value")]
    Truncated,
    /// No chunk magic where a chunk should begin.
    #[error("no chunk begins here")]
    NoMagic,
    /// The chunk size cannot be right.
    #[error("the chunk size in the header is impossible")]
    BadChunkSize,
    /// An event size that is zero, smaller than its own header or larger than what is left.
    #[error("the size of an event is impossible")]
    BadEventSize,
    /// A chunk without a readable metadata event: its events cannot be understood.
    #[error("the chunk has no readable metadata event")]
    NoMetadata,
    /// The metadata event is there but does not parse.
    #[error("the metadata event does not parse")]
    BadMetadata,
    /// The chain of checkpoints is broken or runs in a circle.
    #[error("the chain of checkpoints is broken")]
    BadCheckpointChain,
    /// A checkpoint event does not parse to its end.
    #[error("a checkpoint does not parse")]
    BadCheckpoint,
    /// A checkpoint holds constants of a type that the metadata does not declare.
    #[error("a checkpoint holds constants of an undeclared type")]
    UndeclaredPool,
    /// Inline types nested deeper than any real recording nests them.
    #[error("types are nested too deeply")]
    TooDeep,
    /// The chunk was still being written, its header says how far it is complete.
    #[error("the chunk was still being written")]
    Unfinished,
    /// Bytes that belong to no chunk.
    #[error("bytes that belong to no chunk")]
    StrayBytes,
    /// More of something than a limit allows: the field of [`Limits`](crate::Limits) that has this name.
    #[error("more {} than the limit `{limit}` allows", crate::Limits::what(.limit))]
    OverLimit {
        /// Its name.
        limit: &'static str,
    },
}

/// Something that could not be read, and where. Reading went on behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Where it begins, in bytes from the beginning of the (unpacked) recording.
    pub offset: u64,
    /// How many bytes were passed over, 0 where nothing but order or completeness is affected.
    pub bytes: u64,
    /// What was found there.
    pub what: Damage,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "offset {}: {}", self.offset, self.what)?;
        match self.bytes {
            0 => Ok(()),
            1 => write!(f, "; 1 byte passed over"),
            n => write!(f, "; {n} bytes passed over"),
        }
    }
}

/// A read ran past the end of its bytes. Carries nothing, so that the hot path stays cheap;
/// whoever knows the offset turns it into an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the data ends in the middle of a value")]
pub struct Short;
