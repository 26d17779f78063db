//! `jfrkit convert`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use jfr_analyzers::model::{Profile, ProfileSet, ProfileType};
use jfr_analyzers::units;
use jfr_analyzers::{Progress, collect_merged};
use jfr_parse::{MetadataCache, OpenOptions, Recording, Stop};
use pprof_emit::{CollapsedOptions, write_collapsed, write_file, write_pprof};
use rayon::prelude::*;

use crate::collecting::{self, profile_type};
use crate::failure::Failure;
use crate::inputs::{Source, expand};
use crate::limits;
use crate::output::complain;

/// Write the profiles of recordings as pprof files, one for each type
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jfrkit convert recording.jfr                          recording.cpu.pb.gz, recording.alloc.pb.gz, …
  jfrkit convert --types cpu,alloc -o profiles logs/    of all recordings below logs/, into profiles/
  jfrkit convert --merge -o profiles a.jfr b.jfr        one set of profiles out of both
  jfrkit convert --types cpu --labels thread rec.jfr    a sample for each thread
  jfrkit convert --types cpu --format collapsed -o - rec.jfr | flamegraph.pl > cpu.svg

Types: cpu, alloc, native, class-load, error, file-io, lock, socket-io; and where their events are there wall, live,
park, wait, sleep, pinned, native-alloc, native-lock, method-trace, event.")]
pub(crate) struct Args {
    /// Recordings, directories that are searched for recordings, or `-` for standard input
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<OsString>,

    /// Directory to write to; made if it is not there. `-` writes to standard output, if one profile is asked for
    #[arg(short, long, visible_short_alias = 'd', value_name = "DIR", default_value = ".")]
    out_dir: PathBuf,

    /// Types of profiles; by default all
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = profile_type)]
    types: Vec<ProfileType>,

    /// Form of the files
    #[arg(long, value_enum, default_value_t = Format::Pprof)]
    format: Format,

    /// Make one set of profiles out of all inputs
    #[arg(long)]
    merge: bool,

    /// Fail with status 1 where anything is lost, instead of warning
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    collecting: collecting::Args,

    #[command(flatten)]
    limits: limits::Args,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// profile.proto with gzip
    Pprof,
    /// A line for each stack
    Collapsed,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Self::Pprof => "pb.gz",
            Self::Collapsed => "collapsed",
        }
    }

    fn write(self, profile: &Profile, set: &ProfileSet, out: impl Write, stop: &Stop) -> std::io::Result<()> {
        match self {
            Self::Pprof => {
                let options = pprof_emit::Options { stop: stop.clone(), ..Default::default() };
                write_pprof(profile, &set.tables, out, &options).map(|_| ())
            }
            Self::Collapsed => {
                let options = CollapsedOptions { stop: stop.clone(), ..Default::default() };
                write_collapsed(profile, &set.tables, out, &options)
            }
        }
    }
}

/// What came of an input.
struct Outcome {
    lines: String,
    warnings: Vec<String>,
    failure: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let sources = expand(&args.inputs)?;
    if args.out_dir.as_os_str() == "-" {
        return to_stdout(args, &sources);
    }
    std::fs::create_dir_all(&args.out_dir).map_err(|e| Failure::Failed(format!("{}: {e}", args.out_dir.display())))?;
    let opening = args.limits.opening().cache(MetadataCache::default());
    let bar = progress(&sources);
    let printer = Printer { bar: &bar, waiting: Mutex::default() };
    let failures = if args.merge {
        let outcome = merged(args, &sources, &opening, &bar);
        usize::from(printer.print(0, outcome))
    } else {
        let one = |(i, source): (usize, &Source)| {
            let outcome = single(args, source, &opening, &bar);
            usize::from(printer.print(i, outcome))
        };
        sources.par_iter().enumerate().with_max_len(1).map(one).sum()
    };
    bar.finish_and_clear();
    printer.finish()?;
    match failures {
        0 => Ok(()),
        // Each was told already, with its reason.
        _ => Err(Failure::Told),
    }
}

fn single(args: &Args, source: &Source, opening: &OpenOptions, bar: &ProgressBar) -> Outcome {
    match source.open(opening) {
        Ok(recording) => convert(args, &source.name(), &source.stem, &[&recording], bar),
        Err(e) => Outcome::failed(Failure::of(&source.name(), &e).to_string()),
    }
}

fn merged(args: &Args, sources: &[Source], opening: &OpenOptions, bar: &ProgressBar) -> Outcome {
    let opened: Vec<_> = sources.par_iter().map(|source| (source, source.open(opening))).collect();
    let mut recordings = Vec::new();
    let mut failures = Vec::new();
    for (source, recording) in opened {
        match recording {
            Ok(recording) => recordings.push(recording),
            Err(e) => failures.push(Failure::of(&source.name(), &e).to_string()),
        }
    }
    if recordings.is_empty() {
        return Outcome::failed(failures.join("; "));
    }
    let recordings: Vec<&Recording<'_>> = recordings.iter().collect();
    let mut outcome = convert(args, "merged", "merged".as_ref(), &recordings, bar);
    if !failures.is_empty() {
        // A merged profile that misses an input is not what was asked for, but it is there.
        outcome.failure = Some(failures.join("; "));
    }
    outcome
}

fn convert(
    args: &Args,
    name: &str,
    stem: &std::ffi::OsStr,
    recordings: &[&Recording<'_>],
    bar: &ProgressBar,
) -> Outcome {
    let mut options = args.collecting.options(&args.types, recordings);
    if !bar.is_hidden() {
        let bar = bar.clone();
        options.progress = Progress::new(move |bytes| bar.inc(bytes));
    }
    let set = match collect_merged(recordings, &options) {
        Ok(set) => set,
        Err(e) => return Outcome::failed(Failure::of(name, &e).to_string()),
    };
    let path = |profile: &Profile| {
        let mut file = stem.to_owned();
        file.push(format!(".{}.{}", profile.kind, args.format.ending()));
        args.out_dir.join(file)
    };
    let stop = recordings.first().map(|r| r.stop().clone()).unwrap_or_default();
    let write = |profile: &Profile| {
        let path = path(profile);
        write_file(&path, |out| args.format.write(profile, &set, out, &stop)).map(|()| path)
    };
    let written: Vec<_> = set.profiles.par_iter().with_max_len(1).map(write).collect();
    let mut outcome = Outcome { lines: String::new(), warnings: Vec::new(), failure: None };
    if args.inputs.len() > 1 || Path::new(args.inputs.first().map_or("".as_ref(), |i| i.as_os_str())).is_dir() {
        let _ = writeln!(outcome.lines, "{}", jfr_parse::text::plain(name));
    }
    for (profile, path) in set.profiles.iter().zip(written) {
        match path {
            Ok(path) => {
                let _ = writeln!(outcome.lines, "{}", line(profile, &path));
            }
            Err(e) => outcome.failure = Some(e.to_string()),
        }
    }
    for absent in set.absent.iter().filter(|a| a.kind.is_core() || args.types.contains(&a.kind)) {
        let _ = writeln!(outcome.lines, "{:<12}  none: {}", absent.kind, absent.reason);
    }
    outcome.warnings.extend(set.losses.iter().map(|loss| format!("{name}: {loss}")));
    let lossy = !outcome.warnings.is_empty();
    outcome.warnings.extend(set.warnings.iter().map(|warning| format!("{name}: {warning}")));
    if args.strict && lossy && outcome.failure.is_none() {
        outcome.failure = Some(format!("{name}: not read completely; leave out --strict to accept that"));
    }
    outcome
}

/// Type, number of samples, total, file.
fn line(profile: &Profile, path: &Path) -> String {
    let totals = profile.totals();
    let (count, last) = (totals.first().copied().unwrap_or(0), totals.last().copied().unwrap_or(0));
    let unit = profile.values().last().map_or("count", |v| v.unit);
    let total = if profile.values().len() > 1 { units::value(last, unit) } else { String::new() };
    let path = path.to_string_lossy();
    format!("{:<12} {count:>10} samples {total:>12}  {}", profile.kind, jfr_parse::text::plain(&path))
}

impl Outcome {
    fn failed(failure: String) -> Self {
        Self { lines: String::new(), warnings: Vec::new(), failure: Some(failure) }
    }
}

/// Prints outcomes in the order of the inputs, whichever is ready first.
struct Printer<'b> {
    bar: &'b ProgressBar,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: usize,
    ready: BTreeMap<usize, Outcome>,
    error: Option<std::io::Error>,
}

impl Printer<'_> {
    /// Takes an outcome and says whether it is a failure.
    fn print(&self, index: usize, outcome: Outcome) -> bool {
        let failed = outcome.failure.is_some();
        let mut guard = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = &mut *guard;
        waiting.ready.insert(index, outcome);
        while let Some(outcome) = waiting.ready.remove(&waiting.next) {
            waiting.next += 1;
            let written = self.bar.suspend(|| {
                for warning in &outcome.warnings {
                    complain("warning", warning);
                }
                if let Some(failure) = &outcome.failure {
                    complain("error", failure);
                }
                std::io::stdout().lock().write_all(outcome.lines.as_bytes())
            });
            if let Err(e) = written {
                waiting.error.get_or_insert(e);
            }
        }
        failed
    }

    fn finish(self) -> Result<(), Failure> {
        let waiting = self.waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
        waiting.error.map_or(Ok(()), |e| Err(e.into()))
    }
}

/// Less than this is done before anyone could read a bar.
const LONG: u64 = 256 << 20;

/// A bar on a terminal, for work that takes a while; nothing in a pipe. Packed recordings count as what is in them,
/// so the bar can run ahead.
fn progress(sources: &[Source]) -> ProgressBar {
    let bytes: u64 = sources.iter().map(Source::size).sum();
    if bytes < LONG || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn to_stdout(args: &Args, sources: &[Source]) -> Result<(), Failure> {
    let ([kind], true) = (args.types.as_slice(), args.merge || sources.len() == 1) else {
        return Err(Failure::Usage(
            "standard output takes a single profile: give one type with --types, and one input or --merge".to_owned(),
        ));
    };
    let opening = args.limits.opening().cache(MetadataCache::default());
    let mut recordings = Vec::new();
    for source in sources {
        recordings.push(source.open(&opening).map_err(|e| Failure::of(&source.name(), &e))?);
    }
    let recordings: Vec<&Recording<'_>> = recordings.iter().collect();
    let name = match sources {
        [only] => only.name(),
        _ => "merged".to_owned(),
    };
    let options = args.collecting.options(&args.types, &recordings);
    let set = collect_merged(&recordings, &options).map_err(|e| Failure::of(&name, &e))?;
    for loss in &set.losses {
        complain("warning", &format!("{name}: {loss}"));
    }
    for warning in &set.warnings {
        complain("warning", &format!("{name}: {warning}"));
    }
    let Some(profile) = set.get(*kind) else {
        let reason = set.absent.first().map(|a| a.reason.clone()).unwrap_or_default();
        return Err(Failure::Failed(format!("{name}: no {kind} profile: {reason}")));
    };
    let mut out = std::io::stdout().lock();
    let stop = recordings.first().map(|r| r.stop().clone()).unwrap_or_default();
    args.format.write(profile, &set, &mut out, &stop)?;
    out.flush()?;
    if args.strict && !set.losses.is_empty() {
        return Err(Failure::Failed(format!("{name}: not read completely; leave out --strict to accept that")));
    }
    Ok(())
}
