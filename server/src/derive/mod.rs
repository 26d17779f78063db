//! Turns uploads into profiles. [`worker`] takes uploads from the spool, this file detects what an upload contains, and one file
//! per client family reads it.
//!
//! Receiving uploads belongs in `intake`, keeping files in `store`; computing belongs in other crates, which
//! `compute.rs` calls. `views.rs` caches decoded profiles for the API. Start with `worker.rs`, then [`first`] in this
//! file, then `jfr.rs` and `pprof.rs`.

pub(crate) mod compute;
mod contexts;
mod facets;
mod gocount;
mod jfr;
pub(crate) mod otlp;
mod pprof;
mod process;
pub(crate) mod renew;
pub(crate) mod runtime;
pub(crate) mod types;
mod unpack;
pub(crate) mod views;
mod weigh;
pub(crate) mod worker;

use std::path::Path;

pub(crate) use facets::FromRecording;
pub(crate) use facets::{facets, process};
pub(crate) use unpack::own as unpacked;

use compute::Bounds;
use jfrkit_reports::runtime::RuntimeSection;

use crate::model::{Kind, Mark, Measure, Profile, Status, TypeEntry, Upload};

/// Maximum profiles of an OTLP request to describe in the runtime information.
const MAX_ABOUT: usize = 20;

/// Finds the part of this name in the previous upload, if that was kept and directly precedes this one.
pub(crate) type Before<'b> = &'b dyn Fn(&str) -> Option<std::path::PathBuf>;

/// Why there is no profile.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It can never be read.
    Unreadable(String),
    /// A disk error or similar; a later attempt may succeed.
    Io(std::io::Error),
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// The parts of an upload by type.
#[derive(Debug, Default)]
struct Sorted<'u> {
    recordings: Vec<&'u crate::model::Part>,
    pprofs: Vec<&'u crate::model::Part>,
    json: Vec<&'u crate::model::Part>,
}

fn sort<'u>(upload: &'u Upload, dir: &Path, bounds: &Bounds, warnings: &mut Vec<String>) -> Sorted<'u> {
    let mut sorted = Sorted::default();
    for part in &upload.parts {
        if part.name == "event" || part.file_name.as_deref() == Some("event.json") || part.name == "prev_profile" {
            continue;
        }
        // The labels of Pyroscope's agent belong to the recording in the same upload.
        if part.name == "labels" && upload.protocol == "ingest" {
            continue;
        }
        let kind = if part.kind.is_packed() {
            match unpack::inner_kind(&dir.join(&part.file), &bounds.limits) {
                Ok(kind) => kind,
                Err(error) => {
                    warnings.push(format!("the part {:?} cannot be decompressed: {error}", part.label()));
                    continue;
                }
            }
        } else {
            part.kind
        };
        match kind {
            Kind::Jfr => sorted.recordings.push(part),
            Kind::Json => sorted.json.push(part),
            Kind::Empty => {}
            _ => sorted.pprofs.push(part),
        }
    }
    sorted
}

/// Reads the upload in `dir`, writes derived files to `staged`, and describes the profile. For recordings, a second
/// stage ([`jfr::second`]) follows.
///
/// `before` finds the same part of the previous profile, for clients that send totals since the process began.
pub(crate) fn first(
    upload: &Upload,
    dir: &Path,
    staged: &Path,
    bounds: &Bounds,
    before: Before<'_>,
) -> Result<Profile, Failed> {
    let upload = &with_attributes(upload, dir, bounds);
    let mut warnings = upload.warnings.clone();
    let sorted = sort(upload, dir, bounds, &mut warnings);
    let mut profile = empty(upload);
    profile.warnings = warnings;
    let read = |part: &crate::model::Part| unpack::bytes(&dir.join(&part.file), &bounds.limits).ok();
    let mut sent = runtime::Sent::of(upload, &sorted.json, &read);
    if sorted.recordings.is_empty() {
        sent.profiles = pprof_profiles(upload, dir, staged, &sorted, bounds, before, &mut profile)?;
    } else {
        jfr::first(upload, dir, staged, &sorted.recordings, bounds, &mut profile)?;
    }
    sent.write(upload.id, staged)?;
    Ok(profile)
}

/// The resource attributes of OpenTelemetry serve as tags.
fn with_attributes(upload: &Upload, dir: &Path, bounds: &Bounds) -> Upload {
    let mut upload = upload.clone();
    if upload.protocol == "otlp"
        && let Some(part) = upload.parts.first()
        && let Ok(bytes) = unpack::bytes(&dir.join(&part.file), &bounds.limits)
    {
        upload.tags.extend(otlp::attributes(&bytes));
    }
    upload
}

/// A profile with only the facts that the upload contains.
pub(crate) fn empty(upload: &Upload) -> Profile {
    let known = facets::facets(upload, &FromRecording::default());
    Profile {
        id: upload.id,
        uploads: vec![upload.id],
        digests: vec![upload.digest.clone()],
        derived: crate::store::DERIVED,
        status: Status::Ready,
        // If the client sends only one bound, it counts as both, because the other one is hardly the time of receipt.
        start: upload.start.or(upload.end).unwrap_or(upload.received_at),
        end: upload.end.or(upload.start).unwrap_or(upload.received_at),
        received_at: upload.received_at,
        runtime_version: facets::runtime_version(upload, &known),
        facets: known,
        process: facets::process(upload),
        main: String::new(),
        profiler: facets::profiler(upload),
        tags: upload.tags.clone(),
        types: Vec::new(),
        cpu_cores: Measure::default(),
        alloc_rate: Measure::default(),
        bytes: crate::spool::size(upload),
        findings: Vec::new(),
        metrics: Vec::new(),
        endpoint_counts: facets::endpoint_counts(upload),
        warnings: upload.warnings.clone(),
        how: Vec::new(),
        files: Vec::new(),
        reason: None,
        disk_received: 0,
        disk_derived: 0,
        pending: false,
        no_analysis: None,
    }
}

/// The recordings that a profile was made from, as far as they are still stored.
pub(crate) fn recordings(
    store: &dyn crate::store::Store,
    profile: &Profile,
) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut found: Vec<std::path::PathBuf> = Vec::new();
    for id in &profile.uploads {
        let Some(upload) = store.upload(*id)? else { continue };
        for part in &upload.parts {
            let Some(path) = store.received(*id, &part.file) else { continue };
            let kind = unpack::inner_kind(&path, &jfr_parse::Limits::tool());
            if kind.is_ok_and(|kind| kind == Kind::Jfr) {
                found.push(path);
            }
        }
        // The same recording may have been sent twice.
        if !found.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// A warning if a profile was made more than a day before or after its receipt. Files that a person uploads may be of any age.
fn odd_clock(upload: &Upload, start: i64) -> Option<String> {
    const DAY: i64 = 86_400_000;
    let odd = start.abs_diff(upload.received_at) > DAY.unsigned_abs() && upload.protocol != "recordings";
    odd.then(|| "the profile was made more than a day before or after it was received; a clock may be wrong".to_owned())
}

/// The main class or entry point according to the tags.
fn main_of(upload: &Upload) -> String {
    let process_tags =
        upload.event.as_ref().and_then(|e| e.get("process_tags")).and_then(|t| t.as_str()).unwrap_or_default();
    let of = |name: &str| {
        let pairs = process_tags.split(',').filter_map(|t| t.split_once(':'));
        pairs.filter(|(k, v)| *k == name && !v.is_empty()).map(|(_, v)| v.to_owned()).next()
    };
    of("entrypoint.name").unwrap_or_default()
}

/// Writes the types of all pprof files; returns what each file contains about itself, by the label of its part.
fn pprof_profiles(
    upload: &Upload,
    dir: &Path,
    staged: &Path,
    sorted: &Sorted<'_>,
    bounds: &Bounds,
    before: Before<'_>,
    profile: &mut Profile,
) -> Result<Vec<(String, Vec<RuntimeSection>)>, Failed> {
    let (mut read, mut about) = (Vec::new(), Vec::new());
    let mut reasons = Vec::new();
    for part in &sorted.pprofs {
        let bytes = match unpack::bytes(&dir.join(&part.file), &bounds.limits) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(error.into()),
            Err(error) => {
                reasons.push(format!("the part {:?} cannot be decompressed: {error}", part.label()));
                continue;
            }
        };
        // A Go execution trace: kept as it is, for `go tool trace`.
        if bytes.starts_with(b"go 1.") {
            continue;
        }
        let label = part.label().to_owned();
        let decoded = if upload.protocol == "otlp" {
            let read = crate::derive::otlp::read(&bytes);
            about.extend(read.iter().flatten().take(MAX_ABOUT).map(|p| pprof::about(p, bounds)));
            read
        } else {
            pprof::read(&bytes, bounds).map(|(pprof, sections)| {
                about.push((label.clone(), sections));
                vec![pprof]
            })
        };
        match decoded {
            Ok(pprofs) => read.extend(pprofs.into_iter().map(|p| (label.clone(), p))),
            Err(reason) => reasons.push(format!("the part {:?} is not a profile: {reason}", part.label())),
        }
    }
    if read.is_empty() {
        let reason =
            if reasons.is_empty() { "no part of the upload is a profile".to_owned() } else { reasons.join("; ") };
        return Err(Failed::Unreadable(reason));
    }
    profile.warnings.extend(reasons);
    let guess = read.iter().map(|(_, p)| pprof::guess_language(p)).find(|l| !l.is_empty()).unwrap_or_default();
    profile.main = main_of(upload);
    let known = FromRecording { main: profile.main.clone(), language: guess.to_owned(), ..FromRecording::default() };
    profile.facets = facets::facets(upload, &known);
    profile.runtime_version = facets::runtime_version(upload, &profile.facets);
    let language = profile.facets.language.clone();
    // The time range: the client's, or else the profile's own, or else the time of receipt.
    if upload.start.is_none() || upload.end.is_none() {
        const YEAR_1971: i64 = 31_536_000_000;
        let own = read
            .iter()
            .map(|(_, p)| (p.time_nanos / 1_000_000, p.duration_nanos / 1_000_000))
            .filter(|(t, _)| *t > YEAR_1971);
        let window = own.map(|(t, d)| (t, t.saturating_add(d.max(0)))).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        if let Some((start, end)) = window {
            (profile.start, profile.end) = (start, end);
            profile.warnings.extend(odd_clock(upload, start));
        }
    }
    let mut contents = Vec::new();
    for (label, pprof) in &mut read {
        let types = pprof::types(pprof, &language, label);
        let totals = types.iter().any(|found| gocount::is_cumulative(upload, label, &found.kind, &language));
        let earlier = if totals { before(label) } else { None };
        let earlier = earlier.and_then(|path| unpack::bytes(&path, &bounds.limits).ok());
        let earlier = earlier.and_then(|bytes| pprof::read(&bytes, bounds).ok());
        if let Some((earlier, _)) = &earlier {
            gocount::subtract(pprof, earlier, &["alloc_objects", "alloc_space"]);
        }
        for found in types {
            let cumulative = gocount::is_cumulative(upload, label, &found.kind, &language);
            if cumulative && earlier.is_none() {
                let entry = TypeEntry {
                    kind: found.kind,
                    name: found.name,
                    definition: found.definition,
                    core: found.core,
                    values: Vec::new(),
                    absent: Some("the client sends totals since the process began, not what was added".to_owned()),
                    how: Vec::new(),
                    file: None,
                };
                contents.push(entry);
                continue;
            }
            if contents.iter().any(|t: &TypeEntry| t.kind == found.kind && t.absent.is_none()) {
                continue;
            }
            let path = staged.join(format!("{}.pb.gz", found.kind));
            if let Some(mut entry) = pprof::write(pprof, &found, &path)? {
                if cumulative {
                    entry.how.push("the client sends totals; those of the previous profile were subtracted".to_owned());
                }
                contents.retain(|t: &TypeEntry| t.kind != entry.kind);
                contents.push(entry);
            }
        }
    }
    gocount::measures(dir, &read, sorted, bounds, profile, &contents);
    for info in types::core(&language) {
        let entry = contents.iter().position(|t| t.kind == info.kind).map(|at| contents.remove(at));
        profile.types.push(entry.unwrap_or_else(|| TypeEntry {
            kind: info.kind.to_owned(),
            name: info.name.to_owned(),
            definition: info.definition.to_owned(),
            core: true,
            values: Vec::new(),
            absent: Some(absent(&read, info)),
            how: Vec::new(),
            file: None,
        }));
    }
    profile.types.extend(contents);
    profile.how = profile.types.iter().flat_map(|t| t.how.iter().cloned()).take(50).collect();
    profile.how.dedup();
    profile.no_analysis =
        Some(format!("there are no rules for {}", if language.is_empty() { "this language" } else { &language }));
    Ok(about)
}

fn absent(read: &[(String, pprof_emit::pb::Profile)], info: &types::TypeInfo) -> String {
    let sent = info.values.last().is_some_and(|v| read.iter().any(|(_, p)| pprof::value_names(p).contains(v)));
    if sent { "it did not happen: all values are zero" } else { "the client did not send it" }.to_owned()
}

/// The profile of an upload that cannot be read.
pub(crate) fn failed(upload: &Upload, reason: &str) -> Profile {
    let mut profile = empty(upload);
    profile.status = Status::Failed;
    profile.reason = Some(reason.to_owned());
    profile.no_analysis = Some("the upload could not be read".to_owned());
    profile
}

/// The mark of a new profile.
pub(crate) const UNMARKED: Mark = Mark { pinned: false, note: String::new(), received_removed: None };
