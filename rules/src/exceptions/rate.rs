//! How many exceptions the program creates, by the JVM's own count.

use super::thrown::ERRORS;
use jfr_analyzers::events::Facts;
use jfr_analyzers::math::ratio;

/// The busiest share of the time, which does not count: startup or a single burst is not typical.
const BUSIEST: f64 = 0.1;

/// How many exceptions the program creates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    /// The total number.
    pub(super) total: f64,
    /// Per minute, without the busiest tenth of the time.
    pub(super) per_minute: f64,
    /// Per minute, over the whole time.
    pub(super) mean: f64,
    /// Where the count comes from.
    pub(super) source: &'static str,
}

impl Rate {
    /// The rate for this total over the whole recording; less than a minute counts as a minute.
    pub(super) fn of_all(facts: &Facts, total: f64, source: &'static str) -> Self {
        let mean = total * 60.0 / facts.seconds().max(60.0);
        Self { total, per_minute: mean, mean, source }
    }
}

/// The rate by `jdk.ExceptionStatistics`, which counts every throwable since the JVM started, and every Error twice.
pub(super) fn counted(facts: &Facts) -> Option<Rate> {
    let table = facts.table("jdk.ExceptionStatistics");
    let counts: Vec<(i64, f64)> = table.rows().filter_map(|r| Some((r.end, r.float("throwables")?))).collect();
    let mut errors = facts.table(ERRORS).rows().map(|r| r.start).peekable();
    let mut slices: Vec<(f64, f64)> = Vec::new();
    for (a, b) in counts.iter().zip(counts.iter().skip(1)) {
        while errors.next_if(|at| *at <= a.0).is_some() {}
        let mut twice = 0.0;
        while errors.next_if(|at| *at <= b.0).is_some() {
            twice += 2.0;
        }
        let seconds = b.0.saturating_sub(a.0) as f64 / 1e9;
        // If recordings of several JVMs are joined, the count starts over.
        if seconds > 0.0 && b.1 >= a.1 {
            slices.push((seconds, (b.1 - a.1 - twice).max(0.0)));
        }
    }
    if slices.is_empty() {
        return None;
    }
    let (seconds, total) = slices.iter().fold((0.0, 0.0), |all, s| (all.0 + s.0, all.1 + s.1));
    slices.sort_by(|a, b| ratio(b.1, b.0).total_cmp(&ratio(a.1, a.0)));
    let mut leave = seconds * BUSIEST;
    let mut rest = (0.0, 0.0);
    for (length, count) in slices {
        let left_out = leave.min(length);
        leave -= left_out;
        let part = ratio(length - left_out, length);
        rest = (rest.0 + length * part, rest.1 + count * part);
    }
    Some(Rate {
        total,
        per_minute: ratio(rest.1, rest.0) * 60.0,
        mean: ratio(total, seconds) * 60.0,
        source: "jdk.ExceptionStatistics",
    })
}
