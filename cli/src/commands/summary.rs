//! `jfrkit summary`.

use std::io::Write;

use jfr_analyzers::Summary;
use jfr_analyzers::runtime::{Options, Runtime};
use jfr_parse::Iso;

use crate::failure::Failure;
use crate::input;

/// Show what a recording is of, in ten lines; with -v its chunks and its events by type
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jfrkit summary recording.jfr
  jfrkit summary -v recording.jfr                                 with chunks, and bytes by event type
  jfrkit summary --format json recording.jfr.gz | jq '.events[:5]'
  ssh host cat /tmp/recording.jfr | jfrkit summary -

The JSON is one object: file, start_nanos (since 1970), duration_nanos, chunks, events (name as recorded, count,
bytes; most frequent first) and warnings.")]
pub(crate) struct Args {
    #[command(flatten)]
    input: input::Args,

    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Show the chunks, and the events and bytes of each type
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// A summary with the file that it is of.
#[derive(serde::Serialize)]
struct Of<'a> {
    file: &'a str,
    #[serde(flatten)]
    summary: &'a Summary,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let input = args.input.open()?;
    let summary = Summary::of(&input.recording).map_err(|e| Failure::of(input.name, &e))?;
    let mut out = crate::output::stdout();
    match args.format {
        Format::Json => {
            serde_json::to_writer(&mut out, &Of { file: args.input.label(), summary: &summary })?;
            writeln!(out)?;
        }
        Format::Text => {
            let runtime = Runtime::with(&input.recording, &summary, Options::default());
            let runtime = runtime.map_err(|e| Failure::of(input.name, &e))?;
            overview(&mut out, input.name, &runtime)?;
            if args.verbose {
                text(&mut out, &summary)?;
            }
        }
    }
    out.flush()?;
    for warning in &summary.warnings {
        input.losses.warn(warning);
    }
    input.losses.finish()
}

fn overview(out: &mut impl Write, file: &str, runtime: &Runtime) -> Result<(), Failure> {
    let width = runtime.overview.iter().map(|entry| entry.name.chars().count() + 1).max().unwrap_or(0);
    writeln!(out, "{:<width$} {}", "File:", jfr_parse::text::plain(file))?;
    for entry in &runtime.overview {
        writeln!(out, "{:<width$} {}", format!("{}:", entry.name), jfr_parse::text::plain(&entry.value))?;
    }
    Ok(())
}

fn text(out: &mut impl Write, summary: &Summary) -> Result<(), Failure> {
    writeln!(out)?;
    writeln!(
        out,
        "{:>5}  {:<7}  {:<14}  {:>12}  {:>10}  {:<30}  {:>10}  Remarks",
        "Chunk", "Version", "Writer", "Bytes", "Events", "Start", "Duration"
    )?;
    for (i, chunk) in summary.chunks.iter().enumerate() {
        let remark = match (&chunk.error, chunk.in_progress, chunk.is_final) {
            (Some(error), ..) => error.as_str(),
            (None, true, _) => "still being written",
            (None, false, true) => "last of its session",
            (None, false, false) => "",
        };
        let (start, length) = (Iso(chunk.start_nanos).to_string(), jfr_parse::text::duration(chunk.duration_nanos));
        let line = format!(
            "{i:>5}  {:<7}  {:<14}  {:>12}  {:>10}  {start:<30}  {length:>10}  {remark}",
            chunk.version, chunk.producer, chunk.size, chunk.event_count,
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)?;
    let width = summary.events.iter().map(|e| e.name.chars().count()).max().unwrap_or(0).clamp(10, 80);
    writeln!(out, "{:<width$}  {:>10}  {:>12}", "Event type", "Count", "Bytes")?;
    for event in &summary.events {
        writeln!(out, "{:<width$}  {:>10}  {:>12}", jfr_parse::text::plain(&event.name), event.count, event.bytes)?;
    }
    Ok(())
}
