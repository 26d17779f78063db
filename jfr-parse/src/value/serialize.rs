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

/// A struct that serializes with its times converted: a timestamp becomes ISO 8601 text in UTC with
/// nanoseconds, and a duration becomes a number of nanoseconds. A time that is "not set", "none" or "forever"
/// becomes null.
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
                Some(Content::Timespan(unit)) => match value.as_i64().and_then(|n| clock.length(n, unit)) {
                    Some(nanos) => out.serialize_i64(nanos),
                    None => out.serialize_unit(),
                },
                _ => value.serialize(out),
            },
        }
    }
}
