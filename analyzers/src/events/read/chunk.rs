//! Reads one chunk: constants, events, stacks.

use std::sync::Arc;

use jfr_parse::{
    Chunk, Clock, ConstantKey, EpochNanos, Loss, RawEvent, Recording, Result, Row, Text, TickSpan, Ticks, Type, TypeId,
};

use super::plan::{
    Convert, DURATION, EventNameId, NO_SOURCE, PathId, Plans, Reading, SLOTS, STACK, START, Source, WantedFields,
};
use super::profiles::code;
use super::value::{Threads, Values, truncated};
use super::wanted::Wanted;
use crate::engine::bounds::Bounds;
use crate::engine::consumer::{At, Consumer, Ended, segment};
use crate::engine::stack_plans::StackPlans;
use crate::engine::stacks::Shared;
use crate::events::cell::Cell;
use crate::events::facts::{EventFacts, GroupsData, Key, Sample, TableData, ThreadInfo};
use crate::events::needs::{MAX_KEYS, MAX_MEASURES};
use crate::hash::HashMap;
use crate::numbered::Numbered;
use crate::profiles::execution::{by_jvm, has_default_state};
use crate::rule::AnalysisOptions;
use crate::time_range::span;
use jfrkit_profile::index::{Id, IndexVec, at, at_mut};
use jfrkit_profile::{StackId, units};

/// The state shared by all chunks: the consumer that builds tables and groups of events.
pub(crate) struct Context<'o> {
    pub(super) wanted: &'o Wanted,
    pub(super) options: &'o AnalysisOptions,
    pub(super) shared: &'o Shared,
    pub(super) threads: Threads,
    /// Start of the recording according to its headers.
    begin: i64,
    /// What durations are cut to.
    bounds: Bounds,
    segment: usize,
}

/// The result of a chunk.
#[derive(Default)]
pub(crate) struct ChunkFacts {
    pub(super) events: Vec<(Arc<str>, EventFacts)>,
    /// Stacks in it are numbers of the chunk's traces, which [`stacks`](Self::stacks) has.
    pub(super) gathered: Gathered,
    pub(super) stacks: IndexVec<StackId, Cell>,
    pub(super) warnings: Vec<String>,
    /// The fields of `jdk.ActiveSetting`.
    pub(super) shape: Option<String>,
    /// The number of events with impossible durations.
    pub(super) odd_durations: u64,
    /// Whether a JVM wrote the chunk.
    pub(super) by_jvm: bool,
    /// Whether the chunk declares the state that async-profiler gives to threads on CPU.
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
            groups: wanted.groups.iter().map(|by| GroupsData::new(by.clone())).collect(),
        }
    }

    /// Approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        let tables = self.tables.iter().map(TableData::bytes).sum::<usize>();
        tables.saturating_add(self.groups.iter().map(GroupsData::bytes).sum())
    }

    /// Adds the result of a later part, with its stacks converted by `stack`.
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

/// The stack traces of a chunk. Until they are resolved, cells have their numbers in place of stacks.
type Traces = Numbered<StackId, ConstantKey>;

/// The result of a part of a chunk.
pub(crate) struct Part {
    /// The event types that occur.
    events: Vec<(EventNameId, EventFacts)>,
    /// All event types, once parts are joined.
    all_events: IndexVec<EventNameId, EventFacts>,
    gathered: Gathered,
    traces: Traces,
    unreadable: u64,
    skipped: u64,
    odd_durations: u64,
    /// Whether other parts were joined to it.
    has_parts: bool,
}

/// The size of the parts of a chunk that are read in parallel. Groups are joined once per part, and in a small part
/// most of them have only one event.
const SEGMENT: usize = 4 << 20;

/// The keys of truncated stack traces.
pub(crate) type Truncated = HashMap<ConstantKey, ()>;

impl<'o> Context<'o> {
    pub(crate) fn new(
        recording: &Recording<'_>,
        wanted: &'o Wanted,
        options: &'o AnalysisOptions,
        shared: &'o Shared,
    ) -> Self {
        let (EpochNanos(begin), _) = span(&[recording]);
        let bounds = Bounds::of(recording.headers().map(|(_, header)| header));
        let bounds = bounds.within(options.range);
        let segment = segment(recording.chunk_count(), SEGMENT);
        Self { wanted, options, shared, threads: Threads::default(), begin, bounds, segment }
    }
}

impl Context<'_> {
    /// The threads that cells refer to.
    pub(crate) fn into_threads(self) -> Vec<ThreadInfo> {
        self.threads.into_list()
    }
}

impl Consumer for Context<'_> {
    type Plans = Plans;
    type Ready<'c, 'a: 'c>
        = Truncated
    where
        Self: 'c;
    type State<'c, 'a: 'c>
        = Walker<'c, 'a>
    where
        Self: 'c;
    type Part<'a> = Part;
    type Yield = ChunkFacts;

    fn plans(&self, chunk: &Chunk<'_>) -> Result<Plans> {
        Plans::new(chunk, self.wanted, &self.shared.interner)
    }

    /// All constants, except large ones that are never followed.
    fn reads_constants(&self, _: &Plans, _: Type<'_>) -> bool {
        true
    }

    fn reads_events(&self, plans: &Plans, of: Type<'_>) -> bool {
        plans.by_type.get(of.id()).is_some()
    }

    /// Groups are joined once per part, and in a small part most of them have only one event.
    fn segment(&self) -> usize {
        self.segment
    }

    fn reads_constants_early(&self) -> bool {
        true
    }

    fn trace_type(&self, plans: &Plans) -> Option<TypeId> {
        plans.trace_type
    }

    fn ready<'c, 'a: 'c>(&'c self, at: At<'c, 'a, Plans>, stacks: Option<&'c StackPlans>) -> Truncated {
        at.pools.zip(stacks).map(|(pools, s)| truncated(pools, s.trace_type, &s.trace)).unwrap_or_default()
    }

    fn state<'c, 'a: 'c>(&'c self, at: At<'c, 'a, Plans>) -> Walker<'c, 'a> {
        Walker {
            chunk: at.chunk,
            clock: at.chunk.clock(),
            context: self,
            values: Values::new(at.chunk, at.pools, &self.shared.interner, &self.threads, at.plans),
            events: IndexVec::filled(EventFacts::default(), at.plans.events.len()),
            touched: Vec::new(),
            cells: Vec::new(),
        }
    }

    fn part<'a>(&self, _: &Plans) -> Self::Part<'a> {
        Part {
            events: Vec::new(),
            all_events: IndexVec::new(),
            gathered: Gathered::new(self.wanted),
            traces: Traces::default(),
            unreadable: 0,
            skipped: 0,
            odd_durations: 0,
            has_parts: false,
        }
    }

    #[inline]
    fn event<'c, 'a: 'c>(
        &'c self,
        at: &At<'c, 'a, Plans>,
        truncated: &Truncated,
        walker: &mut Walker<'c, 'a>,
        part: &mut Part,
        event: &RawEvent<'a>,
    ) {
        let Some(reading) = at.plans.by_type.get(event.type_id) else { return };
        if walker.event(event, &at.plans.readings[reading], truncated, part).is_none() {
            part.unreadable = part.unreadable.saturating_add(1);
        }
    }

    fn add_loss(&self, part: &mut Part, loss: Loss) {
        part.skipped = part.skipped.saturating_add(loss.bytes);
    }

    fn close<'c, 'a: 'c>(&self, walker: &mut Walker<'c, 'a>, part: &mut Part) -> usize {
        for place in walker.touched.drain(..) {
            part.events.push((place, std::mem::take(&mut walker.events[place])));
        }
        part.gathered.bytes()
    }

    fn join<'a>(&self, whole: &mut Self::Part<'a>, later: Self::Part<'a>) {
        for (place, theirs) in &later.events {
            whole.all_events.grow(place.place() + 1, EventFacts::default());
            whole.all_events[*place].merge(theirs);
        }
        whole.unreadable = whole.unreadable.saturating_add(later.unreadable);
        whole.skipped = whole.skipped.saturating_add(later.skipped);
        whole.odd_durations = whole.odd_durations.saturating_add(later.odd_durations);
        if !std::mem::replace(&mut whole.has_parts, true) {
            // The traces of the first part already have their numbers.
            (whole.traces, whole.gathered) = (later.traces, later.gathered);
            return;
        }
        let traces = &mut whole.traces;
        let numbers: IndexVec<StackId, StackId> = later.traces.items().iter().map(|key| traces.number(*key)).collect();
        let stack = |id: StackId| Cell::Stack(numbers[id]);
        whole.gathered.append(later.gathered, stack);
    }

    fn finish<'c, 'a: 'c>(
        &'c self,
        at: At<'c, 'a, Plans>,
        ended: &Ended<'_, 'c, 'a>,
        mut whole: Part,
    ) -> Result<ChunkFacts> {
        let At { chunk, plans, .. } = at;
        let mut warnings: Vec<String> = chunk.losses().iter().map(ToString::to_string).collect();
        let no_stack = self.shared.no_stack();
        // A missing trace counts as none.
        let stack = |(id, _)| if id == no_stack { Cell::Null } else { Cell::Stack(id) };
        let stacks = ended.stacks.resolve(whole.traces.items().as_slice())?.into_iter().map(stack).collect();
        for (n, one, many) in [
            (ended.bad_checkpoints.len() as u64, "checkpoint does not parse", "checkpoints do not parse"),
            (whole.unreadable, "event cannot be read", "events cannot be read"),
            (whole.skipped, "byte skipped", "bytes skipped"),
        ] {
            if n > 0 {
                warnings.push(format!("chunk {}: {}", chunk.index(), units::things(n, one, many)));
            }
        }
        whole.all_events.grow(plans.events.len(), EventFacts::default());
        let events =
            plans.events.iter().zip(whole.all_events).map(|((name, label), facts)| {
                (name.clone(), EventFacts { declared: true, label: label.clone(), ..facts })
            });
        let events = events.collect();
        let state_type = chunk.metadata().by_name("jdk.ExecutionSample").and_then(|of| of.field("state"));
        let has_default_state = has_default_state(chunk, ended.pools, state_type.map(|field| field.type_id()));
        let (shape, by_jvm) = (plans.shape.clone(), by_jvm(chunk));
        let odd_durations = whole.odd_durations;
        let gathered = whole.gathered;
        Ok(ChunkFacts { events, gathered, stacks, warnings, shape, odd_durations, by_jvm, has_default_state })
    }
}

/// State that a thread keeps from one part of a chunk to the next.
pub(crate) struct Walker<'c, 'a> {
    chunk: &'c Chunk<'a>,
    clock: Clock,
    context: &'c Context<'c>,
    values: Values<'c, 'a>,
    /// Empty between parts.
    events: IndexVec<EventNameId, EventFacts>,
    touched: Vec<EventNameId>,
    cells: Vec<Cell>,
}

impl<'a> Walker<'_, 'a> {
    /// `None` if the event does not parse.
    #[inline]
    fn event(&mut self, event: &RawEvent<'a>, reading: &Reading, truncated: &Truncated, part: &mut Part) -> Option<()> {
        let Some(wanted) = &reading.wanted_fields else {
            let row = event.read(&reading.head).ok()?;
            self.count((row.get(START), row.get(DURATION), row.get(STACK)), reading, truncated, part);
            return Some(());
        };
        let row = event.read(&wanted.plan).ok()?;
        let head = (row.get(START), row.get(DURATION), row.get(STACK));
        if let Some((start, end, nanos)) = self.count(head, reading, truncated, part) {
            self.keep_fields(wanted, &row, (start, end, nanos), part);
        }
        Some(())
    }

    /// Counts an event with this start, duration and stack trace. Returns its start, end and duration, or
    /// `None` if it is outside of the wanted time range.
    #[inline]
    fn count(
        &mut self,
        (start, duration, stack): (Ticks, i64, ConstantKey),
        reading: &Reading,
        truncated: &Truncated,
        part: &mut Part,
    ) -> Option<(i64, i64, i64)> {
        let EpochNanos(mut start) = self.clock.nanos(start);
        let mut nanos = if reading.has_duration { self.number(reading.duration, duration) } else { 0 };
        let mut end = start.saturating_add(nanos.max(0));
        let range = self.context.options.range;
        let outside = end < range.first().0 || start >= range.end().0;
        if outside && !reading.timeless {
            return None;
        }
        let bounds = self.context.bounds;
        if nanos != 0 && !reading.timeless && !bounds.contains(start, nanos, end) {
            part.odd_durations = part.odd_durations.saturating_add(u64::from(bounds.is_odd(nanos, end)));
            (start, end) = bounds.cut(start, end);
            nanos = end.saturating_sub(start);
        }
        let facts = &mut self.events[reading.event];
        if facts.count == 0 {
            self.touched.push(reading.event);
        }
        facts.count = facts.count.saturating_add(1);
        facts.can_have_stack = reading.has_stack;
        if outside {
            facts.outside = facts.outside.saturating_add(1);
        } else {
            facts.first = facts.first.min(start);
            facts.first_end = facts.first_end.min(end);
            facts.last = facts.last.max(end);
        }
        if reading.has_stack && stack != ConstantKey::default() {
            facts.with_stack = facts.with_stack.saturating_add(1);
            if !truncated.is_empty() && truncated.contains_key(&stack) {
                facts.truncated = facts.truncated.saturating_add(1);
            }
        }
        Some((start, end, nanos))
    }

    /// Keeps what rules need from an event.
    #[inline]
    fn keep_fields(
        &mut self,
        wanted: &WantedFields,
        row: &Row<'a, SLOTS>,
        (start, end, nanos): (i64, i64, i64),
        part: &mut Part,
    ) {
        let mut cells = std::mem::take(&mut self.cells);
        cells.clear();
        for source in &wanted.sources {
            cells.push(self.cell(source, row, nanos, &mut part.traces));
        }
        let cell = |place: &usize| at(&cells, *place).copied().unwrap_or_default();
        if let Some((i, fields)) = &wanted.table
            && let Some(table) = at_mut(&mut part.gathered.tables, *i)
        {
            for (declared, field) in table.declared.iter_mut().zip(fields) {
                *declared |= *field != NO_SOURCE;
            }
            table.push(start, end, fields.iter().map(cell));
        }
        for (i, keys, measures) in &wanted.groups {
            let Some(groups) = at_mut(&mut part.gathered.groups, *i) else { continue };
            let mut key: Key = ([Cell::Null; MAX_KEYS], 0);
            for (to, from) in key.0.iter_mut().zip(keys) {
                *to = cell(from);
            }
            let bucket = groups.by.bucket;
            if bucket > 0 {
                key.1 = end.div_euclid(bucket).saturating_mul(bucket);
            }
            let since = end.saturating_sub(self.context.begin);
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
            Convert::TickInstant => self.clock.nanos(Ticks(value)).0,
            Convert::TickSpan => self.clock.span(TickSpan(value)).0,
            // The minimum value means "none" in every unit.
            Convert::Times(n) if value != i64::MIN => value.saturating_mul(n),
            _ => value,
        }
    }

    #[inline]
    fn cell(&mut self, source: &Source, row: &Row<'a, SLOTS>, nanos: i64, traces: &mut Traces) -> Cell {
        let column = source.column;
        match source.convert {
            Convert::None => Cell::Null,
            Convert::Duration => Cell::Int(nanos),
            Convert::One => Cell::Int(1),
            Convert::Product(other) => Cell::of_float(row.get(column.of::<f64>()) * row.get(other) as f64),
            Convert::Profile { source, text } => {
                let text = text.map_or(Cell::Null, |of| {
                    self.values.reference(of, PathId::NONE, row.get(column.of::<ConstantKey>()))
                });
                code(source, text.text())
            }
            Convert::Fixed(text) => Cell::Text(text),
            Convert::Float => Cell::of_float(row.get(column.of::<f64>())),
            Convert::Text => self.values.text(row.get(column.of::<Text>())),
            Convert::Reference { type_id, rest } => {
                self.values.reference(type_id, rest, row.get(column.of::<ConstantKey>()))
            }
            Convert::Stack => match row.get(column.of::<ConstantKey>()) {
                ConstantKey(0) => Cell::Null,
                key => Cell::Stack(traces.number(key)),
            },
            Convert::EventType => {
                let of = self.chunk.metadata().by_id(row.get(column.of::<TypeId>()));
                of.map_or(Cell::Null, |of| self.values.name(of))
            }
            number => Cell::Int(self.number(number, row.get(column.of::<i64>()))),
        }
    }
}
