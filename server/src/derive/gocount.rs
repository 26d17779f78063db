//! Measures and metrics of profiles without a recording: sums over the window, and what Go's `metrics.json` says.

use std::path::Path;

use pprof_emit::pb;

use super::compute::{self, Measured};
use super::jfr::{float, seconds};
use super::{Sorted, unpack};
use crate::model::{Profile, TypeEntry, Upload};

/// Whether a type counts since the process began.
pub(super) fn is_cumulative(upload: &Upload, label: &str, kind: &str, language: &str) -> bool {
    let totals = matches!(kind, "alloc" | "alloc-count" | "mutex" | "block");
    let delta = label.starts_with("delta-") || upload.parts.iter().any(|p| p.label().starts_with("delta-"));
    language == "Go" && upload.protocol.starts_with("datadog") && totals && !delta && label.ends_with("heap.pprof")
}

/// Sets what can be known.
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
    let totals: Vec<(&str, f64)> = values.map(|v| (v.name.as_str(), float(v.total))).collect();
    let window = seconds(profile).unwrap_or(0.0);
    // Go samples the CPU for a part of the period.
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
