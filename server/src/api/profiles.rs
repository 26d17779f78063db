//! `GET /api/v1/profiles`: search.

use axum::extract::{RawQuery, State as Has};
use axum::routing::get;
use serde_json::{Value, json};

use super::route::{FROM, Param, Q, TO, param};
use super::{Access, Answer, Params, Route, State};
use crate::index::{Row, Sort};
use crate::time::rfc3339;

const PARAMS: [Param; 6] = [
    Q,
    FROM,
    TO,
    param("sort", "string", "-start (default), or any facet or measure; - puts the largest first"),
    param("limit", "integer", "Rows per page, up to 500; 50 by default"),
    param("cursor", "string", "`next` from the previous page"),
];

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/profiles",
    method: "get",
    what: "Matching profiles, page by page",
    access: Access::Page,
    params: &PARAMS,
    answers: "application/json",
    schema: "Profiles",
    takes: "",
    also: &[400],
    handler: || get(list),
}];

async fn list(Has(app): Has<State>, RawQuery(query): RawQuery) -> Answer {
    let params = Params::new(query.as_deref(), &PARAMS)?;
    let scope = params.scope("")?;
    let sort = params.get("sort").map_or(Ok(Sort::default()), Sort::parse).map_err(super::Problem::bad)?;
    let limit = params.number("limit", 50, 500)?;
    let cursor = params.get("cursor").map(str::to_owned);
    let answer = super::compute(&app, move |app, _| {
        let page = app.index.search(&scope, &sort, limit, cursor.as_deref())?;
        let rows: Vec<Value> = page.rows.iter().map(row).collect();
        let mut answer = json!({"total": page.total, "rows": rows, "next": page.next});
        // An empty page points to the nearest profile.
        if page.total == 0
            && let Some(nearest) = app.index.nearest(scope.to.or(scope.from).unwrap_or_else(crate::time::now))
        {
            super::set(&mut answer, "nearest", rfc3339(nearest).into());
        }
        Ok(answer)
    })
    .await?;
    super::json(&answer)
}

/// A row as the API returns it.
pub(super) fn row(row: &Row) -> Value {
    let f = &row.facets;
    json!({
        "id": row.id, "start": rfc3339(row.start), "end": rfc3339(row.end), "received_at": rfc3339(row.received_at),
        "service": f.service, "env": f.env, "version": f.version, "host": f.host, "runtime": f.runtime,
        "language": f.language, "runtime_version": row.runtime_version, "main": row.main, "types": row.types,
        "cpu_cores": row.cpu.value, "cpu_cores_at_least": row.cpu.at_least,
        "alloc_rate": row.alloc.value, "alloc_rate_at_least": row.alloc.at_least,
        "bytes": row.bytes, "status": row.status.name(),
        "findings": {"warning": row.found_warning, "info": row.found_info},
        "warnings": row.warnings, "pinned": row.pinned,
    })
}
