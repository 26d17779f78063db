//! Settings of rules, such as thresholds, with units.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jfrkit_profile::units::{parse_duration, parse_size};
use regex::Regex;

use super::definition::Text;
use super::error::AnalysisError;

/// A setting declared by a rule.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Setting {
    /// The key.
    pub key: Text,
    /// A one-line description.
    pub label: Text,
    /// The unit of the value.
    pub unit: Unit,
    /// The default value.
    pub default: DefaultValue,
}

/// The default value of a setting.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum DefaultValue {
    /// A number in the unit of the setting; for a duration, in seconds.
    Number(f64),
    /// A regular expression; an empty one matches nothing.
    Text(Text),
}

/// The unit of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A plain number.
    Count,
    /// A percentage: `5 %` or `5`.
    Percent,
    /// A duration: `250 ms`, `1.5 s`, `2 min`; a plain number is in seconds.
    Duration,
    /// A size: `32 MiB`, `4096`; a plain number is in bytes.
    Bytes,
    /// A rate per second: `100/s` or `100`.
    PerSecond,
    /// A rate per minute: `100/min` or `100`.
    PerMinute,
    /// A regular expression.
    Regex,
}

impl Setting {
    const fn number(key: &'static str, label: &'static str, unit: Unit, default: f64) -> Self {
        Self { key: Cow::Borrowed(key), label: Cow::Borrowed(label), unit, default: DefaultValue::Number(default) }
    }

    /// A plain number.
    #[must_use]
    pub const fn count(key: &'static str, default: f64, label: &'static str) -> Self {
        Self::number(key, label, Unit::Count, default)
    }

    /// A percentage.
    #[must_use]
    pub const fn percent(key: &'static str, default: f64, label: &'static str) -> Self {
        Self::number(key, label, Unit::Percent, default)
    }

    /// A duration, with the default in seconds.
    #[must_use]
    pub const fn seconds(key: &'static str, default: f64, label: &'static str) -> Self {
        Self::number(key, label, Unit::Duration, default)
    }

    /// A size, with the default in bytes.
    #[must_use]
    pub const fn bytes(key: &'static str, default: f64, label: &'static str) -> Self {
        Self::number(key, label, Unit::Bytes, default)
    }

    /// A rate per second.
    #[must_use]
    pub const fn per_second(key: &'static str, default: f64, label: &'static str) -> Self {
        Self::number(key, label, Unit::PerSecond, default)
    }

    /// A rate per minute.
    #[must_use]
    pub const fn per_minute(key: &'static str, default: f64, label: &'static str) -> Self {
        Self::number(key, label, Unit::PerMinute, default)
    }

    /// A regular expression.
    #[must_use]
    pub const fn regex(key: &'static str, default: &'static str, label: &'static str) -> Self {
        Self {
            key: Cow::Borrowed(key),
            label: Cow::Borrowed(label),
            unit: Unit::Regex,
            default: DefaultValue::Text(Cow::Borrowed(default)),
        }
    }
}

impl Unit {
    /// Parses a text such as `250 ms` in this unit. Durations are returned in seconds, sizes in bytes.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<f64> {
        let text = text.trim();
        let (sign, size) = text.strip_prefix('-').map_or((1.0, text), |size| (-1.0, size));
        let digits = size.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(size.len());
        let (number, unit) = size.split_at_checked(digits)?;
        let number = || number.replace('_', "").parse().ok().filter(|n: &f64| n.is_finite());
        let number = match (self, unit.trim()) {
            (Self::Regex, _) => return None,
            // 0 is 0 in any unit; any other number without a unit would be ambiguous.
            (_, "") if self != Self::Count => number().filter(|number| *number == 0.0)?,
            (Self::Count, "") | (Self::Percent, "%") | (Self::PerSecond, "/s") | (Self::PerMinute, "/min") => number()?,
            (Self::Duration, _) => parse_duration(size).ok()? as f64 / 1e9,
            (Self::Bytes, _) => parse_size(size).ok()? as f64,
            _ => return None,
        };
        Some(sign * number)
    }

    /// An example of how values are written, for messages.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Count => "a number such as 10",
            Self::Percent => "a percentage with its unit, such as 5 %",
            Self::Duration => "a time with its unit (ns, us, ms, s, min, h, d), such as 250 ms",
            Self::Bytes => "an amount of memory with its unit (B, KiB, MiB, GiB), such as 32 MiB",
            Self::PerSecond => "a rate with its unit, such as 100/s",
            Self::PerMinute => "a rate with its unit, such as 100/min",
            Self::Regex => "a regular expression",
        }
    }
}

/// The values in effect for one rule.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    numbers: BTreeMap<Text, f64>,
    texts: BTreeMap<Text, Option<Regex>>,
}

impl Settings {
    /// The default values of a rule's settings.
    ///
    /// # Errors
    /// [`AnalysisError::BadSetting`] if a default is not a valid regular expression.
    pub fn defaults(rule: &str, declared: &[Setting]) -> Result<Self, AnalysisError> {
        Self::with(rule, declared, &BTreeMap::new())
    }

    /// The settings of a rule, with some values overridden.
    ///
    /// # Errors
    /// [`AnalysisError::UnknownSetting`], [`AnalysisError::BadSetting`].
    pub fn with(rule: &str, declared: &[Setting], values: &BTreeMap<String, String>) -> Result<Self, AnalysisError> {
        if let Some(key) = values.keys().find(|key| !declared.iter().any(|s| s.key == **key)) {
            return Err(AnalysisError::UnknownSetting {
                rule: rule.to_owned(),
                key: key.clone(),
                known: declared.iter().map(|s| &*s.key).collect::<Vec<_>>().join(", "),
            });
        }
        let mut settings = Self::default();
        for setting in declared {
            let given = values.get(&*setting.key).map(String::as_str);
            let bad = |value: &str| AnalysisError::BadSetting {
                rule: rule.to_owned(),
                key: setting.key.clone().into_owned(),
                value: value.to_owned(),
                expected: setting.unit.example(),
            };
            let key = setting.key.clone();
            match (&setting.default, given) {
                (DefaultValue::Number(default), None) => {
                    settings.numbers.insert(key, *default);
                }
                (DefaultValue::Number(_), Some(text)) => {
                    settings.numbers.insert(key, setting.unit.parse(text).ok_or_else(|| bad(text))?);
                }
                (DefaultValue::Text(default), given) => {
                    let text = given.unwrap_or(default);
                    let regex = Some(text).filter(|t| !t.is_empty()).map(Regex::new).transpose();
                    settings.texts.insert(key, regex.map_err(|_| bad(text))?);
                }
            }
        }
        Ok(settings)
    }

    /// The number in the unit of its setting: percent, seconds, bytes, per second, per minute. 0 for a key that
    /// the rule does not declare, which is a bug in the rule.
    #[must_use]
    pub fn number(&self, key: &str) -> f64 {
        let found = self.numbers.get(key).copied();
        debug_assert!(found.is_some(), "the rule does not declare the setting {key}");
        found.unwrap_or(0.0)
    }

    /// A duration in nanoseconds.
    #[must_use]
    pub fn nanos(&self, key: &str) -> i64 {
        crate::math::to_i64(self.number(key) * 1e9)
    }

    /// Whether this setting is an empty regular expression.
    #[must_use]
    pub fn is_empty(&self, key: &str) -> bool {
        debug_assert!(self.texts.contains_key(key), "the rule does not declare the setting {key}");
        self.texts.get(key).is_none_or(Option::is_none)
    }

    /// Whether the regular expression matches anywhere in `text`; an empty one never matches.
    #[must_use]
    pub fn matches(&self, key: &str, text: &str) -> bool {
        debug_assert!(self.texts.contains_key(key), "the rule does not declare the setting {key}");
        self.texts.get(key).and_then(Option::as_ref).is_some_and(|regex| regex.is_match(text))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DECLARED: [Setting; 2] =
        [Setting::seconds("window", 60.0, "length of the window"), Setting::regex("exclude", "", "left out")];

    fn with(key: &str, value: &str) -> Result<Settings, AnalysisError> {
        Settings::with("R", &DECLARED, &BTreeMap::from([(key.to_owned(), value.to_owned())]))
    }

    #[test]
    fn values_are_read_in_their_units() {
        assert_eq!(with("window", "250 ms").unwrap().nanos("window"), 250_000_000);
        assert_eq!(with("window", "2min").unwrap().number("window"), 120.0);
        assert_eq!(Unit::Bytes.parse("32 MiB"), Some(33_554_432.0));
        assert_eq!(Unit::Percent.parse("5 %"), Some(5.0));
        assert_eq!(Unit::Percent.parse("5 ms"), None);
        assert_eq!(Unit::Duration.parse("soon"), None);
        assert_eq!((Unit::Duration.parse("500"), Unit::Duration.parse("0")), (None, Some(0.0)));
        assert_eq!((Unit::Bytes.parse("32"), Unit::Count.parse("32")), (None, Some(32.0)));
    }

    #[test]
    fn an_unknown_key_and_a_wrong_unit_are_errors() {
        assert!(matches!(with("windows", "1 s"), Err(AnalysisError::UnknownSetting { .. })));
        assert!(matches!(with("window", "1 MiB"), Err(AnalysisError::BadSetting { .. })));
        assert!(matches!(with("exclude", "("), Err(AnalysisError::BadSetting { .. })));
    }

    #[test]
    fn the_empty_expression_matches_nothing() {
        assert!(!Settings::defaults("R", &DECLARED).unwrap().matches("exclude", "anything"));
        assert!(with("exclude", "any").unwrap().matches("exclude", "anything"));
    }
}
