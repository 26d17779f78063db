//! Options for commands that collect profiles.

use jfr_analyzers::time_range::span;
use jfr_analyzers::{CpuSource, Filter, LabelKey, Options, TimeBound, TimeRange};
use jfr_parse::{EpochNanos, Nanos, Recording, Zone};
use jfrkit_profile::ProfileType;
use jfrkit_profile::any::AnyProfile;
use jfrkit_profile::tree::{Pattern, View};
use regex::Regex;

use crate::failure::Failure;
use crate::near::near;
use crate::output::{warn, zone};
use crate::pprof_filter::Conditions;

/// What to collect.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "collecting")]
#[command(next_help_heading = "Filters and names")]
pub(crate) struct Args {
    #[command(flatten)]
    time: Time,

    /// Labels to attach to samples: a list of thread, thread-id, class, path, host, port, state, span-id,
    /// local-root-span-id, trace-endpoint; or none. The default is class (allocated, locked, thrown); other labels split
    /// samples with equal stacks
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = label)]
    labels: Option<Vec<Label>>,

    /// Keep names as recorded, including the numbers of lambdas, proxies and other generated classes
    #[arg(long)]
    raw_names: bool,

    /// Write the full name before the descriptor in pprof's system names: package.Class.method(I)V
    #[arg(long)]
    full_system_names: bool,

    /// Only threads whose name matches
    #[arg(long, value_name = "REGEX")]
    thread: Option<Regex>,

    /// Only threads whose state matches, for events that record one
    #[arg(long, value_name = "REGEX")]
    state: Option<Regex>,

    /// Only stacks that contain a matching function
    #[arg(long, value_name = "REGEX")]
    include: Option<Regex>,

    /// Skip stacks that contain a matching function
    #[arg(long, value_name = "REGEX")]
    exclude: Option<Regex>,

    /// Skip native memory that was freed before the recording ended
    #[arg(long)]
    native_leaks: bool,

    /// Event type to build the cpu profile from: datadog.ExecutionSample, CPUTimeSample or ExecutionSample; by default
    /// the first one that has events
    #[arg(long, value_name = "EVENT", value_parser = cpu_source)]
    cpu_source: Option<CpuSource>,

    /// Scale CPU samples, because the JDK samples only some threads: per thread to jdk.ThreadCPULoad, or else overall to
    /// jdk.CPULoad
    #[arg(long)]
    scale_cpu: bool,
}

/// The profile types to show.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "types")]
pub(crate) struct Types {
    /// Profile types: cpu, alloc, lock, … (convert --help lists them all); for pprof files, also names of sample types
    #[arg(long = "type", visible_alias = "types", value_name = "LIST", value_delimiter = ',')]
    pub(crate) names: Vec<String>,
}

impl Types {
    /// The recording profile types to collect; empty for all, which is needed if a name may be something else.
    pub(crate) fn wanted(&self) -> Vec<ProfileType> {
        let known: Option<Vec<ProfileType>> = self.names.iter().map(|name| ProfileType::from_name(name)).collect();
        known.unwrap_or_default()
    }
}

/// Which frames are library code.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "library")]
pub(crate) struct Library {
    /// Keep only the first of consecutive frames whose names begin with one of these: java.,jdk. reduces the JDK to the
    /// methods that your code calls, including the cost of what they call
    #[arg(
        long = "collapse-library",
        value_name = "PREFIXES",
        value_delimiter = ',',
        value_parser = clap::builder::NonEmptyStringValueParser::new()
    )]
    pub(crate) prefixes: Vec<String>,
}

/// A time range.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(id = "time")]
pub(crate) struct Time {
    /// Start of the time range: a timestamp (2026-11-22T10:36:30Z), a time of day (10:36), milliseconds since 1970, a
    /// time from the start (10s, 1m30s) or from the end (-10s)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<TimeBound>,

    /// End of the time range (exclusive); same formats
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<TimeBound>,
}

impl Time {
    /// Whether the range is unlimited.
    pub(crate) fn is_open(self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// Resolves the time range for these recordings. An empty range is an error, because it would look like a range in which
    /// nothing happened. A bound outside of the recording causes a warning.
    pub(crate) fn range(self, name: &str, recordings: &[&Recording<'_>]) -> Result<TimeRange, Failure> {
        let (start, end) = span(recordings);
        // A chunk still being written has no known end.
        let known = recordings.iter().flat_map(|r| r.headers()).all(|(_, header)| header.duration_nanos.0 > 0);
        self.within(name, (start, end), known, &zone())
    }

    /// Resolves the time range for an input that covers this span. `known` is whether its end is known.
    pub(crate) fn within(
        self,
        name: &str,
        (start, end): (EpochNanos, EpochNanos),
        known: bool,
        zone: &Zone,
    ) -> Result<TimeRange, Failure> {
        let range = TimeRange::resolve(self.from, self.to, start, end, known, zone)
            .map_err(|error| Failure::Failed(format!("{name}: {}", error.in_zone(zone))))?;
        for (option, at) in [("--from", range.from), ("--to", range.to)] {
            let Some(at) = at else { continue };
            // Allow a second, because users often round to whole seconds.
            let outside = at < start.saturating_sub(SECOND) || (known && at > end.saturating_add(SECOND));
            if outside {
                let side = if at < start { "before" } else { "after" };
                let (at, start, end) = (zone.iso(at), zone.iso(start), zone.iso(end));
                warn(name, format!("{option} ({at}) is {side} the recording, which covers {start} to {end}"));
            }
        }
        Ok(range)
    }
}

const SECOND: Nanos = Nanos(1_000_000_000);

/// A label, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    None,
    Key(LabelKey),
}

impl Args {
    /// The requested labels.
    pub(crate) fn labels(&self) -> Option<Vec<LabelKey>> {
        let keys = |label: &Label| match label {
            Label::None => None,
            Label::Key(key) => Some(*key),
        };
        self.labels.as_ref().map(|labels| labels.iter().filter_map(keys).collect())
    }

    /// What these options filter in any profile: threads, and stacks with or without a function.
    pub(crate) fn view(&self) -> Result<View, Failure> {
        let pattern = |regex: &Option<Regex>| {
            let pattern = regex.as_ref().map(|regex| Pattern::new(regex.as_str())).transpose();
            pattern.map_err(|e| crate::profiles::tree_failure(&e))
        };
        // Recordings are filtered by thread when they are read.
        Ok(View {
            include: pattern(&self.include)?.into_iter().collect(),
            exclude: pattern(&self.exclude)?,
            ..View::default()
        })
    }

    /// Keeps only the samples of a pprof file that these options select, as recordings do when they are read.
    pub(crate) fn apply(&self, name: &str, profile: &mut AnyProfile) -> Result<(), Failure> {
        let conditions = Conditions {
            time: self.time,
            thread: self.thread.as_ref(),
            state: self.state.as_ref(),
            include: self.include.as_ref(),
            exclude: self.exclude.as_ref(),
        };
        conditions.apply(name, profile)
    }

    /// The options for recordings that together cover the given time range.
    pub(crate) fn options(
        &self,
        name: &str,
        types: &[ProfileType],
        recordings: &[&Recording<'_>],
    ) -> Result<Options, Failure> {
        let range = self.time.range(name, recordings)?;
        let mut filter = Filter::default();
        filter.range = range;
        filter.threads = self.thread.clone();
        filter.states = self.state.clone();
        filter.include = self.include.clone();
        filter.exclude = self.exclude.clone();
        let mut options = Options::default();
        options.types = types.to_vec();
        options.labels = self.labels().unwrap_or_else(|| vec![LabelKey::Class]);
        options.raw_names = self.raw_names;
        options.full_system_names = self.full_system_names;
        options.cpu_source = self.cpu_source;
        options.scale_cpu = self.scale_cpu;
        options.native_leaks = self.native_leaks;
        options.filter = filter;
        Ok(options)
    }
}

/// Resolves two bounds for these recordings.
#[cfg(feature = "tables")]
pub(crate) fn time_range(
    name: &str,
    from: Option<TimeBound>,
    to: Option<TimeBound>,
    recordings: &[&Recording<'_>],
) -> Result<TimeRange, Failure> {
    Time { from, to }.range(name, recordings)
}

/// Parses the name of a profile type.
pub(crate) fn profile_type(name: &str) -> Result<ProfileType, String> {
    ProfileType::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = ProfileType::ALL.iter().map(|t| t.name()).collect();
        match near(name, names.iter().copied()).as_slice() {
            [] => format!("no such profile type; expected one of {}", names.join(", ")),
            close => {
                format!(
                    "no such profile type; did you mean {}? Expected one of {}",
                    close.join(" or "),
                    names.join(", ")
                )
            }
        }
    })
}

fn label(name: &str) -> Result<Label, String> {
    if name == "none" {
        return Ok(Label::None);
    }
    LabelKey::from_name(name).map(Label::Key).ok_or_else(|| {
        let names: Vec<String> = LabelKey::ALL.iter().map(|label| label.name().replace(' ', "-")).collect();
        format!("no such label; expected {} or none", names.join(", "))
    })
}

fn cpu_source(name: &str) -> Result<CpuSource, String> {
    CpuSource::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = CpuSource::ALL.iter().map(|source| source.event()).collect();
        format!("a cpu profile cannot be built from this event type; expected one of {}", names.join(", "))
    })
}
