//! Parses time ranges, and resolves them for a recording.
//!
//! Instants are read by jiff, durations (`1m30s`, `1 min 20 s`) by [`parse_duration`], because the program prints some that
//! jiff does not read.

use std::str::FromStr;

use jfr_parse::{EpochNanos, Iso, LocalNanos, Nanos, Recording, Zone};
use jfrkit_profile::units::parse_duration;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;

/// One end of a time range.
///
/// Written as a timestamp (`2026-11-22T10:36:30Z`, `2026-11-22 10:36:30.5+01:00`, `2026-11-22`; without an offset, in the
/// requested zone, UTC by default), as a time of day in that zone (`10:36`, `10:36:30.5`), as milliseconds since the Unix
/// epoch (`1795343790000`), as a time from the start (`10s`, `+500ms`, `1m30s`, `1 min 20 s`), or as a time before the end
/// (`-30s`).
///
/// ```
/// use jfr_analyzers::TimeBound;
/// use jfr_parse::EpochNanos;
///
/// let (start, end) = (EpochNanos(1_000), EpochNanos(2_000));
/// assert_eq!(TimeBound::parse("1m30s")?.resolve(start, end), EpochNanos(90_000_001_000));
/// assert_eq!(TimeBound::parse("-10ns")?.resolve(start, end), EpochNanos(1_990));
/// assert_eq!(TimeBound::parse("1970-01-01T00:00:01Z")?.resolve(start, end), EpochNanos(1_000_000_000));
/// # Ok::<(), jfr_analyzers::time_range::BadTimeBound>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeBound {
    /// An instant.
    Absolute(EpochNanos),
    /// A local time without an offset.
    Wall(LocalNanos),
    /// The time from the beginning of the recording.
    FromStart(Nanos),
    /// The time before the end of the recording.
    FromEnd(Nanos),
    /// The time since midnight on the day of the recording.
    TimeOfDay(Nanos),
}

const DAY: Nanos = Nanos(86_400_000_000_000);

/// The text is not a valid time bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid time {0:?}: expected a timestamp (2026-11-22T10:36:30Z), a time of day (10:36:30), milliseconds since 1970, a time from the start (10s, 1m30s) or from the end (-10s)"
)]
pub struct BadTimeBound(String);

impl TimeBound {
    /// Parses a bound.
    ///
    /// # Errors
    /// [`BadTimeBound`] for any other text, and for a timestamp that does not fit into 64 bits of nanoseconds.
    pub fn parse(text: &str) -> Result<Self, BadTimeBound> {
        let trimmed = text.trim();
        let found = match trimmed.strip_prefix('-') {
            Some(rest) => parse_duration(rest).ok().map(Nanos).map(Self::FromEnd),
            None => milliseconds(trimmed)
                .map(|nanos| Self::Absolute(EpochNanos(nanos)))
                .or_else(|| {
                    parse_duration(trimmed.strip_prefix('+').unwrap_or(trimmed)).ok().map(Nanos).map(Self::FromStart)
                })
                .or_else(|| time_of_day(trimmed).map(Nanos).map(Self::TimeOfDay))
                .or_else(|| instant(trimmed)),
        };
        found.ok_or_else(|| BadTimeBound(text.to_owned()))
    }

    /// The instant, for a recording from `start` to `end`. Times without an offset are in UTC.
    #[must_use]
    pub fn resolve(self, start: EpochNanos, end: EpochNanos) -> EpochNanos {
        self.resolve_in(&Zone::UTC, start, end)
    }

    /// Like [`resolve`](Self::resolve), but times without an offset are in this zone.
    #[must_use]
    pub fn resolve_in(self, zone: &Zone, start: EpochNanos, end: EpochNanos) -> EpochNanos {
        // A local time that clocks skipped is moved forward by the length of the gap.
        let instant = |local: LocalNanos| {
            let before = EpochNanos(local.0.saturating_sub(DAY.0));
            zone.instants(local).first().copied().unwrap_or_else(|| zone.with_offset_at(local, before))
        };
        match self {
            Self::Absolute(at) => at,
            Self::Wall(local) => instant(local),
            Self::FromStart(length) => start.saturating_add(length),
            Self::FromEnd(length) => end.saturating_sub(length),
            Self::TimeOfDay(of_day) => {
                // A time of day outside of the recording refers to the first day.
                let first = || instant(midnight(zone.local(start)).saturating_add(of_day));
                Self::on_days(zone, of_day, start, end).first().copied().unwrap_or_else(first)
            }
        }
    }

    /// The first two instants with this time of day within a recording.
    fn on_days(zone: &Zone, of_day: Nanos, start: EpochNanos, end: EpochNanos) -> Vec<EpochNanos> {
        let last = zone.local(end).saturating_add(DAY);
        let next = |day: &LocalNanos| day.0.checked_add(DAY.0).map(LocalNanos);
        let days = std::iter::successors(Some(midnight(zone.local(start))), next);
        let local = days.take_while(|day| *day <= last).map(|day| day.saturating_add(of_day));
        local.flat_map(|local| zone.instants(local)).filter(|at| (start..=end).contains(at)).take(2).collect()
    }
}

/// The start of the day of a local time.
fn midnight(local: LocalNanos) -> LocalNanos {
    LocalNanos(local.0.saturating_sub(local.0.rem_euclid(DAY.0)))
}

/// Start and end of recordings according to their headers; both 0 if there is no chunk.
#[must_use]
pub fn span(recordings: &[&Recording<'_>]) -> (EpochNanos, EpochNanos) {
    let headers = || recordings.iter().flat_map(|recording| recording.headers()).map(|(_, header)| header);
    let start = headers().map(|header| header.start_nanos).min().unwrap_or_default();
    let end = headers().map(|header| header.end_nanos()).max().unwrap_or_default();
    (start, end)
}

/// A part of a recording; the end is exclusive, and `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeRange {
    /// The start, inclusive.
    pub from: Option<EpochNanos>,
    /// The end, exclusive.
    pub to: Option<EpochNanos>,
}

/// Why a time range is not valid for a recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTimeRange {
    /// It ends before it begins.
    #[error("--from ({from}) is not before --to ({to}); the recording covers {start} to {end}", from = Iso(*from), to = Iso(*to), start = Iso(*start), end = Iso(*end))]
    Reversed {
        /// The start of the range.
        from: EpochNanos,
        /// The end of the range.
        to: EpochNanos,
        /// The start of the recording.
        start: EpochNanos,
        /// The end of the recording.
        end: EpochNanos,
    },
    /// The range does not overlap the recording.
    #[error("no events between --from and --to; the recording covers {start} to {end}", start = Iso(*start), end = Iso(*end))]
    Outside {
        /// The start of the recording.
        start: EpochNanos,
        /// The end of the recording.
        end: EpochNanos,
    },
    /// A time of day that occurs more than once in the recording.
    #[error("the time of day occurs twice in the recording: give {first} or {second}", first = Iso(*first), second = Iso(*second))]
    Ambiguous {
        /// Its first occurrence.
        first: EpochNanos,
        /// Its second occurrence.
        second: EpochNanos,
    },
}

impl BadTimeRange {
    /// The message with its times in a zone.
    #[must_use]
    pub fn in_zone(&self, zone: &Zone) -> String {
        let mut text = self.to_string();
        let times = match *self {
            Self::Reversed { from, to, start, end } => vec![from, to, start, end],
            Self::Outside { start, end } => vec![start, end],
            Self::Ambiguous { first, second } => vec![first, second],
        };
        for at in times {
            text = text.replace(&Iso(at).to_string(), &zone.iso(at));
        }
        text
    }
}

impl TimeRange {
    /// Whether it is open at both ends.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// The start, or the first instant that can be represented.
    #[must_use]
    pub fn first(&self) -> EpochNanos {
        self.from.unwrap_or(EpochNanos(i64::MIN))
    }

    /// The end, which is exclusive, or the last instant that can be represented.
    #[must_use]
    pub fn end(&self) -> EpochNanos {
        self.to.unwrap_or(EpochNanos(i64::MAX))
    }

    /// Whether an instant is in the range.
    #[inline]
    #[must_use]
    pub fn contains(&self, at: EpochNanos) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }

    /// Resolves two bounds for a recording from `start` to `end`. Times without an offset are in `zone`. `known` is whether the
    /// end is known; that of a recording still being written is not.
    ///
    /// # Errors
    /// [`BadTimeRange`].
    pub fn resolve(
        from: Option<TimeBound>,
        to: Option<TimeBound>,
        start: EpochNanos,
        end: EpochNanos,
        known: bool,
        zone: &Zone,
    ) -> Result<Self, BadTimeRange> {
        for bound in [from, to].into_iter().flatten() {
            if let TimeBound::TimeOfDay(of_day) = bound
                && let [first, second] = TimeBound::on_days(zone, of_day, start, end)[..]
            {
                return Err(BadTimeRange::Ambiguous { first, second });
            }
        }
        let resolve = |bound: TimeBound| bound.resolve_in(zone, start, end);
        let range = Self { from: from.map(resolve), to: to.map(resolve) };
        let (first, last) = (range.first(), range.end());
        if first >= last {
            return Err(BadTimeRange::Reversed { from: first, to: last, start, end });
        }
        if known && (first > end || last <= start) {
            return Err(BadTimeRange::Outside { start, end });
        }
        Ok(range)
    }
}

impl FromStr for TimeBound {
    type Err = BadTimeBound;

    fn from_str(text: &str) -> Result<Self, BadTimeBound> {
        Self::parse(text)
    }
}

fn milliseconds(text: &str) -> Option<i64> {
    digits(text)?.checked_mul(1_000_000)
}

/// A number that consists only of digits.
fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) { None } else { text.parse().ok() }
}

/// A decimal number in units of `nanos` nanoseconds, truncated to whole nanoseconds.
fn scaled(number: &str, nanos: i64) -> Option<i64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let whole = digits(whole)?.checked_mul(nanos)?;
    let part = part.get(..part.len().min(9))?;
    let scale = 10i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let part = i128::from(digits(part)?) * i128::from(nanos) / scale;
    whole.checked_add(i64::try_from(part).ok()?)
}

/// A date, with a time of day, with an offset, as far as they are given: ISO 8601, by jiff.
fn instant(text: &str) -> Option<TimeBound> {
    let pieces = Pieces::parse(text).ok()?;
    let local = pieces.date().to_datetime(pieces.time().unwrap_or_default());
    let nanos = |offset: Offset| i64::try_from(offset.to_timestamp(local).ok()?.as_nanosecond()).ok();
    match (pieces.to_numeric_offset(), pieces.time_zone_annotation()) {
        (_, Some(_)) => None,
        (None, None) => nanos(Offset::UTC).map(|local| TimeBound::Wall(LocalNanos(local))),
        (Some(offset), None) => nanos(offset).map(|at| TimeBound::Absolute(EpochNanos(at))),
    }
}

fn fixed(text: &str, width: usize) -> Option<i64> {
    if text.len() == width { digits(text) } else { None }
}

/// `hh:mm` or `hh:mm:ss`, optionally with a fraction, in nanoseconds.
fn time_of_day(text: &str) -> Option<i64> {
    let (hours, minutes) = text.get(..5)?.split_once(':')?;
    let (hours, minutes) = (fixed(hours, 2).filter(|&h| h < 24)?, fixed(minutes, 2).filter(|&m| m < 60)?);
    let seconds = match text.get(5..)? {
        "" => 0,
        rest => {
            let rest = rest.strip_prefix(':')?;
            let (whole, _) = rest.split_once('.').unwrap_or((rest, ""));
            fixed(whole, 2).filter(|&s| s < 60)?;
            scaled(rest, 1_000_000_000)?
        }
    };
    Some((hours * 60 + minutes) * 60_000_000_000 + seconds)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn absolute(text: &str) -> i64 {
        match TimeBound::parse(text) {
            Ok(bound @ (TimeBound::Absolute(_) | TimeBound::Wall(_))) => bound.resolve(EpochNanos(0), EpochNanos(0)).0,
            other => unreachable!("{text}: {other:?}"),
        }
    }

    #[test]
    fn instants() {
        const SECOND: i64 = 1_000_000_000;
        assert_eq!(absolute("1970-01-01"), 0);
        assert_eq!(absolute("2000-02-29"), 951_782_400 * SECOND);
        assert_eq!(absolute("2026-11-22T10:36:30Z"), 1_795_343_790 * SECOND);
        assert_eq!(absolute("2026-11-22 11:36:30.25+01:00"), 1_795_343_790 * SECOND + SECOND / 4);
        assert_eq!(absolute("2026-11-22T05:06-0530"), 1_795_343_760 * SECOND);
        assert_eq!(absolute("1969-12-31T23:59:59"), -SECOND);
        assert_eq!(absolute("1795343790000"), 1_795_343_790 * SECOND);
    }

    #[test]
    fn relative_times() {
        assert_eq!(TimeBound::parse("10s"), Ok(TimeBound::FromStart(Nanos(10_000_000_000))));
        assert_eq!(TimeBound::parse("-500ms"), Ok(TimeBound::FromEnd(Nanos(500_000_000))));
        assert_eq!(TimeBound::parse("1.5h"), Ok(TimeBound::FromStart(Nanos(5_400_000_000_000))));
        assert_eq!(TimeBound::parse(" 1m 30s".trim()), Ok(TimeBound::FromStart(Nanos(90_000_000_000))));
        assert_eq!(
            "2m".parse::<TimeBound>().unwrap().resolve(EpochNanos(5), EpochNanos(0)),
            EpochNanos(120_000_000_005)
        );
        assert_eq!(TimeBound::FromEnd(Nanos(10)).resolve(EpochNanos(0), EpochNanos(i64::MIN)), EpochNanos(i64::MIN));
    }

    #[test]
    fn printed_times_can_be_parsed() {
        assert_eq!(TimeBound::parse("+20.9s"), Ok(TimeBound::FromStart(Nanos(20_900_000_000))));
        assert_eq!(TimeBound::parse("1 min 20 s"), Ok(TimeBound::FromStart(Nanos(80_000_000_000))));
        assert_eq!(TimeBound::parse("10:52"), Ok(TimeBound::TimeOfDay(Nanos(39_120_000_000_000))));
        assert_eq!(TimeBound::parse("10:52:02.58"), Ok(TimeBound::TimeOfDay(Nanos(39_122_580_000_000))));
    }

    #[test]
    fn ranges_of_a_recording() {
        // From 23:59:50 to 00:00:20 of the next day, and a recording of two days.
        const DAY: i64 = super::DAY.0;
        let (start, end) = (DAY - 10_000_000_000, DAY + 20_000_000_000);
        let range = |from: &str, to: &str, start, end| {
            let bound = |text: &str| (!text.is_empty()).then(|| TimeBound::parse(text).unwrap());
            TimeRange::resolve(bound(from), bound(to), EpochNanos(start), EpochNanos(end), true, &Zone::UTC)
        };
        assert_eq!(range("00:00:05", "", start, end).unwrap().from, Some(EpochNanos(DAY + 5_000_000_000)));
        assert_eq!(range("23:59:55", "00:00", start, end).unwrap().to, Some(EpochNanos(DAY)));
        assert!(matches!(range("20s", "10s", start, end), Err(BadTimeRange::Reversed { .. })));
        assert!(matches!(range("500h", "", start, end), Err(BadTimeRange::Outside { .. })));
        assert!(matches!(range("12:00", "", 0, 2 * DAY), Err(BadTimeRange::Ambiguous { .. })));
        let error = range("500h", "", 0, DAY).unwrap_err();
        assert!(
            error.to_string().starts_with("no events between --from and --to; the recording covers 1970-01-01T"),
            "{error}"
        );
    }

    #[test]
    fn times_without_an_offset_are_those_of_the_zone() {
        const HOUR: i64 = 3_600_000_000_000;
        // Two hours ahead of UTC, and one hour from 30:00 on, so 31:00 occurs twice.
        let zone = Zone::new(|at| if at.0 < 30 * HOUR { 7_200 } else { 3_600 });
        let at = |text: &str, start, end| {
            TimeBound::parse(text).unwrap().resolve_in(&zone, EpochNanos(start), EpochNanos(end)).0
        };
        assert_eq!(at("10:30", 8 * HOUR, 9 * HOUR), 8 * HOUR + HOUR / 2);
        assert_eq!(at("1970-01-01 10:30", 0, 1), 8 * HOUR + HOUR / 2);
        assert_eq!(at("1970-01-01T10:30Z", 0, 1), 10 * HOUR + HOUR / 2);
        // On the day of the recording in local time: 23:00 UTC is 01:00 of the next day.
        assert_eq!(at("01:30", 23 * HOUR, 24 * HOUR), 23 * HOUR + HOUR / 2);
        let twice = TimeRange::resolve(
            Some(TimeBound::TimeOfDay(Nanos(7 * HOUR + HOUR / 2))),
            None,
            EpochNanos(28 * HOUR),
            EpochNanos(32 * HOUR),
            true,
            &zone,
        );
        let (first, second) = (EpochNanos(29 * HOUR + HOUR / 2), EpochNanos(30 * HOUR + HOUR / 2));
        assert_eq!(twice, Err(BadTimeRange::Ambiguous { first, second }));
    }

    #[test]
    fn invalid_times_and_ranges() {
        for text in [
            "",
            "-",
            "s",
            "10x",
            "10",
            "soon",
            "-5",
            "1.2.3s",
            "2026-13-01",
            "2026-02-29",
            "2026-11-22T",
            "2026-11-22T25:00",
            "2026-11-22T10:61",
            "2026-11-22T10:00+",
            "9999-01-01",
            "99999999999999999999",
            "2026-11-22T10:36[Europe/Berlin]",
            "é10s",
            "10é",
        ] {
            let bound = TimeBound::parse(text);
            // A bare number is milliseconds since 1970.
            assert_eq!(bound.is_err(), text != "10", "{text}: {bound:?}");
        }
        assert!(TimeBound::parse("soon").unwrap_err().to_string().contains("invalid time \"soon\""));
    }
}
