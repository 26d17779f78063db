//! Processes one chunk, from its bytes to samples: walk, join, route, resolve.

use std::collections::BTreeMap;

use jfr_parse::{
    Chunk, ChunkOffset, Clock, ConstantKey, Damage, Loss, Pools, RawEvent, RawStr, Result, Row, Type, TypeId,
};

use super::context::Context;
use super::events::SampleEvent;
use super::execution::{Execution, has_default_state};
use super::facts::{FactKind, Facts};
use super::gather::{Gathered, Key, KeyId, Sums};
use super::labels::Labels;
use super::load::Scale;
use super::memory::Memory;
use super::options::CpuSource;
use super::periods::{Periods, StatedPeriod};
use super::plans::{EventRole, Plans, Reading, ReadingId};
use super::sources::{self, AMOUNT, BySource, KEY, Measure, Route, SECOND, SLOTS, SourceId, TIME};
use crate::engine::bounds::Bounds;
use crate::engine::consumer::{At, Consumer, Ended, segment};
use crate::engine::routing::{Routes, Target};
use crate::engine::stack_plans::StackPlans;
use crate::engine::stacks::ChunkStacks;
use crate::hash::HashMap;
use crate::numbered::Numbered;
use jfrkit_profile::index::{IndexVec, at};
use jfrkit_profile::{LabelSetId, Moment, ProfileType, StackId, Timeline};

/// Number of bytes that one thread reads at a time where there are few chunks.
const SEGMENT: usize = 2 << 20;

/// Number of bytes of the name of a class or state that are examined.
pub(super) const MAX_KEY_TEXT: usize = 256;

crate::ids::ids! {
    /// A stack trace that samples of a chunk need.
    TraceId;
}

/// A sample of a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkSample {
    pub(super) target: Target,
    pub(super) stack: StackId,
    pub(super) labels: LabelSetId,
    pub(super) values: Sums,
}

/// What is known about the events of one source in one chunk.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceState {
    pub(super) declared: bool,
    pub(super) enabled: Option<bool>,
    pub(super) threshold: Option<String>,
    pub(super) throttle: Option<String>,
    /// Nanoseconds between samples, and whose default it is if it was not recorded.
    pub(super) period: Option<StatedPeriod>,
    /// Whether its events are `jdk.ExecutionSample`.
    pub(super) execution: bool,
    /// The profile types that received samples of this source, with the sampling period if there is one.
    pub(super) kinds: Vec<(ProfileType, Option<StatedPeriod>)>,
    /// The number of events of this source in the chunk, whether they passed the filter or not.
    pub(super) events: u64,
}

impl SourceState {
    /// Records in which profile a sample counted. Execution samples have a different period if they are
    /// wall-clock samples, and none if they are events of another kind.
    fn note(&mut self, target: Target, wall: StatedPeriod) {
        let kind = target.kind();
        if self.kinds.iter().any(|(known, _)| *known == kind) {
            return;
        }
        let period = match kind {
            ProfileType::Event => None,
            ProfileType::Wall => self.period.map(|own| if self.execution { wall } else { own }),
            _ => self.period,
        };
        self.kinds.push((kind, period));
    }
}

/// Statistics about a sample, in addition to its values.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(super) samples: u64,
    pub(super) truncated: u64,
    pub(super) without_stack: u64,
    pub(super) failed: u64,
}

/// The result of a chunk.
#[derive(Debug, Default)]
pub(crate) struct ChunkResult {
    pub(super) samples: Vec<ChunkSample>,
    /// When the samples were taken, if requested.
    pub(super) timeline: Option<Timeline>,
    pub(super) sources: BySource<SourceState>,
    pub(super) tallies: HashMap<Target, Tally>,
    pub(super) facts: Facts,
    pub(super) losses: Vec<Loss>,
    pub(super) odd_durations: u64,
    /// Native memory by address, if requested.
    pub(super) memory: Memory<(StackId, LabelSetId)>,
    /// The events by where they count, if each is kept by itself.
    pub(super) events: BTreeMap<Target, Vec<SampleEvent>>,
}

impl ChunkResult {
    /// The sources of CPU samples in the chunk. If a filter removes all samples of a source, that does not make another source
    /// the best.
    pub(super) fn cpu_sources(&self) -> impl Iterator<Item = CpuSource> {
        self.sources.enumerate().filter_map(|(id, state)| match (id.source().route, state.events) {
            (Route::Cpu(cpu), 1..) => Some(cpu),
            _ => None,
        })
    }

    /// The endpoints of requests by their root span.
    pub(super) fn into_endpoints(self) -> Vec<(u64, String)> {
        self.facts.endpoints
    }
}

/// The result of a part of a chunk.
#[derive(Default)]
pub(crate) struct Part<'a> {
    gathered: Gathered<'a>,
    facts: Vec<(FactKind, ChunkOffset)>,
    seen: BySource<u64>,
    /// The classes of errors thrown outside of the time range.
    errors: Vec<ConstantKey>,
    losses: Vec<Loss>,
    unreadable: u64,
    memory: Memory<Key>,
}

/// State that a thread keeps from one part to the next.
pub(crate) struct Walk<'a> {
    /// For each event type, the row of the last event, which is reused for the next.
    rows: IndexVec<ReadingId, Row<'a, SLOTS>>,
    clock: Clock,
    /// The clock for durations.
    lengths: Clock,
    /// What durations are cut to.
    bounds: Bounds,
}

impl Consumer for Context<'_> {
    type Plans = Plans;
    type Ready<'c, 'a: 'c>
        = ()
    where
        Self: 'c;
    type State<'c, 'a: 'c>
        = Walk<'a>
    where
        Self: 'c;
    type Part<'a> = Part<'a>;
    type Yield = ChunkResult;

    fn segment(&self) -> usize {
        segment(self.chunks.len(), SEGMENT)
    }

    fn plans(&self, chunk: &Chunk<'_>) -> Result<Plans> {
        Plans::new(chunk, self.options)
    }

    fn reads_constants(&self, plans: &Plans, of: Type<'_>) -> bool {
        plans.reads_constants(of, self.options)
    }

    fn reads_events(&self, plans: &Plans, of: Type<'_>) -> bool {
        plans.roles.get(of.id()).is_some()
    }

    fn trace_type(&self, plans: &Plans) -> Option<TypeId> {
        plans.trace_type
    }

    fn ready<'c, 'a: 'c>(&'c self, _: At<'c, 'a, Plans>, _: Option<&'c StackPlans>) {}

    fn state<'c, 'a: 'c>(&'c self, at: At<'c, 'a, Plans>) -> Walk<'a> {
        Walk {
            rows: IndexVec::filled(Row::default(), at.plans.readings.len()),
            clock: at.chunk.clock(),
            lengths: self.lengths(at.index, at.chunk),
            bounds: self.bounds(at.index),
        }
    }

    fn part<'a>(&self, _: &Plans) -> Part<'a> {
        let gathered = Gathered::timed(self.options.timeline);
        Part { gathered, seen: sources::by_source(0), ..Part::default() }
    }

    #[inline]
    fn event<'c, 'a: 'c>(
        &'c self,
        at: &At<'c, 'a, Plans>,
        (): &(),
        Walk { rows, clock, lengths, bounds }: &mut Walk<'a>,
        part: &mut Part<'a>,
        event: &RawEvent<'a>,
    ) {
        let plans = at.plans;
        let id = match plans.roles.get(event.type_id) {
            Some(EventRole::Sample(id)) => id,
            Some(EventRole::Fact(kind)) => return part.facts.push((kind, event.offset)),
            None => return,
        };
        let (reading, row) = (&plans.readings[id], &mut rows[id]);
        part.seen[reading.source] += 1;
        if event.read_into(&reading.plan, row).is_err() {
            part.unreadable += 1;
            if part.unreadable == 1 {
                let offset = at.chunk.file_offset(event.offset);
                part.losses.push(Loss { offset, bytes: event.size as u64, what: Damage::Truncated });
            }
            return;
        }
        let range = &self.options.filter.range;
        if self.options.native_leaks && matches!(reading.route, Route::Malloc | Route::Free) {
            let at = clock.nanos(row.get(TIME));
            if reading.route == Route::Free {
                part.memory.free(row.get(SECOND.of::<u64>()), at.0);
            } else if range.contains(at) {
                let key = part.gathered.key(reading, row, lengths);
                part.memory.malloc(row.get(SECOND.of::<u64>()), at.0, key, row.get(AMOUNT));
            }
            return;
        }
        if plans.timed && !range.contains(clock.nanos(row.get(TIME))) {
            // It still shows that an exception event within the range belongs to a throw outside of it.
            if reading.route == Route::ErrorThrow && part.errors.last() != Some(&row.get(KEY)) {
                part.errors.push(row.get(KEY));
            }
            return;
        }
        part.gathered.event(reading, row, [clock, lengths], *bounds);
    }

    fn add_loss(&self, part: &mut Part<'_>, loss: Loss) {
        part.losses.push(loss);
    }

    fn close<'c, 'a: 'c>(&self, _: &mut Walk<'a>, part: &mut Part<'a>) -> usize {
        // Includes the worst case for joining.
        part.gathered.bytes().saturating_mul(3)
    }

    fn join<'a>(&self, whole: &mut Part<'a>, mut later: Part<'a>) {
        let details = whole.gathered.append(later.gathered);
        whole.memory.append(later.memory, |key| Key { detail: details[key.detail], ..key });
        whole.facts.append(&mut later.facts);
        whole.losses.append(&mut later.losses);
        whole.errors.append(&mut later.errors);
        for (sum, n) in whole.seen.iter_mut().zip(later.seen) {
            *sum += n;
        }
    }

    fn finish<'c, 'a: 'c>(
        &'c self,
        at: At<'c, 'a, Plans>,
        ended: &Ended<'_, 'c, 'a>,
        mut whole: Part<'a>,
    ) -> Result<ChunkResult> {
        let At { index, chunk, plans, .. } = at;
        let mut facts = Facts::gather(chunk, ended.pools, &whole.facts, self.options);
        self.inherit_settings(index, chunk, &mut facts);
        let mut losses = chunk.losses().to_vec();
        if plans.too_many {
            losses.push(Loss { offset: chunk.offset(), bytes: 0, what: Damage::OverLimit { limit: "types" } });
        }
        losses.extend_from_slice(ended.bad_checkpoints);
        losses.append(&mut whole.losses);
        let own;
        let stacks = if ended.stacks.are_of(self.shared) {
            ended.stacks
        } else {
            own = ended.stacks.spelled(self.shared);
            &own
        };
        Routing {
            context: self,
            chunk,
            plans,
            pools: ended.pools,
            gathered: &whole.gathered,
            seen: &whole.seen,
            memory: whole.memory,
            errors: &whole.errors,
            facts,
        }
        .run(stacks, losses)
    }
}

/// Decides where the events of a chunk count, after the whole chunk has been read.
struct Routing<'c, 'a> {
    context: &'c Context<'c>,
    chunk: &'c Chunk<'a>,
    plans: &'c Plans,
    pools: &'c Pools<'a>,
    gathered: &'c Gathered<'a>,
    seen: &'c BySource<u64>,
    memory: Memory<Key>,
    errors: &'c [ConstantKey],
    facts: Facts,
}

impl<'a> Routing<'_, 'a> {
    fn run(mut self, stacks: &ChunkStacks<'_, 'a>, losses: Vec<Loss>) -> Result<ChunkResult> {
        let memory = std::mem::take(&mut self.memory);
        let mut sources = self.states();
        let mut routes = Values::new(&self, &sources);
        let scale = self.context.options.scale_cpu.then(|| self.scale(&mut routes));
        let mut labels = Labels::new(self.chunk, self.plans, self.pools, self.context);
        if self.context.options.each {
            let events = self.events(&mut labels, &mut routes, &mut sources);
            let size = events.values().map(|events| events.len().saturating_mul(size_of::<SampleEvent>())).sum();
            self.context.account.take(size, self.chunk.offset())?;
            let odd_durations = self.gathered.odd_durations;
            let facts = self.facts;
            return Ok(ChunkResult { events, sources, losses, odd_durations, facts, ..ChunkResult::default() });
        }
        let most = self.gathered.iter().len();
        // The traces that are needed.
        let mut traces: Numbered<TraceId, ConstantKey> = Numbered::with_capacity(most);
        let mut samples: Vec<(Target, TraceId, LabelSetId, Sums, u64)> = Vec::with_capacity(most);
        let mut sample_of: IndexVec<KeyId, Option<u32>> = IndexVec::new();
        if self.gathered.timeline.is_some() {
            sample_of.grow(most, None);
        }
        for (id, key, sums) in self.gathered.enumerate() {
            let Some(reading) = self.reading(key) else { continue };
            let detail = self.gathered.detail_of(key);
            if !labels.passes(reading, key, &detail) {
                continue;
            }
            let Some((target, mut values)) = routes.of(key, sums) else { continue };
            if let (Some(scale), Target::Cpu(CpuSource::ExecutionSample)) = (&scale, target) {
                values[1] = scale.apply(detail.thread, values[1]);
            }
            sources[key.source].note(target, routes.wall_period);
            let trace = traces.number(key.stack);
            if self.gathered.timeline.is_some() {
                sample_of[id] = u32::try_from(samples.len()).ok();
            }
            let text = self.gathered.text_of(&detail);
            let failed = if reading.measure == Measure::CpuTicks { u64::try_from(sums[2]).unwrap_or(0) } else { 0 };
            samples.push((target, trace, labels.set(reading, key, &detail, text), values, failed));
        }
        let timeline = self.timeline(&sample_of, &mut routes, scale.as_ref());
        let memory = memory.map(|key: Key| {
            let reading = self.reading(&key)?;
            let detail = self.gathered.detail_of(&key);
            let passes = labels.passes(reading, &key, &detail);
            passes
                .then(|| (traces.number(key.stack), labels.set(reading, &key, &detail, self.gathered.text_of(&detail))))
        });
        let resolved: IndexVec<TraceId, _> = stacks.resolve(traces.items().as_slice())?.into();
        let odd_durations = self.gathered.odd_durations;
        let facts = self.facts;
        let mut result = ChunkResult { timeline, sources, losses, odd_durations, facts, ..ChunkResult::default() };
        let no_stack = self.context.shared.no_stack();
        result.memory = memory.map(|(trace, labels)| Some((resolved[trace].0, labels)));
        result.samples.reserve(samples.len());
        for (target, trace, labels, values, failed) in samples {
            let (stack, truncated) = resolved[trace];
            let tally = result.tallies.entry(target).or_default();
            let n = values[0].max(0).unsigned_abs();
            tally.samples = tally.samples.saturating_add(n);
            tally.failed = tally.failed.saturating_add(failed);
            if truncated {
                tally.truncated = tally.truncated.saturating_add(n);
            }
            if stack == no_stack {
                tally.without_stack = tally.without_stack.saturating_add(n);
            }
            result.samples.push(ChunkSample { target, stack, labels, values });
        }
        // Counted both as samples of the chunk and as samples of their profile.
        let samples = result.samples.len().saturating_mul(2 * size_of::<ChunkSample>());
        let times = result.timeline.as_ref().map_or(0, |timeline| timeline.bytes().saturating_mul(2));
        self.context.account.take(samples.saturating_add(times), self.chunk.offset())?;
        Ok(result)
    }

    /// The events of the chunk, each by itself, by where it counts.
    fn events(
        &self,
        labels: &mut Labels<'_, 'a>,
        routes: &mut Values<'_, 'a>,
        sources: &mut BySource<SourceState>,
    ) -> BTreeMap<Target, Vec<SampleEvent>> {
        let mut events: BTreeMap<Target, Vec<SampleEvent>> = BTreeMap::new();
        for ((key, sums), occurrence) in self.gathered.iter().zip(self.gathered.occurrences.iter().flatten()) {
            let Some(reading) = self.reading(key) else { continue };
            let detail = self.gathered.detail_of(key);
            if !labels.passes(reading, key, &detail) {
                continue;
            }
            let Some((target, values)) = routes.of(key, sums) else { continue };
            sources[key.source].note(target, routes.wall_period);
            let labels = labels.set(reading, key, &detail, self.gathered.text_of(&detail));
            let (start, duration) = (occurrence.start, occurrence.duration);
            events.entry(target).or_default().push(SampleEvent { start, duration, stack: key.stack, labels, values });
        }
        events
    }

    /// When samples were taken. `sample_of` has the number of the sample of each key.
    fn timeline(
        &self,
        sample_of: &IndexVec<KeyId, Option<u32>>,
        routes: &mut Values<'_, 'a>,
        scale: Option<&Scale>,
    ) -> Option<Timeline> {
        let of_keys = self.gathered.timeline.as_ref()?;
        let mut timeline = Timeline::new(of_keys.step_nanos());
        for moment in of_keys {
            let (id, key) = self.gathered.key_of(&moment);
            let (Some(sample), Some(reading)) = (sample_of[id], self.reading(key)) else { continue };
            let Some((target, mut values)) = routes.of(key, &reading.measure.sums(moment.value)) else { continue };
            if let (Some(scale), Target::Cpu(CpuSource::ExecutionSample)) = (scale, target) {
                values[1] = scale.apply(self.gathered.detail_of(key).thread, values[1]);
            }
            let last = target.kind().values().len().saturating_sub(1);
            timeline.push(Moment { sample, value: at(&values, last).copied().unwrap_or(0), ..moment });
        }
        Some(timeline)
    }

    /// The factors for the CPU time of the JDK's samples in this chunk.
    fn scale(&self, routes: &mut Values<'_, 'a>) -> Scale {
        let mut sampled = BTreeMap::new();
        for (key, sums) in self.gathered.iter() {
            if let Some((Target::Cpu(CpuSource::ExecutionSample), values)) = routes.of(key, sums) {
                let sum: &mut i64 = sampled.entry(self.gathered.detail_of(key).thread).or_default();
                *sum = sum.saturating_add(values[1]);
            }
        }
        let (header, filter) = (self.chunk.header(), &self.context.options.filter);
        let from = header.start_nanos.max(filter.range.first()).0;
        let to = header.end_nanos().min(filter.range.end()).0;
        self.facts.loads.scale(&sampled, from, to)
    }

    fn reading(&self, key: &Key) -> Option<&Reading> {
        self.plans.reading(key.source)
    }

    fn states(&self) -> BySource<SourceState> {
        let periods = Periods::new(&self.facts);
        SourceId::all()
            .map(|id| {
                let (source, type_id, events) = (id.source(), self.plans.source_types[id], self.seen[id]);
                let setting = |name: &str| self.facts.setting(source.event, name);
                let sampled = matches!(source.measure, Measure::Period | Measure::Weight);
                SourceState {
                    declared: type_id.is_some(),
                    enabled: setting("enabled").map(|v| v == "true"),
                    threshold: setting("threshold").map(str::to_owned),
                    throttle: setting("throttle").map(str::to_owned),
                    period: (sampled && events > 0).then(|| periods.of(source)),
                    execution: source.route == Route::ExecutionSample,
                    kinds: Vec::new(),
                    events,
                }
            })
            .collect()
    }
}

/// Where the events of each source count, and what they add.
struct Values<'c, 'a> {
    routing: &'c Routing<'c, 'a>,
    routes: Routes,
    periods: BySource<i64>,
    wall_period: StatedPeriod,
    /// The classes for which this chunk contains error events.
    errors: HashMap<ConstantKey, ()>,
    /// Targets that depend on a state or a class, by source and key.
    targets: HashMap<(SourceId, ConstantKey), Option<Target>>,
}

impl<'c, 'a> Values<'c, 'a> {
    fn new(routing: &'c Routing<'c, 'a>, sources: &BySource<SourceState>) -> Self {
        let errors = routing
            .gathered
            .iter()
            .filter(|(key, _)| key.source.source().route == Route::ErrorThrow)
            .map(|(key, _)| key.key)
            .chain(routing.errors.iter().copied())
            .map(|class| (class, ()))
            .collect();
        Self {
            routing,
            routes: Routes::new(routing.execution(), routing.seen),
            periods: sources.iter().map(|s| s.period.map_or(0, |(nanos, _)| nanos)).collect(),
            wall_period: Periods::new(&routing.facts).wall(),
            errors,
            targets: HashMap::default(),
        }
    }

    /// Where a sum of events counts and what it adds; `None` if it does not count.
    fn of(&mut self, key: &Key, sums: &Sums) -> Option<(Target, Sums)> {
        let (source, period) = (key.source.source(), self.periods[key.source]);
        let periods = |n: i64, period: i64| [n, n.saturating_mul(period), 0];
        let values = match source.measure {
            Measure::Period | Measure::Weight => periods(sums[0], period),
            Measure::CpuTicks => [sums[0], sums[1], 0],
            _ => *sums,
        };
        let (routing, routes, errors) = (self.routing, &self.routes, &self.errors);
        let find = || routes.target(source.route, || routing.key_text(key), || errors.contains_key(&key.key));
        let target = match source.route {
            Route::ExecutionSample | Route::Park => *self.targets.entry((key.source, key.key)).or_insert_with(find),
            _ => find(),
        }?;
        let values = match (source.route, target) {
            (Route::ExecutionSample, Target::Profile(ProfileType::Wall)) => periods(sums[0], self.wall_period.0),
            (Route::ExecutionSample, Target::Profile(_)) => [sums[0], 0, 0],
            _ => values,
        };
        self.routing.context.options.wants(target.kind()).then_some((target, values))
    }
}

impl<'a> Routing<'_, 'a> {
    /// The recorded name of the class or state that the key of an event refers to.
    fn key_text(&self, key: &Key) -> Option<String> {
        let reading = self.reading(key)?;
        let raw: RawStr<'a> = super::labels::key_text(self.chunk, self.plans, self.pools, reading, key.key);
        // Relevant names are short, but any number of keys may refer to a long one.
        raw.cut(MAX_KEY_TEXT).decode().map(std::borrow::Cow::into_owned)
    }

    fn execution(&self) -> Execution {
        let execution = SourceId::all().find(|id| id.source().route == Route::ExecutionSample);
        let reading = execution.and_then(|id| self.plans.reading(id));
        let is_async_profiler = self.facts.is_async_profiler();
        let has_default =
            is_async_profiler && has_default_state(self.chunk, self.pools, reading.and_then(|r| r.plan.type_id(KEY)));
        Execution::of(is_async_profiler, has_default, self.facts.any_setting("event"))
    }
}
