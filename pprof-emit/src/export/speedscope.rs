//! Speedscope's file format, for profiles of any language: <https://www.speedscope.app/file-format-schema.json>.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use hashbrown::HashMap;
use jfrkit_profile::Cancel;
use jfrkit_profile::any::AnySample;

use super::Typed;

/// The frames of the file, each stored once. They are functions, because Speedscope adds up equal frames and does not
/// distinguish lines within them.
#[derive(Default)]
struct Frames {
    list: Vec<serde_json::Value>,
    known: HashMap<(String, String), usize, foldhash::fast::RandomState>,
}

impl Frames {
    /// The frames of a sample, root first.
    fn stack(&mut self, of: &Typed<'_>, sample: &AnySample<'_>) -> Vec<usize> {
        let mut stack = Vec::new();
        for &location in sample.locations.iter().rev() {
            for frame in of.frames(location) {
                let key = (frame.name.clone().into_owned(), frame.file.to_owned());
                let next = self.list.len();
                let place = *self.known.entry(key).or_insert(next);
                if place == next {
                    let mut json = serde_json::json!({ "name": frame.name });
                    if let Some(json) = json.as_object_mut()
                        && !frame.file.is_empty()
                    {
                        json.insert("file".to_owned(), frame.file.into());
                    }
                    self.list.push(json);
                }
                stack.push(place);
            }
        }
        stack
    }
}

fn unit(unit: &str) -> &str {
    match unit {
        "nanoseconds" | "microseconds" | "milliseconds" | "seconds" | "bytes" => unit,
        _ => "none",
    }
}

fn check(i: usize, cancel: &Cancel) -> io::Result<()> {
    if i.is_multiple_of(1 << 10) { cancel.check().map_err(io::Error::other) } else { Ok(()) }
}

fn file(out: impl Write, name: &str, frames: &Frames, profiles: &[serde_json::Value]) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let file = serde_json::json!({
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": concat!("jfrkit ", env!("CARGO_PKG_VERSION")),
        "name": name, "activeProfileIndex": 0, "shared": { "frames": frames.list }, "profiles": profiles,
    });
    serde_json::to_writer(&mut out, &file)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Writes profile types for Speedscope: one `sampled` profile per value with a nonzero total, the default value first.
///
/// # Errors
/// Errors of `out`, or an error if `cancel` is raised.
pub fn write_speedscope_any(types: &[Typed<'_>], name: &str, out: impl Write, cancel: &Cancel) -> io::Result<()> {
    let mut frames = Frames::default();
    let mut profiles = Vec::new();
    for of in types {
        let mut stacks = Vec::new();
        for (i, sample) in of.samples().enumerate() {
            check(i, cancel)?;
            stacks.push((frames.stack(of, &sample), sample));
        }
        for &at in of.values.iter().rev() {
            let counted = || stacks.iter().filter(|(_, sample)| of.amount(sample, at) > 0);
            let weights: Vec<i64> = counted().map(|(_, sample)| of.amount(sample, at)).collect();
            let total = weights.iter().fold(0_i64, |sum, weight| sum.saturating_add(*weight));
            if total > 0 {
                let samples: Vec<&Vec<usize>> = counted().map(|(stack, _)| stack).collect();
                let (value, of_unit) = of.value(at);
                profiles.push(serde_json::json!({
                    "type": "sampled", "name": format!("{} · {value}", of.title), "unit": unit(of_unit), "startValue": 0,
                    "endValue": total, "samples": samples, "weights": weights,
                }));
            }
        }
    }
    if profiles.is_empty() {
        profiles.push(serde_json::json!({
            "type": "sampled", "name": name, "unit": "none", "startValue": 0, "endValue": 0, "samples": [], "weights": [],
        }));
    }
    file(out, name, &frames, &profiles)
}

/// A sample on the timeline of a thread: its start, end and stack.
struct Span {
    from: i64,
    to: i64,
    stack: Vec<usize>,
}

/// Writes profile types for Speedscope: one `evented` profile per thread, in which calls open and close in time order. A sample
/// lasts as long as its value in nanoseconds, but at most until the next sample.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] if samples have no times; errors of `out`; an error if `cancel` is raised.
pub fn write_speedscope_evented(types: &[Typed<'_>], name: &str, out: impl Write, cancel: &Cancel) -> io::Result<()> {
    let mut frames = Frames::default();
    let mut profiles = Vec::new();
    for of in types {
        if !of.has_times() {
            let why = "its samples have no timestamps";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let lasts = of.values.iter().copied().rev().find(|&at| of.value(at).1 == "nanoseconds");
        let mut threads: BTreeMap<String, Vec<Span>> = BTreeMap::new();
        for (i, sample) in of.samples().enumerate() {
            check(i, cancel)?;
            let Some(from) = of.time(&sample) else { continue };
            let length = lasts.map_or(1, |at| of.amount(&sample, at)).max(1);
            let stack = frames.stack(of, &sample);
            threads.entry(of.thread(&sample)).or_default().push(Span { from, to: from.saturating_add(length), stack });
        }
        let start = threads.values().flatten().map(|span| span.from).min().unwrap_or(0);
        for (thread, mut spans) in threads {
            spans.sort_by_key(|span| span.from);
            let end = spans.iter().map(|span| span.to).max().unwrap_or(start).saturating_sub(start);
            let thread = if thread.is_empty() { "unknown thread".to_owned() } else { thread };
            profiles.push(serde_json::json!({
                "type": "evented", "name": format!("{} · {thread}", of.title), "unit": "nanoseconds", "startValue": 0,
                "endValue": end, "events": events(&spans, start),
            }));
        }
    }
    file(out, name, &frames, &profiles)
}

/// The events that open and close calls, from spans in time order.
fn events(spans: &[Span], start: i64) -> Vec<serde_json::Value> {
    let mut out = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut event = |kind: &str, frame: usize, at: i64| {
        out.push(serde_json::json!({ "type": kind, "frame": frame, "at": at.saturating_sub(start) }));
    };
    // Where the open calls end, unless the next sample continues them.
    let mut until = start;
    for (i, span) in spans.iter().enumerate() {
        // Ignore a gap shorter than a sample.
        let joined = i > 0 && span.from.saturating_sub(until) < span.to.saturating_sub(span.from);
        let same = if joined { open.iter().zip(&span.stack).take_while(|(a, b)| a == b).count() } else { 0 };
        let closed = if joined { span.from } else { until };
        while open.len() > same {
            if let Some(frame) = open.pop() {
                event("C", frame, closed);
            }
        }
        for &frame in span.stack.iter().skip(same) {
            event("O", frame, span.from);
            open.push(frame);
        }
        let next = spans.get(i + 1).map_or(i64::MAX, |next| next.from);
        until = span.to.min(next);
    }
    while let Some(frame) = open.pop() {
        event("C", frame, until);
    }
    out
}
