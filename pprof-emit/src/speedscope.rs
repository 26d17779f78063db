//! Writes the file format of Speedscope: <https://www.speedscope.app/file-format-schema.json>.

use std::io::{self, BufWriter, Write};

use jfrkit_profile::index::IndexVec;
use jfrkit_profile::{Cancel, FunctionId, Profile, Tables, work};

/// Number of stacks to process before checking for cancellation again.
const STOP_EVERY: usize = 1 << 10;

/// Writes a profile for Speedscope: one `sampled` profile for each value whose total is not zero, the default
/// value first. Frames are functions, so that Speedscope's tables add up by function; `name` is the title shown in
/// the viewer.
///
/// # Errors
/// Errors of `out`.
pub fn write_speedscope(
    profile: &Profile,
    tables: &Tables,
    name: &str,
    out: impl Write,
    cancel: &Cancel,
) -> io::Result<()> {
    const UNKNOWN: u32 = u32::MAX;
    let mut out = BufWriter::new(out);
    let mut places: IndexVec<FunctionId, u32> = IndexVec::filled(UNKNOWN, tables.function_count());
    let mut functions = Vec::new();
    let stop = |i: usize| if i.is_multiple_of(STOP_EVERY) { cancel.check().map_err(io::Error::other) } else { Ok(()) };
    for (i, sample) in profile.samples.iter().enumerate() {
        stop(i)?;
        work::done(tables.stack(sample.stack).len());
        for &frame in tables.stack(sample.stack) {
            let function = tables.frame(frame).function;
            if places[function] == UNKNOWN {
                places[function] = u32::try_from(functions.len()).unwrap_or(UNKNOWN);
                functions.push(function);
            }
        }
    }
    out.write_all(b"{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\"exporter\":")?;
    text(&mut out, concat!("jfrkit ", env!("CARGO_PKG_VERSION")))?;
    out.write_all(b",\"name\":")?;
    text(&mut out, name)?;
    out.write_all(b",\"activeProfileIndex\":0,\"shared\":{\"frames\":[")?;
    for (i, &function) in functions.iter().enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        let function = tables.function(function);
        let known = tables.str(function.name);
        out.write_all(b"{\"name\":")?;
        text(&mut out, if known.is_empty() { "[unknown]" } else { known })?;
        let file = tables.str(function.file);
        if !file.is_empty() {
            out.write_all(b",\"file\":")?;
            text(&mut out, file)?;
        }
        out.write_all(b"}")?;
    }
    out.write_all(b"]},\"profiles\":[")?;
    let totals = profile.totals();
    let values: Vec<usize> = (0..totals.len()).rev().filter(|&at| totals.get(at).is_some_and(|&t| t > 0)).collect();
    // A file has at least one profile.
    let values = if values.is_empty() { vec![totals.len().saturating_sub(1)] } else { values };
    for (i, &at) in values.iter().enumerate() {
        let (label, unit) = profile.values().get(at).map_or(("", ""), |value| (value.name, value.unit));
        let unit = match unit {
            "nanoseconds" | "microseconds" | "milliseconds" | "seconds" | "bytes" => unit,
            _ => "none",
        };
        out.write_all(if i > 0 { b",{\"type\":\"sampled\",\"name\":" } else { b"{\"type\":\"sampled\",\"name\":" })?;
        text(&mut out, label)?;
        let total = totals.get(at).copied().unwrap_or(0);
        write!(out, ",\"unit\":\"{unit}\",\"startValue\":0,\"endValue\":{total},\"samples\":[")?;
        let counted = || profile.samples.iter().filter(|sample| sample.values.get(at).is_some_and(|&value| value > 0));
        for (i, sample) in counted().enumerate() {
            stop(i)?;
            out.write_all(if i > 0 { b",[" } else { b"[" })?;
            for (depth, &frame) in tables.stack(sample.stack).iter().rev().enumerate() {
                let place = places[tables.frame(frame).function];
                if depth > 0 {
                    out.write_all(b",")?;
                }
                write!(out, "{place}")?;
            }
            out.write_all(b"]")?;
        }
        out.write_all(b"],\"weights\":[")?;
        for (i, sample) in counted().enumerate() {
            stop(i)?;
            if i > 0 {
                out.write_all(b",")?;
            }
            write!(out, "{}", sample.values.get(at).copied().unwrap_or(0))?;
        }
        out.write_all(b"]}")?;
    }
    out.write_all(b"]}\n")?;
    out.flush()
}

/// Writes a JSON string.
fn text(out: &mut impl Write, text: &str) -> io::Result<()> {
    serde_json::to_writer(out, text).map_err(io::Error::from)
}
