//! Overhead of libraries and coding habits: one engine measures what share of a profile passes through certain
//! methods; a table lists [patterns](Pattern) for it; hot spots get a shape over time.
//!
//! A rule that reads an event of its own belongs in the folder of its subject. To add a pattern, start with `table.rs`;
//! to understand the engine, read `pattern.rs`, `share.rs` and `rule.rs`.
//!
//! A custom pattern becomes a rule like any other:
//!
//! ```
//! use jfrkit_rules::overhead::{Pattern, PatternRule, Resource, Thresholds};
//! use jfr_analyzers::rule::{AnalysisError, AnalysisOptions};
//!
//! let pattern = Pattern::new("PricingOverhead", "Pricing engine", ["com.example.pricing", "com.example.Tax.of*"])?
//!     .limit(Resource::Cpu, Thresholds::new(10.0, 25.0))
//!     .limit(Resource::Allocation, Thresholds::info(20.0))
//!     .remedy("Keep prices for a minute.");
//! let analysis = jfrkit_rules::analysis().with_rule(PatternRule::new(pattern)?)?;
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
//! let recording = jfr_parse::Recording::open(path)?;
//! let report = analysis.evaluate(&recording, &AnalysisOptions::default())?;
//! let outcome = report.outcome("PricingOverhead").expect("it is a rule like any other");
//! assert_eq!(outcome.verdict.summary, "Pricing engine takes 0 % of CPU time");
//! # Ok::<(), AnalysisError>(())
//! ```
//!
//! All rules of the table share one pass: events are summed by stack, each method name is matched against all patterns
//! at once, and each stack is walked once for all of them. A large table therefore costs nothing per event.

mod hot_spots;
mod pattern;
mod rule;
mod shape;
mod share;
mod table;
mod tlab_waste;

use std::sync::LazyLock;

use super::boxed;
pub(crate) use hot_spots::HotSpots;
pub(super) use hot_spots::{carry, needs};
use jfr_analyzers::rule::{AnalysisError, Rule};
pub use pattern::{Pattern, Resource, Thresholds};
pub use rule::PatternRule;
pub(super) use share::{SAMPLES, THREAD, samples_of};
pub(crate) use tlab_waste::TlabWaste;

#[expect(clippy::expect_used, reason = "the patterns are constants, each of which the tests use")]
static TABLE: LazyLock<Vec<PatternRule>> = LazyLock::new(|| built().collect::<Result<_, _>>().expect("valid patterns"));

fn built() -> impl Iterator<Item = Result<PatternRule, AnalysisError>> {
    table::patterns().map(|pattern| PatternRule::new(pattern?))
}

/// The ids of the rules that look for a pattern of code.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|rule| rule.pattern().id.as_str())
}

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    let mut rules = boxed![HotSpots, TlabWaste];
    rules.extend(TABLE.iter().map(|rule| Box::new(rule.clone()) as Box<dyn Rule>));
    rules
}

#[cfg(test)]
mod tests;
