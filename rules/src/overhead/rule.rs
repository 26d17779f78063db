//! The rule that is built from a pattern.

use jfrkit_profile::units::rounded_percent;
use std::collections::BTreeMap;

use super::pattern::{Pattern, Resource, Thresholds};
use super::shape::{self, Occurrence};
use super::share::{self, Part, STACK, Shares};
use crate::cost;
use crate::heap::allocation::is_much;
use crate::matching::MethodMatcher;
use jfr_analyzers::events::{Facts, Needs, Scope};
use jfr_analyzers::math::{map_exp74, map2, ratio};
use jfr_analyzers::rule::{AnalysisError, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::{FrameId, StackId};

/// The fewest samples that suffice to judge.
const SAMPLES: f64 = 1_000.0;
/// The fewest waits that suffice to judge.
const WAITS: f64 = 100.0;
/// With this many samples of the pattern itself, its share is known however few samples there are in total: at a share
/// of 30 % that takes a hundred.
const HITS: f64 = 30.0;
/// The part of a pattern's stacks that must be inside another pattern for the other to explain it.
const INSIDE: f64 = 0.8;
/// The percentage of CPU samples below which allocation costs too little for a warning.
const NO_CPU: f64 = 2.0;
/// From this percentage on, other rules see the same problem.
const MOST: f64 = 50.0;
/// Nearly all, in percent.
const NEARLY_ALL: f64 = 80.0;
/// Rules about work that every startup of a program includes.
const OF_A_START: [&str; 2] = ["ClassLoadingOverhead", "ReflectionOverhead"];
/// The pattern that includes the loop around a call: the loop takes as long as the call that polls.
const BUSY_SPIN: &str = "BusySpin";
/// The highest score below a warning.
const BELOW_WARNING: f64 = 74.0;
/// The highest score below a finding.
const BELOW_INFO: f64 = 24.0;
/// How long startup takes, in nanoseconds.
const START: i64 = 180_000_000_000;

/// Whether the code of a [`Pattern`] takes more than its share. Needs no list.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternRule {
    pattern: Pattern,
    info: RuleInfo,
}

/// The setting keys of a resource: its two thresholds.
const fn keys(resource: Resource) -> [&'static str; 2] {
    match resource {
        Resource::Cpu => ["cpu-info", "cpu-warning"],
        Resource::Allocation => ["allocation-info", "allocation-warning"],
        Resource::Wall => ["wall-info", "wall-warning"],
        Resource::Blocking => ["blocking-info", "blocking-warning"],
    }
}

/// The key of the setting for how many samples of a resource are needed.
const fn least(resource: Resource) -> &'static str {
    if matches!(resource, Resource::Blocking) { "waits" } else { "samples" }
}

impl PatternRule {
    /// Builds the rule of a pattern.
    ///
    /// # Errors
    /// [`AnalysisError::BadPattern`] for a pattern without an id, without limits, or with invalid limits.
    pub fn new(pattern: Pattern) -> Result<Self, AnalysisError> {
        let bad = |reason| AnalysisError::BadPattern { pattern: pattern.id.clone(), reason };
        if pattern.id.is_empty() || pattern.id.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(bad("it needs an id without whitespace"));
        }
        if pattern.limits.is_empty() {
            return Err(bad("it needs limits: a share of CPU, allocation, wall or blocking"));
        }
        let share = |v: f64| (0.0..=100.0).contains(&v);
        let fine = |t: &Thresholds| share(t.info) && t.warning.is_none_or(|w| share(w) && t.info <= w);
        if !pattern.limits.iter().all(|(_, thresholds)| fine(thresholds)) {
            return Err(bad("its limits have to be percentages from 0 to 100, with info at most warning"));
        }
        let info = RuleInfo::own(pattern.id.clone())
            .title(pattern.title.clone())
            .category(pattern.category)
            .description(description(&pattern))
            .why(pattern.explanation.clone())
            .remedy(pattern.remedy.clone())
            .formula(formula(&pattern))
            .settings(settings(&pattern));
        Ok(Self { pattern, info })
    }

    /// The pattern.
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }
}

fn settings(pattern: &Pattern) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (resource, thresholds) in &pattern.limits {
        let [info, warning] = keys(*resource);
        let (look, act) = match resource {
            Resource::Cpu => ("Share of CPU samples that is worth a look", "Share of CPU samples to act on"),
            Resource::Allocation => {
                ("Share of allocated bytes that is worth a look", "Share of allocated bytes to act on")
            }
            Resource::Wall => {
                ("Share of wall-clock samples that is worth a look", "Share of wall-clock samples to act on")
            }
            Resource::Blocking => ("Share of blocked time that is worth a look", "Share of blocked time to act on"),
        };
        settings.push(Setting::percent(info, thresholds.info, look));
        settings.extend(thresholds.warning.map(|share| Setting::percent(warning, share, act)));
    }
    let has = |is: fn(&Resource) -> bool| pattern.limits.iter().any(|(resource, _)| is(resource));
    if has(|resource| *resource != Resource::Blocking) {
        settings.push(Setting::count("samples", SAMPLES, "Minimum number of samples needed to judge"));
    }
    if has(|resource| *resource == Resource::Blocking) {
        settings.push(Setting::count("waits", WAITS, "Minimum number of waits needed to judge blocked time"));
    }
    settings
}

fn description(pattern: &Pattern) -> String {
    let mut resources: Vec<&str> = pattern.limits.iter().map(|(resource, _)| resource.taken()).collect();
    let last = resources.pop().unwrap_or_default();
    let first = if resources.is_empty() { String::new() } else { format!("{} and ", resources.join(", ")) };
    let they = if is_plural(&pattern.title) { "they take" } else { "it takes" };
    format!("{}: the share of {first}{last} that {they}.", pattern.title)
}

fn formula(pattern: &Pattern) -> String {
    let methods = pattern.methods.patterns().join(", ");
    let which = match pattern.methods.looks_at() {
        Scope::Anywhere => "anywhere on the stack",
        Scope::Direct => "at the top of the stack, or above the first application method that is not in the list",
    };
    format!(
        "The share of samples, bytes or time with one of the methods below {which}: 25 at `…-info`, 75 at \
         `…-warning`, or at most 74 if there is no `…-warning`. The highest score among the kinds with enough samples \
         counts. The methods (* matches any text): {methods}"
    )
}

/// A share that was judged.
struct Judged<'s> {
    resource: Resource,
    part: &'s Part,
    percent: f64,
    score: f64,
}

impl Rule for PatternRule {
    fn info(&self) -> RuleInfo {
        self.info.clone()
    }

    fn needs(&self) -> Needs {
        let needs = Needs::new().methods(self.pattern.methods.clone());
        // Whatever is judged, the CPU samples show what it costs.
        let needs = share::needs(cost::needs(needs), Resource::Cpu);
        self.pattern.limits.iter().fold(needs, |needs, (resource, _)| share::needs(needs, *resource))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let shares = facts.once(Shares::of);
        let Some(set) = facts.set_place(&self.pattern.methods) else {
            return Verdict::not_applicable("the stacks were not searched for its methods");
        };
        if self.pattern.native && shares.part(Resource::Cpu).count > 0.0 && !shares.has_native {
            return Verdict::not_applicable(
                "the stacks hold no functions of the JVM; async-profiler records them with cstack=vm or similar",
            );
        }
        match self.measure(facts, &shares, set, settings) {
            Ok(judged) => self.verdict(facts, &judged, set),
            Err(too_few) => Verdict::not_applicable(format!("there are too few samples: {}", too_few.join(", "))),
        }
    }
}

impl PatternRule {
    /// The shares of all resources with enough samples, the worst first; if there are none, how many samples each
    /// resource has.
    fn measure<'s>(
        &self,
        facts: &Facts,
        shares: &'s Shares,
        set: usize,
        settings: &Settings,
    ) -> Result<Vec<Judged<'s>>, Vec<String>> {
        let samples = shares.part(Resource::Cpu);
        let cpu = (samples.count >= WAITS).then(|| samples.percent(set));
        let mut judged = Vec::new();
        let mut too_few = Vec::new();
        for (resource, thresholds) in &self.pattern.limits {
            let (resource, part) = (*resource, shares.part(*resource));
            let loops =
                if self.info.id == BUSY_SPIN && resource == Resource::Cpu { self.loops(facts, part, set) } else { 0.0 };
            let percent = (part.percent(set) + ratio(loops, part.total) * 100.0).min(100.0);
            if part.count < settings.number(least(resource)) && part.count * percent / 100.0 < HITS {
                too_few.push(format!("{:.0} for {}", part.count, resource.taken()));
                continue;
            }
            let [info, warning] = keys(resource);
            let score = match thresholds.warning {
                Some(_) => map2(percent, settings.number(info), settings.number(warning)),
                None => map_exp74(percent, settings.number(info)),
            };
            let score = match resource {
                Resource::Allocation if !is_much(facts, part.sum(set)) => score.min(BELOW_INFO),
                Resource::Allocation if cpu.is_some_and(|percent| percent < NO_CPU) => score.min(BELOW_WARNING),
                _ => score,
            };
            judged.push(Judged { resource, part, percent, score });
        }
        judged.sort_by(|a, b| b.score.total_cmp(&a.score));
        if judged.is_empty() { Err(too_few) } else { Ok(judged) }
    }

    fn verdict(&self, facts: &Facts, judged: &[Judged<'_>], set: usize) -> Verdict {
        let dearest = dearest(facts, judged, set);
        let score = judged.first().map_or(0.0, |worst| worst.score);
        let rows = judged
            .iter()
            .map(|j| [j.resource.of().into(), Value::percent(j.percent), Value::number(j.part.count, "samples")]);
        let mut verdict = Verdict::scored(score, self.summary(facts, judged, dearest, set))
            .with("shares", Value::table(["of", "share", "samples"], rows));
        if !verdict.is_finding() {
            return verdict;
        }
        verdict = self.relate(facts, verdict, judged, dearest, set);
        verdict = verdict.explain(self.pattern.explanation.clone()).remedy(self.pattern.remedy.clone());
        for found in judged.iter().filter(|j| Severity::of_score(j.score) >= Severity::Info) {
            verdict = self.callers(facts, verdict, found, set);
            if found.resource == Resource::Cpu {
                verdict = when(facts, verdict, found.part, set);
            }
        }
        verdict
    }

    /// What it costs comes first, because that is shown beside the title.
    fn summary(&self, facts: &Facts, judged: &[Judged<'_>], dearest: Option<&Judged<'_>>, set: usize) -> String {
        let worst = judged.first();
        let share = |j: &Judged<'_>| format!("{} of {}", rounded_percent(j.percent), j.resource.taken());
        let Some(first) = dearest.or(worst) else { return String::new() };
        let more = worst.filter(|worst| worst.resource != first.resource);
        let more = more.map(|worst| format!(" and {}", share(worst))).unwrap_or_default();
        let caller = dearest.and_then(|found| self.caller(facts, found, set));
        let mostly = caller.map(|method| format!(", mostly in {method}")).unwrap_or_default();
        format!("{}{}{more}{mostly}", subject(&self.pattern.title), share(first))
    }
}

/// The cost of what was found about a resource.
fn price(facts: &Facts, of: &Judged<'_>, set: usize) -> Option<Cost> {
    match of.resource {
        Resource::Cpu => Some(Cost::cpu(of.percent / 100.0)),
        Resource::Wall => Some(Cost::elapsed(of.percent / 100.0)),
        Resource::Blocking => cost::waited(facts, of.part.sum(set)),
        Resource::Allocation => Some(Cost::allocation(of.percent / 100.0)),
    }
}

/// The resource with the highest cost among those that are worth a look.
fn dearest<'j, 'p>(facts: &Facts, judged: &'j [Judged<'p>], set: usize) -> Option<&'j Judged<'p>> {
    let weight = |j: &&Judged<'_>| price(facts, j, set).map_or(0.0, Cost::weight);
    let found = judged.iter().filter(|j| Severity::of_score(j.score) >= Severity::Info);
    found.max_by(|a, b| weight(a).total_cmp(&weight(b)))
}

/// Turns a title into the beginning of a sentence about what it takes.
fn subject(title: &str) -> String {
    format!("{title} {} ", if is_plural(title) { "take" } else { "takes" })
}

/// Whether a title is in the plural: `Regular expressions`, `Reflection and method handles`, but `Boxing of primitives`.
fn is_plural(title: &str) -> bool {
    let one = ["Boxing of ", "Compiling ", "Busy "].iter().any(|start| title.starts_with(start));
    !one && (title.ends_with('s') || title.contains(" and "))
}

impl PatternRule {
    /// The weight of stacks whose leaf is a line that calls such a method: the call was inlined, or the sample is of
    /// the loop around it.
    fn loops(&self, facts: &Facts, part: &Part, set: usize) -> f64 {
        let matcher = MethodMatcher::new(facts, |method: &str| self.pattern.methods.matches(method));
        let line = |frame: FrameId| {
            let frame = facts.tables().frame(frame);
            (frame.function, frame.line)
        };
        let mut calling = std::collections::BTreeSet::new();
        let mut on_stack = std::collections::BTreeSet::new();
        for (stack, _) in part.stacks_of(set) {
            on_stack.insert(stack);
            let mut frames = facts.frames(stack).iter().copied().skip_while(|frame| !matcher.is(*frame));
            calling.extend(frames.find(|frame| !matcher.is(*frame)).map(line));
        }
        let own = |stack: StackId| facts.frames(stack).first().is_some_and(|leaf| calling.contains(&line(*leaf)));
        part.stacks()
            .filter(|(stack, _)| !on_stack.contains(stack) && own(*stack))
            .map(|(_, weight)| weight)
            .fold(0.0, |a, b| a + b)
    }

    /// The application method that accounts for most of it.
    fn caller<'f>(&self, facts: &'f Facts, found: &Judged<'_>, set: usize) -> Option<&'f str> {
        let matcher = MethodMatcher::new(facts, |method: &str| self.pattern.methods.matches(method));
        let mut callers: BTreeMap<&str, f64> = BTreeMap::new();
        for (stack, weight) in found.part.stacks_of(set) {
            if let Some(frame) = matcher.caller(stack).filter(|f| !facts.is_jdk_frame(*f)) {
                *callers.entry(facts.method(frame)).or_default() += weight;
            }
        }
        callers.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(method, _)| method)
    }

    /// What it costs, and which other finding explains it.
    fn relate(
        &self,
        facts: &Facts,
        mut verdict: Verdict,
        judged: &[Judged<'_>],
        dearest: Option<&Judged<'_>>,
        set: usize,
    ) -> Verdict {
        let Some(dearest) = dearest else { return verdict };
        let found = || judged.iter().filter(|j| Severity::of_score(j.score) >= Severity::Info);
        verdict = verdict.cost(price(facts, dearest, set));
        for other in super::TABLE.iter().filter(|other| other.info.id != self.info.id) {
            let Some(place) = facts.set_place(&other.pattern.methods) else { continue };
            let inside = dearest.part.overlap(set, place) >= INSIDE * dearest.part.sum(set);
            if inside && dearest.part.sum(place) >= dearest.part.sum(set) {
                verdict = verdict.told_by(other.info.id.clone());
            }
        }
        let takes = |resource, share| found().any(|j| j.resource == resource && j.percent >= share);
        // Code that takes nearly all CPU time also allocates nearly everything.
        if takes(Resource::Allocation, MOST) || takes(Resource::Cpu, NEARLY_ALL) {
            for id in
                ["AllocationRate", "Allocations.class", "Allocations.thread", "GcFreedRatio", "TlabAllocationRatio"]
            {
                verdict = verdict.tells(id);
            }
        }
        if takes(Resource::Cpu, MOST) {
            verdict = verdict.tells("FewSampledThreads");
        }
        let age = facts.end().saturating_sub(facts.jvm().start.unwrap_or_else(|| facts.start()));
        if OF_A_START.contains(&&*self.info.id) && age < START {
            verdict = verdict.at_most(Severity::Info);
        }
        verdict
    }

    /// Who calls such methods: the first application methods that are not matched themselves.
    fn callers(&self, facts: &Facts, verdict: Verdict, found: &Judged<'_>, set: usize) -> Verdict {
        let matcher = MethodMatcher::new(facts, |method: &str| self.pattern.methods.matches(method));
        let value = |weight: f64| match found.resource {
            Resource::Cpu | Resource::Wall => Value::number(weight, "samples"),
            Resource::Allocation => Value::bytes(weight),
            Resource::Blocking => Value::nanos_f64(weight),
        };
        let callers = matcher.callers(found.part.stacks_of(set), found.part.total, value);
        verdict.with(format!("callers by {}", found.resource.of()), callers)
    }
}

/// When the CPU samples of a set were taken, and on which thread.
fn when(facts: &Facts, verdict: Verdict, part: &Part, set: usize) -> Verdict {
    let stacks: std::collections::BTreeSet<_> = part.stacks_of(set).map(|(stack, _)| stack).collect();
    let mut occurrence = Occurrence::default();
    for group in share::samples_of(facts, "cpu") {
        if group.stack(STACK).is_some_and(|stack| stacks.contains(&stack)) {
            occurrence.add(&group);
        }
    }
    let verdict = verdict.with("over time", occurrence.shape(&shape::whole(facts)).name());
    match occurrence.busiest_thread(facts) {
        Some((thread, percent)) => {
            verdict.with("busiest thread", thread).with("share on that thread", Value::percent(percent))
        }
        None => verdict,
    }
}
