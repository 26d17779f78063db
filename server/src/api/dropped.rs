//! Other data that tracers send to an agent: we read, discard and acknowledge it so that they do not log errors.

use axum::extract::{Request, State as Has};
use axum::routing::any;
use http_body_util::BodyExt;

use super::{Access, Answer, Route, State};

/// Maximum bytes to read of a body.
const MOST: usize = 1 << 20;

const fn route(path: &'static str) -> Route {
    Route {
        path,
        method: "post",
        what: "Accepted and discarded",
        access: Access::Intake,
        params: &[],
        answers: "application/json",
        schema: "Nothing",
        takes: "application/octet-stream",
        also: &[],
        handler: || any(drop_it),
    }
}

pub(super) const ROUTES: [Route; 11] = [
    route("/v0.3/{*rest}"),
    route("/v0.4/{*rest}"),
    route("/v0.5/{*rest}"),
    route("/v0.6/{*rest}"),
    route("/v0.7/{*rest}"),
    route("/v1.0/{*rest}"),
    route("/telemetry/proxy/{*rest}"),
    route("/evp_proxy/{*rest}"),
    route("/dogstatsd/v2/proxy"),
    route("/debugger/{*rest}"),
    route("/tracer_flare/{*rest}"),
];

async fn drop_it(Has(app): Has<State>, request: Request) -> Answer {
    let mut body = request.into_body();
    let mut read = 0usize;
    while read < MOST {
        let frame = tokio::time::timeout(std::time::Duration::from_secs(10), body.frame()).await;
        let Ok(Some(Ok(frame))) = frame else { break };
        read += frame.data_ref().map_or(0, |data| data.len());
    }
    app.metrics.dropped();
    super::json(&serde_json::json!({}))
}
