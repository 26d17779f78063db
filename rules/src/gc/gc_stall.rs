//! `GcStall`: a concurrent collector had to stop the application.

use super::causes::{AskedFor, Causes};
use crate::cost;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Severity, Value, Verdict};

/// Whether a concurrent collector fell back to a serial collection. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GcStall;

impl GcStall {
    /// Why it matters.
    const WHY: &str = "The application produced garbage faster than it was collected, or the heap was too fragmented.";
    /// What to do.
    const REMEDY: &str = "Increase the heap, or start collections earlier (-XX:InitiatingHeapOccupancyPercent).";
}

impl Rule for GcStall {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("GcStall")
            .title("Concurrent mode failure")
            .category(Category::Gc)
            .description(
                "Whether a concurrent collector could not keep up and stopped the application for a full \
                          collection.",
            )
            .formula(
                "A warning if CMS or G1 is in use and a SerialOld collection ran that was not explicit, or if there is \
                      any jdk.ConcurrentModeFailure.",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        AskedFor::needs(Causes::needs().enabled("jdk.GCConfiguration")).table("jdk.ConcurrentModeFailure", &["gcId"])
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let causes = Causes::of(facts);
        let failures = facts.count("jdk.ConcurrentModeFailure");
        let concurrent = facts.old_collector().is_some_and(|c| matches!(c, "ConcurrentMarkSweep" | "G1Old"));
        if failures == 0 && !(concurrent && causes.unasked_serial) {
            return Verdict::ok("The collector kept up with the application");
        }
        // An explicit collection aborts a marking cycle; that does not mean that the collector could not keep up.
        let asked = AskedFor::of(facts);
        let real = facts.table("jdk.ConcurrentModeFailure").rows().any(|r| !asked.near(r.start));
        let shown = if real || (concurrent && causes.unasked_serial) { Severity::Warning } else { Severity::Ok };
        Verdict::warning("The concurrent collector could not keep up and stopped the application for a full collection")
            .explain(GcStall::WHY)
            .remedy(GcStall::REMEDY)
            .cost(cost::paused(facts, causes.full_pauses))
            .at_most(shown)
            .with("concurrent mode failures", Value::count(failures, "events"))
            .with("causes", causes.table(facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn an_unasked_serial_collection_under_g1_is_found() {
        let of = |name: &str, cause: &str| {
            Scene::new()
                .event("jdk.GarbageCollection", 0, 0, [("name", name.into()), ("cause", cause.into())])
                .event("jdk.GCConfiguration", 0, 0, [("oldCollector", "G1Old".into())])
                .verdict(&GcStall)
                .severity
        };
        assert_eq!(of("SerialOld", "Allocation Failure"), Severity::Warning);
        assert_eq!(of("SerialOld", "System.gc()"), Severity::Ok);
        assert_eq!(of("G1New", "G1 Evacuation Pause"), Severity::Ok);
    }
}
