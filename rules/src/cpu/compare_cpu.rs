//! `CompareCpu`: other processes use the CPU.

use super::load::{needs, samples};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{Span, longest_span, map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::duration_f64;

/// Whether other processes use the CPU. Needs the `jdk.CPULoad` table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CompareCpu;

impl CompareCpu {
    /// Why it matters.
    const WHY: &str = "The program competes with other processes for the CPUs.";
    /// What to do.
    const REMEDY: &str = "Find out what else runs on the machine, and move either it or the program.";
}

impl Rule for CompareCpu {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("CompareCpu")
            .title("CPU used by other processes")
            .category(Category::Environment)
            .description("Whether other processes on the machine use the CPU.")
            .formula(
                "Other = machineTotal - JVM load. Neighboring samples are merged into spans while the mean of \
                      other × machineTotal exceeds `warning`. For the longest span: 25 at `info`, 75 at `warning`.",
            )
            .unlike_jmc(
                "JMC drops the last span when it merges. As in JMC, this rule multiplies the other processes' load \
                 by the machine load instead of dividing by it; the evidence shows their share of the machine load.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 20.0, "Load worth a look"),
                        Setting::percent("warning", 40.0, "Load to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        needs(Needs::new().available("jdk.CPULoad"))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let loads = samples(facts);
        let spans = |level: fn(f64, f64) -> f64| -> Vec<Span> {
            let level = |l: &super::load::Load| level(l.machine - l.jvm(), l.machine);
            let pairs = loads.iter().zip(loads.iter().skip(1));
            pairs.map(|(a, b)| Span { start: a.at, end: b.at, level: (level(a) + level(b)) / 2.0 }).collect()
        };
        let limit = settings.number("warning") / 100.0;
        let (Some(other), Some(worst)) = (
            longest_span(&spans(|other, _| other), limit),
            longest_span(&spans(|other, machine| other * machine), limit),
        ) else {
            return Verdict::not_applicable("there are fewer than two CPU load samples");
        };
        let score = map2(worst.level * 100.0, settings.number("info"), settings.number("warning"));
        let sum = |f: fn(&super::load::Load) -> f64| loads.iter().map(f).sum::<f64>();
        let share = ratio(sum(|l| (l.machine - l.jvm()).max(0.0)), sum(|l| l.machine));
        let mean = ratio(sum(|l| (l.machine - l.jvm()).max(0.0)), loads.len() as f64);
        let percent = |level: f64| format!("{:.0} %", (level * 100.0).max(0.0));
        let summary = if percent(other.level) == percent(mean) {
            format!("Other processes use {} of the CPUs", percent(mean))
        } else {
            // The longest busy stretch may be a short one, so the mean belongs to it.
            let length = duration_f64(other.end.saturating_sub(other.start) as f64);
            format!(
                "Other processes use {} of the CPUs for {length}, {} on average",
                percent(other.level),
                percent(mean)
            )
        };
        Verdict::scored(score, summary)
            .explain(CompareCpu::WHY)
            .remedy(CompareCpu::REMEDY)
            .with("load of other processes", Value::share(other.level.clamp(0.0, 1.0)))
            .with("window", Value::window(other.start, other.end))
            .with("mean load of other processes", Value::share(mean.clamp(0.0, 1.0)))
            .with("share in the machine's load", Value::share(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_short_busy_stretch_is_told_apart_from_the_mean() {
        let second = 1_000_000_000;
        let load = |s: Scene, i: i64| {
            let machine = if (10..13).contains(&i) { 0.9 } else { 0.05 };
            let fields = [("jvmUser", 0.0.into()), ("jvmSystem", 0.0.into()), ("machineTotal", machine.into())];
            s.event("jdk.CPULoad", i * second, i * second, fields)
        };
        let verdict = (0..60i64).fold(Scene::new(), load).verdict(&CompareCpu);
        assert_eq!(verdict.summary, "Other processes use 69 % of the CPUs for 4 s, 9 % on average");
    }

    #[test]
    fn a_busy_machine_with_an_idle_jvm_is_found() {
        let of = |jvm: f64, machine: f64| {
            (0..5i64)
                .fold(Scene::new(), |s, i| {
                    s.event(
                        "jdk.CPULoad",
                        i,
                        i,
                        [("jvmUser", jvm.into()), ("jvmSystem", 0.0.into()), ("machineTotal", machine.into())],
                    )
                })
                .verdict(&CompareCpu)
                .severity
        };
        assert_eq!(of(0.05, 0.9), Severity::Warning);
        assert_eq!(of(0.9, 0.95), Severity::Ok);
        let one = Scene::new().event(
            "jdk.CPULoad",
            0,
            0,
            [("jvmUser", 0.0.into()), ("jvmSystem", 0.0.into()), ("machineTotal", 0.9.into())],
        );
        assert_eq!(one.verdict(&CompareCpu).severity, Severity::NotApplicable);
    }
}
