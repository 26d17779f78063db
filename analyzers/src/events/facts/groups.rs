//! Sums of events by key.

use std::hash::{BuildHasher, Hasher as _};
use std::sync::{Arc, LazyLock};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::Facts;
use super::bounded::Places;
use super::column::Column;
use crate::events::cell::{Cell, ThreadId};
use crate::events::names::Names;
use crate::events::needs::{FIRST, GroupBy, MAX_KEYS, MAX_MEASURES};
use crate::hash::Hasher;
use crate::math::{Histogram, Spread};
use jfrkit_profile::StackId;
use jfrkit_profile::index::{at, at_mut};

/// Key cells and time slice.
pub(crate) type Key = ([Cell; MAX_KEYS], i64);

/// One event, as it is added to groups.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) measures: [f64; MAX_MEASURES],
    /// Nanoseconds from the beginning of the recording to the end of the event.
    pub(crate) since: i64,
}

/// The sums over the events with one key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sums {
    pub(crate) count: u64,
    pub(crate) sum: [f64; MAX_MEASURES],
    pub(crate) min: [f64; MAX_MEASURES],
    pub(crate) max: [f64; MAX_MEASURES],
    pub(crate) max_start: i64,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) spread: Spread,
    pub(crate) histogram: Option<Arc<Histogram>>,
}

impl Sums {
    fn of(sample: &Sample, by: &GroupBy) -> Self {
        let mut sums = Self {
            count: 1,
            sum: sample.measures,
            min: sample.measures,
            max: sample.measures,
            max_start: sample.start,
            first: sample.start,
            last: sample.end,
            spread: Spread::default(),
            histogram: by.histogram.then(Arc::default),
        };
        if by.spread {
            sums.spread.add(sample.since);
        }
        if let Some(histogram) = &mut sums.histogram {
            Arc::make_mut(histogram).add(sample.measures[0]);
        }
        sums
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        if other.max[0] > self.max[0] {
            self.max_start = other.max_start;
        }
        for (mine, theirs) in self.sum.iter_mut().zip(other.sum) {
            *mine += theirs;
        }
        for (mine, theirs) in self.min.iter_mut().zip(other.min) {
            *mine = mine.min(theirs);
        }
        for (mine, theirs) in self.max.iter_mut().zip(other.max) {
            *mine = mine.max(theirs);
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.spread.merge(&other.spread);
        match (&mut self.histogram, &other.histogram) {
            (Some(mine), Some(theirs)) => Arc::make_mut(mine).merge(theirs),
            (none @ None, Some(theirs)) => *none = Some(theirs.clone()),
            _ => {}
        }
    }
}

/// The part that every group has.
#[derive(Debug, Clone, Copy)]
struct Head {
    count: u64,
    first: i64,
    last: i64,
    max_start: i64,
}

/// The sums of one measure of a group.
#[derive(Debug, Clone, Copy)]
struct Amounts {
    sum: f64,
    min: f64,
    max: f64,
}

/// Sums of events, in the order of the first event of each key. There may be hundreds of thousands of groups,
/// so each uses memory only for the keys and measures it has.
#[derive(Debug)]
pub(crate) struct GroupsData {
    pub(crate) by: GroupBy,
    /// The keys of each group.
    cells: Column<Cell>,
    /// The time slice of each group, if there are slices.
    buckets: Column<i64>,
    heads: Column<Head>,
    /// The measures of each group.
    amounts: Column<Amounts>,
    /// The time spread of each group, if requested.
    spreads: Column<Spread>,
    histograms: Vec<Arc<Histogram>>,
    /// The keys that regrouped groups still have.
    kept: [bool; MAX_KEYS],
    /// The events whose keys exceed the limit.
    pub(crate) others: Option<Sums>,
    /// The index of each group, beside the hash of its key: nothing is hashed again, or looked up elsewhere, when
    /// the table grows or groups are joined. Half of the hash suffices for tables of this size.
    table: HashTable<(u32, u32)>,
    last: usize,
}

/// The hasher for keys, seeded once per process: groups that are joined use the same one.
static HASHER: LazyLock<Hasher> = LazyLock::new(Hasher::default);

impl GroupsData {
    pub(crate) fn new(by: GroupBy) -> Self {
        Self {
            cells: Column::new(by.keys.len()),
            buckets: Column::new(1),
            heads: Column::new(1),
            amounts: Column::new(by.measures.len()),
            spreads: Column::new(1),
            by,
            kept: [true; MAX_KEYS],
            histograms: Vec::new(),
            others: None,
            table: HashTable::new(),
            last: usize::MAX,
        }
    }

    /// The number of groups.
    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The index of a key. Panics if the groups do not have it: the rule that asks for it has a bug, and is reported
    /// as failed.
    #[inline]
    fn key_place(&self, name: &str) -> usize {
        match place_of(&self.by.keys, name) {
            Some(place) if self.kept.get(place) == Some(&true) => place,
            _ => self.none("key", name),
        }
    }

    /// The index of a measure. Panics like [`key_place`](Self::key_place).
    #[inline]
    fn measure_place(&self, name: &str) -> usize {
        if name == FIRST {
            return 0;
        }
        match place_of(&self.by.measures, name) {
            Some(place) => place,
            None => self.none("measure", name),
        }
    }

    #[cold]
    #[expect(clippy::panic, reason = "a rule with a bug must not judge")]
    fn none(&self, what: &str, name: &str) -> ! {
        let keys: Vec<&str> =
            self.by.keys.iter().zip(self.kept).filter(|(_, kept)| *kept).map(|(key, _)| key).collect();
        panic!("no {what} {name} in {:?}, of whose keys {keys:?} are left", self.by)
    }

    /// The key of group `i`.
    pub(crate) fn key(&self, i: usize) -> Key {
        let mut key: Key = ([Cell::Null; MAX_KEYS], self.buckets.get(i).copied().unwrap_or(0));
        key.0.iter_mut().zip(self.cells.row(i)).for_each(|(to, cell)| *to = *cell);
        key
    }

    /// The sums of group `i`.
    pub(crate) fn sums(&self, i: usize) -> Option<Sums> {
        let Head { count, first, last, max_start } = *self.heads.get(i)?;
        let zero = [0.0; MAX_MEASURES];
        let spread = self.spreads.get(i).copied().unwrap_or_default();
        let histogram = self.histograms.get(i).cloned();
        let mut sums = Sums { count, sum: zero, min: zero, max: zero, max_start, first, last, spread, histogram };
        for (m, amounts) in self.amounts.row(i).iter().enumerate().take(MAX_MEASURES) {
            let [sum, min, max] = [&mut sums.sum, &mut sums.min, &mut sums.max].map(|of| of.get_mut(m));
            for (to, value) in [(sum, amounts.sum), (min, amounts.min), (max, amounts.max)] {
                to.into_iter().for_each(|to| *to = value);
            }
        }
        Some(sums)
    }

    /// The key and sums of each group.
    #[cfg(test)]
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Key, Sums)> {
        (0..self.len()).filter_map(|i| Some((self.key(i), self.sums(i)?)))
    }

    #[inline]
    pub(crate) fn add(&mut self, key: &Key, sample: &Sample) {
        // A loop produces the same event over and over.
        if self.last < self.len() && self.is(self.last, key) {
            self.add_to(self.last, sample);
            return;
        }
        match self.place(key, None) {
            Place::Existing(i) => {
                self.add_to(i, sample);
                self.last = i;
            }
            Place::New(i) => {
                self.push_sample(sample);
                self.last = i;
            }
            Place::Full => self.merge_others(Sums::of(sample, &self.by)),
        }
    }

    #[inline]
    fn add_to(&mut self, i: usize, sample: &Sample) {
        let Some(head) = self.heads.get_mut(i) else { return };
        head.count = head.count.saturating_add(1);
        head.first = head.first.min(sample.start);
        head.last = head.last.max(sample.end);
        let amounts = self.amounts.row_mut(i);
        if amounts.first().is_some_and(|first| sample.measures[0] > first.max) {
            head.max_start = sample.start;
        }
        for (amounts, value) in amounts.iter_mut().zip(sample.measures) {
            amounts.sum += value;
            amounts.min = amounts.min.min(value);
            amounts.max = amounts.max.max(value);
        }
        if let Some(spread) = self.spreads.get_mut(i) {
            spread.add(sample.since);
        }
        if let Some(histogram) = self.histograms.get_mut(i) {
            Arc::make_mut(histogram).add(sample.measures[0]);
        }
    }

    /// Adds sums whose key is now known.
    pub(crate) fn merge(&mut self, key: &Key, sums: Sums) {
        match self.place(key, None) {
            Place::Existing(i) => {
                if let Some(mut mine) = self.sums(i) {
                    // Released at once, so that there is only one owner again.
                    self.histograms.get_mut(i).into_iter().for_each(|histogram| *histogram = Arc::default());
                    mine.merge(&sums);
                    self.set(i, mine);
                }
            }
            Place::New(_) => self.push(sums),
            Place::Full => self.merge_others(sums),
        }
    }

    /// Adds sums of events with unknown keys.
    pub(crate) fn merge_others(&mut self, sums: Sums) {
        match &mut self.others {
            Some(mine) => mine.merge(&sums),
            none => *none = Some(sums),
        }
    }

    /// Adds the groups of a later part, with their keys converted by `map`.
    pub(crate) fn append(&mut self, mut later: Self, map: impl Fn(Key) -> Key) {
        if self.len() == 0 {
            self.table.reserve(later.len(), |&(hash, _)| widened(hash));
        }
        let mut hashes = vec![0u32; later.len()];
        for &(hash, j) in &later.table {
            if let Some(to) = at_mut(&mut hashes, j as usize) {
                *to = hash;
            }
        }
        // Moved, so that each histogram has only one owner.
        let mut histograms = std::mem::take(&mut later.histograms).into_iter();
        for (j, hash) in hashes.into_iter().enumerate() {
            let key = later.key(j);
            let mapped = map(key);
            let known = (mapped == key).then_some(hash);
            self.add_group(&mapped, known, &later, j, histograms.next());
        }
        if let Some(sums) = later.others.take() {
            self.merge_others(sums);
        }
    }

    /// Adds group `j` of `other` under a key that is now known.
    pub(crate) fn take_group(&mut self, key: &Key, other: &Self, j: usize) {
        self.add_group(key, None, other, j, other.histograms.get(j).cloned());
    }

    /// Adds group `j` of `other`, with its histogram, under a key whose hash may already be known.
    fn add_group(&mut self, key: &Key, hash: Option<u32>, other: &Self, j: usize, histogram: Option<Arc<Histogram>>) {
        match self.place(key, hash) {
            Place::Existing(i) => self.merge_group(i, other, j, histogram.as_deref()),
            Place::New(_) => self.push_group(other, j, histogram),
            Place::Full => {
                other
                    .sums(j)
                    .into_iter()
                    .for_each(|sums| self.merge_others(Sums { histogram: histogram.clone(), ..sums }));
            }
        }
    }

    /// Adds the sums of group `j` of `other`, whose histogram is this one, to those of group `i`.
    fn merge_group(&mut self, i: usize, other: &Self, j: usize, histogram: Option<&Histogram>) {
        let (Some(head), Some(theirs)) = (self.heads.get_mut(i), other.heads.get(j)) else { return };
        head.count = head.count.saturating_add(theirs.count);
        head.first = head.first.min(theirs.first);
        head.last = head.last.max(theirs.last);
        let (mine, more) = (self.amounts.row_mut(i), other.amounts.row(j));
        if mine.first().zip(more.first()).is_some_and(|(mine, more)| more.max > mine.max) {
            head.max_start = theirs.max_start;
        }
        for (mine, more) in mine.iter_mut().zip(more) {
            mine.sum += more.sum;
            mine.min = mine.min.min(more.min);
            mine.max = mine.max.max(more.max);
        }
        if let (Some(mine), Some(more)) = (self.spreads.get_mut(i), other.spreads.get(j)) {
            mine.merge(more);
        }
        if let (Some(mine), Some(more)) = (self.histograms.get_mut(i), histogram) {
            Arc::make_mut(mine).merge(more);
        }
    }

    /// Adds the sums of group `j` of `other`, whose histogram is this one, as a new group.
    fn push_group(&mut self, other: &Self, j: usize, histogram: Option<Arc<Histogram>>) {
        other.heads.get(j).into_iter().for_each(|head| self.heads.push([*head]));
        self.amounts.push(other.amounts.row(j).iter().copied());
        other.spreads.get(j).into_iter().for_each(|spread| self.spreads.push([*spread]));
        self.histograms.extend(histogram);
    }

    /// The groups at these indices, regrouped by some of the keys and without time slices.
    fn rolled(&self, keys: &[&str], places: impl Iterator<Item = usize>) -> Self {
        let wanted: Vec<usize> = keys.iter().map(|key| self.key_place(key)).collect();
        let kept: [bool; MAX_KEYS] = std::array::from_fn(|i| wanted.contains(&i));
        let mut rolled = Self { kept, ..Self::new(GroupBy { cap: usize::MAX, bucket: 0, ..self.by.clone() }) };
        for j in places {
            let mut key = [Cell::Null; MAX_KEYS];
            let row = self.cells.row(j);
            for place in &wanted {
                if let (Some(to), Some(from)) = (at_mut(&mut key, *place), at(row, *place)) {
                    *to = *from;
                }
            }
            match rolled.place(&(key, 0), None) {
                Place::Existing(i) => rolled.merge_group(i, self, j, self.histograms.get(j).map(|of| &**of)),
                Place::New(_) => rolled.push_group(self, j, self.histograms.get(j).cloned()),
                Place::Full => {}
            }
        }
        rolled
    }

    /// Approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let keys = self.cells.bytes() + self.buckets.bytes();
        let sums = self.heads.bytes() + self.amounts.bytes();
        let histogram = size_of::<Arc<Histogram>>() + size_of::<Histogram>() + 16;
        let more = self.spreads.bytes() + self.histograms.capacity() * histogram;
        keys + sums + more + self.table.capacity() * (size_of::<(u32, u32)>() + 1)
    }

    /// Adds a new group of one event.
    fn push_sample(&mut self, sample: &Sample) {
        let Sample { start, end, measures, since } = *sample;
        self.heads.push([Head { count: 1, first: start, last: end, max_start: start }]);
        let amounts = measures.map(|value| Amounts { sum: value, min: value, max: value });
        self.amounts.push(amounts.into_iter().take(self.by.measures.len()));
        if self.by.spread {
            let mut spread = Spread::default();
            spread.add(since);
            self.spreads.push([spread]);
        }
        if self.by.histogram {
            let mut histogram = Histogram::default();
            histogram.add(measures[0]);
            self.histograms.push(Arc::new(histogram));
        }
    }

    /// Adds the sums of a new group.
    fn push(&mut self, sums: Sums) {
        let i = self.heads.len();
        self.heads.push([Head { count: 0, first: 0, last: 0, max_start: 0 }]);
        self.amounts.push((0..self.by.measures.len()).map(|_| Amounts { sum: 0.0, min: 0.0, max: 0.0 }));
        if self.by.spread {
            self.spreads.push([Spread::default()]);
        }
        if self.by.histogram {
            self.histograms.push(Arc::default());
        }
        self.set(i, sums);
    }

    fn set(&mut self, i: usize, sums: Sums) {
        let Sums { count, first, last, max_start, spread, histogram, .. } = sums;
        if let Some(head) = self.heads.get_mut(i) {
            *head = Head { count, first, last, max_start };
        }
        let values = sums.sum.iter().zip(sums.min.iter().zip(&sums.max));
        for (to, (sum, (min, max))) in self.amounts.row_mut(i).iter_mut().zip(values) {
            *to = Amounts { sum: *sum, min: *min, max: *max };
        }
        self.spreads.get_mut(i).into_iter().for_each(|to| *to = spread);
        if let (Some(to), Some(histogram)) = (self.histograms.get_mut(i), histogram) {
            *to = histogram;
        }
    }

    /// Whether group `i` has this key.
    #[inline]
    fn is(&self, i: usize, key: &Key) -> bool {
        same_key(&self.cells, &self.buckets, i, key)
    }

    /// The index of a key, whose hash may already be known.
    fn place(&mut self, key: &Key, hash: Option<u32>) -> Place {
        let wanted = key.0.get(..self.by.keys.len()).unwrap_or(&key.0);
        let hash = hash.unwrap_or_else(|| {
            let mut state = HASHER.build_hasher();
            wanted.iter().for_each(|cell| state.write_u64(cell.word()));
            state.write_i64(key.1);
            // The high half is mixed best.
            u32::try_from(state.finish() >> 32).unwrap_or_default()
        });
        let (cells, buckets) = (&self.cells, &self.buckets);
        let same = |&(other, i): &(u32, u32)| {
            jfr_parse::work::done(1);
            other == hash && same_key(cells, buckets, i as usize, key)
        };
        match self.table.entry(widened(hash), same, |&(hash, _)| widened(hash)) {
            Entry::Occupied(found) => Place::Existing(found.get().1 as usize),
            Entry::Vacant(_) if self.heads.len() >= self.by.cap => Place::Full,
            Entry::Vacant(free) => {
                let i = self.heads.len();
                free.insert((hash, u32::try_from(i).unwrap_or(u32::MAX)));
                self.cells.push(wanted.iter().copied());
                if self.by.bucket > 0 {
                    self.buckets.push([key.1]);
                }
                Place::New(i)
            }
        }
    }
}

/// A hash for a table, which uses the highest and the lowest bits.
#[inline]
fn widened(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

/// The index of a name that is equal, or has an alternative in common.
#[inline]
fn place_of(names: &Names, name: &str) -> Option<usize> {
    names.position(name).or_else(|| place_by_part(names, name))
}

#[inline(never)]
fn place_by_part(names: &Names, name: &str) -> Option<usize> {
    let alike = |known: &str| known.split('|').any(|one| name.split('|').any(|other| one == other));
    names.iter().position(alike)
}

/// Whether group `i` has this key.
#[inline]
fn same_key(cells: &Column<Cell>, buckets: &Column<i64>, i: usize, key: &Key) -> bool {
    let row = cells.row(i);
    // Slices of cells are compared by a function that is not always inlined.
    buckets.get(i).is_none_or(|bucket| *bucket == key.1) && row.iter().zip(&key.0).all(|(a, b)| a == b)
}

enum Place {
    Existing(usize),
    /// The key was inserted; its sums still have to be pushed.
    New(usize),
    Full,
}

/// Sums of events by key, which a rule requested with [`Needs::groups`](crate::events::Needs::groups).
#[derive(Debug, Clone, Copy)]
pub struct Groups<'f> {
    pub(super) facts: &'f Facts,
    pub(super) data: Option<&'f GroupsData>,
}

impl<'f> Groups<'f> {
    /// The groups, in the order of their first event. Yields nothing after the analysis was stopped
    /// ([`Facts::stopped`]).
    pub fn iter(&self) -> impl Iterator<Item = Group<'f>> + use<'f> {
        let groups = *self;
        self.places().filter_map(move |i| groups.get(i))
    }

    fn places(&self) -> Places<'f> {
        Places::new(self.facts, self.len())
    }

    fn get(&self, i: usize) -> Option<Group<'f>> {
        self.data.map(|data| Group { facts: self.facts, of: Source::Requested(data), i })
    }

    /// The number of groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.map_or(0, GroupsData::len)
    }

    /// Whether there are no groups.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The events whose keys exceed the limit, as one group without keys.
    #[must_use]
    pub fn others(&self) -> Option<Group<'f>> {
        let data = self.data?;
        let mut others = data.rolled(&[], std::iter::empty());
        others.merge(&Key::default(), data.others.clone()?);
        Self::all(self.facts, others).pop()
    }

    /// All events as one group; `None` if there are no events.
    #[must_use]
    pub fn total(&self) -> Option<Group<'f>> {
        let data = self.data?;
        let mut total = data.rolled(&[], self.places());
        data.others.iter().for_each(|others| total.merge(&Key::default(), others.clone()));
        Self::all(self.facts, total).pop()
    }

    /// Regroups the events by some of their keys, without time slices. The groups are in the order of their first
    /// event.
    ///
    /// # Panics
    /// If the [`GroupBy`] does not have one of the keys.
    #[must_use]
    pub fn by(&self, keys: &[&str]) -> Vec<Group<'f>> {
        let Some(data) = self.data else { return Vec::new() };
        Self::all(self.facts, data.rolled(keys, self.places()))
    }

    fn all(facts: &'f Facts, data: GroupsData) -> Vec<Group<'f>> {
        let data = Arc::new(data);
        let of = |i| {
            jfr_parse::work::done(1);
            Group { facts, of: Source::Rolled(data.clone()), i }
        };
        (0..data.len()).map(of).collect()
    }

    /// Like [`by`](Self::by), for the groups selected by `keep`.
    #[must_use]
    pub fn select(&self, keys: &[&str], keep: impl Fn(&Group<'f>) -> bool) -> Vec<Group<'f>> {
        self.pick(keep).by(keys)
    }

    /// The groups selected by `keep`, for a rule that looks at them several times.
    #[must_use]
    pub fn pick(&self, keep: impl Fn(&Group<'f>) -> bool) -> Picked<'f> {
        let places = self.places().filter(|i| self.get(*i).as_ref().is_some_and(&keep)).collect();
        Picked { of: *self, places }
    }
}

/// Some of the [`Groups`] that a rule requested. See [`Groups::pick`].
#[derive(Debug, Clone)]
pub struct Picked<'f> {
    of: Groups<'f>,
    places: Vec<usize>,
}

impl<'f> Picked<'f> {
    /// The groups, in the order of their first event. Yields nothing after the analysis was stopped
    /// ([`Facts::stopped`]).
    pub fn iter(&self) -> impl Iterator<Item = Group<'f>> {
        self.places().filter_map(|i| self.of.get(i))
    }

    /// Regroups them by some of their keys. See [`Groups::by`].
    #[must_use]
    pub fn by(&self, keys: &[&str]) -> Vec<Group<'f>> {
        self.of.data.map_or_else(Vec::new, |data| Groups::all(self.of.facts, data.rolled(keys, self.places())))
    }

    /// Like [`by`](Self::by), for the groups selected by `keep`.
    #[must_use]
    pub fn select(&self, keys: &[&str], keep: impl Fn(&Group<'f>) -> bool) -> Vec<Group<'f>> {
        let places = self.places().filter(|i| self.of.get(*i).as_ref().is_some_and(&keep)).collect();
        Self { of: self.of, places }.by(keys)
    }

    fn places(&self) -> impl Iterator<Item = usize> {
        Places::new(self.of.facts, self.places.len()).filter_map(|n| at(&self.places, n).copied())
    }
}

/// The events with one key.
///
/// Keys and measures are read by their names in the [`GroupBy`]. A name with alternatives (`path|address`) matches
/// each of them: a rule can ask for one alternative, or for several, of which the groups need to have only one. That is slower
/// than the exact name, so loops over many groups should use the exact name. Asking for a name that the groups do not have is
/// a bug in the rule and panics, so the rule is reported as failed. [`FIRST`] is the first measure.
#[derive(Debug, Clone)]
pub struct Group<'f> {
    facts: &'f Facts,
    of: Source<'f>,
    /// Its index there.
    i: usize,
}

/// The groups that a group is one of.
#[derive(Debug, Clone)]
enum Source<'f> {
    /// Groups of the facts: most rules look at all groups and at few of their sums, so nothing is copied.
    Requested(&'f GroupsData),
    /// Groups that were regrouped.
    Rolled(Arc<GroupsData>),
}

impl<'f> Group<'f> {
    fn data(&self) -> &GroupsData {
        match &self.of {
            Source::Requested(data) => data,
            Source::Rolled(data) => data,
        }
    }

    fn head(&self) -> Head {
        self.data().heads.get(self.i).copied().unwrap_or(Head { count: 0, first: 0, last: 0, max_start: 0 })
    }

    /// The sums of a measure.
    #[inline]
    fn amounts(&self, name: &str) -> Option<&Amounts> {
        let data = self.data();
        let place = data.measure_place(name);
        data.amounts.row(self.i).get(place)
    }

    /// A key.
    #[inline]
    #[must_use]
    pub fn key(&self, name: &str) -> Cell {
        let data = self.data();
        let place = data.key_place(name);
        at(data.cells.row(self.i), place).copied().unwrap_or_default()
    }

    /// A key as a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&'f str> {
        self.key(name).text().map(|id| self.facts.str(id))
    }

    /// A key as an integer.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        self.key(name).int()
    }

    /// A key as a thread.
    #[must_use]
    pub fn thread(&self, name: &str) -> Option<&'f super::ThreadInfo> {
        self.thread_id(name).map(|id| self.facts.thread(id))
    }

    /// A key as a thread handle.
    #[must_use]
    pub fn thread_id(&self, name: &str) -> Option<ThreadId> {
        self.key(name).thread()
    }

    /// A key as a stack.
    #[must_use]
    pub fn stack(&self, name: &str) -> Option<StackId> {
        self.key(name).stack()
    }

    /// The beginning of its time slice in nanoseconds since the epoch; 0 without slices.
    #[must_use]
    pub fn bucket(&self) -> i64 {
        self.data().buckets.get(self.i).copied().unwrap_or(0)
    }

    /// The number of events.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.head().count
    }

    /// The sum of a measure.
    #[must_use]
    pub fn sum(&self, name: &str) -> f64 {
        self.amounts(name).map_or(0.0, |amounts| amounts.sum)
    }

    /// The minimum of a measure.
    #[must_use]
    pub fn min(&self, name: &str) -> f64 {
        self.amounts(name).map_or(0.0, |amounts| amounts.min)
    }

    /// The maximum of a measure.
    #[must_use]
    pub fn max(&self, name: &str) -> f64 {
        self.amounts(name).map_or(0.0, |amounts| amounts.max)
    }

    /// The mean of a measure.
    #[must_use]
    pub fn mean(&self, name: &str) -> f64 {
        self.sum(name) / self.count().max(1) as f64
    }

    /// Start of the event with the greatest first measure.
    #[must_use]
    pub fn max_start(&self) -> i64 {
        self.head().max_start
    }

    /// Start of the first event.
    #[must_use]
    pub fn first(&self) -> i64 {
        self.head().first
    }

    /// End of the last event.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.head().last
    }

    /// The time slices that contain events, if requested with [`GroupBy::spread`].
    #[must_use]
    pub fn spread(&self) -> Spread {
        self.data().spreads.get(self.i).copied().unwrap_or_default()
    }

    /// The histogram of the first measure, if requested.
    #[must_use]
    pub fn histogram(&self) -> Option<&Histogram> {
        self.data().histograms.get(self.i).map(|histogram| &**histogram)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn sample(at: i64, value: f64) -> Sample {
        Sample { start: at, end: at + 1, measures: [value, 0.0, 0.0], since: at }
    }

    fn key(n: i64) -> Key {
        ([Cell::Int(n), Cell::Null, Cell::Null, Cell::Null], 0)
    }

    #[test]
    fn sums_of_parts_equal_the_sums_of_the_whole() {
        const BY: GroupBy = GroupBy::of(&["e"]).by(&["k"]).measure(&["v"]).histogram();
        let (mut whole, mut a, mut b) = (GroupsData::new(BY), GroupsData::new(BY), GroupsData::new(BY));
        for i in 0..100 {
            let (k, s) = (key(i % 7), sample(i, (i * i % 31) as f64));
            whole.add(&k, &s);
            if i < 40 { a.add(&k, &s) } else { b.add(&k, &s) }
        }
        a.append(b, |key| key);
        assert!(a.entries().eq(whole.entries()));
        assert_eq!(whole.sums(0).unwrap().count, 15);
    }

    #[test]
    fn names_find_keys_and_measures_by_any_alternative() {
        const BY: GroupBy = GroupBy::of(&["e"]).by(&["@event", "address", "class|path"]).measure(&["a|b", "b"]);
        let groups = GroupsData::new(BY);
        assert_eq!(["@event", "path", "class|path", "host|path"].map(|name| groups.key_place(name)), [0, 2, 2, 2]);
        assert_eq!(["a|b", "a", "b", FIRST].map(|name| groups.measure_place(name)), [0, 0, 1, 0]);
    }

    #[test]
    #[should_panic(expected = "no key class")]
    fn a_missing_key_panics() {
        const BY: GroupBy = GroupBy::of(&["e"]).by(&["path", "class"]);
        let groups = GroupsData::new(BY).rolled(&["path"], std::iter::empty());
        assert_eq!(groups.key_place("path"), 0);
        groups.key_place("class");
    }

    #[test]
    fn keys_beyond_the_limit_are_one_group() {
        const BY: GroupBy = GroupBy::of(&["e"]).by(&["k"]).measure(&["v"]).up_to(2);
        let mut groups = GroupsData::new(BY);
        for i in 0..10 {
            groups.add(&key(i % 5), &sample(i, 1.0));
        }
        assert_eq!(groups.len(), 2);
        assert_eq!(groups.others.unwrap().count, 6);
    }
}
