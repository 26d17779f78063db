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

    proptest! {
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
