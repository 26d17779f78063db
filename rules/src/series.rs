//! Trends of series of values, and the highest of several scores.

/// The highest of some scores.
pub(crate) fn highest(scores: impl IntoIterator<Item = f64>) -> f64 {
    scores.into_iter().fold(0.0, f64::max)
}

/// The share of steps that go up, 0 to 1.
pub(crate) fn rising(values: &[f64]) -> f64 {
    let steps = values.len().saturating_sub(1);
    let up = values.iter().zip(values.iter().skip(1)).filter(|(a, b)| b > a).count();
    if steps == 0 { 0.0 } else { up as f64 / steps as f64 }
}

/// The median of some values.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The median of the slopes between all pairs of points, which is robust to outliers. For a few hundred points at
/// most.
pub(crate) fn robust_slope(points: &[(f64, f64)]) -> Option<f64> {
    let pairs =
        points.iter().enumerate().flat_map(|(i, a)| points.iter().skip(i.saturating_add(1)).map(move |b| (a, b)));
    median(pairs.map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)).filter(|s| s.is_finite()).collect())
}

/// The share of all pairs of points in which the later one is higher, 0 to 1: high for a noisy rise, low for a
/// sawtooth. For a few hundred points at most.
pub(crate) fn ascending(points: &[(f64, f64)]) -> f64 {
    let (mut up, mut pairs) = (0u64, 0u64);
    for (i, a) in points.iter().enumerate() {
        for b in points.iter().skip(i.saturating_add(1)) {
            pairs = pairs.saturating_add(1);
            up = up.saturating_add(u64::from(b.1 > a.1));
        }
    }
    if pairs == 0 { 0.0 } else { up as f64 / pairs as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_tolerates_outliers() {
        let points: Vec<(f64, f64)> =
            (0..20u32).map(|i| (f64::from(i), if i == 7 { 1e9 } else { f64::from(i) * 3.0 })).collect();
        assert_eq!(robust_slope(&points), Some(3.0));
        assert_eq!(robust_slope(&[(1.0, 1.0)]), None);
        assert!(ascending(&points) > 0.9);
        let saw: Vec<(f64, f64)> = (0..50u32).map(|i| (f64::from(i), f64::from(i % 10))).collect();
        assert!(ascending(&saw) < 0.6);
        assert_eq!(rising(&[1.0, 2.0, 2.0, 3.0, 4.0]), 0.75);
    }
}
