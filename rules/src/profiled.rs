//! Rules that need no JVM: they judge profiles of Python, Go or Node.js, and their metrics.
//!
//! These clients send no recording, so a rule sees stacks by type, the metrics of this profile, and those of the
//! profiles of the same process in the last hour. A rule is a function and a [`RuleInfo`]; [`evaluate`] builds the same
//! report as for a recording, [`evaluate_with`] uses the settings of a `jfrkit.toml`.
//!
//! ```
//! use jfrkit_rules::profiled::{Process, evaluate};
//!
//! let report = evaluate(&Process { language: "Go", ..Process::default() });
//! assert!(report.rules.iter().all(|outcome| outcome.verdict.not_applicable_because.is_some()));
//! ```

use jfr_parse::{EpochNanos, Nanos};
use std::collections::BTreeMap;
use std::sync::LazyLock;

use jfr_analyzers::math::map2;
use jfr_analyzers::metrics::Metrics;
use jfr_analyzers::rule::{
    AnalysisError, AnalysisOptions, Category, Cost, Finding, Outcome, RecordingInfo, Report, RuleInfo, Section,
    Setting, Settings, Severity, Value, Verdict,
};
use jfrkit_profile::Cancel;
use jfrkit_profile::any::{self, AnyProfile};
use jfrkit_profile::tree::{By, CallStacks, TableRow, View, table};
use jfrkit_profile::units;

/// Below this much CPU, in cores, it does not matter where the time goes.
const IDLE_CORES: f64 = 0.05;
/// The fewest samples that suffice to judge.
const FEW_SAMPLES: i64 = 50;
/// The fewest points of a trend, and the shortest time that they span.
const TREND_POINTS: usize = 6;
const TREND_SECONDS: f64 = 600.0;
/// From this correlation with time on, a series rises steadily rather than going up and down.
const STEADY: f64 = 0.85;

/// What is known about a process in the window of one profile.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process<'p> {
    /// `Python`, `Go`, `JavaScript`.
    pub language: &'p str,
    /// The entry point, if known.
    pub main: &'p str,
    /// Start of the window, in nanoseconds since the Unix epoch.
    pub start_nanos: i64,
    /// Length of the window, in nanoseconds.
    pub duration_nanos: i64,
    /// The stacks of each type, by its short name: `cpu`, `lock`, `error`. The last value of each stack counts.
    pub types: &'p [(&'p str, &'p CallStacks)],
    /// The metrics of this profile: `cpu.cores`, `lock.wait`, `exceptions`, `heap.live`, `goroutines`.
    pub metrics: &'p [(String, f64)],
    /// Profiles of the same process before this one, in any order.
    pub earlier: &'p [Earlier],
}

/// The metrics of an earlier profile.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    /// Start of its window, in nanoseconds since the Unix epoch.
    pub start_nanos: i64,
    /// Its metrics.
    pub metrics: Vec<(String, f64)>,
}

/// Why each rule matters, and what to do.
mod texts {
    pub(super) const HOT_WHY: &str = "A function with a large share of its own, without the functions that it calls, is \
                                      where a change saves most CPU time.";
    pub(super) const HOT_REMEDY: &str = "Look at its callers: calling it less often usually pays off more than making it \
                                         faster. Then look for work that its lines repeat needlessly: `jfrkit top --by \
                                         line` lists them; on the page, show the flame graph by line.";
    pub(super) const TRUNCATED_WHY: &str = "The flame graph lacks the frames that the profiler left out, so calls of the \
                                            same function show up in several places.";
    pub(super) const TRUNCATED_REMEDY: &str = "Let the profiler keep deeper stacks: for ddtrace, set \
                                               DD_PROFILING_MAX_FRAMES.";
    pub(super) const LOCKS_WHY: &str = "Waiting is summed over all threads. A thread that waits for work at a lock \
                                        counts, too; what matters are locks that hold up the threads that serve \
                                        requests.";
    pub(super) const LOCKS_REMEDY: &str = "Look at the lock profile: hold the top locks for less time, or give each \
                                           thread its own data.";
    pub(super) const EXCEPTIONS_WHY: &str = "Each exception costs a walk up the stack. At this rate they are rarely \
                                             errors; the program uses them as a way to return.";
    pub(super) const EXCEPTIONS_REMEDY: &str = "Check before the call, or return a value, if the exception is the usual \
                                                outcome.";
    pub(super) const GROWTH_WHY: &str = "A rise that never ends is a leak. A cache that fills up or a growing load looks \
                                         the same until it levels off.";
    pub(super) const HEAP_REMEDY: &str = "Compare the current heap profile with one from an hour ago, and look at the \
                                          functions that allocated what grew.";
    pub(super) const GOROUTINES_REMEDY: &str = "Look at the goroutine profile: goroutines that never end wait at the \
                                                same place, often for a channel that nobody reads or closes.";
}

type Evaluate = fn(&Process<'_>, &Settings) -> Verdict;

static RULES: LazyLock<[(RuleInfo, Evaluate); 6]> = LazyLock::new(|| {
    [
        (
            RuleInfo::own("ProfileHotFunction")
                .title("Hot function")
                .category(Category::Cpu)
                .description("Whether one function alone, without its callees, takes much of the CPU time.")
                .formula(
                    "Share of the CPU time: 25 at `info`, 75 at `warning`; not a finding below 0.05 cores. At most \
                     worth a look, because a hot function may be the program's work. Idle time, such as `(idle)` in \
                     Node.js, is not CPU time.",
                )
                .settings(
                    const {
                        &[
                            Setting::percent("info", 20.0, "Share of the CPU time worth a look"),
                            Setting::percent("warning", 50.0, "Share of the CPU time that scores 75"),
                        ]
                    },
                )
                .why(texts::HOT_WHY)
                .remedy(texts::HOT_REMEDY),
            hot_function,
        ),
        (
            RuleInfo::own("ProfileTruncatedStacks")
                .title("Truncated stacks")
                .category(Category::Recording)
                .description("How many samples have a stack from which the profiler left out frames.")
                .formula("Share of the samples: 25 at `info`, 75 at `warning`.")
                .settings(
                    const {
                        &[
                            Setting::percent("info", 5.0, "Share of the samples worth a look"),
                            Setting::percent("warning", 40.0, "Share of the samples to act on"),
                        ]
                    },
                )
                .why(texts::TRUNCATED_WHY)
                .remedy(texts::TRUNCATED_REMEDY),
            truncated_stacks,
        ),
        (
            RuleInfo::own("ProfileLockWait")
                .title("Waiting for locks")
                .category(Category::Locks)
                .description("How long threads wait for locks, compared with the time that they work.")
                .formula(
                    "Waiting divided by waiting plus CPU time: 25 at `info`, 75 at `warning`; not a finding below 0.1 \
                      s per second.",
                )
                .settings(
                    const {
                        &[
                            Setting::percent("info", 30.0, "Share of waiting worth a look"),
                            Setting::percent("warning", 70.0, "Share of waiting to act on"),
                        ]
                    },
                )
                .why(texts::LOCKS_WHY)
                .remedy(texts::LOCKS_REMEDY),
            lock_wait,
        ),
        (
            RuleInfo::own("ProfileExceptionRate")
                .title("Exceptions")
                .category(Category::Exceptions)
                .description("How many exceptions are raised, caught or not.")
                .formula("Exceptions per second: 25 at `info`, 75 at `warning`.")
                .settings(
                    const {
                        &[
                            Setting::per_second("info", 100.0, "Rate worth a look"),
                            Setting::per_second("warning", 2_000.0, "Rate to act on"),
                        ]
                    },
                )
                .why(texts::EXCEPTIONS_WHY)
                .remedy(texts::EXCEPTIONS_REMEDY),
            exceptions,
        ),
        (
            RuleInfo::own("ProfileHeapGrowth")
                .title("Growing heap")
                .category(Category::Heap)
                .description("Whether the memory in use rises steadily over the last hour of the process.")
                .formula(
                    "Growth per hour divided by the mean: 25 at `info`, 75 at `warning`; only for a \
                      steady rise over at least 10 minutes.",
                )
                .settings(
                    const {
                        &[
                            Setting::percent("info", 20.0, "Growth per hour worth a look"),
                            Setting::percent("warning", 100.0, "Growth per hour to act on"),
                        ]
                    },
                )
                .why(texts::GROWTH_WHY)
                .remedy(texts::HEAP_REMEDY),
            heap_growth,
        ),
        (
            RuleInfo::own("ProfileGoroutineGrowth")
                .title("Growing number of goroutines")
                .category(Category::Threads)
                .description("Whether the number of goroutines rises steadily over the last hour of the process.")
                .formula(
                    "Growth per hour divided by the mean: 25 at `info`, 75 at `warning`; only for a \
                      steady rise over at least 10 minutes.",
                )
                .settings(
                    const {
                        &[
                            Setting::percent("info", 20.0, "Growth per hour worth a look"),
                            Setting::percent("warning", 100.0, "Growth per hour to act on"),
                        ]
                    },
                )
                .why(texts::GROWTH_WHY)
                .remedy(texts::GOROUTINES_REMEDY),
            goroutine_growth,
        ),
    ]
});

/// The descriptions of the rules.
#[must_use]
pub fn rules() -> Vec<RuleInfo> {
    RULES.iter().map(|(info, _)| info.clone()).collect()
}

/// Whether a rule of this id is one of these.
#[must_use]
pub fn has(id: &str) -> bool {
    RULES.iter().any(|(info, _)| info.id == id)
}

/// Runs the rules on a profile with their default settings.
#[must_use]
pub fn evaluate(process: &Process<'_>) -> Report {
    // Defaults are numbers, which are always valid.
    report(process, RULES.iter().map(|(info, _)| Settings::defaults(&info.id, &info.settings).ok()))
}

/// Runs the rules that the options select, with the settings of the options. The options may also name rules for
/// recordings.
///
/// # Errors
/// [`AnalysisError::UnknownSetting`] and [`AnalysisError::BadSetting`] for a setting of one of these rules.
pub fn evaluate_with(process: &Process<'_>, options: &AnalysisOptions) -> Result<Report, AnalysisError> {
    let none = BTreeMap::new();
    let mut chosen = Vec::new();
    for (info, _) in &*RULES {
        let settings = Settings::with(&info.id, &info.settings, options.settings.get(&*info.id).unwrap_or(&none))?;
        chosen.push(options.choose(info).then_some(settings));
    }
    Ok(report(process, chosen.into_iter()))
}

/// The report of the rules that have settings here, in the order of [`RULES`].
fn report(process: &Process<'_>, settings: impl Iterator<Item = Option<Settings>>) -> Report {
    let rules: Vec<Outcome> = RULES
        .iter()
        .zip(settings)
        .filter_map(|((info, evaluate), settings)| {
            let verdict = evaluate(process, &settings?);
            Some(Outcome { rule: info.clone(), verdict, jmc_severity: None, failed: false })
        })
        .collect();
    let mut findings: Vec<Finding> = rules
        .iter()
        .filter(|outcome| outcome.verdict.severity >= Severity::Info)
        .map(|outcome| Finding {
            id: outcome.rule.id.clone(),
            severity: outcome.verdict.severity,
            section: if outcome.rule.category == Category::Recording { Section::Recording } else { Section::Program },
            cost: outcome.verdict.cost,
            because_of: None,
            also: Vec::new(),
        })
        .collect();
    let cost = |finding: &Finding| finding.cost.map_or(0.0, |cost| cost.share);
    let place = |finding: &Finding| Section::ALL.iter().position(|section| *section == finding.section);
    findings.sort_by(|a, b| {
        (place(a), std::cmp::Reverse(a.severity))
            .cmp(&(place(b), std::cmp::Reverse(b.severity)))
            .then(cost(b).total_cmp(&cost(a)))
    });
    let main = Some(process.main).filter(|main| !main.is_empty()).map(str::to_owned);
    let recording = RecordingInfo {
        start_nanos: EpochNanos(process.start_nanos),
        duration_nanos: Nanos(process.duration_nanos),
        main,
        ..RecordingInfo::default()
    };
    Report { recording, findings, rules }
}

/// The score of a share, whose settings are in percent.
fn score(share: f64, settings: &Settings) -> f64 {
    map2(share, settings.number("info") / 100.0, settings.number("warning") / 100.0)
}

/// Runs the rules on a profile that was read from a file. Earlier profiles are unknown, so rules that look for growth do
/// not apply.
///
/// ```
/// use jfrkit_profile::any::AnyProfile;
///
/// let report = jfrkit_rules::profiled::evaluate_file(&AnyProfile::default(), &Default::default())?;
/// assert!(report.findings.is_empty());
/// # Ok::<(), jfr_analyzers::rule::AnalysisError>(())
/// ```
///
/// # Errors
/// As for [`evaluate_with`].
pub fn evaluate_file(profile: &AnyProfile, options: &AnalysisOptions) -> Result<Report, AnalysisError> {
    let metrics = Metrics::of_profile(profile).metrics;
    let metrics: Vec<(String, f64)> =
        metrics.iter().filter_map(|metric| Some((metric.name.to_owned(), metric.value?))).collect();
    let found = any::types(profile);
    let stacks: Vec<CallStacks> = found.iter().map(|of| profile.call_stacks(&of.values)).collect();
    let types: Vec<(&str, &CallStacks)> = found.iter().map(|of| of.kind.as_str()).zip(&stacks).collect();
    let program = profile.mappings.first().map_or("", |mapping| profile.texts.get(mapping.file));
    let process = Process {
        language: any::language(profile).name(),
        main: program.rsplit('/').next().unwrap_or(program),
        start_nanos: profile.time_nanos,
        duration_nanos: profile.duration_nanos.max(0),
        types: &types,
        metrics: &metrics,
        earlier: &[],
    };
    let mut report = evaluate_with(&process, options)?;
    report.recording.warnings.clone_from(&profile.losses);
    Ok(report)
}

impl<'p> Process<'p> {
    fn stacks(&self, kind: &str) -> Option<&'p CallStacks> {
        self.types.iter().find(|(name, _)| *name == kind).map(|(_, stacks)| *stacks)
    }

    fn metric(&self, names: &[&str]) -> Option<f64> {
        let of = |wanted: &&str| self.metrics.iter().find(|(name, _)| name == *wanted).map(|(_, value)| *value);
        names.iter().find_map(of)
    }

    fn seconds(&self) -> f64 {
        self.duration_nanos.max(0) as f64 / 1e9
    }
}

/// The rows of a type, with their total and sample count.
fn rows(stacks: &CallStacks, by: &By) -> (Vec<TableRow>, i64, i64) {
    let value = stacks.types().len().saturating_sub(1);
    table(stacks, value, &View::default(), by, &Cancel::never())
        .map_or_else(|_| (Vec::new(), 0, 0), |rows| (rows.rows, rows.total, rows.samples))
}

fn share(part: i64, whole: i64) -> f64 {
    if whole > 0 { part as f64 / whole as f64 } else { 0.0 }
}

/// The first rows, with their share of the total.
fn top(rows: &[TableRow], total: i64, unit: &str, what: &'static str) -> Value {
    let line = |row: &TableRow| {
        let value = units::value(row.own, unit);
        [Value::text(&*row.key), Value::text(value), Value::share(share(row.own, total))]
    };
    Value::table([what, "itself", "share"], rows.iter().filter(|row| row.own > 0).take(10).map(line))
}

fn unit(stacks: &CallStacks) -> &str {
    stacks.types().last().map_or("", |t| &t.unit)
}

/// Whether a row of a CPU profile is a thread with nothing to do: V8's time between two events, and a parked goroutine.
fn is_idle(function: &str) -> bool {
    matches!(function, "(idle)" | "runtime.gopark")
}

/// Whether a row is CPU time outside of any function of the program: V8's own code, and Datadog's row for the threads
/// that run no JavaScript.
fn is_no_function(function: &str) -> bool {
    matches!(function, "(program)" | "(root)" | "Non JS threads activity")
}

fn hot_function(process: &Process<'_>, settings: &Settings) -> Verdict {
    let Some(stacks) = process.stacks("cpu") else { return Verdict::not_applicable("there is no CPU profile") };
    let (mut rows, mut total, mut samples) = rows(stacks, &By::Function);
    let all = total;
    rows.retain(|row| {
        let idle = is_idle(&row.key);
        if idle {
            total = total.saturating_sub(row.own);
            // It calls nothing, so all its samples are its own.
            samples = samples.saturating_sub(row.samples);
        }
        !idle
    });
    let Some(first) = rows.iter().find(|row| !is_no_function(&row.key)).filter(|_| samples >= FEW_SAMPLES) else {
        return Verdict::not_applicable(format!(
            "there are too few CPU samples: {}",
            units::things(u64::try_from(samples).unwrap_or(0), "sample", "samples")
        ));
    };
    let cores = process.metric(&["cpu.cores"]).map(|cores| cores * share(total, all));
    if cores.is_some_and(|cores| cores < IDLE_CORES) {
        return Verdict::ok(format!("The process hardly uses the CPU: {} cores", units::number(cores.unwrap_or(0.0))));
    }
    let part = share(first.own, total);
    let is_gc = matches!(&*first.key, "(garbage collector)" | "Garbage Collection");
    let summary = if is_gc {
        format!("Garbage collection takes {} of CPU time", units::share(part))
    } else {
        format!("{} itself takes {} of CPU time", first.key, units::share(part))
    };
    let remedy = if is_gc {
        "Look at the allocation profile: allocate less in the functions that allocate most, or give the program a \
         larger heap."
    } else {
        texts::HOT_REMEDY
    };
    Verdict::scored(score(part, settings), summary)
        // It may be the program's work, as for HotSpots.
        .at_most(Severity::Info)
        .explain(texts::HOT_WHY)
        .remedy(remedy)
        .with("functions", top(&rows, total, unit(stacks), "function"))
        .with_some("cpu cores", cores.map(|cores| Value::number(cores, "cores")))
        .with_some("idle", (total < all).then(|| Value::text(units::value(all.saturating_sub(total), unit(stacks)))))
        .cost(Cost::cpu(part))
}

fn truncated_stacks(process: &Process<'_>, settings: &Settings) -> Verdict {
    // What clients put in the place of frames that they left out: ddtrace "<3 frames omitted>".
    let is_gap = |name: &str| {
        let name = name.trim_matches(['<', '>', '[', ']']);
        name == "truncated" || name.ends_with("frames omitted") || name.ends_with("frame omitted")
    };
    let kind = ["cpu", "wall"].into_iter().find_map(|kind| process.stacks(kind).map(|stacks| (kind, stacks)));
    let Some((kind, stacks)) = kind else {
        return Verdict::not_applicable("there is no CPU or wall-clock profile");
    };
    let (rows, _, samples) = rows(stacks, &By::Function);
    if samples < FEW_SAMPLES {
        return Verdict::not_applicable("there are too few samples");
    }
    let cut = rows.iter().filter(|row| is_gap(&row.key)).fold(0i64, |sum, row| sum.saturating_add(row.samples));
    let part = share(cut.min(samples), samples);
    if cut == 0 {
        return Verdict::ok(format!("The profiler left no frames out of the stacks of the {kind} profile"));
    }
    let summary = format!("{} of the samples have a truncated stack", units::share(part));
    Verdict::scored(score(part, settings), summary)
        .explain(texts::TRUNCATED_WHY)
        .remedy(texts::TRUNCATED_REMEDY)
        .with("truncated", Value::count(u64::try_from(cut).unwrap_or(0), "samples"))
        .with("share", Value::share(part))
}

fn lock_wait(process: &Process<'_>, settings: &Settings) -> Verdict {
    let kind = ["lock", "mutex"].into_iter().find_map(|kind| process.stacks(kind));
    let waited = process.metric(&["lock.wait"]).or_else(|| {
        let stacks = kind.filter(|stacks| unit(stacks) == "nanoseconds")?;
        let total = stacks.totals().last().copied()?;
        (process.seconds() > 0.0).then(|| total as f64 / 1e9 / process.seconds())
    });
    let Some(waited) = waited else { return Verdict::not_applicable("the client sends no lock profile") };
    let Some(cores) = process.metric(&["cpu.cores"]) else {
        return Verdict::not_applicable("there is no CPU time to compare it with");
    };
    let part = if waited > 0.0 { waited / (waited + cores.max(0.0)) } else { 0.0 };
    let a_second = format!("{} s per second", units::number(waited));
    if waited < 0.1 {
        return Verdict::ok(format!("Threads hardly wait for locks: {a_second}"));
    }
    let summary = format!("Threads wait for locks {a_second}, {} of that and CPU time", units::share(part));
    let mut verdict = Verdict::scored(score(part, settings), summary)
        .explain(texts::LOCKS_WHY)
        .remedy(texts::LOCKS_REMEDY)
        .with("waiting", Value::number(waited, "s/s"));
    if let Some(stacks) = kind {
        let (by_class, total, _) = rows(stacks, &By::Class);
        let labeled = !by_class.iter().all(|row| row.key.starts_with('['));
        let (rows, _, _) = if labeled { (by_class, total, 0) } else { rows(stacks, &By::Function) };
        verdict = verdict.with("locks", top(&rows, total, unit(stacks), if labeled { "lock" } else { "function" }));
    }
    verdict
}

fn exceptions(process: &Process<'_>, settings: &Settings) -> Verdict {
    let Some(rate) = process.metric(&["exceptions"]) else {
        return Verdict::not_applicable("the client sends no exception profile");
    };
    let summary = format!("The program raises {} exceptions per second", units::number(rate));
    let mut verdict = Verdict::scored(map2(rate, settings.number("info"), settings.number("warning")), summary)
        .with("rate", Value::number(rate, "exceptions/s"));
    if verdict.severity >= Severity::Info {
        verdict = verdict.explain(texts::EXCEPTIONS_WHY).remedy(texts::EXCEPTIONS_REMEDY);
    }
    if let Some(stacks) = process.stacks("error") {
        let (rows, total, _) = rows(stacks, &By::Class);
        verdict = verdict.with("types", top(&rows, total, unit(stacks), "type"));
    }
    verdict
}

fn heap_growth(process: &Process<'_>, settings: &Settings) -> Verdict {
    growth(process, settings, &["heap.live"], "The heap", units::size_f64, texts::HEAP_REMEDY)
}

fn goroutine_growth(process: &Process<'_>, settings: &Settings) -> Verdict {
    if process.language != "Go" {
        return Verdict::not_applicable("only Go has goroutines");
    }
    let names = ["goroutines", "go_num_goroutine"];
    growth(process, settings, &names, "The number of goroutines", units::number, texts::GOROUTINES_REMEDY)
}

/// A steady rise of a metric over the last hour.
fn growth(
    process: &Process<'_>,
    settings: &Settings,
    names: &[&str],
    what: &str,
    show: fn(f64) -> String,
    remedy: &str,
) -> Verdict {
    const HOUR: i64 = 3_600_000_000_000;
    let Some(now) = process.metric(names) else {
        return Verdict::not_applicable("the client does not send this metric");
    };
    let mut points: Vec<(f64, f64)> = process
        .earlier
        .iter()
        .filter(|earlier| {
            let ago = process.start_nanos.saturating_sub(earlier.start_nanos);
            ago > 0 && ago <= HOUR
        })
        .filter_map(|earlier| {
            let value = names.iter().find_map(|wanted| earlier.metrics.iter().find(|(name, _)| name == wanted))?.1;
            Some((earlier.start_nanos.saturating_sub(process.start_nanos) as f64 / 1e9, value))
        })
        .collect();
    points.push((0.0, now));
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let span = points.first().map_or(0.0, |(at, _)| -at);
    if points.len() < TREND_POINTS || span < TREND_SECONDS {
        return Verdict::not_applicable("the process has been observed for less than ten minutes");
    }
    let n = points.len() as f64;
    let (mean_t, mean_v) = points.iter().fold((0.0, 0.0), |(t, v), point| (t + point.0 / n, v + point.1 / n));
    let (mut tt, mut tv, mut vv) = (0.0, 0.0, 0.0);
    for (at, value) in &points {
        let (t, v) = (at - mean_t, value - mean_v);
        tt += t * t;
        tv += t * v;
        vv += v * v;
    }
    let steady = if tt > 0.0 && vv > 0.0 { tv / (tt * vv).sqrt() } else { 0.0 };
    let an_hour = if tt > 0.0 { tv / tt * 3_600.0 } else { 0.0 };
    let (first, last) = (points.first().map_or(0.0, |p| p.1), now);
    let over = units::duration_f64(span * 1e9);
    let moved = format!("from {} to {} in {over}", show(first), show(last));
    if steady < STEADY || mean_v <= 0.0 {
        return Verdict::ok(format!("{what} does not rise steadily: {moved}"));
    }
    let relative = an_hour / mean_v;
    let summary = format!("{what} rises steadily, {moved}");
    Verdict::scored(score(relative, settings), summary)
        .explain(texts::GROWTH_WHY)
        .remedy(remedy)
        .with("growth an hour", Value::text(show(an_hour)))
        .with("share of the mean", Value::share(relative))
        .with("profiles", Value::count(u64::try_from(points.len()).unwrap_or(0), "profiles"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::verdict_snapshots::assert_snapshot;
    use jfrkit_profile::tree::{FrameKind, LabelText, SampleType};

    fn stacks(name: &str, unit: &str, samples: &[(&[&str], i64, i64, &str)]) -> CallStacks {
        let mut stacks = CallStacks::new(vec![SampleType::new("samples", "count"), SampleType::new(name, unit)]);
        for (path, count, value, class) in samples {
            let frames: Vec<u32> = path.iter().map(|name| stacks.frame(name, FrameKind::Python, 0)).collect();
            let labels: Vec<(Box<str>, LabelText)> =
                if class.is_empty() { Vec::new() } else { vec![("class".into(), LabelText::Text((*class).into()))] };
            stacks.add(&frames, &labels, &[*count, *value]);
        }
        stacks
    }

    fn verdict(process: &Process<'_>, id: &str) -> Verdict {
        evaluate(process).outcome(id).unwrap().verdict.clone()
    }

    #[test]
    fn a_function_with_most_of_the_cpu_is_hot_unless_the_process_idles() {
        let cpu = stacks(
            "cpu-time",
            "nanoseconds",
            &[(&["main", "parse", "scan"], 80, 800_000_000, ""), (&["main", "parse"], 20, 200_000_000, "")],
        );
        let busy = [("cpu.cores".to_owned(), 0.9)];
        let types = [("cpu", &cpu)];
        let process = Process { language: "Python", types: &types, metrics: &busy, ..Process::default() };
        let hot = verdict(&process, "ProfileHotFunction");
        // It may be the program's work.
        assert_snapshot("ProfileHotFunction", &hot);
        assert_eq!(evaluate(&process).findings[0].id, "ProfileHotFunction");
        let idle = [("cpu.cores".to_owned(), 0.01)];
        assert_eq!(verdict(&Process { metrics: &idle, ..process }, "ProfileHotFunction").severity, Severity::Ok);
        let few = stacks("cpu-time", "nanoseconds", &[(&["main"], 3, 30_000_000, "")]);
        let types = [("cpu", &few)];
        let verdict = verdict(&Process { types: &types, ..process }, "ProfileHotFunction");
        assert!(verdict.not_applicable_because.unwrap().contains("3 samples"));
    }

    #[test]
    fn settings_move_the_thresholds_and_switch_rules_off() {
        let cpu =
            stacks("cpu-time", "nanoseconds", &[(&["f"], 30, 300, ""), (&["g"], 25, 250, ""), (&["h"], 45, 450, "")]);
        let types = [("cpu", &cpu)];
        let process = Process { language: "Python", types: &types, ..Process::default() };
        let severity = |text: &str| {
            let config = crate::config::Config::parse(text, &crate::analysis()).unwrap();
            let mut options = AnalysisOptions::default();
            config.apply_to_profiled(&mut options);
            let report = evaluate_with(&process, &options).unwrap();
            report.outcome("ProfileHotFunction").map(|outcome| outcome.verdict.severity)
        };
        assert_eq!(severity(""), Some(Severity::Info));
        assert_eq!(severity("[rules.ProfileHotFunction]\ninfo = \"46 %\""), Some(Severity::Ok));
        assert_eq!(severity("[rules.ProfileHotFunction]\ninfo = \"50 %\"\nwarning = \"60 %\""), Some(Severity::Ok));
        assert_eq!(severity("[rules.ProfileHotFunction]\nenabled = false"), None);
        // An analysis of recordings does not know these rules, and must not be asked for them.
        let config =
            crate::config::Config::parse("[rules.ProfileHotFunction]\ninfo = \"50 %\"", &crate::analysis()).unwrap();
        let mut options = AnalysisOptions::default();
        config.apply(&mut options);
        assert!(options.settings.is_empty());
        let wrong = crate::config::Config::parse("[rules.ProfileHotFunction]\nlimit = \"50 %\"", &crate::analysis());
        assert!(wrong.unwrap_err().to_string().starts_with("line 2: "));
    }

    #[test]
    fn stacks_without_some_frames_are_counted() {
        let cpu = stacks(
            "cpu-time",
            "nanoseconds",
            &[(&["<12 frames omitted>", "f"], 30, 300, ""), (&["main", "f"], 70, 700, "")],
        );
        let types = [("cpu", &cpu)];
        let process = Process { language: "Python", types: &types, ..Process::default() };
        let found = verdict(&process, "ProfileTruncatedStacks");
        assert_snapshot("ProfileTruncatedStacks", &found);
        assert_eq!(evaluate(&process).findings.last().unwrap().section, Section::Recording);
    }

    #[test]
    fn waiting_for_locks_is_compared_with_work() {
        let lock = stacks(
            "lock-acquire-wait",
            "nanoseconds",
            &[
                (&["worker", "acquire"], 10, 80_000_000_000, "cache.py:12:lock"),
                (&["worker", "other"], 1, 1_000_000_000, "b.py:3:lock"),
            ],
        );
        let types = [("lock", &lock)];
        let metrics = [("cpu.cores".to_owned(), 0.5), ("lock.wait".to_owned(), 1.35)];
        let process = Process { language: "Python", types: &types, metrics: &metrics, ..Process::default() };
        let found = verdict(&process, "ProfileLockWait");
        assert_snapshot("ProfileLockWait", &found);
        // Go sends no such metric: it is computed from the profile.
        let metrics = [("cpu.cores".to_owned(), 0.5)];
        let types = [("mutex", &lock)];
        let process = Process {
            language: "Go",
            types: &types,
            metrics: &metrics,
            duration_nanos: 60_000_000_000,
            ..Process::default()
        };
        assert_eq!(verdict(&process, "ProfileLockWait").severity, Severity::Warning);
        let metrics = [("cpu.cores".to_owned(), 0.5), ("lock.wait".to_owned(), 0.05)];
        assert_eq!(verdict(&Process { metrics: &metrics, ..process }, "ProfileLockWait").severity, Severity::Ok);
    }

    #[test]
    fn idle_time_is_not_cpu_time() {
        let of = |samples: &[(&[&str], i64, i64, &str)]| {
            let cpu = stacks("cpu", "nanoseconds", samples);
            let metrics = [("cpu.cores".to_owned(), 0.9)];
            let types = [("cpu", &cpu)];
            let process = Process { language: "JavaScript", types: &types, metrics: &metrics, ..Process::default() };
            verdict(&process, "ProfileHotFunction")
        };
        let idle = (&["(idle)"][..], 600, 600_000_000, "");
        let hot = of(&[idle, (&["main", "render"], 60, 60_000_000, ""), (&["main", "parse"], 40, 40_000_000, "")]);
        assert_eq!(hot.summary, "render itself takes 60 % of CPU time");
        assert!(!format!("{:?}", hot.evidence).contains("(idle)"), "{hot:?}");
        // Threads that run no JavaScript use the CPU, but are not a function to look at.
        let other = (&["Non JS threads activity"][..], 300, 300_000_000, "");
        let hot = of(&[other, (&["main", "render"], 100, 100_000_000, "")]);
        assert_eq!(hot.summary, "render itself takes 25 % of CPU time");
        let collected = of(&[(&["(garbage collector)"], 80, 80_000_000, ""), (&["main"], 20, 20_000_000, "")]);
        assert_eq!(collected.summary, "Garbage collection takes 80 % of CPU time");
        // A process that only waits.
        let waits = of(&[idle, (&["main", "render"], 10, 10_000_000, "")]);
        assert_eq!(waits.severity, Severity::NotApplicable);
        let idles = of(&[(&["(idle)"], 9_900, 9_900_000_000, ""), (&["main"], 60, 60_000_000, "")]);
        assert_eq!(idles.severity, Severity::Ok, "{}", idles.summary);
    }

    #[test]
    fn exceptions_are_worth_a_look_by_the_hundred() {
        let of = |rate: f64| {
            let metrics = [("exceptions".to_owned(), rate)];
            verdict(&Process { language: "Python", metrics: &metrics, ..Process::default() }, "ProfileExceptionRate")
        };
        assert_eq!([of(3.0), of(5_000.0)].map(|verdict| verdict.severity), [Severity::Ok, Severity::Warning]);
        assert_snapshot("ProfileExceptionRate", &of(300.0));
    }

    #[test]
    fn a_steady_rise_is_a_leak_and_a_saw_is_not() {
        let minute = 60_000_000_000_i64;
        let history = |value: &dyn Fn(i64) -> f64| -> Vec<Earlier> {
            let at = |n: i64| Earlier {
                start_nanos: (100 - n) * minute,
                metrics: vec![("heap.live".to_owned(), value(-n))],
            };
            (1..=40).map(at).collect()
        };
        let of = |earlier: &[Earlier], now: f64| {
            let metrics = [("heap.live".to_owned(), now)];
            let process =
                Process { language: "Go", start_nanos: 100 * minute, metrics: &metrics, earlier, ..Process::default() };
            verdict(&process, "ProfileHeapGrowth")
        };
        let leak = of(&history(&|t| 1e9 + 2e7 * t as f64), 1e9);
        assert_snapshot("ProfileHeapGrowth", &leak);
        let saw = of(&history(&|t| if t % 2 == 0 { 5e8 } else { 1.5e9 }), 1e9);
        assert_eq!(saw.severity, Severity::Ok, "{}", saw.summary);
        let flat = of(&history(&|_| 1e9), 1e9);
        assert_eq!(flat.severity, Severity::Ok, "{}", flat.summary);
        let young = of(&history(&|t| 1e9 + 2e7 * t as f64)[..5], 1e9);
        assert_eq!(young.severity, Severity::NotApplicable);
    }

    #[test]
    fn goroutines_that_pile_up_are_a_leak() {
        let minute = 60_000_000_000_i64;
        let at = |n: i64| Earlier {
            start_nanos: (100 - n) * minute,
            metrics: vec![("goroutines".to_owned(), (1_000 - 20 * n) as f64)],
        };
        let earlier: Vec<Earlier> = (1..=40).map(at).collect();
        let metrics = [("goroutines".to_owned(), 1_000.0)];
        let go = Process {
            language: "Go",
            start_nanos: 100 * minute,
            metrics: &metrics,
            earlier: &earlier,
            ..Process::default()
        };
        assert_snapshot("ProfileGoroutineGrowth", &verdict(&go, "ProfileGoroutineGrowth"));
        let python = Process { language: "Python", ..go };
        assert_eq!(verdict(&python, "ProfileGoroutineGrowth").severity, Severity::NotApplicable);
    }
}
