//! Trees from stored files, and files from trees.

use std::collections::HashMap;
use std::io::{self, Write};

use pprof_emit::pb;
use prost::Message;
use serde_json::json;

pub(crate) use jfrkit_profile::tree::{
    Address, By, CallStacks, DEFAULT_MIN, Diff, Group, Pattern, Per, TableRow, Tree, TreeError, TreeJson, View, merge,
    table,
};

/// The stacks of a stored pprof file.
pub(crate) fn read(bytes: &[u8]) -> Result<CallStacks, String> {
    let limits = pprof_emit::AnyLimits::default();
    let profile = pprof_emit::read_any(bytes, &limits, &jfrkit_profile::Cancel::never()).map_err(|e| e.to_string())?;
    let values: Vec<usize> = (0..profile.sample_types.len()).collect();
    Ok(profile.call_stacks(&values))
}

/// Calls `each` for every node with a self value, with the path from below the root and that value.
fn paths(tree: &Tree, mut each: impl FnMut(&[u32], i64)) {
    let mut path: Vec<u32> = Vec::new();
    for ((depth, name), own) in tree.depth.iter().zip(&tree.name).zip(&tree.own) {
        let Some(above) = usize::try_from(*depth).ok().and_then(|d| d.checked_sub(1)) else { continue };
        path.truncate(above);
        path.push(*name);
        if *own != 0 {
            each(&path, *own);
        }
    }
}

fn name_of(tree: &Tree, name: u32) -> &str {
    usize::try_from(name).ok().and_then(|n| tree.names.get(n)).map_or("", |n| n)
}

/// One line per stack.
pub(crate) fn collapsed(tree: &Tree) -> Vec<u8> {
    let mut out = Vec::new();
    paths(tree, |path, own| {
        for (i, name) in path.iter().enumerate() {
            if i > 0 {
                out.push(b';');
            }
            // Replace the characters that would end a frame or a line by a colon or a space.
            out.extend(
                name_of(tree, *name)
                    .chars()
                    .map(|c| {
                        if c == ';' {
                            ':'
                        } else if c.is_control() {
                            ' '
                        } else {
                            c
                        }
                    })
                    .collect::<String>()
                    .bytes(),
            );
        }
        out.extend(format!(" {own}\n").bytes());
    });
    out
}

/// Speedscope's native format, sampled.
pub(crate) fn speedscope(tree: &Tree, title: &str, unit: &str) -> io::Result<Vec<u8>> {
    let (mut samples, mut weights) = (Vec::new(), Vec::new());
    paths(tree, |path, own| {
        samples.push(path.to_vec());
        weights.push(own);
    });
    let frames: Vec<_> = tree.names.iter().map(|name| json!({"name": name})).collect();
    let unit = match unit {
        "nanoseconds" | "bytes" => unit,
        _ => "none",
    };
    let total = weights.iter().fold(0i64, |sum, w| sum.saturating_add(*w));
    let document = json!({
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "shared": {"frames": frames},
        "profiles": [{"type": "sampled", "name": title, "unit": unit, "startValue": 0, "endValue": total, "samples": samples, "weights": weights}],
        "name": title, "exporter": concat!("jfrkit ", env!("CARGO_PKG_VERSION")),
    });
    Ok(serde_json::to_vec(&document)?)
}

/// The tree as pprof, one sample per stack.
pub(crate) fn pprof(tree: &Tree, value: &str, unit: &str, stacks: &CallStacks) -> io::Result<Vec<u8>> {
    let mut strings: Vec<String> = vec![String::new()];
    let mut numbers: HashMap<String, i64> = HashMap::new();
    let mut add = |text: &str| -> i64 {
        if text.is_empty() {
            return 0;
        }
        *numbers.entry(text.to_owned()).or_insert_with(|| {
            strings.push(text.to_owned());
            i64::try_from(strings.len() - 1).unwrap_or(0)
        })
    };
    let mut out = pb::Profile { time_nanos: stacks.time_nanos, ..Default::default() };
    let nanos = std::time::Duration::try_from_secs_f64(stacks.seconds.max(0.0)).unwrap_or_default().as_nanos();
    out.duration_nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
    out.sample_type.push(pb::ValueType { r#type: add(value), unit: add(unit) });
    out.mapping.push(pb::Mapping { id: 1, has_functions: true, ..Default::default() });
    for (i, name) in tree.names.iter().enumerate() {
        let id = u64::try_from(i).unwrap_or(0).saturating_add(1);
        out.function.push(pb::Function { id, name: add(name), system_name: add(name), ..Default::default() });
        let line = pb::Line { function_id: id, line: 0, column: 0 };
        out.location.push(pb::Location { id, mapping_id: 1, line: vec![line], ..Default::default() });
    }
    paths(tree, |path, own| {
        let location_id = path.iter().rev().map(|name| u64::from(*name) + 1).collect();
        out.sample.push(pb::Sample { location_id, value: vec![own], label: Vec::new() });
    });
    out.string_table = strings;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(2));
    packed.write_all(&out.encode_to_vec())?;
    packed.finish()
}

/// A self-contained page that opens from disk.
pub(crate) fn html(tree: &Tree, title: &str, kind: &str, value: &str, unit: &str, seconds: f64) -> io::Result<Vec<u8>> {
    let json = tree.to_json(None, DEFAULT_MIN).unwrap_or_default();
    let total = json.total;
    let page = json!({
        "kind": "flame", "title": title, "generator": concat!("jfrkit ", env!("CARGO_PKG_VERSION")), "seconds": seconds,
        "types": [{"type": kind, "name": kind, "definition": "", "absent": null, "how": [],
            "values": [{"name": value, "unit": unit, "total": total, "samples": tree.samples, "tree": "t0", "folded": json.folded}]}],
    });
    let page = serde_json::to_vec(&page)?;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    packed.write_all(&serde_json::to_vec(&json)?)?;
    let packed = packed.finish()?;
    let mut out = Vec::new();
    let blocks = [jfrkit_web::Block::json("jfrkit-page", &page), jfrkit_web::Block::gzip("t0", &packed)];
    jfrkit_web::write_page(&mut out, jfrkit_web::Bundle::Flame, title, &blocks)?;
    Ok(out)
}
