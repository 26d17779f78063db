//! A profile of any language, without loss.
//!
//! [`Profile`](crate::Profile) is what this project collects from recordings: one type, values that are known beforehand, a line for each frame. Profiles
//! of Go, Python, Node.js or perf have whatever sample types and labels their profiler chose, addresses and mappings, and several lines
//! at one location where calls were inlined. [`AnyProfile`] holds all of that, in columns; [`AnyProfile::call_stacks`] gives the stacks that trees, tables and comparisons are made of.
//! [`AnyProfile::of`] turns a profile of a recording into one.

mod convert;
mod merge;
mod stacks;
mod types;

pub use merge::{MergeError, merge};
pub use types::{Language, TypeInfo, java_title, language, types};

use crate::StrId;

/// Texts, each with a handle; equal texts may be there twice, as in the file that they came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { text: String::new(), ends: vec![0] }
    }
}

impl Texts {
    /// Appends a text; its handle.
    pub fn push(&mut self, text: &str) -> StrId {
        let id = StrId::from_number(u32::try_from(self.ends.len()).unwrap_or(u32::MAX));
        self.text.push_str(text);
        self.ends.push(self.text.len());
        id
    }

    /// A text; the empty one for a handle that leads nowhere.
    #[must_use]
    pub fn get(&self, id: StrId) -> &str {
        let from = id.index().checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(id.index()).and_then(|&to| self.text.get(from..to)).unwrap_or_default()
    }

    /// How many there are, the empty one with handle 0 included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text but the empty one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.len() <= 1
    }

    /// All of them, with the empty one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|i| self.get(StrId::from_number(u32::try_from(i).unwrap_or(u32::MAX))))
    }
}

/// What one of the values of a sample counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SampleType {
    /// Its name: `cpu`, `alloc_space`.
    pub name: StrId,
    /// Its unit: `nanoseconds`, `bytes`, `count`.
    pub unit: StrId,
}

/// A program or library in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mapping {
    /// Its first address.
    pub start: u64,
    /// The address after its last.
    pub limit: u64,
    /// Where in the file the first address is.
    pub offset: u64,
    /// Its file.
    pub file: StrId,
    /// What identifies the build.
    pub build_id: StrId,
    /// Whether its locations have functions.
    pub has_functions: bool,
    /// Whether its functions have files.
    pub has_filenames: bool,
    /// Whether its locations have lines.
    pub has_line_numbers: bool,
    /// Whether inlined calls are listed.
    pub has_inline_frames: bool,
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AnyFunction {
    /// Its name for people.
    pub name: StrId,
    /// Its name for the linker; the descriptor for Java.
    pub system_name: StrId,
    /// Its source file.
    pub file: StrId,
    /// The line where it begins, 0 for unknown.
    pub start_line: i64,
}

/// A line of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Line {
    /// The place in [`AnyProfile::functions`].
    pub function: u32,
    /// The line, 0 for unknown.
    pub line: i64,
    /// The column, 0 for unknown.
    pub column: i64,
}

/// A place in the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Location {
    /// The place in [`AnyProfile::mappings`].
    pub mapping: Option<u32>,
    /// Its address, 0 for unknown.
    pub address: u64,
    /// Whether several addresses were folded into this one.
    pub folded: bool,
    /// Its lines, innermost first: from here on in [`AnyProfile::lines`] …
    pub lines_from: u32,
    /// … up to here. More than one where calls were inlined, none without symbols.
    pub lines_to: u32,
}

/// A label of a sample: a text or a number with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AnyLabel {
    /// Its key.
    pub key: StrId,
    /// Its value, if that is a text.
    pub text: StrId,
    /// Its value, if that is a number.
    pub number: i64,
    /// The unit of the number.
    pub unit: StrId,
}

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnySample<'p> {
    /// Places in [`AnyProfile::locations`], leaf first.
    pub locations: &'p [u32],
    /// The values, one for each of the [sample types](AnyProfile::sample_types).
    pub values: &'p [i64],
    /// The labels.
    pub labels: &'p [AnyLabel],
    /// When it was taken, nanoseconds since the Unix epoch, where that is kept.
    pub time: Option<i64>,
}

/// Samples in columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnySamples {
    locations: Vec<u32>,
    location_ends: Vec<usize>,
    values: Vec<i64>,
    labels: Vec<AnyLabel>,
    label_ends: Vec<usize>,
    times: Option<Vec<i64>>,
}

fn part<'t, T>(all: &'t [T], ends: &[usize], i: usize) -> &'t [T] {
    let from = i.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(i).and_then(|&to| all.get(from..to)).unwrap_or_default()
}

impl AnySamples {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.location_ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.location_ends.is_empty()
    }

    /// Appends a sample, without a time.
    pub fn push(
        &mut self,
        locations: impl IntoIterator<Item = u32>,
        values: &[i64],
        labels: impl IntoIterator<Item = AnyLabel>,
    ) {
        self.locations.extend(locations);
        self.location_ends.push(self.locations.len());
        self.values.extend_from_slice(values);
        self.labels.extend(labels);
        self.label_ends.push(self.labels.len());
    }

    /// Adds the column of times, one for each sample, nanoseconds since the Unix epoch. A column of another length is ignored.
    pub fn set_times(&mut self, times: Vec<i64>) {
        self.times = Some(times).filter(|times| times.len() == self.len());
    }

    /// Whether samples have times.
    #[must_use]
    pub fn has_times(&self) -> bool {
        self.times.is_some()
    }

    /// Sample `i` of a profile with `width` sample types.
    #[must_use]
    pub fn get(&self, i: usize, width: usize) -> AnySample<'_> {
        let from = i.saturating_mul(width);
        AnySample {
            locations: part(&self.locations, &self.location_ends, i),
            values: self.values.get(from..from.saturating_add(width)).unwrap_or_default(),
            labels: part(&self.labels, &self.label_ends, i),
            time: self.times.as_ref().and_then(|times| times.get(i).copied()),
        }
    }

    /// How many frames all stacks have together, inlined calls not counted.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.locations.len()
    }
}

/// Something with a beginning and an end on a thread: a collection, a wait for a lock, reading a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The thread; empty for the whole process.
    pub thread: StrId,
    /// What happened: `GC`, `Lock`, `File read`.
    pub name: StrId,
    /// When it began, nanoseconds since the Unix epoch.
    pub start: i64,
    /// When it ended.
    pub end: i64,
    /// More about it.
    pub text: StrId,
}

/// A quantity over time: heap used, CPU load.
#[derive(Debug, Clone, PartialEq)]
pub struct Counter {
    /// Its name.
    pub name: StrId,
    /// Its unit.
    pub unit: StrId,
    /// Nanoseconds since the Unix epoch, and the value.
    pub points: Vec<(i64, f64)>,
}

/// A profile of any language. References are places in its columns, checked by whoever made it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AnyProfile {
    /// All texts.
    pub texts: Texts,
    /// What the values of each sample count.
    pub sample_types: Vec<SampleType>,
    /// The name of the sample type that is shown first; empty if not said.
    pub default_sample_type: StrId,
    /// The samples.
    pub samples: AnySamples,
    /// Programs and libraries, the main one first.
    pub mappings: Vec<Mapping>,
    /// Places in the code.
    pub locations: Vec<Location>,
    /// The lines of all locations.
    pub lines: Vec<Line>,
    /// The functions.
    pub functions: Vec<AnyFunction>,
    /// A regular expression of frames to leave out.
    pub drop_frames: StrId,
    /// A regular expression of frames to keep all the same.
    pub keep_frames: StrId,
    /// When it begins, nanoseconds since the Unix epoch; 0 for unknown.
    pub time_nanos: i64,
    /// How long it is, nanoseconds; 0 for unknown.
    pub duration_nanos: i64,
    /// What is between two samples.
    pub period_type: Option<SampleType>,
    /// How much of it.
    pub period: i64,
    /// Comments.
    pub comments: Vec<StrId>,
    /// Where its documentation is.
    pub doc_url: StrId,
    /// Events beside the samples; pprof has no place for them.
    pub markers: Vec<Marker>,
    /// Quantities over time; pprof has no place for them.
    pub counters: Vec<Counter>,
    /// What could not be read, a line each.
    pub losses: Vec<String>,
}

impl AnyProfile {
    /// How many values a sample has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.sample_types.len()
    }

    /// Name and unit of a value.
    #[must_use]
    pub fn value(&self, i: usize) -> (&str, &str) {
        let of = self.sample_types.get(i).copied().unwrap_or_default();
        (self.texts.get(of.name), self.texts.get(of.unit))
    }

    /// The values by name and unit.
    pub fn values(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.sample_types.iter().map(|of| (self.texts.get(of.name), self.texts.get(of.unit)))
    }

    /// The value that is shown first: the one that the profile names, else the last, as in pprof.
    #[must_use]
    pub fn default_value(&self) -> usize {
        let wanted = self.texts.get(self.default_sample_type);
        let named = || self.values().position(|(name, _)| name == wanted);
        let last = self.width().saturating_sub(1);
        if wanted.is_empty() { last } else { named().unwrap_or(last) }
    }

    /// The samples.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = AnySample<'_>> {
        (0..self.samples.len()).map(|i| self.samples.get(i, self.width()))
    }

    /// The lines of a location, innermost first.
    #[must_use]
    pub fn lines_of(&self, location: u32) -> &[Line] {
        let Some(of) = self.locations.get(location as usize) else { return &[] };
        self.lines.get(of.lines_from as usize..of.lines_to as usize).unwrap_or_default()
    }

    /// The value of a label as a text, of a sample that has it; of several the first.
    #[must_use]
    pub fn label<'p>(&'p self, sample: &AnySample<'p>, key: StrId) -> Option<std::borrow::Cow<'p, str>> {
        let label = sample.labels.iter().find(|label| label.key == key)?;
        Some(if label.text == StrId::default() {
            label.number.to_string().into()
        } else {
            self.texts.get(label.text).into()
        })
    }

    /// The sum of each value; a sum that does not fit stays at the highest number.
    #[must_use]
    pub fn totals(&self) -> Vec<i64> {
        let mut totals = vec![0_i64; self.width()];
        for sample in self.samples() {
            for (total, value) in totals.iter_mut().zip(sample.values) {
                *total = total.saturating_add(*value);
            }
        }
        totals
    }
}
