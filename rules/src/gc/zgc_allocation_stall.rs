//! `ZGCAllocationStallRule`: threads that wait for ZGC.

use crate::cost;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// Time that threads wait until ZGC has freed memory. Needs no list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ZgcAllocationStall;

const STALLS: GroupBy = GroupBy::of(&["jdk.ZAllocationStall"]).by(&["eventThread"]).measure(&["duration"]);

impl ZgcAllocationStall {
    /// Why it matters.
    const WHY: &str = "ZGC could not free memory as fast as the program allocates it, so threads had to wait.";
    /// What to do.
    const REMEDY: &str =
        "Give the heap more room, more threads to the collector (-XX:ConcGCThreads), or allocate less.";
}

impl Rule for ZgcAllocationStall {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "ZGC allocation stalls",
            category: Category::Gc,
            description: "Whether threads had to wait until ZGC had freed memory.",
            formula: "Time stalled, over all threads, for each minute of the recording: 25 at `info`, 75 at `warning`.",
            differences: "JMC divides by the time from the start of the JVM to that of the recording and cuts the \
                          result to whole minutes a minute, so it never finds anything.",
            settings: const {
                &[
                    Setting::seconds("info", 0.5, "Time stalled a minute that is worth a look"),
                    Setting::seconds("warning", 5.0, "Time stalled a minute to act on"),
                ]
            },
            why: Self::WHY,
            remedy: Self::REMEDY,
            ..RuleInfo::jmc("ZGCAllocationStallRule")
        }
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().available("jdk.ZAllocationStall").groups(STALLS))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let Some(all) = facts.groups(&STALLS).total() else { return Verdict::ok("No thread was stalled") };
        let minutes = (facts.seconds() / 60.0).max(1.0 / 60.0);
        let a_minute = ratio(all.sum(0) / 1e9, minutes);
        Verdict::scored(
            map2(a_minute, settings.number("info"), settings.number("warning")),
            format!("Threads were stalled {} times, {a_minute:.2} s a minute", all.count()),
        )
        .explain(ZgcAllocationStall::WHY)
        .remedy(ZgcAllocationStall::REMEDY)
        .cost(cost::waited(facts, all.sum(0)))
        .with("stalls", Value::count(all.count(), "stalls"))
        .with("time stalled", Value::nanos_f64(all.sum(0)))
        .with("longest", Value::nanos_f64(all.max(0)))
        .with("stalls a minute", Value::number(all.count() as f64 / minutes, "per minute"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::thread;

    #[test]
    fn time_stalled_counts() {
        let of = |nanos: i64| {
            Scene::new()
                .event("jdk.ZAllocationStall", 0, nanos, [("eventThread", thread("a"))])
                .event("jdk.CPULoad", 60_000_000_000, 60_000_000_000, [])
                .judge(&ZgcAllocationStall)
                .severity
        };
        assert_eq!(of(6_000_000_000), Severity::Warning);
        assert_eq!(of(10_000_000), Severity::Ok);
    }
}
