//! Distribution of sizes over groups.

/// How much a few groups dominate: the sum, over the groups sorted by size (largest first), of share divided by
/// rank. 1 if a single group has everything.
#[must_use]
pub fn balance(sizes: impl IntoIterator<Item = f64>) -> f64 {
    let mut sizes: Vec<f64> = sizes.into_iter().filter(|s| *s > 0.0).collect();
    let total: f64 = sizes.iter().sum();
    if total <= 0.0 {
        return 0.0;
    }
    sizes.sort_by(|a, b| b.total_cmp(a));
    (1u32..).zip(&sizes).map(|(rank, size)| size / total / f64::from(rank)).sum()
}

/// Expresses a sum of weights in units of the smallest weight: how many of the smallest samples make up the
/// sum. `smallest` is the smallest single weight above 0.
///
/// JMC stores the sums in 31 bits and halves them on overflow; here nothing overflows.
#[must_use]
pub fn over_smallest(sum: f64, smallest: f64) -> f64 {
    if smallest > 0.0 { (sum / smallest).trunc() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_group_is_all_and_equal_groups_share() {
        assert_eq!(balance([7.0]), 1.0);
        assert!((balance([1.0, 1.0]) - 0.75).abs() < 1e-12);
        // 60 % + 30 %/2 + 10 %/3
        assert!((balance([10.0, 60.0, 30.0]) - (0.6 + 0.15 + 0.1 / 3.0)).abs() < 1e-12);
        assert_eq!(balance([]), 0.0);
    }

    #[test]
    fn sums_count_the_smallest_sample() {
        assert_eq!(over_smallest(1_000.0, 300.0), 3.0);
        assert_eq!(over_smallest(1_000.0, 0.0), 0.0);
    }
}
