//! Profiles of Python, Go, Node.js and others: one stored file per profile type, with equal stacks merged.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::Path;

use jfrkit_reports::runtime::{RuntimeSection, profile_sections};
use pprof_emit::pb;
use prost::Message;

use super::compute::Bounds;
use super::types::{TypeInfo, core, known};
use super::weigh;
use crate::model::{TypeEntry, ValueEntry};

/// Reads a pprof file within limits, and what it contains about itself.
pub(crate) fn read(bytes: &[u8], bounds: &Bounds) -> Result<(pb::Profile, Vec<RuntimeSection>), String> {
    let limits = &bounds.pprof;
    let mut unpacked = Vec::new();
    let raw = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut source = flate2::read::MultiGzDecoder::new(bytes).take(limits.bytes.saturating_add(1));
        source.read_to_end(&mut unpacked).map_err(|e| format!("it cannot be decompressed: {e}"))?;
        unpacked.as_slice()
    } else {
        bytes
    };
    if u64::try_from(raw.len()).unwrap_or(u64::MAX) > limits.bytes {
        return Err(format!("more than {} bytes after decompression", limits.bytes));
    }
    weigh::check(raw, limits)?;
    // Clients number locations as they like, and dd-trace-go skips unused numbers. We renumber them 1, 2, 3….
    let any = pprof_emit::read_any(raw, limits, &jfrkit_profile::Cancel::never()).map_err(|e| e.to_string())?;
    let profile = pb::Profile::decode(&*pprof_emit::any_to_bytes(&any)).map_err(|e| e.to_string())?;
    if profile.sample_type.is_empty() {
        return Err("it has no sample types".to_owned());
    }
    let sections = profile_sections(&any);
    Ok((profile, sections))
}

/// What a profile contains about itself, with the name of its main value as label.
pub(crate) fn about(profile: &pb::Profile, bounds: &Bounds) -> (String, Vec<RuntimeSection>) {
    let read = pprof_emit::read_any(&profile.encode_to_vec(), &bounds.pprof, &jfrkit_profile::Cancel::never());
    let label = value_names(profile).last().copied().unwrap_or_default().to_owned();
    (label, read.map(|any| profile_sections(&any)).unwrap_or_default())
}

/// A string of the string table.
fn text(profile: &pb::Profile, index: i64) -> &str {
    usize::try_from(index).ok().and_then(|i| profile.string_table.get(i)).map_or("", String::as_str)
}

/// Names of the sample values.
pub(crate) fn value_names(profile: &pb::Profile) -> Vec<&str> {
    profile.sample_type.iter().map(|t| text(profile, t.r#type)).collect()
}

/// The language of most source files.
pub(crate) fn guess_language(profile: &pb::Profile) -> &'static str {
    let mut counts = [0usize; 4];
    for function in profile.function.iter().take(10_000) {
        let file = text(profile, function.filename);
        let ending = file.rsplit_once('.').map_or("", |(_, e)| e);
        let at = match ending {
            "java" | "kt" | "scala" => 0,
            "py" => 1,
            "go" => 2,
            "js" | "mjs" | "cjs" | "ts" => 3,
            _ => continue,
        };
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
    }
    let best = counts.iter().enumerate().max_by_key(|(_, n)| **n).filter(|(_, n)| **n > 0).map(|(i, _)| i);
    match best {
        Some(0) => "Java",
        Some(1) => "Python",
        Some(2) => "Go",
        Some(3) => "JavaScript",
        _ => "",
    }
}

/// A profile type found in a pprof file: its description, and the columns of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) definition: String,
    pub(crate) core: bool,
    pub(crate) columns: Vec<usize>,
}

/// Finds the profile types in a pprof file.
pub(crate) fn types(profile: &pb::Profile, language: &str, label: &str) -> Vec<Found> {
    let names = value_names(profile);
    let place = |name: &str| names.iter().position(|n| *n == name);
    let mut used = vec![false; names.len()];
    let mut found: Vec<Found> = Vec::new();
    let listed = core(language);
    let add = |found: &mut Vec<Found>, used: &mut Vec<bool>, info: &TypeInfo| {
        let columns: Option<Vec<usize>> = info.values.iter().map(|v| place(v)).collect();
        // The primary value is enough: not all versions send a count with it.
        let last = info.values.last().and_then(|v| place(v));
        let Some(columns) = columns.or(last.map(|l| vec![l])) else { return };
        if columns.last().is_none_or(|l| used.get(*l) == Some(&true)) {
            return;
        }
        for column in &columns {
            if let Some(used) = used.get_mut(*column) {
                *used = true;
            }
        }
        found.push(Found {
            kind: info.kind.to_owned(),
            name: info.name.to_owned(),
            definition: info.definition.to_owned(),
            core: listed.iter().any(|c| c.kind == info.kind),
            columns,
        });
    };
    // Go's contention profiles share these names; only the file name distinguishes them.
    let contention = place("contentions").zip(place("delay"));
    if let Some((count, delay)) = contention {
        let (kind, name, what) = if label.contains("block") {
            ("block", "Block", "Time that goroutines waited for channels, locks or anything else")
        } else {
            ("mutex", "Mutex", "Time that goroutines waited for a mutex")
        };
        for column in [count, delay] {
            if let Some(used) = used.get_mut(column) {
                *used = true;
            }
        }
        found.push(Found {
            kind: kind.to_owned(),
            name: name.to_owned(),
            definition: what.to_owned(),
            core: false,
            columns: vec![count, delay],
        });
    }
    if let Some(column) = place("goroutine").or_else(|| place("goroutines")) {
        if let Some(used) = used.get_mut(column) {
            *used = true;
        }
        found.push(Found {
            kind: "goroutines".to_owned(),
            name: "Goroutines".to_owned(),
            definition: "Goroutines at the end".to_owned(),
            core: false,
            columns: vec![column],
        });
    }
    let timeline = place("timeline");
    if let Some(used) = timeline.and_then(|t| used.get_mut(t)) {
        // A list of events rather than samples; the received file is kept as it is.
        *used = true;
    }
    for info in known(language) {
        add(&mut found, &mut used, &info);
    }
    for kind in jfrkit_profile::ProfileType::ALL {
        let mut values: Vec<&str> = kind.values().iter().map(|v| v.name).collect();
        // JDK 17 and before do not record sizes of live objects.
        if *kind == jfrkit_profile::ProfileType::Live && place("heap-live-size").is_none() {
            values.truncate(1);
        }
        let columns: Option<Vec<usize>> = values.iter().map(|v| place(v)).collect();
        if let Some(columns) = columns
            && columns.iter().all(|c| used.get(*c) == Some(&false))
            && values.len() == names.len()
            && language == "Java"
        {
            used.iter_mut().for_each(|u| *u = true);
            let (name, definition) = super::types::of_recording(*kind);
            found.push(Found {
                kind: kind.name().to_owned(),
                name: name.to_owned(),
                definition,
                core: kind.is_core(),
                columns,
            });
        }
    }
    for (column, name) in names.iter().enumerate() {
        // A count beside a value belongs to that value.
        let beside = |n: &str| {
            n.strip_suffix("-samples")
                .or_else(|| n.strip_suffix("-count"))
                .is_some_and(|stem| names.iter().any(|other| other != &n && other.starts_with(stem)))
        };
        if used.get(column) == Some(&false)
            && !beside(name)
            && !name.is_empty()
            && (!matches!(*name, "samples" | "sample") || found.is_empty() && column + 1 == names.len())
        {
            found.push(Found {
                kind: slug(name),
                name: (*name).to_owned(),
                definition: format!("The sample type {name} of the uploaded profile"),
                core: false,
                columns: vec![column],
            });
        }
    }
    found
}

/// A name that is safe in files and URLs.
fn slug(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c.to_ascii_lowercase() } else { '-' };
    let slug: String = name.chars().take(64).map(safe).collect();
    if slug.is_empty() || slug.starts_with('-') { format!("type{slug}") } else { slug }
}

/// Maximum bytes of a label key.
const MAX_LABEL: usize = 256;

/// Our name for a client's label; `None` for labels that would prevent samples from being merged.
fn label_name(key: &str) -> Option<&str> {
    match key {
        "thread name" | "thread" => Some("thread"),
        "exception type" | "lock name" | "class" | "class name" => Some("class"),
        "trace endpoint" => Some("trace endpoint"),
        "" | "thread id" | "thread native id" | "task id" | "span id" | "span_id" | "local root span id"
        | "trace id" | "trace_id" | "profile_id" | "end_timestamp_ns" | "timestamp" | "event" => None,
        other => Some(other),
    }
}

/// Writes some columns, with equal samples merged, and describes them; `None` if all values are zero.
pub(crate) fn write(profile: &pb::Profile, found: &Found, path: &Path) -> io::Result<Option<TypeEntry>> {
    /// Locations, and labels by key and value.
    type Key = (Vec<u64>, Vec<(i64, i64)>);
    let mut merged: HashMap<Key, usize> = HashMap::new();
    let mut strings = Strings::default();
    let mut samples: Vec<pb::Sample> = Vec::new();
    let mut totals = vec![0i64; found.columns.len()];
    let mut counts = vec![0u64; found.columns.len()];
    for sample in &profile.sample {
        let values: Vec<i64> = found.columns.iter().map(|c| sample.value.get(*c).copied().unwrap_or(0)).collect();
        if values.iter().all(|v| *v == 0) {
            continue;
        }
        for ((total, count), value) in totals.iter_mut().zip(&mut counts).zip(&values) {
            *total = total.saturating_add(*value);
            *count += u64::from(*value != 0);
        }
        let mut labels: Vec<(i64, i64)> = sample
            .label
            .iter()
            .filter_map(|l| {
                let key = label_name(text(profile, l.key))?;
                let key = if key.len() > MAX_LABEL { return None } else { key };
                (l.str != 0).then(|| (strings.add(key), strings.add(text(profile, l.str))))
            })
            .collect();
        labels.sort_unstable();
        labels.dedup();
        let key = (sample.location_id.clone(), labels);
        match merged.get(&key).and_then(|at| samples.get_mut(*at)) {
            Some(there) => {
                for (sum, value) in there.value.iter_mut().zip(&values) {
                    *sum = sum.saturating_add(*value);
                }
            }
            None => {
                let label = key.1.iter().map(|(k, v)| pb::Label { key: *k, str: *v, num: 0, num_unit: 0 }).collect();
                samples.push(pb::Sample { location_id: key.0.clone(), value: values, label });
                merged.insert(key, samples.len() - 1);
            }
        }
    }
    drop(merged);
    if samples.is_empty() {
        return Ok(None);
    }
    let mut out =
        pb::Profile { time_nanos: profile.time_nanos, duration_nanos: profile.duration_nanos, ..Default::default() };
    // The functions, locations and mappings in use, renumbered.
    let functions: HashMap<u64, &pb::Function> = profile.function.iter().map(|f| (f.id, f)).collect();
    let locations: HashMap<u64, &pb::Location> = profile.location.iter().map(|l| (l.id, l)).collect();
    let mappings: HashMap<u64, &pb::Mapping> = profile.mapping.iter().map(|m| (m.id, m)).collect();
    let (mut new_functions, mut new_locations, mut new_mappings) = (HashMap::new(), HashMap::new(), HashMap::new());
    for sample in &mut samples {
        for id in &mut sample.location_id {
            if let Some(new) = new_locations.get(id) {
                *id = *new;
                continue;
            }
            let old = *id;
            *id = next(&new_locations);
            new_locations.insert(old, *id);
            let Some(location) = locations.get(&old) else { continue };
            let mut copy = (*location).clone();
            copy.id = *id;
            copy.mapping_id = match (new_mappings.get(&location.mapping_id), mappings.get(&location.mapping_id)) {
                (Some(new), _) => *new,
                (None, Some(mapping)) => {
                    let new = next(&new_mappings);
                    new_mappings.insert(location.mapping_id, new);
                    out.mapping.push(pb::Mapping {
                        id: new,
                        filename: strings.add(text(profile, mapping.filename)),
                        build_id: strings.add(text(profile, mapping.build_id)),
                        ..**mapping
                    });
                    new
                }
                (None, None) => 0,
            };
            for line in &mut copy.line {
                let old = line.function_id;
                line.function_id = match (new_functions.get(&old), functions.get(&old)) {
                    (Some(new), _) => *new,
                    (None, Some(function)) => {
                        let new = next(&new_functions);
                        new_functions.insert(old, new);
                        out.function.push(pb::Function {
                            id: new,
                            name: strings.add(text(profile, function.name)),
                            system_name: strings.add(text(profile, function.system_name)),
                            filename: strings.add(text(profile, function.filename)),
                            start_line: function.start_line,
                        });
                        new
                    }
                    (None, None) => 0,
                };
            }
            out.location.push(copy);
        }
    }
    out.sample = samples;
    let mut entries = Vec::new();
    for ((column, total), count) in found.columns.iter().zip(totals).zip(counts) {
        let Some(value) = profile.sample_type.get(*column) else { continue };
        let (name, unit) = (text(profile, value.r#type), text(profile, value.unit));
        out.sample_type.push(pb::ValueType { r#type: strings.add(name), unit: strings.add(unit) });
        entries.push(ValueEntry { name: name.to_owned(), unit: unit.to_owned(), total, samples: count });
    }
    if let Some(period) = profile.period_type {
        out.period_type = Some(pb::ValueType {
            r#type: strings.add(text(profile, period.r#type)),
            unit: strings.add(text(profile, period.unit)),
        });
        out.period = profile.period;
    }
    out.comment = profile.comment.iter().map(|c| strings.add(text(profile, *c))).collect();
    out.default_sample_type = out.sample_type.last().map_or(0, |t| t.r#type);
    out.string_table = strings.list;
    let mut packed =
        flate2::write::GzEncoder::new(io::BufWriter::new(std::fs::File::create(path)?), flate2::Compression::new(2));
    packed.write_all(&out.encode_to_vec())?;
    packed.finish()?.flush()?;
    Ok(Some(TypeEntry {
        kind: found.kind.clone(),
        name: found.name.clone(),
        definition: found.definition.clone(),
        core: found.core,
        values: entries,
        absent: None,
        how: profile.comment.iter().map(|c| text(profile, *c).to_owned()).take(50).collect(),
        file: path.file_name().map(|n| n.to_string_lossy().into_owned()),
    }))
}

fn next(map: &HashMap<u64, u64>) -> u64 {
    u64::try_from(map.len()).unwrap_or(u64::MAX).saturating_add(1)
}

/// A string table under construction; its first string is empty.
#[derive(Debug)]
struct Strings {
    list: Vec<String>,
    numbers: HashMap<String, i64>,
}

impl Default for Strings {
    fn default() -> Self {
        Self { list: vec![String::new()], numbers: HashMap::from([(String::new(), 0)]) }
    }
}

impl Strings {
    fn add(&mut self, text: &str) -> i64 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = i64::try_from(self.list.len()).unwrap_or(i64::MAX);
        self.list.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}
