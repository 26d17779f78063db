//! Encodes the messages of a profile in ranges of items that are independent of each other.
//!
//! By hand rather than with prost: messages go straight from the tables into a buffer, and the ranges can be encoded by
//! several threads with the same bytes for any number of them. Tests read the result with prost.

use std::ops::Range;

use jfrkit_profile::{LabelValue, Sample, index};

use crate::number::Numbering;
use crate::wire::{Numbers, bytes, message, number, signed, varint};

/// The range of each kind of item in a single numbering of all items; the head is item 0.
struct Layout {
    strings: Range<usize>,
    functions: Range<usize>,
    locations: Range<usize>,
    samples: Range<usize>,
}

/// Encodes parts of a profile.
pub(crate) struct Encoder<'n> {
    numbering: &'n Numbering<'n>,
    layout: Layout,
}

/// Buffers that are reused from one range to the next.
#[derive(Default)]
pub(crate) struct Scratch {
    ids: Vec<u8>,
    values: Vec<u8>,
    labels: Vec<u8>,
}

/// A block that is at least this fraction full (one part in `KIND_SHARE`) ends where the next kind of item
/// begins.
const KIND_SHARE: usize = 16;

/// Approximate size of a function or a location in bytes. It only affects how blocks are cut.
const ITEM_BYTES: usize = 14;

impl<'n> Encoder<'n> {
    pub(crate) fn new(numbering: &'n Numbering<'n>) -> Self {
        let strings = 1..1 + numbering.strings().len();
        let functions = strings.end..strings.end + numbering.functions.len();
        let locations = functions.end..functions.end + numbering.frames.len();
        let samples = locations.end..locations.end + numbering.profile.samples.len();
        Self { numbering, layout: Layout { strings, functions, locations, samples } }
    }

    /// Splits the items into ranges of about `size` bytes, independent of the caller. `runs` contains the ends
    /// of runs of samples of that size.
    pub(crate) fn cut(&self, runs: &[usize], size: usize) -> Vec<Range<usize>> {
        let samples = &self.layout.samples;
        let mut ends = Vec::new();
        let mut bytes = 0;
        let kinds = [self.layout.functions.start, self.layout.locations.start];
        for item in 0..samples.start {
            // Names, numbers of functions and numbers of locations compress best with separate codes, but that
            // does not make up for losing the preceding context in a small block.
            if kinds.contains(&item) && bytes >= size / KIND_SHARE {
                ends.push(item);
                bytes = 0;
            }
            bytes += self.estimate(item);
            if bytes >= size {
                ends.push(item + 1);
                bytes = 0;
            }
        }
        // A few items are encoded together with the first samples.
        if bytes >= size / 8 || runs.is_empty() {
            ends.push(samples.start);
        }
        ends.extend(runs.iter().map(|end| samples.start + end));
        ends.dedup();
        std::iter::once(&0).chain(&ends).zip(&ends).map(|(&from, &to)| from..to).collect()
    }

    fn estimate(&self, item: usize) -> usize {
        let layout = &self.layout;
        if item >= layout.functions.start {
            ITEM_BYTES
        } else if item >= layout.strings.start {
            self.numbering.strings().get(item - layout.strings.start).map_or(0, |text| text.len() + 2)
        } else {
            64
        }
    }

    /// Appends a range of items.
    pub(crate) fn encode(&self, items: &Range<usize>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let layout = &self.layout;
        if items.contains(&0) {
            self.head(out);
        }
        for text in index::range(self.numbering.strings(), part(items, &layout.strings)) {
            bytes(out, 6, text.as_bytes());
        }
        for i in part(items, &layout.functions) {
            self.function(i, out);
        }
        for i in part(items, &layout.locations) {
            self.location(i, out);
        }
        for i in part(items, &layout.samples) {
            if let Some(sample) = self.sample(i) {
                self.write_sample(sample, scratch, out);
            }
        }
    }

    fn head(&self, out: &mut Vec<u8>) {
        let head = &self.numbering.head;
        for &(name, unit) in &head.sample_types {
            value_type(out, 1, name, unit);
        }
        let libraries = self.numbering.libraries.iter().map(|&library| self.numbering.string(library));
        for (file, id) in std::iter::once(head.main).chain(libraries).zip(1..) {
            message(out, 3, |out| {
                number(out, 1, id);
                number(out, 5, file.into());
                // Functions, file names and lines are as complete as possible: without addresses, a viewer
                // cannot find out more from a library and should not try.
                for flag in 7..=9 {
                    number(out, flag, 1);
                }
            });
        }
        number(out, 9, signed(self.numbering.profile.time_nanos));
        number(out, 10, signed(self.numbering.profile.duration_nanos));
        if let Some((name, unit, amount)) = head.period {
            value_type(out, 11, name, unit);
            number(out, 12, signed(amount));
        }
        if !head.comments.is_empty() {
            message(out, 13, |out| head.comments.iter().for_each(|&comment| varint(out, comment.into())));
        }
        if let Some(&(name, _)) = head.sample_types.last() {
            number(out, 14, name.into());
        }
    }

    fn function(&self, i: usize, out: &mut Vec<u8>) {
        let Some(&id) = index::at(&self.numbering.functions, i) else { return };
        let function = self.numbering.tables.function(id);
        message(out, 5, |out| {
            number(out, 1, i as u64 + 1);
            number(out, 2, self.numbering.string(function.name).into());
            number(out, 3, self.numbering.string(function.system_name).into());
            number(out, 4, self.numbering.string(function.file).into());
        });
    }

    fn location(&self, i: usize, out: &mut Vec<u8>) {
        let Some(&id) = index::at(&self.numbering.frames, i) else { return };
        let frame = self.numbering.tables.frame(id);
        let library = self.numbering.tables.function(frame.function).library;
        message(out, 4, |out| {
            number(out, 1, i as u64 + 1);
            number(out, 2, self.numbering.mapping(library).into());
            message(out, 4, |out| {
                number(out, 1, self.numbering.function(frame.function).into());
                number(out, 2, frame.line.into());
            });
        });
    }

    fn sample(&self, i: usize) -> Option<Sample<'n>> {
        self.numbering.profile.samples.get(i)
    }

    fn write_sample(&self, sample: Sample<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let Scratch { ids, values, labels } = scratch;
        let stack = self.numbering.tables.stack(sample.stack);
        let mut numbers = Numbers::new(ids, stack.len());
        stack.loose().iter().for_each(|&frame| numbers.push(self.numbering.location(frame)));
        stack.blocks().filter_map(|block| self.numbering.run(block)).for_each(|run| numbers.run(run));
        stack.mark().iter().for_each(|&frame| numbers.push(self.numbering.location(frame)));
        let ids = numbers.bytes();
        values.clear();
        for &value in sample.values {
            varint(values, signed(value));
        }
        labels.clear();
        for label in self.numbering.tables.labels(sample.labels) {
            message(labels, 3, |out| {
                number(out, 1, self.numbering.key(label.key).into());
                match label.value {
                    LabelValue::Text(text) => number(out, 2, self.numbering.string(text).into()),
                    LabelValue::Number(value) => number(out, 3, signed(value)),
                }
            });
        }
        let size = field_size(ids) + field_size(values) + labels.len();
        out.push(2 << 3 | 2);
        varint(out, size as u64);
        if !ids.is_empty() {
            bytes(out, 1, ids);
        }
        if !values.is_empty() {
            bytes(out, 2, values);
        }
        out.extend_from_slice(labels);
    }
}

/// The size of a field with this content. An empty field is not written.
fn field_size(content: &[u8]) -> usize {
    if content.is_empty() { 0 } else { 1 + varint_size(content.len()) + content.len() }
}

fn varint_size(value: usize) -> usize {
    let bits = (usize::BITS - value.leading_zeros()).max(1);
    bits.div_ceil(7) as usize
}

fn value_type(out: &mut Vec<u8>, tag: u8, name: u32, unit: u32) {
    message(out, tag, |out| {
        number(out, 1, name.into());
        number(out, 2, unit.into());
    });
}

/// The part of `items` that is of one kind, counted from the first item of that kind.
fn part(items: &Range<usize>, kind: &Range<usize>) -> Range<usize> {
    let from = items.start.clamp(kind.start, kind.end);
    let to = items.end.clamp(from, kind.end);
    from - kind.start..to - kind.start
}
