//! Cuts durations to the recording, because nothing outside of it was recorded and corrupted events can seem to last years.

use crate::time_range::TimeRange;
use jfr_parse::ChunkHeader;

/// The time range that events are cut to, in nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    from: i64,
    to: i64,
    /// The end of the recording; `i64::MAX` if unknown.
    end: i64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { from: i64::MIN, to: i64::MAX, end: i64::MAX }
    }
}

/// How far clocks may disagree before a duration counts as impossible, in nanoseconds.
const SLACK: i64 = 1_000_000_000;

impl Bounds {
    /// Up to the end of the last chunk; a chunk that was still being written has no end. As in the JDK, events that began before
    /// the first chunk keep their full duration, because they were recorded when they ended.
    pub(crate) fn of<'h>(headers: impl Iterator<Item = &'h ChunkHeader>) -> Self {
        let (mut from, mut end) = (i64::MAX, i64::MIN);
        for header in headers {
            from = from.min(header.start_nanos.0);
            end = end.max(header.known_end_nanos().map_or(i64::MAX, |end| end.0));
        }
        if from > end {
            end = i64::MAX;
        }
        Self { from: i64::MIN, to: end, end }
    }

    /// Restricts the bounds to a time range.
    pub(crate) fn within(self, range: TimeRange) -> Self {
        Self { from: self.from.max(range.first().0), to: self.to.min(range.end().0), ..self }
    }

    /// Whether an event is within the bounds.
    #[inline]
    pub(crate) fn contains(&self, start: i64, nanos: i64, end: i64) -> bool {
        nanos >= 0 && start >= self.from && end <= self.to
    }

    /// Whether a duration is impossible: negative, unlimited, or past the end of the recording.
    pub(crate) fn is_odd(&self, nanos: i64, end: i64) -> bool {
        nanos < 0 || nanos == i64::MAX || end > self.end.saturating_add(SLACK)
    }

    /// Cuts an event. One entirely outside keeps its start: it is not in this range, or the clock of its chunk is wrong.
    #[inline]
    pub(crate) fn cut(&self, start: i64, end: i64) -> (i64, i64) {
        let end = if start <= self.to { end.min(self.to) } else { start };
        let start = start.max(self.from).min(end.max(start));
        (start, end.max(start))
    }
}

/// The warning about impossible durations.
pub(crate) fn warning(odd: u64) -> Option<String> {
    let (events, have) =
        if odd == 1 { ("1 event".to_owned(), "has a duration") } else { (format!("{odd} events"), "have durations") };
    (odd > 0).then(|| {
        format!("{events} {have} below 0 or beyond the recording; negative ones count as 0, the others are cut off")
    })
}

#[cfg(test)]
mod tests {
    use jfr_parse::EpochNanos;

    use super::*;

    fn bounds() -> Bounds {
        Bounds { from: 100, to: 200, end: 200 }
    }

    #[test]
    fn events_are_cut_to_the_recording() {
        assert!(
            bounds().contains(100, 100, 200) && !bounds().contains(99, 10, 109) && !bounds().contains(190, 20, 210)
        );
        assert_eq!(bounds().cut(90, 150), (100, 150));
        assert_eq!(bounds().cut(150, i64::MAX), (150, 200));
        let range = |from, to: Option<i64>| TimeRange { from: Some(EpochNanos(from)), to: to.map(EpochNanos) };
        // An event that is over before the range begins keeps its start.
        assert_eq!(bounds().cut(20, 50), (50, 50));
        assert_eq!(bounds().cut(300, 400), (300, 300));
        assert_eq!(bounds().within(range(120, Some(130))).cut(0, 500), (120, 130));
        assert_eq!(bounds().within(range(50, None)), bounds());
    }

    #[test]
    fn odd_durations_are_counted() {
        let second = 1_000_000_000;
        assert!(bounds().is_odd(-1, 100) && bounds().is_odd(i64::MAX, i64::MAX));
        assert!(bounds().is_odd(10 * second, 150 + 10 * second));
        // Clocks may differ slightly, and an event that began before the recording may be long.
        assert!(!bounds().is_odd(60, 205) && !bounds().is_odd(100 * second, 160));
        assert_eq!(warning(0), None);
        assert!(warning(1).is_some_and(|text| text.starts_with("1 event has a duration")));
    }
}
