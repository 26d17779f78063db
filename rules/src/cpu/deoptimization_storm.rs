//! `DeoptimizationStorm`: compiled code that is discarded again and again.

use std::collections::BTreeMap;

use super::jit_overhead;
use crate::time::{SECOND, warmed_up};
use jfr_analyzers::events::{Facts, Group, GroupBy, Needs};
use jfr_analyzers::math::{map2, ratio, to_i64};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// Whether the JVM keeps discarding compiled code after its first minute. Needs no event table.
///
/// Fires on `fixtures/scenarios/recompilation.jfr.gz` (which keeps reloading the same class); quiet on synthetic
/// events, including many threads that leave the same compiled code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeoptimizationStorm;

const EVENT: &str = "jdk.Deoptimization";
const MINUTE: i64 = 60 * SECOND;
const SITES: GroupBy =
    GroupBy::of(&[EVENT]).by(&[METHOD, BCI, REASON, "compileId"]).measure(&["lineNumber"]).per_nanos(MINUTE);
const METHOD: &str = "method";
const BCI: &str = "bci";
const REASON: &str = "reason";

/// A method, a bytecode index and a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'f> {
    method: &'f str,
    bci: i64,
    reason: &'f str,
}

/// What happened at a place, within a minute or in total.
#[derive(Debug, Clone, Copy, Default)]
struct Discarded {
    /// Compilations that were discarded.
    compilations: u64,
    /// How often a thread left one of them.
    times: u64,
    line: i64,
    from: i64,
    to: i64,
}

impl Discarded {
    fn add(&mut self, group: &Group<'_>) {
        self.from = if self.times == 0 { group.first() } else { self.from.min(group.first()) };
        self.to = self.to.max(group.last());
        self.compilations = self.compilations.saturating_add(1);
        self.times = self.times.saturating_add(group.count());
        self.line = self.line.max(to_i64(group.max("lineNumber")));
    }
}

impl DeoptimizationStorm {
    /// Why it matters.
    const WHY: &str = "The compiler bets on what it has seen: types, branches, loaded classes. When a bet fails, the \
                       JVM discards the code, runs the method interpreted for a while and compiles it again. If that \
                       keeps happening at one place, it wastes CPU time.";
    /// What to do.
    const REMEDY: &str = "Look at the code there: alternating types, exceptions as part of the normal flow, array \
                          bounds or null checks that sometimes fail. Simplify it, or move the rare case into a \
                          separate method. A newer JDK may also do better.";
}

impl Rule for DeoptimizationStorm {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("DeoptimizationStorm")
            .title("Deoptimization storm")
            .category(Category::Cpu)
            .description("Whether the JVM keeps discarding compiled code at the same place.")
            .formula(
                "jdk.Deoptimization after the JVM's first 60 s. Each compilation (compileId) counts once, however many \
                      threads leave it. The highest number within a minute for one method, bytecode index and reason: \
                      25 at `site-info`, 75 at `site-warning`. The highest number within a minute in total: 25 at \
                      `rate-info`, 75 at `rate-warning`. The higher score counts. The cost is the CPU time spent \
                      compiling the discarded code: the time that the compilers took (jdk.CompilerStatistics) times \
                      the discarded share of all compilations. The thresholds are jfrkit's own.",
            )
            .settings(
                const {
                    &[
                        Setting::per_minute("site-info", 10.0, "At one place, worth a look"),
                        Setting::per_minute("site-warning", 50.0, "At one place, to act on"),
                        Setting::per_minute("rate-info", 200.0, "In total, worth a look"),
                        Setting::per_minute("rate-warning", 2_000.0, "In total, to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        jit_overhead::needs(Needs::new().enabled(EVENT).groups(SITES))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if facts.end() <= warmed_up(facts) {
            return Verdict::not_applicable(
                "the recording ends within 60 s of the JVM's start, when deoptimizations are normal",
            );
        }
        match measure(facts) {
            Some(measured) => verdict(facts, &measured, settings),
            None => Verdict::ok("No code was deoptimized after warm-up"),
        }
    }
}

/// Deoptimizations after the warm-up.
struct Measured<'f> {
    /// The most compilations that were discarded within a minute, and all.
    most: u64,
    total: u64,
    /// The worst minute at one place.
    worst: (Place<'f>, Discarded),
    /// The places, the worst first.
    places: Vec<(Place<'f>, Discarded)>,
}

/// `None` if there were none.
fn measure(facts: &Facts) -> Option<Measured<'_>> {
    let warm = warmed_up(facts);
    let mut by_minute: BTreeMap<i64, BTreeMap<Place<'_>, Discarded>> = BTreeMap::new();
    let mut places: BTreeMap<Place<'_>, Discarded> = BTreeMap::new();
    for group in facts.groups(&SITES).iter().filter(|g| g.bucket() >= warm || g.first() >= warm) {
        let place = Place {
            method: group.text(METHOD).unwrap_or("unknown method"),
            bci: group.int(BCI).unwrap_or(-1),
            reason: group.text(REASON).unwrap_or("unknown reason"),
        };
        by_minute.entry(group.bucket()).or_default().entry(place).or_default().add(&group);
        places.entry(place).or_default().add(&group);
    }
    let sum =
        |minute: &BTreeMap<Place<'_>, Discarded>| minute.values().fold(0u64, |n, l| n.saturating_add(l.compilations));
    let most = by_minute.values().map(sum).max().unwrap_or(0);
    let total = sum(&places);
    let worst = by_minute.into_values().flatten().max_by_key(|(_, lost)| lost.compilations)?;
    let mut places: Vec<(Place<'_>, Discarded)> = places.into_iter().collect();
    places.sort_by_key(|(_, lost)| std::cmp::Reverse((lost.compilations, lost.times)));
    Some(Measured { most, total, worst, places })
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { most, total, worst: (place, lost), places } = measured;
    let site = map2(lost.compilations as f64, settings.number("site-info"), settings.number("site-warning"));
    let rate = map2(*most as f64, settings.number("rate-info"), settings.number("rate-warning"));
    let summary = format!(
        "After warm-up, compiled code was discarded up to {} a minute, up to {} of them in {} ({})",
        units::things(*most, "time", "times"),
        units::count(i64::try_from(lost.compilations).unwrap_or(i64::MAX)),
        named(place, lost),
        place.reason,
    );
    let share = ratio(places.first().map_or(0, |p| p.1.compilations) as f64, *total as f64);
    Verdict::scored(site.max(rate), summary)
        .explain(DeoptimizationStorm::WHY)
        .remedy(DeoptimizationStorm::REMEDY)
        .cost(jit_overhead::compiling(facts, warmed_up(facts), *total as f64))
        .with("most in a minute", Value::count(*most, "compilations"))
        .with("after warm-up", Value::count(*total, "compilations"))
        .with("worst minute at one place", Value::window(lost.from, lost.to))
        .with("share of the first place", Value::share(share))
        .with("places", place_table(places))
}

/// The method and line of a place.
fn named(place: &Place<'_>, lost: &Discarded) -> String {
    if lost.line > 0 { format!("{}:{}", place.method, lost.line) } else { place.method.to_owned() }
}

fn place_table(places: &[(Place<'_>, Discarded)]) -> Value {
    let rows = places.iter().take(10).map(|(place, lost)| {
        [
            named(place, lost).into(),
            Value::number(place.bci as f64, ""),
            place.reason.into(),
            Value::count(lost.compilations, "compilations"),
            Value::count(lost.times, "times"),
        ]
    });
    Value::table(["method", "bytecode index", "reason", "compilations", "threads that left them"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn deoptimized(scene: Scene, at: i64, method: &str) -> Scene {
        left(scene, at, method, at)
    }

    fn left(scene: Scene, at: i64, method: &str, compilation: i64) -> Scene {
        let fields = [
            ("compileId", compilation.into()),
            ("method", method.into()),
            ("bci", 17.into()),
            ("lineNumber", 42.into()),
            ("reason", "unstable_if".into()),
        ];
        scene.event(EVENT, at, at, fields)
    }

    #[test]
    fn classes_loaded_anew_again_and_again_are_found() {
        fixture::expect("DeoptimizationStorm", "scenarios/recompilation", Severity::Warning);
    }

    #[test]
    fn many_threads_that_leave_the_same_code_are_one() {
        let start = deoptimized(Scene::new(), 0, "com.example.Start.up");
        let scene = (0..200i64).fold(start, |s, i| left(s, 2 * MINUTE + i, "java.util.Queue.take", 7));
        assert_eq!(scene.verdict(&DeoptimizationStorm).severity, Severity::Ok);
    }

    #[test]
    fn one_place_again_and_again_is_a_warning() {
        let start = deoptimized(Scene::new(), 0, "com.example.Start.up");
        let scene =
            (0..60i64).fold(start, |s, i| deoptimized(s, 2 * MINUTE + i * SECOND / 2, "com.example.Parser.next"));
        let verdict = scene.verdict(&DeoptimizationStorm);
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn many_at_the_start_and_few_later_are_fine() {
        let scene = (0..500i64).fold(Scene::new(), |s, i| deoptimized(s, i * SECOND / 10, "com.example.Start.up"));
        let scene = deoptimized(scene, 3 * MINUTE, "com.example.Parser.next");
        assert_eq!(scene.verdict(&DeoptimizationStorm).severity, Severity::Ok);
    }

    #[test]
    fn a_young_jvm_is_not_judged() {
        fixture::expect("DeoptimizationStorm", "jdk21-full", Severity::NotApplicable);
    }
}
