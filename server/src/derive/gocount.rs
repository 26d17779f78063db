//! Measures and metrics of profiles without a recording: sums over the time range, and values from Go's `metrics.json`.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use pprof_emit::pb;

use super::compute::{self, Measured};
use super::jfr::{float, seconds};
use super::{Sorted, unpack};
use crate::model::{Profile, TypeEntry, Upload};

/// Whether the values of a type are totals since the process began.
pub(super) fn is_cumulative(upload: &Upload, label: &str, kind: &str, language: &str) -> bool {
    let totals = matches!(kind, "alloc" | "alloc-count" | "mutex" | "block");
    let delta = label.starts_with("delta-") || upload.parts.iter().any(|p| p.label().starts_with("delta-"));
    language == "Go" && upload.protocol.starts_with("datadog") && totals && !delta && label.ends_with("heap.pprof")
}

/// Hashes a stack by addresses, functions and lines, leaf first, because ids differ between files.
fn name_of(
    profile: &pb::Profile,
    locations: &HashMap<u64, &pb::Location>,
    functions: &HashMap<u64, &pb::Function>,
    sample: &pb::Sample,
) -> u64 {
    let mut hash = DefaultHasher::new();
    let text = |index: i64| usize::try_from(index).ok().and_then(|i| profile.string_table.get(i));
    for location in sample.location_id.iter().filter_map(|id| locations.get(id)) {
        location.address.hash(&mut hash);
        for line in &location.line {
            (functions.get(&line.function_id).map(|f| text(f.name)), line.line).hash(&mut hash);
        }
    }
    for label in &sample.label {
        (text(label.key), text(label.str), label.num).hash(&mut hash);
    }
    hash.finish()
}

/// Subtracts the counts of an earlier profile of the same process in the named columns.
pub(super) fn subtract(now: &mut pb::Profile, before: &pb::Profile, names: &[&str]) {
    let columns: Vec<(usize, usize)> = {
        let place =
            |profile: &pb::Profile, name: &str| super::pprof::value_names(profile).iter().position(|n| *n == name);
        names.iter().filter_map(|name| Some((place(now, name)?, place(before, name)?))).collect()
    };
    let tables = |profile: &pb::Profile| -> Vec<u64> {
        let locations = profile.location.iter().map(|l| (l.id, l)).collect();
        let functions = profile.function.iter().map(|f| (f.id, f)).collect();
        profile.sample.iter().map(|sample| name_of(profile, &locations, &functions, sample)).collect()
    };
    let mut counted: HashMap<u64, Vec<i64>> = HashMap::new();
    for (name, sample) in tables(before).into_iter().zip(&before.sample) {
        let sums = counted.entry(name).or_insert_with(|| vec![0; columns.len()]);
        for (sum, (_, column)) in sums.iter_mut().zip(&columns) {
            *sum = sum.saturating_add(sample.value.get(*column).copied().unwrap_or(0));
        }
    }
    for (name, sample) in tables(now).into_iter().zip(&mut now.sample) {
        let Some(sums) = counted.get_mut(&name) else { continue };
        for (left, (column, _)) in sums.iter_mut().zip(&columns) {
            if let Some(value) = sample.value.get_mut(*column) {
                let taken = (*left).min(*value).max(0);
                *value -= taken;
                *left -= taken;
            }
        }
    }
}

/// Sets the measures that can be computed.
pub(super) fn measures(
    dir: &Path,
    read: &[(String, pb::Profile)],
    sorted: &Sorted<'_>,
    bounds: &compute::Bounds,
    profile: &mut Profile,
    contents: &[TypeEntry],
) {
    let is_go = profile.facets.language == "Go";
    let mut given: Vec<(String, f64)> = Vec::new();
    for part in &sorted.json {
        let Ok(bytes) = unpack::bytes(&dir.join(&part.file), &bounds.limits) else { continue };
        if is_go && let Ok(pairs) = serde_json::from_slice::<Vec<(String, f64)>>(&bytes) {
            given.extend(
                pairs.into_iter().filter(|(name, value)| name.starts_with("go_") && value.is_finite()).take(64),
            );
        }
    }
    let values = contents.iter().filter(|t| t.absent.is_none()).flat_map(|t| &t.values);
    let mut totals: Vec<(&str, f64)> = values.map(|v| (v.name.as_str(), float(v.total))).collect();
    // Types without samples are not listed, but a client that measured nothing did measure.
    for (_, profile) in read {
        for (column, name) in super::pprof::value_names(profile).into_iter().enumerate() {
            let zero = profile.sample.iter().all(|sample| sample.value.get(column).is_none_or(|value| *value == 0));
            if zero && !totals.iter().any(|(known, _)| *known == name) {
                totals.push((name, 0.0));
            }
        }
    }
    let window = seconds(profile).unwrap_or(0.0);
    // Go samples the CPU during part of the period only.
    let of_cpu = read.iter().filter(|(_, p)| is_go && super::pprof::value_names(p).contains(&"cpu"));
    let of_cpu = of_cpu.map(|(_, p)| p.duration_nanos).find(|d| *d > 0).map(|nanos| float(nanos) / 1e9);
    let mut measures = compute::pprof_measures(is_go, &totals, window, &given);
    if let Some(seconds) = of_cpu {
        let own =
            compute::pprof_measures(is_go, &totals, seconds, &given).into_iter().filter(|m| m.name == "cpu.cores");
        measures.retain(|m| m.name != "cpu.cores");
        measures.extend(own);
    }
    for Measured { name, measure } in measures {
        if let Some(value) = measure.value.filter(|v| v.is_finite()) {
            profile.metrics.push((name.to_owned(), value));
        }
        match name {
            "cpu.cores" => profile.cpu_cores = measure,
            "alloc.rate" => profile.alloc_rate = measure,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn profile(ids: [u64; 2], values: [[i64; 2]; 2]) -> pb::Profile {
        let function = |id, name| pb::Function { id, name, ..Default::default() };
        let location = |id| pb::Location {
            id,
            line: vec![pb::Line { function_id: id, line: 7, column: 0 }],
            ..Default::default()
        };
        let sample =
            |id, value: [i64; 2]| pb::Sample { location_id: vec![id], value: value.to_vec(), label: Vec::new() };
        pb::Profile {
            sample_type: vec![pb::ValueType { r#type: 3, unit: 0 }, pb::ValueType { r#type: 4, unit: 0 }],
            function: vec![function(ids[0], 1), function(ids[1], 2)],
            location: vec![location(ids[0]), location(ids[1])],
            sample: vec![sample(ids[0], values[0]), sample(ids[1], values[1])],
            string_table: ["", "a", "b", "alloc_space", "inuse_space"].map(str::to_owned).to_vec(),
            ..Default::default()
        }
    }

    #[test]
    fn totals_become_increases() {
        // Ids have no meaning outside their file.
        let mut now = profile([1, 2], [[150, 40], [30, 30]]);
        subtract(&mut now, &profile([9, 8], [[100, 90], [30, 1]]), &["alloc_space", "alloc_objects"]);
        assert_eq!(now.sample.iter().map(|s| s.value.as_slice()).collect::<Vec<_>>(), [[50, 40], [0, 30]]);
    }
}
