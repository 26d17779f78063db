//! Formats numbers with units, rounded for reading.

use std::fmt;

use super::put;
use crate::metadata::Content;

/// Formats nanoseconds with three significant digits in a suitable unit: `0.137 ms`, `31.5 ms`, `1.00 s`, `1 m
/// 20 s`, `2 h 5 m`, `3 d 4 h`.
#[must_use]
pub fn duration(nanos: i64) -> impl fmt::Display {
    Duration(nanos)
}

struct Duration(i64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&text_of(self.0))
    }
}

fn text_of(nanos: i64) -> String {
    if nanos == 0 {
        return "0 s".to_owned();
    }
    let sign = if nanos < 0 { "-" } else { "" };
    // Round first: 59.96 s is shown as a minute.
    let nanos = rounded(nanos.unsigned_abs());
    let seconds = nanos / SECOND;
    match seconds {
        0 => {
            let digits = nanos.ilog10() as usize + 1;
            // Below a microsecond, the nanoseconds themselves are the last digits.
            let places = 9usize.saturating_sub(digits).min(6);
            format!("{sign}{} ms", decimal(nanos, 6, places))
        }
        1..60 => format!("{sign}{} s", decimal(nanos, 9, if seconds < 10 { 2 } else { 1 })),
        60..3_600 => format!("{sign}{} m {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{sign}{} h {} m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{sign}{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

const SECOND: u64 = 1_000_000_000;

/// Rounds to the number of digits that are shown, half up.
fn rounded(nanos: u64) -> u64 {
    let step = match nanos / SECOND {
        0..60 => 10u64.saturating_pow(nanos.ilog10().saturating_sub(2)),
        60..3_600 => SECOND,
        3_600..86_400 => 60 * SECOND,
        _ => 3_600 * SECOND,
    };
    nanos.saturating_add(step / 2) / step * step
}

/// Formats `n`, in units of 10^-`scale`, with `places` decimal places.
fn decimal(n: u64, scale: usize, places: usize) -> String {
    let digits = format!("{n:0>width$}", width = scale + 1);
    let (whole, part) = digits.split_at_checked(digits.len().saturating_sub(scale)).unwrap_or((&digits, ""));
    match part.get(..places).unwrap_or(part) {
        "" => whole.to_owned(),
        part => format!("{whole}.{part}"),
    }
}

/// Formats bytes or bits, or either per second, in a suitable unit (1 kB is 1024 bytes, as in the JDK): `12
/// bytes`, `1.5 kB`, `3.0 Mbps`. `None` for other contents.
#[must_use]
pub fn amount(n: i64, content: Content) -> Option<String> {
    sized(n < 0, n.unsigned_abs(), content)
}

/// Like [`amount`], for unsigned values.
pub(super) fn unsigned_amount(n: u64, content: Content) -> Option<String> {
    sized(false, n, content)
}

fn sized(negative: bool, size: u64, content: Content) -> Option<String> {
    let sign = if negative { "-" } else { "" };
    let (one, many, unit) = match content {
        Content::Bytes => ("byte", "bytes", "B"),
        Content::Bits => ("bit", "bits", "bit"),
        Content::BytesPerSecond => ("byte/s", "byte/s", "B/s"),
        Content::BitsPerSecond => ("bps", "bps", "bps"),
        _ => return None,
    };
    if size < 1_024 {
        return Some(format!("{sign}{size} {}", if size == 1 { one } else { many }));
    }
    let step = (size.ilog2() / 10).min(6);
    let prefix = "kMGTPE".chars().nth(step as usize - 1)?;
    // Tenths of the unit, rounded half up.
    let one = 1u128 << (10 * step);
    let tenths = (u128::from(size) * 10 + one / 2) / one;
    Some(format!("{sign}{}.{} {prefix}{unit}", tenths / 10, tenths % 10))
}

/// Formats a double as Java does: always with a decimal point, and with an exponent from 10^7 on and below
/// 10^-3.
pub(super) fn double(out: &mut String, n: f64, hertz: bool) {
    if n.is_nan() || n == f64::NEG_INFINITY {
        return out.push_str("N/A");
    }
    let size = n.abs();
    if n.is_infinite() {
        out.push_str("Infinity");
    } else if size == 0.0 || (1e-3..1e7).contains(&size) {
        put(out, format_args!("{n:?}"));
    } else {
        scientific(out, &format!("{n:E}"), || format!("{n:.1E}"));
    }
    if hertz {
        out.push_str(" Hz");
    }
}

/// Like [`double`], because a float has its own shortest representation.
pub(super) fn float(out: &mut String, n: f32, hertz: bool) {
    if n.is_nan() || n == f32::NEG_INFINITY {
        return out.push_str("N/A");
    }
    let size = n.abs();
    if n.is_infinite() {
        out.push_str("Infinity");
    } else if size == 0.0 || (1e-3..1e7).contains(&size) {
        put(out, format_args!("{n:?}"));
    } else {
        scientific(out, &format!("{n:E}"), || format!("{n:.1E}"));
    }
    if hertz {
        out.push_str(" Hz");
    }
}

/// Java prints at least two digits, the closest ones: `1E10` becomes `1.0E10`, and the smallest float, `1E-45`, `1.4E-45`.
fn scientific(out: &mut String, shortest: &str, two_digits: impl Fn() -> String) {
    if shortest.contains('.') { out.push_str(shortest) } else { out.push_str(&two_digits()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (nanos, text) in [
            (0, "0 s"),
            (230, "0.000230 ms"),
            (4_340, "0.00434 ms"),
            (137_000, "0.137 ms"),
            (31_500_000, "31.5 ms"),
            (312_400_000, "312 ms"),
            (1_000_000_000, "1.00 s"),
            (13_800_000_000, "13.8 s"),
            (80_000_000_000, "1 m 20 s"),
            (7_500_000_000_000, "2 h 5 m"),
            (273_600_000_000_000, "3 d 4 h"),
            (-31_500_000, "-31.5 ms"),
            (2_885, "0.00289 ms"),
            (99_960_000, "100 ms"),
            (999_600_000, "1.00 s"),
            (9_996_000_000, "10.0 s"),
            (59_960_000_000, "1 m 0 s"),
            (119_900_000_000, "2 m 0 s"),
            (i64::MAX, "106752 d 0 h"),
        ] {
            assert_eq!(duration(nanos).to_string(), text);
        }
        assert_eq!(duration(i64::MIN).to_string(), "-106752 d 0 h");
    }

    #[test]
    fn amounts() {
        assert_eq!(amount(-1, Content::Bytes).as_deref(), Some("-1 byte"));
        assert_eq!(amount(808, Content::Bytes).as_deref(), Some("808 bytes"));
        assert_eq!(amount(2_457, Content::Bytes).as_deref(), Some("2.4 kB"));
        assert_eq!(amount(1_000_704, Content::Bytes).as_deref(), Some("977.3 kB"));
        assert_eq!(amount(i64::MAX, Content::Bytes).as_deref(), Some("8.0 EB"));
        assert_eq!(amount(i64::MIN, Content::Bytes).as_deref(), Some("-8.0 EB"));
        assert_eq!(amount(3 << 20, Content::BitsPerSecond).as_deref(), Some("3.0 Mbps"));
        assert_eq!(amount(3, Content::Percentage), None);
        assert_eq!(unsigned_amount(u64::MAX, Content::Bytes).as_deref(), Some("16.0 EB"));
        assert_eq!(unsigned_amount(1 << 63, Content::Bytes).as_deref(), Some("8.0 EB"));
    }

    #[test]
    fn java_doubles() {
        let show = |n| {
            let mut out = String::new();
            double(&mut out, n, false);
            out
        };
        assert_eq!(
            ["20.0", "0.001", "1.0E-4", "1.0E10", "1.25E7"],
            [20.0, 0.001, 1e-4, 1e10, 1.25e7].map(show).each_ref().map(|s| s.as_str())
        );
        assert_eq!([show(f64::NAN), show(f64::INFINITY)], ["N/A", "Infinity"]);
        assert_eq!([show(f64::from_bits(1)), show(f64::MAX)], ["4.9E-324", "1.7976931348623157E308"]);
        let show = |n| {
            let mut out = String::new();
            float(&mut out, n, false);
            out
        };
        assert_eq!([1, 2, 3].map(|bits| show(f32::from_bits(bits))), ["1.4E-45", "2.8E-45", "4.2E-45"]);
        assert_eq!([show(1e10), show(3e-5)], ["1.0E10", "3.0E-5"]);
    }
}
