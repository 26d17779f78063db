//! Options of the commands that collect profiles.

use jfr_analyzers::{CpuSource, Filter, LabelKey, Options, TimeBound, TimeRange};
use jfr_parse::Recording;
use jfrkit_profile::ProfileType;
use jfrkit_profile::tree::{Pattern, View};
use regex::Regex;

use crate::failure::Failure;

/// What to collect.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "collecting")]
pub(crate) struct Args {
    /// Labels of the samples: a list of thread, thread-id, class, path, host, port, state, span-id,
    /// local-root-span-id, trace-endpoint. By default none, so that equal stacks merge
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = label)]
    pub(crate) labels: Vec<LabelKey>,

    /// Leave names as recorded, with the numbers of lambdas, proxies and the like
    #[arg(long)]
    raw_names: bool,

    /// Write the full name before the descriptor in pprof's system names: package.Class.method(I)V
    #[arg(long)]
    full_system_names: bool,

    /// Start of the time range: a timestamp (2026-11-22T10:36:30Z), a time of day in UTC (10:36), milliseconds since
    /// 1970, a time from the start (10s) or from the end (-10s)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<TimeBound>,

    /// End of the time range (exclusive); same formats
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<TimeBound>,

    /// Only threads with a name that matches
    #[arg(long, value_name = "REGEX")]
    thread: Option<Regex>,

    /// Only threads in a state that matches, of events that record it
    #[arg(long, value_name = "REGEX")]
    state: Option<Regex>,

    /// Only stacks with a function that matches
    #[arg(long, value_name = "REGEX")]
    include: Option<Regex>,

    /// No stacks with a function that matches
    #[arg(long, value_name = "REGEX")]
    exclude: Option<Regex>,

    /// Leave native memory out that was freed before the recording ended
    #[arg(long)]
    native_leaks: bool,

    /// Event type to make the cpu profile of: datadog.ExecutionSample, CPUTimeSample or ExecutionSample; by default
    /// the first of these that is there
    #[arg(long, value_name = "EVENT", value_parser = cpu_source)]
    cpu_source: Option<CpuSource>,
}

impl Args {
    /// What the same options leave out of any profile: threads, and stacks with or without a function.
    pub(crate) fn view(&self) -> Result<View, Failure> {
        let pattern = |regex: &Option<Regex>| {
            let pattern = regex.as_ref().map(|regex| Pattern::new(regex.as_str())).transpose();
            pattern.map_err(|e| crate::profiles::tree_failure(&e))
        };
        // Threads of recordings are filtered when they are read.
        Ok(View {
            include: pattern(&self.include)?.into_iter().collect(),
            exclude: pattern(&self.exclude)?,
            ..View::default()
        })
    }

    /// The options for recordings that begin and end, together, when these do.
    pub(crate) fn options(
        &self,
        name: &str,
        types: &[ProfileType],
        recordings: &[&Recording<'_>],
    ) -> Result<Options, Failure> {
        let range = time_range(name, self.from, self.to, recordings)?;
        let mut filter = Filter::default();
        filter.from_nanos = range.from;
        filter.to_nanos = range.to;
        filter.threads = self.thread.clone();
        filter.states = self.state.clone();
        filter.include = self.include.clone();
        filter.exclude = self.exclude.clone();
        let mut options = Options::default();
        options.types = types.to_vec();
        options.labels = self.labels.clone();
        options.raw_names = self.raw_names;
        options.full_system_names = self.full_system_names;
        options.cpu_source = self.cpu_source;
        options.native_leaks = self.native_leaks;
        options.filter = filter;
        Ok(options)
    }
}

/// The part of recordings that two bounds leave. A range that holds nothing is a failure: it would look like one in which nothing
/// happened.
pub(crate) fn time_range(
    name: &str,
    from: Option<TimeBound>,
    to: Option<TimeBound>,
    recordings: &[&Recording<'_>],
) -> Result<TimeRange, Failure> {
    let (start, end) = span(recordings);
    // The end of a chunk that is being written is not known.
    let known = recordings.iter().flat_map(|r| r.headers()).all(|(_, header)| header.duration_nanos > 0);
    TimeRange::resolve(from, to, start, end, known).map_err(|error| Failure::Failed(format!("{name}: {error}")))
}

/// When recordings begin and end, nanoseconds since the Unix epoch.
pub(crate) fn span(recordings: &[&Recording<'_>]) -> (i64, i64) {
    let headers = || recordings.iter().flat_map(|r| r.headers()).map(|(_, header)| header);
    let start = headers().map(|h| h.start_nanos).min().unwrap_or(0);
    let end = headers().map(|h| h.start_nanos.saturating_add(h.duration_nanos)).max().unwrap_or(0);
    (start, end)
}

/// A type of profile, by name.
pub(crate) fn profile_type(name: &str) -> Result<ProfileType, String> {
    ProfileType::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = ProfileType::ALL.iter().map(|t| t.name()).collect();
        format!("no such type of profile; there are {}", names.join(", "))
    })
}

fn label(name: &str) -> Result<LabelKey, String> {
    LabelKey::from_name(name).ok_or_else(|| {
        let names: Vec<String> = LabelKey::ALL.iter().map(|label| label.name().replace(' ', "-")).collect();
        format!("no such label; there are {}", names.join(", "))
    })
}

fn cpu_source(name: &str) -> Result<CpuSource, String> {
    CpuSource::from_name(name).ok_or_else(|| "no event type that a cpu profile can be made of".to_owned())
}
