//! Pyroscope's `/ingest`: the description is in the query, the profile in parts or in the body.

use super::tags::{Tags, pyroscope_name};
use super::{Content, Refusal, Request, finish};
use crate::model::Upload;
use crate::spool::Draft;

pub(super) fn upload(request: &Request, draft: Draft) -> Result<(Draft, Upload), Refusal> {
    let mut tags = Tags::default();
    let (mut start, mut end, mut spy) = (None, None, None);
    let mut named = false;
    let mut warnings = Vec::new();
    let mut time = |name: &str, value: &str| {
        let time = crate::time::parse_ingest(value, request.received_at);
        if time.is_none() {
            warnings.push(format!("the parameter {name} is not a time: {value:?}"));
        }
        time
    };
    for (key, value) in request.parameters() {
        match key.as_str() {
            "name" => {
                let (app, labels) = pyroscope_name(&value);
                if app.is_empty() {
                    return Err(Refusal::bad("the name of the application is empty"));
                }
                for (key, value) in &labels {
                    tags.set(key, value);
                }
                if tags.get("service_name").is_none() {
                    tags.set("service_name", &app);
                }
                named = true;
            }
            "from" => start = time("from", &value),
            "until" => end = time("until", &value),
            "spyName" => spy = Some(value),
            "format" if !matches!(value.as_str(), "jfr" | "pprof" | "") => {
                return Err(Refusal::bad(&format!("the format {value:?} is unknown: expected jfr or pprof")));
            }
            _ => {}
        }
    }
    if !named {
        return Err(Refusal::bad("the parameter \"name\" is missing"));
    }
    if let Some(spy) = &spy {
        tags.set("spy", spy);
    }
    let family = spy.as_deref().map(family);
    finish(request, draft, Content { protocol: "ingest", tags, start, end, family, event: None, warnings })
}

/// The language of a Pyroscope client.
pub(super) fn family(spy: &str) -> String {
    match spy {
        "javaspy" | "java" => "java",
        "gospy" | "go" => "go",
        "pyspy" | "python" => "python",
        "nodespy" | "node" | "nodejs" => "node",
        other => other,
    }
    .to_owned()
}
