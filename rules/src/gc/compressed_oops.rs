//! `CompressedOops`: references take twice the space they need.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Severity, Verdict};

/// Whether compressed references are needlessly off. Needs no event list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CompressedOops;

impl CompressedOops {
    /// Why it matters.
    const WHY: &str = "Objects are larger, so collections run more often and CPU caches hold fewer of them.";
    /// What to do.
    const REMEDY: &str = "Remove -XX:-UseCompressedOops.";
}

impl Rule for CompressedOops {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("CompressedOops")
            .title("Compressed oops disabled")
            .category(Category::Gc)
            .description("Whether references take 8 bytes although the heap is small enough for 4.")
            .formula("Worth a look if a 64-bit JVM with a heap below 32 GiB does not use compressed oops.")
            .unlike_jmc(
                "ZGC never compresses references. If it is the collector, JMC reports a finding and jfrkit \
                          does not.",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.JVMInformation").available("jdk.BooleanFlag").available("jdk.UnsignedLongFlag")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let is_64 = facts.jvm().name.as_deref().is_some_and(|n| n.to_uppercase().contains("64-BIT"));
        let small = facts.flag("MaxHeapSize").int().is_some_and(|max| max < 32 << 30);
        let used = facts.table("jdk.GCHeapConfiguration").ints("usesCompressedOops").any(|v| v != 0);
        let unknown = facts.table("jdk.GCHeapConfiguration").is_empty();
        if !is_64 || !small || used || unknown {
            return Verdict::ok("References are as small as possible");
        }
        Verdict::info("Compressed oops are off although the heap is smaller than 32 GiB")
            .explain(CompressedOops::WHY)
            .remedy(CompressedOops::REMEDY)
            // ZGC has no compressed references.
            .at_most(if facts.old_collector().is_some_and(|c| c.starts_with('Z')) {
                Severity::Ok
            } else {
                Severity::Info
            })
            .with("collector", facts.old_collector().unwrap_or("unknown"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn off_without_need_is_found() {
        let of = |used: bool, heap: i64| {
            Scene::new()
                .event("jdk.JVMInformation", 0, 0, [("jvmName", "OpenJDK 64-Bit Server VM".into())])
                .event("jdk.BooleanFlag", 0, 0, [("name", "A".into()), ("value", 1.into())])
                .event("jdk.UnsignedLongFlag", 0, 0, [("name", "MaxHeapSize".into()), ("value", heap.into())])
                .event("jdk.GCHeapConfiguration", 0, 0, [("usesCompressedOops", used.into())])
                .verdict(&CompressedOops)
                .severity
        };
        assert_eq!(of(false, 1 << 30), Severity::Info);
        assert_eq!(of(true, 1 << 30), Severity::Ok);
        assert_eq!(of(false, 64 << 30), Severity::Ok);
    }
}
