//! The facts about a recording: what the rules asked for, and what all of them share.
//!
//! Each kind of fact has a file: the events of a type (`table.rs`), sums of events by key (`groups.rs`), counts
//! of all types (`events.rs`), settings, the JVM, stacks. `missing.rs` explains why a rule does not apply.
//! Filling the facts with events belongs in `events/read`, judging them in rules. Start with [`Facts`] in this
//! file, then `table.rs` and `groups.rs`.

mod bounded;
mod column;
mod events;
mod groups;
mod jvm;
mod methods;
mod missing;
mod once;
mod setting;
mod stack;
mod table;
mod thread;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use events::{EventFacts, Presence};
pub use groups::{Group, Groups, Picked};
pub(crate) use groups::{GroupsData, Key, Sample};
pub use jvm::{Jvm, JvmVersion};
pub use setting::SettingValue;
pub use setting::parse_timespan;
pub(crate) use table::TableData;
pub use table::{Event, Table};
pub use thread::ThreadInfo;

use super::cell::ThreadId;
use super::methods::MethodSet;
use super::names::Names;
use super::needs::{GroupBy, TableNeed};
use crate::math::Window;
use crate::rule::Text;
use crate::time_range::TimeRange;
use jfrkit_profile::{StrId, Tables};

/// The facts about a recording.
///
/// In addition to the tables and groups that rules ask for, some facts are always available: counts of all
/// event types ([`event`](Self::event)), settings ([`settings_of`](Self::settings_of)), the JVM
/// ([`jvm`](Self::jvm)), its flags ([`flag`](Self::flag)) and system properties ([`property`](Self::property)),
/// and the tables `jdk.JVMInformation`, `jdk.CPUInformation`, `jdk.GCConfiguration`, `jdk.GCHeapConfiguration`
/// and `jdk.InitialSystemProperty` with all their fields.
#[derive(Debug)]
pub struct Facts {
    pub(crate) names: Arc<Tables>,
    pub(crate) threads: Vec<ThreadInfo>,
    pub(crate) events: BTreeMap<String, EventFacts>,
    pub(crate) tables: BTreeMap<Text, TableData>,
    pub(crate) groups: Vec<GroupsData>,
    /// The method sets that rules look for on stacks.
    pub(crate) methods: Vec<MethodSet>,
    pub(crate) chunks: usize,
    /// How many chunks cannot be read at all.
    pub(crate) unread_chunks: usize,
    /// The fields of `jdk.ActiveSetting` in the first chunk that declares it.
    pub(crate) first_shape: Option<String>,
    /// Start and end according to the chunk headers.
    pub(crate) header_range: (i64, i64),
    /// The time range to which the analysis is limited.
    pub(crate) range: TimeRange,
    /// The gaps between chunks during which nothing was recorded, ascending.
    pub(crate) gaps: Vec<Window>,
    /// What could not be read.
    pub(crate) warnings: Vec<String>,
    /// What was omitted to limit memory.
    pub(crate) notes: Vec<String>,
    pub(crate) empty: TableData,
    /// Raised when the analysis should end: by its options, or by the recording.
    pub(crate) stops: [jfr_parse::Stop; 2],
    pub(crate) lazy: Lazy,
}

/// Facts computed on first use.
#[derive(Debug, Default)]
pub(crate) struct Lazy {
    jvm: std::sync::OnceLock<Jvm>,
    settings: std::sync::OnceLock<setting::Index>,
    flags: std::sync::OnceLock<jvm::Flags>,
    stacks: stack::Memo,
    membership: std::sync::OnceLock<methods::Membership>,
    computed: once::Computed,
}

/// The fields that an event type has in its chunk.
pub(crate) const SHAPE: &str = "@shape";

/// The tables that are always read.
pub(crate) const ALWAYS: &[TableNeed] = &[
    table("jdk.ActiveSetting", &["id", SHAPE, "name", "value"], 400_000),
    table("jdk.ActiveRecording", &["name"], 10_000),
    table(
        "jdk.JVMInformation",
        &["jvmName", "jvmVersion", "jvmArguments", "jvmFlags", "javaArguments", "jvmStartTime", "pid"],
        10_000,
    ),
    table("jdk.CPUInformation", &["cpu", "sockets", "cores", "hwThreads"], 10_000),
    table(
        "jdk.GCConfiguration",
        &[
            "youngCollector",
            "oldCollector",
            "parallelGCThreads",
            "concurrentGCThreads",
            "usesDynamicGCThreads",
            "isExplicitGCConcurrent",
            "isExplicitGCDisabled",
            "pauseTarget",
            "gcTimeRatio",
        ],
        10_000,
    ),
    table(
        "jdk.GCHeapConfiguration",
        &["minSize", "maxSize", "initialSize", "usesCompressedOops", "compressedOopsMode", "objectAlignment"],
        10_000,
    ),
    table("jdk.ContainerConfiguration", &["containerType", "cpuSlicePeriod", "cpuQuota", "memoryLimit"], 10_000),
    table("jdk.InitialSystemProperty", &["key", "value"], 50_000),
    table("jdk.BooleanFlag", &["name", "value"], 50_000),
    table("jdk.IntFlag", &["name", "value"], 50_000),
    table("jdk.UnsignedIntFlag", &["name", "value"], 50_000),
    table("jdk.LongFlag", &["name", "value"], 50_000),
    table("jdk.UnsignedLongFlag", &["name", "value"], 50_000),
    table("jdk.DoubleFlag", &["name", "value"], 50_000),
    table("jdk.StringFlag", &["name", "value"], 50_000),
];

const fn table(event: &'static str, fields: &'static [&'static str], cap: usize) -> TableNeed {
    TableNeed { event: Text::Borrowed(event), fields: Names::constant(fields), cap }
}

impl Facts {
    /// The events of a type that the rule requested with [`Needs::table`](super::Needs::table).
    #[must_use]
    pub fn table(&self, event: &str) -> Table<'_> {
        Table { facts: self, data: self.tables.get(event).unwrap_or(&self.empty) }
    }

    /// The sums that the rule requested with [`Needs::groups`](super::Needs::groups).
    #[must_use]
    pub fn groups(&self, by: &GroupBy) -> Groups<'_> {
        Groups { facts: self, data: self.groups.iter().find(|g| g.by == *by) }
    }

    /// Start of the first event of any type, requested or not, in nanoseconds since the Unix epoch. It is never
    /// before the first chunk, because some events refer to the distant past, such as the allocation of an
    /// object that is still alive. If the analysis is limited to a time range, the start of that range.
    #[must_use]
    pub fn start(&self) -> i64 {
        let (chunk, end) = (self.header_range.0, self.end());
        let first = self.inside().map(|e| e.first).min().unwrap_or(chunk);
        let first = if chunk <= end { first.max(chunk) } else { first };
        // It may be long before the first event.
        self.range.from.map_or(first, |from| from.0.max(chunk).min(first))
    }

    /// End of the last event. If the analysis is limited to a time range, the end of that range.
    #[must_use]
    pub fn end(&self) -> i64 {
        let last = self.inside().map(|e| e.last).max();
        let last = last.unwrap_or(self.header_range.1);
        self.range.to.map_or(last, |to| to.0.min(self.header_range.1).max(last))
    }

    /// End of the event that ended first.
    #[must_use]
    pub fn first_end(&self) -> i64 {
        self.inside().map(|e| e.first_end).min().unwrap_or(self.header_range.0)
    }

    /// The event types with events within the time range.
    fn inside(&self) -> impl Iterator<Item = &EventFacts> {
        self.events.values().filter(|e| e.inside() > 0)
    }

    /// Nanoseconds from the first event to the end of the last one, without gaps during which nothing was recorded. Rates and
    /// shares refer to this.
    #[must_use]
    pub fn nanos(&self) -> i64 {
        let Window { from, to } = self.window();
        self.recorded(from, to)
    }

    /// How many nanoseconds of a time range were recorded.
    #[must_use]
    pub fn recorded(&self, from: i64, to: i64) -> i64 {
        let window = Window { from, to };
        let gaps = self.gaps.iter().map(|gap| gap.within(window).length()).fold(0i64, i64::saturating_add);
        window.length().saturating_sub(gaps).max(0)
    }

    /// [`nanos`](Self::nanos) in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.nanos() as f64 / 1e9
    }

    /// From the first event to the end of the last.
    #[must_use]
    pub fn window(&self) -> Window {
        Window { from: self.start(), to: self.end().max(self.start()) }
    }

    /// The number of chunks in the recording.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.chunks
    }

    /// Whether the analysis should end: its [`Stop`](jfr_parse::Stop) was raised, or its time is up. From then
    /// on, tables and groups yield nothing, so a rule that only loops over them does not have to check. A rule
    /// with other long loops should check, and may then return anything: the verdict is discarded.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stops.iter().any(jfr_parse::Stop::is_raised)
    }

    /// The strings, functions, frames and stacks that the facts refer to.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.names
    }

    /// What could not be read, one line each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The string with this handle.
    #[must_use]
    pub fn str(&self, id: StrId) -> &str {
        self.names.str(id)
    }

    /// The thread with this handle.
    #[must_use]
    pub fn thread(&self, id: ThreadId) -> &ThreadInfo {
        self.threads.get(id.0 as usize).unwrap_or(&thread::UNKNOWN)
    }
}
