//! From the ticks of a chunk to nanoseconds.

/// The clock of one chunk. Every chunk has its own, even within one JVM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    start_nanos: i64,
    start_ticks: i64,
    ticks_per_nano: f64,
}

impl Clock {
    /// `start_nanos` (since the Unix epoch) and `start_ticks` are the same instant; a frequency of zero or
    /// less, which would divide by zero, counts as one tick a nanosecond.
    #[expect(clippy::cast_precision_loss, reason = "the JDK computes in doubles, and so must we to agree with it")]
    pub fn new(start_nanos: i64, start_ticks: i64, ticks_per_second: i64) -> Self {
        let per_second = if ticks_per_second > 0 { ticks_per_second } else { 1_000_000_000 };
        Self { start_nanos, start_ticks, ticks_per_nano: per_second as f64 / 1e9 }
    }

    /// Nanoseconds since the Unix epoch of an absolute tick.
    ///
    /// Computed as the JDK's and JMC's readers do: in doubles, truncated toward zero, also for an event that
    /// began before its chunk.
    #[inline]
    #[must_use]
    pub fn nanos(&self, ticks: i64) -> i64 {
        self.start_nanos.wrapping_add(self.span(ticks.wrapping_sub(self.start_ticks)))
    }

    /// Nanoseconds in a number of ticks. `i64::MIN` and `i64::MAX` stand for "none" and stay as they are.
    #[inline]
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "the JDK's own rounding; `as` saturates"
    )]
    pub fn span(&self, ticks: i64) -> i64 {
        if ticks == i64::MIN || ticks == i64::MAX {
            return ticks;
        }
        (ticks as f64 / self.ticks_per_nano) as i64
    }

    /// Nanoseconds from the tick `start` to the tick `start + ticks`: what the JDK's API says an event lasts. It can
    /// differ from [`span`](Self::span), which the JDK's tool shows, by one. 0 for the special values of `span`.
    #[inline]
    #[must_use]
    pub fn length(&self, start: i64, ticks: i64) -> i64 {
        if ticks == i64::MIN || ticks == i64::MAX {
            return 0;
        }
        self.nanos(start.wrapping_add(ticks)).saturating_sub(self.nanos(start))
    }

    /// The absolute tick nearest to an instant: for comparing many events with one instant.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "`as` saturates, which is what a bound needs"
    )]
    pub fn ticks(&self, nanos: i64) -> i64 {
        let span = i128::from(nanos) - i128::from(self.start_nanos);
        let ticks = (span as f64 * self.ticks_per_nano) as i64;
        self.start_ticks.saturating_add(ticks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncates_toward_zero_on_both_sides() {
        let clock = Clock::new(1_000, 100, 3_000_000_000);
        assert_eq!(clock.nanos(105), 1_001);
        assert_eq!(clock.nanos(95), 999);
        assert_eq!(clock.span(5), 1);
    }

    #[test]
    fn special_values_and_a_zero_frequency() {
        let clock = Clock::new(0, 0, 0);
        assert_eq!(clock.nanos(42), 42);
        assert_eq!(clock.span(i64::MAX), i64::MAX);
        assert_eq!(clock.span(i64::MIN), i64::MIN);
    }
}
