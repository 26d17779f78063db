//! `FinalizerBacklog`: objects that wait for their finalizers.

use std::collections::BTreeMap;

use crate::cost;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// Objects with finalizers on the heap, by class. Needs the table of `jdk.FinalizerStatistics` (JDK 18 and later).
///
/// JMC's `FinalizersRun` adds up counters that are already cumulative; this rule uses the last statistics. Fires on
/// `fixtures/scenarios/finalizers.jfr.gz`; quiet on synthetic events; does not apply to `healthy` (JDK 17).
#[derive(Debug, Clone, Copy)]
pub(crate) struct FinalizerBacklog;

/// The first and the last reading of a class: time, objects on the heap, finalizers run so far.
#[derive(Debug, Default, Clone, Copy)]
struct Backlog {
    first: (i64, f64, f64),
    last: (i64, f64, f64),
}

impl Backlog {
    fn run_per_second(&self) -> f64 {
        let seconds = self.last.0.saturating_sub(self.first.0) as f64 / 1e9;
        ratio(self.last.2 - self.first.2, seconds)
    }
}

impl FinalizerBacklog {
    /// Why it matters.
    const WHY: &str = "An object with a finalize method survives at least one more collection than others, and a \
                       single thread runs all finalizers. If the program creates objects faster than that thread \
                       finalizes them, they fill the heap, and what they hold (files, native memory) stays open.";
    /// What to do.
    const REMEDY: &str = "Close such objects (try-with-resources), and replace finalize with java.lang.ref.Cleaner or \
                          drop it; finalization is deprecated for removal. Test the program with \
                          --finalization=disabled.";
}

impl Rule for FinalizerBacklog {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("FinalizerBacklog")
            .title("Finalizer backlog")
            .category(Category::Heap)
            .description("How many objects with a finalize method are on the heap, alive or waiting for finalization.")
            .formula(
                "The sum over classes of objects in the last jdk.FinalizerStatistics: 25 at `info`, 75 at `warning`. \
                      The cost is the minimum memory that they take, 80 bytes each. The rate in the evidence is the \
                      growth of totalFinalizersRun over time.",
            )
            .settings(
                const {
                    &[
                        Setting::count("info", 1_000.0, "Objects that are worth a look"),
                        Setting::count("warning", 100_000.0, "Objects to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::memory_needs(Needs::new())
            .enabled("jdk.FinalizerStatistics")
            .table("jdk.FinalizerStatistics", &["finalizableClass", "codeSource", "objects", "totalFinalizersRun"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let table = facts.table("jdk.FinalizerStatistics");
        let mut classes: BTreeMap<&str, Backlog> = BTreeMap::new();
        for row in table.rows() {
            let reading =
                (row.start, row.float("objects").unwrap_or(0.0), row.float("totalFinalizersRun").unwrap_or(0.0));
            let name = row.text("finalizableClass").unwrap_or("unknown class");
            classes.entry(name).or_insert(Backlog { first: reading, last: reading }).last = reading;
        }
        let mut classes: Vec<(&str, Backlog)> = classes.into_iter().collect();
        classes.sort_by(|a, b| b.1.last.1.total_cmp(&a.1.last.1));
        let Some((worst, of_worst)) = classes.first().copied() else {
            return Verdict::ok("No class with a finalizer is in use");
        };
        let objects: f64 = classes.iter().map(|(_, b)| b.last.1).sum();
        let per_second: f64 = classes.iter().map(|(_, b)| b.run_per_second()).sum();
        let grows = of_worst.last.1 > of_worst.first.1;
        let rows = classes.iter().take(10).map(|(name, b)| {
            [
                (*name).into(),
                Value::number(b.last.1, "objects"),
                Value::number(b.last.1 - b.first.1, "objects more"),
                Value::number(b.run_per_second(), "per second"),
            ]
        });
        Verdict::scored(
            map2(objects, settings.number("info"), settings.number("warning")),
            format!(
                "{} objects with finalizers are on the heap, mostly {worst}{}",
                units::number(objects.round()),
                if grows { ", and their number grows" } else { "" }
            ),
        )
        .explain(FinalizerBacklog::WHY)
        .remedy(FinalizerBacklog::REMEDY)
        .estimate(cost::finalizable(facts, objects))
        .with("objects", Value::number(objects, "objects"))
        .with("finalizers run", Value::number(per_second, "per second"))
        .with("classes", Value::table(["class", "objects", "growth", "finalizers run"], rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn it_fires_on_a_slow_finalizer() {
        fixture::expect("FinalizerBacklog", "finalizers", Severity::Info);
    }

    #[test]
    fn it_is_quiet_where_finalizers_keep_up() {
        let scene = (0..3i64).fold(Scene::new(), |s, i| {
            let fields = [
                ("finalizableClass", "a.B".into()),
                ("objects", 20.into()),
                ("totalFinalizersRun", (i * 1_000).into()),
            ];
            s.event("jdk.FinalizerStatistics", i * SECOND, i * SECOND, fields)
        });
        let verdict = scene.verdict(&FinalizerBacklog);
        assert_eq!(verdict.severity, Severity::Ok);
        assert_eq!(verdict.evidence.get("finalizers run"), Some(&Value::number(1_000.0, "per second")));
        fixture::expect("FinalizerBacklog", "healthy", Severity::NotApplicable);
    }
}
