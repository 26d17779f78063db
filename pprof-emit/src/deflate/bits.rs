//! Bits one after the other, from the lowest of each byte on.

/// Bytes that are written bit by bit.
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// How many bytes are whole.
    at: usize,
    /// What is not in whole bytes yet, and how many bits that is.
    word: u64,
    count: u32,
}

impl Bits {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), at: 0, word: 0, count: 0 }
    }

    /// Makes room for this many bits; more must not be pushed without asking again.
    pub(super) fn reserve(&mut self, bits: usize) {
        self.bytes.resize(self.at + bits / 8 + 16, 0);
    }

    /// Appends the lowest `count` bits of `value`, at most 56, whose others are 0.
    #[inline]
    pub(super) fn push(&mut self, value: u64, count: u32) {
        self.word |= value << self.count;
        self.count += count;
        if let Some(place) = self.bytes.get_mut(self.at..self.at + 8) {
            place.copy_from_slice(&self.word.to_le_bytes());
        }
        self.at += (self.count >> 3) as usize;
        // At most 63 bits: the shift is in range.
        self.word >>= self.count & !7;
        self.count &= 7;
    }

    /// Ends at the end of a byte, with an empty stored block.
    pub(super) fn align(&mut self) {
        self.reserve(64);
        self.push(0, 3);
        self.push(0, (8 - self.count) % 8);
        self.push(0xffff_0000, 32);
    }

    /// The whole bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.truncate(self.at);
        self.bytes
    }
}
