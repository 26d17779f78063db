//! `GET /api/v1/export`: a selection as a single file.

use axum::extract::{RawQuery, State as Has};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;

use super::route::{Param, param};
use super::selection::{self, Selection, Shape};
use super::{Access, Answer, Params, Problem, Route, State};
use crate::derive::compute::trees::{self, Tree};

const PARAMS: [Param; 23] = selection::with([
    param(
        "format",
        "string",
        "pprof (default), collapsed, speedscope or html; view=sandwich exports the stacks with the function",
    ),
    selection::NONE,
    selection::NONE,
    selection::NONE,
    selection::NONE,
]);

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/export",
    method: "get",
    what: "A selection, shown in a view, as a single file",
    access: Access::Page,
    params: &PARAMS,
    answers: "application/octet-stream",
    schema: "",
    takes: "",
    also: &[202, 400, 404, 422],
    handler: || get(export),
}];

async fn export(Has(app): Has<State>, RawQuery(query): RawQuery) -> Answer {
    let params = Params::new(query.as_deref(), &PARAMS)?;
    let selection = Selection::new(&params, "")?;
    let mut view = selection::view(&params)?;
    selection::per(&params)?;
    let shape = Shape::of(&params, &Shape::ALL)?;
    if let Some(function) = shape.function(&params)? {
        // A file has room for one tree: the stacks that contain the function.
        selection::only_with(&mut view, &function)?;
    }
    let format = params.get("format").unwrap_or("pprof").to_owned();
    if !matches!(format.as_str(), "pprof" | "collapsed" | "speedscope" | "html") {
        return Err(Problem::bad(format!("format: expected pprof, collapsed, speedscope or html, not {format:?}")));
    }
    super::compute(&app, move |app, cancel| {
        let Some(merged) = selection.load(app, cancel)? else { return Ok(super::processing()) };
        let made = if shape == Shape::Callers {
            Tree::callers(&merged.stacks, merged.value, &view, cancel)
        } else {
            Tree::new(&merged.stacks, merged.value, &view, cancel)
        };
        let tree = made.map_err(selection::problem)?;
        let (value, unit) = merged.value_names();
        let title = format!("{} {}", merged.name, merged.kind);
        let (bytes, ending) = match format.as_str() {
            "pprof" => (trees::pprof(&tree, value, unit, &merged.stacks)?, "pb.gz"),
            "collapsed" => (trees::collapsed(&tree), "collapsed.txt"),
            "speedscope" => (trees::speedscope(&tree, &title, unit)?, "speedscope.json"),
            _ => (trees::html(&tree, &title, &merged.kind, value, unit, merged.stacks.seconds)?, "html"),
        };
        let name = super::files::safe_name(&format!("{}-{}.{ending}", merged.name, merged.kind));
        let mut response = ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response();
        if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
        }
        Ok(response)
    })
    .await
}
