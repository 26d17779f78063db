//! `GcPauseTargetRule`: G1 misses its pause goal.

use crate::cost;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};

/// Whether G1's pauses exceeded the goal. Needs the list of G1MMU, one per collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GcPauseTargetRule;

/// Minimum number of collections for a share of them to be meaningful.
const ENOUGH: usize = 10;

impl GcPauseTargetRule {
    /// Why it matters.
    const WHY: &str = "The goal guides G1 when it decides how much to collect at once.";
    /// What to do.
    const REMEDY: &str = "Increase the heap, allocate less, or set a goal that G1 can reach.";
}

impl Rule for GcPauseTargetRule {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("GcPauseTargetRule")
            .title("G1 pause goal missed")
            .category(Category::Gc)
            .description("Whether G1 met its pause goal (-XX:MaxGCPauseMillis).")
            .formula(
                "The share of jdk.G1MMU events whose gcTime exceeds the goal: a warning if it is `warning` or more, \
                      worth a look if there is one such event.",
            )
            .unlike_jmc(
                "For JMC, one collection above the goal is enough for a warning. But a pause goal is a \
                          target, not a promise: in jfrkit, `warning` of at least ten collections have to miss it, \
                          and fewer are worth a look.",
            )
            .settings(const { &[Setting::percent("warning", 10.0, "Share of collections above the goal to act on")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.G1MMU").table("jdk.G1MMU", &["gcTime", "pauseTarget"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let table = facts.table("jdk.G1MMU");
        let (Some(longest), Some(goal)) = (table.ints("gcTime").max(), table.ints("pauseTarget").max()) else {
            return Verdict::not_applicable("the jdk.G1MMU events do not contain the goal");
        };
        let above = table.ints("gcTime").filter(|t| *t > goal).count();
        let evidence = |v: Verdict| {
            v.with("goal", Value::nanos(goal))
                .with("longest", Value::nanos(longest))
                .with("collections", Value::count(table.len() as u64, "collections"))
                .with("above the goal", Value::count(above as u64, "collections"))
                .with("share above the goal", Value::share(ratio(above as f64, table.len() as f64)))
        };
        if longest <= goal {
            return evidence(Verdict::ok("G1 met its pause goal"));
        }
        let share = ratio(above as f64, table.len() as f64) * 100.0;
        let above_nanos: f64 = table.floats("gcTime").filter(|t| *t > goal as f64).sum();
        let severity = if share >= settings.number("warning") && table.len() >= ENOUGH {
            Severity::Warning
        } else {
            Severity::Info
        };
        evidence(
            Verdict::new(
                severity,
                format!("{above} of {} collections exceeded the pause goal of {} ms", table.len(), goal / 1_000_000),
            )
            .explain(GcPauseTargetRule::WHY)
            .remedy(GcPauseTargetRule::REMEDY)
            .cost(cost::paused(facts, above_nanos))
            .jmc(Severity::Warning),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn above_the_goal_is_found() {
        let add = |scene: Scene, time: i64| {
            scene.event("jdk.G1MMU", 0, 0, [("gcTime", time.into()), ("pauseTarget", 200_000_000.into())])
        };
        let of = |time: i64| add(Scene::new(), time).as_jmc(&GcPauseTargetRule);
        // One of thirty is too few for a warning.
        let many = (0..29).fold(Scene::new(), |scene, _| add(scene, 100_000_000));
        let few = add(many, 300_000_000);
        assert_eq!(few.verdict(&GcPauseTargetRule).severity, Severity::Info);
        assert_eq!(few.as_jmc(&GcPauseTargetRule), Severity::Warning);
        assert_eq!(of(200_000_001), Severity::Warning);
        assert_eq!(of(200_000_000), Severity::Ok);
        assert_eq!(Scene::new().as_jmc(&GcPauseTargetRule), Severity::NotApplicable);
    }
}
