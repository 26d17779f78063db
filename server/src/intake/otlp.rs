//! OpenTelemetry profiles: `ExportProfilesServiceRequest` as protobuf or JSON. The request is stored as a single part and
//! read by a worker.

use super::tags::Tags;
use super::{Content, Refusal, Request, finish};
use crate::model::{Kind, Upload};
use crate::spool::Draft;

/// Whether we accept bodies of this type.
pub(super) fn accepts(content_type: &str) -> Result<(), Refusal> {
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/x-protobuf" | "application/json" => Ok(()),
        kind => Err(Refusal::of(
            415,
            &format!("the content type {kind:?} is unknown: expected application/x-protobuf or application/json"),
        )),
    }
}

pub(super) fn upload(request: &Request, mut draft: Draft) -> Result<(Draft, Upload), Refusal> {
    for part in &mut draft.parts {
        // In this protocol, JSON is a profile.
        if part.kind == Kind::Json {
            part.kind = Kind::Other;
        }
    }
    let content = Content {
        protocol: "otlp",
        tags: Tags::default(),
        start: None,
        end: None,
        family: None,
        event: None,
        warnings: Vec::new(),
    };
    finish(request, draft, content)
}
