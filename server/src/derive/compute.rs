//! Calls the analysis crates: profiles, findings, metrics and runtime information of an upload; in `trees.rs`, the
//! trees and files that the API returns.
//!
//! The rest of this crate collects profiles, runs rules, computes metrics and builds trees only through this module.
//! What an upload contains, and which results are stored, belongs in the files next to this one (`jfr.rs`, `pprof.rs`).
//! Start with [`profiles`] and [`analyze`].

pub(crate) mod trees;

use std::path::Path;
use std::time::Duration;

use jfr_analyzers::metrics::Metrics;
use jfr_analyzers::rule::{AnalysisError, AnalysisOptions, Report, Severity};
use jfr_analyzers::time_range::span;
use jfr_analyzers::{LabelKey, Options, Pass, TimeRange, collect_merged};
use jfr_parse::{EpochNanos, Limits, Nanos, OpenOptions, Recording, Stop};
use jfrkit_profile::{Cancel, ProfileSet};
use jfrkit_reports::runtime::{RuntimeSection, recording_sections};
use jfrkit_reports::{Entry, Format, Style};

use crate::model::{Finding, Measure};

/// What an upload may contain, and how long reading it may take.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// For recordings and for anything compressed.
    pub(crate) limits: Limits,
    /// For pprof files.
    pub(crate) pprof: pprof_emit::AnyLimits,
    patience: Duration,
}

impl Bounds {
    /// Limits for untrusted uploads.
    pub(crate) fn intake() -> Self {
        let pprof = pprof_emit::AnyLimits::intake();
        Self { limits: Limits::intake(), pprof, patience: Duration::from_secs(60) }
    }

    /// Limits for files that the user opens, the same as for other commands.
    pub(crate) fn tool() -> Self {
        let pprof = pprof_emit::AnyLimits::default();
        Self { limits: Limits::tool(), pprof, patience: Duration::from_secs(24 * 3_600) }
    }
}

/// Opens recordings.
pub(crate) fn open(path: &Path, bounds: &Bounds) -> jfr_parse::Result<Recording<'static>> {
    OpenOptions::new().limits(bounds.limits.clone()).stop(Stop::after(bounds.patience)).open(path)
}

/// The labels that the page can filter by.
fn options() -> Options {
    let mut options = Options::default();
    options.labels = vec![
        LabelKey::Thread,
        LabelKey::Class,
        LabelKey::Path,
        LabelKey::Host,
        LabelKey::Port,
        LabelKey::State,
        LabelKey::TraceEndpoint,
    ];
    options
}

/// All profiles of recordings that belong together. `contexts` keeps the context number as a label when another file of the
/// upload explains it.
pub(crate) fn profiles(recordings: &[&Recording<'static>], contexts: bool) -> jfr_parse::Result<ProfileSet> {
    let mut options = options();
    if contexts {
        options.labels.push(LabelKey::ContextId);
    }
    collect_merged(recordings, &options)
}

/// The stacks of one type within `start..end`, in milliseconds since the epoch.
pub(crate) fn stacks_within(
    paths: &[std::path::PathBuf],
    kind: &str,
    start: i64,
    end: i64,
    bounds: &Bounds,
) -> Result<Option<trees::CallStacks>, String> {
    let Some(kind) = jfrkit_profile::ProfileType::ALL.iter().find(|k| k.name() == kind) else { return Ok(None) };
    let opened: Vec<_> = paths.iter().filter_map(|path| open(path, bounds).ok()).collect();
    let mut options = options();
    options.types = vec![*kind];
    let [start, end] = [start, end].map(|millis| EpochNanos(millis.saturating_mul(1_000_000)));
    options.filter.range = TimeRange { from: Some(start), to: Some(end) };
    let all: Vec<&Recording<'static>> = opened.iter().collect();
    let set = collect_merged(&all, &options).map_err(|error| error.to_string())?;
    let found = set.profiles.iter().find(|profile| profile.kind == *kind);
    // The recordings may cover only a part of the range.
    let (begin, finish) = span(&all);
    let Nanos(covered) = end.min(finish).saturating_since(start.max(begin));
    Ok(found.map(|profile| {
        let mut stacks = trees::CallStacks::of(profile, &set.tables);
        stacks.seconds = std::time::Duration::from_nanos(u64::try_from(covered).unwrap_or(0)).as_secs_f64();
        stacks
    }))
}

/// Profiles are kept for long, so they are compressed a little more than `jfrkit convert` does.
const LEVEL: u8 = 3;

/// Writes each profile of a set as `TYPE.pb.gz`.
pub(crate) fn write(set: &ProfileSet, dir: &Path, stop: &Stop) -> std::io::Result<()> {
    let stop = stop.clone();
    let cancel = Cancel::when(move || stop.is_raised());
    let options = pprof_emit::Options { cancel, packing: pprof_emit::Packing::Gzip(LEVEL) };
    let written = pprof_emit::write_all(set, |profile| dir.join(format!("{}.pb.gz", profile.kind)), &options);
    written.map(|_| ()).map_err(|failed| failed.source)
}

/// The findings of all rules and the known measures of a recording, read together.
pub(crate) fn analyze(
    recording: &Recording<'static>,
    rules: &Rules,
) -> (Result<Report, AnalysisError>, jfr_parse::Result<Vec<Measured>>) {
    let (report, metrics) = match Pass::new(recording).rules(&rules.analysis, &rules.options).metrics(None).run() {
        Ok(output) => {
            let report = output.report.unwrap_or_else(|| unreachable!("findings were requested"));
            let metrics = output.metrics.unwrap_or_else(|| unreachable!("metrics were requested"));
            (Ok(report), Ok(metrics.0))
        }
        // Metrics need less, so they may stay within the limits.
        Err(error) => (Err(error), Metrics::of(recording, None)),
    };
    (report, metrics.map(|metrics| metrics.metrics.into_iter().map(measured).collect()))
}

/// Runs the rules that need no JVM on a profile, given its stacks by type.
pub(crate) fn analyze_process(
    profile: &crate::model::Profile,
    types: &[(String, trees::CallStacks)],
    earlier: &[(i64, Vec<(String, f64)>)],
    rules: &Rules,
) -> Report {
    use jfrkit_rules::profiled::{Earlier, Process, evaluate, evaluate_with};
    let types: Vec<(&str, &trees::CallStacks)> = types.iter().map(|(kind, stacks)| (kind.as_str(), stacks)).collect();
    let nanos = |millis: i64| millis.saturating_mul(1_000_000);
    let earlier: Vec<Earlier> = earlier
        .iter()
        .map(|(start, metrics)| Earlier { start_nanos: nanos(*start), metrics: metrics.clone() })
        .collect();
    let process = Process {
        language: &profile.facets.language,
        main: &profile.main,
        start_nanos: nanos(profile.start),
        duration_nanos: nanos(profile.end.saturating_sub(profile.start)),
        types: &types,
        metrics: &profile.metrics,
        earlier: &earlier,
    };
    // The settings were checked when they were parsed.
    evaluate_with(&process, &rules.profiled).unwrap_or_else(|_| evaluate(&process))
}

/// The rules as configured.
pub(crate) struct Rules {
    analysis: jfr_analyzers::rule::Analysis,
    options: AnalysisOptions,
    /// Options of the rules that need no recording.
    profiled: AnalysisOptions,
}

impl Rules {
    /// The rules with these settings, the content of `jfrkit.toml`.
    pub(crate) fn new(settings: Option<&str>) -> Result<Self, String> {
        let analysis = jfrkit_rules::analysis();
        let (mut options, mut profiled) = (AnalysisOptions::default(), AnalysisOptions::default());
        let Some(text) = settings else { return Ok(Self { analysis, options, profiled }) };
        let config = jfrkit_rules::config::Config::parse(text, &analysis).map_err(|error| error.to_string())?;
        let analysis = config.add_to(analysis).map_err(|error| error.to_string())?;
        config.apply(&mut options);
        config.apply_to_profiled(&mut profiled);
        Ok(Self { analysis, options, profiled })
    }
}

/// The report as `jfrkit analyze --format json` writes it.
pub(crate) fn report_json(name: &str, report: &Report) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    Format::Json.write(&mut out, &[Entry::new(name, report)], &Style::default())?;
    Ok(out)
}

/// The part of a report that the index stores: the findings in display order.
pub(crate) fn findings(report: &Report) -> Vec<Finding> {
    let shown = report.shown(Severity::Info);
    shown
        .map(|(finding, outcome)| Finding {
            rule: finding.id.clone().into_owned(),
            severity: finding.severity.name().to_owned(),
            section: outcome.section().name().to_owned(),
            cost: outcome.verdict.cost.map(|cost| cost.share),
        })
        .collect()
}

/// What the recording contains about its environment, with secrets masked.
pub(crate) fn runtime(recording: &Recording<'static>) -> jfr_parse::Result<Vec<RuntimeSection>> {
    let runtime = jfr_analyzers::runtime::Runtime::of(recording, jfr_analyzers::runtime::Options::default())?;
    Ok(recording_sections(runtime))
}

/// Measures of profiles that did not come from a recording, computed from the totals of their sample types.
pub(crate) fn pprof_measures(
    is_go: bool,
    totals: &[(&str, f64)],
    seconds: f64,
    given: &[(String, f64)],
) -> Vec<Measured> {
    use jfr_analyzers::metrics::{Language, of_pprof};
    let language = if is_go { Language::Go } else { Language::Python };
    of_pprof(language, totals, seconds, given).into_iter().map(measured).collect()
}

fn measured(metric: jfr_analyzers::metrics::Metric) -> Measured {
    let how = metric.reason.unwrap_or(metric.how);
    Measured { name: metric.name, measure: Measure { value: metric.value, at_least: metric.lower_bound, how } }
}

/// A measure: its name, its value, whether that is a lower bound, and how it was derived.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) measure: Measure,
}

/// A metric's title and unit, and how it is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MetricInfo {
    pub(crate) title: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) how: &'static str,
    /// Its position in the table.
    pub(crate) place: usize,
}

/// Name, title, unit, how.
const METRICS: [(&str, &str, &str, &str); 36] = [
    (
        "cpu.cores",
        "CPU cores",
        "cores",
        "CPU time of the process divided by elapsed time; see docs/metrics.md for the sources",
    ),
    ("cpu.machine", "CPU of the machine", "ratio", "share of all hardware threads used by any process"),
    ("alloc.rate", "Memory Allocation", "bytes_per_second", "heap memory allocated, including memory freed since"),
    ("gc.pause.share", "GC pauses, share", "ratio", "GC pauses divided by elapsed time"),
    ("gc.pause.max", "Longest GC pause", "seconds", "the longest pause of the profile"),
    ("gc.count", "Collections", "per_minute", "collections of any kind"),
    ("heap.after_gc", "Heap after GC", "bytes", "heap in use after the last collection of the profile"),
    ("heap.committed", "Heap committed", "bytes", "heap that the JVM has committed"),
    ("heap.live", "Heap", "bytes", "memory still allocated at the end"),
    ("metaspace.used", "Metaspace", "bytes", "memory used by classes"),
    ("rss", "Resident memory", "bytes", "physical memory of the process"),
    ("threads", "Threads", "count", "live threads"),
    ("threads.started", "Threads started", "per_second", "threads started"),
    ("goroutines", "Goroutines", "count", "goroutines at the end of the profile"),
    ("exceptions", "Exceptions", "per_second", "exceptions thrown, caught or not"),
    ("lock.wait", "Waiting for locks", "seconds_per_second", "time that all threads together waited for locks"),
    ("file.time", "File I/O", "seconds_per_second", "time that all threads together spent in file I/O"),
    ("socket.time", "Socket I/O", "seconds_per_second", "time that all threads together spent in socket I/O"),
    (
        "native.time",
        "Time in native code",
        "seconds_per_second",
        "time that all threads together spent in native code, from samples",
    ),
    ("wall", "Wall time", "seconds_per_second", "elapsed time of all sampled threads"),
    ("classes.loaded", "Classes loaded", "count", "loaded classes"),
    ("compile.time", "Compilation", "seconds_per_second", "time spent by compiler threads"),
    ("safepoint.share", "Safepoints, share", "ratio", "time at safepoints divided by elapsed time"),
    ("context_switches", "Context switches", "per_second", "context switches of the whole machine"),
    ("go_alloc_bytes_per_sec", "Allocation", "bytes_per_second", "as measured by the Go client"),
    ("go_allocs_per_sec", "Allocations", "per_second", "as measured by the Go client"),
    ("go_frees_per_sec", "Frees", "per_second", "as measured by the Go client"),
    ("go_heap_growth_bytes_per_sec", "Heap growth", "bytes_per_second", "as measured by the Go client"),
    ("go_gcs_per_sec", "Collections", "per_second", "as measured by the Go client"),
    ("go_gc_pause_time", "GC pauses, share", "ratio", "as measured by the Go client"),
    ("go_max_gc_pause_time", "Longest GC pause", "seconds", "as measured by the Go client"),
    ("go_num_goroutine", "Goroutines", "count", "as measured by the Go client"),
    ("upload.bytes", "Size of the upload", "bytes", "bytes of all parts as received"),
    ("findings.warning", "Warnings of the analysis", "count", "findings to act on"),
    ("findings.info", "Other findings", "count", "findings to look at"),
    ("", "", "", ""),
];

/// The description of a metric.
pub(crate) fn metric(name: &str) -> MetricInfo {
    let place = METRICS.iter().position(|(n, ..)| *n == name).unwrap_or(METRICS.len() - 1);
    let (_, title, unit, how) = METRICS.get(place).copied().unwrap_or_default();
    MetricInfo { title, unit, how, place }
}
