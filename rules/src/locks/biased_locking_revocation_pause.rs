//! `biasedLockingRevocationPause`: stops to take locks away from their threads.

use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::map_exp100_at;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// Time spent revoking biased locks (up to JDK 17). Needs no list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BiasedLockingRevocationPause;

const OPERATIONS: GroupBy = GroupBy::of(&["jdk.ExecuteVMOperation"]).by(&["operation"]).measure(&["duration"]);

impl BiasedLockingRevocationPause {
    /// Why it matters.
    const WHY: &str = "A lock that was biased towards one thread and is wanted by another is revoked at a safepoint.";
    /// What to do.
    const REMEDY: &str = "Try -XX:-UseBiasedLocking.";
}

impl Rule for BiasedLockingRevocationPause {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "Biased locking revocation pauses",
            category: Category::Jvm,
            description: "How long the program stands still because biased locks are revoked (up to JDK 17).",
            formula: "25 where the RevokeBias operations take `info` together, nearing 100 beyond.",
            settings: const { &[Setting::seconds("info", 0.1, "Sum that is worth a look")] },
            why: Self::WHY,
            remedy: Self::REMEDY,
            ..RuleInfo::jmc("biasedLockingRevocationPause")
        }
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.ExecuteVMOperation").groups(OPERATIONS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let Some(revoke) = facts.groups(&OPERATIONS).iter().find(|g| g.text(0) == Some("RevokeBias")) else {
            return Verdict::ok("No biased lock was revoked at a safepoint");
        };
        Verdict::scored(
            map_exp100_at(revoke.sum(0) / 1e9, settings.number("info"), 25.0),
            format!("Revoking biased locks took {:.1} ms", revoke.sum(0) / 1e6),
        )
        .explain(BiasedLockingRevocationPause::WHY)
        .remedy(BiasedLockingRevocationPause::REMEDY)
        .with("time", Value::nanos_f64(revoke.sum(0)))
        .with("revocations", Value::count(revoke.count(), "operations"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn the_sum_decides() {
        let of = |nanos: i64, operation: &str| {
            Scene::new()
                .event("jdk.ExecuteVMOperation", 0, nanos, [("operation", operation.into())])
                .judge(&BiasedLockingRevocationPause)
                .severity
        };
        assert_eq!(of(150_000_000, "RevokeBias"), Severity::Info);
        assert_eq!(of(1_000_000, "RevokeBias"), Severity::Ok);
        assert_eq!(of(900_000_000, "G1CollectFull"), Severity::Ok);
    }
}
