//! `jfrkit print`.

use jfr_analyzers::TimeRange;
use std::io::Write;

use jfr_parse::text::TextWriter;
use jfr_parse::{
    Chunk, Content, EpochNanos, Iso, Loss, Plan, RawEvent, StructValue, TimeUnit, Timed, Type, TypeId, ValueReader,
};
use serde::Serialize;

use crate::collecting;
use crate::event_filter::Globs;
use crate::failure::Failure;
use crate::input::{self, Input};
use crate::output::zone;

/// Print events with their values
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jfrkit print --events CPULoad,GarbageCollection recording.jfr
  jfrkit print --categories 'GC,Java*' --stack-depth 20 recording.jfr
  jfrkit print --events 'jdk.File*' --from -30s recording.jfr
  jfrkit print --format json recording.jfr | jq -r 'select(.values.duration > 1e8) | .type'
  jfrkit print --format json --compact recording.jfr      stack frames as strings, not as trees of objects
  jfrkit print --format jdk-json recording.jfr            the structure of `jfr print --json`, for existing scripts

Events are printed in file order, which is not chronological. The JSON is one object per line and event: type \
(the name as recorded), startTime (ISO 8601 with nanoseconds, null if the event has none) and values (its fields by \
name), plus file if there are several inputs. In values, timestamps are ISO 8601, durations are \
nanoseconds, amounts are bytes or bits, and ratios are 0 to 1; a constant is an object, and a value that is unset or \
unresolvable is null. jdk-json is one object, {recording: {events: [{type, values}, …]}}, with ISO 8601 durations (PT1.5S).")]
pub(crate) struct Args {
    /// Only events of these types: comma-separated names, with or without package, with * and ?
    #[arg(long, value_name = "GLOBS")]
    events: Option<Globs>,

    /// Only events of types in these categories: comma-separated, with * and ?
    #[arg(long, value_name = "GLOBS")]
    categories: Option<Globs>,

    /// Number of frames to show of each stack trace
    #[arg(long, value_name = "N", default_value_t = 5)]
    stack_depth: usize,

    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// In JSON, write threads, classes, methods and stack frames as one string each, for a fraction of the size
    #[arg(long)]
    compact: bool,

    #[command(flatten)]
    time: collecting::Time,

    #[command(flatten)]
    input: input::Args,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Human-readable text
    Text,
    /// One object per event, one per line
    Json,
    /// One object with all events, structured like the output of the JDK's `jfr print --json`
    JdkJson,
}

/// What precedes and follows the events in the JDK's JSON.
const JDK_HEAD: &str = "{\"recording\":{\"events\":[\n";
const JDK_TAIL: &str = "\n]}}";

/// An event in the JDK's JSON format.
#[derive(Serialize)]
struct JdkEvent<'v, 'a> {
    r#type: &'a str,
    values: Timed<'v, 'a>,
}

/// A line of JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'v, 'a> {
    /// The input, if there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    r#type: &'a str,
    start_time: Option<String>,
    values: Timed<'v, 'a>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.compact && args.format == Format::Text {
        return Err(Failure::Usage("--compact needs --format json or jdk-json".to_owned()));
    }
    if args.format != Format::JdkJson {
        return args.input.each(|input| one(args, input, &mut 0));
    }
    // Write a single, valid document for any number of inputs, even if one fails.
    let mut printed = 0;
    let done = args.input.each(|input| one(args, input, &mut printed));
    let mut out = crate::output::stdout();
    match (printed, &done) {
        (0, Ok(())) => writeln!(out, "{JDK_HEAD}{JDK_TAIL}")?,
        (0, Err(_)) => {}
        _ => writeln!(out, "{JDK_TAIL}")?,
    }
    out.flush()?;
    done
}

fn one(args: &Args, input: &Input<'_>, printed: &mut u64) -> Result<(), Failure> {
    let range = args.time.range(input.name, &[&input.recording])?;
    let mut job = Job { args, range, out: crate::output::stdout(), input, printed };
    if input.many && args.format == Format::Text {
        writeln!(job.out, "# {}\n", jfr_parse::text::plain(input.name))?;
    }
    for loss in input.recording.losses() {
        input.losses.warn(loss);
    }
    let (mut failed, mut readable) = (None, false);
    let (mut fits, mut names) = (false, std::collections::BTreeSet::new());
    for chunk in input.recording.chunks() {
        input.check()?;
        match chunk {
            Ok(chunk) => {
                readable = true;
                if let Some(globs) = &args.events {
                    let types = || chunk.metadata().event_types();
                    fits |= types().any(|of| globs.fits_type(of));
                    names.extend(types().filter(|_| !fits).map(|of| of.name().to_owned()));
                }
                job.chunk(&chunk)?;
            }
            Err(e) => {
                input.warn(&e)?;
                failed = failed.or(Some(e));
            }
        }
    }
    job.out.flush()?;
    input.check_unchanged()?;
    input.check()?;
    if let Some(globs) = &args.events {
        globs.check(fits, &names).map_err(|error| Failure::Usage(format!("{}: {error}", input.name)))?;
    }
    match failed {
        Some(e) if !readable => Err(Failure::of(input.name, &e)),
        _ => input.losses.finish(),
    }
}

impl Args {
    fn wants(&self, of: Type<'_>) -> bool {
        self.events.as_ref().is_none_or(|globs| globs.fits_type(of))
            && self.categories.as_ref().is_none_or(|globs| globs.fits_categories(of))
    }
}

struct Job<'r, O> {
    args: &'r Args,
    range: TimeRange,
    out: O,
    input: &'r Input<'r>,
    /// The number of events printed for all inputs.
    printed: &'r mut u64,
}

/// How many events to skip before checking the time limit again.
const STOP_EVERY: usize = 1 << 12;

/// An event type to print.
struct Wanted<'c> {
    of: Type<'c>,
    start: Option<(Plan<1>, TimeUnit)>,
}

impl<O: Write> Job<'_, O> {
    fn chunk(&mut self, chunk: &Chunk<'_>) -> Result<(), Failure> {
        for loss in chunk.losses() {
            self.input.warn(loss)?;
        }
        let types: Vec<Type<'_>> = chunk.metadata().event_types().filter(|of| self.args.wants(*of)).collect();
        let wanted: std::collections::HashMap<TypeId, Wanted<'_>> =
            types.into_iter().map(|of| (of.id(), Wanted::new(chunk, of))).collect();
        let mut printer: Option<(ValueReader<'_>, TextWriter)> = None;
        let depth = self.args.stack_depth;
        // One more frame, so the text writer can tell whether the stack continues.
        let frames = depth.saturating_add(usize::from(self.args.format == Format::Text));
        let mut events = chunk.walk(jfr_parse::HEADER_SIZE..chunk.bytes().len());
        for (i, event) in events.by_ref().enumerate() {
            if i.is_multiple_of(STOP_EVERY) && chunk.stop().is_raised() {
                break;
            }
            let Some(of) = wanted.get(&event.type_id) else { continue };
            let start = of.start(chunk, &event);
            if !self.range.is_open() && !start.is_some_and(|at| self.range.contains(at)) {
                continue;
            }
            // Index the constants only if an event is printed.
            let (reader, text) = printer.get_or_insert_with(|| {
                (ValueReader::new(chunk).stack_depth(frames), TextWriter::new(chunk.clock(), depth).zone(zone()))
            });
            match reader.event(&event) {
                Ok(value) => {
                    if let Some(value) = value.as_struct() {
                        self.event(text, chunk, of, start, value)?;
                    }
                }
                // Report this once instead of for each remaining event.
                Err(e @ jfr_parse::Error::Stopped) => return Err(Failure::of(self.input.name, &e)),
                Err(e) => self.input.warn(format_args!("{}: {e}", of.of.name()))?,
            }
        }
        for &(at, bytes) in events.skipped() {
            let offset = chunk.file_offset(at);
            self.input.warn(Loss { offset, bytes: bytes as u64, what: jfr_parse::Damage::BadEventSize })?;
        }
        Ok(())
    }

    fn event(
        &mut self,
        text: &mut TextWriter,
        chunk: &Chunk<'_>,
        of: &Wanted<'_>,
        start: Option<EpochNanos>,
        value: &StructValue<'_>,
    ) -> Result<(), Failure> {
        match self.args.format {
            Format::Text => {
                text.clear();
                text.event(value);
                self.out.write_all(text.as_str().as_bytes())?;
            }
            Format::Json => {
                let start_time = start.map(|at| Iso(at).to_string());
                let values = value.timed(chunk.clock()).compact(self.args.compact);
                let file = self.input.many.then_some(self.input.label);
                let line = Line { file, r#type: of.of.name(), start_time, values };
                serde_json::to_writer(&mut self.out, &line)?;
                self.out.write_all(b"\n")?;
            }
            Format::JdkJson => {
                self.out.write_all(if *self.printed == 0 { JDK_HEAD.as_bytes() } else { b",\n" })?;
                let values = value.timed(chunk.clock()).java_times(true).compact(self.args.compact);
                serde_json::to_writer(&mut self.out, &JdkEvent { r#type: of.of.name(), values })?;
            }
        }
        *self.printed += 1;
        Ok(())
    }
}

impl<'c> Wanted<'c> {
    fn new(chunk: &Chunk<'_>, of: Type<'c>) -> Self {
        let unit = of.field("startTime").and_then(|f| match f.content() {
            Some(Content::Timestamp(unit)) => Some(unit),
            _ => None,
        });
        let start = unit.and_then(|unit| Some((chunk.plan(of, ["startTime"]).ok()?, unit)));
        Self { of, start }
    }

    /// Start of an event.
    fn start(&self, chunk: &Chunk<'_>, event: &RawEvent<'_>) -> Option<EpochNanos> {
        let (plan, unit) = self.start.as_ref()?;
        chunk.clock().instant(plan.read(event.payload).ok()?.get(jfr_parse::Column::<i64>::at(0)), *unit)
    }
}
