//! `MethodProfiling`: a method that uses a lot of CPU.

use jfrkit_profile::units::rounded_percent;
use std::collections::BTreeMap;

use crate::names::class_of;
use crate::overhead;
use crate::tally::InOrder;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map_sigmoid, ratio, sliding};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::{FunctionId, StackId};

/// Whether one method takes many of the possible samples. Needs the `jdk.ExecutionSample` table, up to `SAMPLES` rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MethodProfiling;

/// Maximum number of samples to look at.
const SAMPLES: usize = 400_000;
/// Minimum samples of a method to judge it. A method with half of all samples needs twice as many, and so on.
const MANY: f64 = 20.0;
/// Maximum number of threads that the JVM samples per period.
const SAMPLES_A_PERIOD: f64 = 5.0;

impl MethodProfiling {
    /// Why it matters.
    const WHY: &str = "The method with the most samples is where the time goes, and where optimizing pays off.";
    /// What to do.
    const REMEDY: &str = "Look at what the method does and which callers call it so often.";
}

impl Rule for MethodProfiling {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("MethodProfiling")
            .title("Hot methods")
            .category(Category::Cpu)
            .description("Whether one method of the program uses a lot of CPU.")
            .formula(
                "Windows of `window`, sliding by half. Drops top frames whose package matches `exclude`. The \
                      samples of the most frequent method / the possible samples (five per period): 25 at 2.9 %, 75 \
                      at 19 %. Windows are cut where the settings are recorded again.",
            )
            .as_in_jmc(
                "This rule uses the earliest period, assumes five samples per period and looks \
                          only at jdk.ExecutionSample. HotSpots judges the samples of all profilers by their share.",
            )
            .settings(
                const {
                    &[
                        Setting::seconds("window", 30.0, "Length of the window"),
                        Setting::regex("exclude", r"^java\.(lang|util)$", "Packages whose top frames are dropped"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        overhead::needs(Needs::new()).enabled("jdk.ExecutionSample").available("jdk.ActiveSetting").table_up_to(
            SAMPLES,
            "jdk.ExecutionSample",
            &["stackTrace"],
        )
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let samples = samples(facts, settings);
        match measure(facts, &samples, settings) {
            None => Verdict::not_applicable(
                "no sampling period is recorded before the first window begins, as with async-profiler; HotSpots \
                 judges all kinds of samples",
            ),
            Some(None) => Verdict::ok("There were no method samples"),
            Some(Some(busiest)) => verdict(facts, &samples, &busiest, settings),
        }
    }
}

/// A sample: its end, and the method that it counts for.
type Sample = (i64, Option<Method>);

fn samples(facts: &Facts, settings: &Settings) -> Vec<Sample> {
    let mut known: BTreeMap<StackId, Option<Method>> = BTreeMap::new();
    let mut samples = Vec::new();
    for row in facts.table("jdk.ExecutionSample").rows() {
        let method = row.stack().and_then(|s| *known.entry(s).or_insert_with(|| Method::of(facts, settings, s)));
        samples.push((row.end, method));
    }
    samples
}

/// The method with the largest share of a window; `None` if no window has a period, `Some(None)` if none has samples.
fn measure(facts: &Facts, samples: &[Sample], settings: &Settings) -> Option<Option<BusiestWindow>> {
    let periods = facts.jmc_settings_of("jdk.ExecutionSample", "period");
    let periods: Vec<(i64, i64)> =
        periods.iter().filter_map(|s| Some((s.at, jfr_analyzers::events::parse_timespan(s.value)?))).collect();
    let mut best: Option<BusiestWindow> = None;
    let mut any = false;
    for window in sliding(facts.first_end(), facts.end(), settings.nanos("window")) {
        let place = |time: i64| periods.partition_point(|(at, _)| *at < time);
        let cuts = periods.get(place(window.from)..place(window.to.saturating_add(1))).unwrap_or_default();
        any |= !cuts.is_empty();
        // The first recorded period, once it is known; earlier windows have none.
        let Some((_, period)) = periods.first().filter(|(at, period)| *at <= window.from && *period > 0) else {
            continue;
        };
        any = true;
        let to = cuts.last().map_or(window.to, |(at, _)| *at);
        let possible = SAMPLES_A_PERIOD * window.length() as f64 / *period as f64;
        let Some((count, all, stack)) = most_frequent(samples, window.from, to) else { continue };
        let value = count / possible / cuts.len().max(1) as f64;
        if best.as_ref().is_none_or(|b| value > b.value) {
            let covered = window.within(facts.window()).length() as f64;
            best = Some(BusiestWindow {
                value,
                count,
                share: count / all,
                stack,
                window: (window.from, window.to),
                shown: (value * ratio(window.length() as f64, covered)).min(1.0),
            });
        }
    }
    any.then_some(best)
}

/// The number of samples of the most frequent method in a window, the number of all samples, and a stack with it.
fn most_frequent(samples: &[Sample], from: i64, to: i64) -> Option<(f64, f64, StackId)> {
    let first = samples.partition_point(|(at, _)| *at < from);
    let mut counts: InOrder<FunctionId, (f64, StackId)> = InOrder::default();
    let mut all = 0.0;
    for (_, method) in samples.iter().skip(first).take_while(|(at, _)| *at <= to) {
        all += 1.0;
        if let Some(method) = method {
            counts.get_or(method.function, || (0.0, method.stack)).0 += 1.0;
        }
    }
    let (count, stack) = counts.into_values().max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some((count, all, stack))
}

fn verdict(facts: &Facts, samples: &[Sample], found: &BusiestWindow, settings: &Settings) -> Verdict {
    let score = |value: f64| map_sigmoid(value, 0.0, 100.0, 150.0, 0.03333, 7.0);
    let method = Method::of(facts, settings, found.stack).map_or("?", |m| facts.method(m.frame));
    let all = samples.iter().filter_map(|(_, m)| Some((m.as_ref()?.stack, 1.0)));
    let verdict = Verdict::scored(
        score(found.shown),
        format!(
            "{method} takes {} of the possible samples in its busiest window",
            rounded_percent(found.shown * 100.0)
        ),
    )
    .jmc(Severity::of_score(score(found.value)))
    .explain(MethodProfiling::WHY)
    .remedy(MethodProfiling::REMEDY)
    .cost(Cost::cpu(found.share))
    // A hot method is not a problem in itself.
    .at_most(if found.count * found.share >= MANY { Severity::Info } else { Severity::Ok })
    .with("method", method)
    .with("share of possible samples", Value::share(found.shown))
    .with("share of samples in the window", Value::share(found.share))
    .with("window", Value::window(found.window.0, found.window.1))
    .with("stack", facts.stack_value(found.stack, 20))
    .with("top methods", facts.top_methods(all, 10, |n| Value::number(n, "samples")));
    overhead::carry(facts, verdict)
}

struct BusiestWindow {
    value: f64,
    count: f64,
    share: f64,
    stack: StackId,
    window: (i64, i64),
    /// The value relative to the possible samples in the part of the window that the recording covers.
    shown: f64,
}

/// The topmost method of a stack that is not excluded.
#[derive(Debug, Clone, Copy)]
struct Method {
    function: FunctionId,
    frame: jfrkit_profile::FrameId,
    stack: StackId,
}

impl Method {
    fn of(facts: &Facts, settings: &Settings, stack: StackId) -> Option<Self> {
        let is_method = |method: &str| !method.starts_with('[');
        let frame = facts.frames(stack).iter().copied().find(|f| {
            let method = facts.method(*f);
            is_method(method) && !settings.matches("exclude", class_of(class_of(method)))
        })?;
        Some(Self { function: facts.function_of(frame), frame, stack })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::stack;

    /// One sample every 20 ms, starting after the setting.
    fn scene(samples: i64, method: &str) -> Scene {
        let scene = Scene::new()
            .setting("jdk.ExecutionSample", "period", "20 ms")
            .event("jdk.ActiveSetting", 0, 0, [])
            .event("jdk.CPULoad", 1_000, 1_000, []);
        (1..=samples).fold(scene, |s, i| {
            let at = i * 20_000_000;
            s.event("jdk.ExecutionSample", at, at, [("stackTrace", stack(&["java.util.HashMap.get", method]))])
        })
    }

    #[test]
    fn a_hot_method_is_found_behind_the_jdks() {
        let hot = scene(4_000, "a.B.hot");
        let verdict = hot.verdict(&MethodProfiling);
        assert_eq!((verdict.severity, hot.as_jmc(&MethodProfiling)), (Severity::Info, Severity::Warning));
        assert_eq!(scene(10, "a.B.cold").as_jmc(&MethodProfiling), Severity::Ok);
        assert_eq!(Scene::new().as_jmc(&MethodProfiling), Severity::NotApplicable);
    }
}
