//! `GcFreedRatio`: how fast garbage is produced, relative to the live set.

use std::collections::BTreeMap;

use crate::cost;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::{map_exp74, ratio, sliding};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// Memory freed per second over the live set. Needs the list of heap summaries, two per collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GcFreedRatio;

/// The pauses of all collections.
const PAUSES: GroupBy = GroupBy::of(&["jdk.GCPhasePause"]).measure(&["duration"]);

/// Heap use before and after a collection, each with its time.
type Pair = (Option<Use>, Option<Use>);

impl GcFreedRatio {
    /// Why it matters.
    const WHY: &str = "Most allocated objects soon become garbage. Allocating and collecting them costs CPU time and \
        triggers collections.";
    /// What to do.
    const REMEDY: &str = "Find the classes and methods that allocate most, and reuse expensive objects.";
}

impl Rule for GcFreedRatio {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("GcFreedRatio")
            .title("Allocation churn")
            .category(Category::Heap)
            .description("How fast the application produces garbage, compared with the live set.")
            .formula(
                "Windows of `window`, sliding by half: memory freed per second over the mean use after \
                      collections. 25 at `info` per second in the worst window, never more than 74, half of that for \
                      a recording shorter than `short`. Fewer than `few` heap summaries are fine.",
            )
            .as_in_jmc(
                "It requires the TLAB events although it does not read them, so it does not apply \
                          to most recordings of JDK 16 and later. AllocationRate measures the same without requiring \
                          them.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 1000.0, "Share of the live heap freed per second"),
                        Setting::seconds("window", 10.0, "Length of the window"),
                        Setting::count("few", 10.0, "Minimum number of heap summaries for a verdict"),
                        Setting::seconds("short", 20.0, "Recordings below this length are short"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .enabled("jdk.GCHeapSummary")
            .enabled("jdk.ObjectAllocationInNewTLAB")
            .enabled("jdk.ObjectAllocationOutsideTLAB")
            .table("jdk.GCHeapSummary", &["when", "heapUsed", "gcId"])
            .groups(PAUSES)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if (facts.table("jdk.GCHeapSummary").len() as f64) < settings.number("few") {
            return Verdict::ok("There were too few collections to judge");
        }
        verdict(facts, &measure(facts, settings), settings)
    }
}

/// What collections freed in the window with the greatest ratio.
struct Measured {
    /// What was freed per second, divided by what was left.
    ratio: f64,
    /// In bytes per second.
    freed: f64,
    /// Mean use after collections, in bytes.
    live: f64,
    window: (i64, i64),
}

/// The heap used at the end of an event: instant and bytes.
type Use = (i64, f64);

fn measure(facts: &Facts, settings: &Settings) -> Measured {
    let pairs = before_and_after(facts);
    let ends: Vec<i64> = facts.table("jdk.GCHeapSummary").rows().map(|r| r.end).collect();
    let (first, last) = (ends.iter().copied().min().unwrap_or(0), ends.iter().copied().max().unwrap_or(0));
    let mut best = Measured { ratio: 0.0, freed: 0.0, live: 0.0, window: (first, last) };
    let mut from = 0usize;
    for window in sliding(first, last, settings.nanos("window")) {
        // No later window contains a collection that ended before this window.
        while pairs.get(from).is_some_and(|(_, after)| after.0 < window.from) {
            from += 1;
        }
        let inside: Vec<_> = pairs.iter().skip(from).take_while(|(b, _)| b.0 <= window.to).collect();
        if inside.is_empty() {
            continue;
        }
        let (mut begin, mut end, mut freed, mut after_sum) = (window.from, window.to, 0.0, 0.0);
        for (before, after) in &inside {
            (begin, end) = (begin.min(before.0), end.max(after.0));
            freed += before.1 - after.1;
            after_sum += after.1;
        }
        let freed = ratio(freed, end.saturating_sub(begin) as f64 / 1e9);
        let live = after_sum / inside.len() as f64;
        let ratio = ratio(freed, live);
        if ratio > best.ratio {
            best = Measured { ratio, freed, live, window: (begin, end) };
        }
    }
    best
}

/// The use before and after each collection, in chronological order.
fn before_and_after(facts: &Facts) -> Vec<(Use, Use)> {
    let mut pairs: BTreeMap<i64, Pair> = BTreeMap::new();
    for row in facts.table("jdk.GCHeapSummary").rows() {
        let (Some(id), Some(used)) = (row.int("gcId"), row.float("heapUsed")) else { continue };
        let pair = pairs.entry(id).or_default();
        match row.text("when") {
            Some("Before GC") => pair.0 = Some((row.end, used)),
            Some("After GC") => pair.1 = Some((row.end, used)),
            _ => {}
        }
    }
    let mut pairs: Vec<(Use, Use)> =
        pairs.into_values().filter_map(|(before, after)| Some((before?, after?))).collect();
    pairs.sort_by_key(|(before, after)| (before.0, after.0));
    pairs
}

fn verdict(facts: &Facts, measured: &Measured, settings: &Settings) -> Verdict {
    let Measured { ratio, freed, live, window } = measured;
    let score = map_exp74(ratio * 100.0, settings.number("info"));
    let score = if facts.nanos() < settings.nanos("short") { score / 2.0 } else { score };
    Verdict::scored(
        score,
        format!("Collections freed {:.0} MiB/s, {ratio:.1} times the live set per second", freed / 1_048_576.0),
    )
    .explain(GcFreedRatio::WHY)
    .remedy(GcFreedRatio::REMEDY)
    .cost(facts.groups(&PAUSES).total().and_then(|g| cost::paused(facts, g.sum("duration"))))
    .with("freed a second, over the live heap", Value::number(*ratio, "times"))
    .with("freed a second", Value::bytes(*freed))
    .with("mean use after collections", Value::bytes(*live))
    .with("worst window", Value::window(window.0, window.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn scene(collections: i64, before: i64) -> Scene {
        let on = Scene::new()
            .enabled("jdk.ObjectAllocationInNewTLAB")
            .enabled("jdk.ObjectAllocationOutsideTLAB")
            .enabled("jdk.GCHeapSummary");
        (0..collections).fold(on, |scene, i| {
            let at = i * 1_000_000_000;
            scene
                .event(
                    "jdk.GCHeapSummary",
                    at,
                    at,
                    [("gcId", i.into()), ("when", "Before GC".into()), ("heapUsed", before.into())],
                )
                .event(
                    "jdk.GCHeapSummary",
                    at + 1,
                    at + 1,
                    [("gcId", i.into()), ("when", "After GC".into()), ("heapUsed", 1_000_000.into())],
                )
        })
    }

    #[test]
    fn churn_is_found_and_a_short_recording_counts_half() {
        assert_eq!(scene(40, 30_000_000).verdict(&GcFreedRatio).severity, Severity::Info);
        assert_eq!(scene(10, 12_000_000).verdict(&GcFreedRatio).severity, Severity::Ok);
        assert_eq!(scene(40, 2_000_000).verdict(&GcFreedRatio).severity, Severity::Ok);
        assert_eq!(scene(4, 900_000_000).verdict(&GcFreedRatio).severity, Severity::Ok);
        assert_eq!(Scene::new().verdict(&GcFreedRatio).severity, Severity::NotApplicable);
    }
}
