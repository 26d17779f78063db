//! `IncreasingMetaSpaceLiveSet`: metaspace grows.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map_exp100, ratio, slope_mib_per_second};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};

/// Whether metaspace grows. Needs the list of metaspace summaries, two per collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IncreasingMetaSpaceLiveSet;

/// Time after JVM start, in nanoseconds, in which metaspace grows to its normal size.
const START_UP: i64 = 300_000_000_000;
/// Minimum number of collections after that to see a trend.
const ENOUGH: usize = 8;

impl IncreasingMetaSpaceLiveSet {
    /// Why it matters.
    const WHY: &str = "Classes are loaded and never unloaded because their class loaders are still reachable.";
    /// What to do.
    const REMEDY: &str =
        "Find the class loaders that are retained (redeployed applications, scripts, proxies generated repeatedly).";
}

impl Rule for IncreasingMetaSpaceLiveSet {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("IncreasingMetaSpaceLiveSet")
            .title("Growing metaspace")
            .category(Category::Gc)
            .description("Whether metaspace grows from collection to collection.")
            .formula(
                "Least-squares slope of the metaspace used after collections (whole MiB over whole seconds): 75 \
                      at `warning` MiB per second.",
            )
            .unlike_jmc(
                "JMC mistakes startup for growth. In jfrkit, the growth has to continue after the JVM's \
                          first five minutes.",
            )
            .settings(const { &[Setting::count("warning", 0.75, "MiB per second to act on")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.MetaspaceSummary").table("jdk.MetaspaceSummary", &["when", "metaspace.used"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let points: Vec<(i64, i64)> = facts
            .table("jdk.MetaspaceSummary")
            .rows()
            .filter(|r| r.text("when") == Some("After GC"))
            .filter_map(|r| Some((r.end, r.int("metaspace.used")?)))
            .collect();
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Verdict::ok("There were no collections");
        };
        let slope = slope_mib_per_second(&points);
        // Every application loads classes in the first minutes of the JVM.
        let settled = facts.jvm().start.unwrap_or_else(|| facts.start()).saturating_add(START_UP);
        let after: Vec<(i64, i64)> = points.iter().copied().filter(|(at, _)| *at >= settled).collect();
        let grows = after.len() >= ENOUGH && slope_mib_per_second(&after) >= slope / 2.0;
        let shown = if grows { Severity::Warning } else { Severity::Ok };
        Verdict::scored(map_exp100(slope, settings.number("warning")), format!("Metaspace grew by {slope:.3} MiB/s"))
            .explain(IncreasingMetaSpaceLiveSet::WHY)
            .remedy(IncreasingMetaSpaceLiveSet::REMEDY)
            .cost(Cost::memory(ratio(last.1.saturating_sub(first.1) as f64, last.1 as f64)))
            .at_most(shown)
            .with("growth a second", Value::bytes(slope * 1_048_576.0))
            .with("first", Value::bytes(first.1 as f64))
            .with("last", Value::bytes(last.1 as f64))
            .with("window", Value::window(first.0, last.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn growth_is_found() {
        let of = |mib_a_second: i64| {
            (0..10i64)
                .fold(Scene::new(), |scene, i| {
                    scene.event(
                        "jdk.MetaspaceSummary",
                        i * 1_000_000_000,
                        i * 1_000_000_000,
                        [("when", "After GC".into()), ("metaspace.used", ((50 + i * mib_a_second) << 20).into())],
                    )
                })
                .as_jmc(&IncreasingMetaSpaceLiveSet)
        };
        assert_eq!(of(1), Severity::Warning);
        assert_eq!(of(0), Severity::Ok);
        assert_eq!(Scene::new().as_jmc(&IncreasingMetaSpaceLiveSet), Severity::NotApplicable);
    }
}
