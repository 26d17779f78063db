//! A block with its own codes.

use super::bits::Bits;
use super::huffman::Codes;
use super::tokens::{DISTANCES, END, LITERALS, LONGEST, Token, Tokens, distance_code, length_code};

/// The longest codes, and the longest ones in the description of the codes.
const LONGEST_CODE: usize = 15;
const LONGEST_LENGTH_CODE: usize = 7;

/// The order in which the lengths of the codes for lengths are written: RFC 1951, 3.2.7.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Codes with what follows on them: bits, and how many.
type Entry = (u32, u32);

/// Writes a block that is not the last.
pub(super) fn write(tokens: &mut Tokens, out: &mut Bits) {
    if let Some(end) = tokens.literals.get_mut(END) {
        *end += 1;
    }
    let literals = Codes::new(&mut tokens.literals, LONGEST_CODE);
    let distances = Codes::new(&mut tokens.distances, LONGEST_CODE);
    // More than any description of codes takes, and more than the extra bits of all matches.
    let sum = |counts: &[u32], lengths: &[u8], extra: usize| -> usize {
        counts.iter().zip(lengths).map(|(&count, &length)| count as usize * (usize::from(length) + extra)).sum()
    };
    out.reserve(
        4096 + sum(&tokens.literals, &literals.lengths, 0) + sum(&tokens.distances, &distances.lengths, 5 + 13),
    );
    out.push(0b100, 3);
    describe(&literals, &distances, out);
    let entry = |bits: Option<&u16>, length: Option<&u8>| -> Entry {
        (bits.copied().unwrap_or(0).into(), length.copied().unwrap_or(0).into())
    };
    let mut bytes: [Entry; 256] = [(0, 0); 256];
    for (place, code) in bytes.iter_mut().zip(literals.bits.iter().zip(&literals.lengths)) {
        *place = entry(Some(code.0), Some(code.1));
    }
    let mut lengths: [Entry; LONGEST + 1] = [(0, 0); LONGEST + 1];
    for (place, length) in lengths.iter_mut().zip(0..) {
        let code = length_code(length);
        let (bits, count) = entry(literals.bits.get(code.symbol), literals.lengths.get(code.symbol));
        *place = (bits | code.extra << count, count + code.extra_bits);
    }
    for token in tokens.iter() {
        match token {
            Token::Literal(byte) => {
                let (bits, count) = bytes.get(usize::from(byte)).copied().unwrap_or_default();
                out.push(bits.into(), count);
            }
            Token::Match { length, distance } => {
                let (bits, count) = lengths.get(length as usize).copied().unwrap_or_default();
                let code = distance_code(distance);
                let (far, far_count) = entry(distances.bits.get(code.symbol), distances.lengths.get(code.symbol));
                let far = u64::from(far) | u64::from(code.extra) << far_count;
                out.push(u64::from(bits) | far << count, count + far_count + code.extra_bits);
            }
        }
    }
    let (bits, count) = entry(literals.bits.get(END), literals.lengths.get(END));
    out.push(bits.into(), count);
}

/// Writes the lengths of the codes, from which a reader finds the codes.
fn describe(literals: &Codes<LITERALS>, distances: &Codes<DISTANCES>, out: &mut Bits) {
    let upto = |lengths: &[u8], least: usize| {
        lengths.iter().rposition(|&length| length > 0).map_or(least, |last| (last + 1).max(least))
    };
    let (literal_count, distance_count) = (upto(&literals.lengths, 257), upto(&distances.lengths, 1));
    let lengths = literals.lengths.iter().take(literal_count).chain(distances.lengths.iter().take(distance_count));
    let lengths: Vec<u8> = lengths.copied().collect();
    let runs = runs(&lengths);
    let mut counts = [0; 19];
    for &(symbol, _, _) in &runs {
        if let Some(count) = counts.get_mut(symbol) {
            *count += 1;
        }
    }
    let codes = Codes::new(&mut counts, LONGEST_LENGTH_CODE);
    let length = |symbol: usize| u64::from(codes.lengths.get(symbol).copied().unwrap_or(0));
    let count = ORDER.iter().rposition(|&symbol| length(symbol) > 0).map_or(4, |last| (last + 1).max(4));
    out.push(literal_count as u64 - 257, 5);
    out.push(distance_count as u64 - 1, 5);
    out.push(count as u64 - 4, 4);
    for &symbol in ORDER.iter().take(count) {
        out.push(length(symbol), 3);
    }
    for (symbol, extra, extra_bits) in runs {
        let bits = codes.bits.get(symbol).copied().unwrap_or(0);
        out.push(bits.into(), codes.lengths.get(symbol).copied().unwrap_or(0).into());
        out.push(extra, extra_bits);
    }
}

/// Lengths as codes with what follows on them: runs of zeros and repetitions are one each.
fn runs(lengths: &[u8]) -> Vec<(usize, u64, u32)> {
    let mut runs = Vec::new();
    for same in lengths.chunk_by(|a, b| a == b) {
        let length = usize::from(same.first().copied().unwrap_or(0));
        let mut left = same.len();
        if length > 0 {
            runs.push((length, 0, 0));
            left -= 1;
        }
        while left >= 3 {
            let (symbol, least, bits, most) = match (length, left) {
                (0, 11..) => (18, 11, 7, 138),
                (0, _) => (17, 3, 3, 10),
                _ => (16, 3, 2, 6),
            };
            let run = left.min(most);
            runs.push((symbol, (run - least) as u64, bits));
            left -= run;
        }
        runs.extend(std::iter::repeat_n((length, 0, 0), left));
    }
    runs
}
