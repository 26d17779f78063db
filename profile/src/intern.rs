//! Fills the tables from many threads at once.

use std::hash::BuildHasher;
use std::sync::OnceLock;

use crate::work;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use parking_lot::{Mutex, MutexGuard};

use super::index::{Id, IndexVec};
use super::stacks::{self, BLOCK, Blocks, Parts, Stacks};
use super::{BlockId, Frame, FrameId, Function, FunctionId, Label, LabelSetId, StackId, StrId, Tables};

/// Seeded randomly in each process, so that nobody can choose colliding names or stacks.
type Hasher = foldhash::fast::RandomState;

/// Stacks are spread over this many tables, so that threads rarely wait for each other.
const SHARDS: u32 = 16;

/// Tables under construction.
#[derive(Debug)]
pub struct Interner {
    symbols: Mutex<Symbols>,
    blocks: Vec<Mutex<Blocks>>,
    stacks: Vec<Mutex<Stacks>>,
    mark: OnceLock<FrameId>,
    hasher: Hasher,
}

impl Default for Interner {
    fn default() -> Self {
        Self::new()
    }
}

impl Interner {
    /// Empty tables.
    #[must_use]
    pub fn new() -> Self {
        let mut symbols = Symbols::default();
        // The default handles: the empty string and the empty set of labels.
        symbols.string("");
        symbols.label_set(&[]);
        Self {
            symbols: Mutex::new(symbols),
            blocks: (0..SHARDS).map(|_| Mutex::default()).collect(),
            stacks: (0..SHARDS).map(|_| Mutex::default()).collect(),
            mark: OnceLock::new(),
            hasher: Hasher::default(),
        }
    }

    /// The tables of strings, functions, frames and labels. Hold the lock for many lookups at a time.
    pub fn symbols(&self) -> MutexGuard<'_, Symbols> {
        self.symbols.lock()
    }

    /// Sets the frame that marks the root of truncated stacks. Call it before adding any stacks. The mark is
    /// stored apart from the other frames, so that truncated stacks share blocks with complete ones.
    pub fn mark_truncated(&self, mark: FrameId) {
        let first = self.mark.set(mark).is_ok();
        debug_assert!(first, "one mark only");
    }

    /// Interns a stack, leaf first.
    pub fn stack(&self, frames: &[FrameId]) -> StackId {
        let (frames, truncated) = match frames.split_last() {
            Some((last, rest)) if self.mark.get() == Some(last) => (rest, true),
            _ => (frames, false),
        };
        let (loose, inner) = frames.split_at(frames.len() % BLOCK);
        let blocks: Vec<BlockId> = inner.as_chunks::<BLOCK>().0.iter().map(|block| self.block(block)).collect();
        self.rope(loose, &blocks, truncated)
    }

    /// Interns a block of a stack: [`BLOCK`] consecutive frames, counted from the root.
    pub fn block(&self, frames: &[FrameId; BLOCK]) -> BlockId {
        let hash = stacks::hash_block(&self.hasher, frames);
        let (shard, number) = Self::shard(hash);
        let Some(blocks) = self.blocks.get(shard) else { return BlockId::default() };
        let local = blocks.lock().intern(hash, frames);
        BlockId(local.saturating_mul(SHARDS).saturating_add(number))
    }

    /// Interns a stack that is already split: `loose` frames, fewer than a block has, followed by blocks, leaf
    /// first. A truncated stack has the [mark](Self::mark_truncated) after them. Returns the same handle as
    /// [`stack`](Self::stack) for the same frames.
    pub fn rope(&self, loose: &[FrameId], blocks: &[BlockId], truncated: bool) -> StackId {
        debug_assert!(loose.len() < BLOCK, "loose frames that fill a block");
        let mark = self.mark.get().filter(|_| truncated);
        let marks = mark.map(std::slice::from_ref).unwrap_or_default();
        // Deeper stacks than this are rare.
        let mut numbers = [FrameId::default(); 64];
        let many: Vec<FrameId>;
        let blocks = if let Some(numbers) = numbers.get_mut(..blocks.len()) {
            numbers.iter_mut().zip(blocks).for_each(|(to, block)| *to = FrameId(block.0));
            &*numbers
        } else {
            many = blocks.iter().map(|block| FrameId(block.0)).collect();
            &many
        };
        let parts = Parts { loose, blocks, marks };
        let hash = stacks::hash(&self.hasher, parts);
        let (shard, number) = Self::shard(hash);
        let Some(stacks) = self.stacks.get(shard) else { return StackId::default() };
        let local = stacks.lock().intern(hash, parts);
        StackId(local.saturating_mul(SHARDS).saturating_add(number))
    }

    /// The shard for a hash. The shard's own table uses the lower bits.
    fn shard(hash: u64) -> (usize, u32) {
        let shard = (hash >> 40) & u64::from(SHARDS - 1);
        (shard as usize, u32::try_from(shard).unwrap_or(0))
    }

    /// The number of stacks, and the approximate size of all tables in bytes.
    pub fn size(&self) -> (usize, usize) {
        let (mut count, mut bytes) = (0usize, self.symbols().bytes());
        for blocks in &self.blocks {
            bytes = bytes.saturating_add(blocks.lock().bytes());
        }
        for stacks in &self.stacks {
            let stacks = stacks.lock();
            count = count.saturating_add(stacks.len());
            bytes = bytes.saturating_add(stacks.bytes());
        }
        (count, bytes)
    }

    /// Finishes the tables.
    #[must_use]
    pub fn freeze(self) -> Tables {
        Tables {
            symbols: self.symbols.into_inner(),
            blocks: self.blocks.into_iter().map(|s| s.into_inner()).collect(),
            stacks: self.stacks.into_iter().map(|s| s.into_inner()).collect(),
        }
    }
}

/// Strings, functions, frames and label sets.
#[derive(Debug, Default)]
pub struct Symbols {
    strings: Texts,
    functions: Interned<FunctionId, Function>,
    frames: Interned<FrameId, Frame>,
    label_sets: Interned<LabelSetId, Box<[Label]>>,
    hasher: Hasher,
}

impl Symbols {
    /// Interns a string.
    pub fn string(&mut self, text: &str) -> StrId {
        StrId(self.strings.intern(text, &self.hasher))
    }

    /// The handle of a string, if it is already interned.
    pub(super) fn find_string(&self, text: &str) -> Option<StrId> {
        self.strings.find(text, self.hasher.hash_one(text)).map(StrId)
    }

    pub(super) fn string_count(&self) -> usize {
        self.strings.ends.len()
    }

    /// Interns a function.
    pub fn function_id(&mut self, function: Function) -> FunctionId {
        self.functions.intern(function, &self.hasher)
    }

    /// Interns a frame.
    pub fn frame_id(&mut self, frame: Frame) -> FrameId {
        self.frames.intern(frame, &self.hasher)
    }

    /// Interns a set of labels. Always pass labels in the same order.
    pub fn label_set(&mut self, labels: &[Label]) -> LabelSetId {
        self.label_sets.intern(labels.into(), &self.hasher)
    }

    /// The string with this handle.
    #[inline]
    #[must_use]
    pub fn str(&self, id: StrId) -> &str {
        self.strings.get(id.index())
    }

    /// The function with this handle.
    #[inline]
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Function {
        self.functions.items[id]
    }

    /// The frame with this handle.
    #[inline]
    #[must_use]
    pub fn frame(&self, id: FrameId) -> Frame {
        self.frames.items[id]
    }

    /// The labels of a label set.
    #[must_use]
    pub fn labels_of(&self, id: LabelSetId) -> &[Label] {
        &self.label_sets.items[id]
    }

    fn bytes(&self) -> usize {
        let texts =
            self.strings.text.capacity() + (self.strings.ends.capacity() * 8) + self.strings.table.capacity() * 17;
        texts + self.functions.bytes() + self.frames.bytes() + self.label_sets.bytes() * 4
    }

    pub(super) fn function_count(&self) -> usize {
        self.functions.items.len()
    }

    pub(super) fn frame_count(&self) -> usize {
        self.frames.items.len()
    }
}

/// Values, each stored once.
#[derive(Debug)]
struct Interned<I, T> {
    items: IndexVec<I, T>,
    table: HashTable<I>,
}

impl<I, T> Default for Interned<I, T> {
    fn default() -> Self {
        Self { items: IndexVec::new(), table: HashTable::new() }
    }
}

impl<I, T> Interned<I, T> {
    fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<T>() + self.table.capacity() * 5
    }
}

impl<I: Id, T: std::hash::Hash + Eq> Interned<I, T> {
    fn intern(&mut self, item: T, hasher: &Hasher) -> I {
        let items = &mut self.items;
        let same = |&id: &I| {
            work::done(1);
            items[id] == item
        };
        let rehash = |&id: &I| hasher.hash_one(&items[id]);
        match self.table.entry(hasher.hash_one(&item), same, rehash) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(free) => {
                let id = items.push(item);
                free.insert(id);
                id
            }
        }
    }
}

/// Strings, each stored once in one buffer.
#[derive(Debug, Default)]
struct Texts {
    text: String,
    ends: Vec<usize>,
    /// Maps a hash to a number. The hash is stored too, so that growing does not hash all strings again.
    table: HashTable<(u64, u32)>,
}

impl Texts {
    fn get(&self, i: usize) -> &str {
        slice_at(&self.ends, i).and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    fn find(&self, text: &str, hash: u64) -> Option<u32> {
        let same = |&(h, i): &(u64, u32)| {
            work::done(1);
            h == hash && self.get(i as usize) == text
        };
        self.table.find(hash, same).map(|&(_, id)| id)
    }

    fn intern(&mut self, text: &str, hasher: &Hasher) -> u32 {
        let hash = hasher.hash_one(text);
        work::done(text.len() + 1);
        if let Some(id) = self.find(text, hash) {
            return id;
        }
        let id = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.text.push_str(text);
        self.ends.push(self.text.len());
        self.table.insert_unique(hash, (hash, id), |&(hash, _)| hash);
        id
    }
}

/// The range of item `i`, given the end of each item.
#[inline]
fn slice_at(ends: &[usize], i: usize) -> Option<std::ops::Range<usize>> {
    let from = match i.checked_sub(1) {
        None => 0,
        Some(before) => *ends.get(before)?,
    };
    Some(from..*ends.get(i)?)
}
