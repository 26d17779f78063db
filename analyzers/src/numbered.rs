//! Numbers things in the order of their first occurrence.

use std::hash::Hash;
use std::ops::Index;

use jfrkit_profile::index::{Id, IndexVec};

use crate::hash::{HashMap, Hasher};

/// Different items, numbered in the order of their first occurrence.
#[derive(Debug, Clone)]
pub(crate) struct Numbered<I, T> {
    items: IndexVec<I, T>,
    numbers: HashMap<T, I>,
}

impl<I, T> Default for Numbered<I, T> {
    fn default() -> Self {
        Self { items: IndexVec::new(), numbers: HashMap::default() }
    }
}

impl<I: Id, T: Clone + Eq + Hash> Numbered<I, T> {
    /// Without items, but with room for `count` of them.
    pub(crate) fn with_capacity(count: usize) -> Self {
        let numbers = HashMap::with_capacity_and_hasher(count, Hasher::default());
        Self { items: IndexVec::with_capacity(count), numbers }
    }

    /// The number of an item, which is added if it is new.
    #[inline]
    pub(crate) fn number(&mut self, item: T) -> I {
        *self.numbers.entry(item).or_insert_with_key(|item| self.items.push(item.clone()))
    }

    /// The items in the order of their numbers.
    pub(crate) fn items(&self) -> &IndexVec<I, T> {
        &self.items
    }

    /// The items in the order of their numbers.
    pub(crate) fn into_items(self) -> IndexVec<I, T> {
        self.items
    }
}

impl<I: Id, T> Index<I> for Numbered<I, T> {
    type Output = T;

    #[inline]
    fn index(&self, number: I) -> &T {
        &self.items[number]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::ids::ids! {
        Word;
    }

    #[test]
    fn equal_items_have_one_number() {
        let mut words: Numbered<Word, &str> = Numbered::default();
        let numbers = ["a", "b", "a"].map(|word| words.number(word));
        assert_eq!(numbers.map(Id::place), [0, 1, 0]);
        assert_eq!((words[numbers[1]], words.items().as_slice()), ("b", &["a", "b"][..]));
    }
}
