//! Random numbers for mutants, seeded so that each mutant can be reproduced.

/// xorshift64*, which is good enough for this purpose.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence with the number `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // Spreads neighboring seeds; zero would stay zero.
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15).max(1))
    }

    /// Any number.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `n`; 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        // The high bits are the better ones.
        ((self.bits() >> 11) % n.max(1) as u64) as usize
    }

    /// Returns true with a probability of `percent` %.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the items. There must be at least one.
    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    /// A number as chosen by broken writers and attackers; `old` is the current one.
    pub fn number(&mut self, old: u64) -> u64 {
        const ODD: [u64; 16] = [
            0,
            1,
            2,
            0x7f,
            0x80,
            0xff,
            0x7fff,
            0xffff,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_ffff,
            1 << 40,
            1 << 56,
            i64::MAX as u64,
            1 << 63,
            u64::MAX,
        ];
        match self.below(8) {
            0 => old.wrapping_add(1),
            1 => old.wrapping_sub(1),
            2 => old ^ (1 << self.below(64)),
            3 => old.wrapping_mul(2),
            4 => self.bits() >> self.below(64),
            5 => 0u64.wrapping_sub(old),
            _ => *self.pick(&ODD),
        }
    }
}
