//! `StringDeduplication`: whether deduplicating strings may help.

use jfrkit_profile::units::rounded_percent;
use std::collections::BTreeMap;

use super::allocation::{BY_CLASS, BYTES, IN_NEW, OUTSIDE, Source};
use jfr_analyzers::events::{EVENT, Facts, Group, GroupBy, Needs};
use jfr_analyzers::math::{map_exp74, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// Whether strings fill the heap. Needs no table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StringDeduplication;

const OBJECTS: GroupBy = GroupBy::of(&["jdk.ObjectCount", "jdk.ObjectCountAfterGC"])
    .by(&[jfr_analyzers::events::EVENT, "gcId", "objectClass"])
    .measure(&["totalSize", "count"]);
const AFTER: GroupBy = GroupBy::of(&["jdk.GCHeapSummary"]).by(&["when"]).measure(&["heapUsed"]);
/// Methods that allocate the arrays behind strings.
const MAKERS: [&str; 6] = [
    "java.lang.String.<init>",
    "java.lang.StringBuffer.toString",
    "java.lang.StringUTF16.newString",
    "java.lang.StringLatin1.newString",
    "java.lang.StringUTF16.toBytes",
    "java.lang.StringBuilder.toBytes",
];

impl StringDeduplication {
    /// Why it matters.
    const WHY: &str = "Equal strings that share one array leave more of the heap to other objects.";
    /// What to do.
    const REMEDY: &str = "Try -XX:+UseStringDeduplication if many equal strings live long.";
}

impl Rule for StringDeduplication {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("StringDeduplication")
            .title("String deduplication")
            .category(Category::Heap)
            .description("Whether strings take so much of the heap that deduplicating them may help.")
            .formula(
                "The share of the live heap that is arrays of strings (estimated from the number of strings if \
                      the arrays also have other uses), times one plus the share of the heap in use, rounded down: 25 \
                      at `live`. Without object counts: the share of allocation in methods that create strings, 25 at \
                      `allocation`. Never more than 74.",
            )
            .unlike_jmc(
                "JMC compares a fraction with a percentage in the second case, so it never finds anything \
                          there. As in JMC, heap usage counts only if the heap is completely full, and the rule \
                          requires the TLAB events, although it reads them only in the second case.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("live", 50.0, "Share of the live heap that is worth a look"),
                        Setting::percent("allocation", 50.0, "Share of the allocation that is worth a look"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .available("jdk.GCHeapSummary")
            .available("jdk.JVMInformation")
            .enabled("jdk.ObjectCount")
            .enabled("jdk.ObjectCountAfterGC")
            .enabled(IN_NEW)
            .enabled(OUTSIDE)
            .groups(OBJECTS)
            .groups(AFTER)
            .groups(BY_CLASS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let Some(version) = &facts.jvm().version else {
            return Verdict::not_applicable("the JVM version is unknown");
        };
        if facts.flag_on("UseStringDeduplication") == Some(true) {
            return Verdict::ok("String deduplication is on");
        }
        let array = if version.major >= 9 { "byte[]" } else { "char[]" };
        let size = if version.major >= 9 || facts.flag_on("CompactStrings") == Some(true) { 50.0 } else { 100.0 };
        let used = facts
            .groups(&AFTER)
            .iter()
            .find(|g| g.text("when") == Some("After GC"))
            .map_or(0.0, |g| g.mean("heapUsed"));
        let in_use = ratio(used, facts.max_heap().unwrap_or(0) as f64);
        let (share, limit, what, cost) = match live_share(facts, array, size) {
            Some(share) => (share, settings.number("live"), "the live heap", Cost::memory(share)),
            None => match allocation_share(facts, array) {
                Some(share) => (share, settings.number("allocation"), "the allocation", Cost::allocation(share)),
                None => return Verdict::not_applicable("the recording has neither live objects nor allocations"),
            },
        };
        let score = map_exp74(share * 100.0 * (1.0 + in_use.floor()), limit);
        let possible =
            ["UseG1GC", "UseShenandoahGC"].iter().any(|f| facts.flag_on(f) == Some(true)) || version.major >= 18;
        let remedy = if possible {
            "Try -XX:+UseStringDeduplication."
        } else {
            "Try G1 with -XX:+UseStringDeduplication; the collector in use cannot deduplicate."
        };
        Verdict::scored(score, format!("Strings take {} of {what}", rounded_percent(share * 100.0)))
            .explain(StringDeduplication::WHY)
            .remedy(remedy)
            .cost(cost)
            .with("share of strings", Value::share(share))
            .with("heap in use", Value::share(in_use))
            .with("arrays of strings", array)
    }
}

/// The greatest share of the live heap that is arrays of strings, among the counts of single collections.
fn live_share(facts: &Facts, array: &str, string_size: f64) -> Option<f64> {
    let groups = facts.groups(&OBJECTS);
    ["jdk.ObjectCount", "jdk.ObjectCountAfterGC"].into_iter().find_map(|event| {
        let mut by_gc: BTreeMap<i64, Vec<Group<'_>>> = BTreeMap::new();
        for group in groups.iter().filter(|g| g.text(EVENT) == Some(event)) {
            by_gc.entry(group.int("gcId").unwrap_or(0)).or_default().push(group);
        }
        let shares = by_gc.values().map(|classes| {
            let of = |name: &str, measure: &str| {
                classes.iter().filter(|g| g.text("objectClass") == Some(name)).map(|g| g.sum(measure)).sum::<f64>()
            };
            let total: f64 = classes.iter().map(|g| g.sum("totalSize")).sum();
            let strings = of("java.lang.String", "count");
            let size =
                if (strings - of(array, "count")).abs() < 0.5 { of(array, "totalSize") } else { strings * string_size };
            ratio(size, total)
        });
        shares.reduce(f64::max)
    })
}

fn allocation_share(facts: &Facts, array: &str) -> Option<f64> {
    let groups = facts.groups(&BY_CLASS).select(&["objectClass", "stackTrace"], |g| Source::Exact.takes(g.text(EVENT)));
    if groups.is_empty() {
        return None;
    }
    let total: f64 = groups.iter().map(|g| g.sum(BYTES)).sum();
    let makes = |g: &&Group<'_>| {
        g.text("objectClass") == Some(array)
            && g.stack("stackTrace").is_some_and(|s| facts.methods(s).any(|m| MAKERS.contains(&m)))
    };
    Some(ratio(groups.iter().filter(makes).map(|g| g.sum(BYTES)).sum(), total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn scene(strings: i64, other: i64) -> Scene {
        let object = |scene: Scene, class: &str, size: i64, count: i64| {
            scene.event(
                "jdk.ObjectCount",
                0,
                0,
                [
                    ("gcId", 1.into()),
                    ("objectClass", class.into()),
                    ("totalSize", size.into()),
                    ("count", count.into()),
                ],
            )
        };
        let scene = Scene::new()
            .event("jdk.JVMInformation", 0, 0, [("jvmVersion", "JRE (17.0.1+1)".into())])
            .event("jdk.GCHeapSummary", 0, 0, [("when", "After GC".into()), ("heapUsed", 1.into())])
            .enabled("jdk.ObjectCountAfterGC")
            .enabled(IN_NEW)
            .enabled(OUTSIDE);
        let scene = object(scene, "java.lang.String", 24 * strings, strings);
        let scene = object(scene, "byte[]", 50 * strings, strings);
        object(scene, "a.B", other, 1)
    }

    #[test]
    fn a_heap_of_strings_is_worth_a_look() {
        assert_eq!(scene(1_000, 10).verdict(&StringDeduplication).severity, Severity::Info);
        assert_eq!(scene(1_000, 900_000).verdict(&StringDeduplication).severity, Severity::Ok);
        assert_eq!(Scene::new().verdict(&StringDeduplication).severity, Severity::NotApplicable);
    }
}
