//! `CodeCache`: the code cache fills up.

use std::collections::BTreeMap;

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units;

/// Whether the code cache runs out of space. Needs the `jdk.CodeCacheStatistics` table, a few rows per chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeCache;

impl CodeCache {
    /// Why it matters.
    const WHY: &str =
        "When the code cache is full, the JVM discards compiled code or stops compiling, and the program slows down.";
    /// What to do.
    const REMEDY: &str = "Raise -XX:ReservedCodeCacheSize.";
}

impl Rule for CodeCache {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("CodeCache")
            .title("Code cache")
            .category(Category::Cpu)
            .description("Whether the code cache is full.")
            .formula(
                "A warning if there is any jdk.CodeCacheFull event. Otherwise the fill level of the fullest \
                      segment (or of the whole cache if it is not segmented): 25 at `info`, 75 at `warning`.",
            )
            .unlike_jmc(
                "JMC requires a jdk.CodeCacheFull event, so it never reports on a healthy recording and its \
                          thresholds of 50 and 80 % were never exercised. This rule uses 80 and 95 %.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 80.0, "Fill level worth a look"),
                        Setting::percent("warning", 95.0, "Fill level to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .table("jdk.CodeCacheConfiguration", &["reservedSize", "nonNMethodSize", "profiledSize", "nonProfiledSize"])
            .table("jdk.CodeCacheStatistics", &["codeBlobType", "unallocatedCapacity"])
            .table("jdk.CodeCacheFull", &["codeBlobType", "unallocatedCapacity"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let full = facts.count("jdk.CodeCacheFull");
        match measure(facts) {
            None if full > 0 => found(full),
            None => Verdict::not_applicable("the recording does not contain the code cache size"),
            Some(segments) if full > 0 => found(full).with("segments", segment_table(&segments)),
            Some(segments) => verdict(&segments, settings),
        }
    }
}

/// A segment of the code cache.
struct Segment<'f> {
    name: &'f str,
    /// The highest share in use, 0 to 1.
    fill: f64,
    /// In bytes.
    size: f64,
}

/// `None` if the size of the code cache is unknown.
fn measure(facts: &Facts) -> Option<Vec<Segment<'_>>> {
    let sizes = facts.table("jdk.CodeCacheConfiguration").last()?;
    let size = |field: &str| sizes.float(field).filter(|s| *s > 0.0);
    let mut least: BTreeMap<&str, f64> = BTreeMap::new();
    for row in facts.table("jdk.CodeCacheStatistics").rows() {
        let Some(free) = row.float("unallocatedCapacity") else { continue };
        let segment = least.entry(row.text("codeBlobType").unwrap_or("all")).or_insert(f64::INFINITY);
        *segment = segment.min(free);
    }
    let segments = least.into_iter().filter_map(|(name, free)| {
        let size = match name {
            "CodeHeap 'non-nmethods'" => size("nonNMethodSize"),
            "CodeHeap 'profiled nmethods'" => size("profiledSize"),
            "CodeHeap 'non-profiled nmethods'" => size("nonProfiledSize"),
            _ => None,
        };
        let size = size.or_else(|| sizes.float("reservedSize"))?;
        Some(Segment { name, fill: 1.0 - ratio(free, size), size })
    });
    Some(segments.collect())
}

fn verdict(segments: &[Segment<'_>], settings: &Settings) -> Verdict {
    let Some(Segment { name, fill, .. }) = segments.iter().max_by(|a, b| a.fill.total_cmp(&b.fill)) else {
        return Verdict::not_applicable("the recording has no code cache statistics");
    };
    Verdict::scored(
        map2(fill * 100.0, settings.number("info"), settings.number("warning")),
        format!("The fullest code cache segment is {:.0} % full: {name}", fill * 100.0),
    )
    .explain(CodeCache::WHY)
    .remedy(CodeCache::REMEDY)
    .cost(Cost::memory(*fill))
    // The segment for the JVM's own code is sized to fit, so it is always full.
    .at_most(if name.contains("non-nmethods") { Severity::Ok } else { Severity::Warning })
    .with("segments", segment_table(segments))
}

fn segment_table(segments: &[Segment<'_>]) -> Value {
    let rows = segments.iter().map(|s| [s.name.into(), Value::share(s.fill), Value::bytes(s.size)]);
    Value::table(["segment", "fill", "size"], rows)
}

fn found(full: u64) -> Verdict {
    Verdict::warning(format!("The code cache filled up {}", units::things(full, "time", "times")))
        .explain("The JVM discards compiled code or stops compiling, and the program slows down.")
        .remedy(CodeCache::REMEDY)
        .cost(Cost::memory(1.0))
        .with("times full", Value::count(full, "times"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_full_cache_and_a_filling_one() {
        let with = |free: i64| {
            Scene::new().event("jdk.CodeCacheConfiguration", 0, 0, [("reservedSize", 1_000.into())]).event(
                "jdk.CodeCacheStatistics",
                0,
                0,
                [("unallocatedCapacity", free.into())],
            )
        };
        assert_eq!(with(900).verdict(&CodeCache).severity, Severity::Ok);
        assert_eq!(with(100).verdict(&CodeCache).severity, Severity::Info);
        assert_eq!(with(900).event("jdk.CodeCacheFull", 0, 0, []).verdict(&CodeCache).severity, Severity::Warning);
        assert_eq!(Scene::new().verdict(&CodeCache).severity, Severity::NotApplicable);
    }
}
