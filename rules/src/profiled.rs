//! Rules that need no JVM: they judge profiles of Python, Go or Node.js, and their metrics.
//!
//! These clients send no recording, so a rule sees stacks by type, the metrics of this profile, and those of the
//! profiles of the same process in the last hour. A rule is a file in `profiled/` with two functions, `info` and
//! `evaluate`, and a line in `RULES`. [`evaluate`] builds the same report as for a recording, [`evaluate_with`] uses the
//! settings of a `jfrkit.toml`.
//!
//! ```
//! use jfrkit_rules::profiled::{Process, evaluate};
//!
//! let report = evaluate(&Process { language: "Go", ..Process::default() });
//! assert!(report.rules.iter().all(|outcome| outcome.verdict.not_applicable_because.is_some()));
//! ```

mod exception_rate;
mod goroutine_growth;
mod growth;
mod heap_growth;
mod hot_function;
mod lock_wait;
mod table;
mod truncated_stacks;

use jfr_parse::{EpochNanos, Nanos};
use std::collections::BTreeMap;
use std::sync::LazyLock;

use jfr_analyzers::metrics::Metrics;
use jfr_analyzers::rule::{
    AnalysisError, AnalysisOptions, Category, Finding, Outcome, RecordingInfo, Report, RuleInfo, Section, Settings,
    Severity, Verdict,
};
use jfrkit_profile::any::{self, AnyProfile};
use jfrkit_profile::tree::CallStacks;

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

type Evaluate = fn(&Process<'_>, &Settings) -> Verdict;

static RULES: LazyLock<[(RuleInfo, Evaluate); 6]> = LazyLock::new(|| {
    [
        (hot_function::info(), hot_function::evaluate),
        (truncated_stacks::info(), truncated_stacks::evaluate),
        (lock_wait::info(), lock_wait::evaluate),
        (exception_rate::info(), exception_rate::evaluate),
        (heap_growth::info(), heap_growth::evaluate),
        (goroutine_growth::info(), goroutine_growth::evaluate),
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
