//! What a rule says.

use super::evidence::{Evidence, Value};
use super::finding::{Cost, Section};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The recording says nothing about it.
    NotApplicable,
    /// Nothing found.
    Ok,
    /// Worth a look.
    Info,
    /// Act on it.
    Warning,
}

impl Severity {
    /// Score from which it is worth a look.
    pub const INFO_SCORE: f64 = 25.0;
    /// Score from which to act.
    pub const WARNING_SCORE: f64 = 75.0;

    /// The severity of a score of 0 to 100.
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

    /// Its name in reports.
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

/// What a rule says of a recording.
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
    /// How bad it is.
    pub severity: Severity,
    /// 0 to 100, where the rule computes one.
    pub score: Option<f64>,
    /// One line.
    pub summary: String,
    /// What it means; empty where the summary says it all.
    pub explanation: String,
    /// What to do; empty where there is nothing to do.
    pub remedy: String,
    /// The numbers behind it.
    pub evidence: Evidence,
    /// Why the rule says nothing, if it does.
    pub not_applicable_because: Option<String>,
    /// What it costs, where that is known.
    #[serde(skip)]
    pub cost: Option<Cost>,
    /// What it is about; by default the rule's category decides.
    #[serde(skip)]
    pub section: Option<Section>,
    /// A failure or an exposure, which comes before everything that has a price.
    #[serde(skip)]
    pub urgent: bool,
    /// For a rule of JMC: its verdict there, where people should see another.
    #[serde(skip)]
    pub jmc: Option<Severity>,
    /// Ids of rules whose findings are this one's story, in this recording.
    #[serde(skip)]
    pub tells: Vec<&'static str>,
    /// Ids of rules of whose findings this one is a part, in this recording.
    #[serde(skip)]
    pub told_by: Vec<&'static str>,
}

impl Verdict {
    /// A verdict of this severity.
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
            section: None,
            urgent: false,
            jmc: None,
            tells: Vec::new(),
            told_by: Vec::new(),
        }
    }

    /// Nothing found.
    #[must_use]
    pub fn ok(summary: impl Into<String>) -> Self {
        Self::new(Severity::Ok, summary)
    }

    /// Worth a look.
    #[must_use]
    pub fn info(summary: impl Into<String>) -> Self {
        Self::new(Severity::Info, summary)
    }

    /// Act on it.
    #[must_use]
    pub fn warning(summary: impl Into<String>) -> Self {
        Self::new(Severity::Warning, summary)
    }

    /// The severity that belongs to the score.
    #[must_use]
    pub fn scored(score: f64, summary: impl Into<String>) -> Self {
        Self::new(Severity::of_score(score), summary).score(score)
    }

    /// The rule cannot say anything, and why.
    #[must_use]
    pub fn not_applicable(because: impl Into<String>) -> Self {
        let because = because.into();
        Self {
            not_applicable_because: Some(because.clone()),
            ..Self::new(Severity::NotApplicable, format!("Not applicable: {because}"))
        }
    }

    /// Adds a score without changing the severity; what is no number, or beyond 0 to 100, is brought there.
    #[must_use]
    pub fn score(mut self, score: f64) -> Self {
        self.score = Some(if score.is_finite() { score.clamp(0.0, 100.0) } else { 0.0 });
        self
    }

    /// Adds what it means.
    #[must_use]
    pub fn explain(mut self, text: impl Into<String>) -> Self {
        self.explanation = text.into();
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn remedy(mut self, text: impl Into<String>) -> Self {
        self.remedy = text.into();
        self
    }

    /// Adds evidence. The key is in lower case words: `longest pause`.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.evidence.push(key, value);
        self
    }

    /// Adds evidence if there is any.
    #[must_use]
    pub fn with_some(self, key: impl Into<String>, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Says what it costs, if that is known.
    #[must_use]
    pub fn cost(mut self, cost: impl Into<Option<Cost>>) -> Self {
        self.cost = cost.into();
        self
    }

    /// Says what it is about, where the rule's category does not say it right.
    #[must_use]
    pub fn section(mut self, section: Section) -> Self {
        self.section = Some(section);
        self
    }

    /// Marks a failure (a deadlock, memory that ran out) or an exposure (a secret, an open port): it comes first, and has no cost.
    #[must_use]
    pub fn urgent(mut self) -> Self {
        self.urgent = true;
        self
    }

    /// Shows people no more than this severity. The score, and what JMC says, stay.
    #[must_use]
    pub fn at_most(mut self, severity: Severity) -> Self {
        if self.severity > severity {
            self.jmc.get_or_insert(self.severity);
            self.severity = severity;
        }
        self
    }

    /// What JMC says, where people should see another severity.
    #[must_use]
    pub fn jmc(mut self, severity: Severity) -> Self {
        self.jmc = Some(severity);
        self
    }

    /// Speaks for the rule of this id in this recording: if both find something, the other is listed under `also`.
    #[must_use]
    pub fn tells(mut self, id: &'static str) -> Self {
        self.tells.push(id);
        self
    }

    /// Leaves it to the rule of this id to tell this story, if that finds something too.
    #[must_use]
    pub fn told_by(mut self, id: &'static str) -> Self {
        self.told_by.push(id);
        self
    }

    /// Whether it is worth a look or worse.
    #[must_use]
    pub fn is_finding(&self) -> bool {
        self.severity >= Severity::Info
    }
}
