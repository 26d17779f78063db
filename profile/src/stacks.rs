//! Stacks, each kept once, as ropes.
//!
//! Programs have far fewer inner callers than stacks: nearly all stacks of a pool of threads end in the same dozens of frames.
//! So a stack is cut, from its root on, into blocks of [`BLOCK`] frames, and each block is kept once; what is left at the
//! leaf, fewer frames than a block has, stands beside them. Whoever counts, numbers or writes frames does it once a block.
//!
//! ```text
//! leaf                                                  root
//! a b c | d e f g h i j k | l m n o p q r s | [truncated]
//! loose        block             block          mark
//! ```
//!
//! The mark of a truncated stack stands outside of the blocks, or they would begin in other places than those of whole stacks.

use std::hash::{BuildHasher, Hasher};
use std::ops::Index;

use crate::work;
use hashbrown::HashTable;

use super::{BlockId, FrameId};

/// Frames in a block of a stack.
pub const BLOCK: usize = 8;

/// Numbers in the first piece of memory, and in a piece at most.
const FIRST_PIECE: usize = 1 << 10;
const PIECE: usize = 1 << 16;

/// Each block once.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    items: Vec<[FrameId; BLOCK]>,
    /// Number by hash; the hash stands beside it so that growing does not hash all of them again.
    table: HashTable<(u64, u32)>,
}

impl Blocks {
    fn get(&self, i: usize) -> &[FrameId] {
        self.items.get(i).map(|block| block.as_slice()).unwrap_or_default()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<[FrameId; BLOCK]>() + self.table.capacity() * 17
    }

    /// The number of a block, given its [`hash`].
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

/// Each stack once.
#[derive(Debug, Default)]
pub(super) struct Stacks {
    /// Pieces that never grow beyond their room: what is in them is not moved. Of each stack the loose frames, the numbers
    /// of the blocks, and the mark.
    pieces: Vec<Vec<FrameId>>,
    spans: Vec<Span>,
    /// Number by hash; the hash stands beside it so that growing does not hash all stacks again.
    table: HashTable<(u64, u32)>,
}

/// Where a stack is.
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
    /// Numbers of blocks.
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

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        let numbers = self.pieces.iter().fold(0, |sum: usize, piece| sum.saturating_add(piece.capacity()));
        numbers * size_of::<FrameId>() + self.spans.capacity() * size_of::<Span>() + self.table.capacity() * 17
    }

    /// The number of a stack, given its [`hash`]; it has fewer loose frames than a block, and one mark at most.
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

/// More than 2^32 stacks, pieces, or numbers in a piece do not fit into any memory that a recording is read with.
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

/// Four frames at a time: the derived hash goes from frame to frame.
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

/// Stacks with the same hash are nearly always the same, so all frames are compared, without a branch for each.
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
    /// How many frames it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.loose.len() + self.parts.blocks.len() * BLOCK + self.parts.marks.len()
    }

    /// Whether it has none.
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

    /// The leaf.
    #[must_use]
    pub fn first(&self) -> Option<&'t FrameId> {
        self.iter().next()
    }

    /// The root.
    #[must_use]
    pub fn last(&self) -> Option<&'t FrameId> {
        self.iter().next_back()
    }

    /// The frames as a list, leaf first.
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

    /// The blocks, that of the leaf first; their frames are those behind the [loose](Self::loose) ones. See
    /// [`Tables::block`](super::Tables::block).
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = BlockId> + use<'t> {
        self.parts.blocks.iter().map(|block| BlockId(block.0))
    }

    /// What is behind the blocks: nothing, or the mark of a truncated stack.
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
    /// Where there is none, as for a slice.
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

/// The frames of a block, of which the handle's number is that in its shard times the number of shards, plus the shard.
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
