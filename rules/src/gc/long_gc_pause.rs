//! `LongGcPause`: the longest GC pause.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map_exp74, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// The longest single pause. Needs the list of pauses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LongGcPause;

impl LongGcPause {
    /// Why it matters.
    const WHY: &str = "While the collector stops the application, every request waits.";
    /// What to do.
    const REMEDY: &str = "Set a pause goal, or use a collector that runs concurrently: ZGC or Shenandoah.";
}

impl Rule for LongGcPause {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("LongGcPause")
            .title("Long GC pause")
            .category(Category::Gc)
            .description("The longest single pause of the garbage collector.")
            .formula("25 if the longest pause takes `info`, never more than 74.")
            .settings(const { &[Setting::seconds("info", 1.0, "Pause that is worth a look")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .enabled("jdk.GCPhasePause")
            .enabled("jdk.GCPhasePauseLevel1")
            .enabled("jdk.GCConfiguration")
            .enabled("jdk.GCHeapConfiguration")
            .table("jdk.GCPhasePause", &["name", "gcId"])
            .table("jdk.GCPhasePauseLevel1", &["name", "gcId"])
            .table("jdk.GarbageCollection", &["gcId", "name", "cause"])
            .table("jdk.GCHeapSummary", &["when", "heapUsed", "gcId"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let Some(longest) = facts.table("jdk.GCPhasePause").rows().max_by_key(|p| p.nanos()) else {
            return Verdict::ok("There were no GC pauses");
        };
        let score = map_exp74(longest.nanos() as f64, settings.number("info") * 1e9);
        let after: Vec<f64> = facts
            .table("jdk.GCHeapSummary")
            .rows()
            .filter(|s| s.text("when") == Some("After GC"))
            .filter_map(|s| s.float("heapUsed"))
            .collect();
        let live = ratio(after.iter().sum(), after.len() as f64);
        let max = facts.max_heap();
        let collection = facts.table("jdk.GarbageCollection").rows().find(|c| c.int("gcId") == longest.int("gcId"));
        let mut advice = Vec::new();
        if score >= 25.0 {
            if max.is_some_and(|max| live > 0.0 && live < max as f64 / 2.0) {
                advice.push("Less than half of the heap is used after collections: a smaller heap may be enough.");
            }
            let references = facts
                .table("jdk.GCPhasePauseLevel1")
                .rows()
                .any(|p| p.text("name").is_some_and(|n| n.contains("Reference")) && p.nanos() > longest.nanos() / 3);
            if references {
                advice.push(
                    "References took much of the pause: check weak, soft and phantom references and finalizers, and \
                     try -XX:+ParallelRefProcEnabled.",
                );
            }
            if facts.old_collector().is_some_and(|c| matches!(c, "SerialOld" | "ParallelOld" | "ConcurrentMarkSweep")) {
                advice.push("G1, ZGC and Shenandoah are designed for shorter pauses.");
            }
        }
        Verdict::scored(score, format!("The longest GC pause took {}", units::duration(longest.nanos())))
            .explain(LongGcPause::WHY)
            .remedy(advice.join(" "))
            .cost(Cost::elapsed(ratio(longest.nanos() as f64, facts.nanos() as f64)))
            .with("longest pause", Value::nanos(longest.nanos()))
            .with("window", Value::window(longest.start, longest.end))
            .with_some("collection", collection.and_then(|c| c.text("name")))
            .with_some("cause", collection.and_then(|c| c.text("cause")))
            .with("mean use after collections", Value::bytes(live))
            .with_some("largest heap allowed", max.map(|m| Value::bytes(m as f64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_long_pause_is_worth_a_look_and_never_more() {
        let of = |nanos: i64| {
            ["GCPhasePause", "GCPhasePauseLevel1", "GCConfiguration", "GCHeapConfiguration"]
                .iter()
                .fold(Scene::new(), |scene, event| scene.enabled(&format!("jdk.{event}")))
                .event("jdk.GCPhasePause", 0, nanos, [])
                .verdict(&LongGcPause)
                .severity
        };
        assert_eq!(of(1_100_000_000), Severity::Info);
        assert_eq!(of(900_000_000_000), Severity::Info);
        assert_eq!(of(10_000_000), Severity::Ok);
        assert_eq!(Scene::new().verdict(&LongGcPause).severity, Severity::NotApplicable);
    }
}
