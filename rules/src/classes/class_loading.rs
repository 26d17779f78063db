//! `ClassLoading`: slow class loading.

use crate::cost;
use jfr_analyzers::events::{Facts, Group, GroupBy, Needs};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::duration_f64;

/// Time spent in class loading. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClassLoading;

const LOADS: GroupBy = GroupBy::of(&["jdk.ClassLoad"]).by(&["eventThread"]).measure(&["duration"]);

impl ClassLoading {
    /// Why it matters.
    const WHY: &str = "Loading a class includes reading, verifying and linking it, and waiting for other loaders.";
    /// What to do.
    const REMEDY: &str = "Use class data sharing (-XX:SharedArchiveFile), shorten the class path, or load classes \
        ahead of time.";
}

impl Rule for ClassLoading {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("ClassLoading")
            .title("Class loading pressure")
            .category(Category::Classes)
            .description("Whether class loading takes long.")
            .formula(
                "Worth a look if the longest load takes more than `longest`, or all loads together more than \
                      `share` of the time from the first to the last.",
            )
            .settings(
                const {
                    &[
                        Setting::seconds("longest", 1.0, "Duration of a load that is worth a look"),
                        Setting::percent("share", 10.0, "Share of the time that is worth a look"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().enabled("jdk.ClassLoad").groups(LOADS))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let groups = facts.groups(&LOADS);
        let Some(all) = groups.total() else { return Verdict::ok("No class was loaded") };
        let share = ratio(all.sum("duration"), all.last().saturating_sub(all.first()) as f64);
        let slow = all.max("duration") > settings.number("longest") * 1e9 || share * 100.0 > settings.number("share");
        let summary = format!(
            "Class loading took {}, the longest load {}",
            duration_f64(all.sum("duration")),
            duration_f64(all.max("duration"))
        );
        let verdict = if slow { Verdict::info(summary) } else { Verdict::ok(summary) };
        let mut threads: Vec<_> = groups.iter().collect();
        threads.sort_by(|a, b| b.sum("duration").total_cmp(&a.sum("duration")));
        // A load contains those of the superclasses, so a sum may be longer than the time in which they ran.
        let loading = |g: &Group<'_>| g.sum("duration").min(g.last().saturating_sub(g.first()) as f64);
        let spent: f64 = threads.iter().map(loading).sum();
        let rows = threads.iter().take(5).map(|g| {
            [
                g.thread("eventThread").map_or("?", |t| t.name.as_str()).into(),
                Value::count(g.count(), "classes"),
                Value::nanos_f64(g.sum("duration")),
            ]
        });
        verdict
            .explain(ClassLoading::WHY)
            .remedy(ClassLoading::REMEDY)
            .cost(cost::waited(facts, spent))
            .with("classes", Value::count(all.count(), "classes"))
            .with("time", Value::nanos_f64(all.sum("duration")))
            .with("longest", Value::nanos_f64(all.max("duration")))
            .with("share of the time", Value::share(share))
            .with("threads", Value::table(["thread", "classes", "time"], rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_long_load_and_many_loads() {
        let second = 1_000_000_000;
        let of = |nanos: i64| {
            Scene::new()
                .event("jdk.ClassLoad", 0, nanos, [])
                .event("jdk.ClassLoad", 100 * second, 100 * second + 1, [])
                .verdict(&ClassLoading)
                .severity
        };
        assert_eq!(of(2 * second), Severity::Info);
        assert_eq!(of(second / 2), Severity::Ok);
        assert_eq!(Scene::new().event("jdk.ClassLoad", 0, 9, []).verdict(&ClassLoading).severity, Severity::Info);
    }
}
