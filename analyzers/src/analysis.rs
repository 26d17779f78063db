//! What is wrong in a recording: rules, the facts that they look at, and their verdicts.
//!
//! ```
//! use jfr_analyzers::analysis::{Analysis, AnalysisOptions, Severity};
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
//! let recording = jfr_parse::Recording::open(path)?;
//! let report = Analysis::run(&recording, &AnalysisOptions::default())?;
//! for outcome in report.worst_first(Severity::Info) {
//!     println!("{}: {}", outcome.rule.id, outcome.verdict.summary);
//! }
//! # Ok::<(), jfr_analyzers::analysis::AnalysisError>(())
//! ```
//!
//! The rules that run say what they need ([`Needs`]); the recording is read once for all of them, in parallel, and only for
//! that. Then the rules are evaluated, in parallel too. A rule that panics is reported as failed; the others are not
//! stopped by it.

mod cell;
mod error;
mod evidence;
mod facts;
pub mod math;
mod methods;
mod needs;
mod options;
mod read;
mod report;
mod rule;
pub mod rules;
mod secret;
mod settings;
pub mod testing;
mod timeline;
mod verdict;

use std::panic::{AssertUnwindSafe, catch_unwind};

use jfr_parse::Recording;
use rayon::prelude::*;

pub use cell::{Cell, ThreadId};
pub use error::AnalysisError;
pub use evidence::{Evidence, Frame, MAX_ROWS, MethodRow, Value};
pub use facts::{Event, EventFacts, Facts, Group, Groups, Jvm, JvmVersion, Presence, SettingValue, Table, ThreadInfo};
pub use methods::{MethodSet, Scope};
pub use needs::{AMOUNT, EVENT, GROUPS, GroupBy, Level, MAX_KEYS, MAX_MEASURES, Needs, PROFILE, TABLE_ROWS};
pub use options::{AnalysisOptions, Availability};
pub use report::{Outcome, RecordingInfo, Report};
pub use rule::{Category, Origin, Rule, RuleInfo};
pub use settings::{DefaultValue, Setting, Settings, Unit};
pub use timeline::{Series, Shape, Timeline, Track, TrackUnit};
pub use verdict::{Severity, Verdict};

use read::Wanted;

/// A set of rules.
pub struct Analysis {
    rules: Vec<Box<dyn Rule>>,
}

impl std::fmt::Debug for Analysis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.rules.iter().map(|r| r.info().id)).finish()
    }
}

impl Analysis {
    /// All rules of this crate.
    #[must_use]
    pub fn builtin() -> Self {
        Self { rules: rules::all() }
    }

    /// No rules.
    #[must_use]
    pub fn empty() -> Self {
        Self { rules: Vec::new() }
    }

    /// With a rule of one's own; see [`Rule`].
    ///
    /// # Errors
    /// [`AnalysisError::DuplicateRule`].
    pub fn with_rule(mut self, rule: impl Rule + 'static) -> Result<Self, AnalysisError> {
        let id = rule.info().id;
        if self.rules.iter().any(|r| r.info().id == id) {
            return Err(AnalysisError::DuplicateRule(id.to_owned()));
        }
        self.rules.push(Box::new(rule));
        Ok(self)
    }

    /// Without the rules that are not to be kept.
    #[must_use]
    pub fn retain(mut self, keep: impl Fn(&RuleInfo) -> bool) -> Self {
        self.rules.retain(|rule| keep(&rule.info()));
        self
    }

    /// What the rules say of themselves.
    pub fn infos(&self) -> impl ExactSizeIterator<Item = RuleInfo> {
        self.rules.iter().map(|r| r.info())
    }

    /// The rules.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &dyn Rule> {
        self.rules.iter().map(|r| &**r)
    }

    /// Runs all rules of this crate, or those that the options choose, on a recording.
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate).
    pub fn run(recording: &Recording<'_>, options: &AnalysisOptions) -> Result<Report, AnalysisError> {
        Self::builtin().evaluate(recording, options)
    }

    /// Runs these rules, or those that the options choose, on a recording.
    ///
    /// # Errors
    /// What keeps all chunks from being read, [`jfr_parse::Error::Stopped`], [`jfr_parse::Error::Changed`], and options
    /// that name what does not exist.
    pub fn evaluate(&self, recording: &Recording<'_>, options: &AnalysisOptions) -> Result<Report, AnalysisError> {
        let chosen = self.choose(options)?;
        let needs: Vec<Needs> = chosen.iter().map(|(rule, _)| rule.needs()).collect();
        let picture = options.timeline.then(Timeline::needs);
        let wanted = Wanted::new(needs.iter().chain(&picture));
        let facts = read::read(recording, &wanted, options)?;
        let rules =
            chosen.par_iter().zip(&needs).map(|((rule, settings), needs)| judge(*rule, needs, settings, &facts));
        let timeline = options.timeline.then(|| Timeline::of(&facts));
        Ok(Report { rules: rules.collect(), recording: RecordingInfo::of(&facts), timeline })
    }

    /// The rules that the options choose, with their settings.
    fn choose(&self, options: &AnalysisOptions) -> Result<Vec<(&dyn Rule, Settings)>, AnalysisError> {
        let known = |id: &str| self.rules.iter().any(|r| r.info().id == id);
        let named = options.rules.iter().chain(&options.skip).chain(options.settings.keys());
        if let Some(unknown) = named.into_iter().find(|id| !known(id)) {
            return Err(AnalysisError::UnknownRule(unknown.clone()));
        }
        let none = std::collections::BTreeMap::new();
        let mut chosen = Vec::new();
        for rule in &self.rules {
            let info = rule.info();
            let values = options.settings.get(info.id).unwrap_or(&none);
            let settings = Settings::with(info.id, info.settings, values)?;
            if options.choose(&info) {
                chosen.push((&**rule, settings));
            }
        }
        Ok(chosen)
    }
}

/// Evaluates one rule on facts that hold what it needs.
pub(crate) fn judge(rule: &dyn Rule, needs: &Needs, settings: &Settings, facts: &Facts) -> Outcome {
    let info = rule.info();
    let as_jmc = info.origin == Origin::Jmc;
    let missing = needs.levels.iter().find_map(|(event, level)| facts.missing(event, *level, as_jmc));
    if let Some(because) = missing {
        return Outcome { rule: info, verdict: Verdict::not_applicable(because), failed: false };
    }
    // Facts are not changed by rules, so none is left half done.
    match catch_unwind(AssertUnwindSafe(|| rule.evaluate(facts, settings))) {
        Ok(verdict) => Outcome { rule: info, verdict: secret::hide(verdict), failed: false },
        Err(cause) => {
            let text = cause.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let text = text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_default();
            let verdict = secret::hide(Verdict::not_applicable(format!("the rule failed: {text}")));
            Outcome { rule: info, verdict, failed: true }
        }
    }
}

impl RecordingInfo {
    fn of(facts: &Facts) -> Self {
        let jvm = facts.jvm();
        let name = jvm.name.clone().map(|name| match &jvm.version {
            Some(version) => format!("{name} {version}"),
            None => name,
        });
        // Arguments may hold secrets; the first word is the program.
        let main = jvm.java_arguments.as_deref().and_then(|a| a.split_whitespace().next());
        Self {
            start_nanos: facts.start(),
            duration_nanos: facts.nanos(),
            chunks: facts.chunks(),
            events: facts.events().fold(0, |sum, (_, e)| sum.saturating_add(e.count)),
            jvm: name,
            main: main.map(|m| m.rsplit(['/', '\\']).next().unwrap_or(m).to_owned()),
            warnings: facts.warnings.clone(),
            notes: facts.notes.clone(),
        }
    }
}
