//! `ContextSwitch`: a contended lock that causes context switches.

use crate::cost;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// Whether many context switches go along with a contended lock. Needs the list of switch rates, one every 10 s.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ContextSwitch;

const LOCKS: GroupBy = GroupBy::of(&["jdk.JavaMonitorEnter"]).by(&["address", "monitorClass"]).measure(&["duration"]);

impl ContextSwitch {
    /// Why it matters.
    const WHY: &str = "When a thread has to wait for a lock, the operating system switches to another thread, and back \
                       again when the lock is free.";
    /// What to do.
    const REMEDY: &str = "Hold the lock for less time, or split the data that it protects.";
}

impl Rule for ContextSwitch {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("ContextSwitch")
            .title("Context switches")
            .category(Category::Locks)
            .description("Whether the machine switches between threads very often while threads wait for a lock.")
            .formula("If the mean rate is above `rate`: 25 when 50 events wait for the same monitor, 75 when 100 do.")
            .settings(const { &[Setting::per_second("rate", 10_000.0, "Rate above which switches are frequent")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new())
            .available("jdk.ThreadContextSwitchRate")
            .table("jdk.ThreadContextSwitchRate", &["switchRate"])
            .groups(LOCKS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let table = facts.table("jdk.ThreadContextSwitchRate");
        let rate = ratio(table.floats("switchRate").sum(), table.len() as f64);
        let locks = facts.groups(&LOCKS).by(&["address", "monitorClass"]);
        let most = locks.iter().max_by_key(|g| g.count());
        let count =
            if rate > settings.number("rate") { most.map_or(0, jfr_analyzers::events::Group::count) } else { 0 };
        Verdict::scored(
            map2(count as f64, 50.0, 100.0),
            format!("The machine makes {} context switches per second", units::number(rate.round())),
        )
        .explain(ContextSwitch::WHY)
        .remedy(ContextSwitch::REMEDY)
        .cost(most.and_then(|g| cost::waited(facts, g.sum("duration"))))
        .with("switches", Value::number(rate, "per second"))
        .with_some("most contended class", most.and_then(|g| g.text("monitorClass")))
        .with_some("waits for it", most.map(|g| Value::count(g.count(), "events")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn both_the_rate_and_the_lock_are_needed() {
        let of = |rate: f64, waits: i64| {
            let scene = Scene::new().event("jdk.ThreadContextSwitchRate", 0, 0, [("switchRate", rate.into())]);
            let scene =
                (0..waits).fold(scene, |s, i| s.event("jdk.JavaMonitorEnter", i, i + 1, [("address", 7.into())]));
            scene.verdict(&ContextSwitch).severity
        };
        assert_eq!(of(50_000.0, 120), Severity::Warning);
        assert_eq!(of(50_000.0, 10), Severity::Ok);
        assert_eq!(of(5_000.0, 120), Severity::Ok);
    }
}
