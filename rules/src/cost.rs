//! What a finding costs, computed in ways that several rules share.

use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::Cost;

use crate::cpu_load::{LOAD_FIELDS, jvm_cpu_nanos};

/// What [`waited`] and [`on_cpu`] read.
pub(super) fn needs(needs: Needs) -> Needs {
    needs.table("jdk.CPULoad", LOAD_FIELDS)
}

/// The cost of threads that had work to do but were blocked, from their nanoseconds summed over threads: the share of
/// the elapsed time of all threads that are not idle. Such a thread either runs, which is the CPU time of the JVM, or
/// waits for what the finding is about. A recording that is longer than both has at least one thread.
pub(super) fn waited(facts: &Facts, nanos: f64) -> Option<Cost> {
    let active = jvm_cpu_nanos(facts).unwrap_or(0.0) + nanos;
    (nanos > 0.0).then(|| Cost::elapsed(ratio(nanos, active.max(facts.nanos() as f64))))
}

/// The cost of pauses that stop all threads: their share of the recording. `None` if they take no time.
pub(super) fn paused(facts: &Facts, nanos: f64) -> Option<Cost> {
    (nanos > 0.0 && facts.nanos() > 0).then(|| Cost::elapsed(ratio(nanos, facts.nanos() as f64)))
}

/// The cost of work on the CPU: its share of the CPU time of the JVM. If the recording does not contain that, the share
/// of the time of all hardware threads, which is less.
pub(super) fn on_cpu(facts: &Facts, nanos: f64) -> Cost {
    let all = || facts.nanos() as f64 * facts.hardware_threads().map_or(1.0, |n| n as f64);
    Cost::cpu(ratio(nanos, jvm_cpu_nanos(facts).unwrap_or_else(all)))
}

/// CPU time to create, throw and catch an exception, in nanoseconds: 800 with a stack of 20 frames, 2,100 with 100
/// (measured with JDK 17 and 25 on Linux).
const THROW: f64 = 1_500.0;

/// What exceptions cost by their number, where there are no samples: an estimate of the CPU time to create them.
pub(super) fn thrown(facts: &Facts, exceptions: f64) -> Cost {
    on_cpu(facts, exceptions * THROW)
}

/// CPU time to start and end a platform thread, in nanoseconds (measured with JDK 17 and 25 on Linux).
const START: f64 = 70_000.0;

/// What it costs to start threads: an estimate of the CPU time.
pub(super) fn started(facts: &Facts, threads: f64) -> Cost {
    on_cpu(facts, threads * START)
}

/// The heap after a collection, and the memory of the process.
const HEAP: GroupBy =
    GroupBy::of(&["jdk.GCHeapSummary"]).by(&["when"]).measure(&["heapUsed", "heapSpace.committedSize"]);
const RESIDENT: GroupBy = GroupBy::of(&["jdk.ResidentSetSize"]).measure(&["size"]);

const METASPACE: GroupBy = GroupBy::of(&["jdk.MetaspaceSummary"]).measure(&["metaspace.used"]);

/// What [`stacks`] and [`heap`] read.
pub(super) fn memory_needs(needs: Needs) -> Needs {
    needs.groups(HEAP).groups(RESIDENT)
}

/// What [`classes`] reads.
pub(super) fn class_needs(needs: Needs) -> Needs {
    memory_needs(needs).groups(METASPACE)
}

/// The memory of the process: its resident size or, if that is not recorded, the committed heap and `more`.
fn process(facts: &Facts, more: f64) -> Option<f64> {
    let resident = facts.groups(&RESIDENT).total().map(|g| g.mean("size")).filter(|size| *size > 0.0);
    let committed = || {
        facts.groups(&HEAP).iter().map(|g| g.max("heapSpace.committedSize")).reduce(f64::max).filter(|size| *size > 0.0)
    };
    resident.or_else(|| Some(committed().or_else(|| facts.max_heap().map(|n| n as f64))? + more))
}

/// The memory of a share of all classes, assuming classes of mean size. `None` if the size of the metaspace is not recorded.
pub(super) fn classes(facts: &Facts, share: f64) -> Option<Cost> {
    let metaspace = facts.groups(&METASPACE).total().map(|g| g.max("metaspace.used")).filter(|size| *size > 0.0)?;
    Some(Cost::memory(ratio(share * metaspace, process(facts, metaspace)?)))
}

/// Resident memory that an idle thread takes, in bytes: the touched part of its stack and the JVM's own data (mean of
/// 1,000 threads: 35,000 with JDK 17, 51,000 with JDK 25, on Linux). Its reserved stack, usually 1 MiB, is not memory in
/// use.
const IDLE_THREAD: f64 = 43_000.0;

/// What idle threads cost in memory: an estimate of what they take of the process, which is its resident size, or, if
/// that is not recorded, the committed heap and the threads.
pub(super) fn stacks(facts: &Facts, threads: f64) -> Option<Cost> {
    let taken = threads * IDLE_THREAD;
    let all = process(facts, taken)?;
    (taken > 0.0).then(|| Cost::memory(ratio(taken, all)))
}

/// The share of the heap that objects take: of its mean use after collections, or of its size if there were none.
pub(super) fn heap(facts: &Facts, bytes: f64) -> Option<Cost> {
    let after = facts.groups(&HEAP).iter().find(|g| g.text("when") == Some("After GC")).map(|g| g.mean("heapUsed"));
    let all = after.filter(|used| *used > 0.0).or_else(|| facts.max_heap().map(|n| n as f64))?;
    (bytes > 0.0).then(|| Cost::memory(ratio(bytes, all)))
}

/// Bytes that an object with a finalizer takes at least: the object, and its `java.lang.ref.Finalizer` of 64 bytes.
const FINALIZABLE: f64 = 16.0 + 64.0;

/// The least that objects with finalizers take of the heap.
pub(super) fn finalizable(facts: &Facts, objects: f64) -> Option<Cost> {
    heap(facts, objects * FINALIZABLE)
}

/// CPU time to register and run a finalizer, in nanoseconds (measured with JDK 17 and 25 on Linux).
const FINALIZE: f64 = 900.0;

/// What finalizers that have run cost: an estimate of the CPU time.
pub(super) fn finalized(facts: &Facts, finalizers: f64) -> Cost {
    on_cpu(facts, finalizers * FINALIZE)
}
