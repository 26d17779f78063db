//! `HeapFull`: how full the heap still is after a collection.

use crate::heap::{AfterGc, SUMMARY_FIELDS, after_collections};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::size_f64;

/// How full the heap still is after collections. Needs the tables of `jdk.GCHeapSummary`, `jdk.GarbageCollection` and
/// `jdk.G1GarbageCollection`.
///
/// Fires on `fixtures/scenarios/heap-full.jfr.gz` and on synthetic collections; quiet on `allocation-rate` and `leak`
/// (71 % at its end).
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeapFull;

/// The least number of collections for a verdict.
const ENOUGH: usize = 5;
/// With this many collections of the old generation, the young ones do not count.
const ENOUGH_WHOLE: usize = 3;
/// The 90th percentile.
const SHARE: f64 = 0.9;

impl HeapFull {
    /// Why it matters.
    const WHY: &str = "Objects that survive a collection are still in use. The less free space is left, the more often \
                       the collector runs, the more CPU time it takes, and the closer the program is to an \
                       OutOfMemoryError.";
    /// What to do.
    const REMEDY: &str = "Give the heap more room (-Xmx, -XX:MaxRAMPercentage) or keep fewer objects: look at \
                          HeapLeakForecast, at caches and sessions, and at duplicate strings.";
}

impl Rule for HeapFull {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("HeapFull")
            .title("Heap full after collections")
            .category(Category::Heap)
            .description("How full the heap still is after a collection.")
            .formula(
                "heapUsed of jdk.GCHeapSummary after collections, over the largest heap size: the 90th \
                      percentile, 25 at `info`, 75 at `warning` (after jafar). With three or more collections of the \
                      old generation (mixed and full ones), only these count. If there are only young collections, \
                      which leave the garbage of the old generation, it is at most worth a look.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 75.0, "Heap usage that is worth a look"),
                        Setting::percent("warning", 90.0, "Heap usage to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .available("jdk.GCHeapSummary")
            .table("jdk.GCHeapSummary", SUMMARY_FIELDS)
            .table("jdk.GarbageCollection", &["gcId", "name", "cause"])
            .table("jdk.G1GarbageCollection", &["gcId", "type"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let all = after_collections(facts);
        let whole: Vec<AfterGc> = all.iter().copied().filter(|p| p.whole).collect();
        let only_whole = whole.len() >= ENOUGH_WHOLE;
        let mut points = if only_whole { whole } else { all };
        if points.len() < ENOUGH && !only_whole {
            return Verdict::not_applicable(format!("{} collections are too few to judge", points.len()));
        }
        let reserved = points.iter().map(|p| p.reserved).reduce(f64::max);
        let Some(max) = facts.max_heap().map(|m| m as f64).or(reserved).filter(|m| *m > 0.0) else {
            return Verdict::not_applicable("the recording does not contain the maximum heap size");
        };
        let last = points.last().map_or(0.0, |p| p.used);
        let window = points.first().zip(points.last()).map(|(a, b)| Value::window(a.at, b.at));
        points.sort_by(|a, b| a.used.total_cmp(&b.used));
        let used = high(&points);
        let share = ratio(used, max);
        let score = map2(share * 100.0, settings.number("info"), settings.number("warning"));
        let kind = if only_whole { "old-generation collections" } else { "collections" };
        Verdict::scored(
            if only_whole { score } else { score.min(74.0) },
            format!(
                "After {kind}, the heap is still up to {:.0} % full ({} of {})",
                share * 100.0,
                size_f64(used),
                size_f64(max)
            ),
        )
        .explain(HeapFull::WHY)
        .remedy(HeapFull::REMEDY)
        .cost(Cost::memory(share))
        .with("full", Value::share(share))
        .with("used", Value::bytes(used))
        .with("largest heap", Value::bytes(max))
        .with("used after the last", Value::bytes(last))
        .with("points", Value::count(points.len() as u64, kind))
        .with_some("window", window)
    }
}

/// The 90th percentile of the points, which are sorted by use.
fn high(points: &[AfterGc]) -> f64 {
    let at = jfr_analyzers::math::to_i64((points.len() as f64 * SHARE).ceil()).saturating_sub(1);
    let at = usize::try_from(at).unwrap_or(0).min(points.len().saturating_sub(1));
    points.get(at).map_or(0.0, |p| p.used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn scene(collector: &str) -> Scene {
        let scene = Scene::new().event("jdk.GCHeapConfiguration", 0, 0, [("maxSize", 1_000.into())]);
        (0..10i64).fold(scene, |scene, i| {
            let (at, collection) = (i * SECOND, [("gcId", i.into()), ("name", collector.into())]);
            let fields = [("gcId", i.into()), ("when", "After GC".into()), ("heapUsed", 950.into())];
            scene.event("jdk.GarbageCollection", at, at, collection).event("jdk.GCHeapSummary", at, at, fields)
        })
    }

    #[test]
    fn a_full_heap_is_found() {
        fixture::expect("HeapFull", "scenarios/heap-full", Severity::Warning);
        assert_eq!(scene("G1Full").verdict(&HeapFull).severity, Severity::Warning);
    }

    #[test]
    fn garbage_that_goes_and_a_heap_on_its_way_are_fine() {
        fixture::expect("HeapFull", "scenarios/allocation-rate", Severity::Ok);
        // 71 % at its end; HeapLeakForecast reports it.
        fixture::expect("HeapFull", "scenarios/leak", Severity::Ok);
    }

    #[test]
    fn after_young_collections_it_is_worth_a_look_at_most() {
        assert_eq!(scene("G1New").verdict(&HeapFull).severity, Severity::Info);
    }

    #[test]
    fn few_collections_say_nothing() {
        fixture::expect("HeapFull", "scenarios/healthy", Severity::NotApplicable);
    }
}
