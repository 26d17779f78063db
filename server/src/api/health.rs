//! `/healthz`, `/readyz`, `/metrics`, and the endpoints that clients probe: `/info`, `/ready`.

use axum::extract::State as Has;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::json;

use super::{Access, Answer, Problem, Route, State};

const fn route(
    path: &'static str,
    what: &'static str,
    access: Access,
    answers: &'static str,
    schema: &'static str,
    also: &'static [u16],
    handler: fn() -> axum::routing::MethodRouter<State>,
) -> Route {
    Route { path, method: "get", what, access, params: &[], answers, schema, takes: "", also, handler }
}

pub(super) const ROUTES: [Route; 5] = [
    route("/healthz", "Alive", Access::Open, "text/plain", "", &[], || get(|| async { "ok\n" })),
    route("/readyz", "Whether the server accepts uploads", Access::Open, "text/plain", "", &[503], || get(ready)),
    route("/ready", "As Pyroscope's", Access::Open, "text/plain", "", &[503], || get(ready)),
    route("/metrics", "Counters for Prometheus", Access::Page, "text/plain", "", &[], || get(metrics)),
    route("/info", "Like the Datadog agent's, for its tracers", Access::Open, "application/json", "Info", &[], || {
        get(info)
    }),
];

async fn ready(Has(app): Has<State>) -> Answer {
    // While the server starts, `serve_starting` answers.
    if app.is_stopping() {
        return Err(Problem::overloaded("the server is stopping"));
    }
    if app.is_disk_full() {
        return Err(Problem::overloaded("the disk is nearly full"));
    }
    Ok("ready\n".into_response())
}

async fn metrics(Has(app): Has<State>) -> Answer {
    let text = super::glance(&app, |app| Ok(app.metrics.text(app))).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

async fn info() -> Answer {
    super::json(&json!({"version": env!("CARGO_PKG_VERSION"), "endpoints": ["/profiling/v1/input"]}))
}
