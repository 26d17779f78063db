//! `jfrkit convert`.

mod collect;
mod outcome;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use jfr_parse::{MetadataCache, OpenOptions, Stop};
use jfrkit_profile::{Cancel, Profile, ProfileSet, ProfileType, units};
use pprof_emit::{CollapsedOptions, WriteError, write_collapsed, write_pprof, write_speedscope};

use crate::interrupt::FILES;
use rayon::prelude::*;

use collect::collect;
use outcome::{Outcome, Printer, progress};

use crate::collecting::{self, profile_type};
use crate::failure::Failure;
use crate::inputs::{Inputs, Source, expand};
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
    /// JSON for <https://www.speedscope.app>
    Speedscope,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Self::Pprof => "pb.gz",
            Self::Collapsed => "collapsed",
            Self::Speedscope => "speedscope.json",
        }
    }

    fn pprof_options(stop: &Stop) -> pprof_emit::Options {
        pprof_emit::Options { cancel: cancel(stop), ..Default::default() }
    }

    /// Writes all profiles to the files that `path` names for them.
    fn write_files(
        self,
        set: &ProfileSet,
        path: impl Fn(&Profile) -> PathBuf + Sync,
        stop: &Stop,
    ) -> Vec<Result<PathBuf, WriteError>> {
        match self {
            Self::Pprof => {
                let written = FILES.write_each(set, path, &Self::pprof_options(stop));
                written.into_iter().map(|written| written.map(|w| w.path)).collect()
            }
            Self::Collapsed | Self::Speedscope => {
                let write = |profile: &Profile| {
                    let path = path(profile);
                    FILES.write_file(&path, |out| self.write(profile, set, out, stop)).map(|()| path)
                };
                set.profiles.par_iter().with_max_len(1).map(write).collect()
            }
        }
    }

    fn write(self, profile: &Profile, set: &ProfileSet, out: impl Write, stop: &Stop) -> std::io::Result<()> {
        match self {
            Self::Pprof => write_pprof(profile, &set.tables, out, &Self::pprof_options(stop)).map(|_| ()),
            Self::Collapsed => {
                let options = CollapsedOptions { cancel: cancel(stop), ..Default::default() };
                write_collapsed(profile, &set.tables, out, &options)
            }
            Self::Speedscope => write_speedscope(profile, &set.tables, profile.kind.title(), out, &cancel(stop)),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let inputs = expand(&args.inputs);
    let sources = inputs.sources.as_slice();
    if args.out_dir.as_os_str() == "-" {
        return to_stdout(args, &inputs);
    }
    std::fs::create_dir_all(&args.out_dir).map_err(|e| Failure::Failed(format!("{}: {e}", args.out_dir.display())))?;
    let opening = args.limits.opening().cache(MetadataCache::default());
    let unsearched = inputs.complain();
    let bar = progress(sources);
    let printer = Printer::new(&bar);
    let failed = if args.merge {
        // A merged profile that misses an input is not what was asked for, but it is there.
        let merge = || convert(args, "merged", "merged".as_ref(), sources, &opening, &bar);
        !sources.is_empty() && printer.print(0, merge())
    } else {
        let one = |(i, source): (usize, &Source)| {
            let only = std::slice::from_ref(source);
            printer.print(i, convert(args, &source.name(), &source.stem, only, &opening, &bar))
        };
        // All of them, whichever fail.
        sources.par_iter().enumerate().with_max_len(1).map(one).reduce(|| false, |a, b| a | b)
    };
    bar.finish_and_clear();
    printer.finish()?;
    // Each was told already, with its reason.
    if failed || unsearched { Err(Failure::Told) } else { Ok(()) }
}

/// Writes the profiles of the sources, all in one set, to files that begin with `stem`.
fn convert(
    args: &Args,
    name: &str,
    stem: &OsStr,
    sources: &[Source],
    opening: &OpenOptions,
    bar: &ProgressBar,
) -> Outcome {
    let mut outcome = Outcome::default();
    let collected = collect(args, name, sources, opening, bar, &mut outcome.failures);
    let Some((set, stop)) = collected else { return outcome };
    let path = |profile: &Profile| {
        let mut file = stem.to_owned();
        file.push(format!(".{}.{}", profile.kind, args.format.ending()));
        args.out_dir.join(file)
    };
    let written = args.format.write_files(&set, path, &stop);
    if args.inputs.len() > 1 || Path::new(args.inputs.first().map_or("".as_ref(), |i| i.as_os_str())).is_dir() {
        let _ = writeln!(outcome.lines, "{}", jfr_parse::text::plain(name));
    }
    for (profile, path) in set.profiles.iter().zip(written) {
        match path {
            Ok(path) => {
                let _ = writeln!(outcome.lines, "{}", line(profile, &path));
            }
            Err(e) => outcome.failures.push(e.to_string()),
        }
    }
    for absent in set.absent.iter().filter(|a| a.kind.is_core() || args.types.contains(&a.kind)) {
        let _ = writeln!(outcome.lines, "{:<12}  none: {}", absent.kind, absent.reason);
    }
    outcome.warnings.extend(set.losses.iter().map(|loss| format!("{name}: {loss}")));
    let lossy = !outcome.warnings.is_empty();
    outcome.warnings.extend(set.warnings.iter().map(|warning| format!("{name}: {warning}")));
    if args.strict && lossy && outcome.failures.is_empty() {
        outcome.failures.push(format!("{name}: not read completely; leave out --strict to accept that"));
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

fn to_stdout(args: &Args, inputs: &Inputs) -> Result<(), Failure> {
    let sources = inputs.sources.as_slice();
    let ([kind], true) = (args.types.as_slice(), args.merge || sources.len() <= 1) else {
        return Err(Failure::Usage(
            "standard output takes a single profile: give one type with --types, and one input or --merge".to_owned(),
        ));
    };
    let mut failed = inputs.complain();
    let opening = args.limits.opening().cache(MetadataCache::default());
    let name = match sources {
        [only] => only.name(),
        _ => "merged".to_owned(),
    };
    let mut failures = Vec::new();
    let collected = collect(args, &name, sources, &opening, &ProgressBar::hidden(), &mut failures);
    for failure in &failures {
        failed = true;
        complain("error", failure);
    }
    let Some((set, stop)) = collected else { return Err(Failure::Told) };
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
    args.format.write(profile, &set, &mut out, &stop)?;
    out.flush()?;
    if args.strict && !set.losses.is_empty() {
        return Err(Failure::Failed(format!("{name}: not read completely; leave out --strict to accept that")));
    }
    if failed { Err(Failure::Told) } else { Ok(()) }
}

/// The stop of a recording, for what knows no recordings.
fn cancel(stop: &Stop) -> Cancel {
    let stop = stop.clone();
    Cancel::when(move || stop.is_raised())
}
