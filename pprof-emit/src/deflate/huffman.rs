//! Codes that are short for what is frequent.

/// The code of each symbol: how many bits (0 for those that do not occur), and the bits, in the order in which they
/// are written.
pub(super) struct Codes<const N: usize> {
    pub(super) lengths: [u8; N],
    pub(super) bits: [u16; N],
}

impl<const N: usize> Codes<N> {
    /// Codes of at most `longest` bits for symbols that occur so often. There are always at least two codes, as some
    /// readers refuse fewer.
    pub(super) fn new(counts: &mut [u32; N], longest: usize) -> Self {
        let missing = 2_usize.saturating_sub(counts.iter().filter(|&&count| count > 0).count());
        counts.iter_mut().filter(|count| **count == 0).take(missing).for_each(|count| *count = 1);
        let mut used: Vec<(u32, usize)> = counts.iter().copied().zip(0..).filter(|&(count, _)| count > 0).collect();
        used.sort_unstable();
        let mut numbers = depths(&used);
        limit(&mut numbers, longest);
        // The rarest get the longest codes.
        let mut lengths = [0; N];
        let by_length = (1..=15).rev().flat_map(|length: u8| {
            let number = numbers.get(usize::from(length)).copied().unwrap_or(0);
            std::iter::repeat_n(length, number)
        });
        for (&(_, symbol), length) in used.iter().zip(by_length) {
            if let Some(place) = lengths.get_mut(symbol) {
                *place = length;
            }
        }
        let bits = canonical(&lengths, &numbers);
        Self { lengths, bits }
    }
}

/// How many codes there are of each length: Huffman's tree over counts in rising order. Leaves and inner nodes both
/// come in rising order, so the two rarest are always at the front of one of the two.
fn depths(leaves: &[(u32, usize)]) -> [usize; 64] {
    let mut inner: Vec<u64> = Vec::with_capacity(leaves.len());
    // The parent of each leaf and of each inner node, as places among the inner nodes.
    let mut leaf_parents = Vec::with_capacity(leaves.len());
    let mut inner_parents = Vec::with_capacity(leaves.len());
    for parent in 0..leaves.len().saturating_sub(1) {
        let mut sum = 0;
        for _ in 0..2 {
            let leaf = leaves.get(leaf_parents.len()).map(|&(count, _)| u64::from(count));
            let node = inner.get(inner_parents.len()).copied();
            match (leaf, node) {
                (Some(count), node) if node.is_none_or(|node| count <= node) => {
                    sum += count;
                    leaf_parents.push(parent);
                }
                (_, Some(count)) => {
                    sum += count;
                    inner_parents.push(parent);
                }
                (_, None) => {}
            }
        }
        inner.push(sum);
    }
    // The last inner node is the root; each other one has a parent after it.
    let mut depth = vec![0_usize; inner.len()];
    for (node, &parent) in inner_parents.iter().enumerate().rev() {
        let below = depth.get(parent).map_or(0, |depth| depth + 1);
        if let Some(place) = depth.get_mut(node) {
            *place = below;
        }
    }
    let mut numbers = [0; 64];
    for &parent in &leaf_parents {
        // Counts of less than 2^32 in all make no code of 64 bits.
        let length = depth.get(parent).map_or(0, |depth| depth + 1);
        if let Some(number) = numbers.get_mut(length) {
            *number += 1;
        }
    }
    numbers
}

/// Makes codes that are too long as long as allowed, and others longer until there is room for them again.
fn limit(numbers: &mut [usize; 64], longest: usize) {
    let (within, beyond) = numbers.split_at_mut(longest + 1);
    let cut: usize = beyond.iter().sum();
    beyond.fill(0);
    if let Some(last) = within.last_mut() {
        *last += cut;
    }
    // In units of the longest code.
    let room = 1_usize << longest;
    let mut taken: usize = within.iter().enumerate().map(|(length, number)| number << (longest - length)).sum();
    while taken > room {
        // One of the longest codes takes half of the place of a shorter one, which moves to the other half.
        let Some(shorter) = (1..longest).rev().find(|&length| within.get(length).is_some_and(|&number| number > 0))
        else {
            return;
        };
        for (length, change) in [(shorter, -1), (shorter + 1, 2), (longest, -1)] {
            if let Some(number) = within.get_mut(length) {
                *number = number.saturating_add_signed(change);
            }
        }
        taken -= 1;
    }
}

/// The codes that follow from the lengths: RFC 1951, 3.2.2.
fn canonical<const N: usize>(lengths: &[u8; N], numbers: &[usize; 64]) -> [u16; N] {
    let mut next = [0_u16; 16];
    let mut code = 0_u16;
    for (next, &before) in next.iter_mut().skip(1).zip(std::iter::once(&0).chain(numbers.iter().skip(1))) {
        code = code.wrapping_add(u16::try_from(before).unwrap_or(0)) << 1;
        *next = code;
    }
    let mut bits = [0; N];
    for (bits, &length) in bits.iter_mut().zip(lengths) {
        if let Some(next) = next.get_mut(usize::from(length)).filter(|_| length > 0) {
            *bits = next.reverse_bits() >> (16 - u32::from(length));
            *next = next.wrapping_add(1);
        }
    }
    bits
}
