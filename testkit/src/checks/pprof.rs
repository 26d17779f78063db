//! Checks of reading pprof.

use pprof_emit::{check, read_with_limit};
use prost::Message;

/// Reads arbitrary bytes as a profile: what is accepted must be valid, and stay valid when it is written and
/// read again.
pub fn pprof(bytes: &[u8]) {
    const LIMIT: u64 = 16 << 20;
    let Ok(profile) = read_with_limit(bytes, LIMIT) else { return };
    check(&profile).expect("what was read is valid");
    let again = read_with_limit(&profile.encode_to_vec(), u64::MAX).expect("what was read can be written and read");
    assert_eq!(profile, again);
}
