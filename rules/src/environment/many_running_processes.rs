//! `ManyRunningProcesses`: many processes on the machine.

use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::map_exp74;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// How many processes run on the machine at the same time. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ManyRunningProcesses;

const PROCESSES: GroupBy = GroupBy::of(&["jdk.SystemProcess"]).by(&["startTime"]);

impl ManyRunningProcesses {
    /// Why it matters.
    const WHY: &str = "Each of them may take CPU time and memory away from the application.";
    /// What to do.
    const REMEDY: &str = "If the application lacks CPU or memory, move it or other processes to another machine.";
}

impl Rule for ManyRunningProcesses {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("ManyRunningProcesses")
            .title("Many running processes")
            .category(Category::Environment)
            .description("How many processes run on the machine at the same time.")
            .formula("25 at `info` jdk.SystemProcess events with the same time, never more than 74.")
            .settings(const { &[Setting::count("info", 150.0, "Processes that are worth a look")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.SystemProcess").groups(PROCESSES)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let Some(most) = facts.groups(&PROCESSES).iter().max_by_key(|g| g.count()) else {
            return Verdict::ok("No processes were recorded");
        };
        Verdict::scored(
            map_exp74(most.count() as f64, settings.number("info")),
            format!("{} on the machine at the same time", units::things(most.count(), "process ran", "processes ran")),
        )
        .explain(ManyRunningProcesses::WHY)
        .remedy(ManyRunningProcesses::REMEDY)
        .with("processes", Value::count(most.count(), "processes"))
        .with("at", Value::instant(most.first()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn those_of_one_instant_count() {
        let of = |count: i64, at: i64| {
            (0..count)
                .fold(Scene::new(), |s, i| {
                    s.event("jdk.SystemProcess", i % at, i % at, [("startTime", (i % at).into())])
                })
                .verdict(&ManyRunningProcesses)
                .severity
        };
        assert_eq!(of(160, 1), Severity::Info);
        assert_eq!(of(160, 2), Severity::Ok);
    }
}
