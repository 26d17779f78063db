//! `FewSampledThreads`: the program leaves CPUs unused.

use jfrkit_profile::units::rounded_percent;
use std::collections::BTreeMap;

use super::load::{needs, samples};
use crate::overhead;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::{map_exp74, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};

/// Whether only a few threads do the work. Needs the `jdk.CPULoad` table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FewSampledThreads;

/// Minimum number of samples to report a finding.
const ENOUGH: u64 = 500;

const SAMPLES: GroupBy = GroupBy::of(&["jdk.ExecutionSample"]).by(&["sampledThread"]);

impl FewSampledThreads {
    /// Why it matters.
    const WHY: &str = "The program works, but leaves CPUs unused.";
    /// What to do.
    const REMEDY: &str = "To make the program faster, split its work across more threads.";
}

impl Rule for FewSampledThreads {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("FewSampledThreads")
            .title("Parallelism")
            .category(Category::Cpu)
            .description("Whether the program keeps fewer threads busy than the machine can run.")
            .formula(
                "Not judged with fewer than `samples` samples, or if the JVM's highest mean load over `window` \
                      is below `load` for each sampled thread. Counts the threads with `each` or more samples against \
                      the hardware threads: 25 if `ratio` of them are unused, never more than 74. The cost is an upper bound: the time that is saved if the \
                      work spreads evenly over all CPUs.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("ratio", 25.0, "Share of unused hardware threads worth a look"),
                        Setting::percent("load", 10.0, "Load below which the program counts as idle"),
                        Setting::seconds("window", 10.0, "Window for the load"),
                        Setting::count("samples", 20.0, "Minimum number of samples"),
                        Setting::count("each", 4.0, "Minimum samples for a thread to count"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        let needs_all = Needs::new()
            .available("jdk.ExecutionSample")
            .available("jdk.CPUInformation")
            .available("jdk.ActiveSetting");
        needs(needs_all).groups(SAMPLES)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts, settings) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::not_applicable("the recording does not contain the number of CPUs"),
        }
    }
}

/// How many threads run on how many CPUs.
struct Measured {
    hardware: i64,
    cores: i64,
    /// Threads with samples, and those with enough of them.
    sampled: usize,
    busy: usize,
    samples: u64,
    /// The highest load of a window, 0 to 1, and the start of the window.
    peak: Option<(f64, i64)>,
}

/// `None` if the number of CPUs is unknown.
fn measure(facts: &Facts, settings: &Settings) -> Option<Measured> {
    let groups = facts.groups(&SAMPLES);
    let hardware = facts.hardware_threads()?;
    let each = settings.number("each");
    Some(Measured {
        hardware,
        cores: facts.table("jdk.CPUInformation").ints("cores").filter(|n| *n > 0).min().unwrap_or(hardware),
        sampled: groups.len(),
        busy: groups.iter().filter(|g| g.count() as f64 >= each).count(),
        samples: groups.iter().fold(0u64, |sum, g| sum.saturating_add(g.count())),
        peak: highest_load(facts, settings.nanos("window")),
    })
}

impl Measured {
    /// The load in percent below which the program is almost idle, if it is `load` on all cores.
    fn idle(&self, load: f64) -> f64 {
        load / 100.0 * (100.0 / self.cores as f64 * self.sampled as f64).min(100.0)
    }

    fn evidence(&self, verdict: Verdict) -> Verdict {
        verdict
            .with("threads with enough samples", Value::count(self.busy as u64, "threads"))
            .with("hardware threads", Value::number(self.hardware as f64, "threads"))
    }
}

fn verdict(facts: &Facts, measured: &Measured, settings: &Settings) -> Verdict {
    let Measured { hardware, busy, samples, .. } = measured;
    let idle = measured.idle(settings.number("load"));
    if let Some((load, from)) = measured.peak.filter(|(load, _)| load * 100.0 < idle) {
        let window = Value::window(from, from.saturating_add(settings.nanos("window")));
        let verdict =
            Verdict::ok(format!("The program is almost idle: its load peaks at {}", rounded_percent(load * 100.0)));
        return measured.evidence(verdict).with("busiest window", window);
    }
    if (*samples as f64) < settings.number("samples") {
        return Verdict::not_applicable("there are too few method samples");
    }
    if i64::try_from(*busy).unwrap_or(i64::MAX) >= *hardware {
        return measured.evidence(Verdict::ok("Enough threads are busy to use all CPUs"));
    }
    let unused = 1.0 - *busy as f64 / *hardware as f64;
    // How much of the time the busy threads run.
    let running = highest_load(facts, i64::MAX).map_or(1.0, |(load, _)| ratio(load * *hardware as f64, *busy as f64));
    let work = if *busy == 1 { "thread does" } else { "threads do" };
    let verdict = Verdict::scored(
        map_exp74(unused * 100.0, settings.number("ratio")),
        format!("{busy} {work} the work; the machine can run {hardware} at once"),
    )
    .at_most(if *samples >= ENOUGH { Severity::Info } else { Severity::Ok })
    .cost(Cost::elapsed(unused * running.min(1.0)))
    .explain(FewSampledThreads::WHY)
    .remedy(FewSampledThreads::REMEDY);
    // A rule that names what these threads do says more.
    overhead::ids().fold(measured.evidence(verdict), Verdict::told_by)
}

/// The JVM's highest mean load over half-overlapping windows, and the start of that window.
fn highest_load(facts: &Facts, length: i64) -> Option<(f64, i64)> {
    let loads = samples(facts);
    let first = loads.first()?.at;
    let slide = (length / 2).max(1);
    let mut halves: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for load in &loads {
        let half = halves.entry(load.at.saturating_sub(first) / slide).or_default();
        *half = (half.0 + load.jvm(), half.1 + 1.0);
    }
    let windows = halves.iter().map(|(half, (sum, n))| {
        let next = halves.get(&half.saturating_add(1)).copied().unwrap_or_default();
        ((sum + next.0) / (n + next.1), first.saturating_add(half.saturating_mul(slide)))
    });
    windows.max_by(|a, b| a.0.total_cmp(&b.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::thread;

    fn scene(threads: i64, load: f64) -> Scene {
        let scene = Scene::new()
            .event("jdk.CPUInformation", 0, 0, [("hwThreads", 8.into()), ("cores", 8.into())])
            .event(
                "jdk.CPULoad",
                0,
                0,
                [("jvmUser", load.into()), ("jvmSystem", 0.0.into()), ("machineTotal", load.into())],
            )
            .event("jdk.ActiveSetting", 0, 0, []);
        (0..80i64).fold(scene, |s, i| {
            s.event("jdk.ExecutionSample", i, i, [("sampledThread", thread(&format!("t{}", i % threads)))])
        })
    }

    #[test]
    fn few_working_threads_are_found() {
        assert_eq!(scene(2, 0.25).as_jmc(&FewSampledThreads), Severity::Info);
        assert_eq!(scene(8, 0.9).as_jmc(&FewSampledThreads), Severity::Ok);
        assert_eq!(scene(2, 0.001).as_jmc(&FewSampledThreads), Severity::Ok);
        assert_eq!(Scene::new().as_jmc(&FewSampledThreads), Severity::NotApplicable);
    }
}
