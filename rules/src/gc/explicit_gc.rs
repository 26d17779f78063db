//! `ExplicitGc`: which code requests collections, and what they cost.

use crate::cost;
use crate::series::highest;
use crate::sites::{Site, site_name, site_rows, sites};
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::{self, things};

/// Collections that the application requests, with the callers. Needs no event list.
///
/// JMC's `SystemGc` counts them; this rule names the callers and weighs the pauses. Fires on
/// `fixtures/scenarios/explicit-gc.jfr.gz`; quiet on `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExplicitGc;

const CALLS: GroupBy = GroupBy::of(&["jdk.SystemGC"]).by(&["stackTrace", "eventThread"]).measure(&["duration"]);
const BY_CAUSE: GroupBy = GroupBy::of(&["jdk.GarbageCollection"]).by(&["cause"]).measure(&["sumOfPauses"]);

/// With fewer calls, a share of collections means little.
const ENOUGH: u64 = 3;

impl ExplicitGc {
    /// Why it matters.
    const WHY: &str = "An explicit collection is usually a full one, and it stops the application at a time that the \
        collector would not have chosen. Callers are often libraries: RMI's distributed GC, direct buffers at their \
        limit, tools that measure memory.";
    /// What to do.
    const REMEDY: &str = "Remove the calls. If the code is not yours, disable them with -XX:+DisableExplicitGC (not \
        if direct buffers are near their limit), or make them concurrent with -XX:+ExplicitGCInvokesConcurrent.";
}

impl Rule for ExplicitGc {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("ExplicitGc")
            .title("Explicit GC")
            .category(Category::Gc)
            .description("Which code calls System.gc(), and how much time the resulting pauses take.")
            .formula(
                "25 if there is any jdk.SystemGC event or collection caused by System.gc(). With 3 or more, also \
                      their share of collections: 25 at `info`, 75 at `warning`; and their pauses over the \
                      recording's time: 25 at `pause-info`, 75 at `pause-warning`.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 10.0, "Share of collections that is worth a look"),
                        Setting::percent("warning", 50.0, "Share of collections to act on"),
                        Setting::percent("pause-info", 1.0, "Share of time in their pauses that is worth a look"),
                        Setting::percent("pause-warning", 5.0, "Share of time in their pauses to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.GarbageCollection").groups(CALLS).groups(BY_CAUSE)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let measured = measure(facts);
        if measured.requests() == 0 {
            return Verdict::ok("No collection was requested with System.gc()");
        }
        verdict(facts, &measured, settings)
    }
}

/// Calls of `System.gc()`, and the collections for them.
struct Measured {
    /// Calls; 0 if they are not recorded.
    called: u64,
    collected: u64,
    /// All collections.
    collections: u64,
    /// The pauses of the collections for them, in nanoseconds.
    paused: f64,
    /// The callers, the most frequent first.
    places: Vec<Site>,
}

impl Measured {
    /// Some collectors run two collections per call, one of the young and one of the old generation.
    fn requests(&self) -> u64 {
        if self.called > 0 { self.called } else { self.collected }
    }
}

fn measure(facts: &Facts) -> Measured {
    let calls = facts.groups(&CALLS);
    let causes = facts.groups(&BY_CAUSE);
    let explicit = causes.select(&[], |g| g.text("cause").is_some_and(|c| c.contains("System.gc()"))).pop();
    let collected = explicit.as_ref().map_or(0, |g| g.count());
    Measured {
        called: calls.total().map_or(0, |t| t.count()),
        collected,
        collections: causes.total().map_or(0, |t| t.count()).max(collected),
        paused: explicit.as_ref().map_or(0.0, |g| g.sum("sumOfPauses")),
        places: sites(facts, calls.iter()),
    }
}

fn verdict(facts: &Facts, measured: &Measured, settings: &Settings) -> Verdict {
    let Measured { called, collected, collections, paused, places } = measured;
    let share = ratio(*collected as f64, *collections as f64) * 100.0;
    let pause_share = ratio(*paused, facts.nanos() as f64) * 100.0;
    let by_share = map2(share, settings.number("info"), settings.number("warning"));
    let by_pause = map2(pause_share, settings.number("pause-info"), settings.number("pause-warning"));
    let few = measured.requests() < ENOUGH;
    let score = if few { Severity::INFO_SCORE } else { highest([Severity::INFO_SCORE, by_share, by_pause]) };
    let of_all = units::share(share / 100.0);
    let summary = if *called > 0 {
        let caller = places.first().and_then(|place| site_name(facts, place));
        let caller = caller.map(|name| format!(", mostly by {name}")).unwrap_or_default();
        let of = if *collected > 0 { format!("; it caused {of_all} of all collections") } else { String::new() };
        format!("System.gc() was called {}{caller}{of}", things(*called, "time", "times"))
    } else {
        let collections = things(*collected, "collection was", "collections were");
        format!(
            "{collections} requested with System.gc(), {of_all} of all; the callers are not recorded \
             (jdk.SystemGC, JDK 17 or later)"
        )
    };
    let callers =
        (!places.is_empty()).then(|| site_rows(facts, places, |s| s.count as f64, |n| Value::number(n, "calls")));
    Verdict::scored(score, summary)
        .explain(ExplicitGc::WHY)
        .remedy(ExplicitGc::REMEDY)
        .cost(cost::paused(facts, *paused))
        .with_some("calls", (*called > 0).then(|| Value::count(*called, "calls")))
        .with("collections for them", Value::count(*collected, "collections"))
        .with("share of collections", Value::percent(share))
        .with("pauses", Value::nanos_f64(*paused))
        .with("share of time", Value::percent(pause_share))
        .with_some("callers", callers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn it_fires_and_names_the_caller() {
        fixture::expect("ExplicitGc", "explicit-gc", Severity::Info);
    }

    #[test]
    fn a_single_call_is_worth_a_look() {
        let scene = Scene::new().event("jdk.GarbageCollection", 0, 0, [("cause", "System.gc()".into())]);
        assert_eq!(scene.verdict(&ExplicitGc).severity, Severity::Info);
    }

    #[test]
    fn it_is_quiet_without_calls() {
        fixture::expect("ExplicitGc", "healthy", Severity::Ok);
        assert_eq!(Scene::new().verdict(&ExplicitGc).severity, Severity::NotApplicable);
    }
}
