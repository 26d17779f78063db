//! `VirtualThreadSubmitFailed`: virtual threads that could not be scheduled.

use std::collections::BTreeMap;

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Value, Verdict};
use jfrkit_profile::units::things;

/// Whether virtual threads could not be submitted to their scheduler. Needs an event table of at most 1,000 rows.
///
/// Fires on synthetic events, because the JDK writes real ones only when memory or threads run out; quiet on
/// `pinned-virtual-threads`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VirtualThreadSubmitFailed;

const EVENT: &str = "jdk.VirtualThreadSubmitFailed";

impl VirtualThreadSubmitFailed {
    /// Why it matters.
    const WHY: &str = "A virtual thread that cannot be submitted to its scheduler does not run: it never starts, or \
                       never continues after a wait. Anything that waits for it waits forever.";
    /// What to do.
    const REMEDY: &str = "The message gives the reason. Usually the system allows no more threads or memory for \
                          carriers. Raise the limit (the container's pids limit, ulimit -u, memory) or start fewer \
                          threads at once.";
}

impl Rule for VirtualThreadSubmitFailed {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("VirtualThreadSubmitFailed")
            .title("Virtual threads not scheduled")
            .category(Category::Threads)
            .description("Whether virtual threads could not be started or continued.")
            .formula("Any jdk.VirtualThreadSubmitFailed is a warning (based on Datadog).")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled(EVENT).table_up_to(1_000, EVENT, &["exceptionMessage", "stackTrace"])
    }

    fn evaluate(&self, facts: &Facts, _settings: &Settings) -> Verdict {
        let table = facts.table(EVENT);
        let (Some(first), Some(last)) = (table.first(), table.last()) else {
            return Verdict::ok("All virtual threads were scheduled");
        };
        let mut messages: BTreeMap<&str, u64> = BTreeMap::new();
        for row in table.rows() {
            let n = messages.entry(row.text("exceptionMessage").unwrap_or("no message")).or_default();
            *n = n.saturating_add(1);
        }
        let mut messages: Vec<(&str, u64)> = messages.into_iter().collect();
        messages.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let message = messages.first().map_or("", |(m, _)| *m);
        Verdict::warning(format!(
            "Virtual threads could not be scheduled {}: {message}",
            things(table.seen(), "time", "times")
        ))
        .score(100.0)
        .explain(VirtualThreadSubmitFailed::WHY)
        .remedy(VirtualThreadSubmitFailed::REMEDY)
        .with("times", Value::count(table.seen(), "times"))
        .with("window", Value::window(first.start, last.end))
        .with(
            "messages",
            Value::table(
                ["message", "times"],
                messages.iter().map(|(message, n)| [(*message).into(), Value::count(*n, "times")]),
            ),
        )
        .with_some("stack of the first", first.stack().map(|s| facts.stack_value(s, 15)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn any_is_a_warning() {
        let fields = [("exceptionMessage", "unable to create native thread".into())];
        let verdict = Scene::new().event(EVENT, 1, 1, fields).verdict(&VirtualThreadSubmitFailed);
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn none_is_fine() {
        fixture::expect("VirtualThreadSubmitFailed", "scenarios/pinned-virtual-threads", Severity::Ok);
        fixture::expect("VirtualThreadSubmitFailed", "scenarios/healthy", Severity::NotApplicable);
    }
}
