//! The events that metrics are computed from, and their fields.

use jfr_parse::{Chunk, Column, Content, Plan, Ticks, TimeUnit, Type, TypeId};

use super::part::{Gauge, Sum};
use crate::engine::reachable::{TypeIds, reachable};
use crate::engine::type_map::TypeMap;

/// Number of fields read from an event: start, duration, and up to three numbers.
pub(super) const SLOTS: usize = 5;
pub(super) const START: Column<Ticks> = Column::at(0);
pub(super) const DURATION: Column = Column::at(1);
pub(super) const A: Column = Column::at(2);
pub(super) const B: Column = Column::at(3);
pub(super) const C: Column = Column::at(4);

/// How an event type is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Adds up the durations of its events.
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

/// The event types of a chunk that are read.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(super) all: Vec<Source>,
    by_type: TypeMap<u16>,
    /// The types of the constants that contain texts.
    texts: TypeIds,
}

/// An event type, and how its events are read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// `None` if an event of this type has too many fields, or has them nested too deeply.
    pub(super) plan: Option<Plan<SLOTS>>,
    /// The unit of the duration, and of the number in [`A`] if that is a time.
    pub(super) duration: TimeUnit,
    pub(super) value: Option<TimeUnit>,
}

impl Sources {
    pub(super) fn new(chunk: &Chunk<'_>) -> Self {
        let metadata = chunk.metadata();
        let (mut all, mut by_type) = (Vec::new(), TypeMap::default());
        for of in metadata.event_types() {
            let Some((name, kind, fields)) = EVENTS.iter().find(|(name, ..)| of.is_named(name)) else { continue };
            // Metadata may declare any number of types with one name.
            let Ok(number) = u16::try_from(all.len()) else { break };
            by_type.insert(of.id(), number);
            all.push(Source::new(chunk, of, name, *kind, *fields));
        }
        let texts = all.iter().flat_map(Source::texts);
        let texts = reachable(metadata, texts);
        Self { all, by_type, texts }
    }

    /// The source with events of this type, and its number.
    #[inline]
    pub(super) fn get(&self, id: TypeId) -> Option<(u16, &Source)> {
        let number = self.by_type.get(id)?;
        Some((number, self.all.get(usize::from(number))?))
    }

    pub(super) fn reads_events(&self, of: Type<'_>) -> bool {
        self.get(of.id()).is_some_and(|(_, source)| source.plan.is_some())
    }

    pub(super) fn reads_constants(&self, of: Type<'_>) -> bool {
        self.texts.contains(&of.id())
    }
}

impl Source {
    fn new(chunk: &Chunk<'_>, of: Type<'_>, name: &'static str, kind: Kind, fields: [&str; 3]) -> Self {
        let [a, b, c] = fields;
        let unit = |name: &str| match of.field(name).and_then(|field| field.content()) {
            Some(Content::Timespan(unit)) => Some(unit),
            _ => None,
        };
        Self {
            name,
            kind,
            // No field has an empty name.
            plan: chunk.plan(of, ["startTime", "duration", a, b, c]).ok(),
            duration: unit("duration").unwrap_or(TimeUnit::Ticks),
            value: unit(a),
        }
    }

    /// The types of the fields that contain texts.
    fn texts(&self) -> impl Iterator<Item = TypeId> {
        let columns: &[Column] = match self.kind {
            Kind::CpuSample | Kind::HeapSummary => &[A],
            Kind::Setting => &[B, C],
            _ => &[],
        };
        columns.iter().filter_map(|column| self.plan.as_ref()?.type_id(*column))
    }
}
