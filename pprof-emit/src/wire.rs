//! The few parts of the protocol buffer encoding that a profile needs.
//!
//! Source: "Encoding" in the public documentation of Protocol Buffers.

/// Appends a number, seven bits a byte, the lowest first.
#[inline]
pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// A signed number (`int64`) as the wire has it: in two's complement.
#[inline]
pub(crate) fn signed(value: i64) -> u64 {
    value.cast_unsigned()
}

/// Appends a number as field `tag`; like every writer of proto3, nothing where it is 0.
#[inline]
pub(crate) fn number(out: &mut Vec<u8>, tag: u8, value: u64) {
    if value != 0 {
        out.push(tag << 3);
        varint(out, value);
    }
}

/// Appends a text or message as field `tag`.
#[inline]
pub(crate) fn bytes(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag << 3 | 2);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

/// Appends a message of less than 128 bytes as field `tag`, without a detour over another buffer; longer ones are
/// moved to make room for their length.
#[inline]
pub(crate) fn message(out: &mut Vec<u8>, tag: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag << 3 | 2);
    let at = out.len();
    out.push(0);
    fill(out);
    let size = out.len().saturating_sub(at).saturating_sub(1);
    if let (Ok(short @ ..0x80), Some(length)) = (u8::try_from(size), out.get_mut(at)) {
        *length = short;
    } else {
        let mut length = Vec::with_capacity(10);
        varint(&mut length, size as u64);
        out.splice(at..=at, length);
    }
}
