//! Turns a label into leaf frames, for viewers that know no labels.

use std::collections::HashMap;

use super::{AnyFunction, AnyProfile, AnySamples, Line, Location};
use crate::StrId;

impl AnyProfile {
    /// Returns the profile with the text of label `key` as the leaf frame of each sample that has one. The
    /// label stays, and samples without it are unchanged.
    ///
    /// With the label `class`, an allocation profile shows what was allocated at the end of each stack.
    #[must_use]
    pub fn with_leaf_frames(&self, key: &str) -> Self {
        let mut profile = Self { samples: AnySamples::default(), ..self.clone() };
        let mut leaves: HashMap<StrId, u32> = HashMap::new();
        let mut times = Vec::new();
        for sample in self.samples() {
            let label = sample.labels.iter().find(|label| self.texts.get(label.key) == key);
            let text = label.map(|label| label.text).filter(|text| !self.texts.get(*text).is_empty());
            let leaf = text.map(|text| *leaves.entry(text).or_insert_with(|| profile.leaf(text)));
            let locations = leaf.into_iter().chain(sample.locations.iter().copied());
            profile.samples.push(locations, sample.values, sample.labels.iter().copied());
            times.extend(sample.time);
        }
        if self.samples.has_times() {
            profile.samples.set_times(times);
        }
        profile
    }

    /// Adds a location with a single frame of this name.
    fn leaf(&mut self, name: StrId) -> u32 {
        let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let (function, line, location) =
            (number(self.functions.len()), number(self.lines.len()), number(self.locations.len()));
        self.functions.push(AnyFunction { name, ..AnyFunction::default() });
        self.lines.push(Line { function, ..Line::default() });
        self.locations.push(Location { lines_from: line, lines_to: line.saturating_add(1), ..Location::default() });
        location
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::super::AnyLabel;
    use super::*;

    #[test]
    fn the_text_of_a_label_becomes_the_leaf() {
        let mut profile = AnyProfile::default();
        let (class, other) = (profile.texts.push("class"), profile.texts.push("thread"));
        let (bytes, main) = (profile.texts.push("byte[]"), profile.texts.push("main"));
        profile.sample_types.push(crate::any::SampleType { name: main, unit: main });
        let root = profile.leaf(main);
        let label = |key, text| AnyLabel { key, text, ..AnyLabel::default() };
        profile.samples.push([root], &[1], [label(other, main), label(class, bytes)]);
        profile.samples.push([root], &[2], [label(class, bytes)]);
        profile.samples.push([root], &[4], [label(other, main)]);
        let with = profile.with_leaf_frames("class");
        let names: Vec<Vec<&str>> = with
            .samples()
            .map(|sample| {
                let name = |at: &u32| {
                    let function = with.lines_of(*at)[0].function;
                    with.texts.get(with.functions[function as usize].name)
                };
                sample.locations.iter().map(name).collect()
            })
            .collect();
        assert_eq!(names, [vec!["byte[]", "main"], vec!["byte[]", "main"], vec!["main"]]);
        assert_eq!(with.totals(), profile.totals());
        assert_eq!(with.locations.len(), profile.locations.len() + 1);
    }
}
