//! Formats numbers for people: `1.23 s`, `1 min 20 s`, `4.5 MiB`, `12,345`, `12.5 %`. All human-readable output
//! of the project uses these functions, so that a number looks the same everywhere. [`parse_duration`] and [`parse_size`] read
//! what people write.

mod parse;

pub use parse::{ParseError, parse_duration, parse_duration_or_seconds, parse_size};

/// A unit, and how many of it make up the next larger one.
type Step = (&'static str, f64);

const TIMES: [Step; 4] = [("ns", 1000.0), ("µs", 1000.0), ("ms", 1000.0), ("s", f64::INFINITY)];

const SIZES: [Step; 7] = [
    ("B", 1024.0),
    ("KiB", 1024.0),
    ("MiB", 1024.0),
    ("GiB", 1024.0),
    ("TiB", 1024.0),
    ("PiB", 1024.0),
    ("EiB", f64::INFINITY),
];

/// Formats a value in the unit of a [`ValueType`](crate::ValueType), like [`duration`], [`size`] or [`count`].
/// For any other unit, the number is followed by the unit.
#[must_use]
pub fn value(value: i64, unit: &str) -> String {
    match unit {
        "nanoseconds" => duration(value),
        "bytes" => size(value),
        "count" => count(value),
        other => format!("{} {other}", count(value)),
    }
}

/// Formats nanoseconds with three digits (`1.23 s`, `45 µs`), or in two units from a minute on: `1 min 20 s`,
/// `2 h 30 min`, `3 d 4 h`.
#[must_use]
pub fn duration(nanos: i64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let size = nanos.unsigned_abs();
    // 59.96 s is shown as a minute, because it rounds to 60.0 s with three digits.
    if size < 60 * SECOND - SECOND / 20 {
        return scaled(nanos, &TIMES);
    }
    let sign = if nanos < 0 { "-" } else { "" };
    let rounded = |unit: u64| size.saturating_add(unit * SECOND / 2) / (unit * SECOND);
    let (whole, unit, part, part_unit) = if rounded(1) < 3_600 {
        (rounded(1) / 60, "min", rounded(1) % 60, "s")
    } else if rounded(60) < 24 * 60 {
        (rounded(60) / 60, "h", rounded(60) % 60, "min")
    } else {
        (rounded(3_600) / 24, "d", rounded(3_600) % 24, "h")
    };
    let whole = count(i64::try_from(whole).unwrap_or(i64::MAX));
    if part == 0 { format!("{sign}{whole} {unit}") } else { format!("{sign}{whole} {unit} {part} {part_unit}") }
}

/// Like [`duration`], rounding to a nanosecond.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "saturates")]
pub fn duration_f64(nanos: f64) -> String {
    duration(nanos.round() as i64)
}

/// Like [`size`], rounding to a byte.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "saturates")]
pub fn size_f64(bytes: f64) -> String {
    size(bytes.round() as i64)
}

/// Formats any number: with three digits below 1,000 and without decimals from there on, without trailing
/// zeros; below 0.001 with an exponent. `not a number` and infinities are written in words.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "saturates, and larger numbers take the other way")]
pub fn number(value: f64) -> String {
    if value.is_nan() {
        return "not a number".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "infinite" } else { "-infinite" }.to_owned();
    }
    let size = value.abs();
    if size >= 9.0e18 {
        return format!("{value:.2e}");
    }
    if value.fract() == 0.0 || size >= 999.5 {
        return count(value.round() as i64);
    }
    let decimals = match size {
        s if s >= 99.95 => 0,
        s if s >= 9.995 => 1,
        s if s >= 0.0995 => 2,
        s if s >= 0.000_995 => 4,
        _ => return format!("{value:.1e}"),
    };
    tidy(&format!("{value:.decimals$}"))
}

/// Formats a ratio between 0 and 1 as a percentage: `12.5 %`.
#[must_use]
pub fn share(share: f64) -> String {
    percentage(share * 100.0)
}

/// Formats a percentage: `12.5 %`. Less than a thousandth of a percent is shown as `< 0.001 %`.
#[must_use]
pub fn percentage(percent: f64) -> String {
    if percent > 0.0 && percent < 0.001 { "< 0.001 %".to_owned() } else { format!("{} %", number(percent)) }
}

/// A percentage with at most one decimal: `12.3 %`, `100 %`.
#[must_use]
pub fn rounded_percent(percent: f64) -> String {
    percentage((percent * 10.0).round() / 10.0)
}

/// Formats a number of things in the singular or plural: `1 collection`, `2,104 collections`.
#[must_use]
pub fn things(number: u64, one: &str, many: &str) -> String {
    let shown = count(i64::try_from(number).unwrap_or(i64::MAX));
    format!("{shown} {}", if number == 1 { one } else { many })
}

/// Formats bytes with three digits in powers of 1024: `4.5 MiB`, `1,023 B`.
#[must_use]
pub fn size(bytes: i64) -> String {
    scaled(bytes, &SIZES)
}

/// Formats an integer with thousands separators: `12,345`.
#[must_use]
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        out.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A part of a whole as a percentage; 0 if the whole is 0.
#[must_use]
pub fn percent(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 }
}

fn scaled(number: i64, steps: &[Step]) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let mut rest = number.unsigned_abs() as f64;
    let mut out = String::new();
    for &(unit, next) in steps {
        let decimals = match rest {
            r if r < 9.995 => 2,
            r if r < 99.95 => 1,
            _ => 0,
        };
        let digits = format!("{rest:.decimals$}");
        out = format!("{sign}{} {unit}", tidy(&digits));
        // Decided by the rounded value: 999.9996 ms is shown as 1 s.
        if digits.parse::<f64>().is_ok_and(|shown| shown < next) {
            break;
        }
        rest /= next;
    }
    out
}

/// Removes trailing zeros and adds thousands separators.
fn tidy(digits: &str) -> String {
    match digits.split_once('.') {
        Some((whole, part)) => match part.trim_end_matches('0') {
            "" => whole.to_owned(),
            part => format!("{whole}.{part}"),
        },
        None => digits.parse().map_or_else(|_| digits.to_owned(), count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (nanos, shown) in [
            (0, "0 ns"),
            (1, "1 ns"),
            (999, "999 ns"),
            (1_000, "1 µs"),
            (45_000, "45 µs"),
            (1_234_567, "1.23 ms"),
            (12_345_678, "12.3 ms"),
            (123_456_789, "123 ms"),
            (999_499_999, "999 ms"),
            (999_999_600, "1 s"),
            (1_230_000_000, "1.23 s"),
            (59_940_000_000, "59.9 s"),
            (59_960_000_000, "1 min"),
            (80_400_000_000, "1 min 20 s"),
            (161_560_000_000, "2 min 42 s"),
            (3_599_600_000_000, "1 h"),
            (9_000_000_000_000, "2 h 30 min"),
            (86_399_000_000_000, "1 d"),
            (277_200_000_000_000, "3 d 5 h"),
            (-1_500_000, "-1.5 ms"),
            (i64::MAX, "106,752 d"),
            (i64::MIN, "-106,752 d"),
        ] {
            assert_eq!(duration(nanos), shown);
        }
    }

    #[test]
    fn sizes() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1,023 B"),
            (1024, "1 KiB"),
            (4_718_592, "4.5 MiB"),
            (1_048_575, "1 MiB"),
            (46_823_228_016, "43.6 GiB"),
            (i64::MAX, "8 EiB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }

    #[test]
    fn numbers_and_shares() {
        for (value, shown) in [
            (99.98, "100"),
            (120.4, "120"),
            (190.27, "190"),
            (300.2, "300"),
            (0.0, "0"),
            (0.1251, "0.13"),
            (12.5, "12.5"),
            (10.04, "10"),
            (0.05, "0.05"),
            (1_501.4, "1,501"),
            (-190.27, "-190"),
            (f64::NAN, "not a number"),
            (f64::INFINITY, "infinite"),
        ] {
            assert_eq!(number(value), shown);
        }
        assert_eq!(share(0.99998), "100 %");
        assert_eq!(share(0.125), "12.5 %");
        assert_eq!(percentage(2.5e-5), "< 0.001 %");
        assert_eq!(things(1, "collection", "collections"), "1 collection");
        assert_eq!(things(2_104, "collection", "collections"), "2,104 collections");
    }

    #[test]
    fn counts_and_other_units() {
        for (number, shown) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (-12_345, "-12,345"),
            (1_234_567, "1,234,567"),
            (i64::MIN, "-9,223,372,036,854,775,808"),
        ] {
            assert_eq!(count(number), shown);
        }
        assert_eq!(value(1500, "count"), "1,500");
        assert_eq!(value(1500, "nanoseconds"), "1.5 µs");
        assert_eq!(value(2048, "bytes"), "2 KiB");
        assert_eq!(value(1500, "cycles"), "1,500 cycles");
        assert!((percent(1, 8) - 12.5).abs() < 1e-9);
        assert!(percent(1, 0).abs() < 1e-9);
    }
}
