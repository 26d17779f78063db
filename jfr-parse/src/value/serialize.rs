//! Serializes values with serde: as they are, or with times that do not depend on the chunk's clock.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{StructValue, Value};
use crate::metadata::{Content, Field};
use crate::time::{Clock, Iso};

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

/// A struct that serializes with its times converted: an instant becomes ISO 8601 text in UTC with
/// nanoseconds, a length of time a number of nanoseconds. What is not known (a time that is not set) is null; what JSON has no
/// number for is a text: `"forever"`, `"NaN"`, `"Infinity"`, `"-Infinity"`.
#[derive(Debug, Clone, Copy)]
pub struct Timed<'v, 'a> {
    value: &'v StructValue<'a>,
    clock: Clock,
}

impl<'a> StructValue<'a> {
    /// Serializes with times converted by the clock of the chunk that contains the value.
    #[must_use]
    pub fn timed(&self, clock: Clock) -> Timed<'_, 'a> {
        Timed { value: self, clock }
    }
}

impl Serialize for Timed<'_, '_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(Some(self.value.values.len()))?;
        for (field, value) in self.value.fields() {
            map.serialize_entry(field.name(), &TimedField { field, value, clock: self.clock })?;
        }
        map.end()
    }
}

fn signed(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::U64(n) => Some(n.cast_signed()),
        value => value.as_i64(),
    }
}

/// The name of what is no number, and of what has no end.
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
    clock: Clock,
}

impl Serialize for TimedField<'_, '_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let Self { field, value, clock } = *self;
        match value {
            Value::Struct(value) => value.timed(clock).serialize(out),
            Value::Array(values) => {
                let mut seq = out.serialize_seq(Some(values.len()))?;
                for value in values {
                    seq.serialize_element(&TimedField { field, value, clock })?;
                }
                seq.end()
            }
            _ => match field.content() {
                Some(Content::Timestamp(unit)) => match value.as_i64().and_then(|n| clock.instant(n, unit)) {
                    Some(nanos) => out.collect_str(&Iso(nanos)),
                    None => out.serialize_unit(),
                },
                // As in text: an unsigned span of more than 63 bits is the signed one of the same bits.
                Some(Content::Timespan(unit)) => match signed(value).map(|n| (n, clock.length(n, unit))) {
                    Some((_, Some(nanos))) => out.serialize_i64(nanos),
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
