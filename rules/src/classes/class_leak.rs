//! `ClassLeak`: the same class is loaded repeatedly.

use std::collections::HashMap;

use crate::cost;
use jfr_analyzers::events::{Cell, Facts, GroupBy, Needs};
use jfr_analyzers::math::{map_exp100, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::things;

/// Classes of the same name that are loaded repeatedly and never unloaded. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClassLeak;

const LOADS: GroupBy = GroupBy::of(&["jdk.ClassLoad"]).by(&["loadedClass", DEFINING, INITIATING]);
/// The loader that defines the class.
const DEFINING: &str = "definingClassLoader";
/// The loader that was asked for the class. It may leave the definition to another loader: each loader that asks the
/// bootstrap loader for `java.lang.Object` makes an event, but there is only one such class.
const INITIATING: &str = "initiatingClassLoader";
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
            .formula(
                "Loads minus unloads by class name; three quarters of a score that is 75 at `warning`. A load counts \
                 only if the loader that was asked for the class defines it itself.",
            )
            .unlike_jmc(
                "JMC also counts the loads in which a loader gets the class from another one, so it reports \
                 java.lang.Object in any program with many loaders. As in JMC, classes of the same name from different \
                 loaders count as one.",
            )
            .settings(
                const {
                    &[Setting::count(
                        "warning",
                        25.0,
                        "Loads of one class that score 56 (three quarters of \
                                                                 75)",
                    )]
                },
            )
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
        verdict(facts, &measure(facts), settings)
    }
}

/// Classes that stayed loaded.
struct Measured<'f> {
    /// Whether any class was loaded.
    any: bool,
    /// Loads that define a class, without those that were unloaded; the most first.
    classes: Vec<(u64, &'f str)>,
    /// The most loads of a class as JMC counts them: all of them, without those that were unloaded.
    most_of_jmc: u64,
}

fn measure(facts: &Facts) -> Measured<'_> {
    let unloads: HashMap<_, u64> = facts.groups(&UNLOADS).iter().map(|g| (g.key("unloadedClass"), g.count())).collect();
    // Loads that define a class, and all loads.
    let mut loads: HashMap<Cell, (u64, u64, &str)> = HashMap::new();
    for group in facts.groups(&LOADS).iter() {
        let name = group.text("loadedClass").unwrap_or("?");
        let (defined, all, _) = loads.entry(group.key("loadedClass")).or_insert((0, 0, name));
        *all = all.saturating_add(group.count());
        if group.key(DEFINING) == group.key(INITIATING) {
            *defined = defined.saturating_add(group.count());
        }
    }
    let any = !loads.is_empty();
    let (mut classes, mut most_of_jmc) = (Vec::new(), 0);
    for (class, (defined, all, name)) in loads {
        let unloaded = unloads.get(&class).copied().unwrap_or(0);
        most_of_jmc = all.saturating_sub(unloaded).max(most_of_jmc);
        classes.push((defined.saturating_sub(unloaded), name));
    }
    classes.retain(|(n, _)| *n > 0);
    classes.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    Measured { any, classes, most_of_jmc }
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let score = |most: u64| 0.75 * map_exp100(most as f64, settings.number("warning"));
    let as_jmc = Severity::of_score(score(measured.most_of_jmc));
    let classes = &measured.classes;
    let Some((most, name)) = classes.first().copied() else {
        let none = if measured.any { "No class stayed loaded" } else { "No class was loaded" };
        return Verdict::ok(none).jmc(as_jmc);
    };
    // Classes that are there more than once, as a share of all.
    let extra = classes.iter().map(|(n, _)| n.saturating_sub(1)).fold(0u64, u64::saturating_add) as f64;
    let loaded = classes.iter().map(|(n, _)| *n).fold(0u64, u64::saturating_add) as f64;
    let all = facts.table(STATISTICS).floats("loadedClassCount").fold(loaded, f64::max);
    let rows = classes.iter().take(5).map(|(n, class)| [(*class).into(), Value::count(*n, "loads")]);
    let summary = format!("{name} was loaded {} without being unloaded", things(most, "time", "times"));
    Verdict::scored(score(most), summary)
        .explain(ClassLeak::WHY)
        .remedy(ClassLeak::REMEDY)
        .cost(cost::classes(facts, ratio(extra, all)))
        .jmc(as_jmc)
        // By name only; MetaspaceChurn counts the loaders.
        .at_most(Severity::Info)
        .with("classes", Value::table(["class", "loads"], rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
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

    #[test]
    fn a_class_that_many_loaders_get_from_another_loader_is_one_class() {
        let load = |s: Scene, i: i64, class: &str, defining: Option<&str>| {
            let mut fields = vec![("loadedClass", class.into()), ("initiatingClassLoader", "fx.PluginLoader".into())];
            // The bootstrap loader is null.
            fields.extend(defining.map(|loader| ("definingClassLoader", loader.into())));
            s.event("jdk.ClassLoad", i, i, fields)
        };
        let loads = |class: &str, defining: Option<&str>| {
            let scene = Scene::new().enabled("jdk.ClassUnload");
            (0..80i64).fold(scene, |s, i| load(s, i, class, defining))
        };
        let delegated = loads("java.lang.Object", None);
        assert_eq!(delegated.verdict(&ClassLeak).severity, Severity::Ok);
        assert_eq!(delegated.as_jmc(&ClassLeak), Severity::Info);
        let own = loads("fx.Plugin", Some("fx.PluginLoader")).verdict(&ClassLeak);
        assert_eq!(own.severity, Severity::Info);
        assert_eq!(own.summary, "fx.Plugin was loaded 80 times without being unloaded");
    }

    #[test]
    fn the_planted_leak_names_the_plugins_only() {
        let verdict = fixture::expect("ClassLeak", "metaspace-leak", Severity::Info);
        assert_eq!(verdict.summary, "fx.Plugin001 was loaded 200 times without being unloaded");
        assert!(!fixture::text(&verdict).contains("java.lang.Object"), "{verdict:?}");
    }
}
