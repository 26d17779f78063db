//! One chunk: constants, events, stacks.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use jfr_parse::{CHECKPOINT, Chunk, Clock, METADATA, PoolEntries, Pools, RawEvent, Recording, Result, Row};
use rayon::prelude::*;

use super::plan::{Convert, DURATION, More, Plans, Reading, SLOTS, STACK, START, Source};
use super::profiles::code;
use super::value::{Threads, Values, truncated};
use super::wanted::Wanted;
use crate::account::Account;
use crate::engine::driver;
use crate::engine::functions::Spelling;
use crate::engine::plans::PlanCache;
use crate::engine::stacks::{self, Shared};
use crate::events::cell::Cell;
use crate::events::facts::{EventFacts, GroupsData, Key, Sample, TableData};
use crate::events::needs::{MAX_KEYS, MAX_MEASURES};
use crate::profiles::execution::{by_jvm, has_default_state};
use crate::rule::AnalysisOptions;
use jfrkit_profile::StackId;

/// Bytes of a chunk that one thread walks at a time.
const SEGMENT: usize = 1 << 20;
/// Checkpoints whose constants one thread notes at a time.
const CHECKPOINTS: usize = 16;

/// What all chunks share.
pub(super) struct Context<'o> {
    pub(super) wanted: &'o Wanted,
    pub(super) options: &'o AnalysisOptions,
    pub(super) shared: Shared,
    pub(super) threads: Threads,
    pub(super) account: Account,
    plans: PlanCache<Plans>,
    /// When the recording begins, by its headers.
    begin: i64,
}

/// What a chunk yields.
#[derive(Default)]
pub(super) struct ChunkFacts {
    pub(super) events: Vec<(Arc<str>, EventFacts)>,
    /// Stacks in it are numbers of [`stacks`](Self::stacks).
    pub(super) gathered: Gathered,
    pub(super) stacks: Vec<Cell>,
    pub(super) warnings: Vec<String>,
    /// The fields of `jdk.ActiveSetting`.
    pub(super) shape: Option<String>,
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

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let tables = self.tables.iter().map(TableData::bytes).sum::<usize>();
        tables.saturating_add(self.groups.iter().map(GroupsData::bytes).sum())
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
    /// Those of which there are any, with the places of their names.
    events: Vec<(usize, EventFacts)>,
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
            shared: Shared::new(Spelling::default(), recording.limits(), recording.bytes().len()),
            account: Account::new(recording.limits().clone()),
            threads: Threads::default(),
            plans: PlanCache::default(),
            begin: recording.headers().map(|(_, header)| header.start_nanos).min().unwrap_or(0),
        }
    }

    /// Reads a chunk.
    pub(super) fn chunk(&self, chunk: &Chunk<'_>) -> Result<ChunkFacts> {
        self.check(chunk)?;
        let held = self.account.hold();
        let plans = self.plans.get(chunk, || Plans::new(chunk, self.wanted, &self.shared.interner))?;
        let mut warnings: Vec<String> = chunk.losses().iter().map(ToString::to_string).collect();
        let pools = pools(chunk, &plans, &mut warnings);
        let truncated = plans.stacks.as_ref().map(|s| truncated(&pools, s.trace_type, &s.trace)).unwrap_or_default();
        let idle: Mutex<Vec<Worker<'_, '_>>> = Mutex::default();
        let lock = || idle.lock().unwrap_or_else(PoisonError::into_inner);
        let walk = |segment: Range<usize>| -> Result<Part> {
            self.check(chunk)?;
            // What one has learnt of the constants serves the next.
            let worker = lock().pop();
            let mut worker = worker.unwrap_or_else(|| Worker {
                values: Values::new(chunk, &pools, &self.shared.interner, &self.threads, plans.string_type),
                events: vec![EventFacts::default(); plans.events.len()],
                touched: Vec::new(),
            });
            let part = self.walk(chunk, &plans, &truncated, &mut worker, segment);
            lock().push(worker);
            held.take(part.gathered.bytes(), chunk.offset())?;
            Ok(part)
        };
        let mut events = vec![EventFacts::default(); plans.events.len()];
        let mut gathered = Gathered::new(self.wanted);
        let mut traces = Traces::default();
        let (mut unreadable, mut skipped) = (0u64, 0u64);
        let add = |part: Part| {
            for (place, theirs) in &part.events {
                if let Some(mine) = events.get_mut(*place) {
                    mine.merge(theirs);
                }
            }
            unreadable = unreadable.saturating_add(part.unreadable);
            skipped = skipped.saturating_add(part.skipped);
            let numbers: Vec<StackId> = part.traces.keys.iter().map(|key| traces.number(*key)).collect();
            gathered.append(part.gathered, |id| Cell::Stack(numbers.get(id.index()).copied().unwrap_or_default()));
        };
        driver::parts_in_waves(chunk, SEGMENT, walk, add)?;
        self.check(chunk)?;
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
        let events = events.collect();
        let state_type = chunk.metadata().by_name("jdk.ExecutionSample").and_then(|of| of.field("state"));
        let has_default_state = has_default_state(chunk, &pools, state_type.map(|field| field.type_id()));
        let (shape, by_jvm) = (plans.shape.clone(), by_jvm(chunk));
        Ok(ChunkFacts { events, gathered, stacks, warnings, shape, by_jvm, has_default_state })
    }

    /// The error that ends the work on a chunk, if there is one.
    fn check(&self, chunk: &Chunk<'_>) -> Result<()> {
        self.options.stop.check()?;
        chunk.stop().check()
    }

    fn walk<'a>(
        &self,
        chunk: &Chunk<'a>,
        plans: &Plans,
        truncated: &HashMap<u64, (), foldhash::fast::RandomState>,
        worker: &mut Worker<'_, 'a>,
        segment: Range<usize>,
    ) -> Part {
        let mut part = Part {
            events: Vec::new(),
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
            worker,
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
        for place in worker.touched.drain(..) {
            part.events.extend(worker.events.get_mut(place).map(|facts| (place, std::mem::take(facts))));
        }
        part.skipped = events.skipped().iter().fold(0, |sum, (_, n)| sum.saturating_add(*n as u64));
        part
    }

    /// The stack of each trace; one that is not there is none.
    fn resolve<'a>(&self, chunk: &Chunk<'a>, plans: &Plans, pools: &Pools<'a>, traces: &[u64]) -> Result<Vec<Cell>> {
        let (stacks, no_stack) = (plans.stacks.as_ref(), self.shared.no_stack());
        let check = || {
            self.check(chunk)?;
            self.account.tables(&self.shared.interner, chunk.offset())
        };
        let resolved = stacks::resolve(&self.shared, chunk, pools, stacks, traces, check)?;
        Ok(resolved.into_iter().map(|(id, _)| if id == no_stack { Cell::Null } else { Cell::Stack(id) }).collect())
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

/// What one thread keeps from one segment of a chunk to the next.
struct Worker<'c, 'a> {
    values: Values<'c, 'a>,
    /// By place of the name; there are none between segments.
    events: Vec<EventFacts>,
    /// Places of those that there are.
    touched: Vec<usize>,
}

/// Reads events of a segment.
struct Walker<'w, 'c, 'a> {
    chunk: &'w Chunk<'a>,
    clock: Clock,
    options: &'w AnalysisOptions,
    wanted: &'w Wanted,
    worker: &'w mut Worker<'c, 'a>,
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
        let Some(more) = &reading.more else {
            let row = reading.head.read(event.payload).ok()?;
            self.count([row.i64(START), row.i64(DURATION), row.i64(STACK)], reading, truncated);
            return Some(());
        };
        let row = more.plan.read(event.payload).ok()?;
        let head = [row.i64(START), row.i64(DURATION), row.i64(STACK)];
        if let Some((start, end, nanos)) = self.count(head, reading, truncated) {
            self.more(more, &row, (start, end, nanos), part);
        }
        Some(())
    }

    /// Counts an event of which these are start, duration and stack trace; gives its start, end and length, or nothing
    /// where it is not in the time that is wanted.
    #[inline]
    fn count(
        &mut self,
        [start, duration, stack]: [i64; 3],
        reading: &Reading,
        truncated: &HashMap<u64, (), foldhash::fast::RandomState>,
    ) -> Option<(i64, i64, i64)> {
        let start = self.clock.nanos(start);
        let nanos = if reading.has_duration { self.number(reading.duration, duration) } else { 0 };
        let end = start.saturating_add(nanos.max(0));
        if !reading.timeless
            && (self.options.from_nanos.is_some_and(|from| end < from)
                || self.options.to_nanos.is_some_and(|to| start >= to))
        {
            return None;
        }
        let Worker { events, touched, .. } = &mut *self.worker;
        if let Some(facts) = events.get_mut(reading.event) {
            if facts.count == 0 {
                touched.push(reading.event);
            }
            facts.count = facts.count.saturating_add(1);
            facts.can_have_stack = reading.has_stack;
            facts.first = facts.first.min(start);
            facts.first_end = facts.first_end.min(end);
            facts.last = facts.last.max(end);
            if reading.has_stack && stack != 0 {
                facts.with_stack = facts.with_stack.saturating_add(1);
                if !truncated.is_empty() && truncated.contains_key(&stack.cast_unsigned()) {
                    facts.truncated = facts.truncated.saturating_add(1);
                }
            }
        }
        Some((start, end, nanos))
    }

    /// Keeps what rules want of an event.
    #[inline]
    fn more(&mut self, more: &More, row: &Row<'a, SLOTS>, (start, end, nanos): (i64, i64, i64), part: &mut Part) {
        let mut cells = std::mem::take(&mut self.cells);
        cells.clear();
        for source in &more.sources {
            cells.push(self.cell(source, row, nanos, &mut part.traces));
        }
        let cell = |place: &Option<usize>| place.and_then(|i| cells.get(i)).copied().unwrap_or_default();
        if let Some((i, fields)) = &more.table
            && let Some(table) = part.gathered.tables.get_mut(*i)
        {
            for (declared, field) in table.declared.iter_mut().zip(fields) {
                *declared |= field.is_some();
            }
            table.push(start, end, fields.iter().map(cell));
        }
        for (i, keys, measures) in &more.groups {
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
                let text = text.map_or(Cell::Null, |of| self.worker.values.reference(of, "", row.u64(slot)));
                code(source, text.text())
            }
            Convert::Fixed(text) => Cell::Text(text),
            Convert::Float => Cell::of_float(row.f64(slot)),
            Convert::Text => self.worker.values.text(row.str(slot)),
            Convert::Reference { type_id, rest } => self.worker.values.reference(type_id, rest, row.u64(slot)),
            Convert::Stack => match row.u64(slot) {
                0 => Cell::Null,
                key => Cell::Stack(traces.number(key)),
            },
            Convert::EventType => {
                let of = self.chunk.metadata().by_id(row.u64(slot));
                of.map_or(Cell::Null, |of| self.worker.values.name(of))
            }
            number => Cell::Int(self.number(number, row.i64(slot))),
        }
    }
}
