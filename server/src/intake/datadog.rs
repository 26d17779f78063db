//! Datadog's profiling intake: `event.json` with attachments (versions 3 and 4), and the form fields of 2020 that preceded it.

use super::tags::Tags;
use super::{Content, Refusal, Request, finish};
use crate::model::{Kind, Upload};
use crate::spool::Draft;

/// Maximum bytes of `event.json`.
const MAX_EVENT: u64 = 1 << 20;

pub(super) fn upload(request: &Request, draft: Draft) -> Result<(Draft, Upload), Refusal> {
    let event = draft.parts.iter().position(|p| p.name == "event" || p.file_name.as_deref() == Some("event.json"));
    if let Some(event) = event.and_then(|at| draft.parts.get(at)) {
        let bytes = draft.read(event, MAX_EVENT)?;
        return with_event(request, draft, &bytes);
    }
    if let Some(text) = draft.field("event").map(str::to_owned) {
        return with_event(request, draft, text.as_bytes());
    }
    let old = |name: &str| draft.field(name).is_some();
    if old("recording-start") || old("start") || old("version") || old("format") {
        return form(request, draft);
    }
    Err(Refusal::bad("the upload has no part \"event\" (event.json)"))
}

fn with_event(request: &Request, draft: Draft, bytes: &[u8]) -> Result<(Draft, Upload), Refusal> {
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| Refusal::bad(&format!("event.json is not JSON: {error}")))?;
    let Some(event) = value.as_object() else {
        return Err(Refusal::bad("event.json is not a JSON object"));
    };
    let text = |name: &str| event.get(name).and_then(|v| v.as_str());
    let mut warnings = Vec::new();
    let mut tags = Tags::default();
    if let Some(sent) = text("tags_profiler") {
        tags.add_all(sent);
    }
    let mut instant = |name: &str| {
        let sent = text(name);
        let time = sent.and_then(crate::time::parse_rfc3339);
        if time.is_none() {
            warnings.push(match sent {
                Some(sent) => format!("event.json: {name} is not a timestamp: {sent:?}"),
                None => format!("event.json has no {name}"),
            });
        }
        time
    };
    let (start, end) = (instant("start"), instant("end"));
    for name in event.get("attachments").and_then(|a| a.as_array()).into_iter().flatten().filter_map(|a| a.as_str()) {
        let there = |p: &crate::model::Part| p.name == name || p.file_name.as_deref() == Some(name);
        if !draft.parts.iter().any(there) {
            warnings.push(format!("event.json names the attachment {name:?}, which was not sent"));
        }
    }
    let family = text("family").map(str::to_owned);
    let content = Content { protocol: "datadog", tags, start, end, family, event: Some(value), warnings };
    finish(request, draft, content)
}

/// The form fields of dd-trace-java 0.44, dd-trace-py 0.36 and dd-trace-go 1.23: `version=3` with `start`, `end` and
/// `data[NAME]`; earlier `format`, `runtime`, `recording-start`, `recording-end`, `types[N]`, `data[N]`, `chunk-data`.
fn form(request: &Request, mut draft: Draft) -> Result<(Draft, Upload), Refusal> {
    let mut tags = Tags::default();
    for (key, value) in &draft.fields {
        match key.as_str() {
            "tags[]" | "tags" => tags.add_all(value),
            _ => {}
        }
    }
    let instant = |names: [&str; 2]| names.iter().find_map(|n| draft.field(n)).and_then(crate::time::parse_rfc3339);
    let start = instant(["start", "recording-start"]);
    let end = instant(["end", "recording-end"]);
    let family = ["family", "runtime"].iter().find_map(|n| draft.field(n)).map(str::to_owned);
    // `types[0]` is the name of `data[0]`.
    let types: Vec<(String, String)> = draft.fields.clone();
    for part in &mut draft.parts {
        if part.kind == Kind::Empty {
            continue;
        }
        let inside = part.name.strip_prefix("data[").and_then(|n| n.strip_suffix(']')).map(str::to_owned);
        if let Some(inside) = inside {
            let named = types.iter().find(|(key, _)| *key == format!("types[{inside}]")).map(|(_, v)| v.clone());
            part.name = named.unwrap_or(inside);
        }
    }
    let mut warnings = Vec::new();
    if start.is_none() || end.is_none() {
        warnings.push("the upload has no start and end time".to_owned());
    }
    finish(request, draft, Content { protocol: "datadog-form", tags, start, end, family, event: None, warnings })
}
