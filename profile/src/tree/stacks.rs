//! The stacks of a profile in any language, with their values.

use std::collections::BTreeSet;
use std::hash::Hash;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use serde::Serialize;

use crate::places::Places;
use crate::{LabelValue, Profile, Tables};

/// The frame for samples without a stack.
pub const NO_STACK_FRAME: &str = "[no stack trace]";

/// The kind of code of a frame. [`letter`](Self::letter) is its code in [`TreeJson`](super::TreeJson).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FrameKind {
    /// Java and other JVM languages.
    Java,
    /// Native code.
    Native,
    /// The kernel.
    Kernel,
    /// The JVM itself.
    Vm,
    /// Python.
    Python,
    /// Go.
    Go,
    /// JavaScript.
    JavaScript,
    /// Not code: `all`, `[no stack trace]`, labels, folded nodes.
    MadeUp,
}

impl FrameKind {
    /// Its letter.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Java => 'j',
            Self::Native => 'n',
            Self::Kernel => 'k',
            Self::Vm => 'v',
            Self::Python => 'p',
            Self::Go => 'g',
            Self::JavaScript => 's',
            Self::MadeUp => 'x',
        }
    }

    /// Guesses the kind from the name, source file and library of a function.
    #[must_use]
    pub fn guess(name: &str, file: &str, library: &str) -> Self {
        let ends = |suffix: &str| file.len() >= suffix.len() && file.ends_with(suffix);
        if name.is_empty() || (name.starts_with('[') && name.ends_with(']')) {
            Self::MadeUp
        } else if library.contains("[kernel") || name.ends_with("_[k]") || library == "vmlinux" {
            Self::Kernel
        } else if library.contains("libjvm") {
            Self::Vm
        } else if [".java", ".kt", ".scala", ".groovy", ".clj"].iter().any(|suffix| ends(suffix)) {
            Self::Java
        } else if ends(".py") || file.starts_with("<frozen ") {
            Self::Python
        } else if ends(".go") {
            Self::Go
        } else if [".js", ".mjs", ".cjs", ".ts", ".tsx"].iter().any(|suffix| ends(suffix)) || file.starts_with("node:")
        {
            Self::JavaScript
        } else {
            Self::Native
        }
    }
}

/// What one value of a sample measures.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct SampleType {
    /// The name, pprof's `sample_type.type`.
    pub name: Box<str>,
    /// The unit, pprof's `sample_type.unit`.
    pub unit: Box<str>,
}

impl SampleType {
    /// A sample type with this name and unit.
    #[must_use]
    pub fn new(name: &str, unit: &str) -> Self {
        Self { name: name.into(), unit: unit.into() }
    }
}

/// A line of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallFrame {
    /// The name index.
    pub name: u32,
    /// The line number; 0 if unknown.
    pub line: u32,
}

/// The value of a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LabelText {
    /// A string.
    Text(Box<str>),
    /// A number and its unit, which may be empty.
    Number(i64, Box<str>),
}

impl std::fmt::Display for LabelText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number, unit) if unit.is_empty() => write!(f, "{number}"),
            Self::Number(number, unit) => write!(f, "{number} {unit}"),
        }
    }
}

/// The labels of a sample: keys with values.
pub(crate) type LabelSet = Box<[(Box<str>, LabelText)]>;

type Table<K> = HashMap<K, u32, RandomState>;

/// Lists of frames, one after another.
#[derive(Debug, Clone, Default)]
struct Lists {
    frames: Vec<u32>,
    ends: Vec<usize>,
    places: Places,
}

fn part<'l>(frames: &'l [u32], ends: &[usize], i: u32) -> &'l [u32] {
    let i = i as usize;
    let from = if i == 0 { 0 } else { ends[i - 1] };
    &frames[from..ends[i]]
}

impl Lists {
    fn get(&self, i: u32) -> &[u32] {
        part(&self.frames, &self.ends, i)
    }

    fn place(&mut self, list: &[u32]) -> u32 {
        let Self { frames, ends, places } = self;
        let (place, new) = places.of(&list, ends.len(), |i| part(frames, ends, i));
        if new {
            frames.extend_from_slice(list);
            ends.push(frames.len());
        }
        place
    }
}

/// Identifies a sample by its stack and labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) stack: u32,
    pub(crate) labels: u32,
}

/// Stacks with their values and labels. Samples with equal stacks and labels are merged.
///
/// ```
/// use jfrkit_profile::tree::{CallStacks, FrameKind, SampleType};
///
/// let mut stacks = CallStacks::new(vec![SampleType::new("cpu", "nanoseconds")]);
/// let main = stacks.frame("main", FrameKind::Go, 10);
/// let work = stacks.frame("work", FrameKind::Go, 20);
/// stacks.add(&[main, work], &[], &[30]);
/// stacks.add(&[main, work], &[], &[12]);
/// assert_eq!(stacks.totals(), [42]);
/// assert_eq!(stacks.len(), 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct CallStacks {
    types: Vec<SampleType>,
    names: Vec<Box<str>>,
    kinds: Vec<FrameKind>,
    known_names: Places,
    frames: Vec<CallFrame>,
    known_frames: Table<CallFrame>,
    stacks: Lists,
    labels: Vec<LabelSet>,
    known_labels: Places,
    keys: Vec<Key>,
    known_keys: Table<Key>,
    values: Vec<i64>,
    /// Duration of the profile in seconds; 0 if unknown.
    pub seconds: f64,
    /// Start in nanoseconds since the Unix epoch; 0 if unknown.
    pub time_nanos: i64,
    /// Index of the value to show by default.
    pub default_value: usize,
}

fn intern<K: Copy + Eq + Hash>(table: &mut Table<K>, list: &mut Vec<K>, key: K) -> u32 {
    let next = u32::try_from(list.len()).unwrap_or(u32::MAX);
    *table.entry(key).or_insert_with(|| {
        list.push(key);
        next
    })
}

impl CallStacks {
    /// Creates an empty set of stacks with values of these types.
    #[must_use]
    pub fn new(types: Vec<SampleType>) -> Self {
        let default_value = types.len().saturating_sub(1);
        let mut made = Self { types, default_value, ..Self::default() };
        made.label_set(&[]);
        made
    }

    /// Converts the stacks of a profile of this crate.
    #[must_use]
    pub fn of(profile: &Profile, tables: &Tables) -> Self {
        let types = profile.values().iter().map(|value| SampleType::new(value.name, value.unit)).collect();
        let mut made = Self::new(types);
        made.time_nanos = profile.time_nanos;
        made.seconds = profile.duration_nanos.max(0) as f64 / 1e9;
        let mut of_frame: HashMap<u32, u32, RandomState> = HashMap::default();
        let mut path = Vec::new();
        for sample in profile.samples.iter() {
            path.clear();
            path.extend(tables.stack(sample.stack).iter().map(|id| {
                *of_frame.entry(id.number()).or_insert_with(|| {
                    let frame = tables.frame(*id);
                    let function = tables.function(frame.function);
                    let name = tables.str(function.name);
                    let library = tables.str(function.library);
                    let file = tables.str(function.file);
                    let kind = match FrameKind::guess(name, file, library) {
                        // Hidden classes have no file; without a library, the frame is not native.
                        FrameKind::Native if library.is_empty() && name.contains('.') => FrameKind::Java,
                        kind => kind,
                    };
                    made.frame(name, kind, frame.line)
                })
            }));
            path.reverse();
            let labels: Vec<(Box<str>, LabelText)> = tables
                .labels(sample.labels)
                .iter()
                .map(|label| {
                    let value = match label.value {
                        LabelValue::Text(text) => LabelText::Text(tables.str(text).into()),
                        LabelValue::Number(number) => LabelText::Number(number, Box::default()),
                    };
                    (label.key.into(), value)
                })
                .collect();
            made.add(&path, &labels, sample.values);
        }
        made
    }

    /// Interns a line of a function and returns its handle.
    pub fn frame(&mut self, name: &str, kind: FrameKind, line: u32) -> u32 {
        let Self { names, kinds, known_names, .. } = self;
        let at = |i: u32| (&*names[i as usize], kinds[i as usize]);
        let (place, new) = known_names.of(&(name, kind), names.len(), at);
        if new {
            names.push(name.into());
            kinds.push(kind);
        }
        intern(&mut self.known_frames, &mut self.frames, CallFrame { name: place, line })
    }

    /// Interns a set of labels and returns its handle.
    pub(crate) fn label_set(&mut self, labels: &[(Box<str>, LabelText)]) -> u32 {
        let (place, new) = self.known_labels.of(&labels, self.labels.len(), |i| &*self.labels[i as usize]);
        if new {
            self.labels.push(labels.into());
        }
        place
    }

    /// Interns a stack of frame handles, starting at the root, and returns its handle.
    pub(crate) fn stack(&mut self, path: &[u32]) -> u32 {
        if path.is_empty() {
            let frame = self.frame(NO_STACK_FRAME, FrameKind::MadeUp, 0);
            return self.stacks.place(&[frame]);
        }
        self.stacks.place(path)
    }

    /// Adds a sample: frame handles starting at the root, labels, and one value per type (missing values are
    /// 0). A sample without frames counts under [`NO_STACK_FRAME`].
    pub fn add(&mut self, path: &[u32], labels: &[(Box<str>, LabelText)], values: &[i64]) {
        let key = Key { stack: self.stack(path), labels: self.label_set(labels) };
        self.add_key(key, values);
    }

    /// Adds a sample with the given handles.
    pub(crate) fn add_key(&mut self, key: Key, values: &[i64]) {
        let width = self.types.len();
        let at = intern(&mut self.known_keys, &mut self.keys, key) as usize;
        if self.values.len() < self.keys.len() * width {
            self.values.resize(self.keys.len() * width, 0);
        }
        for (sum, value) in self.values[at * width..][..width].iter_mut().zip(values) {
            *sum = sum.saturating_add(*value);
        }
    }

    /// What the values measure.
    #[must_use]
    pub fn types(&self) -> &[SampleType] {
        &self.types
    }

    /// The index of the value with this name.
    #[must_use]
    pub fn value_named(&self, name: &str) -> Option<usize> {
        self.types.iter().position(|t| &*t.name == name)
    }

    /// The sum of each value over all samples.
    #[must_use]
    pub fn totals(&self) -> Vec<i64> {
        let width = self.types.len().max(1);
        let mut totals = vec![0i64; self.types.len()];
        for values in self.values.chunks_exact(width) {
            for (total, value) in totals.iter_mut().zip(values) {
                *total = total.saturating_add(*value);
            }
        }
        totals
    }

    /// The number of samples that differ in stack or labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys of all labels, sorted.
    #[must_use]
    pub fn label_keys(&self) -> Vec<&str> {
        let keys: BTreeSet<&str> = self.labels.iter().flat_map(|set| set.iter().map(|(key, _)| &**key)).collect();
        keys.into_iter().collect()
    }

    /// The value that counts the events behind a sample: the first one whose unit is `count`.
    pub(crate) fn count_value(&self) -> Option<usize> {
        self.types.iter().position(|t| &*t.unit == "count")
    }

    pub(crate) fn names(&self) -> &[Box<str>] {
        &self.names
    }

    pub(crate) fn kinds(&self) -> &[FrameKind] {
        &self.kinds
    }

    pub(crate) fn frames(&self) -> &[CallFrame] {
        &self.frames
    }

    pub(crate) fn label_sets(&self) -> &[LabelSet] {
        &self.labels
    }

    /// For each sample: handle of the stack, frames starting at the root, handle of the labels, and values.
    pub(crate) fn samples(&self) -> impl Iterator<Item = (u32, &[u32], u32, &[i64])> {
        let width = self.types.len().max(1);
        self.keys
            .iter()
            .zip(self.values.chunks_exact(width))
            .map(|(key, values)| (key.stack, self.stacks.get(key.stack), key.labels, values))
    }

    /// Each stack once, in the order of its handles.
    pub(crate) fn stacks(&self) -> impl Iterator<Item = &[u32]> {
        (0_u32..).take(self.stacks.ends.len()).map(|i| self.stacks.get(i))
    }

    /// The stack and labels of each sample, with its values.
    pub(crate) fn keyed(&self) -> impl Iterator<Item = (Key, &[i64])> {
        self.keys.iter().copied().zip(self.values.chunks_exact(self.types.len().max(1)))
    }

    /// The value of a label in a label set.
    pub(crate) fn label(&self, set: u32, key: &str) -> Option<&LabelText> {
        self.labels[set as usize].iter().find(|(k, _)| &**k == key).map(|(_, value)| value)
    }
}
