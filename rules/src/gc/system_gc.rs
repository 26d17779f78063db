//! `SystemGc`: collections that the application requests.

use super::causes::Causes;
use crate::cost;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map_exp100, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};

/// The share of collections requested with `System.gc()`. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemGc;

impl SystemGc {
    /// Why it matters.
    const WHY: &str = "An explicit collection is usually a full one, and runs at a time that the collector would not \
        have chosen.";
    /// What to do.
    const REMEDY: &str = "Find the callers (jdk.SystemGC events contain their stack traces) and remove the calls, \
        disable them with -XX:+DisableExplicitGC, or make them concurrent with -XX:+ExplicitGCInvokesConcurrent.";
}

impl Rule for SystemGc {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("SystemGc")
            .title("System.gc() requested")
            .category(Category::Gc)
            .description("Whether the application, or someone with jcmd or a management console, requests collections.")
            .formula("75 if the share of collections caused by System.gc() is `warning`, so 25 at about a fifth of it.")
            .unlike_jmc("JMC uses integer division, so its share is 0 unless every collection is explicit.")
            .settings(const { &[Setting::percent("warning", 50.0, "Share of collections to act on")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Causes::needs()
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let causes = Causes::of(facts);
        if causes.explicit == 0 {
            return Verdict::ok("System.gc() triggered no collection");
        }
        let share = ratio(causes.explicit as f64, causes.all as f64);
        Verdict::scored(
            map_exp100(share * 100.0, settings.number("warning")),
            format!("System.gc() triggered {} of {} collections", causes.explicit, causes.all),
        )
        .explain(SystemGc::WHY)
        .remedy(SystemGc::REMEDY)
        .cost(cost::paused(facts, causes.explicit_pauses))
        // ExplicitGc rates their cost.
        .at_most(Severity::Info)
        .with("share of collections", Value::share(share))
        .with("causes", causes.table(facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn the_share_decides() {
        let of = |explicit: i64, other: i64| {
            let scene = (0..explicit)
                .fold(Scene::new(), |s, i| s.event("jdk.GarbageCollection", i, i, [("cause", "System.gc()".into())]));
            let scene = (0..other)
                .fold(scene, |s, i| s.event("jdk.GarbageCollection", i, i, [("cause", "G1 Evacuation Pause".into())]));
            scene.as_jmc(&SystemGc)
        };
        assert_eq!(of(3, 3), Severity::Warning);
        assert_eq!(of(1, 4), Severity::Info);
        assert_eq!(of(1, 50), Severity::Ok);
        assert_eq!(of(0, 5), Severity::Ok);
        assert_eq!(of(0, 0), Severity::NotApplicable);
    }
}
