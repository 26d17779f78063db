//! Errors that prevent an analysis.

/// Why an analysis cannot produce a report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnalysisError {
    /// The recording cannot be read.
    #[error(transparent)]
    Read(#[from] jfr_parse::Error),
    /// No rule has this name.
    #[error("there is no rule {0:?}")]
    UnknownRule(String),
    /// Two rules have the same id.
    #[error("there are two rules with the id {0:?}")]
    DuplicateRule(String),
    /// The rule does not have this setting.
    #[error("the rule {rule} has no setting {key:?}; it has: {}", if known.is_empty() { "none" } else { known })]
    UnknownSetting {
        /// The id of the rule.
        rule: String,
        /// The unknown key.
        key: String,
        /// The keys that the rule has.
        known: String,
    },
    /// A method pattern covers nothing or everything, or is too large.
    #[error("the pattern {pattern:?} cannot be used: {reason}")]
    BadPattern {
        /// The pattern, or the id of the rule that contains it.
        pattern: String,
        /// The reason.
        reason: &'static str,
    },
    /// The value of a setting is invalid for its unit.
    #[error("the setting {key} of the rule {rule} cannot be {value:?}: give {expected}")]
    BadSetting {
        /// The id of the rule.
        rule: String,
        /// The key of the setting.
        key: String,
        /// The invalid value.
        value: String,
        /// An example of a valid value.
        expected: &'static str,
    },
    /// The rules together need more fields of one event type than are read.
    #[error("the rules need {fields} fields of {event}, of which at most {most} are read: choose fewer rules")]
    TooManyFields {
        /// The name of the event type.
        event: String,
        /// How many of its fields are needed.
        fields: usize,
        /// How many can be read.
        most: usize,
    },
    /// A group that a rule needs has more keys or measures than a group can have.
    #[error(
        "a group of {events} has {keys} keys and {measures} measures: use at most {most_keys} keys and {most_measures} \
         measures"
    )]
    TooManyKeys {
        /// The names of the event types.
        events: String,
        /// How many keys it has.
        keys: usize,
        /// How many keys a group can have.
        most_keys: usize,
        /// How many measures it has.
        measures: usize,
        /// How many measures a group can have.
        most_measures: usize,
    },
}
