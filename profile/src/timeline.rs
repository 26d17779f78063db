//! When the samples of a profile were taken.

/// When the samples of a profile were taken, in cells of equal length: a column beside the samples, so that equal stacks remain
/// one sample.
///
/// Samples that are sorted by time take about four bytes each: the distance to the cell of the entry before, the number of the
/// sample, and a zero if the value is that of the entry before.
///
/// ```
/// use jfrkit_profile::{Moment, Timeline};
///
/// let mut timeline = Timeline::new(20_000_000);
/// let cell = timeline.cell_of(1_700_000_000_000_000_000);
/// timeline.push(Moment { cell, sample: 3, value: 10_000_000 });
/// timeline.push(Moment { cell, sample: 0, value: 10_000_000 });
/// assert_eq!(timeline.len(), 2);
/// assert_eq!(timeline.iter().map(|moment| moment.sample).collect::<Vec<_>>(), [3, 0]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    step_nanos: i64,
    bytes: Vec<u8>,
    len: usize,
    last: Moment,
}

/// An entry of a [`Timeline`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// The number of cells since the Unix epoch.
    pub cell: i64,
    /// The number of the sample in its profile.
    pub sample: u32,
    /// What was measured in the cell, in the unit of the profile's last value.
    pub value: i64,
}

impl Timeline {
    /// An empty timeline with cells of this length, in nanoseconds (at least one).
    #[must_use]
    pub fn new(step_nanos: i64) -> Self {
        Self { step_nanos: step_nanos.max(1), bytes: Vec::new(), len: 0, last: Moment::default() }
    }

    /// The length of a cell in nanoseconds.
    #[must_use]
    pub fn step_nanos(&self) -> i64 {
        self.step_nanos
    }

    /// The cell of a time in nanoseconds since the Unix epoch.
    #[must_use]
    pub fn cell_of(&self, nanos: i64) -> i64 {
        nanos.div_euclid(self.step_nanos)
    }

    /// Appends an entry.
    pub fn push(&mut self, moment: Moment) {
        self.number(zigzag(moment.cell.wrapping_sub(self.last.cell)));
        self.number(moment.sample.into());
        // The difference of two different values is never zero.
        self.number(zigzag(moment.value.wrapping_sub(self.last.value)));
        self.len += 1;
        self.last = moment;
    }

    fn number(&mut self, mut value: u64) {
        while value > 0x7f {
            self.bytes.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.bytes.push(value.to_le_bytes()[0]);
    }

    /// The entries, in the order in which they were added.
    #[must_use]
    pub fn iter(&self) -> Moments<'_> {
        Moments { bytes: &self.bytes, left: self.len, last: Moment::default() }
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The memory that the entries take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Appends the entries of another timeline, whose samples have other numbers here. Entries without a number are left out.
    pub fn append(&mut self, other: &Self, number: impl Fn(u32) -> Option<u32>) {
        for moment in other {
            if let Some(sample) = number(moment.sample) {
                self.push(Moment { sample, ..moment });
            }
        }
    }
}

impl<'t> IntoIterator for &'t Timeline {
    type Item = Moment;
    type IntoIter = Moments<'t>;

    fn into_iter(self) -> Moments<'t> {
        self.iter()
    }
}

/// The entries of a [`Timeline`].
#[derive(Debug, Clone)]
pub struct Moments<'t> {
    bytes: &'t [u8],
    left: usize,
    last: Moment,
}

impl Moments<'_> {
    fn number(&mut self) -> u64 {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let Some((byte, rest)) = self.bytes.split_first() else { return value };
            self.bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                break;
            }
        }
        value
    }
}

impl Iterator for Moments<'_> {
    type Item = Moment;

    fn next(&mut self) -> Option<Moment> {
        self.left = self.left.checked_sub(1)?;
        let cell = self.last.cell.wrapping_add(unzigzag(self.number()));
        let sample = u32::try_from(self.number()).unwrap_or(u32::MAX);
        let value = self.last.value.wrapping_add(unzigzag(self.number()));
        self.last = Moment { cell, sample, value };
        Some(self.last)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Moments<'_> {}

/// Maps small numbers of either sign to small unsigned numbers, as in protobuf.
const fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)).cast_unsigned()
}

const fn unzigzag(n: u64) -> i64 {
    (n >> 1).cast_signed() ^ -((n & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_back_as_they_were_added() {
        let of = |cell, sample, value| Moment { cell, sample, value };
        let moments =
            [of(5, 0, 1), of(5, 300, 1), of(-2, u32::MAX, i64::MAX), of(i64::MAX, 7, i64::MIN), of(i64::MIN, 7, 0)];
        let mut timeline = Timeline::new(20);
        moments.iter().for_each(|moment| timeline.push(*moment));
        assert_eq!(timeline.iter().collect::<Vec<_>>(), moments);
        assert_eq!((timeline.iter().len(), timeline.cell_of(-1), timeline.cell_of(40)), (5, -1, 2));
        let mut other = Timeline::new(20);
        other.append(&timeline, |sample| (sample == 7).then_some(1));
        assert_eq!(other.iter().collect::<Vec<_>>(), [of(i64::MAX, 1, i64::MIN), of(i64::MIN, 1, 0)]);
    }

    #[test]
    fn an_entry_of_a_steady_sampler_takes_a_few_bytes() {
        let mut timeline = Timeline::new(20_000_000);
        for i in 0..1_000_u32 {
            timeline.push(Moment { cell: 88_000_000_000 + i64::from(i / 8), sample: i % 100, value: 20_000_000 });
        }
        assert!(timeline.bytes() < 5_000, "{}", timeline.bytes());
    }
}
