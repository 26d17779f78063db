//! Reads values into columns, following a plan compiled once per event type and metadata.

use jfr_parse::{ConstantKey, Content, Cursor, Field, Kind, RawStr, Short, TimeUnit, Type, TypeId};

use crate::column::{Col, Texts};
use crate::schema::{Column, Shape, is_trace, only_field};

/// Maximum nesting of types.
const MAX_DEPTH: usize = 32;
/// Maximum nodes of an event type.
const MAX_NODES: usize = 20_000;

/// How to read a value, and whether to keep it.
#[derive(Debug)]
pub(crate) enum Node {
    /// A number, boolean or string.
    Leaf { kind: Kind, unsigned: bool, take: Take, string: TypeId },
    /// The key of a constant; `inner` is how to read the constant, if it is needed.
    Pooled { type_id: TypeId, inner: Option<Box<Node>> },
    /// The key of a stack trace.
    Trace,
    /// An inline struct: its fields, each with its position among the requested columns.
    Group { fields: Vec<(Node, Option<usize>)>, width: usize },
    /// A count followed by that many values. Values that take no bytes are not read.
    Array { inner: Box<Node>, bare: bool },
}

/// What a leaf becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    Nothing,
    AsIs,
    /// A double, whatever the type of the value.
    Number,
    Instant(TimeUnit),
    Length(TimeUnit),
}

pub(crate) struct Compiler {
    depth: usize,
    left: usize,
}

impl Default for Compiler {
    fn default() -> Self {
        Self { depth: MAX_DEPTH, left: MAX_NODES }
    }
}

impl Compiler {
    /// How to read values of a type into these columns; `None` if the type is nested too deeply.
    pub(crate) fn group(&mut self, of: Type<'_>, wanted: &[Column]) -> Option<Node> {
        let mut fields: Vec<(Node, Option<usize>)> = Vec::new();
        for field in of.fields() {
            let place = wanted.iter().position(|column| column.name == field.name());
            // If two fields have the same name, the first wins.
            let place = place.filter(|place| !fields.iter().any(|(_, taken)| *taken == Some(*place)));
            let node = self.field(field, place.and_then(|i| wanted.get(i)).map(|column| &column.shape))?;
            let place = place.filter(|_| node.is_wanted());
            fields.push((node, place));
        }
        Some(Node::Group { fields, width: wanted.len() })
    }

    fn field(&mut self, field: Field<'_>, wanted: Option<&Shape>) -> Option<Node> {
        self.left = self.left.checked_sub(1)?;
        let of = field.value_type();
        let wanted = match wanted {
            Some(Shape::List(inner)) if field.is_array() => Some(&**inner),
            Some(_) if field.is_array() => None,
            other => other,
        };
        let one = self.element(field, of, wanted)?;
        if !field.is_array() {
            return Some(one);
        }
        let bare = !field.is_pooled() && of.is_some_and(|of| of.kind() == Kind::Struct && of.fields().len() == 0);
        Some(Node::Array { inner: Box::new(one), bare })
    }

    fn element(&mut self, field: Field<'_>, of: Option<Type<'_>>, wanted: Option<&Shape>) -> Option<Node> {
        let content = field.content();
        if !field.is_pooled() {
            return self.value(of?, field.is_unsigned(), content, wanted);
        }
        let Some((of, shape)) = of.zip(wanted) else {
            return Some(Node::Pooled { type_id: field.type_id(), inner: None });
        };
        if is_trace(of) {
            return Some(match shape {
                Shape::Stack => Node::Trace,
                _ => Node::Pooled { type_id: of.id(), inner: None },
            });
        }
        let inner = self.value(of, field.is_unsigned(), content, Some(shape));
        let inner = inner.filter(Node::is_wanted).map(Box::new);
        Some(Node::Pooled { type_id: of.id(), inner })
    }

    fn value(
        &mut self,
        of: Type<'_>,
        unsigned: bool,
        content: Option<Content>,
        wanted: Option<&Shape>,
    ) -> Option<Node> {
        if of.kind() != Kind::Struct {
            let take = wanted.map_or(Take::Nothing, |shape| taken(of.kind(), unsigned, content, shape));
            return Some(Node::Leaf { kind: of.kind(), unsigned, take, string: of.id() });
        }
        self.depth = self.depth.checked_sub(1)?;
        let node = match (only_field(of), wanted) {
            (Some(only), _) if content.is_some() && !only.is_array() && !only.is_pooled() => {
                self.value(only.value_type()?, only.is_unsigned(), content, wanted)
            }
            (Some(only), _) => self.field(only, wanted),
            (None, Some(Shape::Struct(columns))) => self.group(of, columns),
            (None, _) => self.group(of, &[]),
        };
        self.depth += 1;
        node
    }
}

/// What a leaf becomes in a column of this shape; `None` if they do not match.
fn taken(kind: Kind, unsigned: bool, content: Option<Content>, shape: &Shape) -> Take {
    let width = match kind {
        Kind::Byte => 8,
        Kind::Short => 16,
        Kind::Int => 32,
        Kind::Long => 64,
        _ => 0,
    };
    match (shape, content) {
        (Shape::Instant, Some(Content::Timestamp(unit))) if width > 0 => Take::Instant(unit),
        (Shape::Length, Some(Content::Timespan(unit))) if width > 0 => Take::Length(unit),
        (_, Some(Content::Timestamp(_) | Content::Timespan(_))) if width > 0 => Take::Nothing,
        (Shape::Int { bits, signed }, _)
            if width > 0 && (width < *bits || width == *bits && *signed != unsigned) && (*signed || unsigned) =>
        {
            Take::AsIs
        }
        (Shape::Double, _) if (1..=32).contains(&width) => Take::Number,
        (Shape::Double, _) if kind == Kind::Float => Take::Number,
        (Shape::Double, _) if kind == Kind::Double => Take::AsIs,
        (Shape::Float, _) if kind == Kind::Float => Take::AsIs,
        (Shape::Bool, _) if kind == Kind::Boolean => Take::AsIs,
        (Shape::Text, _) if matches!(kind, Kind::String | Kind::Char) => Take::AsIs,
        _ => Take::Nothing,
    }
}

impl Node {
    fn is_wanted(&self) -> bool {
        match self {
            Self::Leaf { take, .. } => *take != Take::Nothing,
            Self::Pooled { inner, .. } => inner.is_some(),
            Self::Trace => true,
            Self::Group { fields, .. } => fields.iter().any(|(_, place)| place.is_some()),
            Self::Array { inner, .. } => inner.is_wanted(),
        }
    }

    /// An empty column for this node.
    pub(crate) fn column<'a>(&self) -> Col<'a> {
        match self {
            Self::Leaf { take: Take::Nothing, .. } | Self::Pooled { inner: None, .. } => Col::Nothing,
            Self::Leaf { take: Take::Instant(_) | Take::Length(_), .. } => Col::Time(Vec::new()),
            Self::Leaf { take: Take::Number, .. } => Col::F64(Vec::new()),
            Self::Leaf { kind, string, .. } => match kind {
                Kind::Boolean => Col::Bool(Vec::new()),
                Kind::Float => Col::F32(Vec::new()),
                Kind::Double => Col::F64(Vec::new()),
                Kind::Char => Col::Char(Vec::new()),
                Kind::String => Col::Text(Box::new(Texts::new(*string))),
                _ => Col::Int(Vec::new()),
            },
            Self::Pooled { .. } => Col::Pooled(Box::default()),
            Self::Trace => Col::Trace(Vec::new()),
            Self::Group { fields, width } => {
                let mut columns: Vec<Col<'a>> = (0..*width).map(|_| Col::Nothing).collect();
                for (node, place) in fields {
                    if let Some(slot) = place.and_then(|i| columns.get_mut(i)) {
                        *slot = node.column();
                    }
                }
                Col::Group(columns)
            }
            Self::Array { inner, .. } if inner.is_wanted() => Col::List(Vec::new(), Box::new(inner.column())),
            Self::Array { .. } => Col::Nothing,
        }
    }

    /// Reads a value into its column.
    ///
    /// # Errors
    /// [`Short`] if the value ends early. The column may then be one value too long in places.
    pub(crate) fn read<'a>(&self, at: &mut Cursor<'a>, into: &mut Col<'a>, cx: &Reading) -> Result<(), Short> {
        match self {
            Self::Leaf { kind, unsigned, take, .. } => leaf(*kind, *unsigned, *take, at, into, cx),
            Self::Pooled { .. } => {
                let key = ConstantKey(at.varint()?);
                if let Col::Pooled(keys) = into {
                    keys.push(key);
                }
                Ok(())
            }
            Self::Trace => {
                let key = ConstantKey(at.varint()?);
                if let Col::Trace(keys) = into {
                    keys.push(key);
                }
                Ok(())
            }
            Self::Group { fields, .. } => {
                let mut nothing = Col::Nothing;
                for (node, place) in fields {
                    let column = match (&mut *into, place) {
                        (Col::Group(columns), Some(i)) => columns.get_mut(*i),
                        _ => None,
                    };
                    node.read(at, column.unwrap_or(&mut nothing), cx)?;
                }
                Ok(())
            }
            Self::Array { inner, bare } => {
                let n = if *bare { at.varint().map(|_| 0)? } else { at.count()? };
                if n > cx.array_elements {
                    return Err(Short);
                }
                let mut nothing = Col::Nothing;
                let (ends, column) = match into {
                    Col::List(ends, column) => (Some(ends), &mut **column),
                    _ => (None, &mut nothing),
                };
                for _ in 0..n {
                    inner.read(at, column, cx)?;
                }
                if let Some(ends) = ends {
                    let before = ends.last().copied().unwrap_or(0);
                    ends.push(before.saturating_add(n));
                }
                Ok(())
            }
        }
    }
}

/// What reading a value needs to know about the chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) clock: jfr_parse::Clock,
    pub(crate) array_elements: usize,
}

/// Some writers mask to the field's width, others sign-extend to 64 bits, so only the low bits count.
#[inline]
fn number(raw: u64, bits: u32, unsigned: bool) -> u64 {
    let shift = 64 - bits;
    if unsigned { (raw << shift) >> shift } else { ((raw << shift).cast_signed() >> shift).cast_unsigned() }
}

#[inline]
fn leaf<'a>(
    kind: Kind,
    unsigned: bool,
    take: Take,
    at: &mut Cursor<'a>,
    into: &mut Col<'a>,
    cx: &Reading,
) -> Result<(), Short> {
    let whole = match kind {
        Kind::Boolean => {
            let truth = at.u8()? != 0;
            if let Col::Bool(values) = into {
                values.push(truth);
            }
            return Ok(());
        }
        Kind::Float => {
            let value = f32::from_be_bytes(at.array()?);
            match into {
                Col::F32(values) => values.push(value),
                Col::F64(values) => values.push(f64::from(value)),
                _ => {}
            }
            return Ok(());
        }
        Kind::Double => {
            let value = f64::from_be_bytes(at.array()?);
            if let Col::F64(values) = into {
                values.push(value);
            }
            return Ok(());
        }
        Kind::String => {
            let text = RawStr::read(at)?;
            if let Col::Text(texts) = into {
                texts.push(text);
            }
            return Ok(());
        }
        Kind::Char => {
            let unit = u32::try_from(at.varint()? & 0xffff).unwrap_or_default();
            if let Col::Char(chars) = into {
                chars.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            return Ok(());
        }
        Kind::Byte => number(u64::from(at.u8()?), 8, unsigned),
        Kind::Short => number(at.varint()?, 16, unsigned),
        Kind::Int => number(at.varint()?, 32, unsigned),
        Kind::Long => at.varint()?,
        Kind::Struct => return Err(Short),
    };
    match (take, into) {
        (Take::AsIs, Col::Int(values)) => values.push(whole),
        #[expect(clippy::cast_precision_loss, reason = "of 32 bits at most")]
        (Take::Number, Col::F64(values)) => values.push(whole.cast_signed() as f64),
        (Take::Instant(unit), Col::Time(values)) => {
            let value = whole.cast_signed();
            let fits = !unsigned || value >= 0;
            values.push(if fits { cx.clock.instant(value, unit).map(|at| at.0) } else { None });
        }
        (Take::Length(unit), Col::Time(values)) => {
            let value = whole.cast_signed();
            values.push(match value {
                // "Forever" is kept; "unknown" becomes null.
                _ if unsigned && value < 0 => None,
                i64::MAX => Some(i64::MAX),
                value => cx.clock.length(value, unit).map(|length| length.0),
            });
        }
        _ => {}
    }
    Ok(())
}
