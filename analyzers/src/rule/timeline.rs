//! How a recording developed over time, for a chart in a report.
//!
//! Its data is read in the same pass as that of the rules, and only if
//! [`AnalysisOptions::timeline`](super::AnalysisOptions) requests it.

use crate::events::facts::{Facts, Table};
use crate::events::needs::{GroupBy, Needs};
use crate::metrics::Metrics;

/// Number of slices into which a recording is divided. More would be narrower than a pixel.
const SLICES: i64 = 480;
const SECOND: i64 = 1_000_000_000;

/// Exceptions recorded as individual events, used if there are no exception statistics.
const THROWN: GroupBy =
    GroupBy::of(&["jdk.JavaExceptionThrow", "jdk.JavaErrorThrow", "datadog.ExceptionSample"]).per_nanos(SECOND);

/// How a recording developed over time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    /// Start in nanoseconds since the Unix epoch.
    pub from_nanos: i64,
    /// End in nanoseconds since the Unix epoch.
    pub to_nanos: i64,
    /// One track per quantity; quantities that were not recorded are missing.
    pub tracks: Vec<Track>,
}

/// One quantity over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// The title.
    pub title: &'static str,
    /// The unit of the values.
    pub unit: TrackUnit,
    /// The end of the scale, if the quantity has one: 100 % or the maximum heap size.
    pub limit: Option<f64>,
    /// The curves or bars; the first is the most important.
    pub series: Vec<Series>,
}

/// The unit of the values in a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackUnit {
    /// Percent.
    Percent,
    /// Bytes.
    Bytes,
    /// Nanoseconds.
    Nanos,
    /// A rate per second.
    PerSecond,
    /// Bytes per second.
    BytesPerSecond,
    /// A count.
    Count,
}

/// A curve or a series of bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The name.
    pub name: &'static str,
    /// The recommended way to draw it.
    pub shape: Shape,
    /// Times with values, in chronological order; a few hundred at most.
    pub points: Vec<(i64, f64)>,
}

/// How to draw a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A line with the area below it filled.
    Area,
    /// A line.
    Line,
    /// A bar from the baseline for each point.
    Bars,
}

impl Timeline {
    pub(super) fn needs() -> Needs {
        Needs::new()
            .table("jdk.CPULoad", &["jvmUser", "jvmSystem", "machineTotal"])
            .table("jdk.GCHeapSummary", &["when", "heapUsed"])
            .table("jdk.GCPhasePause", &[])
            .table("jdk.ExceptionStatistics", &["throwables"])
            .groups(THROWN)
    }

    pub(super) fn of(facts: &Facts) -> Self {
        let (from_nanos, to_nanos) = (facts.start(), facts.end());
        let slices = Slices { from: from_nanos, width: (to_nanos.saturating_sub(from_nanos) / SLICES).max(1) };
        let tracks = [cpu(facts, &slices), heap(facts, &slices), pauses(facts, &slices), exceptions(facts, &slices)];
        Self { from_nanos, to_nanos, tracks: tracks.into_iter().flatten().collect() }
    }
}

impl Timeline {
    /// Adds metrics that the timeline does not have yet: allocation, threads, and the number of waiting
    /// threads.
    #[must_use]
    pub fn with_metrics(mut self, metrics: &Metrics) -> Self {
        let within = |name: &str| {
            let points = metrics.get(name).map(|metric| metric.points.as_slice()).unwrap_or_default();
            let inside = points.iter().filter(|point| (self.from_nanos..self.to_nanos).contains(&point.at));
            inside.map(|point| (point.at, point.mean)).collect::<Vec<_>>()
        };
        let series = |name, shape, points| Series { name, shape, points };
        // Both have a point for each step.
        let (files, sockets) = (within("file.time"), within("socket.time"));
        let io = if sockets.is_empty() || files.is_empty() {
            [files, sockets].concat()
        } else {
            files.iter().zip(&sockets).map(|(a, b)| (a.0, a.1 + b.1)).collect()
        };
        let tracks = [
            ("Allocation", TrackUnit::BytesPerSecond, vec![series("allocated", Shape::Area, within("alloc.rate"))]),
            ("Threads", TrackUnit::Count, vec![series("alive", Shape::Area, within("threads"))]),
            (
                "Threads waiting",
                TrackUnit::Count,
                vec![series("for monitors", Shape::Area, within("lock.wait")), series("for I/O", Shape::Line, io)],
            ),
        ];
        for (title, unit, mut series) in tracks {
            series.retain(|series| series.points.iter().any(|(_, value)| *value > 0.0));
            self.tracks.extend(Track { title, unit, limit: None, series }.if_any());
        }
        self
    }
}

fn cpu(facts: &Facts, slices: &Slices) -> Option<Track> {
    let load = facts.table("jdk.CPULoad");
    let percent = |name, shape, of: fn(&crate::events::Event<'_>) -> Option<f64>| {
        let points = slices.mean(load.rows().filter_map(|row| Some((row.start, of(&row)? * 100.0))));
        Series { name, shape, points }
    };
    let series = vec![
        percent("this JVM", Shape::Area, |row| Some(row.float("jvmUser")? + row.float("jvmSystem")?)),
        percent("whole machine", Shape::Line, |row| row.float("machineTotal")),
    ];
    Track { title: "CPU load", unit: TrackUnit::Percent, limit: Some(100.0), series }.if_any()
}

fn heap(facts: &Facts, slices: &Slices) -> Option<Track> {
    let heap = facts.table("jdk.GCHeapSummary");
    let used = |when: &'static str| {
        let rows = heap.rows().filter(move |row| row.text("when") == Some(when));
        slices.max(rows.filter_map(|row| Some((row.start, row.float("heapUsed")?))))
    };
    let series = vec![
        Series { name: "after GC", shape: Shape::Area, points: used("After GC") },
        Series { name: "before GC", shape: Shape::Line, points: used("Before GC") },
    ];
    let limit = facts.max_heap().map(|bytes| bytes as f64);
    Track { title: "Heap used", unit: TrackUnit::Bytes, limit, series }.if_any()
}

fn pauses(facts: &Facts, slices: &Slices) -> Option<Track> {
    let pauses = facts.table("jdk.GCPhasePause");
    let points = slices.max(pauses.rows().map(|row| (row.start, row.nanos() as f64)));
    let series = vec![Series { name: "longest", shape: Shape::Bars, points }];
    Track { title: "GC pauses", unit: TrackUnit::Nanos, limit: None, series }.if_any()
}

fn exceptions(facts: &Facts, slices: &Slices) -> Option<Track> {
    let counted = rates(facts.table("jdk.ExceptionStatistics"));
    let points = if counted.is_empty() {
        let seconds = slices.width.max(SECOND) as f64 / SECOND as f64;
        let thrown = facts.groups(&THROWN);
        let thrown = thrown.iter().map(|second| (second.bucket(), second.count() as f64));
        slices.sum(thrown).into_iter().map(|(at, count)| (at, count / seconds)).collect()
    } else {
        slices.mean(counted.into_iter())
    };
    let series = vec![Series { name: "thrown", shape: Shape::Bars, points }];
    Track { title: "Exceptions", unit: TrackUnit::PerSecond, limit: None, series }.if_any()
}

/// The events count the exceptions since the JVM started; a smaller count belongs to another JVM.
fn rates(statistics: Table<'_>) -> Vec<(i64, f64)> {
    let counts: Vec<(i64, f64)> =
        statistics.rows().filter_map(|row| Some((row.start, row.float("throwables")?))).collect();
    let between = counts.iter().zip(counts.iter().skip(1));
    between
        .filter(|((before, _), (at, _))| at > before)
        .filter(|((_, fewer), (_, more))| more >= fewer)
        .map(|((before, fewer), (at, more))| (*at, (more - fewer) * SECOND as f64 / at.saturating_sub(*before) as f64))
        .collect()
}

impl Track {
    fn if_any(self) -> Option<Self> {
        self.series.first().is_some_and(|s| !s.points.is_empty()).then_some(self)
    }

    /// The maximum over all series.
    #[must_use]
    pub fn greatest(&self) -> f64 {
        self.series.iter().flat_map(|s| &s.points).map(|(_, value)| *value).fold(0.0, f64::max)
    }
}

/// Time intervals of equal length, within each of which values are combined.
struct Slices {
    from: i64,
    width: i64,
}

impl Slices {
    /// The values in each slice that has any, in chronological order: start, number, sum and maximum.
    fn gather(&self, values: impl Iterator<Item = (i64, f64)>) -> Vec<(i64, f64, f64, f64)> {
        let mut all = std::collections::BTreeMap::<i64, (f64, f64, f64)>::new();
        for (at, value) in values.filter(|(_, value)| value.is_finite()) {
            let slice = at.saturating_sub(self.from).div_euclid(self.width).clamp(0, SLICES);
            let (count, sum, max) = all.entry(slice).or_insert((0.0, 0.0, f64::NEG_INFINITY));
            *count += 1.0;
            *sum += value;
            *max = max.max(value);
        }
        let begin = |slice: i64| self.from.saturating_add(slice.saturating_mul(self.width));
        all.into_iter().map(|(slice, (count, sum, max))| (begin(slice), count, sum, max)).collect()
    }

    fn mean(&self, values: impl Iterator<Item = (i64, f64)>) -> Vec<(i64, f64)> {
        self.gather(values).into_iter().map(|(at, count, sum, _)| (at, sum / count)).collect()
    }

    fn max(&self, values: impl Iterator<Item = (i64, f64)>) -> Vec<(i64, f64)> {
        self.gather(values).into_iter().map(|(at, _, _, max)| (at, max)).collect()
    }

    fn sum(&self, values: impl Iterator<Item = (i64, f64)>) -> Vec<(i64, f64)> {
        self.gather(values).into_iter().map(|(at, _, sum, _)| (at, sum)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::rule::Analysis;
    use crate::rule::AnalysisOptions;

    #[test]
    fn slices_bound_what_is_drawn() {
        let slices = Slices { from: 1_000, width: 10 };
        let many = (0..100_000).map(|i| (1_000 + i % 4_800, i as f64));
        let points = slices.max(many.clone());
        assert_eq!(points.len(), 480);
        assert!(points.is_sorted_by_key(|(at, _)| *at));
        assert_eq!(slices.sum([(1_000, 1.0), (1_009, 2.0), (1_010, 5.0)].into_iter()), [(1_000, 3.0), (1_010, 5.0)]);
        assert_eq!(slices.mean([(1_000, 1.0), (1_009, 2.0), (1_001, f64::NAN)].into_iter()), [(1_000, 1.5)]);
    }

    #[test]
    fn a_recording_has_one_if_it_is_asked_for() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
        let recording = jfr_parse::Recording::open(path).unwrap();
        let mut options = AnalysisOptions::default();
        assert!(Analysis::empty().evaluate(&recording, &options).unwrap().timeline.is_none());
        options.timeline = true;
        let timeline = Analysis::empty().evaluate(&recording, &options).unwrap().timeline.unwrap();
        let titles: Vec<&str> = timeline.tracks.iter().map(|t| t.title).collect();
        assert_eq!(titles, ["CPU load", "Heap used", "GC pauses", "Exceptions"]);
        for track in &timeline.tracks {
            assert!(track.greatest() > 0.0, "{track:?}");
            for (at, _) in &track.series[0].points {
                // An event may have begun before the event that ended first.
                assert!((timeline.from_nanos..=timeline.to_nanos).contains(at), "{}", track.title);
            }
        }
    }

    #[test]
    fn measures_are_added_as_they_are() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
        let recording = jfr_parse::Recording::open(path).unwrap();
        let options = AnalysisOptions { timeline: true, ..AnalysisOptions::default() };
        let timeline = Analysis::empty().evaluate(&recording, &options).unwrap().timeline.unwrap();
        let metrics = Metrics::of(&recording, None).unwrap();
        let timeline = timeline.with_metrics(&metrics);
        let titles: Vec<&str> = timeline.tracks.iter().skip(4).map(|t| t.title).collect();
        assert_eq!(titles, ["Allocation", "Threads", "Threads waiting"]);
        let allocated: Vec<f64> = timeline.tracks[4].series[0].points.iter().map(|(_, value)| *value).collect();
        let measured: Vec<f64> = metrics.get("alloc.rate").unwrap().points.iter().map(|point| point.mean).collect();
        assert!(!allocated.is_empty() && allocated.len() <= measured.len());
        assert!(allocated.iter().all(|value| measured.contains(value)));
    }
}
