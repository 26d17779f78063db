//! `POST /api/v1/recordings`: the body is a recording or pprof file, the query describes it.

use super::tags::Tags;
use super::{Content, Refusal, Request, finish};
use crate::model::Upload;
use crate::spool::Draft;

pub(super) fn upload(request: &Request, draft: Draft) -> Result<(Draft, Upload), Refusal> {
    let mut tags = Tags::default();
    for (key, value) in request.parameters() {
        match key.as_str() {
            "service" | "env" | "version" | "host" | "language" | "runtime" => tags.set(&key, &value),
            "tag" => tags.add(&value),
            "wait" => {}
            other => return Err(Refusal::bad(&format!("unknown parameter {other:?}"))),
        }
    }
    if draft.bytes == 0 {
        return Err(Refusal::bad("the body is empty: expected a recording or a pprof file"));
    }
    let content = Content {
        protocol: "recordings",
        tags,
        start: None,
        end: None,
        family: None,
        event: None,
        warnings: Vec::new(),
    };
    finish(request, draft, content)
}
