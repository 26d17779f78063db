//! Lengths and instants of a recording.

use jfr_analyzers::events::Facts;

/// A second in nanoseconds.
pub(crate) const SECOND: i64 = 1_000_000_000;

/// The time that the JVM needs to load and compile what it uses; much that is unusual later is normal until then.
const WARM_UP: i64 = 60 * SECOND;

/// Length of the recording in minutes, for rates; at least 10 s, since a very short recording would turn single events
/// into high rates.
pub(crate) fn minutes(facts: &Facts) -> f64 {
    facts.seconds().max(10.0) / 60.0
}

/// When the JVM was warmed up: a minute after its start, or after the start of the recording if that is unknown.
pub(crate) fn warmed_up(facts: &Facts) -> i64 {
    facts.jvm().start.unwrap_or_else(|| facts.start()).saturating_add(WARM_UP)
}
