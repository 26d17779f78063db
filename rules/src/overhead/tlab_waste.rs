//! `TlabWaste`: allocation buffers that threads take and do not fill.

use std::collections::HashMap;

use crate::time::SECOND;
use jfr_analyzers::events::{Cell, EVENT, Facts, Group, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::{rounded_percent, size_f64};

/// How much of the thread-local allocation buffers stays unused. Needs no list.
///
/// The event reports only the first object of a buffer, which says nothing about the rest of it; the allocation
/// counter of the thread does. Quiet on Spark and on the recordings of the JDK itself (0 to 1.5 %), fires on synthetic
/// events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TlabWaste;

const IN_NEW: &str = "jdk.ObjectAllocationInNewTLAB";
/// What threads were given each second.
const GIVEN: GroupBy = GroupBy::of(&[IN_NEW, "jdk.ObjectAllocationOutsideTLAB"])
    .by(&[EVENT, "eventThread"])
    .measure(&["tlabSize|allocationSize"])
    .per_nanos(SECOND);
/// What threads report as allocated since they started.
const ALLOCATED: GroupBy = GroupBy::of(&["jdk.ThreadAllocationStatistics"]).by(&["thread"]).measure(&["allocated"]);
const STARTED: GroupBy = GroupBy::of(&["jdk.ThreadStart"]).by(&["thread"]);

/// The fewest buffers that suffice to judge.
const BUFFERS: f64 = 1_000.0;
/// The fewest buffers of a thread that make it count.
const EACH: f64 = 10.0;

impl TlabWaste {
    /// Why it matters.
    const WHY: &str = "A thread takes a piece of the heap and allocates in it. Whatever is left of it at a collection, \
                       or when an object does not fit, stays unused until the next collection, which therefore comes \
                       earlier.";
    /// What to do.
    const REMEDY: &str = "Let the JVM choose the size (no -XX:TLABSize, -XX:MinTLABSize, -XX:-ResizeTLAB). The worst \
                          case is many threads that allocate little between two collections: use fewer threads, or a \
                          larger young generation. Avoid objects that are almost as large as a buffer.";
}

impl Rule for TlabWaste {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("TlabWaste")
            .title("TLAB waste")
            .category(Category::Heap)
            .description("How much of the thread-local allocation buffers (TLABs) is discarded unused.")
            .formula(
                "For each thread, from its start (or its first jdk.ThreadAllocationStatistics) to its last \
                      jdk.ThreadAllocationStatistics: 1 minus what it allocated divided by the sizes of the buffers, \
                      and of the objects outside them, that it was given. Over all threads with at least 10 buffers: \
                      25 at `info`, 75 at `warning`. Not judged with fewer than `buffers` buffers in total, or if the \
                      recorded buffers are smaller than what was allocated (profilers record only some of them).",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 10.0, "Unused share that is worth a look"),
                        Setting::percent("warning", 15.0, "Unused share to act on"),
                        Setting::count("buffers", BUFFERS, "Minimum number of buffers needed to judge"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .available(IN_NEW)
            .available("jdk.ThreadAllocationStatistics")
            .groups(GIVEN)
            .groups(ALLOCATED)
            .groups(STARTED)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let mut threads: Vec<Buffers> =
            buffers(facts).into_iter().filter(|b| b.count >= EACH && b.given > 0.0).collect();
        let sum = |of: fn(&Buffers) -> f64| threads.iter().map(of).sum::<f64>();
        let (count, given, used) = (sum(|b| b.count), sum(|b| b.given), sum(|b| b.used));
        if count < settings.number("buffers") {
            return Verdict::not_applicable(format!(
                "{count:.0} buffers are too few, counting threads that report how much they allocated in a known time"
            ));
        }
        if used > given * 1.1 {
            return Verdict::not_applicable("not all buffers are recorded");
        }
        let waste = (1.0 - ratio(used, given)).max(0.0);
        threads.sort_by(|a, b| b.waste().total_cmp(&a.waste()));
        let rows = threads.iter().take(10).map(|b| {
            [
                b.thread.clone().into(),
                Value::bytes(b.waste()),
                Value::share(ratio(b.waste(), b.given)),
                Value::number(b.count, "buffers"),
            ]
        });
        let score = map2(waste * 100.0, settings.number("info"), settings.number("warning"));
        let summary = format!(
            "{} of the thread-local allocation buffers stays unused: {} of {}",
            rounded_percent(waste * 100.0),
            size_f64(given * waste),
            size_f64(given)
        );
        Verdict::scored(score, summary)
            .explain(TlabWaste::WHY)
            .remedy(TlabWaste::REMEDY)
            .cost(Cost::allocation(waste))
            .with("share", Value::share(waste))
            .with("unused", Value::bytes(given * waste))
            .with("threads", Value::table(["thread", "unused", "share", "buffers"], rows))
    }
}

/// What one thread was given and used.
#[derive(Debug, Default)]
struct Buffers {
    thread: String,
    given: f64,
    used: f64,
    count: f64,
}

impl Buffers {
    fn waste(&self) -> f64 {
        (self.given - self.used).max(0.0)
    }
}

fn buffers(facts: &Facts) -> Vec<Buffers> {
    let started: HashMap<Cell, i64> = facts.groups(&STARTED).iter().map(|g| (g.key("thread"), g.first())).collect();
    let mut given: HashMap<Cell, Vec<Group<'_>>> = HashMap::new();
    for group in facts.groups(&GIVEN).iter() {
        given.entry(group.key("eventThread")).or_default().push(group);
    }
    let of_thread = facts.groups(&ALLOCATED).iter().filter_map(|told| {
        let thread = told.thread("thread")?;
        // The counter starts with the thread and only grows.
        let start = started.get(&told.key("thread")).copied();
        let (from, before) = start.map_or((told.first(), told.min("allocated")), |at| (at, 0.0));
        let mut buffers =
            Buffers { thread: thread.name.clone(), used: told.max("allocated") - before, ..Buffers::default() };
        for second in given.get(&told.key("thread")).into_iter().flatten() {
            let (begin, end) = (second.bucket(), second.bucket().saturating_add(SECOND));
            let inside = end.min(told.last()).saturating_sub(begin.max(from)).max(0);
            let share = inside as f64 / SECOND as f64;
            buffers.given += second.sum("tlabSize|allocationSize") * share;
            if second.text(EVENT) == Some(IN_NEW) {
                buffers.count += second.count() as f64 * share;
            }
        }
        Some(buffers)
    });
    of_thread.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::thread;

    const MIB: i64 = 1 << 20;

    /// A hundred seconds with 20 buffers in each; `used` bytes of each buffer are used.
    fn scene(used: i64) -> Scene {
        let told = |scene: Scene, at: i64, allocated: i64| {
            let fields = [("thread", thread("worker")), ("allocated", allocated.into())];
            scene.event("jdk.ThreadAllocationStatistics", at, at, fields)
        };
        let scene = told(Scene::new(), 0, 7 * MIB);
        let scene = (0..2_000i64).fold(scene, |scene, i| {
            let at = i * SECOND / 20;
            let fields = [("eventThread", thread("worker")), ("tlabSize", MIB.into()), ("allocationSize", 16.into())];
            scene.event(IN_NEW, at, at, fields)
        });
        told(scene, 100 * SECOND, 7 * MIB + 2_000 * used)
    }

    #[test]
    fn buffers_that_are_half_empty_are_waste() {
        let verdict = scene(MIB / 2).verdict(&TlabWaste);
        assert_eq!(verdict.severity, Severity::Warning, "{}", verdict.summary);
        assert_eq!(scene(MIB / 100 * 89).verdict(&TlabWaste).severity, Severity::Info);
    }

    #[test]
    fn what_is_left_at_the_end_of_a_full_buffer_is_not() {
        assert_eq!(scene(MIB / 100 * 98).verdict(&TlabWaste).severity, Severity::Ok);
        // A profiler records one of many.
        assert_eq!(scene(MIB * 5).verdict(&TlabWaste).severity, Severity::NotApplicable);
        assert_eq!(scene(MIB / 2).with("buffers", "5000").verdict(&TlabWaste).severity, Severity::NotApplicable);
    }

    #[test]
    fn real_programs_waste_little() {
        let Some(verdict) = fixture::corpus("TlabWaste", "public/openjdk+jmc/hotmethods.jfr") else { return };
        assert_eq!(verdict.severity, Severity::Ok);
    }
}
