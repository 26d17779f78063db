//! Consumers of events, and reading a chunk for all of them at once.
//!
//! A [`Consumer`] declares what it reads from a chunk. An [`Engine`] reads each chunk once, regardless of the
//! number of consumers: it walks the events, indexes the constants, and resolves each stack trace once.
//! Consumers compose: a pair of consumers is a consumer, and so is an optional one.

use parking_lot::Mutex;
use std::ops::Range;

use jfr_parse::engine::{PoolEntries, PoolLayouts};
use jfr_parse::{CHECKPOINT, Chunk, Damage, EventTypes, Loss, METADATA, Pools, RawEvent, Result, Stop, Type, TypeId};
use rayon::prelude::*;

use super::driver;
use super::plans::PlanCache;
use super::stack_plans::StackPlans;
use super::stacks::{ChunkStacks, Shared};
use crate::account::Account;

/// A chunk being read, as seen by a consumer.
#[derive(Debug)]
pub(crate) struct At<'c, 'a, P> {
    /// Index among all chunks of the call.
    pub(crate) index: usize,
    pub(crate) chunk: &'c Chunk<'a>,
    pub(crate) plans: &'c P,
    /// The constants, if the consumer needs them before the events.
    pub(crate) pools: Option<&'c Pools<'a>>,
}

impl<P> Clone for At<'_, '_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for At<'_, '_, P> {}

impl<'c, 'a, P> At<'c, 'a, P> {
    fn with<Q>(self, plans: &'c Q) -> At<'c, 'a, Q> {
        At { index: self.index, chunk: self.chunk, plans, pools: self.pools }
    }
}

/// A chunk after all its events have been read.
pub(crate) struct Ended<'e, 'c, 'a> {
    pub(crate) pools: &'c Pools<'a>,
    /// Resolves stack traces.
    pub(crate) stacks: &'e ChunkStacks<'c, 'a>,
    /// Damaged checkpoints, if constants were read first; otherwise they are among the [losses of
    /// parts](Consumer::add_loss).
    pub(crate) bad_checkpoints: &'e [Loss],
}

/// Computes something from the events of recordings.
///
/// For each chunk, the engine calls [`plans`](Self::plans) (once for all chunks with the same metadata);
/// [`ready`](Self::ready); for each part of the chunk, on any thread, [`part`](Self::part), then
/// [`event`](Self::event) for each event, then [`close`](Self::close); [`join`](Self::join) in file order; and
/// [`finish`](Self::finish). The code that runs the engine commits the results of `finish` in file order.
pub(crate) trait Consumer: Sync {
    /// Everything that depends only on the metadata.
    type Plans: Send + Sync;
    /// State shared by all threads that read a chunk.
    type Ready<'c, 'a: 'c>: Send + Sync
    where
        Self: 'c;
    /// State that a thread keeps from one part of a chunk to the next.
    type State<'c, 'a: 'c>: Send
    where
        Self: 'c;
    /// The result of one part of a chunk, or the joined result of its first parts.
    type Part<'a>: Send;
    /// The result of a chunk.
    type Yield: Send;

    /// Creates the plans for all chunks with the same metadata as this one.
    fn plans(&self, chunk: &Chunk<'_>) -> Result<Self::Plans>;

    /// Whether constants of this type are needed.
    fn reads_constants(&self, plans: &Self::Plans, of: Type<'_>) -> bool;

    /// Whether events of this type are needed. Others may be passed to [`event`](Self::event) nevertheless.
    fn reads_events(&self, plans: &Self::Plans, of: Type<'_>) -> bool;

    /// Whether constants are needed while events are read. If so, they are read before the events.
    fn reads_constants_early(&self) -> bool {
        false
    }

    /// Number of bytes that one thread reads at a time: small enough for balancing, large enough to be worth
    /// joining.
    fn segment(&self) -> usize;

    /// The type of the stack traces that events refer to.
    fn trace_type(&self, plans: &Self::Plans) -> Option<TypeId>;

    /// Creates the shared state.
    fn ready<'c, 'a: 'c>(&'c self, at: At<'c, 'a, Self::Plans>, stacks: Option<&'c StackPlans>) -> Self::Ready<'c, 'a>;

    /// Creates the state of a thread.
    fn state<'c, 'a: 'c>(&'c self, at: At<'c, 'a, Self::Plans>) -> Self::State<'c, 'a>;

    /// Creates an empty result for a part.
    fn part<'a>(&self, plans: &Self::Plans) -> Self::Part<'a>;

    /// Processes an event that is neither a checkpoint nor metadata.
    fn event<'c, 'a: 'c>(
        &'c self,
        at: &At<'c, 'a, Self::Plans>,
        ready: &Self::Ready<'c, 'a>,
        state: &mut Self::State<'c, 'a>,
        part: &mut Self::Part<'a>,
        event: &RawEvent<'a>,
    );

    /// Records bytes that cannot be read.
    fn add_loss(&self, part: &mut Self::Part<'_>, loss: Loss);

    /// Finishes a part. Returns its approximate size in bytes.
    fn close<'c, 'a: 'c>(&self, state: &mut Self::State<'c, 'a>, part: &mut Self::Part<'a>) -> usize;

    /// Appends a part to the joined result of the parts before it.
    fn join<'a>(&self, whole: &mut Self::Part<'a>, later: Self::Part<'a>);

    /// Finishes a chunk.
    fn finish<'c, 'a: 'c>(
        &'c self,
        at: At<'c, 'a, Self::Plans>,
        ended: &Ended<'_, 'c, 'a>,
        whole: Self::Part<'a>,
    ) -> Result<Self::Yield>;
}

/// What the engine and the consumer derive from the metadata.
#[derive(Debug)]
struct Planned<P> {
    layouts: PoolLayouts,
    /// The event types that the consumer does not read.
    others: EventTypes,
    stacks: Option<StackPlans>,
    own: P,
}

/// Reads chunks for a consumer.
#[derive(Debug)]
pub(crate) struct Engine<'e, C: Consumer> {
    pub(crate) consumer: C,
    shared: &'e Shared,
    account: &'e Account,
    /// Handles that stop the work, in addition to those of the recordings.
    stops: Vec<Stop>,
    /// Whether several consumers look up the same stack traces.
    pub(crate) stacks_again: bool,
    plans: PlanCache<Planned<C::Plans>>,
}

/// This many chunks keep all threads busy, so a chunk of the size that JVMs write (12 MB by default) is read as a whole and
/// nothing has to be joined.
const MANY_CHUNKS: usize = 6;
const WHOLE_CHUNK: usize = 16 << 20;

/// The size of the parts that are read in parallel in a recording with this many chunks; `few` if it has only a few. It does
/// not depend on the number of threads, because the results would too.
pub(crate) fn segment(chunks: usize, few: usize) -> usize {
    if chunks < MANY_CHUNKS { few } else { WHOLE_CHUNK }
}

/// Number of checkpoints whose constants a thread indexes at a time.
const CHECKPOINTS: usize = 16;
/// Size of an index entry of a constant in bytes, including the worst case for joining.
const CONSTANT: usize = 48;

impl<'e, C: Consumer> Engine<'e, C> {
    pub(crate) fn new<'s>(
        consumer: C,
        shared: &'e Shared,
        account: &'e Account,
        stops: impl IntoIterator<Item = &'s Stop>,
    ) -> Self {
        let stops = stops.into_iter().cloned().collect();
        Self { consumer, shared, account, stops, stacks_again: false, plans: PlanCache::default() }
    }

    /// Returns the error that stops work on a chunk, if there is one.
    fn check(&self, chunk: &Chunk<'_>) -> Result<()> {
        self.stops.iter().try_for_each(Stop::check)?;
        chunk.stop().check()
    }

    fn planned(&self, chunk: &Chunk<'_>) -> Result<Planned<C::Plans>> {
        let own = self.consumer.plans(chunk)?;
        let trace = self.consumer.trace_type(&own).and_then(|id| chunk.metadata().by_id(id));
        let stacks = trace.map(|of| StackPlans::new(chunk, of)).transpose()?.flatten();
        let frames = stacks.as_ref().and_then(StackPlans::frame_pool);
        let layouts = chunk.pool_layouts(|of| Some(of.id()) == frames || self.consumer.reads_constants(&own, of));
        let mut others = EventTypes::default();
        chunk
            .metadata()
            .event_types()
            .filter(|of| !self.consumer.reads_events(&own, *of))
            .for_each(|of| others.insert(of.id()));
        Ok(Planned { layouts, others, stacks, own })
    }

    /// Reads a chunk. `index` is its index among all chunks of the call.
    pub(crate) fn chunk(&self, index: usize, chunk: &Chunk<'_>) -> Result<C::Yield> {
        self.check(chunk)?;
        let consumer = &self.consumer;
        let planned = self.plans.get(chunk, || self.planned(chunk))?;
        let reserved = self.account.reserve();
        let (mut bad_checkpoints, mut early) = (Vec::new(), None);
        if consumer.reads_constants_early() {
            early = Some(constants(chunk, &planned.layouts, &mut bad_checkpoints));
        }
        let at = At { index, chunk, plans: &planned.own, pools: early.as_ref() };
        let ready = consumer.ready(at, planned.stacks.as_ref());
        // What a thread has learned in one part is useful in the next.
        let idle: Mutex<Vec<C::State<'_, '_>>> = Mutex::default();
        let idle = || idle.lock();
        let read = |segment: Range<usize>| {
            self.check(chunk)?;
            let state = idle().pop();
            let mut state = state.unwrap_or_else(|| consumer.state(at));
            let mut part = consumer.part(at.plans);
            let mut entries = PoolEntries::default();
            let mut events = chunk.walk(segment).without(&planned.others);
            for event in events.by_ref() {
                match event.type_id {
                    CHECKPOINT if at.pools.is_none() => {
                        // A copy, so that the compiler can keep the parts of other events in registers.
                        let checkpoint = event;
                        if let Err(what) = entries.add(&checkpoint, &planned.layouts) {
                            consumer.add_loss(&mut part, loss(chunk, &checkpoint, what));
                        }
                    }
                    CHECKPOINT => {}
                    METADATA => debug_assert!(event.size > 0),
                    _ => consumer.event(&at, &ready, &mut state, &mut part, &event),
                }
            }
            for &(at, bytes) in events.skipped() {
                let offset = chunk.file_offset(at);
                consumer.add_loss(&mut part, Loss { offset, bytes: bytes as u64, what: Damage::BadEventSize });
            }
            let bytes = consumer.close(&mut state, &mut part);
            idle().push(state);
            reserved.take(bytes.saturating_add(entries.len().saturating_mul(CONSTANT)), chunk.offset())?;
            Ok((part, entries))
        };
        let mut whole = consumer.part(at.plans);
        let mut entries = Vec::new();
        driver::parts_in_order(chunk, consumer.segment(), read, |(part, constants)| {
            consumer.join(&mut whole, part);
            entries.push(constants);
        })?;
        self.check(chunk)?;
        let late;
        let pools = if let Some(pools) = &early {
            pools
        } else {
            late = chunk.join_pools(entries);
            &late
        };
        let check = || {
            self.check(chunk)?;
            self.account.tables(&self.shared.interner, chunk.offset())
        };
        let stacks = ChunkStacks::new(self.shared, chunk, pools, planned.stacks.as_ref(), self.stacks_again, &check);
        consumer.finish(at, &Ended { pools, stacks: &stacks, bad_checkpoints: &bad_checkpoints }, whole)
    }
}

fn loss(chunk: &Chunk<'_>, event: &RawEvent<'_>, what: Damage) -> Loss {
    Loss { offset: chunk.file_offset(event.offset), bytes: event.size as u64, what }
}

/// Indexes the constants of a chunk, including those before the damage in a damaged checkpoint.
fn constants<'a>(chunk: &Chunk<'a>, layouts: &PoolLayouts, bad: &mut Vec<Loss>) -> Pools<'a> {
    let checkpoints: Vec<RawEvent<'a>> = chunk.checkpoints().collect();
    let some = |some: &[RawEvent<'a>]| {
        let mut entries = PoolEntries::default();
        let add = |event: &RawEvent<'a>| Some(loss(chunk, event, entries.add(event, layouts).err()?));
        let bad: Vec<Loss> = some.iter().filter_map(add).collect();
        (entries, bad)
    };
    let parts: Vec<(PoolEntries, Vec<Loss>)> = checkpoints.par_chunks(CHECKPOINTS).map(some).collect();
    let (entries, losses): (Vec<PoolEntries>, Vec<Vec<Loss>>) = parts.into_iter().unzip();
    bad.extend(losses.into_iter().flatten());
    chunk.join_pools(entries)
}

impl<A: Consumer, B: Consumer> Consumer for (A, B) {
    type Plans = (A::Plans, B::Plans);
    type Ready<'c, 'a: 'c>
        = (A::Ready<'c, 'a>, B::Ready<'c, 'a>)
    where
        Self: 'c;
    type State<'c, 'a: 'c>
        = (A::State<'c, 'a>, B::State<'c, 'a>)
    where
        Self: 'c;
    type Part<'a> = (A::Part<'a>, B::Part<'a>);
    type Yield = (A::Yield, B::Yield);

    fn plans(&self, chunk: &Chunk<'_>) -> Result<Self::Plans> {
        Ok((self.0.plans(chunk)?, self.1.plans(chunk)?))
    }

    fn reads_constants(&self, plans: &Self::Plans, of: Type<'_>) -> bool {
        self.0.reads_constants(&plans.0, of) || self.1.reads_constants(&plans.1, of)
    }

    fn reads_events(&self, plans: &Self::Plans, of: Type<'_>) -> bool {
        self.0.reads_events(&plans.0, of) || self.1.reads_events(&plans.1, of)
    }

    fn reads_constants_early(&self) -> bool {
        self.0.reads_constants_early() || self.1.reads_constants_early()
    }

    fn segment(&self) -> usize {
        self.0.segment().min(self.1.segment())
    }

    fn trace_type(&self, plans: &Self::Plans) -> Option<TypeId> {
        self.0.trace_type(&plans.0).or_else(|| self.1.trace_type(&plans.1))
    }

    fn ready<'c, 'a: 'c>(&'c self, at: At<'c, 'a, Self::Plans>, stacks: Option<&'c StackPlans>) -> Self::Ready<'c, 'a> {
        (self.0.ready(at.with(&at.plans.0), stacks), self.1.ready(at.with(&at.plans.1), stacks))
    }

    fn state<'c, 'a: 'c>(&'c self, at: At<'c, 'a, Self::Plans>) -> Self::State<'c, 'a> {
        (self.0.state(at.with(&at.plans.0)), self.1.state(at.with(&at.plans.1)))
    }

    fn part<'a>(&self, plans: &Self::Plans) -> Self::Part<'a> {
        (self.0.part(&plans.0), self.1.part(&plans.1))
    }

    #[inline]
    fn event<'c, 'a: 'c>(
        &'c self,
        at: &At<'c, 'a, Self::Plans>,
        ready: &Self::Ready<'c, 'a>,
        state: &mut Self::State<'c, 'a>,
        part: &mut Self::Part<'a>,
        event: &RawEvent<'a>,
    ) {
        self.0.event(&at.with(&at.plans.0), &ready.0, &mut state.0, &mut part.0, event);
        self.1.event(&at.with(&at.plans.1), &ready.1, &mut state.1, &mut part.1, event);
    }

    fn add_loss(&self, part: &mut Self::Part<'_>, loss: Loss) {
        self.0.add_loss(&mut part.0, loss.clone());
        self.1.add_loss(&mut part.1, loss);
    }

    fn close<'c, 'a: 'c>(&self, state: &mut Self::State<'c, 'a>, part: &mut Self::Part<'a>) -> usize {
        self.0.close(&mut state.0, &mut part.0).saturating_add(self.1.close(&mut state.1, &mut part.1))
    }

    fn join<'a>(&self, whole: &mut Self::Part<'a>, later: Self::Part<'a>) {
        self.0.join(&mut whole.0, later.0);
        self.1.join(&mut whole.1, later.1);
    }

    fn finish<'c, 'a: 'c>(
        &'c self,
        at: At<'c, 'a, Self::Plans>,
        ended: &Ended<'_, 'c, 'a>,
        whole: Self::Part<'a>,
    ) -> Result<Self::Yield> {
        let first = self.0.finish(at.with(&at.plans.0), ended, whole.0)?;
        Ok((first, self.1.finish(at.with(&at.plans.1), ended, whole.1)?))
    }
}

/// If the consumer is present, so are its plans, states and parts.
impl<C: Consumer> Consumer for Option<C> {
    type Plans = Option<C::Plans>;
    type Ready<'c, 'a: 'c>
        = Option<C::Ready<'c, 'a>>
    where
        Self: 'c;
    type State<'c, 'a: 'c>
        = Option<C::State<'c, 'a>>
    where
        Self: 'c;
    type Part<'a> = Option<C::Part<'a>>;
    type Yield = Option<C::Yield>;

    fn plans(&self, chunk: &Chunk<'_>) -> Result<Self::Plans> {
        self.as_ref().map(|c| c.plans(chunk)).transpose()
    }

    fn reads_constants(&self, plans: &Self::Plans, of: Type<'_>) -> bool {
        self.as_ref().zip(plans.as_ref()).is_some_and(|(c, plans)| c.reads_constants(plans, of))
    }

    fn reads_events(&self, plans: &Self::Plans, of: Type<'_>) -> bool {
        self.as_ref().zip(plans.as_ref()).is_some_and(|(c, plans)| c.reads_events(plans, of))
    }

    fn reads_constants_early(&self) -> bool {
        self.as_ref().is_some_and(C::reads_constants_early)
    }

    fn segment(&self) -> usize {
        self.as_ref().map_or(usize::MAX, C::segment)
    }

    fn trace_type(&self, plans: &Self::Plans) -> Option<TypeId> {
        self.as_ref().zip(plans.as_ref()).and_then(|(c, plans)| c.trace_type(plans))
    }

    fn ready<'c, 'a: 'c>(&'c self, at: At<'c, 'a, Self::Plans>, stacks: Option<&'c StackPlans>) -> Self::Ready<'c, 'a> {
        self.as_ref().zip(at.plans.as_ref()).map(|(c, plans)| c.ready(at.with(plans), stacks))
    }

    fn state<'c, 'a: 'c>(&'c self, at: At<'c, 'a, Self::Plans>) -> Self::State<'c, 'a> {
        self.as_ref().zip(at.plans.as_ref()).map(|(c, plans)| c.state(at.with(plans)))
    }

    fn part<'a>(&self, plans: &Self::Plans) -> Self::Part<'a> {
        self.as_ref().zip(plans.as_ref()).map(|(c, plans)| c.part(plans))
    }

    #[inline]
    fn event<'c, 'a: 'c>(
        &'c self,
        at: &At<'c, 'a, Self::Plans>,
        ready: &Self::Ready<'c, 'a>,
        state: &mut Self::State<'c, 'a>,
        part: &mut Self::Part<'a>,
        event: &RawEvent<'a>,
    ) {
        if let (Some(c), Some(plans), Some(ready), Some(state), Some(part)) = (self, at.plans, ready, state, part) {
            c.event(&at.with(plans), ready, state, part, event);
        }
    }

    fn add_loss(&self, part: &mut Self::Part<'_>, loss: Loss) {
        if let (Some(c), Some(part)) = (self, part) {
            c.add_loss(part, loss);
        }
    }

    fn close<'c, 'a: 'c>(&self, state: &mut Self::State<'c, 'a>, part: &mut Self::Part<'a>) -> usize {
        match (self, state, part) {
            (Some(c), Some(state), Some(part)) => c.close(state, part),
            _ => 0,
        }
    }

    fn join<'a>(&self, whole: &mut Self::Part<'a>, later: Self::Part<'a>) {
        if let (Some(c), Some(whole), Some(later)) = (self, whole, later) {
            c.join(whole, later);
        }
    }

    fn finish<'c, 'a: 'c>(
        &'c self,
        at: At<'c, 'a, Self::Plans>,
        ended: &Ended<'_, 'c, 'a>,
        whole: Self::Part<'a>,
    ) -> Result<Self::Yield> {
        match (self, at.plans, whole) {
            (Some(c), Some(plans), Some(whole)) => c.finish(at.with(plans), ended, whole).map(Some),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
