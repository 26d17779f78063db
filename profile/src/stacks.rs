//! Stacks, each kept once.

use std::hash::{BuildHasher, Hasher};

use crate::work;
use hashbrown::HashTable;

use super::FrameId;

/// Frames in the first block, and in a block at most.
const FIRST_BLOCK: usize = 1 << 10;
const BLOCK: usize = 1 << 16;

/// Each stack once.
#[derive(Debug, Default)]
pub(super) struct Stacks {
    /// Blocks that never grow beyond their room: what is in them is not moved.
    blocks: Vec<Vec<FrameId>>,
    spans: Vec<Span>,
    /// Number by hash; the hash stands beside it so that growing does not hash all stacks again.
    table: HashTable<(u64, u32)>,
}

/// Where a stack is.
#[derive(Debug, Clone, Copy)]
struct Span {
    block: u32,
    from: u32,
    len: u32,
}

impl Stacks {
    pub(super) fn get(&self, i: usize) -> &[FrameId] {
        let Some(span) = self.spans.get(i) else { return &[] };
        let from = span.from as usize;
        let block = self.blocks.get(span.block as usize);
        block.and_then(|block| block.get(from..from + span.len as usize)).unwrap_or_default()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        let frames = self.blocks.iter().fold(0, |sum: usize, block| sum.saturating_add(block.capacity()));
        frames * size_of::<FrameId>() + self.spans.capacity() * size_of::<Span>() + self.table.capacity() * 17
    }

    /// The number of a stack, given its [`hash`].
    pub(super) fn intern(&mut self, hash: u64, frames: &[FrameId]) -> u32 {
        work::done(frames.len());
        if let Some(&(_, id)) = self.table.find(hash, |&(h, i)| h == hash && same(self.get(i as usize), frames)) {
            return id;
        }
        let id = number(self.spans.len());
        let span = self.append(frames);
        self.spans.push(span);
        self.table.insert_unique(hash, (hash, id), |&(h, _)| h);
        id
    }

    fn append(&mut self, frames: &[FrameId]) -> Span {
        let room = self.blocks.last().map_or(0, |block| block.capacity() - block.len());
        if room < frames.len() {
            let last = self.blocks.last().map_or(FIRST_BLOCK / 2, Vec::capacity);
            let size = last.saturating_mul(2).min(BLOCK).max(frames.len());
            self.blocks.push(Vec::with_capacity(size));
        }
        let number_of_block = number(self.blocks.len().saturating_sub(1));
        let Some(block) = self.blocks.last_mut() else { return Span { block: 0, from: 0, len: 0 } };
        let from = number(block.len());
        block.extend_from_slice(frames);
        Span { block: number_of_block, from, len: number(frames.len()) }
    }
}

/// More than 2^32 stacks, blocks, or frames in a block do not fit into any memory that a recording is read with.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The hash of a stack, four frames at a time: the derived one goes from frame to frame.
pub(super) fn hash(hasher: &impl BuildHasher, frames: &[FrameId]) -> u64 {
    let mut state = hasher.build_hasher();
    let (fours, last) = frames.as_chunks::<4>();
    for [a, b, c, d] in fours {
        let (low, high) = (u64::from(a.0) | u64::from(b.0) << 32, u64::from(c.0) | u64::from(d.0) << 32);
        state.write_u128(u128::from(low) | u128::from(high) << 64);
    }
    for frame in last {
        state.write_u32(frame.0);
    }
    state.write_usize(frames.len());
    state.finish()
}

/// Stacks with the same hash are nearly always the same, so all frames are compared, without a branch for each.
fn same(a: &[FrameId], b: &[FrameId]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a.0 ^ b.0)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_of_any_length_are_kept_once() {
        let hasher = foldhash::fast::RandomState::default();
        let mut stacks = Stacks::default();
        let stack = |i: u32| (0..i * 37 % 3_000).map(|n| FrameId(n ^ i)).collect::<Vec<FrameId>>();
        let huge: Vec<FrameId> = (0..200_000).map(FrameId).collect();
        for round in 0..2 {
            for i in 0..500u32 {
                let frames = stack(i);
                let id = stacks.intern(hash(&hasher, &frames), &frames);
                assert_eq!(stacks.get(id as usize), frames, "round {round}, stack {i}");
            }
            let id = stacks.intern(hash(&hasher, &huge), &huge);
            assert_eq!(stacks.get(id as usize), huge);
        }
        // All but the first of the empty ones are different.
        let empty = (0..500u32).filter(|&i| stack(i).is_empty()).count();
        assert_eq!(stacks.spans.len(), 500 - empty.saturating_sub(1) + 1);
        assert!(stacks.get(usize::MAX).is_empty());
    }
}
