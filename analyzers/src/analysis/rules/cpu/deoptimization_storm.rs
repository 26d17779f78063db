//! `DeoptimizationStorm`: compiled code that is thrown away again and again.

use crate::analysis::math::{map2, ratio};
use crate::analysis::rules::support::{SECOND, warm};
use crate::analysis::{Category, Facts, Group, GroupBy, Needs, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// Whether the JVM keeps throwing away compiled code after its first minute. Needs no list.
///
/// Both tests are on made-up events: the fixtures end within a minute of the JVM's start, or do not record them.
#[derive(Debug, Clone, Copy)]
pub struct DeoptimizationStorm;

const EVENT: &str = "jdk.Deoptimization";
const MINUTE: i64 = 60 * SECOND;
const SITES: GroupBy = GroupBy::of(&[EVENT]).by(&["method", "bci", "lineNumber", "reason"]).per_nanos(MINUTE);
const METHOD: usize = 0;
const BCI: usize = 1;
const LINE: usize = 2;
const REASON: usize = 3;

impl Rule for DeoptimizationStorm {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "Deoptimization storm",
            category: Category::Cpu,
            description: "Whether compiled code is thrown away again and again at the same place.",
            formula: "jdk.Deoptimization after 60 s of the JVM's life: the most within a minute for one method, bytecode index \
                      and reason, 25 at `site-info`, 75 at `site-warning`; and the most of all within a minute, 25 at \
                      `rate-info`, 75 at `rate-warning`. The greater counts. Thresholds of our own.",
            settings: const {
                &[
                    Setting::per_minute("site-info", 10.0, "At one place, worth a look"),
                    Setting::per_minute("site-warning", 50.0, "At one place, to act on"),
                    Setting::per_minute("rate-info", 200.0, "In all, worth a look"),
                    Setting::per_minute("rate-warning", 2_000.0, "In all, to act on"),
                ]
            },
            ..RuleInfo::own("DeoptimizationStorm")
        }
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled(EVENT).groups(SITES)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let warm = warm(facts);
        if facts.end() <= warm {
            return Verdict::not_applicable(
                "the recording ends within 60 s of the JVM's start, when deoptimizations are usual",
            );
        }
        let after = |g: &Group<'_>| g.bucket() >= warm || g.first() >= warm;
        let groups = facts.groups(&SITES);
        let mut minutes: Vec<(i64, u64)> = Vec::new();
        for group in groups.iter().filter(after) {
            match minutes.iter_mut().find(|(at, _)| *at == group.bucket()) {
                Some((_, n)) => *n = n.saturating_add(group.count()),
                None => minutes.push((group.bucket(), group.count())),
            }
        }
        let most = minutes.iter().map(|(_, n)| *n).max().unwrap_or(0);
        let Some(worst) = groups.iter().filter(after).max_by_key(Group::count) else {
            return Verdict::ok("No code was thrown away after warm-up");
        };
        let mut sites = groups.select(&[METHOD, BCI, LINE, REASON], after);
        sites.sort_by_key(|g| std::cmp::Reverse(g.count()));
        let total: u64 = sites.iter().fold(0, |sum, g| sum.saturating_add(g.count()));
        let site = map2(worst.count() as f64, settings.number("site-info"), settings.number("site-warning"));
        let rate = map2(most as f64, settings.number("rate-info"), settings.number("rate-warning"));
        let place = |g: &Group<'_>| {
            let method = g.text(METHOD).unwrap_or("unknown method");
            g.int(LINE).filter(|l| *l > 0).map_or_else(|| method.to_owned(), |l| format!("{method}:{l}"))
        };
        Verdict::scored(
            site.max(rate),
            format!(
                "Up to {most} deoptimizations a minute after warm-up, up to {} of them in {} ({})",
                worst.count(),
                place(&worst),
                worst.text(REASON).unwrap_or("unknown reason"),
            ),
        )
        .explain(
            "The compiler bets on what it has seen: types, branches, loaded classes. When the bet is lost, the code is thrown \
             away, runs interpreted for a while and is compiled anew. Over and over at one place, that is a lost cause.",
        )
        .remedy(
            "Look at the place: types that alternate, exceptions as part of the normal flow, array bounds or null checks that \
             fail at times. Simplify it, or take the rare case into a method of its own; a newer JDK may do better.",
        )
        .with("most in a minute", Value::count(most, "deoptimizations"))
        .with("after warm-up", Value::count(total, "deoptimizations"))
        .with("worst minute at one place", Value::window(worst.first(), worst.last()))
        .with("share of the first place", Value::share(ratio(sites.first().map_or(0, Group::count) as f64, total as f64)))
        .with(
            "places",
            Value::table(
                ["method", "bytecode index", "reason", "times"],
                sites.iter().take(10).map(|g| {
                    [
                        place(g).into(),
                        Value::number(g.int(BCI).unwrap_or(-1) as f64, ""),
                        g.text(REASON).unwrap_or("?").into(),
                        Value::count(g.count(), "times"),
                    ]
                }),
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Severity;
    use crate::analysis::rules::support::fixture;
    use crate::analysis::testing::Scene;

    fn deoptimized(scene: Scene, at: i64, method: &str) -> Scene {
        let fields = [
            ("method", method.into()),
            ("bci", 17.into()),
            ("lineNumber", 42.into()),
            ("reason", "unstable_if".into()),
        ];
        scene.event(EVENT, at, at, fields)
    }

    #[test]
    fn one_place_again_and_again_is_a_warning() {
        let start = deoptimized(Scene::new(), 0, "com.example.Start.up");
        let scene =
            (0..60i64).fold(start, |s, i| deoptimized(s, 2 * MINUTE + i * SECOND / 2, "com.example.Parser.next"));
        let verdict = scene.judge(&DeoptimizationStorm);
        assert_eq!(verdict.severity, Severity::Warning);
        assert!(verdict.summary.contains("com.example.Parser.next:42 (unstable_if)"), "{}", verdict.summary);
    }

    #[test]
    fn many_at_the_start_and_few_later_are_fine() {
        let scene = (0..500i64).fold(Scene::new(), |s, i| deoptimized(s, i * SECOND / 10, "com.example.Start.up"));
        let scene = deoptimized(scene, 3 * MINUTE, "com.example.Parser.next");
        assert_eq!(scene.judge(&DeoptimizationStorm).severity, Severity::Ok);
    }

    #[test]
    fn a_young_jvm_is_not_judged() {
        fixture::expect("DeoptimizationStorm", "jdk21-full", Severity::NotApplicable);
    }
}
