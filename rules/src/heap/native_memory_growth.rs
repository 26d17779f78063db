//! `NativeMemoryGrowth`: growing memory outside the heap.

use std::collections::BTreeMap;

use crate::heap::SUMMARY_FIELDS;
use crate::series::rising;
use crate::time::{SECOND, warmed_up};
use jfr_analyzers::events::{Facts, GroupBy, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::size_f64;

/// Whether the JVM's memory outside the heap grows, by use, and whether the process grows more than the heap explains.
/// Needs the table of `jdk.GCHeapSummary`; everything else is summed per ten seconds.
///
/// Fires on `fixtures/scenarios/native-memory.jfr.gz` (direct buffers that are never released); quiet on synthetic
/// events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NativeMemoryGrowth;

const USAGE: &str = "jdk.NativeMemoryUsage";
const RESIDENT: &str = "jdk.ResidentSetSize";
const TYPES: GroupBy =
    GroupBy::of(&[USAGE]).by(&["type"]).measure(&["committed"]).per_nanos(10 * SECOND).up_to(200_000);
const SIZES: GroupBy = GroupBy::of(&[RESIDENT]).measure(&["size"]).per_nanos(10 * SECOND);

/// The least number of ten-second slices for a verdict.
const ENOUGH: usize = 6;
/// The type under which native memory tracking counts the heap.
const HEAP: &str = "Java Heap";

/// Memory of one use over time.
#[derive(Debug, Clone)]
struct Growth {
    what: String,
    first: f64,
    last: f64,
    up: f64,
    from: i64,
    to: i64,
}

impl Growth {
    fn of(what: &str, series: &BTreeMap<i64, f64>) -> Option<Self> {
        let (from, first) = series.first_key_value()?;
        let (to, last) = series.last_key_value()?;
        // In few steps, because small fluctuations around a constant level would look like a fall half of the time.
        let means = steps(series);
        (series.len() >= ENOUGH).then(|| Self {
            what: what.to_owned(),
            first: *first,
            last: *last,
            up: rising(&means),
            from: *from,
            to: to.saturating_add(10 * SECOND),
        })
    }

    fn bytes(&self) -> f64 {
        self.last - self.first
    }

    /// The lower of two scores: the growth has to be large both in bytes and relative to the first value.
    fn score(&self, settings: &Settings) -> f64 {
        let bytes = map2(self.bytes(), settings.number("info"), settings.number("warning"));
        let share = ratio(self.bytes(), self.first.max(1.0)) * 100.0;
        bytes.min(map2(share, settings.number("share-info"), settings.number("share-warning")))
    }
}

impl NativeMemoryGrowth {
    /// Why it matters.
    const WHY: &str = "-Xmx does not limit memory outside the heap. If it keeps growing, the container is killed \
                       without an OutOfMemoryError.";
    /// What to do.
    const REMEDY: &str = "Compare native memory tracking (jcmd PID VM.native_memory) over time, and record native \
                          allocations with a profiler.";
}

impl Rule for NativeMemoryGrowth {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("NativeMemoryGrowth")
            .title("Native memory growth")
            .category(Category::Heap)
            .description("Whether the JVM's memory outside the Java heap grows.")
            .formula(
                "Over a minute or more, after the first 60 s of the JVM: the growth of committed of \
                      jdk.NativeMemoryUsage by type, without the Java heap; and the growth of jdk.ResidentSetSize \
                      beyond what the heap can explain (the last committed size in jdk.GCHeapSummary minus the heap in \
                      use at first). Both in bytes (25 at `info`, 75 at `warning`) and relative to the first value (25 \
                      at `share-info`, 75 at `share-warning`); the lower score counts. The thresholds are jfrkit's \
                      own.",
            )
            .settings(
                const {
                    &[
                        Setting::bytes("info", 33_554_432.0, "Growth that is worth a look"),
                        Setting::bytes("warning", 268_435_456.0, "Growth to act on"),
                        Setting::percent("share-info", 10.0, "Growth relative to the first value that is worth a look"),
                        Setting::percent("share-warning", 50.0, "Growth relative to the first value, to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().groups(TYPES).groups(SIZES).table("jdk.GCHeapSummary", SUMMARY_FIELDS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts, settings) {
            Some(measured) => verdict(&measured, settings),
            None => Verdict::not_applicable(match facts.missing_all(&[USAGE, RESIDENT], Level::Available) {
                None => "too short: the recording has less than a minute of memory usage after the JVM's first 60 s"
                    .to_owned(),
                Some(because) => format!("{because}; the first also needs -XX:NativeMemoryTracking=summary"),
            }),
        }
    }
}

/// Native memory over time.
struct Measured {
    /// The worst growth, and all, the worst first.
    worst: Growth,
    found: Vec<Growth>,
    /// All memory of the process that is in RAM.
    resident: Option<Growth>,
}

/// `None` if the recording has too little of it.
fn measure(facts: &Facts, settings: &Settings) -> Option<Measured> {
    let warm = warmed_up(facts);
    let mut types: BTreeMap<&str, BTreeMap<i64, f64>> = BTreeMap::new();
    for group in facts.groups(&TYPES).iter().filter(|g| g.bucket() >= warm) {
        let name = group.text("type").unwrap_or("unknown");
        types.entry(name).or_default().insert(group.bucket(), group.mean("committed"));
    }
    let mut found: Vec<Growth> =
        types.iter().filter(|(n, _)| **n != HEAP).filter_map(|(name, series)| Growth::of(name, series)).collect();
    let resident: BTreeMap<i64, f64> =
        facts.groups(&SIZES).iter().filter(|g| g.bucket() >= warm).map(|g| (g.bucket(), g.mean("size"))).collect();
    let resident = Growth::of("resident, not explained by the heap", &resident);
    let explained = resident.as_ref().and_then(|r| heap_growth(facts, types.get(HEAP), r.from, r.to));
    if let Some((resident, explained)) = resident.clone().zip(explained) {
        found.push(Growth { last: resident.last - explained, ..resident });
    }
    found.sort_by(|a, b| b.score(settings).total_cmp(&a.score(settings)).then_with(|| b.bytes().total_cmp(&a.bytes())));
    Some(Measured { worst: found.first()?.clone(), found, resident })
}

fn verdict(measured: &Measured, settings: &Settings) -> Verdict {
    let Measured { worst, found, resident } = measured;
    let score = worst.score(settings);
    let summary = if score >= Severity::INFO_SCORE {
        format!("Native memory grew from {} to {} ({})", size_f64(worst.first), size_f64(worst.last), worst.what)
    } else {
        "Native memory did not grow much".to_owned()
    };
    let rows = found
        .iter()
        .take(10)
        .map(|g| [g.what.as_str().into(), Value::bytes(g.first), Value::bytes(g.last), Value::bytes(g.bytes())]);
    Verdict::scored(score, summary)
        .explain(NativeMemoryGrowth::WHY)
        .remedy(remedy(&worst.what))
        .cost(Cost::memory(ratio(worst.bytes(), worst.last)))
        .with("growth", Value::bytes(worst.bytes()))
        .with("steps up", Value::share(worst.up))
        .with("window", Value::window(worst.from, worst.to))
        .with_some("resident at first", resident.as_ref().map(|r| Value::bytes(r.first)))
        .with_some("resident at last", resident.as_ref().map(|r| Value::bytes(r.last)))
        .with("uses", Value::table(["memory", "first", "last", "growth"], rows))
}

/// What to do about the growth of a kind of memory.
fn remedy(what: &str) -> &'static str {
    match what {
        "Thread" | "Thread Stack" => "Find out what starts threads and does not end them (ThreadChurn).",
        "Class" | "Metaspace" => "Find class loaders that are never released, and code that keeps generating classes.",
        "GC" => "It grows with the heap and with the collector's bookkeeping; another collector may need less.",
        "Code" => "See CodeCacheNearFull.",
        _ => {
            "Look at direct buffers, at libraries with native code and at inflaters that are never closed; \
             async-profiler's nativemem mode shows what allocates. If the allocator itself holds on to the \
             memory, MALLOC_ARENA_MAX=2 or jemalloc helps."
        }
    }
}

/// Means of up to ten equal parts.
fn steps(series: &BTreeMap<i64, f64>) -> Vec<f64> {
    let values: Vec<f64> = series.values().copied().collect();
    let size = values.len().div_ceil(10).max(1);
    values.chunks(size).map(|c| c.iter().sum::<f64>() / c.len() as f64).collect()
}

/// By how much the heap can have made the process grow. Pages count once they are first touched, so this is everything
/// that is committed at the end and was not yet in use at the start. `None` if nothing is known about the heap.
fn heap_growth(facts: &Facts, tracked: Option<&BTreeMap<i64, f64>>, from: i64, to: i64) -> Option<f64> {
    let table = facts.table("jdk.GCHeapSummary");
    let committed = table.rows().rfind(|r| r.start <= to).and_then(|r| r.float("heapSpace.committedSize"));
    let tracked = tracked.and_then(|t| t.range(..=to).next_back()).map(|(_, c)| *c);
    let committed = committed.or(tracked)?;
    let before = table.rows().filter(|r| r.start <= from).filter_map(|r| r.float("heapUsed"));
    Some((committed - before.reduce(f64::max).unwrap_or(0.0)).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    const MIB: i64 = 1 << 20;

    /// Five minutes with the memory of one type every 5 s, in MiB.
    fn scene(name: &str, mib: impl Fn(i64) -> i64) -> Scene {
        (0..60i64).fold(Scene::new(), |scene, i| {
            let fields = [("type", name.into()), ("committed", (mib(i) * MIB).into())];
            scene.event(USAGE, i * 5 * SECOND, i * 5 * SECOND, fields)
        })
    }

    #[test]
    fn buffers_that_are_kept_are_found() {
        fixture::expect("NativeMemoryGrowth", "scenarios/native-memory", Severity::Warning);
    }

    #[test]
    fn a_type_that_grows_is_found() {
        let verdict = scene("Other", |i| 100 + 10 * i).verdict(&NativeMemoryGrowth);
        assert_eq!(verdict.severity, Severity::Warning);
        assert_eq!(scene("Internal", |i| 100 + i).verdict(&NativeMemoryGrowth).severity, Severity::Info);
    }

    #[test]
    fn a_level_and_growth_at_the_start_are_fine() {
        assert_eq!(scene("Other", |i| 100 + i % 3).verdict(&NativeMemoryGrowth).severity, Severity::Ok);
        assert_eq!(
            scene("Class", |i| if i < 12 { 10 * i } else { 120 }).verdict(&NativeMemoryGrowth).severity,
            Severity::Ok
        );
        assert_eq!(scene("Java Heap", |i| 100 + 10 * i).verdict(&NativeMemoryGrowth).severity, Severity::NotApplicable);
    }

    #[test]
    fn resident_memory_counts_beyond_the_heap() {
        let grown = |committed: i64| {
            let fields = [
                ("heapUsed", (90 * MIB).into()),
                ("heapSpace.committedSize", (committed * MIB).into()),
                ("when", "Before GC".into()),
            ];
            let scene = Scene::new().event("jdk.GCHeapSummary", SECOND, SECOND, fields);
            (0..60i64).fold(scene, |scene, i| {
                let size = (200 + 8 * i) * MIB;
                scene.event(RESIDENT, i * 5 * SECOND, i * 5 * SECOND, [("size", size.into())])
            })
        };
        assert_eq!(grown(100).verdict(&NativeMemoryGrowth).severity, Severity::Warning);
        assert_eq!(grown(1_000).verdict(&NativeMemoryGrowth).severity, Severity::Ok);
    }

    #[test]
    fn without_the_events_it_does_not_apply() {
        fixture::expect("NativeMemoryGrowth", "scenarios/healthy", Severity::NotApplicable);
    }
}
