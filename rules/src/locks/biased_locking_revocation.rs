//! `biasedLockingRevocation`: classes for which biased locking does not pay.

use std::collections::BTreeMap;

use crate::cost;
use jfr_analyzers::events::{EVENT, Facts, GroupBy, Needs};
use jfr_analyzers::math::map_exp;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// Classes whose biased locks are revoked often (up to JDK 17). Needs no list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BiasedLockingRevocation;

const REVOCATIONS: GroupBy = GroupBy::of(&["jdk.BiasedLockClassRevocation"])
    .by(&[EVENT, "revokedClass", "disableBiasing"])
    .measure(&["duration"]);

impl BiasedLockingRevocation {
    /// Why it matters.
    const WHY: &str = "Biased locking pays only if the same thread locks an object again and again.";
    /// What to do.
    const REMEDY: &str = "Try -XX:-UseBiasedLocking.";
}

impl Rule for BiasedLockingRevocation {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("biasedLockingRevocation")
.title("Biased locking revocation")
.category(Category::Locks)
.description("Whether the JVM keeps revoking biased locks of some classes (up to JDK 17).")
.formula("With n classes for which the JVM disabled biasing: 25 + 25·(1 − (1 − 20/25)^(n/7)). Add half of \
                      the revocations of the most revoked other class, at most 25.")
.settings(const {
                &[Setting::regex("exclude", r"^java\.lang\.ref\.ReferenceQueue\$Lock$", "Classes to leave out")]
            })
.why(Self::WHY)
.remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.BiasedLockClassRevocation").groups(REVOCATIONS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let groups = facts.groups(&REVOCATIONS);
        if groups.is_empty() {
            return Verdict::ok("No class had its biased locks revoked");
        }
        let mut given_up: Vec<&str> = Vec::new();
        let mut others: BTreeMap<&str, u64> = BTreeMap::new();
        for group in groups.iter() {
            let class = group.text("revokedClass").unwrap_or("?");
            if settings.matches("exclude", class) {
                continue;
            }
            if group.int("disableBiasing") == Some(1) {
                given_up.push(class);
            } else {
                *others.entry(class).or_default() += group.count();
            }
        }
        others.retain(|class, _| !given_up.contains(class));
        let most = others.iter().max_by_key(|(_, n)| **n);
        let mut score = 0.0;
        if !given_up.is_empty() {
            score += 25.0 + map_exp(given_up.len() as f64, 25.0, 7.0, 20.0);
        }
        score += (most.map_or(0.0, |(_, n)| *n as f64) / 2.0).min(25.0);
        let rows = others.iter().map(|(class, n)| [(*class).into(), Value::count(*n, "revocations")]);
        Verdict::scored(
            score,
            format!("The JVM disabled biased locking for {}", units::things(given_up.len() as u64, "class", "classes")),
        )
        .explain(BiasedLockingRevocation::WHY)
        .remedy(BiasedLockingRevocation::REMEDY)
        .cost(cost::paused(facts, groups.iter().map(|g| g.sum("duration")).sum()))
        .with("classes revoked", Value::table(["class", "revocations"], rows.take(10).collect::<Vec<_>>()))
        .with("classes given up", Value::list("classes", given_up.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_class_given_up_is_worth_a_look() {
        let of = |class: &str, given_up: bool| {
            Scene::new()
                .event(
                    "jdk.BiasedLockClassRevocation",
                    0,
                    0,
                    [("revokedClass", class.into()), ("disableBiasing", given_up.into())],
                )
                .verdict(&BiasedLockingRevocation)
                .severity
        };
        assert_eq!(of("a.B", true), Severity::Info);
        assert_eq!(of("a.B", false), Severity::Ok);
        assert_eq!(of("java.lang.ref.ReferenceQueue$Lock", true), Severity::Ok);
    }
}
