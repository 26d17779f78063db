//! Reads integers from bytes that may end anywhere.
//!
//! Varints are encoded as the recording format defines them: little-endian base 128, at most nine
//! bytes, with eight full bits in the ninth byte. An ordinary LEB128 decoder is wrong from 2^56 on.

use crate::bits::{self, BLOCK, Scan};
use crate::error::Short;

/// The top bit of each byte of a word; it is set if the varint continues.
pub(crate) const MORE: u64 = 0x8080_8080_8080_8080;

/// A position in a slice. Every read advances it or fails with [`Short`].
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// A cursor at the first byte of `bytes`.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes that have not been read yet.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The number of bytes left.
    #[inline]
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Reads one byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, Short> {
        let (first, rest) = self.rest.split_first().ok_or(Short)?;
        self.rest = rest;
        Ok(*first)
    }

    /// Reads the next `n` bytes.
    #[inline]
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8], Short> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(Short)?;
        self.rest = rest;
        Ok(head)
    }

    /// Reads the next `N` bytes as an array.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(Short)?;
        self.rest = rest;
        Ok(*head)
    }

    /// Reads an unsigned varint.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, Short> {
        if let Some((first, rest)) = self.rest.split_first()
            && *first < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(*first));
        }
        self.long_varint()
    }

    /// Reads a varint of two or more bytes.
    #[inline]
    fn long_varint(&mut self) -> Result<u64, Short> {
        let Some(word) = self.rest.first_chunk::<8>() else {
            return self.varint_near_end();
        };
        let word = u64::from_le_bytes(*word);
        let Some((value, size)) = first_of(word) else { return self.longest_varint(word) };
        self.rest = self.rest.split_at_checked(size).ok_or(Short)?.1;
        Ok(value)
    }

    /// Reads a varint of nine bytes that begins with `word`.
    #[cold]
    fn longest_varint(&mut self, word: u64) -> Result<u64, Short> {
        let (head, rest) = self.rest.split_first_chunk::<9>().ok_or(Short)?;
        self.rest = rest;
        Ok(squeeze(word) | (u64::from(head[8]) << 56))
    }

    #[cold]
    fn varint_near_end(&mut self) -> Result<u64, Short> {
        let mut value = 0u64;
        for i in 0..8 {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Ok(value | (u64::from(self.u8()?) << 56))
    }

    /// Reads a varint that counts bytes, or items of at least one byte each. Fails with [`Short`]
    /// if it exceeds the number of bytes left.
    #[inline]
    pub fn count(&mut self) -> Result<usize, Short> {
        let n = self.varint()?;
        let n = usize::try_from(n).map_err(|_| Short)?;
        if n > self.rest.len() { Err(Short) } else { Ok(n) }
    }

    /// Reads `count` varints and returns those at `places`.
    ///
    /// # Errors
    /// [`Short`] if the bytes end before that.
    #[inline]
    pub fn varints_at<const N: usize>(&mut self, count: usize, places: [usize; N]) -> Result<[u64; N], Short> {
        let mut found = [0; N];
        for i in 0..count {
            let value = self.varint()?;
            for (to, place) in found.iter_mut().zip(places) {
                if place == i {
                    *to = value;
                }
            }
        }
        Ok(found)
    }

    /// Whether there are `n` more bytes, all of which are ASCII.
    #[inline]
    pub(crate) fn is_ascii(&self, n: usize) -> bool {
        bits::scan(IsAscii { bytes: self.rest, n })
    }

    /// Skips `n` varints without decoding them.
    #[inline]
    pub fn skip_varints(&mut self, n: usize) -> Result<(), Short> {
        match n {
            0 => Ok(()),
            1 => self.skip_varint(),
            2..FEW => {
                for _ in 0..n {
                    self.skip_varint()?;
                }
                Ok(())
            }
            _ => self.skip_many(n),
        }
    }

    #[inline]
    fn skip_varint(&mut self) -> Result<(), Short> {
        let end = skip_varint_at(self.rest, 0).ok_or(Short)?;
        self.move_to(end)
    }

    /// Moves to a position relative to the current one.
    #[inline(always)]
    pub(crate) fn move_to(&mut self, place: usize) -> Result<(), Short> {
        self.rest = self.rest.get(place..).ok_or(Short)?;
        Ok(())
    }

    /// Skips varints by counting the bytes that end one, many bytes at a time.
    fn skip_many(&mut self, n: usize) -> Result<(), Short> {
        bits::scan(SkipMany { at: self, n })
    }

    /// Finds the ends of `groups` groups of varints: the first of `first` varints, the others of `size`. Appends the
    /// position of each end, counted from the cursor, which does not move. Faster than skipping one group after
    /// another.
    ///
    /// # Errors
    /// [`Short`] if the bytes end before that.
    pub fn ends_of_groups(&self, first: usize, size: usize, groups: usize, ends: &mut Vec<usize>) -> Result<(), Short> {
        let before = ends.len();
        bits::scan(EndsOfGroups { bytes: self.rest, first, size, groups, ends });
        // The last bytes of a chunk, and what may contain numbers of nine bytes.
        let found = ends.len() - before;
        let mut at = Cursor::new(
            ends.last().filter(|_| found > 0).map_or(Some(self.rest), |end| self.rest.get(*end..)).ok_or(Short)?,
        );
        for group in found..groups {
            at.skip_varints(if group == 0 { first } else { size })?;
            ends.push(self.rest.len() - at.left());
        }
        Ok(())
    }

    /// Moves to the beginning of the varint that contains `at`, or to `at` itself. `from` is the
    /// beginning of an earlier varint, with no nine-byte varint in between.
    fn back_to(&mut self, from: &'a [u8], at: &'a [u8]) -> Result<(), Short> {
        let done = from.len().checked_sub(at.len()).ok_or(Short)?;
        let open = from.get(..done).unwrap_or_default().iter().rev().take_while(|&&b| b >= 0x80).count();
        self.rest = from.get(done - open..).ok_or(Short)?;
        Ok(())
    }
}

/// Reads the varint at `place`. Returns it and the place after it; `None` if it is cut.
#[inline(always)]
pub(crate) fn varint_at(bytes: &[u8], place: usize) -> Option<(u64, usize)> {
    let Some(word) = bytes.get(place..)?.first_chunk::<8>() else { return long_varint_at(bytes, place) };
    let word = u64::from_le_bytes(*word);
    if word & 0x80 == 0 {
        return Some((word & 0x7f, place + 1));
    }
    let Some((value, size)) = first_of(word) else { return long_varint_at(bytes, place) };
    Some((value, place + size))
}

/// The varint that begins a word, and its size; `None` if it has nine bytes.
#[inline(always)]
fn first_of(word: u64) -> Option<(u64, usize)> {
    let stop = !word & MORE;
    #[expect(clippy::cast_possible_truncation, reason = "the first four bytes")]
    let (short, short_stop) = (word as u32, stop as u32);
    // Most numbers are as short as this, and their bits take fewer steps to join.
    if short_stop != 0 {
        let bits = short_stop.trailing_zeros();
        return Some((u64::from(squeeze_short(short & (u32::MAX >> (31 - bits)))), (bits / 8 + 1) as usize));
    }
    if stop == 0 {
        return None;
    }
    // The lowest clear top bit ends the number; everything above it belongs to the next value.
    let bits = stop.trailing_zeros();
    Some((squeeze(word & (u64::MAX >> (63 - bits))), (bits / 8 + 1) as usize))
}

/// [`varint_at`] for nine bytes, and near the end.
#[cold]
fn long_varint_at(bytes: &[u8], place: usize) -> Option<(u64, usize)> {
    let mut at = Cursor::new(bytes.get(place..)?);
    let value = at.varint().ok()?;
    Some((value, bytes.len() - at.left()))
}

/// The place after the varint at `place`; `None` if it is cut.
#[inline(always)]
pub(crate) fn skip_varint_at(bytes: &[u8], place: usize) -> Option<usize> {
    let Some(word) = bytes.get(place..)?.first_chunk::<8>() else {
        return Some(long_varint_at(bytes, place)?.1);
    };
    let stop = !u64::from_le_bytes(*word) & MORE;
    if stop == 0 {
        return Some(long_varint_at(bytes, place)?.1);
    }
    Some(place + 1 + (stop.trailing_zeros() / 8) as usize)
}

/// The place after `n` varints at `place`.
#[inline(always)]
pub(crate) fn skip_varints_at(bytes: &[u8], place: usize, n: usize) -> Result<usize, Short> {
    if n >= FEW {
        return beyond(bytes, place, |at| at.skip_varints(n));
    }
    let mut place = place;
    for _ in 0..n {
        place = skip_varint_at(bytes, place).ok_or(Short)?;
    }
    Ok(place)
}

/// Number of varints from which on they are counted many at a time.
const FEW: usize = 6;

/// The place after what `step` skips at `place`.
#[inline(always)]
pub(crate) fn beyond<'a>(
    bytes: &'a [u8],
    place: usize,
    step: impl FnOnce(&mut Cursor<'a>) -> Result<(), Short>,
) -> Result<usize, Short> {
    let mut at = Cursor::new(bytes.get(place..).ok_or(Short)?);
    step(&mut at)?;
    Ok(bytes.len() - at.left())
}

/// [`Cursor::is_ascii`].
struct IsAscii<'a> {
    bytes: &'a [u8],
    n: usize,
}

impl Scan for IsAscii<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self, top_bits: impl Fn(&[u8; BLOCK]) -> u64) -> bool {
        let Self { mut bytes, mut n } = self;
        while n > 0 {
            let Some((block, rest)) = bytes.split_first_chunk() else {
                return bytes.get(..n).is_some_and(<[u8]>::is_ascii);
            };
            let others = top_bits(block);
            if n <= BLOCK {
                // Bytes after the `n` first do not matter.
                return others << (BLOCK - n) == 0;
            }
            if others != 0 {
                return false;
            }
            (bytes, n) = (rest, n - BLOCK);
        }
        true
    }
}

/// [`Cursor::skip_many`].
struct SkipMany<'s, 'a> {
    at: &'s mut Cursor<'a>,
    n: usize,
}

impl Scan for SkipMany<'_, '_> {
    type Output = Result<(), Short>;

    #[inline(always)]
    fn run(self, top_bits: impl Fn(&[u8; BLOCK]) -> u64) -> Result<(), Short> {
        let Self { at, mut n } = self;
        // Where counting began: the start of a varint.
        let mut from = at.rest;
        let mut bytes = from;
        // How many of the bytes before `bytes` have a continuation bit, counted from the last one.
        let mut before = 0;
        while n > 2 {
            let Some((block, rest)) = bytes.split_first_chunk::<BLOCK>() else { break };
            let more = top_bits(block);
            if long_run(before, more) {
                // A ninth byte ends a varint regardless of its top bit, so these are read one by
                // one.
                at.back_to(from, bytes)?;
                let some = n.min(8);
                for _ in 0..some {
                    at.skip_varint()?;
                }
                n -= some;
                (from, bytes, before) = (at.rest, at.rest, 0);
                continue;
            }
            let ends = (!more).count_ones() as usize;
            if ends >= n {
                at.rest = bytes.get(place_of(!more, ones_up_to(!more), n) + 1..).ok_or(Short)?;
                return Ok(());
            }
            n -= ends;
            (bytes, before) = (rest, more.leading_ones());
        }
        at.back_to(from, bytes)?;
        for _ in 0..n {
            at.skip_varint()?;
        }
        Ok(())
    }
}

/// [`Cursor::ends_of_groups`], up to the first place where bytes have to be examined one by one.
struct EndsOfGroups<'s, 'a> {
    bytes: &'a [u8],
    first: usize,
    size: usize,
    groups: usize,
    ends: &'s mut Vec<usize>,
}

impl Scan for EndsOfGroups<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self, top_bits: impl Fn(&[u8; BLOCK]) -> u64) {
        let Self { bytes, first, size, mut groups, ends } = self;
        // How many more numbers until the next end.
        let mut left = first;
        if first == 0 && groups > 0 {
            ends.push(0);
            groups -= 1;
            left = size;
        }
        if groups == 0 || size == 0 {
            return;
        }
        let (mut place, mut before) = (0, 0);
        for block in bytes.as_chunks::<BLOCK>().0 {
            let more = top_bits(block);
            if long_run(before, more) {
                return;
            }
            before = more.leading_ones();
            let count = (!more).count_ones() as usize;
            if count >= left {
                let up_to = ones_up_to(!more);
                while left <= count {
                    ends.push(place + place_of(!more, up_to, left) + 1);
                    groups -= 1;
                    if groups == 0 {
                        return;
                    }
                    left += size;
                }
            }
            left -= count;
            place += BLOCK;
        }
    }
}

/// For each byte of `bits`, the number of ones in it and all lower bytes; the highest byte has the
/// total.
#[inline]
fn ones_up_to(bits: u64) -> u64 {
    let pairs = bits - (bits >> 1 & 0x5555_5555_5555_5555);
    let fours = (pairs & 0x3333_3333_3333_3333) + (pairs >> 2 & 0x3333_3333_3333_3333);
    let bytes = (fours + (fours >> 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    bytes.wrapping_mul(0x0101_0101_0101_0101)
}

/// The position of the `n`th one in `bits`, counted from the lowest bit, given their
/// [`ones_up_to`]. `n` must be at least 1 and at most the number of ones.
#[inline]
fn place_of(bits: u64, ones: u64, n: usize) -> usize {
    // No byte of `ones` exceeds 64, so no byte borrows from the next.
    let reached = ((ones | MORE) - (n as u64).wrapping_mul(0x0101_0101_0101_0101)) & MORE;
    let below = reached.trailing_zeros() & 0x38;
    let before = (ones << 8 >> below & 0xff) as usize;
    let mut here = bits >> below;
    for _ in before + 1..n {
        here &= here.wrapping_sub(1);
    }
    below as usize + here.trailing_zeros() as usize
}

/// Whether eight consecutive bytes have the continuation bit set, given the number of such bytes right before this block,
/// and the bits of this one. Only then can there be a nine-byte varint.
#[inline(always)]
fn long_run(before: u32, more: u64) -> bool {
    let pairs = more & (more >> 1);
    let fours = pairs & (pairs >> 2);
    (fours & (fours >> 4) != 0) | (before + more.trailing_ones() >= 8)
}

/// Joins the low seven bits of each of the eight bytes.
#[inline]
fn squeeze(word: u64) -> u64 {
    let x = word & !MORE;
    let x = (x & 0x007f_007f_007f_007f) | ((x & 0x7f00_7f00_7f00_7f00) >> 1);
    let x = (x & 0x0000_3fff_0000_3fff) | ((x & 0x3fff_0000_3fff_0000) >> 2);
    (x & 0x0000_0000_0fff_ffff) | ((x & 0x0fff_ffff_0000_0000) >> 4)
}

/// [`squeeze`] for four bytes.
#[inline(always)]
fn squeeze_short(word: u32) -> u32 {
    (word & 0x7f) | (word >> 1 & 0x3f80) | (word >> 2 & 0x001f_c000) | (word >> 3 & 0x0fe0_0000)
}

/// Appends the shortest varint encoding of `value`. The inverse of [`Cursor::varint`], for writing
/// test data.
pub fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    for _ in 0..8 {
        let [low, ..] = value.to_le_bytes();
        if value < 0x80 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
        value >>= 7;
    }
    let [low, ..] = value.to_le_bytes();
    out.push(low);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ninth_byte_has_eight_bits() {
        let mut cursor = Cursor::new(&[0xff; 9]);
        assert_eq!(cursor.varint(), Ok(u64::MAX));
        assert_eq!(cursor.left(), 0);
    }

    #[test]
    fn padded_numbers_are_read() {
        let mut cursor = Cursor::new(&[0x9e, 0x80, 0x80, 0x00, 0x07]);
        assert_eq!(cursor.varint(), Ok(30));
        assert_eq!(cursor.varint(), Ok(7));
    }

    #[test]
    fn a_truncated_number_is_short() {
        for n in 0..9 {
            assert_eq!(Cursor::new(&[0xff; 9][..n]).varint(), Err(Short));
        }
    }

    /// One varint, padded to at least `width` bytes.
    fn padded(value: u64, width: usize) -> Vec<u8> {
        let mut out = Vec::new();
        push_varint(&mut out, value);
        while out.len() < width.min(8) {
            if let Some(last) = out.last_mut() {
                *last |= 0x80;
            }
            out.push(0);
        }
        out
    }

    proptest! {
        #[test]
        fn ascii_is_found_as_by_the_standard_library(
            mut bytes in proptest::collection::vec(0u8..0x80, 0..300),
            other in 0usize..300,
            n in 0usize..310,
        ) {
            if let Some(byte) = bytes.get_mut(other) {
                *byte |= 0x80;
            }
            let expected = bytes.get(..n).is_some_and(<[u8]>::is_ascii);
            prop_assert_eq!(Cursor::new(&bytes).is_ascii(n), expected);
        }

        #[test]
        fn ends_of_groups_are_where_skipping_ends(
            values in proptest::collection::vec((any::<u64>(), 0u32..64, 1usize..5), 0..200),
            first in 0usize..8,
            size in 0usize..20,
            cut in 0usize..3,
        ) {
            let mut bytes = Vec::new();
            for (value, shift, width) in &values {
                bytes.extend(padded(value >> shift, *width));
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            let mut at = Cursor::new(&bytes);
            let mut expected = vec![7];
            let groups = values.len().saturating_sub(first).checked_div(size).map_or(1, |n| n + 1);
            let done = (0..groups).try_for_each(|group| {
                at.skip_varints(if group == 0 { first } else { size })?;
                expected.push(bytes.len() - at.left());
                Ok(())
            });
            let mut ends = vec![7];
            prop_assert_eq!(Cursor::new(&bytes).ends_of_groups(first, size, groups, &mut ends), done);
            prop_assert_eq!(ends, expected);
        }

        #[test]
        fn reading_at_an_offset_equals_reading(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0xff)], 0..20), place in 0usize..20) {
            let mut at = Cursor::new(bytes.get(place..).unwrap_or_default());
            let expected = at.varint().ok().map(|value| (value, bytes.len() - at.left()));
            prop_assert_eq!(varint_at(&bytes, place), expected);
            prop_assert_eq!(skip_varint_at(&bytes, place), expected.map(|(_, next)| next));
        }

        #[test]
        fn written_varints_are_read_back(value: u64, width in 1usize..8, tail in proptest::collection::vec(any::<u8>(), 0..12)) {
            let mut bytes = padded(value, width);
            bytes.extend(&tail);
            let mut cursor = Cursor::new(&bytes);
            prop_assert_eq!(cursor.varint(), Ok(value));
            prop_assert_eq!(cursor.rest(), &tail[..]);
        }

        #[test]
        fn skipping_ends_where_reading_does(values in proptest::collection::vec((any::<u64>(), 0u32..64, 1usize..8), 0..200), tail in 0usize..20) {
            let mut bytes = Vec::new();
            for (value, shift, width) in &values {
                bytes.extend(padded(value >> shift, *width));
            }
            bytes.extend(std::iter::repeat_n(0xff, tail));
            let mut cursor = Cursor::new(&bytes);
            prop_assert_eq!(cursor.skip_varints(values.len()), Ok(()));
            prop_assert_eq!(cursor.left(), tail);
        }
    }
}
