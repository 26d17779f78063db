//! The columns of a table: derived from recording metadata, merged where recordings differ, and converted to Arrow.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Fields, TimeUnit as ArrowUnit};
use jfr_parse::{Content, Field, Kind, Type, TypeId};

/// The type of a column's values.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// A boolean.
    Bool,
    /// An integer.
    Int {
        /// Its width: 8, 16, 32 or 64.
        bits: u8,
        /// Whether it is signed.
        signed: bool,
    },
    /// A float.
    Float,
    /// A double.
    Double,
    /// Text; each value is stored once if the format allows it.
    Text,
    /// A timestamp: nanoseconds since 1970, UTC. Null if not set.
    Instant,
    /// A duration in nanoseconds. Null if unknown; the largest number means "forever".
    Length,
    /// A stack: the id of a row in the `stacks` table.
    Stack,
    /// The fields of a nested value.
    Struct(Vec<Column>),
    /// Any number of values.
    List(Box<Shape>),
}

/// A column: its name, type and annotations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its values.
    pub shape: Shape,
    /// Label, description, unit and content type from JFR annotations, if present.
    pub about: BTreeMap<&'static str, String>,
}

/// Maximum leaves among the columns of an event type; types can contain each other without end.
const MAX_LEAVES: usize = 1_000;
/// Maximum nesting of types.
const MAX_DEPTH: usize = 12;

impl Column {
    /// A column without annotations.
    #[must_use]
    pub fn new(name: &str, shape: Shape) -> Self {
        Self { name: name.to_owned(), shape, about: BTreeMap::new() }
    }

    /// Sets the unit.
    #[must_use]
    pub fn unit(mut self, unit: &str) -> Self {
        self.about.insert("unit", unit.to_owned());
        self
    }

    /// The columns of an event type, and whether some were left out because there were too many.
    #[must_use]
    pub fn of_event(of: Type<'_>) -> (Vec<Self>, bool) {
        let mut shaper = Shaper { path: vec![of.id()], left: MAX_LEAVES, cut: false, constants: 0 };
        let columns = shaper.fields(of, false);
        (columns, shaper.cut)
    }

    /// The Arrow field, with or without dictionaries for text.
    #[must_use]
    pub fn to_arrow(&self, dictionaries: bool) -> ArrowField {
        let mut about: HashMap<String, String> =
            self.about.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        if self.shape == Shape::Stack {
            about.insert(CONTENT.to_owned(), STACK.to_owned());
        }
        ArrowField::new(&self.name, self.shape.to_arrow(dictionaries), true).with_metadata(about)
    }
}

/// The key in a column's metadata that describes its numbers.
pub(crate) const CONTENT: &str = "content";
/// Numbers that are ids of stacks, or of frames.
const STACK: &str = "stack";
/// Numbers that are addresses in memory.
const ADDRESS: &str = "memory-address";

/// Whether the numbers of a column are arbitrary: neither close together nor small.
pub(crate) fn is_arbitrary(field: &ArrowField) -> bool {
    field.metadata().get(CONTENT).is_some_and(|content| [STACK, ADDRESS].contains(&content.as_str()))
}

struct Shaper {
    /// The types that contain the current one.
    path: Vec<TypeId>,
    left: usize,
    cut: bool,
    /// How many constants contain the current value. Arrays within constants are left out: repeated for each row, they
    /// could take any amount of memory. In practice only the frames of stack traces are such arrays.
    constants: usize,
}

impl Shaper {
    /// `plain`: skip struct fields.
    fn fields(&mut self, of: Type<'_>, plain: bool) -> Vec<Column> {
        let column = |field: Field<'_>| {
            let shape = self.field(field, plain)?;
            Some(Column { name: field.name().to_owned(), shape, about: about(field) })
        };
        let mut columns: Vec<Column> = Vec::new();
        for column in of.fields().filter_map(column) {
            if columns.iter().all(|known| known.name != column.name) {
                columns.push(column);
            }
        }
        columns
    }

    fn field(&mut self, field: Field<'_>, plain: bool) -> Option<Shape> {
        let of = field.value_type()?;
        let content = if is_leaf(of) { field.content() } else { None };
        if is_trace(of) && !field.is_pooled() || field.is_array() && self.constants > 0 {
            return None;
        }
        self.constants += usize::from(field.is_pooled());
        let shape = self.value(of, field.is_unsigned(), content, plain);
        self.constants -= usize::from(field.is_pooled());
        let shape = shape?;
        Some(if field.is_array() { Shape::List(Box::new(shape)) } else { shape })
    }

    fn value(&mut self, of: Type<'_>, unsigned: bool, content: Option<Content>, plain: bool) -> Option<Shape> {
        if is_trace(of) {
            return self.leaf(Shape::Stack);
        }
        let int = |bits| Shape::Int { bits, signed: !unsigned };
        let shape = match (of.kind(), content) {
            (Kind::Byte | Kind::Short | Kind::Int | Kind::Long, Some(Content::Timestamp(_))) => Shape::Instant,
            (Kind::Byte | Kind::Short | Kind::Int | Kind::Long, Some(Content::Timespan(_))) => Shape::Length,
            (Kind::Boolean, _) => Shape::Bool,
            (Kind::Byte, _) => int(8),
            (Kind::Short, _) => int(16),
            (Kind::Int, _) => int(32),
            (Kind::Long, _) => int(64),
            (Kind::Float, _) => Shape::Float,
            (Kind::Double, _) => Shape::Double,
            (Kind::Char | Kind::String, _) => Shape::Text,
            (Kind::Struct, _) => return self.fields_of(of, content, plain),
        };
        self.leaf(shape)
    }

    fn leaf(&mut self, shape: Shape) -> Option<Shape> {
        let left = self.left.checked_sub(1);
        self.cut |= left.is_none();
        self.left = left?;
        Some(shape)
    }

    fn fields_of(&mut self, of: Type<'_>, content: Option<Content>, plain: bool) -> Option<Shape> {
        let only = only_field(of);
        if plain && only.is_none() || self.path.len() >= MAX_DEPTH {
            return None;
        }
        // A thread group has a parent group. If a type is nested in itself, only its plain fields are kept.
        let plain = plain || self.path.contains(&of.id());
        self.path.push(of.id());
        let shape = match only {
            Some(only) if content.is_some() && !only.is_array() => {
                only.value_type().and_then(|inner| self.value(inner, only.is_unsigned(), content, plain))
            }
            Some(only) => self.field(only, plain),
            None => Some(self.fields(of, plain)).filter(|fields| !fields.is_empty()).map(Shape::Struct),
        };
        self.path.pop();
        shape
    }
}

/// Whether the type is a stack trace, which has its own table.
pub(crate) fn is_trace(of: Type<'_>) -> bool {
    of.is_named("jdk.types.StackTrace") && of.kind() == Kind::Struct
}

/// The field of a type that only wraps this one field.
pub(crate) fn only_field(of: Type<'_>) -> Option<Field<'_>> {
    let mut fields = of.fields();
    match (fields.next(), fields.next()) {
        (Some(only), None) if of.is_simple() => Some(only),
        _ => None,
    }
}

/// Whether a value of the type is ultimately a number or a string.
pub(crate) fn is_leaf(of: Type<'_>) -> bool {
    of.kind() != Kind::Struct || only_field(of).is_some()
}

/// The annotations of a field.
fn about(field: Field<'_>) -> BTreeMap<&'static str, String> {
    let mut about = BTreeMap::new();
    let texts = [("label", field.label()), ("description", field.description())];
    about.extend(texts.into_iter().filter_map(|(key, text)| Some((key, text?.to_owned()))));
    let (content, unit) = match field.content() {
        Some(Content::Timestamp(_)) => ("timestamp", "ns"),
        Some(Content::Timespan(_)) => ("timespan", "ns"),
        Some(Content::Bytes) => ("data-amount", "bytes"),
        Some(Content::Bits) => ("data-amount", "bits"),
        Some(Content::BytesPerSecond) => ("data-rate", "bytes/s"),
        Some(Content::BitsPerSecond) => ("data-rate", "bits/s"),
        Some(Content::Percentage) => ("percentage", "1"),
        Some(Content::Frequency) => ("frequency", "Hz"),
        Some(Content::MemoryAddress) => (ADDRESS, ""),
        _ => ("", ""),
    };
    for (key, text) in [(CONTENT, content), ("unit", unit)] {
        if !text.is_empty() {
            about.insert(key, text.to_owned());
        }
    }
    if field.is_experimental() {
        about.insert("experimental", "true".to_owned());
    }
    about
}

impl Shape {
    /// The Arrow type, with or without dictionaries for text.
    #[must_use]
    pub fn to_arrow(&self, dictionaries: bool) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int { bits: 8, signed: true } => DataType::Int8,
            Self::Int { bits: 8, signed: false } => DataType::UInt8,
            Self::Int { bits: 16, signed: true } => DataType::Int16,
            Self::Int { bits: 16, signed: false } => DataType::UInt16,
            Self::Int { bits: 32, signed: true } => DataType::Int32,
            Self::Int { bits: 32, signed: false } => DataType::UInt32,
            Self::Int { signed: true, .. } | Self::Stack => DataType::Int64,
            Self::Int { signed: false, .. } => DataType::UInt64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Text if dictionaries => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            Self::Text => DataType::Utf8,
            Self::Instant => DataType::Timestamp(ArrowUnit::Nanosecond, Some("UTC".into())),
            Self::Length => DataType::Duration(ArrowUnit::Nanosecond),
            Self::Struct(fields) => DataType::Struct(arrow_fields(fields, dictionaries)),
            Self::List(inner) => DataType::List(Arc::new(item(inner, dictionaries))),
        }
    }

    /// Widens this shape so that it also holds the values of `other`. Reports fields that conflict; those stay unchanged.
    fn join(&mut self, other: &Self, name: &str, conflicts: &mut Vec<String>) {
        let joined = match (&mut *self, other) {
            (a, b) if a == b => return,
            (Self::Struct(fields), Self::Struct(more)) => return join_columns(fields, more, name, conflicts),
            (Self::List(inner), Self::List(other)) => return inner.join(other, name, conflicts),
            (Self::Int { bits: a, signed: s }, Self::Int { bits: b, signed: t }) if s == t => {
                Some(Self::Int { bits: *a.max(&mut b.clone()), signed: *s })
            }
            // An unsigned integer fits into a wider signed one.
            (Self::Int { bits: a, signed: s }, Self::Int { bits: b, .. }) => {
                let (signed, unsigned) = if *s { (*a, *b) } else { (*b, *a) };
                let bits = signed.max(unsigned.saturating_mul(2));
                (bits <= 64).then_some(Self::Int { bits, signed: true })
            }
            (Self::Float | Self::Double, Self::Float | Self::Double) => Some(Self::Double),
            // Every 32-bit integer can be represented as a double.
            (Self::Int { bits, .. }, Self::Float | Self::Double) if *bits <= 32 => Some(Self::Double),
            (Self::Float | Self::Double, Self::Int { bits, .. }) if *bits <= 32 => Some(Self::Double),
            _ => None,
        };
        match joined {
            Some(joined) => *self = joined,
            None => conflicts.push(name.to_owned()),
        }
    }
}

/// Adds the columns of another recording. Reports those that conflict; their values are left out.
pub(crate) fn join_columns(columns: &mut Vec<Column>, more: &[Column], name: &str, conflicts: &mut Vec<String>) {
    for column in more {
        let path = if name.is_empty() { column.name.clone() } else { format!("{name}.{}", column.name) };
        match columns.iter_mut().find(|known| known.name == column.name) {
            Some(known) => {
                known.shape.join(&column.shape, &path, conflicts);
                for (key, value) in &column.about {
                    known.about.entry(key).or_insert_with(|| value.clone());
                }
            }
            None => columns.push(column.clone()),
        }
    }
}

fn item(of: &Shape, dictionaries: bool) -> ArrowField {
    ArrowField::new("item", of.to_arrow(dictionaries), true)
}

pub(crate) fn arrow_fields(columns: &[Column], dictionaries: bool) -> Fields {
    columns.iter().map(|column| column.to_arrow(dictionaries)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(bits: u8, signed: bool) -> Shape {
        Shape::Int { bits, signed }
    }

    #[test]
    fn conflicting_types_are_widened_or_reported() {
        for (a, b, expected) in [
            (int(32, true), int(64, true), Some(int(64, true))),
            (int(32, false), int(32, true), Some(int(64, true))),
            (int(64, false), int(64, true), None),
            (Shape::Float, Shape::Double, Some(Shape::Double)),
            (int(32, true), Shape::Float, Some(Shape::Double)),
            (int(64, true), Shape::Double, None),
            (Shape::Text, Shape::Bool, None),
            (Shape::Instant, int(64, true), None),
        ] {
            for (a, b) in [(&a, &b), (&b, &a)] {
                let mut columns = vec![Column::new("x", a.clone())];
                let mut conflicts = Vec::new();
                join_columns(&mut columns, &[Column::new("x", b.clone())], "", &mut conflicts);
                let joined = columns.first().map(|c| c.shape.clone());
                assert_eq!(joined.filter(|_| conflicts.is_empty()), expected, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn columns_of_other_recordings_are_added_by_name() {
        let part = |names: &[&str]| Shape::Struct(names.iter().map(|n| Column::new(n, Shape::Text)).collect());
        let mut columns = vec![Column::new("thread", part(&["name"]))];
        let mut conflicts = Vec::new();
        let more = [Column::new("thread", part(&["virtual", "name"])), Column::new("cause", Shape::Text)];
        join_columns(&mut columns, &more, "", &mut conflicts);
        assert_eq!(columns, [Column::new("thread", part(&["name", "virtual"])), Column::new("cause", Shape::Text)]);
        assert!(conflicts.is_empty());
    }
}
