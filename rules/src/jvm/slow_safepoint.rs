//! `SlowSafepoint`: threads that take long to reach a safepoint.

use std::collections::BTreeMap;

use crate::cost;
use crate::names::thread_name;
use crate::series::highest;
use jfr_analyzers::events::{Event, Facts, Group, GroupBy, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::duration_f64;

/// The time until all threads have reached a safepoint. Needs the safepoint events and `jdk.ExecuteVMOperation`.
///
/// Fires on `fixtures/scenarios/safepoint-slow.jfr.gz`; quiet on `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlowSafepoint;

const SYNC: &str = "jdk.SafepointStateSynchronization";
const BEGIN: &str = "jdk.SafepointBegin";
const LATE: GroupBy =
    GroupBy::of(&["jdk.SafepointLatency"]).by(&["eventThread", "threadState", "stackTrace"]).measure(&["duration"]);

/// The synchronization share only counts if safepoints take at least this share of the time: 60 % of nothing is
/// nothing.
const MATTERS: f64 = 0.01;
/// Shares of a recording shorter than this (nanoseconds) are taken of this time: a single safepoint would be a large
/// share of it.
const LEAST: f64 = 10e9;

impl SlowSafepoint {
    /// Why it matters.
    const WHY: &str = "Before a GC and other VM operations, every thread must stop at a safepoint, and all other \
                       threads wait for the last one. Typical late threads run a loop that the compiler left without \
                       safepoint polls (an int-counted loop over a large array), copy a long array, take a page \
                       fault on a mapped file, or get no CPU. GC logs do not show this time.";
    /// What to do.
    const REMEDY: &str = "Find the late thread: jdk.SafepointLatency (JDK 25 and later) names it; on older JDKs use \
                          -XX:+SafepointTimeout with -XX:SafepointTimeoutDelay. Count loops with a long or use \
                          -XX:+UseCountedLoopSafepoints, copy arrays in chunks, and do not overload the CPU.";
}

impl Rule for SlowSafepoint {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("SlowSafepoint")
            .title("Slow time to safepoint")
            .category(Category::Jvm)
            .description("How long the JVM waits for the last thread to reach a safepoint.")
            .formula(
                "The longest jdk.SafepointStateSynchronization (or jdk.SafepointBegin, which includes it): 25 at \
                      `info`, 75 at `warning`. If safepoints take at least 1 % of the time (of 10 s or more), also the \
                      synchronization share of safepoint time: 25 at `share-info`, 75 at `share-warning`, but at most \
                      worth a look while the longest stays below `info`. After Jeffrey (50 and 100 ms); the thresholds \
                      for shares are jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::seconds("info", 0.05, "Longest wait that is worth a look"),
                        Setting::seconds("warning", 0.1, "Longest wait to act on"),
                        Setting::percent("share-info", 30.0, "Share of safepoint time that is worth a look"),
                        Setting::percent("share-warning", 60.0, "Share of safepoint time to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .table(SYNC, &["safepointId", "runningThreadCount", "initialThreadCount"])
            .table(BEGIN, &["safepointId", "totalThreadCount"])
            .table("jdk.SafepointEnd", &["safepointId"])
            .table("jdk.ExecuteVMOperation", &["safepointId", "operation", "safepoint"])
            .groups(LATE)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if let Some(because) = facts.missing_all(&[SYNC, BEGIN], Level::Enabled) {
            return Verdict::not_applicable(because);
        }
        match measure(facts) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::ok("Threads reached all safepoints quickly"),
        }
    }
}

/// How long threads take to reach safepoints.
struct Measured<'f> {
    /// The longest time to safepoint, and the operation that waited for it.
    longest: Event<'f>,
    operation: Option<&'f str>,
    safepoints: u64,
    /// The sum of the times to safepoint, and of all time in safepoints, in nanoseconds.
    waited: f64,
    stopped: f64,
    /// The threads that came last, the latest first.
    late: Vec<Group<'f>>,
}

/// `None` if there were no safepoints.
fn measure(facts: &Facts) -> Option<Measured<'_>> {
    let (sync, begin) = (facts.table(SYNC), facts.table(BEGIN));
    let reached = if sync.is_empty() { begin } else { sync };
    let longest = reached.rows().max_by_key(Event::nanos)?;
    let operations = facts.table("jdk.ExecuteVMOperation");
    let ends: BTreeMap<i64, i64> =
        facts.table("jdk.SafepointEnd").rows().filter_map(|r| Some((r.int("safepointId")?, r.end))).collect();
    let waited: f64 = reached.rows().map(|r| r.nanos() as f64).sum();
    // From begin to end if the recording has both, otherwise the time to reach the safepoint plus the operations
    // in it.
    let whole = begin.rows().map(|r| {
        let end = r.int("safepointId").and_then(|id| ends.get(&id)).copied().unwrap_or(r.end);
        end.max(r.end).saturating_sub(r.start) as f64
    });
    let executed = operations.rows().filter(|r| r.flag("safepoint") == Some(true)).map(|r| r.nanos() as f64);
    let id = longest.int("safepointId");
    let operation = operations.rows().find(|r| id.is_some() && r.int("safepointId") == id);
    let mut late = facts.groups(&LATE).by(&["eventThread", "threadState", "stackTrace"]);
    late.sort_by(|a, b| b.max("duration").total_cmp(&a.max("duration")));
    Some(Measured {
        longest,
        operation: operation.and_then(|r| r.text("operation")),
        safepoints: reached.seen(),
        waited,
        stopped: if ends.is_empty() { waited + executed.sum::<f64>() } else { whole.sum::<f64>().max(waited) },
        late,
    })
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { longest, waited, stopped, late, .. } = measured;
    let share = ratio(*waited, *stopped) * 100.0;
    let of_time = ratio(*stopped, (facts.nanos() as f64).max(LEAST));
    let by_longest = map2(longest.nanos() as f64 / 1e9, settings.number("info"), settings.number("warning"));
    let by_share = if of_time >= MATTERS {
        let score = map2(share, settings.number("share-info"), settings.number("share-warning"));
        // Many short waits that nobody notices.
        if by_longest < Severity::INFO_SCORE { score.min(74.0) } else { score }
    } else {
        0.0
    };
    let mut summary = format!("Threads took up to {} to reach a safepoint", duration_f64(longest.nanos() as f64));
    if by_share >= 25.0 {
        summary.push_str(&format!("; such waits make up {share:.0} % of all safepoint time"));
    }
    Verdict::scored(highest([by_longest, by_share]), summary)
        .explain(SlowSafepoint::WHY)
        .remedy(SlowSafepoint::REMEDY)
        .cost(cost::paused(facts, *waited))
        .with("longest", Value::nanos(longest.nanos()))
        .with("window", Value::window(longest.start, longest.end))
        .with_some("operation that waited", measured.operation)
        .with("safepoints", Value::count(measured.safepoints, "safepoints"))
        .with("sum of waits", Value::nanos_f64(*waited))
        .with("share of safepoint time", Value::percent(share))
        .with("share of all time in safepoints", Value::share(of_time))
        .with_some("late threads", (!late.is_empty()).then(|| late_table(facts, late)))
}

fn late_table(facts: &Facts, late: &[Group<'_>]) -> Value {
    let rows = late.iter().take(10).map(|g| {
        let site = g.stack("stackTrace").and_then(|s| facts.site(s)).map_or_else(|| "unknown".to_owned(), |f| f.method);
        [
            thread_name(g, "eventThread").into(),
            g.text("threadState").unwrap_or("?").into(),
            Value::count(g.count(), "times"),
            Value::nanos_f64(g.max("duration")),
            site.into(),
        ]
    });
    Value::table(["thread", "state", "times", "longest", "where"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::{stack, thread};

    #[test]
    fn it_fires_on_a_loop_without_polls() {
        let verdict = fixture::expect("SlowSafepoint", "safepoint-slow", Severity::Warning);
        assert_eq!(verdict.evidence.get("operation that waited"), Some(&Value::text("ThreadDump")));
    }

    #[test]
    fn it_names_the_late_thread() {
        let scene = Scene::new().event("jdk.SafepointBegin", 0, SECOND, [("safepointId", 1.into())]).event(
            "jdk.SafepointLatency",
            0,
            SECOND,
            [("eventThread", thread("summer")), ("stackTrace", stack(&["shop.Report.sum"]))],
        );
        let verdict = scene.verdict(&SlowSafepoint);
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn it_is_quiet_when_safepoints_are_reached_fast() {
        fixture::expect("SlowSafepoint", "healthy", Severity::Ok);
        fixture::expect("SlowSafepoint", "spin", Severity::NotApplicable);
        let short = Scene::new().event("jdk.SafepointBegin", 0, 1_000_000, [("safepointId", 1.into())]).event(
            "jdk.CPULoad",
            60 * SECOND,
            60 * SECOND,
            [],
        );
        assert_eq!(short.verdict(&SlowSafepoint).severity, Severity::Ok);
    }

    #[test]
    fn short_waits_are_no_warning_however_large_their_share() {
        let scene = |nanos: i64| {
            (0..20i64).fold(Scene::new(), |s, i| {
                let at = i * SECOND / 2;
                s.event(SYNC, at, at + nanos, [("safepointId", i.into())])
            })
        };
        assert_eq!(scene(20_000_000).verdict(&SlowSafepoint).severity, Severity::Info);
        // The whole of a one-second recording, 1 ms each.
        assert_eq!(scene(1_000_000).verdict(&SlowSafepoint).severity, Severity::Ok);
    }
}
