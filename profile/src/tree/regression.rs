//! Decides which rows of a comparison are regressions.
//!
//! A row is a regression if its total grew by more than a threshold relative to its own value in A, by at least
//! 0.5 % of A's total, and by more than noise. Noise is judged for all rows together: with `n` rows compared,
//! each has to exceed what chance reaches once in a hundred comparisons (Bonferroni: p < 0.01 / n, one-sided
//! normal). Two runs of the same program differ by more than sampling alone explains. How much more is visible
//! in the rows themselves, because most of them have not changed. Therefore deviations are divided by √λ, where
//! λ is the median of the squared deviations of self values divided by the value expected from pure chance
//! (0.455). Self values, because one method that became slower changes the totals of all its callers, which in a
//! small program are most rows. λ is at least 1. With self values in five to nine rows, it is 1 unless the median
//! exceeds its expectation by two standard errors (1.06 / √n each); with fewer rows, it is 1.

use super::{DiffRow, Side, variance};

/// The minimum growth of a row, as a share of A's total.
const LEAST_SHARE: f64 = 0.005;
/// The probability of a false alarm over all rows together.
const LEVEL: f64 = 0.01;
/// With fewer rows than this, the spread between two runs cannot be estimated.
const ENOUGH: usize = 5;
/// With fewer rows than this, the estimate counts only if chance does not explain it.
const MANY: usize = 10;
/// The median of the square of a standard normal variable.
const MEDIAN: f64 = 0.4549;
/// The standard error of the median of `n` such squares is this divided by √n: 1 / (2 · density at the median).
const ERROR: f64 = 1.06;
/// Rows with fewer samples do not contribute to the estimate of the spread.
const FEW: f64 = 10.0;

/// A row that grew.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Regression {
    /// The function, or `all` for the total.
    pub key: Box<str>,
    /// The growth relative to its value in A.
    pub growth: f64,
    /// Standard deviations, after correction.
    pub deviations: f64,
}

/// Returns the rows that grew by more than `threshold` (0.1 for 10 %), the total first, then by deviations; and
/// the number of deviations required. `total` selects whether the total is checked; as a share, it is always
/// the same.
#[must_use]
pub fn regressions(a: &Side, b: &Side, rows: &[DiffRow], threshold: f64, total: bool) -> (Vec<Regression>, f64) {
    let all_a = to_f64(a.total) * a.scale;
    let all_b = to_f64(b.total) * b.scale;
    let least = all_a * LEAST_SHARE;
    let large = |row: &&DiffRow| (to_f64(row.a) * a.scale).max(to_f64(row.b) * b.scale) >= least;
    let compared: Vec<&DiffRow> = rows.iter().filter(large).collect();
    let squares = compared.iter().filter_map(|row| own_deviations(row, a, b)).map(|deviations| deviations * deviations);
    let spread = spread(squares.collect());
    let wanted = quantile(LEVEL / to_f64(i64::try_from(compared.len() + 1).unwrap_or(i64::MAX)));
    let judge = |key: &str, old: f64, new: f64, deviations: f64| {
        let change = new - old;
        let growth = if old > 0.0 { change / old } else { f64::INFINITY };
        let deviations = deviations / spread;
        let grew = growth > threshold && change >= least && change > 0.0 && deviations > wanted;
        grew.then(|| Regression { key: key.into(), growth, deviations })
    };
    let mut found: Vec<Regression> = compared
        .iter()
        .filter_map(|row| judge(&row.key, to_f64(row.a) * a.scale, to_f64(row.b) * b.scale, row.deviations))
        .collect();
    found.sort_by(|x, y| y.deviations.total_cmp(&x.deviations).then_with(|| x.key.cmp(&y.key)));
    if total {
        let variance = |value: f64, samples: i64| variance(value, to_f64(samples.max(1)));
        let deviation = (variance(all_a, a.samples) + variance(all_b, b.samples)).sqrt();
        let deviations = if deviation > 0.0 { (all_b - all_a) / deviation } else { 0.0 };
        found.splice(0..0, judge("all", all_a, all_b, deviations));
    }
    (found, wanted * spread)
}

/// √λ, from the squared deviations of rows most of which have not changed.
fn spread(mut squares: Vec<f64>) -> f64 {
    let count = squares.len();
    if count < ENOUGH {
        return 1.0;
    }
    // The lower one of two in the middle: the rows that did change are at the upper end.
    let (_, median, _) = squares.select_nth_unstable_by((count - 1) / 2, f64::total_cmp);
    let error = if count < MANY { 2.0 * ERROR / (count as f64).sqrt() } else { 0.0 };
    if *median > MEDIAN + error { (*median / MEDIAN).sqrt() } else { 1.0 }
}

/// The change of a row's self value in standard deviations of the sampling error; `None` with too few samples.
/// The samples of a row are assumed to have equal weights.
fn own_deviations(row: &DiffRow, a: &Side, b: &Side) -> Option<f64> {
    let samples = |own: i64, total: i64, samples: i64| {
        if total > 0 { to_f64(samples) * to_f64(own) / to_f64(total) } else { 0.0 }
    };
    let (count_a, count_b) = (samples(row.self_a, row.a, row.samples_a), samples(row.self_b, row.b, row.samples_b));
    let (value_a, value_b) = (to_f64(row.self_a) * a.scale, to_f64(row.self_b) * b.scale);
    let variance = variance(value_a, count_a) + variance(value_b, count_b);
    (count_a + count_b >= FEW && variance > 0.0).then(|| (value_b - value_a) / variance.sqrt())
}

fn to_f64(n: i64) -> f64 {
    n as f64
}

/// The number of standard deviations that chance exceeds with probability `p`.
fn quantile(p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if tail(middle) > p { low = middle } else { high = middle }
    }
    low
}

/// The probability of more than `z` standard deviations: the complementary error function in its Chebyshev fit
/// (Numerical Recipes, `erfcc`; relative error below 1.2e-7).
fn tail(z: f64) -> f64 {
    const FIT: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let x = z / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * x);
    let sum = FIT.iter().rev().fold(0.0, |sum, c| sum * t + c);
    0.5 * t * (-x * x + sum).exp()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    use super::*;
    use crate::Cancel;
    use crate::tree::{By, CallStacks, Diff, FrameKind, Per, SampleType, View};

    /// Pseudorandom numbers, the same in every run.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
        }

        /// A Poisson count; large counts use the normal approximation.
        fn count(&mut self, mean: f64) -> i64 {
            if mean > 50.0 {
                let normal = (-2.0 * self.next().ln()).sqrt() * (2.0 * std::f64::consts::PI * self.next()).cos();
                return (mean + normal * mean.sqrt()).round().max(0.0) as i64;
            }
            let (mut product, mut count) = (1.0, 0);
            while product > (-mean).exp() {
                product *= self.next();
                count += 1;
            }
            count - 1
        }
    }

    /// A program of 200 functions whose shares follow Zipf's law. `slow` names one that takes longer by a
    /// factor. `jitter` is how much functions vary from run to run beyond sampling.
    fn run(seed: u64, slow: Option<(usize, f64)>, jitter: f64) -> CallStacks {
        let mut random = Random(seed);
        let mut stacks =
            CallStacks::new(vec![SampleType::new("samples", "count"), SampleType::new("cpu", "nanoseconds")]);
        stacks.seconds = 60.0;
        for i in 0..200 {
            let factor = slow.filter(|(at, _)| *at == i).map_or(1.0, |(_, factor)| factor);
            let own = 1.0 + jitter * (random.next() - 0.5);
            let count = random.count(3_000.0 / (i + 1) as f64 * factor * own);
            let main = stacks.frame("main", FrameKind::Java, 0);
            let leaf = stacks.frame(&format!("app.F{i}.run"), FrameKind::Java, 0);
            stacks.add(&[main, leaf], &[], &[count, count * 20_000_000]);
        }
        stacks
    }

    fn alarms(a: &CallStacks, b: &CallStacks) -> Vec<Regression> {
        let cancel = Cancel::never();
        let (a, b, rows) = Diff::table((a, 1), (b, 1), &View::default(), &By::Function, Per::Second, &cancel).unwrap();
        regressions(&a, &b, &rows, 0.1, true).0
    }

    #[test]
    fn equal_programs_raise_at_most_one_alarm_in_twenty_pairs() {
        for jitter in [0.0, 0.15] {
            let count = (0..20)
                .filter(|i| !alarms(&run(i * 2, None, jitter), &run(i * 2 + 1, None, jitter)).is_empty())
                .count();
            assert!(count <= 1, "{count} alarms with jitter {jitter}");
        }
    }

    #[test]
    fn a_slowdown_of_15_percent_is_found() {
        let found = |i: &u64| {
            let slow = run(i * 2 + 1, Some((0, 1.15)), 0.0);
            alarms(&run(i * 2, None, 0.0), &slow).iter().any(|r| &*r.key == "app.F0.run")
        };
        let count = (0..20).filter(found).count();
        assert!(count >= 18, "only {count} of 20");
    }

    /// Seven methods below six callers: the slow one and its callers are most of the rows.
    fn small(seed: u64, factor: f64) -> CallStacks {
        let mut random = Random(seed);
        let mut stacks =
            CallStacks::new(vec![SampleType::new("samples", "count"), SampleType::new("cpu", "nanoseconds")]);
        stacks.seconds = 60.0;
        for (i, share) in [0.8, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01].into_iter().enumerate() {
            let count = random.count(5_000.0 * share * if i == 0 { factor } else { 1.0 });
            let mut stack: Vec<_> = ["Thread.run", "Pool.run", "Main.serve", "Main.handle", "Shop.order"]
                .iter()
                .map(|name| stacks.frame(name, FrameKind::Java, 0))
                .collect();
            stack.push(stacks.frame(&format!("app.F{i}.run"), FrameKind::Java, 0));
            stacks.add(&stack, &[], &[count, count * 20_000_000]);
        }
        stacks
    }

    #[test]
    fn a_slowdown_is_found_where_most_rows_are_callers_of_it() {
        let slow =
            |i: &u64| alarms(&small(i * 2, 1.0), &small(i * 2 + 1, 1.15)).iter().any(|r| &*r.key == "app.F0.run");
        let found = (0..20).filter(slow).count();
        assert!(found >= 18, "only {found} of 20");
        let same = (0..20).filter(|i| !alarms(&small(i * 2, 1.0), &small(i * 2 + 1, 1.0)).is_empty()).count();
        assert!(same <= 1, "{same} alarms");
    }

    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        for (p, z) in [(0.158_655, 1.0), (0.022_750, 2.0), (0.001_350, 3.0), (5e-5, 3.890_6)] {
            assert!((quantile(p) - z).abs() < 1e-3, "{p}: {}", quantile(p));
        }
    }
}
