//! A steady rise of a metric over the last hour, shared by the rules on growth.

use super::Process;
use super::table::score;
use jfr_analyzers::rule::{Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// How the verdict is computed.
pub(super) const FORMULA: &str = "Growth per hour divided by the mean: 25 at `info`, 75 at `warning`; only for a steady \
                                  rise over at least 10 minutes.";
/// How much growth is too much.
pub(super) const SETTINGS: &[Setting] = &[
    Setting::percent("info", 20.0, "Growth per hour worth a look"),
    Setting::percent("warning", 100.0, "Growth per hour to act on"),
];
/// Why growth matters.
pub(super) const WHY: &str = "A rise that never ends is a leak. A cache that fills up or a growing load looks the same \
                              until it levels off.";
/// The fewest points of a trend, and the shortest time that they span.
const TREND_POINTS: usize = 6;
const TREND_SECONDS: f64 = 600.0;
/// From this correlation with time on, a series rises steadily rather than going up and down.
const STEADY: f64 = 0.85;
/// How far back to look, in nanoseconds.
const HOUR: i64 = 3_600_000_000_000;

/// What may grow.
pub(super) struct Subject {
    /// The metrics that contain it; the first available one counts.
    pub(super) metrics: &'static [&'static str],
    /// The beginning of a sentence about it.
    pub(super) name: &'static str,
    /// A value for people.
    pub(super) show: fn(f64) -> String,
    pub(super) remedy: &'static str,
}

pub(super) fn evaluate(process: &Process<'_>, subject: &Subject, settings: &Settings) -> Verdict {
    let Some(points) = points(process, subject.metrics) else {
        return Verdict::not_applicable("the client does not send this metric");
    };
    match measure(&points) {
        Some(measured) => verdict(&measured, subject, settings),
        None => Verdict::not_applicable("the process has been observed for less than ten minutes"),
    }
}

/// A metric over the last hour: seconds before now (0 or less) and the value, in chronological order. `None` if the
/// metric is unknown.
fn points(process: &Process<'_>, metrics: &[&str]) -> Option<Vec<(f64, f64)>> {
    let now = process.metric(metrics)?;
    let mut points: Vec<(f64, f64)> = process
        .earlier
        .iter()
        .filter(|earlier| {
            let ago = process.start_nanos.saturating_sub(earlier.start_nanos);
            ago > 0 && ago <= HOUR
        })
        .filter_map(|earlier| {
            let value = metrics.iter().find_map(|wanted| earlier.metrics.iter().find(|(name, _)| name == wanted))?.1;
            Some((earlier.start_nanos.saturating_sub(process.start_nanos) as f64 / 1e9, value))
        })
        .collect();
    points.push((0.0, now));
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(points)
}

/// The line through the points.
struct Measured {
    points: usize,
    first: f64,
    last: f64,
    /// The time that the points span, in seconds.
    span: f64,
    mean: f64,
    /// Growth per hour.
    an_hour: f64,
    /// The correlation with time, -1 to 1.
    correlation: f64,
}

/// `None` if there are too few points.
fn measure(points: &[(f64, f64)]) -> Option<Measured> {
    let (first, last) = (points.first()?, points.last()?);
    let span = -first.0;
    if points.len() < TREND_POINTS || span < TREND_SECONDS {
        return None;
    }
    let n = points.len() as f64;
    let (mean_t, mean) = points.iter().fold((0.0, 0.0), |(t, v), point| (t + point.0 / n, v + point.1 / n));
    let (mut tt, mut tv, mut vv) = (0.0, 0.0, 0.0);
    for (at, value) in points {
        let (t, v) = (at - mean_t, value - mean);
        tt += t * t;
        tv += t * v;
        vv += v * v;
    }
    Some(Measured {
        points: points.len(),
        first: first.1,
        last: last.1,
        span,
        mean,
        an_hour: if tt > 0.0 { tv / tt * 3_600.0 } else { 0.0 },
        correlation: if tt > 0.0 && vv > 0.0 { tv / (tt * vv).sqrt() } else { 0.0 },
    })
}

fn verdict(measured: &Measured, subject: &Subject, settings: &Settings) -> Verdict {
    let Measured { first, last, mean, an_hour, .. } = measured;
    let Subject { name, show, remedy, .. } = subject;
    let over = units::duration_f64(measured.span * 1e9);
    let moved = format!("from {} to {} in {over}", show(*first), show(*last));
    if measured.correlation < STEADY || *mean <= 0.0 {
        return Verdict::ok(format!("{name} does not rise steadily: {moved}"));
    }
    let relative = an_hour / mean;
    Verdict::scored(score(relative, settings), format!("{name} rises steadily, {moved}"))
        .explain(WHY)
        .remedy(*remedy)
        .with("growth an hour", Value::text(show(*an_hour)))
        .with("share of the mean", Value::share(relative))
        .with("profiles", Value::count(u64::try_from(measured.points).unwrap_or(0), "profiles"))
}
