//! Formatted numbers, when parsed back, are within the expected precision.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_wrap
)]

use jfrkit_profile::units;
use proptest::prelude::*;

/// The number at the start of the text.
fn parsed(text: &str) -> f64 {
    let digits: String = text.replace(',', "");
    digits.split(' ').next().unwrap().parse().unwrap()
}

/// Parses a formatted duration, which consists of pairs of a number and a unit, to nanoseconds.
fn nanos(text: &str) -> f64 {
    let text = text.replace(',', "");
    let (sign, text) = text.strip_prefix('-').map_or((1.0, text.as_str()), |rest| (-1.0, rest));
    let words: Vec<&str> = text.split(' ').collect();
    let unit = |unit: &str| match unit {
        "ns" => 1.0,
        "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "min" => 60e9,
        "h" => 3_600e9,
        "d" => 86_400e9,
        other => panic!("{other}"),
    };
    sign * words.chunks(2).map(|pair| pair[0].parse::<f64>().unwrap() * unit(pair[1])).sum::<f64>()
}

proptest! {
    #[test]
    fn numbers(value in prop_oneof![-1e6..1e6f64, -1.0..1.0f64, 90.0..1100.0f64, Just(99.998)]) {
        let shown = parsed(&units::number(value));
        let size = value.abs();
        let precision = if size >= 99.95 { 0.5 } else if size >= 9.995 { 0.05 } else if size >= 0.0995 { 0.005 } else { (size * 0.051).min(0.000_05) };
        prop_assert!((shown - value).abs() <= precision * 1.001, "{value}: {}", units::number(value));
    }

    #[test]
    fn durations(value in prop_oneof![any::<i64>(), -1_000_000i64..1_000_000, 0i64..200_000_000_000, 0i64..200_000_000_000_000]) {
        let text = units::duration(value);
        let size = (value as f64).abs();
        let precision = if size < 59.95e9 { size * 0.0051 + 0.5 } else if size < 3_600e9 { 0.51e9 } else if size < 86_400e9 { 30.5e9 } else { 1_801e9 };
        prop_assert!((nanos(&text) - value as f64).abs() <= precision, "{value}: {text}");
    }

    #[test]
    fn sizes(value in prop_oneof![any::<i64>(), 0i64..1 << 40, 0i64..4096]) {
        let text = units::size(value);
        let unit = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].iter().position(|u| text.ends_with(&format!(" {u}"))).unwrap();
        let shown = parsed(&text) * 1024f64.powi(unit as i32);
        prop_assert!((shown - value as f64).abs() <= (value as f64).abs() * 0.0051 + 0.5, "{value}: {text}");
    }

    #[test]
    fn counts(value in any::<i64>()) {
        prop_assert_eq!(units::count(value).replace(',', "").parse::<i64>().unwrap(), value);
    }
}
