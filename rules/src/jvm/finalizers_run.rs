//! `FinalizersRun`: finalizers of application classes.

use std::collections::BTreeMap;

use crate::cost;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// Whether finalizers of application classes run. Needs the finalizer statistics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FinalizersRun;

impl FinalizersRun {
    /// Why it matters.
    const WHY: &str = "Objects with a finalizer live longer and release their resources late. Finalization will be \
                       removed from the JDK.";
    /// What to do.
    const REMEDY: &str = "Use try-with-resources or java.lang.ref.Cleaner.";
}

impl Rule for FinalizersRun {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("FinalizersRun")
            .title("Finalizers")
            .category(Category::Jvm)
            .description("Whether finalizers of classes outside the JDK ran.")
            .formula("Worth a look if any finalizer ran.")
            .unlike_jmc(
                "JMC adds up counters that already count from JVM startup; jfrkit takes the last count of \
                          each class.",
            )
            .settings(
                const {
                    &[Setting::regex(
                        "exclude",
                        r"^(java|javax|sun|com\.sun|jdk|scala|kotlin|kotlinx|groovy|closure)\.",
                        "Classes to ignore",
                    )]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::memory_needs(cost::needs(Needs::new()))
            .available("jdk.FinalizerStatistics")
            .table("jdk.FinalizerStatistics", &["finalizableClass", "totalFinalizersRun", "objects"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let mut classes: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for row in facts.table("jdk.FinalizerStatistics").rows() {
            let Some(class) = row.text("finalizableClass").filter(|c| !settings.matches("exclude", c)) else {
                continue;
            };
            // Events come in time order, so the last one stays.
            classes.insert(class, (row.int("totalFinalizersRun").unwrap_or(0), row.int("objects").unwrap_or(0)));
        }
        classes.retain(|_, (run, _)| *run > 0);
        if classes.is_empty() {
            return Verdict::ok("No finalizers of application classes ran");
        }
        let mut classes: Vec<_> = classes.into_iter().collect();
        classes.sort_by_key(|(_, (run, _))| std::cmp::Reverse(*run));
        let total = classes.iter().fold(0i64, |sum, (_, (run, _))| sum.saturating_add(*run));
        let waiting = classes.iter().fold(0i64, |sum, (_, (_, objects))| sum.saturating_add(*objects));
        let kept = cost::finalizable(facts, waiting as f64);
        let rows = classes.iter().take(10).map(|(class, (run, waiting))| {
            [(*class).into(), Value::number(*run as f64, "finalizers"), Value::number(*waiting as f64, "objects")]
        });
        Verdict::info(format!(
            "{} ran in {}",
            units::things(total.unsigned_abs(), "finalizer", "finalizers"),
            units::things(classes.len() as u64, "class", "classes")
        ))
        .explain(FinalizersRun::WHY)
        .remedy(FinalizersRun::REMEDY)
        .estimate(kept.or_else(|| Some(cost::finalized(facts, total as f64))))
        .with("classes", Value::table(["class", "run", "waiting"], rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn the_programs_own_count() {
        let of = |class: &str, run: i64| {
            Scene::new()
                .event(
                    "jdk.FinalizerStatistics",
                    0,
                    0,
                    [("finalizableClass", class.into()), ("totalFinalizersRun", run.into())],
                )
                .as_jmc(&FinalizersRun)
        };
        assert_eq!(of("a.B", 3), Severity::Info);
        assert_eq!(of("a.B", 0), Severity::Ok);
        assert_eq!(of("java.io.FileInputStream", 3), Severity::Ok);
    }
}
