//! Rules 2, 8 and 9: what a sample represents, and which samples are CPU.

use jfr_analyzers::{CpuSource, Options};
use jfrkit_profile::ProfileType::Cpu;
use jfrkit_profile::ProfileType::Event;
use jfrkit_profile::ProfileType::Native;
use jfrkit_profile::ProfileType::Wall;
use jfrkit_profile::{Period, ValueType};

use crate::read::{comments, only, profiles, profiles_with, reason, totals};
use crate::writer::{Chunk, F, MILLI, N, T};

const SAMPLES: [&str; 2] = ["jdk.ExecutionSample", "jdk.NativeMethodSample"];

/// A chunk with a CPU sample and a native one.
fn sampled(settings: &[(&str, &str, &str)]) -> Chunk {
    let mut chunk = Chunk::new(&SAMPLES);
    for (event, name, value) in settings {
        chunk.setting(event, name, value);
    }
    chunk.event(SAMPLES[0], &[]).event(SAMPLES[1], &[]);
    chunk
}

#[test]
fn the_period_is_the_setting_of_the_event_type() {
    let chunk = sampled(&[(SAMPLES[0], "period", "10 ms"), (SAMPLES[1], "period", "1 s")]);
    let set = profiles(&[&chunk]);
    assert_eq!(totals(&set, Cpu), [1, 10 * MILLI]);
    assert_eq!(totals(&set, Native), [1, 1_000 * MILLI]);
    let period = Period { value: ValueType { name: "cpu-time", unit: "nanoseconds" }, amount: 10 * MILLI };
    assert_eq!(set.get(Cpu).unwrap().period, Some(period));
    assert!(comments(&set, Cpu).contains("period of jdk.ExecutionSample: 10 ms"));
    assert_eq!(set.warnings, [""; 0]);
}

#[test]
fn without_a_period_the_interval_or_the_default_with_a_warning_is_used() {
    let chunk = sampled(&[(SAMPLES[0], "interval", "1000000"), (SAMPLES[1], "period", "everyChunk")]);
    let set = profiles(&[&chunk]);
    assert_eq!(totals(&set, Cpu), [1, MILLI]);
    assert_eq!(totals(&set, Native), [1, 20 * MILLI]);
    assert_eq!(set.warnings.len(), 1);
    assert!(set.warnings[0].contains("no sampling period for jdk.NativeMethodSample"), "{:?}", set.warnings);
    assert!(comments(&set, Native).contains("20 ms (not recorded"));
}

#[test]
fn a_period_applies_to_its_chunk() {
    let first = sampled(&[(SAMPLES[0], "period", "10 ms"), (SAMPLES[1], "period", "10 ms")]);
    let second = sampled(&[(SAMPLES[0], "period", "20 ms"), (SAMPLES[1], "period", "10 ms")]).later(1_000 * MILLI);
    let set = profiles(&[&first, &second]);
    assert_eq!(totals(&set, Cpu), [2, 30 * MILLI]);
    assert_eq!(set.get(Cpu).unwrap().period.unwrap().amount, 10 * MILLI);
}

const CPU: [&str; 3] = ["datadog.ExecutionSample", "jdk.CPUTimeSample", "jdk.ExecutionSample"];

/// One CPU-time sample that failed and one that did not, and an execution sample.
fn two_sources() -> Chunk {
    let mut chunk = Chunk::new(&CPU[1..]);
    chunk.setting(CPU[2], "period", "20 ms");
    let stack = chunk.stack(&["a/B.run:1"]);
    chunk.event(CPU[1], &[("samplingPeriod", N(7 * MILLI)), ("stackTrace", stack)]);
    chunk.event(CPU[1], &[("samplingPeriod", N(7 * MILLI)), ("failed", N(1))]);
    chunk.event(CPU[2], &[("stackTrace", stack)]);
    chunk
}

#[test]
fn sources_that_see_the_same_work_are_not_added_up() {
    let set = profiles(&[&two_sources()]);
    assert_eq!(totals(&set, Cpu), [2, 14 * MILLI]);
    let comments = comments(&set, Cpu);
    for line in [
        "source: jdk.CPUTimeSample, 2 events",
        "unused source: jdk.ExecutionSample, 1 event",
        "failed samples: 1 of 2",
        "1 of 2 samples have no stack trace",
    ] {
        assert!(comments.contains(line), "{line} in {comments}");
    }
}

#[test]
fn the_source_can_be_chosen() {
    let mut options = Options::default();
    options.cpu_source = CpuSource::from_name("ExecutionSample");
    let set = profiles_with(&[&two_sources()], &options);
    assert_eq!(totals(&set, Cpu), [1, 20 * MILLI]);
    assert!(comments(&set, Cpu).contains("unused source: jdk.CPUTimeSample"));

    options.cpu_source = CpuSource::from_name("datadog.ExecutionSample");
    let set = profiles_with(&[&two_sources()], &options);
    assert!(reason(&set, Cpu).contains("no events from the selected source datadog.ExecutionSample"));
}

/// A JVM's chunk that lasts a second, and Datadog's.
fn jvm_and_datadog(datadog_begins: i64) -> [Chunk; 2] {
    let mut jvm = Chunk::new(&["jdk.ExecutionSample"]);
    jvm.setting("jdk.ExecutionSample", "period", "10 ms");
    jvm.event("jdk.ExecutionSample", &[]);
    let mut datadog = Chunk::new(&["datadog.ExecutionSample", "datadog.DatadogProfilerConfig"]).later(datadog_begins);
    datadog.jvm = false;
    datadog.event("datadog.DatadogProfilerConfig", &[("cpuInterval", N(9)), ("wallInterval", N(50))]);
    datadog.event("datadog.ExecutionSample", &[("weight", N(3))]);
    [jvm, datadog]
}

#[test]
fn chunks_that_overlap_use_one_source_and_others_their_own() {
    // A weight is a number of intervals.
    let [jvm, datadog] = jvm_and_datadog(500 * MILLI);
    assert_eq!(totals(&profiles(&[&jvm, &datadog]), Cpu), [3, 27 * MILLI]);
    let [jvm, datadog] = jvm_and_datadog(1_000 * MILLI);
    assert_eq!(totals(&profiles(&[&jvm, &datadog]), Cpu), [4, 37 * MILLI]);
}

#[test]
fn every_state_except_sleep_is_cpu_for_a_jvm() {
    let mut chunk = Chunk::new(&["jdk.ExecutionSample"]);
    for state in ["STATE_RUNNABLE", "STATE_DEFAULT", "STATE_IN_OBJECT_WAIT", "STATE_SLEEPING"] {
        let state = chunk.state(state);
        chunk.event("jdk.ExecutionSample", &[("state", state)]);
    }
    let set = profiles(&[&chunk]);
    assert_eq!((totals(&set, Cpu)[0], totals(&set, Wall)), (3, vec![]));
}

/// Three execution samples of async-profiler, one asleep.
fn async_profiler(states: [&str; 3], event: Option<&str>) -> Chunk {
    let mut chunk = Chunk::of_async_profiler(&["jdk.ExecutionSample"]);
    chunk.setting("jdk.ExecutionSample", "interval", "10000000");
    if let Some(event) = event {
        chunk.setting("jdk.ExecutionSample", "event", event);
    }
    for state in states {
        let state = chunk.state(state);
        chunk.event("jdk.ExecutionSample", &[("state", state)]);
    }
    chunk
}

const OLD: [&str; 3] = ["STATE_RUNNABLE", "STATE_RUNNABLE", "STATE_SLEEPING"];

#[test]
fn a_default_state_is_cpu_and_the_others_wall() {
    let mut chunk = async_profiler(["STATE_DEFAULT", "STATE_RUNNABLE", "STATE_SLEEPING"], Some("cpu"));
    chunk.setting("jdk.ExecutionSample", "wall", "50000000");
    let set = profiles(&[&chunk]);
    assert_eq!(totals(&set, Cpu), [1, 10 * MILLI]);
    assert_eq!(totals(&set, Wall), [2, 100 * MILLI]);
}

#[test]
fn in_older_recordings_the_event_decides() {
    for event in ["cpu", "itimer", "ctimer"] {
        let set = profiles(&[&async_profiler(OLD, Some(event))]);
        assert_eq!((totals(&set, Cpu), totals(&set, Wall)), (vec![2, 20 * MILLI], vec![]), "{event}");
    }
    let set = profiles(&[&async_profiler(OLD, Some("wall"))]);
    assert_eq!((totals(&set, Cpu), totals(&set, Wall)), (vec![], vec![3, 30 * MILLI]));
    for event in ["cache-misses", "java.util.Properties.getProperty"] {
        let set = profiles(&[&async_profiler(OLD, Some(event))]);
        assert_eq!((totals(&set, Cpu), totals(&set, Event)), (vec![], vec![3]), "{event}");
    }
}

#[test]
fn later_chunks_of_a_profiler_take_over_the_settings_of_the_first() {
    let first = async_profiler(OLD, Some("wall"));
    // A JVM's chunk in between, with settings of another writer, changes nothing.
    let jvm = sampled(&[(SAMPLES[0], "period", "5 ms"), (SAMPLES[1], "period", "5 ms")]).later(1_000 * MILLI);
    let mut second = Chunk::new(&["jdk.ExecutionSample"]).later(2_000 * MILLI);
    second.jvm = false;
    second.event("jdk.ExecutionSample", &[]);
    let set = profiles(&[&first, &jvm, &second]);
    assert_eq!(totals(&set, Wall), [4, 40 * MILLI]);
    assert_eq!(totals(&set, Cpu), [1, 5 * MILLI]);
    // On its own, it has none.
    let set = profiles(&[&second]);
    assert_eq!((totals(&set, Cpu), set.warnings.len()), (vec![1, 20 * MILLI], 1));
}

#[test]
fn weights_are_numbers_of_samples() {
    let mut chunk = Chunk::of_async_profiler(&["profiler.WallClockSample"]);
    chunk.setting("profiler.WallClockSample", "interval", "50000000");
    chunk.event("profiler.WallClockSample", &[("samples", N(1))]);
    chunk.event("profiler.WallClockSample", &[("samples", N(41))]);
    assert_eq!(totals(&profiles(&[&chunk]), Wall), [42, 2_100 * MILLI]);

    let mut chunk = Chunk::new(&["datadog.MethodSample", "datadog.DatadogProfilerConfig", "datadog.ObjectSample"]);
    chunk.jvm = false;
    chunk.event("datadog.DatadogProfilerConfig", &[("cpuInterval", N(9)), ("wallInterval", N(50))]);
    chunk.event("datadog.MethodSample", &[("weight", N(3))]);
    let class = chunk.class("a/B");
    chunk.event("datadog.ObjectSample", &[("objectClass", class), ("share", F(2.5)), ("size", N(24))]);
    let set = profiles_with(&[&chunk], &only(&[Wall, jfrkit_profile::ProfileType::Alloc]));
    assert_eq!(totals(&set, Wall), [3, 150 * MILLI]);
    assert_eq!(totals(&set, jfrkit_profile::ProfileType::Alloc)[1], 60);
}

#[test]
fn the_comments_name_the_profiler() {
    let mut chunk = async_profiler(OLD, Some("cpu"));
    chunk.event("jdk.ActiveRecording", &[("name", T("async-profiler 4.1"))]);
    assert!(comments(&profiles(&[&chunk]), Cpu).contains("recorded by: async-profiler 4.1"));
}

#[test]
fn a_profile_states_the_period_of_the_events_it_is_made_of() {
    // As with `--all`: the same seconds recorded as CPU samples and as wall-clock samples.
    let mut chunk = Chunk::of_async_profiler(&["jdk.ExecutionSample", "profiler.WallClockSample"]);
    chunk.setting("jdk.ExecutionSample", "interval", "10000000");
    chunk.setting("jdk.ExecutionSample", "wall", "50000000");
    let state = chunk.state("STATE_DEFAULT");
    chunk.event("jdk.ExecutionSample", &[("state", state)]);
    chunk.event("profiler.WallClockSample", &[("samples", N(2))]);
    let set = profiles(&[&chunk]);
    assert_eq!((totals(&set, Cpu), totals(&set, Wall)), (vec![1, 10 * MILLI], vec![2, 100 * MILLI]));
    let amount = |kind| set.get(kind).unwrap().period.unwrap().amount;
    assert_eq!((amount(Cpu), amount(Wall)), (10 * MILLI, 50 * MILLI));
    let comments = comments(&set, Wall);
    assert!(comments.contains("source: profiler.WallClockSample, 1 event"), "{comments}");
    assert!(!comments.contains("\nsource: jdk.ExecutionSample"), "{comments}");

    // Wall-clock samples that are execution samples have their own period.
    let mut chunk = async_profiler(["STATE_DEFAULT", "STATE_RUNNABLE", "STATE_SLEEPING"], Some("cpu"));
    chunk.setting("jdk.ExecutionSample", "wall", "50000000");
    let set = profiles(&[&chunk]);
    let amount = |kind| set.get(kind).unwrap().period.unwrap().amount;
    assert_eq!((amount(Cpu), amount(Wall)), (10 * MILLI, 50 * MILLI));
}

#[test]
fn a_filter_does_not_change_the_source() {
    // Samples of another thread are no reason to count this thread's samples by other events.
    let mut chunk = Chunk::new(&CPU[1..]);
    chunk.setting(CPU[2], "period", "20 ms");
    let (main, other) = (chunk.thread("main"), chunk.thread("other"));
    chunk.event(CPU[1], &[("samplingPeriod", N(7 * MILLI)), ("eventThread", other)]);
    chunk.event(CPU[2], &[("sampledThread", main)]);
    let mut options = Options::default();
    options.filter.threads = Some(regex::Regex::new("main").unwrap());
    let set = profiles_with(&[&chunk], &options);
    assert!(set.get(Cpu).is_none());
    assert!(reason(&set, Cpu).contains("filters exclude all events"), "{}", reason(&set, Cpu));
}
