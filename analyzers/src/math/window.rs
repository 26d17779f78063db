//! Windows that slide over events.

/// Something with a beginning and an end, in nanoseconds.
pub trait Timed {
    /// When it began.
    fn start(&self) -> i64;
    /// When it ended.
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

/// A stretch of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its beginning, nanoseconds.
    pub from: i64,
    /// Its end.
    pub to: i64,
}

impl Window {
    /// Whether an event ends in it.
    #[must_use]
    pub fn has_end(&self, event: &impl Timed) -> bool {
        (self.from..=self.to).contains(&event.end())
    }

    /// Whether an event meets it.
    #[must_use]
    pub fn meets(&self, event: &impl Timed) -> bool {
        event.start() <= self.to && event.end() >= self.from
    }

    /// How much of an event lies in it, in nanoseconds.
    #[must_use]
    pub fn clip(&self, event: &impl Timed) -> i64 {
        event.end().min(self.to).saturating_sub(event.start().max(self.from)).max(0)
    }

    /// Its length in nanoseconds.
    #[must_use]
    pub fn length(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }
}

/// Windows, at most; a recording of a year has a million of 30 s.
const MAX_WINDOWS: i64 = 4_000_000;

/// The windows of `length` nanoseconds, one every half of that, over a stretch of time that begins with the first
/// event (its start or its end, as the rule counts) and goes on to the end of the last. The last windows may reach
/// beyond it.
pub fn sliding(first: i64, last: i64, length: i64) -> impl Iterator<Item = Window> {
    let slide = (length / 2).max(1);
    let span = last.saturating_sub(first);
    // Windows go on while they begin before the end; a single instant still has one.
    let count = if last <= first { i64::from(last == first) } else { (span - 1) / slide + 1 };
    (0..count.min(MAX_WINDOWS)).map(move |i| {
        let from = first.saturating_add(i.saturating_mul(slide));
        Window { from, to: from.saturating_add(length) }
    })
}

/// The window of `length`, sliding by half, with the greatest share of its time in the events, and that share. Windows
/// begin with the first event. Where nothing happens it is the first window, with 0.
pub fn worst_window(events: &[impl Timed], length: i64) -> (Window, f64) {
    let first = events.iter().map(Timed::start).min().unwrap_or(0);
    let slide = (length / 2).max(1);
    // Time in events for each half of a window, so that the work does not grow with the number of windows.
    let mut halves: std::collections::BTreeMap<i64, f64> = std::collections::BTreeMap::new();
    let mut left = MAX_WINDOWS;
    for event in events {
        let mut at = event.start();
        while at < event.end() && left > 0 {
            left -= 1;
            let half = at.saturating_sub(first) / slide;
            let end = first.saturating_add(half.saturating_add(1).saturating_mul(slide)).min(event.end());
            *halves.entry(half).or_default() += end.saturating_sub(at) as f64;
            if end <= at {
                break;
            }
            at = end;
        }
    }
    let mut best = (0, 0.0);
    for (half, time) in &halves {
        // Two windows hold this half: that which begins with it, and the one before.
        for (begin, other) in [(*half, half.saturating_add(1)), (half.saturating_sub(1), half.saturating_sub(1))] {
            let sum = time + halves.get(&other).copied().unwrap_or(0.0);
            if begin >= 0 && sum > best.1 {
                best = (begin, sum);
            }
        }
    }
    let from = first.saturating_add(best.0.saturating_mul(slide));
    (Window { from, to: from.saturating_add(length) }, super::ratio(best.1, length as f64))
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
    fn clipping_and_meeting() {
        let window = Window { from: 10, to: 20 };
        assert_eq!(window.clip(&(5, 12)), 2);
        assert_eq!(window.clip(&(12, 30)), 8);
        assert_eq!(window.clip(&(21, 30)), 0);
        assert!(window.meets(&(20, 30)) && !window.meets(&(21, 30)));
        assert!(window.has_end(&(0, 20)) && !window.has_end(&(15, 21)));
    }
}
