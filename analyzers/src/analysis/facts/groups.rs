//! Events added up by key.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::Facts;
use crate::analysis::cell::{Cell, ThreadId};
use crate::analysis::math::{Histogram, Spread};
use crate::analysis::needs::{GroupBy, MAX_KEYS, MAX_MEASURES};
use crate::model::StackId;

type Hasher = foldhash::fast::RandomState;

/// Key cells and time slice.
pub(crate) type Key = ([Cell; MAX_KEYS], i64);

/// One event as groups see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) measures: [f64; MAX_MEASURES],
    /// From the beginning of the recording to its end, nanoseconds.
    pub(crate) since: i64,
}

/// What is known of the events of one key.
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
    pub(crate) histogram: Option<Box<Histogram>>,
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
            histogram: by.histogram.then(Box::default),
        };
        if by.spread {
            sums.spread.add(sample.since);
        }
        if let Some(histogram) = &mut sums.histogram {
            histogram.add(sample.measures[0]);
        }
        sums
    }

    #[inline]
    fn add(&mut self, sample: &Sample, spread: bool) {
        self.count = self.count.saturating_add(1);
        if sample.measures[0] > self.max[0] {
            self.max_start = sample.start;
        }
        for ((sum, (min, max)), value) in
            self.sum.iter_mut().zip(self.min.iter_mut().zip(&mut self.max)).zip(sample.measures)
        {
            *sum += value;
            *min = min.min(value);
            *max = max.max(value);
        }
        self.first = self.first.min(sample.start);
        self.last = self.last.max(sample.end);
        if spread {
            self.spread.add(sample.since);
        }
        if let Some(histogram) = &mut self.histogram {
            histogram.add(sample.measures[0]);
        }
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
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (none @ None, Some(theirs)) => *none = Some(theirs.clone()),
            _ => {}
        }
    }
}

/// Events added up, in the order of the first of each key.
#[derive(Debug)]
pub(crate) struct GroupsData {
    pub(crate) by: GroupBy,
    pub(crate) keys: Vec<Key>,
    pub(crate) sums: Vec<Sums>,
    /// The events of keys beyond the cap.
    pub(crate) others: Option<Sums>,
    table: HashTable<u32>,
    hasher: Hasher,
    last: usize,
}

impl GroupsData {
    pub(crate) fn new(by: GroupBy) -> Self {
        Self {
            by,
            keys: Vec::new(),
            sums: Vec::new(),
            others: None,
            table: HashTable::new(),
            hasher: Hasher::default(),
            last: usize::MAX,
        }
    }

    #[inline]
    pub(crate) fn add(&mut self, key: &Key, sample: &Sample) {
        // A loop makes the same event over and over.
        if self.keys.get(self.last) == Some(key)
            && let Some(sums) = self.sums.get_mut(self.last)
        {
            sums.add(sample, self.by.spread);
            return;
        }
        match self.place(key) {
            Place::Known(i) => {
                if let Some(sums) = self.sums.get_mut(i) {
                    sums.add(sample, self.by.spread);
                }
                self.last = i;
            }
            Place::New(i) => {
                self.sums.push(Sums::of(sample, &self.by));
                self.last = i;
            }
            Place::Full => match &mut self.others {
                Some(sums) => sums.add(sample, self.by.spread),
                none => *none = Some(Sums::of(sample, &self.by)),
            },
        }
    }

    /// Adds sums whose key is known by now.
    pub(crate) fn merge(&mut self, key: &Key, sums: Sums) {
        match self.place(key) {
            Place::Known(i) => {
                if let Some(mine) = self.sums.get_mut(i) {
                    mine.merge(&sums);
                }
            }
            Place::New(_) => self.sums.push(sums),
            Place::Full => self.merge_others(sums),
        }
    }

    /// Adds sums of events whose keys are not known.
    pub(crate) fn merge_others(&mut self, sums: Sums) {
        match &mut self.others {
            Some(mine) => mine.merge(&sums),
            none => *none = Some(sums),
        }
    }

    /// Adds what a later part gathered, its keys changed by `map`.
    pub(crate) fn append(&mut self, later: Self, map: impl Fn(Key) -> Key) {
        if self.keys.is_empty() {
            // Room for what comes, without the slack that growing step by step leaves.
            self.keys.reserve_exact(later.keys.len());
            self.sums.reserve_exact(later.sums.len());
        }
        for (key, sums) in later.keys.into_iter().zip(later.sums) {
            self.merge(&map(key), sums);
        }
        if let Some(sums) = later.others {
            self.merge_others(sums);
        }
    }

    /// Key and sums of each group, and the events of keys beyond the cap.
    pub(crate) fn into_entries(self) -> (impl Iterator<Item = (Key, Sums)>, Option<Sums>) {
        (self.keys.into_iter().zip(self.sums), self.others)
    }

    fn place(&mut self, key: &Key) -> Place {
        let (keys, hasher) = (&self.keys, &self.hasher);
        let same = |&i: &u32| keys.get(i as usize) == Some(key);
        let rehash = |&i: &u32| keys.get(i as usize).map_or(0, |k| hasher.hash_one(k));
        match self.table.entry(hasher.hash_one(key), same, rehash) {
            Entry::Occupied(found) => Place::Known(*found.get() as usize),
            Entry::Vacant(_) if self.keys.len() >= self.by.cap => Place::Full,
            Entry::Vacant(free) => {
                let i = self.keys.len();
                free.insert(u32::try_from(i).unwrap_or(u32::MAX));
                self.keys.push(*key);
                Place::New(i)
            }
        }
    }
}

enum Place {
    Known(usize),
    /// The key is in, its sums are to be pushed.
    New(usize),
    Full,
}

/// Events added up by key, which a rule asked for with [`Needs::groups`](crate::analysis::Needs::groups).
#[derive(Debug, Clone, Copy)]
pub struct Groups<'f> {
    pub(super) facts: &'f Facts,
    pub(super) data: Option<&'f GroupsData>,
}

impl<'f> Groups<'f> {
    /// The groups, in the order of the first event of each.
    pub fn iter(&self) -> impl Iterator<Item = Group<'f>> + use<'f> {
        let facts = self.facts;
        self.data.into_iter().flat_map(move |data| {
            data.keys.iter().zip(&data.sums).map(move |((keys, bucket), sums)| Group {
                facts,
                keys: *keys,
                bucket: *bucket,
                sums: std::borrow::Cow::Borrowed(sums),
            })
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.map_or(0, |d| d.keys.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The events of keys beyond the cap, as one group without keys.
    #[must_use]
    pub fn others(&self) -> Option<Group<'f>> {
        let sums = self.data?.others.as_ref()?;
        Some(Group { facts: self.facts, keys: Default::default(), bucket: 0, sums: std::borrow::Cow::Borrowed(sums) })
    }

    /// All events as one group; `None` where there are none.
    #[must_use]
    pub fn total(&self) -> Option<Group<'f>> {
        let mut all = self.by(&[]);
        let mut total = all.pop();
        if let Some(others) = self.others() {
            match &mut total {
                Some(total) => total.sums.to_mut().merge(&others.sums),
                none => *none = Some(others),
            }
        }
        total
    }

    /// The same events by some of their keys only (their places among [`GroupBy`]'s keys), without time slices; the
    /// order is that of the first event of each.
    #[must_use]
    pub fn by(&self, keys: &[usize]) -> Vec<Group<'f>> {
        self.select(keys, |_| true)
    }

    /// As [`by`](Self::by), of the groups that `keep` picks.
    #[must_use]
    pub fn select(&self, keys: &[usize], keep: impl Fn(&Group<'f>) -> bool) -> Vec<Group<'f>> {
        let Some(data) = self.data else { return Vec::new() };
        let mut rolled = GroupsData::new(GroupBy { cap: usize::MAX, ..data.by });
        for group in self.iter().filter(keep) {
            let mut key = [Cell::Null; MAX_KEYS];
            for (to, from) in key.iter_mut().zip(keys) {
                *to = group.keys.get(*from).copied().unwrap_or_default();
            }
            rolled.merge(&(key, 0), group.sums.into_owned());
        }
        let facts = self.facts;
        rolled
            .keys
            .into_iter()
            .zip(rolled.sums)
            .map(|((keys, bucket), sums)| Group { facts, keys, bucket, sums: std::borrow::Cow::Owned(sums) })
            .collect()
    }
}

/// The events of one key.
#[derive(Debug, Clone)]
pub struct Group<'f> {
    facts: &'f Facts,
    keys: [Cell; MAX_KEYS],
    bucket: i64,
    sums: std::borrow::Cow<'f, Sums>,
}

impl<'f> Group<'f> {
    /// Key `i`.
    #[must_use]
    pub fn key(&self, i: usize) -> Cell {
        self.keys.get(i).copied().unwrap_or_default()
    }

    /// Key `i` as a text.
    #[must_use]
    pub fn text(&self, i: usize) -> Option<&'f str> {
        self.key(i).text().map(|id| self.facts.str(id))
    }

    /// Key `i` as a whole number.
    #[must_use]
    pub fn int(&self, i: usize) -> Option<i64> {
        self.key(i).int()
    }

    /// Key `i` as a thread.
    #[must_use]
    pub fn thread(&self, i: usize) -> Option<&'f super::ThreadInfo> {
        self.thread_id(i).map(|id| self.facts.thread(id))
    }

    /// Key `i` as the handle of a thread.
    #[must_use]
    pub fn thread_id(&self, i: usize) -> Option<ThreadId> {
        self.key(i).thread()
    }

    /// Key `i` as a stack.
    #[must_use]
    pub fn stack(&self, i: usize) -> Option<StackId> {
        self.key(i).stack()
    }

    /// The beginning of its time slice, nanoseconds since the epoch; 0 without slices.
    #[must_use]
    pub fn bucket(&self) -> i64 {
        self.bucket
    }

    /// How many events.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sums.count
    }

    /// The sum of measure `i`.
    #[must_use]
    pub fn sum(&self, i: usize) -> f64 {
        self.sums.sum.get(i).copied().unwrap_or(0.0)
    }

    /// The least of measure `i`.
    #[must_use]
    pub fn min(&self, i: usize) -> f64 {
        self.sums.min.get(i).copied().unwrap_or(0.0)
    }

    /// The greatest of measure `i`.
    #[must_use]
    pub fn max(&self, i: usize) -> f64 {
        self.sums.max.get(i).copied().unwrap_or(0.0)
    }

    /// The mean of measure `i`.
    #[must_use]
    pub fn mean(&self, i: usize) -> f64 {
        self.sum(i) / self.count().max(1) as f64
    }

    /// When the event with the greatest first measure began.
    #[must_use]
    pub fn max_start(&self) -> i64 {
        self.sums.max_start
    }

    /// When the first event began.
    #[must_use]
    pub fn first(&self) -> i64 {
        self.sums.first
    }

    /// When the last event ended.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.sums.last
    }

    /// The slices of time in which there were events, where the groups were asked for with [`GroupBy::spread`].
    #[must_use]
    pub fn spread(&self) -> Spread {
        self.sums.spread
    }

    /// The histogram of the first measure, where one was asked for.
    #[must_use]
    pub fn histogram(&self) -> Option<&Histogram> {
        self.sums.histogram.as_deref()
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
    fn parts_added_up_are_the_whole_added_up() {
        const BY: GroupBy = GroupBy::of(&["e"]).by(&["k"]).measure(&["v"]).histogram();
        let (mut whole, mut a, mut b) = (GroupsData::new(BY), GroupsData::new(BY), GroupsData::new(BY));
        for i in 0..100 {
            let (k, s) = (key(i % 7), sample(i, (i * i % 31) as f64));
            whole.add(&k, &s);
            if i < 40 { a.add(&k, &s) } else { b.add(&k, &s) }
        }
        a.append(b, |key| key);
        assert_eq!(a.keys, whole.keys);
        assert_eq!(a.sums, whole.sums);
        assert_eq!(whole.sums[0].count, 15);
    }

    #[test]
    fn beyond_the_cap_keys_are_one() {
        const BY: GroupBy = GroupBy::of(&["e"]).by(&["k"]).measure(&["v"]).up_to(2);
        let mut groups = GroupsData::new(BY);
        for i in 0..10 {
            groups.add(&key(i % 5), &sample(i, 1.0));
        }
        assert_eq!(groups.keys.len(), 2);
        assert_eq!(groups.others.unwrap().count, 6);
    }
}
