//! Overhead of libraries and habits: one engine that measures how much of a profile passes certain methods, a table of
//! [patterns](Pattern) for it, and the shape of hot spots.
//!
//! A pattern of one's own becomes a rule like any other:
//!
//! ```
//! use jfr_analyzers::analysis::rules::overhead::{Limits, Pattern, PatternRule};
//! use jfr_analyzers::analysis::Analysis;
//!
//! let pattern = Pattern::new("PricingOverhead", "Pricing engine", ["com.example.pricing.*"])
//!     .cpu(Limits::new(10.0, 25.0))
//!     .allocation(Limits::info(20.0));
//! let analysis = Analysis::builtin().with_rule(PatternRule::new(pattern)?)?;
//! assert!(analysis.infos().any(|rule| rule.id == "PricingOverhead"));
//! # Ok::<(), jfr_analyzers::analysis::AnalysisError>(())
//! ```

mod hot_spots;
mod pattern;
pub(super) mod profile;
mod rule;
mod shape;
mod table;

pub use hot_spots::HotSpots;
pub use pattern::{Limits, Pattern, Scope};
pub use rule::PatternRule;
use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![HotSpots]
}
