//! The result of an analysis.

use jfr_parse::{EpochNanos, Nanos};
use serde::Serialize;

use super::definition::{Category, RuleInfo};
use super::finding::{Finding, Section};
use super::verdict::{Severity, Verdict};

/// The verdicts of all rules that ran.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The analyzed recording.
    pub recording: RecordingInfo,
    /// The findings to show, in display order: first the program, then the environment, then the recording;
    /// within each, failures and exposures first, then by cost, then by severity. Rules that report the same
    /// problem are one finding.
    pub findings: Vec<Finding>,
    /// The outcome of each rule, in order of registration.
    pub rules: Vec<Outcome>,
}

/// Facts about a recording as a whole.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RecordingInfo {
    /// Start of the first event in nanoseconds since the Unix epoch.
    pub start_nanos: EpochNanos,
    /// Nanoseconds from there to the end of the last event.
    pub duration_nanos: Nanos,
    /// The number of chunks.
    pub chunks: usize,
    /// How many of the chunks cannot be read at all.
    #[serde(skip)]
    pub unread_chunks: usize,
    /// The number of events in the analyzed time range.
    pub events: u64,
    /// The name and version of the JVM, if recorded.
    pub jvm: Option<String>,
    /// The main class or JAR file, without arguments.
    pub main: Option<String>,
    /// The common name of the collector: `G1`, `Parallel`, `ZGC`.
    pub collector: Option<String>,
    /// The maximum heap size in bytes.
    pub max_heap_bytes: Option<i64>,
    /// The number of hardware threads that the JVM sees.
    pub hardware_threads: Option<i64>,
    /// The limits of the container, if the JVM detected one.
    pub container: Option<ContainerLimits>,
    /// What could not be read, one line each.
    pub warnings: Vec<String>,
    /// What was omitted to limit memory, one line each.
    pub notes: Vec<String>,
}

/// The limits that a container sets for a JVM.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContainerLimits {
    /// The kind of control groups: `cgroupv2`.
    pub kind: Option<String>,
    /// The CPUs it may use according to its quota; `None` if unlimited.
    pub cpus: Option<f64>,
    /// The memory it may use in bytes; `None` if unlimited.
    pub memory_bytes: Option<i64>,
}

/// The result of one rule.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The rule.
    #[serde(flatten, serialize_with = "short_info")]
    pub rule: RuleInfo,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// For a rule that JMC also has, JMC's severity: by JMC's own formula, and with its way of deciding which
    /// event types were enabled.
    pub jmc_severity: Option<Severity>,
    /// Whether the rule failed; if so, the verdict is "not applicable" and explains the failure.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
}

/// Serializes only id, title and category: a report is not a manual.
fn short_info<S: serde::Serializer>(info: &RuleInfo, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap;
    let mut map = serializer.serialize_map(Some(3))?;
    map.serialize_entry("id", &info.id)?;
    map.serialize_entry("title", &info.title)?;
    map.serialize_entry("category", &info.category)?;
    map.end()
}

impl RecordingInfo {
    /// Whether no chunk can be read, in which case the absence of findings means nothing.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.events == 0 && self.unread_chunks > 0 && self.unread_chunks >= self.chunks
    }
}

impl Report {
    /// The outcome of the rule with this id.
    #[must_use]
    pub fn outcome(&self, id: &str) -> Option<&Outcome> {
        self.rules.iter().find(|o| o.rule.id == id)
    }

    /// The finding reported by the rule with this id.
    #[must_use]
    pub fn finding(&self, id: &str) -> Option<&Finding> {
        self.findings.iter().find(|f| f.id == id)
    }

    /// The severity of an outcome: that of its finding, if there is one.
    #[must_use]
    pub fn severity_of(&self, outcome: &Outcome) -> Severity {
        self.finding(&outcome.rule.id).map_or(outcome.verdict.severity, |f| f.severity)
    }

    /// The findings of at least this severity with the outcomes of their rules, in display order.
    pub fn shown(&self, least: Severity) -> impl Iterator<Item = (&Finding, &Outcome)> {
        let found = self.findings.iter().filter(move |f| f.severity >= least);
        found.filter_map(|finding| Some((finding, self.outcome(&finding.id)?)))
    }

    /// The outcomes of at least this severity: first the findings in display order, then the others.
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
    /// The section in which the outcome is shown.
    #[must_use]
    pub fn section(&self) -> Section {
        self.verdict.section.unwrap_or(match self.rule.category {
            Category::Environment => Section::Environment,
            Category::Recording => Section::Recording,
            _ => Section::Program,
        })
    }
}
