//! `GcInvertedParallelism`: GC threads that do not get enough CPU.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::ratio;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Section, Settings, Severity, Value, Verdict};

/// Minimum number of inverted collections of 100 ms and more for a warning.
const ENOUGH: u64 = 3;
/// Minimum share of them among all such collections.
const OFTEN: f64 = 0.2;

/// Whether collections took more elapsed time than CPU time. Needs the list of GCCPUTime, one per collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GcInvertedParallelism;

impl GcInvertedParallelism {
    /// Why it matters.
    const WHY: &str = "GC threads waited for a CPU, or for memory that was swapped out.";
    /// What to do.
    const REMEDY: &str = "Check for other processes on the machine, a container CPU limit, swapping and slow disks.";
}

impl Rule for GcInvertedParallelism {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("GcInvertedParallelism")
            .title("GC threads starved of CPU")
            .category(Category::Gc)
            .description(
                "Whether collections took longer than their CPU time, although several threads should share \
                          the work.",
            )
            .formula(
                "A warning if any collection's user and system time together, in whole percent rounded up, is below \
                      100 % of its real time.",
            )
            .as_in_jmc(
                "One collection decides, however short; with coarse clocks, a pause of \
                          microseconds may be enough. The evidence shows the share for collections of 100 ms and \
                          more: if it is 0, there is nothing to do.",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .available("jdk.GCCPUTime")
            .available("jdk.GCConfiguration")
            .table("jdk.GCCPUTime", &["userTime", "systemTime", "realTime"])
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        if facts.old_collector() == Some("SerialOld") {
            return Verdict::not_applicable("the collector uses a single thread");
        }
        let (mut inverted, mut long, mut long_inverted) = (0u64, 0u64, 0u64);
        let table = facts.table("jdk.GCCPUTime");
        for row in table.rows() {
            let (Some(user), Some(system), Some(real)) =
                (row.float("userTime"), row.float("systemTime"), row.float("realTime"))
            else {
                continue;
            };
            let is = real > 0.0 && (100.0 * (user + system) / real).ceil() < 100.0;
            inverted += u64::from(is);
            if real >= 1e8 {
                long += 1;
                long_inverted += u64::from(is);
            }
        }
        let evidence = |v: Verdict| {
            v.with("inverted", Value::count(inverted, "collections"))
                .with("collections", Value::count(table.len() as u64, "collections"))
                .with("of 100 ms and more", Value::count(long, "collections"))
                .with("share of those inverted", Value::share(ratio(long_inverted as f64, long as f64)))
        };
        if inverted == 0 {
            return evidence(Verdict::ok("GC threads got enough CPU"));
        }
        // CPU time clocks are too coarse for pauses of a few milliseconds.
        let shown = match (long_inverted, ratio(long_inverted as f64, long as f64)) {
            (0, _) => Severity::Ok,
            (n, share) if n >= ENOUGH && share >= OFTEN => Severity::Warning,
            _ => Severity::Info,
        };
        evidence(
            Verdict::warning(format!(
                "{inverted} of {} collections took longer than their CPU time: GC threads lacked CPU",
                table.len()
            ))
            .explain(GcInvertedParallelism::WHY)
            .remedy(GcInvertedParallelism::REMEDY)
            .section(Section::Environment)
            .at_most(shown),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn less_cpu_than_time_is_found() {
        let of = |user: i64, collector: &str| {
            Scene::new()
                .event(
                    "jdk.GCCPUTime",
                    0,
                    0,
                    [("userTime", user.into()), ("systemTime", 0.into()), ("realTime", 100_000_000.into())],
                )
                .event("jdk.GCConfiguration", 0, 0, [("oldCollector", collector.into())])
                .as_jmc(&GcInvertedParallelism)
        };
        assert_eq!(of(50_000_000, "G1Old"), Severity::Warning);
        assert_eq!(of(300_000_000, "G1Old"), Severity::Ok);
        assert_eq!(of(50_000_000, "SerialOld"), Severity::NotApplicable);
    }
}
