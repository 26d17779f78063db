//! Arithmetic for judging facts: scores, sliding windows, trends, clusters, percentiles.
//!
//! These functions know numbers and intervals, not events: a rule takes the numbers from
//! [`Facts`](crate::events::Facts). What an event means, and thresholds, belong in the rule; formatting numbers
//! belongs in [`jfrkit_profile::units`]. Some formulas are those of JDK Mission Control; where our results
//! differ, the docs say so. Start with `map.rs`, which turns a measured value into a score, then `window.rs`.

mod cluster;
mod group;
mod histogram;
mod map;
mod spread;
mod trend;
mod window;

pub use cluster::{Cluster, Span, longest_span, mass_cluster};
pub use group::{balance, over_smallest};
pub use histogram::Histogram;
pub use map::{map_exp, map_exp74, map_exp100, map_exp100_at, map_sigmoid, map2};
pub use spread::Spread;
pub use trend::{slope, slope_mib_per_second};
pub use window::{Timed, Window, join_overlaps, sliding, worst_sliding_window, worst_window};

/// Rounds to the nearest integer. Out-of-range values saturate, and NaN becomes 0.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
pub fn to_i64(value: f64) -> i64 {
    value.round() as i64
}

/// The ratio of a part to a whole; 0 if the whole is 0.
#[must_use]
pub fn ratio(part: f64, whole: f64) -> f64 {
    let ratio = part / whole;
    if ratio.is_finite() { ratio } else { 0.0 }
}
