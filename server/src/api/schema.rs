//! The schemas of JSON responses in `openapi.json`. Routes name them; tests compare them with real responses.

use serde_json::{Map, Value, json};

/// All schemas by name.
pub(super) fn all() -> Map<String, Value> {
    let schemas = [
        ("Problem", problem()),
        ("Processing", object(&[("status", one_of(&["processing"]))])),
        ("Nothing", object(&[])),
        ("Profiles", profiles()),
        ("ProfileRow", object(&row(list(&text()), integer()))),
        ("Profile", profile()),
        ("ProfileType", profile_type()),
        ("Change", object(&[("pinned?", flag()), ("note?", about(text(), "At most 8 KiB"))])),
        ("Facets", facets()),
        ("Suggestions", suggestions()),
        ("Report", report()),
        ("Runtime", runtime()),
        ("Metrics", metrics()),
        ("Counts", counts()),
        ("Tree", object(&tree())),
        ("Flame", flame()),
        ("Table", table()),
        ("Side", side()),
        ("Diff", diff()),
        ("DiffTable", diff_table()),
        ("Uploaded", uploaded()),
        ("Status", status()),
        ("Info", object(&[("version", text()), ("endpoints", list(&text()))])),
        (
            "OpenApi",
            object(&[
                ("openapi", text()),
                ("info", any_object()),
                ("paths", any_object()),
                ("components", any_object()),
            ]),
        ),
    ];
    schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// A reference to one of the schemas.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object with these members; the names of optional members end in `?`.
fn object(members: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).filter(|name| !name.ends_with('?')).collect();
    let properties: Map<String, Value> =
        members.iter().map(|(name, schema)| (name.trim_end_matches('?').to_owned(), schema.clone())).collect();
    json!({"type": "object", "required": required, "properties": properties})
}

/// An object whose members are not described here.
fn any_object() -> Value {
    json!({"type": "object"})
}

/// An object with a member of the same kind for each key.
fn map(of: &Value) -> Value {
    json!({"type": "object", "additionalProperties": of})
}

fn list(of: &Value) -> Value {
    json!({"type": "array", "items": of})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn integer() -> Value {
    json!({"type": "integer"})
}

fn number() -> Value {
    json!({"type": "number"})
}

fn flag() -> Value {
    json!({"type": "boolean"})
}

fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn one_of(values: &[&str]) -> Value {
    json!({"type": "string", "enum": values})
}

fn or_null(schema: &Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn about(mut schema: Value, what: &str) -> Value {
    super::set(&mut schema, "description", what.into());
    schema
}

fn problem() -> Value {
    object(&[
        ("title", text()),
        ("status", integer()),
        ("detail", text()),
        ("start?", about(integer(), "For a query: where the mistake begins, in characters")),
        ("end?", integer()),
    ])
}

/// The members of a row. `types` are names and `warnings` a number in a search; both are described in full with one profile.
fn row(types: Value, warnings: Value) -> Vec<(&'static str, Value)> {
    vec![
        ("id", text()),
        ("start", time()),
        ("end", time()),
        ("received_at", time()),
        ("service", text()),
        ("env", text()),
        ("version", text()),
        ("host", text()),
        ("runtime", text()),
        ("language", text()),
        ("runtime_version", text()),
        ("main", about(text(), "Main class or entry point")),
        ("types", types),
        ("cpu_cores", or_null(&number())),
        ("cpu_cores_at_least", about(flag(), "cpu_cores is a lower bound")),
        ("alloc_rate", about(or_null(&number()), "Bytes per second")),
        ("alloc_rate_at_least", flag()),
        ("bytes", about(integer(), "Size as received")),
        ("status", one_of(&["received", "processing", "ready", "failed"])),
        ("findings", object(&[("warning", integer()), ("info", integer())])),
        ("warnings", warnings),
        ("pinned", flag()),
    ]
}

fn profiles() -> Value {
    object(&[
        ("total", integer()),
        ("rows", list(&reference("ProfileRow"))),
        ("next", about(or_null(&text()), "The cursor of the next page")),
        ("nearest?", about(time(), "If there is no row: the start of the nearest profile")),
    ])
}

fn profile_type() -> Value {
    let value = object(&[("name", text()), ("unit", text()), ("total", integer()), ("samples", integer())]);
    object(&[
        ("type", text()),
        ("name", about(text(), "The name on the page")),
        ("definition", text()),
        ("core", about(flag(), "One of the main types of the language")),
        ("values", list(&value)),
        ("absent", about(or_null(&text()), "Why it has no samples")),
        ("how", list(&text())),
        ("file?", about(text(), "The file with the samples")),
    ])
}

fn profile() -> Value {
    let file = object(&[
        ("name", text()),
        ("kind", one_of(&["received", "derived"])),
        ("bytes", integer()),
        ("label", about(text(), "The client's name for it")),
    ]);
    let finding = object(&[
        ("rule", text()),
        ("severity", one_of(&["warning", "info"])),
        ("section", text()),
        ("cost", about(or_null(&number()), "A share")),
    ]);
    let mut members = row(list(&reference("ProfileType")), list(&text()));
    members.extend([
        ("process", object(&[("id", text()), ("previous", or_null(&text())), ("next", or_null(&text()))])),
        ("tags", list(&json!({"type": "array", "items": text(), "minItems": 2, "maxItems": 2}))),
        // The rest is known once the profile is processed.
        ("how?", list(&text())),
        ("cpu_cores_how?", text()),
        ("alloc_rate_how?", text()),
        ("profiler?", text()),
        ("uploads?", list(&text())),
        ("files?", list(&file)),
        ("findings_list?", list(&finding)),
        ("analysis?", object(&[("status", one_of(&["ready", "processing", "none"])), ("reason?", text())])),
        ("endpoint_counts?", about(or_null(&any_object()), "Requests by endpoint")),
        ("reason?", about(or_null(&text()), "Why processing failed")),
        ("note?", text()),
        ("received_until?", about(time(), "When the received files will be deleted")),
        ("received_removed?", or_null(&time())),
        ("derived?", about(integer(), "Version of the code that derived it")),
    ]);
    object(&members)
}

fn facets() -> Value {
    let counts = object(&[
        ("values", list(&object(&[("value", text()), ("count", integer())]))),
        ("more", about(integer(), "How many values are left out")),
    ]);
    let measure = object(&[
        ("min", or_null(&number())),
        ("p50", or_null(&number())),
        ("p95", or_null(&number())),
        ("max", or_null(&number())),
        ("count", about(integer(), "Profiles with a known value")),
    ]);
    object(&[
        ("facets", map(&counts)),
        ("histogram", object(&[("step_ms", integer()), ("start", time()), ("counts", list(&integer()))])),
        ("measures", map(&measure)),
    ])
}

fn suggestions() -> Value {
    let one = object(&[
        ("text", about(text(), "Replaces the whole term")),
        ("kind", one_of(&["name", "value", "measure"])),
        ("count", integer()),
    ]);
    object(&[("suggestions", list(&one))])
}

fn report() -> Value {
    let members = [("recording", any_object()), ("findings", list(&any_object())), ("rules", list(&any_object()))];
    about(
        object(&members),
        "The JSON report of `jfrkit analyze`; docs/analysis.schema.json describes the members in full",
    )
}

fn runtime() -> Value {
    let entry = object(&[
        ("name", text()),
        ("value", about(text(), "Secrets are masked")),
        ("origin?", about(text(), "Where the value was set")),
        ("earlier?", list(&text())),
    ]);
    object(&[("sections", list(&object(&[("name", text()), ("title", text()), ("entries", list(&entry))])))])
}

fn metrics() -> Value {
    let point = json!({
        "type": "array",
        "prefixItems": [time(), number(), number(), number(), text()],
        "minItems": 5,
        "maxItems": 5,
        "description": "Time, minimum, mean, maximum, id of the profile with the maximum",
    });
    let series = object(&[("key", about(map(&text()), "Host or version")), ("points", list(&point))]);
    let metric =
        object(&[("name", text()), ("title", text()), ("unit", text()), ("how", text()), ("series", list(&series))]);
    object(&[("step_ms", integer()), ("metrics", list(&metric))])
}

fn counts() -> Value {
    object(&[("matched", integer()), ("merged", integer())])
}

/// The members of a tree.
fn tree() -> Vec<(&'static str, Value)> {
    let matches = object(&[
        ("value", about(integer(), "Of the stacks with a matching frame")),
        ("addresses", list(&text())),
        ("more", integer()),
    ]);
    vec![
        ("type?", text()),
        ("value?", about(text(), "The name of the value")),
        ("unit?", text()),
        ("seconds", number()),
        ("total", integer()),
        ("samples", integer()),
        ("names", list(&text())),
        ("kinds", about(text(), "A letter for each name")),
        ("depth", about(list(&integer()), "The depth of each node, in preorder")),
        ("name", about(list(&integer()), "The index of each node's name")),
        ("self", about(list(&integer()), "The self value of each node")),
        ("folded", object(&[("nodes", integer()), ("value", integer())])),
        ("matches?", matches),
    ]
}

fn requests() -> (&'static str, Value) {
    ("requests?", about(map(&integer()), "For per=request: requests by endpoint"))
}

fn per() -> (&'static str, Value) {
    ("per", one_of(&["total", "second", "request"]))
}

fn flame() -> Value {
    let mut one = tree();
    one.extend([("profiles", reference("Counts")), per(), requests()]);
    one.push(("labels", about(list(&text()), "The keys of the labels that the samples have")));
    let sandwich = object(&[
        ("type", text()),
        ("value", text()),
        ("unit", text()),
        ("seconds", number()),
        ("total", integer()),
        ("profiles", reference("Counts")),
        per(),
        ("callers", reference("Tree")),
        ("callees", reference("Tree")),
    ]);
    json!({"oneOf": [about(object(&one), "A tree"), about(sandwich, "For view=sandwich")]})
}

fn table() -> Value {
    let row = object(&[
        ("key", text()),
        ("kind", about(text(), "A letter")),
        ("self", integer()),
        ("total", integer()),
        ("samples", integer()),
    ]);
    object(&[
        per(),
        ("type", text()),
        ("value", text()),
        ("unit", text()),
        ("seconds", number()),
        ("profiles", reference("Counts")),
        ("total", integer()),
        ("samples", integer()),
        ("rows", list(&row)),
        ("count", about(integer(), "All rows that match")),
        ("rest", about(object(&[("rows", integer()), ("self", integer())]), "The rows that are left out")),
        requests(),
    ])
}

fn side() -> Value {
    object(&[
        ("total", integer()),
        ("samples", integer()),
        ("seconds", number()),
        ("profiles", reference("Counts")),
        ("label", text()),
    ])
}

fn sides() -> [(&'static str, Value); 3] {
    [("a", reference("Side")), ("b", reference("Side")), ("per", one_of(&["second", "share"]))]
}

fn diff() -> Value {
    let mut members = tree();
    members.extend(sides());
    members.push(("self_b", about(list(&integer()), "The self value of each node in B")));
    members.push(("noise", about(list(&integer()), "1 if the difference is within sampling noise")));
    object(&members)
}

fn diff_table() -> Value {
    let row = object(&[
        ("key", text()),
        ("kind", text()),
        ("a", integer()),
        ("b", integer()),
        ("self_a", integer()),
        ("self_b", integer()),
        ("samples_a", integer()),
        ("samples_b", integer()),
        ("change", about(number(), "The increase from A to B, per second or as a share")),
        ("ratio", about(or_null(&number()), "B divided by A, both scaled")),
        ("deviations", about(number(), "The change in standard deviations of the sampling error")),
        ("noise", flag()),
    ]);
    let mut members = vec![("type", text()), ("value", text()), ("unit", text())];
    members.extend(sides());
    members.extend([("rows", list(&row)), ("count", integer())]);
    object(&members)
}

fn uploaded() -> Value {
    object(&[
        ("id", about(or_null(&text()), "Of the upload; an upload may join the profile of another one")),
        ("profile?", about(or_null(&text()), "With wait: the id of the profile")),
        ("status?", one_of(&["received", "processing", "ready", "failed"])),
    ])
}

fn status() -> Value {
    let forward = object(&[
        ("to", text()),
        ("queue", integer()),
        ("bytes", integer()),
        (
            "state",
            object(&[
                ("sent", integer()),
                ("failed", integer()),
                ("dropped", integer()),
                ("last_error", or_null(&text())),
            ]),
        ),
    ]);
    let failure = object(&[("at", time()), ("kind", text()), ("id", or_null(&text())), ("reason", text())]);
    object(&[
        ("version", text()),
        ("started", time()),
        ("read_only", flag()),
        ("listen", list(&text())),
        ("needs_key", flag()),
        (
            "profiles",
            object(&[
                ("total", integer()),
                ("ready", integer()),
                ("failed", integer()),
                ("waiting", integer()),
                ("oldest", about(or_null(&time()), "When the oldest one was received")),
            ]),
        ),
        ("uploads", list(&object(&[("protocol", text()), ("code", integer()), ("count", integer())]))),
        ("spool", object(&[("uploads", integer()), ("bytes", integer()), ("max", integer())])),
        ("queue", object(&[("waiting", integer()), ("working", integer())])),
        ("workers", integer()),
        ("renewals", about(integer(), "Profiles of an older version that remain to be derived again")),
        (
            "disk",
            object(&[
                ("received", integer()),
                ("derived", integer()),
                ("max", integer()),
                ("free", integer()),
                ("size", integer()),
                ("full", flag()),
            ]),
        ),
        ("retention", object(&[("keep_ms", integer()), ("keep_received_ms", integer())])),
        ("overload", about(or_null(&text()), "Why uploads are refused")),
        ("forward", or_null(&forward)),
        ("memory", about(integer(), "Resident bytes")),
        ("failures", list(&failure)),
    ])
}
