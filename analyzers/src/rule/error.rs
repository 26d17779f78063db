//! What can keep an analysis from running.

/// Why no report can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnalysisError {
    /// The recording cannot be read.
    #[error(transparent)]
    Read(#[from] jfr_parse::Error),
    /// A rule was named that does not exist.
    #[error("there is no rule {0:?}")]
    UnknownRule(String),
    /// Two rules have the same id.
    #[error("there are two rules with the id {0:?}")]
    DuplicateRule(String),
    /// A setting was given that the rule does not have.
    #[error("the rule {rule} has no setting {key:?}; it has: {}", if known.is_empty() { "none" } else { known })]
    UnknownSetting {
        /// The rule.
        rule: String,
        /// The key that was given.
        key: String,
        /// The keys that there are.
        known: String,
    },
    /// A pattern on methods covers nothing or everything, or there are no limits for it.
    #[error("the pattern {pattern:?} cannot be used: {reason}")]
    BadPattern {
        /// The pattern, or the id of the rule that it would be.
        pattern: String,
        /// Why.
        reason: &'static str,
    },
    /// The value of a setting does not fit its unit.
    #[error("the setting {key} of the rule {rule} cannot be {value:?}: give {expected}")]
    BadSetting {
        /// The rule.
        rule: String,
        /// The key.
        key: String,
        /// The value that was given.
        value: String,
        /// How a value looks.
        expected: &'static str,
    },
}
