//! `LowOnPhysicalMemory`: the machine runs out of memory.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};

/// Whether the machine runs out of memory. Needs the list of memory usage events, one per chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LowOnPhysicalMemory;

impl LowOnPhysicalMemory {
    /// Why it matters.
    const WHY: &str = "When memory runs out, the operating system swaps, or kills the process that uses most.";
    /// What to do.
    const REMEDY: &str = "Check what else runs on the machine, reduce the heap, or add memory.";
}

impl Rule for LowOnPhysicalMemory {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("LowOnPhysicalMemory")
            .title("Low physical memory")
            .category(Category::Environment)
            .description("Whether the machine's memory is almost used up.")
            .formula("The peak use over the smallest total: 25 at `info`, 75 at `warning`.")
            .unlike_jmc(
                "JDKs before 21, and macOS, count the file cache as used, so JMC reports a machine that \
                          reads many files as full. jfrkit reports nothing there. ContainerMemoryHeadroom checks the \
                          container's limit.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 85.0, "Share of memory in use that is worth a look"),
                        Setting::percent("warning", 95.0, "Share of memory in use to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.PhysicalMemory").table("jdk.PhysicalMemory", &["usedSize", "totalSize"]).table_up_to(
            10,
            "jdk.OSInformation",
            &["osVersion"],
        )
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let table = facts.table("jdk.PhysicalMemory");
        let (Some(used), Some(total)) = (table.ints("usedSize").max(), table.ints("totalSize").min()) else {
            return Verdict::ok("The machine's memory use was not recorded");
        };
        let share = ratio(used as f64, total as f64);
        let info = settings.number("info") / 100.0;
        let score = map2(share - info, 0.0, settings.number("warning") / 100.0 - info);
        // Before JDK 21, all that is not free counts as used, including the file cache; macOS counts the same way.
        let system = facts.table("jdk.OSInformation").texts("osVersion").last().unwrap_or_default();
        let counts_files =
            facts.jvm().version.as_ref().is_none_or(|v| !v.at_least(21, &[])) || system.contains("Darwin");
        let shown = if counts_files { Severity::Ok } else { Severity::Warning };
        Verdict::scored(score, format!("The machine uses {:.0} % of its memory", share * 100.0))
            .explain(LowOnPhysicalMemory::WHY)
            .remedy(LowOnPhysicalMemory::REMEDY)
            .at_most(shown)
            .with("share used", Value::share(share))
            .with("used", Value::bytes(used as f64))
            .with("total", Value::bytes(total as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn the_share_decides() {
        let of = |used: i64| {
            Scene::new()
                .event("jdk.PhysicalMemory", 0, 0, [("usedSize", used.into()), ("totalSize", 100.into())])
                .as_jmc(&LowOnPhysicalMemory)
        };
        assert_eq!(of(97), Severity::Warning);
        assert_eq!(of(90), Severity::Info);
        assert_eq!(of(80), Severity::Ok);
    }
}
