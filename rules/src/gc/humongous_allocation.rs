//! `HumongousAllocation`: objects that occupy whole G1 regions.

use crate::cost;
use crate::heap::allocation::{BY_CLASS, SAMPLE};
use crate::sites::{Site, site_name, site_rows, sites};
use crate::tally::tally;
use crate::time::minutes;
use jfr_analyzers::events::{EVENT, Facts, Group, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::size_f64;

/// G1 collections triggered by humongous objects. Needs the first thousand of `jdk.G1HeapRegionTypeChange`.
///
/// Fires on `fixtures/scenarios/humongous.jfr.gz`; quiet on `healthy`; does not apply to `allocation-rate` (serial
/// collector).
#[derive(Debug, Clone, Copy)]
pub(crate) struct HumongousAllocation;

const BY_CAUSE: GroupBy = GroupBy::of(&["jdk.GarbageCollection"]).by(&["cause"]).measure(&["sumOfPauses", "duration"]);
const REGIONS: GroupBy = GroupBy::of(&["jdk.G1HeapRegionTypeChange"]).by(&["to"]);
const SIZE: &str = "allocationSize|size";
const LARGE: GroupBy = GroupBy::of(&["jdk.ObjectAllocationOutsideTLAB", "jdk.AllocationRequiringGC"])
    .by(&[EVENT, "objectClass", "stackTrace"])
    .measure(&[SIZE]);

const MIB: f64 = 1024.0 * 1024.0;
/// Minimum number of collections triggered by humongous objects.
const ENOUGH: u64 = 3;

impl HumongousAllocation {
    /// Why it matters.
    const WHY: &str = "An object of half a region or more bypasses the young generation: it takes whole regions of \
        the old generation, wastes the rest of the last one, starts marking cycles early, and needs contiguous free \
        regions.";
    /// What to do.
    const REMEDY: &str = "Allocate smaller pieces (chunks instead of one large array, presized collections, streams \
        instead of whole documents), reuse large buffers, or increase the region size with -XX:G1HeapRegionSize (up \
        to 32 MiB; a power of two over twice the size of the object).";
}

impl Rule for HumongousAllocation {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("HumongousAllocation")
            .title("Humongous objects")
            .category(Category::Gc)
            .description("Whether objects of half a G1 region or more trigger collections.")
            .formula(
                "The share of collections whose cause mentions humongous allocation, if there are at least 3: 25 \
                      at `info`, 75 at `warning`. The evidence shows where objects of at least half a region are \
                      allocated (ObjectAllocationOutsideTLAB, AllocationRequiringGC), or else where most array bytes \
                      are allocated (ObjectAllocationSample), and counts the regions. The thresholds are jfrkit's \
                      own.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 5.0, "Share of collections that is worth a look"),
                        Setting::percent("warning", 25.0, "Share of collections to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .enabled("jdk.GarbageCollection")
            .table_up_to(1_000, "jdk.G1HeapRegionTypeChange", &["index", "start"])
            .groups(BY_CAUSE)
            .groups(REGIONS)
            .groups(BY_CLASS)
            .groups(LARGE)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if let Some(collector) = facts.old_collector()
            && !collector.starts_with("G1")
        {
            return Verdict::not_applicable(format!("only G1 has humongous objects; the collector is {collector}"));
        }
        verdict(facts, &measure(facts), settings)
    }
}

/// Humongous objects, and the collections that they trigger.
struct Measured<'f> {
    collections: u64,
    /// Collections triggered by humongous objects, and their pauses in nanoseconds.
    humongous: u64,
    pauses: f64,
    /// In bytes.
    region: Option<f64>,
    /// Humongous objects per minute, if G1 reports changes of its regions.
    per_minute: Option<f64>,
    /// Where humongous objects are allocated, and of which classes: objects and bytes, the most bytes first.
    places: Vec<Site>,
    classes: Vec<(&'f str, (u64, f64))>,
    /// Where most arrays are allocated, if nothing is known of humongous ones.
    arrays: Vec<Site>,
}

impl Measured<'_> {
    /// The percentage of collections triggered by humongous objects.
    fn percent(&self) -> f64 {
        ratio(self.humongous as f64, self.collections as f64) * 100.0
    }
}

fn measure(facts: &Facts) -> Measured<'_> {
    let (mut collections, mut humongous, mut pauses) = (0u64, 0u64, 0.0);
    for group in facts.groups(&BY_CAUSE).iter() {
        collections = collections.saturating_add(group.count());
        if group.text("cause").is_some_and(|cause| cause.to_lowercase().contains("humongous")) {
            humongous = humongous.saturating_add(group.count());
            pauses += group.sum("sumOfPauses");
        }
    }
    let region = region_size(facts);
    let large = facts
        .groups(&LARGE)
        .select(&["objectClass", "stackTrace"], |g| region.is_some_and(|r| g.mean(SIZE) >= r / 2.0));
    let mut classes: Vec<(&str, (u64, f64))> = tally(
        &large,
        |group| group.text("objectClass").unwrap_or("unknown class"),
        |(count, sum): &mut (u64, f64), group| {
            (*count, *sum) = (count.saturating_add(group.count()), *sum + group.sum(SIZE))
        },
    );
    classes.sort_by(|a, b| b.1.1.total_cmp(&a.1.1));
    let places = sites(facts, large);
    let starts = facts.groups(&REGIONS).select(&[], |g| g.text("to").is_some_and(|t| t.contains("Starts Humongous")));
    Measured {
        collections,
        humongous,
        pauses,
        region,
        per_minute: starts.first().map(|g| g.count() as f64 / minutes(facts)),
        arrays: if humongous > 0 && places.is_empty() { sampled_arrays(facts) } else { Vec::new() },
        places,
        classes,
    }
}

/// Where most arrays are allocated. Allocation samples contain no object sizes; humongous objects are arrays and have a
/// large weight.
fn sampled_arrays(facts: &Facts) -> Vec<Site> {
    let is_array =
        |g: &Group<'_>| g.text(EVENT) == Some(SAMPLE) && g.text("objectClass").is_some_and(|c| c.ends_with("[]"));
    sites(facts, facts.groups(&BY_CLASS).select(&["objectClass", "stackTrace"], is_array))
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { collections, humongous, pauses, places, arrays, .. } = measured;
    let percent = measured.percent();
    let score = match humongous {
        0 => 0.0,
        n if *n < ENOUGH => map2(percent, settings.number("info"), settings.number("warning")).min(24.0),
        _ => map2(percent, settings.number("info"), settings.number("warning")),
    };
    let mut summary = if *humongous == 0 {
        "Humongous objects triggered no collection".to_owned()
    } else {
        format!("Humongous objects triggered {humongous} of {collections} collections")
    };
    if score >= 25.0
        && let Some(name) = places.first().and_then(|place| site_name(facts, place))
    {
        summary.push_str(&format!("; most are allocated in {name}"));
    }
    Verdict::scored(score, summary)
        .explain(HumongousAllocation::WHY)
        .remedy(HumongousAllocation::REMEDY)
        .cost(cost::paused(facts, *pauses))
        .with("share of collections", Value::percent(percent))
        .with("collections caused", Value::count(*humongous, "collections"))
        .with("pauses", Value::nanos_f64(*pauses))
        .with_some("region size", measured.region.map(Value::bytes))
        .with_some("humongous objects per minute", measured.per_minute.map(|n| Value::number(n, "per minute")))
        .with_some("classes", (!measured.classes.is_empty()).then(|| class_table(measured)))
        .with_some("where", (!places.is_empty()).then(|| site_rows(facts, places, |s| s.sum, Value::bytes)))
        .with_some(
            "where most arrays of all sizes are allocated",
            (!arrays.is_empty()).then(|| site_rows(facts, arrays, |s| s.sum, Value::bytes)),
        )
        .with_some(
            "who allocates them",
            (*humongous > 0 && places.is_empty())
                .then_some("not recorded; enable jdk.AllocationRequiringGC#enabled=true with stackTrace=true"),
        )
}

fn class_table(measured: &Measured<'_>) -> Value {
    let rows = measured.classes.iter().take(10).map(|(name, (count, sum))| {
        let mean = ratio(*sum, *count as f64);
        [(*name).into(), Value::count(*count, "objects"), Value::bytes(*sum), size_f64(mean).into()]
    });
    Value::table(["class", "objects", "bytes", "mean size"], rows)
}

/// The region size: as configured, as derived from the addresses of two regions, or as G1 would choose it for the heap.
fn region_size(facts: &Facts) -> Option<f64> {
    if let Some(flag) = facts.flag("G1HeapRegionSize").int().filter(|n| *n > 0) {
        return Some(flag as f64);
    }
    let mut changes = facts.table("jdk.G1HeapRegionTypeChange").rows();
    let place = |row: &jfr_analyzers::events::Event<'_>| Some((row.int("index")?, row.int("start")?));
    if let Some((index, start)) = changes.next().as_ref().and_then(place)
        && let Some((other, there)) = changes.filter_map(|r| place(&r)).find(|(i, _)| *i != index)
    {
        let size = ratio(there.saturating_sub(start) as f64, other.saturating_sub(index) as f64);
        if size >= MIB {
            return Some(size);
        }
    }
    let wanted = (facts.max_heap()? as f64 / 2_048.0).clamp(MIB, 32.0 * MIB);
    Some(wanted.log2().floor().exp2())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use jfr_analyzers::rule::Severity;

    #[test]
    fn it_fires_when_large_arrays_cause_all_collections() {
        let verdict = fixture::expect("HumongousAllocation", "humongous", Severity::Info);
        assert_eq!(verdict.evidence.get("region size"), Some(&Value::bytes(MIB)));
    }

    #[test]
    fn it_is_quiet_elsewhere() {
        fixture::expect("HumongousAllocation", "healthy", Severity::Ok);
        fixture::expect("HumongousAllocation", "allocation-rate", Severity::NotApplicable);
    }
}
