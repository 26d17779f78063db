//! `BufferLost`: events that the JVM lost.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::map_exp100;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// Whether the JVM lost events. Needs the table of `jdk.DataLoss`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BufferLost;

impl BufferLost {
    /// Why it matters.
    const WHY: &str = "Lost events are missing from every number, and a rule may find nothing because of that.";
    /// What to do.
    const REMEDY: &str = "Record less (higher thresholds, fewer stacks), or give the recorder more memory \
                          (-XX:FlightRecorderOptions=memorysize).";
}

impl Rule for BufferLost {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("BufferLost")
            .title("Lost events")
            .category(Category::Recording)
            .description("Whether the JVM lost events because it could not write them fast enough.")
            .formula("75 at `warning` losses, higher for more.")
            .unlike_jmc("JMC swaps the arguments of the mapping, so that more losses get a lower score.")
            .settings(const { &[Setting::count("warning", 1.0, "Losses to act on")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().table("jdk.DataLoss", &["amount", "total"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let table = facts.table("jdk.DataLoss");
        let Some(first) = table.first() else { return Verdict::ok("No events were lost") };
        let bytes: f64 = table.floats("amount").sum();
        Verdict::scored(
            map_exp100(table.seen() as f64, settings.number("warning")),
            format!(
                "The JVM lost {} of events in {}",
                units::size_f64(bytes),
                units::things(table.seen(), "place", "places")
            ),
        )
        .explain(BufferLost::WHY)
        .remedy(BufferLost::REMEDY)
        .with("losses", Value::count(table.seen(), "losses"))
        .with("bytes", Value::bytes(bytes))
        .with("first", Value::instant(first.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn more_losses_are_no_better() {
        let of = |count: i64| {
            (0..count)
                .fold(Scene::new(), |s, i| s.event("jdk.DataLoss", i, i, [("amount", 9.into())]))
                .verdict(&BufferLost)
        };
        assert_eq!(of(0).severity, Severity::Ok);
        assert_eq!(of(1).severity, Severity::Warning);
        assert!(of(5).score > of(1).score);
    }
}
