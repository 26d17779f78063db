//! One chunk, from its bytes to samples: walk, join, route, resolve.

use hashbrown::HashMap;
use jfr_parse::{CHECKPOINT, Chunk, Clock, Damage, Loss, METADATA, PoolEntries, Pools, RawEvent, RawStr, Result, Row};

use super::execution::{Execution, State, has_default_state, park_kind};
use super::facts::{FactKind, Facts};
use super::gather::{Gathered, Key, Sums};
use super::labels::Labels;
use super::memory::Memory;
use super::options::{CpuSource, Options};
use super::periods::{Periods, StatedPeriod};
use super::plans::{Act, Plans, Reading};
use super::settled::Settled;
use super::sources::{AMOUNT, KEY, Measure, Route, SECOND, SOURCES, TIME};
use crate::account::{Account, Held};
use crate::engine::driver::{self, Task};
use crate::engine::plans::PlanCache;
use crate::engine::stacks::{self, Shared};
use jfrkit_profile::{LabelSetId, ProfileType, StackId};

/// Bytes of a chunk that one thread walks at a time: small enough to balance, large enough to be worth it.
const SEGMENT: usize = 2 << 20;
/// Bytes of the name of a class or state that are looked at.
pub(super) const MAX_KEY_TEXT: usize = 256;

/// Where the samples of a chunk go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Target {
    /// A profile.
    Profile(ProfileType),
    /// `cpu`, if this source is chosen.
    Cpu(CpuSource),
}

/// A sample of a chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkSample {
    pub(super) target: Target,
    pub(super) stack: StackId,
    pub(super) labels: LabelSetId,
    pub(super) values: Sums,
}

/// What is known of the events of one source in one chunk.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceState {
    pub(super) declared: bool,
    pub(super) enabled: Option<bool>,
    pub(super) threshold: Option<String>,
    pub(super) throttle: Option<String>,
    /// Nanoseconds between samples, and whether that is a guess.
    pub(super) period: Option<StatedPeriod>,
    /// Its events are `jdk.ExecutionSample`.
    pub(super) execution: bool,
    /// The types of profiles that samples of this source went to, with the period of those that have one.
    pub(super) kinds: Vec<(ProfileType, Option<StatedPeriod>)>,
    /// Events of this source in the chunk, whether they passed the filter or not.
    pub(super) events: u64,
}

impl SourceState {
    /// Notes where a sample went. Execution samples have another period where they are wall-clock samples, and none
    /// where they are events of some other kind.
    fn note(&mut self, target: Target, wall: StatedPeriod) {
        let kind = match target {
            Target::Profile(kind) => kind,
            Target::Cpu(_) => ProfileType::Cpu,
        };
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

/// What a sample is counted for besides its values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) samples: u64,
    pub(super) truncated: u64,
    pub(super) without_stack: u64,
    pub(super) failed: u64,
}

/// What a chunk yields.
#[derive(Debug, Default)]
pub(super) struct ChunkResult {
    pub(super) samples: Vec<ChunkSample>,
    /// By place in [`SOURCES`].
    pub(super) sources: Vec<SourceState>,
    pub(super) tallies: HashMap<Target, Tally, foldhash::fast::RandomState>,
    pub(super) facts: Facts,
    pub(super) losses: Vec<Loss>,
    /// Native memory by address, if it is wanted that way.
    pub(super) memory: Memory<(StackId, LabelSetId)>,
}

/// What all chunks share.
#[derive(Debug)]
pub(super) struct Context<'o> {
    pub(super) options: &'o Options,
    pub(super) shared: Shared,
    pub(super) account: Account,
    pub(super) plans: PlanCache<Plans>,
    /// All chunks.
    pub(super) chunks: &'o [Task<'o>],
    pub(super) settled: Settled,
}

/// What a part of a chunk yields.
#[derive(Default)]
struct Part<'a> {
    gathered: Gathered<'a>,
    pools: PoolEntries,
    facts: Vec<(FactKind, usize)>,
    seen: Vec<u64>,
    /// Classes of errors thrown outside the time range.
    errors: Vec<u64>,
    losses: Vec<Loss>,
    memory: Memory<Key>,
}

impl<'a> Part<'a> {
    /// What all parts of a chunk yield together, but for the constants.
    fn join(parts: Vec<Self>) -> Self {
        let mut whole = Self { seen: vec![0; SOURCES.len()], ..Self::default() };
        for mut part in parts {
            let details = whole.gathered.append(part.gathered);
            whole.memory.append(part.memory, |key| Key {
                detail: details.get(key.detail as usize).copied().unwrap_or(0),
                ..key
            });
            whole.facts.append(&mut part.facts);
            whole.losses.append(&mut part.losses);
            whole.errors.append(&mut part.errors);
            for (sum, n) in whole.seen.iter_mut().zip(part.seen) {
                *sum += n;
            }
        }
        whole
    }
}

impl Context<'_> {
    /// Reads a chunk, which is number `index` of all chunks.
    pub(super) fn chunk(&self, index: usize, chunk: &Chunk<'_>) -> Result<ChunkResult> {
        let plans = self.plans.get(chunk, || Plans::new(chunk, self.options))?;
        let lengths = self.lengths(index, chunk);
        let held = self.account.hold();
        let mut parts = driver::parts(chunk, SEGMENT, |segment| self.walk(chunk, &plans, &lengths, &held, segment))?;
        let pools: Vec<PoolEntries> = parts.iter_mut().map(|part| std::mem::take(&mut part.pools)).collect();
        let (mut whole, pools) = rayon::join(|| Part::join(parts), || chunk.join_pools(pools));
        self.check(chunk)?;
        let mut facts = Facts::gather(chunk, &plans, &pools, &whole.facts, self.options);
        self.settle(index, chunk, &mut facts);
        let mut losses = chunk.losses().to_vec();
        if plans.too_many {
            losses.push(Loss { offset: chunk.offset(), bytes: 0, what: Damage::OverLimit { limit: "types" } });
        }
        losses.append(&mut whole.losses);
        Routing {
            context: self,
            chunk,
            plans: &plans,
            pools: &pools,
            gathered: &whole.gathered,
            seen: &whole.seen,
            memory: whole.memory,
            errors: &whole.errors,
            facts,
        }
        .run(losses)
    }

    /// The clock that lengths of time are measured with in a chunk. A length is rounded to nanoseconds at both of its
    /// ends, so it depends, by one nanosecond, on where the clock begins; the JDK's parser keeps that of the first
    /// chunk of the recording.
    fn lengths(&self, index: usize, chunk: &Chunk<'_>) -> Clock {
        let header = chunk.header();
        let first = self.chunks.get(index).and_then(|task| task.recording.headers().next());
        let first = first.map(|(_, first)| first).filter(|first| first.ticks_per_second == header.ticks_per_second);
        first.map_or(chunk.clock(), |first| Clock::new(first.start_nanos, first.start_ticks, first.ticks_per_second))
    }

    /// Adds up the wanted events of a part of a chunk and notes its constants.
    fn walk<'a>(
        &self,
        chunk: &Chunk<'a>,
        plans: &Plans,
        lengths: &Clock,
        held: &Held<'_>,
        segment: std::ops::Range<usize>,
    ) -> Result<Part<'a>> {
        self.check(chunk)?;
        let clock = chunk.clock();
        let filter = &self.options.filter;
        let (from, to) = (filter.from_nanos.unwrap_or(i64::MIN), filter.to_nanos.unwrap_or(i64::MAX));
        let mut part = Part { seen: vec![0; SOURCES.len()], ..Part::default() };
        let mut events = chunk.walk(segment);
        let mut unreadable = 0u64;
        let mut rows = vec![Row::default(); plans.readings.len()];
        for event in events.by_ref() {
            match plans.acts.get(event.type_id) {
                Some(Act::Read(i)) => {
                    let Some(reading) = plans.readings.get(i as usize) else { continue };
                    if let Some(seen) = part.seen.get_mut(reading.source as usize) {
                        *seen += 1;
                    }
                    let Some(row) = rows.get_mut(i as usize) else { continue };
                    if event.read_into(&reading.plan, row).is_err() {
                        unreadable += 1;
                        if unreadable == 1 {
                            part.losses.push(loss(chunk, &event, Damage::Truncated));
                        }
                        continue;
                    }
                    if self.options.native_leaks && matches!(reading.route, Route::Malloc | Route::Free) {
                        let nanos = clock.nanos(row.i64(TIME));
                        if reading.route == Route::Free {
                            part.memory.free(row.u64(SECOND), nanos);
                        } else if (from..to).contains(&nanos) {
                            let key = part.gathered.key(reading, row);
                            part.memory.malloc(row.u64(SECOND), nanos, key, row.i64(AMOUNT));
                        }
                        continue;
                    }
                    if plans.timed && !(from..to).contains(&clock.nanos(row.i64(TIME))) {
                        // It still tells that an exception event within the range is of a throw outside of it.
                        if reading.route == Route::ErrorThrow && part.errors.last() != Some(&row.u64(KEY)) {
                            part.errors.push(row.u64(KEY));
                        }
                        continue;
                    }
                    part.gathered.event(reading, row, lengths);
                }
                Some(Act::Fact(kind)) => part.facts.push((kind, event.offset)),
                None if event.type_id == CHECKPOINT => {
                    if let Err(what) = part.pools.add(&event, &plans.layouts) {
                        part.losses.push(loss(chunk, &event, what));
                    }
                }
                None => debug_assert!(event.type_id != METADATA || event.size > 0),
            }
        }
        for &(at, bytes) in events.skipped() {
            let offset = chunk.offset().saturating_add(at as u64);
            part.losses.push(Loss { offset, bytes: bytes as u64, what: Damage::BadEventSize });
        }
        // What joining makes of it in the worst case, too.
        held.take(
            part.gathered.bytes().saturating_mul(3).saturating_add(part.pools.len().saturating_mul(48)),
            chunk.offset(),
        )?;
        Ok(part)
    }

    /// The error that ends the work on a chunk, if there is one.
    fn check(&self, chunk: &Chunk<'_>) -> Result<()> {
        self.options.stop.check()?;
        chunk.stop().check()
    }
}

fn loss(chunk: &Chunk<'_>, event: &RawEvent<'_>, what: Damage) -> Loss {
    Loss { offset: chunk.offset().saturating_add(event.offset as u64), bytes: event.size as u64, what }
}

/// Decides where the events of a chunk go, now that all of it is known.
struct Routing<'c, 'a> {
    context: &'c Context<'c>,
    chunk: &'c Chunk<'a>,
    plans: &'c Plans,
    pools: &'c Pools<'a>,
    gathered: &'c Gathered<'a>,
    seen: &'c [u64],
    memory: Memory<Key>,
    errors: &'c [u64],
    facts: Facts,
}

impl<'a> Routing<'_, 'a> {
    fn run(mut self, losses: Vec<Loss>) -> Result<ChunkResult> {
        let memory = std::mem::take(&mut self.memory);
        let mut sources = self.states();
        let mut routes = Routes::new(&self, &sources);
        let mut labels = Labels::new(self.chunk, self.plans, self.pools, self.context);
        // Number of each trace among those that are needed.
        let most = self.gathered.iter().len();
        let mut traces: HashMap<u64, u32, foldhash::fast::RandomState> =
            HashMap::with_capacity_and_hasher(most, foldhash::fast::RandomState::default());
        let mut order: Vec<u64> = Vec::with_capacity(most);
        let mut samples: Vec<(Target, u32, LabelSetId, Sums, u64)> = Vec::with_capacity(most);
        for (key, sums) in self.gathered.iter() {
            let Some(reading) = self.reading(key) else { continue };
            let detail = self.gathered.detail_of(key);
            if !labels.passes(reading, key, &detail) {
                continue;
            }
            let Some((target, values)) = routes.route(key, sums) else { continue };
            if let Some(state) = sources.get_mut(key.source as usize) {
                state.note(target, routes.wall_period);
            }
            let trace = *traces.entry(key.stack).or_insert_with(|| {
                order.push(key.stack);
                u32::try_from(order.len() - 1).unwrap_or(u32::MAX)
            });
            let text = self.gathered.text_of(&detail);
            let failed = if reading.measure == Measure::CpuTicks { u64::try_from(sums[2]).unwrap_or(0) } else { 0 };
            samples.push((target, trace, labels.set(reading, key, &detail, text), values, failed));
        }
        let mut number = |stack: u64| {
            *traces.entry(stack).or_insert_with(|| {
                order.push(stack);
                u32::try_from(order.len() - 1).unwrap_or(u32::MAX)
            })
        };
        let memory = memory.map(|key: Key| {
            let reading = self.reading(&key)?;
            let detail = self.gathered.detail_of(&key);
            let passes = labels.passes(reading, &key, &detail);
            passes.then(|| (number(key.stack), labels.set(reading, &key, &detail, self.gathered.text_of(&detail))))
        });
        let (context, stacks) = (self.context, self.plans.stacks.as_ref());
        let check = || {
            context.check(self.chunk)?;
            context.account.tables(&context.shared.interner, self.chunk.offset())
        };
        let resolved = stacks::resolve(&context.shared, self.chunk, self.pools, stacks, &order, check)?;
        let mut result = ChunkResult { sources, losses, facts: self.facts, ..ChunkResult::default() };
        let no_stack = self.context.shared.no_stack();
        let stack = |trace: u32| resolved.get(trace as usize).copied().unwrap_or((no_stack, false));
        result.memory = memory.map(|(trace, labels)| Some((stack(trace).0, labels)));
        result.samples.reserve(samples.len());
        for (target, trace, labels, values, failed) in samples {
            let (stack, truncated) = stack(trace);
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
        // As samples of the chunk, and of the profile that they are added to.
        let samples = result.samples.len().saturating_mul(2 * size_of::<ChunkSample>());
        self.context.account.take(samples, self.chunk.offset())?;
        Ok(result)
    }

    fn reading(&self, key: &Key) -> Option<&Reading> {
        self.plans.reading(key.source as usize)
    }

    fn states(&self) -> Vec<SourceState> {
        let periods = Periods::new(&self.facts);
        SOURCES
            .iter()
            .enumerate()
            .map(|(i, source)| {
                let type_id = self.plans.source_types.get(i).copied().flatten();
                let setting = |name: &str| self.facts.setting(source.event, name);
                let events = self.seen.get(i).copied().unwrap_or(0);
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

/// Where the events of each source go.
struct Routes<'c, 'a> {
    routing: &'c Routing<'c, 'a>,
    periods: Vec<i64>,
    wall_period: StatedPeriod,
    execution: Execution,
    every_allocation: bool,
    class_loads: bool,
    /// Classes of which this chunk holds error events.
    errors: HashMap<u64, (), foldhash::fast::RandomState>,
    states: HashMap<u64, State, foldhash::fast::RandomState>,
    parks: HashMap<u64, ProfileType, foldhash::fast::RandomState>,
}

impl<'c, 'a> Routes<'c, 'a> {
    fn new(routing: &'c Routing<'c, 'a>, sources: &[SourceState]) -> Self {
        let seen = |route: Route| SOURCES.iter().zip(routing.seen).any(|(s, n)| s.route == route && *n > 0);
        let errors = routing
            .gathered
            .iter()
            .filter(|(key, _)| SOURCES.get(key.source as usize).is_some_and(|s| s.route == Route::ErrorThrow))
            .map(|(key, _)| key.key)
            .chain(routing.errors.iter().copied())
            .map(|class| (class, ()))
            .collect();
        Self {
            routing,
            periods: sources.iter().map(|s| s.period.map_or(0, |(nanos, _)| nanos)).collect(),
            wall_period: Periods::new(&routing.facts).wall(),
            execution: routing.execution(),
            every_allocation: seen(Route::EveryAllocation),
            class_loads: seen(Route::ClassLoad),
            errors,
            states: HashMap::default(),
            parks: HashMap::default(),
        }
    }

    /// Where a sum of events goes and what it adds there; `None` where it does not count.
    fn route(&mut self, key: &Key, sums: &Sums) -> Option<(Target, Sums)> {
        let source = SOURCES.get(key.source as usize)?;
        let period = self.periods.get(key.source as usize).copied().unwrap_or(0);
        let periods = |n: i64, period: i64| [n, n.saturating_mul(period), 0];
        let values = match source.measure {
            Measure::Period | Measure::Weight => periods(sums[0], period),
            Measure::CpuTicks => [sums[0], sums[1], 0],
            _ => *sums,
        };
        let target = match source.route {
            Route::To(kind) => Target::Profile(kind),
            Route::Cpu(cpu) => Target::Cpu(cpu),
            Route::ExecutionSample => return self.execution_sample(key, sums[0], values),
            Route::EveryAllocation => Target::Profile(ProfileType::Alloc),
            Route::SampledAllocation if !self.every_allocation => Target::Profile(ProfileType::Alloc),
            Route::ClassLoad => Target::Profile(ProfileType::ClassLoad),
            Route::ClassDefine if !self.class_loads => Target::Profile(ProfileType::ClassLoad),
            Route::ErrorThrow => Target::Profile(ProfileType::Error),
            Route::ExceptionThrow if !self.errors.contains_key(&key.key) => Target::Profile(ProfileType::Error),
            Route::Park => Target::Profile(self.park(key)),
            Route::Malloc => Target::Profile(ProfileType::NativeAlloc),
            Route::SampledAllocation | Route::ClassDefine | Route::ExceptionThrow | Route::Free => return None,
        };
        self.wanted(target, values)
    }

    fn wanted(&self, target: Target, values: Sums) -> Option<(Target, Sums)> {
        let kind = match target {
            Target::Profile(kind) => kind,
            Target::Cpu(_) => ProfileType::Cpu,
        };
        self.routing.context.options.wants(kind).then_some((target, values))
    }

    fn execution_sample(&mut self, key: &Key, count: i64, values: Sums) -> Option<(Target, Sums)> {
        let kind = self.execution.kind(self.state(key))?;
        let (target, values) = match kind {
            ProfileType::Cpu => (Target::Cpu(CpuSource::ExecutionSample), values),
            ProfileType::Wall => (Target::Profile(kind), [count, count.saturating_mul(self.wall_period.0), 0]),
            _ => (Target::Profile(kind), [count, 0, 0]),
        };
        self.wanted(target, values)
    }

    fn state(&mut self, key: &Key) -> State {
        let routing = self.routing;
        *self.states.entry(key.key).or_insert_with(|| State::of(routing.key_text(key).as_deref()))
    }

    fn park(&mut self, key: &Key) -> ProfileType {
        let routing = self.routing;
        *self.parks.entry(key.key).or_insert_with(|| park_kind(&routing.key_text(key).unwrap_or_default()))
    }
}

impl<'a> Routing<'_, 'a> {
    /// The recorded name behind the key of an event: of a class or a state.
    fn key_text(&self, key: &Key) -> Option<String> {
        let reading = self.reading(key)?;
        let raw: RawStr<'a> = super::labels::key_text(self.chunk, self.plans, self.pools, reading, key.key);
        // Names that are asked for are short; any number of keys may lead to a long one.
        raw.cut(MAX_KEY_TEXT).decode().map(std::borrow::Cow::into_owned)
    }

    fn execution(&self) -> Execution {
        let execution = SOURCES.iter().position(|s| s.route == Route::ExecutionSample);
        let reading = execution.and_then(|place| self.plans.reading(place));
        let is_async_profiler = self.facts.is_async_profiler();
        let has_default =
            is_async_profiler && has_default_state(self.chunk, self.pools, reading.and_then(|r| r.plan.type_id(KEY)));
        Execution::of(is_async_profiler, has_default, self.facts.any_setting("event"))
    }
}
