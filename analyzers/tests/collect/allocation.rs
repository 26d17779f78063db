//! Which events count if several record the same activity: allocations, throws, class loads, parking.

use jfr_analyzers::LabelKey;
use jfrkit_profile::ProfileType::Alloc;
use jfrkit_profile::ProfileType::ClassLoad;
use jfrkit_profile::ProfileType::Error;
use jfrkit_profile::ProfileType::Live;
use jfrkit_profile::ProfileType::Lock;
use jfrkit_profile::ProfileType::Park;

use crate::read::{by_labels, labeled, profiles, profiles_with, rows, totals};
use crate::writer::{Chunk, N};

const ALLOCATIONS: [&str; 3] =
    ["jdk.ObjectAllocationInNewTLAB", "jdk.ObjectAllocationOutsideTLAB", "jdk.ObjectAllocationSample"];

#[test]
fn sampled_allocations_count_in_chunks_without_the_others() {
    let mut both = Chunk::new(&ALLOCATIONS);
    both.event(ALLOCATIONS[0], &[("tlabSize", N(1_000))]);
    both.event(ALLOCATIONS[1], &[("allocationSize", N(20))]);
    both.event(ALLOCATIONS[2], &[("weight", N(1_015))]);
    assert_eq!(totals(&profiles(&[&both]), Alloc), [2, 1_020]);

    let mut sampled = Chunk::new(&ALLOCATIONS).later(1_000_000_000);
    sampled.event(ALLOCATIONS[2], &[("weight", N(300))]);
    assert_eq!(totals(&profiles(&[&sampled]), Alloc), [1, 300]);
    assert_eq!(totals(&profiles(&[&both, &sampled]), Alloc), [3, 1_320]);
}

#[test]
fn a_throw_is_counted_once() {
    let throws = ["jdk.JavaErrorThrow", "jdk.JavaExceptionThrow"];
    let mut chunk = Chunk::new(&throws);
    let (broken, odd) = (chunk.class("a/Broken"), chunk.class("a/Odd"));
    let memory = chunk.class("java/lang/OutOfMemoryError");
    // As in the JDK: twice more as an exception, once before.
    chunk.event(throws[1], &[("thrownClass", broken)]);
    chunk.event(throws[0], &[("thrownClass", broken)]);
    chunk.event(throws[1], &[("thrownClass", broken)]);
    for class in [odd, odd, memory] {
        chunk.event(throws[1], &[("thrownClass", class)]);
    }
    let set = profiles_with(&[&chunk], &labeled(&[LabelKey::Class]));
    let expected = [("class=a.Broken", [1]), ("class=a.Odd", [2]), ("class=java.lang.OutOfMemoryError", [1])];
    let mut found = by_labels(&set, Error);
    found.sort();
    assert_eq!(found, rows(&expected));

    // In a chunk without error events, the exceptions are all there is.
    let mut later = Chunk::new(&throws).later(1_000_000_000);
    let broken = later.class("a/Broken");
    later.event(throws[1], &[("thrownClass", broken)]);
    assert_eq!(totals(&profiles(&[&chunk, &later]), Error), [5]);
}

#[test]
fn class_definitions_count_in_chunks_without_class_loads() {
    let both = ["jdk.ClassLoad", "jdk.ClassDefine"];
    let mut loads = Chunk::new(&both);
    loads.event(both[0], &[("duration", N(700))]).event(both[1], &[]).event(both[1], &[]);
    let mut defines = Chunk::new(&both).later(1_000_000_000);
    defines.event(both[1], &[]);
    assert_eq!(totals(&profiles(&[&loads]), ClassLoad), [1, 700]);
    assert_eq!(totals(&profiles(&[&defines]), ClassLoad), [1, 0]);
    assert_eq!(totals(&profiles(&[&loads, &defines]), ClassLoad), [2, 700]);
}

#[test]
fn parks_on_a_lock_are_separate_from_other_parks() {
    let mut chunk = Chunk::new(&["jdk.ThreadPark", "jdk.JavaMonitorEnter"]);
    let locks = "java/util/concurrent/locks/";
    for (class, nanos) in [
        ("ReentrantLock$NonfairSync", 1),
        ("ReentrantReadWriteLock$FairSync", 10),
        ("StampedLock", 100),
        ("AbstractQueuedSynchronizer$ConditionObject", 1_000),
    ] {
        let class = chunk.class(&format!("{locks}{class}"));
        chunk.event("jdk.ThreadPark", &[("parkedClass", class), ("duration", N(nanos))]);
    }
    let other = chunk.class("a/java/util/concurrent/locks/ReentrantLock");
    chunk.event("jdk.ThreadPark", &[("parkedClass", other), ("duration", N(10_000))]);
    chunk.event("jdk.ThreadPark", &[("duration", N(100_000))]);
    let monitor = chunk.class("a/Guard");
    chunk.event("jdk.JavaMonitorEnter", &[("monitorClass", monitor), ("duration", N(1_000_000))]);
    let set = profiles(&[&chunk]);
    assert_eq!(totals(&set, Lock), [4, 1_000_111]);
    assert_eq!(totals(&set, Park), [3, 111_000]);
}

#[test]
fn live_objects_come_from_the_jvm_or_from_a_profiler() {
    let mut jvm = Chunk::new(&["jdk.OldObjectSample"]);
    let object = jvm.object("[J");
    jvm.event("jdk.OldObjectSample", &[("object", object), ("objectSize", N(816))]);
    let mut other = Chunk::of_async_profiler(&["profiler.LiveObject"]).later(1_000_000_000);
    let class = other.class("java/lang/String");
    other.event("profiler.LiveObject", &[("objectClass", class), ("allocationSize", N(24))]);
    let set = profiles_with(&[&jvm, &other], &labeled(&[LabelKey::Class]));
    assert_eq!(by_labels(&set, Live), rows(&[("class=long[]", [1, 816]), ("class=java.lang.String", [1, 24])]));
}

#[test]
fn times_are_converted_event_by_event() {
    // Three ticks per nanosecond: 1 tick is less than a nanosecond, no matter how many there are. The start of
    // an event matters too, because both of its ends are rounded.
    let mut chunk = Chunk::new(&["jdk.JavaMonitorEnter"]);
    chunk.chunk.ticks_per_second = 3_000_000_000;
    for _ in 0..300 {
        chunk.event("jdk.JavaMonitorEnter", &[("duration", N(1))]);
    }
    chunk.event("jdk.JavaMonitorEnter", &[("duration", N(7))]);
    assert_eq!(totals(&profiles(&[&chunk]), Lock), [301, 2]);
}

#[test]
fn names_of_oracles_jdk_become_current_names() {
    let mut chunk = Chunk::new(&ALLOCATIONS);
    chunk.oracle = true;
    chunk.setting(ALLOCATIONS[1], "enabled", "true");
    chunk.event(ALLOCATIONS[1], &[("allocationSize", N(20))]);
    assert_eq!(totals(&profiles(&[&chunk]), Alloc), [1, 20]);
}
