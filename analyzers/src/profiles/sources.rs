//! Which events contribute to which profiles, and which of their fields are needed.

use super::gather::Sums;
use super::options::{CpuSource, LabelKey};
use jfr_parse::{Column, ConstantKey, Text};
use jfrkit_profile::ProfileType;
use jfrkit_profile::index::{Id, IndexVec, at};

/// Number of fields read from an event.
pub(crate) const SLOTS: usize = 12;
pub(crate) const STACK: Column<ConstantKey> = Column::at(0);
pub(crate) const THREAD: Column<ConstantKey> = Column::at(1);
pub(crate) const TIME: Column<jfr_parse::Ticks> = Column::at(2);
/// The first amount; its meaning depends on [`Measure`].
pub(crate) const AMOUNT: Column<i64> = Column::at(3);
/// The second amount.
pub(crate) const SECOND: Column<i64> = Column::at(4);
/// A key of a class or a state.
pub(crate) const KEY: Column<ConstantKey> = Column::at(5);
pub(crate) const TEXT: Column<Text> = Column::at(6);
pub(crate) const PORT: Column<u64> = Column::at(7);
pub(crate) const SPAN: Column<u64> = Column::at(8);
pub(crate) const ROOT_SPAN: Column<u64> = Column::at(9);
/// The fallback for an empty text.
pub(crate) const OTHER_TEXT: Column<Text> = Column::at(10);
/// The duration, if it is needed and is not an amount.
pub(crate) const LASTED: Column<i64> = Column::at(11);

/// What an event adds to the values of its sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Only a count of one.
    Count,
    /// One, and the current period.
    Period,
    /// A weight (the first amount), and that many periods.
    Weight,
    /// One, and bytes.
    Bytes,
    /// One, and bytes: a floating-point weight multiplied by a size.
    WeightedBytes,
    /// One, and the time from the start to the end of the event.
    Ticks,
    /// One, and a number of ticks of CPU time; the second amount is whether the sample failed.
    CpuTicks,
    /// One, bytes (the second amount) and ticks (the first).
    BytesAndTicks,
}

impl Measure {
    /// Which of the sums of an event decides its last value.
    const fn last(self) -> usize {
        match self {
            Self::Count | Self::Period | Self::Weight => 0,
            Self::Bytes | Self::WeightedBytes | Self::Ticks | Self::CpuTicks => 1,
            Self::BytesAndTicks => 2,
        }
    }

    /// The sum of an event that decides its last value.
    pub(super) fn main(self, sums: Sums) -> i64 {
        at(&sums, self.last()).copied().unwrap_or(0)
    }

    /// The sums of an event whose main sum is this one. The other sums are wrong, except for the number of events.
    pub(super) fn sums(self, main: i64) -> Sums {
        let mut sums = [1, 0, 0];
        if let Some(sum) = sums.get_mut(self.last()) {
            *sum = main;
        }
        sums
    }
}

/// What decides where an event counts after its chunk has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Always in this profile.
    To(ProfileType),
    /// In `cpu`, unless there is a better source.
    Cpu(CpuSource),
    /// CPU, wall clock or something else, depending on the writer of the chunk and the thread state.
    ExecutionSample,
    /// An allocation, if every allocation is recorded.
    EveryAllocation,
    /// A sampled allocation. It counts in chunks that do not record every allocation.
    SampledAllocation,
    ClassLoad,
    /// A class definition. It counts in chunks without class loads.
    ClassDefine,
    ErrorThrow,
    /// A throw. It does not count if an error event records the same throw.
    ExceptionThrow,
    /// A park, on a lock or not, depending on the class.
    Park,
    /// A native allocation; tracked by address if freed memory does not count.
    Malloc,
    /// A free of native memory.
    Free,
}

/// An event type that contributes to profiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    /// Its current name.
    pub(crate) event: &'static str,
    pub(crate) route: Route,
    pub(crate) measure: Measure,
    /// Fields by slot; empty if the event has no such field.
    pub(crate) fields: [&'static str; SLOTS],
    /// The meaning of the key in [`KEY`].
    pub(crate) key: Option<LabelKey>,
    /// The meaning of the text in [`TEXT`].
    pub(crate) text: Option<LabelKey>,
}

const fn source(event: &'static str, route: Route, measure: Measure, amounts: [&'static str; 2]) -> Source {
    let fields = [
        "stackTrace",
        "eventThread",
        "startTime",
        amounts[0],
        amounts[1],
        "",
        "",
        "",
        "spanId",
        "localRootSpanId",
        "",
        "",
    ];
    Source { event, route, measure, fields, key: None, text: None }
}

impl Source {
    /// The field that is read for a column; empty for none.
    pub(crate) fn field<T>(&self, column: Column<T>) -> &'static str {
        self.fields.get(column.place()).copied().unwrap_or_default()
    }

    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    const fn with<T>(mut self, column: Column<T>, field: &'static str) -> Self {
        self.fields[column.place()] = field;
        self
    }

    const fn sampled(self) -> Self {
        self.with(THREAD, "sampledThread").state("state")
    }

    const fn state(mut self, field: &'static str) -> Self {
        self.key = Some(LabelKey::State);
        self.with(KEY, field)
    }

    const fn class(mut self, field: &'static str) -> Self {
        self.key = Some(LabelKey::Class);
        self.with(KEY, field)
    }

    const fn text(mut self, field: &'static str, label: LabelKey) -> Self {
        self.text = Some(label);
        self.with(TEXT, field)
    }

    const fn peer(self) -> Self {
        // Without a name lookup, the JVM knows only the address.
        self.with(PORT, "port").with(OTHER_TEXT, "address").text("host", LabelKey::Host)
    }

    /// The profile types to which it can contribute.
    pub(crate) fn kinds(&self) -> &'static [ProfileType] {
        use ProfileType as P;
        match self.route {
            Route::To(kind) => {
                P::ALL.iter().position(|k| *k == kind).and_then(|i| P::ALL.get(i..=i)).unwrap_or_default()
            }
            Route::Cpu(_) => &[P::Cpu],
            Route::ExecutionSample => &[P::Cpu, P::Wall, P::Event],
            Route::EveryAllocation | Route::SampledAllocation => &[P::Alloc],
            Route::ClassLoad | Route::ClassDefine => &[P::ClassLoad],
            Route::ErrorThrow | Route::ExceptionThrow => &[P::Error],
            Route::Park => &[P::Lock, P::Park],
            Route::Malloc | Route::Free => &[P::NativeAlloc],
        }
    }
}

use LabelKey::{Class, Path};
use Measure::{Bytes, BytesAndTicks, Count, CpuTicks, Period, Ticks, Weight, WeightedBytes};
use ProfileType as P;
use Route::To;

/// All sources. To add an event type to a profile, add a line here.
pub(crate) const SOURCES: &[Source] = &[
    source("datadog.ExecutionSample", Route::Cpu(CpuSource::DatadogExecutionSample), Weight, ["weight", ""])
        .state("state"),
    source("jdk.CPUTimeSample", Route::Cpu(CpuSource::CpuTimeSample), CpuTicks, ["samplingPeriod", "failed"]),
    source("jdk.ExecutionSample", Route::ExecutionSample, Period, ["", ""]).sampled(),
    source("jdk.NativeMethodSample", To(P::Native), Period, ["", ""]).sampled(),
    source("jdk.ObjectAllocationInNewTLAB", Route::EveryAllocation, Bytes, ["tlabSize", ""]).class("objectClass"),
    source("jdk.ObjectAllocationOutsideTLAB", Route::EveryAllocation, Bytes, ["allocationSize", ""])
        .class("objectClass"),
    source("jdk.ObjectAllocationSample", Route::SampledAllocation, Bytes, ["weight", ""]).class("objectClass"),
    source("datadog.ObjectSample", To(P::Alloc), WeightedBytes, ["weight", "size"]).class("objectClass"),
    source("jdk.ClassLoad", Route::ClassLoad, Ticks, ["duration", ""]),
    source("jdk.ClassDefine", Route::ClassDefine, Ticks, ["", ""]),
    source("jdk.JavaErrorThrow", Route::ErrorThrow, Count, ["", ""]).class("thrownClass"),
    source("jdk.JavaExceptionThrow", Route::ExceptionThrow, Count, ["", ""]).class("thrownClass"),
    source("datadog.ExceptionSample", To(P::Error), Count, ["", ""]).text("type", Class),
    source("jdk.FileRead", To(P::FileIo), BytesAndTicks, ["duration", "bytesRead"]).text("path", Path),
    source("jdk.FileWrite", To(P::FileIo), BytesAndTicks, ["duration", "bytesWritten"]).text("path", Path),
    source("jdk.FileForce", To(P::FileIo), BytesAndTicks, ["duration", ""]).text("path", Path),
    source("jdk.JavaMonitorEnter", To(P::Lock), Ticks, ["duration", ""]).class("monitorClass"),
    source("jdk.ThreadPark", Route::Park, Ticks, ["duration", ""]).class("parkedClass"),
    source("jdk.SocketRead", To(P::SocketIo), BytesAndTicks, ["duration", "bytesRead"]).peer(),
    source("jdk.SocketWrite", To(P::SocketIo), BytesAndTicks, ["duration", "bytesWritten"]).peer(),
    source("profiler.WallClockSample", To(P::Wall), Weight, ["samples", ""]).sampled(),
    source("datadog.MethodSample", To(P::Wall), Weight, ["weight", ""]).state("state"),
    source("jdk.OldObjectSample", To(P::Live), Bytes, ["objectSize", ""]).class("object"),
    source("profiler.LiveObject", To(P::Live), Bytes, ["allocationSize", ""]).class("objectClass"),
    source("datadog.HeapLiveObject", To(P::Live), WeightedBytes, ["weight", "size"]).class("objectClass"),
    source("jdk.JavaMonitorWait", To(P::Wait), Ticks, ["duration", ""]).class("monitorClass"),
    source("jdk.ThreadSleep", To(P::Sleep), Ticks, ["duration", ""]),
    source("jdk.VirtualThreadPinned", To(P::Pinned), Ticks, ["duration", ""]),
    source("profiler.Malloc", Route::Malloc, Bytes, ["size", "address"]),
    source("profiler.Free", Route::Free, Count, ["", "address"]),
    source("profiler.NativeLock", To(P::NativeLock), Ticks, ["duration", ""]),
    source("jdk.MethodTrace", To(P::MethodTrace), Ticks, ["duration", ""]),
];

crate::ids::ids! {
    /// A source: its index in [`SOURCES`].
    pub(crate) SourceId;
}

/// Something for each source, in the order of [`SOURCES`].
pub(crate) type BySource<T> = IndexVec<SourceId, T>;

impl SourceId {
    /// The source.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "only this file makes these handles, from indices")]
    pub(crate) fn source(self) -> &'static Source {
        &SOURCES[self.place()]
    }

    /// The handle as a number.
    #[inline]
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// The handle with this number, if there is such a source.
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        ((number as usize) < SOURCES.len()).then_some(Self(number))
    }

    /// All sources.
    pub(crate) fn all() -> impl Iterator<Item = Self> + Clone {
        (0..).map_while(Self::from_number)
    }
}

/// The same for each source.
pub(crate) fn by_source<T: Clone>(item: T) -> BySource<T> {
    BySource::filled(item, SOURCES.len())
}

/// The source with this event type.
pub(crate) fn source_of(event: &str) -> Option<SourceId> {
    SourceId::all().find(|id| id.source().event == event)
}

/// The profile types to which events of these types contribute, judging by their names.
pub(crate) fn types_of<'e>(events: impl Iterator<Item = &'e str>) -> Vec<ProfileType> {
    let kinds: Vec<ProfileType> =
        events.filter_map(source_of).filter_map(|id| id.source().kinds().first().copied()).collect();
    P::ALL.iter().copied().filter(|kind| kinds.contains(kind)).collect()
}
