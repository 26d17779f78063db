//! Rules 1 and 6: no event is dropped, and frames have the right names.

use jfr_analyzers::{Options, collect, collect_merged};
use jfrkit_profile::ProfileType::Cpu;
use jfrkit_profile::ProfileType::Sleep;

use crate::read::{comments, profiles, profiles_with, rows, samples, totals};
use crate::writer::{Chunk, Key, N, recording};

#[test]
fn an_event_without_a_stack_counts_under_a_special_frame() {
    let mut chunk = Chunk::new(&["jdk.ThreadSleep"]);
    let there = chunk.stack(&["a/B.nap:3", "a/B.main:9"]);
    let none = chunk.stack(&[]);
    chunk.event("jdk.ThreadSleep", &[("stackTrace", there), ("duration", N(5))]);
    // No key, a dangling key, a trace without frames.
    for stack in [Key(0), Key(4711), none] {
        chunk.event("jdk.ThreadSleep", &[("stackTrace", stack), ("duration", N(10))]);
    }
    let set = profiles(&[&chunk]);
    assert_eq!(samples(&set, Sleep), rows(&[("a.B.nap:3;a.B.main:9", [1, 5]), ("[no stack trace]", [3, 30])]));
    assert!(comments(&set, Sleep).contains("3 of 4 samples have no stack trace"));
}

#[test]
fn a_truncated_stack_gets_a_root() {
    let mut chunk = Chunk::new(&["jdk.ThreadSleep"]);
    let whole = chunk.stack(&["a/B.nap:3"]);
    let cut = chunk.stack(&["a/B.nap:3", "…"]);
    for stack in [whole, cut, cut] {
        chunk.event("jdk.ThreadSleep", &[("stackTrace", stack), ("duration", N(1))]);
    }
    let set = profiles(&[&chunk]);
    assert_eq!(samples(&set, Sleep), rows(&[("a.B.nap:3", [1, 1]), ("a.B.nap:3;[truncated]", [2, 2])]));
    assert!(comments(&set, Sleep).contains("2 of 3 samples have truncated stacks"));
}

#[test]
fn names_are_the_same_in_every_run_unless_raw_names_are_requested() {
    let mut chunk = Chunk::new(&["jdk.ExecutionSample"]);
    for frame in [
        "a/B$$Lambda$40/0x0000000800c8d000.run(Ljava/lang/Object;)V:7",
        "a/B$$Lambda$41/0x0000000800c8d228.run(Ljava/lang/Object;)V:7",
        "a/B$Inner.step([Ljava/lang/String;J)I:8",
        ".interpreter",
    ] {
        let stack = chunk.stack(&[frame]);
        chunk.event("jdk.ExecutionSample", &[("stackTrace", stack)]);
    }
    let set = profiles(&[&chunk]);
    let expected = [("a.B$$Lambda.run:7", [2, 40_000_000]), ("a.B$Inner.step:8", [1, 20_000_000])];
    assert_eq!(samples(&set, Cpu)[..2], rows(&expected)[..]);
    let inner = set.tables.stack(set.get(Cpu).unwrap().samples.get(1).unwrap().stack)[0];
    let function = set.tables.function(set.tables.frame(inner).function);
    assert_eq!(set.tables.str(function.name), "a.B$Inner.step");
    assert_eq!(set.tables.str(function.system_name), "([Ljava/lang/String;J)I");
    assert_eq!(set.tables.str(function.file), "B.java");

    let mut options = Options::default();
    options.full_system_names = true;
    let set = profiles_with(&[&chunk], &options);
    let inner = set.tables.stack(set.get(Cpu).unwrap().samples.get(1).unwrap().stack)[0];
    let function = set.tables.function(set.tables.frame(inner).function);
    assert_eq!(set.tables.str(function.system_name), "a.B$Inner.step([Ljava/lang/String;J)I");

    let mut options = Options::default();
    options.raw_names = true;
    let raw: Vec<String> = samples(&profiles_with(&[&chunk], &options), Cpu).into_iter().map(|s| s.0).collect();
    let lambda = |n: &str, address: &str| format!("a.B$$Lambda${n}.0x{address}.run:7");
    let expected = [
        lambda("40", "0000000800c8d000"),
        lambda("41", "0000000800c8d228"),
        "a.B$Inner.step:8".to_owned(),
        "interpreter".to_owned(),
    ];
    assert_eq!(raw, expected);
}

#[test]
fn native_frames_keep_their_symbol_and_their_library() {
    let mut chunk = Chunk::of_async_profiler(&["jdk.ExecutionSample"]);
    let stack = chunk.stack(&["libc.so.6.__memcpy_avx()L;:0", "a/B.main:1"]);
    chunk.event("jdk.ExecutionSample", &[("stackTrace", stack)]);
    let set = profiles(&[&chunk]);
    let frame = set.tables.stack(set.get(Cpu).unwrap().samples.get(0).unwrap().stack)[0];
    let function = set.tables.function(set.tables.frame(frame).function);
    assert_eq!(set.tables.str(function.name), "__memcpy_avx");
    assert_eq!(set.tables.str(function.library), "libc.so.6");
}

#[test]
fn equal_stacks_of_several_chunks_and_recordings_are_one() {
    let mut first = Chunk::new(&["jdk.ThreadSleep"]);
    let mut second = Chunk::new(&["jdk.ThreadSleep"]).later(1_000_000_000);
    // Other keys for the same constants.
    second.keys = |n| n + 1_000;
    for (chunk, duration) in [(&mut first, 1), (&mut second, 10)] {
        let stack = chunk.stack(&["a/B.nap:3", "a/B.main:9"]);
        chunk.event("jdk.ThreadSleep", &[("stackTrace", stack), ("duration", N(duration))]);
    }
    let set = profiles(&[&first, &second]);
    assert_eq!(samples(&set, Sleep), rows(&[("a.B.nap:3;a.B.main:9", [2, 11])]));

    let (one, two) = (recording(&[&first]), recording(&[&second, &first]));
    let set = collect_merged(&[&one, &two], &Options::default()).unwrap();
    // The chunk that both have counts once.
    assert_eq!(samples(&set, Sleep), rows(&[("a.B.nap:3;a.B.main:9", [2, 11])]));
    let [loss] = set.losses.as_slice() else { panic!("{:?}", set.losses) };
    assert!(loss.contains("1 chunk is identical to an earlier one and counts once"), "{loss}");
    let profile = set.get(Sleep).unwrap();
    assert_eq!((profile.time_nanos, profile.duration_nanos), (first.chunk.start_nanos, 2_000_000_000));
}

#[test]
fn only_requested_types_are_collected() {
    let mut chunk = Chunk::new(&["jdk.ThreadSleep", "jdk.ExecutionSample"]);
    chunk.event("jdk.ThreadSleep", &[("duration", N(1))]).event("jdk.ExecutionSample", &[]);
    let set = collect(&recording(&[&chunk]), &crate::read::only(&[Sleep])).unwrap();
    assert_eq!(set.profiles.iter().map(|p| p.kind).collect::<Vec<_>>(), [Sleep]);
    assert_eq!(set.absent, []);
    assert_eq!(totals(&profiles(&[&chunk]), Cpu), [1, 20_000_000]);
}

/// Stacks with their values, as read by this many threads, and the warnings.
fn read_by(threads: usize, chunks: &[&Chunk]) -> (Vec<(String, Vec<i64>)>, Vec<String>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let set = pool.install(|| profiles(chunks));
    (samples(&set, Cpu), set.warnings)
}

/// Eight chunks of 100 methods whose class has a name of this length.
fn methods_of_classes_with_names_of(length: usize) -> Vec<Chunk> {
    let chunk = |number: i64| {
        let mut chunk = Chunk::new(&["jdk.ExecutionSample"]).later(number * 1_000_000_000);
        let class = format!("a/C{number}{}", "B".repeat(length));
        for method in 0..100 {
            let stack = chunk.stack(&[&format!("{class}.run{method}:1"), "a/C.main:2"]);
            chunk.event("jdk.ExecutionSample", &[("stackTrace", stack)]);
        }
        chunk
    };
    (0..8).map(chunk).collect()
}

#[test]
fn if_names_are_too_long_in_total_all_are_truncated_by_any_number_of_threads() {
    // 3 × 10 KB for each of 800 methods are more than 16 MiB, and half of that is less.
    for (length, longest, cut) in [(10_000, 128, Some("truncated 800 overlong names")), (5_000, 5_004, None)] {
        let chunks = methods_of_classes_with_names_of(length);
        let chunks: Vec<&Chunk> = chunks.iter().collect();
        let (one, warnings) = read_by(1, &chunks);
        for _ in 0..5 {
            assert!(read_by(4, &chunks) == (one.clone(), warnings.clone()), "names of {length} bytes");
        }
        let class = |stack: &str| stack.find(".run").unwrap_or(stack.len());
        assert_eq!(one.len(), 800);
        assert!(one.iter().all(|(stack, _)| class(stack) == longest), "{:?}", one.first());
        let warning = warnings.iter().find(|warning| warning.starts_with("truncated"));
        assert_eq!(warning.map(String::as_str), cut);
    }
}
