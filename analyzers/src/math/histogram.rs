//! Percentiles without storing the values.

/// Counts of values by size, with eight steps per doubling, so that a percentile is accurate to about 6 %. Only
/// steps that occur use memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Steps and counts, ascending.
    steps: Vec<(u16, u64)>,
    total: u64,
}

impl Histogram {
    /// Counts a value. Values below 1 count as 0.
    pub fn add(&mut self, value: f64) {
        self.add_step(step(value), 1);
    }

    fn add_step(&mut self, step: u16, n: u64) {
        self.total = self.total.saturating_add(n);
        match self.steps.binary_search_by_key(&step, |(s, _)| *s) {
            Ok(at) => {
                if let Some((_, count)) = self.steps.get_mut(at) {
                    *count = count.saturating_add(n);
                }
            }
            Err(at) => self.steps.insert(at, (step, n)),
        }
    }

    /// Adds the counts of another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (step, n) in &other.steps {
            self.add_step(*step, *n);
        }
    }

    /// The number of values.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The value below which this share (0 to 1) of all values is, rounded up to the end of its step; 0 if
    /// there are no values.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let wanted = share.clamp(0.0, 1.0) * self.total as f64;
        let mut seen = 0u64;
        for (step, n) in &self.steps {
            seen = seen.saturating_add(*n);
            if seen as f64 >= wanted {
                return upper_end(*step);
            }
        }
        self.steps.last().map_or(0.0, |(step, _)| upper_end(*step))
    }

    /// The number of values that are at least `limit`, within the accuracy of the steps.
    #[must_use]
    pub fn at_least(&self, limit: f64) -> u64 {
        let from = step(limit);
        self.steps.iter().filter(|(s, _)| *s >= from).fold(0, |sum, (_, n)| sum.saturating_add(*n))
    }
}

const PER_DOUBLING: f64 = 8.0;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "64 doublings at most; `as` saturates")]
fn step(value: f64) -> u16 {
    if value < 1.0 || value.is_nan() { 0 } else { (value.log2() * PER_DOUBLING) as u16 + 1 }
}

fn upper_end(step: u16) -> f64 {
    if step == 0 { 0.0 } else { (f64::from(step) / PER_DOUBLING).exp2() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_accurate_to_a_step() {
        let mut histogram = Histogram::default();
        for i in 1..=1_000 {
            histogram.add(f64::from(i));
        }
        for (share, value) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1_000.0)] {
            let found = histogram.quantile(share);
            assert!((found / value - 1.0).abs() < 0.1, "{share}: {found}");
        }
        assert_eq!(histogram.count(), 1_000);
        assert_eq!(histogram.at_least(1.0), 1_000);
        assert_eq!(Histogram::default().quantile(0.5), 0.0);
    }

    #[test]
    fn merging_is_adding() {
        let (mut a, mut b, mut all) = (Histogram::default(), Histogram::default(), Histogram::default());
        for i in 0..100 {
            let value = f64::from(i * i);
            if i % 2 == 0 {
                a.add(value)
            } else {
                b.add(value)
            }
            all.add(value);
        }
        a.merge(&b);
        assert_eq!(a, all);
    }
}
