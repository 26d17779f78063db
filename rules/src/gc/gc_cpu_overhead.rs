//! `GcCpuOverhead`: how much of the JVM's CPU time the collector uses.

use crate::cpu_load::{LOAD_FIELDS, jvm_cpu_nanos};
use crate::overhead::{SAMPLES, THREAD, samples_of};
use jfr_analyzers::events::{AMOUNT, Facts, Group, GroupBy, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::{duration_f64, rounded_percent};

/// How much of the JVM's CPU time goes to the collector. Needs the list of `jdk.CPULoad`; the rest are sums.
///
/// Fires on `fixtures/scenarios/heap-full.jfr.gz` and on synthetic events (both ways of measuring);
/// quiet on `fixtures/scenarios/healthy.jfr.gz`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GcCpuOverhead;

const GC_TIME: GroupBy = GroupBy::of(&["jdk.GCCPUTime"]).measure(&["userTime", "systemTime", "realTime"]);

/// Minimum CPU time for a verdict, in nanoseconds: GC CPU time has a resolution of 10 ms.
const ENOUGH_NANOS: f64 = 2e9;
/// Minimum number of samples for a verdict.
const ENOUGH_SAMPLES: f64 = 500.0;

impl GcCpuOverhead {
    /// Why it matters.
    const WHY: &str =
        "CPU time that the collector uses is not available to the application, even if it runs concurrently.";
    /// What to do.
    const REMEDY: &str = "Allocate less (see the allocation rules), increase the heap, and check what is retained for \
        long: a nearly full heap is collected all the time.";
}

impl Rule for GcCpuOverhead {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("GcCpuOverhead")
            .title("GC CPU overhead")
            .category(Category::Gc)
            .description("How much of the JVM's CPU time the garbage collector uses.")
            .formula(
                "User and system time of jdk.GCCPUTime over the JVM's CPU time (jdk.CPULoad times hardware \
                      threads): 25 at `info`, 75 at `warning` (Datadog: 20 %). Without those events, if the profiler \
                      samples GC threads: their share of the CPU samples, 25 at `samples-info`, 75 at \
                      `samples-warning` (after Jeffrey).",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 10.0, "Share of CPU time that is worth a look"),
                        Setting::percent("warning", 20.0, "Share of CPU time to act on"),
                        Setting::percent("samples-info", 7.0, "Share of samples that is worth a look"),
                        Setting::percent("samples-warning", 10.0, "Share of samples to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().table("jdk.CPULoad", LOAD_FIELDS).groups(GC_TIME).groups(SAMPLES)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts) {
            Measured::Time { jvm, .. } if jvm < ENOUGH_NANOS => {
                Verdict::ok(format!("The JVM used only {} of CPU time", duration_f64(jvm)))
            }
            Measured::Samples { all, .. } if all < ENOUGH_SAMPLES => Verdict::not_applicable(format!(
                "{}, and {all:.0} CPU samples are too few to estimate it ({ENOUGH_SAMPLES:.0} needed)",
                unmeasured(facts)
            )),
            Measured::Samples { gc: 0.0, has_native: false, .. } => Verdict::not_applicable(format!(
                "{}, and the profiler does not sample GC threads, unlike async-profiler",
                unmeasured(facts)
            )),
            measured => verdict(facts, &measured, settings).explain(GcCpuOverhead::WHY).remedy(GcCpuOverhead::REMEDY),
        }
    }
}

/// The CPU time of the collector and of the JVM.
enum Measured {
    /// Measured by the JVM, in nanoseconds.
    Time { gc: f64, jvm: f64, collections: u64 },
    /// CPU samples of the collector's threads and of all threads, and whether the profiler samples native threads.
    Samples { gc: f64, all: f64, has_native: bool },
}

fn measure(facts: &Facts) -> Measured {
    if let Some((gc, jvm)) = facts.groups(&GC_TIME).total().zip(jvm_cpu_nanos(facts)) {
        // The two are measured at different times, but the collector is part of the JVM and cannot exceed it.
        let nanos = (gc.sum("userTime") + gc.sum("systemTime")).min(jvm);
        return Measured::Time { gc: nanos, jvm, collections: gc.count() };
    }
    // Not wall-clock samples, which count a sleeping thread like a running one.
    let groups: Vec<Group<'_>> = samples_of(facts, "cpu").collect();
    // Rust's sum of nothing is -0.
    let samples = |g: &Group<'_>| g.sum(AMOUNT);
    let is_gc = |g: &&Group<'_>| g.thread(THREAD).is_some_and(|t| !t.is_java() && is_collector(&t.name));
    Measured::Samples {
        gc: groups.iter().filter(is_gc).map(samples).sum::<f64>() + 0.0,
        all: groups.iter().map(samples).sum::<f64>() + 0.0,
        has_native: groups.iter().any(|g| g.thread(THREAD).is_some_and(|t| !t.is_java())),
    }
}

fn verdict(facts: &Facts, measured: &Measured, settings: &Settings) -> Verdict {
    match measured {
        Measured::Time { gc, jvm, collections } => {
            let share = ratio(*gc, *jvm);
            let summary = format!(
                "The garbage collector took {} of the JVM's CPU time ({})",
                rounded_percent(share * 100.0),
                duration_f64(*gc)
            );
            let threads = facts.table("jdk.GCConfiguration").ints("parallelGCThreads").max();
            Verdict::scored(map2(share * 100.0, settings.number("info"), settings.number("warning")), summary)
                .cost(Cost::cpu(share))
                .with("share", Value::share(share))
                .with("CPU time of collections", Value::nanos_f64(*gc))
                .with("CPU time of the JVM", Value::nanos_f64(*jvm))
                .with("collections", Value::count(*collections, "collections"))
                .with_some("parallel GC threads", threads.map(|n| Value::number(n as f64, "threads")))
        }
        Measured::Samples { gc, all, .. } => {
            let share = ratio(*gc, *all);
            let score = map2(share * 100.0, settings.number("samples-info"), settings.number("samples-warning"));
            Verdict::scored(
                score,
                format!("The garbage collector takes {} of CPU time", rounded_percent(share * 100.0)),
            )
            .cost(Cost::cpu(share))
            .with("share of samples", Value::share(share))
            .with("samples", Value::number(*all, "samples"))
        }
    }
}

/// Why the collector's CPU time is unknown.
fn unmeasured(facts: &Facts) -> String {
    let missing = |event| facts.missing(event, Level::Available, false);
    missing("jdk.GCCPUTime")
        .or_else(|| missing("jdk.CPULoad"))
        .unwrap_or_else(|| "the number of CPUs is unknown".to_owned())
}

/// Whether a JVM thread belongs to the collector.
fn is_collector(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "GC Thread",
        "G1 ",
        "ParGC",
        "Gang worker",
        "ZWorker",
        "ZDirector",
        "ZDriver",
        "ZUncommitter",
        "Shenandoah",
        "Concurrent Mark",
    ];
    NAMES.iter().any(|n| name.starts_with(n)) || name.starts_with("GC task thread") || name.starts_with("XWorker")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::{native_thread, thread};

    /// 10 s in which the JVM uses half of 4 hardware threads.
    fn scene(gc_nanos: i64) -> Scene {
        let scene = Scene::new().event("jdk.CPUInformation", 0, 0, [("hwThreads", 4.into())]);
        let scene = (1..=10i64).fold(scene, |scene, i| {
            let fields = [("jvmUser", 0.5.into()), ("jvmSystem", 0.0.into()), ("machineTotal", 0.5.into())];
            scene.event("jdk.CPULoad", i * SECOND, i * SECOND, fields)
        });
        scene.event("jdk.GCCPUTime", 0, 0, [("userTime", gc_nanos.into()), ("systemTime", 0.into())])
    }

    #[test]
    fn a_heap_without_room_is_collected_all_the_time() {
        fixture::expect("GcCpuOverhead", "scenarios/heap-full", Severity::Warning);
    }

    /// All wall-clock samples of GC threads in this recording are of sleeping threads.
    #[test]
    fn wall_clock_samples_do_not_count() {
        let verdict = fixture::corpus("GcCpuOverhead", "public/ocadaruma+jfrs/profiler-multichunk.jfr");
        let Some(verdict) = verdict else { return };
        assert!(!verdict.is_finding(), "{verdict:?}");
    }

    #[test]
    fn sleeping_threads_in_wall_clock_samples_do_not_count() {
        let scene = (0..600i64).fold(Scene::new(), |scene, i| {
            let name = if i % 2 == 0 { native_thread("GC Thread#1") } else { thread("main") };
            let fields = [("sampledThread", name), ("state", "STATE_SLEEPING".into()), ("samples", 1.into())];
            scene.event("profiler.WallClockSample", i, i, fields)
        });
        assert_eq!(scene.verdict(&GcCpuOverhead).severity, Severity::NotApplicable);
    }

    #[test]
    fn a_quarter_of_the_cpu_time_is_a_warning() {
        let verdict = scene(5 * SECOND).verdict(&GcCpuOverhead);
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn little_is_fine() {
        assert_eq!(scene(SECOND / 2).verdict(&GcCpuOverhead).severity, Severity::Ok);
        fixture::expect("GcCpuOverhead", "scenarios/healthy", Severity::Ok);
    }

    #[test]
    fn samples_in_its_threads_count_where_there_is_no_measured_time() {
        let scene = (0..600i64).fold(Scene::new(), |scene, i| {
            let name = if i % 5 == 0 { native_thread("GC Thread#1") } else { thread("main") };
            scene.event("jdk.ExecutionSample", i, i, [("sampledThread", name)])
        });
        assert_eq!(scene.verdict(&GcCpuOverhead).severity, Severity::Warning);
    }

    #[test]
    fn names_of_threads_count_only_for_the_jvms_own() {
        // Synthetic threads are Java threads.
        let scene = (0..600i64).fold(Scene::new(), |scene, i| {
            scene.event("jdk.ExecutionSample", i, i, [("sampledThread", thread("G1 Service"))])
        });
        assert_eq!(scene.verdict(&GcCpuOverhead).severity, Severity::NotApplicable);
        assert!(is_collector("GC Thread#3") && is_collector("G1 Conc#0") && !is_collector("C2 CompilerThread0"));
    }
}
