//! Converts the ticks of a chunk to nanoseconds. Instants and durations are different types, and so are ticks and
//! nanoseconds: a mix-up does not compile.
//!
//! Dates for [`Iso`] are computed by hand rather than with jiff, which the crates above use: twenty lines of calendar
//! arithmetic in UTC, and a parser has no other use for a calendar or time zones.

use crate::metadata::TimeUnit;

/// An instant on the clock of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Ticks(
    /// The value of the tick counter.
    pub i64,
);

/// A duration in ticks of a chunk's clock. `i64::MIN` and `i64::MAX` mean "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct TickSpan(
    /// The number of ticks.
    pub i64,
);

/// An instant in nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
#[repr(transparent)]
pub struct EpochNanos(
    /// Nanoseconds since the Unix epoch.
    pub i64,
);

/// A duration in nanoseconds. `i64::MIN` and `i64::MAX` mean "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
#[repr(transparent)]
pub struct Nanos(
    /// The number of nanoseconds.
    pub i64,
);

impl EpochNanos {
    /// The instant this much later, or the last one that can be represented.
    #[inline]
    #[must_use]
    pub const fn saturating_add(self, length: Nanos) -> Self {
        Self(self.0.saturating_add(length.0))
    }

    /// The instant this much earlier, or the first one that can be represented.
    #[inline]
    #[must_use]
    pub const fn saturating_sub(self, length: Nanos) -> Self {
        Self(self.0.saturating_sub(length.0))
    }

    /// The time that has passed since an earlier instant.
    #[inline]
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The clock of one chunk. Every chunk has its own clock, even within one JVM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    start_nanos: EpochNanos,
    start_ticks: Ticks,
    ticks_per_nano: f64,
}

impl Clock {
    /// Creates a clock for which `start_nanos` and `start_ticks` are the same instant. A frequency of zero or less
    /// counts as one tick per nanosecond, to avoid a division by zero.
    #[expect(clippy::cast_precision_loss, reason = "the JDK computes in doubles, and so must we to agree with it")]
    pub fn new(start_nanos: EpochNanos, start_ticks: Ticks, ticks_per_second: i64) -> Self {
        let per_second = if ticks_per_second > 0 { ticks_per_second } else { 1_000_000_000 };
        Self { start_nanos, start_ticks, ticks_per_nano: per_second as f64 / 1e9 }
    }

    /// Converts an instant to nanoseconds since the Unix epoch.
    ///
    /// Computed as in the JDK's and JMC's readers: in doubles, truncated toward zero, even for an event that
    /// began before its chunk.
    #[inline]
    #[must_use]
    pub fn nanos(&self, ticks: Ticks) -> EpochNanos {
        let since = self.span(TickSpan(ticks.0.wrapping_sub(self.start_ticks.0)));
        EpochNanos(self.start_nanos.0.wrapping_add(since.0))
    }

    /// Converts a duration to nanoseconds. `i64::MIN` and `i64::MAX`, which mean "none", are returned
    /// unchanged.
    #[inline]
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "the JDK's own rounding; `as` saturates"
    )]
    pub fn span(&self, TickSpan(ticks): TickSpan) -> Nanos {
        if ticks == i64::MIN || ticks == i64::MAX {
            return Nanos(ticks);
        }
        Nanos((ticks as f64 / self.ticks_per_nano) as i64)
    }

    /// The time from `start` until `ticks` later: the duration of an event according to the JDK's API. It can differ
    /// by one from [`span`](Self::span), which the JDK's tool shows. 0 for the special values of `span`.
    #[inline]
    #[must_use]
    pub fn elapsed(&self, start: Ticks, TickSpan(ticks): TickSpan) -> Nanos {
        if ticks == i64::MIN || ticks == i64::MAX {
            return Nanos(0);
        }
        self.nanos(Ticks(start.0.wrapping_add(ticks))).saturating_since(self.nanos(start))
    }

    /// The tick nearest to an instant. Use it to compare many events with one instant.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "`as` saturates, which is what a bound needs"
    )]
    pub fn ticks(&self, instant: EpochNanos) -> Ticks {
        let span = i128::from(instant.0) - i128::from(self.start_nanos.0);
        let ticks = (span as f64 * self.ticks_per_nano) as i64;
        Ticks(self.start_ticks.0.saturating_add(ticks))
    }
}

impl Clock {
    /// The instant in a field with this unit; `None` if it is not set or out of range.
    #[must_use]
    pub fn instant(&self, value: i64, unit: TimeUnit) -> Option<EpochNanos> {
        if value == i64::MIN {
            return None;
        }
        match unit {
            TimeUnit::Ticks => Some(self.nanos(Ticks(value))),
            other => value.checked_mul(nanos_in(other)).map(EpochNanos),
        }
    }

    /// The duration in a field with this unit; `None` if it is "none", "forever" or out of range.
    #[must_use]
    pub fn length(&self, value: i64, unit: TimeUnit) -> Option<Nanos> {
        if value == i64::MIN || value == i64::MAX {
            return None;
        }
        match unit {
            TimeUnit::Ticks => Some(self.span(TickSpan(value))),
            other => value.checked_mul(nanos_in(other)).map(Nanos),
        }
    }
}

fn nanos_in(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Ticks | TimeUnit::Nanos => 1,
        TimeUnit::Micros => 1_000,
        TimeUnit::Millis => 1_000_000,
        TimeUnit::Seconds => 1_000_000_000,
    }
}

/// Formats an instant as ISO 8601 in UTC: `2026-11-23T10:36:30.964012345Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Iso(
    /// The instant.
    pub EpochNanos,
);

impl std::fmt::Display for Iso {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}Z", LocalNanos(self.0.0))
    }
}

/// A local time: what a clock on the wall shows, in nanoseconds since it showed 1970-01-01T00:00. Formatted as ISO 8601
/// without an offset: `2026-11-23T11:36:30.964012345`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct LocalNanos(
    /// Nanoseconds since 1970-01-01T00:00 local time.
    pub i64,
);

impl LocalNanos {
    /// The local time this much later on the clock, or the last one that can be represented.
    #[must_use]
    pub const fn saturating_add(self, length: Nanos) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}

impl std::fmt::Display for LocalNanos {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, nanos) = (self.0.div_euclid(1_000_000_000), self.0.rem_euclid(1_000_000_000));
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}")
    }
}

/// The time zone for displaying and parsing times: UTC, or a function that returns the offset of local time from UTC.
#[derive(Clone, Default)]
pub struct Zone(Option<std::sync::Arc<dyn Fn(EpochNanos) -> i64 + Send + Sync>>);

impl Zone {
    /// UTC, which is the default.
    pub const UTC: Self = Self(None);

    /// A zone with an offset function: `ahead` returns how many seconds local time is ahead of UTC at an instant.
    pub fn new(ahead: impl Fn(EpochNanos) -> i64 + Send + Sync + 'static) -> Self {
        Self(Some(std::sync::Arc::new(ahead)))
    }

    /// The offset from UTC in seconds at an instant.
    #[must_use]
    pub fn ahead(&self, at: EpochNanos) -> i64 {
        self.0.as_ref().map_or(0, |ahead| ahead(at))
    }

    /// The local time at an instant.
    #[must_use]
    pub fn local(&self, at: EpochNanos) -> LocalNanos {
        LocalNanos(at.0.saturating_add(self.ahead(at).saturating_mul(1_000_000_000)))
    }

    /// The instants at which the zone has this local time: none if clocks skipped it, two if they were put back over it.
    #[must_use]
    pub fn instants(&self, local: LocalNanos) -> Vec<EpochNanos> {
        const DAY: i64 = 86_400_000_000_000;
        let mut found: Vec<EpochNanos> = [-DAY, 0, DAY]
            .into_iter()
            .map(|near| self.with_offset_at(local, EpochNanos(local.0.saturating_add(near))))
            .filter(|at| self.local(*at) == local)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The instant of a local time if the offset is the one at instant `near`.
    #[must_use]
    pub fn with_offset_at(&self, local: LocalNanos, near: EpochNanos) -> EpochNanos {
        EpochNanos(local.0.saturating_sub(self.ahead(near).saturating_mul(1_000_000_000)))
    }

    /// An instant as ISO 8601 with the zone's offset: `2026-11-23T11:36:30.964012345+01:00`, or `Z` for UTC.
    #[must_use]
    pub fn iso(&self, at: EpochNanos) -> String {
        match &self.0 {
            None => Iso(at).to_string(),
            Some(_) => format!("{}{}", self.local(at), offset(self.ahead(at))),
        }
    }

    /// The name of the offset at an instant: `UTC`, `UTC+01:00`.
    #[must_use]
    pub fn name(&self, at: EpochNanos) -> String {
        match &self.0 {
            None => "UTC".to_owned(),
            Some(_) => format!("UTC{}", offset(self.ahead(at))),
        }
    }
}

fn offset(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Zone(local)" } else { "Zone(UTC)" })
    }
}

/// Converts a number of days since 1970-01-01 to year, month and day in the Gregorian calendar.
///
/// Years start in March here, so that a leap day is the last day of its year; 400 years have 146,097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_march = days + 719_468;
    let (era, of_era) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_times_and_back() {
        const HOUR: i64 = 3_600_000_000_000;
        // Summer time until 1970-01-02T01:00Z, when clocks go back from 3 to 2.
        let zone = Zone::new(|at| if at.0 < 25 * HOUR { 7_200 } else { 3_600 });
        assert_eq!(zone.iso(EpochNanos(0)), "1970-01-01T02:00:00.000000000+02:00");
        assert_eq!(zone.name(EpochNanos(30 * HOUR)), "UTC+01:00");
        assert_eq!(zone.instants(LocalNanos(2 * HOUR)), [EpochNanos(0)]);
        assert_eq!(
            zone.instants(LocalNanos(26 * HOUR + HOUR / 2)),
            [EpochNanos(24 * HOUR + HOUR / 2), EpochNanos(25 * HOUR + HOUR / 2)]
        );
        let forward = Zone::new(|at| if at.0 < 25 * HOUR { 0 } else { 3_600 });
        assert_eq!(forward.instants(LocalNanos(25 * HOUR + HOUR / 2)), []);
        let west = Zone::new(|_| -16_200);
        assert_eq!(
            (west.iso(EpochNanos(0)), Zone::UTC.iso(EpochNanos(0))),
            ("1969-12-31T19:30:00.000000000-04:30".into(), Iso(EpochNanos(0)).to_string())
        );
    }

    #[test]
    fn truncates_toward_zero_on_both_sides() {
        let clock = Clock::new(EpochNanos(1_000), Ticks(100), 3_000_000_000);
        assert_eq!(clock.nanos(Ticks(105)), EpochNanos(1_001));
        assert_eq!(clock.nanos(Ticks(95)), EpochNanos(999));
        assert_eq!(clock.span(TickSpan(5)), Nanos(1));
    }

    #[test]
    fn dates() {
        assert_eq!(Iso(EpochNanos(0)).to_string(), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(Iso(EpochNanos(-1)).to_string(), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(Iso(EpochNanos(951_782_400_000_000_000)).to_string(), "2000-02-29T00:00:00.000000000Z");
        assert_eq!(Iso(EpochNanos(1_767_225_599_123_456_789)).to_string(), "2025-12-31T23:59:59.123456789Z");
    }

    #[test]
    fn special_values_and_a_zero_frequency() {
        let clock = Clock::new(EpochNanos(0), Ticks(0), 0);
        assert_eq!(clock.nanos(Ticks(42)), EpochNanos(42));
        assert_eq!(clock.span(TickSpan(i64::MAX)), Nanos(i64::MAX));
        assert_eq!(clock.span(TickSpan(i64::MIN)), Nanos(i64::MIN));
    }
}
