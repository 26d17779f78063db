//! What to analyse, and how.

use std::collections::BTreeMap;

use jfr_parse::Stop;

use super::definition::{Category, RuleInfo};

/// What to analyse, and how.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct AnalysisOptions {
    /// The ids of the rules to run; empty for all.
    pub rules: Vec<String>,
    /// The ids of rules not to run.
    pub skip: Vec<String>,
    /// The categories to run; empty for all.
    pub categories: Vec<Category>,
    /// Other values for settings, as text with a unit, by rule and key.
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
    /// Only events that end at this instant or later, nanoseconds since the Unix epoch. What tells about the JVM and
    /// the recording (settings, flags, properties, configuration) counts whenever it was written.
    pub from_nanos: Option<i64>,
    /// Only events that begin before this instant.
    pub to_nanos: Option<i64>,
    /// Whether the report gets a [`Timeline`](super::Timeline). What it needs is read in the same pass.
    pub timeline: bool,
    /// Ends the work early.
    pub stop: Stop,
}

impl AnalysisOptions {
    /// Whether a rule is to run.
    #[must_use]
    pub fn choose(&self, rule: &RuleInfo) -> bool {
        let is = |id: &String| id == rule.id;
        (self.rules.is_empty() || self.rules.iter().any(is))
            && (self.categories.is_empty() || self.categories.contains(&rule.category))
            && !self.skip.iter().any(is)
    }
}
