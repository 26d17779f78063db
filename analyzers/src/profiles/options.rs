//! What is to be collected.

use std::sync::Arc;

use jfr_parse::Stop;
use regex::Regex;

use jfrkit_profile::ProfileType;

/// What to collect from a recording, and how.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// The types of profiles; empty for all. Nothing is collected for the others.
    pub types: Vec<ProfileType>,
    /// The labels that samples carry; by default none, so that equal stacks merge.
    pub labels: Vec<LabelKey>,
    /// Names as recorded: without this, what differs from run to run (lambda numbers and the like) is
    /// normalised.
    pub raw_names: bool,
    /// [`Function::system_name`](jfrkit_profile::Function::system_name) repeats the name before the descriptor:
    /// `a.B.run(I)V`. Files get about 7 % larger, and writing them takes 15 % longer.
    pub full_system_names: bool,
    /// The events that the `cpu` profile is made of; by default the best that is there.
    pub cpu_source: Option<CpuSource>,
    /// What is left out.
    pub filter: Filter,
    /// `native-alloc` holds only memory that was not freed again before the recording ended.
    pub native_leaks: bool,
    /// Told of the bytes of each chunk that is done.
    pub progress: Progress,
    /// Ends the work early.
    pub stop: Stop,
}

/// Who is told how the work goes on.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn Fn(u64) + Send + Sync>>);

impl Progress {
    /// Calls `told` with the bytes of each chunk that is done, from whichever thread did it.
    pub fn new(told: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    pub(crate) fn tell(&self, bytes: u64) {
        if let Some(told) = &self.0 {
            told(bytes);
        }
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Progress(told)" } else { "Progress" })
    }
}

/// Which events count.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Filter {
    /// Events that begin at this instant or later, nanoseconds since the Unix epoch.
    pub from_nanos: Option<i64>,
    /// Events that begin before this instant.
    pub to_nanos: Option<i64>,
    /// Events of threads with a matching name.
    pub threads: Option<Regex>,
    /// Events of threads in a matching state, for events that record it.
    pub states: Option<Regex>,
    /// Samples with a matching frame on the stack (the function's name is matched).
    pub include: Option<Regex>,
    /// Samples without a matching frame.
    pub exclude: Option<Regex>,
}

impl Filter {
    /// Whether everything passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { from_nanos, to_nanos, threads, states, include, exclude } = self;
        from_nanos.is_none()
            && to_nanos.is_none()
            && [threads, states, include, exclude].iter().all(|regex| regex.is_none())
    }
}

impl Options {
    /// Whether profiles of this type are wanted.
    #[must_use]
    pub fn wants(&self, kind: ProfileType) -> bool {
        self.types.is_empty() || self.types.contains(&kind)
    }
}

/// A label that samples can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LabelKey {
    /// The thread's name; the name that the system knows where it has no Java name.
    Thread,
    /// The Java thread's id, or the system's.
    ThreadId,
    /// The class that was allocated, locked, thrown.
    Class,
    /// The file.
    Path,
    /// The peer.
    Host,
    /// The peer's port.
    Port,
    /// What the thread was doing.
    State,
    /// The span that was active.
    SpanId,
    /// The root of its spans in this process.
    LocalRootSpanId,
    /// The request that the root span serves.
    TraceEndpoint,
}

impl LabelKey {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Thread,
        Self::ThreadId,
        Self::Class,
        Self::Path,
        Self::Host,
        Self::Port,
        Self::State,
        Self::SpanId,
        Self::LocalRootSpanId,
        Self::TraceEndpoint,
    ];

    /// The key in the profile.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::ThreadId => "thread id",
            Self::Class => "class",
            Self::Path => "path",
            Self::Host => "host",
            Self::Port => "port",
            Self::State => "state",
            Self::SpanId => "span id",
            Self::LocalRootSpanId => "local root span id",
            Self::TraceEndpoint => "trace endpoint",
        }
    }

    /// The label of this name; `-` and `_` stand for spaces.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let spaced = name.replace(['-', '_'], " ");
        Self::ALL.into_iter().find(|key| key.name() == spaced)
    }
}

/// The events that a `cpu` profile is made of. A recording can hold several, which see the same work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CpuSource {
    /// `datadog.ExecutionSample`.
    DatadogExecutionSample,
    /// `jdk.CPUTimeSample`.
    CpuTimeSample,
    /// `jdk.ExecutionSample`.
    ExecutionSample,
}

impl CpuSource {
    /// All of them, the best first.
    pub const ALL: [Self; 3] = [Self::DatadogExecutionSample, Self::CpuTimeSample, Self::ExecutionSample];

    /// The name of its event type.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            Self::DatadogExecutionSample => "datadog.ExecutionSample",
            Self::CpuTimeSample => "jdk.CPUTimeSample",
            Self::ExecutionSample => "jdk.ExecutionSample",
        }
    }

    /// The source of this name: the event type with or without `jdk.`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.event() == name || s.event().strip_prefix("jdk.") == Some(name))
    }
}
