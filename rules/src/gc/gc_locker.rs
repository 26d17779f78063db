//! `GcLocker`: collections delayed by JNI critical sections.

use super::causes::Causes;
use crate::cost;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map_exp74, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// The share of collections that waited for native code. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GcLocker;

impl GcLocker {
    /// Why it matters.
    const WHY: &str =
        "While native code is in a JNI critical section, no collection can start, and threads that need one wait.";
    /// What to do.
    const REMEDY: &str =
        "Keep critical sections short, or let native code copy arrays. ZGC, and G1 from JDK 22, are not affected.";
}

impl Rule for GcLocker {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("GcLocker")
            .title("GC delayed by JNI critical sections")
            .category(Category::Gc)
            .description("Whether collections had to wait for native code in a JNI critical section.")
            .formula("25 if the share of collections with the cause GCLocker is `info`, never more than 74.")
            .unlike_jmc("JMC uses integer division, so its share is 0 unless every collection has this cause.")
            .settings(const { &[Setting::percent("info", 10.0, "Share of collections that is worth a look")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Causes::needs()
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let causes = Causes::of(facts);
        if causes.locker == 0 {
            return Verdict::ok("No collection waited for native code");
        }
        let share = ratio(causes.locker as f64, causes.all as f64);
        Verdict::scored(
            map_exp74(share * 100.0, settings.number("info")),
            format!("JNI critical sections delayed {} of {} collections", causes.locker, causes.all),
        )
        .explain(GcLocker::WHY)
        .remedy(GcLocker::REMEDY)
        .cost(cost::paused(facts, causes.locker_pauses))
        .with("share of collections", Value::share(share))
        .with("causes", causes.table(facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_tenth_is_worth_a_look() {
        let of = |locker: i64| {
            (0..20i64)
                .fold(Scene::new(), |s, i| {
                    let cause = if i < locker { "GCLocker Initiated GC" } else { "Allocation Failure" };
                    s.event("jdk.GarbageCollection", i, i, [("cause", cause.into())])
                })
                .verdict(&GcLocker)
                .severity
        };
        assert_eq!(of(3), Severity::Info);
        assert_eq!(of(1), Severity::Ok);
        assert_eq!(of(0), Severity::Ok);
    }
}
