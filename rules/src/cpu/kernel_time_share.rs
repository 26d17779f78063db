//! `KernelTimeShare`: how much of the JVM's CPU time is spent in the kernel.

use crate::cpu_load::{LOAD_FIELDS, Load, loads};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// How much of its CPU time the JVM spends in the kernel. Needs the `jdk.CPULoad` table.
///
/// Fires on `fixtures/scenarios/kernel-time.jfr.gz` (a system call for each byte) and on synthetic load; quiet on
/// `fixtures/scenarios/healthy.jfr.gz` and on synthetic load in user code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KernelTimeShare;

/// Minimum number of busy samples to judge.
const ENOUGH: usize = 5;

impl KernelTimeShare {
    /// Why it matters.
    const WHY: &str = "Kernel time is not spent in program code. Usual causes: many small reads and writes, page \
                       faults on memory that is touched for the first time, or threads that constantly hand over to \
                       each other.";
    /// What to do.
    const REMEDY: &str = "Look at small I/O (buffer it), at locks and handoffs between threads, and at memory: set \
                          -Xms equal to -Xmx with -XX:+AlwaysPreTouch, and set transparent huge pages to madvise. A \
                          profiler with kernel frames (async-profiler with cstack) shows the calls.";
}

impl Rule for KernelTimeShare {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("KernelTimeShare")
            .title("High kernel CPU time")
            .category(Category::Cpu)
            .description(
                "How much of its CPU time the JVM spends in the kernel: system calls, page faults, context \
                          switches.",
            )
            .formula(
                "From jdk.CPULoad: jvmSystem / (jvmUser + jvmSystem), over the events where their sum is `busy` or \
                      more; needs at least five such events. 25 at `info`, 75 at `warning`. The thresholds are \
                      jfrkit's own, after the USE method.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 30.0, "Share worth a look"),
                        Setting::percent("warning", 50.0, "Share to act on"),
                        Setting::percent("busy", 10.0, "JVM load from which an event counts"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.CPULoad").table("jdk.CPULoad", LOAD_FIELDS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let busy: Vec<Load> = loads(facts).into_iter().filter(|l| l.jvm() * 100.0 >= settings.number("busy")).collect();
        if busy.len() < ENOUGH {
            return Verdict::ok("The JVM was hardly ever busy");
        }
        let sum = |of: fn(&Load) -> f64| busy.iter().map(|l| of(l) * l.nanos()).sum::<f64>();
        let share = ratio(sum(|l| l.system), sum(Load::jvm));
        let worst = busy.iter().max_by(|a, b| ratio(a.system, a.jvm()).total_cmp(&ratio(b.system, b.jvm())));
        let score = map2(share * 100.0, settings.number("info"), settings.number("warning"));
        Verdict::scored(score, format!("The JVM spends {:.0} % of its CPU time in the kernel", share * 100.0))
            .explain(KernelTimeShare::WHY)
            .remedy(KernelTimeShare::REMEDY)
            .cost(Cost::cpu(share))
            .with("share in the kernel", Value::share(share))
            .with("busy samples", Value::count(busy.len() as u64, "events"))
            .with_some("worst sample", worst.map(|l| Value::window(l.from, l.to)))
            .with_some("share in the worst sample", worst.map(|l| Value::share(ratio(l.system, l.jvm()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn scene(user: f64, system: f64) -> Scene {
        (1..=10i64).fold(Scene::new(), |scene, i| {
            let fields = [("jvmUser", user.into()), ("jvmSystem", system.into()), ("machineTotal", 0.9.into())];
            scene.event("jdk.CPULoad", i * SECOND, i * SECOND, fields)
        })
    }

    #[test]
    fn a_system_call_for_each_byte_is_a_warning() {
        fixture::expect("KernelTimeShare", "scenarios/kernel-time", Severity::Warning);
    }

    #[test]
    fn more_kernel_than_program_is_a_warning() {
        assert_eq!(scene(0.2, 0.4).verdict(&KernelTimeShare).severity, Severity::Warning);
        assert_eq!(scene(0.4, 0.2).verdict(&KernelTimeShare).severity, Severity::Info);
    }

    #[test]
    fn a_busy_program_and_an_idle_one_are_fine() {
        assert_eq!(scene(0.5, 0.05).verdict(&KernelTimeShare).severity, Severity::Ok);
        assert_eq!(scene(0.01, 0.04).verdict(&KernelTimeShare).severity, Severity::Ok);
        fixture::expect("KernelTimeShare", "scenarios/healthy", Severity::Ok);
    }
}
