//! The small part of the protocol buffer encoding that a profile needs.
//!
//! Source: "Encoding" in the public documentation of Protocol Buffers.
//!
//! By hand rather than with prost, which reads profiles here: prost encodes messages that exist as structs, and building
//! millions of them from the tables costs more time and memory than encoding. Numbers of locations are encoded once and
//! copied.

use jfrkit_profile::BLOCK;

/// Appends a varint: seven bits per byte, lowest first.
#[inline]
pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// An encoded varint: its bytes, first byte lowest, and the number of bytes in the highest byte.
#[derive(Clone, Copy, Default)]
pub(crate) struct Varint(u64);

const SIZE_SHIFT: u32 = 56;

impl Varint {
    pub(crate) fn new(value: u32) -> Self {
        let (mut bytes, mut size, mut rest) = (0, 0, u64::from(value));
        while rest >= 0x80 {
            bytes |= (rest & 0x7f | 0x80) << (8 * size);
            rest >>= 7;
            size += 1;
        }
        Self(bytes | rest << (8 * size) | (size + 1) << SIZE_SHIFT)
    }
}

/// Several encoded numbers.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    bytes: [u8; RUN],
    len: u8,
}

/// Size of as many 32-bit numbers as a block of a stack has frames, at five bytes each.
const RUN: usize = 5 * BLOCK;
/// Size of a [`Varint`], which is always written as a whole.
const WRITTEN: usize = size_of::<Varint>();

impl Run {
    pub(crate) fn new(values: impl Iterator<Item = Varint>) -> Self {
        let mut bytes = [0; RUN + WRITTEN];
        let mut at = 0;
        for value in values {
            value.write(&mut bytes, &mut at);
        }
        let mut run = Self { bytes: [0; RUN], len: u8::try_from(at).unwrap_or(0) };
        run.bytes.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        run
    }
}

impl Varint {
    #[inline]
    fn write(self, out: &mut [u8], at: &mut usize) {
        if let Some(place) = out.get_mut(*at..*at + WRITTEN) {
            place.copy_from_slice(&self.0.to_le_bytes());
            *at += (self.0 >> SIZE_SHIFT) as usize;
        }
    }
}

/// The numbers of one stack, written over the previous content of the buffer. There is no branch on the encoded
/// size, because the sizes in the stacks of a profile are unpredictable.
pub(crate) struct Numbers<'b> {
    out: &'b mut Vec<u8>,
    at: usize,
}

impl<'b> Numbers<'b> {
    /// Creates a buffer with space for `most` numbers.
    pub(crate) fn new(out: &'b mut Vec<u8>, most: usize) -> Self {
        let room = (most.saturating_mul(5)).saturating_add(RUN + WRITTEN);
        if out.len() < room {
            out.resize(room, 0);
        }
        Self { out, at: 0 }
    }

    #[inline]
    pub(crate) fn push(&mut self, value: Varint) {
        value.write(self.out, &mut self.at);
    }

    #[inline]
    pub(crate) fn run(&mut self, run: &Run) {
        if let Some(place) = self.out.get_mut(self.at..self.at + RUN) {
            place.copy_from_slice(&run.bytes);
            self.at += usize::from(run.len);
        }
    }

    pub(crate) fn bytes(self) -> &'b [u8] {
        self.out.get(..self.at).unwrap_or_default()
    }
}

/// A signed number (`int64`) as it is encoded: in two's complement.
#[inline]
pub(crate) fn signed(value: i64) -> u64 {
    value.cast_unsigned()
}

/// Appends a number as field `tag`. As usual in proto3, nothing is written for 0.
#[inline]
pub(crate) fn number(out: &mut Vec<u8>, tag: u8, value: u64) {
    if value != 0 {
        out.push(tag << 3);
        varint(out, value);
    }
}

/// Appends a string or message as field `tag`.
#[inline]
pub(crate) fn bytes(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag << 3 | 2);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

/// Appends a message of less than 128 bytes as field `tag` without an extra buffer. Longer messages are moved
/// to make space for their length.
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
    fn many_numbers_at_once_equal_single_ones() {
        let around = (0..32).flat_map(|bit| [-1_i64, 0, 1].map(|d| (1_i64 << bit) + d));
        let values: Vec<u32> = around.filter_map(|v| u32::try_from(v).ok()).chain([u32::MAX]).collect();
        let mut expected = Vec::new();
        values.iter().for_each(|&v| varint(&mut expected, v.into()));
        let mut out = vec![0xff; 3];
        for runs in [false, true] {
            let mut numbers = Numbers::new(&mut out, values.len());
            for part in values.chunks(BLOCK) {
                let part = part.iter().map(|&v| Varint::new(v));
                if runs {
                    numbers.run(&Run::new(part));
                } else {
                    part.for_each(|value| numbers.push(value));
                }
            }
            assert_eq!(numbers.bytes(), expected);
        }
        let mut numbers = Numbers::new(&mut out, 1);
        numbers.push(Varint::new(300));
        assert_eq!(numbers.bytes(), [0xac, 2]);
        assert!(Numbers::new(&mut out, 0).bytes().is_empty());
    }
}
