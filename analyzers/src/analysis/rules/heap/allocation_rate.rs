//! `AllocationRate`: how much the program allocates, and how often that makes the collector run.

use super::allocation::{BY_CLASS, SAMPLE};
use crate::analysis::math::{map2, ratio};
use crate::analysis::rules::common::{amount, site_rows, sites, worst};
use crate::analysis::{Category, Facts, GroupBy, Needs, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// Bytes allocated a second and core, and collections a second. Needs the list of `jdk.GCHeapSummary`.
///
/// Fires on `fixtures/scenarios/allocation-rate.jfr.gz`; quiet on `healthy` (too few collections) and `serialization`.
#[derive(Debug, Clone, Copy)]
pub struct AllocationRate;

const DATADOG: GroupBy =
    GroupBy::of(&["datadog.ObjectSample"]).by(&["objectClass", "stackTrace"]).measure(&["weight", "size"]);

/// Collections that it takes to judge.
const ENOUGH: usize = 5;

impl Rule for AllocationRate {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "Rate of allocation",
            category: Category::Heap,
            description: "How many bytes the program allocates a second and core, and how often that makes the collector run.",
            formula: "Sum over collections of heap used before it less heap used after the one before, over the time between, over the \
                      hardware threads (jdk.GCHeapSummary, jdk.CPUInformation): 25 at `info`, 75 at `warning`. Collections a second: 25 \
                      at `collections-info`, 75 at `collections-warning`. The worse counts; at least 5 collections. Own thresholds.",
            settings: const {
                &[
                    Setting::bytes("info", 268_435_456.0, "Bytes a second and core that are worth a look"),
                    Setting::bytes("warning", 1_073_741_824.0, "Bytes a second and core to act on"),
                    Setting::per_second("collections-info", 1.0, "Collections a second that are worth a look"),
                    Setting::per_second("collections-warning", 5.0, "Collections a second to act on"),
                ]
            },
            ..RuleInfo::own("AllocationRate")
        }
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .available("jdk.GCHeapSummary")
            .table("jdk.GCHeapSummary", &["gcId", "when", "heapUsed"])
            .groups(BY_CLASS)
            .groups(DATADOG)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let (mut allocated, mut collections, mut after): (f64, usize, Option<(i64, f64)>) = (0.0, 0, None);
        let (mut from, mut to) = (None, 0);
        for row in facts.table("jdk.GCHeapSummary").rows() {
            let Some(used) = row.float("heapUsed") else { continue };
            if row.text("when").is_some_and(|w| w.starts_with("Before")) {
                if let Some((at, before)) = after.take() {
                    from = from.or(Some(at));
                    to = row.start;
                    allocated += (used - before).max(0.0);
                    collections = collections.saturating_add(1);
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
        let often = ratio(collections as f64, seconds);
        let by_rate = map2(per_core, settings.number("info"), settings.number("warning"));
        let by_often = map2(often, settings.number("collections-info"), settings.number("collections-warning"));
        let groups: Vec<_> = match facts.count(SAMPLE) {
            0 => facts.groups(&BY_CLASS).by(&[1, 2]),
            // Never both: they tell of the same bytes.
            _ => facts.groups(&BY_CLASS).select(&[1, 2], |g| g.text(0) == Some(SAMPLE)),
        };
        let groups = if groups.is_empty() { facts.groups(&DATADOG).by(&[0, 1]) } else { groups };
        let places = sites(facts, groups.clone(), 1);
        let total: f64 = groups.iter().map(|g| g.sum(0)).sum();
        let mut classes: std::collections::BTreeMap<&str, f64> = std::collections::BTreeMap::new();
        for group in &groups {
            *classes.entry(group.text(0).unwrap_or("unknown class")).or_default() += group.sum(0);
        }
        let mut classes: Vec<(&str, f64)> = classes.into_iter().collect();
        classes.sort_by(|a, b| b.1.total_cmp(&a.1));
        Verdict::scored(
            worst([by_rate, by_often]),
            format!("The program allocates {} a second; {often:.1} collections a second", amount(rate)),
        )
        .explain(
            "Allocation is cheap, but each byte has to be zeroed and pushes others out of the CPU's caches, and the more is allocated, the \
             more often the collector stops the program, and the more objects survive only because they are young.",
        )
        .remedy(
            "Look at who allocates most (below): reuse buffers, avoid copies, boxing and temporary collections, parse streams rather than \
             whole texts. A larger young generation (-Xmn, or a larger heap) makes collections rarer.",
        )
        .with("rate", Value::bytes(rate))
        .with("rate per core", Value::bytes(per_core))
        .with("hardware threads", Value::number(cores, "threads"))
        .with("collections", Value::count(collections as u64, "collections"))
        .with("collections a second", Value::number(often, "per second"))
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
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::Severity;
    use crate::analysis::rules::common::fixture;

    #[test]
    fn it_fires_on_much_garbage() {
        let verdict = fixture::expect("AllocationRate", "allocation-rate", Severity::Warning);
        assert!(fixture::text(&verdict).contains("allocateRows"), "{verdict:#?}");
    }

    #[test]
    fn it_is_quiet_on_a_healthy_program() {
        fixture::expect("AllocationRate", "healthy", Severity::Ok);
        fixture::expect("AllocationRate", "spin", Severity::Ok);
        fixture::expect("AllocationRate", "small-io", Severity::NotApplicable);
    }
}
