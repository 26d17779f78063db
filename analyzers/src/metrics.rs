//! Measures of a recording over time: CPU, allocation, pauses, heap, threads, waits.
//!
//! [`Metrics::of`] reads the events that they need, in one pass, and nothing else. Each [`Metric`] has a value for the whole
//! recording, points over time, and a sentence on how it came about; what cannot be known has a reason instead of a value.
//! [`write`](mod@write) makes text, CSV, JSON and OpenMetrics of them.

mod finish;
mod pprof;
mod read;
mod series;
pub mod write;

pub use pprof::{Language, of_pprof};
pub use read::{Part, Reader};
pub use series::Point;

use jfr_parse::Recording;
use serde::Serialize;

use crate::engine::driver::{run, tasks};

/// What a value is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// CPU cores.
    Cores,
    /// A share of a whole, 0 to 1.
    Ratio,
    /// Bytes.
    Bytes,
    /// Bytes a second.
    BytesPerSecond,
    /// Seconds.
    Seconds,
    /// Seconds in each second: how many threads did it at once, on average.
    SecondsPerSecond,
    /// How many.
    Count,
    /// How many a minute.
    PerMinute,
    /// How many a second.
    PerSecond,
}

impl Unit {
    /// The name, as in JSON.
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

/// One measure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    /// The name, such as `cpu.cores`.
    pub name: &'static str,
    /// The title for people.
    pub title: &'static str,
    /// What the value is counted in.
    pub unit: Unit,
    /// How the value came about, in a sentence.
    pub how: String,
    /// The value for the whole recording; `None` where it cannot be known, and `reason` says why.
    pub value: Option<f64>,
    /// Whether the value is at least this: events are missing by a threshold, a throttle or the way of sampling.
    pub lower_bound: bool,
    /// Why there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The values over time.
    pub points: Vec<Point>,
}

impl Metric {
    /// A measure with a value that is known, and no series.
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

    /// A measure that cannot be known.
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

    /// The same, as a lower bound if `lower` is true.
    #[must_use]
    pub fn at_least(mut self, lower: bool) -> Self {
        self.lower_bound = lower;
        self
    }
}

/// The measures of a recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// When the recording begins, nanoseconds since the Unix epoch.
    pub start_nanos: i64,
    /// When it ends.
    pub end_nanos: i64,
    /// From one point to the next.
    pub step_nanos: i64,
    /// The measures, always the same and in the same order.
    pub metrics: Vec<Metric>,
}

/// Points of a series, at most.
const MAX_POINTS: i64 = 100_000;

impl Metrics {
    /// Measures a recording. Points are `step_nanos` apart, or so that there are about a hundred.
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
    /// The error of the first chunk, where no chunk can be opened; [`Error::Changed`](jfr_parse::Error::Changed);
    /// [`Error::Stopped`](jfr_parse::Error::Stopped).
    pub fn of(recording: &Recording<'_>, step_nanos: Option<i64>) -> jfr_parse::Result<Self> {
        Self::with_errors(recording, step_nanos).map(|(metrics, _)| metrics)
    }

    /// [`of`](Self::of), and the chunks that could not be read.
    ///
    /// # Errors
    /// As for [`of`](Self::of).
    pub fn with_errors(recording: &Recording<'_>, step_nanos: Option<i64>) -> jfr_parse::Result<(Self, Vec<String>)> {
        let reader = Reader::new(recording, step_nanos);
        let mut all = Part::default();
        let (mut errors, mut readable) = (Vec::new(), false);
        let read = |_, chunk: &jfr_parse::Chunk<'_>| {
            let part = reader.read(chunk);
            chunk.stop().check()?;
            Ok(part)
        };
        let failures = run(&tasks(&[recording]), read, |_, part| match part {
            Ok(part) => {
                readable = true;
                all.merge(part);
            }
            Err(error) => errors.push(error.to_string()),
        })?;
        match failures.first {
            Some(error) if !readable => Err(error),
            _ => Ok((reader.finish(all, recording.bytes().len()), errors)),
        }
    }

    /// The measure of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }
}
