//! Trends of a series.

/// Least-squares slope of y over x; 0 if it is undefined (a single point, or all points at the same x).
#[must_use]
pub fn slope(points: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    let points: Vec<(f64, f64)> = points.into_iter().collect();
    let n = points.len() as f64;
    if points.is_empty() {
        return 0.0;
    }
    let (sx, sy) = points.iter().fold((0.0, 0.0), |(sx, sy), (x, y)| (sx + x, sy + y));
    let (mx, my) = (sx / n, sy / n);
    // Computed around the means, so that large numbers do not cancel each other.
    let (sxx, sxy) =
        points.iter().fold((0.0, 0.0), |(sxx, sxy), (x, y)| (sxx + (x - mx) * (x - mx), sxy + (x - mx) * (y - my)));
    let slope = sxy / sxx;
    if slope.is_finite() { slope } else { 0.0 }
}

/// Slope of memory (bytes) over time (nanoseconds) in MiB per second. As in JMC, time is truncated to whole
/// seconds since the first point, and memory to whole MiB.
#[must_use]
pub fn slope_mib_per_second(points: &[(i64, i64)]) -> f64 {
    let Some((first, _)) = points.first() else { return 0.0 };
    slope(points.iter().map(|(at, bytes)| {
        let seconds = at.saturating_sub(*first) / 1_000_000_000;
        (seconds as f64, (bytes >> 20) as f64)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_of_a_line_and_of_a_point() {
        assert!((slope([(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]) - 2.0).abs() < 1e-12);
        assert_eq!(slope([(1.0, 1.0)]), 0.0);
        assert_eq!(slope([(1.0, 1.0), (1.0, 9.0)]), 0.0);
        assert_eq!(slope([]), 0.0);
    }

    #[test]
    fn memory_and_time_are_truncated_to_mebibytes_and_seconds() {
        let s = 1_000_000_000;
        // 0, 1, 3 MiB at 0, 1, 2 s (1.9 MiB counts as 1): around the means 1 and 4/3, the slope is 3/2.
        let slope = slope_mib_per_second(&[(5 * s, 0), (6 * s + 999, 1_992_294), (7 * s, 3 << 20)]);
        assert!((slope - 1.5).abs() < 1e-12);
    }
}
