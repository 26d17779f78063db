//! Runtime information from the recording or the profiles, and from what the client sent with them.

use std::path::Path;

use jfrkit_profile::units;
use jfrkit_reports::runtime::{RuntimeLine, RuntimeSection, joined_sections};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::id::Id;
use crate::model::{Part, Profile, Upload};

/// The file with the runtime information of the recording.
pub(crate) const FILE: &str = "runtime.json.gz";
/// Maximum lines in a section from the client.
const MOST: usize = 5_000;

/// The file with what an upload contains about the process. A profile that several uploads joined has several.
fn file(upload: Id) -> String {
    format!("upload-{upload}.json.gz")
}

/// What an upload contains about the process. Kept with the derived files, because received ones expire earlier.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Sent {
    /// Each profile's own sections, by the label of its part.
    pub(super) profiles: Vec<(String, Vec<RuntimeSection>)>,
    /// What was sent with them.
    sections: Vec<RuntimeSection>,
}

impl Sent {
    /// What is known before the profiles are read; `read` returns the decompressed content of a part.
    pub(super) fn of(upload: &Upload, json: &[&Part], read: &dyn Fn(&Part) -> Option<Vec<u8>>) -> Self {
        let mut sections = vec![section("agent", "Agent settings", settings(upload))];
        let mut libraries = Vec::new();
        for part in json {
            let Some(bytes) = read(part) else { continue };
            let Ok(value) = serde_json::from_slice::<Value>(&bytes) else { continue };
            if part.label() == "code-provenance.json" {
                libraries.extend(provenance(&value));
            } else {
                let mut lines = Vec::new();
                flatten(&mut lines, vec![(String::new(), &value)]);
                sections.push(section("sent", part.label(), lines));
            }
        }
        libraries.sort();
        libraries.dedup();
        sections.push(section("libraries", "Libraries", libraries));
        sections.push(section("upload", "Upload", request(upload)));
        sections.retain(|section| !section.entries.is_empty());
        Self { profiles: Vec::new(), sections }
    }

    /// Writes it to the derived files in `staged`.
    pub(super) fn write(&self, upload: Id, staged: &Path) -> std::io::Result<()> {
        super::jfr::gz(&staged.join(file(upload)), &serde_json::to_vec(self)?)
    }
}

fn section(name: &str, title: &str, lines: impl IntoIterator<Item = (String, String)>) -> RuntimeSection {
    let entries = lines.into_iter().filter(|(_, value)| !value.is_empty()).take(MOST);
    let entries = entries.map(|(name, value)| RuntimeLine::masked(&name, &value)).collect();
    RuntimeSection { name: name.to_owned(), title: title.to_owned(), entries }
}

/// The non-empty sections of a profile.
pub(crate) fn sections(app: &App, profile: &Profile) -> std::io::Result<Vec<RuntimeSection>> {
    // Pyroscope's clients mark labels for themselves with two underscores.
    let tags = profile.tags.iter().filter(|(key, _)| !key.starts_with("__"));
    let mut sections = vec![section("tags", "Tags", tags.cloned())];
    let path = app.store.derived(profile.id, FILE);
    if path.is_file() {
        sections.extend(serde_json::from_slice::<Vec<RuntimeSection>>(&super::unpacked(&path)?)?);
    } else {
        sections.push(section("process", "Process", process(profile)));
    }
    let mut profiles = Vec::new();
    let mut sent: Vec<RuntimeSection> = Vec::new();
    for id in &profile.uploads {
        let path = app.store.derived(profile.id, &file(*id));
        // The same bytes sent again are not derived again.
        if !path.is_file() {
            continue;
        }
        let of: Sent = serde_json::from_slice(&super::unpacked(&path)?)?;
        profiles.extend(of.profiles);
        for section in of.sections {
            add(&mut sent, section);
        }
    }
    sections.extend(joined_sections(profiles));
    sections.extend(sent);
    sections.retain(|section| !section.entries.is_empty());
    Ok(sections)
}

/// Adds a section of another upload: new lines if they are about the process, else the section as a whole, numbered.
fn add(to: &mut Vec<RuntimeSection>, mut section: RuntimeSection) {
    let alike = to.iter().filter(|known| known.name == section.name && known.title.starts_with(&section.title)).count();
    let Some(known) = to.iter_mut().find(|known| known.name == section.name && known.title == section.title) else {
        to.push(section);
        return;
    };
    if matches!(section.name.as_str(), "agent" | "libraries") {
        let new: Vec<RuntimeLine> = section.entries.into_iter().filter(|e| !known.entries.contains(e)).collect();
        known.entries.extend(new);
    } else if known.entries != section.entries {
        section.title = format!("{} ({})", section.title, alike + 1);
        // Sections of the same kind stay together.
        let place = to.iter().rposition(|known| known.name == section.name).map_or(to.len(), |last| last + 1);
        to.insert(place, section);
    }
}

/// What is known about a process without a recording.
fn process(profile: &Profile) -> Vec<(String, String)> {
    let tag = |names: &[&str]| {
        let of = |name: &&str| profile.tags.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        names.iter().find_map(of).unwrap_or_default()
    };
    let facts = [
        ("runtime", profile.runtime_version.clone()),
        ("platform", tag(&["runtime_platform", "runtime_os", "os.type", "platform"])),
        ("main", profile.main.clone()),
        ("process id", tag(&["process_id", "pid", "process.pid"])),
        ("host", profile.facets.host.clone()),
        ("profiler", profile.profiler.clone()),
    ];
    facts.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The request as it arrived, without keys.
fn request(upload: &Upload) -> Vec<(String, String)> {
    let received = crate::time::rfc3339(upload.received_at);
    let mut lines = vec![
        ("protocol".to_owned(), upload.protocol.clone()),
        ("received".to_owned(), received),
        ("sender".to_owned(), upload.sender.clone()),
        ("path".to_owned(), upload.path.clone()),
        ("family".to_owned(), upload.family.clone().unwrap_or_default()),
    ];
    lines.extend(crate::url::decode(&upload.query));
    lines.extend(upload.headers.iter().filter(|(name, _)| name != "content-type").cloned());
    // Tags have a section of their own, and an event in a field becomes the agent's settings.
    let known = |name: &str| name.starts_with("tags") || name == "event";
    lines.extend(upload.fields.iter().filter(|(name, _)| !known(name)).cloned());
    for part in &upload.parts {
        let size = units::size(i64::try_from(part.bytes).unwrap_or(i64::MAX));
        lines.push((format!("part {}", part.label()), size));
    }
    lines
}

/// Members of `event.json` that we do not use ourselves, one line per leaf.
fn settings(upload: &Upload) -> Vec<(String, String)> {
    const OURS: [&str; 8] =
        ["attachments", "tags_profiler", "start", "end", "version", "family", "endpoint_counts", "process_tags"];
    let mut lines = Vec::new();
    if let Some(tags) = upload.event.as_ref().and_then(|e| e.get("process_tags")).and_then(|t| t.as_str()) {
        lines.extend(tags.split(',').filter_map(|t| t.split_once(':')).map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
    let rest = upload.event.iter().filter_map(|e| e.as_object()).flatten();
    let rest = rest.filter(|(name, _)| !OURS.contains(&name.as_str())).map(|(name, value)| (name.clone(), value));
    flatten(&mut lines, rest.rev().collect());
    lines
}

/// One line per leaf of these values, starting with the last value. Arrays of scalars are one line, and arrays of pairs, as in
/// Go's `metrics.json`, count as objects.
fn flatten(lines: &mut Vec<(String, String)>, mut rest: Vec<(String, &Value)>) {
    let within = |name: &str, member: &str| {
        if name.is_empty() { member.to_owned() } else { format!("{name}.{member}") }
    };
    while let Some((name, value)) = rest.pop() {
        if lines.len() >= MOST {
            break;
        }
        match value {
            Value::Object(members) => rest.extend(members.iter().rev().map(|(k, v)| (within(&name, k), v))),
            Value::Array(items) => match items.iter().map(pair).collect::<Option<Vec<_>>>() {
                Some(pairs) => rest.extend(pairs.into_iter().rev().map(|(k, v)| (within(&name, k), v))),
                None => lines.push((name, items.iter().map(plain).collect::<Vec<_>>().join(", "))),
            },
            leaf => lines.push((name, plain(leaf))),
        }
    }
}

/// A name and a scalar.
fn pair(value: &Value) -> Option<(&str, &Value)> {
    match value.as_array().map(Vec::as_slice) {
        Some([Value::String(name), value]) if !value.is_object() && !value.is_array() => Some((name, value)),
        _ => None,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `{"v1":[{"kind","name","version","paths"}]}`.
fn provenance(value: &Value) -> Vec<(String, String)> {
    let list = value.get("v1").and_then(|v| v.as_array()).map(Vec::as_slice).unwrap_or_default();
    let text = |item: &Value, name: &str| item.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let found = list.iter().map(|item| (text(item, "name"), text(item, "version")));
    found.filter(|(name, _)| !name.is_empty()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn lines(json: &str) -> Vec<(String, String)> {
        let (mut lines, value) = (Vec::new(), serde_json::from_str(json).unwrap());
        flatten(&mut lines, vec![(String::new(), &value)]);
        lines
    }

    fn line(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn pairs_and_objects_become_lines() {
        assert_eq!(
            lines(r#"[["go_alloc_bytes_per_sec",12.5],["go_num_goroutine",7]]"#),
            [line("go_alloc_bytes_per_sec", "12.5"), line("go_num_goroutine", "7")]
        );
        assert_eq!(
            lines(r#"{"cpu":{"units":"samples","of":["a","b"]},"on":true}"#),
            [line("cpu.of", "a, b"), line("cpu.units", "samples"), line("on", "true")]
        );
        assert_eq!(lines("[]"), []);
    }

    #[test]
    fn joined_uploads_add_lines_and_sections() {
        let section = |name: &str, title: &str, value: &str| section(name, title, [line("key", value)]);
        let mut all = Vec::new();
        for (name, title, value) in [
            ("agent", "Agent settings", "a"),
            ("upload", "Upload", "1"),
            ("agent", "Agent settings", "b"),
            ("upload", "Upload", "2"),
            ("upload", "Upload", "1"),
            ("upload", "Upload", "3"),
        ] {
            add(&mut all, section(name, title, value));
        }
        let found: Vec<(&str, usize)> = all.iter().map(|s| (s.title.as_str(), s.entries.len())).collect();
        assert_eq!(found, [("Agent settings", 2), ("Upload", 1), ("Upload (2)", 1), ("Upload (3)", 1)]);
    }
}
