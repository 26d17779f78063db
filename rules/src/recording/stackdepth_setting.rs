//! `StackdepthSetting`: truncated stacks.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map_exp100_at, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::rounded_percent;

/// Whether stacks are deeper than the recorded depth. Needs no table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StackdepthSetting;

/// The least number of stacks for a meaningful share.
const ENOUGH: f64 = 100.0;

impl StackdepthSetting {
    /// Why it matters.
    const WHY: &str = "A truncated stack lacks its outermost callers, so a flame graph shows the same code in several \
                       places.";
    /// What to do.
    const REMEDY: &str =
        "Record with -XX:FlightRecorderOptions=stackdepth=256 or more; profilers have their own setting.";
}

impl Rule for StackdepthSetting {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("StackdepthSetting")
            .title("Truncated stacks")
            .category(Category::Recording)
            .description(
                "Whether stacks are deeper than the recorded depth, so that their outermost callers are \
                          missing.",
            )
            .formula("Truncated stacks over all stacks of all event types: 25 at `info`, 75 at 4.8 times that.")
            .settings(const { &[Setting::percent("info", 1.0, "Share of truncated stacks that is worth a look")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let sum =
            |of: fn(&jfr_analyzers::events::EventFacts) -> u64| facts.events().map(|(_, e)| of(e) as f64).sum::<f64>();
        let (all, truncated) = (sum(|e| e.with_stack), sum(|e| e.truncated));
        if all <= 0.0 && !facts.events().any(|(_, e)| e.can_have_stack && e.count > 0) {
            return Verdict::not_applicable("no event can have a stack trace");
        }
        if truncated <= 0.0 {
            return Verdict::ok("No stack is truncated");
        }
        let share = ratio(truncated, all);
        let mut types: Vec<_> = facts.events().filter(|(_, e)| e.truncated > 0).collect();
        types.sort_by_key(|(_, e)| std::cmp::Reverse(e.truncated));
        let rows = types.iter().take(10).map(|(name, e)| {
            [
                (*name).into(),
                Value::count(e.truncated, "stacks"),
                Value::share(ratio(e.truncated as f64, e.with_stack as f64)),
            ]
        });
        let options = facts.flag("FlightRecorderOptions").text().map_or("", |id| facts.str(id));
        let depth = options.split(',').find_map(|o| o.trim().strip_prefix("stackdepth=")).and_then(|d| d.parse().ok());
        let depth: f64 = depth.unwrap_or(64.0);
        Verdict::scored(
            map_exp100_at(share * 100.0, settings.number("info"), 25.0),
            format!("{} of the stacks are truncated at {depth} frames", rounded_percent(share * 100.0)),
        )
        .explain(StackdepthSetting::WHY)
        .remedy(format!(
            "Record with -XX:FlightRecorderOptions=stackdepth={:.0} or more; profilers have their own setting.",
            (depth * 2.0).clamp(256.0, 2_048.0)
        ))
        .at_most(if all >= ENOUGH { Severity::Info } else { Severity::Ok })
        .with("share truncated", Value::share(share))
        .with("depth", Value::number(depth, "frames"))
        .with("event types", Value::table(["event type", "truncated", "share"], rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::stack;

    #[test]
    fn the_share_decides() {
        let of = |truncated: u64| {
            let one = |s: Scene, i: i64| s.event("jdk.FileRead", i, i, [("stackTrace", stack(&["a.b"]))]);
            (0..100i64).fold(Scene::new(), one).truncated("jdk.FileRead", truncated).as_jmc(&StackdepthSetting)
        };
        assert_eq!(of(10), Severity::Warning);
        assert_eq!(of(2), Severity::Info);
        assert_eq!(of(0), Severity::Ok);
        assert_eq!(Scene::new().as_jmc(&StackdepthSetting), Severity::NotApplicable);
    }
}
