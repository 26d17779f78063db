//! Filters: each drops what does not match, and is listed in the comments.

use jfr_analyzers::{Filter, LabelKey, Options, TimeRange};
use jfr_parse::{EpochNanos, Nanos};
use jfrkit_profile::ProfileType::Cpu;
use jfrkit_profile::ProfileType::Error;
use jfrkit_profile::ProfileType::Sleep;
use regex::Regex;

use crate::read::{by_labels, comments, profiles_with, rows, samples, totals};
use crate::writer::{Chunk, MILLI, N};

fn filtered(filter: impl FnOnce(&mut Filter)) -> Options {
    let mut options = Options::default();
    filter(&mut options.filter);
    options
}

fn regex(text: &str) -> Option<Regex> {
    Some(Regex::new(text).unwrap())
}

/// Sleeps at 0, 100, 200 … ms. The sleep at 100 ms takes 100 ns longer than the one at 0, and so on.
fn sleeps() -> Chunk {
    let mut chunk = Chunk::new(&["jdk.ThreadSleep"]);
    for i in 0..5 {
        chunk.event("jdk.ThreadSleep", &[("startTime", N(100 * i)), ("duration", N(1 + 100 * i))]);
    }
    chunk
}

#[test]
fn a_time_range_includes_its_start_but_not_its_end() {
    let chunk = sleeps();
    let start = EpochNanos(chunk.chunk.start_nanos);
    let later = |nanos| Some(start.saturating_add(Nanos(nanos)));
    let range = |from, to| filtered(|f| f.range = TimeRange { from, to });
    for (options, expected) in [
        (range(later(100 * MILLI), later(300 * MILLI)), [2, 302]),
        (range(later(100 * MILLI + 1), None), [3, 903]),
        (range(None, later(1)), [1, 1]),
    ] {
        let set = profiles_with(&[&chunk], &options);
        assert_eq!(totals(&set, Sleep), expected, "{:?}", options.filter);
        assert!(comments(&set, Sleep).contains("filtered by time"));
        let profile = set.get(Sleep).unwrap();
        assert_eq!(profile.time_nanos, options.filter.range.from.unwrap_or(start).0);
        let end = options.filter.range.to.map_or(start.0 + 1_000 * MILLI, |to| to.0);
        assert_eq!(profile.time_nanos + profile.duration_nanos, end);
    }
    assert!(profiles_with(&[&chunk], &range(later(500 * MILLI), None)).get(Sleep).is_none());
}

#[test]
fn the_thread_filter_works_without_labels() {
    let mut chunk = Chunk::new(&["jdk.ThreadSleep", "jdk.ExecutionSample"]);
    for (nanos, name) in [(1, "http-1"), (10, "http-2"), (100, "main")] {
        let thread = chunk.thread(name);
        chunk.event("jdk.ThreadSleep", &[("eventThread", thread), ("duration", N(nanos))]);
        chunk.event("jdk.ExecutionSample", &[("sampledThread", thread)]);
    }
    let mut options = filtered(|f| f.threads = regex("^http"));
    let set = profiles_with(&[&chunk], &options);
    assert_eq!(samples(&set, Sleep), rows(&[("[no stack trace]", [2, 11])]));
    assert_eq!(totals(&set, Cpu)[0], 2);
    options.labels = vec![LabelKey::Thread];
    let set = profiles_with(&[&chunk], &options);
    assert_eq!(by_labels(&set, Sleep), rows(&[("thread=http-1", [1, 1]), ("thread=http-2", [1, 10])]));
}

#[test]
fn the_state_filter_keeps_only_events_with_a_state() {
    let mut chunk = Chunk::new(&["jdk.ThreadSleep", "jdk.ExecutionSample"]);
    for state in ["STATE_RUNNABLE", "STATE_IN_OBJECT_WAIT", "STATE_RUNNABLE"] {
        let state = chunk.state(state);
        chunk.event("jdk.ExecutionSample", &[("state", state)]);
    }
    chunk.event("jdk.ThreadSleep", &[]);
    let set = profiles_with(&[&chunk], &filtered(|f| f.states = regex("RUNNABLE")));
    assert_eq!((totals(&set, Cpu)[0], totals(&set, Sleep)[0]), (2, 1));
}

#[test]
fn frame_filters_match_anywhere_in_the_stack() {
    let mut chunk = Chunk::new(&["jdk.ThreadSleep"]);
    for (nanos, frames) in [
        (1, ["a/B.nap:1", "a/Web.serve:2"]),
        (10, ["a/B.nap:1", "a/Batch.run:3"]),
        (100, ["a/Web.poll:4", "a/Batch.run:3"]),
    ] {
        let stack = chunk.stack(&frames);
        chunk.event("jdk.ThreadSleep", &[("stackTrace", stack), ("duration", N(nanos))]);
    }
    let total = |options: &Options| totals(&profiles_with(&[&chunk], options), Sleep);
    assert_eq!(total(&filtered(|f| f.include = regex(r"^a\.Web\."))), [2, 101]);
    assert_eq!(total(&filtered(|f| f.exclude = regex(r"^a\.Web\."))), [1, 10]);
    let both = filtered(|f| (f.include, f.exclude) = (regex("Batch"), regex("poll")));
    assert_eq!(total(&both), [1, 10]);
    assert!(comments(&profiles_with(&[&chunk], &both), Sleep).contains("filtered by frames to include: Batch"));
}

#[test]
fn a_throw_is_counted_once_with_a_time_filter() {
    let throws = ["jdk.JavaErrorThrow", "jdk.JavaExceptionThrow"];
    let mut chunk = Chunk::new(&throws);
    let class = chunk.class("a/Broken");
    for (event, at) in [(throws[1], 100), (throws[0], 101), (throws[1], 102)] {
        chunk.event(event, &[("thrownClass", class), ("startTime", N(at))]);
    }
    let start = chunk.chunk.start_nanos;
    let count = |cut: i64| {
        let cut = EpochNanos(start + cut * MILLI);
        let (before, behind) = (filtered(|f| f.range.to = Some(cut)), filtered(|f| f.range.from = Some(cut)));
        [before, behind].map(|options| totals(&profiles_with(&[&chunk], &options), Error).into_iter().sum::<i64>())
    };
    // The range that contains the error event has the throw, the other one does not.
    assert_eq!([count(100), count(101), count(102), count(103)], [[0, 1], [0, 1], [1, 0], [1, 0]]);
}
