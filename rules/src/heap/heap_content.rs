//! `HeapContent`: a few classes fill the heap.

use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::{balance, map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};

/// Whether a few classes fill the heap. Needs no table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeapContent;

const CLASSES: GroupBy = GroupBy::of(&["jdk.ObjectCount"]).by(&["objectClass"]).measure(&["totalSize", "count"]);

impl HeapContent {
    /// Why it matters.
    const WHY: &str = "If one class fills the heap, look there first for objects that are kept too long.";
    /// What to do.
    const REMEDY: &str = "Find out what holds the objects: use the event jdk.OldObjectSample or a heap dump.";
}

impl Rule for HeapContent {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("HeapContent")
            .title("Heap content")
            .category(Category::Heap)
            .description("Whether a few classes fill the heap.")
            .formula(
                "The largest totalSize of each class; sum over the classes of share of the total by rank: 25 at \
                      `info`, 75 at `warning`, 100 % if one class is everything.",
            )
            .unlike_jmc(
                "JMC divides by the largest class instead of the total, so that any recording with \
                          jdk.ObjectCount is a warning. jfrkit divides by the total, with thresholds to match, and \
                          never reports a finding: in most programs a few classes fill the heap, and only \
                          HeapLeakForecast can tell whether that is a problem.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 50.0, "Balance that is worth a look"),
                        Setting::percent("warning", 75.0, "Balance to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(format!("This rule never reports a finding. {}", Self::REMEDY))
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.ObjectCount").groups(CLASSES)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let mut classes: Vec<_> = facts.groups(&CLASSES).iter().collect();
        if classes.is_empty() {
            return Verdict::ok("No objects were counted");
        }
        classes.sort_by(|a, b| b.max("totalSize").total_cmp(&a.max("totalSize")));
        let total: f64 = classes.iter().map(|g| g.max("totalSize")).sum();
        let balance = balance(classes.iter().map(|g| g.max("totalSize")));
        let top = classes.first().and_then(|g| g.text("objectClass")).unwrap_or("unknown class");
        let share = classes.first().map_or(0.0, |g| ratio(g.max("totalSize"), total));
        let score = map2(balance * 100.0, settings.number("info"), settings.number("warning")).min(74.0);
        Verdict::scored(score, format!("{top} takes {:.0} % of the heap", share * 100.0))
            .explain(HeapContent::WHY)
            .remedy(HeapContent::REMEDY)
            // Every heap is made of something; that alone is not a finding.
            .at_most(Severity::Ok)
            .with("balance", Value::share(balance))
            .with(
                "classes",
                Value::table(
                    ["class", "objects", "bytes", "share"],
                    classes.iter().take(10).map(|g| {
                        [
                            g.text("objectClass").unwrap_or("?").into(),
                            Value::number(g.max("count"), "objects"),
                            Value::bytes(g.max("totalSize")),
                            Value::share(ratio(g.max("totalSize"), total)),
                        ]
                    }),
                ),
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::{SceneSnapshot, assert_snapshot};
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn one_class_that_fills_the_heap() {
        let of = |sizes: &[i64]| {
            let scene = Scene::new().enabled("jdk.ObjectCount");
            let scene = sizes.iter().enumerate().fold(scene, |scene, (i, size)| {
                let class = format!("a.C{i}");
                scene.event(
                    "jdk.ObjectCount",
                    0,
                    0,
                    [("objectClass", class.as_str().into()), ("totalSize", (*size).into()), ("count", 1.into())],
                )
            });
            scene.as_jmc(&HeapContent)
        };
        assert_eq!(of(&[900, 50, 50]), Severity::Info);
        assert_eq!(of(&[200, 150, 150, 100, 100, 100, 100, 100]), Severity::Ok);
        assert_eq!(of(&[]), Severity::Ok);
    }

    /// But that is not a finding.
    #[test]
    fn the_largest_class_is_named() {
        let count = |scene: Scene, class: &str, bytes: i64| {
            let fields = [("objectClass", class.into()), ("totalSize", bytes.into()), ("count", 10.into())];
            scene.event("jdk.ObjectCount", 0, 0, fields)
        };
        let scene = count(count(Scene::new().enabled("jdk.ObjectCount"), "byte[]", 900), "java.lang.String", 100);
        let verdict = scene.verdict(&HeapContent);
        assert_eq!(verdict.severity, Severity::Ok);
        assert_snapshot("HeapContent", &verdict);
    }
}
