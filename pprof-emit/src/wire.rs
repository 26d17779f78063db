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

/// Writes numbers over `out`, and gives what they take. Ids nearly always take one to three bytes, how many nothing
/// could foresee: so those do not branch by it.
#[inline]
pub(crate) fn varints(out: &mut Vec<u8>, values: impl ExactSizeIterator<Item = u32>) -> &[u8] {
    out.resize(out.len().max(values.len() * LONGEST), 0);
    let mut at = 0;
    for value in values {
        let (word, size) = if value < 1 << 21 {
            let (second, third) = (value >= 1 << 7, value >= 1 << 14);
            let low = value & 0x7f | u32::from(second) << 7;
            let high = (value & 0x3f80) << 1 | u32::from(third) << 15 | (value & 0x1f_c000) << 2;
            (u64::from(low | high), 1 + usize::from(second) + usize::from(third))
        } else {
            long_varint(value)
        };
        let Some(place) = out.get_mut(at..at + LONGEST) else { break };
        place.copy_from_slice(&word.to_le_bytes());
        at += size;
    }
    out.get(..at).unwrap_or_default()
}

/// How many bytes [`varints`] writes at once, of which a number takes at most five.
const LONGEST: usize = 8;

#[cold]
fn long_varint(value: u32) -> (u64, usize) {
    let (mut word, mut size, mut rest) = (0, 0, u64::from(value));
    while rest >= 0x80 {
        word |= (rest & 0x7f | 0x80) << (8 * size);
        rest >>= 7;
        size += 1;
    }
    (word | rest << (8 * size), size + 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_numbers_are_written_as_one_by_one() {
        let around = (0..32).flat_map(|bit| [-1_i64, 0, 1].map(|d| (1_i64 << bit) + d));
        let values: Vec<u32> = around.filter_map(|v| u32::try_from(v).ok()).chain([u32::MAX]).collect();
        let mut expected = Vec::new();
        values.iter().for_each(|&v| varint(&mut expected, v.into()));
        let mut out = vec![0xff; 3];
        assert_eq!(varints(&mut out, values.iter().copied()), expected);
        assert_eq!(varints(&mut out, [300].into_iter()), [0xac, 2]);
        assert_eq!(varints(&mut out, [].into_iter()), []);
    }
}
