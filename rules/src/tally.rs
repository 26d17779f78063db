//! Adding up by a text, and looking at a long text once.
//!
//! A recording can hold any number of different texts, and any number of events can refer to one that is megabytes long. A list
//! that is searched for each event takes the square of their number, and a map that hashes or compares whole texts takes their
//! length times the events; neither follows the size of the file. Facts hold each text once, so where it is tells which it is.

use std::collections::HashMap;
use std::marker::PhantomData;

/// Values by text: what is worked out for a text is worked out once, however many events have it.
#[derive(Debug)]
pub(super) struct PerText<'f, V> {
    by_place: HashMap<(usize, usize), V>,
    /// Texts that outlive this: no other can come to be at their places.
    texts: PhantomData<&'f str>,
}

impl<V> Default for PerText<'_, V> {
    fn default() -> Self {
        Self { by_place: HashMap::new(), texts: PhantomData }
    }
}

impl<'f, V> PerText<'f, V> {
    /// The value of a text, made when it is first asked for.
    pub(super) fn get(&mut self, text: &'f str, make: impl FnOnce(&'f str) -> V) -> &mut V {
        self.by_place.entry((text.as_ptr().addr(), text.len())).or_insert_with(|| make(text))
    }
}

/// Adds items up by the text that `key` gives, in the order of the first of each.
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

/// As much of a text as goes into a line of a report: what rules join texts from, for each of many events.
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
