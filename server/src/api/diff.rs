//! `GET /api/v1/diff`, `/api/v1/diff/table`: compare two selections.

use axum::extract::{RawQuery, State as Has};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::json;

use super::route::{Param, param};
use super::selection::{self, Merged, Selection, Shape};
use super::{Access, Answer, Params, Problem, Route, State};
use crate::app::App;
use crate::derive::compute::trees::{self, Diff, Per};
use jfrkit_profile::Cancel;

const PARAMS: [Param; 24] = [
    param("a.profile", "array", "Id of a profile in A; repeatable"),
    param("a.q", "string", "Query of A"),
    param("a.from", "string", "Start of the time range of A"),
    param("a.to", "string", "End of the time range of A"),
    param("b.profile", "array", "Id of a profile in B; repeatable"),
    param("b.q", "string", "Query of B"),
    param("b.from", "string", "Start of the time range of B"),
    param("b.to", "string", "End of the time range of B"),
    selection::TYPE,
    selection::VALUE,
    selection::GROUP,
    selection::RECURSION,
    selection::LINES,
    param("per", "string", "second (default) or share"),
    selection::INCLUDE,
    selection::EXCLUDE,
    selection::HIDE,
    selection::THREAD,
    selection::LIBRARY,
    param("min", "string", "Fold subtrees below this share; 0.0001 by default"),
    param("by", "string", "For the table: function (default), line, package, class, thread, endpoint or label:KEY"),
    param("limit", "integer", "For the table: maximum rows, up to 10,000; 500 by default"),
    param("filter", "string", "For the table: text or /regex/ to find in the key"),
    param("view", "string", "flame"),
];

const fn route(
    path: &'static str,
    what: &'static str,
    schema: &'static str,
    handler: fn() -> axum::routing::MethodRouter<State>,
) -> Route {
    Route {
        path,
        method: "get",
        what,
        access: Access::Page,
        params: &PARAMS,
        answers: "application/json",
        schema,
        takes: "",
        also: &[202, 400, 404],
        handler,
    }
}

pub(super) const ROUTES: [Route; 2] = [
    route("/api/v1/diff", "The trees of two selections merged into one, with both values", "Diff", || get(tree)),
    route(
        "/api/v1/diff/table",
        "The rows of two selections with both values, largest change first",
        "DiffTable",
        || get(table),
    ),
];

/// Both sides, and how to compare them.
struct Pair {
    a: Selection,
    b: Selection,
    per: Per,
}

impl Pair {
    fn new(params: &Params) -> Result<Self, Problem> {
        let per = match params.get("per") {
            None | Some("second") => Per::Second,
            Some("share") => Per::Share,
            Some(other) => return Err(Problem::bad(format!("per: expected second or share, not {other:?}"))),
        };
        Ok(Self { a: Selection::new(params, "a.")?, b: Selection::new(params, "b.")?, per })
    }

    fn load(&self, app: &App, cancel: &Cancel) -> Result<Option<(Merged, Merged)>, Problem> {
        let Some(a) = self.a.load(app, cancel)? else { return Ok(None) };
        let Some(b) = self.b.load(app, cancel)? else { return Ok(None) };
        if a.value_names() != b.value_names() {
            let ((a, _), (b, _)) = (a.value_names(), b.value_names());
            return Err(Problem::bad(format!("the selections measure different things: {a} and {b}")));
        }
        Ok(Some((a, b)))
    }
}

fn side(json: &mut serde_json::Value, name: &str, merged: &Merged) {
    if let Some(side) = json.get_mut(name) {
        super::set(side, "profiles", json!(merged.counts));
        super::set(side, "label", json!(merged.name));
    }
}

async fn tree(Has(app): Has<State>, RawQuery(query): RawQuery) -> Answer {
    let params = Params::new(query.as_deref(), &PARAMS)?;
    let pair = Pair::new(&params)?;
    let view = selection::view(&params)?;
    let min = selection::min(&params)?;
    Shape::of(&params, &[Shape::Flame])?;
    super::compute(&app, move |app, cancel| {
        let Some((a, b)) = pair.load(app, cancel)? else { return Ok(super::processing()) };
        let diff = Diff::new((&a.stacks, a.value), (&b.stacks, b.value), &view, pair.per, cancel)
            .map_err(selection::problem)?;
        let mut json = diff.to_json(min);
        let (name, unit) = a.value_names();
        json.tree.kind.clone_from(&a.kind);
        name.clone_into(&mut json.tree.value);
        unit.clone_into(&mut json.tree.unit);
        let mut json = serde_json::to_value(&json).map_err(std::io::Error::from)?;
        side(&mut json, "a", &a);
        side(&mut json, "b", &b);
        Ok(([(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response())
    })
    .await
}

async fn table(Has(app): Has<State>, RawQuery(query): RawQuery) -> Answer {
    let params = Params::new(query.as_deref(), &PARAMS)?;
    let pair = Pair::new(&params)?;
    let view = selection::view(&params)?;
    let by = super::table::by(&params)?;
    Shape::of(&params, &[Shape::Flame])?;
    let limit = params.number("limit", 500, 10_000)?;
    let filter =
        params.get("filter").map(|text| trees::Pattern::search(text).map_err(selection::problem)).transpose()?;
    super::compute(&app, move |app, cancel| {
        let Some((a, b)) = pair.load(app, cancel)? else { return Ok(super::processing()) };
        let made = Diff::table((&a.stacks, a.value), (&b.stacks, b.value), &view, &by, pair.per, cancel);
        let (side_a, side_b, mut rows) = made.map_err(selection::problem)?;
        if let Some(filter) = &filter {
            rows.retain(|row| filter.matches(&row.key));
        }
        let count = rows.len();
        rows.truncate(limit);
        let (name, unit) = a.value_names();
        let mut json = json!({
            "type": a.kind, "value": name, "unit": unit, "per": pair.per, "a": side_a, "b": side_b, "rows": rows, "count": count,
        });
        side(&mut json, "a", &a);
        side(&mut json, "b", &b);
        Ok(([(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response())
    })
    .await
}
