//! Constant pools: the location of each constant of a chunk. Constants are decoded only on demand.

use std::ops::Range;

use hashbrown::hash_table::Entry as Slot;
use hashbrown::{HashMap, HashTable};

use crate::cursor::{Cursor, varint_at};
use crate::error::{Damage, Short};
use crate::event::RawEvent;
use crate::ids::{ConstantKey, TypeId};
use crate::layout::{Budget, Layout};
use crate::limits::Limits;
use crate::metadata::{Kind, Metadata};
use crate::plan::{Column, Plan, Row, Text};
use crate::stop::Stop;
use crate::string::RawStr;
use crate::work;

/// Maps a type id to an index in a list.
type TypeMap = HashMap<TypeId, usize, foldhash::fast::RandomState>;

/// How to skip the pools of one chunk, and which of their constants to keep.
///
/// A pool does not record its length in bytes, so every constant before a wanted one has to be skipped. If the
/// last pool is not wanted, it is not examined at all. The JVM writes stack traces, the largest pool, to separate checkpoints.
#[derive(Debug)]
pub struct PoolLayouts {
    layouts: HashMap<TypeId, PoolLayout, foldhash::fast::RandomState>,
    max_entries: usize,
    stop: Stop,
}

/// Number of constants to skip before checking the stop flag again: a checkpoint can be a gigabyte.
const STOP_EVERY: u64 = 1 << 16;

#[derive(Debug)]
struct PoolLayout {
    layout: Layout,
    wanted: bool,
}

impl PoolLayouts {
    /// Computes the layouts of all types that `metadata` declares. `wanted` takes a type id and returns whether
    /// to keep the constants of that type.
    pub fn new(metadata: &Metadata, limits: &Limits, wanted: impl Fn(TypeId) -> bool) -> Self {
        let mut budget = Budget::new(metadata.size().saturating_mul(4).saturating_add(1 << 16));
        // Known writers pool only types that some field refers to, but any type can be pooled.
        let layouts = metadata
            .types()
            .filter(|t| t.super_type().is_none())
            .filter_map(|t| {
                let layout = Layout::of_type(t, limits, &mut budget)?;
                Some((t.id(), PoolLayout { layout, wanted: wanted(t.id()) }))
            })
            .collect();
        Self { layouts, max_entries: limits.pool_entries, stop: Stop::new() }
    }

    /// Stops skipping constants when `stop` is raised. The rest of the checkpoint then counts as damaged; the
    /// next check of the stop reports the reason.
    #[must_use]
    pub fn until(mut self, stop: &Stop) -> Self {
        self.stop = stop.clone();
        self
    }
}

/// The constants found in a part of a chunk.
#[derive(Debug, Default)]
pub struct PoolEntries {
    pools: Vec<Found>,
    by_type: TypeMap,
    entries: usize,
}

/// Constants as (key, position) pairs.
type Entries<'f> = &'f [(u64, usize)];

/// The constants of one type.
#[derive(Debug)]
struct Found {
    type_id: TypeId,
    entries: Vec<(u64, usize)>,
    /// For each checkpoint: the range of its bytes and its first entry.
    checkpoints: Vec<(Range<usize>, usize)>,
}

impl PoolEntries {
    /// Adds the constants of a checkpoint event. The event must be from the chunk that `layouts` was made for.
    ///
    /// # Errors
    /// The kind of damage if the checkpoint does not parse to its end; the constants before the damage are
    /// kept.
    pub fn add(&mut self, event: &RawEvent<'_>, layouts: &PoolLayouts) -> Result<(), Damage> {
        let mut at = Cursor::new(event.payload);
        let begin = event.offset.0;
        self.pools_of(&mut at, begin..begin.saturating_add(event.size), layouts)
    }

    fn pools_of(&mut self, at: &mut Cursor<'_>, checkpoint: Range<usize>, layouts: &PoolLayouts) -> Result<(), Damage> {
        let bad = |_: Short| Damage::BadCheckpoint;
        at.skip_varints(3).map_err(bad)?; // start time, duration, delta
        at.u8().map_err(bad)?; // type mask
        let pools = at.varint().map_err(bad)?;
        for number in 1..=pools {
            let type_id = TypeId(at.varint().map_err(bad)?);
            let count = at.varint().map_err(bad)?;
            if count == 0 {
                continue;
            }
            let layout = layouts.layouts.get(&type_id).ok_or(Damage::UndeclaredPool)?;
            let end = checkpoint.end;
            if layout.wanted {
                let found = self.found(type_id, &checkpoint);
                let before = found.entries.len();
                let room = layouts.max_entries.saturating_sub(before);
                let result = note(&mut found.entries, at, end, count, &layout.layout, (room, &layouts.stop));
                self.entries += found.entries.len() - before;
                result.map_err(bad)?;
            } else if number < pools {
                for i in 0..count {
                    if i % STOP_EVERY == 0 && layouts.stop.is_raised() {
                        return Err(Damage::BadCheckpoint);
                    }
                    at.skip_varints(1).map_err(bad)?;
                    layout.layout.skip(at).map_err(bad)?;
                }
            }
        }
        Ok(())
    }

    fn found(&mut self, type_id: TypeId, checkpoint: &Range<usize>) -> &mut Found {
        let i = *self.by_type.entry(type_id).or_insert_with(|| {
            self.pools.push(Found { type_id, entries: Vec::new(), checkpoints: Vec::new() });
            self.pools.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the map holds positions of this list only")]
        let found = &mut self.pools[i];
        if found.checkpoints.last().is_none_or(|(range, _)| range != checkpoint) {
            found.checkpoints.push((checkpoint.clone(), found.entries.len()));
        }
        found
    }

    /// The number of constants found.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries
    }

    /// Whether no constants were found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }
}

/// Records the key and position of `count` constants, skipping each of them.
fn note(
    out: &mut Vec<(u64, usize)>,
    at: &mut Cursor<'_>,
    end: usize,
    count: u64,
    layout: &Layout,
    (room, stop): (usize, &Stop),
) -> Result<(), Short> {
    // The count may be forged: a constant is at least as long as its key, one byte.
    out.reserve(usize::try_from(count).unwrap_or(usize::MAX).min(at.left() / 4).min(room));
    let bytes = at.rest();
    let mut place = 0;
    for i in 0..count {
        let (key, value) = varint_at(bytes, place).ok_or(Short)?;
        if i >= room as u64 || (i % STOP_EVERY == 0 && stop.is_raised()) {
            return Err(Short);
        }
        out.push((key, end - (bytes.len() - value)));
        place = layout.skip_at(bytes, value)?;
    }
    at.move_to(place)
}

/// The constants of a chunk, by type and key.
#[derive(Debug)]
pub struct Pools<'a> {
    chunk: &'a [u8],
    pools: HashMap<TypeId, Index, foldhash::fast::RandomState>,
}

/// The position of each constant by key.
#[derive(Debug)]
enum Index {
    /// Keys from `first` on, with few gaps. 0 marks a gap: no constant is at the first byte of a chunk.
    Dense { first: u64, places: Vec<usize> },
    /// Arbitrary keys. The hash has a new seed in each process, so that keys cannot be chosen to collide.
    Sparse { hasher: foldhash::fast::RandomState, table: HashTable<(u64, usize)> },
}

impl<'a> Pools<'a> {
    /// Joins the constants found in the parts of a chunk. `parts` must be in file order.
    ///
    /// A key may occur in many checkpoints. As in the JDK's own reader, the oldest checkpoint wins, and within a checkpoint
    /// the last entry. `newest_first` lists the checkpoints' offsets from the newest on, if they are not simply in
    /// chronological order. For the type `newest`, the newest checkpoint wins instead: a thread may be renamed. Once
    /// `stop` is raised, the rest is left out.
    pub(crate) fn new(
        chunk: &'a [u8],
        parts: Vec<PoolEntries>,
        newest_first: Option<&[usize]>,
        newest: Option<TypeId>,
        stop: &Stop,
    ) -> Self {
        let mut all: HashMap<TypeId, Vec<Found>, foldhash::fast::RandomState> = HashMap::default();
        for found in parts.into_iter().flat_map(|part| part.pools) {
            all.entry(found.type_id).or_default().push(found);
        }
        let index =
            |type_id: TypeId, found: Vec<Found>| Index::new(&found, newest_first, newest == Some(type_id), stop);
        let pools = all.into_iter().map(|(type_id, found)| (type_id, index(type_id, found))).collect();
        Self { chunk, pools }
    }

    /// The bytes of a constant, beginning with its value and extending to the end of the chunk.
    #[inline]
    #[must_use]
    pub fn get(&self, type_id: TypeId, key: ConstantKey) -> Option<&'a [u8]> {
        self.of_type(type_id)?.get(key)
    }

    /// The pool of one type. Use it for many lookups.
    #[inline]
    #[must_use]
    pub fn of_type(&self, type_id: TypeId) -> Option<PoolOf<'_, 'a>> {
        Some(PoolOf { chunk: self.chunk, index: self.pools.get(&type_id)? })
    }

    /// The string that a reference to `type_id` leads to: an entry in the pool of strings, or a constant of a
    /// type that wraps a single string, such as a symbol. A pooled string is followed one step.
    #[must_use]
    pub fn string(&self, metadata: &Metadata, type_id: TypeId, key: ConstantKey) -> RawStr<'a> {
        let Some(bytes) = self.get(type_id, key) else { return RawStr::Null };
        let of = metadata.by_id(type_id);
        let is_string = |kind| matches!(kind, Some(Kind::String));
        if let Some(of) = of
            && !is_string(Some(of.kind()))
        {
            let mut fields = of.fields();
            let Some(first) = fields.next().filter(|f| !f.is_array()) else { return RawStr::Null };
            let kind = first.value_type().map(|t| t.kind());
            if first.is_pooled() && is_string(kind) {
                let key = ConstantKey(Cursor::new(bytes).varint().unwrap_or(0));
                return self.resolve(first.type_id(), RawStr::Pooled(key));
            }
            if !is_string(kind) {
                return RawStr::Null;
            }
            return self.resolve(first.type_id(), RawStr::read(&mut Cursor::new(bytes)).unwrap_or(RawStr::Null));
        }
        self.resolve(type_id, RawStr::read(&mut Cursor::new(bytes)).unwrap_or(RawStr::Null))
    }

    /// The text of a field: written into the value itself, a key of the pool of strings, or a constant that wraps a
    /// string. Null if the plan does not have the field.
    #[must_use]
    pub fn text<const N: usize>(
        &self,
        metadata: &Metadata,
        plan: &Plan<N>,
        row: &Row<'a, N>,
        column: Column<Text>,
    ) -> RawStr<'a> {
        match plan.type_id(column) {
            Some(id) if plan.is_pooled(column) => self.string(metadata, id, row.get(column.of::<ConstantKey>())),
            Some(id) => self.resolve(id, row.get(column)),
            None => RawStr::Null,
        }
    }

    /// Follows a pooled string into the pool of strings; other strings are returned unchanged.
    #[must_use]
    pub fn resolve(&self, string_type: TypeId, text: RawStr<'a>) -> RawStr<'a> {
        let RawStr::Pooled(key) = text else { return text };
        match self.get(string_type, key).and_then(|bytes| RawStr::read(&mut Cursor::new(bytes)).ok()) {
            // Only one step: a pool of strings that points into itself would otherwise loop forever.
            Some(RawStr::Pooled(_)) | None => RawStr::Null,
            Some(text) => text,
        }
    }
}

/// The constants of one type.
#[derive(Debug, Clone, Copy)]
pub struct PoolOf<'p, 'a> {
    chunk: &'a [u8],
    index: &'p Index,
}

impl<'a> PoolOf<'_, 'a> {
    /// The bytes of a constant, beginning with its value and extending to the end of the chunk.
    #[inline]
    #[must_use]
    pub fn get(&self, key: ConstantKey) -> Option<&'a [u8]> {
        self.chunk.get(self.index.place(key.0)?..)
    }

    /// All keys, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = ConstantKey> + '_ {
        let (dense, sparse) = match self.index {
            Index::Dense { first, places } => (Some((*first, places)), None),
            Index::Sparse { table, .. } => (None, Some(table)),
        };
        let dense = dense.into_iter().flat_map(|(first, places)| {
            (0u64..).zip(places).filter(|(_, place)| **place != 0).map(move |(i, _)| first.wrapping_add(i))
        });
        dense.chain(sparse.into_iter().flat_map(|table| table.iter().map(|&(key, _)| key))).map(ConstantKey)
    }
}

impl Index {
    fn new(found: &[Found], newest_first: Option<&[usize]>, newest: bool, stop: &Stop) -> Self {
        let n: usize = found.iter().map(|f| f.entries.len()).sum();
        let mut runs: Vec<(&Range<usize>, Entries<'_>)> = Vec::new();
        for part in found {
            let ends = part.checkpoints.iter().skip(1).map(|c| c.1).chain([part.entries.len()]);
            for ((range, from), to) in part.checkpoints.iter().zip(ends) {
                runs.push((range, part.entries.get(*from..to).unwrap_or_default()));
            }
        }
        if let Some(order) = newest_first {
            let age: HashMap<usize, usize, foldhash::fast::RandomState> = order.iter().copied().zip(0..).collect();
            let age = |at: usize| age.get(&at).copied().unwrap_or(usize::MAX);
            runs.sort_by_cached_key(|(range, _)| std::cmp::Reverse(age(range.start)));
        }
        let (mut low, mut high) = (u64::MAX, 0);
        for &(key, _) in runs.iter().flat_map(|(_, entries)| *entries) {
            (low, high) = (low.min(key), high.max(key));
        }
        let span = usize::try_from(high.saturating_sub(low)).unwrap_or(usize::MAX);
        let mut index = if span / 4 <= n {
            Self::Dense { first: low, places: vec![0; span.saturating_add(1)] }
        } else {
            Self::Sparse {
                hasher: foldhash::fast::RandomState::default(),
                table: HashTable::with_capacity(n.min(1 << 16)),
            }
        };
        for (checkpoint, entries) in runs {
            for some in entries.chunks(1 << 16) {
                // In that case missing constants do not matter, because the call that needs them ends.
                if stop.is_raised() {
                    return index;
                }
                for &(key, place) in some {
                    index.insert(key, place, checkpoint, newest);
                }
            }
        }
        index
    }

    #[inline]
    fn place(&self, key: u64) -> Option<usize> {
        match self {
            Self::Dense { first, places } => {
                let i = usize::try_from(key.wrapping_sub(*first)).ok()?;
                places.get(i).copied().filter(|&place| place != 0)
            }
            Self::Sparse { hasher, table } => {
                table.find(hash(hasher, key), |&(k, _)| same(k, key)).map(|&(_, place)| place)
            }
        }
    }

    /// Within a checkpoint a later entry replaces an earlier one; an entry from an older checkpoint is kept, unless `newest`.
    fn insert(&mut self, key: u64, place: usize, checkpoint: &Range<usize>, newest: bool) {
        match self {
            Self::Dense { first, places } => {
                let i = usize::try_from(key.wrapping_sub(*first)).unwrap_or(usize::MAX);
                if let Some(old) = places.get_mut(i)
                    && (*old == 0 || newest || checkpoint.contains(old))
                {
                    *old = place;
                }
            }
            Self::Sparse { hasher, table } => {
                match table.entry(hash(hasher, key), |&(k, _)| same(k, key), |&(k, _)| hash(hasher, k)) {
                    Slot::Occupied(mut old) => {
                        if newest || checkpoint.contains(&old.get().1) {
                            old.get_mut().1 = place;
                        }
                    }
                    Slot::Vacant(free) => {
                        free.insert((key, place));
                    }
                }
            }
        }
    }
}

#[inline]
fn same(a: u64, b: u64) -> bool {
    work::done(1);
    a == b
}

#[inline]
fn hash(hasher: &foldhash::fast::RandomState, key: u64) -> u64 {
    use std::hash::BuildHasher;
    hasher.hash_one(key)
}
