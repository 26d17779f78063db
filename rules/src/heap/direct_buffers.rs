//! `DirectBuffers`: how close direct buffers come to their memory limit.

use crate::series::{highest, rising};
use jfr_analyzers::events::{EVENT, Facts, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units::size_f64;

/// Memory used by direct buffers. Needs the table of `jdk.DirectBufferStatistics` (JDK 15 and later).
///
/// Fires on `fixtures/scenarios/direct-buffers.jfr.gz`; quiet on `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DirectBuffers;

/// Datadog's profiler records what allocates them.
const BY_CLASS: GroupBy = GroupBy::of(&["datadog.DirectAllocationSample", "datadog.DirectAllocationTotal"])
    .by(&[EVENT, "allocatingClass", "source"])
    .measure(&["allocated"]);

/// The least number of readings that can show growth.
const ENOUGH: usize = 10;

impl DirectBuffers {
    /// Why it matters.
    const WHY: &str = "Direct buffers are allocated outside the heap and freed only after the collector finds their \
                       small Java objects dead. At the limit, an allocation first forces collections (System.gc()) and \
                       then fails with an OutOfMemoryError.";
    /// What to do.
    const REMEDY: &str = "Reuse buffers (a pool, or one per thread) instead of allocating them per request, and look \
                          for buffers that are never released. Channels copy large heap buffers into direct ones, \
                          which they cache per thread (-Djdk.nio.maxCachedBufferSize). Raise -XX:MaxDirectMemorySize \
                          only if the machine has the memory.";
}

impl Rule for DirectBuffers {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("DirectBuffers")
            .title("Direct buffers")
            .category(Category::Heap)
            .description("How close direct buffers come to their memory limit, and whether they only ever grow.")
            .formula(
                "The greatest memoryUsed over maxCapacity of jdk.DirectBufferStatistics: 25 at `info`, 75 at \
                      `warning`. At least 25 if it rises in 80 % of at least 10 readings, at least doubles, and grows \
                      by `growth`.",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 75.0, "Share of the limit that is worth a look"),
                        Setting::percent("warning", 90.0, "Share of the limit to act on"),
                        Setting::bytes("growth", 33_554_432.0, "Steady growth that is worth a look"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new()
            .available("jdk.DirectBufferStatistics")
            .table("jdk.DirectBufferStatistics", &["maxCapacity", "count", "totalCapacity", "memoryUsed"])
            .groups(BY_CLASS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts, settings) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::not_applicable("the memory used by direct buffers is not recorded"),
        }
    }
}

/// Memory of direct buffers, in bytes.
struct Measured {
    first: f64,
    last: f64,
    greatest: f64,
    limit: f64,
    /// Whether it grows all the time.
    grows: bool,
    /// If it grows, the seconds until the limit is reached.
    until_full: Option<f64>,
}

/// `None` if it is not recorded.
fn measure(facts: &Facts, settings: &Settings) -> Option<Measured> {
    let table = facts.table("jdk.DirectBufferStatistics");
    let used: Vec<f64> = table.floats("memoryUsed").collect();
    let (first, last) = (*used.first()?, *used.last()?);
    let limit = table.floats("maxCapacity").filter(|n| *n > 0.0).fold(0.0, f64::max);
    let growth = last - first;
    let grows =
        used.len() >= ENOUGH && rising(&used) >= 0.8 && last >= 2.0 * first && growth >= settings.number("growth");
    let span = table.last().zip(table.first()).map_or(0, |(b, a)| b.start.saturating_sub(a.start));
    Some(Measured {
        first,
        last,
        greatest: used.iter().copied().fold(0.0, f64::max),
        limit,
        grows,
        until_full: (grows && limit > last).then(|| (limit - last) / growth * (span as f64 / 1e9)),
    })
}

fn verdict(facts: &Facts, measured: &Measured, settings: &Settings) -> Verdict {
    let Measured { first, last, greatest, limit, grows, until_full } = measured;
    let share = ratio(*greatest, *limit) * 100.0;
    let by_share = map2(share, settings.number("info"), settings.number("warning"));
    let by_growth = if *grows { Severity::INFO_SCORE } else { 0.0 };
    let growing = if *grows { ", and keep growing" } else { "" };
    let summary =
        format!("Direct buffers take up to {} of {} ({share:.0} %){growing}", size_f64(*greatest), size_f64(*limit));
    let buffers = facts.table("jdk.DirectBufferStatistics").floats("count").last();
    Verdict::scored(highest([by_share, by_growth]), summary)
        .explain(DirectBuffers::WHY)
        .remedy(DirectBuffers::REMEDY)
        .cost(Cost::memory(share / 100.0))
        .with("greatest", Value::bytes(*greatest))
        .with("limit", Value::bytes(*limit))
        .with("share", Value::percent(share))
        .with("first", Value::bytes(*first))
        .with("last", Value::bytes(*last))
        .with_some("buffers", buffers.map(|n| Value::number(n, "buffers")))
        .with_some("full at this rate after", until_full.map(|s| Value::nanos_f64(s * 1e9)))
        .with_some("allocated by", class_table(facts))
}

/// The classes that allocate most. `None` if Datadog's profiler did not record them.
fn class_table(facts: &Facts) -> Option<Value> {
    let mut classes = facts.groups(&BY_CLASS).by(&["allocatingClass", "source"]);
    classes.sort_by(|a, b| b.sum("allocated").total_cmp(&a.sum("allocated")));
    let rows = classes.iter().take(10).map(|g| {
        [
            g.text("allocatingClass").unwrap_or("?").into(),
            g.text("source").unwrap_or("?").into(),
            Value::bytes(g.sum("allocated")),
        ]
    });
    (!classes.is_empty()).then(|| Value::table(["class", "source", "bytes"], rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn it_fires_when_the_limit_is_near() {
        fixture::expect("DirectBuffers", "direct-buffers", Severity::Warning);
    }

    #[test]
    fn it_fires_on_steady_growth() {
        let judge = |step: i64| {
            (0..20i64)
                .fold(Scene::new(), |s, i| {
                    let fields = [("memoryUsed", (i * step).into()), ("maxCapacity", (1i64 << 34).into())];
                    s.event("jdk.DirectBufferStatistics", i, i, fields)
                })
                .verdict(&DirectBuffers)
        };
        assert_eq!(judge(4 << 20).severity, Severity::Info);
        assert_eq!(judge(1 << 10).severity, Severity::Ok);
    }

    #[test]
    fn it_is_quiet_on_a_healthy_program() {
        fixture::expect("DirectBuffers", "healthy", Severity::Ok);
        fixture::expect("DirectBuffers", "spin", Severity::NotApplicable);
    }
}
