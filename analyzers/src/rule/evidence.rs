//! The numbers behind a verdict, as typed values with units.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::SerializeMap;

/// Rows of a list or table that are kept; the caller should give the most important first.
pub const MAX_ROWS: usize = 50;
/// Characters of a text that are kept.
pub(super) const MAX_TEXT: usize = 4_000;

/// A value of evidence. In JSON it is an object whose `type` names the form.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Value {
    /// A number of something.
    Number {
        /// The number.
        value: f64,
        /// What it counts: `events`, `per second`, `threads`; empty for a plain number.
        unit: Cow<'static, str>,
    },
    /// A text.
    Text {
        /// The text.
        value: String,
    },
    /// Yes or no.
    Flag {
        /// Which.
        value: bool,
    },
    /// A length of time.
    Duration {
        /// Nanoseconds.
        nanos: i64,
    },
    /// An amount of memory or data.
    Bytes {
        /// Bytes.
        value: f64,
    },
    /// Hundredths.
    Percent {
        /// 100 for all.
        value: f64,
    },
    /// A point in time.
    Instant {
        /// Nanoseconds since the Unix epoch.
        epoch_nanos: i64,
    },
    /// A stretch of time.
    Window {
        /// Its beginning, nanoseconds since the Unix epoch.
        from_nanos: i64,
        /// Its end.
        to_nanos: i64,
    },
    /// A stack trace, leaf first.
    Stack {
        /// Its frames.
        frames: Vec<Frame>,
    },
    /// Methods with what they have part in.
    Methods {
        /// The most important first.
        rows: Vec<MethodRow>,
    },
    /// Texts: names of threads, paths, options.
    List {
        /// What they are: `threads`, `paths`.
        of: Cow<'static, str>,
        /// The texts.
        items: Vec<String>,
    },
    /// Rows of values.
    Table {
        /// The names of the columns.
        columns: Vec<Cow<'static, str>>,
        /// As many values as columns in each.
        rows: Vec<Vec<Value>>,
    },
}

/// A frame of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// `package.Class.method`.
    pub method: String,
    /// The line, where it is known.
    pub line: Option<u32>,
}

/// A method and its share of something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodRow {
    /// The method at the top of the stacks.
    pub method: Frame,
    /// The first frame below it (or it itself) that is not the JDK's: where the program's own code stands.
    pub application_frame: Option<Frame>,
    /// How much.
    pub value: Box<Value>,
    /// Of all, 0 to 100.
    pub percent: f64,
}

impl Value {
    /// A number with what it counts.
    #[must_use]
    pub fn number(value: f64, unit: &'static str) -> Self {
        Self::Number { value: number(value), unit: unit.into() }
    }

    /// A number of things.
    #[must_use]
    pub fn count(value: u64, unit: &'static str) -> Self {
        Self::number(value as f64, unit)
    }

    /// A text, cut where it is too long.
    #[must_use]
    pub fn text(value: impl Into<String>) -> Self {
        Self::Text { value: cut(value.into()) }
    }

    /// A length of time.
    #[must_use]
    pub const fn nanos(nanos: i64) -> Self {
        Self::Duration { nanos }
    }

    /// A length of time given as a floating-point number of nanoseconds.
    #[must_use]
    pub fn nanos_f64(nanos: f64) -> Self {
        Self::Duration { nanos: crate::math::to_i64(nanos) }
    }

    /// An amount of memory or data.
    #[must_use]
    pub fn bytes(value: f64) -> Self {
        Self::Bytes { value: number(value) }
    }

    /// Hundredths: 100 for all.
    #[must_use]
    pub fn percent(value: f64) -> Self {
        Self::Percent { value: number(value) }
    }

    /// A share of 0 to 1, as hundredths.
    #[must_use]
    pub fn share(value: f64) -> Self {
        Self::percent(value * 100.0)
    }

    /// A point in time, nanoseconds since the epoch.
    #[must_use]
    pub const fn instant(epoch_nanos: i64) -> Self {
        Self::Instant { epoch_nanos }
    }

    /// A stretch of time, nanoseconds since the epoch.
    #[must_use]
    pub const fn window(from_nanos: i64, to_nanos: i64) -> Self {
        Self::Window { from_nanos, to_nanos }
    }

    /// Texts, of which the first [`MAX_ROWS`] are kept.
    #[must_use]
    pub fn list(of: &'static str, items: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::List { of: of.into(), items: items.into_iter().take(MAX_ROWS).map(|i| cut(i.into())).collect() }
    }

    /// Methods, of which the first [`MAX_ROWS`] are kept.
    #[must_use]
    pub fn methods(rows: impl IntoIterator<Item = MethodRow>) -> Self {
        Self::Methods { rows: rows.into_iter().take(MAX_ROWS).collect() }
    }

    /// A table, of which the first [`MAX_ROWS`] rows are kept.
    #[must_use]
    pub fn table<const N: usize>(columns: [&'static str; N], rows: impl IntoIterator<Item = [Value; N]>) -> Self {
        Self::Table {
            columns: columns.into_iter().map(Cow::Borrowed).collect(),
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

/// A number that can be shown: what is none is 0, and so is -0, which Rust's sum of nothing is.
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

/// Values by name, in the order in which the rule gave them. In JSON an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    items: Vec<(Cow<'static, str>, Value)>,
}

impl Evidence {
    /// Adds a value; one of the same name is replaced.
    pub fn push(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        match self.items.iter_mut().find(|(k, _)| **k == *key) {
            Some((_, old)) => *old = value,
            None => self.items.push((key.into(), value)),
        }
    }

    /// The value of this name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.items.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.items.iter().map(|(key, value)| (&**key, value))
    }

    /// All of them, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&mut Cow<'static, str>, &mut Value)> {
        self.items.iter_mut().map(|(key, value)| (key, value))
    }

    /// Whether there is none.
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
