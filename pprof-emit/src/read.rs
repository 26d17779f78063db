//! Reading pprof files.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use prost::Message;

use crate::check::{CheckError, check};
use crate::pb;

/// How many bytes a profile may have unpacked, unless said otherwise: 1 GiB.
pub const DEFAULT_UNPACKED_LIMIT: u64 = 1 << 30;

/// Why a profile could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The gzip stream is broken.
    #[error("not a whole gzip stream: {0}")]
    Unpack(#[source] std::io::Error),
    /// It is larger than allowed.
    #[error("more than {limit} bytes unpacked")]
    TooLarge {
        /// The limit, bytes.
        limit: u64,
    },
    /// It is no protocol buffer, or one of another kind.
    #[error("not a pprof profile: {0}")]
    Decode(#[from] prost::DecodeError),
    /// It contradicts itself.
    #[error("inconsistent profile: {0}")]
    Check(#[from] CheckError),
}

/// Reads and [checks](check) a profile, gzipped or not, of at most [`DEFAULT_UNPACKED_LIMIT`] bytes.
///
/// # Errors
/// See [`ReadError`].
pub fn read(bytes: &[u8]) -> Result<pb::Profile, ReadError> {
    read_with_limit(bytes, DEFAULT_UNPACKED_LIMIT)
}

/// [`read`] with another limit for the unpacked bytes.
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
