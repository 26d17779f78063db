//! `biasedLockingRevocationPause`: pauses for revoking biased locks.

use crate::cost;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::map_exp100_at;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// Time spent revoking biased locks (up to JDK 17). Needs no list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BiasedLockingRevocationPause;

const OPERATIONS: GroupBy = GroupBy::of(&["jdk.ExecuteVMOperation"]).by(&["operation"]).measure(&["duration"]);

impl BiasedLockingRevocationPause {
    /// Why it matters.
    const WHY: &str = "When a thread wants a lock that is biased toward another thread, the JVM revokes the bias at a \
                       safepoint, where all threads wait.";
    /// What to do.
    const REMEDY: &str = "Try -XX:-UseBiasedLocking.";
}

impl Rule for BiasedLockingRevocationPause {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("biasedLockingRevocationPause")
            .title("Biased locking revocation pauses")
            .category(Category::Jvm)
            .description("How long the JVM pauses the program to revoke biased locks (up to JDK 17).")
            .formula("25 if all RevokeBias operations together take `info`, approaching 100 for more.")
            .settings(const { &[Setting::seconds("info", 0.1, "Total time that is worth a look")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.ExecuteVMOperation").groups(OPERATIONS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let Some(revoke) = facts.groups(&OPERATIONS).iter().find(|g| g.text("operation") == Some("RevokeBias")) else {
            return Verdict::ok("The JVM revoked no biased lock at a safepoint");
        };
        Verdict::scored(
            map_exp100_at(revoke.sum("duration") / 1e9, settings.number("info"), 25.0),
            format!("Revoking biased locks paused the program for {}", units::duration_f64(revoke.sum("duration"))),
        )
        .explain(BiasedLockingRevocationPause::WHY)
        .remedy(BiasedLockingRevocationPause::REMEDY)
        .cost(cost::paused(facts, revoke.sum("duration")))
        .with("time", Value::nanos_f64(revoke.sum("duration")))
        .with("revocations", Value::count(revoke.count(), "operations"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn the_sum_decides() {
        let of = |nanos: i64, operation: &str| {
            Scene::new()
                .event("jdk.ExecuteVMOperation", 0, nanos, [("operation", operation.into())])
                .verdict(&BiasedLockingRevocationPause)
                .severity
        };
        assert_eq!(of(150_000_000, "RevokeBias"), Severity::Info);
        assert_eq!(of(1_000_000, "RevokeBias"), Severity::Ok);
        assert_eq!(of(900_000_000, "G1CollectFull"), Severity::Ok);
    }
}
