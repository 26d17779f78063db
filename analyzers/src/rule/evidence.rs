//! The numbers behind a verdict, as typed values with units.

use jfr_parse::{EpochNanos, Nanos};
use serde::Serialize;
use serde::ser::SerializeMap;

use super::Text;

/// Maximum number of rows in a list or table; put the most important ones first.
pub const MAX_ROWS: usize = 50;
/// Maximum number of characters in a text.
pub(super) const MAX_TEXT: usize = 4_000;

/// A value of evidence. In JSON, it is an object with a `type` field that names the variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Value {
    /// A number with a unit.
    Number {
        /// The number.
        value: f64,
        /// The unit: `events`, `per second`, `threads`; empty for a plain number.
        unit: Text,
    },
    /// A text.
    Text {
        /// The text.
        value: String,
    },
    /// Yes or no.
    Flag {
        /// The value.
        value: bool,
    },
    /// A duration.
    Duration {
        /// The duration.
        nanos: Nanos,
    },
    /// A size in bytes.
    Bytes {
        /// Number of bytes.
        value: f64,
    },
    /// A percentage.
    Percent {
        /// The percentage; 100 means everything.
        value: f64,
    },
    /// A point in time.
    Instant {
        /// The instant.
        epoch_nanos: EpochNanos,
    },
    /// A time interval.
    Window {
        /// Its start.
        from_nanos: EpochNanos,
        /// Its end.
        to_nanos: EpochNanos,
    },
    /// A stack trace, leaf first.
    Stack {
        /// The frames.
        frames: Vec<Frame>,
    },
    /// Methods with their shares of something.
    Methods {
        /// The rows, most important first.
        rows: Vec<MethodRow>,
    },
    /// Texts, such as thread names, paths or options.
    List {
        /// What the texts are: `threads`, `paths`.
        of: Text,
        /// The texts.
        items: Vec<String>,
    },
    /// A table of values.
    Table {
        /// The names of the columns.
        columns: Vec<Text>,
        /// The rows, each with one value per column.
        rows: Vec<Vec<Value>>,
    },
}

/// A frame of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// `package.Class.method`.
    pub method: String,
    /// The line number, if known.
    pub line: Option<u32>,
}

/// A method and its share of something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodRow {
    /// The top method of the stacks.
    pub method: Frame,
    /// The first frame, from the top, that is not JDK code: where the program's own code begins.
    pub application_frame: Option<Frame>,
    /// The amount.
    pub value: Box<Value>,
    /// The share of the total, from 0 to 100.
    pub percent: f64,
}

impl Value {
    /// A number with a unit.
    #[must_use]
    pub fn number(value: f64, unit: impl Into<Text>) -> Self {
        Self::Number { value: number(value), unit: unit.into() }
    }

    /// A count with a unit.
    #[must_use]
    pub fn count(value: u64, unit: impl Into<Text>) -> Self {
        Self::number(value as f64, unit)
    }

    /// A text, truncated if it is too long.
    #[must_use]
    pub fn text(value: impl Into<String>) -> Self {
        Self::Text { value: cut(value.into()) }
    }

    /// A duration.
    #[must_use]
    pub const fn nanos(nanos: i64) -> Self {
        Self::Duration { nanos: Nanos(nanos) }
    }

    /// A duration given as a floating-point number of nanoseconds.
    #[must_use]
    pub fn nanos_f64(nanos: f64) -> Self {
        Self::nanos(crate::math::to_i64(nanos))
    }

    /// A size in bytes.
    #[must_use]
    pub fn bytes(value: f64) -> Self {
        Self::Bytes { value: number(value) }
    }

    /// A percentage; 100 means everything.
    #[must_use]
    pub fn percent(value: f64) -> Self {
        Self::Percent { value: number(value) }
    }

    /// A ratio between 0 and 1, as a percentage.
    #[must_use]
    pub fn share(value: f64) -> Self {
        Self::percent(value * 100.0)
    }

    /// A point in time, in nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn instant(epoch_nanos: i64) -> Self {
        Self::Instant { epoch_nanos: EpochNanos(epoch_nanos) }
    }

    /// A time interval, in nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn window(from_nanos: i64, to_nanos: i64) -> Self {
        Self::Window { from_nanos: EpochNanos(from_nanos), to_nanos: EpochNanos(to_nanos) }
    }

    /// A list of texts, truncated to the first [`MAX_ROWS`].
    #[must_use]
    pub fn list(of: impl Into<Text>, items: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::List { of: of.into(), items: items.into_iter().take(MAX_ROWS).map(|i| cut(i.into())).collect() }
    }

    /// A list of methods, truncated to the first [`MAX_ROWS`].
    #[must_use]
    pub fn methods(rows: impl IntoIterator<Item = MethodRow>) -> Self {
        Self::Methods { rows: rows.into_iter().take(MAX_ROWS).collect() }
    }

    /// A table, truncated to the first [`MAX_ROWS`] rows.
    #[must_use]
    pub fn table<const N: usize>(columns: [impl Into<Text>; N], rows: impl IntoIterator<Item = [Value; N]>) -> Self {
        Self::Table {
            columns: columns.into_iter().map(Into::into).collect(),
            rows: rows.into_iter().take(MAX_ROWS).map(|row| row.into_iter().collect()).collect(),
        }
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::text(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::text(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Flag { value }
    }
}

/// A number that can be shown: NaN and infinities become 0, and so does -0, which is Rust's sum of an empty
/// list.
fn number(value: f64) -> f64 {
    if value.is_finite() { value + 0.0 } else { 0.0 }
}

fn cut(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(MAX_TEXT) {
        text.truncate(at);
        text.push('…');
    }
    text
}

/// Named values, in the order in which the rule added them. In JSON, an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    items: Vec<(Text, Value)>,
}

impl Evidence {
    /// Adds a value; replaces an existing value with the same name.
    pub fn push(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        match self.items.iter_mut().find(|(k, _)| **k == *key) {
            Some((_, old)) => *old = value,
            None => self.items.push((key.into(), value)),
        }
    }

    /// The value with this name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.items.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// All values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.items.iter().map(|(key, value)| (&**key, value))
    }

    /// All values, mutable.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&mut Text, &mut Value)> {
        self.items.iter_mut().map(|(key, value)| (key, value))
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl Serialize for Evidence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.items.len()))?;
        for (key, value) in &self.items {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
