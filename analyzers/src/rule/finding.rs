//! The findings of a report: with their cost, sorted, and without duplicates.
//!
//! Each rule is evaluated on its own; here the verdicts of all rules are combined. [`Relations`] defines which
//! rules report the same problem.

use serde::Serialize;

use super::definition::Text;
use super::report::Outcome;
use super::verdict::Severity;
use crate::events::Names;

/// The cost of a finding, as a share of something.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// The share, between 0 and 1.
    pub share: f64,
    /// What it is a share of.
    pub of: CostOf,
}

/// What the cost of a finding is a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CostOf {
    /// The CPU time of the JVM.
    CpuTime,
    /// The elapsed time of application threads that are not idle.
    ElapsedTime,
    /// Memory: of the heap, or of whatever the finding is about.
    Memory,
    /// The bytes allocated on the heap.
    Allocation,
}

impl Cost {
    /// A share of the JVM's CPU time.
    #[must_use]
    pub fn cpu(share: f64) -> Self {
        Self::new(share, CostOf::CpuTime)
    }

    /// A share of the elapsed time of application threads that are not idle.
    #[must_use]
    pub fn elapsed(share: f64) -> Self {
        Self::new(share, CostOf::ElapsedTime)
    }

    /// A share of memory.
    #[must_use]
    pub fn memory(share: f64) -> Self {
        Self::new(share, CostOf::Memory)
    }

    /// A share of allocation.
    #[must_use]
    pub fn allocation(share: f64) -> Self {
        Self::new(share, CostOf::Allocation)
    }

    fn new(share: f64, of: CostOf) -> Self {
        Self { share: if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }, of }
    }

    /// The share as used for sorting findings. An allocated byte is not time: most of the cost of allocation
    /// shows up as CPU time and pauses, so a share of allocation counts as a quarter.
    #[must_use]
    pub fn weight(self) -> f64 {
        match self.of {
            CostOf::CpuTime | CostOf::ElapsedTime | CostOf::Memory => self.share,
            CostOf::Allocation => self.share / 4.0,
        }
    }
}

impl CostOf {
    /// The name as used in a phrase: `12 % of CPU time`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CpuTime => "CPU time",
            Self::ElapsedTime => "elapsed time",
            Self::Memory => "memory",
            Self::Allocation => "allocation",
        }
    }
}

/// The subject of a finding, which determines where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// The program.
    Program,
    /// The machine, the container, other processes.
    Environment,
    /// The recording and its settings.
    Recording,
}

impl Section {
    /// All sections, in display order.
    pub const ALL: [Self; 3] = [Self::Program, Self::Environment, Self::Recording];

    /// The name of the section.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Environment => "environment",
            Self::Recording => "recording",
        }
    }
}

impl std::fmt::Display for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A finding as shown to users. The texts and evidence of the rule are in the [`Outcome`] with the same id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The id of the rule that reports it.
    pub id: Text,
    /// The severity: the highest among all rules that report the same problem.
    pub severity: Severity,
    /// The subject.
    pub section: Section,
    /// The cost; `None` for failures and exposures, and if it is unknown.
    pub cost: Option<Cost>,
    /// The id of the finding that causes this one.
    pub because_of: Option<Text>,
    /// The ids of rules that report the same problem and are not shown separately.
    pub also: Vec<Text>,
}

/// How rules relate to each other.
#[derive(Debug, Clone, Default)]
pub struct Relations {
    same_story: Vec<(Text, Names)>,
    follows_from: Vec<(Text, Names)>,
}

impl Relations {
    /// Rules that report the same problem as rule `id`, which is the most specific of them: it is shown, and the others
    /// are folded into it. Earlier entries take precedence over later ones.
    #[must_use]
    pub fn same_story(mut self, id: impl Into<Text>, others: impl Into<Names>) -> Self {
        self.same_story.push((id.into(), others.into()));
        self
    }

    /// The rules whose finding may cause that of rule `id`: the first of them that is also a finding counts.
    #[must_use]
    pub fn follows_from(mut self, id: impl Into<Text>, causes: impl Into<Names>) -> Self {
        self.follows_from.push((id.into(), causes.into()));
        self
    }

    /// Adds relations after these.
    pub(super) fn extend(&mut self, others: Self) {
        self.same_story.extend(others.same_story);
        self.follows_from.extend(others.follows_from);
    }
}

/// A rule is shown in place of another only if it explains at least this share of the other's cost, in the same
/// unit.
const EXPLAINS: f64 = 0.5;

/// The findings among these verdicts, in display order.
pub(super) fn findings(outcomes: &[Outcome], relations: &Relations) -> Vec<Finding> {
    let found: Vec<&Outcome> = outcomes.iter().filter(|o| o.verdict.is_finding()).collect();
    let get = |id: &str| found.iter().find(|o| o.rule.id == id).copied();
    // Which rule is shown in place of which: as determined by the rules for this recording, or by the
    // relations in general.
    let mut folded: Vec<(&str, &str)> = Vec::new();
    let own = found.iter().flat_map(|o| {
        let told_by = o.verdict.told_by.iter().map(move |by| (&**by, &*o.rule.id));
        o.verdict.tells.iter().map(move |of| (&*o.rule.id, &**of)).chain(told_by)
    });
    let general = relations.same_story.iter().flat_map(|(by, others)| others.iter().map(move |of| (&**by, of)));
    for (by, of) in own.chain(general) {
        let (Some(speaker), Some(other)) = (get(by), get(of)) else { continue };
        let is = |id: &str| folded.iter().any(|(_, f)| *f == id);
        if by != other.rule.id && !is(of) && !speaks_for(&folded, &other.rule.id, by) && explains(speaker, other) {
            folded.push((&speaker.rule.id, &other.rule.id));
        }
    }
    let speaker = |id| speaker_of(&folded, id);
    let mut shown: Vec<(&Outcome, Finding)> = Vec::new();
    for outcome in found.iter().filter(|o| speaker(&o.rule.id) == o.rule.id) {
        let mut others: Vec<&Outcome> = found
            .iter()
            .copied()
            .filter(|o| o.rule.id != outcome.rule.id && speaker(&o.rule.id) == outcome.rule.id)
            .collect();
        others.sort_by_key(|o| std::cmp::Reverse(o.verdict.severity));
        let severity = others.iter().map(|o| o.verdict.severity).fold(outcome.verdict.severity, Severity::max);
        let finding = Finding {
            id: outcome.rule.id.clone(),
            severity,
            section: outcome.section(),
            cost: outcome.verdict.cost.filter(|_| !outcome.verdict.urgent),
            because_of: None,
            also: others.iter().map(|o| o.rule.id.clone()).collect(),
        };
        shown.push((outcome, finding));
    }
    shown.sort_by(|(a, fa), (b, fb)| {
        let weight = |f: &Finding| f.cost.map_or(-1.0, Cost::weight);
        let score = |o: &Outcome| o.verdict.score.unwrap_or_default();
        fa.section
            .cmp(&fb.section)
            .then_with(|| b.verdict.urgent.cmp(&a.verdict.urgent))
            .then_with(|| weight(fb).total_cmp(&weight(fa)))
            .then_with(|| fb.severity.cmp(&fa.severity))
            .then_with(|| score(b).total_cmp(&score(a)))
            .then_with(|| fa.id.cmp(&fb.id))
    });
    let costs: Vec<(Text, Option<Cost>)> = shown.iter().map(|(_, f)| (f.id.clone(), f.cost)).collect();
    // A finding that costs almost nothing in comparison cannot be the cause.
    let weighs = |cause: Option<Cost>, effect: Option<Cost>| match (cause, effect) {
        (Some(cause), Some(effect)) if cause.of == effect.of => cause.share >= effect.share * CAUSE,
        _ => true,
    };
    shown
        .into_iter()
        .map(|(_, mut finding)| {
            let causes =
                relations.follows_from.iter().filter(|(id, _)| **id == *finding.id).flat_map(|(_, of)| of.iter());
            let mut causes = causes.filter(|cause| get(cause).is_some()).map(&speaker);
            let shows = |cause: &str| costs.iter().any(|(id, cost)| *id == cause && weighs(*cost, finding.cost));
            finding.because_of =
                causes.find(|cause| *cause != finding.id && shows(cause)).map(|id| id.to_owned().into());
            finding
        })
        .collect()
}

/// The rule that is shown in place of the rule with this id: itself, unless it is folded into another.
fn speaker_of<'n>(folded: &[(&'n str, &'n str)], id: &'n str) -> &'n str {
    let mut at = id;
    while let Some((by, _)) = folded.iter().find(|(_, of)| *of == at) {
        at = by;
    }
    at
}

/// The minimum cost of a cause, as a share of the finding's cost.
const CAUSE: f64 = 0.2;

/// Whether a rule's finding is folded into another's, directly or indirectly.
fn speaks_for<'n>(folded: &[(&'n str, &'n str)], by: &str, mut of: &'n str) -> bool {
    while let Some((speaker, _)) = folded.iter().find(|(_, f)| *f == of) {
        if *speaker == by {
            return true;
        }
        of = speaker;
    }
    false
}

/// Whether a finding may be shown in place of another: they are in the same section, and it explains enough of
/// the other's cost.
fn explains(speaker: &Outcome, other: &Outcome) -> bool {
    if speaker.section() != other.section() || (other.verdict.urgent && !speaker.verdict.urgent) {
        return false;
    }
    match (speaker.verdict.cost, other.verdict.cost) {
        (Some(a), Some(b)) if a.of == b.of => a.share >= EXPLAINS * b.share,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::rule::{Category, RuleInfo, Verdict};

    fn outcome(id: &'static str, verdict: Verdict) -> Outcome {
        let rule = RuleInfo::own(id).title(id).category(Category::Cpu);
        Outcome { rule, verdict, jmc_severity: None, failed: false }
    }

    fn ids(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|f| &*f.id).collect()
    }

    #[test]
    fn failures_come_first_then_the_highest_cost_and_the_recording_last() {
        let outcomes = [
            outcome("Quality", Verdict::warning("").section(Section::Recording)),
            outcome("Dear", Verdict::info("").cost(Cost::cpu(0.9))),
            outcome("Unknown", Verdict::warning("")),
            outcome("Cheap", Verdict::warning("").cost(Cost::elapsed(0.1))),
            outcome("Bytes", Verdict::warning("").cost(Cost::allocation(0.99))),
            outcome("Deadlock", Verdict::warning("").urgent()),
            outcome("Fine", Verdict::ok("").cost(Cost::cpu(0.9))),
        ];
        let found = findings(&outcomes, &Relations::default());
        assert_eq!(ids(&found), ["Deadlock", "Dear", "Bytes", "Cheap", "Unknown", "Quality"]);
    }

    #[test]
    fn a_problem_is_reported_once_with_its_worst_severity() {
        let relations = Relations::default().same_story("Special", &["General", "Old"]).same_story("General", &["Old"]);
        let outcomes = [
            outcome("Old", Verdict::warning("")),
            outcome("General", Verdict::info("").cost(Cost::cpu(0.5))),
            outcome("Special", Verdict::info("").cost(Cost::cpu(0.4))),
        ];
        let found = findings(&outcomes, &relations);
        assert_eq!(ids(&found), ["Special"]);
        assert_eq!(found[0].severity, Severity::Warning);
        assert_eq!(found[0].also, ["Old", "General"]);
    }

    #[test]
    fn a_small_cost_does_not_replace_a_large_one() {
        let relations = Relations::default().same_story("Part", &["Whole"]).same_story("Whole", &["Part"]);
        let part = |share| {
            let whole = outcome("Whole", Verdict::warning("").cost(Cost::elapsed(0.8)));
            findings(&[whole, outcome("Part", Verdict::warning("").cost(Cost::elapsed(share)))], &relations)
        };
        assert_eq!(ids(&part(0.7)), ["Part"]);
        assert_eq!(ids(&part(0.1)), ["Whole"]);
    }

    #[test]
    fn a_finding_names_its_cause() {
        let relations =
            Relations::default().same_story("Cause", &["Folded"]).follows_from("Effect", &["None", "Folded"]);
        let outcomes = [
            outcome("Effect", Verdict::warning("")),
            outcome("Folded", Verdict::warning("")),
            outcome("Cause", Verdict::warning("")),
        ];
        let found = findings(&outcomes, &relations);
        assert_eq!(found.iter().find(|f| f.id == "Effect").unwrap().because_of.as_deref(), Some("Cause"));
    }

    #[test]
    fn a_verdict_may_name_the_rule_that_reports_its_problem() {
        let outcomes = [
            outcome("A", Verdict::warning("").told_by("B")),
            outcome("B", Verdict::info("").tells("C")),
            outcome("C", Verdict::info("").tells("B")),
        ];
        let found = findings(&outcomes, &Relations::default());
        assert_eq!(ids(&found), ["B"]);
        assert_eq!(found[0].also, ["A", "C"]);
    }

    #[test]
    fn costs_are_between_zero_and_one() {
        assert_eq!((Cost::cpu(8.5).share, Cost::cpu(-1.0).share, Cost::cpu(f64::NAN).share), (1.0, 0.0, 0.0));
    }
}
