//! `ClassLeak`: the same class is loaded repeatedly.

use std::collections::HashMap;

use crate::common::things;
use crate::cost;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::{map_exp100, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};

/// Classes of the same name that are loaded repeatedly and never unloaded. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClassLeak;

const LOADS: GroupBy = GroupBy::of(&["jdk.ClassLoad"]).by(&["loadedClass"]);
const STATISTICS: &str = "jdk.ClassLoadingStatistics";
const UNLOADS: GroupBy = GroupBy::of(&["jdk.ClassUnload"]).by(&["unloadedClass"]);

impl ClassLeak {
    /// Why it matters.
    const WHY: &str = "Each class loader that defines a class again retains it, and everything that it references.";
    /// What to do.
    const REMEDY: &str = "Find the class loaders that are created repeatedly and retained.";
}

impl Rule for ClassLeak {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("ClassLeak")
            .title("Class leak")
            .category(Category::Classes)
            .description("Whether classes of the same name are loaded repeatedly and never unloaded.")
            .formula("Loads minus unloads by class name; three quarters of a score that is 75 at `warning`.")
            .differences("As in JMC, classes of the same name from different loaders count as one.")
            .settings(const { &[Setting::count("warning", 25.0, "Loads of a class that score three quarters of 75")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::class_needs(Needs::new())
            .enabled("jdk.ClassLoad")
            .enabled("jdk.ClassUnload")
            .groups(LOADS)
            .groups(UNLOADS)
            .table(STATISTICS, &["loadedClassCount"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let unloads: HashMap<_, u64> =
            facts.groups(&UNLOADS).iter().map(|g| (g.key("unloadedClass"), g.count())).collect();
        let mut classes: Vec<(u64, &str)> = facts
            .groups(&LOADS)
            .iter()
            .map(|g| {
                let unloaded = unloads.get(&g.key("loadedClass")).copied().unwrap_or(0);
                (g.count().saturating_sub(unloaded), g.text("loadedClass").unwrap_or("?"))
            })
            .collect();
        classes.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let Some((most, name)) = classes.first().copied() else { return Verdict::ok("No class was loaded") };
        // Classes that are there more than once, as a share of all.
        let extra = classes.iter().map(|(n, _)| n.saturating_sub(1)).fold(0u64, u64::saturating_add) as f64;
        let loaded = classes.iter().map(|(n, _)| *n).fold(0u64, u64::saturating_add) as f64;
        let all = facts.table(STATISTICS).floats("loadedClassCount").fold(loaded, f64::max);
        let score = 0.75 * map_exp100(most as f64, settings.number("warning"));
        let rows = classes.iter().take(5).map(|(n, class)| [(*class).into(), Value::count(*n, "loads")]);
        Verdict::scored(score, format!("{name} was loaded {} without being unloaded", things(most, "time", "times")))
            .explain(ClassLeak::WHY)
            .remedy(ClassLeak::REMEDY)
            .cost(cost::classes(facts, ratio(extra, all)))
            // By name only; MetaspaceChurn counts the loaders.
            .at_most(Severity::Info)
            .with("classes", Value::table(["class", "loads"], rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn loads_without_unloads_count() {
        let of = |loads: i64, unloads: i64| {
            let scene = Scene::new().enabled("jdk.ClassUnload").enabled("jdk.ClassLoad");
            let scene = (0..loads).fold(scene, |s, i| s.event("jdk.ClassLoad", i, i, [("loadedClass", "a.B".into())]));
            let scene =
                (0..unloads).fold(scene, |s, i| s.event("jdk.ClassUnload", i, i, [("unloadedClass", "a.B".into())]));
            scene.verdict(&ClassLeak).severity
        };
        assert_eq!(of(10, 0), Severity::Info);
        assert_eq!(of(10, 9), Severity::Ok);
        assert_eq!(of(0, 0), Severity::Ok);
    }
}
