//! `GET /api/v1/profiles/{id}/analysis`: the report of `jfrkit analyze`.

use axum::extract::{Path, State as Has};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use super::{Access, Answer, Problem, Route, State};

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/profiles/{id}/analysis",
    method: "get",
    what: "The report of `jfrkit analyze`, described by docs/analysis.schema.json",
    access: Access::Page,
    params: &[],
    answers: "application/json",
    schema: "Report",
    takes: "",
    also: &[202, 304, 404],
    handler: || get(analysis),
}];

async fn analysis(Has(app): Has<State>, Path(id): Path<String>) -> Answer {
    super::compute(&app, move |app, _| {
        let id = super::find(app, &id)?;
        let Some(profile) = super::derived(app, id)? else { return Ok(super::processing()) };
        if let Some(reason) = profile.no_analysis {
            return Err(Problem::not_found(reason));
        }
        if profile.pending {
            return Ok(super::processing());
        }
        let bytes = crate::derive::unpacked(&app.store.derived(id, "analysis.json.gz"))?;
        let response = ([(header::CONTENT_TYPE, "application/json")], bytes).into_response();
        Ok(super::cacheable(response, &profile, "analysis"))
    })
    .await
}
