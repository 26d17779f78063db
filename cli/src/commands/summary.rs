//! `jfrkit summary`.

use std::io::Write;

use jfr_analyzers::Summary;
use jfr_analyzers::runtime::{Entry, Options, Runtime};
use jfrkit_profile::{layout, units};

use crate::failure::Failure;
use crate::input::{self, Input};
use crate::output::{is_verbose, zone};

/// Summarize a recording in ten lines; -v adds its chunks and event types
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jfrkit summary recording.jfr
  jfrkit summary -v recording.jfr                                 with chunks, and bytes per event type
  jfrkit summary --format json recording.jfr.gz | jq '.events[:5]'
  ssh host cat /tmp/recording.jfr | jfrkit summary -

The JSON is one object: file, start_nanos (since 1970), duration_nanos, chunks, events (name as recorded, count, \
bytes; most frequent first) and warnings.")]
pub(crate) struct Args {
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    #[command(flatten)]
    input: input::Args,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// A summary with the file name.
#[derive(serde::Serialize)]
struct Of<'a> {
    file: &'a str,
    #[serde(flatten)]
    summary: &'a Summary,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    args.input.each(|input| one(args, input))
}

fn one(args: &Args, input: &Input<'_>) -> Result<(), Failure> {
    let failed = |error: jfr_parse::Error| Failure::of(input.name, &error);
    let mut out = crate::output::stdout();
    let summary = match args.format {
        Format::Json => {
            let summary = Summary::of(&input.recording).map_err(failed)?;
            serde_json::to_writer(&mut out, &Of { file: input.label, summary: &summary })?;
            writeln!(out)?;
            summary
        }
        Format::Text => {
            let read = Runtime::overview_of(&input.recording, Options::default().in_zone(zone()));
            let (summary, overview) = read.map_err(failed)?;
            lines(&mut out, input.name, &overview)?;
            if is_verbose() {
                text(&mut out, &summary)?;
            }
            if input.many {
                writeln!(out)?;
            }
            summary
        }
    };
    out.flush()?;
    for warning in &summary.warnings {
        input.losses.warn(warning);
    }
    input.losses.finish()
}

fn lines(out: &mut impl Write, file: &str, overview: &[Entry]) -> Result<(), Failure> {
    let width = overview.iter().map(|entry| layout::width(&entry.name) + 1).max().unwrap_or(0);
    writeln!(out, "{} {}", layout::left("File:", width), jfr_parse::text::plain(file))?;
    for entry in overview {
        let name = layout::left(&format!("{}:", entry.name), width);
        writeln!(out, "{name} {}", jfr_parse::text::plain(&entry.value))?;
    }
    Ok(())
}

fn text(out: &mut impl Write, summary: &Summary) -> Result<(), Failure> {
    writeln!(out)?;
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let zone = zone();
    let widest = summary.chunks.first().map_or(0, |chunk| layout::width(&zone.iso(chunk.start_nanos)));
    writeln!(
        out,
        "{:>5}  {:<7}  {:<14}  {:>10}  {:>12}  {:<widest$}  {:>12}  Remarks",
        "Chunk", "Version", "Writer", "Size", "Events", "Start", "Duration"
    )?;
    for (i, chunk) in summary.chunks.iter().enumerate() {
        let remark = match (&chunk.error, chunk.in_progress, chunk.is_final) {
            (Some(error), ..) => error.as_str(),
            (None, true, _) => "still being written",
            (None, false, true) => "last of its session",
            (None, false, false) => "",
        };
        let (start, length) = (zone.iso(chunk.start_nanos), units::duration(chunk.duration_nanos.0));
        let (size, events) = (units::size(whole(chunk.size)), units::count(whole(chunk.event_count)));
        let line = format!(
            "{i:>5}  {:<7}  {:<14}  {size:>10}  {events:>12}  {start:<widest$}  {length:>12}  {remark}",
            chunk.version, chunk.producer,
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)?;
    let wide = |name: &str| layout::width(&jfr_parse::text::plain(name));
    let width = summary.events.iter().map(|event| wide(&event.name)).max().unwrap_or(0).clamp(10, 80);
    let events = summary.event_count();
    let bytes: u64 = summary.events.iter().map(|event| event.bytes).sum();
    let share = |part: u64, of: u64| units::percentage(units::percent(whole(part), whole(of)));
    let heading = layout::left("Event type", width);
    writeln!(out, "{heading}  {:>12}  {:>8}  {:>10}  {:>8}", "Count", "share", "Size", "share")?;
    for event in &summary.events {
        let (count, size) = (units::count(whole(event.count)), units::size(whole(event.bytes)));
        let (of_events, of_bytes) = (share(event.count, events), share(event.bytes, bytes));
        let name = layout::left(&jfr_parse::text::plain(&event.name), width);
        writeln!(out, "{name}  {count:>12}  {of_events:>8}  {size:>10}  {of_bytes:>8}")?;
    }
    Ok(())
}
