//! `FullGc`: full collections under G1 or CMS.

use super::causes::is_asked_for;
use crate::cost;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::things;

/// Full collections under a collector that should not need any. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FullGc;

const FULL: GroupBy = GroupBy::of(&["jdk.GarbageCollection"]).by(&["name", "cause"]).measure(&["duration"]);

impl FullGc {
    /// Why it matters.
    const WHY: &str = "A full collection stops the application until the whole heap is collected.";
    /// What to do.
    const REMEDY: &str = "If they are explicit, see SystemGc. Otherwise increase the heap, or start concurrent \
        marking earlier (-XX:InitiatingHeapOccupancyPercent).";
}

impl Rule for FullGc {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("FullGc")
            .title("Full GC")
            .category(Category::Gc)
            .description("Whether G1 or CMS ran full collections.")
            .formula("A warning if there is any collection named G1Full, or any OldGarbageCollection under CMS.")
            .unlike_jmc(
                "For JMC, any full collection is a warning. jfrkit ignores explicit ones, and those that the \
                          recording itself triggers for a heap histogram; the evidence lists all of them.",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().groups(FULL)
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let configuration = facts.table("jdk.GCConfiguration");
        if configuration.texts("oldCollector").any(|c| Some(c) != facts.old_collector()) {
            return Verdict::not_applicable("the recording contains JVMs with different collectors");
        }
        let full: Vec<_> = facts.groups(&FULL).iter().filter(|g| g.text("name") == Some("G1Full")).collect();
        let count = match facts.old_collector() {
            Some("ConcurrentMarkSweep") => facts.count("jdk.OldGarbageCollection"),
            Some("G1Old") => full.iter().fold(0u64, |sum, g| sum.saturating_add(g.count())),
            Some(other) => return Verdict::not_applicable(format!("the collector is {other}, not G1 or CMS")),
            None => return Verdict::not_applicable("the recording does not name the collector"),
        };
        if count == 0 {
            return Verdict::ok("No full collection ran");
        }
        let causes = full.iter().map(|g| {
            [
                g.text("cause").unwrap_or("?").into(),
                Value::count(g.count(), "collections"),
                Value::nanos_f64(g.sum("duration")),
            ]
        });
        let unasked: Vec<_> = full.iter().filter(|g| !g.text("cause").is_some_and(is_asked_for)).collect();
        let paused: f64 = unasked.iter().map(|g| g.sum("duration")).sum();
        // CMS does not use this name for its full collections.
        let shown = if full.is_empty() || !unasked.is_empty() { Severity::Warning } else { Severity::Ok };
        let verdict =
            Verdict::warning(format!("The collector ran {}", things(count, "full collection", "full collections")))
                .at_most(shown);
        let verdict = if unasked.is_empty() { verdict } else { verdict.cost(cost::paused(facts, paused)) };
        verdict
            .explain(FullGc::WHY)
            .remedy(FullGc::REMEDY)
            .with("full collections", Value::count(count, "collections"))
            .with("causes", Value::table(["cause", "count", "time"], causes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn full_collections_of_g1_are_found() {
        let of = |collector: &str, name: &str| {
            Scene::new()
                .event("jdk.GarbageCollection", 0, 0, [("name", name.into())])
                .event("jdk.GCConfiguration", 0, 0, [("oldCollector", collector.into())])
                .as_jmc(&FullGc)
        };
        assert_eq!(of("G1Old", "G1Full"), Severity::Warning);
        assert_eq!(of("G1Old", "G1New"), Severity::Ok);
        assert_eq!(of("ParallelOld", "ParallelOld"), Severity::NotApplicable);
    }
}
