//! Finding what came before.

use super::tokens::{FARTHEST, LONGEST, SHORTEST, Tokens};

const HASH_BITS: u32 = 14;

/// Added to places, so that one that was never set is too far away from any other.
const ORIGIN: usize = FARTHEST + 1;

/// Remembers where the last two sequences of four bytes of the same hash began.
pub(super) struct Finder {
    places: Box<[[u32; 2]; 1 << HASH_BITS]>,
}

impl Default for Finder {
    fn default() -> Self {
        Self { places: Box::new([[0; 2]; 1 << HASH_BITS]) }
    }
}

impl Finder {
    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.places.fill([0; 2]);
    }

    /// Turns bytes into tokens until those are full or the bytes have ended; gives where it stopped.
    pub(super) fn find(&mut self, raw: &[u8], from: usize, tokens: &mut Tokens) -> usize {
        let mut at = from;
        while !tokens.is_full() {
            let Some(&byte) = raw.get(at) else { break };
            let (length, distance) = self.best(raw, at);
            if length < SHORTEST {
                tokens.literal(byte);
                at += 1;
                continue;
            }
            tokens.repeat(length, distance);
            // To remember all places in a match would take half as long again, for 3 % less.
            for inside in [at + 1, at + length - 2, at + length - 1] {
                if let Some(word) = word(raw, inside) {
                    self.remember(word, inside);
                }
            }
            at += length;
        }
        at
    }

    /// Length and distance of the longest match at a place; a length of 0 if there is none.
    #[inline]
    fn best(&mut self, raw: &[u8], at: usize) -> (usize, usize) {
        let (mut length, mut distance) = (0, 0);
        let Some(word) = word(raw, at) else { return (length, distance) };
        for place in self.remember(word, at) {
            let back = (at + ORIGIN).wrapping_sub(place as usize);
            if back > FARTHEST {
                break;
            }
            let before = at.wrapping_sub(back);
            if self::word(raw, before) == Some(word) {
                let same = SHORTEST + common(raw, before + SHORTEST, at + SHORTEST);
                if same > length {
                    (length, distance) = (same, back);
                }
            }
        }
        (length, distance)
    }

    /// Remembers where a sequence begins; gives where the last ones of this hash did, the latest first.
    #[inline]
    fn remember(&mut self, word: u32, at: usize) -> [u32; 2] {
        let hash = word.wrapping_mul(0x9e37_79b1) >> (u32::BITS - HASH_BITS);
        let Some(places) = self.places.get_mut(hash as usize) else { return [0; 2] };
        let before = *places;
        *places = [u32::try_from(at + ORIGIN).unwrap_or(0), before[0]];
        before
    }
}

/// The four bytes at a place.
#[inline]
fn word(raw: &[u8], at: usize) -> Option<u32> {
    raw.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// How many bytes are the same after the first ones of a match, as far as one goes.
#[inline]
fn common(raw: &[u8], before: usize, at: usize) -> usize {
    const MOST: usize = LONGEST - SHORTEST;
    let (Some(a), Some(b)) = (raw.get(before..), raw.get(at..)) else { return 0 };
    let b = b.get(..MOST).unwrap_or(b);
    let (a_words, (b_words, b_rest)) = (a.as_chunks::<8>().0, b.as_chunks::<8>());
    let mut length = 0;
    for (a, b) in a_words.iter().zip(b_words) {
        let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differ != 0 {
            return length + (differ.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let a_rest = a.get(length..).unwrap_or_default();
    length + a_rest.iter().zip(b_rest).take_while(|(a, b)| a == b).count()
}
