//! `Exceptions`: how often the program throws.

use super::thrown::{THROWN, THROWS};
use crate::cost;
use jfr_analyzers::events::{EVENT, Facts, Needs};
use jfr_analyzers::math::{Cluster, map2, mass_cluster, ratio};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// How many throwables the program creates in the busiest period. Needs the table of counts, one per second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exceptions;

impl Exceptions {
    /// Why it matters.
    const WHY: &str = "Creating an exception walks the stack, which usually costs more than the operation that failed.";
    /// What to do.
    const REMEDY: &str = "Do not use exceptions for routine cases.";
}

impl Rule for Exceptions {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("Exceptions")
            .title("Exception rate")
            .category(Category::Exceptions)
            .description("How many throwables the program creates per second in the busiest period.")
            .formula(
                "Differences of the count merge into clusters as long as that makes the cluster denser \
                      (throwables squared over time). Throwables per second of the densest cluster: 25 at `info`, 75 \
                      at `warning`.",
            )
            .as_in_jmc(
                "The limits are so high that few programs reach them; ExceptionControlFlow has \
                          lower ones.",
            )
            .settings(
                const {
                    &[
                        Setting::per_second("info", 5_000.0, "Rate that is worth a look"),
                        Setting::per_second("warning", 10_000.0, "Rate to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new())
            .available("jdk.ExceptionStatistics")
            .table_up_to(400_000, "jdk.ExceptionStatistics", &["throwables"])
            .groups(THROWN)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let counts: Vec<(i64, f64)> = facts
            .table("jdk.ExceptionStatistics")
            .rows()
            .filter_map(|r| Some((r.end, r.float("throwables")?)))
            .collect();
        let pairs = counts.iter().zip(counts.iter().skip(1));
        let differences: Vec<Cluster> =
            pairs.map(|(a, b)| Cluster { start: a.0, end: b.0, mass: (b.1 - a.1).max(0.0) }).collect();
        let Some(cluster) = mass_cluster(&differences) else {
            return Verdict::not_applicable("the recording has fewer than two counts of throwables");
        };
        let rate = ratio(cluster.mass, cluster.end.saturating_sub(cluster.start) as f64 / 1e9);
        let thrown = facts.groups(&THROWN).pick(|g| g.text(EVENT) == Some(THROWS));
        let mut classes = thrown.by(&["thrownClass|type"]);
        classes.sort_by_key(|g| std::cmp::Reverse(g.count()));
        let stacks = thrown.by(&["stackTrace"]);
        let rows = classes
            .iter()
            .take(5)
            .map(|g| [g.text("thrownClass|type").unwrap_or("?").into(), Value::count(g.count(), "events")]);
        Verdict::scored(
            map2(rate, settings.number("info"), settings.number("warning")),
            format!("The program creates {} throwables per second in the busiest period", units::number(rate.round())),
        )
        .explain(Exceptions::WHY)
        .remedy(Exceptions::REMEDY)
        .estimate(cost::thrown(facts, differences.iter().map(|d| d.mass).sum()))
        .with("rate", Value::number(rate, "per second"))
        .with("window", Value::window(cluster.start, cluster.end))
        .with("classes", Value::table(["class", "events"], rows))
        .with(
            "where",
            facts.top_methods(stacks.iter().filter_map(|g| Some((g.stack("stackTrace")?, g.count() as f64))), 5, |n| {
                Value::number(n, "events")
            }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_high_rate_is_found() {
        let of = |a_second: i64, seconds: i64| {
            (0..seconds)
                .fold(Scene::new(), |s, i| {
                    let at = i * 1_000_000_000;
                    s.event("jdk.ExceptionStatistics", at, at, [("throwables", (i * a_second).into())])
                })
                .verdict(&Exceptions)
                .severity
        };
        assert_eq!(of(12_000, 5), Severity::Warning);
        assert_eq!(of(100, 5), Severity::Ok);
        assert_eq!(of(12_000, 1), Severity::NotApplicable);
    }
}
