//! `HeapDump`: heap dumps during the recording.

use crate::cost;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Value, Verdict};
use jfrkit_profile::units;

/// Whether the heap was dumped. Needs the table of `jdk.HeapDump`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeapDump;

impl HeapDump {
    /// Why it matters.
    const WHY: &str = "The JVM stops the program while it dumps the heap.";
    /// What to do.
    const REMEDY: &str = "If an OutOfMemoryError caused the dump, look in it for what fills the heap.";
}

impl Rule for HeapDump {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("HeapDump")
            .title("Heap dumps")
            .category(Category::Heap)
            .description("Whether the heap was dumped during the recording.")
            .formula("Worth a look if there is any jdk.HeapDump event.")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.HeapDump").table_up_to(
            1_000,
            "jdk.HeapDump",
            &["destination", "size", "onOutOfMemoryError"],
        )
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let dumps = facts.table("jdk.HeapDump");
        if dumps.is_empty() {
            return Verdict::ok("The heap was not dumped");
        }
        let out_of_memory = dumps.ints("onOutOfMemoryError").any(|v| v != 0);
        let summary = format!("The heap was dumped {}", units::things(dumps.seen(), "time", "times"));
        Verdict::info(if out_of_memory { summary + ", because the program ran out of memory" } else { summary })
            .explain(HeapDump::WHY)
            .remedy(HeapDump::REMEDY)
            .cost(cost::paused(facts, dumps.rows().map(|d| d.nanos() as f64).sum()))
            .with(
                "dumps",
                Value::table(
                    ["at", "took", "file", "size"],
                    dumps.rows().map(|d| {
                        [
                            Value::instant(d.start),
                            Value::nanos(d.nanos()),
                            d.text("destination").unwrap_or("?").into(),
                            Value::bytes(d.float("size").unwrap_or(0.0)),
                        ]
                    }),
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
    fn any_is_worth_a_look() {
        let on = Scene::new().enabled("jdk.HeapDump");
        assert_eq!(on.verdict(&HeapDump).severity, Severity::Ok);
        let dumped = on.event("jdk.HeapDump", 0, 5, [("destination", "/tmp/a.hprof".into())]);
        assert_eq!(dumped.verdict(&HeapDump).severity, Severity::Info);
    }
}
