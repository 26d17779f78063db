//! Locates the parts of an event or checkpoint payload, guided by the metadata.

use std::ops::Range;

use jfr_parse::{Cursor, Field, Kind, Metadata, RawStr, Short, Type, TypeId};

/// A part of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The kind of part.
    pub what: What,
    /// Its location.
    pub range: Range<usize>,
}

/// The kind of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A varint that contains a number.
    Number,
    /// A varint that contains the key of a constant of this type.
    Key(TypeId),
    /// A varint that contains the type id of the constants that follow, whose number is the next count.
    Pool,
    /// A varint that contains the number of elements that follow.
    Count,
    /// An element of an array, or a constant with its key. The part with this index is the count.
    Element(usize),
    /// Fixed-size bytes: a boolean, a byte, a float, a double.
    Fixed,
    /// A string including its encoding.
    Text,
}

/// Maximum number of parts to locate.
const MOST: usize = 1 << 16;
/// Maximum nesting depth of inline types to follow.
const DEEPEST: usize = 8;

/// The parts of the payload of an event of this type, as far as the payload matches the type.
#[must_use]
pub fn of_event(of: Type<'_>, payload: &[u8]) -> Vec<Part> {
    let mut reader = Reader { payload, at: Cursor::new(payload), parts: Vec::new() };
    let _ = reader.fields(of, DEEPEST);
    reader.parts
}

/// The parts of the value of a constant of this type. Bytes after the value are ignored.
#[must_use]
pub fn of_constant(of: Type<'_>, bytes: &[u8]) -> Option<Vec<Part>> {
    let mut reader = Reader { payload: bytes, at: Cursor::new(bytes), parts: Vec::new() };
    reader.value(of, DEEPEST).ok()?;
    Some(reader.parts)
}

/// The parts of the payload of a checkpoint, as far as the types of its pools are declared.
#[must_use]
pub fn of_checkpoint(types: &Metadata, payload: &[u8]) -> Vec<Part> {
    let mut reader = Reader { payload, at: Cursor::new(payload), parts: Vec::new() };
    let _ = reader.checkpoint(types);
    reader.parts
}

struct Reader<'p> {
    payload: &'p [u8],
    at: Cursor<'p>,
    parts: Vec<Part>,
}

impl Reader<'_> {
    fn here(&self) -> usize {
        self.payload.len() - self.at.left()
    }

    fn push(&mut self, what: What, from: usize) -> Result<(), Short> {
        if self.parts.len() >= MOST {
            return Err(Short);
        }
        self.parts.push(Part { what, range: from..self.here() });
        Ok(())
    }

    fn varint(&mut self, what: What) -> Result<u64, Short> {
        let from = self.here();
        let value = self.at.varint()?;
        self.push(what, from)?;
        Ok(value)
    }

    /// A count, and its index among the parts.
    fn count(&mut self) -> Result<(u64, usize), Short> {
        Ok((self.varint(What::Count)?, self.parts.len() - 1))
    }

    fn checkpoint(&mut self, types: &Metadata) -> Result<(), Short> {
        // The third number is the link to the previous checkpoint.
        for _ in 0..3 {
            self.varint(What::Number)?;
        }
        let from = self.here();
        self.at.bytes(1)?;
        self.push(What::Fixed, from)?;
        let (pools, _) = self.count()?;
        for _ in 0..pools {
            let id = TypeId(self.varint(What::Pool)?);
            let of = types.by_id(id).ok_or(Short)?;
            let (n, count) = self.count()?;
            for _ in 0..n {
                let from = self.here();
                self.varint(What::Key(id))?;
                self.value(of, DEEPEST)?;
                self.push(What::Element(count), from)?;
            }
        }
        Ok(())
    }

    fn fields(&mut self, of: Type<'_>, depth: usize) -> Result<(), Short> {
        let depth = depth.checked_sub(1).ok_or(Short)?;
        of.fields().try_for_each(|field| self.field(field, depth))
    }

    fn field(&mut self, field: Field<'_>, depth: usize) -> Result<(), Short> {
        if !field.is_array() {
            return self.scalar(field, depth);
        }
        let (n, count) = self.count()?;
        for _ in 0..n {
            let from = self.here();
            self.scalar(field, depth)?;
            self.push(What::Element(count), from)?;
        }
        Ok(())
    }

    fn scalar(&mut self, field: Field<'_>, depth: usize) -> Result<(), Short> {
        if field.is_pooled() {
            return self.varint(What::Key(field.type_id())).map(|_| ());
        }
        self.value(field.value_type().ok_or(Short)?, depth)
    }

    fn value(&mut self, of: Type<'_>, depth: usize) -> Result<(), Short> {
        let from = self.here();
        let bytes = match of.kind() {
            Kind::Struct => return self.fields(of, depth),
            Kind::Short | Kind::Char | Kind::Int | Kind::Long => return self.varint(What::Number).map(|_| ()),
            Kind::String => {
                RawStr::read(&mut self.at)?;
                return self.push(What::Text, from);
            }
            Kind::Boolean | Kind::Byte => 1,
            Kind::Float => 4,
            Kind::Double => 8,
        };
        self.at.bytes(bytes)?;
        self.push(What::Fixed, from)
    }
}
