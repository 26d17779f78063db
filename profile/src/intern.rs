//! Filling the tables, from many threads at once.

use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::work;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::stacks::{self, Stacks};
use super::{Frame, FrameId, Function, FunctionId, Label, LabelSetId, StackId, StrId, Tables};

/// Seeded anew in each process, so that nobody can choose names or stacks that collide.
type Hasher = foldhash::fast::RandomState;

/// Stacks are spread over this many tables, so that threads seldom wait for each other.
const SHARDS: u32 = 16;

/// Tables that are being filled.
#[derive(Debug)]
pub struct Interner {
    symbols: Mutex<Symbols>,
    stacks: Vec<Mutex<Stacks>>,
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
        // The defaults of the handles: the empty string, the empty set of labels.
        symbols.string("");
        symbols.label_set(&[]);
        let stacks = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { symbols: Mutex::new(symbols), stacks, hasher: Hasher::default() }
    }

    /// The tables of strings, functions, frames and labels. Take them for many look-ups at a time.
    pub fn symbols(&self) -> MutexGuard<'_, Symbols> {
        self.symbols.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handle of a stack, leaf first.
    pub fn stack(&self, frames: &[FrameId]) -> StackId {
        let hash = stacks::hash(&self.hasher, frames);
        // The lower bits choose the place in the shard's own table.
        let shard = ((hash >> 40) & u64::from(SHARDS - 1)) as usize;
        let Some(stacks) = self.stacks.get(shard) else { return StackId::default() };
        let local = stacks.lock().unwrap_or_else(PoisonError::into_inner).intern(hash, frames);
        StackId(local.saturating_mul(SHARDS).saturating_add(u32::try_from(shard).unwrap_or(0)))
    }

    /// How many stacks there are, and about how many bytes all tables take.
    pub fn size(&self) -> (usize, usize) {
        let (mut count, mut bytes) = (0usize, self.symbols().bytes());
        for stacks in &self.stacks {
            let stacks = stacks.lock().unwrap_or_else(PoisonError::into_inner);
            count = count.saturating_add(stacks.len());
            bytes = bytes.saturating_add(stacks.bytes());
        }
        (count, bytes)
    }

    /// Ends the filling.
    #[must_use]
    pub fn freeze(self) -> Tables {
        Tables {
            symbols: self.symbols.into_inner().unwrap_or_else(PoisonError::into_inner),
            stacks: self.stacks.into_iter().map(|s| s.into_inner().unwrap_or_else(PoisonError::into_inner)).collect(),
        }
    }
}

/// Strings, functions, frames and sets of labels.
#[derive(Debug, Default)]
pub struct Symbols {
    strings: Texts,
    functions: Interned<Function>,
    frames: Interned<Frame>,
    label_sets: Interned<Box<[Label]>>,
    hasher: Hasher,
}

impl Symbols {
    /// The handle of a string.
    pub fn string(&mut self, text: &str) -> StrId {
        StrId(self.strings.intern(text, &self.hasher))
    }

    /// The handle of a string that is there already.
    pub(super) fn find_string(&self, text: &str) -> Option<StrId> {
        self.strings.find(text, self.hasher.hash_one(text)).map(StrId)
    }

    pub(super) fn string_count(&self) -> usize {
        self.strings.ends.len()
    }

    /// The handle of a function.
    pub fn function_id(&mut self, function: Function) -> FunctionId {
        FunctionId(self.functions.intern(function, &self.hasher))
    }

    /// The handle of a frame.
    pub fn frame_id(&mut self, frame: Frame) -> FrameId {
        FrameId(self.frames.intern(frame, &self.hasher))
    }

    /// The handle of a set of labels, which should be in the same order wherever it is made.
    pub fn label_set(&mut self, labels: &[Label]) -> LabelSetId {
        LabelSetId(self.label_sets.intern(labels.into(), &self.hasher))
    }

    /// A string.
    #[inline]
    #[must_use]
    pub fn str(&self, id: StrId) -> &str {
        self.strings.get(id.index())
    }

    /// A function.
    #[inline]
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Function {
        let nothing = Function {
            name: StrId::default(),
            system_name: StrId::default(),
            file: StrId::default(),
            library: StrId::default(),
        };
        self.functions.items.get(id.index()).copied().unwrap_or(nothing)
    }

    /// A frame.
    #[inline]
    #[must_use]
    pub fn frame(&self, id: FrameId) -> Frame {
        self.frames.items.get(id.index()).copied().unwrap_or(Frame { function: FunctionId::default(), line: 0 })
    }

    /// The labels of a set.
    #[must_use]
    pub fn labels_of(&self, id: LabelSetId) -> &[Label] {
        self.label_sets.items.get(id.index()).map(|set| &**set).unwrap_or_default()
    }

    fn bytes(&self) -> usize {
        let texts =
            self.strings.text.capacity() + (self.strings.ends.capacity() * 8) + self.strings.table.capacity() * 5;
        texts + self.functions.bytes() + self.frames.bytes() + self.label_sets.bytes() * 4
    }

    pub(super) fn function_count(&self) -> usize {
        self.functions.items.len()
    }

    pub(super) fn frame_count(&self) -> usize {
        self.frames.items.len()
    }
}

/// Each value once.
#[derive(Debug)]
struct Interned<T> {
    items: Vec<T>,
    table: HashTable<u32>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { items: Vec::new(), table: HashTable::new() }
    }
}

impl<T> Interned<T> {
    fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<T>() + self.table.capacity() * 5
    }
}

impl<T: std::hash::Hash + Eq> Interned<T> {
    fn intern(&mut self, item: T, hasher: &Hasher) -> u32 {
        let items = &mut self.items;
        let same = |&i: &u32| {
            work::done(1);
            items.get(i as usize).is_some_and(|known| *known == item)
        };
        let rehash = |&i: &u32| items.get(i as usize).map_or(0, |known| hasher.hash_one(known));
        match self.table.entry(hasher.hash_one(&item), same, rehash) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(free) => {
                let id = u32::try_from(items.len()).unwrap_or(u32::MAX);
                free.insert(id);
                items.push(item);
                id
            }
        }
    }
}

/// Each text once, one after the other.
#[derive(Debug, Default)]
struct Texts {
    text: String,
    ends: Vec<usize>,
    table: HashTable<u32>,
}

impl Texts {
    fn get(&self, i: usize) -> &str {
        slice_at(&self.ends, i).and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    fn find(&self, text: &str, hash: u64) -> Option<u32> {
        let same = |&i: &u32| {
            work::done(1);
            self.get(i as usize) == text
        };
        self.table.find(hash, same).copied()
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
        let (all, ends) = (&self.text, &self.ends);
        let rehash =
            |&i: &u32| hasher.hash_one(slice_at(ends, i as usize).and_then(|r| all.get(r)).unwrap_or_default());
        self.table.insert_unique(hash, id, rehash);
        id
    }
}

/// The range of item `i` among items that end where `ends` says.
#[inline]
fn slice_at(ends: &[usize], i: usize) -> Option<std::ops::Range<usize>> {
    let from = match i.checked_sub(1) {
        None => 0,
        Some(before) => *ends.get(before)?,
    };
    Some(from..*ends.get(i)?)
}
