//! Checks of compressed recordings.

use jfr_parse::{Limits, Recording};

/// Reads arbitrary bytes as a compressed recording: the limits on decompression hold, and reading a stream
/// gives the same result as reading bytes.
pub fn unpack(bytes: &[u8]) {
    let mut limits = Limits::intake();
    limits.recording_bytes = 4 << 20;
    let from_bytes = Recording::from_bytes(bytes, &limits);
    let from_reader = Recording::from_reader(bytes, &limits);
    match (from_bytes, from_reader) {
        (Ok(one), Ok(other)) => {
            assert!(one.bytes().len() as u64 <= limits.recording_bytes);
            assert_eq!((one.bytes(), one.losses()), (other.bytes(), other.losses()));
        }
        (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
        (one, other) => panic!("{:?} but {:?}", one.map(|_| ()), other.map(|_| ())),
    }
}
