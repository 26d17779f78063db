//! Extracts the top bit of each byte in a word. In a varint, a set top bit means that another byte
//! follows.

/// The top bit of each of sixteen bytes, with the bit of the first byte lowest. `low` holds the
/// first eight bytes, little-endian.
#[inline(always)]
#[must_use]
pub fn top_bits(low: u64, high: u64) -> u32 {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "one instruction in place of ten, in the loop over all bytes of stack traces")]
    {
        use std::arch::x86_64::{_mm_movemask_epi8, _mm_set_epi64x};
        // SAFETY: these intrinsics need only SSE2, which every x86-64 processor has.
        unsafe { _mm_movemask_epi8(_mm_set_epi64x(high.cast_signed(), low.cast_signed())).cast_unsigned() }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        by_multiplying(low) | by_multiplying(high) << 8
    }
}

/// Number of bytes that a [`Scan`] examines together.
pub(crate) const BLOCK: usize = 64;

/// A loop that needs the top bits of bytes, a block at a time. It is compiled twice: for any processor, and for those
/// that examine 32 bytes at a time and count bits with one instruction.
pub(crate) trait Scan {
    /// The result of the loop.
    type Output;

    /// Runs the loop. `top_bits` returns the top bit of each byte of a block, with the first byte lowest. The
    /// implementation must be `#[inline(always)]`.
    fn run(self, top_bits: impl Fn(&[u8; BLOCK]) -> u64) -> Self::Output;
}

/// Runs a loop in the way that suits this processor.
#[inline]
pub(crate) fn scan<S: Scan>(scan: S) -> S::Output {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("lzcnt")
    {
        #[expect(unsafe_code, reason = "finding the ends of stack traces takes a third of the instructions")]
        // SAFETY: the processor has the instructions that the function is compiled for.
        return unsafe { scan_wide(scan) };
    }
    scan_plain(scan)
}

fn scan_plain<S: Scan>(scan: S) -> S::Output {
    scan.run(|block| {
        let parts = block.as_chunks::<16>().0.iter().enumerate();
        parts.fold(0, |bits, (i, part)| {
            let all = u128::from_le_bytes(*part);
            #[expect(clippy::cast_possible_truncation, reason = "the halves of sixteen bytes")]
            let found = top_bits(all as u64, (all >> 64) as u64);
            bits | u64::from(found) << (16 * i)
        })
    })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt,bmi1,lzcnt")]
fn scan_wide<S: Scan>(scan: S) -> S::Output {
    use std::arch::x86_64::{_mm256_movemask_epi8, _mm256_set_epi64x};
    scan.run(|block| {
        let parts = block.as_chunks::<32>().0.iter().enumerate();
        parts.fold(0, |bits, (i, part)| {
            let word = |at: usize| part.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |w| i64::from_le_bytes(*w));
            let found = _mm256_movemask_epi8(_mm256_set_epi64x(word(24), word(16), word(8), word(0)));
            bits | u64::from(found.cast_unsigned()) << (32 * i)
        })
    })
}

/// Gathers the top bits of eight bytes with a multiplication that moves each into its place in the
/// highest byte.
#[inline]
#[cfg(any(test, not(target_arch = "x86_64")))]
fn by_multiplying(word: u64) -> u32 {
    let bits = (word >> 7 & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    u32::from(bits.to_le_bytes()[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The top bits of all whole blocks.
    struct TopBits<'b>(&'b [u8]);

    impl Scan for TopBits<'_> {
        type Output = Vec<u64>;

        #[inline(always)]
        fn run(self, top_bits: impl Fn(&[u8; BLOCK]) -> u64) -> Vec<u64> {
            self.0.as_chunks::<BLOCK>().0.iter().map(top_bits).collect()
        }
    }

    proptest! {
        #[test]
        fn every_processor_finds_the_same_bits(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let blocks = bytes.as_chunks::<BLOCK>().0.iter();
            let bit = |(i, byte): (usize, &u8)| u64::from(byte >> 7) << i;
            let expected: Vec<u64> = blocks.map(|block| block.iter().enumerate().map(bit).sum()).collect();
            prop_assert_eq!(scan(TopBits(&bytes)), expected.clone());
            prop_assert_eq!(scan_plain(TopBits(&bytes)), expected);
        }

        #[test]
        fn top_bits_are_gathered_in_order(bytes: [u8; 16]) {
            let bits = bytes.iter().enumerate().filter(|(_, b)| **b >= 0x80).fold(0, |bits, (i, _)| bits | 1 << i);
            let all = u128::from_le_bytes(bytes);
            #[expect(clippy::cast_possible_truncation, reason = "the halves")]
            let (low, high) = (all as u64, (all >> 64) as u64);
            prop_assert_eq!(top_bits(low, high), bits);
            prop_assert_eq!(by_multiplying(low) | by_multiplying(high) << 8, bits);
        }
    }
}
