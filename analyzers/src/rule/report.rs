//! What an analysis yields.

use serde::Serialize;

use super::definition::{Category, RuleInfo};
use super::finding::{Finding, Section};
use super::timeline::Timeline;
use super::verdict::{Severity, Verdict};

/// The verdicts of all rules that ran.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was analysed.
    pub recording: RecordingInfo,
    /// What people should see, in that order: the program first, then the environment, then the recording; in each failures and
    /// exposures, then by cost, then by severity. Rules that tell one story are one finding.
    pub findings: Vec<Finding>,
    /// A rule each, in the order of registration.
    pub rules: Vec<Outcome>,
    /// How it went over time, if the options ask for it.
    #[serde(skip)]
    pub timeline: Option<Timeline>,
}

/// What is known of a recording as a whole.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RecordingInfo {
    /// When its first event began, nanoseconds since the Unix epoch.
    pub start_nanos: i64,
    /// From there to the end of its last event.
    pub duration_nanos: i64,
    /// How many chunks it has.
    pub chunks: usize,
    /// How many events it has in the range that was analysed.
    pub events: u64,
    /// The JVM's name and version, where they are recorded.
    pub jvm: Option<String>,
    /// The main class or jar, without arguments.
    pub main: Option<String>,
    /// What could not be read, a line each.
    pub warnings: Vec<String>,
    /// What was left out to bound memory, a line each.
    pub notes: Vec<String>,
}

/// What one rule says.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The rule.
    #[serde(flatten, serialize_with = "short_info")]
    pub rule: RuleInfo,
    /// Its verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// For a rule that JMC has too, what JMC says: by its own formula, and with its way to decide which event types were on.
    pub jmc_severity: Option<Severity>,
    /// Whether the rule failed; then the verdict is not applicable and says how.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
}

/// Id, title and category: a report is no manual.
fn short_info<S: serde::Serializer>(info: &RuleInfo, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap;
    let mut map = serializer.serialize_map(Some(3))?;
    map.serialize_entry("id", info.id)?;
    map.serialize_entry("title", info.title)?;
    map.serialize_entry("category", &info.category)?;
    map.end()
}

impl Report {
    /// What the rule of this id says.
    #[must_use]
    pub fn outcome(&self, id: &str) -> Option<&Outcome> {
        self.rules.iter().find(|o| o.rule.id == id)
    }

    /// The finding that the rule of this id speaks for.
    #[must_use]
    pub fn finding(&self, id: &str) -> Option<&Finding> {
        self.findings.iter().find(|f| f.id == id)
    }

    /// How bad it is what a rule says: as bad as the finding that it speaks for, where it does.
    #[must_use]
    pub fn severity_of(&self, outcome: &Outcome) -> Severity {
        self.finding(outcome.rule.id).map_or(outcome.verdict.severity, |f| f.severity)
    }

    /// The findings of at least this severity with what their rules say, in the order in which they are shown.
    pub fn shown(&self, least: Severity) -> impl Iterator<Item = (&Finding, &Outcome)> {
        let found = self.findings.iter().filter(move |f| f.severity >= least);
        found.filter_map(|finding| Some((finding, self.outcome(finding.id)?)))
    }

    /// What the rules of at least this severity say: the findings in the order in which they are shown, then the others.
    #[must_use]
    pub fn worst_first(&self, least: Severity) -> Vec<&Outcome> {
        let mut found: Vec<&Outcome> = self.shown(least).map(|(_, outcome)| outcome).collect();
        let mut others: Vec<&Outcome> =
            self.rules.iter().filter(|o| !o.verdict.is_finding() && o.verdict.severity >= least).collect();
        others.sort_by_key(|o| std::cmp::Reverse(o.verdict.severity));
        found.append(&mut others);
        found
    }
}

impl Outcome {
    /// What it is about.
    #[must_use]
    pub fn section(&self) -> Section {
        self.verdict.section.unwrap_or(match self.rule.category {
            Category::Environment => Section::Environment,
            Category::Recording => Section::Recording,
            _ => Section::Program,
        })
    }
}
