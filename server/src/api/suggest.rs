//! `GET /api/v1/suggest`: query completion.

use axum::extract::{RawQuery, State as Has};
use axum::routing::get;
use serde_json::json;

use super::route::{FROM, Param, TO, param};
use super::{Access, Answer, Params, Route, State};

const PARAMS: [Param; 3] = [param("prefix", "string", "The term typed so far"), FROM, TO];

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/suggest",
    method: "get",
    what: "Completions of a query term: names, values and measures",
    access: Access::Page,
    params: &PARAMS,
    answers: "application/json",
    schema: "Suggestions",
    takes: "",
    also: &[400],
    handler: || get(suggest),
}];

async fn suggest(Has(app): Has<State>, RawQuery(query): RawQuery) -> Answer {
    let params = Params::new(query.as_deref(), &PARAMS)?;
    let scope = params.scope("")?;
    let prefix = params.get("prefix").unwrap_or_default().to_owned();
    let found = super::compute(&app, move |app, _| Ok(app.index.suggest(&prefix, &scope))).await?;
    super::json(&json!({"suggestions": found}))
}
