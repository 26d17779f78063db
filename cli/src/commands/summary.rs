//! `jfrkit summary`.

use std::io::Write;

use jfr_analyzers::Summary;
use jfr_parse::Iso;

use crate::failure::Failure;
use crate::input;

/// Show what is in a recording: chunks, writers, events by type
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jfrkit summary recording.jfr
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
        Format::Text => text(&mut out, input.name, &summary)?,
    }
    out.flush()?;
    for warning in &summary.warnings {
        input.losses.warn(warning);
    }
    input.losses.finish()
}

fn text(out: &mut impl Write, file: &str, summary: &Summary) -> Result<(), Failure> {
    writeln!(out, "File:      {}", jfr_parse::text::plain(file))?;
    writeln!(out, "Start:     {}", Iso(summary.start_nanos))?;
    writeln!(out, "Duration:  {}", jfr_parse::text::duration(summary.duration_nanos))?;
    writeln!(out, "Events:    {}", summary.event_count())?;
    writeln!(out, "Chunks:    {}", summary.chunks.len())?;
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
    let mut jvms: Vec<&str> = summary.chunks.iter().filter_map(|c| c.jvm_version.as_deref()).collect();
    jvms.dedup();
    if !jvms.is_empty() {
        writeln!(out)?;
        for jvm in jvms {
            writeln!(out, "JVM:       {}", jfr_parse::text::plain(jvm))?;
        }
    }
    writeln!(out)?;
    let width = summary.events.iter().map(|e| e.name.chars().count()).max().unwrap_or(0).clamp(10, 80);
    writeln!(out, "{:<width$}  {:>10}  {:>12}", "Event type", "Count", "Bytes")?;
    for event in &summary.events {
        writeln!(out, "{:<width$}  {:>10}  {:>12}", jfr_parse::text::plain(&event.name), event.count, event.bytes)?;
    }
    Ok(())
}
