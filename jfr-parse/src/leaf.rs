//! Reading one primitive value or string; shared by all decoders that follow the metadata.

use crate::cursor::Cursor;
use crate::error::Short;
use crate::metadata::Kind;
use crate::string::RawStr;

/// A primitive or a string.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Leaf<'a> {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    F32(f32),
    F64(f64),
    Char(char),
    Str(RawStr<'a>),
}

/// Writers mask a number to its width or sign-extend it to 64 bits, so only the lowest `bits` bits
/// count.
fn number<'a>(raw: u64, bits: u32, unsigned: bool) -> Leaf<'a> {
    let shift = 64 - bits;
    if unsigned { Leaf::Unsigned((raw << shift) >> shift) } else { Leaf::Signed((raw << shift).cast_signed() >> shift) }
}

impl<'a> Leaf<'a> {
    /// Reads a value; `None` if `kind` is a struct.
    #[inline]
    pub(crate) fn read(kind: Kind, unsigned: bool, at: &mut Cursor<'a>) -> Result<Option<Self>, Short> {
        Ok(Some(match kind {
            Kind::Boolean => Self::Bool(at.u8()? != 0),
            Kind::Byte => number(u64::from(at.u8()?), 8, unsigned),
            Kind::Short => number(at.varint()?, 16, unsigned),
            Kind::Int => number(at.varint()?, 32, unsigned),
            Kind::Long => number(at.varint()?, 64, unsigned),
            Kind::Char => {
                let unit = u32::try_from(at.varint()? & 0xffff).unwrap_or_default();
                Self::Char(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            Kind::Float => Self::F32(f32::from_be_bytes(at.array()?)),
            Kind::Double => Self::F64(f64::from_be_bytes(at.array()?)),
            Kind::String => Self::Str(RawStr::read(at)?),
            Kind::Struct => return Ok(None),
        }))
    }
}

/// Reads the element count of an array. Zero-size elements would let a small file ask for any
/// number of them; they are indistinguishable, so none are returned.
pub(crate) fn count(at: &mut Cursor<'_>, empty_elements: bool) -> Result<usize, Short> {
    if empty_elements { at.varint().map(|_| 0) } else { at.count() }
}
