//! `MetaspaceChurn`: class loaders pile up, or metaspace runs short.

use std::collections::BTreeMap;

use crate::cost;
use crate::series::highest;
use crate::time::{SECOND, warmed_up};
use jfr_analyzers::events::{Facts, Group, GroupBy, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::things;

/// Class loaders of one class, and the classes they load, whose number keeps growing. Needs the list of
/// `jdk.ClassLoaderStatistics`.
///
/// Fires on `fixtures/scenarios/metaspace-leak.jfr.gz`; quiet on `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MetaspaceChurn;

const CAUSES: GroupBy = GroupBy::of(&["jdk.GarbageCollection"]).by(&["cause"]).measure(&["sumOfPauses"]);

/// The statistics of all loaders are written back to back; a gap of this length separates two batches.
const GAP: i64 = SECOND / 20;
/// Minimum number of batches to detect growth.
const ENOUGH: usize = 3;

/// Loaders of one class, per batch.
#[derive(Debug, Default)]
struct Kind {
    /// Number of loaders and classes by batch.
    batches: BTreeMap<usize, (f64, f64)>,
    hidden: f64,
}

impl MetaspaceChurn {
    fn kinds(facts: &Facts) -> (BTreeMap<&str, Kind>, usize) {
        let mut kinds: BTreeMap<&str, Kind> = BTreeMap::new();
        let (mut batch, mut before) = (0usize, i64::MIN);
        for row in facts.table("jdk.ClassLoaderStatistics").rows() {
            if before != i64::MIN && row.start.saturating_sub(before) > GAP {
                batch = batch.saturating_add(1);
            }
            before = row.start;
            let hidden = row.float("hiddenClassCount|anonymousClassCount").unwrap_or(0.0);
            let kind = kinds.entry(row.text("classLoader.type").unwrap_or("bootstrap")).or_default();
            let (loaders, classes) = kind.batches.entry(batch).or_default();
            *loaders += 1.0;
            *classes += row.float("classCount").unwrap_or(0.0) + hidden;
            kind.hidden += hidden;
        }
        (kinds, if before == i64::MIN { 0 } else { batch.saturating_add(1) })
    }
}

impl MetaspaceChurn {
    /// Why it matters.
    const WHY: &str = "A class loader and all its classes stay loaded as long as any of its classes or their objects \
        is reachable. Loaders that are created repeatedly (for redeployed applications, scripts, proxies, \
        serializers) and retained by a single reference fill metaspace. Metaspace then triggers collections even if \
        the heap is empty.";
    /// What to do.
    const REMEDY: &str = "Find what retains the loaders in a heap dump (paths from the GC roots to the loader; often \
        a thread, a ThreadLocal, a class cache, a registered driver). Create one loader and reuse it, and cache \
        generated classes. jdk.ClassDefine events show which code defines classes.";
}

impl Rule for MetaspaceChurn {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("MetaspaceChurn")
            .title("Class loader leak")
            .category(Category::Classes)
            .description(
                "Whether class loaders of the same class, or the classes they load, only ever increase in \
                          number, and whether metaspace runs short.",
            )
            .formula(
                "For each loader class whose number of loaders (or of classes) rises from each \
                      jdk.ClassLoaderStatistics batch to the next, with at least 3 batches: the growth from first to \
                      last, 25 at `loaders-info` (`classes-info`), 75 at `loaders-warning` (`classes-warning`). For \
                      the loaders that the JDK creates for reflection, only the classes count. \
                      jdk.MetaspaceAllocationFailure events later than 60 s after JVM start: 25 at `failures-info`, \
                      75 at `failures-warning`; earlier ones only mean that metaspace grows to its normal size. The \
                      cost is the share of the process's memory that the growing loaders take, or of the time in \
                      collections that metaspace causes. The thresholds are jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::count("loaders-info", 10.0, "Additional loaders of one class that are worth a look"),
                        Setting::count("loaders-warning", 50.0, "Additional loaders of one class to act on"),
                        Setting::count("classes-info", 1_000.0, "Additional classes that are worth a look"),
                        Setting::count("classes-warning", 10_000.0, "Additional classes to act on"),
                        Setting::count("failures-info", 1.0, "Failed allocations that are worth a look"),
                        Setting::count("failures-warning", 3.0, "Failed allocations to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::class_needs(Needs::new())
            .table(
                "jdk.ClassLoaderStatistics",
                &["classLoader.type", "classCount", "hiddenClassCount|anonymousClassCount"],
            )
            .table_up_to(1_000, "jdk.MetaspaceAllocationFailure", &["classLoader.type", "size"])
            .groups(CAUSES)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if let Some(because) =
            facts.missing_all(&["jdk.ClassLoaderStatistics", "jdk.MetaspaceAllocationFailure"], Level::Enabled)
        {
            return Verdict::not_applicable(because);
        }
        verdict(facts, &measure(facts, settings), settings)
    }
}

/// Class loaders that become more, and metaspace that runs short.
struct Measured<'f> {
    batches: usize,
    /// Classes of loaders whose number only increases, the worst first.
    growing: Vec<Growing<'f>>,
    /// The share of all loaded classes that the growing loaders have, 0 to 1.
    share: f64,
    /// Failed allocations after the JVM's start, and all.
    late: u64,
    failures: u64,
    /// Collections that metaspace triggered.
    forced: Option<Group<'f>>,
}

/// Loaders of one class that become more.
struct Growing<'f> {
    name: &'f str,
    /// Additional loaders, and additional classes that they load.
    loaders: f64,
    classes: f64,
    score: f64,
}

impl<'f> Growing<'f> {
    fn of(name: &'f str, kind: &Kind, batches: usize, settings: &Settings) -> Self {
        let grown = |pick: fn(&(f64, f64)) -> f64| {
            let values: Vec<f64> = (0..batches).map(|b| kind.batches.get(&b).map_or(0.0, pick)).collect();
            let always = values.iter().zip(values.iter().skip(1)).all(|(a, b)| b > a);
            let growth = values.last().copied().unwrap_or(0.0) - values.first().copied().unwrap_or(0.0);
            if always { growth } else { 0.0 }
        };
        let (loaders, classes) = (grown(|b| b.0), grown(|b| b.1));
        // The JDK creates one loader for each method that is often called by reflection: their number is bounded.
        let by_design = name.ends_with(".reflect.DelegatingClassLoader");
        let counted = if by_design { 0.0 } else { loaders };
        let score = highest([
            map2(counted, settings.number("loaders-info"), settings.number("loaders-warning")),
            map2(classes, settings.number("classes-info"), settings.number("classes-warning")),
        ]);
        Self { name, loaders, classes, score }
    }
}

fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Measured<'f> {
    let (kinds, batches) = MetaspaceChurn::kinds(facts);
    let mut growing: Vec<Growing<'_>> = kinds
        .iter()
        .filter(|(_, kind)| batches >= ENOUGH && kind.batches.len() >= ENOUGH)
        .map(|(name, kind)| Growing::of(name, kind, batches, settings))
        .filter(|growing| growing.score > 0.0)
        .collect();
    growing.sort_by(|a, b| b.score.total_cmp(&a.score));
    // The classes of these loaders in the last batch, as ClassLeak counts them.
    let count = |kind: &Kind| kind.batches.last_key_value().map_or(0.0, |(_, (_, classes))| *classes);
    let part: f64 = growing.iter().filter_map(|growing| kinds.get(growing.name)).map(count).sum();
    // At JVM startup, metaspace grows to its normal size, and allocations fail at each threshold on the way.
    let warm = warmed_up(facts);
    let failures = facts.table("jdk.MetaspaceAllocationFailure");
    Measured {
        batches,
        growing,
        share: if part > 0.0 { ratio(part, kinds.values().map(count).sum()) } else { 0.0 },
        late: failures.rows().filter(|r| r.start >= warm).count() as u64,
        failures: failures.seen(),
        forced: facts.groups(&CAUSES).select(&[], |g| g.text("cause").is_some_and(|c| c.contains("Metadata"))).pop(),
    }
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { batches, growing, share, late, failures, forced } = measured;
    let by_failures = map2(*late as f64, settings.number("failures-info"), settings.number("failures-warning"));
    let score = highest([growing.first().map_or(0.0, |growing| growing.score), by_failures]);
    let summary = match growing.first() {
        Some(Growing { name, loaders, classes, score }) if *score >= by_failures => format!(
            "Class loaders pile up: {loaders:.0} more {name} with {classes:.0} more classes by the end of the recording"
        ),
        _ if *late > 0 => format!("Metaspace ran short: {}", things(*late, "allocation failed", "allocations failed")),
        _ if *batches < ENOUGH => {
            "Metaspace did not run short; too few statistics to see whether class loaders pile up".to_owned()
        }
        _ => "No class loaders pile up".to_owned(),
    };
    let memory = if *share > 0.0 { cost::classes(facts, *share) } else { None };
    let pauses = cost::paused(facts, forced.as_ref().map_or(0.0, |g| g.sum("sumOfPauses")));
    // A leak keeps growing, so what it costs at the end is only an estimate.
    let grows = memory.is_some_and(|memory| pauses.is_none_or(|pauses| memory.share >= pauses.share));
    let verdict = Verdict::scored(score, summary);
    let verdict = if grows { verdict.estimate(memory) } else { verdict.cost(pauses) };
    let rows = growing.iter().take(10).map(|Growing { name, loaders, classes, .. }| {
        [(*name).into(), Value::number(*loaders, "loaders"), Value::number(*classes, "classes")]
    });
    let table =
        (!growing.is_empty()).then(|| Value::table(["class of the loaders", "more loaders", "more classes"], rows));
    verdict
        .explain(MetaspaceChurn::WHY)
        .remedy(MetaspaceChurn::REMEDY)
        .with("batches of statistics", Value::count(*batches as u64, "batches"))
        .with_some("growing", table)
        .with("failed allocations", Value::count(*failures, "allocations"))
        .with("of them after the first minute", Value::count(*late, "allocations"))
        .with_some("collections for metaspace", forced.as_ref().map(|g| Value::count(g.count(), "collections")))
        .with_some("their pauses", forced.as_ref().map(|g| Value::nanos_f64(g.sum("sumOfPauses"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn it_fires_on_loaders_that_are_kept() {
        fixture::expect("MetaspaceChurn", "metaspace-leak", Severity::Warning);
    }

    #[test]
    fn reflection_makes_loaders_by_design() {
        let judge = |loader: &str| {
            let one = |scene: Scene, at: i64| {
                let fields = [("classLoader.type", loader.into()), ("classCount", 1.into())];
                scene.event("jdk.ClassLoaderStatistics", at, at, fields)
            };
            let batch = |scene: Scene, n: i64| (0..n * 40).fold(scene, |s, i| one(s, n * SECOND + i));
            (1..=3).fold(Scene::new(), batch).verdict(&MetaspaceChurn).severity
        };
        assert_eq!(judge("jdk.internal.reflect.DelegatingClassLoader"), Severity::Ok);
        assert_eq!(judge("shop.ScriptLoader"), Severity::Warning);
    }

    #[test]
    fn it_fires_on_late_failures() {
        let at = |seconds: i64| {
            Scene::new()
                .event("jdk.JVMInformation", 0, 0, [("jvmStartTime", 1.into())])
                .event("jdk.MetaspaceAllocationFailure", seconds * SECOND, seconds * SECOND, [("size", 8.into())])
                .verdict(&MetaspaceChurn)
                .severity
        };
        assert_eq!(at(100), Severity::Info);
        assert_eq!(at(10), Severity::Ok);
    }

    #[test]
    fn it_is_quiet_on_a_healthy_program() {
        fixture::expect("MetaspaceChurn", "healthy", Severity::Ok);
        fixture::expect("MetaspaceChurn", "spin", Severity::NotApplicable);
    }
}
