//! `AllocationStalls`: threads wait for a concurrent collector.

use crate::cost;
use crate::names::thread_name;
use crate::series::highest;
use crate::sites::{site_rows, sites};
use crate::time::minutes;
use jfr_analyzers::events::{Facts, GroupBy, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::{duration_f64, things};

/// Finds threads that wait until ZGC or Shenandoah frees memory. Needs no event list.
///
/// Fires on `fixtures/scenarios/allocation-stalls.jfr.gz` (ZGC) and, for Shenandoah, on synthetic pauses;
/// quiet on synthetic ZGC events; does not apply to `healthy` (G1).
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllocationStalls;

const STALL: &str = "jdk.ZAllocationStall";
const STALLS: GroupBy = GroupBy::of(&[STALL]).by(&["eventThread", "stackTrace", "type"]).measure(&["duration", "size"]);
const PAUSES: GroupBy = GroupBy::of(&["jdk.GCPhasePause"]).by(&["name"]).measure(&["duration"]);

impl AllocationStalls {
    /// Why it matters.
    const WHY: &str = "A concurrent collector runs alongside the application. If the application allocates faster \
        than the collector frees memory, its threads stall, for longer than the short pauses that the collector was \
        chosen for.";
    /// What to do.
    const REMEDY: &str = "Increase the heap (-Xmx), give the collector more threads (-XX:ConcGCThreads) or CPU, or \
        allocate less: AllocationRate shows which code allocates most. For ZGC before JDK 23, generational mode \
        (-XX:+ZGenerational) sustains far higher allocation rates.";
}

impl Rule for AllocationStalls {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("AllocationStalls")
            .title("Allocation stalls")
            .category(Category::Gc)
            .description(
                "How long threads wait because ZGC or Shenandoah cannot free memory as fast as the \
                          application allocates it.",
            )
            .formula(
                "Total duration of jdk.ZAllocationStall over all threads, plus Shenandoah's degenerated and full \
                      pauses, per minute of recording: 25 at `info`, 75 at `warning`, and at least 25 if there are \
                      any. JMC's ZGCAllocationStall divides by the age of the JVM.",
            )
            .settings(
                const {
                    &[
                        Setting::seconds("info", 0.5, "Time per minute that is worth a look"),
                        Setting::seconds("warning", 5.0, "Time per minute to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().groups(STALLS).groups(PAUSES))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let stalls = facts.groups(&STALLS);
        let collector = facts.old_collector().unwrap_or("unknown");
        let shenandoah = collector.contains("Shenandoah");
        let zgc = collector.starts_with('Z');
        if stalls.is_empty() && !shenandoah {
            if facts.old_collector().is_none() {
                let because = facts.missing("jdk.GCConfiguration", Level::Available, false).unwrap_or_default();
                return Verdict::not_applicable(format!(
                    "only ZGC and Shenandoah have allocation stalls, and the collector is unknown: {because}"
                ));
            }
            if !zgc {
                return Verdict::not_applicable(format!(
                    "only ZGC and Shenandoah have allocation stalls; the collector is {collector}"
                ));
            }
            if let Some(because) = facts.missing(STALL, Level::Enabled, false) {
                return Verdict::not_applicable(because);
            }
        }
        let fell_back =
            |name: Option<&str>| name.is_some_and(|n| n.contains("Degenerated") || n.contains("Pause Full"));
        let pauses =
            if shenandoah { facts.groups(&PAUSES).select(&[], |g| fell_back(g.text("name"))).pop() } else { None };
        let total = stalls.total();
        let count = total.as_ref().map_or(0, |t| t.count()).saturating_add(pauses.as_ref().map_or(0, |p| p.count()));
        if count == 0 {
            return Verdict::ok("No thread waited for the collector");
        }
        let sum =
            total.as_ref().map_or(0.0, |t| t.sum("duration")) + pauses.as_ref().map_or(0.0, |p| p.sum("duration"));
        let longest = highest([
            total.as_ref().map_or(0.0, |t| t.max("duration")),
            pauses.as_ref().map_or(0.0, |p| p.max("duration")),
        ]);
        let per_minute = ratio(sum, minutes(facts));
        let score =
            map2(per_minute / 1e9, settings.number("info"), settings.number("warning")).max(Severity::INFO_SCORE);
        let places = sites(facts, stalls.iter());
        let mut threads = stalls.by(&["eventThread"]);
        threads.sort_by(|a, b| b.sum("duration").total_cmp(&a.sum("duration")));
        let rows = threads.iter().take(10).map(|g| {
            [
                thread_name(g, "eventThread").into(),
                Value::count(g.count(), "stalls"),
                Value::nanos_f64(g.sum("duration")),
                Value::nanos_f64(g.max("duration")),
            ]
        });
        let window = total.as_ref().or(pauses.as_ref()).map(|g| Value::window(g.first(), g.last()));
        Verdict::scored(
            score,
            format!(
                "Threads waited {} for the collector in {}, {} per minute",
                duration_f64(sum),
                things(count, "stall", "stalls"),
                duration_f64(per_minute)
            ),
        )
        .explain(AllocationStalls::WHY)
        .remedy(AllocationStalls::REMEDY)
        .cost(cost::waited(facts, sum))
        .with("stalls", Value::count(count, "stalls"))
        .with("time", Value::nanos_f64(sum))
        .with("time a minute", Value::nanos_f64(per_minute))
        .with("longest", Value::nanos_f64(longest))
        .with_some("window", window)
        .with_some(
            "threads",
            (!threads.is_empty()).then(|| Value::table(["thread", "stalls", "time", "longest"], rows)),
        )
        .with_some("where", (!places.is_empty()).then(|| site_rows(facts, &places, |s| s.sum, Value::nanos_f64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::{stack, thread};

    fn zgc() -> Scene {
        Scene::new()
            .event("jdk.GCConfiguration", 0, 60 * SECOND, [("oldCollector", "Z".into())])
            .enabled("jdk.ZAllocationStall")
    }

    #[test]
    fn it_fires_on_a_heap_that_is_too_small_for_zgc() {
        fixture::expect("AllocationStalls", "allocation-stalls", Severity::Warning);
    }

    #[test]
    fn it_fires_on_stalls() {
        let stalled = |nanos: i64| {
            let fields = [
                ("eventThread", thread("worker")),
                ("stackTrace", stack(&["java.util.Arrays.copyOf", "shop.Cart.fill"])),
            ];
            zgc().event("jdk.ZAllocationStall", 0, nanos, fields).verdict(&AllocationStalls)
        };
        assert_eq!(stalled(6 * SECOND).severity, Severity::Warning);
        assert_eq!(stalled(SECOND).severity, Severity::Info);
        assert_eq!(stalled(1_000).severity, Severity::Ok);
        assert!(fixture::text(&stalled(1_000)).contains("shop.Cart.fill"));
        let degenerated = Scene::new()
            .event("jdk.GCConfiguration", 0, 0, [("oldCollector", "Shenandoah".into())])
            .event("jdk.GCPhasePause", 0, SECOND, [("name", "Pause Degenerated GC (Mark)".into())]);
        assert_eq!(degenerated.verdict(&AllocationStalls).severity, Severity::Warning);
    }

    #[test]
    fn it_is_quiet_without_stalls_and_other_collectors() {
        assert_eq!(zgc().verdict(&AllocationStalls).severity, Severity::Ok);
        fixture::expect("AllocationStalls", "healthy", Severity::NotApplicable);
    }
}
