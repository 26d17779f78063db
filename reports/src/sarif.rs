//! SARIF 2.1.0, with one run per recording. Recordings have no lines, so each result is located at line 1, and the methods
//! involved are logical locations.
//!
//! By hand with `json!` rather than with serde-sarif: a report uses a small part of the format, and its crates generate
//! structs for all of it. Tests validate the output against the schema of OASIS.

use jfr_parse::EpochNanos;
use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::blocks::Blocks;
use super::{Entry, Style};
use jfr_analyzers::rule::{Frame, Outcome, Report, Severity, Value};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Maximum methods per result.
const LOCATIONS: usize = 10;

pub(super) fn write(out: &mut dyn Write, entries: &[Entry<'_>], style: &Style) -> io::Result<()> {
    let runs: Vec<Json> = entries.iter().map(|entry| run(entry, style)).collect();
    serde_json::to_writer(&mut *out, &json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": runs }))?;
    writeln!(out)
}

fn run(entry: &Entry<'_>, style: &Style) -> Json {
    let uri = uri(entry.name);
    let report = entry.result.ok();
    let rules: Vec<Json> = report.iter().flat_map(|r| &r.rules).map(rule).collect();
    let results = report.into_iter().flat_map(|report| {
        let index = |id: &str| report.rules.iter().position(|o| o.rule.id == id).unwrap_or_default();
        let shown = report.worst_first(style.least).into_iter();
        shown.map(|outcome| result(index(&outcome.rule.id), outcome, report, &uri)).collect::<Vec<_>>()
    });
    let results: Vec<Json> = results.collect();
    let (warnings, failures) = match entry.result {
        Ok(report) => {
            let warnings = report.recording.warnings.iter().chain(&report.recording.notes);
            let failed = super::failed(report);
            (
                warnings.map(|w| notification("warning", w)).collect::<Vec<_>>(),
                failed
                    .map(|o| notification("error", &format!("{}: {}", o.rule.id, o.verdict.summary)))
                    .collect::<Vec<_>>(),
            )
        }
        Err(reason) => (vec![notification("error", reason)], Vec::new()),
    };
    let notifications: Vec<Json> = warnings.into_iter().chain(failures).collect();
    json!({
        "tool": { "driver": {
            "name": "jfrkit",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules,
        }},
        "automationDetails": { "id": format!("jfrkit/{uri}") },
        "artifacts": [{ "location": { "uri": uri }, "mimeType": "application/octet-stream" }],
        "invocations": [{
            "executionSuccessful": entry.result.is_ok(),
            "toolExecutionNotifications": notifications,
        }],
        "results": results,
        "columnKind": "unicodeCodePoints",
    })
}

fn notification(level: &str, text: &str) -> Json {
    json!({ "level": level, "message": { "text": text } })
}

fn rule(outcome: &Outcome) -> Json {
    let info = &outcome.rule;
    json!({
        "id": info.id,
        "name": info.id,
        "shortDescription": { "text": info.title },
        "fullDescription": { "text": info.description },
        "help": { "text": format!("{} {}", info.description, info.formula) },
        "defaultConfiguration": { "level": "warning" },
        "properties": { "tags": ["performance", info.category.name()] },
    })
}

fn result(index: usize, outcome: &Outcome, report: &Report, uri: &str) -> Json {
    let verdict = &outcome.verdict;
    let (kind, level) = match report.severity_of(outcome) {
        Severity::Warning => ("fail", "warning"),
        Severity::Info => ("fail", "note"),
        Severity::Ok => ("pass", "none"),
        Severity::NotApplicable => ("notApplicable", "none"),
    };
    let mut location = json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri, "index": 0 },
        "region": { "startLine": 1 },
    }});
    let methods = methods(outcome);
    if let (false, Some(location)) = (methods.is_empty(), location.as_object_mut()) {
        let methods = methods.iter().map(|m| json!({ "fullyQualifiedName": m, "kind": "function" }));
        location.insert("logicalLocations".into(), methods.collect());
    }
    let mut out = json!({
        "ruleId": outcome.rule.id,
        "ruleIndex": index,
        "kind": kind,
        "level": level,
        "message": { "text": message(outcome, report.recording.start_nanos) },
        "locations": [location],
        // The same rule on the same recording is the same finding, even if its numbers change.
        "partialFingerprints": { "jfrkitRule/v1": format!("{}:{uri}", outcome.rule.id) },
        "properties": {
            "category": outcome.rule.category.name(),
            "section": outcome.section().name(),
            "cost": report.finding(&outcome.rule.id).and_then(|f| f.cost),
            "evidence": verdict.evidence,
        },
    });
    if let (Some(score), Some(out)) = (verdict.score, out.as_object_mut()) {
        out.insert("rank".into(), json!(score));
    }
    out
}

fn message(outcome: &Outcome, start: EpochNanos) -> String {
    let verdict = &outcome.verdict;
    let blocks = Blocks::of(&verdict.evidence, start, &jfr_parse::Zone::UTC);
    let pairs = blocks.pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join("; ");
    let mut text = verdict.summary.clone();
    for part in [&verdict.explanation, &pairs, &verdict.remedy].into_iter().filter(|p| !p.is_empty()) {
        if !text.ends_with(['.', '!', '?']) {
            text.push('.');
        }
        text.push(' ');
        text.push_str(part);
    }
    text
}

/// The methods in the evidence, preferably those of the program itself.
fn methods(outcome: &Outcome) -> Vec<String> {
    let mut methods: Vec<String> = Vec::new();
    for (_, value) in outcome.verdict.evidence.iter() {
        let frames: Vec<&Frame> = match value {
            Value::Methods { rows } => rows.iter().map(|r| r.application_frame.as_ref().unwrap_or(&r.method)).collect(),
            Value::Stack { frames } => frames.iter().collect(),
            _ => continue,
        };
        for frame in frames {
            if methods.len() < LOCATIONS && !methods.contains(&frame.method) {
                methods.push(frame.method.clone());
            }
        }
    }
    methods
}

/// A path as a relative or absolute URI reference.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let path = path.strip_prefix("./").unwrap_or(path);
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            b'\\' => out.push('/'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
