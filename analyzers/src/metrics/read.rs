//! Reads the events that the metrics need.

use jfr_parse::{
    Chunk, Column, ConstantKey, EpochNanos, Loss, Nanos, Plan, Pools, RawEvent, Recording, Result, Row, Text, TickSpan,
    TimeUnit, Type, TypeId,
};

use super::MAX_POINTS;
use super::part::{Gauge, Half, Part, Sum};
use super::series::{Amounts, Steps};
use super::sources::{A, B, C, DURATION, Kind, SLOTS, START, Source, Sources};
use crate::engine::consumer::{self, At, Consumer, Ended};
use crate::engine::stack_plans::StackPlans;
use crate::hash::HashMap;
use crate::profiles::load;
use crate::summary::{gaps_of, length_of};
use crate::time_range::span;

/// Number of bytes of a chunk that one thread reads at a time, if there are only a few chunks.
const SEGMENT: usize = 4 << 20;

/// Computes [`Metrics`](super::Metrics): reads chunks as a [`Consumer`], and merges their parts.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(super) steps: Steps,
    pub(super) start: i64,
    /// The end according to the headers, if all of them have one.
    pub(super) end: Option<i64>,
    /// How many nanoseconds in between were not recorded.
    pub(super) gaps: i64,
    segment: usize,
}

/// What a part of a chunk contributes. Its constants are looked up at the end of the chunk.
#[derive(Debug, Default)]
pub(crate) struct Segment<'a> {
    part: Part,
    /// The number of events of each source.
    counts: Vec<u64>,
    /// CPU samples by thread state.
    states: HashMap<Constant, Amounts>,
    /// Heap summaries: the time, before or after a collection, and the bytes in use.
    heaps: Vec<(i64, Constant, f64)>,
    /// The fields of settings, with their sources.
    settings: Vec<(u16, Row<'a, SLOTS>)>,
}

/// A constant in the field [`A`] of the source with this number.
type Constant = (u16, ConstantKey);

impl Reader {
    /// A reader for the chunks of this recording.
    pub(crate) fn new(recording: &Recording<'_>, step: Option<Nanos>) -> Self {
        let headers = || recording.headers().map(|(_, header)| header);
        let (EpochNanos(start), EpochNanos(end)) = span(&[recording]);
        let is_known = recording.chunk_count() > 0 && headers().all(|header| header.duration_nanos.0 > 0);
        let end = is_known.then_some(end);
        let length = end.map_or(60_000_000_000, |end| end.saturating_sub(start)).max(1);
        let step = step.map(|step| step.0).filter(|step| *step > 0).unwrap_or_else(|| nice(length / 100));
        let step = step.max(length / MAX_POINTS + 1);
        let gaps = length_of(&gaps_of(recording)).0;
        let segment = consumer::segment(recording.chunk_count(), SEGMENT);
        Self { steps: Steps { start, step }, start, end, gaps, segment }
    }

    /// Adds the contribution of the next chunk.
    pub(crate) fn merge(&self, all: &mut Part, part: Part) {
        all.merge(self.steps, part);
    }

    /// Adds an event whose fields were read.
    #[inline]
    fn add<'a>(
        &self,
        chunk: &Chunk<'a>,
        (number, source): (u16, &Source),
        row: &Row<'a, SLOTS>,
        segment: &mut Segment<'a>,
    ) {
        let part = &mut segment.part;
        let clock = chunk.clock();
        let steps = self.steps;
        let at = clock.nanos(row.get(START)).0;
        part.last = part.last.max(at);
        let lasted = || match source.duration {
            TimeUnit::Ticks => clock.elapsed(row.get(START), row.get(DURATION.of::<TickSpan>())).0,
            unit => clock.length(row.get(DURATION.of::<i64>()), unit).unwrap_or_default().0,
        };
        let int = |column: Column| row.get(column.of::<i64>());
        let float = |column: Column| row.get(column.of::<f64>());
        let flag = |column: Column| row.get(column.of::<bool>());
        let id = |column: Column| row.get(column.of::<u64>());
        let key = |column: Column| row.get(column.of::<ConstantKey>());
        match source.kind {
            Kind::Span(sum) => {
                let nanos = lasted();
                part.last = part.last.max(at.saturating_add(nanos));
                part.sum(sum).spread(steps, at, nanos.max(0));
            }
            Kind::Amount(sum) => part.sum(sum).add(steps, at, amount(int(A) as f64)),
            Kind::Event(sum) => part.sum(sum).add(steps, at, 1.0),
            Kind::Weighted(sum) => part.sum(sum).add(steps, at, amount(in_1024ths(float(A) * int(B) as f64))),
            Kind::AllocationSample => {
                let weight = amount(int(A) as f64);
                part.sum(Sum::Sampled).add(steps, at, weight);
                part.sampled_threads.entry(key(B)).or_default().add(at, weight);
            }
            Kind::ThreadStart => {
                part.sum(Sum::Starts).add(steps, at, 1.0);
                part.started.insert(key(A));
            }
            Kind::JvmStart => {
                part.jvm_start = part.jvm_start.or(clock.instant(int(A), TimeUnit::Millis).map(|at| at.0));
            }
            Kind::Value(gauge) => {
                let of = source.plan.as_ref().and_then(|plan| plan.kind(A));
                let value = match (source.value, of) {
                    (Some(unit), _) => clock.length(int(A), unit).unwrap_or_default().0 as f64 / 1e9,
                    (None, Some(jfr_parse::Kind::Float | jfr_parse::Kind::Double)) => float(A),
                    (None, _) => int(A) as f64,
                };
                part.gauge(gauge).push((at, amount(value)));
            }
            Kind::CpuLoad => {
                part.gauge(Gauge::JvmCpu).extend(load(float(A), float(B)).map(|load| (at, load)));
                part.gauge(Gauge::MachineCpu).extend(load(float(C), 0.0).map(|load| (at, load)));
            }
            Kind::ThreadCpuLoad => {
                part.threads.extend(load(float(A), float(B)).map(|load| (at, key(C), load)));
            }
            Kind::Processors => part.processors(int(A) as f64, false),
            Kind::Available => part.processors(int(A) as f64, true),
            Kind::CpuSample => segment.states.entry((number, key(A))).or_default().add(steps, at, 1.0),
            Kind::DatadogCpu => part.sum(Sum::Cpu).add(steps, at, amount(int(A) as f64)),
            Kind::CpuTime => {
                part.sum(Sum::CpuTime).add(steps, at, amount(clock.span(row.get(A.of::<TickSpan>())).0 as f64));
            }
            Kind::HeapSummary => {
                segment.heaps.push((at, (number, key(A)), amount(int(B) as f64)));
                if source.plan.as_ref().is_some_and(|plan| plan.has(C)) {
                    part.gauge(Gauge::HeapCommitted).push((at, amount(int(C) as f64)));
                }
            }
            Kind::DatadogHeap => {
                if flag(B) {
                    part.gauge(Gauge::HeapAfter).push((at, amount(int(A) as f64)));
                }
            }
            Kind::Metaspace => part.gauge(Gauge::Metaspace).push((at, amount(int(A) as f64))),
            Kind::ThreadStatistics => {
                part.gauge(Gauge::Threads).push((at, amount(int(A) as f64)));
                part.gauge(Gauge::ThreadsStarted).push((at, amount(int(B) as f64)));
            }
            Kind::Operation => {
                if flag(A) {
                    part.sum(Sum::Operations).spread(steps, at, lasted().max(0));
                }
            }
            Kind::SafepointBegin => part.safepoint(steps, id(A), Half::Begin(at)),
            // The event is at the end of its safepoint.
            Kind::SafepointEnd => part.safepoint(steps, id(A), Half::End(at.saturating_add(lasted().max(0)))),
            Kind::Setting => segment.settings.push((number, *row)),
        }
    }
}

impl Consumer for Reader {
    type Plans = Sources;
    type Ready<'c, 'a: 'c> = ();
    type State<'c, 'a: 'c> = ();
    type Part<'a> = Segment<'a>;
    type Yield = Part;

    fn plans(&self, chunk: &Chunk<'_>) -> Result<Sources> {
        Ok(Sources::new(chunk))
    }

    fn reads_constants(&self, sources: &Sources, of: Type<'_>) -> bool {
        sources.reads_constants(of)
    }

    fn reads_events(&self, sources: &Sources, of: Type<'_>) -> bool {
        sources.reads_events(of)
    }

    fn segment(&self) -> usize {
        self.segment
    }

    fn trace_type(&self, _: &Sources) -> Option<TypeId> {
        None
    }

    fn ready<'c, 'a: 'c>(&'c self, _: At<'c, 'a, Sources>, _: Option<&'c StackPlans>) {}

    fn state<'c, 'a: 'c>(&'c self, _: At<'c, 'a, Sources>) {}

    fn part<'a>(&self, sources: &Sources) -> Segment<'a> {
        Segment { counts: vec![0; sources.all.len()], ..Segment::default() }
    }

    #[inline]
    fn event<'c, 'a: 'c>(
        &'c self,
        at: &At<'c, 'a, Sources>,
        (): &(),
        (): &mut (),
        segment: &mut Segment<'a>,
        event: &RawEvent<'a>,
    ) {
        let Some((number, source)) = at.plans.get(event.type_id) else { return };
        let mut row = Row::default();
        if source.plan.as_ref().is_none_or(|plan| event.read_into(plan, &mut row).is_err()) {
            return;
        }
        if let Some(count) = segment.counts.get_mut(usize::from(number)) {
            *count += 1;
        }
        self.add(at.chunk, (number, source), &row, segment);
    }

    fn add_loss(&self, _: &mut Segment<'_>, _: Loss) {}

    fn close<'c, 'a: 'c>(&self, (): &mut (), segment: &mut Segment<'a>) -> usize {
        let bins: usize = segment.states.values().map(|amounts| amounts.bins.len().saturating_add(8)).sum();
        let lists = segment.heaps.len().saturating_mul(4).saturating_add(segment.settings.len().saturating_mul(8));
        segment.part.bytes().saturating_add(bins.saturating_add(lists).saturating_mul(8))
    }

    fn join<'a>(&self, whole: &mut Segment<'a>, later: Segment<'a>) {
        whole.part.merge(self.steps, later.part);
        for (count, more) in whole.counts.iter_mut().zip(later.counts) {
            *count += more;
        }
        for (state, amounts) in later.states {
            whole.states.entry(state).or_default().merge(&amounts);
        }
        whole.heaps.extend(later.heaps);
        whole.settings.extend(later.settings);
    }

    fn finish<'c, 'a: 'c>(
        &'c self,
        at: At<'c, 'a, Sources>,
        ended: &Ended<'_, 'c, 'a>,
        whole: Segment<'a>,
    ) -> Result<Part> {
        let texts = Texts { chunk: at.chunk, pools: ended.pools, sources: at.plans };
        let Segment { mut part, counts, states, heaps, settings } = whole;
        for (source, count) in at.plans.all.iter().zip(counts) {
            *part.counts.entry(source.name).or_default() += count;
        }
        for (state, amounts) in states {
            if !texts.constant(state).is_some_and(|state| state.contains("SLEEPING")) {
                part.sum(Sum::Cpu).merge(&amounts);
            }
        }
        let mut after: HashMap<Constant, bool> = HashMap::default();
        for (at, when, used) in heaps {
            let is_after = *after.entry(when).or_insert_with(|| texts.constant(when).as_deref() == Some("After GC"));
            part.gauge(if is_after { Gauge::HeapAfter } else { Gauge::HeapBefore }).push((at, used));
        }
        for (number, row) in settings {
            if let Some((_, source)) = at.plans.get(row.get(A.of::<TypeId>())) {
                let [name, value] = [B, C].map(|column| texts.field(number, column.of(), &row));
                part.settings.insert((source.name, name), value);
            }
        }
        part.settle();
        Ok(part)
    }
}

/// Looks up the texts of a chunk.
struct Texts<'t, 'a> {
    chunk: &'t Chunk<'a>,
    pools: &'t Pools<'a>,
    sources: &'t Sources,
}

impl<'a> Texts<'_, 'a> {
    fn plan(&self, number: u16) -> Option<&Plan<SLOTS>> {
        self.sources.all.get(usize::from(number))?.plan.as_ref()
    }

    /// The text of a constant, such as a state, if it has one.
    fn constant(&self, (number, key): Constant) -> Option<String> {
        let plan = self.plan(number).filter(|plan| plan.is_pooled(A))?;
        self.pools.string(self.chunk.metadata(), plan.type_id(A)?, key).decode().map(std::borrow::Cow::into_owned)
    }

    /// The text of a field; empty if it is null.
    fn field(&self, number: u16, column: Column<Text>, row: &Row<'a, SLOTS>) -> String {
        let text = self.plan(number).map(|plan| self.pools.text(self.chunk.metadata(), plan, row, column));
        text.and_then(|text| Some(text.decode()?.into_owned())).unwrap_or_default()
    }
}

/// The smallest step of 1, 2 or 5 times a power of ten that is at least this long.
fn nice(nanos: i64) -> i64 {
    let mut power = 1_000_000i64;
    loop {
        for factor in [1, 2, 5] {
            if power.saturating_mul(factor) >= nanos {
                return power.saturating_mul(factor);
            }
        }
        power = power.saturating_mul(10);
    }
}

/// A valid amount: negative values and NaN come from damaged files and count as 0.
fn amount(value: f64) -> f64 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}

/// Rounded to 1/1024, so that sums do not depend on the order.
fn in_1024ths(value: f64) -> f64 {
    (value * 1024.0).round() / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for (nanos, step) in [(1, 1_000_000), (300_000_000, 500_000_000), (600_000_000, 1_000_000_000)] {
            assert_eq!(nice(nanos), step);
        }
    }
}
