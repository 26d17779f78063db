//! Expectations on the stacks of a profile in the format of DataDog's `prof-correctness` (`expected_profile.json`), and a check
//! of profiles against them.
//!
//! A stack is written as its function names from the root on, separated by `;`. Each expectation is a regular expression with
//! the expected share of the profile (`percent`, within `error_margin` points) or the expected value (`value`, per second if
//! the profile has a duration, within `error_margin` percent), for samples with certain labels. `value-matching-sum` is the sum
//! over all expectations.

use std::collections::BTreeMap;

use jfrkit_profile::any::AnyProfile;
use regex::Regex;
use serde::Deserialize;

/// A file of expectations.
#[derive(Debug, Clone, Deserialize)]
pub struct Expected {
    /// The name of the test.
    #[serde(default)]
    pub test_name: String,
    /// Expectations by profile type.
    pub stacks: Vec<OfType>,
}

/// The expectations for one type.
#[derive(Debug, Clone, Deserialize)]
pub struct OfType {
    /// The name of the sample type.
    #[serde(rename = "profile-type")]
    pub profile_type: String,
    /// The stacks.
    #[serde(rename = "stack-content")]
    pub content: Vec<Content>,
    /// The default error margin.
    #[serde(rename = "error-margin", default)]
    pub margin: i64,
    /// The expected sum over all matches. A stack counts once per expression that it matches.
    #[serde(rename = "value-matching-sum")]
    pub sum: Option<i64>,
}

/// One expectation.
#[derive(Debug, Clone, Deserialize)]
pub struct Content {
    /// The pattern for stacks.
    pub regular_expression: String,
    /// The expected share of the profile.
    pub percent: Option<i64>,
    /// The expected value.
    pub value: Option<i64>,
    /// The tolerance.
    pub error_margin: Option<i64>,
    /// The labels of the samples.
    #[serde(default)]
    pub labels: Vec<Label>,
}

/// A label with its expected values, or a pattern that they match.
#[derive(Debug, Clone, Deserialize)]
pub struct Label {
    /// The key.
    pub key: String,
    /// All its values.
    pub values: Option<Vec<String>>,
    /// The pattern for its values.
    pub values_regex: Option<String>,
}

/// A sample in the form in which it is matched.
struct Sample {
    stack: String,
    value: i64,
    labels: BTreeMap<String, Vec<String>>,
}

fn samples(profile: &AnyProfile, at: usize) -> Vec<Sample> {
    let texts = &profile.texts;
    let sample = |sample: jfrkit_profile::any::AnySample<'_>| {
        let lines = sample.locations.iter().rev().flat_map(|&l| profile.lines_of(l).iter().rev());
        let names: Vec<&str> = lines.map(|line| texts.get(profile.functions[line.function as usize].name)).collect();
        let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for label in sample.labels {
            let text = texts.get(label.text);
            let value = if text.is_empty() { label.number.to_string() } else { text.to_owned() };
            labels.entry(texts.get(label.key).to_owned()).or_default().push(value);
        }
        labels.values_mut().for_each(|values| values.sort());
        Sample { stack: names.join(";"), value: sample.values[at], labels }
    };
    profile.samples().map(sample).filter(|sample| sample.value != 0).collect()
}

impl Label {
    fn fits(&self, labels: &BTreeMap<String, Vec<String>>) -> bool {
        let Some(found) = labels.get(&self.key) else { return false };
        match (&self.values, &self.values_regex) {
            (Some(values), None) => {
                let mut values = values.clone();
                values.sort();
                values == *found
            }
            (None, Some(regex)) => {
                let regex = Regex::new(regex).expect("a regular expression of values");
                found.iter().all(|value| regex.is_match(value))
            }
            _ => panic!("label {} needs either values or values_regex", self.key),
        }
    }
}

/// The deviation from the expected number, in percent of that number.
fn off(actual: i64, expected: f64) -> f64 {
    ((actual as f64 - expected) / expected.max(f64::MIN_POSITIVE) * 100.0).abs()
}

/// The deviations from the expectations, one line each, including types that the profile does not have.
///
/// # Panics
/// If an expectation is invalid: a bad regular expression, or no value, percentage or sum.
#[must_use]
pub fn check(profile: &AnyProfile, expected: &Expected) -> Vec<String> {
    let mut wrong = Vec::new();
    for of in &expected.stacks {
        let Some(at) = profile.values().position(|(name, _)| name == of.profile_type) else {
            wrong.push(format!("there is no {}", of.profile_type));
            continue;
        };
        let seconds = profile.duration_nanos as f64 / 1e9;
        let scaled = |value: i64| if seconds > 0.0 { value as f64 * seconds } else { value as f64 };
        let samples = samples(profile, at);
        let total: i64 = samples.iter().map(|sample| sample.value).sum();
        let mut sum = 0;
        for content in &of.content {
            assert!(
                content.value.is_some() || content.percent.is_some() || of.sum.is_some(),
                "{}: neither value nor percent",
                content.regular_expression
            );
            let regex = Regex::new(&content.regular_expression).expect("a regular expression of stacks");
            let fits = |sample: &&Sample| {
                regex.is_match(&sample.stack) && content.labels.iter().all(|label| label.fits(&sample.labels))
            };
            let matching: i64 = samples.iter().filter(fits).map(|sample| sample.value).sum();
            sum += matching;
            let margin = content.error_margin.unwrap_or(of.margin);
            let name = format!("{} {}", of.profile_type, content.regular_expression);
            if let Some(percent) = content.percent {
                let actual = if total == 0 { 0 } else { matching * 100 / total };
                if (actual - percent).abs() > margin {
                    wrong.push(format!("{name}: {actual} % instead of {percent} % ± {margin}"));
                }
            }
            if let Some(value) = content.value
                && off(matching, scaled(value)) > margin as f64
            {
                wrong.push(format!("{name}: {matching} instead of {:.0} ± {margin} %", scaled(value)));
            }
        }
        if let Some(expected) = of.sum
            && off(sum, scaled(expected)) > of.margin as f64
        {
            wrong.push(format!(
                "{}: a sum of {sum} instead of {:.0} ± {} %",
                of.profile_type,
                scaled(expected),
                of.margin
            ));
        }
    }
    wrong
}
