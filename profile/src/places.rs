//! Finds keys in lists that store each key once.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// The places of keys in a list, which stores each key once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    hasher: RandomState,
    table: HashTable<u32>,
}

impl Places {
    /// The place of a key in the list that `at` reads, and whether the key is new. A new key belongs at place `next`.
    pub(crate) fn of<K: Eq + Hash>(&mut self, key: &K, next: usize, at: impl Fn(u32) -> K) -> (u32, bool) {
        let Self { hasher, table } = self;
        match table.entry(hasher.hash_one(key), |&i| at(i) == *key, |&i| hasher.hash_one(at(i))) {
            Entry::Occupied(known) => (*known.get(), false),
            Entry::Vacant(room) => {
                let next = u32::try_from(next).unwrap_or(u32::MAX);
                room.insert(next);
                (next, true)
            }
        }
    }
}
