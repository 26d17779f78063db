//! A profile: samples, and how their numbers came about.

use super::{LabelSetId, ProfileType, StackId, ValueType};

/// Samples of one type. Stacks, labels and texts are handles into the [`Tables`](super::Tables) of the set that
/// the profile belongs to.
#[derive(Debug, Clone)]
pub struct Profile {
    /// What it counts.
    pub kind: ProfileType,
    /// The samples, in the order of their first event; no two have the same stack and labels.
    pub samples: Samples,
    /// When the recording begins, nanoseconds since the Unix epoch.
    pub time_nanos: i64,
    /// How long it is, nanoseconds.
    pub duration_nanos: i64,
    /// The distance of samples, for sampled types.
    pub period: Option<Period>,
    /// How the numbers came about, a line each.
    pub comments: Vec<String>,
    /// The program: the main class, or what is known instead.
    pub main: Option<String>,
}

/// What lies between two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// What it is measured in, pprof's `period_type`.
    pub value: ValueType,
    /// How much; where settings changed, that of the first chunk.
    pub amount: i64,
}

impl Profile {
    /// What the values of its samples count.
    #[must_use]
    pub fn values(&self) -> &'static [ValueType] {
        self.kind.values()
    }

    /// The sum of each value over all samples; a sum that does not fit stays at the highest number.
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

/// Samples in columns.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    keys: Vec<(StackId, LabelSetId)>,
    values: Vec<i64>,
    width: usize,
}

/// One sample: what was seen at this stack with these labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample<'s> {
    /// The stack.
    pub stack: StackId,
    /// The labels.
    pub labels: LabelSetId,
    /// The values, as [`ProfileType::values`] lists them.
    pub values: &'s [i64],
}

impl Samples {
    /// No samples, of `width` values each.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { keys: Vec::new(), values: Vec::new(), width: width.max(1) }
    }

    /// Appends a sample; values beyond the width are left out, missing ones are 0.
    pub fn push(&mut self, stack: StackId, labels: LabelSetId, values: &[i64]) {
        self.keys.push((stack, labels));
        self.values.extend(values.iter().copied().chain(std::iter::repeat(0)).take(self.width));
    }

    /// Adds to the values of sample `i`; nothing where there is none.
    pub fn add(&mut self, i: usize, values: &[i64]) {
        let from = i.saturating_mul(self.width);
        for (sum, value) in self.values.iter_mut().skip(from).take(self.width).zip(values) {
            *sum = sum.saturating_add(*value);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Stack and labels of sample `i`.
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

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Sample<'_>> + Clone {
        self.keys.iter().zip(self.values.chunks_exact(self.width.max(1))).map(|(&(stack, labels), values)| Sample {
            stack,
            labels,
            values,
        })
    }

    /// Keeps the samples for which `keep` holds.
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
