//! `GET /api/v1/profiles/{id}/runtime`: the JVM or runtime, machine, flags, properties and environment of the process.

use axum::extract::{Path, State as Has};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use axum::routing::get;

use super::{Access, Answer, Problem, Route, State};
use crate::derive::runtime;

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/profiles/{id}/runtime",
    method: "get",
    what: "Runtime information as text, or as JSON sections if the request accepts application/json",
    access: Access::Page,
    params: &[],
    answers: "text/plain",
    schema: "Runtime",
    takes: "",
    also: &[202, 304, 404],
    handler: || get(show),
}];

async fn show(Has(app): Has<State>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let wants_json = accept.contains("application/json");
    super::compute(&app, move |app, _| {
        let id = super::find(app, &id)?;
        let Some(profile) = super::derived(app, id)? else { return Ok(super::processing()) };
        if profile.pending {
            return Ok(super::processing());
        }
        if profile.reason.is_some() {
            return Err(Problem::not_found("the upload could not be read"));
        }
        let sections = runtime::sections(app, &profile)?;
        let response = if wants_json {
            super::json(&serde_json::json!({"sections": sections}))?
        } else {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], jfrkit_reports::runtime::runtime_text(&sections))
                .into_response()
        };
        let kind = if wants_json { "json" } else { "text" };
        let mut response = super::cacheable(response, &profile, &format!("runtime-{kind}"));
        response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
        Ok(response)
    })
    .await
}
