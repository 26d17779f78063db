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

/// The window of `length`, sliding by half, that has the greatest share of its time in the events, and that
/// share. Windows start with the first event. Without any events, it is the first window, with 0.
///
/// The work depends on the number of events, not on their duration: a damaged recording may contain a pause of
/// several years.
pub fn worst_window(events: &[impl Timed], length: i64) -> (Window, f64) {
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
    fn windows_slide_by_half_and_may_hang_over() {
        let windows: Vec<Window> = sliding(100, 125, 20).collect();
        assert_eq!(windows, [(100, 120), (110, 130), (120, 140)].map(|(from, to)| Window { from, to }));
        assert_eq!(sliding(100, 120, 20).count(), 2);
        assert_eq!(sliding(5, 5, 20).count(), 1);
        assert_eq!(sliding(6, 5, 20).count(), 0);
    }

    #[test]
    fn the_worst_window_is_the_one_that_trying_all_finds() {
        let events = [(0, 3), (12, 19), (14, 16), (41, 60)];
        for length in [10, 20, 40, 100] {
            let by_hand = sliding(0, 60, length)
                .map(|w| (events.iter().map(|e| w.clip(e)).sum::<i64>(), w))
                .max_by_key(|(time, w)| (*time, std::cmp::Reverse(w.from)))
                .map(|(time, _)| time as f64 / length as f64);
            assert_eq!(Some(worst_window(&events, length).1), by_hand, "{length}");
        }
        assert_eq!(worst_window(&[(5, 5)], 10).1, 0.0);
    }

    #[test]
    fn a_pause_of_years_costs_no_more_than_one_of_a_second() {
        let events: Vec<(i64, i64)> = (0..10_000).map(|i| (i, i64::MAX - i)).collect();
        let began = std::time::Instant::now();
        let (window, share) = worst_window(&events, 60);
        assert_eq!(window.length(), 60);
        assert!(share > 9_000.0 && began.elapsed().as_secs() < 5, "{share} in {:?}", began.elapsed());
    }

    #[test]
    fn clipping_and_meeting() {
        let window = Window { from: 10, to: 20 };
        assert_eq!(window.clip(&(5, 12)), 2);
        assert_eq!(window.clip(&(12, 30)), 8);
        assert_eq!(window.clip(&(21, 30)), 0);
        assert!(window.meets(&(20, 30)) && !window.meets(&(21, 30)));
        assert!(window.has_end(&(0, 20)) && !window.has_end(&(15, 21)));
    }
}
