//! Recordings: first the profiles, then the analysis and everything else.

use std::io::Write;
use std::path::Path;

use jfr_analyzers::time_range::span;
use jfr_parse::{EpochNanos, Recording};
use jfrkit_profile::ProfileType;
use jfrkit_reports::runtime::RuntimeSection;

use super::compute::{self, Bounds, Measured, Rules};
use super::facets::{self, FromRecording};
use super::{Failed, contexts, types};
use crate::model::{Measure, Part, Profile, TypeEntry, Upload, ValueEntry};

/// Opens the recordings of an upload; unreadable ones become warnings.
fn open(
    dir: &Path,
    parts: &[&Part],
    bounds: &Bounds,
    warnings: &mut Vec<String>,
) -> Result<Vec<Recording<'static>>, Failed> {
    let mut opened = Vec::new();
    for part in parts {
        match compute::open(&dir.join(&part.file), bounds) {
            Ok(recording) => opened.push(recording),
            Err(error @ jfr_parse::Error::Io { .. }) if !dir.join(&part.file).exists() => {
                return Err(Failed::Io(std::io::Error::other(error.to_string())));
            }
            Err(error) => warnings.push(format!("the recording {:?} cannot be read: {error}", part.label())),
        }
    }
    Ok(opened)
}

/// The profiles of the recordings.
pub(super) fn first(
    upload: &Upload,
    dir: &Path,
    staged: &Path,
    parts: &[&Part],
    bounds: &Bounds,
    profile: &mut Profile,
) -> Result<(), Failed> {
    let recordings = open(dir, parts, bounds, &mut profile.warnings)?;
    let Some(one) = recordings.first() else { return Err(Failed::Unreadable(profile.warnings.join("; "))) };
    let stop = one.stop().clone();
    let all: Vec<&Recording<'static>> = recordings.iter().collect();
    let contexts = contexts::of(upload, dir, bounds);
    let set = compute::profiles(&all, contexts.is_some()).map_err(|error| Failed::Unreadable(error.to_string()))?;
    compute::write(&set, staged, &stop)?;
    if let Some(contexts) = &contexts {
        for found in &set.profiles {
            contexts.explain(&staged.join(format!("{}.pb.gz", found.kind)))?;
        }
    }
    // The client's time range, or else that of the recording.
    let (EpochNanos(begin), EpochNanos(end)) = span(&all);
    if upload.start.is_none() || upload.end.is_none() {
        if begin > 0 {
            (profile.start, profile.end) = (begin / 1_000_000, end.max(begin) / 1_000_000);
        }
        profile.warnings.extend(super::odd_clock(upload, profile.start));
    }
    profile.main = set.profiles.iter().find_map(|p| p.main.clone()).unwrap_or_default();
    let known = FromRecording { is_java: true, main: profile.main.clone(), ..FromRecording::default() };
    profile.facets = facets::facets(upload, &known);
    profile.runtime_version = facets::runtime_version(upload, &profile.facets);
    profile.warnings.extend(set.losses.iter().map(|loss| format!("lost: {loss}")));
    profile.warnings.extend(set.warnings.iter().cloned());
    for found in &set.profiles {
        let (name, definition) = types::of_recording(found.kind);
        let samples = found.totals().first().copied().unwrap_or(0);
        let values = found.values().iter().zip(found.totals());
        profile.types.push(TypeEntry {
            kind: found.kind.name().to_owned(),
            name: name.to_owned(),
            definition,
            core: found.kind.is_core(),
            values: values
                .map(|(value, total)| ValueEntry {
                    name: value.name.to_owned(),
                    unit: value.unit.to_owned(),
                    total,
                    samples: u64::try_from(samples).unwrap_or(0),
                })
                .collect(),
            absent: None,
            how: found.comments.clone(),
            file: Some(format!("{}.pb.gz", found.kind)),
        });
    }
    for absent in set.absent.iter().filter(|a| a.kind.is_core()) {
        let (name, definition) = types::of_recording(absent.kind);
        profile.types.push(TypeEntry {
            kind: absent.kind.name().to_owned(),
            name: name.to_owned(),
            definition,
            core: true,
            values: Vec::new(),
            absent: Some(absent.reason.clone()),
            how: Vec::new(),
            file: None,
        });
    }
    let place = |t: &TypeEntry| ProfileType::ALL.iter().position(|k| k.name() == t.kind);
    profile.types.sort_by_key(|t| (!t.core, place(t)));
    let cpu = profile.types.iter().find(|t| t.kind == "cpu");
    profile.how = cpu.map(|t| t.how.clone()).unwrap_or_default();
    let soon = |what: &str| Measure { how: format!("{what} is still being measured"), ..Measure::default() };
    profile.cpu_cores = soon("CPU time");
    profile.alloc_rate = soon("allocation");
    profile.pending = true;
    Ok(())
}

/// Length of the profile's time range.
pub(super) fn seconds(profile: &Profile) -> Option<f64> {
    let millis = profile.end.saturating_sub(profile.start);
    (millis > 0).then(|| float(millis) / 1e3)
}

pub(super) fn float(x: i64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
    let x = x as f64;
    x
}

/// Writes analysis, runtime information and metrics to `staged`.
pub(super) fn second(
    upload: &Upload,
    dir: &Path,
    staged: &Path,
    rules: &Rules,
    bounds: &Bounds,
    profile: &mut Profile,
) -> Result<(), Failed> {
    let mut unread = Vec::new();
    let sorted = super::sort(upload, dir, bounds, &mut unread);
    let recordings = open(dir, &sorted.recordings, bounds, &mut unread)?;
    let Some(recording) = recordings.first() else { return Ok(()) };
    let (report, measures) = compute::analyze(recording, rules);
    match report {
        Ok(report) => {
            profile.findings = compute::findings(&report);
            let name = sorted.recordings.first().map_or("recording", |p| p.label());
            gz(&staged.join("analysis.json.gz"), &compute::report_json(name, &report)?)?;
        }
        Err(error) => profile.no_analysis = Some(format!("the recording could not be analyzed: {error}")),
    }
    match measures {
        Ok(measures) => {
            for Measured { name, measure } in measures {
                if let Some(value) = measure.value.filter(|v| v.is_finite() && name != "upload.bytes") {
                    profile.metrics.push((name.to_owned(), value));
                }
                match name {
                    "cpu.cores" => profile.cpu_cores = measure,
                    "alloc.rate" => profile.alloc_rate = measure,
                    _ => {}
                }
            }
        }
        Err(error) => profile.warnings.push(format!("metrics cannot be read: {error}")),
    }
    match compute::runtime(recording) {
        Ok(sections) => {
            gz(&staged.join(super::runtime::FILE), &serde_json::to_vec(&sections).map_err(std::io::Error::from)?)?;
            // In Kubernetes this is the name of the pod, which is better than the sender's address.
            let hostname =
                sections.iter().flat_map(|s| &s.entries).find(|e| e.name == "HOSTNAME").map(|e| e.value.clone());
            let known = FromRecording {
                is_java: true,
                main: profile.main.clone(),
                hostname: hostname.unwrap_or_default(),
                ..FromRecording::default()
            };
            profile.facets = facets::facets(upload, &known);
            if profile.runtime_version == profile.facets.runtime
                && let Some(version) = java_version(&sections)
            {
                profile.runtime_version = format!("{} {version}", profile.facets.runtime);
            }
        }
        Err(error) => profile.warnings.push(format!("runtime information cannot be read: {error}")),
    }
    set_own_metrics(profile);
    profile.pending = false;
    Ok(())
}

/// Sets the metrics that the server measures itself: the size of the uploads, and the number of warnings.
pub(super) fn set_own_metrics(profile: &mut Profile) {
    let warnings = profile.found("warning");
    let own = [
        ("upload.bytes", float(i64::try_from(profile.bytes).unwrap_or(i64::MAX))),
        ("findings.warning", float(i64::try_from(warnings).unwrap_or(0))),
    ];
    profile.metrics.retain(|(name, _)| own.iter().all(|(own, _)| name != own));
    profile.metrics.extend(own.map(|(name, value)| (name.to_owned(), value)));
}

/// The Java version without its build: `1.8.0_432`.
fn java_version(sections: &[RuntimeSection]) -> Option<&str> {
    let jvm = sections.iter().find(|section| section.name == "jvm")?;
    let text = jvm.entries.iter().find(|entry| entry.name == "Version")?.value.as_str();
    let version = jfr_analyzers::runtime::java_version(text)?;
    version.split(['+', '-']).next().filter(|version| !version.is_empty())
}

/// Writes a gzipped file.
pub(super) fn gz(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::new(2));
    packed.write_all(bytes)?;
    packed.finish()?.flush()
}
