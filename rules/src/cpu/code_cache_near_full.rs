//! `CodeCacheNearFull`: the code cache is full or about to be.

use crate::tally::tally;
use jfr_analyzers::events::{Facts, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::{size_f64, things};

/// Whether the code cache is, or was, nearly full. Needs the `jdk.CodeCacheFull`, `jdk.JITRestart` and
/// `jdk.CodeCacheStatistics` tables (a few rows per chunk).
///
/// JMC's `CodeCache` applies only once the cache has filled up; this rule also warns before that happens. Fires on
/// `fixtures/scenarios/code-cache.jfr.gz`; quiet on `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeCacheNearFull;

const FULL: &str = "jdk.CodeCacheFull";
const RESTART: &str = "jdk.JITRestart";
const STATISTICS: &str = "jdk.CodeCacheStatistics";

struct Segment<'f> {
    name: &'f str,
    size: f64,
    free: f64,
    at: i64,
}

impl Segment<'_> {
    fn used(&self) -> f64 {
        1.0 - ratio(self.free, self.size)
    }
}

impl CodeCacheNearFull {
    /// Why it matters.
    const WHY: &str = "Without space for more code, the compilers stop or evict old code that has to be compiled \
                       again. Meanwhile hot methods run interpreted, many times slower.";
    /// What to do.
    const REMEDY: &str = "Raise -XX:ReservedCodeCacheSize (240 MiB by default with tiered compilation). If the cache \
                          fills up again, look for code that keeps generating classes.";
}

impl Rule for CodeCacheNearFull {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("CodeCacheNearFull")
            .title("Code cache nearly full")
            .category(Category::Cpu)
            .description("Whether the code cache is full or nearly full.")
            .formula(
                "A warning for any jdk.CodeCacheFull or jdk.JITRestart. Otherwise, for each segment in \
                      jdk.CodeCacheStatistics: 1 - lowest unallocatedCapacity / reserved size (reservedTopAddress - \
                      startAddress). 25 at `info`, 75 at `warning` for the fullest segment.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 80.0, "Segment use worth a look"),
                        Setting::percent("warning", 95.0, "Segment use to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .table_up_to(1_000, FULL, &["codeBlobType", "fullCount"])
            .table_up_to(1_000, RESTART, &["freedMemory", "codeCacheMaxCapacity"])
            .table(STATISTICS, &["codeBlobType", "startAddress", "reservedTopAddress", "unallocatedCapacity"])
            .table_up_to(1_000, "jdk.CodeCacheConfiguration", &["reservedSize"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let measured = measure(facts);
        if measured.happened() == 0 && measured.segments.is_empty() {
            let because = facts.missing_all(&[STATISTICS, FULL, RESTART], Level::Available);
            return Verdict::not_applicable(
                because.unwrap_or_else(|| format!("{STATISTICS} does not contain the size of the code cache")),
            );
        }
        verdict(&measured, settings)
    }
}

/// How full the code cache is.
struct Measured<'f> {
    /// How often it filled up, and how often the compilers were restarted because of that.
    full: u64,
    restarts: u64,
    /// When this happened first.
    first: Option<i64>,
    /// Bytes freed at restarts.
    freed: i64,
    /// The size of the code cache in bytes, if known.
    reserved: Option<f64>,
    segments: Vec<Segment<'f>>,
}

impl Measured<'_> {
    fn happened(&self) -> u64 {
        self.full.saturating_add(self.restarts)
    }
}

fn measure(facts: &Facts) -> Measured<'_> {
    let (full, restarts) = (facts.table(FULL), facts.table(RESTART));
    let reserved = facts.table("jdk.CodeCacheConfiguration").ints("reservedSize").max();
    Measured {
        full: full.seen(),
        restarts: restarts.seen(),
        first: full.first().or_else(|| restarts.first()).map(|e| e.start),
        freed: restarts.ints("freedMemory").fold(0, i64::saturating_add),
        reserved: reserved.map(|r| r as f64).filter(|r| *r > 0.0),
        segments: segments(facts),
    }
}

fn verdict(measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { first, freed, reserved, segments, .. } = measured;
    let fullest = segments.iter().max_by(|a, b| a.used().total_cmp(&b.used()));
    let verdict = match fullest {
        Some(fullest) if measured.happened() == 0 => {
            let score = map2(fullest.used() * 100.0, settings.number("info"), settings.number("warning"));
            let percent = fullest.used() * 100.0;
            Verdict::scored(score, format!("The fullest code cache segment ({}) is {percent:.0} % full", fullest.name))
                .cost(Cost::memory(fullest.used()))
                .with("fullest at", Value::instant(fullest.at))
        }
        _ => Verdict::warning(incidents(measured)).score(100.0).cost(Cost::memory(1.0)),
    };
    let rows =
        segments.iter().map(|s| [s.name.into(), Value::bytes(s.size), Value::bytes(s.free), Value::share(s.used())]);
    verdict
        .explain(CodeCacheNearFull::WHY)
        .remedy(CodeCacheNearFull::REMEDY)
        .with_some("reserved", reserved.map(Value::bytes))
        .with_some("first time", first.map(Value::instant))
        .with_some("freed at restarts", (*freed > 0).then(|| Value::bytes(*freed as f64)))
        .with("segments", Value::table(["segment", "size", "least free", "most used"], rows))
}

/// What happened, as a sentence.
fn incidents(measured: &Measured<'_>) -> String {
    let Measured { full, restarts, reserved, .. } = measured;
    let mut what = Vec::new();
    if *full > 0 {
        let size = reserved.map(|r| format!(" ({})", size_f64(r))).unwrap_or_default();
        what.push(format!("the code cache{size} filled up {}", things(*full, "time", "times")));
    }
    if *restarts > 0 {
        what.push(format!("the compilers were stopped and restarted {}", things(*restarts, "time", "times")));
    }
    let mut sentence = what.join(" and ");
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}

/// The code cache segments, each at its lowest free space.
fn segments(facts: &Facts) -> Vec<Segment<'_>> {
    let told = facts.table(STATISTICS).rows().filter_map(|row| {
        let (from, to) = (row.int("startAddress")?, row.int("reservedTopAddress")?);
        let (size, free) = (to.saturating_sub(from) as f64, row.int("unallocatedCapacity")? as f64);
        let name = row.text("codeBlobType").unwrap_or("code cache");
        // Some JDKs report the free space of the whole cache for each segment, which can exceed the segment's size.
        (size > 0.0 && free <= size).then_some(Segment { name, size, free, at: row.start })
    });
    let segments: Vec<(&str, Option<Segment<'_>>)> = tally(
        told,
        |s| s.name,
        |least: &mut Option<Segment<'_>>, segment| {
            if least.as_ref().is_none_or(|least| segment.free < least.free) {
                *least = Some(segment);
            }
        },
    );
    segments.into_iter().filter_map(|(_, segment)| segment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn scene(free: i64) -> Scene {
        let fields = [
            ("codeBlobType", "CodeCache".into()),
            ("startAddress", 0x1000.into()),
            ("reservedTopAddress", 0x1_1000.into()),
            ("unallocatedCapacity", free.into()),
        ];
        Scene::new().event(STATISTICS, 0, 0, fields)
    }

    #[test]
    fn a_full_cache_is_a_warning() {
        fixture::expect("CodeCacheNearFull", "scenarios/code-cache", Severity::Warning);
    }

    #[test]
    fn so_is_one_that_soon_will_be() {
        assert_eq!(scene(0x800).verdict(&CodeCacheNearFull).severity, Severity::Warning);
        assert_eq!(scene(0x2000).verdict(&CodeCacheNearFull).severity, Severity::Info);
    }

    #[test]
    fn a_restart_of_the_compilers_is_a_warning() {
        let scene = Scene::new().event(RESTART, 0, 0, [("freedMemory", 4_096.into())]);
        assert_eq!(scene.verdict(&CodeCacheNearFull).severity, Severity::Warning);
    }

    #[test]
    fn a_cache_with_room_is_fine() {
        fixture::expect("CodeCacheNearFull", "scenarios/healthy", Severity::Ok);
    }

    #[test]
    fn without_statistics_it_does_not_apply() {
        assert_eq!(Scene::new().verdict(&CodeCacheNearFull).severity, Severity::NotApplicable);
    }
}
