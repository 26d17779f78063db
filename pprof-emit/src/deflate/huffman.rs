//! Prefix codes for the symbols of a block.

/// Maximum length of the code of a literal, a length or a distance, in bits.
pub(super) const MOST_BITS: u32 = 15;
const LENGTHS: usize = MOST_BITS as usize + 1;

/// The lengths of an optimal prefix code for symbols with these frequencies, of at most `most` bits. A symbol that does
/// not occur has length 0. At least two symbols have a code, because some readers want it.
pub(super) fn lengths<const N: usize>(counts: &[u32; N], most: u32) -> [u8; N] {
    let mut lengths = [0; N];
    // The symbols by frequency, packed with it into one number.
    let packed = |(symbol, count): (u64, &u32)| u64::from(*count) << 16 | symbol;
    let mut sorted: Vec<u64> = (0..).zip(counts).filter(|(_, n)| **n > 0).map(packed).collect();
    let unused = (0..).zip(counts).filter(|(_, n)| **n == 0).map(packed);
    sorted.extend(unused.take(2usize.saturating_sub(sorted.len())));
    sorted.sort_unstable();
    let mut of_length = counts_of_lengths(&sorted, most).into_iter().enumerate();
    // The rarest symbols have the longest codes.
    let mut symbols = sorted.iter().rev();
    for (length, count) in of_length.by_ref() {
        for symbol in symbols.by_ref().take(count) {
            let symbol = usize::try_from(symbol & 0xffff).unwrap_or(usize::MAX);
            if let (Some(to), Ok(length)) = (lengths.get_mut(symbol), u8::try_from(length)) {
                *to = length;
            }
        }
    }
    lengths
}

/// How many codes have each length. `sorted` has the frequencies in ascending order, in the bits from 16 on.
fn counts_of_lengths(sorted: &[u64], most: u32) -> [usize; LENGTHS] {
    // Huffman's algorithm with two queues: the symbols, and the nodes in the order in which they are made, which is that
    // of their frequencies.
    let mut leaves = sorted.iter().map(|symbol| symbol >> 16).peekable();
    let mut nodes: Vec<u64> = Vec::with_capacity(sorted.len());
    // The parent of each node, and the number of leaves among its children.
    let mut parents = vec![0usize; sorted.len()];
    let mut leaves_of: Vec<usize> = Vec::with_capacity(sorted.len());
    let mut next = 0;
    for node in 0..sorted.len().saturating_sub(1) {
        let (mut sum, mut own) = (0u64, 0);
        for _ in 0..2 {
            match (leaves.peek(), nodes.get(next)) {
                (Some(leaf), other) if other.is_none_or(|other| leaf <= other) => {
                    sum = sum.saturating_add(*leaf);
                    leaves.next();
                    own += 1;
                }
                (_, Some(other)) => {
                    sum = sum.saturating_add(*other);
                    if let Some(parent) = parents.get_mut(next) {
                        *parent = node;
                    }
                    next += 1;
                }
                _ => {}
            }
        }
        nodes.push(sum);
        leaves_of.push(own);
    }
    // The depth of each node, from the root, which was made last.
    let mut of_length = [0; LENGTHS];
    let mut depths = vec![0usize; nodes.len()];
    for node in (0..nodes.len()).rev() {
        let root = node + 1 == nodes.len();
        let parent = parents.get(node).and_then(|parent| depths.get(*parent)).copied().unwrap_or(0);
        let depth = if root { 1 } else { parent + 1 };
        if let Some(to) = depths.get_mut(node) {
            *to = depth;
        }
        let leaves = leaves_of.get(node).copied().unwrap_or(0);
        if let Some(to) = of_length.get_mut(depth.min(most as usize)) {
            *to += leaves;
        }
    }
    shorten(&mut of_length, most);
    of_length
}

/// Makes a code with these counts of lengths complete again after codes that were too long have been cut to `most` bits:
/// for each code too many, a shorter code becomes two that are longer by one.
fn shorten(of_length: &mut [usize; LENGTHS], most: u32) {
    let most = most as usize;
    let mut used: usize = of_length.iter().enumerate().skip(1).take(most).map(|(length, n)| n << (most - length)).sum();
    while used > 1 << most {
        let Some(longer) = (1..most).rev().find(|length| of_length.get(*length).is_some_and(|n| *n > 0)) else {
            return;
        };
        for (length, change) in [(most, -1), (longer, -1), (longer + 1, 2)] {
            if let Some(n) = of_length.get_mut(length) {
                *n = n.saturating_add_signed(change);
            }
        }
        used -= 1;
    }
}

/// A code: its bits, the first one lowest, and how many they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

/// The codes with these lengths, in the order that RFC 1951 prescribes (section 3.2.2).
pub(super) fn codes<const N: usize>(lengths: &[u8; N]) -> [Code; N] {
    let mut of_length = [0u16; LENGTHS + 1];
    for length in lengths.iter().filter(|length| **length > 0) {
        if let Some(n) = of_length.get_mut(usize::from(*length) + 1) {
            *n += 1;
        }
    }
    let mut next = [0u16; LENGTHS + 1];
    let mut code = 0u16;
    for (to, n) in next.iter_mut().zip(of_length).skip(1) {
        code = code.wrapping_add(n) << 1;
        *to = code;
    }
    let mut codes = [Code::default(); N];
    for (to, &length) in codes.iter_mut().zip(lengths).filter(|(_, length)| **length > 0) {
        if let Some(code) = next.get_mut(usize::from(length)) {
            *to = Code { bits: code.reverse_bits() >> (u16::BITS - u32::from(length)), length };
            *code = code.wrapping_add(1);
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
    use super::*;
    use proptest::prelude::*;

    /// The part of all codes that these lengths use, in 2^-15.
    fn used(lengths: &[u8]) -> u32 {
        lengths.iter().filter(|length| **length > 0).map(|length| 1 << (MOST_BITS - u32::from(*length))).sum()
    }

    #[test]
    fn frequent_symbols_have_short_codes() {
        assert_eq!(lengths(&[8, 4, 2, 1, 0, 1], 15), [1, 2, 3, 4, 0, 4]);
        assert_eq!(lengths(&[0, 0, 9, 0], 15), [1, 0, 1, 0]);
        assert_eq!(lengths(&[0, 0, 0], 15), [1, 1, 0]);
        let codes = codes(&[3u8, 3, 3, 3, 3, 2, 4, 4]);
        // The example in RFC 1951, section 3.2.2, with the first bit last.
        let expected = [0b010, 0b011, 0b100, 0b101, 0b110, 0b00, 0b1110, 0b1111u16];
        for (code, bits) in codes.iter().zip(expected) {
            assert_eq!(code.bits, bits.reverse_bits() >> (16 - code.length));
        }
    }

    proptest! {
        #[test]
        fn codes_are_complete_and_not_too_long(
            counts in proptest::array::uniform32(prop_oneof![Just(0u32), 1u32..100, 1u32..1_000_000]),
            grow in 0u32..4,
            most in prop_oneof![Just(7u32), Just(15)],
        ) {
            // With frequencies like the Fibonacci numbers, codes become as long as they can.
            let counts: [u32; 32] = std::array::from_fn(|i| counts[i].min(1 << (20 - grow)) << (grow * i as u32 / 8));
            let lengths = lengths(&counts, most);
            prop_assert_eq!(used(&lengths), 1 << MOST_BITS);
            prop_assert!(lengths.iter().all(|length| u32::from(*length) <= most));
            for (i, a) in counts.iter().enumerate() {
                for (j, b) in counts.iter().enumerate() {
                    prop_assert!(a <= b || *b == 0 || lengths[i] <= lengths[j]);
                }
            }
        }
    }

    #[test]
    fn codes_that_would_be_too_long_are_cut() {
        let mut counts = [1u32; 32];
        for i in 2..32 {
            counts[i] = counts[i - 1] + counts[i - 2];
        }
        for most in [7, 15] {
            let lengths = lengths(&counts, most);
            assert_eq!((used(&lengths), lengths.iter().max()), (1 << MOST_BITS, Some(&(most as u8))));
        }
    }
}
