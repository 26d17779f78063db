//! `CompilerQueueBacklog`: methods waiting to be compiled.

use std::collections::VecDeque;

use crate::tally::tally;
use jfr_analyzers::events::{Event, Facts, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::{duration_f64, things};

/// Whether a compiler's queue stays long. Needs the `jdk.CompilerQueueUtilization` table (JDK 25 and later, two rows
/// every 10 s).
///
/// Fires on synthetic events; `fixtures/jdk25-full.jfr.gz` is too short to judge.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CompilerQueueBacklog;

const EVENT: &str = "jdk.CompilerQueueUtilization";

/// A stretch in which the queue never got shorter than `least`.
#[derive(Clone, Copy)]
struct Backlog<'f> {
    compiler: &'f str,
    least: i64,
    from: i64,
    to: i64,
    added: i64,
    removed: i64,
}

impl CompilerQueueBacklog {
    /// Why it matters.
    const WHY: &str =
        "A queued method runs interpreted or in a slow tier until it is compiled, so startup and warm-up take longer.";
    /// What to do.
    const REMEDY: &str = "Give the JVM more CPUs during startup, raise -XX:CICompilerCount, warm up before accepting \
                          requests, or use an AOT cache (JDK 24 and later) or CDS.";
}

impl Rule for CompilerQueueBacklog {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("CompilerQueueBacklog")
            .title("Compiler queue backlog")
            .category(Category::Cpu)
            .description("Whether methods wait a long time to be compiled.")
            .formula(
                "From jdk.CompilerQueueUtilization, per compiler: the lowest queueSize over any `window`. 25 at \
                      `info`, 75 at `warning` for the longest queue. The cost is the time in which its length is \
                      `info` or more. The thresholds are jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::count("info", 500.0, "Queued methods worth a look"),
                        Setting::count("warning", 5_000.0, "Queued methods to act on"),
                        Setting::seconds("window", 30.0, "How long the queue must stay that long"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .enabled(EVENT)
            .table(EVENT, &["compiler", "queueSize", "addedRate", "removedRate", "compilerThreadCount"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts, settings) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::not_applicable(format!(
                "{} {EVENT} events are too few: they span less than {}",
                facts.table(EVENT).len(),
                duration_f64(settings.nanos("window") as f64)
            )),
        }
    }
}

/// The queues of the compilers.
struct Measured<'f> {
    /// The window with the longest queue of each compiler, and the longest of these.
    backlogs: Vec<Backlog<'f>>,
    worst: Backlog<'f>,
    /// The most threads of the worst compiler.
    threads: Option<i64>,
    /// How long the queue of the worst compiler was long, in nanoseconds.
    long: i64,
}

/// `None` if the events span less than a window.
fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Option<Measured<'f>> {
    let named = facts.table(EVENT).rows().filter(|row| row.text("compiler").is_some());
    let mut compilers: Vec<(&str, Vec<Event<'_>>)> =
        tally(named, |row| row.text("compiler").unwrap_or_default(), |rows: &mut Vec<_>, row| rows.push(row));
    compilers.sort_by_key(|(compiler, _)| *compiler);
    let window = settings.nanos("window");
    let backlogs: Vec<Backlog<'_>> =
        compilers.iter().filter_map(|(compiler, rows)| longest(compiler, rows, window)).collect();
    let worst = *backlogs.iter().max_by_key(|b| b.least)?;
    let rows = compilers.iter().find(|(compiler, _)| *compiler == worst.compiler).map(|(_, rows)| rows);
    let is_long = |row: &Event<'_>| row.int("queueSize").is_some_and(|n| n as f64 >= settings.number("info"));
    let pairs = rows.into_iter().flat_map(|rows| rows.iter().zip(rows.iter().skip(1)));
    let long = pairs.filter(|(row, next)| is_long(row) && is_long(next));
    Some(Measured {
        threads: rows.into_iter().flatten().filter_map(|r| r.int("compilerThreadCount")).max(),
        long: long.map(|(row, next)| next.start.saturating_sub(row.start)).fold(0, i64::saturating_add),
        worst,
        backlogs,
    })
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { backlogs, worst, threads, long } = measured;
    let summary = format!(
        "For {}, at least {} waited to be compiled by {}",
        duration_f64(worst.to.saturating_sub(worst.from) as f64),
        things(u64::try_from(worst.least).unwrap_or(0), "method", "methods"),
        worst.compiler,
    );
    let rows = backlogs.iter().map(|b| {
        [
            b.compiler.into(),
            Value::number(b.least as f64, "methods"),
            Value::number(b.added as f64, "per second"),
            Value::number(b.removed as f64, "per second"),
        ]
    });
    Verdict::scored(map2(worst.least as f64, settings.number("info"), settings.number("warning")), summary)
        .explain(CompilerQueueBacklog::WHY)
        .remedy(CompilerQueueBacklog::REMEDY)
        .cost(Cost::elapsed(ratio(*long as f64, facts.nanos() as f64)))
        .with("window", Value::window(worst.from, worst.to))
        .with_some("compiler threads", threads.map(|n| Value::number(n as f64, "threads")))
        .with("compilers", Value::table(["compiler", "least queue", "added", "compiled"], rows))
}

/// The stretch of at least `window` whose minimum queue length is the highest.
fn longest<'f>(compiler: &'f str, rows: &[Event<'f>], window: i64) -> Option<Backlog<'f>> {
    let queues: Vec<i64> = rows.iter().map(|row| row.int("queueSize").unwrap_or(0)).collect();
    let queue = |i: usize| queues.get(i).copied().unwrap_or(0);
    let mut best: Option<(i64, usize, usize)> = None;
    // Each stretch runs from a row to the first row that is far enough away; a longer stretch is never better.
    // `shortest` holds the indexes of rows that may still be the minimum of a stretch, by rising queue length.
    let mut shortest: VecDeque<usize> = VecDeque::new();
    let mut ends = 0..rows.len();
    let mut end = None;
    for (from, first) in rows.iter().enumerate() {
        let far = |i: &usize| rows.get(*i).is_some_and(|row| row.start.saturating_sub(first.start) >= window);
        while end.as_ref().is_none_or(|end| !far(end)) {
            let Some(i) = ends.next() else { break };
            while shortest.back().is_some_and(|last| queue(*last) >= queue(i)) {
                shortest.pop_back();
            }
            shortest.push_back(i);
            end = Some(i);
        }
        let Some(to) = end.filter(far) else { break };
        while shortest.front().is_some_and(|place| *place < from) {
            shortest.pop_front();
        }
        let least = shortest.front().map_or(0, |place| queue(*place));
        if best.is_none_or(|(most, ..)| least > most) {
            best = Some((least, from, to));
        }
    }
    let (least, from, to) = best?;
    let (from, to) = (rows.get(from)?.start, rows.get(to)?.start);
    let mean = |field| {
        let rows = || rows.iter().filter(|r| (from..=to).contains(&r.start));
        let sum = rows().filter_map(|r| r.int(field)).fold(0i64, i64::saturating_add);
        sum.checked_div(i64::try_from(rows().count()).unwrap_or(i64::MAX)).unwrap_or(0)
    };
    Some(Backlog { compiler, least, from, to, added: mean("addedRate"), removed: mean("removedRate") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn scene(queue: &[i64]) -> Scene {
        (0i64..).zip(queue).fold(Scene::new(), |scene, (i, n)| {
            let at = i * 10 * SECOND;
            let fields = |compiler: &str, n: i64| {
                [("compiler", compiler.into()), ("queueSize", n.into()), ("addedRate", 900.into())]
            };
            scene.event(EVENT, at, at, fields("c2", *n)).event(EVENT, at, at, fields("c1", 3))
        })
    }

    #[test]
    fn a_queue_that_stays_long_is_found() {
        let verdict = scene(&[100, 7_000, 6_000, 8_000, 6_500, 20]).verdict(&CompilerQueueBacklog);
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn a_peak_is_fine() {
        assert_eq!(scene(&[100, 7_000, 20, 30, 8_000, 0]).verdict(&CompilerQueueBacklog).severity, Severity::Ok);
    }

    #[test]
    fn short_and_old_recordings_say_nothing() {
        fixture::expect("CompilerQueueBacklog", "jdk25-full", Severity::NotApplicable);
        fixture::expect("CompilerQueueBacklog", "scenarios/healthy", Severity::NotApplicable);
    }
}
