//! `ThreadChurn`: short-lived threads, and threads that are started and never end.

use std::collections::HashMap;

use crate::cost;
use crate::names::pool_name;
use crate::series::rising;
use crate::time::warmed_up;
use jfr_analyzers::events::{Facts, Group, GroupBy, Level, Needs, Presence, ThreadId};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::duration_f64;

/// Whether threads are started for short tasks, or their number keeps growing. Needs the `jdk.JavaThreadStatistics`
/// table (one row per second); starts are counted per thread.
///
/// Fires on `fixtures/scenarios/thread-churn.jfr.gz`, and for growth on synthetic events; quiet on `oversized-pool`
/// (filling a pool is not churn) and `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ThreadChurn;

const START: &str = "jdk.ThreadStart";
const END: &str = "jdk.ThreadEnd";
const STATISTICS: &str = "jdk.JavaThreadStatistics";
const STARTS: GroupBy = GroupBy::of(&[START]).by(&["thread", "stackTrace"]);
const ENDS: GroupBy = GroupBy::of(&[END]).by(&["thread"]);

/// A shorter recording counts as this long, because filling a pool is not churn.
const LEAST_SECONDS: f64 = 10.0;
/// Number of steps over which growth is measured.
const STEPS: usize = 10;
/// Minimum number of additional threads that counts as growth.
const ENOUGH: f64 = 10.0;

impl ThreadChurn {
    /// Why it matters.
    const WHY: &str = "Starting a thread costs tens of microseconds and memory for its stack. Code that runs in \
                       short-lived threads warms up slowly, and nothing bounds the number of threads. Threads that \
                       never end use up memory until no more can be started.";
    /// What to do.
    const REMEDY: &str = "Use one executor for many tasks, or virtual threads (JDK 21). If the number of threads only \
                          grows, find the executors and timers that are created for each request and never shut down.";
}

impl Rule for ThreadChurn {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("ThreadChurn")
            .title("Thread churn and growth")
            .category(Category::Threads)
            .description("Whether threads are started for short tasks, or their number keeps growing.")
            .formula(
                "jdk.ThreadStart events per second (over 10 s or more): 25 at `info`, 75 at `warning`, if half or more \
                      of the threads end within `short` (or if their end is not recorded). And the growth of \
                      activeCount in jdk.JavaThreadStatistics from the first to the last tenth of the time after the \
                      JVM's first 60 s, if it rises in 80 % of the tenths and by ten threads: 25 at `growth-info` of \
                      the first tenth, 75 at `growth-warning`. The higher score counts. Virtual threads do not count. \
                      The cost of starts is an estimate, 70 µs of CPU time each; that of growth is the share of the \
                      threads that were added. The thresholds are jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::per_second("info", 10.0, "Starts worth a look"),
                        Setting::per_second("warning", 50.0, "Starts to act on"),
                        Setting::seconds("short", 1.0, "Lifetime that counts as short"),
                        Setting::percent("growth-info", 10.0, "Growth worth a look"),
                        Setting::percent("growth-warning", 50.0, "Growth to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().groups(STARTS).groups(ENDS).table(STATISTICS, &["activeCount", "peakCount"]))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if let Some(because) = facts.missing_all(&[START, STATISTICS], Level::Enabled) {
            return Verdict::not_applicable(because);
        }
        verdict(facts, &measure(facts, settings), settings)
    }
}

/// Threads that are started, and their number over time.
struct Measured<'f> {
    starts: u64,
    /// Starts per second.
    rate: f64,
    /// The share of started threads that live only briefly, 0 to 1; `None` if ends are not recorded.
    short: Option<f64>,
    /// The number of threads at first and at last, and the share of steps in between that go up, 0 to 1. All 0 if
    /// unknown.
    first: f64,
    last: f64,
    up: f64,
    /// Starts by pool, the most first.
    pools: Vec<(String, u64)>,
    /// Starts by stack.
    stacks: Vec<Group<'f>>,
}

fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Measured<'f> {
    let starts = facts.count(START);
    let (first, last, up) = growth(facts).unwrap_or_default();
    let groups = facts.groups(&STARTS);
    let mut pools: HashMap<String, u64> = HashMap::new();
    for group in groups.iter() {
        let n = pools.entry(pool_name(group.thread("thread").map_or("?", |t| &t.name))).or_default();
        *n = n.saturating_add(group.count());
    }
    let mut pools: Vec<(String, u64)> = pools.into_iter().collect();
    pools.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Measured {
        starts,
        rate: starts as f64 / facts.seconds().max(LEAST_SECONDS),
        short: short_lived(facts, settings.nanos("short")),
        first,
        last,
        up,
        pools,
        stacks: groups.by(&["stackTrace"]),
    }
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { starts, rate, short, first, last, up, .. } = measured;
    let churn = map2(*rate, settings.number("info"), settings.number("warning"));
    let churn = if short.is_none_or(|share| share >= 0.5) { churn } else { 0.0 };
    let grown = last - first;
    let more = if *up >= 0.8 && grown >= ENOUGH {
        map2(ratio(grown, *first) * 100.0, settings.number("growth-info"), settings.number("growth-warning"))
    } else {
        0.0
    };
    let verdict = if more > churn {
        Verdict::scored(more, format!("The number of threads keeps growing, from {first:.0} to {last:.0}"))
            .cost(Cost::memory(ratio(grown, *last)))
    } else {
        Verdict::scored(churn, churn_summary(facts, measured, churn, settings))
            .estimate(cost::started(facts, *starts as f64))
    };
    evidence(facts, measured, verdict.explain(ThreadChurn::WHY).remedy(ThreadChurn::REMEDY))
}

fn churn_summary(facts: &Facts, measured: &Measured<'_>, score: f64, settings: &Settings) -> String {
    let Measured { rate, short, stacks, .. } = measured;
    let site = stacks.iter().max_by_key(|g| g.count()).and_then(|g| facts.site(g.stack("stackTrace")?));
    let by = site.map(|f| format!(", mostly in {}", f.method)).unwrap_or_default();
    let lives = short.filter(|_| score >= Severity::INFO_SCORE).map(|s| {
        format!("; {:.0} % of them live less than {}", s * 100.0, duration_f64(settings.number("short") * 1e9))
    });
    format!("The program starts {rate:.1} threads per second{by}{}", lives.unwrap_or_default())
}

fn evidence(facts: &Facts, measured: &Measured<'_>, verdict: Verdict) -> Verdict {
    let Measured { starts, rate, short, first, last, pools, stacks, .. } = measured;
    let rows = pools.iter().take(5).map(|(name, n)| [name.as_str().into(), Value::count(*n, "starts")]);
    let stacks = stacks.iter().filter_map(|g| Some((g.stack("stackTrace")?, g.count() as f64)));
    verdict
        .with("starts", Value::count(*starts, "threads"))
        .with("starts a second", Value::number(*rate, "per second"))
        .with_some("short lives", short.map(Value::share))
        .with("threads at first", Value::number(*first, "threads"))
        .with("threads at last", Value::number(*last, "threads"))
        .with_some(
            "most at once",
            facts.table(STATISTICS).ints("peakCount").max().map(|n| Value::number(n as f64, "threads")),
        )
        .with("started threads", Value::table(["threads", "starts"], rows))
        .with("started by", facts.top_methods(stacks, 5, |n| Value::number(n, "starts")))
}

/// The share of started threads that ended within this time; `None` if thread ends are not recorded.
fn short_lived(facts: &Facts, short: i64) -> Option<f64> {
    if facts.presence(END) < Presence::Enabled {
        return None;
    }
    let ends: HashMap<ThreadId, i64> =
        facts.groups(&ENDS).iter().filter_map(|g| Some((g.thread_id("thread")?, g.last()))).collect();
    let starts: Vec<Group<'_>> = facts.groups(&STARTS).iter().collect();
    let is_short = |g: &&Group<'_>| {
        g.thread_id("thread")
            .and_then(|id| ends.get(&id))
            .is_some_and(|end| (0..short).contains(&end.saturating_sub(g.first())))
    };
    (!starts.is_empty()).then(|| ratio(starts.iter().filter(is_short).count() as f64, starts.len() as f64))
}

/// The number of threads in the first and last tenth of the time after warm-up, and the share of tenths in which it
/// rises.
fn growth(facts: &Facts) -> Option<(f64, f64, f64)> {
    // Pools fill up while a program starts.
    let warm = warmed_up(facts);
    let rows = facts.table(STATISTICS).rows().filter(|r| r.start >= warm);
    let counts: Vec<f64> = rows.filter_map(|r| r.float("activeCount")).collect();
    if counts.len() < STEPS.saturating_mul(3) {
        return None;
    }
    let means: Vec<f64> = (0..STEPS)
        .filter_map(|i| {
            let at = |i: usize| i.saturating_mul(counts.len()) / STEPS;
            let part = counts.get(at(i)..at(i.saturating_add(1)))?;
            (!part.is_empty()).then(|| part.iter().sum::<f64>() / part.len() as f64)
        })
        .collect();
    Some((*means.first()?, *means.last()?, rising(&means)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn threads_for_a_moment_are_found() {
        fixture::expect("ThreadChurn", "scenarios/thread-churn", Severity::Warning);
    }

    fn counts(counts: impl Iterator<Item = i64>) -> Scene {
        (0i64..).zip(counts).fold(Scene::new(), |scene, (i, n)| {
            scene.event(STATISTICS, i * SECOND, i * SECOND, [("activeCount", n.into())])
        })
    }

    #[test]
    fn threads_that_become_more_are_found() {
        assert_eq!(counts((0..200).map(|i| 40 + i / 2)).verdict(&ThreadChurn).severity, Severity::Warning);
    }

    #[test]
    fn a_pool_that_starts_and_a_level_that_varies_are_fine() {
        assert_eq!(counts((0..200).map(|i| 40 + 30 * (i % 2))).verdict(&ThreadChurn).severity, Severity::Ok);
        assert_eq!(counts((0..200).map(|i| if i < 50 { i } else { 60 })).verdict(&ThreadChurn).severity, Severity::Ok);
        fixture::expect("ThreadChurn", "scenarios/oversized-pool", Severity::Ok);
        fixture::expect("ThreadChurn", "scenarios/healthy", Severity::Ok);
    }

    #[test]
    fn without_the_events_it_does_not_apply() {
        assert_eq!(Scene::new().verdict(&ThreadChurn).severity, Severity::NotApplicable);
    }
}
