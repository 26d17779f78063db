//! Runtime information: what a recording or a profile contains about the process it came from, with secrets masked.
//!
//! `jfrkit report` and the server show the same sections. The server adds what a client sent beside the profile.

use jfr_parse::{EpochNanos, Iso};
use jfrkit_profile::any::{AnyProfile, language};
use jfrkit_profile::{layout, units};
use serde::{Deserialize, Serialize};

/// Maximum label keys to list.
const MAX_KEYS: usize = 100;
/// Samples to look at for label keys.
const SAMPLES: usize = 10_000;

/// A section of runtime information.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeSection {
    /// A short name for use in programs.
    pub name: String,
    /// The heading.
    pub title: String,
    /// The facts.
    pub entries: Vec<RuntimeLine>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeLine {
    /// The subject.
    pub name: String,
    /// The value, with secrets masked.
    pub value: String,
    /// Where the value was set, for example `command line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Earlier values, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
}

impl RuntimeLine {
    /// A fact whose value may contain a secret. Only the last part of a dotted name is used to recognize secrets.
    #[must_use]
    pub fn masked(name: &str, value: &str) -> Self {
        let short = name.rsplit_once('.').map_or(name, |(_, last)| last);
        let value = jfr_analyzers::secrets::value(short, value).into_owned();
        Self { name: name.to_owned(), value, origin: None, earlier: Vec::new() }
    }
}

impl RuntimeSection {
    /// A section, with the secrets in its values masked.
    #[must_use]
    pub fn masked<'e>(name: &str, title: &str, entries: impl IntoIterator<Item = (&'e str, String)>) -> Self {
        let entries = entries.into_iter().map(|(name, value)| RuntimeLine::masked(name, &value)).collect();
        Self { name: name.to_owned(), title: title.to_owned(), entries }
    }
}

/// The runtime information of a recording.
#[must_use]
pub fn recording_sections(runtime: jfr_analyzers::runtime::Runtime) -> Vec<RuntimeSection> {
    let sections = runtime.sections.into_iter().map(|section| RuntimeSection {
        name: section.name.to_owned(),
        title: section.title.to_owned(),
        entries: section
            .entries
            .into_iter()
            .map(|entry| RuntimeLine {
                name: entry.name,
                value: entry.value,
                origin: entry.origin,
                earlier: entry.earlier,
            })
            .collect(),
    });
    sections.filter(|section| !section.entries.is_empty()).collect()
}

/// What a pprof file contains about itself: its time range, sample types, programs and libraries.
#[must_use]
pub fn profile_sections(profile: &AnyProfile) -> Vec<RuntimeSection> {
    let text = |id| profile.texts.get(id).to_owned();
    let mut about = vec![("language", language(profile).name().to_owned())];
    if profile.time_nanos > 0 {
        let start = Iso(EpochNanos(profile.time_nanos)).to_string().replace('T', " ");
        about.push(("start", format!("{} UTC", start.get(..19).unwrap_or(&start))));
    }
    if profile.duration_nanos > 0 {
        about.push(("duration", units::duration(profile.duration_nanos)));
    }
    about.push(("samples", units::count(i64::try_from(profile.samples.len()).unwrap_or(i64::MAX))));
    if let Some(of) = profile.period_type {
        about.push(("period", format!("{} of {}", units::value(profile.period, &text(of.unit)), text(of.name))));
    }
    about.push(("default type", text(profile.default_sample_type)));
    about.push(("labels", label_keys(profile).join(", ")));
    about.push(("frames to drop", text(profile.drop_frames)));
    about.push(("frames to keep", text(profile.keep_frames)));
    about.push(("documentation", text(profile.doc_url)));
    about.extend(profile.comments.iter().map(|&comment| ("comment", text(comment))));
    about.retain(|(_, value)| !value.is_empty());
    let totals = profile.totals();
    let types = profile.values().zip(&totals);
    let types = types.map(|((name, unit), total)| (name, units::value(*total, unit)));
    let files = profile.mappings.iter().map(|mapping| (profile.texts.get(mapping.file), text(mapping.build_id)));
    let mut sections = vec![
        RuntimeSection::masked("profile", "Profile", about),
        RuntimeSection::masked("sample-types", "Sample types", types),
        RuntimeSection::masked("programs", "Programs and libraries", files.filter(|(file, _)| !file.is_empty())),
    ];
    sections.retain(|section| !section.entries.is_empty());
    sections
}

/// The keys of the samples' labels, in order of appearance.
fn label_keys(profile: &AnyProfile) -> Vec<&str> {
    let mut keys = Vec::new();
    for at in 0..profile.samples.len().min(SAMPLES) {
        for label in profile.samples.get(at, profile.width()).labels {
            let key = profile.texts.get(label.key);
            if !key.is_empty() && !keys.contains(&key) && keys.len() < MAX_KEYS {
                keys.push(key);
            }
        }
    }
    keys
}

/// The sections of several profiles that belong together, such as the files that Go's profiler uploads at once: those about
/// programs and libraries as one, the others by file.
#[must_use]
pub fn joined_sections(profiles: Vec<(String, Vec<RuntimeSection>)>) -> Vec<RuntimeSection> {
    let several = profiles.len() > 1;
    let mut joined: Vec<RuntimeSection> = Vec::new();
    let mut programs: Option<RuntimeSection> = None;
    for (label, sections) in profiles {
        for mut section in sections {
            if section.name != "programs" {
                if several {
                    section.title = format!("{}: {label}", section.title);
                }
                joined.push(section);
            } else if let Some(known) = &mut programs {
                let new = section.entries.into_iter().filter(|entry| !known.entries.contains(entry));
                let new: Vec<RuntimeLine> = new.collect();
                known.entries.extend(new);
            } else {
                programs = Some(section);
            }
        }
    }
    joined.extend(programs);
    joined
}

/// The sections as text: each title, with its entries indented below.
#[must_use]
pub fn runtime_text(sections: &[RuntimeSection]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for section in sections.iter().filter(|section| !section.entries.is_empty()) {
        let _ = writeln!(out, "{}{}", if out.is_empty() { "" } else { "\n" }, section.title);
        let width = section.entries.iter().map(|line| layout::width(&line.name)).max().unwrap_or(0).min(48);
        for line in &section.entries {
            let origin = line.origin.as_deref().map(|origin| format!("  ({origin})")).unwrap_or_default();
            let earlier = match line.earlier.as_slice() {
                [] => String::new(),
                earlier => format!("  (before: {})", earlier.join(", ")),
            };
            // Keep the lines of multi-line values indented.
            let value = line.value.replace('\n', "\n      ");
            let text = format!("  {}  {value}{origin}{earlier}", layout::left(&line.name, width));
            let _ = writeln!(out, "{}", text.trim_end());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use jfrkit_profile::any::{AnyLabel, Mapping, SampleType};

    fn profile() -> AnyProfile {
        let mut profile = AnyProfile::default();
        let mut text = |t: &str| profile.texts.push(t);
        let (cpu, ns, thread) = (text("cpu"), text("nanoseconds"), text("thread"));
        let (comment, file, build) = (text("started with --token=hunter2"), text("/usr/bin/shop"), text("b0b1"));
        profile.sample_types = vec![SampleType { name: cpu, unit: ns }];
        profile.samples.push([], &[90_000_000], [AnyLabel { key: thread, ..AnyLabel::default() }]);
        profile.mappings = vec![Mapping { file, build_id: build, ..Mapping::default() }];
        profile.period_type = Some(SampleType { name: cpu, unit: ns });
        profile.period = 10_000_000;
        profile.comments = vec![comment];
        (profile.time_nanos, profile.duration_nanos) = (1_700_000_000_000_000_000, 60_000_000_000);
        profile
    }

    #[test]
    fn a_profile_shows_what_it_says_about_itself_without_secrets() {
        insta::assert_snapshot!(runtime_text(&profile_sections(&profile())), @"
        Profile
          start     2023-11-14 22:13:20 UTC
          duration  1 min
          samples   1
          period    10 ms of cpu
          labels    thread
          comment   started with --token=••••

        Sample types
          cpu  90 ms

        Programs and libraries
          /usr/bin/shop  b0b1
        ");
    }

    #[test]
    fn files_of_one_upload_share_their_programs() {
        let sections = profile_sections(&profile());
        let joined = joined_sections(vec![
            ("cpu.pprof".to_owned(), sections.clone()),
            ("heap.pprof".to_owned(), sections.clone()),
        ]);
        let titles: Vec<&str> = joined.iter().map(|section| section.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "Profile: cpu.pprof",
                "Sample types: cpu.pprof",
                "Profile: heap.pprof",
                "Sample types: heap.pprof",
                "Programs and libraries"
            ]
        );
        assert_eq!(joined[4].entries.len(), 1);
        assert_eq!(joined_sections(vec![("cpu.pprof".to_owned(), sections.clone())]), sections);
    }
}
