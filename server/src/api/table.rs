//! `GET /api/v1/table`: rows by function, line, package, class or label.

use axum::extract::{RawQuery, State as Has};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::json;

use super::route::{Param, param};
use super::selection::{self, Selection, Shape};
use super::{Access, Answer, Params, Problem, Route, State};
use crate::derive::compute::trees::{self, By, Pattern, TableRow};

const PARAMS: [Param; 23] = selection::with([
    param("by", "string", "function (default), line, package, class, thread, endpoint or label:KEY"),
    param("sort", "string", "-self (default), -total, -samples or key"),
    param("limit", "integer", "Maximum rows, up to 10,000; 100 by default"),
    param("offset", "integer", "Rows to skip"),
    param("filter", "string", "Text or /regex/ to find in the key"),
]);

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/table",
    method: "get",
    what: "Table rows of one profile, or of several merged, computed from the whole tree",
    access: Access::Page,
    params: &PARAMS,
    answers: "application/json",
    schema: "Table",
    takes: "",
    also: &[202, 304, 400, 404, 422],
    handler: || get(rows),
}];

/// `function`, `line`, …
pub(super) fn by(params: &Params) -> Result<By, Problem> {
    let text = params.get("by").unwrap_or("function");
    By::parse(text).ok_or_else(|| {
        Problem::bad(format!(
            "by: expected function, line, package, class, thread, endpoint or label:KEY, not {text:?}"
        ))
    })
}

async fn rows(Has(app): Has<State>, RawQuery(query): RawQuery) -> Answer {
    let params = Params::new(query.as_deref(), &PARAMS)?;
    let selection = Selection::new(&params, "")?;
    let view = selection::view(&params)?;
    let by = by(&params)?;
    // The table of any shape is that of the whole tree.
    Shape::of(&params, &Shape::ALL)?;
    let per = selection::per(&params)?;
    let filter = params.get("filter").map(|text| Pattern::search(text).map_err(selection::problem)).transpose()?;
    let limit = params.number("limit", 100, 10_000)?;
    let offset = params.number("offset", 0, usize::MAX)?;
    let sort = params.get("sort").unwrap_or("-self").to_owned();
    let key: fn(&TableRow) -> i64 = match sort.trim_start_matches('-') {
        "self" => |row| row.own,
        "total" => |row| row.total,
        "samples" => |row| row.samples,
        "key" => |_| 0,
        _ => return Err(Problem::bad(format!("sort: expected -self, -total, -samples or key, not {sort:?}"))),
    };
    super::compute(&app, move |app, cancel| {
        let Some(merged) = selection.load(app, cancel)? else { return Ok(super::processing()) };
        let made = trees::table(&merged.stacks, merged.value, &view, &by, cancel).map_err(selection::problem)?;
        let (name, unit) = merged.value_names();
        let (total, samples) = (made.total, made.samples);
        let mut rows = made.rows;
        if let Some(filter) = &filter {
            rows.retain(|row| filter.matches(&row.key));
        }
        if sort.ends_with("key") {
            rows.sort_by(|a, b| a.key.cmp(&b.key));
            if sort.starts_with('-') {
                rows.reverse();
            }
        } else if sort.starts_with('-') {
            rows.sort_by_key(|row| std::cmp::Reverse(key(row)));
        } else {
            rows.sort_by_key(key);
        }
        let count = rows.len();
        let left: Vec<&TableRow> = rows.iter().take(offset).chain(rows.iter().skip(offset.saturating_add(limit))).collect();
        let rest = json!({"rows": left.len(), "self": left.iter().fold(0i64, |sum, row| sum.saturating_add(row.own))});
        let shown: Vec<&TableRow> = rows.iter().skip(offset).take(limit).collect();
        let requests = per.requests(&merged)?;
        let mut answer = json!({
            "per": per.name(), "type": merged.kind, "value": name, "unit": unit, "seconds": merged.stacks.seconds, "profiles": merged.counts,
            "total": total, "samples": samples, "rows": shown, "count": count, "rest": rest,
        });
        if let Some(requests) = requests {
            super::set(&mut answer, "requests", json!(requests));
        }
        let response = ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response();
        Ok(merged.cacheable(response))
    })
    .await
}
