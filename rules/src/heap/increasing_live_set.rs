//! `IncreasingLiveSet`: the heap fills up.

use std::collections::BTreeMap;

use crate::series::ascending;
use jfr_analyzers::events::{Facts, Needs, Presence};
use jfr_analyzers::math::{map_exp100, ratio, slope_mib_per_second};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};

/// Whether the heap used after collections grows. Needs the tables of `jdk.GCHeapSummary`, `jdk.ClassLoadingStatistics`
/// and `jdk.OldObjectSample`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IncreasingLiveSet;

/// The least number of collections after the warm-up that can show a trend.
const ENOUGH: usize = 8;
/// The most collections whose pairs are compared.
const MOST: usize = 200;

/// Growth, as a share of the largest heap, below which it is noise.
const GROWN: f64 = 0.1;
/// The time after the warm-up, in nanoseconds, needed to tell a trend from a starting program.
const WATCHED: i64 = 120_000_000_000;

impl IncreasingLiveSet {
    /// Why it matters.
    const WHY: &str = "If the heap used after collections keeps growing, the heap will be full some day.";
    /// What to do.
    const REMEDY: &str = "Look at the classes of old objects and at what holds them; record with \
                          path-to-gc-roots=true.";
}

impl Rule for IncreasingLiveSet {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("IncreasingLiveSet")
            .title("Growing live set")
            .category(Category::Heap)
            .description("Whether the heap used after collections grows, as it does if memory leaks.")
            .formula(
                "The least-squares slope of the heap used after collections (whole MiB over whole seconds), divided by \
                      the first use after the warm-up: 75 at `warning` per second. The warm-up ends when `warm-up` of \
                      all classes are loaded. At most 74 if there is no collection of the old generation; in that case \
                      the rule does not apply with `young` young collections or fewer.",
            )
            .unlike_jmc(
                "If old objects are sampled but none has a path to a root, or if they are not sampled at all, \
                          JMC ignores the trend and reports no problem. In jfrkit the trend always decides; the \
                          samples are evidence. For JMC any slope is a trend; for jfrkit, the heap used after \
                          collections has to rise in `rising` of all pairs of collections after the warm-up, eight \
                          collections or more, to rule out normal fluctuation, and by a tenth of the largest heap over \
                          two minutes or more. It is at most worth a look, because HeapLeakForecast reports when the \
                          heap will be full.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("warning", 1.0, "Growth per second to act on"),
                        Setting::percent("warm-up", 90.0, "Share of classes that are loaded at the end of the warm-up"),
                        Setting::percent("rising", 80.0, "Share of pairs of collections that have to show growth"),
                        Setting::count("young", 4.0, "Young collections that are too few to judge"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .enabled("jdk.GCHeapSummary")
            .table("jdk.GCHeapSummary", &["when", "heapUsed", "gcId"])
            .table("jdk.ClassLoadingStatistics", &["loadedClassCount"])
            .table_up_to(10_000, "jdk.OldObjectSample", &["object.type", "objectAge", "allocationTime", "stackTrace"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts, settings) {
            Ok(measured) => verdict(facts, &measured, settings),
            Err(because) => Verdict::not_applicable(because),
        }
    }
}

/// The heap used after collections.
struct Measured {
    /// The end of the warm-up.
    warm: i64,
    /// Bytes in use after the first collection after the warm-up, and after the last collection.
    base: i64,
    last: i64,
    /// The time from the end of the warm-up to the last collection, in nanoseconds.
    watched: i64,
    /// In MiB per second, over the whole recording.
    slope: f64,
    /// The share of pairs of collections after the warm-up that go up, 0 to 1.
    up: f64,
    /// Whether there were collections of the old generation.
    old: bool,
}

impl Measured {
    /// Growth per second as a percentage of the use after warm-up.
    fn rise(&self) -> f64 {
        self.slope * 1_048_576.0 / self.base.max(1) as f64 * 100.0
    }
}

/// The error is why there is no trend.
fn measure(facts: &Facts, settings: &Settings) -> Result<Measured, String> {
    let classes = facts.table("jdk.ClassLoadingStatistics");
    let most = classes.floats("loadedClassCount").fold(0.0, f64::max);
    let limit = most * settings.number("warm-up") / 100.0;
    let Some(warm) = classes.rows().find(|r| r.float("loadedClassCount").is_some_and(|n| n > limit)) else {
        return Err("the end of the warm-up is unknown without jdk.ClassLoadingStatistics".to_owned());
    };
    let points: Vec<(i64, i64)> = facts
        .table("jdk.GCHeapSummary")
        .rows()
        .filter(|r| r.text("when") == Some("After GC"))
        .filter_map(|r| Some((r.end, r.int("heapUsed")?)))
        .collect();
    let after: Vec<(i64, i64)> = points.iter().copied().filter(|(at, _)| *at > warm.end).collect();
    let (Some((_, base)), Some((end, last))) = (after.first(), points.last()) else {
        return Err("there was no collection after the warm-up".to_owned());
    };
    if after.len() < ENOUGH {
        return Err(format!(
            "too few collections after the warm-up to see a trend: {} of at least {ENOUGH}",
            after.len()
        ));
    }
    let old = facts.count("jdk.OldGarbageCollection") > 0;
    if !old && facts.count("jdk.YoungGarbageCollection") as f64 <= settings.number("young") {
        return Err("there were too few collections".to_owned());
    }
    let step = after.len().div_ceil(MOST).max(1);
    let thinned: Vec<(f64, f64)> = after.iter().step_by(step).map(|(at, used)| (*at as f64, *used as f64)).collect();
    Ok(Measured {
        warm: warm.end,
        base: *base,
        last: *last,
        watched: end.saturating_sub(warm.end),
        slope: slope_mib_per_second(&points),
        up: ascending(&thinned),
        old,
    })
}

fn verdict(facts: &Facts, measured: &Measured, settings: &Settings) -> Verdict {
    let Measured { warm, base, last, slope, up, .. } = measured;
    let rise = measured.rise();
    let score = map_exp100(rise, settings.number("warning"));
    let score = if measured.old { score } else { score.min(74.0) };
    let steady = up * 100.0 >= settings.number("rising");
    let unsteady = if steady { "" } else { ", but does not rise steadily" };
    let summary =
        format!("The heap used after collections changes by {slope:.3} MiB per second ({rise:.2} % of it){unsteady}");
    // Growth alone is not a leak. HeapLeakForecast asks whether it fills the heap, this rule whether it matters.
    let max = facts.max_heap().unwrap_or(*last).max(1) as f64;
    let grown = ratio(last.saturating_sub(*base) as f64, max);
    let shown = if grown >= GROWN && measured.watched >= WATCHED { Severity::Info } else { Severity::Ok };
    let verdict = Verdict::scored(if steady { score } else { 0.0 }, summary)
        .explain(IncreasingLiveSet::WHY)
        .remedy(IncreasingLiveSet::REMEDY)
        .cost(Cost::memory(ratio(*last as f64, max)))
        .at_most(shown)
        .with("growth a second", Value::bytes(slope * 1_048_576.0))
        .with("growth a second, relative", Value::number(rise, "% a second"))
        .with("pairs of collections that go up", Value::share(*up))
        .with("end of warm-up", Value::instant(*warm))
        .with("use after warm-up", Value::bytes(*base as f64))
        .with("last use", Value::bytes(*last as f64))
        .with_some("JVM start", facts.jvm().start.map(Value::instant));
    if facts.presence("jdk.OldObjectSample") < Presence::Available {
        return verdict;
    }
    verdict.with("old objects allocated after the warm-up", old_objects(facts, *warm))
}

/// The classes of sampled old objects that were allocated after the warm-up.
fn old_objects(facts: &Facts, warm: i64) -> Value {
    let mut old: BTreeMap<&str, u64> = BTreeMap::new();
    for row in facts.table("jdk.OldObjectSample").rows() {
        let allocated = row.int("allocationTime").unwrap_or(row.start);
        if allocated > warm {
            *old.entry(row.text("object.type").unwrap_or("?")).or_default() += 1;
        }
    }
    let mut old: Vec<(&str, u64)> = old.into_iter().collect();
    old.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let rows = old.into_iter().take(10).map(|(class, n)| [class.into(), Value::count(n, "samples")]);
    Value::table(["class", "samples"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::{SceneSnapshot, assert_snapshot};
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn scene(mib: impl Fn(i64) -> i64, old: i64, young: i64) -> Scene {
        let second = 1_000_000_000;
        let scene = Scene::new().event("jdk.ClassLoadingStatistics", 0, 0, [("loadedClassCount", 100.into())]);
        let scene = (0..old).fold(scene, |s, i| s.event("jdk.OldGarbageCollection", i, i, []));
        let scene = (0..young).fold(scene, |s, i| s.event("jdk.YoungGarbageCollection", i, i, []));
        (1..40i64).fold(scene, |s, i| {
            s.event(
                "jdk.GCHeapSummary",
                i * second,
                i * second,
                [("when", "After GC".into()), ("heapUsed", ((100 + mib(i)) << 20).into())],
            )
        })
    }

    #[test]
    fn growth_is_found_and_young_collections_alone_prove_less() {
        assert_eq!(scene(|i| 5 * i, 3, 10).as_jmc(&IncreasingLiveSet), Severity::Warning);
        assert_eq!(scene(|i| 5 * i, 0, 10).as_jmc(&IncreasingLiveSet), Severity::Info);
        assert_eq!(scene(|i| 5 * i, 0, 3).as_jmc(&IncreasingLiveSet), Severity::NotApplicable);
        assert_eq!(scene(|_| 0, 3, 10).as_jmc(&IncreasingLiveSet), Severity::Ok);
    }

    #[test]
    fn a_heap_that_breathes_does_not_grow() {
        let verdict = scene(|i| i / 2 + 6 * (i % 10), 3, 10).verdict(&IncreasingLiveSet);
        assert_snapshot("IncreasingLiveSet", &verdict);
    }
}
