//! Sums and samples over time.

use jfr_parse::EpochNanos;
use serde::Serialize;
use serde::ser::SerializeTuple;

use super::MAX_POINTS;

/// The values of a metric in one time step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Start of the step in nanoseconds since the Unix epoch.
    pub at: EpochNanos,
    /// The minimum.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// The maximum.
    pub max: f64,
}

/// Serialized as `[milliseconds since the Unix epoch, min, mean, max]`.
impl Serialize for Point {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(4)?;
        tuple.serialize_element(&(self.at.0 / 1_000_000))?;
        tuple.serialize_element(&self.min)?;
        tuple.serialize_element(&self.mean)?;
        tuple.serialize_element(&self.max)?;
        tuple.end()
    }
}

/// Summed amounts over time.
#[derive(Debug, Clone, Default)]
pub(super) struct Amounts {
    /// The sum in each step.
    pub(super) bins: Vec<f64>,
    /// The sum over all steps.
    pub(super) total: f64,
    /// The largest single amount.
    pub(super) max: f64,
    /// The number of amounts.
    pub(super) count: u64,
}

/// The time steps of a recording.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    pub(super) start: i64,
    pub(super) step: i64,
}

impl Steps {
    /// The step that contains this time. Times before the beginning belong to the first step.
    #[inline]
    pub(super) fn of(self, at: i64) -> usize {
        let n = (at.saturating_sub(self.start)) / self.step;
        usize::try_from(n.clamp(0, MAX_POINTS)).unwrap_or(0)
    }

    pub(super) fn begin(self, bin: usize) -> i64 {
        self.start.saturating_add(self.step.saturating_mul(i64::try_from(bin).unwrap_or(i64::MAX)))
    }

    pub(super) fn seconds(self) -> f64 {
        self.step as f64 / 1e9
    }
}

impl Amounts {
    #[inline]
    pub(super) fn add(&mut self, steps: Steps, at: i64, amount: f64) {
        self.total += amount;
        self.max = self.max.max(amount);
        self.count += 1;
        self.put(steps.of(at), amount);
    }

    /// Subtracts an amount that was added in excess.
    pub(super) fn take(&mut self, steps: Steps, at: i64, amount: f64) {
        self.total -= amount;
        if let Some(sum) = self.bins.get_mut(steps.of(at)) {
            *sum = (*sum - amount).max(0.0);
        }
    }

    #[inline]
    fn put(&mut self, bin: usize, amount: f64) {
        if self.bins.len() <= bin {
            self.bins.resize(bin + 1, 0.0);
        }
        if let Some(sum) = self.bins.get_mut(bin) {
            *sum += amount;
        }
    }

    /// Adds a duration in nanoseconds, spread over the steps that it covers.
    #[inline]
    pub(super) fn spread(&mut self, steps: Steps, start: i64, nanos: i64) {
        let (first, last) = (steps.of(start), steps.of(start.saturating_add(nanos)));
        if first == last {
            return self.add(steps, start, nanos as f64);
        }
        self.total += nanos as f64;
        self.max = self.max.max(nanos as f64);
        self.count += 1;
        let end = start.saturating_add(nanos);
        for bin in first..=last {
            let from = if bin == first { start } else { steps.begin(bin) };
            let to = if bin == last { end } else { steps.begin(bin + 1) };
            self.put(bin, to.saturating_sub(from).max(0) as f64);
        }
    }

    pub(super) fn merge(&mut self, later: &Self) {
        if self.bins.len() < later.bins.len() {
            self.bins.resize(later.bins.len(), 0.0);
        }
        for (sum, more) in self.bins.iter_mut().zip(&later.bins) {
            *sum += more;
        }
        self.total += later.total;
        self.max = self.max.max(later.max);
        self.count += later.count;
    }

    /// Converts amounts in nanoseconds to seconds.
    pub(super) fn nanos_to_seconds(&mut self) {
        self.bins.iter_mut().for_each(|sum| *sum /= 1e9);
        self.total /= 1e9;
        self.max /= 1e9;
    }

    pub(super) fn scale(&mut self, factor: f64) {
        self.bins.iter_mut().for_each(|sum| *sum *= factor);
        self.total *= factor;
        self.max *= factor;
    }

    /// The amount per second in each step, up to the end.
    pub(super) fn rates(&self, steps: Steps, end: i64, per: f64) -> Vec<Point> {
        let length = if end > steps.start { steps.of(end - 1) + 1 } else { 0 };
        (0..length)
            .map(|bin| {
                let at = steps.begin(bin);
                // The last step may be shorter.
                let nanos = steps.begin(bin + 1).min(end).saturating_sub(at);
                let seconds = if nanos > 0 { nanos as f64 / 1e9 } else { steps.seconds() };
                let value = self.bins.get(bin).copied().unwrap_or(0.0) / seconds * per;
                Point { at: EpochNanos(at), min: value, mean: value, max: value }
            })
            .collect()
    }
}

/// Values at points in time.
pub(super) type Samples = Vec<(i64, f64)>;

/// The samples in each step that has any.
pub(super) fn points(samples: &[(i64, f64)], steps: Steps) -> Vec<Point> {
    let mut out: Vec<(usize, Point, f64)> = Vec::new();
    for &(at, value) in samples {
        let bin = steps.of(at);
        match out.last_mut() {
            Some((last, point, n)) if *last == bin => {
                point.min = point.min.min(value);
                point.max = point.max.max(value);
                point.mean += value;
                *n += 1.0;
            }
            _ => out.push((bin, Point { at: EpochNanos(steps.begin(bin)), min: value, mean: value, max: value }, 1.0)),
        }
    }
    out.into_iter().map(|(_, point, n)| Point { mean: point.mean / n, ..point }).collect()
}

/// The time-weighted mean: each sample represents the time since the previous one. The first sample represents
/// the time since the beginning, if that is at most twice the usual distance.
pub(super) fn mean_by_time(samples: &[(i64, f64)], start: i64) -> Option<f64> {
    let mut gaps: Vec<i64> = samples.windows(2).filter_map(|w| Some(w.last()?.0 - w.first()?.0)).collect();
    gaps.sort_unstable();
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(i64::MAX);
    let mut before = start;
    let (mut sum, mut time) = (0.0, 0.0);
    for &(at, value) in samples {
        let gap = at.saturating_sub(before).clamp(0, usual.saturating_mul(2)) as f64;
        sum += value * gap;
        time += gap;
        before = at;
    }
    if time > 0.0 { Some(sum / time) } else { samples.last().map(|&(_, value)| value) }
}

/// How much a counter grew, and over how many seconds. A decrease means that another process started counting; the time
/// in between is left out.
pub(super) fn growth(samples: &[(i64, f64)]) -> Option<(f64, f64)> {
    let (mut grown, mut nanos) = (0.0, 0i64);
    for window in samples.windows(2) {
        if let (Some(&(before, old)), Some(&(at, new))) = (window.first(), window.last())
            && new >= old
        {
            grown += new - old;
            nanos = nanos.saturating_add(at.saturating_sub(before));
        }
    }
    if nanos > 0 { Some((grown, nanos as f64 / 1e9)) } else { None }
}

/// The growth rate of a counter between samples.
pub(super) fn speeds(samples: &[(i64, f64)]) -> Samples {
    samples
        .windows(2)
        .filter_map(|w| {
            let (&(before, old), &(at, new)) = (w.first()?, w.last()?);
            let seconds = at.saturating_sub(before) as f64 / 1e9;
            if seconds > 0.0 { Some((at, (new - old).max(0.0) / seconds)) } else { None }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    const STEPS: Steps = Steps { start: 0, step: 1_000_000_000 };

    #[test]
    fn a_duration_is_spread_over_its_steps() {
        let mut amounts = Amounts::default();
        amounts.spread(STEPS, 500_000_000, 2_000_000_000);
        amounts.nanos_to_seconds();
        assert_eq!(amounts.bins, [0.5, 1.0, 0.5]);
        assert!((amounts.total - 2.0).abs() < 1e-12 && (amounts.max - 2.0).abs() < 1e-12);
        let rates: Vec<f64> = amounts.rates(STEPS, 2_500_000_000, 1.0).iter().map(|point| point.mean).collect();
        assert_eq!(rates, [0.5, 1.0, 1.0]);
    }

    #[test]
    fn samples_are_weighted_by_the_time_they_represent() {
        let samples = [(1_000_000_000, 0.0), (2_000_000_000, 1.0), (3_000_000_000, 0.5)];
        assert_eq!(mean_by_time(&samples, 0), Some(0.5));
        assert_eq!(mean_by_time(&samples[1..], 2_000_000_000), Some(0.5));
        assert_eq!(mean_by_time(&[(5, 0.25)], 0), Some(0.25));
        assert_eq!(mean_by_time(&[], 0), None);
    }

    #[test]
    fn counters_may_be_reset() {
        let samples = [(0, 10.0), (1_000_000_000, 14.0), (2_000_000_000, 1.0), (4_000_000_000, 3.0)];
        assert_eq!(growth(&samples), Some((6.0, 3.0)));
        assert_eq!(growth(&[(0, 3.0), (1_000_000_000, 3.0)]).map(|(grown, _)| grown.to_bits()), Some(0));
        assert_eq!(speeds(&samples), [(1_000_000_000, 4.0), (2_000_000_000, 0.0), (4_000_000_000, 1.0)]);
        assert_eq!(growth(&samples[..1]), None);
    }

    #[test]
    fn points_of_samples() {
        let samples = [(100, 1.0), (200, 3.0), (2_500_000_000, 5.0)];
        let found = points(&samples, STEPS);
        assert_eq!(found[0], Point { at: EpochNanos(0), min: 1.0, mean: 2.0, max: 3.0 });
        assert_eq!((found[1].at, found.len()), (EpochNanos(2_000_000_000), 2));
    }
}
