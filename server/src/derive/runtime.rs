//! Runtime information from the recording and from the client.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::model::{Profile, Upload};

/// The file with the runtime information of the recording.
pub(crate) const FILE: &str = "runtime.json.gz";
/// Maximum lines in a section from the client.
const MOST: usize = 5_000;

/// A section of the text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) entries: Vec<Line>,
}

/// One fact.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) earlier: Vec<String>,
}

fn section(name: &str, title: &str, lines: impl Iterator<Item = (String, String)>) -> Section {
    let entries = lines.take(MOST).map(|(name, value)| {
        let value = super::compute::masked(&name, &value);
        Line { name, value, origin: None, earlier: Vec::new() }
    });
    Section { name: name.to_owned(), title: title.to_owned(), entries: entries.collect() }
}

/// The non-empty sections of a profile.
pub(crate) fn sections(app: &App, profile: &Profile) -> std::io::Result<Vec<Section>> {
    let mut sections = vec![section("tags", "Tags", profile.tags.iter().cloned())];
    let path = app.store.derived(profile.id, FILE);
    if path.is_file() {
        sections.extend(serde_json::from_slice::<Vec<Section>>(&super::unpacked(&path)?)?);
    }
    let mut agent = Vec::new();
    let mut libraries = Vec::new();
    for id in &profile.uploads {
        let Some(upload) = app.store.upload(*id)? else { continue };
        agent.extend(settings(&upload));
        for part in upload.parts.iter().filter(|p| p.label() == "code-provenance.json") {
            if let Some(path) = app.store.received(*id, &part.file) {
                libraries.extend(provenance(&super::unpacked(&path)?));
            }
        }
    }
    sections.push(section("agent", "Agent settings", agent.into_iter()));
    sections.push(section("libraries", "Libraries", libraries.into_iter()));
    sections.retain(|s| !s.entries.is_empty());
    Ok(sections)
}

/// Members of `event.json` that we do not use ourselves, one line per leaf.
fn settings(upload: &Upload) -> Vec<(String, String)> {
    const OURS: [&str; 8] =
        ["attachments", "tags_profiler", "start", "end", "version", "family", "endpoint_counts", "process_tags"];
    let mut lines = Vec::new();
    let mut rest: Vec<(String, &Value)> = upload
        .event
        .iter()
        .filter_map(|e| e.as_object())
        .flatten()
        .filter(|(name, _)| !OURS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value))
        .rev()
        .collect();
    if let Some(tags) = upload.event.as_ref().and_then(|e| e.get("process_tags")).and_then(|t| t.as_str()) {
        lines.extend(tags.split(',').filter_map(|t| t.split_once(':')).map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
    while let Some((name, value)) = rest.pop() {
        if lines.len() >= MOST {
            break;
        }
        match value {
            Value::Object(members) => rest.extend(members.iter().rev().map(|(k, v)| (format!("{name}.{k}"), v))),
            Value::Array(items) => lines.push((name, items.iter().map(plain).collect::<Vec<_>>().join(", "))),
            leaf => lines.push((name, plain(leaf))),
        }
    }
    lines
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `{"v1":[{"kind","name","version","paths"}]}`.
fn provenance(bytes: &[u8]) -> Vec<(String, String)> {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return Vec::new() };
    let list = value.get("v1").and_then(|v| v.as_array()).cloned().unwrap_or_default();
    let text = |item: &Value, name: &str| item.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let mut found: Vec<(String, String)> =
        list.iter().map(|item| (text(item, "name"), text(item, "version"))).collect();
    found.sort();
    found.dedup();
    found.retain(|(name, _)| !name.is_empty());
    found
}

/// The sections as text.
pub(crate) fn text(sections: &[Section]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for section in sections {
        let _ = writeln!(out, "{}{}", if out.is_empty() { "" } else { "\n" }, section.title);
        let width = section.entries.iter().map(|e| e.name.chars().count()).max().unwrap_or(0).min(48);
        for line in &section.entries {
            let origin = line.origin.as_deref().map(|o| format!("  ({o})")).unwrap_or_default();
            let earlier = if line.earlier.is_empty() {
                String::new()
            } else {
                format!("  (before: {})", line.earlier.join(", "))
            };
            // Keep the lines of multi-line values indented.
            let value = line.value.replace('\n', "\n      ");
            let _ = writeln!(out, "  {:<width$}  {value}{origin}{earlier}", line.name);
        }
    }
    out
}
