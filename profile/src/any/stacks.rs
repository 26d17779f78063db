//! Converts any profile to the stacks from which trees are built.

use std::borrow::Cow;

use super::{AnyFunction, AnyProfile, Location, TIME_LABELS};
use crate::StrId;
use crate::tree::{CallStacks, FrameKind, LabelText, NO_STACK_FRAME, SampleType};

/// The frame of code without a function, in this library.
fn unnamed(library: &str) -> String {
    let base = library.rsplit('/').next().unwrap_or(library).trim_matches(['[', ']']);
    if base.is_empty() { "[unknown]".to_owned() } else { format!("[{base}]") }
}

impl AnyProfile {
    /// The names of the frames of a stack (locations, leaf first), starting at the root, as in [`call_stacks`](Self::call_stacks).
    pub fn names<'p>(&'p self, locations: &'p [u32]) -> Vec<Cow<'p, str>> {
        let mut names = Vec::with_capacity(locations.len());
        for &at in locations.iter().rev() {
            let lines = self.lines_of(at);
            if lines.is_empty() {
                let library = self.locations.get(at as usize).map_or("", |location| self.library(location));
                names.push(Cow::Owned(unnamed(library)));
            }
            names.extend(lines.iter().rev().map(|line| {
                let function = self.functions.get(line.function as usize).copied().unwrap_or_default();
                Cow::Borrowed(self.name(&function))
            }));
        }
        if names.is_empty() {
            names.push(Cow::Borrowed(NO_STACK_FRAME));
        }
        names
    }

    fn library(&self, location: &Location) -> &str {
        let library = location.mapping.and_then(|mapping| self.mappings.get(mapping as usize));
        library.map_or("", |mapping| self.texts.get(mapping.file))
    }

    fn name(&self, function: &AnyFunction) -> &str {
        let (name, system) = (self.texts.get(function.name), self.texts.get(function.system_name));
        let name = if name.is_empty() { system } else { name };
        if name.is_empty() { "[unknown]" } else { name }
    }

    /// Returns the stacks with the selected values (indices in [`sample_types`](Self::sample_types); invalid
    /// ones are ignored).
    ///
    /// Inlined calls become separate frames. A location without a function becomes `[library]` or `[unknown]`.
    /// Samples that differ only in their time are merged, and samples in which all selected values are zero are
    /// left out.
    #[must_use]
    pub fn call_stacks(&self, values: &[usize]) -> CallStacks {
        let values: Vec<usize> = values.iter().copied().filter(|&value| value < self.width()).collect();
        let types = values.iter().map(|&value| self.value(value));
        let mut stacks = CallStacks::new(types.map(|(name, unit)| SampleType::new(name, unit)).collect());
        stacks.time_nanos = self.time_nanos;
        let seconds = self.duration_nanos.max(0) as f64 / 1e9;
        stacks.seconds = seconds;
        // The frames of each location, outermost first.
        let mut frames: Vec<u32> = Vec::new();
        let mut ends: Vec<usize> = Vec::with_capacity(self.locations.len());
        for (at, location) in (0_u32..).zip(&self.locations) {
            let library = self.library(location);
            let lines = self.lines_of(at);
            if lines.is_empty() {
                frames.push(stacks.frame(&unnamed(library), FrameKind::Native, 0));
            }
            for line in lines.iter().rev() {
                let function = self.functions.get(line.function as usize).copied().unwrap_or_default();
                let (name, system) = (self.name(&function), self.texts.get(function.system_name));
                let kind = match FrameKind::guess(name, self.texts.get(function.file), library) {
                    // In the profiles that we write for Java, the system name is the descriptor.
                    FrameKind::Native if system.contains('(') && system.contains(')') && name.contains('.') => {
                        FrameKind::Java
                    }
                    kind => kind,
                };
                frames.push(stacks.frame(name, kind, u32::try_from(line.line).unwrap_or(0)));
            }
            ends.push(frames.len());
        }
        let of = |location: u32| {
            let at = location as usize;
            let from = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
            ends.get(at).and_then(|&to| frames.get(from..to)).unwrap_or_default()
        };
        let (mut path, mut labels, mut row) = (Vec::new(), Vec::new(), Vec::new());
        for sample in self.samples() {
            row.clear();
            row.extend(values.iter().map(|&value| sample.values.get(value).copied().unwrap_or(0)));
            if row.iter().all(|&value| value == 0) {
                continue;
            }
            path.clear();
            sample.locations.iter().rev().for_each(|&location| path.extend_from_slice(of(location)));
            labels.clear();
            for label in sample.labels.iter().filter(|label| !TIME_LABELS.contains(&self.texts.get(label.key))) {
                let value = if label.text == StrId::default() {
                    LabelText::Number(label.number, self.texts.get(label.unit).into())
                } else {
                    LabelText::Text(self.texts.get(label.text).into())
                };
                labels.push((self.texts.get(label.key).into(), value));
            }
            stacks.add(&path, &labels, &row);
        }
        stacks
    }
}
