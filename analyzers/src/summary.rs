//! The content of a recording according to its event headers: chunks, writers, counts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jfr_parse::engine::PoolEntries;
use jfr_parse::{
    CHECKPOINT, Chunk, ChunkHeader, ChunkOffset, ConstantKey, EpochNanos, Kind, Loss, METADATA, Nanos, RawEvent,
    RawStr, Recording, Result, Text, TypeId,
};
use serde::Serialize;

use crate::engine::driver::{parts, run, tasks};
use crate::hash::HashMap;
use crate::time_range::span;
use crate::views::{Answers, Merged, Part, ViewSet};

/// Number of bytes that one thread counts at a time.
const SEGMENT: usize = 1 << 20;

/// Type ids up to this one are counted in an array; JVMs use the first few thousand.
const DENSE: u64 = 1 << 14;

/// Maximum number of offsets of events that views need, in one part of a chunk. With more, the chunk is read again.
const MAX_OFFSETS: usize = 1 << 14;

/// Maximum number of warnings to keep; further warnings are only counted.
const MAX_WARNINGS: usize = 100;

/// An overview of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Start of the earliest chunk in nanoseconds since the Unix epoch.
    pub start_nanos: EpochNanos,
    /// Nanoseconds from there to the end of the latest chunk.
    pub duration_nanos: Nanos,
    /// The chunks in file order, including unreadable ones.
    pub chunks: Vec<ChunkSummary>,
    /// The types that have events, by descending count, then by name.
    pub events: Vec<EventCount>,
    /// What could not be read, one line each.
    pub warnings: Vec<String>,
}

/// An overview of a chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChunkSummary {
    /// Offset from the beginning of the recording, in bytes.
    pub offset: u64,
    /// Size in bytes.
    pub size: u64,
    /// Format version, for example `2.1`.
    pub version: String,
    /// The tool that wrote the chunk.
    pub producer: Producer,
    /// Name of the JVM, if recorded.
    pub jvm_name: Option<String>,
    /// Version of the JVM, if recorded.
    pub jvm_version: Option<String>,
    /// Start in nanoseconds since the Unix epoch.
    pub start_nanos: EpochNanos,
    /// Duration in nanoseconds; 0 if the writer did not get to record it.
    pub duration_nanos: Nanos,
    /// Whether the chunk was still being written when it was copied.
    pub in_progress: bool,
    /// Whether the writer marked the chunk as the last of its session.
    pub is_final: bool,
    /// Number of events that carry data.
    pub event_count: u64,
    /// Why its events cannot be counted.
    pub error: Option<String>,
}

/// The tool that wrote a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Producer {
    /// A JVM.
    HotSpot,
    /// async-profiler.
    #[serde(rename = "async-profiler")]
    AsyncProfiler,
    /// The native part of Datadog's profiler.
    Datadog,
    /// JDK Mission Control's writer, or a tool based on it.
    #[serde(rename = "JMC writer")]
    JmcWriter,
    /// Another writer, or unknown.
    #[serde(rename = "unknown")]
    Unknown,
}

impl std::fmt::Display for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::HotSpot => "HotSpot",
            Self::AsyncProfiler => "async-profiler",
            Self::Datadog => "Datadog",
            Self::JmcWriter => "JMC writer",
            Self::Unknown => "unknown",
        })
    }
}

/// The events of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventCount {
    /// The name as recorded.
    pub name: String,
    /// Number of events.
    pub count: u64,
    /// Size in bytes, including framing.
    pub bytes: u64,
}

impl Summary {
    /// Counts the events of a recording, reading chunks and parts of chunks in parallel.
    ///
    /// Chunks that cannot be opened are listed in [`Summary::warnings`]; the others are still counted.
    ///
    /// # Errors
    /// The error of the first chunk if no chunk can be opened; [`Error::Changed`](jfr_parse::Error::Changed);
    /// [`Error::Stopped`](jfr_parse::Error::Stopped) if the recording's [`Stop`](jfr_parse::Stop) was raised.
    pub fn of(recording: &Recording<'_>) -> jfr_parse::Result<Self> {
        Ok(Self::read(recording, None)?.0)
    }

    /// Like [`of`](Self::of), and answers views in the same pass.
    pub(crate) fn with(recording: &Recording<'_>, views: &ViewSet) -> jfr_parse::Result<(Self, Answers)> {
        let (summary, merged) = Self::read(recording, Some(views))?;
        Ok((summary, merged.unwrap_or_else(|| views.merge()).finish()))
    }

    fn read(recording: &Recording<'_>, views: Option<&ViewSet>) -> jfr_parse::Result<(Self, Option<Merged>)> {
        let mut merged = views.map(ViewSet::merge);
        let mut out = Self {
            start_nanos: EpochNanos::default(),
            duration_nanos: Nanos::default(),
            chunks: Vec::with_capacity(recording.chunk_count()),
            events: Vec::new(),
            warnings: recording.losses().iter().map(Loss::to_string).collect(),
        };
        let mut counts = BTreeMap::<String, Tally>::new();
        let mut more = 0usize;
        let tasks = tasks(&[recording]);
        let failures = run(
            &tasks,
            |_, chunk| Counted::new(chunk, views),
            |index, part| match part {
                Ok(part) => {
                    for (name, tally) in part.events {
                        counts.entry(name).or_default().add(tally);
                    }
                    if let Some(merged) = &mut merged {
                        part.views.into_iter().for_each(|part| merged.add(part));
                    }
                    out.chunks.push(part.chunk);
                    out.warnings.extend(part.warnings);
                    more = more.saturating_add(part.more);
                }
                Err(error) => {
                    out.warnings.push(error.to_string());
                    out.chunks.extend(recording.header(index).map(|(at, header)| unread(at, header, error)));
                }
            },
        )?;
        // The counts so far would be incomplete.
        recording.stop().check()?;
        match failures.first {
            Some(error) if failures.chunks == tasks.len() => return Err(error),
            _ => {}
        }
        let (start, end) = span(&[recording]);
        (out.start_nanos, out.duration_nanos) = (start, end.saturating_since(start));
        out.events = counts.into_iter().map(|(name, t)| EventCount { name, count: t.count, bytes: t.bytes }).collect();
        out.events.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        let more = more.saturating_add(out.warnings.len().saturating_sub(MAX_WARNINGS));
        if more > 0 {
            out.warnings.truncate(MAX_WARNINGS);
            out.warnings.push(format!("{more} more warnings"));
        }
        Ok((out, merged))
    }

    /// How long between the start of the earliest chunk and the end of the latest were recorded. Joined recordings
    /// have gaps.
    #[must_use]
    pub fn recorded_nanos(&self) -> Nanos {
        let spans = self.chunks.iter().map(|c| {
            let open = c.in_progress || c.duration_nanos.0 <= 0;
            (c.start_nanos, if open { UNKNOWN } else { c.start_nanos.saturating_add(c.duration_nanos) })
        });
        Nanos(self.duration_nanos.0.saturating_sub(length_of(&gaps(spans.collect())).0))
    }

    /// The number of events of all types.
    #[must_use]
    pub fn event_count(&self) -> u64 {
        self.events.iter().map(|e| e.count).sum()
    }
}

/// Chunks that are less than this apart count as adjacent.
const NO_GAP: Nanos = Nanos(1_000_000_000);

/// The gaps between the chunks of a recording during which nothing was recorded. A chunk that was still being written may
/// extend to the next.
pub(crate) fn gaps_of(recording: &Recording<'_>) -> Vec<Gap> {
    let end = |header: &ChunkHeader| header.known_end_nanos().unwrap_or(UNKNOWN);
    gaps(recording.headers().map(|(_, header)| (header.start_nanos, end(header))).collect())
}

/// Start and end of a time during which nothing was recorded.
type Gap = (EpochNanos, EpochNanos);

/// The end of a chunk whose end is not known.
const UNKNOWN: EpochNanos = EpochNanos(i64::MAX);

/// How long gaps are together.
pub(crate) fn length_of(gaps: &[Gap]) -> Nanos {
    Nanos(gaps.iter().map(|(from, to)| to.saturating_since(*from).0).fold(0, i64::saturating_add))
}

/// The gaps between chunks, given as start and end, during which nothing was recorded.
fn gaps(mut spans: Vec<(EpochNanos, EpochNanos)>) -> Vec<Gap> {
    spans.sort_unstable();
    let mut reached = spans.first().map_or(UNKNOWN, |(start, _)| *start);
    let mut gaps = Vec::new();
    for (start, end) in spans {
        if start.saturating_since(reached) > NO_GAP {
            gaps.push((reached, start));
        }
        reached = reached.max(end);
    }
    gaps
}

fn unread(offset: u64, header: &ChunkHeader, why: &jfr_parse::Error) -> ChunkSummary {
    ChunkSummary {
        offset,
        size: header.chunk_size,
        version: format!("{}.{}", header.major, header.minor),
        producer: Producer::Unknown,
        jvm_name: None,
        jvm_version: None,
        start_nanos: header.start_nanos,
        duration_nanos: header.duration_nanos.max(Nanos(0)),
        in_progress: header.in_progress(),
        is_final: header.flags & 2 != 0,
        event_count: 0,
        error: Some(why.to_string()),
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    count: u64,
    bytes: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Counts by type id, within one chunk.
struct Table<'a> {
    dense: Vec<Tally>,
    sparse: HashMap<TypeId, Tally>,
    /// The first event of each type whose content is needed.
    first: [Option<RawEvent<'a>>; 2],
    /// The offsets of the events that views need.
    offsets: Vec<ChunkOffset>,
    skipped: Vec<(ChunkOffset, usize)>,
}

impl<'a> Table<'a> {
    fn new(chunk: &Chunk<'a>, part: std::ops::Range<usize>, size: usize, wanted: [TypeId; 2], viewed: &[bool]) -> Self {
        let mut table = Self {
            dense: vec![Tally::default(); size],
            sparse: HashMap::default(),
            first: [None; 2],
            offsets: Vec::new(),
            skipped: Vec::new(),
        };
        let part = if chunk.stop().is_raised() { 0..0 } else { part };
        let mut events = chunk.walk(part);
        for event in &mut events {
            let one = Tally { count: 1, bytes: event.size as u64 };
            let id = usize::try_from(event.type_id.0).unwrap_or(usize::MAX);
            if viewed.get(id) == Some(&true) && table.offsets.len() < MAX_OFFSETS {
                table.offsets.push(event.offset);
            }
            match table.dense.get_mut(id) {
                Some(tally) => tally.add(one),
                None => table.sparse.entry(event.type_id).or_default().add(one),
            }
            for (first, id) in table.first.iter_mut().zip(wanted) {
                if event.type_id == id && first.is_none() {
                    *first = Some(event);
                }
            }
        }
        table.skipped.extend_from_slice(events.skipped());
        table
    }

    /// Adds the counts of a later part.
    fn with(mut self, later: Self) -> Self {
        for (tally, more) in self.dense.iter_mut().zip(later.dense) {
            tally.add(more);
        }
        for (id, more) in later.sparse {
            self.sparse.entry(id).or_default().add(more);
        }
        for (first, later) in self.first.iter_mut().zip(later.first) {
            *first = first.or(later);
        }
        self.offsets.extend(later.offsets);
        self.skipped.extend(later.skipped);
        self
    }
}

/// The contribution of one chunk.
struct Counted {
    chunk: ChunkSummary,
    events: Vec<(String, Tally)>,
    /// At most as many warnings as are kept in total.
    warnings: Vec<String>,
    /// The number of further warnings.
    more: usize,
    views: Option<Part>,
}

impl Counted {
    fn new(chunk: &Chunk<'_>, views: Option<&ViewSet>) -> Result<Self> {
        let metadata = chunk.metadata();
        let highest = metadata.event_types().map(|t| t.id().0).filter(|&id| id < DENSE).max().unwrap_or(1);
        let size = usize::try_from(highest).unwrap_or(1).saturating_add(1);
        // Type 0 is not an event type, so it is never found for an undeclared type.
        let wanted =
            ["jdk.JVMInformation", "jdk.ActiveRecording"].map(|n| metadata.by_name(n).map_or(METADATA, |t| t.id()));
        let mut viewed = vec![false; if views.is_some() { size } else { 0 }];
        let mut all_viewed = true;
        for of in metadata.event_types().filter(|of| views.is_some_and(|views| views.needs(*of))) {
            match usize::try_from(of.id().0).ok().and_then(|id| viewed.get_mut(id)) {
                Some(viewed) => *viewed = true,
                None => all_viewed = false,
            }
        }
        let tables = parts(chunk, SEGMENT, |part| Ok(Table::new(chunk, part, size, wanted, &viewed)))?;
        let full = tables.iter().any(|table| table.offsets.len() == MAX_OFFSETS);
        let table = tables.into_iter().reduce(Table::with);
        let table = table.unwrap_or_else(|| Table::new(chunk, 0..0, size, wanted, &viewed));
        let views = views.map(|views| {
            if all_viewed && !full {
                views.read_events(chunk, table.offsets.iter().filter_map(|at| chunk.event_at(*at)))
            } else {
                views.read(chunk)
            }
        });

        let mut warnings: Vec<String> = chunk.losses().iter().map(Loss::to_string).collect();
        let mut more = 0usize;
        let mut warn = |warning: &dyn Fn() -> String| {
            if warnings.len() < MAX_WARNINGS {
                warnings.push(warning());
            } else {
                more += 1;
            }
        };
        for &(at, bytes) in &table.skipped {
            let offset = chunk.file_offset(at);
            let what = jfr_parse::Damage::BadEventSize;
            warn(&|| Loss { offset, bytes: bytes as u64, what }.to_string());
        }
        let dense = (0u64..).map(TypeId).zip(table.dense.iter().copied());
        let mut sparse: Vec<(TypeId, Tally)> = table.sparse.into_iter().collect();
        // Warnings come in the same order each time.
        sparse.sort_unstable_by_key(|(id, _)| *id);
        let all = dense.chain(sparse);
        let (mut events, mut event_count) = (Vec::<(String, Tally)>::new(), 0u64);
        // Any number of types may share one name, which is stored once in the metadata.
        let mut places: HashMap<(usize, usize), usize> = HashMap::default();
        for (id, tally) in all.filter(|&(id, t)| t.count > 0 && id != METADATA && id != CHECKPOINT) {
            match metadata.by_id(id) {
                Some(of) => {
                    event_count = event_count.saturating_add(tally.count);
                    let name = of.name();
                    let place = *places.entry((name.as_ptr().addr(), name.len())).or_insert_with(|| {
                        events.push((name.to_owned(), Tally::default()));
                        events.len() - 1
                    });
                    if let Some((_, sum)) = events.get_mut(place) {
                        sum.add(tally);
                    }
                }
                None => warn(&|| {
                    let events =
                        if tally.count == 1 { "1 event".to_owned() } else { format!("{} events", tally.count) };
                    format!("offset {}: skipped {events} of the undeclared type {id} in this chunk", chunk.offset())
                }),
            }
        }
        let [jvm, recording] = table.first;
        let text = |event: Option<RawEvent<'_>>, field: &str| event.and_then(|event| text_of(chunk, &event, field));
        let header = chunk.header();
        let chunk = ChunkSummary {
            offset: chunk.offset(),
            size: chunk.bytes().len() as u64,
            version: format!("{}.{}", header.major, header.minor),
            producer: producer(chunk, text(recording, "name").as_deref()),
            jvm_name: text(jvm, "jvmName"),
            jvm_version: text(jvm, "jvmVersion"),
            start_nanos: header.start_nanos,
            duration_nanos: header.duration_nanos.max(Nanos(0)),
            in_progress: header.in_progress(),
            is_final: header.flags & 2 != 0,
            event_count,
            error: None,
        };
        Ok(Self { chunk, events, warnings, more, views })
    }
}

/// The text of a string field. Constants are read only if the string is pooled.
fn text_of(chunk: &Chunk<'_>, event: &RawEvent<'_>, field: &str) -> Option<String> {
    let of = chunk.metadata().by_id(event.type_id)?;
    let plan = chunk.plan(of, [field]).ok()?;
    let row = plan.read(event.payload).ok()?;
    let [column] = plan.columns();
    let text = match (plan.is_pooled(column), plan.kind(column)?) {
        (true, _) => RawStr::Pooled(row.get(column.of::<ConstantKey>())),
        (false, Kind::String) => row.get(column.of::<Text>()),
        (false, _) => return None,
    };
    let RawStr::Pooled(key) = text else { return text.decode().map(Cow::into_owned) };
    let strings = plan.type_id(column)?;
    let layouts = chunk.pool_layouts(|t| t.id() == strings);
    let mut entries = PoolEntries::default();
    for checkpoint in chunk.checkpoints() {
        // A damaged checkpoint loses a name at worst.
        let _ = entries.add(&checkpoint, &layouts);
    }
    let pools = chunk.join_pools(vec![entries]);
    pools.string(chunk.metadata(), strings, key).decode().map(Cow::into_owned)
}

/// The tool that wrote a chunk, based on the name of its recording or, without one, on what it declares.
fn producer(chunk: &Chunk<'_>, recording: Option<&str>) -> Producer {
    let metadata = chunk.metadata();
    let name = recording.unwrap_or_default();
    let declares = |prefix: &str| metadata.types().any(|t| t.name().starts_with(prefix));
    if name.starts_with("async-profiler") {
        Producer::AsyncProfiler
    } else if name.starts_with("java-profiler") {
        Producer::Datadog
    } else if metadata.by_name("jdk.types.ThreadGroup").is_some() && metadata.types().len() > 100 {
        Producer::HotSpot
    } else if declares("datadog.") {
        Producer::Datadog
    } else if declares("profiler.") {
        Producer::AsyncProfiler
    } else if metadata.locale().is_empty() {
        Producer::JmcWriter
    } else {
        Producer::Unknown
    }
}
