//! `ContainerMemoryHeadroom`: how close the container is to its memory limit.

use crate::series::highest;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::{self, size_f64};

/// Memory usage of the container relative to its limit. Needs the list of `jdk.ContainerMemoryUsage`.
///
/// No fixture comes from a container with a limit, so the tests use synthetic events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ContainerMemoryHeadroom;

/// Larger limits mean no limit: cgroups write huge numbers for "unlimited".
const UNLIMITED: i64 = 1 << 50;

impl ContainerMemoryHeadroom {
    /// Why it matters.
    const WHY: &str = "When a container reaches its memory limit, the kernel first reclaims file cache, which also \
        counts as used, and then kills a process, without a Java exception. Besides the heap, the JVM needs memory \
        for metaspace, code cache, threads, direct buffers and the collector: usually a quarter of the heap or more.";
    /// What to do.
    const REMEDY: &str = "Raise the container's memory limit, or reduce the heap (-XX:MaxRAMPercentage, -Xmx) so that \
        a quarter of the limit is left for the rest; native memory tracking shows what uses it.";
}

impl Rule for ContainerMemoryHeadroom {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("ContainerMemoryHeadroom")
            .title("Container memory headroom")
            .category(Category::Environment)
            .description(
                "How close the container comes to its memory limit, beyond which the kernel kills the JVM, \
                          and how much of the limit the heap alone may use.",
            )
            .formula(
                "The worst of: the peak memoryUsage of jdk.ContainerMemoryUsage over memoryLimit of \
                      jdk.ContainerConfiguration (25 at `info`, 75 at `warning`); the maximum heap size over the \
                      limit (25 at `heap-info`, 75 at `heap-warning`); 75 if memoryFailCount rises. The thresholds \
                      are jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 85.0, "Share of the limit in use that is worth a look"),
                        Setting::percent("warning", 95.0, "Share of the limit in use to act on"),
                        Setting::percent("heap-info", 75.0, "Share of the limit for the heap that is worth a look"),
                        Setting::percent("heap-warning", 90.0, "Share of the limit for the heap to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .available("jdk.ContainerConfiguration")
            .table("jdk.ContainerConfiguration", &["memoryLimit", "hostTotalMemory", "containerType"])
            .table("jdk.ContainerMemoryUsage", &["memoryUsage", "memoryFailCount"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let Some(measured) = measure(facts) else {
            return Verdict::not_applicable("the container has no memory limit");
        };
        if measured.peak.is_none() && measured.heap.is_none() {
            return Verdict::not_applicable(
                "neither the container's memory usage nor the maximum heap size is recorded",
            );
        }
        verdict(facts, &measured, settings)
    }
}

/// The memory of the container, in bytes.
struct Measured {
    limit: f64,
    /// The greatest usage, and when it was.
    peak: Option<(i64, i64)>,
    /// The largest heap.
    heap: Option<f64>,
    /// How often allocation hit the limit.
    failed: i64,
}

impl Measured {
    fn used(&self) -> Option<f64> {
        self.peak.map(|(bytes, _)| bytes as f64)
    }

    /// A size as a percentage of the limit.
    fn percent(&self, part: Option<f64>) -> f64 {
        ratio(part.unwrap_or(0.0), self.limit) * 100.0
    }
}

/// `None` if there is no limit.
fn measure(facts: &Facts) -> Option<Measured> {
    let configuration = facts.table("jdk.ContainerConfiguration");
    let host = configuration.ints("hostTotalMemory").filter(|n| *n > 0).max().unwrap_or(UNLIMITED);
    let limits = configuration.ints("memoryLimit").filter(|n| *n > 0 && *n < UNLIMITED && *n < host);
    let usage = facts.table("jdk.ContainerMemoryUsage");
    // Count increases only: the counter started before the recording, and restarts with the container.
    let fails: Vec<i64> = usage.ints("memoryFailCount").collect();
    Some(Measured {
        limit: limits.last()? as f64,
        peak: usage.rows().filter_map(|r| Some((r.int("memoryUsage")?, r.start))).max(),
        heap: facts.max_heap().map(|n| n as f64),
        failed: fails.iter().zip(fails.iter().skip(1)).fold(0i64, |sum, (a, b)| sum.saturating_add((b - a).max(0))),
    })
}

fn verdict(facts: &Facts, measured: &Measured, settings: &Settings) -> Verdict {
    let Measured { limit, peak, heap, failed } = measured;
    let (in_use, of_heap) = (measured.percent(measured.used()), measured.percent(*heap));
    let by_usage = map2(in_use, settings.number("info"), settings.number("warning"));
    let by_heap = map2(of_heap, settings.number("heap-info"), settings.number("heap-warning"));
    let by_fails = if *failed > 0 { Severity::WARNING_SCORE } else { 0.0 };
    let size = size_f64(*limit);
    let summary = if by_fails > 0.0 && by_fails >= by_usage {
        let times = units::things(failed.unsigned_abs(), "time", "times");
        format!("The container hit its memory limit of {size} {times}")
    } else if by_heap > by_usage {
        format!("The heap may use {of_heap:.0} % of the container's memory limit of {size}")
    } else {
        format!("The container used up to {in_use:.0} % of its memory limit of {size}")
    };
    Verdict::scored(highest([by_usage, by_heap, by_fails]), summary)
        .explain(ContainerMemoryHeadroom::WHY)
        .remedy(ContainerMemoryHeadroom::REMEDY)
        .cost(Cost::memory(measured.percent(measured.used().or(*heap)) / 100.0))
        .with("limit", Value::bytes(*limit))
        .with_some("greatest usage", measured.used().map(Value::bytes))
        .with_some("share in use", peak.map(|_| Value::percent(in_use)))
        .with_some("time of the greatest usage", peak.map(|(_, at)| Value::instant(at)))
        .with("allocations that hit the limit", Value::number(*failed as f64, "times"))
        .with_some("largest heap", heap.map(Value::bytes))
        .with_some("share of the heap", heap.map(|_| Value::percent(of_heap)))
        .with_some("container", facts.table("jdk.ContainerConfiguration").texts("containerType").last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::testing::Scene;

    fn judge(limit: i64, usage: &[(i64, i64)], heap: i64) -> Verdict {
        let scene = Scene::new().event("jdk.ContainerConfiguration", 0, 0, [("memoryLimit", limit.into())]).event(
            "jdk.GCHeapConfiguration",
            0,
            0,
            [("maxSize", heap.into())],
        );
        let scene = usage.iter().enumerate().fold(scene, |scene, (i, (used, fails))| {
            let at = i64::try_from(i).unwrap_or(0);
            scene.event(
                "jdk.ContainerMemoryUsage",
                at,
                at,
                [("memoryUsage", (*used).into()), ("memoryFailCount", (*fails).into())],
            )
        });
        scene.verdict(&ContainerMemoryHeadroom)
    }

    #[test]
    fn it_fires_near_the_limit() {
        assert_eq!(judge(1_000, &[(500, 0), (960, 0)], 100).severity, Severity::Warning);
        assert_eq!(judge(1_000, &[(900, 0)], 100).severity, Severity::Info);
        assert_eq!(judge(1_000, &[(500, 3), (500, 4)], 100).severity, Severity::Warning);
        assert_eq!(judge(1_000, &[(100, 0)], 950).severity, Severity::Warning);
    }

    #[test]
    fn it_is_quiet_with_room_and_without_a_limit() {
        assert_eq!(judge(1_000, &[(500, 3), (500, 3), (500, 0)], 500).severity, Severity::Ok);
        assert_eq!(judge(-1, &[(500, 0)], 500).severity, Severity::NotApplicable);
        assert_eq!(judge(i64::MAX, &[(500, 0)], 500).severity, Severity::NotApplicable);
        assert_eq!(Scene::new().verdict(&ContainerMemoryHeadroom).severity, Severity::NotApplicable);
    }
}
