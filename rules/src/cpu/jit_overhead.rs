//! `JitOverhead`: how much CPU time the JIT compilers take once the JVM is warm.

use crate::cost;
use crate::cpu_load::jvm_cpu_nanos_in;
use crate::cpu_samples::{main_sampler, samples};
use crate::time::{SECOND, warmed_up};
use jfr_analyzers::events::{EVENT, Facts, Group, GroupBy, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::{duration_f64, rounded_percent};

/// How much CPU time the JIT compilers take after the first minute. Needs the `jdk.CompilerStatistics` table.
///
/// Fires on `pulseduration.jfr` of the shared corpus (skipped if that is not available) and on synthetic events. Quiet
/// only on synthetic events: `fixtures/scenarios/healthy.jfr.gz` ends too soon after the JVM's start to judge.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JitOverhead;

const STATISTICS: &str = "jdk.CompilerStatistics";
/// Grouped by minute, because only samples after warm-up count.
const SAMPLES: GroupBy = GroupBy::of(&["jdk.ExecutionSample", "jdk.CPUTimeSample", "datadog.ExecutionSample"])
    .by(&[EVENT, "sampledThread|eventThread"])
    .measure(&["weight"])
    .per_nanos(60 * SECOND)
    .up_to(20_000);

/// Minimum number of samples to judge.
const ENOUGH_SAMPLES: f64 = 1_000.0;
/// Minimum time after warm-up to judge.
const ENOUGH: i64 = 30 * SECOND;

impl JitOverhead {
    /// Why it matters.
    const WHY: &str = "Once a program is warm, little should be left to compile. Compilers that keep working take CPU \
                       time from the program, and code runs slowly in the meantime. Usual causes: repeated \
                       deoptimization, a code cache that is too small, or classes that are generated all the time.";
    /// What to do.
    const REMEDY: &str = "See DeoptimizationStorm and CodeCacheNearFull; look for code that defines classes or \
                          lambdas at run time; raise -XX:ReservedCodeCacheSize.";
}

impl Rule for JitOverhead {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("JitOverhead")
            .title("JIT compilation overhead")
            .category(Category::Cpu)
            .description("How much CPU time the JIT compilers take after the JVM's first minute.")
            .formula(
                "After the JVM's first 60 s: the growth of totalTimeSpent in jdk.CompilerStatistics / (elapsed \
                      time × hardware threads); or, for profilers that see compiler threads, the share of CPU samples \
                      in them. 25 at `info`, 75 at `warning` (based on Jeffrey).",
            )
            .settings(
                const {
                    &[
                        Setting::percent("info", 15.0, "Share worth a look"),
                        Setting::percent("warning", 20.0, "Share to act on"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        needs(Needs::new())
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let warm = warmed_up(facts);
        let by_time = spent(facts, warm, ENOUGH);
        let by_samples = sampled(facts, warm);
        let verdict = |share: f64, summary: String| {
            Verdict::scored(map2(share * 100.0, settings.number("info"), settings.number("warning")), summary)
                .explain(JitOverhead::WHY)
                .remedy(JitOverhead::REMEDY)
        };
        match (by_time, by_samples) {
            (None, None) => Verdict::not_applicable(match facts.missing(STATISTICS, Level::Available, false) {
                Some(because) => format!(
                    "{because}, and there are fewer than {ENOUGH_SAMPLES:.0} samples from a \
                     profiler that sees compiler threads"
                ),
                None => "too short: there are less than 30 s of compiler statistics after the JVM's first 60 s, when \
                         much is compiled"
                    .to_owned(),
            }),
            (Some(by_time), by_samples) if by_samples.is_none_or(|s| s.share <= by_time.share) => verdict(
                by_time.share,
                format!(
                    "After warm-up, JIT compilation took {} of CPU capacity ({} in {})",
                    rounded_percent(by_time.share * 100.0),
                    duration_f64(by_time.nanos),
                    duration_f64(by_time.over)
                ),
            )
            .cost(by_time.cost(facts))
            .with("share", Value::share(by_time.share))
            .with("time spent compiling", Value::nanos_f64(by_time.nanos))
            .with("compilations", Value::number(by_time.compilations as f64, "compilations"))
            .with("window", Value::window(by_time.from, by_time.to)),
            (_, Some(s)) => verdict(
                s.share,
                format!("After warm-up, JIT compilation takes {} of CPU time", rounded_percent(s.share * 100.0)),
            )
            .cost(Cost::cpu(s.share))
            .with("share of samples", Value::share(s.share))
            .with("samples", Value::number(s.samples, "samples")),
            (Some(_), None) => Verdict::ok("JIT compilation took little CPU time"),
        }
    }
}

/// What [`compiling`] reads.
pub(super) fn needs(needs: Needs) -> Needs {
    cost::needs(needs).table(STATISTICS, &["totalTimeSpent", "compileCount"]).groups(SAMPLES)
}

/// What compiling some methods after the warm-up costs, from their number: as much of the time spent compiling as they
/// are of all compilations. Without statistics, the share of samples in compiler threads, which is that of all.
pub(super) fn compiling(facts: &Facts, warm: i64, compilations: f64) -> Option<Cost> {
    let by_time = spent(facts, warm, SECOND).map(|spent| {
        let part = ratio(compilations, (spent.compilations as f64).max(compilations));
        Cost::cpu(spent.cost(facts).share * part)
    });
    by_time.or_else(|| sampled(facts, warm).map(|s| Cost::cpu(s.share)))
}

struct Spent {
    share: f64,
    nanos: f64,
    over: f64,
    compilations: i64,
    from: i64,
    to: i64,
}

impl Spent {
    /// The time spent compiling as a share of the CPU time of the JVM, or of all CPUs if that is not known.
    fn cost(&self, facts: &Facts) -> Cost {
        match jvm_cpu_nanos_in(facts, self.from, self.to) {
            // Compiling is part of it. The time spent is elapsed time, during which a compiler may wait for a CPU.
            Some(cpu) => Cost::cpu(ratio(self.nanos, cpu.max(self.nanos))),
            None => Cost::cpu(self.share),
        }
    }
}

/// The time spent compiling after the warm-up, if it is known for `least` or longer.
fn spent(facts: &Facts, warm: i64, least: i64) -> Option<Spent> {
    let table = facts.table(STATISTICS);
    let first = table.rows().find(|r| r.start >= warm)?;
    let last = table.last()?;
    let over = last.start.saturating_sub(first.start);
    if over < least {
        return None;
    }
    let grown = |field| Some(last.int(field)?.saturating_sub(first.int(field)?).max(0));
    let nanos = grown("totalTimeSpent")? as f64;
    let threads = facts.hardware_threads()? as f64;
    Some(Spent {
        share: ratio(nanos, over as f64 * threads),
        nanos,
        over: over as f64,
        compilations: grown("compileCount").unwrap_or(0),
        from: first.start,
        to: last.start,
    })
}

#[derive(Clone, Copy)]
struct Sampled {
    share: f64,
    samples: f64,
}

fn sampled(facts: &Facts, warm: i64) -> Option<Sampled> {
    let groups = main_sampler(facts.groups(&SAMPLES).iter().filter(|g| g.bucket() >= warm));
    // Rust's sum of nothing is -0.
    let all = groups.iter().map(samples).sum::<f64>() + 0.0;
    let is_own =
        |g: &&Group<'_>| g.thread("sampledThread|eventThread").is_some_and(|t| t.name.contains("CompilerThread"));
    // A profiler that sees no JVM-internal threads does not see compiler threads either.
    let sees = groups.iter().any(|g| {
        g.thread("sampledThread|eventThread").is_some_and(|t| !t.is_java() || t.name.contains("CompilerThread"))
    });
    let own = groups.iter().filter(is_own).map(samples).sum::<f64>() + 0.0;
    (sees && all >= ENOUGH_SAMPLES).then(|| Sampled { share: ratio(own, all), samples: all })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;
    use jfr_analyzers::testing::thread;

    /// Two minutes on 2 hardware threads; in the second minute the compilers take `nanos` of each second.
    fn scene(nanos: i64) -> Scene {
        let scene = Scene::new().event("jdk.CPUInformation", 0, 0, [("hwThreads", 2.into())]);
        (0..120i64).fold(scene, |scene, i| {
            let spent = if i < 60 { i * SECOND } else { 60 * SECOND + (i - 60) * nanos };
            let fields = [("totalTimeSpent", spent.into()), ("compileCount", (i * 10).into())];
            scene.event("jdk.CompilerStatistics", i * SECOND, i * SECOND, fields)
        })
    }

    #[test]
    fn a_program_that_is_recompiled_all_the_time_is_found() {
        let verdict = fixture::corpus("JitOverhead", "public/openjdk+jmc/pulseduration.jfr");
        let Some(verdict) = verdict else { return };
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn compilers_that_never_rest_are_a_warning() {
        assert_eq!(scene(SECOND / 2).verdict(&JitOverhead).severity, Severity::Warning);
    }

    #[test]
    fn compiling_at_the_start_is_fine() {
        assert_eq!(scene(SECOND / 100).verdict(&JitOverhead).severity, Severity::Ok);
    }

    #[test]
    fn samples_of_compiler_threads_count_too() {
        let scene = (0..2_000i64).fold(Scene::new(), |scene, i| {
            let at = i * 200_000_000;
            let name = if i % 3 == 0 { "C2 CompilerThread0" } else { "main" };
            scene.event("jdk.ExecutionSample", at, at, [("sampledThread", thread(name))])
        });
        assert_eq!(scene.verdict(&JitOverhead).severity, Severity::Warning);
    }

    #[test]
    fn a_young_jvm_is_not_judged() {
        fixture::expect("JitOverhead", "scenarios/healthy", Severity::NotApplicable);
    }
}
