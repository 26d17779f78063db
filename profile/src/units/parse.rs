//! Parses durations and sizes that people write, including everything that the formatters beside it print.

/// Why a text is not a duration or a size. Callers say what they expected in their own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A number is missing or malformed.
    #[error("expected a number")]
    Number,
    /// The unit is unknown or missing.
    #[error("unknown or missing unit")]
    Unit,
    /// The value does not fit into 64 bits.
    #[error("the value is too large")]
    TooLarge,
}

/// Parses a duration into nanoseconds: numbers, each with its unit (ns, us, µs, ms, s, m or min, h, d, w), added up.
/// Numbers may have decimals and separators of thousands. Only 0 needs no unit. The result is rounded down.
///
/// ```
/// use jfrkit_profile::units::{ParseError, parse_duration};
///
/// assert_eq!(parse_duration("1 min 20 s"), Ok(80_000_000_000));
/// assert_eq!(parse_duration("1.5h"), parse_duration("90m"));
/// assert_eq!(parse_duration("90"), Err(ParseError::Unit));
/// ```
///
/// # Errors
/// [`ParseError`]; a sign is not part of a duration.
pub fn parse_duration(text: &str) -> Result<i64, ParseError> {
    duration(text, None)
}

/// Like [`parse_duration`], but a number without a unit is in seconds: `90`, `1h30`.
///
/// # Errors
/// [`ParseError`].
pub fn parse_duration_or_seconds(text: &str) -> Result<i64, ParseError> {
    duration(text, Some("s"))
}

fn duration(text: &str, bare: Option<&str>) -> Result<i64, ParseError> {
    let mut rest = text.trim();
    let mut total = 0i64;
    loop {
        let (number, unit, behind) = part(rest)?;
        let unit = match unit {
            "" if number.is_zero() => "ns",
            "" => bare.ok_or(ParseError::Unit)?,
            unit => unit,
        };
        let nanos = match unit {
            "ns" => 1,
            // The micro sign and the Greek letter look the same.
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" | "min" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            "w" => 604_800_000_000_000,
            _ => return Err(ParseError::Unit),
        };
        let nanos = i64::try_from(number.times(nanos)?).map_err(|_| ParseError::TooLarge)?;
        total = total.checked_add(nanos).ok_or(ParseError::TooLarge)?;
        rest = behind.trim_start();
        if rest.is_empty() {
            return Ok(total);
        }
    }
}

/// Parses a size into bytes: a number, optionally with a unit in upper or lower case. KiB, MiB, … and K, M, G, T, P, E are powers
/// of 1,024; kB, MB, … are powers of 1,000. The number may have decimals and separators of thousands.
///
/// ```
/// use jfrkit_profile::units::parse_size;
///
/// assert_eq!(parse_size("4.5 MiB"), Ok(4_718_592));
/// assert_eq!(parse_size("10MB"), Ok(10_000_000));
/// assert_eq!(parse_size("2G"), Ok(2 << 30));
/// assert_eq!(parse_size("1,000"), Ok(1_000));
/// ```
///
/// # Errors
/// [`ParseError`]; a sign is not part of a size.
pub fn parse_size(text: &str) -> Result<u64, ParseError> {
    let (number, unit, behind) = part(text.trim())?;
    if !behind.is_empty() {
        return Err(ParseError::Unit);
    }
    let unit = unit.to_ascii_lowercase();
    let bytes = match (unit.as_str(), unit.strip_suffix("ib"), unit.strip_suffix('b')) {
        ("" | "b", ..) => Some(1),
        (_, Some(letter), _) => power(letter, 1_024),
        (_, None, Some(letter)) => power(letter, 1_000),
        (letter, None, None) => power(letter, 1_024),
    };
    number.times(bytes.ok_or(ParseError::Unit)?)
}

/// `m` with 1,024 is 1,024².
fn power(letter: &str, base: u64) -> Option<u64> {
    let exponent = ["k", "m", "g", "t", "p", "e"].iter().position(|known| *known == letter)?;
    base.checked_pow(u32::try_from(exponent).ok()? + 1)
}

/// A decimal number: its integer part, and the digits after the point.
struct Number {
    whole: u64,
    decimals: u64,
    scale: u64,
}

impl Number {
    const fn is_zero(&self) -> bool {
        self.whole == 0 && self.decimals == 0
    }

    /// The product with a unit, rounded down.
    fn times(&self, unit: u64) -> Result<u64, ParseError> {
        let part = u128::from(self.decimals) * u128::from(unit) / u128::from(self.scale);
        let part = u64::try_from(part).map_err(|_| ParseError::TooLarge)?;
        self.whole.checked_mul(unit).and_then(|whole| whole.checked_add(part)).ok_or(ParseError::TooLarge)
    }
}

/// The number at the beginning, the unit behind it without spaces, and the rest, which begins with the next number.
fn part(text: &str) -> Result<(Number, &str, &str), ParseError> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '_'))).unwrap_or(text.len());
    let (digits, behind) = text.split_at_checked(end).ok_or(ParseError::Number)?;
    let end = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
    let (unit, rest) = behind.split_at_checked(end).ok_or(ParseError::Number)?;
    Ok((number(digits)?, unit.trim(), rest))
}

/// Parses `12`, `1_000`, `1,000`, `1.25`, `.5` and `3.`.
fn number(text: &str) -> Result<Number, ParseError> {
    /// More decimals than this do not change a number of nanoseconds or bytes that people write.
    const DECIMALS: usize = 15;
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let grouped = whole.contains(',');
    if grouped && (first.is_empty() || groups.clone().any(|group| group.len() != 3)) {
        return Err(ParseError::Number);
    }
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    let decimals: String = decimals.replace('_', "");
    if (digits.is_empty() && decimals.is_empty()) || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ParseError::Number);
    }
    let decimals = decimals.get(..decimals.len().min(DECIMALS)).unwrap_or_default();
    let parse = |digits: &str| if digits.is_empty() { Ok(0) } else { digits.parse().map_err(|_| ParseError::TooLarge) };
    let scale = 10u64.pow(u32::try_from(decimals.len()).unwrap_or(0));
    Ok(Number { whole: parse(&digits)?, decimals: parse(decimals)?, scale })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units;

    #[test]
    fn durations() {
        for (text, nanos) in [
            ("0", Ok(0)),
            ("1ns", Ok(1)),
            ("2.5 us", Ok(2_500)),
            ("45 µs", Ok(45_000)),
            ("45 μs", Ok(45_000)),
            ("250 ms", Ok(250_000_000)),
            ("1m30s", Ok(90_000_000_000)),
            ("1 min 20 s", Ok(80_000_000_000)),
            ("1h 30m", Ok(5_400_000_000_000)),
            (".5s", Ok(500_000_000)),
            ("1_000 ms", Ok(1_000_000_000)),
            ("106,751 d", Ok(9_223_286_400_000_000_000)),
            ("1w", Ok(604_800_000_000_000)),
            ("90", Err(ParseError::Unit)),
            ("1h30", Err(ParseError::Unit)),
            ("1 S", Err(ParseError::Unit)),
            ("5 parsecs", Err(ParseError::Unit)),
            ("", Err(ParseError::Number)),
            ("soon", Err(ParseError::Number)),
            ("-1s", Err(ParseError::Number)),
            ("1.2.3s", Err(ParseError::Number)),
            ("1,5 s", Err(ParseError::Number)),
            ("s", Err(ParseError::Number)),
            (".s", Err(ParseError::Number)),
            ("300000 d", Err(ParseError::TooLarge)),
            ("99999999999999999999 ns", Err(ParseError::TooLarge)),
        ] {
            assert_eq!(parse_duration(text), nanos, "{text}");
        }
        assert_eq!(parse_duration_or_seconds("90"), Ok(90_000_000_000));
        assert_eq!(parse_duration_or_seconds("1h30"), Ok(3_630_000_000_000));
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", Ok(0)),
            ("1,023 B", Ok(1_023)),
            ("500000", Ok(500_000)),
            ("32 KiB", Ok(32_768)),
            ("32k", Ok(32_768)),
            ("4.5 MiB", Ok(4_718_592)),
            ("10MB", Ok(10_000_000)),
            ("10mb", Ok(10_000_000)),
            ("7 kB", Ok(7_000)),
            ("2G", Ok(2 << 30)),
            ("3 TiB", Ok(3 << 40)),
            ("18446744073709551615", Ok(u64::MAX)),
            ("1X", Err(ParseError::Unit)),
            ("1ib", Err(ParseError::Unit)),
            ("1 MiB 2", Err(ParseError::Unit)),
            ("-1", Err(ParseError::Number)),
            ("MB", Err(ParseError::Number)),
            ("1,00", Err(ParseError::Number)),
            ("99999999T", Err(ParseError::TooLarge)),
        ] {
            assert_eq!(parse_size(text), bytes, "{text}");
        }
    }

    proptest! {
        /// What is formatted can be parsed, and is the same number as far as it is shown.
        #[test]
        fn durations_come_back(nanos in prop_oneof![0..1_000_000i64, 0..10_000_000_000_000i64, 0..i64::MAX / 2]) {
            let shown = units::duration(nanos);
            let parsed = parse_duration(&shown);
            prop_assert!(parsed.is_ok(), "{shown}: {parsed:?}");
            let parsed = parsed.unwrap_or_default();
            prop_assert_eq!(units::duration(parsed), &*shown);
            // Half an hour of a day is the coarsest rounding.
            prop_assert!((parsed - nanos).abs() <= nanos / 47 + 1, "{nanos}: {shown}");
        }

        #[test]
        fn sizes_come_back(bytes in prop_oneof![0..10_000_000i64, 0..i64::MAX / 2]) {
            let shown = units::size(bytes);
            let parsed = parse_size(&shown);
            prop_assert!(parsed.is_ok(), "{shown}: {parsed:?}");
            let parsed = i64::try_from(parsed.unwrap_or_default()).unwrap_or(i64::MAX);
            // Three digits; rounded down to whole bytes.
            prop_assert!((parsed - bytes).abs() <= bytes / 199 + 1, "{bytes}: {shown}");
        }
    }
}
