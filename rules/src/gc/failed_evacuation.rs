//! `FailedEvacuation`: collections that ran out of space for the objects to move.

use std::collections::{BTreeMap, BTreeSet};

use super::causes::{AskedFor, is_asked_for};
use crate::tally::{brief, once_per_text};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::things;

/// Collections that failed or fell back to a full GC. Needs the lists of the events named below.
///
/// Fires on `fixtures/scenarios/failed-evacuation.jfr.gz` and on synthetic events; quiet on `healthy`
/// and on `explicit-gc`, whose full collections are explicit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FailedEvacuation;

/// Parts of the cause of a collection that failed, or that follows one that failed.
const CAUSES: [&str; 7] = [
    "compaction pause",
    "upgrade to full",
    "degenerated",
    "to-space",
    "evacuation fail",
    "concurrent mode failure",
    "promotion fail",
];

/// Minimum time span, in nanoseconds, for a share of it to be meaningful.
const LEAST: i64 = 10_000_000_000;

impl FailedEvacuation {
    /// Why it matters.
    const WHY: &str = "The collector ran out of space for surviving objects, or did not finish in time. It then falls \
        back to a long pause in which it collects the whole heap.";
    /// What to do.
    const REMEDY: &str = "Increase the heap (-Xmx), start marking earlier (-XX:InitiatingHeapOccupancyPercent, or for \
        G1 -XX:G1ReservePercent), give the collector more threads (-XX:ConcGCThreads), and find out what fills the \
        heap: see the rules on live set, humongous objects and allocation rate.";
}

impl Rule for FailedEvacuation {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("FailedEvacuation")
            .title("Failed evacuation or promotion")
            .category(Category::Gc)
            .description(
                "Whether the collector ran out of space to copy surviving objects to, or fell back to a full \
                          GC.",
            )
            .formula(
                "Distinct collections with jdk.EvacuationFailed, jdk.PromotionFailed or \
                      jdk.ConcurrentModeFailure, with the name G1Full, or with a cause or pause name that mentions \
                      full, degenerated or to-space, without explicit collections and the marking cycles that they \
                      aborted: 25 at `info`, 75 at `warning`.",
            )
            .settings(
                const {
                    &[
                        Setting::count("info", 1.0, "Collections that are worth a look"),
                        Setting::count("warning", 3.0, "Collections to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .enabled("jdk.GarbageCollection")
            .table("jdk.GarbageCollection", &["gcId", "name", "cause", "sumOfPauses"])
            .table("jdk.GCPhasePause", &["gcId", "name"])
            .table("jdk.EvacuationFailed", &["gcId", "evacuationFailed.objectCount", "evacuationFailed.totalSize"])
            .table("jdk.PromotionFailed", &["gcId", "promotionFailed.objectCount", "promotionFailed.totalSize"])
            .table("jdk.ConcurrentModeFailure", &["gcId"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        verdict(facts, &measure(facts), settings)
    }
}

/// Collections that failed.
#[derive(Default)]
struct Measured {
    /// What went wrong, and when, by collection. One collection is one failure, however many events report it.
    failed: BTreeMap<i64, (String, i64)>,
    /// Bytes that could not be moved.
    bytes: f64,
    /// The pauses of these collections, in nanoseconds.
    paused: f64,
    /// The time with collections in nanoseconds: the file may also contain a recording of another JVM, days apart.
    span: f64,
}

fn measure(facts: &Facts) -> Measured {
    let mut measured = Measured::default();
    let asked_for = AskedFor::of(facts);
    let asked = measured.add_collections(facts);
    measured.add_pauses(facts, &asked);
    measured.add_failures(facts, &asked_for);
    let collections = facts.table("jdk.GarbageCollection");
    let failed = &measured.failed;
    measured.paused = collections
        .rows()
        .filter(|r| r.int("gcId").is_some_and(|id| failed.contains_key(&id)))
        .filter_map(|r| r.float("sumOfPauses"))
        .sum();
    let span = collections.first().zip(collections.last()).map_or(0, |(a, b)| b.end.saturating_sub(a.start));
    measured.span = span.max(LEAST).min(facts.nanos()) as f64;
    measured
}

impl Measured {
    /// Adds collections whose cause is a failure, and returns those that somebody asked for.
    fn add_collections(&mut self, facts: &Facts) -> BTreeSet<i64> {
        let mut asked = BTreeSet::new();
        let mut of_cause = once_per_text(|cause| {
            let lower = cause.to_lowercase();
            (is_asked_for(cause), CAUSES.iter().any(|c| lower.contains(c)))
        });
        for row in facts.table("jdk.GarbageCollection").rows() {
            let Some(id) = row.int("gcId") else { continue };
            let (name, cause) = (row.text("name").unwrap_or_default(), row.text("cause").unwrap_or_default());
            let (is_asked, is_failure) = of_cause(cause);
            if is_asked {
                asked.insert(id);
            } else if name == "G1Full" || is_failure {
                self.failed.insert(id, (format!("{}, {}", brief(name), brief(cause)), row.start));
            }
        }
        asked
    }

    /// Adds collections of Shenandoah that fell back to a pause.
    fn add_pauses(&mut self, facts: &Facts, asked: &BTreeSet<i64>) {
        let mut is_full = once_per_text(|name| name.contains("Degenerated") || name.contains("Pause Full"));
        for row in facts.table("jdk.GCPhasePause").rows() {
            let (Some(id), Some(name)) = (row.int("gcId"), row.text("name")) else { continue };
            if is_full(name) && !asked.contains(&id) {
                self.failed.entry(id).or_insert_with(|| (brief(name).to_owned(), row.start));
            }
        }
    }

    /// Adds what the JVM itself reports as a failure.
    fn add_failures(&mut self, facts: &Facts, asked_for: &AskedFor) {
        for (event, what, size) in [
            ("jdk.EvacuationFailed", "evacuation failed", Some("evacuationFailed.totalSize")),
            ("jdk.PromotionFailed", "promotion failed", Some("promotionFailed.totalSize")),
            ("jdk.ConcurrentModeFailure", "concurrent mode failure", None),
        ] {
            for row in
                facts.table(event).rows().filter(|r| what != "concurrent mode failure" || !asked_for.near(r.start))
            {
                self.bytes += size.and_then(|size| row.float(size)).unwrap_or(0.0);
                let id = row.int("gcId").unwrap_or(-1);
                self.failed.entry(id).or_insert_with(|| (what.to_owned(), row.start));
            }
        }
    }
}

fn verdict(facts: &Facts, measured: &Measured, settings: &Settings) -> Verdict {
    let Measured { failed, bytes, paused, span } = measured;
    let times = || failed.values().map(|(_, at)| *at);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return Verdict::ok("No collection failed or fell back to a full GC");
    };
    let count = failed.len() as u64;
    let rows = failed
        .iter()
        .map(|(id, (what, at))| [Value::number(*id as f64, ""), Value::instant(*at), what.as_str().into()]);
    Verdict::scored(
        map2(count as f64, settings.number("info"), settings.number("warning")),
        format!("{} failed or fell back to a full GC", things(count, "collection", "collections")),
    )
    .explain(FailedEvacuation::WHY)
    .remedy(FailedEvacuation::REMEDY)
    .cost((*paused > 0.0).then(|| Cost::elapsed(ratio(*paused, *span))))
    .with("collections", Value::count(count, "collections"))
    .with("of", Value::count(facts.table("jdk.GarbageCollection").seen(), "collections"))
    .with("window", Value::window(first, last))
    .with_some("not moved", (*bytes > 0.0).then(|| Value::bytes(*bytes)))
    .with("what happened", Value::table(["collection", "time", "what"], rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn collection(scene: Scene, id: i64, name: &str, cause: &str) -> Scene {
        scene.event(
            "jdk.GarbageCollection",
            id,
            id,
            [("gcId", id.into()), ("name", name.into()), ("cause", cause.into())],
        )
    }

    #[test]
    fn it_fires_on_a_heap_without_room_to_move() {
        fixture::expect("FailedEvacuation", "failed-evacuation", Severity::Warning);
    }

    #[test]
    fn it_fires_on_failures_and_counts_each_collection_once() {
        let scene = collection(Scene::new(), 1, "G1New", "G1 Evacuation Pause")
            .event("jdk.EvacuationFailed", 1, 1, [("gcId", 1.into()), ("evacuationFailed.totalSize", 4_096.into())])
            .event("jdk.EvacuationFailed", 1, 1, [("gcId", 1.into())]);
        assert_eq!(scene.verdict(&FailedEvacuation).severity, Severity::Info);
        let scene = collection(scene, 2, "G1Full", "G1 Compaction Pause");
        let scene =
            scene.event("jdk.GCPhasePause", 3, 4, [("gcId", 3.into()), ("name", "Pause Degenerated GC (Mark)".into())]);
        let verdict = scene.verdict(&FailedEvacuation);
        assert_eq!(verdict.severity, Severity::Warning);
        assert_eq!(verdict.summary, "3 collections failed or fell back to a full GC");
    }

    #[test]
    fn collections_asked_for_do_not_count() {
        let scene = collection(Scene::new(), 1, "G1Full", "System.gc()").event(
            "jdk.GCPhasePause",
            1,
            2,
            [("gcId", 1.into()), ("name", "Pause Full".into())],
        );
        assert_eq!(scene.verdict(&FailedEvacuation).severity, Severity::Ok);
        fixture::expect("FailedEvacuation", "explicit-gc", Severity::Ok);
        fixture::expect("FailedEvacuation", "healthy", Severity::Ok);
    }
}
