//! A profile: samples, and how their values were derived.

use super::{LabelSetId, ProfileType, StackId, Timeline, ValueType};

/// Samples of one type. Stacks, labels and strings are handles into the [`Tables`](super::Tables) of the
/// profile's set.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The profile type.
    pub kind: ProfileType,
    /// The samples, in the order of their first event. Each combination of stack and labels occurs once.
    pub samples: Samples,
    /// Start of the recording in nanoseconds since the Unix epoch.
    pub time_nanos: i64,
    /// Duration of the recording in nanoseconds. The durations of several recordings add up.
    pub duration_nanos: i64,
    /// The sampling period, for sampled types.
    pub period: Option<Period>,
    /// The share of the JVM's CPU time that the samples cover, from 0 to 1; `None` if they cover all of it or the share is unknown.
    pub coverage: Option<f64>,
    /// How the values were derived, one line each.
    pub comments: Vec<String>,
    /// The program: the main class, or the next best name.
    pub main: Option<String>,
    /// When the samples were taken, if requested.
    pub timeline: Option<Timeline>,
}

/// The sampling period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// What it is measured in, pprof's `period_type`.
    pub value: ValueType,
    /// The amount; if the settings changed, the amount in the first chunk.
    pub amount: i64,
}

impl Profile {
    /// A profile of these samples about which nothing else is known.
    #[must_use]
    pub const fn new(kind: ProfileType, samples: Samples) -> Self {
        Self {
            kind,
            samples,
            time_nanos: 0,
            duration_nanos: 0,
            period: None,
            coverage: None,
            comments: Vec::new(),
            main: None,
            timeline: None,
        }
    }

    /// What the values of its samples measure: those of its type, except values that the recording does not contain at all (the
    /// sizes of live objects in JDK 17 and before).
    #[must_use]
    pub fn values(&self) -> &'static [ValueType] {
        let all = self.kind.values();
        all.get(..self.samples.width().max(1)).unwrap_or(all)
    }

    /// The sum of each value over all samples, saturating at the highest number.
    #[must_use]
    pub fn totals(&self) -> Vec<i64> {
        let mut totals = vec![0i64; self.values().len()];
        for sample in self.samples.iter() {
            for (total, value) in totals.iter_mut().zip(sample.values) {
                *total = total.saturating_add(*value);
            }
        }
        totals
    }
}

/// Samples stored in columns.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    keys: Vec<(StackId, LabelSetId)>,
    values: Vec<i64>,
    width: usize,
}

/// A sample: the values recorded for one stack with one set of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample<'s> {
    /// The stack.
    pub stack: StackId,
    /// The labels.
    pub labels: LabelSetId,
    /// The values, in the order of [`ProfileType::values`].
    pub values: &'s [i64],
}

impl Samples {
    /// An empty list of samples with `width` values each.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { keys: Vec::new(), values: Vec::new(), width: width.max(1) }
    }

    /// Appends a sample. Values beyond the width are ignored; missing values are 0.
    pub fn push(&mut self, stack: StackId, labels: LabelSetId, values: &[i64]) {
        self.keys.push((stack, labels));
        self.values.extend(values.iter().copied().chain(std::iter::repeat(0)).take(self.width));
    }

    /// Adds to the values of sample `i`. Does nothing if there is no such sample.
    pub fn add(&mut self, i: usize, values: &[i64]) {
        let from = i.saturating_mul(self.width);
        for (sum, value) in self.values.iter_mut().skip(from).take(self.width).zip(values) {
            *sum = sum.saturating_add(*value);
        }
    }

    /// How many values each sample has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The samples with only the first `width` values of each.
    #[must_use]
    pub fn narrowed(&self, width: usize) -> Self {
        let mut narrow = Self::new(width);
        for sample in self.iter() {
            narrow.push(sample.stack, sample.labels, sample.values);
        }
        narrow
    }

    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The stack and labels of sample `i`.
    #[must_use]
    pub fn key(&self, i: usize) -> Option<(StackId, LabelSetId)> {
        self.keys.get(i).copied()
    }

    /// Sample `i`.
    #[inline]
    #[must_use]
    pub fn get(&self, i: usize) -> Option<Sample<'_>> {
        let &(stack, labels) = self.keys.get(i)?;
        let from = i.checked_mul(self.width)?;
        let values = self.values.get(from..from.checked_add(self.width)?)?;
        Some(Sample { stack, labels, values })
    }

    /// All samples.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Sample<'_>> + Clone {
        self.keys.iter().zip(self.values.chunks_exact(self.width.max(1))).map(|(&(stack, labels), values)| Sample {
            stack,
            labels,
            values,
        })
    }

    /// Keeps only the samples for which `keep` returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(Sample<'_>) -> bool) {
        let mut kept = Self::new(self.width);
        for sample in self.iter() {
            if keep(sample) {
                kept.push(sample.stack, sample.labels, sample.values);
            }
        }
        *self = kept;
    }
}

/// The key of the label with the sample's time in nanoseconds since the Unix epoch, if samples are collected with times.
pub const TIME_LABEL: &str = "timestamp";
