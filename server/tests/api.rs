//! The API: its description covers every route, searches work, and mistakes are located.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::*;
use serde_json::{Value, json};

#[test]
fn the_description_covers_every_route_and_nothing_else() {
    let running = Running::new();
    let id = running
        .post("/api/v1/recordings?service=shop&env=prod&version=1.3&host=web-1", "", &fixture("jdk17-profile.jfr.gz"))
        .id();
    running.ready(&id);
    let description = running.json("/api/v1/openapi.json");
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() > 20);
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            if method != "get" || path == "/api/v1/events" {
                continue;
            }
            let mut query = String::new();
            for name in operation["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|p| p["in"] == "query")
                .map(|p| p["name"].as_str().unwrap())
            {
                if let Some(value) = match name {
                    "type" => Some("cpu".to_owned()),
                    "profile" | "a.profile" | "b.profile" => Some(id.clone()),
                    _ => None,
                } {
                    query.push_str(&format!("{name}={value}&"));
                }
            }
            let address = path.replace("{id}", &id).replace("{name}", "cpu.pb.gz");
            let answer = running.get(&format!("{address}?{query}"));
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let media: Vec<&str> =
                operation["responses"]["200"]["content"].as_object().unwrap().keys().map(String::as_str).collect();
            assert!(media.iter().any(|m| answer.head.contains(m)), "{path}: {} is none of {media:?}", answer.head);
            // Unknown parameters are rejected by routes that have any.
            if !query.is_empty() {
                let answer = running.get(&format!("{address}?{query}nonsense=1"));
                assert_eq!(answer.status, 400, "{path}");
                assert!(answer.text().contains("nonsense") && answer.head.contains("application/problem+json"));
            }
        }
    }
    assert_eq!(running.get("/api/v1/nothing").status, 404);
    assert_eq!(running.post("/api/v1/profiles", "", b"x").status, 405);
}

/// The schemas of `openapi.json`, which here do not allow members that they do not describe.
struct Schemas(Value);

impl Schemas {
    fn new(description: &Value) -> Self {
        let mut components = description["components"].clone();
        close(&mut components);
        Self(components)
    }

    fn validator(&self, schema: &Value) -> jsonschema::Validator {
        let whole = json!({"allOf": [schema], "components": self.0});
        jsonschema::draft202012::new(&whole).unwrap()
    }

    fn assert_valid(&self, schema: &Value, body: &Value, of: &str) {
        let validator = self.validator(schema);
        let errors: Vec<String> =
            validator.iter_errors(body).map(|e| format!("{}: {e:.300}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{of}: {errors:?}");
    }
}

/// Forbids members that a schema does not describe.
fn close(schema: &mut Value) {
    if let Some(members) = schema.as_object_mut() {
        if members.get("properties").is_some_and(|properties| properties.is_object() && members["type"] == "object") {
            members.insert("additionalProperties".to_owned(), false.into());
        }
        members.values_mut().for_each(close);
    } else if let Some(items) = schema.as_array_mut() {
        items.iter_mut().for_each(close);
    }
}

#[test]
fn every_json_response_has_a_schema() {
    let description = Running::new().json("/api/v1/openapi.json");
    let mut found = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let content = response["content"].as_object().into_iter().flatten();
                for (media, body) in content.filter(|(media, _)| media.ends_with("json")) {
                    let name = body["schema"]["$ref"].as_str().unwrap_or_default();
                    let name = name.trim_start_matches("#/components/schemas/");
                    let schema = &description["components"]["schemas"][name];
                    assert!(schema.is_object(), "{path} {status} {media}: {body}");
                    found += usize::from(status == "200");
                }
            }
        }
    }
    assert!(found >= 20, "{found}");
}

#[test]
fn responses_match_their_schemas() {
    let (agent, _heard) = agent(&[]);
    let running = Running::with(|o| o.forward = Some(agent));
    let description = running.json("/api/v1/openapi.json");
    let schemas = Schemas::new(&description);
    let schema = |method: &str, path: &str, status: u16| {
        let path = path.split('?').next().unwrap();
        description["paths"][path][method]["responses"][status.to_string()]["content"]["application/json"]["schema"]
            .clone()
    };
    let post = |path: &str, headers: &str, body: &[u8]| {
        let answer = running.post(path, headers, body);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        schemas.assert_valid(&schema("post", path, 200), &answer.json(), path);
        answer.json()
    };
    let id = |answer: Value| answer["id"].as_str().unwrap().to_owned();
    let java = id(post("/api/v1/recordings?service=shop&version=1&wait=25s", "", &fixture("jdk17-profile.jfr.gz")));
    let broken = id(post("/api/v1/recordings?service=broken", "", b"this is not a profile"));
    let content = pprof(
        &[("samples", "count"), ("cpu", "nanoseconds")],
        &[(&["main.hot", "main.main"], &[5, 50_000_000], "t"), (&["main.cold", "main.main"], &[1, 10_000_000], "u")],
        "main.go",
    );
    let event = r#"{"attachments":["cpu.pprof"],"tags_profiler":"service:go,language:go","start":"2026-11-26T20:50:00Z","end":"2026-11-26T20:51:00Z","family":"go","version":"4","endpoint_counts":{"GET /":7}}"#;
    let body = form(&[("event", Some("event.json"), event.as_bytes()), ("cpu.pprof", Some("cpu.pprof"), &content)]);
    let go = id(post("/profiling/v1/input", FORM, &body));
    post("/dogstatsd/v2/proxy", "", b"x");
    post("/v1development/profiles", "Content-Type: application/json\r\n", b"{}");
    for id in [&java, &broken, &go] {
        running.ready(id);
    }
    let all = "from=0&type=cpu";
    let one = format!("profile={java}&type=cpu");
    let table = running.json(&format!("/api/v1/table?{one}"));
    let function = table["rows"][0]["key"].as_str().unwrap().replace('<', "%3C").replace('>', "%3E");
    let pair = format!("a.profile={java}&b.profile={java}&type=cpu");
    for (path, query) in [
        ("/info", String::new()),
        ("/api/v1/status", String::new()),
        ("/api/v1/openapi.json", String::new()),
        ("/api/v1/profiles", "from=0&limit=1".to_owned()),
        ("/api/v1/profiles", "from=0&q=service:nobody".to_owned()),
        ("/api/v1/facets", "from=0".to_owned()),
        ("/api/v1/facets", "from=now-1m&to=now-30s&names=team".to_owned()),
        ("/api/v1/suggest", "prefix=s".to_owned()),
        ("/api/v1/metrics", "from=2026-11-26T20:00:00Z&to=2026-11-26T21:00:00Z&by=host".to_owned()),
        ("/api/v1/metrics", "from=0".to_owned()),
        ("/api/v1/flame", one.clone()),
        ("/api/v1/flame", format!("{one}&search=a&view=callers")),
        ("/api/v1/flame", format!("{one}&view=sandwich&function={function}")),
        ("/api/v1/flame", all.to_owned()),
        ("/api/v1/flame", format!("profile={go}&type=cpu&group=endpoint&per=request")),
        ("/api/v1/table", one.clone()),
        ("/api/v1/table", format!("{one}&limit=1")),
        ("/api/v1/table", format!("profile={go}&type=cpu&by=endpoint&per=request")),
        ("/api/v1/diff", pair.clone()),
        ("/api/v1/diff", "a.q=service:go&b.q=service:go&type=cpu&per=share&a.from=0&b.from=0".to_owned()),
        ("/api/v1/diff/table", pair),
    ] {
        let answer = running.json(&format!("{path}?{query}"));
        schemas.assert_valid(&schema("get", path, 200), &answer, &format!("{path}?{query}"));
    }
    for id in [&java, &broken, &go] {
        let profile = running.json(&format!("/api/v1/profiles/{id}"));
        schemas.assert_valid(&schema("get", "/api/v1/profiles/{id}", 200), &profile, &profile.to_string());
    }
    let path = "/api/v1/profiles/{id}/analysis";
    schemas.assert_valid(&schema("get", path, 200), &running.json(&path.replace("{id}", &java)), path);
    for id in [&java, &go] {
        let path = "/api/v1/profiles/{id}/runtime";
        let head = format!(
            "GET {} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\r\n",
            path.replace("{id}", id)
        );
        let answer = send(&running.address, head.as_bytes(), usize::MAX);
        schemas.assert_valid(&schema("get", path, 200), &answer.json(), path);
    }
    let refused = running.get("/api/v1/profiles?q=cpu:%3E");
    let problem = json!({"$ref": "#/components/schemas/Problem"});
    assert_eq!(refused.status, 400);
    schemas.assert_valid(&problem, &refused.json(), "a mistake in a query");
    // A schema that does not fit is noticed.
    let row = schemas.validator(&json!({"$ref": "#/components/schemas/ProfileRow"}));
    let mut good = running.json("/api/v1/profiles?from=0")["rows"][0].clone();
    assert!(row.is_valid(&good));
    good["more"] = 1.into();
    assert!(!row.is_valid(&good));
}

#[test]
fn a_waiting_profile_matches_its_schema() {
    // No worker takes the upload.
    let running = Running::with(|o| o.workers = 0);
    let description = running.json("/api/v1/openapi.json");
    let schemas = Schemas::new(&description);
    let id = running.post("/api/v1/recordings?service=shop", "", &fixture("jdk17-profile.jfr.gz")).id();
    for (path, status) in [
        ("/api/v1/profiles/{id}", 200),
        ("/api/v1/profiles/{id}/runtime", 202),
        ("/api/v1/profiles/{id}/analysis", 202),
        ("/api/v1/flame", 202),
        ("/api/v1/table", 202),
        ("/api/v1/diff", 202),
    ] {
        let query = match path {
            "/api/v1/diff" => format!("?a.profile={id}&b.profile={id}&type=cpu"),
            "/api/v1/flame" | "/api/v1/table" => format!("?profile={id}&type=cpu"),
            _ => String::new(),
        };
        let answer = running.get(&format!("{}{query}", path.replace("{id}", &id)));
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let content = &description["paths"][path]["get"]["responses"][status.to_string()]["content"];
        schemas.assert_valid(&content["application/json"]["schema"], &answer.json(), path);
    }
}

#[test]
fn the_search_finds_counts_and_points_at_mistakes() {
    let running = Running::new();
    let content = fixture("jdk17-profile.jfr.gz");
    let mut ids = Vec::new();
    for (service, env, host) in
        [("shop", "prod", "web-1"), ("shop", "prod", "web-2"), ("shop", "stage", "web-1"), ("cart", "prod", "web-9")]
    {
        ids.push(
            running
                .post(
                    &format!("/api/v1/recordings?service={service}&env={env}&host={host}&tag=team:core"),
                    "",
                    &content,
                )
                .id(),
        );
    }
    ids.push(running.post("/api/v1/recordings?service=lonely", "", &content).id());
    for id in &ids {
        running.ready(id);
    }
    let total = |q: &str| {
        running.json(&format!("/api/v1/profiles?from=0&q={}", q.replace(' ', "%20").replace('>', "%3E")))["total"]
            .as_i64()
            .unwrap()
    };
    for (q, expected) in [
        ("", 5),
        ("service:shop", 3),
        ("service:shop env:prod", 2),
        ("-service:shop", 2),
        ("host:web-*", 4),
        ("env:(prod OR stage)", 4),
        ("-env:*", 1),
        ("team:core", 4),
        ("team:*", 4),
        ("cpu:>0", 5),
        ("cpu:>1000", 0),
        ("type:cpu", 5),
        ("status:ready", 5),
        ("pinned:true", 0),
        ("runtime:JVM", 5),
        ("CART", 1),
        ("size:[1KB TO *]", 5),
        ("rule:*", 5),
    ] {
        assert_eq!(total(q), expected, "{q}");
    }
    let facets = running.json("/api/v1/facets?from=0&q=service:shop&names=service,env,team");
    let count = |facet: &str, value: &str| {
        facets["facets"][facet]["values"]
            .as_array()
            .unwrap()
            .iter()
            .find(|v| v["value"] == value)
            .map(|v| v["count"].as_i64().unwrap())
    };
    // A facet's own terms do not narrow it.
    assert_eq!((count("service", "shop"), count("service", "cart")), (Some(3), Some(1)));
    assert_eq!((count("env", "prod"), count("env", "stage"), count("team", "core")), (Some(2), Some(1), Some(3)));
    let histogram: i64 = facets["histogram"]["counts"].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).sum();
    assert_eq!(histogram, 3);
    assert_eq!(facets["measures"]["cpu_cores"]["count"], 3);
    // Paging.
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = running.json(&format!("/api/v1/profiles?from=0&limit=2&sort=-service{cursor}"));
        seen.extend(page["rows"].as_array().unwrap().iter().map(|r| r["service"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["shop", "shop", "shop", "lonely", "cart"]);
    let wrong = running.get("/api/v1/profiles?q=env:(prod");
    assert_eq!(wrong.status, 400);
    assert_eq!((&wrong.json()["start"], &wrong.json()["end"]), (&4.into(), &9.into()));
    let suggestions = running.json("/api/v1/suggest?prefix=service:sh");
    assert_eq!(suggestions["suggestions"][0]["text"], "service:shop");
    // Merged profiles.
    let tree = running.json("/api/v1/flame?from=0&q=service:shop&type=cpu");
    let one = running.json(&format!("/api/v1/flame?profile={}&type=cpu", ids[0]));
    assert_eq!(tree["profiles"], serde_json::json!({"matched": 3, "merged": 3}));
    assert_eq!(tree["total"].as_i64().unwrap(), 3 * one["total"].as_i64().unwrap());
}

#[test]
fn profiles_are_pinned_noted_and_deleted() {
    let running = Running::new();
    let id = running.post("/api/v1/recordings?service=a", "", &fixture("jdk17-profile.jfr.gz")).id();
    running.ready(&id);
    let call = |method: &str, body: &str| {
        let text = format!(
            "{method} /api/v1/profiles/{id} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        send(&running.address, text.as_bytes(), usize::MAX)
    };
    assert_eq!(call("PATCH", "{\"nonsense\":1}").status, 400);
    let changed = call("PATCH", "{\"pinned\":true,\"note\":\"look\"}").json();
    assert_eq!((&changed["pinned"], &changed["note"]), (&true.into(), &"look".into()));
    assert_eq!(running.json("/api/v1/profiles?from=0&q=pinned:true")["total"], 1);
    let running = running.restart();
    assert_eq!(running.json(&format!("/api/v1/profiles/{id}"))["note"], "look");
    let text = format!("DELETE /api/v1/profiles/{id} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(send(&running.address, text.as_bytes(), usize::MAX).status, 204);
    assert_eq!(running.get(&format!("/api/v1/profiles/{id}")).status, 404);
    assert_eq!(running.json("/api/v1/profiles?from=0")["total"], 0);
}

#[test]
fn retention_deletes_by_age_and_size_but_keeps_pinned_profiles() {
    let running = Running::with(|o| o.max_bytes = 1);
    let id = running.post("/api/v1/recordings?service=a", "", &fixture("jdk17-profile.jfr.gz")).id();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(40);
    while running.get(&format!("/api/v1/profiles/{id}")).status != 404 {
        assert!(std::time::Instant::now() < end, "retention does not run");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
fn the_event_stream_reports_new_rows() {
    use std::io::{Read, Write};
    let running = Running::new();
    let mut stream = std::net::TcpStream::connect(&running.address).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    stream.write_all(b"GET /api/v1/events?q=service:live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut seen = String::new();
    let mut piece = [0u8; 4_096];
    while !seen.contains("hello") {
        let n = stream.read(&mut piece).unwrap();
        seen.push_str(&String::from_utf8_lossy(&piece[..n]));
    }
    running.post("/api/v1/recordings?service=other", "", &fixture("jdk17-profile.jfr.gz"));
    running.post("/api/v1/recordings?service=live", "", &fixture("jdk17-profile.jfr.gz"));
    while !seen.contains("\"status\":\"ready\"") {
        let n = stream.read(&mut piece).unwrap();
        seen.push_str(&String::from_utf8_lossy(&piece[..n]));
    }
    assert!(seen.contains("event: profile") && !seen.contains("\"other\""), "{seen}");
}

#[test]
fn invalid_parameter_values_are_rejected_not_ignored() {
    let running = Running::new();
    let id = running.post("/api/v1/recordings?service=shop", "", &fixture("jdk17-profile.jfr.gz")).id();
    running.ready(&id);
    let view = format!("profile={id}&type=cpu");
    let pair = format!("a.profile={id}&b.profile={id}&type=cpu");
    for (path, expected) in [
        (format!("flame?{view}&recursion=yes"), "recursion: expected collapse, not \"yes\""),
        (format!("flame?{view}&lines=true"), "lines: expected 1, not \"true\""),
        (format!("flame?{view}&view=tree"), "view: expected flame, callers or sandwich, not \"tree\""),
        (format!("table?{view}&view=tree"), "view: expected flame, callers or sandwich, not \"tree\""),
        (format!("export?{view}&view=sandwich"), "view=sandwich needs function=NAME"),
        (format!("diff?{pair}&view=callers"), "view: expected flame, not \"callers\""),
        (format!("diff?{pair}&min=7"), "min: expected a share from 0 to 1"),
        // The error quotes what was sent.
        (format!("flame?{view}&thread=("), "invalid regular expression \"(\": unclosed group"),
        (format!("flame?{view}&hide=a&hide=b("), "invalid regular expression \"b(\": unclosed group"),
    ] {
        let answer = running.get(&format!("/api/v1/{path}"));
        assert_eq!((answer.status, answer.json()["detail"].as_str().unwrap()), (400, expected), "{path}");
    }
    // Exports have the shape of the view.
    let lines = |view: &str| {
        let answer = running.get(&format!("/api/v1/export?profile={id}&type=cpu&format=collapsed{view}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut lines: Vec<String> = answer.text().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let plain = lines("");
    let turn = |line: &String| {
        let (stack, value) = line.rsplit_once(' ').unwrap();
        format!("{} {value}", stack.rsplit(';').collect::<Vec<_>>().join(";"))
    };
    let mut turned: Vec<String> = plain.iter().map(turn).collect();
    turned.sort();
    assert_eq!(lines("&view=callers"), turned);
    let function = "java.lang.Thread.run";
    let with: Vec<String> = plain
        .iter()
        .filter(|line| line.rsplit_once(' ').unwrap().0.split(';').any(|f| f == function))
        .cloned()
        .collect();
    assert!(!with.is_empty() && with.len() < plain.len());
    assert_eq!(lines(&format!("&view=sandwich&function={function}")), with);
    // The function of a sandwich counts as a pattern, so that no other one is left out.
    let most = |n: usize| format!("&view=sandwich&function={function}{}", "&include=.".repeat(n));
    assert_eq!(lines(&most(31)), with);
    let answer = running.get(&format!("/api/v1/export?{view}&format=collapsed{}", most(32)));
    let expected = "include: more than 31 patterns with view=sandwich";
    assert_eq!((answer.status, answer.json()["detail"].as_str().unwrap()), (400, expected));
    // Suggestions for the terms that are not facets.
    let suggested = running.json("/api/v1/suggest?prefix=-pinned:");
    assert_eq!(suggested["suggestions"][1], serde_json::json!({"text": "-pinned:false", "kind": "value", "count": 1}));
}

#[test]
fn responses_are_cached_only_while_they_stay_valid() {
    let running = Running::new();
    let id = running.post("/api/v1/recordings?service=shop", "", &fixture("jdk17-profile.jfr.gz")).id();
    running.ready(&id);
    let ask = |path: &str, header: &str| {
        let text = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n");
        send(&running.address, text.as_bytes(), usize::MAX)
    };
    let path = format!("/api/v1/flame?profile={id}&type=cpu");
    let answer = ask(&path, "");
    assert!(answer.head.contains("immutable"), "{}", answer.head);
    let tag = answer.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let known = ask(&path, &format!("If-None-Match: \"other\", W/{tag}\r\n"));
    assert_eq!((known.status, known.body.len()), (304, 0), "{}", known.head);
    assert!(known.head.contains(tag) && known.head.contains("content-security-policy"), "{}", known.head);
    assert_eq!(ask(&path, "If-None-Match: \"other\"\r\n").status, 200);
    // A search that finds one profile may find others later.
    let found = ask("/api/v1/flame?q=service:shop&from=0&type=cpu", "");
    assert!(found.status == 200 && found.head.contains("cache-control: no-store"), "{}", found.head);
    for path in ["/api/v1/profiles/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/api/v1/nothing", "/healthz"] {
        assert!(ask(path, "").head.contains("cache-control: no-store"), "{path}");
    }
}

/// Invalid requests from people and programs: every parameter of every route, wrong in each way.
#[test]
fn no_parameter_and_no_method_makes_the_server_fail() {
    let running = Running::new();
    let id = running.post("/api/v1/recordings?service=shop", "", &fixture("jdk17-profile.jfr.gz")).id();
    running.ready(&id);
    let long = "x".repeat(6_000);
    let values = [
        "",
        "0",
        "-1",
        "18446744073709551616",
        "1e309",
        "NaN",
        "%00",
        "%ff%fe",
        "%F0%9F%92%A5",
        "(",
        "*",
        "a:b",
        "%5B",
        "now-1h",
        "now%2B99999999d",
        "9223372036854775807",
        "2026-13-45T99:99:99Z",
        "..%2F..%2Flock",
        "label:",
        "%22",
        &long,
    ];
    let description = running.json("/api/v1/openapi.json");
    let mut asked = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        if path == "/api/v1/events" {
            continue;
        }
        for (method, operation) in methods.as_object().unwrap() {
            let names: Vec<&str> = operation["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|p| p["in"] == "query")
                .map(|p| p["name"].as_str().unwrap())
                .collect();
            for value in values {
                // In the path.
                let wild = path.replace("{id}", value).replace("{name}", value);
                let good = path.replace("{id}", &id).replace("{name}", "cpu.pb.gz");
                let mut targets = vec![];
                if wild != *path && method != "delete" {
                    targets.push(wild);
                }
                // And in each parameter, with valid values for the others.
                targets.extend(names.iter().map(|name| {
                    let others: Vec<String> = names
                        .iter()
                        .filter(|other| *other != name)
                        .filter_map(|other| match *other {
                            "type" => Some("type=cpu".to_owned()),
                            "profile" | "a.profile" | "b.profile" => Some(format!("{other}={id}")),
                            _ => None,
                        })
                        .collect();
                    format!("{good}?{}&{name}={value}", others.join("&"))
                }));
                for target in targets {
                    if !target.is_ascii() {
                        continue;
                    }
                    let (verb, body) = (method.to_uppercase(), if method == "get" { "" } else { "{}" });
                    let request = format!(
                        "{verb} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let answer = send(&running.address, request.as_bytes(), usize::MAX);
                    asked += 1;
                    assert!(
                        answer.status < 500,
                        "{verb} {}: {} {}",
                        &target[..target.len().min(200)],
                        answer.status,
                        answer.text()
                    );
                    if answer.status >= 400 && !answer.body.is_empty() && answer.head.contains("json") {
                        assert!(answer.json()["detail"].as_str().is_some_and(|d| !d.is_empty()), "{target}");
                    }
                }
            }
        }
    }
    assert!(asked > 1_000, "{asked}");
    // Bodies where JSON is expected.
    for body in ["", "{", "[]", "{\"pinned\": 3}", "{\"note\": null, \"x\": 1}", &"[".repeat(100_000), "\u{0}"] {
        let request = format!(
            "PATCH /api/v1/profiles/{id} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = send(&running.address, request.as_bytes(), usize::MAX);
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    assert_eq!(running.get("/healthz").status, 200);
}

#[test]
fn the_demo_has_a_service_per_language_with_varying_load() {
    let running = Running::with(|o| o.demo = true);
    let end = Instant::now() + Duration::from_secs(300);
    for (service, language) in [
        ("shop", "Java"),
        ("billing", "Java"),
        ("recommender", "Python"),
        ("gateway", "Go"),
        ("storefront", "JavaScript"),
    ] {
        loop {
            // The newest profiles are processed first.
            let found =
                running.json(&format!("/api/v1/profiles?q=service:{service}%20status:ready&from=now-2h&limit=500"));
            // Without CPU cores, it is still being measured.
            let rows = found["rows"].as_array().unwrap().iter().filter(|row| !row["cpu_cores"].is_null());
            let rows: Vec<_> = rows.collect();
            let cores: std::collections::BTreeSet<_> = rows.iter().map(|row| row["cpu_cores"].to_string()).collect();
            if cores.len() >= 2 {
                let one = rows[0];
                assert_eq!((&one["language"], &one["env"]), (&language.into(), &"demo".into()), "{one}");
                let known = !one["alloc_rate"].is_null();
                assert_eq!(known, language != "JavaScript", "{one}");
                break;
            }
            assert!(Instant::now() < end, "{service}: {found}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
