//! The timeline as a picture in SVG: a track below the other, and the windows that findings point at across all.

use std::fmt::Write as _;

use super::escape;
use crate::blocks::{time_of_day, window};
use jfr_analyzers::math::to_i64;
use jfr_analyzers::rule::{Severity, Shape, Timeline, Track, TrackUnit};
use jfrkit_profile::units;

const WIDTH: f64 = 1000.0;
/// Where the curves begin; titles stand before.
const LEFT: f64 = 128.0;
const RIGHT: f64 = WIDTH - 8.0;
const HEIGHT: f64 = 62.0;
const GAP: f64 = 16.0;
/// A row of marks.
const LANE: f64 = 20.0;
/// Rows of marks; what does not fit has no mark.
const LANES: usize = 5;
/// Room that a mark takes.
const MARK: f64 = 20.0;

/// A stretch of time that a finding points at.
pub(super) struct Mark<'a> {
    /// The number of the finding on this page.
    pub(super) number: usize,
    /// The id of its element.
    pub(super) anchor: String,
    pub(super) title: &'a str,
    pub(super) severity: Severity,
    pub(super) from: i64,
    pub(super) to: i64,
}

/// The picture; nothing where there is nothing to draw.
pub(super) fn draw(timeline: &Timeline, marks: &[Mark<'_>]) -> Option<String> {
    if timeline.tracks.is_empty() || timeline.to_nanos <= timeline.from_nanos {
        return None;
    }
    let scale = Scale { from: timeline.from_nanos, to: timeline.to_nanos };
    let lanes = lanes(&scale, marks);
    let used = lanes.iter().flatten().max().map_or(0, |last| last + 1);
    let top = LANE * used as f64 + 6.0;
    let bottom = top + (HEIGHT + GAP) * timeline.tracks.len() as f64;
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = picture(&mut out, timeline, &scale, marks, &lanes, (top, bottom));
    Some(out)
}

fn picture(
    out: &mut String,
    timeline: &Timeline,
    scale: &Scale,
    marks: &[Mark<'_>],
    lanes: &[Option<usize>],
    (top, bottom): (f64, f64),
) -> std::fmt::Result {
    write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"group\" aria-label=\"Timeline of the recording\">",
        bottom + 18.0
    )?;
    axis(out, scale, top, bottom)?;
    for (i, track) in timeline.tracks.iter().enumerate() {
        draw_track(out, track, scale, top + (HEIGHT + GAP) * i as f64)?;
    }
    for (mark, lane) in marks.iter().zip(lanes) {
        draw_mark(out, mark, *lane, scale, (top, bottom - GAP))?;
    }
    out.push_str("</svg>");
    Ok(())
}

struct Scale {
    from: i64,
    to: i64,
}

impl Scale {
    fn x(&self, at: i64) -> f64 {
        let part = at.saturating_sub(self.from) as f64 / self.to.saturating_sub(self.from).max(1) as f64;
        LEFT + part.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }
}

/// Steps that a scale of time may have, in nanoseconds.
const STEPS: [i64; 24] = {
    const MS: i64 = 1_000_000;
    const S: i64 = 1_000 * MS;
    const MIN: i64 = 60 * S;
    const H: i64 = 60 * MIN;
    [
        MS,
        2 * MS,
        5 * MS,
        10 * MS,
        20 * MS,
        50 * MS,
        100 * MS,
        200 * MS,
        500 * MS,
        S,
        2 * S,
        5 * S,
        10 * S,
        30 * S,
        MIN,
        2 * MIN,
        5 * MIN,
        10 * MIN,
        30 * MIN,
        H,
        2 * H,
        6 * H,
        12 * H,
        24 * H,
    ]
};

fn axis(out: &mut String, scale: &Scale, top: f64, bottom: f64) -> std::fmt::Result {
    let length = scale.to.saturating_sub(scale.from);
    let last = STEPS.last().copied().unwrap_or(1);
    let step = STEPS
        .into_iter()
        .find(|step| length / step <= 8)
        .unwrap_or_else(|| (length / 8 / last + 1).saturating_mul(last));
    let mut at = scale.from.div_euclid(step).saturating_add(1).saturating_mul(step);
    while at < scale.to {
        let x = scale.x(at);
        write!(out, "<path class=\"grid\" d=\"M{x:.1} {top:.1}V{:.1}\" stroke-opacity=\".6\"/>", bottom - GAP)?;
        // One beside the edge would be cut.
        if x > LEFT + 20.0 && x < RIGHT - 28.0 {
            let time = time_of_day(at);
            let shown = match step {
                s if s < 1_000_000_000 => time.as_str(),
                s if s < 60_000_000_000 => time.get(..8).unwrap_or(&time),
                _ => time.get(..5).unwrap_or(&time),
            };
            write!(out, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{shown}</text>", bottom + 4.0)?;
        }
        at = at.saturating_add(step);
    }
    write!(out, "<text x=\"0\" y=\"{:.1}\">UTC</text>", bottom + 4.0)
}

fn draw_track(out: &mut String, track: &Track, scale: &Scale, top: f64) -> std::fmt::Result {
    let greatest = track.greatest();
    // A limit far above what was reached would press the curve to the ground.
    let limit =
        track.limit.filter(|limit| *limit >= greatest && (track.unit == TrackUnit::Percent || greatest * 4.0 > *limit));
    let end = limit.unwrap_or(greatest * 1.08).max(f64::MIN_POSITIVE);
    let ground = top + HEIGHT;
    let y = |value: f64| ground - (value / end).clamp(0.0, 1.0) * HEIGHT;
    let value = |value: f64| escape(&in_unit(value, track.unit));
    write!(out, "<text class=\"title\" x=\"0\" y=\"{:.1}\">{}</text>", top + 11.0, escape(track.title))?;
    write!(out, "<text x=\"0\" y=\"{:.1}\">peak {}</text>", top + 28.0, value(greatest))?;
    // Where the scale does not show the limit, words do.
    if let (None, Some(limit), [_]) = (limit, track.limit, track.series.as_slice()) {
        write!(out, "<text x=\"0\" y=\"{:.1}\">of {}</text>", top + 42.0, value(limit))?;
    }
    if let [first, second, ..] = track.series.as_slice() {
        let mid = top + 44.0;
        write!(
            out,
            "<path class=\"top\" d=\"M0 {:.1}h14\"/><text x=\"19\" y=\"{mid:.1}\">{}</text>",
            mid - 4.0,
            escape(first.name)
        )?;
        write!(
            out,
            "<path class=\"line\" d=\"M0 {:.1}h14\"/><text x=\"19\" y=\"{:.1}\">{}</text>",
            mid + 10.0,
            mid + 14.0,
            escape(second.name)
        )?;
    }
    if limit.is_some() {
        write!(out, "<path class=\"grid\" d=\"M{LEFT} {top:.1}H{RIGHT}\"/>")?;
    }
    write!(out, "<path class=\"ground\" d=\"M{LEFT} {ground:.1}H{RIGHT}\"/>")?;
    for series in &track.series {
        let points = series.points.iter().map(|(at, value)| (scale.x(*at), y(*value)));
        let mut path = String::new();
        match series.shape {
            Shape::Bars => {
                for (x, y) in points {
                    // What is there but small is still seen.
                    write!(path, "M{x:.1} {ground:.1}V{:.1}", y.min(ground - 1.0))?;
                }
                write!(out, "<path class=\"bars\" d=\"{path}\"/>")?;
            }
            Shape::Area | Shape::Line => {
                let mut ends = None;
                for (i, (x, y)) in points.enumerate() {
                    write!(path, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' })?;
                    ends = Some((ends.map_or(x, |(first, _)| first), x));
                }
                let Some((first, last)) = ends else { continue };
                if series.shape == Shape::Area {
                    write!(out, "<path class=\"area\" d=\"{path}L{last:.1} {ground:.1}L{first:.1} {ground:.1}Z\"/>")?;
                }
                let class = if series.shape == Shape::Area { "top" } else { "line" };
                // A single point is a dot.
                let dot = if series.points.len() == 1 { "h.1" } else { "" };
                write!(out, "<path class=\"{class}\" d=\"{path}{dot}\"/>")?;
            }
        }
    }
    Ok(())
}

fn in_unit(value: f64, unit: TrackUnit) -> String {
    match unit {
        TrackUnit::Percent => units::percentage(value),
        TrackUnit::Bytes => units::size(to_i64(value)),
        TrackUnit::Nanos => units::duration(to_i64(value)),
        TrackUnit::PerSecond => format!("{}/s", units::number(value)),
        TrackUnit::BytesPerSecond => format!("{}/s", units::size(to_i64(value))),
        TrackUnit::Count => units::number(value),
    }
}

/// Rows in which marks do not touch.
fn lanes(scale: &Scale, marks: &[Mark<'_>]) -> Vec<Option<usize>> {
    let mut taken: Vec<Vec<f64>> = Vec::new();
    let place = |mark: &Mark<'_>| {
        let x = center(mark, scale);
        let free = taken.iter().position(|lane| lane.iter().all(|other| (other - x).abs() >= MARK));
        let lane = free.unwrap_or(taken.len());
        if lane >= LANES {
            return None;
        }
        if lane == taken.len() {
            taken.push(Vec::new());
        }
        taken.get_mut(lane)?.push(x);
        Some(lane)
    };
    marks.iter().map(place).collect()
}

fn center(mark: &Mark<'_>, scale: &Scale) -> f64 {
    f64::midpoint(scale.x(mark.from), scale.x(mark.to)).clamp(LEFT + 9.0, RIGHT - 9.0)
}

fn draw_mark(
    out: &mut String,
    mark: &Mark<'_>,
    lane: Option<usize>,
    scale: &Scale,
    (top, bottom): (f64, f64),
) -> std::fmt::Result {
    let (from, to) = (scale.x(mark.from), scale.x(mark.to));
    // A pause is much shorter than a dot is wide.
    let (x, width) = if to - from < 3.0 { (f64::midpoint(from, to) - 1.5, 3.0) } else { (from, to - from) };
    let when = window(mark.from, mark.to, scale.from);
    write!(
        out,
        "<a href=\"#{}\" class=\"{}\"><title>{}: {}, {}</title><rect class=\"band\" x=\"{x:.1}\" y=\"{top:.1}\" \
         width=\"{width:.1}\" height=\"{:.1}\"/>",
        escape(&mark.anchor),
        mark.severity.name(),
        mark.number,
        escape(mark.title),
        escape(&when),
        bottom - top,
    )?;
    if let Some(lane) = lane {
        let (x, y) = (center(mark, scale), LANE * lane as f64 + 10.0);
        write!(
            out,
            "<path class=\"edge\" d=\"M{x:.1} {:.1}V{top:.1}\"/><circle class=\"mark\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            y + 9.0,
            y + 4.0,
            mark.number,
        )?;
    }
    out.push_str("</a>");
    Ok(())
}
