//! Sliding windows over events.

use std::collections::BTreeMap;

/// Something with a start and an end, in nanoseconds.
pub trait Timed {
    /// The start.
    fn start(&self) -> i64;
    /// The end.
    fn end(&self) -> i64;
}

impl Timed for (i64, i64) {
    fn start(&self) -> i64 {
        self.0
    }
    fn end(&self) -> i64 {
        self.1
    }
}

/// A time interval; both ends are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Start in nanoseconds.
    pub from: i64,
    /// End in nanoseconds.
    pub to: i64,
}

impl Window {
    /// Whether an event ends in the window.
    #[must_use]
    pub fn has_end(&self, event: &impl Timed) -> bool {
        (self.from..=self.to).contains(&event.end())
    }

    /// Whether an event overlaps the window.
    #[must_use]
    pub fn meets(&self, event: &impl Timed) -> bool {
        event.start() <= self.to && event.end() >= self.from
    }

    /// How much of an event is in the window, in nanoseconds.
    #[must_use]
    pub fn clip(&self, event: &impl Timed) -> i64 {
        event.end().min(self.to).saturating_sub(event.start().max(self.from)).max(0)
    }

    /// The intersection with another window; empty if they do not overlap.
    #[must_use]
    pub fn within(&self, whole: Window) -> Self {
        let from = self.from.clamp(whole.from, whole.to.max(whole.from));
        Self { from, to: self.to.clamp(from, whole.to.max(from)) }
    }

    /// Length in nanoseconds.
    #[must_use]
    pub fn length(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }
}

/// Maximum number of windows; a recording of a year has two million of 30 s.
const MAX_WINDOWS: i64 = 4_000_000;

/// The windows of `length` nanoseconds, starting every half length, from the first event (its start or its end,
/// as the rule counts) to the end of the last. The last windows may extend beyond it.
pub fn sliding(first: i64, last: i64, length: i64) -> impl Iterator<Item = Window> {
    let slide = (length / 2).max(1);
    let span = last.saturating_sub(first);
    // Windows continue as long as they start before the end; a single instant still has one.
    let count = if last <= first { i64::from(last == first) } else { (span - 1) / slide + 1 };
    (0..count.min(MAX_WINDOWS)).map(move |i| {
        let from = first.saturating_add(i.saturating_mul(slide));
        Window { from, to: from.saturating_add(length) }
    })
}

/// Sorts time ranges (start, end) and joins those that overlap or touch, so no two contain the same instant.
pub fn join_overlaps(stretches: &mut Vec<(i64, i64)>) {
    stretches.sort_unstable();
    stretches.dedup_by(|next, before| {
        let overlap = next.0 <= before.1;
        if overlap {
            before.1 = before.1.max(next.1);
        }
        overlap
    });
}

/// Among the windows of at least `length` within `whole`, finds the one that spends the greatest share of its time in events, and
/// returns it with that share. If `whole` is shorter than `length`, it is the window. So the share is never below the mean, and
/// the window never ends after the recording. Events may overlap; they are cut to `whole`.
pub fn worst_window(events: &[impl Timed], length: i64, whole: Window) -> (Window, f64) {
    let mut busy: Vec<(i64, i64)> = events
        .iter()
        .map(|event| (event.start().max(whole.from), event.end().min(whole.to)))
        .filter(|(start, end)| start < end)
        .collect();
    join_overlaps(&mut busy);
    // The busy time before each range, and before the end.
    let mut sum = 0i64;
    let mut before = Vec::with_capacity(busy.len().saturating_add(1));
    for (start, end) in &busy {
        before.push(sum);
        sum = sum.saturating_add(end.saturating_sub(*start));
    }
    before.push(sum);
    let until = |at: i64| {
        let next = busy.partition_point(|(start, _)| *start < at);
        let whole = before.get(next).copied().unwrap_or(sum);
        // The range that has begun may not be over yet.
        let over = next.checked_sub(1).and_then(|i| busy.get(i)).map_or(0, |(_, end)| end.saturating_sub(at).max(0));
        whole.saturating_sub(over)
    };
    let mut best = (whole, super::ratio(sum as f64, whole.length() as f64));
    if length <= 0 || length >= whole.length() {
        return best;
    }
    // The worst window starts where a range starts, or ends where one ends.
    let last = whole.to.saturating_sub(length);
    for from in busy.iter().flat_map(|(start, end)| [*start, end.saturating_sub(length)]) {
        let from = from.clamp(whole.from, last);
        let window = Window { from, to: from.saturating_add(length) };
        let share = super::ratio(until(window.to).saturating_sub(until(from)) as f64, length as f64);
        if share > best.1 {
            best = (window, share);
        }
    }
    best
}

/// Like [`worst_window`], but as JMC computes it: windows of `length` slide by half, start with the first event and may extend
/// beyond the recording. If nothing happens, returns the first window and 0.
pub fn worst_sliding_window(events: &[impl Timed], length: i64) -> (Window, f64) {
    let first = events.iter().map(Timed::start).min().unwrap_or(0);
    let slide = (length / 2).max(1);
    let halves = Halves::of(events, first, slide);
    let mut best = (0, 0.0);
    for half in halves.edges() {
        // Two windows contain this half: the one that starts with it, and the previous one.
        for begin in [half, half.saturating_sub(1)] {
            let sum = halves.time(begin) + halves.time(begin.saturating_add(1));
            if begin >= 0 && sum > best.1 {
                best = (begin, sum);
            }
        }
    }
    let from = first.saturating_add(best.0.saturating_mul(slide));
    (Window { from, to: from.saturating_add(length) }, super::ratio(best.1, length as f64))
}

/// Time in events for each half of a window, by index.
struct Halves {
    slide: i64,
    /// The halves in which an event starts or ends, with the time that such events take in them.
    partly: BTreeMap<i64, f64>,
    /// The number of events that cover whole halves, from this half on.
    throughout: BTreeMap<i64, i64>,
}

impl Halves {
    fn of(events: &[impl Timed], first: i64, slide: i64) -> Self {
        let mut halves = Self { slide, partly: BTreeMap::new(), throughout: BTreeMap::new() };
        let mut changes: BTreeMap<i64, i64> = BTreeMap::new();
        for event in events.iter().filter(|event| event.end() > event.start()) {
            let from = event.start().saturating_sub(first);
            let to = event.end().saturating_sub(first);
            let (begin, end) = (from / slide, to / slide);
            if begin == end {
                *halves.partly.entry(begin).or_default() += to.saturating_sub(from) as f64;
                continue;
            }
            *halves.partly.entry(begin).or_default() += (slide - from % slide) as f64;
            *halves.partly.entry(end).or_default() += (to % slide) as f64;
            *changes.entry(begin.saturating_add(1)).or_default() += 1;
            *changes.entry(end).or_default() -= 1;
        }
        let mut events = 0;
        for (half, change) in changes {
            events += change;
            halves.throughout.insert(half, events);
        }
        halves
    }

    /// The halves at which the time changes.
    fn edges(&self) -> impl Iterator<Item = i64> {
        self.partly.keys().chain(self.throughout.keys()).copied()
    }

    /// The time in events within one half, in nanoseconds.
    fn time(&self, half: i64) -> f64 {
        let events = self.throughout.range(..=half).next_back().map_or(0, |(_, events)| *events);
        self.partly.get(&half).copied().unwrap_or(0.0) + events as f64 * self.slide as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_slide_by_half_and_may_extend_beyond_the_end() {
        let windows: Vec<Window> = sliding(100, 125, 20).collect();
        assert_eq!(windows, [(100, 120), (110, 130), (120, 140)].map(|(from, to)| Window { from, to }));
        assert_eq!(sliding(100, 120, 20).count(), 2);
        assert_eq!(sliding(5, 5, 20).count(), 1);
        assert_eq!(sliding(6, 5, 20).count(), 0);
    }

    #[test]
    fn the_worst_window_matches_an_exhaustive_search() {
        let events = [(0, 3), (12, 19), (14, 16), (41, 60)];
        for length in [10, 20, 40, 100] {
            let by_hand = sliding(0, 60, length)
                .map(|w| (events.iter().map(|e| w.clip(e)).sum::<i64>(), w))
                .max_by_key(|(time, w)| (*time, std::cmp::Reverse(w.from)))
                .map(|(time, _)| time as f64 / length as f64);
            assert_eq!(Some(worst_sliding_window(&events, length).1), by_hand, "{length}");
        }
        assert_eq!(worst_sliding_window(&[(5, 5)], 10).1, 0.0);
    }

    #[test]
    fn the_worst_window_is_in_the_recording_and_no_better_than_the_mean() {
        let mut state = 7u64;
        let mut below = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            i64::try_from((state >> 33) % n).unwrap_or(0)
        };
        for _ in 0..500 {
            let whole = Window { from: 100, to: 100 + below(80) + 1 };
            let events: Vec<(i64, i64)> =
                (0..below(8)).map(|_| (80 + below(120), below(30))).map(|(a, n)| (a, a + n)).collect();
            let length = below(90) + 1;
            let (window, share) = worst_window(&events, length, whole);
            let busy =
                |w: Window| (w.from..w.to).filter(|t| events.iter().any(|(a, b)| a <= t && t < b)).count() as f64;
            let of = |w: Window| busy(w) / w.length() as f64;
            assert!(window.from >= whole.from && window.to <= whole.to, "{window:?} in {whole:?}");
            assert!(share >= of(whole) - 1e-9 && (share - of(window)).abs() < 1e-9, "{events:?} {length} {whole:?}");
            let starts = whole.from..=(whole.to - length);
            let all = starts.map(|from| of(Window { from, to: from + length })).fold(of(whole), f64::max);
            assert!((share - all).abs() < 1e-9, "{share} is not {all}: {events:?} {length} {whole:?}");
        }
    }

    #[test]
    fn the_window_is_at_most_the_recording() {
        let whole = Window { from: 0, to: 10 };
        assert_eq!(worst_window(&[(2, 4)], 60, whole), (whole, 0.2));
        assert_eq!(worst_window(&[(2, 4), (3, 20)], 5, whole), (Window { from: 2, to: 7 }, 1.0));
        assert_eq!(worst_window(&[(0, 0)], 5, Window { from: 0, to: 0 }).1, 0.0);
    }

    #[test]
    fn a_pause_of_years_takes_no_longer_than_one_of_a_second() {
        let events: Vec<(i64, i64)> = (0..10_000).map(|i| (i, i64::MAX - i)).collect();
        let began = std::time::Instant::now();
        let (window, share) = worst_sliding_window(&events, 60);
        assert_eq!(window.length(), 60);
        assert!(share > 9_000.0 && began.elapsed().as_secs() < 5, "{share} in {:?}", began.elapsed());
    }

    #[test]
    fn overlapping_ranges_are_joined() {
        let mut stretches = vec![(30, 40), (5, 9), (0, 6), (9, 10), (32, 33), (41, 42)];
        join_overlaps(&mut stretches);
        assert_eq!(stretches, [(0, 10), (30, 40), (41, 42)]);
    }

    #[test]
    fn clipping_and_intersection() {
        let window = Window { from: 10, to: 20 };
        assert_eq!(window.clip(&(5, 12)), 2);
        assert_eq!(window.clip(&(12, 30)), 8);
        assert_eq!(window.clip(&(21, 30)), 0);
        assert!(window.meets(&(20, 30)) && !window.meets(&(21, 30)));
        assert!(window.has_end(&(0, 20)) && !window.has_end(&(15, 21)));
    }
}
