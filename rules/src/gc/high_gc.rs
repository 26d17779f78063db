//! `HighGc`: GC pauses in quick succession.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{Cluster, map_exp100_at, mass_cluster, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Settings, Value, Verdict};
use jfrkit_profile::units::duration_f64;

/// The densest cluster of pauses. Needs the list of pauses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HighGc;

impl HighGc {
    /// Why it matters.
    const WHY: &str = "Pauses in quick succession stop the application like one long pause.";
    /// What to do.
    const REMEDY: &str = "Increase the heap, or allocate less in this time range.";
}

impl Rule for HighGc {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("HighGc")
            .title("GC pressure")
            .category(Category::Heap)
            .description("Whether GC pauses follow each other so closely that they act like one long pause.")
            .formula(
                "Pauses are merged into clusters as long as that makes the cluster denser (time paused squared \
                      over time). The densest cluster scores 25 with 125 ms of pauses, 75 with 602 ms, and 90 with \
                      1 s.",
            )
            .unlike_jmc("JMC loses pauses while merging, so its score is often lower.")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.GCPhasePause").table("jdk.GCPhasePause", &["name"])
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let pauses: Vec<Cluster> = facts
            .table("jdk.GCPhasePause")
            .rows()
            .map(|p| Cluster { start: p.start, end: p.end, mass: p.nanos() as f64 })
            .collect();
        let Some(cluster) = mass_cluster(&pauses) else {
            return Verdict::ok("There were no GC pauses");
        };
        let length = cluster.end.saturating_sub(cluster.start);
        // Pauses of several collectors, or in a damaged file, may overlap.
        let paused = cluster.mass.min(length as f64);
        let share = ratio(paused, length as f64);
        Verdict::scored(
            map_exp100_at(cluster.mass, 1e9, 90.0),
            if share < 1.0 {
                format!(
                    "GC pauses took {} within {} ({:.0} %)",
                    duration_f64(paused),
                    duration_f64(length as f64),
                    share * 100.0
                )
            } else {
                format!("One GC pause took {}; no other pause is close to it", duration_f64(paused))
            },
        )
        .explain(HighGc::WHY)
        .remedy(HighGc::REMEDY)
        .cost(Cost::elapsed(ratio(paused, facts.nanos() as f64)))
        .with("cluster", Value::window(cluster.start, cluster.end))
        .with("time paused", Value::nanos_f64(paused))
        .with("share paused", Value::share(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn pauses_in_a_row_are_found() {
        let ms = 1_000_000;
        let of = |pauses: &[(i64, i64)]| {
            let scene = Scene::new().enabled("jdk.GCPhasePause");
            let scene = pauses.iter().fold(scene, |s, (a, b)| s.event("jdk.GCPhasePause", a * ms, b * ms, []));
            scene.verdict(&HighGc).severity
        };
        assert_eq!(of(&[(0, 400), (401, 800)]), Severity::Warning);
        assert_eq!(of(&[(0, 10), (10_000, 10_010)]), Severity::Ok);
        assert_eq!(of(&[]), Severity::Ok);
    }
}
