//! `jfrkit metrics`.

use std::ffi::OsString;
use std::io::Write;

use jfr_analyzers::metrics::{Metrics, write};
use jfr_parse::{MetadataCache, Nanos};
use serde::Serialize;

use crate::failure::Failure;
use crate::inputs::expand;
use crate::limits;
use crate::output::{is_verbose, print_error, warn, zone};
use crate::profiles::{Opened, cancel, open};

/// Show metrics over time: CPU cores, allocation rate, pauses, heap, threads, waits
#[derive(Debug, clap::Args)]
#[group(id = "metrics")]
#[command(after_help = "\
Examples:
  jfrkit metrics recording.jfr                            one line per metric, with a sparkline
  jfrkit metrics -v recording.jfr                         and how each was computed
  jfrkit metrics --format csv --step 1s recording.jfr
  jfrkit metrics profile.pb.gz                            from Python, Go or Node.js: values without points
  jfrkit metrics --format openmetrics logs/ > all.prom    for Prometheus: promtool tsdb create-blocks-from openmetrics

Each value is for the whole recording; minimum and maximum follow the sparkline. `≥` marks lower bounds: a threshold or a \
throttle hides events. Metrics that cannot be computed are listed with the reason. \
The JSON is one object per line and input: file, start_nanos, end_nanos, step_nanos and metrics (name, title, unit, how, \
value, lower_bound, reason, points: [milliseconds since 1970, min, mean, max]).")]
pub(crate) struct Args {
    /// Recordings, pprof files, directories to search for recordings, or `-` for standard input
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<OsString>,

    /// Distance between points, such as 1s or 100ms; by default there are about 100 points
    #[arg(long, value_name = "TIME", value_parser = step)]
    step: Option<Nanos>,

    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Fail with status 1 if any data is lost, instead of printing a warning
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    limits: limits::Args,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// One line per point
    Csv,
    /// One object per line
    Json,
    /// For Prometheus
    Openmetrics,
}

/// The metrics of one input, with its name.
#[derive(Serialize)]
struct Of<'a> {
    file: &'a str,
    #[serde(flatten)]
    metrics: &'a Metrics,
}

fn step(text: &str) -> Result<Nanos, String> {
    match jfrkit_profile::units::parse_duration(text) {
        Ok(nanos) if nanos >= 1_000_000 => Ok(Nanos(nanos)),
        Ok(_) => Err("the step must be at least 1ms".to_owned()),
        Err(_) => Err("expected a time such as 1s or 100ms".to_owned()),
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let inputs = expand(&args.inputs);
    let mut failed = inputs.print_failures();
    let stop = args.limits.stop();
    let cancel = cancel(&stop);
    let opening = args.limits.opening().stop(stop).cache(MetadataCache::default());
    let mut out = crate::output::stdout();
    let many = inputs.sources.len() + inputs.failures.len() > 1;
    let (mut all, mut lossy) = (Vec::new(), None);
    for source in &inputs.sources {
        let name = source.name();
        let metrics = open(source, &opening, &cancel).and_then(|(opened, lost)| {
            if lost {
                lossy = Some(name.clone());
            }
            match opened {
                Opened::Recording(recording) => {
                    for loss in recording.losses() {
                        warn(&name, loss);
                    }
                    Metrics::with_errors(&recording, args.step).map_err(|e| Failure::of(&name, &e))
                }
                Opened::Profile(profile) => Ok((Metrics::of_profile(&profile), Vec::new())),
            }
        });
        match metrics {
            Ok((metrics, errors)) => {
                for error in &errors {
                    warn(&name, error);
                    lossy = Some(name.clone());
                }
                match args.format {
                    Format::Openmetrics => all.push((name, metrics)),
                    format => one(&mut out, format, is_verbose(), many, &name, &metrics)?,
                }
            }
            Err(failure) if !many => return Err(failure),
            Err(failure) => {
                print_error(&failure.to_string());
                failed = true;
            }
        }
    }
    if args.format == Format::Openmetrics {
        write::openmetrics(&mut out, &all)?;
    }
    out.flush()?;
    match lossy {
        _ if failed => Err(Failure::Reported),
        Some(name) if args.strict => Err(Failure::lossy(&name)),
        _ => Ok(()),
    }
}

fn one(
    out: &mut impl Write,
    format: Format,
    verbose: bool,
    many: bool,
    name: &str,
    metrics: &Metrics,
) -> Result<(), Failure> {
    match format {
        Format::Json => {
            serde_json::to_writer(&mut *out, &Of { file: name, metrics })?;
            writeln!(out)?;
        }
        Format::Csv => {
            if many {
                writeln!(out, "# {name}")?;
            }
            write::csv(out, metrics)?;
        }
        Format::Text | Format::Openmetrics => {
            if many {
                writeln!(out, "# {}\n", jfr_parse::text::plain(name))?;
            }
            write::text(out, metrics, verbose, &zone())?;
            if many {
                writeln!(out)?;
            }
        }
    }
    Ok(())
}
