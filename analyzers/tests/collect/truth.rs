//! Compares the fixtures with what their programs did; `fixtures/README.md` explains each fact.

use std::collections::BTreeMap;
use std::path::Path;

use jfr_analyzers::{LabelKey, Options, collect};
use jfrkit_profile::ProfileType;
use jfrkit_profile::ProfileType::Alloc;
use jfrkit_profile::ProfileType::ClassLoad;
use jfrkit_profile::ProfileType::Cpu;
use jfrkit_profile::ProfileType::Error;
use jfrkit_profile::ProfileType::Lock;
use jfrkit_profile::ProfileType::Sleep;
use jfrkit_profile::{ProfileSet, Sample};
use serde_json::Value;

use crate::read::{labels, stack};

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures")).join(name)
}

/// The type of profile that shows events of a type.
fn kind_of(event: &str) -> Option<ProfileType> {
    use ProfileType as P;
    Some(match event {
        "jdk.FileRead" | "jdk.FileWrite" | "jdk.FileForce" => P::FileIo,
        "jdk.SocketRead" | "jdk.SocketWrite" => P::SocketIo,
        "jdk.JavaExceptionThrow" | "jdk.JavaErrorThrow" => P::Error,
        "jdk.JavaMonitorEnter" => P::Lock,
        "jdk.ThreadSleep" => P::Sleep,
        "jdk.JavaMonitorWait" => P::Wait,
        "jdk.OldObjectSample" => P::Live,
        "alloc" => P::Alloc,
        "jdk.ExecutionSample" => P::Cpu,
        "jdk.ClassLoad" => P::ClassLoad,
        "jdk.NativeMethodSample" => P::Native,
        "jdk.VirtualThreadPinned" => P::Pinned,
        "jdk.MethodTrace" => P::MethodTrace,
        _ => return None,
    })
}

/// The sum of the values of all samples whose stacks contain a method.
fn through(set: &ProfileSet, kind: ProfileType, method: &str) -> Vec<i64> {
    let mut sums = vec![0; kind.values().len()];
    for sample in samples_through(set, kind, method) {
        for (sum, value) in sums.iter_mut().zip(sample.values) {
            *sum += value;
        }
    }
    sums
}

fn samples_through<'s>(set: &'s ProfileSet, kind: ProfileType, method: &str) -> Vec<Sample<'s>> {
    let Some(profile) = set.get(kind) else { return Vec::new() };
    let on = |sample: &Sample<'_>| {
        let stack = stack(set, sample);
        // If the method is the first to use a class, reading its file counts too.
        let loads = kind == ProfileType::FileIo && stack.contains("java.lang.ClassLoader.loadClass");
        !loads && stack.split(';').any(|frame| frame.split(':').next() == Some(method))
    };
    profile.samples.iter().filter(on).collect()
}

/// Number of facts compared with the recording.
fn check(file: &str) -> usize {
    let recording = jfr_parse::Recording::open(fixture(file)).unwrap();
    let mut options = Options::default();
    options.labels = vec![LabelKey::Thread, LabelKey::Class, LabelKey::Path];
    let set = collect(&recording, &options).unwrap();
    assert!(set.losses.is_empty(), "{file}: {:?}", set.losses);
    let truth = file.replace(".jfr.gz", ".jfr").replace(".jfr", ".truth.json");
    let truth: Value = serde_json::from_slice(&std::fs::read(fixture(&truth)).unwrap()).unwrap();
    let mut checked = 0;
    for fact in truth["facts"].as_array().unwrap() {
        let text = |name: &str| fact[name].as_str().unwrap_or_default();
        let (event, method) = (text("event"), text("method"));
        let kind = match event {
            // The lock is a ReentrantLock in one fact and none in the other.
            "jdk.ThreadPark" if text("id") == "park" => ProfileType::Park,
            "jdk.ThreadPark" => ProfileType::Lock,
            _ => match kind_of(event) {
                Some(kind) => kind,
                None => continue,
            },
        };
        let sums = through(&set, kind, method);
        let what = format!("{file}: {} gives {sums:?}, the truth is {fact}", text("id"));
        if let Some(count) = fact["count"].as_i64() {
            // One fact for each of the threads, whose stacks are the same.
            let count = if text("id") == "thread-name" { 4 } else { count };
            let slack = if kind == ClassLoad { 10 } else { 0 };
            assert!((count..=count + slack).contains(&sums[0]), "{what}");
        } else {
            assert!(sums[0] > 0, "{what}");
        }
        if let Some(bytes) = fact["bytes"].as_i64() {
            if kind == Alloc {
                assert!((sums[1] - bytes).abs() <= bytes / 50, "{what}");
            } else {
                assert_eq!(sums[1], bytes, "{what}");
            }
        }
        if let Some(each) = fact["nanosEach"].as_i64() {
            // Not earlier than requested, but possibly later.
            let nanos = *sums.last().unwrap();
            assert!(nanos >= each * sums[0] * 9 / 10 && nanos < 1_000_000_000 * sums[0].max(1), "{what}");
        }
        if let Some(nanos) = fact["nanos"].as_i64().filter(|_| kind == Lock) {
            let found = *sums.last().unwrap();
            assert!(found > nanos / 2 && found < nanos * 2, "{what}");
        }
        check_labels(&set, kind, fact);
        checked += 1;
    }
    let (three, one) = (through(&set, Cpu, "fx.Workload.burnThree")[0], through(&set, Cpu, "fx.Workload.burnOne")[0]);
    // One sample more or less makes a big difference if there are only a few.
    assert!((three - 3 * one).abs() * 10 <= 3 * one + 30, "{file}: CPU {three}:{one}");
    checked
}

/// Threads, classes and paths that the program knows.
fn check_labels(set: &ProfileSet, kind: ProfileType, fact: &Value) {
    let method = fact["method"].as_str().unwrap();
    for sample in samples_through(set, kind, method) {
        let labels = labels(set, &sample);
        let has = |label: String| assert!(labels.contains(&label), "{fact}: {labels}");
        if let Some(thread) = fact["thread"].as_str().filter(|t| !t.is_empty() && fact["id"] != "thread-name") {
            has(format!("thread={thread}"));
        }
        // Other classes are also allocated on the same stacks, but rarely.
        if let Some(class) = fact["class"].as_str().filter(|_| [Error, Lock].contains(&kind)) {
            has(format!("class={class}"));
        }
        if let Some(path) = fact["path"].as_str() {
            assert!(labels.contains("path=") && labels.ends_with(path), "{fact}: {labels}");
        }
    }
}

#[test]
fn jdk17() {
    assert!(check("jdk17-full.jfr") >= 30);
}

#[test]
fn jdk17_in_several_chunks() {
    assert!(check("jdk17-multichunk.jfr") >= 30);
}

#[test]
fn jdk21() {
    assert!(check("jdk21-full.jfr.gz") >= 33);
}

#[test]
fn jdk25() {
    assert!(check("jdk25-full.jfr.gz") >= 33);
}

#[test]
fn thread_names_are_preserved() {
    let recording = jfr_parse::Recording::open(fixture("jdk17-full.jfr")).unwrap();
    let mut options = Options::default();
    options.types = vec![Sleep];
    options.labels = vec![LabelKey::Thread];
    let set = collect(&recording, &options).unwrap();
    let mut seen = BTreeMap::new();
    for sample in samples_through(&set, Sleep, "fx.Workload.oddThread") {
        *seen.entry(labels(&set, &sample)).or_insert(0) += sample.values[0];
    }
    let names = ["tråd-ü", "线程 \u{1f600}", "quote\" back\\slash\nnewline"];
    let mut expected: BTreeMap<String, i64> = names.iter().map(|name| (format!("thread={name}"), 1)).collect();
    // A thread without a name is shown with the operating system's name for it, if there is one.
    let rest: Vec<_> = seen.iter().filter(|(label, _)| !expected.contains_key(*label)).collect();
    assert_eq!(rest.iter().map(|(_, n)| **n).sum::<i64>(), 1, "{seen:?}");
    expected.extend(rest.into_iter().map(|(label, n)| (label.clone(), *n)));
    assert_eq!(seen, expected);
}

#[test]
fn deep_stacks_end_with_the_truncation_mark() {
    let recording = jfr_parse::Recording::open(fixture("jdk17-full.jfr")).unwrap();
    let set = collect(&recording, &crate::read::only(&[Error])).unwrap();
    let deep = samples_through(&set, Error, "fx.Workload.descend");
    assert!(!deep.is_empty());
    for sample in deep {
        assert!(stack(&set, &sample).ends_with(";[truncated]"));
        assert_eq!(set.tables.stack(sample.stack).len(), 65);
    }
}

#[test]
fn the_jdks_own_settings() {
    for file in ["jdk8-profile.jfr.gz", "jdk11-profile.jfr.gz", "jdk17-profile.jfr.gz"] {
        let recording = jfr_parse::Recording::open(fixture(file)).unwrap();
        let set = collect(&recording, &Options::default()).unwrap();
        assert_eq!((set.losses.len(), set.warnings.len()), (0, 0), "{file}");
        let cpu = set.get(Cpu).unwrap();
        let (count, nanos) = (cpu.totals()[0], cpu.totals()[1]);
        assert!(count > 10 && nanos % count == 0, "{file}: {count} samples, {nanos} ns");
        assert!(set.get(Alloc).is_some(), "{file}");
        let reason = &set.absent.iter().find(|a| a.kind == ClassLoad).unwrap().reason;
        assert!(reason.starts_with("disabled in the recording's settings: jdk.ClassLoad"), "{file}: {reason}");
    }
}

/// CPU and wall-clock time of threads, compared with the program's own measurements, using async-profiler's
/// default intervals: within a tenth.
#[test]
fn cpu_and_wall_time_of_threads_are_those_of_the_program() {
    let Some(corpus) = jfr_parse::testing::corpus("generated") else { return };
    let mut checked = 0;
    for (name, wall) in [("ap21-all", true), ("ap17-all", true), ("ap25-wall", false)] {
        let recording = jfr_parse::Recording::open(corpus.join(format!("{name}.jfr"))).unwrap();
        let mut options = Options::default();
        options.labels = vec![LabelKey::Thread];
        let set = collect(&recording, &options).unwrap();
        let truth: Value =
            serde_json::from_slice(&std::fs::read(corpus.join(format!("{name}.truth.json"))).unwrap()).unwrap();
        let of_thread = |kind: ProfileType, thread: &str| {
            let profile = set.get(kind).unwrap();
            let samples = profile.samples.iter().filter(|sample| labels(&set, sample).contains(thread));
            samples.map(|sample| sample.values[1]).sum::<i64>() as f64
        };
        for thread in ["cpu-burner", "cpu-variants"] {
            let facts = truth["facts"].as_array().unwrap().iter().filter(|f| f["thread"] == thread);
            let expected: f64 = facts.filter_map(|f| f["cpuNanos"].as_f64()).sum();
            let found = of_thread(Cpu, thread);
            assert!((found / expected - 1.0).abs() < 0.1, "{name}: {thread} used {expected}, profile says {found}");
            checked += 1;
        }
        if wall {
            // The thread with the most samples is alive the whole time.
            let nanos = (truth["endMillis"].as_i64().unwrap() - truth["startMillis"].as_i64().unwrap()) as f64 * 1e6;
            let mut sums = BTreeMap::new();
            for sample in set.get(ProfileType::Wall).unwrap().samples.iter() {
                *sums.entry(labels(&set, &sample)).or_insert(0) += sample.values[1];
            }
            let longest = *sums.values().max().unwrap() as f64;
            assert!((longest / nanos - 1.0).abs() < 0.1, "{name}: {longest} of {nanos}");
            checked += 1;
        }
    }
    assert_eq!(checked, 8);
}
