//! `HighJvmCpu`: the JVM uses much CPU, or uses it where samples do not see it.

use super::load::{needs, samples};
use crate::overhead;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map_exp74, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// Whether the JVM uses much CPU. Needs the list of CPU loads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HighJvmCpu;

/// Threads that the JVM samples in a period, at most.
const SAMPLES_A_PERIOD: f64 = 5.0;

impl HighJvmCpu {
    /// Why it matters.
    const WHY: &str = "The CPU is used where method samples do not look: native code, the collector, the compiler.";
    /// What to do.
    const REMEDY: &str = "Set its period to 1 s.";
}

impl Rule for HighJvmCpu {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "High JVM CPU load",
            category: Category::Cpu,
            description: "Whether the JVM uses much CPU, and whether the method samples see it.",
            formula: "Worth a look if CPULoad is recorded less often than every `longest-period`. Missing samples (1 \
                      less the samples over those expected, five a period) times the mean user load: 25 at \
                      `missing`. Else 25 for a mean user load of `info`. Never more than 74.",
            differences: "JMC asks a score that is 74 at most to reach 80, so that it never reports high load.",
            settings: const {
                &[
                    Setting::percent("info", 80.0, "Mean user load that is worth a look"),
                    Setting::seconds("longest-period", 10.0, "Longest period of jdk.CPULoad that is good enough"),
                    Setting::percent("missing", 50.0, "Share of missing samples, times load, that is worth a look"),
                ]
            },
            why: Self::WHY,
            remedy: "Record native methods too (jdk.NativeMethodSample), or use a profiler with native frames; see the rules on the collector and the compilers.",
            ..RuleInfo::jmc("HighJvmCpu")
        }
    }

    fn needs(&self) -> Needs {
        overhead::needs(needs(Needs::new().available("jdk.CPULoad")))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let periods = facts.settings_of("jdk.CPULoad", "period");
        let rare = periods.iter().find(|s| {
            s.value == "everyChunk"
                || jfr_analyzers::events::parse_timespan(s.value).is_some_and(|p| p > settings.nanos("longest-period"))
        });
        if let Some(rare) = rare {
            return Verdict::info(format!("jdk.CPULoad is recorded too seldom to judge: {}", rare.value))
                .remedy(HighJvmCpu::REMEDY);
        }
        let loads = samples(facts);
        if loads.is_empty() {
            return Verdict::not_applicable("the events have no load of the JVM");
        }
        let mean = loads.iter().map(|l| l.user).sum::<f64>() / loads.len() as f64;
        let count = facts.count("jdk.ExecutionSample");
        let period = facts.settings_of("jdk.ExecutionSample", "period");
        let period = period.iter().filter_map(|s| jfr_analyzers::events::parse_timespan(s.value)).max();
        let evidence = |v: Verdict| {
            v.with("mean user load", Value::share(mean)).with("method samples", Value::count(count, "samples"))
        };
        let span = match (loads.first(), loads.last()) {
            (Some(first), Some(last)) => last.at.saturating_sub(first.at) as f64 / 1e9,
            _ => 0.0,
        };
        if let Some(period) = period.filter(|p| count > 0 && *p > 0 && span > 0.0) {
            let expected = SAMPLES_A_PERIOD / (period as f64 / 1e9) * span;
            let value = (1.0 - ratio(count as f64, expected)) * mean;
            if value * 100.0 >= settings.number("missing") {
                let score = map_exp74(value * 100.0, settings.number("missing"));
                return evidence(
                    Verdict::scored(
                        score,
                        format!("The JVM uses {:.0} % of the CPUs, but few samples see it", mean * 100.0),
                    )
                    .explain(HighJvmCpu::WHY)
                    .remedy("Profile with async-profiler or jdk.CPUTimeSample, and look at the collector's rules."),
                );
            }
        }
        let score = if mean * 100.0 >= settings.number("info") {
            map_exp74(mean * 100.0, settings.number("info"))
        } else {
            // Below the limit it is no finding, whatever rounding makes of it.
            map_exp74(mean * 100.0, settings.number("info")).min(24.9)
        };
        let verdict = Verdict::scored(score, format!("The JVM uses {:.0} % of the CPUs on average", mean * 100.0))
            .remedy("Look at the methods that take most samples.");
        overhead::carry(facts, evidence(verdict))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn scene(user: f64) -> Scene {
        (0..5i64).fold(Scene::new(), |s, i| {
            s.event(
                "jdk.CPULoad",
                i * 1_000_000_000,
                i * 1_000_000_000,
                [("jvmUser", user.into()), ("jvmSystem", 0.0.into()), ("machineTotal", user.into())],
            )
        })
    }

    #[test]
    fn high_load_is_found() {
        assert_eq!(scene(0.9).judge(&HighJvmCpu).severity, Severity::Info);
        assert_eq!(scene(0.5).judge(&HighJvmCpu).severity, Severity::Ok);
        assert_eq!(scene(0.1).setting("jdk.CPULoad", "period", "1 m").judge(&HighJvmCpu).severity, Severity::Info);
        let unseen =
            scene(0.7).setting("jdk.ExecutionSample", "period", "20 ms").event("jdk.ExecutionSample", 0, 0, []);
        assert!(unseen.judge(&HighJvmCpu).summary.contains("few samples"));
    }
}
