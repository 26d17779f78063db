//! Writes the blocks of a stream.

use super::huffman::{self, Code, MOST_BITS};
use super::{LONGEST, SHORTEST, Sequence};

/// The symbol that ends a block; the ones before are the literals, and lengths follow.
const END: usize = 256;
const LITERALS: usize = 286;
const DISTANCES: usize = 30;
/// The literals and lengths with a fixed code; two of them never occur.
const FIXED: usize = LITERALS + 2;
/// The codes of the lengths of codes, and their maximum length.
const CODE_LENGTHS: usize = 19;
const MOST_CODE_BITS: u32 = 7;

/// The order in which the lengths of the codes of lengths are written.
const ORDER: [usize; CODE_LENGTHS] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The shortest match of each length symbol, and the number of bits that are added.
const BASES: [(usize, u32); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// The length symbol, the added bits, and how many they are, of each length of a match minus [`SHORTEST`].
#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler")]
const SYMBOLS: [(u16, u16, u8); 256] = {
    let mut symbols = [(0, 0, 0); 256];
    let mut i = 0;
    while i < BASES.len() {
        let (base, bits) = BASES[i];
        let mut more = 0;
        // The longest match has a symbol of its own.
        while more < 1 << bits && base + more <= LONGEST {
            symbols[base + more - SHORTEST as usize] = ((END + 1 + i) as u16, more as u16, bits as u8);
            more += 1;
        }
        i += 1;
    }
    symbols
};

/// The symbol of a distance, given minus 1, and the number of bits that are added.
#[inline(always)]
fn distance_symbol(distance: u16) -> (usize, u32) {
    let distance = u32::from(distance);
    match (distance | 1).ilog2() {
        0 => (distance as usize, 0),
        // The highest bit and the one below.
        bits => ((2 * bits - 2 + (distance >> (bits - 1))) as usize, bits - 1),
    }
}

/// The output.
#[derive(Default)]
pub(super) struct Writer {
    out: Vec<u8>,
    bits: Bits,
}

/// Bits that have been added, the first one lowest, and the place of the first one in the output.
#[derive(Clone, Copy, Default)]
struct Bits {
    bits: u64,
    /// The number of bits.
    held: u32,
    at: usize,
}

impl Bits {
    /// Adds bits. There is room for 56 of them after [`drain`](Self::drain).
    #[inline(always)]
    fn put(&mut self, bits: u64, count: u32) {
        self.bits |= bits << self.held;
        self.held += count;
    }

    /// Moves whole bytes to the output.
    #[inline(always)]
    fn drain(&mut self, out: &mut [u8]) {
        let place = out.get_mut(self.at..).and_then(<[u8]>::first_chunk_mut);
        debug_assert!(place.is_some(), "more bytes than were reserved");
        if let Some(place) = place {
            *place = self.bits.to_le_bytes();
        }
        self.at += (self.held / 8) as usize;
        self.bits >>= self.held & !7;
        self.held &= 7;
    }
}

/// Most bytes that a literal, a match and everything else in a block can take. The code of a literal has at most two
/// bytes; a match, of at least four bytes, has two codes and up to 18 more bits.
const BYTES_PER_BYTE: usize = 2;
const BYTES_PER_BLOCK: usize = 1 << 10;

impl Writer {
    pub(super) fn clear(&mut self) {
        self.bits = Bits::default();
    }

    /// Makes room for the bytes of a block.
    fn reserve(&mut self, raw: usize) {
        let room = self.bits.at.saturating_add(raw.saturating_mul(BYTES_PER_BYTE)).saturating_add(BYTES_PER_BLOCK);
        if self.out.len() < room {
            self.out.resize(room, 0);
        }
    }

    /// Adds up to 56 bits.
    fn put(&mut self, bits: u64, count: u32) {
        self.bits.put(bits, count);
        self.bits.drain(&mut self.out);
    }

    /// Writes a block of these bytes.
    pub(super) fn block(&mut self, raw: &[u8], sequences: &[Sequence]) {
        self.reserve(raw.len());
        let (literals, distances) = count(raw, sequences);
        let (of_literals, of_distances) =
            (huffman::lengths(&literals, MOST_BITS), huffman::lengths(&distances, MOST_BITS));
        let head = Head::new(&of_literals, &of_distances);
        let fixed = fixed_lengths();
        let of_fixed = first(fixed);
        let size = |lengths: &[u8; LITERALS], of_distances: &[u8; DISTANCES]| {
            bits(&literals, lengths).saturating_add(bits(&distances, of_distances))
        };
        self.put(0, 1);
        if size(&of_fixed, &[5; DISTANCES]) <= size(&of_literals, &of_distances).saturating_add(head.bits()) {
            self.put(1, 2);
            self.content(raw, sequences, &first(huffman::codes(&fixed)), &huffman::codes(&[5; DISTANCES]));
        } else {
            self.put(2, 2);
            head.write(self);
            self.content(raw, sequences, &huffman::codes(&of_literals), &huffman::codes(&of_distances));
        }
    }

    fn content(
        &mut self,
        raw: &[u8],
        sequences: &[Sequence],
        literals: &[Code; LITERALS],
        distances: &[Code; DISTANCES],
    ) {
        let packed = |code: &Code| u32::from(code.bits) | u32::from(code.length) << u16::BITS;
        let (mut of_bytes, mut of_distances) = ([0u32; END], [0u32; 1 << 5]);
        of_bytes.iter_mut().zip(literals).for_each(|(to, code)| *to = packed(code));
        of_distances.iter_mut().zip(distances).for_each(|(to, code)| *to = packed(code));
        // The code of each length together with the added bits.
        let of_lengths = SYMBOLS.map(|(symbol, more, bits)| {
            let code = literals.get(usize::from(symbol)).copied().unwrap_or_default();
            (u32::from(code.bits) | u32::from(more) << code.length, u32::from(code.length + bits))
        });
        let (mut bits, out) = (self.bits, self.out.as_mut_slice());
        let most = const { u64::BITS - MOST_BITS };
        let mut literals_of = |bits: &mut Bits, bytes: &[u8]| {
            for byte in bytes {
                if bits.held >= most {
                    bits.drain(out);
                }
                let code = of_bytes.get(usize::from(*byte)).copied().unwrap_or_default();
                bits.put(u64::from(code & 0xffff), code >> u16::BITS);
            }
            bits.drain(out);
        };
        let mut at = 0u32;
        for sequence in sequences {
            literals_of(&mut bits, bytes(raw, at, sequence.literals));
            at += sequence.literals + u32::from(sequence.length) + SHORTEST;
            let (code, count) = of_lengths.get(usize::from(sequence.length)).copied().unwrap_or_default();
            bits.put(u64::from(code), count);
            let (symbol, more) = distance_symbol(sequence.distance);
            let code = of_distances.get(symbol & 0x1f).copied().unwrap_or_default();
            let (code, length) = (u64::from(code & 0xffff), code >> u16::BITS);
            let added = u64::from(sequence.distance) & ((1 << more) - 1);
            bits.put(code | added << length, length + more);
        }
        literals_of(&mut bits, raw.get(at as usize..).unwrap_or_default());
        let end = literals.get(END).copied().unwrap_or_default();
        bits.put(u64::from(end.bits), u32::from(end.length));
        bits.drain(&mut self.out);
        self.bits = bits;
    }

    /// Writes an empty block that ends at a byte boundary, and returns everything written.
    pub(super) fn flush(&mut self) -> Vec<u8> {
        self.reserve(0);
        self.put(0, 3);
        self.bits.held = self.bits.held.next_multiple_of(8);
        self.put(0, 0);
        self.put(0xffff_0000, 32);
        self.out.get(..self.bits.at).unwrap_or_default().to_vec()
    }
}

/// Some bytes of a block.
#[inline(always)]
fn bytes(raw: &[u8], at: u32, count: u32) -> &[u8] {
    raw.get(at as usize..at as usize + count as usize).unwrap_or_default()
}

/// How often each symbol of a block occurs.
fn count(raw: &[u8], sequences: &[Sequence]) -> ([u32; LITERALS], [u32; DISTANCES]) {
    let (mut of_bytes, mut lengths, mut distances) = ([0u32; END], [0u32; SYMBOLS.len()], [0u32; 1 << 5]);
    let mut literals_of = |bytes: &[u8]| {
        for byte in bytes {
            if let Some(n) = of_bytes.get_mut(usize::from(*byte)) {
                *n += 1;
            }
        }
    };
    let mut at = 0u32;
    for sequence in sequences {
        literals_of(bytes(raw, at, sequence.literals));
        at += sequence.literals + u32::from(sequence.length) + SHORTEST;
        if let Some(n) = lengths.get_mut(usize::from(sequence.length)) {
            *n += 1;
        }
        if let Some(n) = distances.get_mut(distance_symbol(sequence.distance).0 & 0x1f) {
            *n += 1;
        }
    }
    literals_of(raw.get(at as usize..).unwrap_or_default());
    let mut literals = [0; LITERALS];
    literals.iter_mut().zip(of_bytes).for_each(|(to, n)| *to = n);
    for ((symbol, _, _), n) in SYMBOLS.iter().zip(lengths) {
        if let Some(to) = literals.get_mut(usize::from(*symbol)) {
            *to += n;
        }
    }
    if let Some(n) = literals.get_mut(END) {
        *n = 1;
    }
    (literals, first(distances))
}

/// The size of symbols in bits, including the bits added to them.
fn bits<const N: usize>(counts: &[u32; N], lengths: &[u8; N]) -> usize {
    counts.iter().zip(lengths).map(|(n, length)| *n as usize * usize::from(*length)).sum()
}

/// The first items of an array.
fn first<T: Copy + Default, const N: usize, const M: usize>(items: [T; N]) -> [T; M] {
    let mut first = [T::default(); M];
    first.iter_mut().zip(items).for_each(|(to, item)| *to = item);
    first
}

/// The lengths of the codes that need not be written. Source: RFC 1951, section 3.2.6.
fn fixed_lengths() -> [u8; FIXED] {
    std::array::from_fn(|symbol| match symbol {
        0..144 => 8,
        144..256 => 9,
        256..280 => 7,
        _ => 8,
    })
}

/// The lengths of the codes of a block, as they are written: run-length encoded and with a code of their own.
struct Head {
    literals: usize,
    distances: usize,
    /// The lengths of the codes of lengths, in the order in which they are written.
    of_lengths: [u8; CODE_LENGTHS],
    written: usize,
    /// Symbols, the bits added to them, and how many they are.
    symbols: Vec<(usize, u64, u32)>,
    codes: [Code; CODE_LENGTHS],
}

impl Head {
    fn new(of_literals: &[u8; LITERALS], of_distances: &[u8; DISTANCES]) -> Self {
        let used = |lengths: &[u8]| lengths.iter().rposition(|length| *length > 0).map_or(0, |last| last + 1);
        let (literals, distances) = (used(of_literals).max(END + 1), used(of_distances).max(1));
        let all: Vec<u8> =
            of_literals.iter().take(literals).chain(of_distances.iter().take(distances)).copied().collect();
        let mut symbols = Vec::with_capacity(all.len());
        for run in all.chunk_by(|a, b| a == b) {
            let (Some(&length), mut left) = (run.first(), run.len()) else { continue };
            if length > 0 {
                symbols.push((usize::from(length), 0, 0));
                left -= 1;
            }
            while left > 0 {
                let (symbol, shortest, longest, bits) = match (length, left) {
                    (0, 11..) => (18, 11, 138, 7),
                    (0, 3..) => (17, 3, 10, 3),
                    (1.., 3..) => (16, 3, 6, 2),
                    _ => (usize::from(length), 1, 1, 0),
                };
                let repeated = left.min(longest);
                symbols.push((symbol, (repeated - shortest) as u64, bits));
                left -= repeated;
            }
        }
        let mut counts = [0; CODE_LENGTHS];
        for (symbol, _, _) in &symbols {
            if let Some(n) = counts.get_mut(*symbol) {
                *n += 1;
            }
        }
        let by_symbol = huffman::lengths(&counts, MOST_CODE_BITS);
        let of_lengths = ORDER.map(|symbol| by_symbol.get(symbol).copied().unwrap_or(0));
        let written = used(&of_lengths).max(4);
        Self { literals, distances, of_lengths, written, symbols, codes: huffman::codes(&by_symbol) }
    }

    /// Its size in bits.
    fn bits(&self) -> usize {
        let code = |symbol: usize| self.codes.get(symbol).map_or(0, |code| usize::from(code.length));
        let symbols: usize = self.symbols.iter().map(|(symbol, _, bits)| code(*symbol) + *bits as usize).sum();
        14 + 3 * self.written + symbols
    }

    fn write(&self, writer: &mut Writer) {
        writer.put((self.literals - END - 1) as u64, 5);
        writer.put((self.distances - 1) as u64, 5);
        writer.put((self.written - 4) as u64, 4);
        for length in self.of_lengths.iter().take(self.written) {
            writer.put(u64::from(*length), 3);
        }
        for (symbol, more, bits) in &self.symbols {
            let code = self.codes.get(*symbol).copied().unwrap_or_default();
            writer.put(u64::from(code.bits), u32::from(code.length));
            writer.put(*more, *bits);
        }
    }
}
