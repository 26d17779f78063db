//! `jfrkit convert`: writes the profiles of recordings and pprof files in the formats of other tools.
//!
//! The folder has the steps: `collect.rs` opens recordings and collects their profiles, `outcome.rs` reports on each
//! input. Encoding a format belongs in `pprof-emit`, options that other commands have too in `collecting.rs`. Start with
//! [`run`], then `convert` below it.

mod collect;
mod outcome;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use jfr_analyzers::{LabelKey, Options, add_tracks};
use jfr_parse::{MetadataCache, OpenOptions, Stop};
use jfrkit_profile::any::{AnyProfile, java_title, types};
use jfrkit_profile::tree::View;
use jfrkit_profile::{Cancel, Profile, ProfileSet, ProfileType, units};
use pprof_emit::export::{self, Typed};
use pprof_emit::{CollapsedOptions, WriteError, write_any, write_collapsed, write_pprof};
use rayon::prelude::*;

use collect::{Collected, collect};
use outcome::{Outcome, Printer, progress};

use crate::collecting::{self, profile_type};
use crate::failure::{Failure, lossy};
use crate::inputs::{Inputs, Source, expand};
use crate::interrupt::FILES;
use crate::limits;
use crate::output::{print_error, warn};
use crate::profiles::{Loaded, Opened, of_profile, of_set};

use super::flame;

/// Convert recordings, and pprof files of any language, to profile formats that other tools open
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jfrkit convert recording.jfr                          recording.cpu.pb.gz, recording.alloc.pb.gz, …
  jfrkit convert --types cpu,alloc -o profiles logs/    all recordings under logs/, into profiles/
  jfrkit convert --merge -o profiles a.jfr b.jfr        one merged set of profiles
  jfrkit convert --types cpu --labels thread rec.jfr    separate samples per thread
  jfrkit convert --format firefox rec.jfr               rec.firefox.json.gz, all types on one timeline
  jfrkit convert --format speedscope heap.pb.gz         a pprof file from Go, Python, Node.js, …
  jfrkit convert --types cpu --format collapsed -o - rec.jfr | flamegraph.pl > cpu.svg

Types: cpu, alloc, native, class-load, error, file-io, lock, socket-io; and, if there are such events, wall, live, \
park, wait, sleep, pinned, native-alloc, native-lock, method-trace, event. For pprof files, names of sample types work too.

pprof and collapsed stacks use one file per type, the other formats one file for all types.")]
pub(crate) struct Args {
    /// Recordings, pprof files, directories to search for recordings, or `-` for standard input
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<OsString>,

    /// Output directory, created if necessary; `-` writes a single file to standard output
    #[arg(short, long, visible_short_alias = 'd', value_name = "DIR", default_value = ".")]
    out_dir: PathBuf,

    /// Profile types; by default all
    #[arg(long, visible_alias = "type", value_name = "LIST", value_delimiter = ',')]
    types: Vec<String>,

    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Pprof)]
    format: Format,

    /// Write OpenTelemetry profiles as JSON instead of protobuf
    #[arg(long)]
    otlp_json: bool,

    /// Write a Speedscope timeline: the calls of each thread in chronological order, instead of aggregated stacks
    #[arg(long)]
    evented: bool,

    /// Add the allocated, locked or thrown class as the leaf frame of each stack, for viewers without labels
    /// (collapsed, speedscope)
    #[arg(long)]
    class_frames: bool,

    /// Merge all inputs into one set of profiles
    #[arg(long)]
    merge: bool,

    /// Fail with status 1 if any data is lost, instead of printing a warning
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    collecting: collecting::Args,

    #[command(flatten)]
    limits: limits::Args,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Gzip-compressed profile.proto
    Pprof,
    /// One line per stack; labels become frames before the root
    Collapsed,
    /// The HTML page of `jfrkit flame`
    Flamegraph,
    /// OpenTelemetry profiles (v1development)
    Otlp,
    /// Processed profile for <https://profiler.firefox.com>, with threads, timestamps, markers and counters
    Firefox,
    /// JSON for <https://www.speedscope.app>
    Speedscope,
}

/// The content to write.
enum Content {
    Recordings(Collected),
    Profile { profile: Box<AnyProfile>, cancel: Cancel },
}

impl Format {
    /// Whether all types go into one file.
    const fn is_one_file(self) -> bool {
        !matches!(self, Self::Pprof | Self::Collapsed)
    }

    /// Whether a terminal cannot show it.
    const fn is_binary(self) -> bool {
        matches!(self, Self::Pprof | Self::Otlp | Self::Firefox)
    }

    /// Requests the labels and times that the format needs, in addition to the options.
    fn prepare(self, evented: bool, options: &mut Options) {
        let add = |options: &mut Options, keys: &[LabelKey]| {
            for key in keys {
                if !options.labels.contains(key) {
                    options.labels.push(*key);
                }
            }
        };
        match self {
            Self::Firefox => {
                options.times = true;
                let about = [LabelKey::Class, LabelKey::Path, LabelKey::Host, LabelKey::Port];
                add(options, &[LabelKey::Thread, LabelKey::ThreadId]);
                add(options, &about);
            }
            Self::Speedscope if evented => {
                options.times = true;
                add(options, &[LabelKey::Thread]);
            }
            Self::Flamegraph => add(options, &[LabelKey::Class]),
            _ => {}
        }
    }
}

/// A file to write, with one type or all types.
struct File {
    /// The name for messages: `cpu`.
    kind: String,
    /// Index of the profile in its set.
    profile: Option<usize>,
    path: PathBuf,
}

impl Args {
    /// The requested recording profile types; empty for all.
    fn kinds(&self) -> Vec<ProfileType> {
        self.types.iter().filter_map(|name| ProfileType::from_name(name)).collect()
    }

    fn ending(&self) -> &'static str {
        match self.format {
            Format::Pprof => "pb.gz",
            Format::Collapsed => "collapsed.txt",
            Format::Flamegraph => "html",
            Format::Otlp if self.otlp_json => "otlp.json",
            Format::Otlp => "otlp.pb",
            Format::Firefox => "firefox.json.gz",
            Format::Speedscope => "speedscope.json",
        }
    }

    /// Rejects combinations of options that make no sense.
    fn check(&self, inputs: &Inputs) -> Result<(), Failure> {
        let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
        if self.otlp_json && self.format != Format::Otlp {
            return usage("--otlp-json requires --format otlp");
        }
        if self.evented && self.format != Format::Speedscope {
            return usage("--evented requires --format speedscope");
        }
        if self.class_frames && !matches!(self.format, Format::Collapsed | Format::Speedscope) {
            return usage(
                "--class-frames requires --format collapsed or speedscope; with pprof, use its -tagleaf=class",
            );
        }
        // Sample types in pprof files can have any name.
        if !inputs.sources.iter().any(Source::may_be_pprof) {
            for name in &self.types {
                profile_type(name).map_err(|e| Failure::Usage(format!("--types {name}: {e}; see --help")))?;
            }
        }
        Ok(())
    }

    /// The requested types of a pprof file.
    fn typed<'p>(&self, profile: &'p AnyProfile, all: &'p [jfrkit_profile::any::TypeInfo]) -> Vec<Typed<'p>> {
        let values =
            |name: &String, of: &jfrkit_profile::any::TypeInfo| of.values.iter().any(|&at| profile.value(at).0 == name);
        let wanted = all
            .iter()
            .filter(|of| self.types.is_empty() || self.types.iter().any(|name| *name == of.kind || values(name, of)));
        let totals = profile.totals();
        let counted = |at: &usize| totals.get(*at).is_some_and(|total| *total != 0);
        wanted
            .map(|of| Typed { kind: &of.kind, title: &of.title, profile, values: of.values.clone() })
            .filter(|of| of.values.iter().any(counted))
            .collect()
    }

    /// Writes types in a format that can contain several.
    fn write_typed(&self, typed: &[Typed<'_>], name: &str, out: impl Write, cancel: &Cancel) -> std::io::Result<()> {
        match self.format {
            Format::Otlp if self.otlp_json => export::write_otlp_json(typed, name, out, cancel),
            Format::Otlp => export::write_otlp(typed, name, out, cancel),
            Format::Firefox => export::write_firefox(typed, name, out, cancel),
            Format::Speedscope if self.evented => export::write_speedscope_evented(typed, name, out, cancel),
            Format::Speedscope => export::write_speedscope_any(typed, name, out, cancel),
            Format::Pprof | Format::Collapsed | Format::Flamegraph => unreachable!("these hold one type per file"),
        }
    }

    /// Adds classes as leaf frames if --class-frames is set.
    fn framed(&self, profile: AnyProfile) -> AnyProfile {
        if self.class_frames { profile.with_leaf_frames(LabelKey::Class.name()) } else { profile }
    }

    /// Writes one file.
    fn write(&self, name: &str, content: &Content, file: &File, mut out: &mut dyn Write) -> std::io::Result<()> {
        let page = |loaded: &Loaded, cancel: &Cancel, out: &mut dyn Write| {
            let mut out = std::io::BufWriter::new(out);
            flame::page(&mut out, loaded, &[], &View::default(), cancel)?
                .map_err(|failure| std::io::Error::other(failure.to_string()))?;
            out.flush()
        };
        match content {
            Content::Recordings(Collected { set, recordings, stop }) => {
                let cancel = cancel(stop);
                let profile = file.profile.and_then(|place| set.profiles.get(place));
                match (self.format, profile) {
                    (Format::Pprof, Some(profile)) => {
                        let options = pprof_emit::Options { cancel, ..Default::default() };
                        write_pprof(profile, &set.tables, out, &options).map(|_| ())
                    }
                    (Format::Collapsed, Some(profile))
                        if !self.class_frames && self.collecting.labels().is_none_or(|labels| labels.is_empty()) =>
                    {
                        let options = CollapsedOptions { cancel, ..Default::default() };
                        write_collapsed(profile, &set.tables, out, &options)
                    }
                    (Format::Collapsed, Some(profile)) => {
                        let any = self.framed(AnyProfile::of(profile, &set.tables));
                        let labels = self.collecting.labels().is_some_and(|labels| !labels.is_empty());
                        export::write_collapsed_any(&typed(profile, &any), labels, out, &cancel)
                    }
                    (Format::Flamegraph, _) => page(&loaded(name, set), &cancel, out),
                    _ => {
                        let mut all: Vec<AnyProfile> = set
                            .profiles
                            .iter()
                            .map(|profile| self.framed(AnyProfile::of(profile, &set.tables)))
                            .collect();
                        if self.format == Format::Firefox
                            && let Some(first) = all.first_mut()
                        {
                            add_tracks(first, recordings).map_err(std::io::Error::other)?;
                        }
                        let typed: Vec<Typed<'_>> =
                            set.profiles.iter().zip(&all).map(|(profile, any)| typed(profile, any)).collect();
                        let main = set.profiles.iter().find_map(|profile| profile.main.as_deref());
                        self.write_typed(&typed, main.unwrap_or(name), out, &cancel)
                    }
                }
            }
            Content::Profile { profile, cancel } => {
                let framed;
                let profile = if self.class_frames {
                    framed = profile.with_leaf_frames(LabelKey::Class.name());
                    &framed
                } else {
                    &**profile
                };
                let all = types(profile);
                let typed = self.typed(profile, &all);
                match self.format {
                    Format::Pprof => write_any(profile, &mut out),
                    Format::Collapsed => {
                        let of = typed.iter().find(|of| of.kind == file.kind);
                        let of = of.ok_or_else(|| std::io::Error::other("there are no samples"))?;
                        export::write_collapsed_any(
                            of,
                            !self.collecting.labels().is_none_or(|labels| labels.is_empty()),
                            out,
                            cancel,
                        )
                    }
                    Format::Flamegraph => {
                        let kept = |of: &crate::profiles::Typed| typed.iter().any(|wanted| wanted.kind == of.kind);
                        let types = of_profile(profile).into_iter().filter(kept).collect();
                        let loaded = Loaded { name: name.to_owned(), types, ..Loaded::default() };
                        page(&loaded, cancel, out)
                    }
                    _ => self.write_typed(&typed, base(name), out, cancel),
                }
            }
        }
    }
}

/// The last component of a path.
fn base(name: &str) -> &str {
    name.rsplit('/').find(|part| !part.is_empty()).unwrap_or(name)
}

fn typed<'p>(profile: &Profile, any: &'p AnyProfile) -> Typed<'p> {
    let values = (0..any.width()).collect();
    Typed { kind: profile.kind.name(), title: java_title(profile.kind), profile: any, values }
}

fn loaded(name: &str, set: &ProfileSet) -> Loaded {
    let absent = set.absent.iter().map(|absent| (absent.kind, absent.reason.clone())).collect();
    Loaded { name: name.to_owned(), types: of_set(set), absent, ..Loaded::default() }
}

impl Content {
    /// The files to write, with names relative to the output directory.
    fn files(&self, args: &Args, stem: &Path) -> Vec<File> {
        let path = |kind: &str| {
            let mut file = stem.as_os_str().to_owned();
            file.push(if kind.is_empty() {
                format!(".{}", args.ending())
            } else {
                format!(".{kind}.{}", args.ending())
            });
            args.out_dir.join(file)
        };
        let whole = |kinds: &[&str]| vec![File { kind: kinds.join(","), profile: None, path: path("") }];
        match self {
            Self::Recordings(collected) => {
                let profiles = &collected.set.profiles;
                if args.format.is_one_file() {
                    let kinds: Vec<&str> = profiles.iter().map(|profile| profile.kind.name()).collect();
                    return if kinds.is_empty() { Vec::new() } else { whole(&kinds) };
                }
                let of = |(place, profile): (usize, &Profile)| {
                    let kind = profile.kind.name();
                    File { kind: kind.to_owned(), profile: Some(place), path: path(kind) }
                };
                profiles.iter().enumerate().map(of).collect()
            }
            Self::Profile { profile, .. } => {
                let all = types(profile);
                let typed = args.typed(profile, &all);
                let kinds: Vec<&str> = typed.iter().map(|of| of.kind).collect();
                if kinds.is_empty() {
                    Vec::new()
                } else if args.format == Format::Collapsed {
                    kinds
                        .iter()
                        .map(|kind| File { kind: (*kind).to_owned(), profile: None, path: path(kind) })
                        .collect()
                } else {
                    whole(&kinds)
                }
            }
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let inputs = expand(&args.inputs);
    args.check(&inputs)?;
    let sources = inputs.sources.as_slice();
    if args.out_dir.as_os_str() == "-" {
        return to_stdout(args, &inputs);
    }
    make_directory(&args.out_dir)?;
    let opening = args.limits.opening().cache(MetadataCache::default());
    let unsearched = inputs.print_failures();
    let bar = progress(sources);
    let printer = Printer::new(&bar);
    let failed = if args.merge {
        // A merge that lacks an input is written, but counts as a failure.
        let merge = || convert(args, "merged", "merged".as_ref(), sources, &opening, &bar);
        !sources.is_empty() && printer.print(0, merge())
    } else {
        let one = |(i, source): (usize, &Source)| {
            let only = std::slice::from_ref(source);
            printer.print(i, convert(args, &source.name(), &source.stem, only, &opening, &bar))
        };
        // Convert all inputs, even if some fail.
        sources.par_iter().enumerate().with_max_len(1).map(one).reduce(|| false, |a, b| a | b)
    };
    bar.finish_and_clear();
    printer.finish()?;
    // Each failure was already reported.
    if failed || unsearched { Err(Failure::Reported) } else { Ok(()) }
}

/// Reads sources as one. Returns `None` if nothing can be read, with the reasons in `failures`.
fn read(
    args: &Args,
    name: &str,
    sources: &[Source],
    opening: &OpenOptions,
    bar: &ProgressBar,
    failures: &mut Vec<String>,
) -> Option<Content> {
    if sources.iter().all(Source::is_recording) {
        let opened = collect::open(sources, opening, failures);
        return collect(args, name, opened, bar, failures).map(Content::Recordings);
    }
    let stop = args.limits.stop();
    let cancel = cancel(&stop);
    let (mut recordings, mut profiles) = (Vec::new(), Vec::new());
    for source in sources {
        match crate::profiles::open(source, opening, &cancel) {
            Ok((Opened::Recording(recording), _)) => recordings.push((source, *recording)),
            Ok((Opened::Profile(mut profile), _)) => match args.collecting.apply(&source.name(), &mut profile) {
                Ok(()) => profiles.push(*profile),
                Err(failure) => failures.push(failure.to_string()),
            },
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    match (recordings.is_empty(), profiles.len()) {
        (_, 0) => collect(args, name, recordings, bar, failures).map(Content::Recordings),
        (false, _) => {
            failures.push(format!("{name}: recordings and pprof files cannot be merged; convert the recordings first"));
            None
        }
        (true, 1) => profiles.pop().map(|profile| Content::Profile { profile: Box::new(profile), cancel }),
        (true, _) => match jfrkit_profile::any::merge(&profiles, &cancel) {
            Ok(merged) => Some(Content::Profile { profile: Box::new(merged), cancel }),
            Err(e) => {
                failures.push(format!("{name}: {e}"));
                None
            }
        },
    }
}

/// Creates a directory if it does not exist.
fn make_directory(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|e| {
        let reason = if path.exists() { "is not a directory".to_owned() } else { e.to_string() };
        Failure::Failed(format!("{}: {reason}", path.display()))
    })
}

/// Writes the profiles of the sources, merged into one set, to files whose names begin with `stem`.
fn convert(
    args: &Args,
    name: &str,
    stem: &Path,
    sources: &[Source],
    opening: &OpenOptions,
    bar: &ProgressBar,
) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(content) = read(args, name, sources, opening, bar, &mut outcome.failures) else { return outcome };
    let files = content.files(args, stem);
    // The output has the same subdirectories as the input.
    if let Some(below) = stem.parent().filter(|below| !below.as_os_str().is_empty() && !files.is_empty())
        && let Err(failure) = make_directory(&args.out_dir.join(below))
    {
        outcome.failures.push(failure.to_string());
        return outcome;
    }
    let written: Vec<Result<(), WriteError>> = match &content {
        // Writing the profiles of a set together shares work.
        Content::Recordings(Collected { set, stop, .. }) if args.format == Format::Pprof => {
            let options = pprof_emit::Options { cancel: cancel(stop), ..Default::default() };
            let path = |profile: &Profile| {
                let of = files.iter().find(|file| file.kind == profile.kind.name());
                of.map(|file| file.path.clone()).unwrap_or_default()
            };
            FILES.write_each(set, path, &options).into_iter().map(|written| written.map(|_| ())).collect()
        }
        _ => {
            let write = |file: &File| {
                if sources.iter().any(|source| source.is(&file.path)) {
                    let source = std::io::Error::other("this is an input file; choose another directory with -o");
                    return Err(WriteError { path: file.path.clone(), source });
                }
                FILES.write_file(&file.path, |out| args.write(name, &content, file, out))
            };
            files.par_iter().with_max_len(1).map(write).collect()
        }
    };
    if args.inputs.len() > 1 || Path::new(args.inputs.first().map_or("".as_ref(), |i| i.as_os_str())).is_dir() {
        let _ = writeln!(outcome.lines, "{}", jfr_parse::text::plain(name));
    }
    for (file, written) in files.iter().zip(written) {
        match written {
            Ok(()) => {
                let _ = writeln!(outcome.lines, "{}", content.line(file));
            }
            Err(e) => outcome.failures.push(e.to_string()),
        }
    }
    let set = match &content {
        Content::Recordings(collected) => &collected.set,
        Content::Profile { profile, .. } => {
            if files.is_empty() {
                outcome.failures.push(format!("{name}: there are no samples of the requested types"));
            }
            if args.strict && !profile.losses.is_empty() && outcome.failures.is_empty() {
                outcome.failures.push(lossy(name));
            }
            return outcome;
        }
    };
    for absent in set.absent.iter().filter(|a| a.kind.is_core() || args.kinds().contains(&a.kind)) {
        let _ = writeln!(outcome.lines, "{:<12}  none: {}", absent.kind, absent.reason);
    }
    name.clone_into(&mut outcome.name);
    outcome.warnings.clone_from(&set.losses);
    let has_losses = !outcome.warnings.is_empty();
    outcome.warnings.extend_from_slice(&set.warnings);
    if args.strict && has_losses && outcome.failures.is_empty() {
        outcome.failures.push(lossy(name));
    }
    outcome
}

impl Content {
    /// A line about a written file: type, number of samples, total; for several types, their names.
    fn line(&self, file: &File) -> String {
        if let (Self::Recordings(collected), Some(place)) = (self, file.profile)
            && let Some(profile) = collected.set.profiles.get(place)
        {
            return line(profile, &file.path);
        }
        let path = file.path.to_string_lossy();
        format!("{}  {}", file.kind.replace(',', ", "), jfr_parse::text::plain(&path))
    }
}

/// From this share on, the samples count as complete.
const NEARLY_ALL: f64 = 0.9;

/// Type, number of samples, total, file.
fn line(profile: &Profile, path: &Path) -> String {
    let totals = profile.totals();
    let (count, last) = (totals.first().copied().unwrap_or(0), totals.last().copied().unwrap_or(0));
    let unit = profile.values().last().map_or("count", |v| v.unit);
    // Old JDKs do not record the sizes of live objects.
    let unknown = last == 0 && unit == "bytes";
    let total = if profile.values().len() > 1 && !unknown { units::value(last, unit) } else { String::new() };
    let path = path.to_string_lossy();
    let word = if count == 1 { "sample " } else { "samples" };
    let path = jfr_parse::text::plain(&path);
    let line = format!("{:<12} {:>10} {word} {total:>12}  {path}", profile.kind, units::count(count));
    // A share close to 1 is within the accuracy of clocks and rounding.
    match profile.coverage.filter(|share| *share < NEARLY_ALL) {
        Some(share) => format!("{line}  (covers {} of the JVM's CPU time)", units::share(share)),
        None => line,
    }
}

fn to_stdout(args: &Args, inputs: &Inputs) -> Result<(), Failure> {
    let sources = inputs.sources.as_slice();
    let one_type = args.types.len() == 1 || args.format.is_one_file();
    let may_be_pprof = sources.iter().all(Source::may_be_pprof) && args.format == Format::Pprof;
    if !(one_type || may_be_pprof) || !(args.merge || sources.len() <= 1) {
        return Err(Failure::Usage(
            "standard output takes a single profile: give one type with --types, and one input or --merge".to_owned(),
        ));
    }
    if args.format.is_binary() && std::io::stdout().is_terminal() {
        return Err(Failure::Usage(
            "a terminal cannot show this format: redirect it (> profile.pb.gz), pipe it, or use --format collapsed"
                .to_owned(),
        ));
    }
    let mut failed = inputs.print_failures();
    let opening = args.limits.opening().cache(MetadataCache::default());
    let name = match sources {
        [only] => only.name(),
        _ => "merged".to_owned(),
    };
    let mut failures = Vec::new();
    let content = read(args, &name, sources, &opening, &ProgressBar::hidden(), &mut failures);
    for failure in &failures {
        failed = true;
        print_error(failure);
    }
    let Some(content) = content else { return Err(Failure::Reported) };
    let mut lossy = false;
    if let Content::Recordings(Collected { set, .. }) = &content {
        for loss in &set.losses {
            warn(&name, loss);
            lossy = true;
        }
        for warning in &set.warnings {
            warn(&name, warning);
        }
    }
    let files = content.files(args, Path::new("stdout"));
    let file = match files.as_slice() {
        [file] => file,
        [] => {
            let reason = match &content {
                Content::Recordings(collected) => collected.set.absent.first().map(|a| a.reason.clone()),
                Content::Profile { .. } => Some("there are no samples of the requested types".to_owned()),
            };
            let reason = reason.unwrap_or_default();
            let kinds = args.types.join(", ");
            return Err(Failure::Failed(format!("{name}: no {kinds} profile: {reason}")));
        }
        _ => {
            let kinds: Vec<&str> = files.iter().map(|file| file.kind.as_str()).collect();
            let kinds = kinds.join(", ");
            return Err(Failure::Usage(format!(
                "standard output takes a single profile; choose one of {kinds} with --types"
            )));
        }
    };
    let mut out = std::io::stdout().lock();
    args.write(&name, &content, file, &mut out)?;
    out.flush()?;
    if args.strict && lossy {
        return Err(Failure::lossy(&name));
    }
    if failed { Err(Failure::Reported) } else { Ok(()) }
}

/// Adapts a recording's stop handle for code that does not know recordings.
fn cancel(stop: &Stop) -> Cancel {
    let stop = stop.clone();
    Cancel::when(move || stop.is_raised())
}
