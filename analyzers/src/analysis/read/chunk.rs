//! One chunk: constants, events, stacks.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use hashbrown::HashMap;
use jfr_parse::{CHECKPOINT, Chunk, Clock, METADATA, PoolEntries, Pools, RawEvent, Recording, Result, Row};
use rayon::prelude::*;

use super::plan::{Convert, DURATION, PlanCache, Plans, Reading, SLOTS, STACK, START, Source};
use super::profiles::code;
use super::value::{Threads, Values, truncated};
use super::wanted::Wanted;
use crate::analysis::cell::Cell;
use crate::analysis::facts::{EventFacts, GroupsData, Key, Sample, TableData};
use crate::analysis::needs::{MAX_KEYS, MAX_MEASURES};
use crate::analysis::options::AnalysisOptions;
use crate::collect::execution::{by_jvm, has_default_state};
use crate::collect::stacks::{Resolver, Shared};
use crate::model::StackId;

/// Bytes of a chunk that one thread walks at a time.
const SEGMENT: usize = 1 << 20;
/// Segments for each thread that are walked before what they yield is joined: bounds what is held at once.
const SEGMENTS_AT_ONCE: usize = 1;
/// Checkpoints whose constants one thread notes at a time.
const CHECKPOINTS: usize = 16;
/// Stack traces that one thread resolves at a time.
const TRACES: usize = 2_048;

/// What all chunks share.
pub(super) struct Context<'o> {
    pub(super) wanted: &'o Wanted,
    pub(super) options: &'o AnalysisOptions,
    pub(super) shared: Shared,
    pub(super) threads: Threads,
    plans: PlanCache,
    /// When the recording begins, by its headers.
    begin: i64,
}

/// What a chunk yields.
#[derive(Default)]
pub(super) struct ChunkFacts {
    pub(super) events: Vec<(String, EventFacts)>,
    /// Stacks in it are numbers of [`stacks`](Self::stacks).
    pub(super) gathered: Gathered,
    pub(super) stacks: Vec<Cell>,
    pub(super) warnings: Vec<String>,
    /// Event types by id, of the first chunk.
    pub(super) types: Vec<(u64, String)>,
    /// A JVM wrote it.
    pub(super) by_jvm: bool,
    /// Its threads know the state that async-profiler gives those on a CPU.
    pub(super) has_default_state: bool,
}

/// Tables and groups, in the order of [`Wanted`].
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) tables: Vec<TableData>,
    pub(super) groups: Vec<GroupsData>,
}

impl Gathered {
    pub(super) fn new(wanted: &Wanted) -> Self {
        Self {
            tables: wanted.tables.values().map(|(fields, cap)| TableData::new(fields.clone(), *cap)).collect(),
            groups: wanted.groups.iter().map(|by| GroupsData::new(*by)).collect(),
        }
    }

    /// Adds what a later part gathered, with its stacks changed by `stack`.
    pub(super) fn append(&mut self, later: Self, stack: impl Fn(StackId) -> Cell + Copy) {
        let map = |cell: Cell| match cell {
            Cell::Stack(id) => stack(id),
            cell => cell,
        };
        for (mine, theirs) in self.tables.iter_mut().zip(later.tables) {
            mine.append(theirs, map);
        }
        for (mine, theirs) in self.groups.iter_mut().zip(later.groups) {
            mine.append(theirs, |(keys, bucket)| (keys.map(map), bucket));
        }
    }
}

/// Stack traces of a chunk, numbered as they come.
#[derive(Default)]
struct Traces {
    keys: Vec<u64>,
    numbers: HashMap<u64, u32, foldhash::fast::RandomState>,
}

impl Traces {
    fn number(&mut self, key: u64) -> StackId {
        let keys = &mut self.keys;
        StackId::from_number(*self.numbers.entry(key).or_insert_with(|| {
            keys.push(key);
            u32::try_from(keys.len() - 1).unwrap_or(u32::MAX)
        }))
    }
}

/// What a segment yields.
struct Part {
    events: Vec<EventFacts>,
    gathered: Gathered,
    traces: Traces,
    unreadable: u64,
    skipped: u64,
}

impl<'o> Context<'o> {
    pub(super) fn new(recording: &Recording<'_>, wanted: &'o Wanted, options: &'o AnalysisOptions) -> Self {
        Self {
            wanted,
            options,
            shared: Shared::new(false, recording.limits().stack_frames),
            threads: Threads::default(),
            plans: PlanCache::default(),
            begin: recording.headers().map(|(_, header)| header.start_nanos).min().unwrap_or(0),
        }
    }

    /// Reads a chunk.
    pub(super) fn chunk(&self, chunk: &Chunk<'_>) -> Result<ChunkFacts> {
        self.options.stop.check()?;
        let plans = self.plans.get(chunk, self.wanted, &self.shared.interner)?;
        let mut warnings: Vec<String> = chunk.losses().iter().map(ToString::to_string).collect();
        let pools = pools(chunk, &plans, &mut warnings);
        let truncated = plans.stacks.as_ref().map(|s| truncated(&pools, s.trace_type, &s.trace)).unwrap_or_default();
        let idle: Mutex<Vec<Values<'_, '_>>> = Mutex::default();
        let lock = || idle.lock().unwrap_or_else(PoisonError::into_inner);
        let walk = |segment: Range<usize>| -> Result<Part> {
            self.options.stop.check()?;
            // What one has learnt of the constants serves the next.
            let values = lock().pop();
            let mut values = values
                .unwrap_or_else(|| Values::new(chunk, &pools, &self.shared.interner, &self.threads, plans.string_type));
            let part = self.walk(chunk, &plans, &truncated, &mut values, segment);
            lock().push(values);
            Ok(part)
        };
        let mut events = vec![EventFacts::default(); plans.events.len()];
        let mut gathered = Gathered::new(self.wanted);
        let mut traces = Traces::default();
        let (mut unreadable, mut skipped) = (0u64, 0u64);
        let mut add = |part: Part| {
            for (mine, theirs) in events.iter_mut().zip(&part.events) {
                mine.merge(theirs);
            }
            unreadable = unreadable.saturating_add(part.unreadable);
            skipped = skipped.saturating_add(part.skipped);
            let numbers: Vec<StackId> = part.traces.keys.iter().map(|key| traces.number(*key)).collect();
            gathered.append(part.gathered, |id| Cell::Stack(numbers.get(id.index()).copied().unwrap_or_default()));
        };
        let segments = chunk.segments(SEGMENT);
        for batch in segments.chunks(SEGMENTS_AT_ONCE.saturating_mul(rayon::current_num_threads()).max(1)) {
            match batch {
                [only] => add(walk(only.clone())?),
                _ => {
                    let parts: Result<Vec<Part>> = batch.par_iter().map(|s| walk(s.clone())).collect();
                    parts?.into_iter().for_each(&mut add);
                }
            }
        }
        self.options.stop.check()?;
        let stacks = self.resolve(chunk, &plans, &pools, &traces.keys)?;
        if unreadable > 0 {
            warnings.push(format!("chunk {}: {unreadable} events cannot be read", chunk.index()));
        }
        if skipped > 0 {
            warnings.push(format!("chunk {}: {skipped} bytes passed over", chunk.index()));
        }
        let events =
            plans.events.iter().zip(events).map(|((name, label), facts)| {
                (name.clone(), EventFacts { declared: true, label: label.clone(), ..facts })
            });
        let names = || plans.ids.iter().copied().zip(plans.events.iter().map(|(name, _)| name.clone())).collect();
        let types = if chunk.index() == 0 { names() } else { Vec::new() };
        let events = events.collect();
        let state_type = chunk.metadata().by_name("jdk.ExecutionSample").and_then(|of| of.field("state"));
        let has_default_state = has_default_state(chunk, &pools, state_type.map(|field| field.type_id()));
        Ok(ChunkFacts { events, gathered, stacks, warnings, types, by_jvm: by_jvm(chunk), has_default_state })
    }

    fn walk<'a>(
        &self,
        chunk: &Chunk<'a>,
        plans: &Plans,
        truncated: &HashMap<u64, (), foldhash::fast::RandomState>,
        values: &mut Values<'_, 'a>,
        segment: Range<usize>,
    ) -> Part {
        let mut part = Part {
            events: vec![EventFacts::default(); plans.events.len()],
            gathered: Gathered::new(self.wanted),
            traces: Traces::default(),
            unreadable: 0,
            skipped: 0,
        };
        let mut walker = Walker {
            chunk,
            clock: chunk.clock(),
            options: self.options,
            wanted: self.wanted,
            values,
            begin: self.begin,
            cells: Vec::new(),
        };
        let mut events = chunk.walk(segment);
        for event in events.by_ref() {
            if event.type_id == CHECKPOINT || event.type_id == METADATA {
                continue;
            }
            let reading = plans.by_type.get(event.type_id).and_then(|i| plans.readings.get(i as usize));
            let Some(reading) = reading else { continue };
            if walker.event(&event, reading, truncated, &mut part).is_none() {
                part.unreadable = part.unreadable.saturating_add(1);
            }
        }
        part.skipped = events.skipped().iter().fold(0, |sum, (_, n)| sum.saturating_add(*n as u64));
        part
    }

    /// The stack of each trace; one that is not there is none.
    fn resolve<'a>(&self, chunk: &Chunk<'a>, plans: &Plans, pools: &Pools<'a>, traces: &[u64]) -> Result<Vec<Cell>> {
        let idle = Mutex::new(Vec::new());
        let lock = || idle.lock().unwrap_or_else(PoisonError::into_inner);
        let stacks = plans.stacks.as_ref();
        let no_stack = self.shared.no_stack();
        let some = |part: &[u64]| -> Result<Vec<Cell>> {
            self.options.stop.check()?;
            let resolver = lock().pop();
            let mut resolver =
                resolver.unwrap_or_else(|| Resolver::new(&self.shared, chunk, pools, stacks, traces.len()));
            let resolved = resolver.resolve(part).into_iter();
            let cells = resolved.map(|(id, _)| if id == no_stack { Cell::Null } else { Cell::Stack(id) }).collect();
            lock().push(resolver);
            Ok(cells)
        };
        if traces.len() <= TRACES {
            return some(traces);
        }
        let parts: Result<Vec<_>> = traces.par_chunks(TRACES).map(some).collect();
        Ok(parts?.concat())
    }
}

/// Indexes the constants of a chunk.
fn pools<'a>(chunk: &Chunk<'a>, plans: &Plans, warnings: &mut Vec<String>) -> Pools<'a> {
    let checkpoints: Vec<RawEvent<'a>> = chunk.checkpoints().collect();
    let parts: Vec<(PoolEntries, u64)> = checkpoints
        .par_chunks(CHECKPOINTS)
        .map(|some| {
            let mut entries = PoolEntries::default();
            // What a damaged checkpoint holds before the damage is kept.
            let bad = some.iter().filter(|event| entries.add(event, &plans.layouts).is_err()).count();
            (entries, bad as u64)
        })
        .collect();
    let bad = parts.iter().fold(0u64, |sum, (_, n)| sum.saturating_add(*n));
    if bad > 0 {
        warnings.push(format!("chunk {}: {bad} checkpoints do not parse", chunk.index()));
    }
    chunk.join_pools(parts.into_iter().map(|(entries, _)| entries).collect())
}

/// Reads events of a segment.
struct Walker<'w, 'c, 'a> {
    chunk: &'w Chunk<'a>,
    clock: Clock,
    options: &'w AnalysisOptions,
    wanted: &'w Wanted,
    values: &'w mut Values<'c, 'a>,
    begin: i64,
    cells: Vec<Cell>,
}

impl<'a> Walker<'_, '_, 'a> {
    /// `None` where the event does not parse.
    #[inline]
    fn event(
        &mut self,
        event: &RawEvent<'a>,
        reading: &Reading,
        truncated: &HashMap<u64, (), foldhash::fast::RandomState>,
        part: &mut Part,
    ) -> Option<()> {
        let row = reading.plan.read(event.payload).ok()?;
        let start = self.clock.nanos(row.i64(START));
        let nanos = if reading.has_duration { self.number(reading.duration, row.i64(DURATION)) } else { 0 };
        let end = start.saturating_add(nanos.max(0));
        if !reading.timeless
            && (self.options.from_nanos.is_some_and(|from| end < from)
                || self.options.to_nanos.is_some_and(|to| start >= to))
        {
            return Some(());
        }
        if let Some(facts) = part.events.get_mut(reading.event) {
            facts.count = facts.count.saturating_add(1);
            facts.can_have_stack = reading.has_stack;
            facts.first = facts.first.min(start);
            facts.first_end = facts.first_end.min(end);
            facts.last = facts.last.max(end);
            if reading.has_stack && row.u64(STACK) != 0 {
                facts.with_stack = facts.with_stack.saturating_add(1);
                if !truncated.is_empty() && truncated.contains_key(&row.u64(STACK)) {
                    facts.truncated = facts.truncated.saturating_add(1);
                }
            }
        }
        if reading.table.is_none() && reading.groups.is_empty() {
            return Some(());
        }
        let mut cells = std::mem::take(&mut self.cells);
        cells.clear();
        for source in &reading.sources {
            cells.push(self.cell(source, &row, nanos, &mut part.traces));
        }
        let cell = |place: &Option<usize>| place.and_then(|i| cells.get(i)).copied().unwrap_or_default();
        if let Some((i, fields)) = &reading.table
            && let Some(table) = part.gathered.tables.get_mut(*i)
        {
            for (declared, field) in table.declared.iter_mut().zip(fields) {
                *declared |= field.is_some();
            }
            table.push(start, end, fields.iter().map(cell));
        }
        for (i, keys, measures) in &reading.groups {
            let (Some(groups), Some(by)) = (part.gathered.groups.get_mut(*i), self.wanted.groups.get(*i)) else {
                continue;
            };
            let mut key: Key = ([Cell::Null; MAX_KEYS], 0);
            for (to, from) in key.0.iter_mut().zip(keys) {
                *to = cell(from);
            }
            if by.bucket > 0 {
                key.1 = end.div_euclid(by.bucket).saturating_mul(by.bucket);
            }
            let since = end.saturating_sub(self.begin);
            let mut sample = Sample { start, end, measures: [0.0; MAX_MEASURES], since };
            for (to, from) in sample.measures.iter_mut().zip(measures) {
                *to = cell(from).float().unwrap_or(0.0);
            }
            groups.add(&key, &sample);
        }
        self.cells = cells;
        Some(())
    }

    #[inline]
    fn number(&self, convert: Convert, value: i64) -> i64 {
        match convert {
            Convert::TickInstant => self.clock.nanos(value),
            Convert::TickSpan => self.clock.span(value),
            // The least number stands for "none" in every unit.
            Convert::Times(n) if value != i64::MIN => value.saturating_mul(n),
            _ => value,
        }
    }

    #[inline]
    fn cell(&mut self, source: &Source, row: &Row<'a, SLOTS>, nanos: i64, traces: &mut Traces) -> Cell {
        let slot = source.slot;
        match source.convert {
            Convert::None => Cell::Null,
            Convert::Duration => Cell::Int(nanos),
            Convert::One => Cell::Int(1),
            Convert::Product(other) => Cell::of_float(row.f64(slot) * row.i64(other) as f64),
            Convert::Profile { source, text } => {
                let text = text.map_or(Cell::Null, |of| self.values.reference(of, "", row.u64(slot)));
                code(source, text.text())
            }
            Convert::Fixed(text) => Cell::Text(text),
            Convert::Float => Cell::of_float(row.f64(slot)),
            Convert::Text => self.values.text(row.str(slot)),
            Convert::Reference { type_id, rest } => self.values.reference(type_id, rest, row.u64(slot)),
            Convert::Stack => match row.u64(slot) {
                0 => Cell::Null,
                key => Cell::Stack(traces.number(key)),
            },
            Convert::EventType => {
                let of = self.chunk.metadata().by_id(row.u64(slot));
                of.map_or(Cell::Null, |of| self.values.name(&of.canonical_name(), row.u64(slot)))
            }
            number => Cell::Int(self.number(number, row.i64(slot))),
        }
    }
}
