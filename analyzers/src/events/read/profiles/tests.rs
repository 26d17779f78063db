//! Events and the profiles in which they count.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};

use super::*;
use crate::events::facts::{Key, Sample};
use crate::events::needs::{MAX_KEYS, MAX_MEASURES};
use crate::events::read::read;
use crate::events::{AMOUNT, FIRST, Needs};
use crate::profiles::sources::{SourceId, source_of};
use crate::rule::AnalysisOptions;

const BY: GroupBy = GroupBy::of(&[]).by(&[PROFILE]);

/// The events of a chunk, as type and state.
type Events<'e> = &'e [(&'e str, &'e str)];

fn join(spans: &[(i64, i64)], chunks: &[(Writer, bool, Events<'_>)]) -> BTreeMap<String, u64> {
    let interner = Interner::new();
    let mut profiles = Profiles::new(&[BY], spans, &interner);
    let mut to = vec![GroupsData::new(BY)];
    for (index, (writer, has_default, events)) in chunks.iter().enumerate() {
        let mut from = GroupsData::new(BY);
        for (event, state) in *events {
            let state = interner.symbols().string(state);
            let mut key: Key = ([Cell::Null; MAX_KEYS], 0);
            key.0[0] = code(source_of(event).unwrap(), Some(state));
            from.add(&key, &Sample { start: 0, end: 0, measures: [0.0; MAX_MEASURES], since: 0 });
        }
        let count = |name: &str| events.iter().filter(|(event, _)| *event == name).count() as u64;
        let counts = SourceId::all().map(|id| count(id.source().event)).collect();
        let view = ChunkView { index, writer: writer.clone(), has_default_state: *has_default, counts };
        let mut from = vec![from];
        profiles.assign_profiles(&view, &mut from, &interner, Cell::Stack);
        to[0].append(from.remove(0), |key| key);
        profiles.finish_chunk(index, &mut to);
    }
    assert!(profiles.waiting.is_empty());
    let name = |key: &Key| interner.symbols().str(key.0[0].text().unwrap()).to_owned();
    to[0].entries().map(|(key, sums)| (name(&key), sums.count)).collect()
}

fn expected(profiles: &[(&str, u64)]) -> BTreeMap<String, u64> {
    profiles.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn jvm() -> Writer {
    Writer { by_jvm: true, has_settings: true, ..Writer::default() }
}

fn profiler(event: &str) -> Writer {
    Writer { is_async_profiler: true, has_settings: true, event: Some(event.to_owned()), by_jvm: false }
}

const RUNS: (&str, &str) = ("jdk.ExecutionSample", "STATE_RUNNABLE");
const DEFAULT: (&str, &str) = ("jdk.ExecutionSample", "STATE_DEFAULT");
const DATADOG: (&str, &str) = ("datadog.ExecutionSample", "RUNNABLE");

#[test]
fn one_source_counts_among_chunks_of_the_same_time() {
    let chunks = [(jvm(), false, &[RUNS, RUNS][..]), (Writer::default(), false, &[DATADOG][..])];
    assert_eq!(join(&[(0, 10), (5, 8)], &chunks), expected(&[("cpu", 1)]));
    assert_eq!(join(&[(0, 10), (10, 20)], &chunks), expected(&[("cpu", 3)]));
}

#[test]
fn the_writer_decides_what_an_execution_sample_is() {
    let asleep = ("jdk.ExecutionSample", "STATE_SLEEPING");
    assert_eq!(join(&[(0, 1)], &[(jvm(), false, &[RUNS, asleep])]), expected(&[("cpu", 1)]));
    assert_eq!(join(&[(0, 1)], &[(profiler("wall"), false, &[RUNS, asleep])]), expected(&[("wall", 2)]));
    assert_eq!(join(&[(0, 1)], &[(profiler("cache-misses"), false, &[RUNS])]), expected(&[("event", 1)]));
    let both = expected(&[("cpu", 1), ("wall", 1)]);
    assert_eq!(join(&[(0, 1)], &[(profiler("cpu"), true, &[RUNS, DEFAULT])]), both);
}

#[test]
fn later_chunks_of_a_profiler_take_over_its_settings() {
    let silent = Writer::default();
    let chunks =
        [(profiler("wall"), false, &[RUNS][..]), (jvm(), false, &[RUNS][..]), (silent, false, &[RUNS, RUNS, RUNS][..])];
    assert_eq!(join(&[(0, 1), (1, 2), (2, 3)], &chunks), expected(&[("cpu", 1), ("wall", 4)]));
}

#[test]
fn sampled_allocations_count_in_chunks_without_exact_ones() {
    let (exact, sampled) = (("jdk.ObjectAllocationInNewTLAB", ""), ("jdk.ObjectAllocationSample", ""));
    assert_eq!(join(&[(0, 1)], &[(jvm(), false, &[exact, sampled])]), expected(&[("alloc", 1)]));
    assert_eq!(join(&[(0, 1)], &[(jvm(), false, &[sampled])]), expected(&[("alloc", 1)]));
    let parks = [("jdk.ThreadPark", "java.util.concurrent.locks.ReentrantLock$FairSync"), ("jdk.ThreadPark", "x.Y")];
    assert_eq!(join(&[(0, 1)], &[(jvm(), false, &parks)]), expected(&[("lock", 1), ("park", 1)]));
    assert_eq!(join(&[(0, 1)], &[(jvm(), false, &[("jdk.JavaExceptionThrow", "")])]), expected(&[]));
}

/// Groups on which both ways of counting have to agree.
const ALL: GroupBy = GroupBy::of(&[
    "datadog.ExecutionSample",
    "jdk.CPUTimeSample",
    "jdk.ExecutionSample",
    "jdk.NativeMethodSample",
    "jdk.ObjectAllocationInNewTLAB",
    "jdk.ObjectAllocationOutsideTLAB",
    "jdk.ObjectAllocationSample",
    "datadog.ObjectSample",
    "profiler.WallClockSample",
    "datadog.MethodSample",
    "jdk.JavaMonitorEnter",
    "jdk.ThreadPark",
])
.by(&[PROFILE])
.measure(&[AMOUNT]);

/// The number of events that count in the profiles of a recording, and their sum, by [`PROFILE`].
fn by_key(recording: &jfr_parse::Recording<'_>) -> BTreeMap<String, (f64, f64)> {
    let needs = Needs::new().groups(ALL);
    let facts = read(recording, &Wanted::new([&needs]), &AnalysisOptions::default()).unwrap();
    let groups = facts.groups(&ALL);
    groups.iter().map(|g| (g.text(PROFILE).unwrap().to_owned(), (g.count() as f64, g.sum(FIRST)))).collect()
}

/// The same numbers according to [`collect`](crate::collect()).
fn by_collect(recording: &jfr_parse::Recording<'_>) -> BTreeMap<String, (f64, f64)> {
    use ProfileType as P;
    let types = vec![P::Cpu, P::Event, P::Wall, P::Native, P::Alloc, P::Lock, P::Park];
    let options = crate::Options { types, ..crate::Options::default() };
    let set = crate::collect(recording, &options).unwrap();
    let sums = set.profiles.iter().map(|profile| {
        let sum = |i: usize| profile.samples.iter().map(|s| s.values[i] as f64).sum::<f64>();
        let last = profile.kind.values().len() - 1;
        // For sampled profiles, count the samples, not the time that each represents.
        let sampled = matches!(profile.kind, P::Cpu | P::Event | P::Wall | P::Native);
        (profile.kind.name().to_owned(), (sum(0), sum(if sampled { 0 } else { last })))
    });
    sums.collect()
}

fn recordings(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is = |path: &PathBuf| path.to_string_lossy().ends_with(".jfr") || path.to_string_lossy().ends_with(".jfr.gz");
    paths.filter(is).collect()
}

/// Without the corpus, only the fixtures are checked.
#[test]
fn events_count_under_the_same_types_as_in_profiles() {
    let mut paths = recordings(&jfr_parse::testing::fixture(""));
    assert!(paths.len() >= 6, "{paths:?}");
    for folder in ["generated", "public/grafana+jfr-parser", "public/DataDog+dd-trace-java"] {
        paths.extend(jfr_parse::testing::corpus(folder).iter().flat_map(|folder| recordings(folder)));
    }
    for path in paths {
        let recording = jfr_parse::Recording::open(&path).unwrap();
        let (found, expected) = (by_key(&recording), by_collect(&recording));
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{}", path.display());
        for (kind, (count, sum)) in expected {
            let (n, amount) = found[&kind];
            // Weighted samples count by their weight there, and a duration may be a nanosecond shorter.
            assert!(n == count || amount == count, "{} of {}: {n} and {amount}, {count}", kind, path.display());
            assert!((amount - sum).abs() <= count, "{} of {}: {amount}, {sum}", kind, path.display());
        }
    }
}
