//! The framework for rules that judge a recording: the definition of a rule ([`Rule`]), its settings, its
//! verdict and evidence, and running many rules on one recording ([`Analysis`]).
//!
//! Rules declare what they need ([`Needs`]). The recording is read once for all rules, in parallel, and only
//! what they need. Then the rules are evaluated, also in parallel. A rule that panics is reported as failed and
//! does not affect the others. The rules themselves are in `jfrkit-rules`; facts are in
//! [`events`](crate::events). Start with `definition.rs`.

mod definition;
mod error;
mod evidence;
mod finding;
mod options;
mod report;
#[cfg(feature = "rules")]
mod secret;
mod settings;
mod verdict;

use std::panic::{AssertUnwindSafe, catch_unwind};

use jfr_parse::{EpochNanos, Nanos, Recording};
use rayon::prelude::*;

pub use definition::{Category, JmcComparison, Origin, Rule, RuleInfo, Text};
pub use error::AnalysisError;
pub use evidence::{Evidence, Frame, MAX_ROWS, MethodRow, Value};
pub use finding::{Cost, CostOf, Finding, Relations, Section};
pub use options::AnalysisOptions;
pub use report::{ContainerLimits, Outcome, RecordingInfo, Report};
pub use settings::{DefaultValue, Setting, Settings, Unit};
pub use verdict::{Severity, Verdict};

use crate::Pass;
use crate::engine::stacks::Shared;
use crate::events::read::{self, Wanted};
use crate::events::{Facts, Needs};
use crate::math::Window;

/// A set of rules.
pub struct Analysis {
    rules: Vec<Box<dyn Rule>>,
    relations: Relations,
}

impl std::fmt::Debug for Analysis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.rules.iter().map(|r| r.info().id)).finish()
    }
}

impl Analysis {
    /// A set without rules.
    #[must_use]
    pub fn empty() -> Self {
        Self { rules: Vec::new(), relations: Relations::default() }
    }

    /// Adds a rule. Its id should be unique: a later rule with the same id can never be selected by name.
    pub fn push(&mut self, rule: Box<dyn Rule>) {
        debug_assert!(self.rules.iter().all(|r| r.info().id != rule.info().id), "two rules named {}", rule.info().id);
        self.rules.push(rule);
    }

    /// Adds another rule; see [`Rule`].
    ///
    /// # Errors
    /// [`AnalysisError::DuplicateRule`].
    pub fn with_rule(mut self, rule: impl Rule + 'static) -> Result<Self, AnalysisError> {
        let id = rule.info().id;
        if self.rules.iter().any(|r| r.info().id == id) {
            return Err(AnalysisError::DuplicateRule(id.into_owned()));
        }
        self.rules.push(Box::new(rule));
        Ok(self)
    }

    /// Adds relations between rules, after those that are already known.
    #[must_use]
    pub fn with_relations(mut self, relations: Relations) -> Self {
        self.relations.extend(relations);
        self
    }

    /// Removes all rules for which `keep` returns false.
    #[must_use]
    pub fn retain(mut self, keep: impl Fn(&RuleInfo) -> bool) -> Self {
        self.rules.retain(|rule| keep(&rule.info()));
        self
    }

    /// The descriptions of the rules.
    pub fn infos(&self) -> impl ExactSizeIterator<Item = RuleInfo> {
        self.rules.iter().map(|r| r.info())
    }

    /// The rules.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &dyn Rule> {
        self.rules.iter().map(|r| &**r)
    }

    /// Runs these rules, or those selected by the options, on a recording. Needs the feature `rules`.
    ///
    /// # Errors
    /// The error that prevented all chunks from being read, [`jfr_parse::Error::Stopped`],
    /// [`jfr_parse::Error::Changed`], and options that refer to something that does not exist.
    #[cfg(feature = "rules")]
    pub fn evaluate(&self, recording: &Recording<'_>, options: &AnalysisOptions) -> Result<Report, AnalysisError> {
        let output = Pass::new(recording).rules(self, options).run()?;
        Ok(output.report.unwrap_or_else(|| unreachable!("findings were requested")))
    }

    /// Prepares running the rules selected by the options.
    pub(crate) fn prepare<'r>(&'r self, options: &'r AnalysisOptions) -> Result<Judging<'r>, AnalysisError> {
        let chosen = self.choose(options)?;
        let needs: Vec<Needs> = chosen.iter().map(|(rule, _)| rule.needs()).collect();
        let wanted = Wanted::new(&needs);
        wanted.check()?;
        Ok(Judging { chosen, relations: &self.relations, needs, wanted, options })
    }

    /// The rules selected by the options, with their settings.
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
            let values = options.settings.get(&*info.id).unwrap_or(&none);
            let settings = Settings::with(&info.id, &info.settings, values)?;
            if options.choose(&info) {
                chosen.push((&**rule, settings));
            }
        }
        Ok(chosen)
    }
}

/// The minimum cost for a finding about the program to be a warning.
const WORTH_A_WARNING: f64 = 0.02;
/// The minimum cost for a finding: less than a tenth of a percent cannot be distinguished from noise in a
/// recording.
const WORTH_A_LOOK: f64 = 0.001;
/// How far an estimated cost may be off.
const MARGIN: f64 = 20.0;
/// The selected rules and what they need.
pub(crate) struct Judging<'r> {
    chosen: Vec<(&'r dyn Rule, Settings)>,
    relations: &'r Relations,
    needs: Vec<Needs>,
    pub(crate) wanted: Wanted,
    pub(crate) options: &'r AnalysisOptions,
}

impl Judging<'_> {
    /// The context for reading the required events.
    pub(crate) fn context<'c>(&'c self, recording: &Recording<'_>, shared: &'c Shared) -> read::Context<'c> {
        read::Context::new(recording, &self.wanted, self.options, shared)
    }

    /// Evaluates the rules.
    ///
    /// # Errors
    /// [`jfr_parse::Error::Stopped`].
    #[cfg(feature = "rules")]
    pub(crate) fn report(&self, facts: Facts) -> jfr_parse::Result<Report> {
        let rules = self.chosen.par_iter().zip(&self.needs);
        let rules = rules.map(|((rule, settings), needs)| judge(*rule, needs, settings, &facts));
        let rules: Vec<Outcome> = rules.collect();
        let findings = finding::findings(&rules, self.relations);
        let report = Report { findings, rules, recording: RecordingInfo::of(&facts) };
        // After a stop, facts are incomplete, and so may be verdicts.
        let stopped = facts.stopped();
        // Freeing hundreds of thousands of small allocations takes time; do not make the caller wait.
        rayon::spawn(|| drop(facts));
        if stopped { Err(jfr_parse::Error::Stopped) } else { Ok(report) }
    }
}

/// Evaluates one rule on facts that contain what it needs.
#[cfg(feature = "rules")]
pub(crate) fn judge(rule: &dyn Rule, needs: &Needs, settings: &Settings, facts: &Facts) -> Outcome {
    let info = rule.info();
    let origin = info.origin;
    let of_jmc = |severity| (origin == Origin::Jmc).then_some(severity);
    if facts.stopped() {
        let (verdict, jmc_severity) = (Verdict::not_applicable("stopped"), of_jmc(Severity::NotApplicable));
        return Outcome { rule: info, verdict, jmc_severity, failed: false };
    }
    let missing = |as_jmc| needs.levels.iter().find_map(|(event, level)| facts.missing(event, *level, as_jmc));
    if let Some(because) = missing(false) {
        let jmc_severity = of_jmc(Severity::NotApplicable);
        return Outcome { rule: info, verdict: Verdict::not_applicable(because), jmc_severity, failed: false };
    }
    // Rules do not modify facts, so a panic cannot leave them inconsistent.
    match catch_unwind(AssertUnwindSafe(|| rule.evaluate(facts, settings))) {
        Ok(verdict) => {
            let as_jmc = if origin == Origin::Jmc && missing(true).is_some() {
                Severity::NotApplicable
            } else {
                verdict.jmc.unwrap_or(verdict.severity)
            };
            let mut outcome = Outcome {
                rule: info,
                verdict: secret::hide(within(verdict, facts)),
                jmc_severity: of_jmc(as_jmc),
                failed: false,
            };
            if outcome.section() == Section::Program && !outcome.verdict.urgent {
                outcome.verdict = worth(outcome.verdict);
            }
            outcome
        }
        Err(cause) => {
            let text = cause.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let text = text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_default();
            let verdict = secret::hide(Verdict::not_applicable(format!("the rule failed: {text}")));
            let jmc_severity = of_jmc(Severity::NotApplicable);
            Outcome { rule: info, verdict, jmc_severity, failed: true }
        }
    }
}

/// Cuts the time windows of a verdict to the recording.
fn within(mut verdict: Verdict, facts: &Facts) -> Verdict {
    let whole = facts.window();
    for (_, value) in verdict.evidence.iter_mut() {
        if let Value::Window { from_nanos, to_nanos } = value {
            let window = Window { from: from_nanos.0, to: to_nanos.0 }.within(whole);
            (*from_nanos, *to_nanos) = (EpochNanos(window.from), EpochNanos(window.to));
        }
    }
    verdict
}

/// Lowers a verdict to what its cost justifies.
fn worth(verdict: Verdict) -> Verdict {
    let margin = if verdict.estimated { MARGIN } else { 1.0 };
    match verdict.cost.map(|cost| cost.weight() * margin) {
        Some(cost) if cost < WORTH_A_LOOK => verdict.at_most(Severity::Ok),
        Some(cost) if cost < WORTH_A_WARNING => verdict.at_most(Severity::Info),
        _ => verdict,
    }
}

/// The common name of the collector, from its configuration or else from the option that selected it.
fn collector(facts: &Facts) -> Option<String> {
    let known = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let names = [("g1", "G1"), ("parallel", "Parallel"), ("serial", "Serial"), ("shenandoah", "Shenandoah")];
        let names = names.into_iter().chain([("concurrentmarksweep", "CMS"), ("concmarksweep", "CMS")]);
        let others = [("zgc m", "Generational ZGC"), ("z", "ZGC"), ("epsilon", "Epsilon")];
        names.chain(others).find(|(start, _)| lower.starts_with(start)).map_or(name, |(_, shown)| shown).to_owned()
    };
    // Profilers record the arguments, but not the configuration.
    let chosen = || {
        let mut words = facts.jvm().jvm_arguments.as_deref()?.split_whitespace().rev();
        words.find_map(|word| word.strip_prefix("-XX:+Use")?.strip_suffix("GC"))
    };
    facts.old_collector().or_else(chosen).map(known)
}

impl ContainerLimits {
    fn of(facts: &Facts) -> Option<Self> {
        let row = facts.table("jdk.ContainerConfiguration").last()?;
        let positive = |field| row.int(field).filter(|n| *n > 0);
        // Without a limit, the JVM writes -1; old versions write a number larger than any machine.
        let memory_bytes = positive("memoryLimit").filter(|n| *n < 1 << 60);
        let cpus =
            positive("cpuQuota").zip(positive("cpuSlicePeriod")).map(|(quota, slice)| quota as f64 / slice as f64);
        Some(Self { kind: row.text("containerType").map(str::to_owned), cpus, memory_bytes })
    }
}

impl RecordingInfo {
    fn of(facts: &Facts) -> Self {
        let jvm = facts.jvm();
        let name = jvm.name.clone().map(|name| match &jvm.version {
            Some(version) => format!("{name} {version}"),
            None => name,
        });
        // Arguments may contain secrets; the first word is the program.
        let main = jvm.java_arguments.as_deref().and_then(|a| a.split_whitespace().next());
        Self {
            start_nanos: EpochNanos(facts.start()),
            duration_nanos: Nanos(facts.window().length()),
            chunks: facts.chunks(),
            unread_chunks: facts.unread_chunks,
            events: facts.events().fold(0, |sum, (_, e)| sum.saturating_add(e.inside())),
            jvm: name,
            main: main.map(|m| m.rsplit(['/', '\\']).next().unwrap_or(m).to_owned()),
            collector: collector(facts),
            max_heap_bytes: facts.max_heap(),
            hardware_threads: facts.hardware_threads(),
            container: ContainerLimits::of(facts),
            warnings: facts.warnings.clone(),
            notes: facts.notes.clone(),
        }
    }
}
