//! `ExceptionControlFlow`: exceptions thrown routinely.

use super::rate::{self, Rate};
use super::sites::{Site, TOTALS, sites};
use super::thrown::{self, ERROR_FIELDS, ERRORS, THROWN, THROWS};
use crate::cost;
use crate::cpu_samples::{main_sampler, samples};
use crate::matching::MethodMatcher;
use jfr_analyzers::events::{EVENT, Facts, GroupBy, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{Category, Cost, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units::rounded_percent;
use jfrkit_profile::{FrameId, StackId, units};

/// How many exceptions are created, where, and how much CPU time that takes. Needs the tables of counts, one per
/// second, and of errors.
///
/// Fires on `fixtures/scenarios/exceptions-as-control-flow.jfr.gz` (by the rate) and on synthetic samples (by CPU
/// time); quiet on `healthy`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExceptionControlFlow;

const CPU: GroupBy = GroupBy::of(&["jdk.ExecutionSample", "jdk.CPUTimeSample", "datadog.ExecutionSample"])
    .by(&[EVENT, "stackTrace"])
    .measure(&["weight"]);

impl ExceptionControlFlow {
    /// Why it matters.
    const WHY: &str = "Creating an exception walks the whole stack, and throwing it unwinds the stack frame by frame: \
                       that costs thousands of times as much as a return value. Exceptions that are thrown all the \
                       time are not exceptional, and hide those that are.";
    /// What to do.
    const REMEDY: &str = "Check first (contains, hasNext, a pattern for numbers), or return Optional or null for \
                          expected cases. If the exception has to stay, throw one without a stack trace \
                          (writableStackTrace = false). In libraries, look for a call that does not throw.";
}

impl Rule for ExceptionControlFlow {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("ExceptionControlFlow")
            .title("Exceptions as control flow")
            .category(Category::Exceptions)
            .description("Whether the program throws exceptions routinely, and where.")
            .formula(
                "Exceptions per minute, 25 at `info`, 75 at `warning`, if there are at least `least`; and the share of \
                      CPU samples that pass through the constructor of Throwable or fillInStackTrace, 25 at \
                      `cpu-info`, 75 at `cpu-warning`, if there are at least `samples` samples. The higher score \
                      counts. The rate comes from jdk.ExceptionStatistics, without errors and without the busiest \
                      tenth of the time, because startup is not typical; without these events, from \
                      datadog.ExceptionCount or from the recorded exceptions themselves, counting a shorter recording \
                      as a minute. If exceptions are sampled (throttle of jdk.JavaExceptionThrow, from JDK 25 on; \
                      Datadog), each stands for as many as the totals imply. The JDK's execution samples do not see \
                      the native part of fillInStackTrace, so their share is a lower bound. Without enough samples, \
                      the cost is an estimate, 1.5 µs of CPU time per exception. The limits are those of Datadog and \
                      Jeffrey.",
            )
            .settings(
                const {
                    &[
                        Setting::per_minute("info", 1_000.0, "Exceptions that are worth a look"),
                        Setting::per_minute("warning", 10_000.0, "Exceptions to act on"),
                        Setting::count("least", 1_000.0, "Exceptions needed to judge their rate"),
                        Setting::percent("cpu-info", 3.0, "Share of CPU time that is worth a look"),
                        Setting::percent("cpu-warning", 5.0, "Share of CPU time to act on"),
                        Setting::count("samples", 100.0, "CPU samples needed to judge their share"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new())
            .table_up_to(400_000, "jdk.ExceptionStatistics", &["throwables"])
            .table(ERRORS, ERROR_FIELDS)
            .groups(THROWN)
            .groups(TOTALS)
            .groups(CPU)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        match measure(facts, settings) {
            Some(measured) => verdict(facts, &measured, settings),
            None => {
                let because = facts.missing("jdk.ExceptionStatistics", Level::Enabled, false);
                Verdict::not_applicable(because.unwrap_or_else(|| "exceptions were counted only once".to_owned()))
            }
        }
    }
}

/// How many exceptions are thrown, where, and how much CPU time that takes.
struct Measured<'f> {
    /// `None` if the number is not recorded.
    rate: Option<Rate>,
    /// The most frequent first.
    sites: Vec<Site<'f>>,
    /// The exceptions of all sites.
    all: f64,
    /// Whether the recorded exceptions are a sample of all.
    is_sample: bool,
    /// The share of CPU time that creating exceptions takes, 0 to 1, and the callers; `None` if unknown.
    cpu: Option<(f64, Value)>,
}

impl Measured<'_> {
    fn cpu_share(&self) -> Option<f64> {
        self.cpu.as_ref().map(|(share, _)| *share)
    }

    fn total(&self) -> f64 {
        self.rate.map_or(0.0, |rate| rate.total)
    }
}

/// `None` if neither the number of exceptions nor their CPU time is known.
fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Option<Measured<'f>> {
    let mut sites = sites(facts);
    let recorded = sum(sites.iter().map(|s| s.count));
    let totals = sum(facts.groups(&TOTALS).iter().map(|g| g.sum("count")));
    let is_on = |event| facts.missing(event, Level::Enabled, false).is_none();
    let by_events = || {
        let source = if totals > 0.0 { "datadog.ExceptionCount" } else { "the recorded exceptions" };
        (recorded + totals > 0.0 || is_on(THROWS)).then(|| Rate::of_all(facts, recorded.max(totals), source))
    };
    // The statistics cover the time from the first to the last one; there may be more events than they count.
    let rate = rate::counted(facts).or_else(by_events).map(|r| Rate { total: r.total.max(recorded), ..r });
    let cpu = cpu_share(facts, settings);
    if rate.is_none() && cpu.is_none() {
        return None;
    }
    let total = rate.map_or(0.0, |r| r.total);
    let is_throttled = thrown::is_throttled(facts) && total > recorded && recorded > 0.0;
    if is_throttled {
        let each = total / recorded;
        sites.iter_mut().for_each(|s| s.count *= each);
    }
    let all = sum(sites.iter().map(|s| s.count));
    Some(Measured { rate, sites, all, is_sample: is_throttled || totals > 0.0, cpu })
}

fn verdict(facts: &Facts, measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { rate, sites, .. } = measured;
    let number = |key| settings.number(key);
    let by_rate = map2(rate.map_or(0.0, |r| r.per_minute), number("info"), number("warning"));
    let by_rate = if measured.total() < number("least") { by_rate.min(24.0) } else { by_rate };
    let share = measured.cpu_share();
    let by_cpu = map2(share.unwrap_or(0.0) * 100.0, number("cpu-info"), number("cpu-warning"));
    let verdict = Verdict::scored(by_rate.max(by_cpu), summary(facts, measured));
    let verdict = match share {
        Some(share) => verdict.cost(Cost::cpu(share)),
        None => verdict.estimate(cost::thrown(facts, measured.total())),
    };
    let unknown = if sites.is_empty() { facts.missing(THROWS, Level::Enabled, false) } else { None };
    verdict
        .explain(ExceptionControlFlow::WHY)
        .remedy(ExceptionControlFlow::REMEDY)
        .with_some("rate", rate.map(|r| Value::number(r.per_minute, "per minute")))
        .with_some("mean rate", rate.map(|r| Value::number(r.mean, "per minute")))
        .with_some("exceptions", rate.map(|r| Value::number(r.total.round(), "exceptions")))
        .with_some("counted by", rate.map(|r| r.source))
        .with("recorded is a sample", measured.is_sample)
        .with_some("CPU time", share.map(Value::share))
        .with_some("places are not known", unknown)
        .with("places", site_table(facts, measured))
        .with_some("makes exceptions on CPU", measured.cpu.as_ref().map(|(_, callers)| callers.clone()))
        .with_some("stack", sites.first().and_then(|s| s.stack).map(|s| facts.stack_value(s, 20)))
}

fn summary(facts: &Facts, measured: &Measured<'_>) -> String {
    let how_many = measured.rate.map_or_else(
        || "The number of exceptions is not recorded".to_owned(),
        |r| {
            let throws = |rate: f64| format!("The program throws {} exceptions per minute", units::number(rate));
            let (typical, mean) = (r.per_minute.round(), r.mean.round());
            // The score ignores a burst; the evidence shows the mean, which contains it.
            if mean <= typical * 1.1 {
                throws(typical)
            } else {
                let mean = units::number(mean);
                format!("{} outside the busiest tenth of the time ({mean} on average)", throws(typical))
            }
        },
    );
    let top = measured.sites.first().map(|s| {
        let place = s.own.or(s.made_in).map(|f| format!(" in {}", facts.method(f))).unwrap_or_default();
        format!(", {:.0} % of those recorded are {}{place}", ratio(s.count, measured.all) * 100.0, s.class)
    });
    let time =
        measured.cpu_share().map(|s| format!("; creating them takes {} of CPU time", rounded_percent(s * 100.0)));
    format!("{how_many}{}{}", top.unwrap_or_default(), time.unwrap_or_default())
}

fn site_table(facts: &Facts, measured: &Measured<'_>) -> Value {
    let method = |frame: Option<FrameId>| frame.map_or(String::new(), |f| facts.method(f).to_owned());
    let rows = measured.sites.iter().take(10).map(|s| {
        let line = s.own.and_then(|f| facts.frame(f).line).map_or(String::new(), |l| l.to_string());
        [
            s.class.into(),
            method(s.own).into(),
            line.into(),
            method(s.made_in).into(),
            Value::number(s.count.round(), "exceptions"),
            Value::share(ratio(s.count, measured.all)),
            Value::window(s.first, s.last),
        ]
    });
    Value::table(["class", "in", "line", "made by", "exceptions", "share", "time"], rows)
}

/// The share of CPU samples in which an exception is created, and the callers; `None` if there are too few samples.
fn cpu_share(facts: &Facts, settings: &Settings) -> Option<(f64, Value)> {
    let groups = main_sampler(facts.groups(&CPU).iter());
    let all = sum(groups.iter().map(samples));
    if all < settings.number("samples") {
        return None;
    }
    let matcher = MethodMatcher::new(facts, |method| {
        matches!(method, "java.lang.Throwable.<init>" | "java.lang.Throwable.fillInStackTrace" | "JVM_FillInStackTrace")
            || method.starts_with("java_lang_Throwable::fill_in_stack_trace")
    });
    let made: Vec<(StackId, f64)> = groups
        .iter()
        .filter_map(|g| Some((g.stack("stackTrace").filter(|s| matcher.passes(*s))?, samples(g))))
        .collect();
    let callers = matcher.callers(made.iter().copied(), all, |n| Value::number(n, "samples"));
    Some((sum(made.iter().map(|(_, n)| *n)) / all, callers))
}

/// The sum. The sum of nothing is 0, not −0 as in the standard library, because that would be visible.
fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(0.0, |a, b| a + b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exceptions::thrown::DATADOG;
    use crate::fixture;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Field;
    use jfr_analyzers::testing::{Scene, stack};

    const SECOND: i64 = 1_000_000_000;

    fn fields(class: &str) -> [(&'static str, Field); 2] {
        let made =
            ["java.lang.Throwable.<init>", "java.lang.Exception.<init>", "shop.NoStock.<init>", "shop.Stock.take"];
        [("thrownClass", class.into()), ("stackTrace", stack(&made))]
    }

    fn counts(scene: Scene, seconds: i64, a_second: i64) -> Scene {
        (0..=seconds).fold(scene, |s, i| {
            s.event("jdk.ExceptionStatistics", i * SECOND, i * SECOND, [("throwables", (i * a_second).into())])
        })
    }

    #[test]
    fn a_habit_is_found_with_its_place() {
        fixture::expect("ExceptionControlFlow", "exceptions-as-control-flow", Severity::Warning);
    }

    #[test]
    fn a_healthy_program_and_one_burst_are_quiet() {
        fixture::expect("ExceptionControlFlow", "healthy", Severity::Ok);
        let burst = (0..60i64).fold(Scene::new(), |s, i| {
            let thrown = if i < 3 { i * 5_000 } else { 15_000 };
            s.event("jdk.ExceptionStatistics", i * SECOND, i * SECOND, [("throwables", thrown.into())])
        });
        assert_eq!(burst.verdict(&ExceptionControlFlow).severity, Severity::Ok);
    }

    #[test]
    fn a_rate_without_the_busiest_time_says_so() {
        // 600 in the first 3 s, then 1 per second.
        let burst = (0..60i64).fold(Scene::new(), |s, i| {
            let thrown = if i < 3 { i * 300 } else { 600 + i };
            s.event("jdk.ExceptionStatistics", i * SECOND, i * SECOND, [("throwables", thrown.into())])
        });
        let summary = burst.verdict(&ExceptionControlFlow).summary;
        assert_eq!(
            summary,
            "The program throws 60 exceptions per minute outside the busiest tenth of the time (670 on average)"
        );
        let steady = counts(Scene::new(), 60, 1).verdict(&ExceptionControlFlow).summary;
        assert_eq!(steady, "The program throws 60 exceptions per minute");
    }

    #[test]
    fn what_is_throttled_is_extrapolated() {
        let scene = (0..10).fold(counts(Scene::new(), 60, 1_000), |s, i| s.event(THROWS, i, i, fields("shop.NoStock")));
        let scene = scene.setting(THROWS, "throttle", "100/s");
        let verdict = scene.verdict(&ExceptionControlFlow);
        assert_eq!(verdict.severity, Severity::Warning);
    }

    #[test]
    fn errors_do_not_count() {
        let scene = counts(Scene::new(), 60, 1_000);
        let scene = (0..60i64).fold(scene, |s, i| {
            (0..500i64).fold(s, |s, k| s.event(ERRORS, i * SECOND + k + 1, i * SECOND + k + 1, fields("shop.Fatal")))
        });
        assert_eq!(scene.verdict(&ExceptionControlFlow).severity, Severity::Ok);
    }

    #[test]
    fn cpu_time_counts_too() {
        let of = |in_a_hundred: i64| {
            let sample = |s: Scene, i: i64| {
                let made: &[&str] = &["java.lang.Throwable.fillInStackTrace", "shop.Stock.take"];
                let methods = if i % 100 < in_a_hundred { made } else { &["shop.Stock.sum"] };
                s.event("jdk.CPUTimeSample", i, i, [("stackTrace", stack(methods))])
            };
            (0..1_000).fold(Scene::new(), sample).verdict(&ExceptionControlFlow)
        };
        assert_eq!(of(7).severity, Severity::Warning);
        assert!(fixture::text(&of(7)).contains("shop.Stock.take"));
        assert_eq!(of(4).severity, Severity::Info);
        assert_eq!(of(1).severity, Severity::Ok);
        assert_eq!(Scene::new().verdict(&ExceptionControlFlow).severity, Severity::NotApplicable);
    }

    #[test]
    fn datadogs_samples_stand_for_its_totals() {
        let sample =
            [("type", "shop.NoStock".into()), ("stackTrace", stack(&["shop.NoStock.<init>", "shop.Stock.take"]))];
        let scene = Scene::new().event(DATADOG, 0, 0, sample).event(
            "datadog.ExceptionCount",
            SECOND,
            SECOND,
            [("type", "shop.NoStock".into()), ("count", 50_000.into())],
        );
        let verdict = scene.verdict(&ExceptionControlFlow);
        assert_eq!(verdict.severity, Severity::Warning);
    }
}
