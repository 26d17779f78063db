//! `GcPauseTargetRule`: G1 misses its pause goal.

use crate::cost;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};

/// Whether G1's pauses were longer than asked for. Needs the list of G1MMU, one a collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GcPauseTargetRule;

/// Collections of which a share says something.
const ENOUGH: usize = 10;

impl GcPauseTargetRule {
    /// Why it matters.
    const WHY: &str = "The goal is what G1 aims at when it decides how much to collect at a time.";
    /// What to do.
    const REMEDY: &str = "Give the heap more room, allocate less, or set a goal that can be reached.";
}

impl Rule for GcPauseTargetRule {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "G1 pause goal missed",
            category: Category::Gc,
            description: "Whether G1 kept to its pause goal (-XX:MaxGCPauseMillis).",
            formula: "Events jdk.G1MMU whose gcTime is above the goal: to act on if they are `warning` of all or more, worth a look if \
                      there is one.",
            differences: "For JMC one collection above the goal is enough for a warning. A goal is what G1 aims at, not a promise: here \
                          `warning` of ten collections or more have to miss it, and fewer are worth a look.",
            settings: const { &[Setting::percent("warning", 10.0, "Share of collections above the goal to act on")] },
            why: Self::WHY,
            remedy: Self::REMEDY,
            ..RuleInfo::jmc("GcPauseTargetRule")
        }
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.G1MMU").table("jdk.G1MMU", &["gcTime", "pauseTarget"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let table = facts.table("jdk.G1MMU");
        let (Some(longest), Some(goal)) = (table.ints("gcTime").max(), table.ints("pauseTarget").max()) else {
            return Verdict::not_applicable("jdk.G1MMU does not tell the goal");
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
            return evidence(Verdict::ok("G1 kept to its pause goal"));
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
                format!(
                    "{above} of {} collections took longer than the pause goal of {} ms",
                    table.len(),
                    goal / 1_000_000
                ),
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
    use jfr_analyzers::testing::Scene;

    #[test]
    fn above_the_goal_is_found() {
        let add = |scene: Scene, time: i64| {
            scene.event("jdk.G1MMU", 0, 0, [("gcTime", time.into()), ("pauseTarget", 200_000_000.into())])
        };
        let of = |time: i64| add(Scene::new(), time).as_jmc(&GcPauseTargetRule);
        // One of thirty is not many.
        let many = (0..29).fold(Scene::new(), |scene, _| add(scene, 100_000_000));
        let few = add(many, 300_000_000);
        assert_eq!(few.judge(&GcPauseTargetRule).severity, Severity::Info);
        assert_eq!(few.as_jmc(&GcPauseTargetRule), Severity::Warning);
        assert_eq!(of(200_000_001), Severity::Warning);
        assert_eq!(of(200_000_000), Severity::Ok);
        assert_eq!(Scene::new().as_jmc(&GcPauseTargetRule), Severity::NotApplicable);
    }
}
