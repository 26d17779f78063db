//! `HeapLeakForecast`: when the heap will be full if it keeps growing at this rate.

use std::collections::{BTreeMap, HashMap};

use crate::heap::{AfterGc, SUMMARY_FIELDS, after_collections};
use crate::series::{ascending, robust_slope};
use crate::time::SECOND;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::{duration_f64, size_f64};

/// Whether the heap used after collections grows, how long the heap will last, and which classes grow. Needs the tables
/// of `jdk.GCHeapSummary`, `jdk.GarbageCollection`, `jdk.G1GarbageCollection` and `jdk.ObjectCount`.
///
/// Fires on `fixtures/scenarios/leak.jfr.gz`; quiet on `allocation-rate` and `explicit-gc`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeapLeakForecast;

const OLD_OBJECTS: GroupBy =
    GroupBy::of(&["jdk.OldObjectSample"]).by(&["object.type", "stackTrace"]).measure(&["objectAge", "objectSize"]);
const LIVE: GroupBy = GroupBy::of(&["profiler.LiveObject", "datadog.HeapLiveObject"])
    .by(&["objectClass", "stackTrace"])
    .measure(&["allocationSize|size"]);
const COUNTS: &str = "jdk.ObjectCount";

/// The least number of points that can show a trend.
const ENOUGH: usize = 8;
/// The most points for a trend: the work grows with the number of their pairs.
const MOST: usize = 200;
/// Growth, as a share of the largest heap, below which it is noise.
const NOISE: f64 = 0.05;
/// The time needed to tell a leak from a starting program, unless the heap is half full by then.
const WATCHED: i64 = 120 * SECOND;
const HALF_FULL: f64 = 0.5;

impl HeapLeakForecast {
    /// Why it matters.
    const WHY: &str = "More is left in the heap after each collection: the program keeps objects that it no longer \
                       needs. As the heap fills up, the collector works more and frees less, until the program stalls \
                       or fails with an OutOfMemoryError.";
    /// What to do.
    const REMEDY: &str = "Find out what holds the objects: record with path-to-gc-roots (jcmd JFR.dump \
                          path-to-gc-roots=true), or take two heap dumps and compare them. The usual suspects are \
                          static maps, unbounded caches, listeners, and thread locals that are never removed.";
}

/// By how many percentage points the required share of rising pairs is lower under a concurrent collector.
const BESIDE: f64 = 5.0;

impl Rule for HeapLeakForecast {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("HeapLeakForecast")
            .title("Heap leak forecast")
            .category(Category::Heap)
            .description("Whether the heap used after collections grows, and when the heap will be full.")
            .formula(
                "heapUsed of jdk.GCHeapSummary after collections of the old generation, mixed and full ones (if there \
                      are fewer than eight of them: the lowest value of each minute after any collection). The median \
                      of the slopes between all pairs of points, if there are eight points or more, `rising` of the \
                      pairs go up, and the growth is 5 % of the largest heap or more, over at least two minutes unless \
                      the heap is half full earlier. Time to fill = (largest heap - last) / slope: 25 at `info`, 75 at \
                      `warning`. Classes come from jdk.OldObjectSample, jdk.ObjectCount, or the live objects of \
                      profilers.",
            )
            .settings(
                const {
                    &[
                        Setting::seconds("info", 86_400.0, "Time until the heap is full that is worth a look"),
                        Setting::seconds("warning", 3_600.0, "Time until the heap is full, to act on"),
                        Setting::percent(
                            "rising",
                            80.0,
                            "Share of pairs of points that have to go up; 5 % less with ZGC and Shenandoah",
                        ),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .available("jdk.GCHeapSummary")
            .table("jdk.GCHeapSummary", SUMMARY_FIELDS)
            .table("jdk.GarbageCollection", &["gcId", "name", "cause"])
            .table("jdk.G1GarbageCollection", &["gcId", "type"])
            .table(COUNTS, &["gcId", "objectClass", "count", "totalSize"])
            .groups(OLD_OBJECTS)
            .groups(LIVE)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts) {
            Ok(measured) => verdict(facts, &measured, settings),
            Err(because) => Verdict::not_applicable(because),
        }
    }
}

/// The line of the heap used after collections.
struct Measured {
    /// The least points, at most [`MOST`], and what they are: collections or minutes.
    points: u64,
    kind: &'static str,
    first: AfterGc,
    last: AfterGc,
    /// The largest heap, in bytes.
    max: f64,
    /// In bytes per second.
    slope: f64,
    /// The share of the pairs of points that go up, 0 to 1.
    up: f64,
    /// A concurrent collector leaves a rougher line, because objects allocated meanwhile count as survivors.
    concurrent: bool,
}

impl Measured {
    /// Whether the line goes up, if `rising` percent of the pairs of points have to.
    fn grows(&self, rising: f64) -> bool {
        let rising = rising - if self.concurrent { BESIDE } else { 0.0 };
        self.slope > 0.0 && self.up * 100.0 >= rising && self.last.used - self.first.used >= NOISE * self.max
    }

    /// In nanoseconds.
    fn watched(&self) -> i64 {
        self.last.at.saturating_sub(self.first.at)
    }

    /// The seconds until the heap is full.
    fn time_to_fill(&self) -> f64 {
        ratio((self.max - self.last.used).max(0.0), self.slope)
    }
}

/// The error is why there is no line.
fn measure(facts: &Facts) -> Result<Measured, String> {
    let all = after_collections(facts);
    let old: Vec<AfterGc> = all.iter().copied().filter(|p| p.whole).collect();
    let from_old = old.len() >= ENOUGH;
    let points = if from_old { thinned(&old) } else { least_by_minute(&all) };
    let max = facts.max_heap().map(|m| m as f64).or_else(|| all.iter().map(|p| p.reserved).reduce(f64::max));
    let (Some(max), Some(first), Some(last)) = (max, points.first(), points.last()) else {
        return Err("there is no jdk.GCHeapSummary event from after a collection".to_owned());
    };
    if points.len() < ENOUGH {
        return Err(format!(
            "a trend needs {ENOUGH} collections of the old generation, or minutes with collections; the recording \
             has {}",
            points.len().max(old.len())
        ));
    }
    let line: Vec<(f64, f64)> =
        points.iter().map(|p| (p.at.saturating_sub(first.at) as f64 / SECOND as f64, p.used)).collect();
    let concurrent = |name: &str| name.starts_with("Shenandoah") || name.starts_with('Z');
    Ok(Measured {
        points: points.len() as u64,
        kind: if from_old { "collections of the old generation" } else { "minutes" },
        first: *first,
        last: *last,
        max,
        slope: robust_slope(&line).unwrap_or(0.0),
        up: ascending(&line),
        concurrent: facts.old_collector().is_some_and(concurrent),
    })
}

fn verdict(facts: &Facts, measured: &Measured, settings: &Settings) -> Verdict {
    let Measured { first, last, max, .. } = measured;
    let points = Value::count(measured.points, measured.kind);
    let window = Value::window(first.at, last.at);
    if !measured.grows(settings.number("rising")) {
        return Verdict::ok(format!(
            "The heap used after collections does not grow steadily ({} to {})",
            size_f64(first.used),
            size_f64(last.used)
        ))
        .with("points", points)
        .with("pairs that go up", Value::share(measured.up))
        .with("window", window);
    }
    if measured.watched() < WATCHED && last.used < HALF_FULL * max {
        return Verdict::ok(format!(
            "The heap used after collections grows, but only for {} and to {:.0} % of the heap: too little to tell \
             a leak from a starting program",
            duration_f64(measured.watched() as f64),
            ratio(last.used, *max) * 100.0
        ))
        .with("points", points)
        .with("window", window);
    }
    let suspects = suspects(facts);
    // A shorter time is worse, so score the inverse: fills per second.
    let fills = ratio(1.0, measured.time_to_fill().max(1.0));
    let score = map2(fills, ratio(1.0, settings.number("info")), ratio(1.0, settings.number("warning")));
    Verdict::scored(score, summary(measured, &suspects))
        .explain(HeapLeakForecast::WHY)
        .remedy(HeapLeakForecast::REMEDY)
        .cost(Cost::memory(ratio(last.used, *max)))
        .with("time to fill", Value::nanos_f64(measured.time_to_fill() * 1e9))
        .with("growth a minute", Value::bytes(measured.slope * 60.0))
        .with("after the first collection", Value::bytes(first.used))
        .with("after the last collection", Value::bytes(last.used))
        .with("largest heap", Value::bytes(*max))
        .with("points", points)
        .with("pairs that go up", Value::share(measured.up))
        .with("window", window)
        .with("suspects", suspect_table(&suspects))
}

fn summary(measured: &Measured, suspects: &[Suspect]) -> String {
    let Measured { last, max, .. } = measured;
    // Arrays and strings are part of everything; the classes that hold them are more telling.
    let telling = |s: &&Suspect| !s.class.ends_with("[]") && !s.class.starts_with("java.");
    let class = suspects.iter().find(telling).or_else(|| suspects.first());
    let of_class = class.and_then(|c| suspects.iter().find(|s| s.class == c.class && !s.site.is_empty()));
    let site = of_class.map(|s| format!(", allocated in {}", s.site)).or_else(|| {
        let any = suspects.iter().find(|s| !s.site.is_empty())?;
        Some(format!("; old objects are {}, allocated in {}", any.class, any.site))
    });
    let left = if last.used >= 0.95 * max {
        format!("The heap is full ({} of {})", size_f64(last.used), size_f64(*max))
    } else {
        format!("The heap will be full in {} at this rate", duration_f64(measured.time_to_fill() * 1e9))
    };
    format!(
        "{left}: the heap used after collections grows by {} per minute{}{}",
        size_f64(measured.slope * 60.0),
        class.map(|s| format!(", most likely because of {}", s.class)).unwrap_or_default(),
        site.unwrap_or_default()
    )
}

fn suspect_table(suspects: &[Suspect]) -> Value {
    let rows = suspects.iter().take(10).map(|s| {
        [
            s.class.as_str().into(),
            s.seen.into(),
            Value::number(s.objects, "objects"),
            Value::bytes(s.bytes),
            s.site.as_str().into(),
        ]
    });
    Value::table(["class", "seen as", "objects", "size", "allocated in"], rows)
}

/// At most [`MOST`] points: the least of each stretch.
fn thinned(points: &[AfterGc]) -> Vec<AfterGc> {
    let step = points.len().div_ceil(MOST).max(1);
    points.chunks(step).filter_map(|c| c.iter().min_by(|a, b| a.used.total_cmp(&b.used)).copied()).collect()
}

/// The least point of each minute, because a young collection leaves the garbage of the old generation.
fn least_by_minute(points: &[AfterGc]) -> Vec<AfterGc> {
    let mut minutes: BTreeMap<i64, AfterGc> = BTreeMap::new();
    for point in points {
        let least = minutes.entry(point.at.div_euclid(60 * SECOND)).or_insert(*point);
        if point.used < least.used {
            *least = *point;
        }
    }
    thinned(&minutes.into_values().collect::<Vec<_>>())
}

/// A class that may have too many objects.
struct Suspect {
    class: String,
    seen: &'static str,
    objects: f64,
    bytes: f64,
    site: String,
}

/// Classes by growth, then by old object samples, then by live object samples.
fn suspects(facts: &Facts) -> Vec<Suspect> {
    let mut suspects = growing(facts);
    suspects.extend(sampled(facts, &OLD_OBJECTS, "old object samples", "object.type", "objectSize"));
    suspects.extend(sampled(facts, &LIVE, "live object samples", "objectClass", "allocationSize|size"));
    suspects
}

fn sampled(facts: &Facts, by: &GroupBy, seen: &'static str, class_key: &str, size: &str) -> Vec<Suspect> {
    let groups = facts.groups(by);
    let mut classes = groups.by(&[class_key]);
    classes.retain(|g| g.text(class_key).is_some());
    classes.sort_by_key(|g| std::cmp::Reverse(g.count()));
    let site = |class: jfr_analyzers::events::Cell| {
        let of_class = groups.iter().filter(|g| g.key(class_key) == class);
        let stack = of_class.max_by_key(|g| g.count()).and_then(|g| g.stack("stackTrace"))?;
        Some(facts.site(stack)?.method)
    };
    let suspect = |g: &jfr_analyzers::events::Group<'_>| Suspect {
        class: g.text(class_key).unwrap_or("?").to_owned(),
        seen,
        objects: g.count() as f64,
        bytes: g.sum(size),
        site: site(g.key(class_key)).unwrap_or_default(),
    };
    classes.iter().take(5).map(suspect).collect()
}

/// Classes whose objects take more bytes at the last count than at the first.
fn growing(facts: &Facts) -> Vec<Suspect> {
    let mut counts: HashMap<&str, (f64, f64, f64, f64)> = HashMap::new();
    let table = facts.table(COUNTS);
    let first = table.first().and_then(|r| r.int("gcId"));
    let last = table.last().and_then(|r| r.int("gcId"));
    for row in table.rows() {
        let Some(class) = row.text("objectClass") else { continue };
        let (n, size) = (row.float("count").unwrap_or(0.0), row.float("totalSize").unwrap_or(0.0));
        // A class that is missing from the first count grew from nothing.
        let before = if row.int("gcId") == first { (n, size) } else { (0.0, 0.0) };
        let (_, _, objects, bytes) = counts.entry(class).or_insert((before.0, before.1, n, size));
        (*objects, *bytes) = (n, size);
    }
    if first == last {
        return Vec::new();
    }
    let mut grown: Vec<Suspect> = counts
        .into_iter()
        .map(|(class, (n0, s0, n, s))| Suspect {
            class: class.to_owned(),
            seen: "growth of object counts",
            objects: n - n0,
            bytes: s - s0,
            site: String::new(),
        })
        .filter(|s| s.bytes > 0.0)
        .collect();
    grown.sort_by(|a, b| b.bytes.total_cmp(&a.bytes).then_with(|| a.class.cmp(&b.class)));
    grown.truncate(5);
    grown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_leak_is_found() {
        fixture::expect("HeapLeakForecast", "scenarios/leak", Severity::Warning);
    }

    /// A collection every half minute.
    fn scene(used: impl Iterator<Item = i64>) -> Scene {
        let scene = Scene::new().event("jdk.GCHeapConfiguration", 0, 0, [("maxSize", (1i64 << 30).into())]);
        (0i64..).zip(used).fold(scene, |scene, (i, mib)| {
            let fields = [("gcId", i.into()), ("when", "After GC".into()), ("heapUsed", (mib << 20).into())];
            scene.event("jdk.GCHeapSummary", i * 30 * SECOND, i * 30 * SECOND, fields)
        })
    }

    #[test]
    fn the_forecast_is_by_the_minute_where_only_young_collections_are() {
        // 4 MiB per minute, 924 MiB left after 50 minutes: almost four hours.
        let verdict = scene((0..50).map(|i| 2 * i + 10 * (i % 2))).verdict(&HeapLeakForecast);
        assert_eq!(verdict.severity, Severity::Info);
    }

    #[test]
    fn a_collector_that_runs_beside_the_program_leaves_a_rougher_line() {
        // 79.2 % of the pairs go up.
        let rough = || scene((0..100).map(|i| i / 2).map(|minute| 4 * minute + 120 * (minute % 2)));
        assert_eq!(rough().verdict(&HeapLeakForecast).severity, Severity::Ok);
        let shenandoah = rough().event("jdk.GCConfiguration", 0, 0, [("oldCollector", "Shenandoah".into())]);
        let verdict = shenandoah.verdict(&HeapLeakForecast);
        assert!(verdict.is_finding(), "{}", verdict.summary);
    }

    #[test]
    fn a_level_and_a_saw_are_fine() {
        assert_eq!(scene((0..50).map(|i| 100 + i % 3)).verdict(&HeapLeakForecast).severity, Severity::Ok);
        assert_eq!(scene((0..50).map(|i| 100 + 10 * (i % 10))).verdict(&HeapLeakForecast).severity, Severity::Ok);
        fixture::expect("HeapLeakForecast", "scenarios/explicit-gc", Severity::Ok);
    }

    #[test]
    fn few_collections_say_nothing() {
        fixture::expect("HeapLeakForecast", "scenarios/healthy", Severity::NotApplicable);
        fixture::expect("HeapLeakForecast", "scenarios/allocation-rate", Severity::NotApplicable);
    }
}
