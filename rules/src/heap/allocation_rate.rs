//! `AllocationRate`: how much the program allocates, and how often that triggers a collection.

use std::collections::BTreeSet;

use super::allocation::{BY_CLASS, BYTES, SAMPLE};
use crate::series::highest;
use crate::sites::{Site, site_name, site_rows, sites};
use crate::tally::{once_per_text, tally};
use crate::time::SECOND;
use jfr_analyzers::events::{EVENT, FIRST, Facts, Group, GroupBy, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::{rounded_percent, size_f64};

/// Bytes allocated per second and core, and collections per second. Needs the tables of `jdk.GCHeapSummary` and
/// `jdk.GarbageCollection`.
///
/// Fires on `fixtures/scenarios/allocation-rate.jfr.gz` and, because the heap is too small, on `heap-full`; quiet on
/// `healthy` (too few collections), `explicit-gc` (requested collections) and `spin`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllocationRate;

const DATADOG: GroupBy =
    GroupBy::of(&["datadog.ObjectSample"]).by(&["objectClass", "stackTrace"]).measure(&["weight", "size"]);

/// The least number of collections for a verdict.
const ENOUGH: usize = 5;
/// The least number of allocation events for a verdict by their weights.
const ENOUGH_EVENTS: u64 = 100;
/// Causes of collections other than lack of space.
const ASKED: [&str; 6] = ["System.gc", "Inspection", "Heap Dump", "Diagnostic Command", "Metadata", "JvmtiEnv"];

impl AllocationRate {
    /// Why it matters.
    const WHY: &str = "Allocation is cheap, but the JVM has to zero every byte, and new objects push other data out of \
                       the CPU caches. The more a program allocates, the more often the collector stops it, and the \
                       more objects survive a collection only because they are still young.";
    /// What to do.
    const REMEDY: &str = "Give the heap or its young generation more room (-Xmx, -Xmn), so that collections become \
                          rarer. See HeapFull: a full heap is collected all the time. Then look at what allocates most \
                          (`jfrkit top --type alloc`).";
}

impl Rule for AllocationRate {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("AllocationRate")
            .title("High allocation rate")
            .category(Category::Heap)
            .description(
                "How many bytes the program allocates per second and core, and how often that triggers a \
                          collection.",
            )
            .formula(
                "The sum over collections of the heap used before a collection minus the heap used after the \
                      previous one, divided by the time between them and by the hardware threads (jdk.GCHeapSummary, \
                      jdk.CPUInformation). With ZGC and Shenandoah: the weights of allocation events over the time \
                      that these cover, if that is more. 25 at `info`, 75 at `warning`; no score if the number of \
                      hardware threads is unknown. Also, collections per second that were caused by lack of space and \
                      not requested: 25 at `collections-info`, 75 at `collections-warning`, if their pauses \
                      (jdk.GarbageCollection) take `pauses` of the time or more. The higher score counts; needs at \
                      least 5 collections. The thresholds are jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::bytes("info", 268_435_456.0, "Bytes per second and core that are worth a look"),
                        Setting::bytes("warning", 1_073_741_824.0, "Bytes per second and core to act on"),
                        Setting::per_second("collections-info", 1.0, "Collections per second that are worth a look"),
                        Setting::per_second("collections-warning", 5.0, "Collections per second to act on"),
                        Setting::percent(
                            "pauses",
                            1.0,
                            "Share of time spent in pauses from which the collection rate counts",
                        ),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .table("jdk.GCHeapSummary", &["gcId", "when", "heapUsed"])
            .table("jdk.GarbageCollection", &["gcId", "cause", "sumOfPauses"])
            .groups(BY_CLASS)
            .groups(DATADOG)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let measured = measure(facts);
        if facts.table("jdk.GCHeapSummary").is_empty() && !measured.sampled {
            let missing = facts.missing("jdk.GCHeapSummary", Level::Available, false);
            return Verdict::not_applicable(missing.unwrap_or_else(|| "there were no collections".to_owned()));
        }
        if !measured.enough && !measured.sampled {
            return Verdict::ok("There are too few collections for the program to allocate much")
                .with("collections", Value::count(measured.collections, "collections"));
        }
        verdict(facts, &measured, settings)
    }
}

/// How much the program allocates, and where.
struct Measured<'f> {
    /// Whether there are enough collections to judge by the heap.
    enough: bool,
    /// Whether the rate is known from allocation events: under a concurrent collector, heap summaries miss what is
    /// allocated while it runs.
    sampled: bool,
    collections: u64,
    /// Hardware threads, if known.
    cores: Option<f64>,
    /// Bytes per second.
    rate: f64,
    /// Collections per second for want of room, and the share of the time in their pauses, 0 to 1.
    often: f64,
    paused: f64,
    /// Whether the pauses are unknown.
    no_pauses: bool,
    /// Where the program allocates, and what, with the weight of each class; the most first.
    places: Vec<Site>,
    classes: Vec<(&'f str, f64)>,
    /// The weight of all allocation events.
    total: f64,
}

impl Measured<'_> {
    fn per_core(&self) -> Option<f64> {
        self.cores.map(|cores| self.rate / cores)
    }
}

fn measure(facts: &Facts) -> Measured<'_> {
    let Collections { allocated, collections, seconds, for_room, paused } = Collections::of(facts);
    let concurrent = facts.old_collector().is_some_and(|name| name.starts_with('Z') || name.starts_with("Shenandoah"));
    let sampled = if concurrent { sampled_rate(facts) } else { None };
    let enough = collections >= ENOUGH && seconds >= 1.0;
    let by_heap = if enough { ratio(allocated, seconds) } else { 0.0 };
    let groups = allocations(facts);
    let mut classes: Vec<(&str, f64)> =
        tally(&groups, |g| g.text("objectClass").unwrap_or("unknown class"), |sum, g| *sum += g.sum(FIRST));
    classes.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    Measured {
        enough,
        sampled: sampled.is_some(),
        collections: collections as u64,
        cores: facts.hardware_threads().map(|n| n as f64),
        rate: sampled.unwrap_or(0.0).max(by_heap),
        often: if enough { ratio(for_room as f64, seconds) } else { 0.0 },
        paused: ratio(paused, facts.nanos() as f64),
        no_pauses: facts.table("jdk.GarbageCollection").is_empty(),
        total: groups.iter().map(|g| g.sum(FIRST)).sum(),
        places: sites(facts, groups),
        classes,
    }
}

/// Allocation events by class and stack.
fn allocations(facts: &Facts) -> Vec<Group<'_>> {
    let groups: Vec<_> = match facts.count(SAMPLE) {
        0 => facts.groups(&BY_CLASS).by(&["objectClass", "stackTrace"]),
        // Never both: they cover the same bytes.
        _ => facts.groups(&BY_CLASS).select(&["objectClass", "stackTrace"], |g| g.text(EVENT) == Some(SAMPLE)),
    };
    if groups.is_empty() { facts.groups(&DATADOG).by(&["objectClass", "stackTrace"]) } else { groups }
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { rate, often, paused, places, .. } = measured;
    let per_core = measured.per_core();
    let by_rate = map2(per_core.unwrap_or(0.0), settings.number("info"), settings.number("warning"));
    let by_often = if measured.no_pauses || paused * 100.0 >= settings.number("pauses") {
        map2(*often, settings.number("collections-info"), settings.number("collections-warning"))
    } else {
        0.0
    };
    let most = places.first().and_then(|place| site_name(facts, place));
    let most = most.map(|name| format!(", mostly in {name}")).unwrap_or_default();
    let small = by_often >= Severity::INFO_SCORE && by_often > by_rate;
    let verdict = if small {
        let summary = format!(
            "{often:.1} collections per second for {} of allocation per second{most}; pauses stop the program \
             for {} of the time",
            size_f64(*rate),
            rounded_percent(paused * 100.0)
        );
        Verdict::scored(by_often, summary).remedy(AllocationRate::REMEDY)
    } else {
        let summary =
            format!("The program allocates {} per second{most}; {often:.1} collections per second", size_f64(*rate));
        Verdict::scored(highest([by_rate, by_often]), summary).remedy(
            "Look at what allocates most (jfrkit top --type alloc): reuse buffers, avoid copies, boxing and \
             temporary collections, and parse streams instead of whole texts. A larger young generation (-Xmn, or \
             a larger heap) makes collections rarer.",
        )
    };
    // A rate is about everything that is allocated; collections cost the time that they stop the program.
    let cost = if small && *paused > 0.0 { Cost::elapsed(*paused) } else { Cost::allocation(1.0) };
    evidence(facts, measured, verdict.cost(cost).explain(AllocationRate::WHY))
}

fn evidence(facts: &Facts, measured: &Measured<'_>, verdict: Verdict) -> Verdict {
    let Measured { places, classes, total, .. } = measured;
    let rows = classes.iter().take(10).map(|(name, sum)| [(*name).into(), Value::share(ratio(*sum, *total))]);
    let cores = measured.cores.map_or_else(|| Value::text("not recorded"), |cores| Value::number(cores, "threads"));
    verdict
        .with("allocated a second", Value::bytes(measured.rate))
        .with_some("allocated a second and core", measured.per_core().map(Value::bytes))
        .with("hardware threads", cores)
        .with("collections", Value::count(measured.collections, "collections"))
        .with("collections a second for want of room", Value::number(measured.often, "per second"))
        .with("share of time in their pauses", Value::share(measured.paused))
        .with_some("classes", (!classes.is_empty()).then(|| Value::table(["class", "share"], rows)))
        .with_some(
            "where",
            (!places.is_empty()).then(|| site_rows(facts, places, |s| s.sum, |w| Value::share(ratio(w, *total)))),
        )
        .with_some(
            "who allocates",
            places.is_empty().then(|| format!("not recorded; enable it with: {}", facts.switch_on(SAMPLE))),
        )
}

/// What the heap summaries and collections say about allocation.
struct Collections {
    /// Bytes by which the heap grew between collections, in `seconds`.
    allocated: f64,
    collections: usize,
    seconds: f64,
    /// Collections that nobody asked for, and the nanoseconds of their pauses.
    for_room: usize,
    paused: f64,
}

impl Collections {
    fn of(facts: &Facts) -> Self {
        let (mut allocated, mut collections, mut after): (f64, usize, Option<(i64, f64)>) = (0.0, 0, None);
        let (mut from, mut to) = (None, 0);
        let (mut asked, mut paused): (BTreeSet<i64>, f64) = (BTreeSet::new(), 0.0);
        let mut is_asked = once_per_text(|cause| ASKED.iter().any(|a| cause.contains(a)));
        for row in facts.table("jdk.GarbageCollection").rows() {
            if row.text("cause").is_some_and(&mut is_asked) {
                asked.extend(row.int("gcId"));
            } else {
                paused += row.float("sumOfPauses").unwrap_or(0.0);
            }
        }
        let mut for_room = 0usize;
        for row in facts.table("jdk.GCHeapSummary").rows() {
            let Some(used) = row.float("heapUsed") else { continue };
            if row.text("when").is_some_and(|w| w.starts_with("Before")) {
                if let Some((at, before)) = after.take() {
                    from = from.or(Some(at));
                    to = row.start;
                    allocated += (used - before).max(0.0);
                    collections = collections.saturating_add(1);
                    let is_asked = row.int("gcId").is_some_and(|id| asked.contains(&id));
                    for_room = for_room.saturating_add(usize::from(!is_asked));
                }
            } else {
                after = Some((row.start, used));
            }
        }
        let seconds = from.map_or(0.0, |from| facts.recorded(from, to) as f64 / 1e9);
        Self { allocated, collections, seconds, for_room, paused }
    }
}

/// Bytes per second by the weights of allocation events, over the time that these cover, or over the whole recording if
/// they cover less than half of it. `None` if there are too few events.
fn sampled_rate(facts: &Facts) -> Option<f64> {
    let of_samples = |g: &Group<'_>| facts.count(SAMPLE) == 0 || g.text(EVENT) == Some(SAMPLE);
    let groups: Vec<Group<'_>> = facts.groups(&BY_CLASS).iter().filter(of_samples).collect();
    let events: u64 = groups.iter().fold(0, |sum, g| sum.saturating_add(g.count()));
    let first = groups.iter().map(Group::first).min()?;
    let last = groups.iter().map(Group::last).max()?;
    let (during, all) = (facts.recorded(first, last), facts.nanos());
    let nanos = if during >= all / 2 { during } else { all };
    let bytes: f64 = groups.iter().map(|g| g.sum(BYTES)).sum();
    (events >= ENOUGH_EVENTS && nanos >= SECOND).then(|| bytes / (nanos as f64 / 1e9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::{Scene, stack};

    /// Collections that account for only 10 MiB of the 2.5 GiB that are allocated each second.
    fn collected(collector: &str, hardware_threads: Option<i64>) -> Scene {
        let scene = Scene::new().event("jdk.GCConfiguration", 0, 0, [("oldCollector", collector.into())]);
        let scene = hardware_threads
            .iter()
            .fold(scene, |scene, n| scene.event("jdk.CPUInformation", 0, 0, [("hwThreads", (*n).into())]));
        let scene = (0..7i64).fold(scene, |scene, i| {
            let fields =
                |when: &str, mib: i64| [("gcId", i.into()), ("when", when.into()), ("heapUsed", (mib << 20).into())];
            let at = i * 3 * SECOND / 2;
            scene.event("jdk.GCHeapSummary", at, at, fields("Before GC", 100)).event(
                "jdk.GCHeapSummary",
                at + 1,
                at + 1,
                fields("After GC", 90),
            )
        });
        (0..=1_000i64).fold(scene, |scene, i| {
            let at = i * SECOND / 100;
            scene.event(SAMPLE, at, at, [("weight", (25i64 << 20).into()), ("objectClass", "byte[]".into())])
        })
    }

    #[test]
    fn allocation_beside_a_collection_is_in_the_events() {
        let verdict = collected("ZGC Major", Some(2)).verdict(&AllocationRate);
        assert_eq!(verdict.severity, Severity::Warning, "{}", verdict.summary);
        // The summaries of a stop-the-world collector account for everything.
        let verdict = collected("G1Old", Some(2)).verdict(&AllocationRate);
        assert_eq!(verdict.severity, Severity::Ok, "{}", verdict.summary);
    }

    #[test]
    fn without_the_number_of_cpus_there_is_no_verdict_per_core() {
        let verdict = collected("ZGC Major", None).verdict(&AllocationRate);
        assert_eq!(verdict.severity, Severity::Ok, "{}", verdict.summary);
        assert_eq!(verdict.evidence.get("hardware threads"), Some(&Value::text("not recorded")));
        assert_eq!(verdict.evidence.get("allocated a second and core"), None);
    }

    #[test]
    fn it_fires_on_much_garbage() {
        fixture::expect("AllocationRate", "allocation-rate", Severity::Warning);
    }

    #[test]
    fn it_tells_a_small_heap_from_much_garbage() {
        let verdict = fixture::expect("AllocationRate", "heap-full", Severity::Warning);
        assert!(verdict.remedy.starts_with("Give the heap"), "{}", verdict.remedy);
    }

    #[test]
    fn collections_that_are_asked_for_do_not_count() {
        fixture::expect("AllocationRate", "explicit-gc", Severity::Ok);
    }

    #[test]
    fn datadogs_samples_tell_who_allocates() {
        let verdict = fixture::corpus("AllocationRate", "public/btraceio+jafar/tck-test.jfr");
        let Some(verdict) = verdict else { return };
        assert!(verdict.is_finding(), "{verdict:?}");
        assert!(verdict.summary.contains("mostly in com.datadog."), "{}", verdict.summary);
    }

    #[test]
    fn the_stacks_of_datadogs_samples_are_searched() {
        let methods = stack(&["java.util.ArrayList.grow", "shop.Cart.load"]);
        let fields = [("stackTrace", methods), ("objectClass", "shop.Item".into()), ("weight", 1.into())];
        let scene = (0..7i64).fold(Scene::new(), |scene, i| {
            let fields =
                |when: &str, mib: i64| [("gcId", i.into()), ("when", when.into()), ("heapUsed", (mib << 20).into())];
            let at = i * SECOND;
            let scene = scene.event("jdk.GCHeapSummary", at, at, fields("Before GC", 3_000));
            scene.event("jdk.GCHeapSummary", at + 1, at + 1, fields("After GC", 10))
        });
        let scene = scene.event("jdk.CPUInformation", 0, 0, [("hwThreads", 1.into())]);
        let verdict = scene.event("datadog.ObjectSample", 0, 0, fields).verdict(&AllocationRate);
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn it_is_quiet_on_a_healthy_program() {
        fixture::expect("AllocationRate", "healthy", Severity::Ok);
        fixture::expect("AllocationRate", "spin", Severity::Ok);
        fixture::expect("AllocationRate", "small-io", Severity::NotApplicable);
    }
}
