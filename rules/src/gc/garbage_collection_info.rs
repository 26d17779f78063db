//! `GarbageCollectionInfoRule`: what caused the collections.

use super::causes::Causes;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Verdict};
use jfrkit_profile::units::things;

/// Counts collections by cause. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GarbageCollectionInfoRule;

impl GarbageCollectionInfoRule {
    /// Why it matters.
    const WHY: &str = "The cause shows what to look at: `Allocation Failure` and `G1 Evacuation Pause` are normal, \
                       while System.gc(), the GCLocker, metaspace and heap inspections point at something that can be \
                       avoided. Other rules build on these numbers.";
    /// What to do.
    const REMEDY: &str = "Nothing: this rule never reports a finding. For avoidable causes, see ExplicitGc, GcLocker, \
                          MetaspaceChurn, HumongousAllocation and HeapInspectionGc.";
}

impl Rule for GarbageCollectionInfoRule {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("GarbageCollectionInfoRule")
            .title("GC causes")
            .category(Category::Gc)
            .description("How many collections ran, and what caused them.")
            .formula("Never a finding; the evidence lists the causes.")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Causes::needs()
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let causes = Causes::of(facts);
        Verdict::ok(format!("The collector ran {}", things(causes.all, "collection", "collections")))
            .with("causes", causes.table(facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::{SceneSnapshot, assert_snapshot};
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn collections_are_counted() {
        let scene = Scene::new().event("jdk.GarbageCollection", 0, 1, [("cause", "System.gc()".into())]);
        assert_snapshot("GarbageCollectionInfoRule", &scene.verdict(&GarbageCollectionInfoRule));
        assert_eq!(Scene::new().verdict(&GarbageCollectionInfoRule).severity, Severity::NotApplicable);
    }
}
