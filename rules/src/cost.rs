//! What a finding costs, computed in ways that several rules share.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::Cost;

use crate::support::{LOAD_FIELDS, jvm_cpu_nanos};

/// What [`waited`] reads.
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
