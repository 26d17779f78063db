//! `AllocationStalls`: threads wait for a concurrent collector.

use crate::cost;
use crate::names::thread_name;
use crate::series::highest;
use crate::sites::{Site, site_rows, sites};
use crate::time::minutes;
use jfr_analyzers::events::{Facts, Group, GroupBy, Level, Needs};
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
        if let Some(because) = unknown(facts) {
            return Verdict::not_applicable(because);
        }
        match measure(facts) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::ok("No thread waited for the collector"),
        }
    }
}

/// Why stalls are unknown.
fn unknown(facts: &Facts) -> Option<String> {
    let collector = facts.old_collector();
    if !facts.groups(&STALLS).is_empty() || collector.is_some_and(|name| name.contains("Shenandoah")) {
        return None;
    }
    match collector {
        None => Some(format!(
            "only ZGC and Shenandoah have allocation stalls, and the collector is unknown: {}",
            facts.missing("jdk.GCConfiguration", Level::Available, false).unwrap_or_default()
        )),
        Some(name) if name.starts_with('Z') => facts.missing(STALL, Level::Enabled, false),
        Some(name) => Some(format!("only ZGC and Shenandoah have allocation stalls; the collector is {name}")),
    }
}

/// Stalls: threads that wait for memory (ZGC), and pauses that do what the collector did not finish in time
/// (Shenandoah).
struct Measured<'f> {
    count: u64,
    /// In nanoseconds, and the longest of them.
    sum: f64,
    longest: f64,
    /// When the first began and the last ended.
    window: Option<(i64, i64)>,
    /// The threads that waited, the longest first, and where.
    threads: Vec<Group<'f>>,
    places: Vec<Site>,
}

/// `None` if there were none.
fn measure(facts: &Facts) -> Option<Measured<'_>> {
    let stalls = facts.groups(&STALLS);
    let fell_back = |name: &str| name.contains("Degenerated") || name.contains("Pause Full");
    let shenandoah = facts.old_collector().is_some_and(|name| name.contains("Shenandoah"));
    let pauses = if shenandoah {
        facts.groups(&PAUSES).select(&[], |g| g.text("name").is_some_and(fell_back)).pop()
    } else {
        None
    };
    let all = [stalls.total(), pauses];
    let all = || all.iter().flatten();
    let count = all().fold(0u64, |count, g| count.saturating_add(g.count()));
    if count == 0 {
        return None;
    }
    let mut threads = stalls.by(&["eventThread"]);
    threads.sort_by(|a, b| b.sum("duration").total_cmp(&a.sum("duration")));
    Some(Measured {
        count,
        sum: all().fold(0.0, |sum, g| sum + g.sum("duration")),
        longest: highest(all().map(|g| g.max("duration"))),
        window: all().next().map(|g| (g.first(), g.last())),
        threads,
        places: sites(facts, stalls.iter()),
    })
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { count, sum, threads, places, .. } = measured;
    let per_minute = ratio(*sum, minutes(facts));
    let score = map2(per_minute / 1e9, settings.number("info"), settings.number("warning")).max(Severity::INFO_SCORE);
    let summary = format!(
        "Threads waited {} for the collector in {}, {} per minute",
        duration_f64(*sum),
        things(*count, "stall", "stalls"),
        duration_f64(per_minute)
    );
    let rows = threads.iter().take(10).map(|g| {
        [
            thread_name(g, "eventThread").into(),
            Value::count(g.count(), "stalls"),
            Value::nanos_f64(g.sum("duration")),
            Value::nanos_f64(g.max("duration")),
        ]
    });
    let table = (!threads.is_empty()).then(|| Value::table(["thread", "stalls", "time", "longest"], rows));
    Verdict::scored(score, summary)
        .explain(AllocationStalls::WHY)
        .remedy(AllocationStalls::REMEDY)
        .cost(cost::waited(facts, *sum))
        .with("stalls", Value::count(*count, "stalls"))
        .with("time", Value::nanos_f64(*sum))
        .with("time a minute", Value::nanos_f64(per_minute))
        .with("longest", Value::nanos_f64(measured.longest))
        .with_some("window", measured.window.map(|(from, to)| Value::window(from, to)))
        .with_some("threads", table)
        .with_some("where", (!places.is_empty()).then(|| site_rows(facts, places, |s| s.sum, Value::nanos_f64)))
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
