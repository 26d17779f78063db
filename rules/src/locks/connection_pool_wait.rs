//! `ConnectionPoolWait`: threads that wait for a pooled connection.

use crate::blocked::{BLOCKED, DURATION, STACK, of_time};
use crate::cost;
use crate::matching::MethodMatcher;
use crate::names::{class_of, method_of};
use crate::series::highest;
use jfr_analyzers::events::{Facts, Group, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::duration_f64;

/// Time that threads are blocked while they ask a pool for a connection or another object. Needs no list.
///
/// Fires on `fixtures/scenarios/connection-pool-wait.jfr.gz`; quiet on `lock-contention` and `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionPoolWait;

/// Classes of pools.
const POOLS: &str = r"^com\.zaxxer\.hikari\.|^org\.apache\.commons\.(?:dbcp|dbcp2|pool|pool2)\.|^org\.apache\.tomcat\.(?:jdbc\.pool|dbcp)\.|^com\.mchange\.|^io\.agroal\.|^oracle\.ucp\.|^com\.alibaba\.druid\.pool\.|^org\.vibur\.|^com\.jolbox\.bonecp\.|^redis\.clients\.|^org\.apache\.http\.(?:impl\.)?(?:conn|pool|nio)|^org\.apache\.hc\.|^com\.mongodb\.|^org\.jboss\.jca\.|^weblogic\.jdbc\.|^com\.ibm\.ejs\.j2c\.|^com\.ibm\.ws\.|^org\.eclipse\.jetty\.client\.|^okhttp3\.internal\.connection\.|^stormpot\.|^(?i:.*pool)[^.]*$";

/// Prefixes of the methods that take something from a pool.
const ASKING: [&str; 11] = [
    "getConnection",
    "borrow",
    "acquire",
    "getResource",
    "getPoolEntry",
    "lease",
    "checkout",
    "checkOut",
    "getManagedConnection",
    "requestConnection",
    "reserve",
];

/// The events of threads that wait.
const WAITS: &[&str] = &["jdk.ThreadPark", "jdk.JavaMonitorWait", "jdk.JavaMonitorEnter"];

/// The share of blocked time counts only if all waits together take at least this many nanoseconds.
const MATTERS: f64 = 1e9;

impl ConnectionPoolWait {
    /// Why it matters.
    const WHY: &str = "All connections of the pool were in use, so requests queued before they were even sent. A \
                       larger pool helps only if the backend can serve more requests at once; often the program just \
                       holds connections too long.";
    /// What to do.
    const REMEDY: &str = "Take a connection late and return it early: do not hold it across remote calls or rendering. \
                          Look for leaked connections and speed up the queries. Then size the pool to what the \
                          database can run concurrently, and bound the wait with a timeout.";
}

impl Rule for ConnectionPoolWait {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("ConnectionPoolWait")
            .title("Waiting for a connection pool")
            .category(Category::Locks)
            .description("How long threads wait for a connection (or another pooled object).")
            .formula(
                "Duration of jdk.ThreadPark, jdk.JavaMonitorWait and jdk.JavaMonitorEnter under getConnection, \
                      borrow…, acquire… and similar methods of a class that `pools` matches. The longest wait: 25 at \
                      `longest-info`, 75 at `longest-warning`. If all waits together take 1 s or more, also their \
                      share of all blocked time: 25 at `info`, 75 at `warning`.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 3.0, "Share of blocked time that is worth a look"),
                        Setting::percent("warning", 5.0, "Share of blocked time to act on"),
                        Setting::seconds("longest-info", 0.1, "Longest wait that is worth a look"),
                        Setting::seconds("longest-warning", 1.0, "Longest wait to act on"),
                        Setting::regex("pools", POOLS, "Pool classes"),
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
        if let Some(because) = facts.missing_all(WAITS, Level::Enabled) {
            return Verdict::not_applicable(because);
        }
        match measure(facts, settings) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::ok("No thread waited for a connection pool"),
        }
    }
}

/// Waiting for pools.
struct Measured<'f> {
    /// In nanoseconds, and of all blocked threads.
    sum: f64,
    all: f64,
    count: u64,
    longest: Group<'f>,
    /// The method that the longest wait asked for a connection.
    pool: &'f str,
    /// From the first to the last wait.
    window: (i64, i64),
    /// Evidence: who asks.
    callers: Value,
}

/// `None` if no thread waited.
fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Option<Measured<'f>> {
    let asks = MethodMatcher::new(facts, |method: &str| {
        let name = method_of(method);
        ASKING.iter().any(|a| name.starts_with(a))
            && !class_of(method).starts_with("java.")
            && settings.matches("pools", class_of(method))
    });
    let waits = |g: &Group<'_>| g.stack(STACK).is_some_and(|s| asks.passes(s));
    let mut all = 0.0;
    let blocked = of_time(facts, &waits).inspect(|g| all += g.sum(DURATION));
    let waited: Vec<Group<'_>> = blocked.filter(&waits).collect();
    let longest = waited.iter().max_by(|a, b| a.max(DURATION).total_cmp(&b.max(DURATION)))?.clone();
    let sum: f64 = waited.iter().map(|g| g.sum(DURATION)).sum();
    let first = waited.iter().map(Group::first).min().unwrap_or_default();
    let last = waited.iter().map(Group::last).max().unwrap_or_default();
    let stacks = waited.iter().filter_map(|g| Some((g.stack(STACK)?, g.sum(DURATION))));
    Some(Measured {
        sum,
        all,
        count: waited.iter().fold(0u64, |n, g| n.saturating_add(g.count())),
        pool: longest.stack(STACK).and_then(|s| asks.first(s)).map_or("a pool", |f| facts.method(f)),
        longest,
        window: (first, last),
        callers: asks.callers(stacks, sum, Value::nanos_f64),
    })
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { sum, all, count, longest, pool, window, callers } = measured;
    let share = ratio(*sum, *all) * 100.0;
    let by_longest =
        map2(longest.max(DURATION) / 1e9, settings.number("longest-info"), settings.number("longest-warning"));
    let by_share = if *sum >= MATTERS { map2(share, settings.number("info"), settings.number("warning")) } else { 0.0 };
    let summary = format!(
        "Threads waited {} in {pool}, up to {} at a time",
        duration_f64(*sum),
        duration_f64(longest.max(DURATION))
    );
    Verdict::scored(highest([by_longest, by_share]), summary)
        .explain(ConnectionPoolWait::WHY)
        .remedy(ConnectionPoolWait::REMEDY)
        .cost(cost::waited(facts, *sum))
        .with("time waited", Value::nanos_f64(*sum))
        .with("waits", Value::count(*count, "waits"))
        .with("longest", Value::nanos_f64(longest.max(DURATION)))
        .with("time of the longest", Value::instant(longest.max_start()))
        .with("window", Value::window(window.0, window.1))
        .with("share of blocked time", Value::percent(share))
        .with("threads that waited on average", Value::number(ratio(*sum, facts.nanos() as f64), "threads"))
        .with("callers", callers.clone())
}

#[cfg(test)]
mod tests {
    use crate::fixture;
    use jfr_analyzers::rule::Severity;

    #[test]
    fn it_fires_on_a_pool_that_is_too_small() {
        fixture::expect("ConnectionPoolWait", "connection-pool-wait", Severity::Warning);
    }

    #[test]
    fn it_is_quiet_on_other_locks() {
        fixture::expect("ConnectionPoolWait", "lock-contention", Severity::Ok);
        fixture::expect("ConnectionPoolWait", "oversized-pool", Severity::Ok);
        fixture::expect("ConnectionPoolWait", "healthy", Severity::Ok);
    }
}
