//! Answers of views: rows of values, and how they are formatted.

use std::borrow::Cow;
use std::fmt::Write;

use jfr_parse::text::{amount, duration};
use jfr_parse::{Content, EpochNanos, Iso, LocalNanos, Zone};

use super::catalog::Kind;
use super::constants::plain;
use super::syntax::{Aggregate, CellFormat, Truncate};
use super::value::{Names, Val};
use jfrkit_profile::units;

/// What the values of a column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Texts, booleans, and numbers without a unit.
    Plain,
    /// A timestamp in nanoseconds since the Unix epoch.
    Instant,
    /// A duration in nanoseconds.
    Span,
    /// Bytes or bits, or either per second.
    Amount(Content),
    /// A ratio shown as a percentage.
    Percent,
    /// A share of the column's sum.
    Share,
    /// Hertz.
    Frequency,
    /// A memory address.
    Address,
}

impl Shape {
    pub(super) fn of(content: Option<Content>, aggregate: Option<Aggregate>, normalized: bool) -> Self {
        if normalized {
            return Self::Share;
        }
        if matches!(aggregate, Some(Aggregate::Count | Aggregate::Unique)) {
            return Self::Plain;
        }
        match content {
            Some(Content::Timestamp(_)) if aggregate == Some(Aggregate::Difference) => Self::Span,
            Some(Content::Timestamp(_)) => Self::Instant,
            Some(Content::Timespan(_)) => Self::Span,
            Some(Content::Percentage) => Self::Percent,
            Some(Content::Frequency) => Self::Frequency,
            Some(Content::MemoryAddress) => Self::Address,
            Some(content @ (Content::Bytes | Content::Bits | Content::BytesPerSecond | Content::BitsPerSecond)) => {
                Self::Amount(content)
            }
            None => Self::Plain,
        }
    }

    /// The unit of the raw values.
    #[must_use]
    pub fn unit(self) -> Option<&'static str> {
        match self {
            Self::Plain | Self::Instant | Self::Address => None,
            Self::Span => Some("ns"),
            Self::Amount(Content::Bits) => Some("bit"),
            Self::Amount(Content::BitsPerSecond) => Some("bit/s"),
            Self::Amount(Content::BytesPerSecond) => Some("B/s"),
            Self::Amount(_) => Some("B"),
            Self::Percent | Self::Share => Some("ratio"),
            Self::Frequency => Some("Hz"),
        }
    }
}

/// A column of an answer.
#[derive(Debug, Clone)]
pub struct AnswerColumn {
    /// The title.
    pub title: String,
    /// The meaning of its values.
    pub shape: Shape,
    pub(super) format: CellFormat,
    pub(super) is_number: bool,
}

/// The answer to one view.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The name of the view.
    pub name: String,
    /// The title of the view.
    pub title: String,
    /// Form or table.
    pub kind: Kind,
    /// The columns or, for a form, the lines.
    pub columns: Vec<AnswerColumn>,
    /// Why the answer is empty, if it is.
    pub note: Option<String>,
    /// Fields in the query that none of its event types has in this recording.
    pub unknown_fields: Vec<String>,
    rows: Vec<Vec<Val>>,
    /// The event types that the view queries.
    sources: Vec<String>,
    /// The event types among them that the recording declares.
    declared: Vec<String>,
}

impl Answer {
    pub(super) fn new(
        name: String,
        title: String,
        kind: Kind,
        columns: Vec<AnswerColumn>,
        rows: Vec<Vec<Val>>,
    ) -> Self {
        Self {
            name,
            title,
            kind,
            columns,
            rows,
            note: None,
            unknown_fields: Vec::new(),
            sources: Vec::new(),
            declared: Vec::new(),
        }
    }

    pub(super) fn with_sources(mut self, sources: Vec<String>, declared: Vec<String>, seen: u64) -> Self {
        (self.sources, self.declared) = (sources, declared);
        if self.rows.is_empty() {
            self.note = Some(self.why_empty(seen));
        }
        self
    }

    /// The event types in the query, as spelled there.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Those event types that the recording declares.
    #[must_use]
    pub fn declared(&self) -> &[String] {
        &self.declared
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Which events are missing, and how to enable them.
    fn why_empty(&self, seen: u64) -> String {
        let mut names: Vec<String> = Vec::new();
        for source in &self.sources {
            let name = if source.contains('.') || source == "*" { source.clone() } else { format!("jdk.{source}") };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let list = match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, first)) => format!("{} or {last}", first.join(", ")),
            None => String::new(),
        };
        if names.first().is_some_and(|name| name == "*") {
            return "The recording has no events in this range.".to_owned();
        }
        if seen > 0 {
            return format!("No {list} events match.");
        }
        if self.declared.is_empty() {
            return format!(
                "The recording cannot have {list}: its metadata does not declare the type. The JVM is too old or too new \
                 for it, or the profiler does not record it."
            );
        }
        let on = self.declared.first().map_or("", String::as_str);
        format!(
            "The recording has no {list} events. To record them: {}; a threshold may hide short ones.",
            crate::recorder::Recorder::default().command(on)
        )
    }
}

/// The answers to several views.
#[derive(Debug)]
pub struct Answers {
    names: Names,
    answers: Vec<Answer>,
    zone: Zone,
}

/// A cell as a number or a text, for use in programs.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Raw {
    /// No value.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i128),
    /// A floating-point number.
    Float(f64),
    /// A text; a timestamp is in ISO 8601.
    Text(String),
}

impl Answers {
    pub(super) fn new(names: Names, answers: Vec<Answer>) -> Self {
        Self { names, answers, zone: Zone::UTC }
    }

    /// Shows the times in cells in this zone. Raw values stay in UTC.
    #[must_use]
    pub fn in_zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// The answers, in the order of the views.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Answer> {
        self.answers.iter()
    }

    /// The answers in the order of the views, for completing their notes.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut Answer> {
        self.answers.iter_mut()
    }

    /// A cell formatted as in the JDK: complete, on one or more lines.
    #[must_use]
    pub fn cell<'a>(&'a self, answer: &'a Answer, row: usize, column: usize) -> Cow<'a, str> {
        let value = answer.rows.get(row).and_then(|row| row.get(column)).copied().unwrap_or_default();
        let Some(column) = answer.columns.get(column) else { return "".into() };
        let missing = || column.format.missing.as_deref().unwrap_or("N/A");
        let text = match value {
            Val::Null => return missing().into(),
            Val::Text(n) => {
                let text = self.names.text(n);
                if !self.names.is_stack(n) {
                    return text.trim_end().into();
                }
                // As many lines as the format allows.
                let lines = column.format.lines.unwrap_or(1);
                return match text.match_indices('\n').nth(lines - 1) {
                    Some((end, _)) => text.get(..end).unwrap_or(text).into(),
                    None => text.into(),
                };
            }
            value if column.shape == Shape::Instant => match rounded(value) {
                Some(nanos) => shown(Val::Int(self.zone.local(EpochNanos(nanos)).0), column),
                None => None,
            },
            value => shown(value, column),
        };
        text.map_or_else(|| missing().into(), Cow::Owned)
    }

    /// A cell as a value in the unit of its column.
    #[must_use]
    pub fn raw(&self, answer: &Answer, row: usize, column: usize) -> Raw {
        let value = answer.rows.get(row).and_then(|row| row.get(column)).copied().unwrap_or_default();
        let shape = answer.columns.get(column).map_or(Shape::Plain, |column| column.shape);
        match (value, shape) {
            (Val::Null, _) => Raw::Null,
            (Val::Text(n), _) => Raw::Text(self.names.text(n).to_owned()),
            (Val::Bool(b), _) => Raw::Bool(b),
            (Val::Int(nanos), Shape::Instant) => Raw::Text(Iso(EpochNanos(nanos)).to_string()),
            (Val::Float(nanos), Shape::Instant) => Raw::Text(Iso(EpochNanos(whole(nanos))).to_string()),
            // Infinite.
            (Val::Int(i64::MAX), Shape::Span) => Raw::Null,
            (value, Shape::Address) => Raw::Text(shown(value, &AnswerColumn::plain(shape)).unwrap_or_default()),
            (value, _) => match (value.whole(), value.number()) {
                (Some(n), _) => Raw::Int(n),
                (None, Some(n)) => Raw::Float(n),
                (None, None) => Raw::Null,
            },
        }
    }
}

impl AnswerColumn {
    fn plain(shape: Shape) -> Self {
        Self { title: String::new(), shape, format: CellFormat::default(), is_number: true }
    }

    /// Where to truncate long cells, if the format specifies it.
    pub(super) fn truncate(&self) -> Option<Truncate> {
        self.format.truncate
    }
}

/// A number formatted as in the JDK; `None` if it means "no value".
fn shown(value: Val, column: &AnswerColumn) -> Option<String> {
    Some(match column.shape {
        Shape::Instant => {
            let nanos = rounded(value)?;
            let local = LocalNanos(nanos).to_string();
            local.get(11..19).unwrap_or(&local).to_owned()
        }
        Shape::Span => match rounded(value)? {
            i64::MAX => "Indefinite".to_owned(),
            nanos => match column.format.millis {
                Some(places) => {
                    let rounded = duration(nanos).to_string();
                    let millis = three_digits(nanos) / 1e6;
                    if nanos == 0 { rounded } else { format!("{millis:.places$} ms") }
                }
                None => duration(nanos).to_string(),
            },
        },
        Shape::Amount(content) => amount(rounded(value)?, content)?,
        Shape::Percent | Shape::Share => format!("{:.2}%", value.number()? * 100.0),
        Shape::Frequency => match value.whole() {
            Some(n) => format!("{n} Hz"),
            None => format!("{} Hz", fraction(value)?),
        },
        Shape::Address => format!("0x{:08X}", value.bits().1),
        Shape::Plain => match value {
            Val::Bool(_) => plain(value),
            Val::Int(n) => units::count(n),
            // As in the JDK: regardless of the annotation.
            Val::UInt(n) => units::count(n.cast_signed()),
            other => fraction(other)?,
        },
    })
}

/// Rounds to three significant digits, half up.
fn three_digits(nanos: i64) -> f64 {
    let step = 10i64.saturating_pow(nanos.unsigned_abs().max(1).ilog10().saturating_sub(2));
    ((nanos.saturating_add(step / 2)) / step * step) as f64
}

/// Formats a number with up to three decimals, rounding half to even, with thousands separators.
fn fraction(value: Val) -> Option<String> {
    let number = value.number()?;
    let thousandths = (number.abs() * 1e3).round_ties_even();
    if thousandths >= 1e15 {
        return Some(format!("{number}"));
    }
    let thousandths = whole(thousandths);
    let mut out = units::count(thousandths / 1_000);
    if number < 0.0 && thousandths > 0 {
        out.insert(0, '-');
    }
    if thousandths % 1_000 != 0 {
        let _ = write!(out, ".{:03}", thousandths % 1_000);
        out.truncate(out.trim_end_matches('0').len());
    }
    Some(out)
}

fn rounded(value: Val) -> Option<i64> {
    match value.whole() {
        Some(n) => i64::try_from(n).ok(),
        None => value.number().map(|n| whole(n.round())),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
fn whole(n: f64) -> i64 {
    n as i64
}
