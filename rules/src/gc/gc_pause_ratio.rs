//! `GcPauseRatio`: the share of time in GC pauses.

use super::stopped::{self, Stopped};
use jfr_analyzers::events::{Event, Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Value, Verdict};

/// The share of time in which the collector stops the application. Needs the list of pauses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GcPauseRatio;

impl GcPauseRatio {
    /// Why it matters.
    const WHY: &str = "While the collector stops the application, no work is done and every request waits.";
    /// What to do.
    const REMEDY: &str = "Allocate less (see the allocation rules), increase the heap, or choose a collector with \
        shorter pauses: G1 with -XX:MaxGCPauseMillis, ZGC or Shenandoah.";
}

impl Rule for GcPauseRatio {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("GcPauseRatio")
            .title("GC pause time")
            .category(Category::Gc)
            .description("The share of time in which the garbage collector stops the application.")
            .formula(
                "The sum of the pauses over the worst window of `window`, or over the whole recording if it is \
                      shorter: 25 at `info`, 75 at `warning`. Pauses of less than 200 ms in total are at most worth a \
                      look.",
            )
            .unlike_jmc(stopped::UNLIKE_JMC)
            .settings(stopped::SETTINGS)
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.GCPhasePause").table("jdk.GCPhasePause", &["name"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let pauses: Vec<Event<'_>> = facts.table("jdk.GCPhasePause").rows().collect();
        if pauses.is_empty() {
            return Verdict::ok("There were no GC pauses");
        }
        let total: i64 = pauses.iter().fold(0, |sum, p| sum.saturating_add(p.nanos()));
        let stopped = Stopped::of(&pauses, total, facts, settings);
        let summary = format!(
            "GC pauses took {:.2} % of the worst window and {:.2} % of the recording",
            stopped.share * 100.0,
            stopped.whole * 100.0
        );
        stopped
            .verdict(summary)
            .explain(GcPauseRatio::WHY)
            .remedy(GcPauseRatio::REMEDY)
            .with("pauses", Value::count(pauses.len() as u64, "pauses"))
            .with("time paused", Value::nanos(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    const SECOND: i64 = 1_000_000_000;

    fn scene(pauses: &[(i64, i64)]) -> Scene {
        let scene = Scene::new().enabled("jdk.GCPhasePause");
        pauses.iter().fold(scene, |scene, (at, nanos)| {
            scene.event("jdk.GCPhasePause", *at, at + nanos, [("name", "GC Pause".into())])
        })
    }

    #[test]
    fn a_tenth_of_a_window_is_a_warning() {
        // 6 s in 60 s.
        let verdict = scene(&[(0, 3 * SECOND), (10 * SECOND, 3 * SECOND)])
            .event("jdk.CPULoad", 60 * SECOND, 60 * SECOND, [])
            .verdict(&GcPauseRatio);
        assert_eq!(verdict.severity, Severity::Warning);
        assert!(verdict.score.is_some_and(|s| (s - 75.0).abs() < 1e-9));
    }

    #[test]
    fn a_recording_shorter_than_the_window_is_the_window() {
        // A quarter of 3 s.
        let short =
            scene(&[(0, SECOND / 2), (2 * SECOND, SECOND / 4)]).event("jdk.CPULoad", 3 * SECOND, 3 * SECOND, []);
        let verdict = short.verdict(&GcPauseRatio);
        assert_eq!(verdict.severity, Severity::Warning, "{}", verdict.summary);
        assert_eq!(verdict.summary, "GC pauses took 25.00 % of the worst window and 25.00 % of the recording");
        assert_eq!(verdict.evidence.get("worst window"), Some(&Value::window(0, 3 * SECOND)));
        assert_eq!(short.as_jmc(&GcPauseRatio), Severity::Ok);
        // Too little to act on.
        let little = scene(&[(0, SECOND / 10), (SECOND / 2, SECOND / 1_000)]);
        assert_eq!(little.verdict(&GcPauseRatio).severity, Severity::Info);
    }

    #[test]
    fn few_pauses_are_fine_and_another_window_changes_that() {
        let few = scene(&[(0, SECOND / 100), (10 * SECOND, SECOND / 100)]);
        assert_eq!(few.as_jmc(&GcPauseRatio), Severity::Ok);
        assert_eq!(few.with("window", "100 ms").as_jmc(&GcPauseRatio), Severity::Warning);
    }

    #[test]
    fn without_the_event_it_does_not_apply() {
        assert_eq!(Scene::new().as_jmc(&GcPauseRatio), Severity::NotApplicable);
    }
}
