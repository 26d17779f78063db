//! `HighJvmCpu`: the JVM uses a lot of CPU, or uses it where method samples do not show it.

use super::load::{needs, samples};
use crate::overhead;
use jfr_analyzers::events::{Facts, Needs, parse_timespan};
use jfr_analyzers::math::{map_exp74, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Section, Setting, Settings, Value, Verdict};

/// Whether the JVM uses a lot of CPU. Needs the `jdk.CPULoad` table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HighJvmCpu;

/// Maximum number of threads that the JVM samples per period.
const SAMPLES_A_PERIOD: f64 = 5.0;

impl HighJvmCpu {
    /// Why it matters.
    const WHY: &str =
        "The JVM uses the CPU where method samples do not look: native code, garbage collection, JIT compilation.";
    /// What to do.
    const REMEDY: &str = "Set the jdk.CPULoad period to 1 s.";
}

impl Rule for HighJvmCpu {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("HighJvmCpu")
            .title("High JVM CPU load")
            .category(Category::Cpu)
            .description("Whether the JVM uses a lot of CPU, and whether method samples show where.")
            .formula(
                "Worth a look if jdk.CPULoad is recorded less often than every `longest-period`. Otherwise the \
                      share of missing samples (1 - samples / expected samples, at five per period) times the mean \
                      user load: 25 at `missing`. Otherwise the mean user load: 25 at `info`. Never more than 74.",
            )
            .unlike_jmc(
                "JMC caps the score at 74 but reports only scores of 80 or more, so it never reports high load.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 80.0, "Mean user load worth a look"),
                        Setting::seconds("longest-period", 10.0, "Longest acceptable period of jdk.CPULoad"),
                        Setting::percent("missing", 50.0, "Share of missing samples, times load, worth a look"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(
                "Also record native methods (jdk.NativeMethodSample), or use a profiler that shows native frames; \
                     see the rules on garbage collection and JIT compilation.",
            )
    }

    fn needs(&self) -> Needs {
        overhead::needs(needs(Needs::new().available("jdk.CPULoad")))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if let Some(period) = too_rare(facts, settings) {
            return Verdict::info(format!("jdk.CPULoad is recorded too rarely to judge (period: {period})"))
                .remedy(HighJvmCpu::REMEDY)
                .section(Section::Recording);
        }
        match measure(facts) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::not_applicable("the jdk.CPULoad events do not contain the JVM's load"),
        }
    }
}

/// The period of `jdk.CPULoad`, if it is longer than the setting `longest-period`.
fn too_rare(facts: &Facts, settings: &Settings) -> Option<String> {
    let longest = settings.nanos("longest-period");
    let periods = facts.settings_of("jdk.CPULoad", "period");
    let is_rare = |period: &str| period == "everyChunk" || parse_timespan(period).is_some_and(|p| p > longest);
    periods.iter().find(|s| is_rare(s.value)).map(|s| s.value.to_owned())
}

/// The load of the JVM, and how many samples show where it comes from.
struct Measured {
    /// The mean user load as a share of the machine, 0 to 1.
    mean: f64,
    samples: u64,
    /// How many samples the load should have produced; `None` if unknown, or if there are none at all.
    expected: Option<f64>,
}

/// `None` if no event contains the load.
fn measure(facts: &Facts) -> Option<Measured> {
    let loads = samples(facts);
    let (first, last) = (loads.first()?, loads.last()?);
    let span = last.at.saturating_sub(first.at) as f64 / 1e9;
    let count = facts.count("jdk.ExecutionSample");
    let period = facts.settings_of("jdk.ExecutionSample", "period");
    let period = period.iter().filter_map(|s| parse_timespan(s.value)).max();
    let period = period.filter(|p| count > 0 && *p > 0 && span > 0.0);
    Some(Measured {
        mean: loads.iter().map(|l| l.user).sum::<f64>() / loads.len() as f64,
        samples: count,
        expected: period.map(|period| SAMPLES_A_PERIOD / (period as f64 / 1e9) * span),
    })
}

fn verdict(facts: &Facts, measured: &Measured, settings: &Settings) -> Verdict {
    let Measured { mean, samples, expected } = measured;
    let evidence = |verdict: Verdict| {
        verdict.with("mean user load", Value::share(*mean)).with("method samples", Value::count(*samples, "samples"))
    };
    let missing = expected.map_or(0.0, |expected| 1.0 - ratio(*samples as f64, expected));
    let value = missing * mean * 100.0;
    if expected.is_some() && value >= settings.number("missing") {
        let summary = format!("The JVM uses {:.0} % of the CPUs, but few samples show where", mean * 100.0);
        let verdict = Verdict::scored(map_exp74(value, settings.number("missing")), summary)
            .cost(Cost::cpu(missing))
            .explain(HighJvmCpu::WHY)
            .remedy("Profile with async-profiler or jdk.CPUTimeSample, and look at the garbage collection rules.");
        return evidence(verdict);
    }
    let score = map_exp74(mean * 100.0, settings.number("info"));
    // Below the limit this must not become a finding through rounding.
    let score = if mean * 100.0 >= settings.number("info") { score } else { score.min(24.9) };
    let verdict = Verdict::scored(score, format!("The JVM uses {:.0} % of the CPUs on average", mean * 100.0))
        .cost(Cost::cpu(*mean))
        .remedy("Look at the methods with the most samples.");
    overhead::carry(facts, evidence(verdict))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
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
        assert_eq!(scene(0.9).verdict(&HighJvmCpu).severity, Severity::Info);
        assert_eq!(scene(0.5).verdict(&HighJvmCpu).severity, Severity::Ok);
        assert_eq!(scene(0.1).setting("jdk.CPULoad", "period", "1 m").verdict(&HighJvmCpu).severity, Severity::Info);
    }

    #[test]
    fn load_that_few_samples_show_is_found() {
        let unseen =
            scene(0.7).setting("jdk.ExecutionSample", "period", "20 ms").event("jdk.ExecutionSample", 0, 0, []);
        assert_eq!(unseen.verdict(&HighJvmCpu).severity, Severity::Info);
    }
}
