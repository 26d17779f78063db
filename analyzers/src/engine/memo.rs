//! A cache of frames, keyed by their bytes.

/// Maximum size in bytes of a frame that can be cached; frames of a JVM are rarely larger.
pub(super) const MEMO_BYTES: usize = 12;

/// Maximum number of slots: enough for all frames of a large program, and small compared to any recording with
/// that many.
const MOST: usize = 1 << 17;
/// Number of slots to try for one frame: input can be crafted so that all frames hash to the same slot.
const PROBES: usize = 8;

/// The bytes of a frame (padded with 0) and its number; number 0 marks an empty slot.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    low: u64,
    high: u32,
    number: u32,
}

/// Maps the bytes of frames to numbers. It may forget frames, but never confuses them.
#[derive(Debug)]
pub(super) struct Memo {
    /// The number of slots is a power of two.
    slots: Vec<Slot>,
    used: usize,
}

impl Memo {
    /// Creates an empty cache for about `traces` stack traces: a small chunk should not pay for clearing a
    /// large table.
    pub(super) fn new(traces: usize) -> Self {
        let slots = traces.saturating_mul(2).next_power_of_two().clamp(64, 1 << 12);
        Self { slots: vec![Slot::default(); slots], used: 0 }
    }

    /// Clears the cache for reuse with about `traces` stack traces.
    pub(super) fn cleared(mut self, traces: usize) -> Self {
        if self.slots.len() / 16 > traces {
            return Self::new(traces);
        }
        self.slots.fill(Slot::default());
        self.used = 0;
        self
    }

    /// The number of the frame with these bytes, if it is cached.
    #[inline(always)]
    pub(super) fn find(&self, low: u64, high: u32) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = place(low, high) & mask;
        // Most frames are in the first slot.
        for _ in 0..PROBES {
            let slot = self.slots.get(at)?;
            if slot.low == low && slot.high == high && slot.number != 0 {
                return Some(slot.number);
            }
            if slot.number == 0 {
                return None;
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// Caches a frame, whose number is not 0, replacing another one if necessary.
    #[cold]
    pub(super) fn put(&mut self, low: u64, high: u32, number: u32) {
        if self.used >= self.slots.len() / 2 && self.slots.len() < MOST {
            let larger = vec![Slot::default(); (self.slots.len() * 4).min(MOST)];
            self.used = 0;
            for old in std::mem::replace(&mut self.slots, larger).into_iter().filter(|old| old.number != 0) {
                self.set(old);
            }
        }
        self.set(Slot { low, high, number });
    }

    fn set(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let first = place(slot.low, slot.high);
        let mut places = (first..first + PROBES).map(|at| at & mask);
        let free = places.find(|&at| self.slots.get(at).is_some_and(|there| there.number == 0));
        let at = free.unwrap_or((first + PROBES - 1) & mask);
        if let Some(there) = self.slots.get_mut(at) {
            self.used += usize::from(there.number == 0);
            *there = slot;
        }
    }
}

#[inline(always)]
fn place(low: u64, high: u32) -> usize {
    let mixed = (low ^ u64::from(high).rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn different_frames_are_never_confused() {
        let mut memo = Memo::new(1);
        let mut truth: HashMap<(u64, u32), u32> = HashMap::new();
        let mut known = 0;
        for i in 0..400_000u64 {
            // Many equal frames, some that differ only in the first or last bytes, and some that collide.
            let (low, high) = match i % 3 {
                0 => (i * i % 1_000, 7),
                1 => (i % 5, u32::try_from(i % 70_000).unwrap_or(0)),
                _ => ((i % 90_000) << 44, 0),
            };
            let fresh = u32::try_from(i).unwrap_or(0) + 1;
            match memo.find(low, high) {
                Some(number) => {
                    assert_eq!(truth.get(&(low, high)), Some(&number));
                    known += 1;
                }
                None => {
                    memo.put(low, high, fresh);
                    truth.insert((low, high), fresh);
                }
            }
        }
        assert!(memo.slots.len() <= MOST && known > 100_000, "{known} of {}", memo.slots.len());
    }
}
