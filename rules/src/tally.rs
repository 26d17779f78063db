//! Sums by text, and work done once per long text.
//!
//! A recording can hold any number of different texts, and any number of events can refer to one that is megabytes
//! long. Searching a list for each event takes quadratic time, and a map that hashes or compares whole texts takes
//! their length times the number of events; neither scales with the size of the file. Facts hold each text once, so
//! its address identifies it.

use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;

/// Values by text: computed once per text, however many events have it.
#[derive(Debug)]
pub(super) struct PerText<'f, V> {
    by_place: HashMap<(usize, usize), V>,
    /// The texts outlive this map, so no other text can take their addresses.
    texts: PhantomData<&'f str>,
}

impl<V> Default for PerText<'_, V> {
    fn default() -> Self {
        Self { by_place: HashMap::new(), texts: PhantomData }
    }
}

impl<'f, V> PerText<'f, V> {
    /// The value of a text, computed on first use.
    pub(super) fn get(&mut self, text: &'f str, make: impl FnOnce(&'f str) -> V) -> &mut V {
        self.by_place.entry((text.as_ptr().addr(), text.len())).or_insert_with(|| make(text))
    }
}

/// A function of texts that looks at each text only once.
pub(super) fn once_per_text<'f, V: Copy>(look: impl Fn(&'f str) -> V) -> impl FnMut(&'f str) -> V {
    let mut known = PerText::default();
    move |text| *known.get(text, &look)
}

/// Sums items up by the text that `key` returns, in the order of first appearance.
pub(super) fn tally<'f, T, V: Default>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> &'f str,
    mut add: impl FnMut(&mut V, T),
) -> Vec<(&'f str, V)> {
    let mut sums: Vec<(&'f str, V)> = Vec::new();
    let mut by_text: HashMap<&'f str, usize> = HashMap::new();
    let mut known: PerText<'f, usize> = PerText::default();
    for item in items {
        let place = *known.get(key(&item), |text| {
            *by_text.entry(text).or_insert_with(|| {
                sums.push((text, V::default()));
                sums.len() - 1
            })
        });
        if let Some((_, sum)) = sums.get_mut(place) {
            add(sum, item);
        }
    }
    sums
}

/// Each text once, in the order of first appearance.
pub(super) fn distinct<'f>(texts: impl IntoIterator<Item = &'f str>) -> impl Iterator<Item = &'f str> {
    tally(texts, |text| *text, |(), _| {}).into_iter().map(|(text, ())| text)
}

/// A map that iterates in insertion order. Handles of stacks, frames and functions are numbered by whichever thread
/// comes first, so a map sorted by handle would make evidence depend on the number of threads.
#[derive(Debug)]
pub(super) struct InOrder<K, V> {
    entries: Vec<(K, V)>,
    places: HashMap<K, usize, foldhash::fast::RandomState>,
}

impl<K, V> Default for InOrder<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new(), places: HashMap::default() }
    }
}

impl<K: Copy + Eq + Hash, V> InOrder<K, V> {
    /// The value of a key, created when the key is first seen.
    pub(super) fn get_or(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let place = *self.places.entry(key).or_insert(self.entries.len());
        if place == self.entries.len() {
            self.entries.push((key, make()));
        }
        match self.entries.get_mut(place) {
            Some((_, value)) => value,
            None => unreachable!("places are those of entries"),
        }
    }

    pub(super) fn into_entries(self) -> Vec<(K, V)> {
        self.entries
    }

    pub(super) fn into_values(self) -> impl DoubleEndedIterator<Item = V> {
        self.entries.into_iter().map(|(_, value)| value)
    }
}

/// As much of a text as fits a line of a report, for rules that build texts from many events.
pub(super) fn brief(text: &str) -> &str {
    const BYTES: usize = 1_000;
    let end = (0..=BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_added_up_in_the_order_of_the_first() {
        let other = "b".to_owned();
        let items = [("b", 1), ("a", 2), (other.as_str(), 4)];
        let sums: Vec<(&str, i32)> = tally(items, |item| item.0, |sum, item| *sum += item.1);
        assert_eq!(sums, [("b", 5), ("a", 2)]);
    }

    #[test]
    fn entries_keep_the_order_of_insertion() {
        let mut map = InOrder::default();
        for (key, n) in [(9, 1), (2, 10), (9, 100), (5, 1_000)] {
            *map.get_or(key, || 0) += n;
        }
        assert_eq!(map.into_entries(), [(9, 101), (2, 10), (5, 1_000)]);
    }

    #[test]
    fn a_text_is_looked_at_once() {
        let mut looks = 0;
        let mut known = PerText::default();
        for _ in 0..3 {
            known.get("text", |text| {
                looks += 1;
                text.len()
            });
        }
        assert_eq!(looks, 1);
    }

    #[test]
    fn a_brief_text_ends_at_a_character() {
        assert_eq!(brief(&"ä".repeat(600)).chars().count(), 500);
        assert_eq!(brief("short"), "short");
    }
}
