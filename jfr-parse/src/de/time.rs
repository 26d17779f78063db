//! Times in nanoseconds, independent of the unit of their field.

use serde::de::{Deserialize, Deserializer, Error as _, Visitor};

use crate::error::{Error, Result};
use crate::metadata::Content;
use crate::time::Clock;

/// Struct names by which the deserializer recognizes that a time is requested.
const TIMESTAMP: &str = "$jfr_parse::Timestamp";
const TIMESPAN: &str = "$jfr_parse::Timespan";

/// A point in time. It can be read only by [`Chunk::deserialize`](crate::Chunk::deserialize), from
/// a field annotated as a timestamp. An unset timestamp reads as null; use `Option` if that can
/// occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Nanoseconds since the Unix epoch.
    pub nanos: i64,
}

/// A duration. It can be read only by [`Chunk::deserialize`](crate::Chunk::deserialize), from a
/// field annotated as a timespan. The special values "none" and "forever" read as null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timespan {
    /// Nanoseconds.
    pub nanos: i64,
}

pub(super) fn is_time(name: &str) -> bool {
    name == TIMESTAMP || name == TIMESPAN
}

/// Whether a number is one of the special values "not set", "none" and "forever".
pub(super) fn is_unset(number: i64, content: Option<Content>) -> bool {
    match content {
        Some(Content::Timestamp(_)) => number == i64::MIN,
        Some(Content::Timespan(_)) => number == i64::MIN || number == i64::MAX,
        _ => false,
    }
}

/// The nanoseconds of `number` in a field annotated as `content`.
pub(super) fn nanos(name: &str, number: i64, content: Option<Content>, clock: Clock) -> Result<Option<i64>> {
    match content {
        Some(Content::Timestamp(unit)) if name == TIMESTAMP => Ok(clock.instant(number, unit).map(|at| at.0)),
        Some(Content::Timespan(unit)) if name == TIMESPAN => Ok(clock.length(number, unit).map(|length| length.0)),
        _ => {
            let kind = if name == TIMESTAMP { "a timestamp" } else { "a timespan" };
            Err(Error::custom(format_args!("the field is not annotated as {kind}")))
        }
    }
}

/// A visitor that takes the nanoseconds.
struct Nanos(&'static str);

impl Visitor<'_> for Nanos {
    type Value = i64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }

    fn visit_i64<E: serde::de::Error>(self, nanos: i64) -> Result<i64, E> {
        Ok(nanos)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let nanos = from.deserialize_newtype_struct(TIMESTAMP, Nanos("an instant in a chunk"))?;
        Ok(Self { nanos })
    }
}

impl<'de> Deserialize<'de> for Timespan {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let nanos = from.deserialize_newtype_struct(TIMESPAN, Nanos("a duration in a chunk"))?;
        Ok(Self { nanos })
    }
}
