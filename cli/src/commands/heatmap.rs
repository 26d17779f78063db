//! `jfrkit heatmap`.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use jfr_analyzers::{LabelKey, collect};
use jfrkit_profile::any::{AnyProfile, types};
use jfrkit_profile::{ProfileType, Timeline};
use jfrkit_reports::page::{HEAT_STEP_NANOS, HeatError, PageError, heatmap_page};

use crate::collecting;
use crate::failure::Failure;
use crate::inputs::{Wanted, find};
use crate::limits;
use crate::output::print_warning;
use crate::profiles::{Opened, emptied, open, tree_failure};

use super::flame::write_page;

/// Draw samples over time as one HTML page; select a range to see its flame graph
#[derive(Debug, clap::Args)]
#[group(id = "heatmap")]
#[command(after_help = "\
Examples:
  jfrkit heatmap recording.jfr                   writes a page and opens the browser
  jfrkit heatmap -o wait.html --type wait rec.jfr

Each column is one second and each cell 20 ms; darker cells have more samples. Drag to select a range and see its flame graph. \
The page has at most 20 MB: for long recordings, narrow nodes are folded, and the page states how much.")]
pub(crate) struct Args {
    /// A recording, a pprof file with timestamped samples, or `-` for standard input
    #[arg(value_name = "INPUT")]
    input: OsString,

    /// Profile type: cpu, wall, lock, …; by default the first one that has samples
    #[arg(long = "type", visible_alias = "types", value_name = "TYPE")]
    kind: Option<String>,

    /// Output file; `-` for standard output. By default, the page is written to the cache directory and opened
    #[arg(short, long, value_name = "FILE.html")]
    output: Option<PathBuf>,

    /// Do not open a browser
    #[arg(long)]
    no_open: bool,

    #[command(flatten)]
    collecting: collecting::Args,

    #[command(flatten)]
    limits: limits::Args,
}

/// A profile, its timeline unless the samples themselves have times, and the values of the type.
type Timed = (AnyProfile, Option<Timeline>, Vec<usize>);

fn read(args: &Args, name: &str, opened: Opened) -> Result<Timed, Failure> {
    match opened {
        Opened::Profile(mut profile) => {
            args.collecting.apply(name, &mut profile)?;
            let all = types(&profile);
            let of = match &args.kind {
                Some(kind) => all.iter().find(|of| of.kind == *kind),
                None => all.first(),
            };
            let values = of.map(|of| of.values.clone()).ok_or_else(|| {
                let there: Vec<&str> = all.iter().map(|of| of.kind.as_str()).collect();
                let wanted = args.kind.as_deref().unwrap_or_default();
                Failure::Failed(format!("{name}: no {wanted} profile; it has {}", there.join(", ")))
            })?;
            Ok((*profile, None, values))
        }
        Opened::Recording(recording) => {
            let kind = args.kind.as_deref().and_then(ProfileType::from_name).into_iter().collect::<Vec<_>>();
            if let (Some(named), true) = (&args.kind, kind.is_empty()) {
                collecting::profile_type(named).map_err(|e| Failure::Usage(format!("--type {named}: {e}")))?;
            }
            // Nearly always there is cpu, and it is faster to read only that.
            let first = if kind.is_empty() { vec![ProfileType::Cpu] } else { kind.clone() };
            let mut options = args.collecting.options(name, &first, &[&recording])?;
            options.timeline = Some(HEAT_STEP_NANOS);
            options.labels.retain(|label| *label != LabelKey::TraceEndpoint);
            let mut set = collect(&recording, &options).map_err(|e| Failure::of(name, &e))?;
            if kind.is_empty() && set.profiles.is_empty() {
                let emptied = emptied(&[&recording], &options, &set).map_err(|e| Failure::of(name, &e))?;
                if let Some((kind, reason)) = emptied {
                    return Err(Failure::Failed(format!("{name}: no {kind} profile: {reason}")));
                }
                options.types.clear();
                set = collect(&recording, &options).map_err(|e| Failure::of(name, &e))?;
            }
            for text in set.losses.iter().chain(&set.warnings) {
                print_warning(&format!("{name}: {text}"));
            }
            // Some types have no times.
            let at = set.profiles.iter().position(|profile| profile.timeline.is_some()).unwrap_or(0);
            let Some(profile) = set.profiles.get_mut(at) else {
                let Some(kind) = kind.first() else {
                    return Err(Failure::Failed(format!("{name}: there are no samples")));
                };
                let reason = set.absent.first().map(|absent| absent.reason.as_str()).unwrap_or_default();
                return Err(Failure::Failed(format!("{name}: no {kind} profile: {reason}")));
            };
            let timeline = profile.timeline.take();
            let any = AnyProfile::of(profile, &set.tables);
            let values = (0..any.width()).collect();
            Ok((any, timeline, values))
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let stop = args.limits.stop();
    let cancel = crate::profiles::cancel(&stop);
    let opening = args.limits.opening().stop(stop);
    let inputs = find(std::slice::from_ref(&args.input), Wanted::Profiles);
    if inputs.print_failures() {
        return Err(Failure::Reported);
    }
    let [source] = inputs.sources.as_slice() else {
        return Err(Failure::Usage("a heat map shows a single recording or profile; give only one file".to_owned()));
    };
    let name = source.name();
    let view = args.collecting.view()?;
    let (profile, timeline, values) = read(args, &name, open(source, &opening, &cancel)?.0)?;
    let title = name.rsplit('/').next().unwrap_or(&name);
    let fill =
        |out: &mut dyn Write| match heatmap_page(out, title, &profile, timeline.as_ref(), &values, &view, &cancel) {
            Ok(()) => Ok(Ok(())),
            Err(HeatError::Page(PageError::Io(e))) => Err(e),
            Err(HeatError::Page(PageError::Tree(e))) => Ok(Err(tree_failure(&e))),
            Err(e) => Ok(Err(Failure::Failed(format!("{name}: {e}")))),
        };
    write_page(args.output.as_deref(), &format!("{title}-heatmap"), args.no_open, fill)
}
