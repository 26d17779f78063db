//! `GarbageCollectionInfoRule`: what the collections were for.

use super::causes::Causes;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Verdict};

/// Counts collections by cause. Needs no list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GarbageCollectionInfoRule;

impl GarbageCollectionInfoRule {
    /// Why it matters.
    const WHY: &str = "Other rules build on it.";
}

impl Rule for GarbageCollectionInfoRule {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "GC causes",
            category: Category::Gc,
            description: "How many collections there were, and what for. The base of other rules.",
            formula: "Never a finding.",
            why: Self::WHY,
            ..RuleInfo::jmc("GarbageCollectionInfoRule")
        }
    }

    fn needs(&self) -> Needs {
        Causes::needs()
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let causes = Causes::of(facts);
        Verdict::ok(format!("There were {} collections", causes.all)).with("causes", causes.table(facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn collections_are_counted() {
        let scene = Scene::new().event("jdk.GarbageCollection", 0, 1, [("cause", "System.gc()".into())]);
        assert_eq!(scene.judge(&GarbageCollectionInfoRule).summary, "There were 1 collections");
        assert_eq!(Scene::new().judge(&GarbageCollectionInfoRule).severity, Severity::NotApplicable);
    }
}
