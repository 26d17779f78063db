//! What to analyze, and how.

use std::collections::BTreeMap;

use jfr_parse::Stop;

use super::definition::{Category, RuleInfo};
use crate::time_range::TimeRange;

/// What to analyze, and how.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct AnalysisOptions {
    /// The ids of the rules to run; empty for all.
    pub rules: Vec<String>,
    /// The ids of rules not to run.
    pub skip: Vec<String>,
    /// The categories to run; empty for all.
    pub categories: Vec<Category>,
    /// Overridden settings, as text with a unit, by rule id and key.
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
    /// Only events that end at or after the beginning of this time range, and begin before its end. Events that describe
    /// the JVM and the recording (settings, flags, properties, configuration) count regardless of their time.
    pub range: TimeRange,
    /// Stops the work early.
    pub stop: Stop,
}

impl AnalysisOptions {
    /// Whether a rule is selected.
    #[must_use]
    pub fn choose(&self, rule: &RuleInfo) -> bool {
        let is = |id: &String| *id == rule.id;
        (self.rules.is_empty() || self.rules.iter().any(is))
            && (self.categories.is_empty() || self.categories.contains(&rule.category))
            && !self.skip.iter().any(is)
    }
}
