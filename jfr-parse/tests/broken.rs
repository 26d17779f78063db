//! Recordings with broken events, repeated chunks and impossible clocks: everything around them is still read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use jfr_parse::testing::*;
use jfr_parse::{ConstantKey, Damage, Limits, Recording, TypeId};

const SAMPLE: u64 = 101;
const PROPERTY: u64 = 115;
const SAMPLES: usize = 20;

fn writer() -> ChunkWriter {
    let mut writer = ChunkWriter::new();
    writer.size_width = 4;
    writer
}

fn metadata(writer: &mut ChunkWriter) {
    writer.metadata(&[
        Class::event(SAMPLE, "test.Sample").field(Field::new("startTime", LONG)).field(Field::new("n", LONG)),
        Class::event(PROPERTY, "test.Property").field(Field::new("startTime", LONG)).field(Field::new("value", STRING)),
    ]);
}

fn samples(writer: &mut ChunkWriter, numbers: std::ops::Range<usize>) {
    for n in numbers {
        writer.event(SAMPLE, &Payload::new().varint(1_000 + n as u64).varint(n as u64));
    }
}

/// The numbers of the samples that are read, and what is skipped, for the whole chunk and for its parts.
fn read(bytes: &[u8]) -> (Vec<u64>, Vec<(usize, usize)>) {
    let recording = Recording::from_bytes(bytes, &Limits::default()).unwrap();
    let chunk = recording.chunk(0).unwrap();
    let plan = chunk.plan(chunk.metadata().by_id(TypeId(SAMPLE)).unwrap(), ["n"]).unwrap();
    let n = plan.field::<u64>("n");
    let number = |e: jfr_parse::RawEvent<'_>| (e.type_id.0 == SAMPLE).then(|| plan.read(e.payload).unwrap().get(n));
    let mut walk = chunk.walk(jfr_parse::HEADER_SIZE..chunk.bytes().len());
    let numbers: Vec<u64> = walk.by_ref().filter_map(number).collect();
    for size in [20, 50, 100] {
        let parts = chunk.segments(size);
        assert!(parts.len() > 3);
        let in_parts: Vec<u64> = parts.into_iter().flat_map(|part| chunk.walk(part).filter_map(number)).collect();
        assert_eq!(in_parts, numbers, "in parts of {size} bytes");
    }
    (numbers, walk.skipped().iter().map(|&(at, bytes)| (at.0, bytes)).collect())
}

fn all() -> Vec<u64> {
    (0..10 * SAMPLES as u64).collect()
}

#[test]
fn zeros_between_events_lose_no_events() {
    for zeros in [1, 2, 16, 333] {
        let mut writer = writer();
        samples(&mut writer, 0..SAMPLES);
        let at = writer.position();
        writer.raw(&vec![0; zeros]);
        samples(&mut writer, SAMPLES..10 * SAMPLES);
        metadata(&mut writer);
        assert_eq!(read(&writer.finish()), (all(), vec![(at, zeros)]));
    }
}

/// A transformed class writes an event while another one is being written: the outer event keeps its intended size, and the
/// rest of its text follows.
#[test]
fn an_event_inside_another_loses_no_samples() {
    let mut writer = writer();
    samples(&mut writer, 0..SAMPLES);
    let text = "/opt/app/lib/a.jar:/opt/app/lib/b.jar:".repeat(10);
    writer.event(PROPERTY, &Payload::new().varint(5).utf8(&text));
    // The rest of the text reads as events whose sizes are made of its letters.
    let at = writer.position();
    writer.raw(b"/app/lib/b.jar");
    samples(&mut writer, SAMPLES..10 * SAMPLES);
    metadata(&mut writer);
    let (numbers, skipped) = read(&writer.finish());
    assert_eq!(numbers, all());
    assert_eq!(skipped.iter().map(|(at, bytes)| (*at, *at + bytes)).collect::<Vec<_>>(), [(at, at + 14)]);
}

#[test]
fn a_size_that_is_too_large_loses_one_event() {
    let mut writer = writer();
    samples(&mut writer, 0..SAMPLES);
    let at = writer.position();
    writer.raw(&padded_varint(1 << 27, 4)).raw(&[u8::try_from(SAMPLE).unwrap(), 1, 1]);
    samples(&mut writer, SAMPLES..10 * SAMPLES);
    metadata(&mut writer);
    assert_eq!(read(&writer.finish()), (all(), vec![(at, 7)]));
}

#[test]
fn undeclared_types_are_accepted_if_valid_events_follow() {
    let mut writer = writer();
    samples(&mut writer, 0..SAMPLES);
    for _ in 0..40 {
        writer.event(77, &Payload::new().varint(3));
    }
    samples(&mut writer, SAMPLES..10 * SAMPLES);
    metadata(&mut writer);
    assert_eq!(read(&writer.finish()), (all(), Vec::new()));
}

#[test]
fn an_equal_chunk_counts_once() {
    let chunk = |first: usize, start: i64| {
        let mut writer = writer();
        writer.start_nanos += start;
        samples(&mut writer, first..first + 5);
        metadata(&mut writer);
        writer.finish()
    };
    let (one, other) = (chunk(0, 0), chunk(5, 1_000_000_000));
    let open = |parts: &[&[u8]]| Recording::from_bytes(parts.concat(), &Limits::default()).unwrap();
    let twice = open(&[&one, &one]);
    assert_eq!(twice.chunk_count(), 1);
    let [loss] = twice.losses() else { panic!("{:?}", twice.losses()) };
    assert_eq!(
        (loss.offset, loss.bytes, loss.what),
        (one.len() as u64, one.len() as u64, Damage::Repeated { chunks: 1 })
    );
    assert!(loss.to_string().contains("1 chunk is identical to an earlier one and counts once"), "{loss}");
    let dumps = open(&[&one, &one, &other, &other]);
    assert_eq!((dumps.chunk_count(), dumps.losses().len()), (2, 1));
    assert!(dumps.losses()[0].to_string().contains("2 chunks are identical to earlier ones"), "{}", dumps.losses()[0]);
    // But not if only their headers are equal.
    let mut changed = one.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert_eq!(open(&[&one, &changed]).chunk_count(), 2);
}

#[test]
fn a_clock_without_frequency_is_a_loss() {
    for ticks_per_second in [0, -1] {
        let mut writer = writer();
        writer.ticks_per_second = ticks_per_second;
        metadata(&mut writer);
        let recording = Recording::from_bytes(writer.finish(), &Limits::default()).unwrap();
        let [loss] = recording.losses() else { panic!("{:?}", recording.losses()) };
        assert_eq!(loss.what, Damage::NoFrequency { ticks_per_second });
    }
}

#[test]
fn damage_in_constants_is_known_after_they_were_used() {
    let mut writer = writer();
    samples(&mut writer, 0..2);
    metadata(&mut writer);
    // A checkpoint of a million constants that ends before the first.
    writer.constant_pool_position = writer.position() as u64;
    let head = Payload::new().varint(0).varint(0).varint(0).byte(0).varint(1);
    writer.event(1, &head.varint(STRING).varint(1_000_000));
    let recording = Recording::from_bytes(writer.finish(), &Limits::default()).unwrap();
    let chunk = recording.chunk(0).unwrap();
    assert!(chunk.constant_losses().is_empty());
    let event = chunk.events().next().unwrap();
    chunk.value(&event).unwrap();
    assert_eq!(chunk.pools().get(TypeId(STRING), ConstantKey(1)), None);
    let [loss] = chunk.constant_losses() else { panic!("{:?}", chunk.constant_losses()) };
    assert_eq!(loss.offset, chunk.header().constant_pool_position);
}
