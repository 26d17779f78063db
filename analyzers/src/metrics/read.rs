//! Reads what one chunk contributes to the metrics.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use jfr_parse::{
    Chunk, Column, ConstantKey, Content, Plan, RawStr, Recording, Row, Text, TickSpan, Ticks, TimeUnit, Type, TypeId,
};

use super::MAX_POINTS;
use super::series::{Amounts, Samples, Steps};
use crate::engine::reachable::Reachable;
use crate::profiles::load;

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Number of fields read from an event: start, duration, and up to three numbers.
const SLOTS: usize = 5;
const START: Column<Ticks> = Column::at(0);
const DURATION: Column = Column::at(1);
const A: Column = Column::at(2);
const B: Column = Column::at(3);
const C: Column = Column::at(4);

/// Amounts that are summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sum {
    /// Bytes of TLABs and of allocations outside of TLABs.
    Tlab,
    /// Bytes represented by allocation samples.
    Sampled,
    /// Seconds of GC pauses.
    Pause,
    /// Garbage collections.
    Collections,
    /// Seconds waiting for monitors.
    Lock,
    /// Seconds of file I/O.
    File,
    /// Seconds of socket I/O.
    Socket,
    /// Seconds represented by samples in native code.
    Native,
    /// Seconds of CPU time represented by samples.
    Cpu,
    /// Exceptions and errors.
    Throws,
    /// Threads started.
    Starts,
    /// Seconds of VM operations at safepoints.
    Operations,
    /// Seconds from the beginning to the end of safepoints.
    Safepoints,
}

pub(super) const SUMS: usize = 13;

/// Values at points in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gauge {
    JvmCpu,
    MachineCpu,
    HeapAfter,
    HeapBefore,
    HeapCommitted,
    Metaspace,
    Resident,
    Threads,
    ThreadsStarted,
    Throwables,
    Classes,
    CompileSeconds,
    Switches,
}

pub(super) const GAUGES: usize = 13;

/// How an event type is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Adds up its duration.
    Span(Sum),
    /// Adds up the number in [`A`].
    Amount(Sum),
    /// Counts events.
    Event(Sum),
    /// Uses the number in [`A`] as a value.
    Value(Gauge),
    CpuLoad,
    ThreadCpuLoad,
    /// The hardware threads of the machine.
    Processors,
    /// The hardware threads available to the process.
    Available,
    Weighted(Sum),
    AllocationSample,
    ThreadStart,
    JvmStart,
    CpuSample,
    DatadogCpu,
    CpuTime,
    HeapSummary,
    DatadogHeap,
    Metaspace,
    ThreadStatistics,
    Operation,
    SafepointBegin,
    SafepointEnd,
    Setting,
}

/// The event types that are read, with their fields.
const EVENTS: &[(&str, Kind, [&str; 3])] = &[
    ("jdk.CPULoad", Kind::CpuLoad, ["jvmUser", "jvmSystem", "machineTotal"]),
    ("jdk.ThreadCPULoad", Kind::ThreadCpuLoad, ["user", "system", "eventThread"]),
    ("jdk.CPUInformation", Kind::Processors, ["hwThreads", "", ""]),
    ("datadog.AvailableProcessorCores", Kind::Available, ["availableProcessorCores", "", ""]),
    ("jdk.ObjectAllocationInNewTLAB", Kind::Amount(Sum::Tlab), ["tlabSize", "", ""]),
    ("jdk.ObjectAllocationOutsideTLAB", Kind::Amount(Sum::Tlab), ["allocationSize", "", ""]),
    ("jdk.ObjectAllocationSample", Kind::AllocationSample, ["weight", "eventThread", ""]),
    ("datadog.ObjectSample", Kind::Weighted(Sum::Sampled), ["weight", "size", ""]),
    ("jdk.GCPhasePause", Kind::Span(Sum::Pause), [""; 3]),
    ("jdk.GarbageCollection", Kind::Event(Sum::Collections), [""; 3]),
    ("jdk.GCHeapSummary", Kind::HeapSummary, ["when", "heapUsed", "heapSpace.committedSize"]),
    ("datadog.HeapUsage", Kind::DatadogHeap, ["size", "isLive", ""]),
    ("jdk.MetaspaceSummary", Kind::Metaspace, ["metaspace.used", "", ""]),
    ("jdk.ResidentSetSize", Kind::Value(Gauge::Resident), ["size", "", ""]),
    ("jdk.JavaThreadStatistics", Kind::ThreadStatistics, ["activeCount", "accumulatedCount", ""]),
    ("jdk.ThreadStart", Kind::ThreadStart, ["thread", "", ""]),
    ("jdk.JVMInformation", Kind::JvmStart, ["jvmStartTime", "", ""]),
    ("jdk.ExceptionStatistics", Kind::Value(Gauge::Throwables), ["throwables", "", ""]),
    ("jdk.JavaExceptionThrow", Kind::Event(Sum::Throws), [""; 3]),
    ("datadog.ExceptionSample", Kind::Event(Sum::Throws), [""; 3]),
    ("jdk.JavaMonitorEnter", Kind::Span(Sum::Lock), [""; 3]),
    ("jdk.FileRead", Kind::Span(Sum::File), [""; 3]),
    ("jdk.FileWrite", Kind::Span(Sum::File), [""; 3]),
    ("jdk.FileForce", Kind::Span(Sum::File), [""; 3]),
    ("jdk.SocketRead", Kind::Span(Sum::Socket), [""; 3]),
    ("jdk.SocketWrite", Kind::Span(Sum::Socket), [""; 3]),
    ("jdk.NativeMethodSample", Kind::Event(Sum::Native), [""; 3]),
    ("jdk.ExecutionSample", Kind::CpuSample, ["state", "", ""]),
    ("datadog.ExecutionSample", Kind::DatadogCpu, ["weight", "", ""]),
    ("jdk.CPUTimeSample", Kind::CpuTime, ["samplingPeriod", "", ""]),
    ("jdk.ClassLoadingStatistics", Kind::Value(Gauge::Classes), ["loadedClassCount", "", ""]),
    ("jdk.CompilerStatistics", Kind::Value(Gauge::CompileSeconds), ["totalTimeSpent", "", ""]),
    ("jdk.ThreadContextSwitchRate", Kind::Value(Gauge::Switches), ["switchRate", "", ""]),
    ("jdk.ExecuteVMOperation", Kind::Operation, ["safepoint", "", ""]),
    ("jdk.SafepointBegin", Kind::SafepointBegin, ["safepointId", "", ""]),
    ("jdk.SafepointEnd", Kind::SafepointEnd, ["safepointId", "", ""]),
    ("jdk.ActiveSetting", Kind::Setting, ["id", "name", "value"]),
];

/// Reads chunks; see [`Metrics::of`](super::Metrics::of).
#[derive(Debug)]
pub struct Reader {
    pub(super) steps: Steps,
    pub(super) start: i64,
    /// The end according to the headers, if all of them have one.
    pub(super) end: Option<i64>,
}

/// The contribution of chunks; merge parts in file order.
#[derive(Debug, Default)]
pub struct Part {
    pub(super) sums: [Amounts; SUMS],
    pub(super) gauges: [Samples; GAUGES],
    /// CPU load of threads: time, thread, load.
    pub(super) threads: Vec<(i64, ConstantKey, f64)>,
    /// The number of hardware threads, and whether it is the number available to the process.
    pub(super) processors: Option<(f64, bool)>,
    /// The last value of each event setting.
    pub(super) settings: BTreeMap<(String, String), String>,
    /// The number of events of each type that is read; 0 for a type that is only declared.
    pub(super) counts: BTreeMap<String, u64>,
    /// The time of the last event.
    pub(super) last: i64,
    /// Beginnings of safepoints that end in a later chunk.
    safepoints: Map<u64, i64>,
    /// The first sample of each thread, by key, and the largest other sample.
    pub(super) sampled_threads: Map<ConstantKey, First>,
    /// The keys of the threads that were started.
    pub(super) started: hashbrown::HashSet<ConstantKey, foldhash::fast::RandomState>,
    /// The start time of the JVM.
    pub(super) jvm_start: Option<i64>,
    /// Whether allocation was taken from samples in some chunk, and from TLABs in some chunk.
    pub(super) sampled: bool,
    pub(super) tlab: bool,
}

/// The first sample of a thread. It represents everything that the thread allocated before, including before
/// the recording.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct First {
    pub(super) at: i64,
    pub(super) weight: f64,
    /// The largest weight among the other samples.
    pub(super) other: f64,
    any: bool,
}

impl First {
    #[inline]
    fn add(&mut self, at: i64, weight: f64) {
        if !self.any || at < self.at {
            *self = Self { at, weight, other: if self.any { self.other.max(self.weight) } else { 0.0 }, any: true };
        } else {
            self.other = self.other.max(weight);
        }
    }

    /// How much it exceeds the weight of the thread's other samples.
    pub(super) fn excess(&self) -> f64 {
        (self.weight - self.other).max(0.0)
    }
}

struct Source {
    kind: Kind,
    plan: Plan<SLOTS>,
    /// The unit of the duration, and of the number in [`A`] if that is a time.
    duration: TimeUnit,
    value: Option<TimeUnit>,
    count: u64,
}

impl Reader {
    /// Creates a reader for the chunks of this recording.
    #[must_use]
    pub fn new(recording: &Recording<'_>, step_nanos: Option<i64>) -> Self {
        let headers = || recording.headers().map(|(_, header)| header);
        let start = headers().map(|header| header.start_nanos.0).min().unwrap_or(0);
        let known = headers().all(|header| header.duration_nanos.0 > 0);
        let end = headers().map(|header| header.end_nanos().0).max();
        let end = end.filter(|_| known);
        let length = end.map_or(60_000_000_000, |end| end.saturating_sub(start)).max(1);
        let step = step_nanos.filter(|step| *step > 0).unwrap_or_else(|| nice(length / 100));
        let step = step.max(length / MAX_POINTS + 1);
        Self { steps: Steps { start, step }, start, end }
    }

    /// Reads the events of a chunk that the metrics need.
    #[must_use]
    pub fn read(&self, chunk: &Chunk<'_>) -> Part {
        let mut part = Part::default();
        let metadata = chunk.metadata();
        let mut sources: Map<TypeId, Source> = Map::default();
        for of in metadata.event_types() {
            let Some((name, kind, fields)) = EVENTS.iter().find(|(name, ..)| of.is_named(name)) else { continue };
            part.counts.insert((*name).to_owned(), 0);
            sources.extend(source(chunk, of, *kind, *fields).map(|source| (of.id(), source)));
        }
        let mut constants = Reachable::new(metadata, sources.values().map(|source| &source.plan));
        let mut after: Map<ConstantKey, bool> = Map::default();
        let mut asleep: Map<ConstantKey, bool> = Map::default();
        for (i, event) in chunk.events().enumerate() {
            if i.is_multiple_of(1 << 12) && chunk.stop().is_raised() {
                break;
            }
            let Some(source) = sources.get_mut(&event.type_id) else { continue };
            constants.index(chunk);
            let mut row = Row::default();
            if event.read_into(&source.plan, &mut row).is_err() {
                continue;
            }
            source.count += 1;
            self.event(chunk, source, &row, &mut part, &mut after, &mut asleep);
        }
        for (id, source) in &sources {
            if let Some(of) = metadata.by_id(*id) {
                *part.counts.entry(of.canonical_name().into_owned()).or_default() += source.count;
            }
        }
        part.settle(self.steps);
        part
    }

    #[inline]
    fn event<'a>(
        &self,
        chunk: &Chunk<'a>,
        source: &Source,
        row: &Row<'a, SLOTS>,
        part: &mut Part,
        after: &mut Map<ConstantKey, bool>,
        asleep: &mut Map<ConstantKey, bool>,
    ) {
        let clock = chunk.clock();
        let steps = self.steps;
        let at = clock.nanos(row.get(START)).0;
        part.last = part.last.max(at);
        let lasted = || match source.duration {
            TimeUnit::Ticks => clock.lasted(row.get(START), row.get(DURATION.of::<TickSpan>())).0,
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
            Kind::Weighted(sum) => part.sum(sum).add(steps, at, amount(float(A) * int(B) as f64)),
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
                part.jvm_start = clock.instant(int(A), TimeUnit::Millis).map(|at| at.0).or(part.jvm_start)
            }
            Kind::Value(gauge) => {
                let value = match (source.value, source.plan.kind(A)) {
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
            Kind::Processors | Kind::Available => {
                let (value, available) = (int(A) as f64, source.kind == Kind::Available);
                if value > 0.0 && part.processors.is_none_or(|(_, best)| available || !best) {
                    part.processors = Some((value, available));
                }
            }
            Kind::CpuSample => {
                let sleeps = *asleep.entry(key(A)).or_insert_with(|| {
                    text_of(chunk, &source.plan, A, key(A)).is_some_and(|state| state.contains("SLEEPING"))
                });
                if !sleeps {
                    part.sum(Sum::Cpu).add(steps, at, 1.0);
                }
            }
            Kind::DatadogCpu => part.sum(Sum::Cpu).add(steps, at, amount(int(A) as f64)),
            Kind::CpuTime => {
                part.sum(Sum::Cpu).add(steps, at, amount(clock.span(row.get(A.of::<TickSpan>())).0 as f64 / 1e9));
            }
            Kind::HeapSummary => {
                let is_after = *after
                    .entry(key(A))
                    .or_insert_with(|| text_of(chunk, &source.plan, A, key(A)).is_some_and(|when| when == "After GC"));
                part.gauge(if is_after { Gauge::HeapAfter } else { Gauge::HeapBefore })
                    .push((at, amount(int(B) as f64)));
                if source.plan.has(C) {
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
            Kind::SafepointBegin => {
                part.safepoints.insert(id(A), at);
            }
            Kind::SafepointEnd => {
                let end = at.saturating_add(lasted().max(0));
                if let Some(begin) = part.safepoints.remove(&id(A)) {
                    part.sum(Sum::Safepoints).spread(steps, begin.min(at), end.saturating_sub(begin.min(at)));
                } else {
                    // It is at the end of its safepoint.
                    part.safepoints.insert(id(A) ^ ENDED, end);
                }
            }
            Kind::Setting => {
                if let Some(of) = chunk.metadata().by_id(row.get(A.of::<TypeId>())) {
                    let text = |column: Column| string_of(chunk, &source.plan, row, column.of());
                    part.settings.insert((of.canonical_name().into_owned(), text(B)), text(C));
                }
            }
        }
    }
}

/// Marks the ids of safepoints whose end was read before their beginning.
const ENDED: u64 = 1 << 63;

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

fn source(chunk: &Chunk<'_>, of: Type<'_>, kind: Kind, fields: [&str; 3]) -> Option<Source> {
    let unused = ["\u{0}0", "\u{0}1", "\u{0}2"];
    let named = |i: usize| fields.get(i).copied().filter(|name| !name.is_empty()).or_else(|| unused.get(i).copied());
    let plan = chunk.plan(of, ["startTime", "duration", named(0)?, named(1)?, named(2)?]).ok()?;
    let unit = |name: &str| match of.field(name).and_then(|field| field.content()) {
        Some(Content::Timespan(unit)) => Some(unit),
        _ => None,
    };
    let duration = unit("duration").unwrap_or(TimeUnit::Ticks);
    let value = fields.first().and_then(|name| unit(name));
    Some(Source { kind, plan, duration, value, count: 0 })
}

/// A valid amount: negative values and NaN come from damaged files and count as 0.
fn amount(value: f64) -> f64 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}

/// The text of a constant, such as a state, if it has one.
fn text_of(chunk: &Chunk<'_>, plan: &Plan<SLOTS>, column: Column, key: ConstantKey) -> Option<String> {
    let type_id = plan.type_id(column).filter(|_| plan.is_pooled(column))?;
    chunk.pools().string(chunk.metadata(), type_id, key).decode().map(std::borrow::Cow::into_owned)
}

fn string_of(chunk: &Chunk<'_>, plan: &Plan<SLOTS>, row: &Row<'_, SLOTS>, column: Column<Text>) -> String {
    let text = match (plan.type_id(column), row.get(column)) {
        (Some(type_id), raw @ RawStr::Pooled(_)) => chunk.pools().resolve(type_id, raw).decode(),
        (_, raw) => raw.decode(),
    };
    text.map(std::borrow::Cow::into_owned).unwrap_or_default()
}

impl Part {
    #[inline]
    fn sum(&mut self, sum: Sum) -> &mut Amounts {
        #[expect(clippy::indexing_slicing, reason = "there is one for each")]
        &mut self.sums[sum as usize]
    }

    #[inline]
    fn gauge(&mut self, gauge: Gauge) -> &mut Samples {
        #[expect(clippy::indexing_slicing, reason = "there is one for each")]
        &mut self.gauges[gauge as usize]
    }

    /// Subtracts an amount that was added in excess.
    pub(super) fn take(&mut self, sum: Sum, steps: Steps, at: i64, amount: f64) {
        self.sum(sum).take(steps, at, amount);
    }

    pub(super) fn amounts(&self, sum: Sum) -> &Amounts {
        #[expect(clippy::indexing_slicing, reason = "there is one for each")]
        &self.sums[sum as usize]
    }

    pub(super) fn samples(&self, gauge: Gauge) -> &Samples {
        #[expect(clippy::indexing_slicing, reason = "there is one for each")]
        &self.gauges[gauge as usize]
    }

    /// Handles what depends on the whole chunk: the weights of samples, and which events measure allocation.
    fn settle(&mut self, steps: Steps) {
        self.late_safepoints(steps);
        let native = self.seconds(&[("jdk.NativeMethodSample", "period")]).unwrap_or(0.02);
        self.sum(Sum::Native).scale(native);
        let count = |name: &str| self.counts.get(name).copied().unwrap_or(0);
        if count("jdk.CPUTimeSample") == 0 {
            let period = if count("datadog.ExecutionSample") > 0 {
                self.seconds(&[("datadog.ExecutionSample", "interval")]).unwrap_or(0.01)
            } else {
                let known = self.seconds(&[("jdk.ExecutionSample", "period"), ("jdk.ExecutionSample", "interval")]);
                known.filter(|seconds| *seconds > 0.0).unwrap_or(0.01)
            };
            self.sum(Sum::Cpu).scale(period);
        }
        // Both kinds of events describe the same allocations.
        self.tlab = self.amounts(Sum::Tlab).count > 0;
        self.sampled = !self.tlab && self.amounts(Sum::Sampled).count > 0;
        if self.tlab {
            *self.sum(Sum::Sampled) = Amounts::default();
            self.sampled_threads.clear();
        }
    }

    /// The first of these settings that is a duration, in seconds.
    fn seconds(&self, settings: &[(&str, &str)]) -> Option<f64> {
        let value = |(event, name): &(&str, &str)| self.settings.get(&((*event).to_owned(), (*name).to_owned()));
        settings.iter().find_map(|setting| seconds(value(setting)?))
    }

    /// Adds the contribution of a later chunk.
    pub fn merge(&mut self, later: Self) {
        for (sum, more) in self.sums.iter_mut().zip(&later.sums) {
            sum.merge(more);
        }
        for (samples, more) in self.gauges.iter_mut().zip(later.gauges) {
            samples.extend(more);
        }
        self.threads.extend(later.threads);
        for (thread, first) in later.sampled_threads {
            let known = self.sampled_threads.entry(thread).or_insert(First { other: 0.0, ..first });
            known.other = known.other.max(first.other);
            if known.at != first.at {
                known.other = known.other.max(first.weight);
            }
        }
        self.started.extend(later.started);
        self.jvm_start = self.jvm_start.or(later.jvm_start);
        if self.processors.is_none_or(|(_, best)| !best) {
            self.processors = later.processors.or(self.processors);
        }
        self.settings.extend(later.settings);
        for (name, count) in later.counts {
            *self.counts.entry(name).or_default() += count;
        }
        self.last = self.last.max(later.last);
        self.tlab |= later.tlab;
        self.sampled |= later.sampled;
    }

    /// Adds safepoints whose end was read before their beginning.
    fn late_safepoints(&mut self, steps: Steps) {
        let ends: Vec<(u64, i64)> =
            self.safepoints.iter().filter(|(id, _)| **id & ENDED != 0).map(|(id, end)| (*id ^ ENDED, *end)).collect();
        for (id, end) in ends {
            if let Some(begin) = self.safepoints.remove(&id) {
                self.sum(Sum::Safepoints).spread(steps, begin, end.saturating_sub(begin).max(0));
            }
        }
    }
}

/// Parses the duration in a setting (`20 ms`, or nanoseconds) to seconds.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = match unit.trim() {
        "" | "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
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

    #[test]
    fn lengths_of_settings() {
        assert_eq!(seconds("20 ms"), Some(0.02));
        assert_eq!(seconds("10000000"), Some(0.01));
        assert_eq!(seconds("everyChunk"), None);
    }
}
