//! Numbers for people: `1.23 s`, `4.5 MiB`, `12,345`.

/// A unit, and how many of it make up the next one.
type Step = (&'static str, f64);

const TIMES: [Step; 7] =
    [("ns", 1000.0), ("µs", 1000.0), ("ms", 1000.0), ("s", 60.0), ("min", 60.0), ("h", 24.0), ("d", f64::INFINITY)];

const SIZES: [Step; 7] = [
    ("B", 1024.0),
    ("KiB", 1024.0),
    ("MiB", 1024.0),
    ("GiB", 1024.0),
    ("TiB", 1024.0),
    ("PiB", 1024.0),
    ("EiB", f64::INFINITY),
];

/// A value in the unit that a [`ValueType`](crate::ValueType) names: as [`duration`], [`size`] or [`count`];
/// in any other unit, the number and the unit.
#[must_use]
pub fn value(value: i64, unit: &str) -> String {
    match unit {
        "nanoseconds" => duration(value),
        "bytes" => size(value),
        "count" => count(value),
        other => format!("{} {other}", count(value)),
    }
}

/// Nanoseconds, to three digits: `1.23 s`, `45 µs`, `2.5 h`.
#[must_use]
pub fn duration(nanos: i64) -> String {
    scaled(nanos, &TIMES)
}

/// Bytes, to three digits in the powers of 1024: `4.5 MiB`, `1,023 B`.
#[must_use]
pub fn size(bytes: i64) -> String {
    scaled(bytes, &SIZES)
}

/// A whole number with commas between the thousands: `12,345`.
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

/// A part of a whole as percent; 0 of nothing.
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
        // As it is shown: 999.9996 ms are 1 s.
        if digits.parse::<f64>().is_ok_and(|shown| shown < next) {
            break;
        }
        rest /= next;
    }
    out
}

/// Without zeros that say nothing, with commas.
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
            (59_960_000_000, "1 min"),
            (161_560_000_000, "2.69 min"),
            (9_000_000_000_000, "2.5 h"),
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
