//! `GET /api/v1/facets`: counts by value and over time, and the range of each measure.

use axum::extract::{RawQuery, State as Has};
use axum::routing::get;
use serde_json::json;

use super::route::{FROM, Param, Q, TO, param};
use super::{Access, Answer, Params, Route, State};

const PARAMS: [Param; 5] = [
    Q,
    FROM,
    TO,
    param("top", "integer", "Values per facet, up to 1,000; 20 by default"),
    param(
        "names",
        "array",
        "Comma-separated facets or tags; repeatable; by default env, service, version, host, runtime, language",
    ),
];

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/facets",
    method: "get",
    what: "Facet values with counts, a histogram over time, and the distribution of each measure",
    access: Access::Page,
    params: &PARAMS,
    answers: "application/json",
    schema: "Facets",
    takes: "",
    also: &[400],
    handler: || get(facets),
}];

async fn facets(Has(app): Has<State>, RawQuery(query): RawQuery) -> Answer {
    let params = Params::new(query.as_deref(), &PARAMS)?;
    let scope = params.scope("")?;
    let top = params.number("top", 20, 1_000)?;
    let mut names: Vec<String> =
        params.all("names").flat_map(|n| n.split(',')).filter(|n| !n.is_empty()).map(str::to_owned).collect();
    names.truncate(32);
    if names.is_empty() {
        names = ["env", "service", "version", "host", "runtime", "language"].map(str::to_owned).to_vec();
    }
    let answer = super::compute(&app, move |app, _| {
        Ok(json!({
            "facets": app.index.facets(&scope, &names, top),
            "histogram": app.index.histogram(&scope, crate::time::now()),
            "measures": app.index.measures(&scope),
        }))
    })
    .await?;
    super::json(&answer)
}
