//! Damage in one chunk does not change what the others yield.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use jfr_analyzers::{CpuSource, Options, collect};
use jfr_parse::{Chunk, Limits, Recording, ValueReader};
use jfrkit_profile::ProfileType;
use jfrkit_testkit::{Image, Random, mutate_chunk};

/// Number of mutants per recording.
const EACH: usize = 60;
/// Larger recordings would make the test slow.
const LARGEST: usize = 3_000_000;

/// Intact recordings with several chunks.
fn recordings() -> Vec<(String, Recording<'static>)> {
    let whole = |recording: &Recording<'_>| {
        recording.chunk_count() > 1
            && recording.bytes().len() <= LARGEST
            && recording.losses().is_empty()
            && recording.chunks().all(|chunk| chunk.is_ok_and(|chunk| chunk.losses().is_empty()))
            && Image::parse(recording.bytes()).chunks.len() == recording.chunk_count()
    };
    common::recordings().into_iter().filter(|(_, recording)| whole(recording)).collect()
}

/// The bytes of each chunk.
fn chunks<'r>(recording: &'r Recording<'_>) -> Vec<&'r [u8]> {
    let starts: Vec<usize> = recording.headers().map(|(at, _)| usize::try_from(at).unwrap()).collect();
    let ends = starts.iter().skip(1).copied().chain([recording.bytes().len()]);
    starts.iter().zip(ends).map(|(&from, to)| &recording.bytes()[from..to]).collect()
}

/// A few events as trees, with their constants.
fn events(chunk: &Chunk<'_>, random: &mut Random) -> Vec<String> {
    let reader = ValueReader::new(chunk).stack_depth(8);
    let every = 40 + random.below(60);
    let events = chunk.events().step_by(every);
    events.map(|e| format!("{:?}", reader.event(&e).map(|tree| serde_json::to_string(&tree).unwrap()))).collect()
}

/// The undamaged chunks must be found without losses, and contain the same events and constants.
fn same(name: &str, before: &Recording<'_>, damaged: usize, after: &[u8], seed: u64) {
    let after = Recording::from_bytes(after, &Limits::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut found = after.chunks().filter_map(Result::ok).peekable();
    for (i, bytes) in chunks(before).into_iter().enumerate().filter(|(i, _)| *i != damaged) {
        let old = before.chunk(i).unwrap();
        while found.next_if(|new| new.bytes() != bytes).is_some() {}
        let Some(new) = found.next() else { panic!("{name}: chunk {i} is gone") };
        assert_eq!((new.header(), new.losses()), (old.header(), old.losses()), "{name}: chunk {i}");
        let (mut one, mut other) = (Random::new(seed), Random::new(seed));
        assert_eq!(events(&old, &mut one), events(&new, &mut other), "{name}: chunk {i}");
    }
}

#[test]
fn damage_does_not_change_the_events_of_other_chunks() {
    let mut mutants = 0;
    for (name, recording) in recordings() {
        for seed in 0..EACH as u64 {
            let mut random = Random::new(seed);
            let mut image = Image::parse(recording.bytes());
            let damaged = random.below(image.chunks.len());
            let bytes = if seed % 2 == 0 {
                // Damages its content; its sizes stay correct.
                let header = image.chunks[damaged].header;
                mutate_chunk(&mut image.chunks[damaged], &mut random);
                image.chunks[damaged].header = header;
                image.write()
            } else {
                // Damages some of its bytes, including its framing, or its end.
                let mut parts: Vec<Vec<u8>> = chunks(&recording).iter().map(|bytes| bytes.to_vec()).collect();
                noise(&mut parts[damaged], &mut random);
                parts.concat()
            };
            same(&format!("mutant {seed} of {name}"), &recording, damaged, &bytes, seed);
            mutants += 1;
        }
    }
    println!("{mutants} mutants");
    assert!(mutants >= EACH, "no recording of several chunks");
}

/// Damages the header, some events, or everything after some position.
fn noise(chunk: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        let at = match random.below(3) {
            0 => random.below(chunk.len().min(68)),
            _ => random.below(chunk.len()),
        };
        let end = (at + 1 + random.below(9)).min(chunk.len());
        match random.below(4) {
            0 => chunk[at] ^= 1 << random.below(8),
            1 => chunk[at..end].fill(0xff),
            2 => chunk[at..end].iter_mut().for_each(|byte| *byte = random.bits().to_le_bytes()[0]),
            _ => chunk.truncate(at.max(1)),
        }
    }
}

/// Sums by the text of stack and labels.
type Rows = BTreeMap<String, Vec<i64>>;

/// The profiles that do not depend on other events.
fn rows(bytes: &[u8]) -> BTreeMap<ProfileType, Rows> {
    let recording = Recording::from_bytes(bytes, &Limits::default()).unwrap();
    let mut options = Options::default();
    options.types = vec![ProfileType::Cpu, ProfileType::FileIo, ProfileType::SocketIo, ProfileType::Error];
    options.cpu_source = Some(CpuSource::ExecutionSample);
    let Ok(set) = collect(&recording, &options) else { return BTreeMap::new() };
    let tables = &set.tables;
    let mut out = BTreeMap::new();
    for profile in &set.profiles {
        let rows: &mut Rows = out.entry(profile.kind).or_default();
        for sample in profile.samples.iter() {
            let frames = tables.stack(sample.stack).iter().map(|&f| {
                let frame = tables.frame(f);
                format!("{}:{}", tables.str(tables.function(frame.function).name), frame.line)
            });
            let sums = rows.entry(frames.collect::<Vec<_>>().join(";")).or_insert_with(|| vec![0; sample.values.len()]);
            sums.iter_mut().zip(sample.values).for_each(|(sum, value)| *sum += value);
        }
    }
    out
}

/// Recordings whose chunks are independent of each other. Profilers write their settings only into the first
/// chunk, and these determine the meaning of all samples.
fn independent() -> impl Iterator<Item = (String, Recording<'static>)> {
    let settings = |chunk: &Chunk<'_>| {
        let setting = chunk.metadata().by_name("jdk.ActiveSetting").map(|of| of.id());
        chunk.events().any(|event| Some(event.type_id) == setting)
    };
    recordings().into_iter().filter(move |(_, r)| r.chunks().flatten().all(|chunk| settings(&chunk)))
}

#[test]
fn a_chunk_that_cannot_be_read_leaves_the_profile_of_the_others() {
    for (name, recording) in independent() {
        for (damaged, seed) in (0..recording.chunk_count().min(4)).zip(0..) {
            let mut parts: Vec<Vec<u8>> = chunks(&recording).iter().map(|bytes| bytes.to_vec()).collect();
            let mut random = Random::new(seed);
            let without: Vec<u8> =
                parts.iter().enumerate().filter(|(i, _)| *i != damaged).flat_map(|(_, p)| p.clone()).collect();
            // Everything after the header is noise: neither its types nor its events can be recognized.
            parts[damaged][68..].iter_mut().for_each(|byte| *byte = random.bits().to_le_bytes()[0] | 0x80);
            assert_eq!(rows(&parts.concat()), rows(&without), "{name} with chunk {damaged} damaged");
        }
    }
}

#[test]
fn damage_does_not_change_the_profile_of_other_chunks() {
    for (name, recording) in independent().filter(|(_, r)| r.bytes().len() < LARGEST / 3) {
        for seed in 0..12 {
            let mut random = Random::new(seed);
            let mut image = Image::parse(recording.bytes());
            let damaged = random.below(image.chunks.len());
            let header = image.chunks[damaged].header;
            mutate_chunk(&mut image.chunks[damaged], &mut random);
            image.chunks[damaged].header = header;
            let after = rows(&image.write());
            image.chunks.remove(damaged);
            for (kind, rows) in rows(&image.write()) {
                for (stack, sums) in rows {
                    // The first value counts events; the damaged chunk may add some, even though it is
                    // damaged.
                    let now = after.get(&kind).and_then(|rows| rows.get(&stack)).map_or(0, |sums| sums[0]);
                    assert!(now >= sums[0], "{now} of {} {kind:?} at {stack} in mutant {seed} of {name}", sums[0]);
                }
            }
        }
    }
}
