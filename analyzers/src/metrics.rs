//! Metrics of a recording over time: CPU, allocation, pauses, heap, threads, waits.
//!
//! [`Metrics::of`] reads a recording once, and only the events it needs. To get profiles, findings or views in the
//! same pass, use a [`Pass`]. Each [`Metric`] has a value for the whole recording, points over time,
//! and a sentence that explains how it was computed. If a metric cannot be computed, it has a reason instead of a
//! value. [`write`](mod@write) formats metrics as text, CSV and OpenMetrics; for JSON, serialize them with serde.
//!
//! Judging a metric belongs in rules, and adding up samples by stack in [`collect`](crate::collect()). To add a
//! metric or to understand one, start with `sources.rs`, the events that are read, then `finish.rs`, which
//! computes the values.

mod finish;
mod part;
mod pprof;
mod read;
mod series;
mod sources;
pub mod write;

pub(crate) use part::Part;
pub use pprof::{Language, of_pprof};
pub(crate) use read::Reader;
pub use series::Point;

use jfr_parse::{EpochNanos, Nanos, Recording};
use serde::Serialize;

use crate::pass::Pass;

/// The unit of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// CPU cores.
    Cores,
    /// A ratio between 0 and 1.
    Ratio,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Seconds.
    Seconds,
    /// Seconds per second: the average number of threads that did it at the same time.
    SecondsPerSecond,
    /// A count.
    Count,
    /// A number per minute.
    PerMinute,
    /// A number per second.
    PerSecond,
}

impl Unit {
    /// The name used in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cores => "cores",
            Self::Ratio => "ratio",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "bytes_per_second",
            Self::Seconds => "seconds",
            Self::SecondsPerSecond => "seconds_per_second",
            Self::Count => "count",
            Self::PerMinute => "per_minute",
            Self::PerSecond => "per_second",
        }
    }
}

/// A metric of a recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    /// The name, for example `cpu.cores`.
    pub name: &'static str,
    /// The human-readable title.
    pub title: &'static str,
    /// The unit of the value.
    pub unit: Unit,
    /// How the value was computed, in one sentence.
    pub how: String,
    /// The value for the whole recording; `None` if it cannot be computed, in which case `reason` explains why.
    pub value: Option<f64>,
    /// Whether the value is a lower bound, because a threshold, a throttle or sampling hides events.
    pub lower_bound: bool,
    /// Why there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The values over time.
    pub points: Vec<Point>,
}

impl Metric {
    /// A metric with a known value and no points.
    #[must_use]
    pub fn known(name: &'static str, title: &'static str, unit: Unit, how: impl Into<String>, value: f64) -> Self {
        Self {
            name,
            title,
            unit,
            how: how.into(),
            value: Some(value),
            lower_bound: false,
            reason: None,
            points: Vec::new(),
        }
    }

    /// A metric that cannot be computed.
    #[must_use]
    pub fn unknown(name: &'static str, title: &'static str, unit: Unit, reason: impl Into<String>) -> Self {
        Self {
            name,
            title,
            unit,
            how: String::new(),
            value: None,
            lower_bound: false,
            reason: Some(reason.into()),
            points: Vec::new(),
        }
    }

    /// Marks the value as a lower bound if `lower` is true.
    #[must_use]
    pub fn at_least(mut self, lower: bool) -> Self {
        self.lower_bound = lower;
        self
    }
}

/// The metrics of a recording, or of a pprof profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// Start of the recording in nanoseconds since the Unix epoch.
    pub start_nanos: EpochNanos,
    /// End of the recording in nanoseconds since the Unix epoch.
    pub end_nanos: EpochNanos,
    /// Distance between two points in nanoseconds.
    pub step_nanos: Nanos,
    /// The metrics, in a fixed order. Recordings always have the same ones, known or not; see `docs/metrics.md`.
    pub metrics: Vec<Metric>,
}

/// Maximum number of points per metric.
const MAX_POINTS: i64 = 100_000;

impl Metrics {
    /// Computes the metrics of a recording. Points are `step` apart; by default, the step is chosen so
    /// that there are about a hundred points.
    ///
    /// ```
    /// # fn main() -> jfr_parse::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
    /// let recording = jfr_parse::Recording::open(path)?;
    /// let metrics = jfr_analyzers::metrics::Metrics::of(&recording, None)?;
    /// let pauses = metrics.get("gc.pause.share").and_then(|metric| metric.value);
    /// assert!(pauses > Some(0.0) && pauses < Some(0.1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The error of the first chunk if no chunk can be opened; [`Error::Changed`](jfr_parse::Error::Changed);
    /// [`Error::Stopped`](jfr_parse::Error::Stopped).
    pub fn of(recording: &Recording<'_>, step: Option<Nanos>) -> jfr_parse::Result<Self> {
        Self::with_errors(recording, step).map(|(metrics, _)| metrics)
    }

    /// Like [`of`](Self::of), but also returns why some chunks could not be read.
    ///
    /// # Errors
    /// Same as [`of`](Self::of).
    pub fn with_errors(recording: &Recording<'_>, step: Option<Nanos>) -> jfr_parse::Result<(Self, Vec<String>)> {
        let output = Pass::new(recording).metrics(step).without_rules()?;
        Ok(output.metrics.unwrap_or_else(|| unreachable!("metrics were requested")))
    }

    /// The metric with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }
}
