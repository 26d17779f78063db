//! `HeapInspectionGc`: collections triggered by heap histograms.

use super::causes::Causes;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::map_exp74;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Section, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::things;

/// Collections triggered by heap histograms. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeapInspectionGc;

impl HeapInspectionGc {
    /// Why it matters.
    const WHY: &str = "To count objects, the JVM stops the application and collects the whole heap.";
    /// What to do.
    const REMEDY: &str =
        "Disable jdk.ObjectCount, and do not take histograms (jmap -histo, jcmd GC.class_histogram) in production.";
}

impl Rule for HeapInspectionGc {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("HeapInspectionGc")
            .title("GC caused by heap histograms")
            .category(Category::Gc)
            .description("Whether a heap histogram, or the event jdk.ObjectCount, triggered collections.")
            .formula("25 at `info` such collections, never more than 74.")
            .settings(const { &[Setting::count("info", 1.0, "Collections that are worth a look")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Causes::needs()
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let causes = Causes::of(facts);
        if causes.inspection == 0 {
            return Verdict::ok("No heap histogram triggered a collection");
        }
        Verdict::scored(
            map_exp74(causes.inspection as f64, settings.number("info")),
            format!("Heap histograms triggered {}", things(causes.inspection, "collection", "collections")),
        )
        .explain(HeapInspectionGc::WHY)
        .remedy(HeapInspectionGc::REMEDY)
        .section(Section::Recording)
        .with("collections", Value::count(causes.inspection, "collections"))
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
    fn one_is_worth_a_look() {
        let of = |cause: &str| {
            let scene = Scene::new().event("jdk.GarbageCollection", 0, 0, [("cause", cause.into())]);
            scene.verdict(&HeapInspectionGc).severity
        };
        assert_eq!(of("Heap Inspection Initiated GC"), Severity::Info);
        assert_eq!(of("System.gc()"), Severity::Ok);
    }
}
