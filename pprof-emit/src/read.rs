//! Reads pprof files.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use prost::Message;

use crate::check::{CheckError, check};
use crate::pb;

/// The default limit for the size of a decompressed profile: 1 GiB.
pub const DEFAULT_UNPACKED_LIMIT: u64 = 1 << 30;

/// Why a profile could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The gzip stream is damaged.
    #[error("the gzip stream is damaged or truncated: {0}")]
    Unpack(#[source] std::io::Error),
    /// The profile is larger than allowed.
    #[error("more than {limit} decompressed bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The bytes are not a protocol buffer, or not of this kind.
    #[error("not a pprof profile: {0}")]
    Decode(#[from] prost::DecodeError),
    /// The profile is inconsistent.
    #[error("inconsistent profile: {0}")]
    Check(#[from] CheckError),
}

/// Reads and [checks](check) a profile, gzipped or not, of at most [`DEFAULT_UNPACKED_LIMIT`] decompressed
/// bytes.
///
/// # Errors
/// See [`ReadError`].
pub fn read(bytes: &[u8]) -> Result<pb::Profile, ReadError> {
    read_with_limit(bytes, DEFAULT_UNPACKED_LIMIT)
}

/// Like [`read`], with another limit for the number of decompressed bytes.
///
/// # Errors
/// See [`ReadError`].
pub fn read_with_limit(bytes: &[u8], limit: u64) -> Result<pb::Profile, ReadError> {
    let unpacked;
    let raw = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut out = Vec::new();
        let mut source = MultiGzDecoder::new(bytes).take(limit.saturating_add(1));
        source.read_to_end(&mut out).map_err(ReadError::Unpack)?;
        unpacked = out;
        unpacked.as_slice()
    } else {
        bytes
    };
    if u64::try_from(raw.len()).map_or(true, |size| size > limit) {
        return Err(ReadError::TooLarge { limit });
    }
    let profile = pb::Profile::decode(raw)?;
    check(&profile)?;
    Ok(profile)
}
