//! Problems found by mutants and fuzz targets, as small handmade recordings.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use jfr_parse::testing::*;
use jfr_parse::{Damage, Error, Limits, Recording, ValueReader};
use serde_json::Value as Json;

fn open(bytes: &[u8]) -> Recording<'_> {
    Recording::from_bytes(bytes, &Limits::default()).unwrap()
}

/// A chunk with this many events.
fn chunk(events: u64) -> Vec<u8> {
    let mut chunk = ChunkWriter::new();
    chunk.metadata(&[Class::event(100, "test.Tick").field(Field::new("startTime", LONG))]);
    for i in 0..events {
        chunk.event(100, &Payload::new().varint(i));
    }
    chunk.finish()
}

/// The number of events in each chunk.
fn counts(bytes: &[u8]) -> Vec<usize> {
    open(bytes).chunks().flatten().map(|chunk| chunk.events().count()).collect()
}

#[test]
fn an_event_has_fields_whatever_type_it_claims() {
    let mut writer = ChunkWriter::new();
    writer.metadata(&[Class::event(100, "test.Simple").field(Field::new("number", LONG)).simple()]);
    writer.event(100, &Payload::new().varint(7));
    // An event of the type `long`, which has no fields.
    writer.event(LONG, &Payload::new().varint(7));
    let bytes = writer.finish();
    let recording = open(&bytes);
    let chunk = recording.chunk(0).unwrap();
    let events: Vec<_> = chunk.events().collect();
    for (event, expected) in events.iter().zip([serde_json::json!({"number": 7}), serde_json::json!({})]) {
        assert_eq!(serde_json::to_value(ValueReader::new(&chunk).event(event).unwrap()).unwrap(), expected);
        assert_eq!(chunk.deserialize::<Json>(event).unwrap(), expected);
    }
}

#[test]
fn a_wrong_size_does_not_swallow_the_next_chunk() {
    let (one, other) = (chunk(3), chunk(5));
    for size in [one.len() + 1, one.len() + 40, one.len() + other.len() - 1, usize::MAX, 0, 68, 100] {
        let mut bytes = [one.clone(), other.clone()].concat();
        bytes[8..16].copy_from_slice(&(size as u64).to_be_bytes());
        assert_eq!(counts(&bytes).last(), Some(&5), "size {size} for {}", one.len());
        if size >= one.len() {
            assert_eq!(counts(&bytes), [3, 5], "size {size} for {}", one.len());
        }
    }
}

#[test]
fn a_damaged_event_does_not_reach_into_the_next_chunk() {
    let (mut one, other) = (chunk(3), chunk(5));
    // The last event claims to be longer than it is, and so does the chunk.
    let last = one.len() - 3;
    one[last] = 0x50;
    let mut bytes = [one, other].concat();
    bytes[8..16].copy_from_slice(&u64::MAX.to_be_bytes());
    assert_eq!(counts(&bytes), [2, 5]);
}

#[test]
fn a_chunk_with_a_truncated_header_does_not_hide_the_next() {
    for cut in 4..68 {
        let bytes = [&chunk(3)[..cut], &chunk(5)].concat();
        assert_eq!(counts(&bytes), [5], "cut at {cut}");
        assert!(!open(&bytes).losses().is_empty());
    }
}

#[test]
fn truncation_after_a_68_does_not_hide_the_next_chunk() {
    // 68 is the length that precedes the copies of a header in its own chunk.
    let mut one = chunk(3);
    one.push(68);
    let bytes = [one, chunk(5)].concat();
    assert_eq!(counts(&bytes), [3, 5]);
}

#[test]
fn a_first_chunk_of_another_version_does_not_hide_the_others() {
    for (at, value) in [(5, 9), (5, 0), (67, 0)] {
        let mut bytes = [chunk(3), chunk(5)].concat();
        bytes[at] = value;
        assert_eq!(counts(&bytes), [5]);
        assert_eq!(open(&bytes).losses()[0].what, Damage::StrayBytes);
        // On its own, it is reported for what it is.
        let alone = Recording::from_bytes(&bytes[..chunk(3).len()], &Limits::default());
        assert!(matches!(alone, Err(Error::UnsupportedVersion { .. } | Error::FixedWidthIntegers { .. })));
    }
}
