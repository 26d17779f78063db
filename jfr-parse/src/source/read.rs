//! Reads a stream to its end, up to a limit.

use std::io::Read;

use crate::error::Result;
use crate::stop::Stop;

/// Bytes to read at a time.
const STEP: usize = 1 << 20;

/// The result of reading a stream.
pub(super) struct Streamed {
    pub(super) bytes: Vec<u8>,
    /// The error, if the stream failed before its end.
    pub(super) failed: Option<std::io::Error>,
}

/// Reads into `room`, which is empty, until the end, an error, or more than `limit` bytes.
///
/// The buffer grows by a quarter: doubling it would at worst hold three times the bytes.
pub(super) fn read(mut reader: impl Read, room: Vec<u8>, limit: u64, stop: &Stop) -> Result<Streamed> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    let sized = room.capacity() > 0;
    let mut out = Streamed { bytes: room, failed: None };
    while out.bytes.len() < most {
        stop.check()?;
        let from = out.bytes.len();
        // A buffer allocated for a file of known size is used up completely.
        let left = out.bytes.capacity() - from;
        if left == 0 || !sized && left < STEP / 2 {
            out.bytes.reserve_exact((from / 4).max(STEP));
        }
        // A step ends only when it is full, because a pipe delivers a few kilobytes at a time.
        let room = (out.bytes.capacity() - from).min(STEP).min(most - from);
        match (&mut reader).take(room as u64).read_to_end(&mut out.bytes) {
            Ok(n) if n < room => break,
            Ok(_) => {}
            Err(e) => {
                out.failed = Some(e);
                break;
            }
        }
    }
    Ok(out)
}
