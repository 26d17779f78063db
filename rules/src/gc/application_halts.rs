//! `ApplicationHalts`: all times at which the application is stopped.

use super::stopped::{self, Stopped};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Value, Verdict};

/// The share of time in which the whole application is stopped, for any reason. Needs the lists of pauses and VM
/// operations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ApplicationHalts;

const SAFEPOINTS: [&str; 6] = [
    "jdk.SafepointBegin",
    "jdk.SafepointEnd",
    "jdk.SafepointStateSynchronization",
    "jdk.SafepointCleanup",
    "jdk.SafepointCleanupTask",
    "jdk.SafepointWaitBlocked",
];

impl ApplicationHalts {
    /// Why it matters.
    const WHY: &str = "At a safepoint, all application threads stop, for garbage collection or for other VM \
        operations.";
    /// What to do.
    const REMEDY: &str = "If most of this time is GC, see the GC rules; otherwise check which VM operations run.";
}

impl Rule for ApplicationHalts {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("ApplicationHalts")
            .title("Application halts")
            .category(Category::Jvm)
            .description(
                "The share of time in which the whole application is stopped: by GC pauses, safepoints or VM \
                          operations.",
            )
            .formula(
                "The sum of GC pauses, safepoint events and VM operations at a safepoint, without those enclosed in \
                      another, over the worst window of `window`, or over the whole recording if it is shorter: 25 at \
                      `info`, 75 at `warning`. Less than 200 ms in total is at most worth a look.",
            )
            .unlike_jmc(stopped::UNLIKE_JMC)
            .settings(stopped::SETTINGS)
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        let needs = Needs::new()
            .enabled("jdk.GCPhasePause")
            .enabled("jdk.ExecuteVMOperation")
            .table("jdk.GCPhasePause", &["name"])
            .table("jdk.ExecuteVMOperation", &["safepoint", "operation"]);
        SAFEPOINTS.iter().fold(needs, |needs, event| needs.table(*event, &[]))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let pauses: Vec<(i64, i64)> = facts.table("jdk.GCPhasePause").rows().map(|p| (p.start, p.end)).collect();
        let operations = facts.table("jdk.ExecuteVMOperation").rows().filter(|o| o.flag("safepoint") == Some(true));
        let mut halts: Vec<(i64, i64)> = SAFEPOINTS
            .iter()
            .flat_map(|event| facts.table(event).rows())
            .chain(operations)
            .map(|e| (e.start, e.end))
            .chain(pauses.iter().copied())
            .filter(|(start, end)| end > start)
            .collect();
        halts.sort_by_key(|(start, end)| (*start, std::cmp::Reverse(*end)));
        let mut reached = i64::MIN;
        halts.retain(|(_, end)| {
            let alone = *end > reached;
            reached = reached.max(*end);
            alone
        });
        if halts.is_empty() {
            return Verdict::ok("The application was never halted");
        }
        let sum = |of: &[(i64, i64)]| of.iter().fold(0i64, |sum, (a, b)| sum.saturating_add(b.saturating_sub(*a)));
        let (all, collector) = (sum(&halts), sum(&pauses));
        let other = ratio(all.saturating_sub(collector).max(0) as f64, all as f64);
        let stopped = Stopped::of(&halts, all, facts, settings);
        let summary = format!(
            "The application was halted for {:.2} % of the worst window and {:.2} % of the recording; {:.0} % of that \
             was not GC",
            stopped.share * 100.0,
            stopped.whole * 100.0,
            other * 100.0
        );
        stopped
            .verdict(summary)
            .explain(ApplicationHalts::WHY)
            .remedy(ApplicationHalts::REMEDY)
            .with("share not for collections", Value::share(other))
            .with("time halted", Value::nanos(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    const SECOND: i64 = 1_000_000_000;

    fn scene() -> Scene {
        Scene::new().enabled("jdk.GCPhasePause").enabled("jdk.ExecuteVMOperation")
    }

    #[test]
    fn operations_at_safepoints_count_and_enclosed_ones_do_not_twice() {
        let with = |safepoint: bool| {
            scene()
                .event("jdk.ExecuteVMOperation", 0, 4 * SECOND, [("safepoint", safepoint.into())])
                .event("jdk.GCPhasePause", SECOND, 2 * SECOND, [])
                .event("jdk.CPULoad", 60 * SECOND, 60 * SECOND, [])
                .verdict(&ApplicationHalts)
        };
        // 4 s of 60 s; adding the pause would be 5 s.
        assert_eq!(with(true).evidence.get("share of worst window"), Some(&Value::share(4.0 / 60.0)));
        assert_eq!(with(true).severity, Severity::Info);
        assert_eq!(with(false).severity, Severity::Ok);
        assert_eq!(scene().verdict(&ApplicationHalts).severity, Severity::Ok);
    }
}
