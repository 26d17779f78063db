//! `LoggingBlocks`: threads that are blocked while they write to a log.

use crate::blocked::{BLOCKED, DURATION, ON, STACK, of_time};
use crate::cost;
use crate::idle::Idle;
use crate::matching::MethodMatcher;
use crate::tally::tally;
use jfr_analyzers::events::{EVENT, Facts, Group, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::duration_f64;

/// Time that threads are blocked under methods of logging libraries. Needs no list.
///
/// Fires on `fixtures/scenarios/logging-blocks.jfr.gz`; quiet on `lock-contention` and `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoggingBlocks;

/// Packages of logging libraries.
const PACKAGES: &str = r"^org\.apache\.log4j\.|^org\.apache\.logging\.|^ch\.qos\.logback\.|^java\.util\.logging\.|^org\.slf4j\.|^org\.jboss\.logmanager\.|^org\.jboss\.logging\.|^org\.apache\.commons\.logging\.|^org\.tinylog\.|^com\.google\.common\.flogger\.|^org\.apache\.juli\.|^sun\.util\.logging\.|^jdk\.internal\.logger\.";

impl LoggingBlocks {
    /// Why it matters.
    const WHY: &str = "Log lines go through one lock and one file. If the disk is slow, or each line is flushed or \
                       forced to disk, every thread that logs waits for it, including those that serve requests.";
    /// What to do.
    const REMEDY: &str = "Log less on the hot path; do not flush or sync each line; use an asynchronous appender (with \
                          a queue that drops rather than blocks); write to a fast disk; leave caller data (method and \
                          line) out of the pattern.";
}

impl Rule for LoggingBlocks {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("LoggingBlocks")
            .title("Blocked by logging")
            .category(Category::Locks)
            .description("How much of the time that threads are blocked or write files is spent on logging.")
            .formula(
                "Duration of jdk.JavaMonitorEnter, jdk.ThreadPark (on locks, or under a logging method), \
                      jdk.FileWrite and jdk.FileForce under a method that `packages` matches, divided by the total \
                      duration: 25 at `info`, 75 at `warning`. Only if it is at least `least` in total. Idle workers \
                      of logging libraries do not count.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 3.0, "Share of blocked time that is worth a look"),
                        Setting::percent("warning", 5.0, "Share of blocked time to act on"),
                        Setting::seconds("least", 0.1, "Total time below which it does not matter"),
                        Setting::regex("packages", PACKAGES, "Methods of logging libraries"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().groups(BLOCKED))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if let Some(because) = facts.missing_all(BLOCKED.events(), Level::Enabled) {
            return Verdict::not_applicable(because);
        }
        match measure(facts, settings) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::ok("No thread was blocked by logging"),
        }
    }
}

/// Blocking by logging.
struct Measured<'f> {
    /// In nanoseconds, and of all blocked threads.
    sum: f64,
    all: f64,
    count: u64,
    /// The kind with the longest wait.
    longest: Option<Group<'f>>,
    /// By type of event and what blocks: times and nanoseconds, the longest in total first.
    kinds: Vec<Kind<'f>>,
    /// Evidence: what logs.
    callers: Value,
}

/// Waits for one lock or file.
struct Kind<'f> {
    event: &'f str,
    on: &'f str,
    times: u64,
    nanos: f64,
}

/// `None` if logging blocked no thread.
fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Option<Measured<'f>> {
    let logging = MethodMatcher::new(facts, |m: &str| settings.matches("packages", m));
    let idle = Idle::new(facts);
    let logs = |g: &Group<'_>| g.stack(STACK).is_some_and(|s| logging.passes(s) && !idle.passes(s));
    let blocked = of_time(facts, |g| g.text(EVENT) == Some("jdk.ThreadPark") && logs(g));
    let mut all = 0.0;
    let by_logging: Vec<Group<'_>> = blocked.inspect(|g| all += g.sum(DURATION)).filter(|g| logs(g)).collect();
    let count = by_logging.iter().fold(0u64, |n, g| n.saturating_add(g.count()));
    if count == 0 {
        return None;
    }
    let sum: f64 = by_logging.iter().map(|g| g.sum(DURATION)).sum();
    let stacks = by_logging.iter().filter_map(|g| Some((g.stack(STACK)?, g.sum(DURATION))));
    Some(Measured {
        sum,
        all,
        count,
        longest: by_logging.iter().max_by(|a, b| a.max(DURATION).total_cmp(&b.max(DURATION))).cloned(),
        kinds: kinds(&by_logging),
        callers: logging.callers(stacks, sum, Value::nanos_f64),
    })
}

fn kinds<'f>(groups: &[Group<'f>]) -> Vec<Kind<'f>> {
    // By class or path, and then by the few types of events.
    let by_place = tally(
        groups,
        |group| group.text(ON).unwrap_or_default(),
        |of_place: &mut Vec<&Group<'f>>, group| of_place.push(group),
    );
    let mut kinds: Vec<Kind<'f>> = Vec::new();
    for (on, groups) in by_place {
        let by_event = tally(
            groups,
            |group| group.text(EVENT).unwrap_or_default(),
            |(times, nanos): &mut (u64, f64), group| {
                *times = times.saturating_add(group.count());
                *nanos += group.sum(DURATION);
            },
        );
        kinds.extend(by_event.into_iter().map(|(event, (times, nanos))| Kind { event, on, times, nanos }));
    }
    kinds.sort_by(|a, b| b.nanos.total_cmp(&a.nanos));
    kinds
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { sum, all, count, longest, kinds, callers } = measured;
    let share = ratio(*sum, *all) * 100.0;
    let score = map2(share, settings.number("info"), settings.number("warning"));
    let score = if sum / 1e9 < settings.number("least") { score.min(24.0) } else { score };
    let summary = format!(
        "Logging takes {share:.0} % of the time that threads are blocked or write files: {}",
        duration_f64(*sum)
    );
    let rows = kinds.iter().take(10).map(|kind| {
        [
            kind.event.trim_start_matches("jdk.").into(),
            kind.on.into(),
            Value::count(kind.times, "times"),
            Value::nanos_f64(kind.nanos),
        ]
    });
    Verdict::scored(score, summary)
        .explain(LoggingBlocks::WHY)
        .remedy(LoggingBlocks::REMEDY)
        .cost(cost::waited(facts, *sum))
        .with("share", Value::percent(share))
        .with("time", Value::nanos_f64(*sum))
        .with("times", Value::count(*count, "times"))
        .with_some("longest", longest.as_ref().map(|g| Value::nanos_f64(g.max(DURATION))))
        .with_some("time of the longest", longest.as_ref().map(|g| Value::instant(g.max_start())))
        .with("what blocks", Value::table(["event", "on", "times", "time"], rows))
        .with("callers", callers.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::stack;

    #[test]
    fn it_fires_on_an_appender_that_forces_each_line() {
        fixture::expect("LoggingBlocks", "logging-blocks", Severity::Warning);
    }

    #[test]
    fn an_idle_worker_does_not_count() {
        let parked = |method: &str| {
            let fields = [
                ("parkedClass", "java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject".into()),
                (
                    "stackTrace",
                    stack(&["jdk.internal.misc.Unsafe.park", method, "ch.qos.logback.core.AsyncAppenderBase.put"]),
                ),
            ];
            Scene::new().event("jdk.ThreadPark", 0, SECOND, fields).verdict(&LoggingBlocks).severity
        };
        assert_eq!(parked("java.util.concurrent.ArrayBlockingQueue.put"), Severity::Warning);
        assert_eq!(parked("java.util.concurrent.ArrayBlockingQueue.take"), Severity::Ok);
    }

    #[test]
    fn it_is_quiet_elsewhere() {
        fixture::expect("LoggingBlocks", "healthy", Severity::Ok);
        fixture::expect("LoggingBlocks", "lock-contention", Severity::Ok);
        fixture::expect("LoggingBlocks", "spin", Severity::NotApplicable);
    }
}
