//! Records when something happened, in a few bytes.

/// The time slices in which something happened. There are at most 64 of equal length. The length doubles
/// whenever an event is beyond the last slice, so that the total time need not be known in advance, and parts
/// can be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// Bit `i` represents slice `i`.
    bits: u64,
    /// A slice is `2^shift` nanoseconds long.
    shift: u32,
}

/// The initial slices are an eighth of a second long.
const FINEST: u32 = 27;

impl Default for Spread {
    fn default() -> Self {
        Self { bits: 0, shift: FINEST }
    }
}

impl Spread {
    /// Records that something happened this many nanoseconds after the beginning. Anything earlier counts in
    /// the first slice.
    #[inline]
    pub fn add(&mut self, since: i64) {
        let since = since.max(0).unsigned_abs();
        while since >> self.shift >= 64 {
            self.coarsen();
        }
        self.bits |= 1 << (since >> self.shift);
    }

    /// Doubles the length of the slices.
    fn coarsen(&mut self) {
        let mut pairs = (self.bits | self.bits >> 1) & 0x5555_5555_5555_5555;
        // Moves every second bit together.
        for (by, mask) in [
            (1, 0x3333_3333_3333_3333),
            (2, 0x0f0f_0f0f_0f0f_0f0f),
            (4, 0x00ff_00ff_00ff_00ff),
            (8, 0x0000_ffff_0000_ffff),
            (16, 0x0000_0000_ffff_ffff),
        ] {
            pairs = (pairs | pairs >> by) & mask;
        }
        self.bits = pairs;
        self.shift += 1;
    }

    fn coarsen_to(mut self, shift: u32) -> Self {
        while self.shift < shift {
            self.coarsen();
        }
        self
    }

    /// Merges two parts with the same beginning.
    pub fn merge(&mut self, other: &Self) {
        let shift = self.shift.max(other.shift);
        let other = other.coarsen_to(shift);
        *self = self.coarsen_to(shift);
        self.bits |= other.bits;
    }

    /// Among the slices between the first and the last event of `whole`, returns how many there are and in how
    /// many this happened. The slice length is chosen so that there are at most `slices` of them, and possibly
    /// only half as many.
    #[must_use]
    pub fn within(&self, whole: &Self, slices: u32) -> (u32, u32) {
        let shift = self.shift.max(whole.shift);
        let (mut mine, mut all) = (self.coarsen_to(shift), whole.coarsen_to(shift));
        let length = |of: Self| (64 - of.bits.leading_zeros()).saturating_sub(of.bits.trailing_zeros());
        while length(all) > slices.max(1) {
            mine.coarsen();
            all.coarsen();
        }
        ((mine.bits & range(all.bits)).count_ones(), length(all))
    }
}

/// All bits from the lowest to the highest set bit.
fn range(bits: u64) -> u64 {
    if bits == 0 {
        return 0;
    }
    (u64::MAX >> bits.leading_zeros()) & (u64::MAX << bits.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn spread(times: impl IntoIterator<Item = i64>) -> Spread {
        let mut spread = Spread::default();
        times.into_iter().for_each(|at| spread.add(at));
        spread
    }

    #[test]
    fn slices_grow_with_time() {
        let all = spread((0..1_000).map(|s| s * SECOND));
        let (there, slices) = all.within(&all, 64);
        assert!((32..=64).contains(&slices) && there == slices, "{there} of {slices}");
        assert_eq!(spread([0]).within(&all, 64), (1, slices));
        let half = spread((500..1_000).map(|s| s * SECOND));
        let (there, of) = half.within(&all, 8);
        assert!((4..=8).contains(&of) && (of..=of + 2).contains(&(there * 2)), "{there} of {of}");
    }

    #[test]
    fn joined_parts_equal_the_whole() {
        let times = [3, 77, 1_000, 20, 86_400, 5].map(|s| s * SECOND);
        let mut joined = spread(times[..2].iter().copied());
        joined.merge(&spread(times[2..].iter().copied()));
        assert_eq!(joined, spread(times));
        let mut other = spread(times[2..].iter().copied());
        other.merge(&spread(times[..2].iter().copied()));
        assert_eq!(other, joined);
    }

    #[test]
    fn only_slices_between_first_and_last_event_count() {
        let late = spread((60..70).map(|s| s * SECOND));
        assert_eq!(late.within(&late, 4).0, late.within(&late, 4).1);
        assert_eq!(Spread::default().within(&late, 4).0, 0);
        assert_eq!(spread([i64::MIN, i64::MAX]).within(&spread([i64::MAX, 0]), 64), (2, 64));
    }
}
