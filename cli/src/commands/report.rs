//! `jfrkit report`.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use jfr_analyzers::metrics::{Metric, Metrics};
use jfr_analyzers::rule::{Analysis, AnalysisError, AnalysisOptions, Report};
use jfr_analyzers::runtime::Runtime;
use jfr_analyzers::time_range::span;
use jfr_analyzers::{LabelKey, Options, Pass};
use jfr_parse::{EpochNanos, Error, Nanos, Recording};
use jfrkit_profile::any::{AnyProfile, Language, java_title, language};
use jfrkit_profile::tree::View;
use jfrkit_profile::{Cancel, ProfileType, units};
use jfrkit_reports::page::{PageError, PageType, ReportFacts, ReportFolded, ReportProfile, report_page};
use jfrkit_reports::runtime::{profile_sections, recording_sections, runtime_text};
use jfrkit_rules::profiled::evaluate_file;

use crate::failure::Failure;
use crate::inputs::{Source, Wanted, find};
use crate::limits;
use crate::output::{print_error, print_note, warn};
use crate::profiles::{Opened, Typed, of_profile, of_set, open, tree_failure};

use super::flame::write_page;

/// Write one HTML page with flame graphs, analysis, metrics and runtime information
#[derive(Debug, clap::Args)]
#[group(id = "report")]
#[command(after_help = "\
Examples:
  jfrkit report recording.jfr -o page.html
  jfrkit report before.jfr after.jfr -o both.html --types cpu,alloc
  jfrkit report profile.pprof -o page.html       a Python, Go or Node.js profile

The page opens from disk and needs no network. Subtrees that are too narrow to see are folded, and more of them until the page fits \
--max-size; standard error and the page report how much is folded. Totals and function tables stay exact.")]
pub(crate) struct Args {
    /// Recordings, pprof files, directories to search for them, or `-` for standard input
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<OsString>,

    /// Output file; `-` for standard output
    #[arg(short, long, value_name = "FILE.html", required = true)]
    output: PathBuf,

    /// Only these profile types, comma-separated: cpu, alloc, lock, …, or names of sample types
    #[arg(long, visible_alias = "type", value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,

    /// Fold small subtrees until the page has at most this size
    #[arg(long, value_name = "SIZE", default_value = "10MB", value_parser = size)]
    max_size: usize,

    /// Fail with status 1 if any data is lost, instead of printing a warning
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    limits: limits::Args,
}

/// Parses a size in bytes: 500000, 10MB, 2MiB.
fn size(text: &str) -> Result<usize, String> {
    let bytes = jfrkit_profile::units::parse_size(text).ok().and_then(|bytes| usize::try_from(bytes).ok());
    bytes.ok_or_else(|| "expected a size such as 10MB".to_owned())
}

/// The default maximum size of a page in bytes.
pub(crate) const MAX_SIZE: usize = 10_000_000;

/// Everything the page shows about one input.
#[derive(Debug)]
pub(crate) struct Part {
    name: String,
    facts: ReportFacts,
    start_nanos: EpochNanos,
    end_nanos: EpochNanos,
    bytes: u64,
    types: Vec<Typed>,
    absent: Vec<(ProfileType, String)>,
    /// The findings, or the reason why there are none.
    analysis: Result<Report, String>,
    metrics: Vec<Metric>,
    runtime: String,
    warnings: Vec<String>,
    failed: Option<String>,
}

impl Part {
    fn new(name: String, bytes: u64) -> Self {
        Self {
            name,
            facts: ReportFacts::default(),
            start_nanos: EpochNanos::default(),
            end_nanos: EpochNanos::default(),
            bytes,
            types: Vec::new(),
            absent: Vec::new(),
            analysis: Err(String::new()),
            metrics: Vec::new(),
            runtime: String::new(),
            warnings: Vec::new(),
            failed: None,
        }
    }

    /// An input that cannot be read.
    pub(crate) fn failed(name: &str, reason: &str) -> Self {
        let mut part = Self::new(name.to_owned(), 0);
        part.facts.service = "unknown".to_owned();
        part.analysis = Err(reason.to_owned());
        part.failed = Some(reason.to_owned());
        part
    }

    /// The part for a recording, with the findings of these rules; `options` selects the time range and the types.
    pub(crate) fn of_recording(
        name: &str,
        recording: &Recording<'_>,
        rules: (&Analysis, &AnalysisOptions),
        options: &Options,
    ) -> Result<(Self, Report), AnalysisError> {
        let bytes = u64::try_from(recording.bytes().len()).unwrap_or(u64::MAX);
        let mut part = Self::new(name.to_owned(), bytes);
        let mut options = options.clone();
        options.labels = vec![LabelKey::Thread, LabelKey::Class];
        let output = match Pass::new(recording).profiles(&options).rules(rules.0, rules.1).metrics(None).run() {
            Err(AnalysisError::Read(error)) if !matches!(error, Error::Changed | Error::Stopped) => {
                part.warnings.push(format!("lost: {error}"));
                Pass::new(recording).rules(rules.0, rules.1).run()
            }
            output => output,
        }?;
        let report = output.report.unwrap_or_else(|| unreachable!("findings were requested"));
        if let Some(set) = output.profiles {
            part.types = of_set(&set);
            part.absent = set.absent.iter().map(|absent| (absent.kind, absent.reason.clone())).collect();
            part.warnings = set.losses.iter().map(|loss| format!("lost: {loss}")).collect();
            part.warnings.extend(set.warnings.iter().cloned());
        }
        for warning in &report.recording.warnings {
            if !part.warnings.contains(warning) {
                part.warnings.push(warning.clone());
            }
        }
        part.metrics = output.metrics.map(|(metrics, _)| metrics.metrics).unwrap_or_default();
        let runtime = part.told(Runtime::of(recording, jfr_analyzers::runtime::Options::default()))?;
        let (start, end) = span(&[recording]);
        part.start_nanos = options.filter.range.from.unwrap_or(start);
        part.end_nanos = options.filter.range.to.unwrap_or(end);
        let mut entries = runtime.iter().flat_map(|runtime| &runtime.sections).flat_map(|section| &section.entries);
        let host = entries.find(|entry| entry.name == "HOSTNAME").map(|entry| entry.value.clone());
        let main = report.recording.main.clone().unwrap_or_default();
        part.facts = ReportFacts {
            service: if main.is_empty() { "unknown".to_owned() } else { main.clone() },
            host: host.unwrap_or_default(),
            runtime: "JVM".to_owned(),
            runtime_version: report.recording.jvm.clone().unwrap_or_else(|| "JVM".to_owned()),
            language: "Java".to_owned(),
            main,
        };
        part.runtime = runtime.map(|runtime| runtime_text(&recording_sections(runtime))).unwrap_or_default();
        part.analysis = Ok(report.clone());
        Ok((part, report))
    }

    /// Returns what could be read. An error becomes a warning on the page, unless the file changed or the time is up.
    fn told<T>(&mut self, read: jfr_parse::Result<T>) -> jfr_parse::Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(e @ (Error::Changed | Error::Stopped)) => Err(e),
            Err(e) => {
                let warning = format!("lost: {e}");
                if !self.warnings.contains(&warning) {
                    self.warnings.push(warning);
                }
                Ok(None)
            }
        }
    }

    /// The part for a profile of another language, with its findings.
    pub(crate) fn of_profile(name: &str, profile: &AnyProfile, report: Report, bytes: u64) -> Self {
        let mut part = Self::new(name.to_owned(), bytes);
        part.types = of_profile(profile);
        part.warnings.clone_from(&profile.losses);
        part.start_nanos = EpochNanos(profile.time_nanos);
        part.end_nanos = part.start_nanos.saturating_add(Nanos(profile.duration_nanos.max(0)));
        let language = language(profile);
        let named = language.name();
        let runtime = match language {
            Language::Java => "JVM",
            Language::Python => "CPython",
            Language::JavaScript => "Node.js",
            Language::Go | Language::Other => named,
        };
        let program = profile.mappings.first().map_or("", |mapping| profile.texts.get(mapping.file));
        let program = program.rsplit('/').next().unwrap_or(program);
        part.facts = ReportFacts {
            service: if program.is_empty() { base(name).to_owned() } else { program.to_owned() },
            runtime: runtime.to_owned(),
            runtime_version: runtime.to_owned(),
            language: named.to_owned(),
            main: program.to_owned(),
            host: String::new(),
        };
        part.analysis = Ok(report);
        part.metrics = Metrics::of_profile(profile).metrics;
        part.runtime = runtime_text(&profile_sections(profile));
        part
    }

    /// Drops all other types.
    fn only(&mut self, types: &[String]) {
        if !types.is_empty() {
            let value = |of: &Typed, name: &String| of.stacks.value_named(name).is_some();
            self.types.retain(|of| types.iter().any(|name| of.kind == *name || value(of, name)));
            self.absent.retain(|(kind, _)| types.iter().any(|name| name == kind.name()));
        }
    }

    fn page_types(&self) -> Vec<PageType<'_>> {
        let java = self.facts.language == "Java";
        let core = |kind: &str| match ProfileType::from_name(kind) {
            Some(of) if java => of.is_core(),
            Some(_) => true,
            None => matches!(kind, "alloc-count" | "heap" | "heap-count"),
        };
        let mut types: Vec<PageType<'_>> = self
            .types
            .iter()
            .map(|of| PageType {
                kind: &of.kind,
                core: core(&of.kind),
                title: &of.title,
                definition: &of.definition,
                how: &of.how,
                absent: None,
                stacks: Some(&of.stacks),
            })
            .collect();
        types.extend(self.absent.iter().filter(|(kind, _)| kind.is_core()).map(|(kind, reason)| PageType {
            kind: kind.name(),
            core: true,
            title: java_title(*kind),
            definition: kind.title(),
            how: &[],
            absent: Some(reason),
            stacks: None,
        }));
        if java {
            let place = |of: &PageType<'_>| ProfileType::ALL.iter().position(|kind| kind.name() == of.kind);
            types.sort_by_key(|of| (!of.core, place(of)));
        }
        types
    }
}

/// The last component of a path.
fn base(name: &str) -> &str {
    name.rsplit('/').find(|part| !part.is_empty()).unwrap_or(name)
}

/// Writes a page with these inputs.
pub(crate) fn page(
    out: &mut dyn Write,
    parts: &[Part],
    view: &View,
    max_size: usize,
    cancel: &Cancel,
) -> std::io::Result<Result<ReportFolded, Failure>> {
    let profiles: Vec<ReportProfile<'_>> = parts
        .iter()
        .map(|part| ReportProfile {
            name: base(&part.name),
            facts: part.facts.clone(),
            start_nanos: part.start_nanos,
            end_nanos: part.end_nanos,
            bytes: part.bytes,
            types: part.page_types(),
            analysis: part.analysis.as_ref().map_err(String::as_str),
            metrics: &part.metrics,
            runtime: &part.runtime,
            warnings: &part.warnings,
            failed: part.failed.as_deref(),
        })
        .collect();
    match report_page(out, &title(parts), &profiles, view, max_size, cancel) {
        Ok(folded) => Ok(Ok(folded)),
        Err(PageError::Io(e)) => Err(e),
        Err(PageError::Tree(e)) => Ok(Err(tree_failure(&e))),
        Err(e @ PageError::TooLarge { .. }) => {
            Ok(Err(Failure::Failed(format!("{e}; choose fewer inputs or types, or a larger --max-size"))))
        }
        Err(e) => Ok(Err(Failure::Failed(e.to_string()))),
    }
}

fn title(parts: &[Part]) -> String {
    match parts {
        [one] => base(&one.name).to_owned(),
        several => format!("{} profiles", several.len()),
    }
}

/// Reports what the page leaves out.
pub(crate) fn tell(folded: &ReportFolded) {
    if folded.nodes > 0 {
        let nodes = units::count(i64::try_from(folded.nodes).unwrap_or(i64::MAX));
        let share = folded.share * 100.0;
        let least = folded.least * 100.0;
        print_note(&format!(
            "{nodes} nodes below {least} % are folded, at most {share:.2} % of a type; totals and tables are exact"
        ));
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let stop = args.limits.stop();
    let cancel = crate::profiles::cancel(&stop);
    let opening = args.limits.opening().stop(stop);
    let inputs = find(&args.inputs, Wanted::Profiles);
    let mut failed = inputs.print_failures();
    let analysis = jfrkit_rules::analysis();
    let mut options = Options::default();
    options.types = args.types.iter().filter_map(|name| ProfileType::from_name(name)).collect();
    let (mut parts, mut lossy) = (Vec::new(), None);
    let mut one = |source: &Source| -> Result<Part, Failure> {
        let name = source.name();
        let (opened, lost) = open(source, &opening, &cancel)?;
        let mut part = match opened {
            Opened::Recording(recording) => {
                for loss in recording.losses() {
                    warn(&name, loss);
                }
                let rules = (&analysis, &AnalysisOptions::default());
                let (part, _) =
                    Part::of_recording(&name, &recording, rules, &options).map_err(|error| match error {
                        AnalysisError::Read(error) => Failure::of(&name, &error),
                        error => Failure::Failed(format!("{name}: {error}")),
                    })?;
                for warning in &part.warnings {
                    warn(&name, warning);
                }
                part
            }
            Opened::Profile(profile) => {
                let report = evaluate_file(&profile, &AnalysisOptions::default())
                    .map_err(|e| Failure::Failed(format!("{name}: {e}")))?;
                Part::of_profile(&name, &profile, report, source.size())
            }
        };
        if lost || part.warnings.iter().any(|warning| warning.starts_with("lost: ")) {
            lossy.get_or_insert_with(|| name.clone());
        }
        part.only(&args.types);
        if part.types.is_empty() {
            let reason = part.absent.first().map(|(_, reason)| reason.as_str());
            let reason = reason.filter(|_| part.absent.len() == 1).unwrap_or("there are no samples");
            warn(&name, reason);
        }
        Ok(part)
    };
    let several = inputs.sources.len() + inputs.failures.len() > 1;
    for source in &inputs.sources {
        match one(source) {
            Ok(part) => parts.push(part),
            Err(failure) if !several => return Err(failure),
            Err(failure) => {
                print_error(&failure.to_string());
                let text = failure.to_string();
                let name = source.name();
                let reason = text.strip_prefix(&format!("{name}: ")).unwrap_or(&text);
                parts.push(Part::failed(&name, reason));
                failed = true;
            }
        }
    }
    if parts.iter().all(|part| part.failed.is_some()) {
        return Err(Failure::Reported);
    }
    let mut folded = None;
    let fill = |out: &mut dyn Write| {
        Ok(page(out, &parts, &View::default(), args.max_size, &cancel)?.map(|of| folded = Some(of)))
    };
    write_page(Some(&args.output), &title(&parts), true, fill)?;
    if let Some(folded) = &folded {
        tell(folded);
    }
    match lossy.filter(|_| args.strict) {
        _ if failed => Err(Failure::Reported),
        Some(name) => Err(Failure::lossy(&name)),
        None => Ok(()),
    }
}
