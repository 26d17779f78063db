//! `VMOperations`: long VM operations.

use std::collections::BTreeMap;

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
        let operations = measure(facts);
        match operations.iter().max_by_key(|operation| operation.nanos) {
            Some(longest) => verdict(facts, &operations, longest, settings),
            None => Verdict::ok("No VM operation made threads wait"),
        }
    }
}

/// A VM operation, or several of one kind in close succession.
struct Operation {
    operation: Cell,
    caller: Cell,
    start: i64,
    end: i64,
    /// Without the time in between.
    nanos: i64,
}

/// The operations that made threads wait, in chronological order.
fn measure(facts: &Facts) -> Vec<Operation> {
    let rows = facts.table("jdk.ExecuteVMOperation").rows();
    let mut joined: Vec<Operation> = Vec::new();
    for row in rows.filter(|r| r.flag("blocking") == Some(true) || r.flag("safepoint") == Some(true)) {
        let (operation, caller) = (row.cell("operation"), row.cell("caller"));
        match joined.last_mut() {
            Some(last)
                if last.operation == operation
                    && last.caller == caller
                    && row.start.saturating_sub(last.end) <= GAP =>
            {
                last.end = last.end.max(row.end);
                last.nanos = last.nanos.saturating_add(row.nanos());
            }
            _ => joined.push(Operation { operation, caller, start: row.start, end: row.end, nanos: row.nanos() }),
        }
    }
    joined
}

fn verdict(facts: &Facts, operations: &[Operation], longest: &Operation, settings: &Settings) -> Verdict {
    let warning = settings.number("warning");
    let name = longest.operation.text().map_or("unknown operation", |id| facts.str(id));
    let nanos = longest.nanos;
    Verdict::scored(
        map2(nanos as f64 / 1e9, warning / 2.0, warning),
        format!("The longest VM operation took {}: {name}", units::duration(nanos)),
    )
    .explain(VmOperations::WHY)
    .remedy(VmOperations::REMEDY)
    .cost(cost::paused(facts, operations.iter().map(|o| o.nanos as f64).sum()))
    .with("longest", Value::nanos(nanos))
    .with("operation", name)
    .with_some("caller", longest.caller.thread().map(|id| facts.thread(id).name.clone()))
    .with("window", Value::window(longest.start, longest.end))
    .with("operations", operation_table(facts, operations))
}

/// Number and time of the operations by kind, the longest in total first.
fn operation_table(facts: &Facts, operations: &[Operation]) -> Value {
    let mut by_kind: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
    for operation in operations {
        let kind = by_kind.entry(operation.operation.text().map_or("?", |id| facts.str(id))).or_default();
        *kind = (kind.0 + 1, kind.1.saturating_add(operation.nanos));
    }
    let mut by_kind: Vec<_> = by_kind.into_iter().collect();
    by_kind.sort_by_key(|(_, (_, nanos))| std::cmp::Reverse(*nanos));
    let rows = by_kind
        .into_iter()
        .take(10)
        .map(|(kind, (n, nanos))| [kind.into(), Value::count(n, "operations"), Value::nanos(nanos)]);
    Value::table(["operation", "count", "time"], rows)
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
