//! `GET /api/v1/openapi.json`: the description of the API, built from the table of routes.

use axum::extract::State as Has;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::{Access, Answer, Route, State, schema};

pub(super) const ROUTES: [Route; 1] = [Route {
    path: "/api/v1/openapi.json",
    method: "get",
    what: "This description",
    access: Access::Page,
    params: &[],
    answers: "application/json",
    schema: "OpenApi",
    takes: "",
    also: &[],
    handler: || get(|Has(_): Has<State>| async { answer() }),
}];

fn answer() -> Answer {
    super::json(&document())
}

/// The document.
pub(crate) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in super::routes() {
        // Wildcard paths exist for tracers and are not part of the API.
        if route.path.contains("{*") {
            continue;
        }
        let entry = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(methods) = entry.as_object_mut() {
            methods.insert(route.method.to_owned(), operation(&route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "jfrkit serve",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Upload, store and search profiles. Responses contain times in RFC 3339 format; requests may also use milliseconds since 1970 or now-1h.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "page": {"type": "http", "scheme": "bearer", "description": "A page token, if the server requires one"},
                "intake": {"type": "apiKey", "in": "header", "name": "DD-API-KEY", "description": "An intake key, if the server requires one"},
            },
            "schemas": schema::all(),
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = route
        .path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    parameters.extend(route.params.iter().filter(|p| !p.name.is_empty()).map(|p| {
        let schema = match p.kind {
            "array" => json!({"type": "array", "items": {"type": "string"}}),
            "integer" => json!({"type": "integer", "minimum": 0}),
            kind => json!({"type": kind}),
        };
        json!({"name": p.name, "in": "query", "required": p.required, "description": p.what, "schema": schema})
    }));
    let mut responses = Map::new();
    let success = if route.answers.is_empty() { "204" } else { "200" };
    let body = |name: &str| json!({"schema": schema::reference(name)});
    let mut content = Map::new();
    if !route.answers.is_empty() {
        content.insert(route.answers.to_owned(), json!({}));
    }
    if !route.schema.is_empty() {
        content.insert("application/json".to_owned(), body(route.schema));
    }
    let mut ok = json!({"description": "Done"});
    if !content.is_empty() {
        super::set(&mut ok, "content", content.clone().into());
    }
    responses.insert(success.to_owned(), ok);
    let problem = json!({"application/problem+json": body("Problem")});
    // Any request can be malformed, rejected for its Host, method or token, or arrive at a bad time.
    let always = [400, 401, 403, 404, 405, 421, 431, 503, 504];
    for status in route.also.iter().chain(&always) {
        let entry = match status {
            202 => {
                json!({"description": "Not ready yet: try again", "content": {"application/json": body("Processing")}})
            }
            304 => json!({"description": "Not changed since the response with this ETag"}),
            206 => json!({"description": "Part of the file", "content": content}),
            status => json!({
                "description": axum::http::StatusCode::from_u16(*status).ok().and_then(|s| s.canonical_reason()).unwrap_or("Error"),
                "content": problem,
            }),
        };
        responses.entry(status.to_string()).or_insert(entry);
    }
    let mut operation = json!({"summary": route.what, "parameters": parameters, "responses": responses});
    if !route.takes.is_empty() {
        let mut takes =
            json!({route.takes: if route.takes == "application/json" { body("Change") } else { json!({}) }});
        // Protocols based on Protocol Buffers also accept JSON.
        if matches!(route.takes, "application/proto" | "application/x-protobuf") {
            super::set(&mut takes, "application/json", json!({}));
        }
        super::set(&mut operation, "requestBody", json!({"required": true, "content": takes}));
    }
    super::set(
        &mut operation,
        "security",
        match route.access {
            Access::Open => json!([]),
            Access::Page => json!([{}, {"page": []}]),
            Access::Intake => json!([{}, {"intake": []}]),
            Access::Either => json!([{}, {"page": []}, {"intake": []}]),
        },
    );
    operation
}
