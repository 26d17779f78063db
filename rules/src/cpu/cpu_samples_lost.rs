//! `CpuSamplesLost`: CPU-time samples that were lost or have no stack.

use jfr_analyzers::events::{Facts, Group, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::rounded_percent;

/// How many samples of the CPU-time profiler (JDK 25 and later, Linux) were lost or failed. Needs no event table.
///
/// Quiet on `fixtures/jdk25-full.jfr.gz` (2 % lost); fires on synthetic events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CpuSamplesLost;

const SAMPLES: GroupBy = GroupBy::of(&["jdk.CPUTimeSample"]).by(&["failed", "biased"]);
const LOST: GroupBy = GroupBy::of(&["jdk.CPUTimeSamplesLost"]).by(&["eventThread"]).measure(&["lostSamples"]);

/// Minimum number of samples to judge.
const ENOUGH: f64 = 100.0;

impl CpuSamplesLost {
    /// Why it matters.
    const WHY: &str = "A lost sample is CPU time that the profile does not show. Samples are lost when a thread's \
                       queue fills up before it is drained, so the busiest threads look less busy than they are.";
    /// What to do.
    const REMEDY: &str = "Sample less often (jdk.CPUTimeSample#throttle, for example 10ms or 500/s), or scale each \
                          thread's samples up by the number it lost.";
}

impl Rule for CpuSamplesLost {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("CpuSamplesLost")
            .title("CPU-time samples lost")
            .category(Category::Recording)
            .description(
                "Whether the CPU-time profiler lost samples or failed to take their stacks, which distorts \
                          its profile.",
            )
            .formula(
                "lostSamples of jdk.CPUTimeSamplesLost / (lostSamples + jdk.CPUTimeSample events); and the share \
                      of jdk.CPUTimeSample events with `failed`. Each 25 at `info`, 75 at `warning`; the higher score \
                      counts.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 5.0, "Share worth a look"),
                        Setting::percent("warning", 25.0, "Share to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.CPUTimeSample").groups(SAMPLES).groups(LOST)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let measured = measure(facts);
        let all = measured.samples + measured.lost;
        if all < ENOUGH {
            return Verdict::not_applicable(format!(
                "{all:.0} CPU-time samples are too few to judge; at least {ENOUGH:.0} are needed"
            ));
        }
        verdict(&measured, settings)
    }
}

/// CPU-time samples.
struct Measured<'f> {
    samples: f64,
    /// Those without a stack, and those at a safepoint rather than where the program was.
    failed: f64,
    biased: f64,
    /// Samples that were not written.
    lost: f64,
    /// By thread, the most lost samples first.
    threads: Vec<Group<'f>>,
}

fn measure(facts: &Facts) -> Measured<'_> {
    let groups = facts.groups(&SAMPLES);
    let count = |keep: fn(&Group<'_>) -> bool| {
        groups.iter().filter(keep).fold(0u64, |sum, g| sum.saturating_add(g.count())) as f64
    };
    let mut threads: Vec<Group<'_>> = facts.groups(&LOST).iter().collect();
    threads.sort_by(|a, b| b.sum("lostSamples").total_cmp(&a.sum("lostSamples")));
    Measured {
        samples: count(|_| true),
        failed: count(|g| g.int("failed") == Some(1)),
        biased: count(|g| g.int("biased") == Some(1)),
        lost: facts.groups(&LOST).total().map_or(0.0, |g| g.sum("lostSamples")),
        threads,
    }
}

fn verdict(measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { samples, failed, biased, lost, threads } = measured;
    let lost_share = ratio(*lost, samples + lost);
    let failed_share = ratio(*failed, *samples);
    let score = |share: f64| map2(share * 100.0, settings.number("info"), settings.number("warning"));
    let summary = format!(
        "{} of the CPU-time samples were lost, and {} of the rest have no stack",
        rounded_percent(lost_share * 100.0),
        rounded_percent(failed_share * 100.0)
    );
    let rows = threads.iter().take(5).map(|g| {
        let name = g.thread("eventThread").map_or("?", |t| t.name.as_str());
        [name.into(), Value::number(g.sum("lostSamples"), "samples")]
    });
    Verdict::scored(score(lost_share).max(score(failed_share)), summary)
        .explain(CpuSamplesLost::WHY)
        .remedy(CpuSamplesLost::REMEDY)
        .with("lost", Value::share(lost_share))
        .with("without a stack", Value::share(failed_share))
        .with("biased to safepoints", Value::share(ratio(*biased, *samples)))
        .with("samples", Value::number(*samples, "samples"))
        .with("threads that lost most", Value::table(["thread", "lost samples"], rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::thread;

    fn scene(good: i64, failed: i64, lost: i64) -> Scene {
        let scene = (0..good.saturating_add(failed)).fold(Scene::new(), |scene, i| {
            scene.event("jdk.CPUTimeSample", i, i, [("failed", (i >= good).into()), ("biased", false.into())])
        });
        let fields = [("eventThread", thread("worker")), ("lostSamples", lost.into())];
        scene.event("jdk.CPUTimeSamplesLost", 0, 0, fields)
    }

    #[test]
    fn lost_and_failed_samples_are_found() {
        assert_eq!(scene(200, 0, 100).verdict(&CpuSamplesLost).severity, Severity::Warning);
        assert_eq!(scene(180, 20, 0).verdict(&CpuSamplesLost).severity, Severity::Info);
    }

    #[test]
    fn few_lost_are_fine() {
        assert_eq!(scene(200, 1, 1).verdict(&CpuSamplesLost).severity, Severity::Ok);
        fixture::expect("CpuSamplesLost", "jdk25-full", Severity::Ok);
    }

    #[test]
    fn older_jdks_have_no_such_samples() {
        fixture::expect("CpuSamplesLost", "scenarios/healthy", Severity::NotApplicable);
        assert_eq!(scene(5, 5, 5).verdict(&CpuSamplesLost).severity, Severity::NotApplicable);
    }
}
