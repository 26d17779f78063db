//! Facts that a chunk contains about itself: settings in effect, the JVM, the profiler, lost data.

use std::collections::BTreeMap;
use std::sync::Arc;

use jfr_parse::{
    Chunk, ChunkOffset, Column, ConstantKey, EpochNanos, Plan, Pools, RawEvent, RawStr, Row, Text, Ticks, TypeId,
};

use crate::hash::HashMap;

use super::execution::is_async_profiler;
use super::load::{Loads, MAX_LOADS, load};
use super::options::Options;

/// Events that describe the recording rather than the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FactKind {
    ActiveSetting,
    ActiveRecording,
    JvmInformation,
    EnvironmentVariable,
    CpuSamplesLost,
    DataLoss,
    DatadogConfig,
    Endpoint,
    CpuLoad,
    CpuInformation,
    ThreadCpuLoad,
    ThreadStart,
    ThreadEnd,
}

impl FactKind {
    /// Whether only `--scale-cpu` needs it.
    pub(super) fn is_for_scaling(self) -> bool {
        matches!(self, Self::ThreadCpuLoad | Self::ThreadStart | Self::ThreadEnd)
    }

    pub(super) fn of(event: &str) -> Option<Self> {
        Some(match event {
            "jdk.ActiveSetting" => Self::ActiveSetting,
            "jdk.ActiveRecording" => Self::ActiveRecording,
            "jdk.JVMInformation" => Self::JvmInformation,
            "jdk.InitialEnvironmentVariable" => Self::EnvironmentVariable,
            "jdk.CPUTimeSamplesLost" => Self::CpuSamplesLost,
            "jdk.DataLoss" => Self::DataLoss,
            "datadog.DatadogProfilerConfig" => Self::DatadogConfig,
            "datadog.Endpoint" => Self::Endpoint,
            "jdk.CPULoad" => Self::CpuLoad,
            "jdk.CPUInformation" => Self::CpuInformation,
            "jdk.ThreadCPULoad" => Self::ThreadCpuLoad,
            "jdk.ThreadStart" => Self::ThreadStart,
            "jdk.ThreadEnd" => Self::ThreadEnd,
            _ => return None,
        })
    }
}

/// Values of settings, by the current name of the event type and the name of the setting.
type Settings = BTreeMap<String, BTreeMap<String, String>>;

/// Maximum number of settings to keep per chunk. A JVM writes a thousand.
const MAX_SETTINGS: usize = 1 << 14;
/// Maximum number of bytes to read from a text. All events may refer to a single long one.
const MAX_TEXT: usize = 1 << 10;
/// Maximum number of names of running recordings to keep per chunk.
const MAX_RECORDINGS: usize = 64;

/// Facts that a chunk contains about itself.
#[derive(Debug, Default, Clone)]
pub(crate) struct Facts {
    /// Shared with the chunks that inherit them.
    settings: Arc<Settings>,
    /// The names of the recordings that were running.
    pub(super) recordings: Vec<String>,
    pub(super) jvm_name: Option<String>,
    pub(super) jvm_version: Option<String>,
    /// The main class or JAR file, without arguments.
    pub(super) main: Option<String>,
    pub(super) host: Option<String>,
    pub(super) lost_samples: u64,
    pub(super) lost_bytes: u64,
    /// Sampling intervals of Datadog's profiler in milliseconds: CPU and wall clock.
    pub(super) datadog_interval_ms: Option<(i64, i64)>,
    /// Local root span ids and endpoints.
    pub(super) endpoints: Vec<(u64, String)>,
    /// The CPU loads, if the CPU profile needs them.
    pub(super) loads: Loads,
}

impl Facts {
    pub(super) fn gather<'a>(
        chunk: &Chunk<'a>,
        pools: &Pools<'a>,
        events: &[(FactKind, ChunkOffset)],
        options: &Options,
    ) -> Self {
        let reader = Reader { chunk, pools };
        let mut facts = Self::default();
        let of = |kind: FactKind| {
            events.iter().filter(move |(k, _)| *k == kind).filter_map(|(_, offset)| chunk.event_at(*offset))
        };
        let (mut settings, mut kept) = (Settings::new(), 0usize);
        for ([id], [name, value]) in reader.rows(of(FactKind::ActiveSetting), ["id"], ["name", "value"]) {
            let (Some(name), Some(value)) = (name, value) else { continue };
            // The id is valid only in this chunk, but the name is also valid in later ones.
            let Some(of) = chunk.metadata().by_id(TypeId(id)).filter(|of| of.name().len() <= MAX_TEXT) else {
                continue;
            };
            let of_type = settings.entry(of.canonical_name().into_owned()).or_default();
            if of_type.insert(name, value).is_none() {
                kept += 1;
            }
            if kept >= MAX_SETTINGS {
                break;
            }
        }
        facts.settings = Arc::new(settings);
        for ([], [name]) in reader.rows(of(FactKind::ActiveRecording).take(MAX_RECORDINGS), [], ["name"]) {
            facts.recordings.extend(name);
        }
        for ([], [name, version, java]) in
            reader.rows(of(FactKind::JvmInformation), [], ["jvmName", "jvmVersion", "javaArguments"])
        {
            facts.jvm_name = name.filter(|s| !s.is_empty());
            facts.jvm_version = version.and_then(|v| v.lines().next().map(str::to_owned));
            // Arguments may contain secrets; the first word is the program.
            facts.main = java.and_then(|j| j.split_whitespace().next().map(program));
        }
        for ([], [key, value]) in reader.rows(of(FactKind::EnvironmentVariable), [], ["key", "value"]) {
            if key.as_deref() == Some("HOSTNAME") {
                facts.host = value.filter(|h| !h.is_empty());
            }
        }
        for ([lost], []) in reader.rows(of(FactKind::CpuSamplesLost), ["lostSamples"], []) {
            facts.lost_samples = facts.lost_samples.saturating_add(lost);
        }
        for ([amount], []) in reader.rows(of(FactKind::DataLoss), ["amount"], []) {
            facts.lost_bytes = facts.lost_bytes.saturating_add(amount);
        }
        for ([cpu, wall], []) in reader.rows(of(FactKind::DatadogConfig), ["cpuInterval", "wallInterval"], []) {
            facts.datadog_interval_ms = Some((cpu.cast_signed(), wall.cast_signed()));
        }
        if options.wants(jfrkit_profile::ProfileType::Cpu) {
            let wanted = |at: i64| options.filter.range.contains(EpochNanos(at));
            let clock = chunk.clock();
            for row in reader.numbers(of(FactKind::CpuLoad).take(MAX_LOADS), ["startTime", "jvmUser", "jvmSystem"]) {
                let at = clock.nanos(row.get(START)).0;
                facts
                    .loads
                    .jvm
                    .extend(load(row.get(USER), row.get(SYSTEM)).filter(|_| wanted(at)).map(|load| (at, load)));
            }
            for row in reader.numbers(of(FactKind::CpuInformation).take(1), ["hwThreads"]) {
                facts.loads.hardware_threads =
                    Some(row.get(HARDWARE_THREADS)).filter(|n| (1..=MAX_HARDWARE).contains(n));
            }
            let fields = ["startTime", "user", "system", "eventThread"];
            for row in reader.numbers(of(FactKind::ThreadCpuLoad).take(MAX_LOADS), fields) {
                let at = clock.nanos(row.get(START)).0;
                let load = load(row.get(USER), row.get(SYSTEM)).filter(|_| wanted(at));
                facts.loads.threads.entry(row.get(LOADED_THREAD)).or_default().extend(load.map(|load| (at, load)));
            }
            facts.loads.threads.values_mut().for_each(|loads| loads.sort_by_key(|(at, _)| *at));
            for row in reader.numbers(of(FactKind::ThreadStart).take(MAX_LOADS), ["startTime", "thread"]) {
                facts.loads.starts.insert(row.get(THREAD), clock.nanos(row.get(START)).0);
            }
            for row in reader.numbers(of(FactKind::ThreadEnd).take(MAX_LOADS), ["startTime", "thread"]) {
                facts.loads.ends.insert(row.get(THREAD), clock.nanos(row.get(START)).0);
            }
        }
        if options.labels.contains(&super::LabelKey::TraceEndpoint) {
            for ([root], [endpoint]) in reader.rows(of(FactKind::Endpoint), ["localRootSpanId"], ["endpoint"]) {
                facts.endpoints.extend(endpoint.map(|e| (root, e)));
            }
        }
        facts
    }

    /// The value of a setting of an event type.
    pub(super) fn setting(&self, event: &str, name: &str) -> Option<&str> {
        self.settings.get(event)?.get(name).map(String::as_str)
    }

    /// The value of a setting of any event type.
    pub(super) fn any_setting(&self, name: &str) -> Option<&str> {
        self.settings.values().find_map(|of| of.get(name)).map(String::as_str)
    }

    /// Whether the chunk contains settings. Later chunks of async-profiler and Datadog's profiler do not repeat
    /// them.
    pub(super) fn has_settings(&self) -> bool {
        !self.settings.is_empty()
    }

    /// Inherits facts from an earlier chunk of the same writer that this chunk does not contain.
    pub(super) fn inherit(&mut self, earlier: &Self) {
        if self.settings.is_empty() {
            self.settings = earlier.settings.clone();
        }
        if self.recordings.is_empty() {
            self.recordings.clone_from(&earlier.recordings);
        }
        self.datadog_interval_ms = self.datadog_interval_ms.or(earlier.datadog_interval_ms);
    }

    /// Discards the settings.
    pub(super) fn forget_settings(&mut self) {
        self.settings = Arc::default();
    }

    /// Whether async-profiler wrote the chunk.
    pub(super) fn is_async_profiler(&self) -> bool {
        is_async_profiler(self.recordings.iter().map(String::as_str))
    }
}

/// `/opt/app/server.jar` becomes `server.jar`; a class name stays unchanged.
fn program(word: &str) -> String {
    word.rsplit(['/', '\\']).next().unwrap_or(word).to_owned()
}

/// A column of events with times.
const START: Column<Ticks> = Column::at(0);
/// Columns of loads, of the JVM or of a thread.
const USER: Column<f64> = Column::at(1);
const SYSTEM: Column<f64> = Column::at(2);
const LOADED_THREAD: Column<ConstantKey> = Column::at(3);
/// A column of starts and ends of threads.
const THREAD: Column<ConstantKey> = Column::at(1);
const HARDWARE_THREADS: Column<u64> = Column::at(0);

struct Reader<'c, 'a> {
    chunk: &'c Chunk<'a>,
    pools: &'c Pools<'a>,
}

/// More hardware threads than any machine has.
const MAX_HARDWARE: u64 = 1 << 16;

impl<'a> Reader<'_, 'a> {
    /// The numbers of each event; unreadable events are skipped.
    fn numbers<'e, const N: usize>(
        &'e self,
        events: impl Iterator<Item = RawEvent<'a>> + 'e,
        fields: [&'static str; N],
    ) -> impl Iterator<Item = Row<'a, N>> + 'e
    where
        'a: 'e,
    {
        let mut plans: HashMap<TypeId, Option<Plan<N>>> = HashMap::default();
        events.filter_map(move |event| {
            let plan = || self.chunk.plan(self.chunk.metadata().by_id(event.type_id)?, fields).ok();
            plans.entry(event.type_id).or_insert_with(plan).as_ref()?.read(event.payload).ok()
        })
    }

    /// The numbers and texts of each event; unreadable events are skipped.
    fn rows<'e, const N: usize, const T: usize>(
        &'e self,
        events: impl Iterator<Item = RawEvent<'a>> + 'e,
        numbers: [&'static str; N],
        texts: [&'static str; T],
    ) -> impl Iterator<Item = ([u64; N], [Option<String>; T])> + 'e
    where
        'a: 'e,
    {
        // Several types of the same name may alternate.
        let mut plans: HashMap<TypeId, Option<(Plan<N>, Plan<T>)>> = HashMap::default();
        events.filter_map(move |event| {
            let plan = || {
                let of = self.chunk.metadata().by_id(event.type_id)?;
                Some((self.chunk.plan(of, numbers).ok()?, self.chunk.plan(of, texts).ok()?))
            };
            let (n, t) = plans.entry(event.type_id).or_insert_with(plan).as_ref()?;
            let (number, text) = (n.read(event.payload).ok()?, t.read(event.payload).ok()?);
            let numbers = n.columns().map(|column| number.get(column.of::<u64>()));
            let texts =
                t.columns().map(|column| decode(self.pools.text(self.chunk.metadata(), t, &text, column.of::<Text>())));
            Some((numbers, texts))
        })
    }
}

fn decode(raw: RawStr<'_>) -> Option<String> {
    raw.cut(MAX_TEXT).decode().map(std::borrow::Cow::into_owned)
}
