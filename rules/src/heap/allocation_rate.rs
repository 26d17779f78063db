//! `AllocationRate`: how much the program allocates, and how often that makes the collector run.

use std::collections::BTreeSet;

use super::allocation::{BY_CLASS, SAMPLE};
use crate::common::{amount, site_name, site_rows, sites, worst};
use crate::tally::{PerText, tally};
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};

/// Bytes allocated a second and core, and collections a second. Needs the lists of `jdk.GCHeapSummary` and
/// `jdk.GarbageCollection`.
///
/// Fires on `fixtures/scenarios/allocation-rate.jfr.gz` and, for a heap that is too small, on `heap-full`; quiet on `healthy` (too few
/// collections), `explicit-gc` (they are asked for) and `spin`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllocationRate;

const DATADOG: GroupBy =
    GroupBy::of(&["datadog.ObjectSample"]).by(&["objectClass", "stackTrace"]).measure(&["weight", "size"]);

/// Collections that it takes to judge.
const ENOUGH: usize = 5;
/// Causes of collections that are not for want of room.
const ASKED: [&str; 6] = ["System.gc", "Inspection", "Heap Dump", "Diagnostic Command", "Metadata", "JvmtiEnv"];

impl AllocationRate {
    /// Why it matters.
    const WHY: &str = "Allocation is cheap, but each byte has to be zeroed and pushes others out of the CPU's caches, and the more is allocated, the \
             more often the collector stops the program, and the more objects survive only because they are young.";
    /// What to do.
    const REMEDY: &str = "Give the heap, or its young generation, more room (-Xmx, -Xmn): collections then come less often. See HeapFull, as \
                 a heap that is full is collected all the time. Then look at who allocates most (`jfrkit top --type alloc`).";
}

impl Rule for AllocationRate {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "High allocation rate",
            category: Category::Heap,
            description: "How many bytes the program allocates a second and core, and how often that makes the collector run.",
            formula: "Sum over collections of heap used before it less heap used after the one before, over the time between, over the \
                      hardware threads (jdk.GCHeapSummary, jdk.CPUInformation): 25 at `info`, 75 at `warning`. Collections a second for want \
                      of room, not those asked for: 25 at `collections-info`, 75 at `collections-warning`, where their pauses \
                      (jdk.GarbageCollection) take `pauses` of the time or more. The worse counts; at least 5 collections. Own \
                      thresholds.",
            settings: const {
                &[
                    Setting::bytes("info", 268_435_456.0, "Bytes a second and core that are worth a look"),
                    Setting::bytes("warning", 1_073_741_824.0, "Bytes a second and core to act on"),
                    Setting::per_second("collections-info", 1.0, "Collections a second that are worth a look"),
                    Setting::per_second("collections-warning", 5.0, "Collections a second to act on"),
                    Setting::percent(
                        "pauses",
                        1.0,
                        "Share of time in their pauses from which collections a second count",
                    ),
                ]
            },
            why: Self::WHY,
            remedy: Self::REMEDY,
            ..RuleInfo::own("AllocationRate")
        }
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .available("jdk.GCHeapSummary")
            .table("jdk.GCHeapSummary", &["gcId", "when", "heapUsed"])
            .table("jdk.GarbageCollection", &["gcId", "cause", "sumOfPauses"])
            .groups(BY_CLASS)
            .groups(DATADOG)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let (mut allocated, mut collections, mut after): (f64, usize, Option<(i64, f64)>) = (0.0, 0, None);
        let (mut from, mut to) = (None, 0);
        let table = facts.table("jdk.GarbageCollection");
        let (mut asked, mut paused): (BTreeSet<i64>, f64) = (BTreeSet::new(), 0.0);
        let mut causes = PerText::default();
        for row in table.rows() {
            let is_asked = |cause: &str| ASKED.iter().any(|a| cause.contains(a));
            if row.text("cause").is_some_and(|cause| *causes.get(cause, is_asked)) {
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
        let seconds = from.map_or(0.0, |from| (to - from) as f64 / 1e9);
        if collections < ENOUGH || seconds < 1.0 {
            return Verdict::ok("Too few collections for the program to allocate much")
                .with("collections", Value::count(collections as u64, "collections"));
        }
        let cores = facts.hardware_threads().unwrap_or(1).max(1) as f64;
        let rate = ratio(allocated, seconds);
        let per_core = rate / cores;
        let often = ratio(for_room as f64, seconds);
        let paused = ratio(paused, facts.nanos() as f64);
        let by_rate = map2(per_core, settings.number("info"), settings.number("warning"));
        let by_often = if table.is_empty() || paused * 100.0 >= settings.number("pauses") {
            map2(often, settings.number("collections-info"), settings.number("collections-warning"))
        } else {
            0.0
        };
        let groups: Vec<_> = match facts.count(SAMPLE) {
            0 => facts.groups(&BY_CLASS).by(&[1, 2]),
            // Never both: they tell of the same bytes.
            _ => facts.groups(&BY_CLASS).select(&[1, 2], |g| g.text(0) == Some(SAMPLE)),
        };
        let groups = if groups.is_empty() { facts.groups(&DATADOG).by(&[0, 1]) } else { groups };
        let places = sites(facts, groups.clone(), 1);
        let total: f64 = groups.iter().map(|g| g.sum(0)).sum();
        let mut classes: Vec<(&str, f64)> =
            tally(&groups, |g| g.text(0).unwrap_or("unknown class"), |sum, g| *sum += g.sum(0));
        classes.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let most = places.first().map(|p| format!(", most in {}", site_name(facts, p))).unwrap_or_default();
        let small = by_often >= Severity::INFO_SCORE && by_often > by_rate;
        let verdict = if small {
            Verdict::scored(
                by_often,
                format!(
                    "{often:.1} collections a second, for {} of allocation a second{most}; the program stands still for {:.1} % \
                     of the time",
                    amount(rate),
                    paused * 100.0
                ),
            )
            .remedy(
                AllocationRate::REMEDY,
            )
        } else {
            Verdict::scored(
                worst([by_rate, by_often]),
                format!("The program allocates {} a second{most}; {often:.1} collections a second", amount(rate)),
            )
            .remedy(
                "Look at who allocates most (jfrkit top --type alloc): reuse buffers, avoid copies, boxing and temporary collections, parse streams \
                 rather than whole texts. A larger young generation (-Xmn, or a larger heap) makes collections rarer.",
            )
        };
        let verdict = if small && paused > 0.0 { verdict.cost(Cost::elapsed(paused)) } else { verdict };
        verdict
            .explain(AllocationRate::WHY)
            .with("allocated a second", Value::bytes(rate))
            .with("allocated a second and core", Value::bytes(per_core))
            .with("hardware threads", Value::number(cores, "threads"))
            .with("collections", Value::count(collections as u64, "collections"))
            .with("collections a second for want of room", Value::number(often, "per second"))
            .with("share of time in their pauses", Value::share(paused))
            .with_some(
                "classes",
                (!classes.is_empty()).then(|| {
                    Value::table(
                        ["class", "share"],
                        classes.iter().take(10).map(|(name, sum)| [(*name).into(), Value::share(ratio(*sum, total))]),
                    )
                }),
            )
            .with_some(
                "where",
                (!places.is_empty()).then(|| site_rows(facts, &places, |s| s.sum, |w| Value::share(ratio(w, total)))),
            )
            .with_some(
                "who allocates",
                places.is_empty().then(|| format!("not recorded; switch on {SAMPLE}#enabled=true")),
            )
    }
}

#[cfg(test)]
mod tests {
    use crate::common::fixture;
    use crate::support;
    use jfr_analyzers::rule::Severity;

    #[test]
    fn it_fires_on_much_garbage() {
        let verdict = fixture::expect("AllocationRate", "allocation-rate", Severity::Warning);
        assert!(verdict.summary.contains("most in fx.Scenarios.allocateRows"), "{}", verdict.summary);
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
        let verdict = support::fixture::corpus("AllocationRate", "public/btraceio+jafar/tck-test.jfr");
        assert!(verdict.is_none_or(|v| v.is_finding() && v.summary.contains("most in com.datadog.")));
    }

    #[test]
    fn it_is_quiet_on_a_healthy_program() {
        fixture::expect("AllocationRate", "healthy", Severity::Ok);
        fixture::expect("AllocationRate", "spin", Severity::Ok);
        fixture::expect("AllocationRate", "small-io", Severity::NotApplicable);
    }
}
