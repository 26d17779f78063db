//! `CodeCache`: no room for compiled code.

use std::collections::BTreeMap;

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};

/// Whether the room for compiled code runs out. Needs the list of its statistics, a few each chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeCache;

impl CodeCache {
    /// Why it matters.
    const WHY: &str =
        "When it is full, the JVM throws compiled code away or stops compiling, and the program gets slow.";
    /// What to do.
    const REMEDY: &str = "Raise -XX:ReservedCodeCacheSize.";
}

impl Rule for CodeCache {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "Code cache",
            category: Category::Cpu,
            description: "Whether the room for compiled code is full.",
            formula: "To act on if there is any jdk.CodeCacheFull. Else the fullest segment (or all of the cache, where it \
                      has none): 25 at `info`, 75 at `warning`.",
            differences: "JMC asks for a jdk.CodeCacheFull event and so says nothing of any healthy recording. Its \
                          thresholds of 50 and 80 % have thus never been tried; those here are 80 and 95 %.",
            settings: const {
                &[
                    Setting::percent("info", 80.0, "Fill that is worth a look"),
                    Setting::percent("warning", 95.0, "Fill to act on"),
                ]
            },
            why: Self::WHY,
            remedy: Self::REMEDY,
            ..RuleInfo::jmc("CodeCache")
        }
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .table("jdk.CodeCacheConfiguration", &["reservedSize", "nonNMethodSize", "profiledSize", "nonProfiledSize"])
            .table("jdk.CodeCacheStatistics", &["codeBlobType", "unallocatedCapacity"])
            .table("jdk.CodeCacheFull", &["codeBlobType", "unallocatedCapacity"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let full = facts.count("jdk.CodeCacheFull");
        let configuration = facts.table("jdk.CodeCacheConfiguration");
        let Some(sizes) = configuration.last() else {
            if full == 0 {
                return Verdict::not_applicable("the recording does not tell the size of the code cache");
            }
            return found(full);
        };
        let size = |field: &str| sizes.float(field).filter(|s| *s > 0.0);
        let mut least: BTreeMap<&str, f64> = BTreeMap::new();
        for row in facts.table("jdk.CodeCacheStatistics").rows() {
            let Some(free) = row.float("unallocatedCapacity") else { continue };
            let segment = least.entry(row.text("codeBlobType").unwrap_or("all")).or_insert(f64::INFINITY);
            *segment = segment.min(free);
        }
        let fills: Vec<(&str, f64, f64)> = least
            .into_iter()
            .filter_map(|(segment, free)| {
                let size = match segment {
                    "CodeHeap 'non-nmethods'" => size("nonNMethodSize"),
                    "CodeHeap 'profiled nmethods'" => size("profiledSize"),
                    "CodeHeap 'non-profiled nmethods'" => size("nonProfiledSize"),
                    _ => None,
                };
                let size = size.or_else(|| sizes.float("reservedSize"))?;
                Some((segment, 1.0 - ratio(free, size), size))
            })
            .collect();
        let rows =
            fills.iter().map(|(segment, fill, size)| [(*segment).into(), Value::share(*fill), Value::bytes(*size)]);
        let table = Value::table(["segment", "fill", "size"], rows);
        if full > 0 {
            return found(full).with("segments", table);
        }
        let Some((segment, fill, _)) = fills.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
            return Verdict::not_applicable("there are no statistics of the code cache");
        };
        Verdict::scored(
            map2(fill * 100.0, settings.number("info"), settings.number("warning")),
            format!("The fullest part of the code cache is {:.0} % full: {segment}", fill * 100.0),
        )
        .explain(CodeCache::WHY)
        .remedy(CodeCache::REMEDY)
        // The part for the JVM's own code has the size that it needs, and is always full.
        .at_most(if segment.contains("non-nmethods") { Severity::Ok } else { Severity::Warning })
        .with("segments", table)
    }
}

fn found(full: u64) -> Verdict {
    Verdict::warning(format!("The code cache was full {full} times"))
        .explain("The JVM throws compiled code away or stops compiling, and the program gets slow.")
        .remedy(CodeCache::REMEDY)
        .with("times full", Value::count(full, "times"))
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(with(900).judge(&CodeCache).severity, Severity::Ok);
        assert_eq!(with(100).judge(&CodeCache).severity, Severity::Info);
        assert_eq!(with(900).event("jdk.CodeCacheFull", 0, 0, []).judge(&CodeCache).severity, Severity::Warning);
        assert_eq!(Scene::new().judge(&CodeCache).severity, Severity::NotApplicable);
    }
}
