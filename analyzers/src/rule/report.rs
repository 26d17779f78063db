//! What an analysis yields.

use serde::Serialize;

use super::definition::RuleInfo;
use super::timeline::Timeline;
use super::verdict::{Severity, Verdict};

/// The verdicts of all rules that ran.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was analysed.
    pub recording: RecordingInfo,
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

    /// The findings of at least this severity, worst first, then by score.
    #[must_use]
    pub fn worst_first(&self, least: Severity) -> Vec<&Outcome> {
        let mut found: Vec<&Outcome> = self.rules.iter().filter(|o| o.verdict.severity >= least).collect();
        let score = |o: &Outcome| {
            o.verdict.score.unwrap_or(match o.verdict.severity {
                Severity::Warning => Severity::WARNING_SCORE,
                Severity::Info => Severity::INFO_SCORE,
                _ => 0.0,
            })
        };
        found.sort_by(|a, b| b.verdict.severity.cmp(&a.verdict.severity).then_with(|| score(b).total_cmp(&score(a))));
        found
    }
}
