//! Compresses with deflate at one fixed level, for the strings and numbers of a profile.
//!
//! It looks for a match at the last two places where the same four bytes occurred and takes the longer one. The result is
//! as small as that of level 2 of zlib-rs, in two thirds of the instructions: there is no window to move, no chain to follow,
//! and a block is written in one go.
//!
//! Source: RFC 1951.

mod block;
mod huffman;

use block::Writer;

/// How far back a match can be, and how long it can be. Source: RFC 1951, section 3.2.5.
const WINDOW: u32 = 1 << 15;
const LONGEST: usize = 258;
const SHORTEST: u32 = 3;

/// Number of bits of a hash, and the number of hashes.
const HASH_BITS: u32 = 14;
const HASHES: usize = 1 << HASH_BITS;
/// Maximum number of bytes in which matches are looked for together, so that places have 32 bits.
const PART: usize = 1 << 28;
/// Number of places between two parts, so that 0 is not the place of any byte.
const GAP: u32 = 1;
/// A match of this length is good enough.
const GOOD: u32 = 16;
/// Number of matches after which a block ends, so that the codes fit what they are for.
const MATCHES: usize = 1 << 13;

/// A number of literal bytes, followed by a match.
#[derive(Debug, Clone, Copy)]
struct Sequence {
    literals: u32,
    /// The distance minus 1.
    distance: u16,
    /// The length of the match minus [`SHORTEST`].
    length: u8,
}

type Places = [u64; HASHES];

/// Compresses one piece of data after another, reusing its memory.
pub(crate) struct Deflater {
    /// For each hash of four bytes, the last two places where they occurred, the last one lowest. Places are counted over
    /// all pieces, with gaps, so that the table need not be cleared.
    places: Box<Places>,
    /// The place of the first byte of the next piece.
    next: u32,
    sequences: Vec<Sequence>,
    writer: Writer,
}

impl Deflater {
    pub(crate) fn new() -> Self {
        Self { places: Box::new([0; HASHES]), next: GAP, sequences: Vec::new(), writer: Writer::default() }
    }

    /// Compresses a piece. The result ends at a byte boundary without a last block, so that another can follow.
    pub(crate) fn deflate(&mut self, raw: &[u8]) -> Vec<u8> {
        self.writer.clear();
        for part in raw.chunks(PART) {
            self.part(part);
        }
        self.writer.flush()
    }

    /// Writes the blocks of a part, which has at most [`PART`] bytes.
    fn part(&mut self, raw: &[u8]) {
        let first = self.first_place(raw.len());
        let Self { places, sequences, writer, .. } = self;
        sequences.clear();
        // Where the bytes begin that are not in a sequence yet, and those that are not in a block yet.
        let (mut literals, mut block) = (0u32, 0u32);
        let mut at = 0u32;
        while let Some(word) = word_at(raw, at) {
            let Some((length, distance)) = find(places, raw, at, word, first) else {
                at += 1;
                continue;
            };
            sequences.push(Sequence {
                literals: at - literals,
                distance: low16(distance - 1),
                length: low8(length - SHORTEST),
            });
            note_within(places, raw, at, length, first);
            at += length;
            literals = at;
            if sequences.len() >= MATCHES {
                writer.block(raw.get(block as usize..at as usize).unwrap_or_default(), sequences);
                sequences.clear();
                block = at;
            }
        }
        let rest = raw.get(block as usize..).unwrap_or_default();
        if !rest.is_empty() {
            writer.block(rest, sequences);
        }
    }

    /// Reserves the places of a piece, and returns the first.
    fn first_place(&mut self, size: usize) -> u32 {
        let after = |first: u32| first.checked_add(u32::try_from(size).ok()?)?.checked_add(GAP);
        let (first, after) = after(self.next).map_or_else(
            || {
                self.places.fill(0);
                (GAP, after(GAP).unwrap_or(u32::MAX))
            },
            |after| (self.next, after),
        );
        self.next = after;
        first
    }
}

/// Finds a match for the bytes at `at`, which begin with `word`, and remembers their place. Returns its length and
/// distance.
#[inline(always)]
fn find(places: &mut Places, raw: &[u8], at: u32, word: u64, first: u32) -> Option<(u32, u32)> {
    let known = places.get_mut(hash(word))?;
    let (last, before) = (low(*known), low(*known >> 32));
    *known = *known << 32 | u64::from(first.wrapping_add(at));
    // A place in another piece is beyond the end of this one.
    let [last, before] = [last, before].map(|place| place.wrapping_sub(first));
    let (of_last, of_before) = (differing(raw, last, word), differing(raw, before, word));
    if low(of_last) != 0 && low(of_before) != 0 {
        return None;
    }
    let length = matched(raw, at, last, of_last);
    let (length, from) = if length >= GOOD {
        (length, last)
    } else {
        let other = matched(raw, at, before, of_before);
        if other > length { (other, before) } else { (length, last) }
    };
    (length > 0).then_some((length, at - from))
}

/// Remembers some places within a match.
#[inline(always)]
fn note_within(places: &mut Places, raw: &[u8], at: u32, length: u32, first: u32) {
    for at in [at + 1, at + length - 1] {
        let Some(word) = word_at(raw, at) else { return };
        if let Some(known) = places.get_mut(hash(word)) {
            *known = *known << 32 | u64::from(first.wrapping_add(at));
        }
    }
}

#[inline(always)]
fn word_at(raw: &[u8], at: u32) -> Option<u64> {
    let at = at as usize;
    raw.get(at..at.saturating_add(8))?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// The lower half of a word.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
fn low(word: u64) -> u32 {
    word as u32
}

/// A number that is known to have 16 bits.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "checked in tests; the fallback would take three instructions")]
fn low16(number: u32) -> u16 {
    debug_assert!(u16::try_from(number).is_ok());
    number as u16
}

/// A number that is known to have 8 bits.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "as above")]
fn low8(number: u32) -> u8 {
    debug_assert!(u8::try_from(number).is_ok());
    number as u8
}

/// The hash of the first four bytes of a word.
#[inline(always)]
fn hash(word: u64) -> usize {
    (low(word).wrapping_mul(0x9e37_79b1) >> (u32::BITS - HASH_BITS)) as usize
}

/// The bits in which the bytes at `from` differ from `word`; all bits if there are none.
#[inline(always)]
fn differing(raw: &[u8], from: u32, word: u64) -> u64 {
    word_at(raw, from).map_or(u64::MAX, |other| word ^ other)
}

/// The number of equal bytes at `at` and `from`, given how the first eight differ; 0 if they are too few or too far away.
#[inline(always)]
fn matched(raw: &[u8], at: u32, from: u32, differ: u64) -> u32 {
    if low(differ) != 0 || at.wrapping_sub(from) > WINDOW {
        return 0;
    }
    if differ != 0 {
        return differ.trailing_zeros() / 8;
    }
    let (here, there) = (words(raw, at), words(raw, from));
    let mut length = 8;
    for (here, there) in here.iter().zip(there).skip(1) {
        let differ = u64::from_le_bytes(*here) ^ u64::from_le_bytes(*there);
        if differ != 0 {
            return length + differ.trailing_zeros() / 8;
        }
        length += 8;
    }
    length
}

/// The words at `at`, as many as fit into a match.
#[inline(always)]
fn words(raw: &[u8], at: u32) -> &[[u8; 8]] {
    let words = raw.get(at as usize..).unwrap_or_default().as_chunks().0;
    words.get(..LONGEST / 8).unwrap_or(words)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
    use std::io::Read;

    use super::*;
    use proptest::prelude::*;

    /// Compresses pieces, with memory reused from one to the next, and joins them to a stream.
    fn deflated(pieces: &[&[u8]]) -> Vec<u8> {
        let mut deflater = Deflater::new();
        let mut stream: Vec<u8> = pieces.iter().flat_map(|piece| deflater.deflate(piece)).collect();
        stream.extend([0x03, 0x00]);
        stream
    }

    fn inflated(stream: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        flate2::read::DeflateDecoder::new(stream).read_to_end(&mut out).unwrap();
        out
    }

    proptest! {
        #[test]
        fn what_is_compressed_is_read_again(
            pieces in proptest::collection::vec(proptest::collection::vec((0u8..4, any::<u8>(), 1usize..600, 1usize..50_000), 0..60), 0..4),
        ) {
            let pieces: Vec<Vec<u8>> = pieces.iter().map(|runs| {
                let mut piece = Vec::new();
                for (kind, byte, count, back) in runs {
                    match kind {
                        0 => piece.extend((0..*count).map(|i| (i * i) as u8 ^ byte)),
                        1 => piece.extend(std::iter::repeat_n(*byte, *count)),
                        2 => piece.extend((0..*count).map(|i| b'a' + (i * usize::from(*byte) % 7) as u8)),
                        _ => (0..*count).for_each(|_| piece.push(piece.len().checked_sub(*back).map_or(*byte, |at| piece[at]))),
                    }
                }
                piece
            }).collect();
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(inflated(&deflated(&pieces)), pieces.concat());
        }
    }

    #[test]
    fn matches_of_any_length_and_distance_are_read_again() {
        let mut piece: Vec<u8> = Vec::new();
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for length in (4..300).chain([1_000, 40_000]) {
            for distance in [1, 2, 3, 4, 7, 8, 9, 32_767, 32_768, 32_769] {
                piece.extend([random(), random(), random()]);
                for _ in 0..length {
                    let byte = piece.len().checked_sub(distance).map_or_else(&mut random, |at| piece[at]);
                    piece.push(byte);
                }
            }
        }
        let stream = deflated(&[&piece, b"", &piece]);
        assert_eq!(inflated(&stream), [&piece[..], &piece].concat());
        assert!(stream.len() < piece.len() / 10, "{} of {}", stream.len(), piece.len());
    }

    #[test]
    fn bytes_without_matches_hardly_grow() {
        let mut state = 1u64;
        let bytes: Vec<u8> = (0..300_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        let stream = deflated(&[&bytes]);
        assert_eq!(inflated(&stream), bytes);
        assert!(stream.len() < bytes.len() + bytes.len() / 100, "{}", stream.len());
    }

    #[test]
    fn a_little_text_is_written_with_fixed_codes() {
        assert_eq!(deflated(&[b"a profile"]).len(), 17);
        assert_eq!(inflated(&deflated(&[b"a profile"])), b"a profile");
        assert_eq!(inflated(&deflated(&[])), b"");
    }

    #[test]
    fn places_begin_again_before_they_overflow() {
        let mut deflater = Deflater::new();
        deflater.next = u32::MAX - 10_000;
        let piece = b"a line that repeats itself\n".repeat(100);
        for _ in 0..10 {
            let mut stream = deflater.deflate(&piece);
            stream.extend([0x03, 0x00]);
            assert_eq!(inflated(&stream), piece);
        }
        assert!(deflater.next < 100_000);
    }
}
