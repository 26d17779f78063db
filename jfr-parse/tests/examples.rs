//! The examples work as documented.
#![allow(clippy::unwrap_used)]

use std::path::Path;

#[path = "../examples/reads.rs"]
#[expect(dead_code, reason = "the arguments are given here")]
mod reads;

#[test]
fn events_as_structs() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/jdk17-full.jfr");
    let sums = reads::reads(&fixture).unwrap();
    // Three facts in the fixture's ground truth are about this file.
    let (_, (bytes, nanos)) = sums.iter().find(|(path, _)| path.ends_with("zwischen-größe.bin")).unwrap();
    assert!(*bytes >= 81_920 && *nanos > 0, "{bytes} bytes, {nanos} ns");
}
