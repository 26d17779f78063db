//! What a finding costs, in ways that several rules share.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::Cost;

use crate::support::{LOAD_FIELDS, jvm_cpu_nanos};

/// What [`waited`] reads.
pub(super) fn needs(needs: Needs) -> Needs {
    needs.table("jdk.CPULoad", LOAD_FIELDS)
}

/// Time for which threads that had something to do stood still, nanoseconds added up over threads: its share of the elapsed time of
/// threads that are not idle. Such a thread runs, which is the CPU time of the JVM, or it waits for what the finding is about. A
/// recording that is longer than both has one thread at least.
pub(super) fn waited(facts: &Facts, nanos: f64) -> Option<Cost> {
    let active = jvm_cpu_nanos(facts).unwrap_or(0.0) + nanos;
    (nanos > 0.0).then(|| Cost::elapsed(ratio(nanos, active.max(facts.nanos() as f64))))
}

/// Time for which all threads stood still: its share of the time. None of it is recorded where it is 0.
pub(super) fn paused(facts: &Facts, nanos: f64) -> Option<Cost> {
    (nanos > 0.0 && facts.nanos() > 0).then(|| Cost::elapsed(ratio(nanos, facts.nanos() as f64)))
}
