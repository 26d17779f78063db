//! `ProcessStarted`: the application starts processes.

use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Value, Verdict};
use jfrkit_profile::units::things;

/// Whether the application starts other processes. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProcessStarted;

const STARTS: GroupBy = GroupBy::of(&["jdk.ProcessStart"]).by(&["stackTrace"]);

impl ProcessStarted {
    /// Why it matters.
    const WHY: &str = "Starting a process is slow and takes memory; the recording does not show what the process does.";
    /// What to do.
    const REMEDY: &str = "Check whether a Java library can do the same.";
}

impl Rule for ProcessStarted {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("ProcessStarted")
            .title("Processes started")
            .category(Category::Environment)
            .description("Whether the application starts other processes.")
            .formula(
                "Worth a look if there is any jdk.ProcessStart. Command lines are not shown because they may \
                      contain secrets.",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.ProcessStart").groups(STARTS)
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let count = facts.count("jdk.ProcessStart");
        let stacks = facts.groups(&STARTS).by(&["stackTrace"]);
        Verdict::info(format!("The application started {}", things(count, "process", "processes")))
            .explain(ProcessStarted::WHY)
            .remedy(ProcessStarted::REMEDY)
            .with("processes", Value::count(count, "processes"))
            .with(
                "where",
                facts.top_methods(
                    stacks.iter().filter_map(|g| Some((g.stack("stackTrace")?, g.count() as f64))),
                    5,
                    |n| Value::number(n, "processes"),
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
        assert_eq!(Scene::new().event("jdk.ProcessStart", 0, 0, []).verdict(&ProcessStarted).severity, Severity::Info);
        assert_eq!(Scene::new().verdict(&ProcessStarted).severity, Severity::NotApplicable);
    }
}
