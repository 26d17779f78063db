//! The examples do what they say.
#![allow(clippy::unwrap_used)]

use std::path::Path;

#[path = "../examples/convert.rs"]
#[expect(dead_code, reason = "the arguments are given here")]
mod convert;

#[path = "../examples/receive.rs"]
#[expect(dead_code, reason = "as above")]
mod receive;

#[test]
fn an_intake() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/jdk17-full.jfr");
    let set = receive::receive(&std::fs::read(fixture).unwrap()).unwrap();
    assert!(set.profiles.iter().any(|profile| profile.kind.name() == "cpu"));
    assert!(receive::receive(b"no recording").is_err());
}

#[test]
fn the_shortest_converter() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/jdk17-full.jfr");
    convert::convert(&fixture, directory.path()).unwrap();
    for kind in ["cpu", "alloc", "lock", "sleep"] {
        let bytes = std::fs::read(directory.path().join(format!("{kind}.pb.gz"))).unwrap();
        assert!(!pprof_emit::read(&bytes).unwrap().sample.is_empty(), "{kind}");
    }
}
