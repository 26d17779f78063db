//! Timestamps: parsed from client formats, written as RFC 3339, stored as milliseconds since the Unix epoch. Instants are
//! read and written by jiff.

use std::time::{SystemTime, UNIX_EPOCH};

use jfrkit_profile::units;
use jiff::Timestamp;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;

/// The current time in milliseconds since the Unix epoch.
pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)).saturating_add(offset())
}

/// Shifts the clock in tests by the milliseconds in `JFRKIT_TEST_CLOCK`. Only in development and test builds.
#[cfg(debug_assertions)]
fn offset() -> i64 {
    static OFFSET: std::sync::LazyLock<i64> = std::sync::LazyLock::new(|| {
        std::env::var("JFRKIT_TEST_CLOCK").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    });
    *OFFSET
}

/// No shift in release builds.
#[cfg(not(debug_assertions))]
const fn offset() -> i64 {
    0
}

/// The timestamp; the first or last one of jiff, years -9999 and 9999, if it is out of range.
fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// Year, month, day and hour of a timestamp, as path components.
pub(crate) fn hour_path(millis: i64) -> String {
    let time = Offset::UTC.to_datetime(timestamp(millis));
    format!("{:04}/{:02}/{:02}/{:02}", time.year(), time.month(), time.day(), time.hour())
}

/// RFC 3339 in UTC, with milliseconds.
pub(crate) fn rfc3339(millis: i64) -> String {
    format!("{:.3}", timestamp(millis))
}

/// Parses RFC 3339 with 0 to 9 fractional digits and any offset; without one, the time is UTC.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    let pieces = Pieces::parse(text.trim()).ok()?;
    let local = pieces.date().to_datetime(pieces.time()?);
    let nanos = pieces.to_numeric_offset().unwrap_or(Offset::UTC).to_timestamp(local).ok()?.as_nanosecond();
    i64::try_from(nanos.div_euclid(1_000_000)).ok()
}

/// Parses a time of the API: RFC 3339, milliseconds, `now` or `now-1h`.
pub(crate) fn parse_api(text: &str, now: i64) -> Result<i64, String> {
    let expected = || format!("invalid time {text:?}: expected RFC 3339, milliseconds since 1970, now or now-1h");
    if let Some(rest) = text.strip_prefix("now") {
        return match (rest.strip_prefix('-'), rest.strip_prefix('+').or_else(|| rest.strip_prefix(' '))) {
            (Some(before), _) => Ok(now.saturating_sub(parse_duration(before).ok_or_else(expected)?)),
            (_, Some(after)) => Ok(now.saturating_add(parse_duration(after).ok_or_else(expected)?)),
            _ if rest.is_empty() => Ok(now),
            _ => Err(expected()),
        };
    }
    match text.parse::<i64>() {
        Ok(millis) if millis.unsigned_abs() < 1 << 53 => Ok(millis),
        _ => parse_rfc3339(text).ok_or_else(expected),
    }
}

/// Parses a time of Pyroscope's `/ingest`: 10 digits are seconds, 13 milliseconds, 16 microseconds, 19 nanoseconds.
pub(crate) fn parse_ingest(text: &str, now: i64) -> Option<i64> {
    if text.starts_with("now") {
        return parse_api(text, now).ok();
    }
    let number: i64 = text.parse().ok()?;
    match text.len() {
        0..=10 => number.checked_mul(1_000),
        11..=13 => Some(number),
        14..=16 => Some(number / 1_000),
        _ => Some(number / 1_000_000),
    }
}

/// Parses `90s`, `15m`, `1h30m` or `7d` into milliseconds; a bare number is in seconds.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    units::parse_duration_or_seconds(text).ok().map(|nanos| nanos / 1_000_000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn instants_are_read_and_written() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        let t = parse_rfc3339("2026-11-26T20:50:10.503089822Z").unwrap();
        assert_eq!(rfc3339(t), "2026-11-26T20:50:10.503Z");
        assert_eq!(hour_path(t), "2026/11/26/20");
        assert_eq!(parse_rfc3339("2026-11-26T20:50:10Z").unwrap(), t - 503);
        assert_eq!(parse_rfc3339("2026-11-26T21:50:10.5+01:00").unwrap(), t - 3);
        assert_eq!(rfc3339(parse_rfc3339("2024-02-29T23:59:59.999Z").unwrap()), "2024-02-29T23:59:59.999Z");
        assert_eq!((rfc3339(-1), hour_path(-1)), ("1969-12-31T23:59:59.999Z".to_owned(), "1969/12/31/23".to_owned()));
        assert_eq!(hour_path(i64::MAX), "9999/12/30/22");
        for wrong in [
            "",
            "2026",
            "2026-02-30T00:00:00Z",
            "2026-11-26",
            "2026-13-01T00:00:00Z",
            "2026-11-26T20:50:10.1234567890Z",
            "2026-11-26T20:50:10X",
        ] {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_of_the_api_and_of_ingest() {
        assert_eq!(parse_api("now-1h", 10_000_000), Ok(6_400_000));
        assert_eq!(parse_api("1700000000000", 0), Ok(1_700_000_000_000));
        assert!(parse_api("soon", 0).unwrap_err().contains("soon"));
        for text in ["1700000000", "1700000000000", "1700000000000000", "1700000000000000000"] {
            assert_eq!(parse_ingest(text, 0), Some(1_700_000_000_000), "{text}");
        }
        assert_eq!(parse_ingest("now-10m", 600_000), Some(0));
        assert_eq!(parse_duration("1h30m"), Some(5_400_000));
        assert_eq!(parse_duration("7x"), None);
    }
}
