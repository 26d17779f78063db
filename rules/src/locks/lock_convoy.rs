//! `LockConvoy`: many threads queue at one monitor.

use std::collections::BTreeMap;

use crate::cost;
use crate::sites::waiting_frame;
use jfr_analyzers::events::{Event, Facts, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// How many threads queue at one monitor at once, and for how long. Needs the list of `jdk.JavaMonitorEnter`.
///
/// Fires on `fixtures/scenarios/lock-convoy.jfr.gz` (26 threads at a monitor); quiet on synthetic events and `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LockConvoy;

const EVENT: &str = "jdk.JavaMonitorEnter";

/// Percentage of the recording up to which a queue is a brief incident, such as at startup, and not a convoy.
const BRIEF: f64 = 5.0;

/// What is known about one monitor.
#[derive(Debug, Clone, Copy, Default)]
struct Queue {
    peak: i64,
    peak_at: i64,
    /// Nanoseconds with two or more threads waiting.
    shared: i64,
    waited: i64,
    times: u64,
}

impl LockConvoy {
    /// Why it matters.
    const WHY: &str = "Threads that queue at one monitor pass through it one at a time, however many CPUs there are. A \
                       convoy sustains itself: a thread that leaves the queue soon joins it again at the end.";
    /// What to do.
    const REMEDY: &str = "Do less inside the synchronized block: no I/O, no logging, no allocation that could happen \
                          before it. Split the data among several locks, or use a concurrent collection, a read-write \
                          lock or an immutable copy.";
}

impl Rule for LockConvoy {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("LockConvoy")
            .title("Lock convoy")
            .category(Category::Locks)
            .description("Whether many threads queue at one monitor (synchronized).")
            .formula(
                "jdk.JavaMonitorEnter by address. The maximum number of threads that wait at the same time: 25 at \
                      `peak-info`, 75 at `peak-warning`; if two or more wait for less than 5 % of the time, the peak \
                      is at most worth a look, and only from `peak-warning` on. The share of the recording in which \
                      two or more wait: 25 at `time-info`, 75 at `time-warning`. The higher score of the worst monitor \
                      counts. Waits shorter than the threshold of the event are not recorded. The thresholds are \
                      jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::count("peak-info", 5.0, "Threads waiting at the same time that are worth a look"),
                        Setting::count("peak-warning", 20.0, "Threads waiting at the same time to act on"),
                        Setting::percent(
                            "time-info",
                            20.0,
                            "Share of time with two or more waiting that is worth a look",
                        ),
                        Setting::percent("time-warning", 50.0, "Share of time with two or more waiting to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new())
            .enabled(EVENT)
            .table(EVENT, &["monitorClass", "address", "previousOwner", "eventThread", "stackTrace"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        verdict(facts, &measure(facts, settings), settings)
    }
}

/// A monitor that threads wait for.
struct Monitor<'f> {
    class: &'f str,
    queue: Queue,
    score: f64,
    waits: Vec<Event<'f>>,
}

/// The monitors, the worst first. The score decides which is the worst, so it is measured here.
fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Vec<Monitor<'f>> {
    let mut waits: BTreeMap<(i64, &str), Vec<Event<'_>>> = BTreeMap::new();
    for row in facts.table(EVENT).rows() {
        let key = (row.int("address").unwrap_or(0), row.text("monitorClass").unwrap_or("unknown class"));
        waits.entry(key).or_default().push(row);
    }
    let whole = facts.nanos() as f64;
    let monitor = |((_, class), waits): ((i64, &'f str), Vec<Event<'f>>)| {
        let queue = queue(&waits);
        Monitor { class, queue, score: score(&queue, whole, settings), waits }
    };
    let mut monitors: Vec<Monitor<'_>> = waits.into_iter().map(monitor).collect();
    monitors.sort_by(|a, b| b.score.total_cmp(&a.score));
    monitors
}

/// `whole` is the length of the recording in nanoseconds.
fn score(queue: &Queue, whole: f64, settings: &Settings) -> f64 {
    let number = |key| settings.number(key);
    let peak = map2(queue.peak as f64, number("peak-info"), number("peak-warning"));
    let time = ratio(queue.shared as f64, whole) * 100.0;
    let brief = if queue.peak as f64 >= number("peak-warning") { 74.0 } else { 24.0 };
    let peak = if time < BRIEF { peak.min(brief) } else { peak };
    peak.max(map2(time, number("time-info"), number("time-warning")))
}

fn verdict(facts: &Facts, monitors: &[Monitor<'_>], settings: &Settings) -> Verdict {
    let Some(Monitor { class, queue: worst, score, waits }) = monitors.first() else {
        return Verdict::ok("No thread waited for a monitor longer than the threshold of the event");
    };
    let share = ratio(worst.shared as f64, facts.nanos() as f64);
    let stack = waits.iter().max_by_key(|r| r.nanos()).and_then(Event::stack);
    let most = stack.and_then(|s| waiting_frame(facts, s)).map(|f| format!(" in {}", f.method)).unwrap_or_default();
    let summary = format!(
        "Up to {} threads queue at a monitor of {class}{most}; two or more wait for {:.0} % of the time",
        worst.peak,
        share * 100.0
    );
    let verdict = Verdict::scored(*score, summary)
        .explain(LockConvoy::WHY)
        .remedy(LockConvoy::REMEDY)
        .cost(cost::waited(facts, worst.waited as f64))
        .with("monitor", *class)
        .with("peak", Value::number(worst.peak as f64, "threads"))
        .with("peak at", Value::instant(worst.peak_at))
        .with("two or more waiting", Value::share(share))
        .with("monitors", monitor_table(facts, monitors))
        .with(
            "where",
            facts.top_methods(waits.iter().filter_map(|r| Some((r.stack()?, r.nanos() as f64))), 5, Value::nanos_f64),
        )
        .with("held before by", owner_table(waits));
    // Two or three threads that meet are contention; a convoy is longer.
    let verdict = if (worst.peak as f64) < settings.number("peak-info") {
        verdict.told_by("LockContention").told_by("JavaBlocking")
    } else {
        verdict
    };
    let table = facts.table(EVENT);
    let left_out = table.seen().saturating_sub(table.len() as u64);
    verdict.with_some("events left out", (left_out > 0).then(|| Value::count(left_out, "events")))
}

fn monitor_table(facts: &Facts, monitors: &[Monitor<'_>]) -> Value {
    let rows = monitors.iter().take(5).map(|Monitor { class, queue, .. }| {
        [
            (*class).into(),
            Value::number(queue.peak as f64, "threads"),
            Value::share(ratio(queue.shared as f64, facts.nanos() as f64)),
            Value::count(queue.times, "times"),
            Value::nanos(queue.waited),
        ]
    });
    Value::table(["class", "peak", "two or more waiting", "times", "time waited"], rows)
}

fn owner_table(waits: &[Event<'_>]) -> Value {
    let rows = owners(waits).into_iter().take(5).map(|(name, n)| [name.into(), Value::count(n, "times")]);
    Value::table(["thread", "times"], rows)
}

/// Sweeps over the waits at one monitor, in the order of their start.
fn queue(rows: &[Event<'_>]) -> Queue {
    let mut edges: Vec<(i64, i64)> = rows.iter().flat_map(|r| [(r.start, 1), (r.end, -1)]).collect();
    // A thread that leaves makes room for one that arrives at the same instant.
    edges.sort_unstable();
    let (mut waiting, mut before) = (0i64, i64::MIN);
    let mut queue = Queue { times: u64::try_from(rows.len()).unwrap_or(u64::MAX), ..Queue::default() };
    for (at, change) in edges {
        if waiting >= 2 {
            queue.shared = queue.shared.saturating_add(at.saturating_sub(before));
        }
        waiting = waiting.saturating_add(change);
        if waiting > queue.peak {
            (queue.peak, queue.peak_at) = (waiting, at);
        }
        before = at;
    }
    queue.waited = rows.iter().fold(0, |sum, r| sum.saturating_add(r.nanos()));
    queue
}

/// The threads that held the monitor before, most frequent first.
fn owners<'f>(rows: &[Event<'f>]) -> Vec<(&'f str, u64)> {
    let mut owners: BTreeMap<&str, u64> = BTreeMap::new();
    for thread in rows.iter().filter_map(|r| r.thread("previousOwner")).filter(|t| !t.name.is_empty()) {
        let times = owners.entry(&thread.name).or_default();
        *times = times.saturating_add(1);
    }
    let mut owners: Vec<(&str, u64)> = owners.into_iter().collect();
    owners.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    owners
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::thread;

    fn wait(scene: Scene, name: &str, address: i64, from: i64, to: i64) -> Scene {
        let fields =
            [("eventThread", thread(name)), ("monitorClass", "shop.Stock".into()), ("address", address.into())];
        scene.event(EVENT, from, to, fields)
    }

    #[test]
    fn a_convoy_is_found() {
        fixture::expect("LockConvoy", "scenarios/lock-convoy", Severity::Warning);
    }

    #[test]
    fn waiting_one_by_one_or_at_other_monitors_is_not_a_convoy() {
        let one = (0..10i64).fold(Scene::new(), |s, i| wait(s, "a", 1, i * SECOND, (i + 1) * SECOND));
        assert_eq!(one.verdict(&LockConvoy).severity, Severity::Ok);
        let others = (0..10i64).fold(Scene::new(), |s, i| wait(s, "a", i, 0, SECOND));
        assert_eq!(others.verdict(&LockConvoy).severity, Severity::Ok);
        fixture::expect("LockConvoy", "scenarios/healthy", Severity::Ok);
    }

    #[test]
    fn two_that_wait_most_of_the_time_are_found() {
        let scene = wait(wait(Scene::new(), "a", 1, 0, 10 * SECOND), "b", 1, 2 * SECOND, 10 * SECOND);
        assert_eq!(scene.verdict(&LockConvoy).severity, Severity::Warning);
    }
}
