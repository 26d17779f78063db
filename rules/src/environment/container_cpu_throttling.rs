//! `ContainerCpuThrottling`: the container's CPU quota stops the process.

use crate::time::SECOND;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::rounded_percent;

/// How often the container used up its CPU quota and was stopped. Needs the list of
/// `jdk.ContainerCPUThrottling`, one event every 30 s.
///
/// Fires on `tck-test.jfr` of the shared corpus (skipped if it is not available) and on synthetic events; quiet on
/// synthetic events: no fixture comes from a container with a quota.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ContainerCpuThrottling;

const THROTTLING: &str = "jdk.ContainerCPUThrottling";
const CONFIGURATION: &str = "jdk.ContainerConfiguration";

/// Increase of the counters between two or more events.
#[derive(Debug, Clone, Copy, Default)]
struct Slices {
    from: i64,
    to: i64,
    elapsed: i64,
    throttled: i64,
    nanos: i64,
}

impl Slices {
    fn share(&self) -> f64 {
        ratio(self.throttled as f64, self.elapsed as f64)
    }

    fn and(self, next: &Self) -> Self {
        Self {
            from: self.from,
            to: next.to,
            elapsed: self.elapsed.saturating_add(next.elapsed),
            throttled: self.throttled.saturating_add(next.throttled),
            nanos: self.nanos.saturating_add(next.nanos),
        }
    }
}

impl ContainerCpuThrottling {
    /// Why it matters.
    const WHY: &str = "If a container uses up its CPU quota before the end of a period (usually 100 ms), the kernel \
        stops all its threads, including GC threads, for the rest of the period. Responses then take tens of \
        milliseconds longer, even at a low mean CPU load.";
    /// What to do.
    const REMEDY: &str = "Raise the CPU limit or remove it (CPU requests alone share fairly), or use fewer CPUs at \
        once: fewer pool threads, fewer GC threads (-XX:ParallelGCThreads), fewer compiler threads, \
        -XX:ActiveProcessorCount at the quota.";
}

impl Rule for ContainerCpuThrottling {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("ContainerCpuThrottling")
            .title("Container CPU throttling")
            .category(Category::Environment)
            .description(
                "Whether the container uses up its CPU quota, so that the kernel stops all its threads until \
                          the next period.",
            )
            .formula(
                "From jdk.ContainerCPUThrottling: throttled over elapsed slices, between the first and the last \
                      event (without steps at which the counters restart): 25 at `info`, 75 at `warning`. If the \
                      worst `window` reaches `info`, it is worth a look. After jafar's diagnosis; the thresholds are \
                      jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 5.0, "Share of throttled slices that is worth a look"),
                        Setting::percent("warning", 25.0, "Share of throttled slices to act on"),
                        Setting::seconds("window", 10.0, "Minimum length of the window"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .available(THROTTLING)
            .table(THROTTLING, &["cpuElapsedSlices", "cpuThrottledSlices", "cpuThrottledTime"])
            .table_up_to(1_000, CONFIGURATION, &["cpuQuota", "cpuSlicePeriod", "effectiveCpuCount"])
            .table("jdk.JavaThreadStatistics", &["activeCount"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if facts.table(THROTTLING).len() < 2 {
            return Verdict::not_applicable(format!("a single {THROTTLING} event does not cover a time range"));
        }
        match measure(facts, settings) {
            Some(measured) => verdict(&measured, settings),
            None => Verdict::ok("The container has no CPU quota"),
        }
    }
}

/// How often the container was stopped.
struct Measured {
    all: Slices,
    /// The window with the largest share of throttled slices.
    worst: Slices,
    /// The quota in CPUs, if known.
    quota: Option<f64>,
    /// The most Java threads, and threads of the collector.
    java_threads: Option<i64>,
    gc_threads: Option<i64>,
}

/// `None` if there is no quota.
fn measure(facts: &Facts, settings: &Settings) -> Option<Measured> {
    let table = facts.table(THROTTLING);
    let steps: Vec<Slices> = table
        .rows()
        .zip(table.rows().skip(1))
        .filter_map(|(a, b)| {
            let step = |field| Some(b.int(field)?.saturating_sub(a.int(field)?));
            Some(Slices {
                from: a.start,
                to: b.start,
                elapsed: step("cpuElapsedSlices")?,
                throttled: step("cpuThrottledSlices")?,
                nanos: step("cpuThrottledTime").unwrap_or(0).max(0),
            })
        })
        // A counter that decreases means that the container was restarted.
        .filter(|s| s.elapsed > 0 && s.throttled >= 0)
        .collect();
    let all = steps.iter().copied().reduce(|a, b| a.and(&b))?;
    let quota = facts.table(CONFIGURATION).rows().find_map(|row| {
        let (quota, period) = (row.int("cpuQuota")?, row.int("cpuSlicePeriod")?);
        (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
    });
    Some(Measured {
        all,
        worst: worst(&steps, settings.nanos("window").max(SECOND)).unwrap_or(all),
        quota,
        java_threads: facts.table("jdk.JavaThreadStatistics").ints("activeCount").max(),
        gc_threads: facts.table("jdk.GCConfiguration").ints("parallelGCThreads").max(),
    })
}

fn verdict(measured: &Measured, settings: &Settings) -> Verdict {
    let Measured { all, worst, quota, java_threads, gc_threads } = measured;
    let (info, warning) = (settings.number("info"), settings.number("warning"));
    let score = map2(all.share() * 100.0, info, warning).max(map2(worst.share() * 100.0, info, warning).min(74.0));
    let of = quota.map(|q| format!(" with its {q:.1} CPUs")).unwrap_or_default();
    let summary =
        format!("The container{of} was throttled in {} of its CPU periods", rounded_percent(all.share() * 100.0));
    Verdict::scored(score, summary)
        .explain(ContainerCpuThrottling::WHY)
        .remedy(ContainerCpuThrottling::REMEDY)
        .cost(Cost::elapsed(ratio(all.nanos as f64, all.to.saturating_sub(all.from) as f64)))
        .with("throttled slices", Value::share(all.share()))
        .with("slices", Value::number(all.elapsed as f64, "slices"))
        .with("time stopped", Value::nanos(all.nanos))
        .with("worst window", Value::window(worst.from, worst.to))
        .with("throttled slices in worst window", Value::share(worst.share()))
        .with_some("quota", quota.map(|q| Value::number(q, "CPUs")))
        .with_some("Java threads", java_threads.map(|n| Value::number(n as f64, "threads")))
        .with_some("parallel GC threads", gc_threads.map(|n| Value::number(n as f64, "threads")))
}

/// The worst time range of at least this length.
fn worst(steps: &[Slices], length: i64) -> Option<Slices> {
    let windows = steps.iter().enumerate().filter_map(|(i, first)| {
        let mut window = *first;
        for next in steps.iter().skip(i.saturating_add(1)) {
            if window.to.saturating_sub(window.from) >= length {
                break;
            }
            window = window.and(next);
        }
        (window.to.saturating_sub(window.from) >= length).then_some(window)
    });
    windows.max_by(|a, b| a.share().total_cmp(&b.share()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn scene(counters: &[(i64, i64)]) -> Scene {
        let configuration = [("cpuQuota", 200_000_000.into()), ("cpuSlicePeriod", 100_000_000.into())];
        let scene = Scene::new().event(CONFIGURATION, 0, 0, configuration);
        (0i64..).zip(counters).fold(scene, |scene, (i, (elapsed, throttled))| {
            let fields = [
                ("cpuElapsedSlices", (*elapsed).into()),
                ("cpuThrottledSlices", (*throttled).into()),
                ("cpuThrottledTime", (throttled * 10_000_000).into()),
            ];
            scene.event(THROTTLING, i * 30 * SECOND, i * 30 * SECOND, fields)
        })
    }

    #[test]
    fn a_container_that_is_throttled_most_of_the_time_is_found() {
        let verdict = fixture::corpus("ContainerCpuThrottling", "public/btraceio+jafar/tck-test.jfr");
        let Some(verdict) = verdict else { return };
        assert_eq!(verdict.severity, Severity::Warning);
        assert!(verdict.summary.contains("2.5 CPUs"), "{}", verdict.summary);
    }

    #[test]
    fn a_third_of_the_slices_is_a_warning() {
        let verdict = scene(&[(1_000, 500), (1_300, 600), (1_600, 700)]).verdict(&ContainerCpuThrottling);
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn one_bad_window_is_worth_a_look() {
        let mut counters: Vec<(i64, i64)> = (0..100).map(|i| (i * 300, 0)).collect();
        counters.extend((100..103).map(|i| (i * 300, 150)));
        assert_eq!(scene(&counters).verdict(&ContainerCpuThrottling).severity, Severity::Info);
    }

    #[test]
    fn a_counter_that_starts_anew_is_no_throttling() {
        assert_eq!(scene(&[(1_000, 500), (10, 1), (310, 2)]).verdict(&ContainerCpuThrottling).severity, Severity::Ok);
        assert_eq!(scene(&[(0, 0), (0, 0)]).verdict(&ContainerCpuThrottling).severity, Severity::Ok);
        assert_eq!(scene(&[(0, 0)]).verdict(&ContainerCpuThrottling).severity, Severity::NotApplicable);
    }
}
