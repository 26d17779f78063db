//! A lossless representation of a profile in any language.
//!
//! [`Profile`](crate::Profile) is what this project collects from recordings: one profile type, values known in
//! advance, one line per frame. Profiles of Go, Python, Node.js or perf have whatever sample types and labels
//! their profiler chose, addresses and mappings, and several lines per location if calls were inlined.
//! [`AnyProfile`] stores all of that in columns. [`AnyProfile::call_stacks`] returns the stacks from which
//! trees, tables and comparisons are built. [`AnyProfile::of`] converts a profile of a recording.
//!
//! Reading and writing files belongs in `pprof-emit`, building trees in [`tree`](crate::tree). Start with
//! [`AnyProfile`] in this file, then `convert.rs`, which fills one from a profile of a recording, and
//! `stacks.rs`, which prepares one for trees.

mod convert;
mod leaves;
mod merge;
mod stacks;
mod types;

pub use merge::{MergeError, merge};
pub use types::{Language, TypeInfo, java_title, language, types};

use crate::StrId;

/// Labels that contain the time of a sample in nanoseconds since the Unix epoch: ours, and those of profilers for Python and
/// Node.js. They make every sample different, so trees and tables leave them out.
pub const TIME_LABELS: [&str; 3] = [crate::TIME_LABEL, "end_timestamp_ns", "end timestamp ns"];

/// Strings with handles. Equal strings may occur twice, as in the file they came from.
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
    /// Appends a string and returns its handle.
    pub fn push(&mut self, text: &str) -> StrId {
        let id = StrId::from_number(u32::try_from(self.ends.len()).unwrap_or(u32::MAX));
        self.text.push_str(text);
        self.ends.push(self.text.len());
        id
    }

    /// The string with this handle; empty for an invalid handle.
    #[must_use]
    pub fn get(&self, id: StrId) -> &str {
        let from = id.index().checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(id.index()).and_then(|&to| self.text.get(from..to)).unwrap_or_default()
    }

    /// The number of strings, including the empty one with handle 0.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no string except the empty one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.len() <= 1
    }

    /// All strings, including the empty one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|i| self.get(StrId::from_number(u32::try_from(i).unwrap_or(u32::MAX))))
    }
}

/// What one value of a sample measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SampleType {
    /// The name, for example `cpu` or `alloc_space`.
    pub name: StrId,
    /// The unit, for example `nanoseconds`, `bytes` or `count`.
    pub unit: StrId,
}

/// A program or library mapped into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mapping {
    /// The first address.
    pub start: u64,
    /// The address after the last one.
    pub limit: u64,
    /// Offset in the file of the first address.
    pub offset: u64,
    /// The file name.
    pub file: StrId,
    /// The build id.
    pub build_id: StrId,
    /// Whether the locations have functions.
    pub has_functions: bool,
    /// Whether the functions have file names.
    pub has_filenames: bool,
    /// Whether the locations have line numbers.
    pub has_line_numbers: bool,
    /// Whether inlined calls are listed.
    pub has_inline_frames: bool,
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AnyFunction {
    /// The human-readable name.
    pub name: StrId,
    /// The linker name; for Java, the method descriptor.
    pub system_name: StrId,
    /// The source file.
    pub file: StrId,
    /// The line where the function begins; 0 if unknown.
    pub start_line: i64,
}

/// A line of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Line {
    /// Index in [`AnyProfile::functions`].
    pub function: u32,
    /// The line number; 0 if unknown.
    pub line: i64,
    /// The column number; 0 if unknown.
    pub column: i64,
}

/// A location in the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Location {
    /// Index in [`AnyProfile::mappings`].
    pub mapping: Option<u32>,
    /// The address; 0 if unknown.
    pub address: u64,
    /// Whether several addresses were folded into this location.
    pub folded: bool,
    /// Start of the location's lines in [`AnyProfile::lines`], innermost first.
    pub lines_from: u32,
    /// End of the location's lines (exclusive). There are several if calls were inlined, and none without
    /// symbols.
    pub lines_to: u32,
}

/// A label of a sample: a string, or a number with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AnyLabel {
    /// The key.
    pub key: StrId,
    /// The value, if it is a string.
    pub text: StrId,
    /// The value, if it is a number.
    pub number: i64,
    /// The unit of the number.
    pub unit: StrId,
}

/// A sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnySample<'p> {
    /// Indices in [`AnyProfile::locations`], leaf first.
    pub locations: &'p [u32],
    /// One value for each of the [sample types](AnyProfile::sample_types).
    pub values: &'p [i64],
    /// The labels.
    pub labels: &'p [AnyLabel],
    /// When the sample was taken, in nanoseconds since the Unix epoch, if known.
    pub time: Option<i64>,
}

/// Samples stored in columns.
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
    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.location_ends.len()
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.location_ends.is_empty()
    }

    /// Appends a sample without a time.
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

    /// Adds a column of times, one per sample, in nanoseconds since the Unix epoch. Does nothing if the column
    /// has the wrong length.
    pub fn set_times(&mut self, times: Vec<i64>) {
        self.times = Some(times).filter(|times| times.len() == self.len());
    }

    /// Whether the samples have times.
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

    /// The number of frames in all stacks together, without inlined calls.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.locations.len()
    }
}

/// An activity with a start and an end on a thread: a garbage collection, a lock wait, a file read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The thread; empty if it concerns the whole process.
    pub thread: StrId,
    /// The kind of activity, for example `GC`, `Lock` or `File read`.
    pub name: StrId,
    /// Start in nanoseconds since the Unix epoch.
    pub start: i64,
    /// End in nanoseconds since the Unix epoch.
    pub end: i64,
    /// A description.
    pub text: StrId,
}

/// A quantity over time, such as heap use or CPU load.
#[derive(Debug, Clone, PartialEq)]
pub struct Counter {
    /// The name.
    pub name: StrId,
    /// The unit.
    pub unit: StrId,
    /// Pairs of a time, in nanoseconds since the Unix epoch, and a value.
    pub points: Vec<(i64, f64)>,
}

/// A profile in any language. References are indices into its columns; the code that creates the
/// profile must validate them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AnyProfile {
    /// All strings.
    pub texts: Texts,
    /// What the values of each sample measure.
    pub sample_types: Vec<SampleType>,
    /// The name of the sample type to show by default; empty if not specified.
    pub default_sample_type: StrId,
    /// The samples.
    pub samples: AnySamples,
    /// Programs and libraries, with the main program first.
    pub mappings: Vec<Mapping>,
    /// Locations in the code.
    pub locations: Vec<Location>,
    /// The lines of all locations.
    pub lines: Vec<Line>,
    /// The functions.
    pub functions: Vec<AnyFunction>,
    /// A regular expression for frames to drop.
    pub drop_frames: StrId,
    /// A regular expression for frames to keep even if they match [`drop_frames`](Self::drop_frames).
    pub keep_frames: StrId,
    /// Start in nanoseconds since the Unix epoch; 0 if unknown.
    pub time_nanos: i64,
    /// Duration in nanoseconds; 0 if unknown.
    pub duration_nanos: i64,
    /// What is measured between two samples.
    pub period_type: Option<SampleType>,
    /// The sampling period, in the unit of [`period_type`](Self::period_type).
    pub period: i64,
    /// Comments.
    pub comments: Vec<StrId>,
    /// The URL of its documentation.
    pub doc_url: StrId,
    /// Activities shown next to the samples. pprof cannot store them.
    pub markers: Vec<Marker>,
    /// Quantities over time. pprof cannot store them.
    pub counters: Vec<Counter>,
    /// What could not be read, one line each.
    pub losses: Vec<String>,
}

impl AnyProfile {
    /// The number of values per sample.
    #[must_use]
    pub fn width(&self) -> usize {
        self.sample_types.len()
    }

    /// The name and unit of a value.
    #[must_use]
    pub fn value(&self, i: usize) -> (&str, &str) {
        let of = self.sample_types.get(i).copied().unwrap_or_default();
        (self.texts.get(of.name), self.texts.get(of.unit))
    }

    /// The names and units of all values.
    pub fn values(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.sample_types.iter().map(|of| (self.texts.get(of.name), self.texts.get(of.unit)))
    }

    /// The value to show by default: the one named by the profile or, as in pprof, the last one.
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

    /// The value of a label as a string, if the sample has the label. If it occurs several times, the first
    /// one.
    #[must_use]
    pub fn label<'p>(&'p self, sample: &AnySample<'p>, key: StrId) -> Option<std::borrow::Cow<'p, str>> {
        let label = sample.labels.iter().find(|label| label.key == key)?;
        Some(if label.text == StrId::default() {
            label.number.to_string().into()
        } else {
            self.texts.get(label.text).into()
        })
    }

    /// The sum of each value, saturating at the highest number.
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
