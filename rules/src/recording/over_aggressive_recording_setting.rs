//! `OverAggressiveRecordingSetting`: thresholds that make recording costly.

use jfr_analyzers::events::{Facts, Needs, Presence};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Value, Verdict};

/// Whether blocking and parking are recorded no matter how short. Needs no table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OverAggressiveRecordingSetting;

const EVENTS: [&str; 2] = ["jdk.JavaMonitorEnter", "jdk.ThreadPark"];

impl OverAggressiveRecordingSetting {
    /// Why it matters.
    const WHY: &str = "Recording every short wait slows threads down exactly where they contend.";
    /// What to do.
    const REMEDY: &str = "Set a threshold, for example 10 ms, unless you are looking for short waits.";
}

impl Rule for OverAggressiveRecordingSetting {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("OverAggressiveRecordingSetting")
            .title("Aggressive recording thresholds")
            .category(Category::Recording)
            .description(
                "Whether the recording contains every blocked or parked thread, no matter how briefly it \
                          waits.",
            )
            .formula("Worth a look if the threshold of JavaMonitorEnter or ThreadPark is 0.")
            .unlike_jmc("JMC also reports event types that are disabled, for which the threshold has no effect.")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.InitialSystemProperty")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let zero = |event: &&&str| {
            let values = facts.settings_of(event, "threshold");
            facts.presence(event) != Presence::Disabled
                && values.iter().any(|s| s.value.trim_start().starts_with("0 ") || s.value == "0")
        };
        let found: Vec<&str> = EVENTS.iter().filter(zero).copied().collect();
        if found.is_empty() {
            return Verdict::ok("The thresholds of the recording are harmless");
        }
        Verdict::info(format!(
            "Even the shortest waits are recorded, because these have no threshold: {}",
            found.join(", ")
        ))
        .explain(OverAggressiveRecordingSetting::WHY)
        .remedy(OverAggressiveRecordingSetting::REMEDY)
        .with("event types", Value::list("event types", found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_threshold_of_zero_is_found() {
        let with = |value: &str| {
            Scene::new()
                .event("jdk.InitialSystemProperty", 0, 0, [("key", "a".into())])
                .setting("jdk.ThreadPark", "threshold", value)
                .verdict(&OverAggressiveRecordingSetting)
                .severity
        };
        assert_eq!(with("0 ms"), Severity::Info);
        assert_eq!(with("10 ms"), Severity::Ok);
        assert_eq!(Scene::new().verdict(&OverAggressiveRecordingSetting).severity, Severity::NotApplicable);
    }
}
