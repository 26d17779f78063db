//! `VMOperations`: long VM operations.

use crate::cost;
use jfr_analyzers::events::{Cell, Facts, Needs};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// The longest VM operation that makes threads wait. Needs the list of operations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VmOperations;

/// Operations of the same kind and caller that follow each other within this many nanoseconds count as one.
const GAP: i64 = 10_000_000;

impl VmOperations {
    /// Why it matters.
    const WHY: &str = "Threads wait while the JVM collects garbage, dumps the heap, deoptimizes code or prints thread \
                       stacks.";
    /// What to do.
    const REMEDY: &str = "Find out what triggers the operation: thread dumps, heap dumps and class histograms are \
                          requested from outside the program.";
}

impl Rule for VmOperations {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("VMOperations")
            .title("Long VM operations")
            .category(Category::Jvm)
            .description("The longest VM operation during which threads wait.")
            .formula(
                "Operations that block or run at a safepoint; adjacent ones of the same kind and caller less than \
                      10 ms apart are added together. 25 if the longest takes half of `warning`, 75 at `warning`.",
            )
            .as_in_jmc("One operation decides; the evidence adds the totals.")
            .settings(const { &[Setting::seconds("warning", 2.0, "Operation to act on")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .enabled("jdk.ExecuteVMOperation")
            .table("jdk.ExecuteVMOperation", &["operation", "caller", "blocking", "safepoint"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let table = facts.table("jdk.ExecuteVMOperation");
        let rows = table.rows().filter(|r| r.flag("blocking") == Some(true) || r.flag("safepoint") == Some(true));
        // Kind and caller, start, end, time.
        let mut joined: Vec<((Cell, Cell), i64, i64, i64)> = Vec::new();
        for row in rows {
            let kind = (row.cell("operation"), row.cell("caller"));
            match joined.last_mut() {
                Some((k, _, end, time)) if *k == kind && row.start.saturating_sub(*end) <= GAP => {
                    *end = (*end).max(row.end);
                    *time = time.saturating_add(row.nanos());
                }
                _ => joined.push((kind, row.start, row.end, row.nanos())),
            }
        }
        let Some(((operation, caller), start, end, time)) = joined.iter().max_by_key(|o| o.3).copied() else {
            return Verdict::ok("No VM operation made threads wait");
        };
        let warning = settings.number("warning");
        let name = operation.text().map_or("unknown operation", |id| facts.str(id));
        let mut by_kind: std::collections::BTreeMap<&str, (u64, i64)> = std::collections::BTreeMap::new();
        for ((operation, _), _, _, time) in &joined {
            let kind = by_kind.entry(operation.text().map_or("?", |id| facts.str(id))).or_default();
            *kind = (kind.0 + 1, kind.1.saturating_add(*time));
        }
        let mut by_kind: Vec<_> = by_kind.into_iter().collect();
        by_kind.sort_by_key(|(_, (_, time))| std::cmp::Reverse(*time));
        Verdict::scored(
            map2(time as f64 / 1e9, warning / 2.0, warning),
            format!("The longest VM operation took {}: {name}", units::duration(time)),
        )
        .explain(VmOperations::WHY)
        .remedy(VmOperations::REMEDY)
        .cost(cost::paused(facts, joined.iter().map(|o| o.3 as f64).sum()))
        .with("longest", Value::nanos(time))
        .with("operation", name)
        .with_some("caller", caller.thread().map(|id| facts.thread(id).name.clone()))
        .with("window", Value::window(start, end))
        .with(
            "operations",
            Value::table(
                ["operation", "count", "time"],
                by_kind
                    .into_iter()
                    .take(10)
                    .map(|(kind, (n, time))| [kind.into(), Value::count(n, "operations"), Value::nanos(time)]),
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn neighbors_are_one_operation() {
        let ms = 1_000_000;
        let of = |second: i64, safepoint: bool| {
            let fields = || [("operation", "Dump".into()), ("safepoint", safepoint.into())];
            Scene::new()
                .event("jdk.ExecuteVMOperation", 0, 1_100 * ms, fields())
                .event("jdk.ExecuteVMOperation", second * ms, (second + 1_000) * ms, fields())
                .verdict(&VmOperations)
                .severity
        };
        assert_eq!(of(1_105, true), Severity::Warning);
        assert_eq!(of(1_200, true), Severity::Info);
        assert_eq!(of(1_105, false), Severity::Ok);
    }
}
