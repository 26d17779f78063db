//! Serializes values with serde: as they are, or with times that do not depend on the chunk's clock.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{StructValue, Value};
use crate::metadata::{Content, Field};
use crate::text::class_name;
use crate::time::{Clock, EpochNanos, Iso};

/// Null serializes as unit, arrays as sequences, structs as maps, and numbers as recorded. [`Timed`] converts
/// times.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => out.serialize_unit(),
            Self::Bool(b) => out.serialize_bool(*b),
            Self::I64(n) => out.serialize_i64(*n),
            Self::U64(n) => out.serialize_u64(*n),
            Self::F32(n) => out.serialize_f32(*n),
            Self::F64(n) => out.serialize_f64(*n),
            Self::Char(c) => out.serialize_char(*c),
            Self::Str(text) => out.serialize_str(text),
            Self::Array(values) => out.collect_seq(values),
            Self::Struct(value) => value.serialize(out),
        }
    }
}

impl Serialize for StructValue<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(Some(self.values.len()))?;
        for (field, value) in self.fields() {
            map.serialize_entry(field.name(), value)?;
        }
        map.end()
    }
}

/// A struct that serializes with its times converted: an instant as ISO 8601 text in UTC with nanoseconds, a duration as a
/// number of nanoseconds. Unknown values (a time that is not set) are null. Values that JSON numbers cannot express are
/// text: `"forever"`, `"NaN"`, `"Infinity"`, `"-Infinity"`.
#[derive(Debug, Clone, Copy)]
pub struct Timed<'v, 'a> {
    value: &'v StructValue<'a>,
    form: Form,
}

/// How to write values that JSON can represent in several ways.
#[derive(Debug, Clone, Copy)]
struct Form {
    clock: Clock,
    java_times: bool,
    compact: bool,
}

impl<'a> StructValue<'a> {
    /// Serializes with times converted by the clock of the chunk that contains the value.
    #[must_use]
    pub fn timed(&self, clock: Clock) -> Timed<'_, 'a> {
        Timed { value: self, form: Form { clock, java_times: false, compact: false } }
    }
}

impl Timed<'_, '_> {
    /// Writes times as `java.time` does: durations as ISO 8601 text, such as `PT1M2.5S`, and instants with 0, 3, 6 or 9
    /// fractional digits.
    #[must_use]
    pub fn java_times(mut self, on: bool) -> Self {
        self.form.java_times = on;
        self
    }

    /// Writes threads, classes, class loaders, modules, packages, methods and stack frames as one string each, such as
    /// `"com.acme.Cache.get:42"`, instead of nested structs.
    #[must_use]
    pub fn compact(mut self, on: bool) -> Self {
        self.form.compact = on;
        self
    }
}

impl Serialize for Timed<'_, '_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(Some(self.value.values.len()))?;
        for (field, value) in self.value.fields() {
            map.serialize_entry(field.name(), &TimedField { field, value, form: self.form })?;
        }
        map.end()
    }
}

/// A struct as a single string, if we know its type and it has a name.
fn one_text(value: &StructValue<'_>) -> Option<String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let inner = |name: &str| value.get(name).and_then(Value::as_struct).and_then(one_text);
    match value.of().name() {
        "java.lang.Class" => text("name").map(|name| class_name(&name)),
        "java.lang.Thread" => text("javaName").or_else(|| text("osName")),
        "jdk.types.ThreadGroup" | "jdk.types.Module" => text("name"),
        "jdk.types.Package" => text("name").map(|name| class_name(&name)),
        "jdk.types.ClassLoader" => text("name").or_else(|| inner("type")),
        "jdk.types.Method" => {
            Some(format!("{}.{}{}", inner("type")?, text("name")?, text("descriptor").unwrap_or_default()))
        }
        "jdk.types.StackFrame" => {
            let method = value.get("method").and_then(Value::as_struct)?;
            let class = method.get("type").and_then(Value::as_struct).and_then(one_text)?;
            let name = method.get("name").and_then(Value::as_str)?;
            match value.get("lineNumber").and_then(Value::as_i64).filter(|line| *line > 0) {
                Some(line) => Some(format!("{class}.{name}:{line}")),
                None => Some(format!("{class}.{name}")),
            }
        }
        _ => None,
    }
}

/// ISO 8601 without trailing groups of three zeros, as `java.time.Instant` writes it.
fn java_instant(nanos: i64) -> String {
    let mut text = Iso(EpochNanos(nanos)).to_string();
    let is_even = |unit| nanos.rem_euclid(unit) == 0;
    let zeros = match () {
        // Including the decimal point.
        () if is_even(1_000_000_000) => 10,
        () if is_even(1_000_000) => 6,
        () if is_even(1_000) => 3,
        () => 0,
    };
    if zeros > 0 {
        text.truncate(text.len().saturating_sub(zeros + 1));
        text.push('Z');
    }
    text
}

/// ISO 8601 with hours, minutes and seconds, as `java.time.Duration` writes it.
fn iso_length(nanos: i64) -> String {
    if nanos == 0 {
        return "PT0S".to_owned();
    }
    let sign = if nanos < 0 { "-" } else { "" };
    let all = nanos.unsigned_abs();
    let (seconds, rest) = (all / 1_000_000_000, all % 1_000_000_000);
    let mut text = "PT".to_owned();
    for (part, unit) in [(seconds / 3_600, 'H'), (seconds / 60 % 60, 'M')] {
        if part > 0 {
            text.push_str(&format!("{sign}{part}{unit}"));
        }
    }
    let seconds = seconds % 60;
    if rest > 0 {
        let fraction = format!("{rest:09}");
        text.push_str(&format!("{sign}{seconds}.{}S", fraction.trim_end_matches('0')));
    } else if seconds > 0 {
        text.push_str(&format!("{sign}{seconds}S"));
    }
    text
}

fn signed(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::U64(n) => Some(n.cast_signed()),
        value => value.as_i64(),
    }
}

/// The name of a number that is not finite.
fn odd(n: f64) -> &'static str {
    match n {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}

struct TimedField<'v, 'a> {
    field: Field<'a>,
    value: &'v Value<'a>,
    form: Form,
}

impl Serialize for TimedField<'_, '_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let Self { field, value, form } = *self;
        let clock = form.clock;
        match value {
            Value::Struct(value) => match form.compact.then(|| one_text(value)).flatten() {
                Some(text) => out.serialize_str(&text),
                None => Timed { value, form }.serialize(out),
            },
            Value::Array(values) => {
                let mut seq = out.serialize_seq(Some(values.len()))?;
                for value in values {
                    seq.serialize_element(&TimedField { field, value, form })?;
                }
                seq.end()
            }
            _ => match field.content() {
                Some(Content::Timestamp(unit)) => match value.as_i64().and_then(|n| clock.instant(n, unit)) {
                    Some(at) if form.java_times => out.serialize_str(&java_instant(at.0)),
                    Some(at) => out.collect_str(&Iso(at)),
                    None => out.serialize_unit(),
                },
                // As in text output, unsigned durations of more than 63 bits are read as signed.
                Some(Content::Timespan(unit)) => match signed(value).map(|n| (n, clock.length(n, unit))) {
                    Some((_, Some(length))) if form.java_times => out.serialize_str(&iso_length(length.0)),
                    Some((_, Some(length))) => out.serialize_i64(length.0),
                    Some((n, None)) if n != i64::MIN => out.serialize_str("forever"),
                    _ => out.serialize_unit(),
                },
                _ => match value {
                    Value::F32(n) if !n.is_finite() => out.serialize_str(odd(f64::from(*n))),
                    Value::F64(n) if !n.is_finite() => out.serialize_str(odd(*n)),
                    value => value.serialize(out),
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{iso_length, java_instant};

    #[test]
    fn instants_match_java_time() {
        // The results of `Instant.ofEpochSecond(s, n).toString()`.
        for (nanos, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_700_000_000_001_000_000, "2023-11-14T22:13:20.001Z"),
            (1_700_000_000_000_001_000, "2023-11-14T22:13:20.000001Z"),
            (1_700_000_000_000_000_001, "2023-11-14T22:13:20.000000001Z"),
            (-1_500_000_000, "1969-12-31T23:59:58.500Z"),
        ] {
            assert_eq!(java_instant(nanos), text);
        }
    }

    #[test]
    fn durations_match_java_time() {
        // The results of `Duration.ofNanos(n).toString()`.
        for (nanos, text) in [
            (0, "PT0S"),
            (11_857_175, "PT0.011857175S"),
            (1_500_000_000, "PT1.5S"),
            (60_000_000_000, "PT1M"),
            (3_661_000_000_000, "PT1H1M1S"),
            (90_000_000_000_000, "PT25H"),
            (-500_000_000, "PT-0.5S"),
            (-61_500_000_000, "PT-1M-1.5S"),
        ] {
            assert_eq!(iso_length(nanos), text);
        }
    }
}
