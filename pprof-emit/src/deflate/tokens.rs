//! What a block is made of: bytes, and matches with what came before.

/// The numbers of codes for bytes, end and lengths, and of those for distances.
pub(super) const LITERALS: usize = 286;
pub(super) const DISTANCES: usize = 30;

/// The code that ends a block.
pub(super) const END: usize = 256;

/// The shortest and longest match, and the farthest.
pub(super) const SHORTEST: usize = 4;
pub(super) const LONGEST: usize = 258;
pub(super) const FARTHEST: usize = 1 << 15;

/// How many a block has at most: fewer fit their codes better, more share the description of the codes.
const MOST: usize = 24 << 10;

const MATCH: u32 = 1 << 31;

/// The tokens of a block, and how often each code is used.
pub(super) struct Tokens {
    all: Vec<u32>,
    pub(super) literals: [u32; LITERALS],
    pub(super) distances: [u32; DISTANCES],
}

/// A byte, or the length and distance of a match.
pub(super) enum Token {
    Literal(u8),
    Match { length: u32, distance: u32 },
}

impl Default for Tokens {
    fn default() -> Self {
        Self { all: Vec::with_capacity(MOST), literals: [0; LITERALS], distances: [0; DISTANCES] }
    }
}

impl Tokens {
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.literals.fill(0);
        self.distances.fill(0);
    }

    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= MOST
    }

    #[inline]
    pub(super) fn literal(&mut self, byte: u8) {
        count(&mut self.literals, usize::from(byte));
        self.all.push(byte.into());
    }

    /// A match of [`SHORTEST`] to [`LONGEST`] bytes, from 1 to [`FARTHEST`] bytes before.
    #[inline]
    pub(super) fn repeat(&mut self, length: usize, distance: usize) {
        let [length, distance] = [length, distance].map(|value| u32::try_from(value).unwrap_or(0));
        count(&mut self.literals, length_code(length).symbol);
        count(&mut self.distances, distance_code(distance).symbol);
        self.all.push(MATCH | length << 16 | distance);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Token> {
        self.all.iter().map(|&token| {
            if token & MATCH == 0 {
                Token::Literal((token & 0xff) as u8)
            } else {
                Token::Match { length: token >> 16 & 0x1ff, distance: token & 0xffff }
            }
        })
    }
}

#[inline]
fn count(counts: &mut [u32], symbol: usize) {
    if let Some(count) = counts.get_mut(symbol) {
        *count += 1;
    }
}

/// A code and the bits that follow it.
#[derive(Clone, Copy, Default)]
pub(super) struct Code {
    pub(super) symbol: usize,
    pub(super) extra: u32,
    pub(super) extra_bits: u32,
}

/// The code of a length: eight without more bits, then four for each number of bits; the longest has its own.
#[inline]
pub(super) fn length_code(length: u32) -> Code {
    let from = length.saturating_sub(3);
    if from < 8 {
        return Code { symbol: END + 1 + from as usize, extra: 0, extra_bits: 0 };
    }
    if from >= 255 {
        return Code { symbol: LITERALS - 1, extra: 0, extra_bits: 0 };
    }
    let bits = 29 - from.leading_zeros();
    let symbol = END + 1 + (4 * bits + (from >> bits)) as usize;
    Code { symbol, extra: from & ((1 << bits) - 1), extra_bits: bits }
}

/// The code of a distance: four without more bits, then two for each number of bits.
#[inline]
pub(super) fn distance_code(distance: u32) -> Code {
    let from = distance.saturating_sub(1);
    if from < 4 {
        return Code { symbol: from as usize, extra: 0, extra_bits: 0 };
    }
    let bits = 30 - from.leading_zeros();
    let symbol = (2 * bits + (from >> bits)) as usize;
    Code { symbol, extra: from & ((1 << bits) - 1), extra_bits: bits }
}
