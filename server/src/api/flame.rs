//! `GET /api/v1/flame`: the tree of one profile or of several merged ones.

use axum::extract::{RawQuery, State as Has};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use serde::Serialize;

use super::route::{Param, param};
use super::selection::{self, Merged, Selection, Shape};
use super::{Access, Answer, Params, Problem, Route, State};
use crate::derive::compute::trees::{Address, Pattern, Tree, TreeJson};

/// Parameters of SELECTION and VIEW, and those of the tree.
const PARAMS: [Param; 23] = selection::with([
    param("root", "string", "Address of a node: returns only its subtree and its ancestors"),
    param("min", "string", "Fold subtrees below this share of the root; 0.0001 by default"),
    param("search", "string", "Text or /regex/ to search for in the whole tree"),
    selection::NONE,
    selection::NONE,
]);

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/flame",
    method: "get",
    what: "The tree of one profile, or of several merged: nodes in preorder, siblings by total",
    access: Access::Page,
    params: &PARAMS,
    answers: "application/json",
    schema: "Flame",
    takes: "",
    also: &[202, 304, 400, 404, 422],
    handler: || get(flame),
}];

/// The response.
#[derive(Serialize)]
struct FlameJson<'j> {
    #[serde(flatten)]
    tree: &'j TreeJson,
    profiles: selection::Counts,
    per: &'j str,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<std::collections::BTreeMap<String, i64>>,
    /// The keys of the labels that the samples have, for `group=label:KEY`.
    labels: Vec<&'j str>,
}

/// The response for `view=sandwich`: a function between its callers and callees.
#[derive(Serialize)]
struct SandwichJson<'j> {
    #[serde(rename = "type")]
    kind: &'j str,
    value: &'j str,
    unit: &'j str,
    seconds: f64,
    total: i64,
    profiles: selection::Counts,
    per: &'j str,
    callers: TreeJson,
    callees: TreeJson,
}

async fn flame(Has(app): Has<State>, RawQuery(query): RawQuery) -> Answer {
    let params = Params::new(query.as_deref(), &PARAMS)?;
    let selection = Selection::new(&params, "")?;
    let view = selection::view(&params)?;
    let shape = Shape::of(&params, &Shape::ALL)?;
    let function = shape.function(&params)?;
    let root = params
        .get("root")
        .map(|text| Address::parse(text).ok_or_else(|| Problem::bad("root: expected 16 hexadecimal digits")));
    let root = root.transpose()?;
    let min = selection::min(&params)?;
    let search = params.get("search").map(|text| Pattern::search(text).map_err(selection::problem)).transpose()?;
    let per = selection::per(&params)?;
    let key = selection::tree_key(query.as_deref().unwrap_or_default());
    super::compute(&app, move |app, cancel| {
        let begun = app.decoded.begin();
        let Some(merged) = selection.load(app, cancel)? else { return Ok(super::processing()) };
        let Merged { stacks, value, counts, kind, one, .. } = &merged;
        let (name, unit) = merged.value_names();
        let body = if let Some(function) = &function {
            let made = Tree::sandwich(stacks, *value, &view, function, cancel).map_err(selection::problem)?;
            let json = |tree: &Tree| tree.to_json(None, min).unwrap_or_default();
            serde_json::to_vec(&SandwichJson {
                kind,
                value: name,
                unit,
                seconds: stacks.seconds,
                total: stacks.totals().get(*value).copied().unwrap_or(0),
                profiles: *counts,
                per: per.name(),
                callers: json(&made.callers),
                callees: json(&made.callees),
            })
        } else {
            let cached = one.and_then(|id| app.decoded.get::<Tree>(id, &key));
            let tree = match cached {
                Some(tree) => tree,
                None => {
                    let tree = if shape == Shape::Callers {
                        Tree::callers(stacks, *value, &view, cancel)
                    } else {
                        Tree::new(stacks, *value, &view, cancel)
                    };
                    let tree = std::sync::Arc::new(tree.map_err(selection::problem)?);
                    if let Some(id) = one {
                        let bytes = u64::try_from(tree.len()).unwrap_or(u64::MAX).saturating_mul(80);
                        app.decoded.put(*id, &key, tree.clone(), bytes, begun);
                    }
                    tree
                }
            };
            let json = tree.to_json(root, min).ok_or_else(|| Problem::not_found("no node has this address"))?;
            let matches = search.as_ref().map(|pattern| tree.search(pattern));
            let json = TreeJson {
                kind: kind.clone(),
                value: name.to_owned(),
                unit: unit.to_owned(),
                seconds: stacks.seconds,
                matches,
                ..json
            };
            let requests = per.requests(&merged)?;
            let labels = stacks.label_keys();
            serde_json::to_vec(&FlameJson { tree: &json, profiles: *counts, per: per.name(), requests, labels })
        };
        let body = body.map_err(std::io::Error::from)?;
        let response = ([(header::CONTENT_TYPE, "application/json")], body).into_response();
        Ok(merged.cacheable(response))
    })
    .await
}
