//! Summaries of real recordings.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jfr_analyzers::Summary;
use jfr_analyzers::summary::Producer;
use jfr_parse::Recording;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

#[test]
fn counts_match_those_of_a_walk() {
    for name in [
        "jdk8-profile.jfr.gz",
        "jdk11-profile.jfr.gz",
        "jdk17-multichunk.jfr",
        "jdk21-full.jfr.gz",
        "jdk25-full.jfr.gz",
    ] {
        let recording = Recording::open(fixtures().join(name)).unwrap();
        let mut walked = BTreeMap::<String, (u64, u64)>::new();
        for chunk in recording.chunks() {
            let chunk = chunk.unwrap();
            for event in chunk.events() {
                let of = chunk.metadata().by_id(event.type_id).unwrap();
                let entry = walked.entry(of.name().to_owned()).or_default();
                *entry = (entry.0 + 1, entry.1 + event.size as u64);
            }
        }
        let summary = Summary::of(&recording).unwrap();
        let counted: BTreeMap<_, _> = summary.events.iter().map(|e| (e.name.clone(), (e.count, e.bytes))).collect();
        assert_eq!(counted, walked, "{name}");
        assert_eq!(summary.warnings, Vec::<String>::new(), "{name}");
        assert!(summary.duration_nanos.0 > 0 && summary.chunks.len() == recording.chunk_count());
        assert!(summary.chunks.iter().all(|c| c.producer == Producer::HotSpot && c.jvm_version.is_some()), "{name}");
        let bytes: u64 = summary.chunks.iter().map(|c| c.size).sum();
        assert_eq!(bytes, recording.bytes().len() as u64);
    }
}

#[test]
fn writers_are_distinguished() {
    let Some(corpus) = jfr_parse::testing::corpus("") else { return };
    let producers = |name: &str| -> Vec<Producer> {
        let summary = Summary::of(&Recording::open(corpus.join(name)).unwrap()).unwrap();
        let mut found: Vec<Producer> = summary.chunks.iter().map(|c| c.producer).collect();
        found.sort_by_key(Producer::to_string);
        found.dedup();
        found
    };
    assert_eq!(producers("bench/spark17-async.jfr"), [Producer::AsyncProfiler]);
    assert_eq!(producers("generated/ap17-jfrsync.jfr"), [Producer::HotSpot, Producer::AsyncProfiler]);
    assert_eq!(producers("hard/concat-jdk8-jdk25.jfr"), [Producer::HotSpot]);
}
