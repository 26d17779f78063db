//! Maps a measured value to a score between 0 and 100. All functions are 0 for values below 0 and flatten as
//! values grow.

/// `c · (1 − (1 − y1/c)^(v/x1))`: passes through (x1, y1) and approaches `c`.
#[must_use]
pub fn map_exp(v: f64, c: f64, x1: f64, y1: f64) -> f64 {
    if v <= 0.0 || v.is_nan() {
        return 0.0;
    }
    c * (1.0 - (1.0 - y1 / c).powf(v / x1))
}

/// 25 at `x1`, and never more than 74: an info at most.
#[must_use]
pub fn map_exp74(v: f64, x1: f64) -> f64 {
    map_exp(v, 74.0, x1, 25.0)
}

/// 75 at `x1`, and therefore 25 at about a fifth of that.
#[must_use]
pub fn map_exp100(v: f64, x1: f64) -> f64 {
    map_exp(v, 100.0, x1, 75.0)
}

/// `y1` at `x1`.
#[must_use]
pub fn map_exp100_at(v: f64, x1: f64, y1: f64) -> f64 {
    map_exp(v, 100.0, x1, y1)
}

/// 25 at `info`, 75 at `warning`: linear up to the first, then `25 + 75 · (1 − (1/3)^((v − info)/(warning −
/// info)))`.
#[must_use]
pub fn map2(v: f64, info: f64, warning: f64) -> f64 {
    if v < 0.0 || v.is_nan() {
        return 0.0;
    }
    if v < info {
        return 25.0 * v / info;
    }
    if warning <= info {
        // No slope between the two.
        return if v >= warning { 75.0 } else { 25.0 };
    }
    25.0 + 75.0 * (1.0 - (1.0f64 / 3.0).powf((v - info) / (warning - info)))
}

/// `min + max / (1 + e^(a(p − v)) + e^(b(p − v)))`.
#[must_use]
pub fn map_sigmoid(v: f64, min: f64, max: f64, a: f64, p: f64, b: f64) -> f64 {
    if v < 0.0 || v.is_nan() {
        return 0.0;
    }
    min + max / (1.0 + (a * (p - v)).exp() + (b * (p - v)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }

    #[test]
    fn curves_pass_through_their_points() {
        near(map_exp74(1_000.0, 1_000.0), 25.0);
        near(map_exp100(2.0, 2.0), 75.0);
        near(map_exp100(0.207_518_749 * 2.0, 2.0), 25.0);
        near(map_exp100_at(1.0, 1.0, 90.0), 90.0);
        near(map_exp100_at(2.0, 1.0, 90.0), 99.0);
        near(map2(5.0, 5.0, 10.0), 25.0);
        near(map2(10.0, 5.0, 10.0), 75.0);
        near(map2(2.0, 5.0, 10.0), 10.0);
        near(map2(15.0, 5.0, 10.0), 25.0 + 75.0 * 8.0 / 9.0);
    }

    #[test]
    fn scores_are_zero_for_negative_numbers_and_nan() {
        for v in [-1.0, f64::NAN] {
            near(map_exp74(v, 1.0), 0.0);
            near(map2(v, 1.0, 2.0), 0.0);
            near(map_sigmoid(v, 0.0, 100.0, 150.0, 0.03333, 7.0), 0.0);
        }
    }

    #[test]
    fn equal_points_make_a_step() {
        near(map2(0.0, 0.0, 0.1), 25.0);
        near(map2(3.0, 3.0, 3.0), 75.0);
    }

    #[test]
    fn the_sigmoid_reaches_its_limits_where_jmc_says() {
        let score = |v: f64| map_sigmoid(v, 0.0, 100.0, 150.0, 0.03333, 7.0);
        near(score(0.0288).round(), 25.0);
        near(score(0.19).round(), 75.0);
    }
}
