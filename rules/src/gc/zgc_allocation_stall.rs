//! `ZGCAllocationStallRule`: threads wait for ZGC.

use crate::cost;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::things;

/// Time for which threads wait for ZGC to free memory. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ZgcAllocationStall;

const STALLS: GroupBy = GroupBy::of(&["jdk.ZAllocationStall"]).by(&["eventThread"]).measure(&["duration"]);

impl ZgcAllocationStall {
    /// Why it matters.
    const WHY: &str = "ZGC could not free memory as fast as the application allocated it, so threads had to wait.";
    /// What to do.
    const REMEDY: &str = "Increase the heap, give the collector more threads (-XX:ConcGCThreads), or allocate less.";
}

impl Rule for ZgcAllocationStall {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("ZGCAllocationStallRule")
            .title("ZGC allocation stalls")
            .category(Category::Gc)
            .description("Whether threads had to wait for ZGC to free memory.")
            .formula("Time stalled over all threads, per minute of recording: 25 at `info`, 75 at `warning`.")
            .unlike_jmc(
                "JMC divides by the time from JVM start to the start of the recording and truncates the \
                          result to whole minutes per minute, so it never finds anything.",
            )
            .settings(
                const {
                    &[
                        Setting::seconds("info", 0.5, "Time stalled per minute that is worth a look"),
                        Setting::seconds("warning", 5.0, "Time stalled per minute to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().available("jdk.ZAllocationStall").groups(STALLS))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let Some(all) = facts.groups(&STALLS).total() else { return Verdict::ok("No thread stalled") };
        let minutes = (facts.seconds() / 60.0).max(1.0 / 60.0);
        let a_minute = ratio(all.sum("duration") / 1e9, minutes);
        Verdict::scored(
            map2(a_minute, settings.number("info"), settings.number("warning")),
            format!(
                "Threads stalled {} waiting for ZGC, {a_minute:.2} s per minute",
                things(all.count(), "time", "times")
            ),
        )
        .explain(ZgcAllocationStall::WHY)
        .remedy(ZgcAllocationStall::REMEDY)
        .cost(cost::waited(facts, all.sum("duration")))
        .with("stalls", Value::count(all.count(), "stalls"))
        .with("time stalled", Value::nanos_f64(all.sum("duration")))
        .with("longest", Value::nanos_f64(all.max("duration")))
        .with("stalls a minute", Value::number(all.count() as f64 / minutes, "per minute"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::thread;

    #[test]
    fn time_stalled_counts() {
        let of = |nanos: i64| {
            Scene::new()
                .event("jdk.ZAllocationStall", 0, nanos, [("eventThread", thread("a"))])
                .event("jdk.CPULoad", 60_000_000_000, 60_000_000_000, [])
                .verdict(&ZgcAllocationStall)
                .severity
        };
        assert_eq!(of(6_000_000_000), Severity::Warning);
        assert_eq!(of(10_000_000), Severity::Ok);
    }
}
