//! Stacks, each stored once, as ropes.
//!
//! Programs have far fewer outer callers than stacks: nearly all stacks of a thread pool end in the same dozens
//! of frames. So each stack is split, from its root, into blocks of [`BLOCK`] frames, and each block is stored
//! once. The remaining frames at the leaf, fewer than a block, are stored next to them. Code that counts,
//! numbers or writes frames can work once per block.
//!
//! ```text
//! leaf                                                  root
//! a b c | d e f g h i j k | l m n o p q r s | [truncated]
//! loose        block             block          mark
//! ```
//!
//! The mark of a truncated stack is stored outside of the blocks; otherwise its blocks would not line up with
//! those of complete stacks.

use std::hash::{BuildHasher, Hasher};
use std::ops::Index;

use crate::work;
use hashbrown::HashTable;

use super::{BlockId, FrameId};

/// Number of frames in a block of a stack.
pub const BLOCK: usize = 8;

/// Size of the first piece of memory, and maximum size of a piece, in numbers.
const FIRST_PIECE: usize = 1 << 10;
const PIECE: usize = 1 << 16;

/// Blocks, each stored once.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    items: Vec<[FrameId; BLOCK]>,
    /// Maps a hash to a block number. The hash is stored too, so that growing does not hash all blocks again.
    table: HashTable<(u64, u32)>,
}

impl Blocks {
    fn get(&self, i: usize) -> &[FrameId] {
        self.items.get(i).map(|block| block.as_slice()).unwrap_or_default()
    }

    /// The number of blocks.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<[FrameId; BLOCK]>() + self.table.capacity() * 17
    }

    /// Interns a block, given its [`hash_block`].
    pub(super) fn intern(&mut self, hash: u64, frames: &[FrameId; BLOCK]) -> u32 {
        work::done(1);
        if let Some(&(_, id)) = self.table.find(hash, |&(h, i)| h == hash && same(self.get(i as usize), frames)) {
            return id;
        }
        let id = number(self.items.len());
        self.items.push(*frames);
        self.table.insert_unique(hash, (hash, id), |&(h, _)| h);
        id
    }
}

/// Stacks, each stored once.
#[derive(Debug, Default)]
pub(super) struct Stacks {
    /// Memory pieces that never grow beyond their capacity, so that their content is not moved. Each stack has
    /// its loose frames, the numbers of its blocks, and the mark.
    pieces: Vec<Vec<FrameId>>,
    spans: Vec<Span>,
    /// Maps a hash to a stack number. The hash is stored too, so that growing does not hash all stacks again.
    table: HashTable<(u64, u32)>,
}

/// The location of a stack.
#[derive(Debug, Clone, Copy)]
struct Span {
    piece: u32,
    from: u32,
    blocks: u32,
    loose: u8,
    marks: u8,
}

/// The parts of a stack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Parts<'t> {
    pub(super) loose: &'t [FrameId],
    /// The numbers of the blocks.
    pub(super) blocks: &'t [FrameId],
    pub(super) marks: &'t [FrameId],
}

impl Stacks {
    pub(super) fn get(&self, i: usize) -> Parts<'_> {
        let parts = || {
            let span = self.spans.get(i)?;
            let from = span.from as usize;
            let rest = self.pieces.get(span.piece as usize)?.get(from..)?;
            let (loose, rest) = rest.split_at_checked(usize::from(span.loose))?;
            let (blocks, rest) = rest.split_at_checked(span.blocks as usize)?;
            Some(Parts { loose, blocks, marks: rest.get(..usize::from(span.marks))? })
        };
        parts().unwrap_or(Parts { loose: &[], blocks: &[], marks: &[] })
    }

    /// The number of stacks.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        let numbers = self.pieces.iter().fold(0, |sum: usize, piece| sum.saturating_add(piece.capacity()));
        numbers * size_of::<FrameId>() + self.spans.capacity() * size_of::<Span>() + self.table.capacity() * 17
    }

    /// Interns a stack, given its [`hash`]. It has fewer loose frames than a block, and at most one mark.
    pub(super) fn intern(&mut self, hash: u64, parts: Parts<'_>) -> u32 {
        work::done(parts.loose.len() + parts.blocks.len());
        let is = |&(h, i): &(u64, u32)| {
            let known = self.get(i as usize);
            h == hash
                && known.marks == parts.marks
                && same(known.loose, parts.loose)
                && same(known.blocks, parts.blocks)
        };
        if let Some(&(_, id)) = self.table.find(hash, is) {
            return id;
        }
        let id = number(self.spans.len());
        let span = self.append(parts);
        self.spans.push(span);
        self.table.insert_unique(hash, (hash, id), |&(h, _)| h);
        id
    }

    fn append(&mut self, parts: Parts<'_>) -> Span {
        let size = parts.loose.len() + parts.blocks.len() + parts.marks.len();
        let room = self.pieces.last().map_or(0, |piece| piece.capacity() - piece.len());
        if room < size {
            let last = self.pieces.last().map_or(FIRST_PIECE / 2, Vec::capacity);
            self.pieces.push(Vec::with_capacity(last.saturating_mul(2).min(PIECE).max(size)));
        }
        let piece_number = number(self.pieces.len().saturating_sub(1));
        let short = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        let (loose, marks) = (short(parts.loose.len()), short(parts.marks.len()));
        let Some(piece) = self.pieces.last_mut() else {
            return Span { piece: 0, from: 0, blocks: 0, loose: 0, marks: 0 };
        };
        let from = number(piece.len());
        piece.extend_from_slice(parts.loose);
        piece.extend_from_slice(parts.blocks);
        piece.extend_from_slice(parts.marks);
        Span { piece: piece_number, from, blocks: number(parts.blocks.len()), loose, marks }
    }
}

/// Converts to 32 bits. More than 2^32 stacks, pieces, or numbers per piece do not fit in memory anyway.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The hash of a block.
pub(super) fn hash_block(hasher: &impl BuildHasher, frames: &[FrameId; BLOCK]) -> u64 {
    let mut state = hasher.build_hasher();
    write(&mut state, frames);
    state.finish()
}

/// The hash of a stack.
pub(super) fn hash(hasher: &impl BuildHasher, parts: Parts<'_>) -> u64 {
    let mut state = hasher.build_hasher();
    write(&mut state, parts.loose);
    write(&mut state, parts.blocks);
    state.write_usize(parts.loose.len() << 1 | parts.marks.len());
    state.finish()
}

/// Hashes four frames at a time; the derived hash would process one at a time.
fn write(state: &mut impl Hasher, frames: &[FrameId]) {
    let (fours, last) = frames.as_chunks::<4>();
    for [a, b, c, d] in fours {
        let (low, high) = (u64::from(a.0) | u64::from(b.0) << 32, u64::from(c.0) | u64::from(d.0) << 32);
        state.write_u128(u128::from(low) | u128::from(high) << 64);
    }
    for frame in last {
        state.write_u32(frame.0);
    }
}

/// Stacks with the same hash are nearly always equal, so this compares all frames without a branch per frame.
fn same(a: &[FrameId], b: &[FrameId]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a.0 ^ b.0)) == 0
}

/// The frames of a stack, leaf first.
#[derive(Debug, Clone, Copy)]
pub struct Stack<'t> {
    pub(super) parts: Parts<'t>,
    pub(super) blocks: &'t [Blocks],
}

impl<'t> Stack<'t> {
    /// The number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.loose.len() + self.parts.blocks.len() * BLOCK + self.parts.marks.len()
    }

    /// Whether the stack has no frames.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.loose.is_empty() && self.parts.blocks.is_empty() && self.parts.marks.is_empty()
    }

    /// The frames, leaf first.
    #[must_use]
    pub fn iter(&self) -> Frames<'t> {
        Frames {
            front: self.parts.loose.iter(),
            middle: self.parts.blocks.iter(),
            back: self.parts.marks.iter(),
            blocks: self.blocks,
        }
    }

    /// Frame `i`, counted from the leaf.
    #[must_use]
    pub fn get(&self, i: usize) -> Option<&'t FrameId> {
        let Parts { loose, blocks, marks } = self.parts;
        let Some(inner) = i.checked_sub(loose.len()) else { return loose.get(i) };
        match blocks.get(inner / BLOCK) {
            Some(block) => block_of(self.blocks, *block).get(inner % BLOCK),
            None => marks.get(inner.checked_sub(blocks.len() * BLOCK)?),
        }
    }

    /// The leaf frame.
    #[must_use]
    pub fn first(&self) -> Option<&'t FrameId> {
        self.iter().next()
    }

    /// The root frame.
    #[must_use]
    pub fn last(&self) -> Option<&'t FrameId> {
        self.iter().next_back()
    }

    /// The frames as a vector, leaf first.
    #[must_use]
    pub fn to_vec(&self) -> Vec<FrameId> {
        let mut frames = Vec::with_capacity(self.len());
        frames.extend(self.iter().copied());
        frames
    }

    /// The frames at the leaf that do not fill a block.
    #[must_use]
    pub fn loose(&self) -> &'t [FrameId] {
        self.parts.loose
    }

    /// The blocks, starting at the leaf. Their frames follow the [loose](Self::loose) ones. See
    /// [`Tables::block`](super::Tables::block).
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = BlockId> + use<'t> {
        self.parts.blocks.iter().map(|block| BlockId(block.0))
    }

    /// The mark after the blocks if the stack is truncated, otherwise empty.
    #[must_use]
    pub fn mark(&self) -> &'t [FrameId] {
        self.parts.marks
    }
}

impl Index<usize> for Stack<'_> {
    type Output = FrameId;

    /// Frame `i`, counted from the leaf.
    ///
    /// # Panics
    /// If the index is out of range, as for a slice.
    #[expect(clippy::panic, reason = "as for a slice")]
    fn index(&self, i: usize) -> &FrameId {
        self.get(i).unwrap_or_else(|| panic!("frame {i} of a stack of {}", self.len()))
    }
}

impl<'t> IntoIterator for Stack<'t> {
    type Item = &'t FrameId;
    type IntoIter = Frames<'t>;

    fn into_iter(self) -> Frames<'t> {
        self.iter()
    }
}

impl<'t> IntoIterator for &Stack<'t> {
    type Item = &'t FrameId;
    type IntoIter = Frames<'t>;

    fn into_iter(self) -> Frames<'t> {
        self.iter()
    }
}

impl PartialEq for Stack<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// The frames of a [`Stack`], leaf first.
#[derive(Debug, Clone)]
pub struct Frames<'t> {
    front: std::slice::Iter<'t, FrameId>,
    middle: std::slice::Iter<'t, FrameId>,
    back: std::slice::Iter<'t, FrameId>,
    blocks: &'t [Blocks],
}

impl<'t> Iterator for Frames<'t> {
    type Item = &'t FrameId;

    #[inline]
    fn next(&mut self) -> Option<&'t FrameId> {
        loop {
            if let Some(frame) = self.front.next() {
                return Some(frame);
            }
            match self.middle.next() {
                Some(block) => self.front = block_of(self.blocks, *block).iter(),
                None => return self.back.next(),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.front.len() + self.middle.len() * BLOCK + self.back.len();
        (left, Some(left))
    }
}

impl DoubleEndedIterator for Frames<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(frame) = self.back.next_back() {
                return Some(frame);
            }
            match self.middle.next_back() {
                Some(block) => self.back = block_of(self.blocks, *block).iter(),
                None => return self.front.next_back(),
            }
        }
    }
}

impl ExactSizeIterator for Frames<'_> {}

/// The frames of a block. A block handle is the number within its shard times the number of shards, plus the
/// shard.
#[inline]
pub(super) fn block_of(shards: &[Blocks], block: FrameId) -> &[FrameId] {
    let (number, count) = (block.index(), shards.len().max(1));
    shards.get(number % count).map(|blocks| blocks.get(number / count)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::{Frame, FrameId, FunctionId, Interner, StackId};

    #[test]
    fn stacks_of_any_length_are_kept_once() {
        let interner = Interner::new();
        let mark = interner.symbols().frame_id(Frame { function: FunctionId::default(), line: 7 });
        interner.mark_truncated(mark);
        let stack = |i: u32| {
            let mut frames = (0..i * 37 % 3_000).map(|n| FrameId(n ^ i)).collect::<Vec<FrameId>>();
            frames.extend(i.is_multiple_of(3).then_some(mark));
            frames
        };
        let stacks: Vec<Vec<FrameId>> = (0..500).map(stack).chain([(0..200_000).map(FrameId).collect()]).collect();
        let ids: Vec<StackId> = stacks.iter().map(|frames| interner.stack(frames)).collect();
        let again: Vec<StackId> = stacks.iter().map(|frames| interner.stack(frames)).collect();
        assert_eq!(ids, again);
        let tables = interner.freeze();
        for (frames, id) in stacks.iter().zip(&ids) {
            let stack = tables.stack(*id);
            assert_eq!(stack.len(), frames.len());
            assert_eq!(&stack.to_vec(), frames);
            assert!(stack.iter().rev().eq(frames.iter().rev()));
            assert!((0..frames.len() + 1).all(|i| stack.get(i) == frames.get(i)));
            assert!(stack.first() == frames.first() && stack.last() == frames.last());
            let inner: Vec<FrameId> = stack.blocks().flat_map(|block| tables.block(block).to_vec()).collect();
            assert_eq!([stack.loose(), &inner, stack.mark()].concat(), *frames);
            assert_eq!(stack.is_empty(), frames.is_empty());
            let mut both = stack.iter();
            assert!(frames.len() < 3 || (both.next(), both.next_back()) == (frames.first(), frames.last()));
            assert_eq!(both.count(), frames.len().saturating_sub(if frames.len() < 3 { 0 } else { 2 }));
        }
        let mut different = ids.clone();
        different.sort_unstable();
        different.dedup();
        let mut expected = stacks.clone();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(different.len(), expected.len());
        assert!(tables.stack(StackId(u32::MAX)).is_empty());
    }
}
