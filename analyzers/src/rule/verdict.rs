//! The verdict of a rule.

use super::definition::Text;
use super::evidence::{Evidence, Value};
use super::finding::{Cost, Section};

/// How serious a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The recording does not contain enough data.
    NotApplicable,
    /// Nothing was found.
    Ok,
    /// Worth a look.
    Info,
    /// Act on it.
    Warning,
}

impl Severity {
    /// All severities, lowest first.
    pub const ALL: [Self; 4] = [Self::NotApplicable, Self::Ok, Self::Info, Self::Warning];

    /// Minimum score for [`Info`](Self::Info).
    pub const INFO_SCORE: f64 = 25.0;
    /// Minimum score for [`Warning`](Self::Warning).
    pub const WARNING_SCORE: f64 = 75.0;

    /// The severity for a score between 0 and 100.
    #[must_use]
    pub fn of_score(score: f64) -> Self {
        if score >= Self::WARNING_SCORE {
            Self::Warning
        } else if score >= Self::INFO_SCORE {
            Self::Info
        } else {
            Self::Ok
        }
    }

    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotApplicable => "not-applicable",
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Warning => "warning",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The verdict of a rule about a recording.
///
/// ```
/// use jfr_analyzers::rule::Value;
/// use jfr_analyzers::rule::Verdict;
/// let verdict = Verdict::scored(80.0, "The longest pause took 1.2 s")
///     .explain("While the collector stops the program, no request is served.")
///     .remedy("Give the collector a pause goal.")
///     .with("longest pause", Value::nanos(1_200_000_000));
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Verdict {
    /// The severity.
    pub severity: Severity,
    /// The score from 0 to 100, if the rule computes one.
    pub score: Option<f64>,
    /// A one-line summary.
    pub summary: String,
    /// The explanation; empty if the summary is enough.
    pub explanation: String,
    /// What to do; empty if nothing needs to be done.
    pub remedy: String,
    /// The numbers behind the verdict.
    pub evidence: Evidence,
    /// Why the rule does not apply, if it does not.
    pub not_applicable_because: Option<String>,
    /// The cost, if known.
    #[serde(skip)]
    pub cost: Option<Cost>,
    /// Whether the cost is an estimate rather than measured.
    #[serde(skip)]
    pub estimated: bool,
    /// The section; by default, that of the rule's category.
    #[serde(skip)]
    pub section: Option<Section>,
    /// Whether this is a failure or an exposure, which comes before all findings with a cost.
    #[serde(skip)]
    pub urgent: bool,
    /// For a rule of JMC: JMC's severity, if users should see a different one.
    #[serde(skip)]
    pub jmc: Option<Severity>,
    /// The ids of rules whose findings are part of this one, in this recording.
    #[serde(skip)]
    pub tells: Vec<Text>,
    /// The ids of rules whose findings include this one, in this recording.
    #[serde(skip)]
    pub told_by: Vec<Text>,
}

impl Verdict {
    /// A verdict with this severity.
    #[must_use]
    pub fn new(severity: Severity, summary: impl Into<String>) -> Self {
        Self {
            severity,
            score: None,
            summary: summary.into(),
            explanation: String::new(),
            remedy: String::new(),
            evidence: Evidence::default(),
            not_applicable_because: None,
            cost: None,
            estimated: false,
            section: None,
            urgent: false,
            jmc: None,
            tells: Vec::new(),
            told_by: Vec::new(),
        }
    }

    /// A verdict that nothing was found.
    #[must_use]
    pub fn ok(summary: impl Into<String>) -> Self {
        Self::new(Severity::Ok, summary)
    }

    /// A verdict that is worth a look.
    #[must_use]
    pub fn info(summary: impl Into<String>) -> Self {
        Self::new(Severity::Info, summary)
    }

    /// A verdict that calls for action.
    #[must_use]
    pub fn warning(summary: impl Into<String>) -> Self {
        Self::new(Severity::Warning, summary)
    }

    /// A verdict with the severity that corresponds to the score.
    #[must_use]
    pub fn scored(score: f64, summary: impl Into<String>) -> Self {
        Self::new(Severity::of_score(score), summary).score(score)
    }

    /// A verdict that the rule does not apply, with the reason.
    #[must_use]
    pub fn not_applicable(because: impl Into<String>) -> Self {
        let because = because.into();
        Self {
            not_applicable_because: Some(because.clone()),
            ..Self::new(Severity::NotApplicable, format!("Not applicable: {because}"))
        }
    }

    /// Sets the score without changing the severity. Values that are out of range or NaN are adjusted.
    #[must_use]
    pub fn score(mut self, score: f64) -> Self {
        self.score = Some(if score.is_finite() { score.clamp(0.0, 100.0) } else { 0.0 });
        self
    }

    /// Sets the explanation.
    #[must_use]
    pub fn explain(mut self, text: impl Into<String>) -> Self {
        self.explanation = text.into();
        self
    }

    /// Sets what to do.
    #[must_use]
    pub fn remedy(mut self, text: impl Into<String>) -> Self {
        self.remedy = text.into();
        self
    }

    /// Adds evidence. The key is written in lowercase words: `longest pause`.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.evidence.push(key, value);
        self
    }

    /// Adds evidence if there is a value.
    #[must_use]
    pub fn with_some(self, key: impl Into<String>, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Sets the cost, if known.
    #[must_use]
    pub fn cost(mut self, cost: impl Into<Option<Cost>>) -> Self {
        self.cost = cost.into();
        self
    }

    /// Sets the cost from an estimate, which may be far off: it lowers the severity only if twenty times
    /// the cost would.
    #[must_use]
    pub fn estimate(mut self, cost: impl Into<Option<Cost>>) -> Self {
        (self.cost, self.estimated) = (cost.into(), true);
        self
    }

    /// Sets the section, if that of the rule's category is wrong.
    #[must_use]
    pub fn section(mut self, section: Section) -> Self {
        self.section = Some(section);
        self
    }

    /// Marks a failure (a deadlock, out of memory) or an exposure (a secret, an open port): it is shown first
    /// and has no cost.
    #[must_use]
    pub fn urgent(mut self) -> Self {
        self.urgent = true;
        self
    }

    /// Limits the severity shown to users. The score and JMC's severity are not affected.
    #[must_use]
    pub fn at_most(mut self, severity: Severity) -> Self {
        if self.severity > severity {
            self.jmc.get_or_insert(self.severity);
            self.severity = severity;
        }
        self
    }

    /// Sets JMC's severity, if users should see a different one.
    #[must_use]
    pub fn jmc(mut self, severity: Severity) -> Self {
        self.jmc = Some(severity);
        self
    }

    /// Takes the place of the rule with this id in this recording: if both have findings, the other is listed
    /// under `also`.
    #[must_use]
    pub fn tells(mut self, id: impl Into<Text>) -> Self {
        self.tells.push(id.into());
        self
    }

    /// Gives way to the rule with this id, if that one also has a finding.
    #[must_use]
    pub fn told_by(mut self, id: impl Into<Text>) -> Self {
        self.told_by.push(id.into());
        self
    }

    /// Whether the severity is at least [`Severity::Info`].
    #[must_use]
    pub fn is_finding(&self) -> bool {
        self.severity >= Severity::Info
    }
}
