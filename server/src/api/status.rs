//! `GET /api/v1/status`: the state of the server.

use axum::extract::State as Has;
use axum::routing::get;
use serde_json::json;

use super::{Access, Answer, Route, State};

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/status",
    method: "get",
    what: "Version, counts, spool, disk, queue, workers, forwarding, latest failures",
    access: Access::Page,
    params: &[],
    answers: "application/json",
    schema: "Status",
    takes: "",
    also: &[],
    handler: || get(status),
}];

async fn status(Has(app): Has<State>) -> Answer {
    let answer = super::glance(&app, |app| {
        let totals = app.index.totals();
        let (spooled, spool_bytes) = app.spool.load();
        let (waiting, working) = app.queue.load();
        let (free, all) = app.free_bytes().unwrap_or((0, 0));
        let (queued, queued_bytes) = app.forward.load();
        let uploads: Vec<_> = app
            .metrics
            .uploads()
            .into_iter()
            .map(|(protocol, code, count)| json!({"protocol": protocol, "code": code, "count": count}))
            .collect();
        let oldest = app.index.oldest().map(crate::time::rfc3339);
        Ok(json!({
            "version": env!("CARGO_PKG_VERSION"),
            "started": crate::time::rfc3339(app.started),
            "read_only": app.options.read_only,
            "listen": app.options.listen,
            "needs_key": !app.options.intake_keys.is_empty(),
            "profiles": {"total": totals.profiles, "ready": totals.ready, "failed": totals.failed, "waiting": totals.waiting, "oldest": oldest},
            "uploads": uploads,
            "spool": {"uploads": spooled, "bytes": spool_bytes, "max": app.options.spool_max},
            "queue": {"waiting": waiting, "working": working},
            "workers": app.options.workers,
            "renewals": app.renewals.count(),
            "disk": {
                "received": totals.disk_received, "derived": totals.disk_derived, "max": app.options.max_bytes,
                "free": free, "size": all, "full": app.is_disk_full(),
            },
            "retention": {"keep_ms": app.options.keep, "keep_received_ms": app.options.keep_received},
            "overload": app.overload(),
            "forward": if app.forward.is_on() {
                json!({"to": app.options.forward, "queue": queued, "bytes": queued_bytes, "state": app.forward.state()})
            } else {
                serde_json::Value::Null
            },
            "memory": crate::ops::metrics::resident(),
            "failures": app.failures(),
        }))
    })
    .await?;
    super::json(&answer)
}
