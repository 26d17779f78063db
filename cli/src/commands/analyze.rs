//! `jfrkit analyze`: runs the rules on recordings and pprof files, and writes the findings.
//!
//! The folder has what only this command needs: the settings file (`config.rs`), `--baseline` (`baseline.rs`), `--list`
//! and `--explain` (`tell.rs`). Rules belong in `jfrkit-rules`, report formats in `jfrkit-reports`; the HTML page is
//! written by `report.rs` next to this file. Start with [`run`].

mod baseline;
mod config;
mod tell;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::interrupt::FILES;
use jfr_analyzers::rule::{Analysis, AnalysisError, AnalysisOptions, Category, Finding, Report, Severity};
use jfr_analyzers::time_range::{BadTimeRange, span};
use jfr_parse::{MetadataCache, Recording};
use jfrkit_profile::tree::View;
use jfrkit_reports::{Entry, Format, Style};
use jfrkit_rules::config::Config;
use jfrkit_rules::profiled::{self, evaluate_file};

use crate::collecting;
use crate::failure::Failure;
use crate::inputs::{Inputs, expand};
use crate::limits;
use crate::output::{has_color, is_verbose, print_error, warn, width, zone};
use crate::profiles::{Opened, cancel, open};

use super::report::{self, Part};

/// Find problems in recordings and explain how to fix them
#[derive(Debug, clap::Args)]
#[group(id = "analyze")]
#[command(after_help = "\
Examples:
  jfrkit analyze recording.jfr                                one paragraph for each finding
  jfrkit analyze -v recording.jfr                             with explanations and evidence
  jfrkit analyze --rules LongGcPause recording.jfr            everything about one rule
  jfrkit analyze logs/                                        a table of all recordings, worst first
  jfrkit analyze profile.pb.gz                                a Python, Go or Node.js profile; uses the rules that need no JVM
  jfrkit analyze --format html -o report.html recording.jfr   a page to read and share
  jfrkit analyze --category gc,heap --from 30s recording.jfr
  jfrkit analyze --fail-on warning --format junit -o findings.xml logs/    for a CI server
  jfrkit analyze --fail-on warning --baseline old.jfr new.jfr    only what is new or worse
  jfrkit analyze --list
  jfrkit analyze --explain LongGcPause

Settings come from jfrkit.toml in the current directory, or from the file that --config names:
  [rules.LongGcPause]
  info = \"500 ms\"
  [rules.PID1Rule]
  enabled = false
  [[pattern]]
  id = \"OurCache\"
  methods = [\"com.acme.cache\"]
  cpu = { info = \"2 %\", warning = \"5 %\" }

Exit status: as for the other commands, and 3 if --fail-on matches.")]
pub(crate) struct Args {
    /// Recordings, pprof files, directories to search for recordings, or `-` for standard input
    #[arg(value_name = "INPUT", required_unless_present_any = ["list", "explain"])]
    inputs: Vec<OsString>,

    /// Output format
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,

    /// Output file, written atomically; by default standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Rules to run, by id; by default all
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    rules: Vec<String>,

    /// Rules to skip, by id
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    skip: Vec<String>,

    /// Categories to run: gc, heap, cpu, locks, threads, io, exceptions, classes, jvm, environment, security, recording
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = category)]
    category: Vec<Category>,

    /// Minimum severity to show [default: info; with --rules, everything]. JSON, JUnit and HTML always contain all rules
    #[arg(long, value_enum, value_name = "SEVERITY")]
    min_severity: Option<Least>,

    #[command(flatten)]
    time: collecting::Time,

    /// Settings file; by default jfrkit.toml in the current directory, if it exists
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Exit with status 3 if there is a finding of this severity or higher
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,

    /// A recording or its JSON report: --fail-on then considers only findings that are new or worse than in it, by
    /// severity or by cost (one percentage point and 20 % more)
    #[arg(long, value_name = "FILE", requires = "fail_on")]
    baseline: Option<PathBuf>,

    /// Fail with status 1 if any data is lost, instead of printing a warning
    #[arg(long)]
    strict: bool,

    /// List rules: all, or those selected by --rules, --skip and --category (text, markdown or json)
    #[arg(long, conflicts_with = "inputs")]
    list: bool,

    /// Describe one rule: what it checks and how, its events and its settings
    #[arg(long, value_name = "ID", conflicts_with = "inputs")]
    explain: Option<String>,

    #[command(flatten)]
    limits: limits::Args,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For a terminal
    Text,
    /// One object that contains all rules
    Json,
    /// The page of `jfrkit report`: findings, flame graphs, metrics and runtime information
    Html,
    /// For issues and chat
    Markdown,
    /// Test results for CI servers
    Junit,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

impl Form {
    /// The format of the findings; `None` for the page, which contains more than findings.
    const fn format(self) -> Option<Format> {
        match self {
            Self::Text => Some(Format::Text),
            Self::Json => Some(Format::Json),
            Self::Html => None,
            Self::Markdown => Some(Format::Markdown),
            Self::Junit => Some(Format::Junit),
            Self::Sarif => Some(Format::Sarif),
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Least {
    /// Everything
    NotApplicable,
    /// Also rules that found nothing
    Ok,
    /// Worth a look, or worse
    Info,
    /// Needs action
    Warning,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FailOn {
    Info,
    Warning,
}

impl Least {
    const fn severity(self) -> Severity {
        match self {
            Self::NotApplicable => Severity::NotApplicable,
            Self::Ok => Severity::Ok,
            Self::Info => Severity::Info,
            Self::Warning => Severity::Warning,
        }
    }
}

impl FailOn {
    const fn severity(self) -> Severity {
        match self {
            Self::Info => Severity::Info,
            Self::Warning => Severity::Warning,
        }
    }
}

fn category(name: &str) -> Result<Category, String> {
    Category::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Category::ALL.iter().map(|c| c.name()).collect();
        format!("no such category; expected one of {}", names.join(", "))
    })
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let analysis = jfrkit_rules::analysis();
    let config = config::read(args.config.as_deref(), &analysis)?;
    let analysis = config.add_to(analysis).map_err(|error| Failure::Usage(error.to_string()))?;
    if args.list || args.explain.is_some() {
        return args.tell(analysis);
    }
    let (options, profiled) = args.options(&analysis, &config)?;
    let mut parts = Vec::new();
    let judge = Judge { args, analysis: &analysis, options: &options, profiled: &profiled };
    let results = judge.all(&expand(&args.inputs), &mut parts)?;
    let entries: Vec<Entry<'_>> = results
        .iter()
        .map(|(name, result)| match result {
            Ok(report) => Entry::new(name, report),
            Err(reason) => Entry::failed(name, reason),
        })
        .collect();
    let mut style = Style::default();
    let least = if args.rules.is_empty() { Least::Info } else { Least::NotApplicable };
    style.least = args.min_severity.unwrap_or(least).severity();
    style.fail_on = args.fail_on.map_or(Severity::Warning, FailOn::severity);
    let shown = args.output.as_deref().is_none_or(|path| path.as_os_str() == "-");
    style.color = shown && has_color();
    style.zone = zone();
    style.width = if shown { width() } else { None };
    // Users who name rules want all the details.
    style.evidence = is_verbose() || !args.rules.is_empty();
    write(args.output.as_deref(), |out| match args.format.format() {
        Some(format) => {
            format.write(out, &entries, &style)?;
            args.hint(out, &entries, &style)
        }
        None => {
            let cancel = cancel(&args.limits.stop());
            let page = report::page(out, &parts, &View::default(), report::MAX_SIZE, &cancel)?;
            page.map(|_| ()).map_err(|failure| std::io::Error::other(failure.to_string()))
        }
    })?;
    args.status(&results, &analysis, &options)
}

/// An input's name, with its report or the reason why there is none.
type Named = (String, Result<Report, String>);

/// The rules and how to run them.
struct Judge<'j> {
    args: &'j Args,
    analysis: &'j Analysis,
    options: &'j AnalysisOptions,
    /// Options for the rules that need no JVM.
    profiled: &'j AnalysisOptions,
}

impl Judge<'_> {
    /// One input after another, because each is read in parallel.
    fn all(&self, inputs: &Inputs, parts: &mut Vec<Part>) -> Result<Vec<Named>, Failure> {
        let args = self.args;
        let stop = args.limits.stop();
        let cancel = cancel(&stop);
        let opening = args.limits.opening().stop(stop).cache(MetadataCache::default());
        inputs.print_failures();
        let mut results: Vec<Named> =
            inputs.failures.iter().map(|failure| (failure.name.clone(), Err(failure.reason.clone()))).collect();
        if inputs.sources.is_empty() {
            return Err(Failure::Reported);
        }
        let several = inputs.sources.len() + inputs.failures.len() > 1;
        for source in &inputs.sources {
            let name = source.name();
            let evaluated = match open(source, &opening, &cancel) {
                Ok((Opened::Recording(recording), _)) => self.recording(&name, &recording)?,
                Ok((Opened::Profile(profile), _)) => {
                    let report = evaluate_file(&profile, self.profiled).map_err(|e| Failure::Usage(e.to_string()))?;
                    let part = args.is_page().then(|| Part::of_profile(&name, &profile, report.clone(), source.size()));
                    Ok((report, part))
                }
                Err(failure) => Err(failure),
            };
            let result = match evaluated {
                Ok((report, part)) => {
                    parts.extend(part);
                    Ok(report)
                }
                Err(failure) if !several => return Err(failure),
                Err(failure) => {
                    print_error(&failure.to_string());
                    let reason = failure.to_string();
                    let reason = reason.strip_prefix(&format!("{name}: ")).unwrap_or(&reason).to_owned();
                    parts.push(Part::failed(&name, &reason));
                    Err(reason)
                }
            };
            results.push((name, result));
        }
        Ok(results)
    }

    /// The findings in a recording, and its part of the page. The outer error concerns the settings, not this input.
    fn recording(
        &self,
        name: &str,
        recording: &Recording<'_>,
    ) -> Result<Result<(Report, Option<Part>), Failure>, Failure> {
        let options = match self.args.within(name, recording, self.options) {
            Ok(options) => options,
            Err(failure) => return Ok(Err(failure)),
        };
        let evaluated = if self.args.is_page() {
            let mut collecting = jfr_analyzers::Options::default();
            collecting.filter.range = options.range;
            Part::of_recording(name, recording, (self.analysis, &options), &collecting)
                .map(|(part, report)| (report, Some(part)))
        } else {
            self.analysis.evaluate(recording, &options).map(|report| (report, None))
        };
        let (report, part) = match evaluated {
            Ok(evaluated) => evaluated,
            Err(AnalysisError::Read(error)) => return Ok(Err(Failure::of(name, &error))),
            Err(error) => return Err(Failure::Usage(error.to_string())),
        };
        for warning in &report.recording.warnings {
            warn(name, warning);
        }
        if !options.range.is_open() && report.recording.events == 0 && !report.recording.is_unread() {
            let (start, end) = span(&[recording]);
            let zone = zone();
            let nothing = BadTimeRange::Outside { start, end }.in_zone(&zone);
            return Ok(Err(Failure::Failed(format!("{name}: {nothing}"))));
        }
        Ok(Ok((report, part)))
    }
}

/// Writes a file atomically, or to standard output.
fn write(path: Option<&Path>, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), Failure> {
    match path {
        Some(path) if path.as_os_str() != "-" => FILES
            .write_file(path, |file| {
                let mut out = std::io::BufWriter::new(file);
                fill(&mut out)?;
                out.flush()
            })
            .map_err(|e| Failure::Failed(e.to_string())),
        _ => {
            let mut out = crate::output::stdout();
            fill(&mut out)?;
            Ok(out.flush()?)
        }
    }
}

impl Args {
    /// Whether the output is an HTML page.
    fn is_page(&self) -> bool {
        self.format.format().is_none()
    }

    /// Says where to find details that a short report omits.
    fn hint(&self, out: &mut dyn Write, entries: &[Entry<'_>], style: &Style) -> std::io::Result<()> {
        let findings = entries.iter().filter_map(|entry| entry.result.ok()).any(|report| !report.findings.is_empty());
        if self.format != Form::Text || style.evidence || !findings {
            return Ok(());
        }
        match entries.len() {
            1 => writeln!(out, "-v shows the evidence; --rules ID shows everything about one finding."),
            _ => writeln!(out, "\n-v shows the findings of each input."),
        }
    }

    /// The rules selected by the arguments, among those for recordings and those for pprof profiles.
    fn chosen(&self, analysis: &Analysis) -> Result<AnalysisOptions, Failure> {
        let mut options = AnalysisOptions::default();
        options.rules = tell::spelled(analysis, &self.rules)?;
        options.skip = tell::spelled(analysis, &self.skip)?;
        options.categories.clone_from(&self.category);
        Ok(options)
    }

    /// The options of the rules for recordings, and of those for pprof profiles.
    fn options(&self, analysis: &Analysis, config: &Config) -> Result<(AnalysisOptions, AnalysisOptions), Failure> {
        let mut profiled = self.chosen(analysis)?;
        let mut options = profiled.clone();
        for ids in [&mut options.rules, &mut options.skip] {
            ids.retain(|id| !profiled::has(id));
        }
        // Users who name only rules for pprof profiles want none of the others.
        if options.rules.is_empty() && !profiled.rules.is_empty() {
            options.skip = analysis.infos().map(|info| info.id.into_owned()).collect();
        }
        config.apply(&mut options);
        config.apply_to_profiled(&mut profiled);
        // A job that checks nothing must not look like one that found nothing.
        let any = analysis.infos().any(|info| options.choose(&info))
            || profiled::rules().iter().any(|info| profiled.choose(info));
        if !any {
            return Err(Failure::Usage(
                "no rule is left to run: see --rules, --skip, --category and the settings".into(),
            ));
        }
        Ok((options, profiled))
    }

    /// The options with the time range resolved for this recording.
    fn within(
        &self,
        name: &str,
        recording: &Recording<'_>,
        options: &AnalysisOptions,
    ) -> Result<AnalysisOptions, Failure> {
        let mut options = options.clone();
        options.range = self.time.range(name, &[recording])?;
        Ok(options)
    }

    fn status(&self, results: &[Named], analysis: &Analysis, options: &AnalysisOptions) -> Result<(), Failure> {
        if results.iter().any(|(_, result)| result.is_err()) {
            return Err(Failure::Reported);
        }
        let reports = || results.iter().filter_map(|(name, result)| Some((name, result.as_ref().ok()?)));
        // A report on an unreadable recording would look like a clean bill of health.
        if let Some((name, _)) = reports().find(|(_, report)| report.recording.is_unread()) {
            return Err(Failure::Failed(format!("{name}: no chunk can be read; the report says why")));
        }
        if self.strict
            && let Some((name, _)) = reports().find(|(_, report)| !report.recording.warnings.is_empty())
        {
            return Err(Failure::lossy(name));
        }
        let Some(least) = self.fail_on.map(FailOn::severity) else { return Ok(()) };
        let baseline = match &self.baseline {
            None => None,
            Some(path) => Some(baseline::Baseline::read(path, analysis, options, &self.limits.opening())?),
        };
        let counts = |finding: &Finding| baseline.as_ref().is_none_or(|before| before.is_new_or_worse(finding));
        let found = reports().flat_map(|(_, report)| report.shown(least)).filter(|(finding, _)| counts(finding));
        let new = if baseline.is_some() { " and not the baseline" } else { "" };
        match found.count() {
            0 => Ok(()),
            1 => Err(Failure::Found(format!("1 finding meets --fail-on {least}{new}"))),
            n => Err(Failure::Found(format!("{n} findings meet --fail-on {least}{new}"))),
        }
    }
}
