//! `HotSpots`: the methods that take the CPU time, who calls them, when, and on which thread.

use jfrkit_profile::units::rounded_percent;
use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::shape::{Occurrence, whole};
use super::share::{SAMPLES, STACK, STATES, running, samples_of};
use jfr_analyzers::events::{AMOUNT, Facts, Group, Needs};
use jfr_analyzers::math::{Spread, map_exp74, ratio};
use jfr_analyzers::rule::{Category, Cost, MethodRow, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::{FrameId, FunctionId, StackId};

/// Methods at the top of many CPU samples. Needs no list.
///
/// A method that takes more CPU than others is not a fault in itself, so it is worth a look at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HotSpots;

/// The fewest samples that suffice to name the hottest method.
const ENOUGH: f64 = 20.0;
/// The fewest samples of the hottest method that suffice to judge it: at a share of 30 % that takes a hundred samples
/// in total.
const HITS: f64 = 30.0;
/// Samples per second below which the program is almost idle: a tenth of a CPU, at the 20 ms of the JDK.
const BUSY: f64 = 5.0;
/// The part of the hottest method's samples that must be inside the code of a pattern for the pattern to explain it.
const INSIDE: f64 = 0.8;
/// The share of all samples, 0 to 1, from which a method is a hot spot.
const HOT: f64 = 0.01;
/// The number of hot spots shown.
const SHOWN: usize = 10;

impl HotSpots {
    /// Why it matters.
    const WHY: &str = "The program spends most of its CPU time in one method. A change there pays off most, but this \
                       may simply be the work that the program is for.";
    /// What to do.
    const REMEDY: &str = "Look at its callers: can they call it less often, or can it do less work?";
}

impl Rule for HotSpots {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("HotSpots")
            .title("Hot spots")
            .category(Category::Cpu)
            .description(
                "Which methods take the CPU time, who calls them, whether all the time or in bursts, and on \
                          which thread.",
            )
            .formula(
                "CPU samples by the method at the top of the stack; hot spots are methods with at least `hot` of \
                      all samples. A hot spot is steady if it appears in 90 % of equal time slices, each long enough \
                      to hold 4 of its samples on average. 25 if one method has `info` of all samples and at least 30, \
                      never more than 74. Without CPU samples, the wall-clock samples of running threads count. Worth \
                      a look only at 5 samples per second or more; not judged with fewer than 20 samples.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("hot", HOT * 100.0, "Share of all samples that makes a method a hot spot"),
                        Setting::percent("info", 60.0, "Share of a single method that is worth a look"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        needs(Needs::new())
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let found = Found::of(facts, settings.number("hot") / 100.0);
        if found.samples < ENOUGH {
            return Verdict::not_applicable(format!(
                "there are too few samples of running threads: {:.0}",
                found.samples
            ));
        }
        let Some(hottest) = found.spots.first() else {
            return Verdict::ok(format!(
                "No method takes {} % of {} or more",
                settings.number("hot"),
                found.source.name()
            ));
        };
        let share = ratio(hottest.occurrence.samples, found.samples);
        let percent = share * 100.0;
        let caller = hottest.caller(facts).filter(|_| facts.is_jdk_frame(hottest.frame));
        let from = caller.map(|f| format!(", mostly called from {}", facts.method(f))).unwrap_or_default();
        let summary = format!(
            "{} itself takes {} of {}{from}",
            facts.method(hottest.frame),
            rounded_percent(percent),
            found.source.name()
        );
        let score = map_exp74(percent, settings.number("info"));
        let rate = ratio(found.samples, facts.seconds());
        let few = hottest.occurrence.samples < HITS || rate < BUSY;
        let mut verdict = Verdict::scored(score, summary).cost(match found.source {
            Source::Cpu => Cost::cpu(share),
            Source::Wall => Cost::elapsed(share),
        });
        verdict = verdict.at_most(if few { Severity::Ok } else { Severity::Info });
        for rule in super::TABLE.iter() {
            let methods = rule.pattern().methods();
            let passes = || found.of_hottest.iter().filter(|(stack, _)| facts.passes(methods, *stack));
            if facts.set_place(methods).is_some()
                && passes().map(|(_, samples)| samples).sum::<f64>() >= INSIDE * hottest.occurrence.samples
            {
                verdict = verdict.told_by(rule.info().id);
            }
        }
        let verdict = verdict.explain(HotSpots::WHY).remedy(HotSpots::REMEDY);
        found.add_to(facts, verdict)
    }
}

/// Adds the hot spots to the evidence of a finding about the CPU, if the rule asks for [`needs`] and there are enough
/// samples.
pub(crate) fn carry(facts: &Facts, verdict: Verdict) -> Verdict {
    if !verdict.is_finding() {
        return verdict;
    }
    let found = facts.once(|facts| Found::of(facts, HOT));
    if found.samples < ENOUGH { verdict } else { found.add_to(facts, verdict) }
}

/// What [`carry`] needs.
pub(crate) fn needs(needs: Needs) -> Needs {
    needs.groups(SAMPLES).groups(STATES)
}

/// Which samples count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Cpu,
    Wall,
}

impl Source {
    /// CPU samples; if there are too few, the wall-clock samples of running threads.
    fn of(facts: &Facts) -> Self {
        if samples_of(facts, "cpu").map(|g| g.sum(AMOUNT)).sum::<f64>() >= ENOUGH { Self::Cpu } else { Self::Wall }
    }

    fn samples<'f>(self, facts: &'f Facts) -> Box<dyn Iterator<Item = Group<'f>> + 'f> {
        match self {
            Self::Cpu => Box::new(samples_of(facts, "cpu")),
            Self::Wall => Box::new(running(facts)),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU time",
            Self::Wall => "the wall-clock time of running threads",
        }
    }
}

/// The hot spots of a recording.
#[derive(Debug)]
struct Found {
    source: Source,
    /// The stacks that the hottest method is at the top of.
    of_hottest: Vec<(StackId, f64)>,
    samples: f64,
    whole: Spread,
    /// Hottest first.
    spots: Vec<Spot>,
}

#[derive(Debug)]
struct Spot {
    /// The method, at the line that came first.
    frame: FrameId,
    occurrence: Occurrence,
    callers: BTreeMap<Option<FrameId>, f64>,
}

impl Spot {
    /// The application frame that most of the stacks share.
    fn caller(&self, facts: &Facts) -> Option<FrameId> {
        let name = |frame: &Option<FrameId>| frame.map(|f| (facts.method(f), facts.frame(f).line));
        let most = self.callers.iter().max_by(|a, b| a.1.total_cmp(b.1).then_with(|| name(b.0).cmp(&name(a.0))));
        most.and_then(|(frame, _)| *frame)
    }
}

impl Found {
    fn of(facts: &Facts, hot: f64) -> Self {
        let top = |stack| facts.frames(stack).first().copied();
        let source = Source::of(facts);
        let mut samples = 0.0;
        let mut own: HashMap<FunctionId, f64, foldhash::fast::RandomState> = HashMap::default();
        for group in source.samples(facts) {
            samples += group.sum(AMOUNT);
            if let Some(frame) = group.stack(STACK).and_then(top) {
                *own.entry(facts.function_of(frame)).or_default() += group.sum(AMOUNT);
            }
        }
        let least = samples * hot;
        let mut spots: BTreeMap<FunctionId, Spot> = BTreeMap::new();
        for group in source.samples(facts) {
            let Some(stack) = group.stack(STACK) else { continue };
            let Some(frame) = top(stack) else { continue };
            let function = facts.function_of(frame);
            // A name in brackets stands for a missing stack.
            if own.get(&function).is_none_or(|sum| *sum < least) || facts.method(frame).starts_with('[') {
                continue;
            }
            let fresh = || Spot { frame, occurrence: Occurrence::default(), callers: BTreeMap::new() };
            let spot = spots.entry(function).or_insert_with(fresh);
            spot.occurrence.add(&group);
            *spot.callers.entry(facts.application_frame(stack)).or_default() += group.sum(AMOUNT);
        }
        let mut spots: Vec<Spot> = spots.into_values().collect();
        // Method handles have no stable order.
        let by_name = |a: &Spot, b: &Spot| facts.method(a.frame).cmp(facts.method(b.frame));
        spots.sort_by(|a, b| b.occurrence.samples.total_cmp(&a.occurrence.samples).then_with(|| by_name(a, b)));
        let hottest = spots.first().map(|spot| facts.function_of(spot.frame));
        let of_hottest = source.samples(facts).filter_map(|g| {
            let stack = g.stack(STACK)?;
            (top(stack).map(|frame| facts.function_of(frame)) == hottest).then(|| (stack, g.sum(AMOUNT)))
        });
        let of_hottest = if hottest.is_some() { of_hottest.collect() } else { Vec::new() };
        Self { source, of_hottest, samples, whole: whole(facts), spots }
    }

    fn add_to(&self, facts: &Facts, verdict: Verdict) -> Verdict {
        let shown = || self.spots.iter().take(SHOWN);
        let methods = Value::methods(shown().map(|spot| MethodRow {
            method: facts.frame(spot.frame),
            application_frame: spot.caller(facts).map(|f| facts.frame(f)),
            value: Box::new(Value::number(spot.occurrence.samples, "samples")),
            percent: ratio(spot.occurrence.samples, self.samples) * 100.0,
        }));
        let shapes = shown().map(|spot| {
            let (thread, percent) = spot.occurrence.busiest_thread(facts).unwrap_or_default();
            [
                facts.method(spot.frame).into(),
                spot.occurrence.shape(&self.whole).name().into(),
                thread.into(),
                Value::percent(percent),
            ]
        });
        let shapes = Value::table(["method", "over time", "busiest thread", "share on that thread"], shapes);
        verdict.with("hot spots", methods).with("hot spots over time", shapes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::{SceneSnapshot, assert_snapshot};
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::{stack, thread};

    /// A sample every 20 ms; `hot` of them are of a hot method, either the first ones or evenly spread.
    fn scene(hot: i64, burst: bool) -> Scene {
        (0..1_000i64).fold(Scene::new(), |scene, i| {
            let is_hot = if burst { i < hot } else { i * hot % 1_000 < hot };
            let (name, top) = if is_hot { ("worker", "java.util.HashMap.get") } else { ("main", "") };
            let other = format!("com.acme.M{}.run", i % 200);
            let methods = if top.is_empty() { vec![other.as_str()] } else { vec![top, "com.acme.Hot.find"] };
            let fields = [("stackTrace", stack(&methods)), ("sampledThread", thread(name))];
            scene.event("jdk.ExecutionSample", i * 20_000_000, i * 20_000_000, fields)
        })
    }

    fn shown(verdict: &Verdict) -> String {
        format!("{:?}", verdict.evidence)
    }

    #[test]
    fn a_method_that_takes_nearly_all_is_worth_a_look() {
        let verdict = scene(900, false).verdict(&HotSpots);
        assert_eq!(verdict.severity, Severity::Info);
        assert_eq!(fixture::expect("HotSpots", "scenarios/spin", Severity::Info).severity, Severity::Info);
    }

    #[test]
    fn hot_spots_are_reported_without_being_findings() {
        let verdict = scene(200, true).verdict(&HotSpots);
        assert_eq!(verdict.severity, Severity::Ok);
        assert!(shown(&verdict).contains("burst"), "{verdict:?}");
        let none = scene(0, true).with("hot", "2 %").verdict(&HotSpots);
        assert_eq!((none.severity, none.evidence.is_empty()), (Severity::Ok, true));
        fixture::expect("HotSpots", "scenarios/regex-hot", Severity::Ok);
    }

    #[test]
    fn few_samples_are_not_judged() {
        assert_eq!(Scene::new().verdict(&HotSpots).severity, Severity::NotApplicable);
        // The hottest method is still named.
        assert_snapshot("HotSpots", &fixture::expect("HotSpots", "scenarios/healthy", Severity::Ok));
    }

    #[test]
    fn findings_about_the_cpu_carry_them() {
        use crate::cpu::MethodProfiling;
        let scene = scene(900, false)
            .setting("jdk.ExecutionSample", "period", "20 ms")
            .event("jdk.ActiveSetting", 0, 0, [])
            .event("jdk.CPULoad", 0, 0, []);
        let verdict = scene.verdict(&MethodProfiling);
        assert!(verdict.is_finding(), "{verdict:?}");
        assert!(verdict.evidence.get("hot spots over time").is_some(), "{verdict:?}");
    }
}
