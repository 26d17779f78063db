//! Options for collecting profiles.

use std::sync::Arc;

use jfr_parse::Stop;
use regex::Regex;

use crate::time_range::TimeRange;
use jfrkit_profile::ProfileType;

/// What to collect from a recording, and how.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// The profile types to collect; empty for all.
    pub types: Vec<ProfileType>,
    /// The labels of samples. There are none by default, so that equal stacks are merged.
    pub labels: Vec<LabelKey>,
    /// Keep the time of each sample in the label [`TIME_LABEL`](jfrkit_profile::TIME_LABEL). No samples are merged then. For
    /// formats with a timeline.
    pub times: bool,
    /// Keep when samples were taken, in cells of this length (nanoseconds): [`Profile::timeline`](jfrkit_profile::Profile::timeline).
    /// Equal stacks are still merged.
    pub timeline: Option<i64>,
    /// Keep names as recorded. By default, they are normalized: parts that differ from run to run (lambda
    /// numbers and so on) are removed.
    pub raw_names: bool,
    /// Repeat the name before the descriptor in
    /// [`Function::system_name`](jfrkit_profile::Function::system_name): `a.B.run(I)V`. Files become about 7 %
    /// larger, and writing them takes 15 % longer.
    pub full_system_names: bool,
    /// The events used for the `cpu` profile; by default the best available ones.
    pub cpu_source: Option<CpuSource>,
    /// Scale the CPU time of the JDK's samples (`jdk.ExecutionSample`), which cover only part of it: per thread to its
    /// `jdk.ThreadCPULoad`, or to `jdk.CPULoad` in chunks without thread loads.
    pub scale_cpu: bool,
    /// Which events to leave out.
    pub filter: Filter,
    /// Restrict `native-alloc` to memory that was never freed during the recording.
    pub native_leaks: bool,
    /// Keep every event by itself; see [`samples`](crate::samples).
    pub(crate) each: bool,
    /// Receives the number of bytes of each finished chunk.
    pub progress: Progress,
    /// Stops the work early.
    pub stop: Stop,
}

/// A callback that receives progress.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn Fn(u64) + Send + Sync>>);

impl Progress {
    /// Calls `receive` with the size of each finished chunk in bytes, on the thread that finished it.
    pub fn new(receive: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(receive)))
    }

    pub(crate) fn report(&self, bytes: u64) {
        if let Some(receive) = &self.0 {
            receive(bytes);
        }
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Progress(callback)" } else { "Progress" })
    }
}

/// Selects which events count.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Filter {
    /// Only events that begin in this time range.
    pub range: TimeRange,
    /// Only events of threads with a matching name.
    pub threads: Option<Regex>,
    /// Only events of threads in a matching state, for events that record the state.
    pub states: Option<Regex>,
    /// Only samples with a matching frame on the stack. The function name is matched.
    pub include: Option<Regex>,
    /// Only samples without a matching frame on the stack.
    pub exclude: Option<Regex>,
}

impl Filter {
    /// Whether everything passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { range, threads, states, include, exclude } = self;
        range.is_open() && [threads, states, include, exclude].iter().all(|regex| regex.is_none())
    }
}

impl Options {
    /// Whether profiles of this type are requested.
    #[must_use]
    pub fn wants(&self, kind: ProfileType) -> bool {
        self.types.is_empty() || self.types.contains(&kind)
    }
}

/// A label of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LabelKey {
    /// The Java thread name or, without one, the name used by the operating system.
    Thread,
    /// The Java thread id or, without one, the id used by the operating system.
    ThreadId,
    /// The allocated, locked or thrown class.
    Class,
    /// The path of the file.
    Path,
    /// The remote host.
    Host,
    /// The remote port.
    Port,
    /// The thread state.
    State,
    /// The id of the active span.
    SpanId,
    /// The id of the root span in this process.
    LocalRootSpanId,
    /// The endpoint of the request that the root span serves.
    TraceEndpoint,
    /// The context number of a sample, which another file of Pyroscope's agent explains. Not in [`ALL`](Self::ALL), because the
    /// number alone is meaningless.
    ContextId,
}

impl LabelKey {
    /// All labels of interest to users.
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

    /// The label key in the profile.
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
            Self::ContextId => "context id",
            Self::TraceEndpoint => "trace endpoint",
        }
    }

    /// The label with this name; `-` and `_` are accepted in place of spaces.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let spaced = name.replace(['-', '_'], " ");
        Self::ALL.into_iter().find(|key| key.name() == spaced)
    }
}

/// The events used for a `cpu` profile. A recording can contain several kinds, which observe the same work.
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
    /// All sources, the best first.
    pub const ALL: [Self; 3] = [Self::DatadogExecutionSample, Self::CpuTimeSample, Self::ExecutionSample];

    /// The name of the event type.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            Self::DatadogExecutionSample => "datadog.ExecutionSample",
            Self::CpuTimeSample => "jdk.CPUTimeSample",
            Self::ExecutionSample => "jdk.ExecutionSample",
        }
    }

    /// The source with this name: the event type with or without `jdk.`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.event() == name || s.event().strip_prefix("jdk.") == Some(name))
    }
}
