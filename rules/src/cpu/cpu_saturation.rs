//! `CpuSaturation`: bursts of CPU load, and times with no idle CPU left.

use crate::cpu_load::{LOAD_FIELDS, Load, loads};
use crate::overhead;
use crate::time::SECOND;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Section, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::duration_f64;

/// Whether the machine was busy for seconds on end, and which processes caused it. Needs the `jdk.CPULoad` table.
///
/// Fires on `fixtures/scenarios/cpu-saturation.jfr.gz` and on synthetic load; quiet on
/// `fixtures/scenarios/healthy.jfr.gz`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CpuSaturation;

/// Load from which the machine counts as fully busy.
const FULL: f64 = 0.995;

/// Share of the load from which this JVM counts as its cause.
const OWN: f64 = 0.6;

impl CpuSaturation {
    /// Why it matters.
    const WHY: &str =
        "When all CPUs are busy, runnable threads wait for one, and every response takes longer than its own work.";
    /// What to do.
    const REMEDY: &str = "If this JVM uses the CPUs, look at its hottest methods. If other processes do, move them, \
                          or reserve CPUs for this JVM.";
}

impl Rule for CpuSaturation {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("CpuSaturation")
            .title("CPU saturation")
            .category(Category::Cpu)
            .description(
                "Whether the machine's CPUs were busy for some time, and whether this JVM or other processes \
                          caused it.",
            )
            .formula(
                "From jdk.CPULoad: the highest mean machineTotal over `window`, 25 at `info`, 75 at `warning`; \
                      and the time with machineTotal of 99.5 % or more, 25 at `full-info`, 75 at `full-warning`. The \
                      higher score counts. The cost is the time at full load, or, if there is none, the time above \
                      `info`, weighted by how far above. Based on Datadog's analysis (75 % over 10 s; one second at 100 %) and \
                      jafar's (70 %, 90 %).",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 75.0, "Load over the window worth a look"),
                        Setting::percent("warning", 90.0, "Load over the window to act on"),
                        Setting::seconds("window", 10.0, "Length of the window"),
                        Setting::seconds("full-info", 1.0, "Time at full load worth a look"),
                        Setting::seconds("full-warning", 10.0, "Time at full load to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        overhead::needs(Needs::new()).available("jdk.CPULoad").table("jdk.CPULoad", LOAD_FIELDS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let loads = loads(facts);
        if loads.len() < 3 {
            return Verdict::not_applicable(format!("{} jdk.CPULoad events are too few to judge", loads.len()));
        }
        let Some(worst) = worst(&loads, settings.nanos("window")) else {
            return Verdict::ok("The CPUs were idle");
        };
        let full: f64 = loads.iter().filter(|l| l.machine >= FULL).map(Load::nanos).sum();
        let limit = (settings.number("info") / 100.0).min(FULL);
        let beyond = |l: &Load| ((l.machine - limit) / (1.0 - limit)).max(0.0);
        let above: f64 = loads.iter().map(|l| beyond(l) * l.nanos()).sum();
        let burst = map2(worst.machine * 100.0, settings.number("info"), settings.number("warning"));
        let saturated = map2(full / 1e9, settings.number("full-info"), settings.number("full-warning"));
        let share = ratio(worst.jvm(), worst.machine);
        let own = share >= OWN;
        let who = if own { "this JVM" } else { "other processes" };
        let mut summary = format!(
            "The CPUs were {:.0} % busy over the busiest {}, with {:.0} % of that load from {who}",
            worst.machine * 100.0,
            duration_f64(worst.nanos()),
            if own { share } else { 1.0 - share } * 100.0,
        );
        if full > 0.0 {
            summary.push_str(&format!("; they were saturated for {}", duration_f64(full)));
        }
        let verdict = Verdict::scored(burst.max(saturated), summary)
            .explain(CpuSaturation::WHY)
            .remedy(if own {
                "Look at the hottest methods (method profile) and at the CPU share of the garbage collector and the \
                 JIT compilers; spread the load, or give the process more CPUs."
            } else {
                "Find the other processes on the machine and move them, or reserve CPUs for this one."
            })
            .cost(Cost::elapsed(ratio(if full > 0.0 { full } else { above }, facts.nanos() as f64)))
            .section(if own { Section::Program } else { Section::Environment })
            .with("busiest window", Value::window(worst.from, worst.to))
            .with("load of the machine", Value::share(worst.machine))
            .with("load by this JVM", Value::share(worst.jvm()))
            .with("time at full load", Value::nanos_f64(full))
            .with_some("hardware threads", facts.hardware_threads().map(|n| Value::number(n as f64, "threads")));
        if own { overhead::carry(facts, verdict) } else { verdict }
    }
}

/// The window with the highest mean load, or the whole recording if it is shorter.
fn worst(loads: &[Load], length: i64) -> Option<Load> {
    let mut best: Option<Load> = None;
    let mut first = 0usize;
    let whole = loads.iter().map(Load::nanos).sum::<f64>();
    for (last, end) in loads.iter().enumerate() {
        // A window may be half a sample longer than configured.
        while let Some(start) = loads.get(first)
            && end.to.saturating_sub(start.from) > length.saturating_add(SECOND / 2)
            && first < last
        {
            first = first.saturating_add(1);
        }
        let window = loads.get(first..=last).unwrap_or_default();
        let covered: f64 = window.iter().map(Load::nanos).sum();
        // The first samples do not fill a window yet, unless the recording is shorter than one.
        if covered < 0.8 * (length as f64).min(whole) {
            continue;
        }
        let mean = |of: fn(&Load) -> f64| ratio(window.iter().map(|l| of(l) * l.nanos()).sum(), covered);
        let from = window.first().map_or(end.from, |l| l.from);
        let load =
            Load { from, to: end.to, user: mean(|l| l.user), system: mean(|l| l.system), machine: mean(|l| l.machine) };
        if best.is_none_or(|b| load.machine > b.machine) {
            best = Some(load);
        }
    }
    best.filter(|b| b.machine > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn scene(loads: impl IntoIterator<Item = (f64, f64)>) -> Scene {
        (1i64..).zip(loads).fold(Scene::new(), |scene, (i, (jvm, machine))| {
            let fields = [("jvmUser", jvm.into()), ("jvmSystem", 0.0.into()), ("machineTotal", machine.into())];
            scene.event("jdk.CPULoad", i * SECOND, i * SECOND, fields)
        })
    }

    #[test]
    fn more_work_than_cpus_is_a_warning() {
        fixture::expect("CpuSaturation", "scenarios/cpu-saturation", Severity::Warning);
    }

    #[test]
    fn ten_busy_seconds_are_found_and_who_made_them() {
        let quiet = std::iter::repeat_n((0.1, 0.2), 30);
        let verdict =
            scene(quiet.clone().chain(std::iter::repeat_n((0.8, 0.95), 12)).chain(quiet)).verdict(&CpuSaturation);
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn ten_busy_seconds_of_other_processes_are_found() {
        let quiet = std::iter::repeat_n((0.1, 0.2), 30);
        let others = scene(quiet.chain(std::iter::repeat_n((0.1, 0.8), 12))).verdict(&CpuSaturation);
        assert_eq!(others.severity, Severity::Info);
    }

    #[test]
    fn a_second_without_anything_left_is_worth_a_look() {
        let loads = [(0.1, 0.2); 20].into_iter().chain([(0.9, 1.0)]).chain([(0.1, 0.2); 20]);
        assert_eq!(scene(loads).verdict(&CpuSaturation).severity, Severity::Info);
    }

    #[test]
    fn few_samples_say_nothing() {
        assert_eq!(scene([(1.0, 1.0)]).verdict(&CpuSaturation).severity, Severity::NotApplicable);
    }

    #[test]
    fn healthy_is_quiet() {
        fixture::expect("CpuSaturation", "scenarios/healthy", Severity::Ok);
    }
}
