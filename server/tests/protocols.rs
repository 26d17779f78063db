//! Requests as sent by real clients, replayed byte by byte: in one piece, one byte at a time, with the parts in any order.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "common/mod.rs"]
mod common;

use common::*;

const START: &str = "2026-11-26T20:50:10.503089822Z";
const END: &str = "2026-11-26T20:51:10.503Z";

fn python() -> Vec<u8> {
    let types = [
        ("cpu-time", "nanoseconds"),
        ("cpu-samples", "count"),
        ("wall-time", "nanoseconds"),
        ("exception-samples", "count"),
        ("alloc-space", "bytes"),
    ];
    let a: &[&str] = &["hot", "main"];
    let b: &[&str] = &["cold", "main"];
    // Equal stacks with different times, as ddtrace sends them.
    let samples: [(&[&str], &[i64], &str); 3] = [
        (a, &[30_000_000_000, 3, 30_000_000_000, 0, 600], "MainThread"),
        (a, &[15_000_000_000, 2, 15_000_000_000, 0, 0], "MainThread"),
        (b, &[0, 0, 1_000_000_000, 0, 600], "worker"),
    ];
    gzip(&pprof(&types, &samples, "app.py"))
}

#[test]
fn parts_come_in_any_order_and_in_pieces_of_any_size() {
    let running = Running::new();
    let recording = fixture("jdk17-profile.jfr.gz");
    for (n, order) in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]].iter().enumerate() {
        let service = format!("shop{n}");
        let event = event(&service, "java", &["main.jfr", "lost.bin"], START, END, "");
        let parts: [Part<'_>; 3] = [
            ("event", Some("event.json"), &event),
            ("main", Some("main.jfr"), &recording),
            ("extra", Some("../../x"), b"more"),
        ];
        let parts: Vec<Part<'_>> = order.iter().map(|i| parts[*i]).collect();
        let bytes = request("/profiling/v1/input", FORM, &form(&parts));
        // One byte at a time is slow, so do it only once.
        let piece = if n == 5 { 1 } else { usize::MAX };
        let id = send(&running.address, &bytes, piece).id();
        let profile = running.ready(&id);
        assert_eq!(profile["status"], "ready", "{profile}");
        assert_eq!(profile["service"], service.as_str());
        assert_eq!(
            (&profile["env"], &profile["version"], &profile["host"]),
            (&"test".into(), &"1.0".into(), &"web-1".into())
        );
        assert_eq!((&profile["runtime"], &profile["language"]), (&"JVM".into(), &"Java".into()));
        let warnings = profile["warnings"].to_string();
        assert!(warnings.contains("lost.bin"), "{warnings}");
        let cpu = profile["types"].as_array().unwrap().iter().find(|t| t["type"] == "cpu").unwrap();
        assert!(cpu["values"][1]["total"].as_i64().unwrap() > 0, "{cpu}");
        // The received part is returned unchanged.
        let file = running.get(&format!("/api/v1/profiles/{id}/files/main.jfr"));
        assert_eq!(file.body, recording);
    }
    let found = running.json("/api/v1/profiles?q=service:shop*&from=0");
    assert_eq!(found["total"], 6);
}

#[test]
fn a_chunked_body_without_a_length_is_accepted() {
    let running = Running::new();
    let event = event("chunked", "java", &["main.jfr"], START, END, "");
    let body =
        form(&[("event", Some("event.json"), &event), ("main", Some("main.jfr"), &fixture("jdk17-profile.jfr.gz"))]);
    let mut bytes = format!("POST /profiling/v1/input HTTP/1.1\r\nHost: agent:8126\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n{FORM}\r\n").into_bytes();
    for piece in body.chunks(1_000) {
        bytes.extend(format!("{:x}\r\n", piece.len()).bytes());
        bytes.extend_from_slice(piece);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    let id = send(&running.address, &bytes, usize::MAX).id();
    assert_eq!(running.ready(&id)["status"], "ready");
}

#[test]
fn python_profiles_have_their_types_merged_and_measured() {
    let running = Running::new();
    let event = event("py", "python", &["profile.pprof"], START, END, ",runtime:CPython,runtime_version:3.11.7");
    let parts: [Part<'_>; 2] =
        [("event", Some("event.json"), &event), ("profile.pprof", Some("profile.pprof"), &python())];
    let id = running.post("/profiling/v1/input", FORM, &form(&parts)).id();
    let profile = running.ready(&id);
    assert_eq!((&profile["language"], &profile["runtime"]), (&"Python".into(), &"CPython".into()));
    let types: Vec<(&str, bool)> = profile["types"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (t["type"].as_str().unwrap(), t["absent"].is_null()))
        .collect();
    assert_eq!(types, [("cpu", true), ("wall", true), ("alloc", true), ("error", false), ("lock", false)]);
    assert_eq!(profile["cpu_cores"], 0.75, "{profile}");
    assert_eq!(profile["alloc_rate"], 20.0);
    let tree = running.json(&format!("/api/v1/flame?profile={id}&type=cpu"));
    assert_eq!(tree["total"], 45_000_000_000i64);
    assert_eq!(tree["names"], serde_json::json!(["all", "main", "hot"]));
    assert_eq!(tree["self"], serde_json::json!([0, 0, 45_000_000_000i64]));
    let table = running.json(&format!("/api/v1/table?profile={id}&type=alloc&by=function"));
    assert_eq!(table["total"], 1_200);
    assert_eq!(table["rows"].as_array().unwrap().len(), 3);
    let threads = running.json(&format!("/api/v1/table?profile={id}&type=wall&by=thread&sort=-total"));
    assert_eq!(threads["rows"][0]["key"], "MainThread", "{threads}");
}

#[test]
fn go_uploads_have_the_event_last_and_metrics() {
    let running = Running::new();
    let main: &[&str] = &["main.work", "main.main"];
    let cpu = pprof(&[("samples", "count"), ("cpu", "nanoseconds")], &[(main, &[100, 30_000_000_000], "x")], "main.go");
    let heap_types =
        [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")];
    let heap = pprof(&heap_types, &[(main, &[10, 1_000, 1, 100], "x")], "main.go");
    let mutex = pprof(&[("contentions", "count"), ("delay", "nanoseconds")], &[(main, &[5, 500], "x")], "main.go");
    let metrics = br#"[["go_alloc_bytes_per_sec",123.5],["go_num_goroutine",7]]"#;
    let event =
        event("go", "go", &["cpu.pprof", "delta-heap.pprof", "delta-mutex.pprof", "metrics.json"], START, END, "");
    let parts: [Part<'_>; 5] = [
        ("cpu.pprof", Some("cpu.pprof"), &cpu),
        ("delta-heap.pprof", Some("delta-heap.pprof"), &heap),
        ("delta-mutex.pprof", Some("delta-mutex.pprof"), &mutex),
        ("metrics.json", Some("metrics.json"), metrics),
        ("event", Some("event.json"), &event),
    ];
    let id = running.post("/profiling/v1/input", FORM, &form(&parts)).id();
    let profile = running.ready(&id);
    let types: Vec<&str> = profile["types"].as_array().unwrap().iter().map(|t| t["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["cpu", "alloc", "alloc-count", "heap", "heap-count", "mutex"]);
    assert_eq!(profile["cpu_cores"], 0.5);
    assert_eq!(profile["alloc_rate"], 123.5);
    let metrics = running.json("/api/v1/metrics?service=go&from=2026-11-26T20:00:00Z&to=2026-11-26T21:00:00Z");
    let names: Vec<&str> = metrics["metrics"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"cpu.cores") && names.contains(&"goroutines"), "{names:?}");
}

#[test]
fn a_cumulative_heap_is_not_shown_as_an_increase() {
    let running = Running::new();
    let heap_types =
        [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")];
    let heap = pprof(&heap_types, &[(&["main.main"], &[10, 1_000, 1, 100], "x")], "main.go");
    let event = event("old-go", "go", &["heap.pprof"], START, END, "");
    let id = running
        .post(
            "/profiling/v1/input",
            FORM,
            &form(&[("heap.pprof", Some("heap.pprof"), &heap), ("event", Some("event.json"), &event)]),
        )
        .id();
    let profile = running.ready(&id);
    let of = |kind: &str| profile["types"].as_array().unwrap().iter().find(|t| t["type"] == kind).unwrap().clone();
    assert!(of("alloc")["absent"].as_str().unwrap().contains("since the process began"));
    assert!(of("heap")["absent"].is_null());
}

#[test]
fn form_fields_of_2020_are_read() {
    let running = Running::new();
    let recording = fixture("jdk8-profile.jfr.gz");
    let tags: [Part<'_>; 3] =
        [("tags[]", None, b"service:old-java"), ("tags[]", None, b"env:prod"), ("tags[]", None, b"language:jvm")];
    let v3: [Part<'_>; 5] = [
        ("version", None, b"3"),
        ("family", None, b"java"),
        ("start", None, START.as_bytes()),
        ("end", None, END.as_bytes()),
        ("data[main]", Some("main.jfr"), &recording),
    ];
    let before: [Part<'_>; 7] = [
        ("format", None, b"jfr"),
        ("runtime", None, b"java"),
        ("recording-start", None, START.as_bytes()),
        ("recording-end", None, END.as_bytes()),
        ("recording-name", None, b"dd-profiling"),
        ("chunk-seq-num", None, b"0"),
        ("chunk-data", Some("chunk-data"), &recording),
    ];
    for parts in [[&tags[..], &v3[..]].concat(), [&before[..], &tags[..]].concat()] {
        let id = running.post("/v1/input", FORM, &form(&parts)).id();
        let profile = running.ready(&id);
        assert_eq!(profile["status"], "ready", "{profile}");
        assert_eq!(
            (&profile["service"], &profile["env"], &profile["language"]),
            (&"old-java".into(), &"prod".into(), &"Java".into())
        );
        assert_eq!(profile["start"], "2026-11-26T20:50:10.503Z");
    }
}

#[test]
fn pyroscopes_ingest_joins_the_types_of_one_window() {
    let running = Running::new();
    let query = "/ingest?name=shop%7Benv%3Dprod%2C__session_id__%3Da1%7D&from=1795433684&until=1795433699&spyName=gospy&sampleRate=100";
    let main: &[&str] = &["main.work", "main.main"];
    let cpu = pprof(&[("samples", "count"), ("cpu", "nanoseconds")], &[(main, &[100, 1_000_000_000], "x")], "main.go");
    let mutex = pprof(&[("contentions", "count"), ("delay", "nanoseconds")], &[(main, &[5, 500], "x")], "main.go");
    let config = br#"{"cpu":{"units":"samples"}}"#;
    let parts: [Part<'_>; 2] =
        [("profile", Some("profile.pprof"), &cpu), ("sample_type_config", Some("sample_type_config.json"), config)];
    let first = running.post(query, FORM, &form(&parts)).id();
    running.ready(&first);
    let second = running.post(query, FORM, &form(&[("profile", Some("profile.pprof"), &mutex)])).id();
    let profile = running.ready(&second);
    assert_eq!(profile["id"], first.as_str(), "the second upload joins the row of the first");
    assert_eq!(profile["service"], "shop");
    let types: Vec<&str> = profile["types"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|t| t["absent"].is_null())
        .map(|t| t["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["cpu", "mutex"]);
    assert_eq!(running.json("/api/v1/profiles?from=0")["total"], 1);
    // A raw body, gzipped, as @pyroscope/nodejs sends it.
    let node = gzip(&pprof(&[("samples", "count"), ("wall", "nanoseconds")], &[(&["work"], &[3, 30], "x")], "app.js"));
    let id = running
        .post(
            "/ingest?format=pprof&name=web&from=1795433684&until=1795433699&spyName=nodespy",
            "Content-Type: application/octet-stream\r\n",
            &node,
        )
        .id();
    assert_eq!(running.ready(&id)["runtime"], "Node.js");
    // One bound that is missing or not a time does not become the time of receipt.
    let id = running
        .post("/ingest?name=odd&from=soon&until=1795433699&spyName=x", FORM, &form(&[("profile", None, b"\x07")]))
        .id();
    let profile = running.ready(&id);
    assert_eq!(
        (&profile["start"], &profile["end"]),
        (&"2026-11-23T11:34:59.000Z".into(), &profile["start"]),
        "{profile}"
    );
    assert_eq!(profile["warnings"][0], "the parameter from is not a time: \"soon\"");
}

#[test]
fn pushes_and_otlp_are_answered_according_to_their_protocols() {
    let running = Running::new();
    let cpu = gzip(&pprof(&[("cpu", "nanoseconds")], &[(&["work", "main"], &[1_000], "x")], "app.py"));
    let field = |number: u8, bytes: &[u8]| {
        let mut out = vec![number << 3 | 2];
        let mut length = bytes.len();
        while length >= 128 {
            out.push(u8::try_from(length & 127).unwrap() | 128);
            length >>= 7;
        }
        out.push(u8::try_from(length).unwrap());
        out.extend_from_slice(bytes);
        out
    };
    let label = |name: &str, value: &str| field(1, &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat());
    let series = [
        label("service_name", "pushed"),
        label("__name__", "process_cpu"),
        label("spyName", "pyspy"),
        field(2, &field(1, &cpu)),
    ]
    .concat();
    let body = field(1, &series);
    let answer = running.post(
        "/push.v1.PusherService/Push",
        "Content-Type: application/proto\r\nContent-Encoding: gzip\r\n",
        &gzip(&body),
    );
    assert_eq!((answer.status, answer.body.len()), (200, 0), "{}", answer.text());
    assert!(answer.head.contains("application/proto"));
    let found = running.json("/api/v1/profiles?q=service:pushed&from=0");
    assert_eq!(found["total"], 1);
    assert_eq!(found["rows"][0]["language"], "Python");
    // The time is that of the profile, which the clock of the client gave it.
    let profile = running.ready(found["rows"][0]["id"].as_str().unwrap());
    assert!(profile["warnings"].to_string().contains("more than a day"), "{profile}");
    let answer = running.post("/push.v1.PusherService/Push", "Content-Type: application/proto\r\n", &[0xff, 0xff]);
    let detail = "the body cannot be read: not a protobuf message of this type";
    assert_eq!((answer.status, answer.json()["detail"].as_str().unwrap()), (400, detail));
    let json = format!(
        "{{\"series\":[{{\"labels\":[{{\"name\":\"service_name\",\"value\":\"json\"}}],\"samples\":[{{\"rawProfile\":\"{}\"}}]}}]}}",
        base64(&cpu)
    );
    let answer = running.post("/push.v1.PusherService/Push", "Content-Type: application/json\r\n", json.as_bytes());
    assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
    let answer = running.post("/v1development/profiles", "Content-Type: text/plain\r\n", b"x");
    assert_eq!(answer.status, 415);
    let answer = running.post("/v1development/profiles", "Content-Type: application/x-protobuf\r\n", &[0x0a, 0x00]);
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

/// pyroscope-io sends no spy name, but the runtime. A profile without samples of the program reveals no language.
#[test]
fn a_push_that_names_its_runtime_needs_no_source_files() {
    let running = Running::new();
    let idle = gzip(&pprof(&[("cpu", "nanoseconds")], &[(&["?"], &[1_000], "x")], ""));
    for (name, language, runtime) in [
        ("cpython", "Python", "CPython 3.11.7"),
        ("pypy", "Python", "pypy 3.11.7"),
        ("nodejs", "JavaScript", "Node.js 3.11.7"),
        ("OpenJDK Runtime Environment", "Java", "JVM 3.11.7"),
        ("go", "Go", "3.11.7"),
        ("beam", "", "3.11.7"),
    ] {
        let labels =
            [("service_name", language), ("process.runtime.name", name), ("process.runtime.version", "3.11.7")];
        let labels = labels.map(|(k, v)| format!("{{\"name\":\"{k}\",\"value\":\"{v}\"}}")).join(",");
        let samples = base64(&idle);
        let json = format!("{{\"series\":[{{\"labels\":[{labels}],\"samples\":[{{\"rawProfile\":\"{samples}\"}}]}}]}}");
        let answer = running.post("/push.v1.PusherService/Push", "Content-Type: application/json\r\n", json.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        let rows = running.json("/api/v1/profiles?from=0&limit=500");
        let id = rows["rows"][0]["id"].as_str().unwrap();
        let profile = running.ready(id);
        assert_eq!(
            (&profile["language"], profile["runtime_version"].as_str()),
            (&language.into(), Some(runtime)),
            "{name}"
        );
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            out.push(char::from(LETTERS[usize::try_from(n >> (18 - 6 * i) & 63).unwrap()]));
        }
    }
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

#[test]
fn a_repeated_upload_is_the_same_row() {
    let running = Running::new();
    let event = event("again", "java", &["main.jfr"], START, END, "");
    let body =
        form(&[("event", Some("event.json"), &event), ("main", Some("main.jfr"), &fixture("jdk17-profile.jfr.gz"))]);
    let first = running.post("/profiling/v1/input", FORM, &body).id();
    running.ready(&first);
    assert_eq!(running.post("/profiling/v1/input", FORM, &body).id(), first);
    assert_eq!(running.json("/api/v1/profiles?from=0")["total"], 1);
}

#[test]
fn raw_recordings_are_accepted_with_tags_and_can_be_awaited() {
    let running = Running::new();
    let answer =
        running.post("/api/v1/recordings?service=ci&env=test&tag=team:core&wait=20s", "", &fixture("jdk17-full.jfr"));
    assert_eq!(answer.json()["status"], "ready", "{}", answer.text());
    let id = answer.id();
    let profile = running.ready(&id);
    assert!(profile["tags"].to_string().contains("core"));
    assert!(profile["cpu_cores"].as_f64().unwrap() > 0.0, "{profile}");
    let analysis = running.json(&format!("/api/v1/profiles/{id}/analysis"));
    assert!(analysis["rules"].as_array().unwrap().len() > 50);
    let runtime = running.get(&format!("/api/v1/profiles/{id}/runtime")).text();
    assert!(runtime.contains("JVM") && runtime.contains("team"), "{runtime}");
    // The store compresses uncompressed parts, but returns them unchanged, also for ranges.
    let name = profile["files"][0]["name"].as_str().unwrap().to_owned();
    let file = running.get(&format!("/api/v1/profiles/{id}/files/{name}"));
    assert!(file.body == fixture("jdk17-full.jfr"));
    let part = send(&running.address, format!("GET /api/v1/profiles/{id}/files/{name} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=10-19\r\nConnection: close\r\n\r\n").as_bytes(), usize::MAX);
    assert_eq!((part.status, part.body.as_slice()), (206, &fixture("jdk17-full.jfr")[10..20]));
    let sandwich =
        running.json(&format!("/api/v1/flame?profile={id}&type=cpu&view=sandwich&function=java.lang.Thread.run"));
    assert!(sandwich["callers"]["names"].is_array() && sandwich["callees"]["names"].is_array());
    let diff = running.json(&format!("/api/v1/diff?a.profile={id}&b.profile={id}&type=cpu"));
    assert_eq!(diff["a"]["total"], diff["b"]["total"]);
    for format in ["pprof", "collapsed", "speedscope", "html"] {
        let answer = running.get(&format!("/api/v1/export?profile={id}&type=cpu&format={format}"));
        assert_eq!(answer.status, 200, "{format}: {}", answer.text());
        assert!(answer.body.len() > 500, "{format}");
    }
    let pprof = running.get(&format!("/api/v1/export?profile={id}&type=cpu&format=pprof"));
    let exported = pprof_emit::read(&pprof.body).unwrap();
    let total: i64 = exported.sample.iter().map(|s| s.value[0]).sum();
    assert_eq!(diff["a"]["total"], total);
}

#[test]
fn the_only_value_of_a_profile_is_shown_whatever_its_name() {
    let running = Running::new();
    let perf = pprof(&[("samples", "count")], &[(&["main"], &[3], "t")], "main.c");
    let profile = running.ready(&running.post("/api/v1/recordings?service=c", "", &perf).id());
    assert_eq!(profile["types"][0]["values"][0]["total"], 3, "{profile}");
    // The version of the JVM is that of the recording, unless the client sends it.
    let java = running.ready(&running.post("/api/v1/recordings", "", &fixture("jdk17-profile.jfr.gz")).id());
    assert_eq!(java["runtime_version"], "JVM 17.0.15");
    let java = running.ready(&running.post("/api/v1/recordings", "", &fixture("jdk8-profile.jfr.gz")).id());
    assert!(java["runtime_version"].as_str().unwrap().starts_with("JVM 1.8.0_"), "{java}");
}

/// A request that a current client, run by `server/tests/clients/`, sent to our listener.
fn recorded(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requests").join(name);
    let bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
    // The tests read uncompressed responses, up to the end of the connection.
    let kept = |line: &&str| {
        let line = line.to_ascii_lowercase();
        !line.starts_with("accept-encoding:") && !line.starts_with("connection:")
    };
    let head = head.split("\r\n").filter(kept).chain(["Connection: close"]).collect::<Vec<_>>().join("\r\n");
    [head.as_bytes(), &bytes[at..]].concat()
}

#[test]
fn recorded_requests_of_real_clients_become_profiles() {
    let running = Running::new();
    let cases: [(&str, [&str; 5], &[&str], &str); 9] = [
        (
            "ddtrace-4.16.http",
            ["replayed-python", "ci", "1.0", "Python", "CPython"],
            &["cpu", "wall", "alloc"],
            "hot_loop",
        ),
        // This is the first profile of the process: most of its samples are from the start of the agent itself.
        ("dd-java-agent-1.68.http", ["replayed-java", "ci", "1.0", "Java", "JVM"], &["cpu"], "Agent.start"),
        (
            "dd-trace-js-5.132.http",
            ["replayed-dd-trace-node", "ci", "1.0", "JavaScript", "Node.js"],
            &["wall", "cpu", "heap"],
            "hotLoop",
        ),
        (
            "dd-trace-go-2.12.http",
            ["replayed-dd-trace-go-v2", "ci", "1.0", "Go", "Go"],
            &["cpu", "heap", "heap-count"],
            "hotLoop",
        ),
        ("pyroscope-go-1.5.http", ["replayed-pyroscope-go", "ci", "1.0", "Go", "Go"], &["cpu"], "hotLoop"),
        (
            "pyroscope-nodejs-0.6.http",
            ["replayed-pyroscope-nodejs", "ci", "1.0", "JavaScript", "Node.js"],
            &["wall", "cpu"],
            "hotLoop",
        ),
        (
            "dd-trace-go-1.74.http",
            ["replayed-dd-trace-go-v1", "ci", "1.0", "Go", "Go"],
            &["cpu", "alloc", "alloc-count", "heap", "heap-count"],
            "hotLoop",
        ),
        ("pyroscope-io-1.4.http", ["replayed-pyroscope-io", "ci", "1.0", "Python", "CPython"], &["cpu"], "hot_loop"),
        ("pyroscope-java-2.9.http", ["replayed-pyroscope-java", "ci", "1.0", "Java", "JVM"], &["cpu"], "hotLoop"),
    ];
    for (name, facets, types, hot) in cases {
        let bytes = recorded(name);
        // Push is answered with an empty message, so the row is found by its service.
        let row = |piece: usize| {
            let answer = send(&running.address, &bytes, piece);
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            let rows = running.json(&format!("/api/v1/profiles?q=service:{}&from=0", facets[0]));
            assert_eq!(rows["total"], 1, "{name}: {rows}");
            rows["rows"][0]["id"].as_str().unwrap().to_owned()
        };
        let id = row(usize::MAX);
        let profile = running.ready(&id);
        assert_eq!(profile["status"], "ready", "{name}: {profile}");
        let found: Vec<&str> =
            ["service", "env", "version", "language", "runtime"].iter().map(|f| profile[f].as_str().unwrap()).collect();
        assert_eq!(found, facets, "{name}");
        let list = profile["types"].as_array().unwrap();
        for kind in types {
            assert!(list.iter().any(|t| t["type"] == *kind && t["absent"].is_null()), "{name}: no {kind}: {list:?}");
        }
        let cpu = list.iter().find(|t| t["type"] == "cpu").unwrap();
        assert!(cpu["name"].as_str().unwrap().starts_with("CPU") && cpu["core"] == true, "{name}: {cpu}");
        let sizes = running.json(&format!("/api/v1/metrics?service={}&from=0&names=upload.bytes", facets[0]));
        assert_eq!(sizes["metrics"][0]["series"][0]["points"][0][2].as_f64(), profile["bytes"].as_f64(), "{name}");
        if name.starts_with("ddtrace") {
            let path = format!("/api/v1/metrics?service={}&from=0&names=exceptions,lock.wait", facets[0]);
            let metrics = running.json(&path)["metrics"].as_array().unwrap().clone();
            let means: Vec<f64> = metrics.iter().map(|m| m["series"][0]["points"][0][2].as_f64().unwrap()).collect();
            assert_eq!(means, [0.0, 0.0], "the client measured that there were none");
        }
        let table = running.json(&format!("/api/v1/table?profile={id}&type=cpu&sort=-total&limit=50"));
        assert!(table.to_string().contains(hot), "{name}: {table}");
        // The same request again, in pieces of another size, gives the same row.
        assert_eq!(row(997), id, "{name}");
    }
}

#[test]
fn runtime_information_shows_what_the_client_sent_beside_the_profiles() {
    let running = Running::new();
    let cases: [(&str, &str, &[&str]); 4] = [
        (
            "ddtrace-4.16.http",
            "replayed-python",
            &["Process\n  runtime     CPython 3.11", "Profile\n", "Sample types\n", "Agent settings\n", "Libraries\n"],
        ),
        (
            "dd-trace-go-1.74.http",
            "replayed-dd-trace-go-v1",
            &[
                "Profile: cpu.pprof\n",
                "Sample types: delta-heap.pprof\n",
                "metrics.json\n  go_alloc_bytes_per_sec",
                "user-agent",
            ],
        ),
        ("dd-trace-js-5.132.http", "replayed-dd-trace-node", &["Profile: wall.pprof\n", "part event.json"]),
        ("pyroscope-go-1.5.http", "replayed-pyroscope-go", &["spyName             gospy", "part profile.pprof"]),
    ];
    for (name, service, expected) in cases {
        assert_eq!(send(&running.address, &recorded(name), usize::MAX).status, 200);
        let rows = running.json(&format!("/api/v1/profiles?q=service:{service}&from=0"));
        let id = rows["rows"][0]["id"].as_str().unwrap();
        running.ready(id);
        let text = running.get(&format!("/api/v1/profiles/{id}/runtime")).text();
        for lines in expected {
            assert!(text.to_lowercase().contains(&lines.to_lowercase()), "{name}: no {lines:?} in\n{text}");
        }
    }
    // Secrets are masked, and all of it outlives the received data.
    let settings = r#"{"attachments":["cpu.pprof"],"tags_profiler":"service:masked,language:go,api_key:tag-secret","start":"2026-11-26T20:50:00Z","end":"2026-11-26T20:51:00Z","family":"go","version":"4","info":{"profiler":{"api_key":"agent-secret","interval":60}}}"#;
    let cpu = pprof(&[("samples", "count"), ("cpu", "nanoseconds")], &[(&["f"], &[1, 10], "t")], "main.go");
    let metrics = r#"[["go_num_goroutine",7],["db_password","metric-secret"]]"#;
    let body = form(&[
        ("event", Some("event.json"), settings.as_bytes()),
        ("cpu.pprof", Some("cpu.pprof"), &cpu),
        ("metrics.json", Some("metrics.json"), metrics.as_bytes()),
    ]);
    let id = running.post("/profiling/v1/input?token=query-secret", FORM, &body).id();
    running.ready(&id);
    std::fs::remove_dir_all(running.dir.path().join("data/store/received")).unwrap();
    let text = running.get(&format!("/api/v1/profiles/{id}/runtime")).text();
    assert!(text.contains("info.profiler.interval") && text.contains("go_num_goroutine"), "{text}");
    assert!(text.matches("••••").count() >= 4 && !text.contains("-secret"), "{text}");
}

#[test]
fn a_file_without_a_service_has_its_name() {
    let running = Running::new();
    let content = pprof(&[("cpu", "nanoseconds")], &[(&["a", "main"], &[7], "")], "main.go");
    let id = running.post("/api/v1/recordings?tag=file:monday.pprof", "", &content).id();
    assert_eq!(running.ready(&id)["service"], "monday.pprof");
    // A recording says what ran.
    let id = running.post("/api/v1/recordings?tag=file:rec.jfr", "", &fixture("jdk17-full.jfr")).id();
    assert_eq!(running.ready(&id)["service"], "fx.Workload");
}

#[test]
fn cumulative_heap_profiles_show_the_increase() {
    let running = Running::new();
    let types =
        [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")];
    let send = |minute: u32, samples: &[(&[&str], &[i64], &str)]| {
        let time = |second: u32| format!("2026-11-26T20:{minute}:{second:02}Z");
        let event = event("go", "go", &["heap.pprof"], &time(0), &time(59), "");
        let heap = pprof(&types, samples, "main.go");
        let body = form(&[("heap.pprof", Some("heap.pprof"), &heap), ("event", Some("event.json"), &event)]);
        let id = running.post("/profiling/v1/input", FORM, &body).id();
        running.ready(&id)
    };
    let of = |profile: &serde_json::Value, kind: &str| {
        profile["types"].as_array().unwrap().iter().find(|t| t["type"] == kind).unwrap().clone()
    };
    let first = send(10, &[(&["a", "main"], &[10, 1_000, 1, 100], "")]);
    assert!(of(&first, "alloc")["absent"].as_str().unwrap().contains("since the process began"), "{first}");
    assert_eq!(of(&first, "heap")["values"][0]["total"], 100);
    // Different ids, a new stack, and one that is gone.
    let second = send(11, &[(&["b", "main"], &[1, 50, 1, 50], ""), (&["a", "main"], &[13, 1_300, 2, 200], "")]);
    let alloc = of(&second, "alloc");
    assert_eq!(alloc["values"][0]["total"], 350, "{alloc}");
    assert!(alloc["how"].to_string().contains("were subtracted"), "{alloc}");
    assert_eq!(of(&second, "heap")["values"][0]["total"], 250);
    // After a gap, it is unknown when the difference was added.
    let later = send(20, &[(&["a", "main"], &[20, 2_000, 2, 200], "")]);
    assert!(!of(&later, "alloc")["absent"].is_null(), "{later}");
}

#[test]
fn ids_of_a_profile_may_be_any_numbers_and_traces_are_kept() {
    use prost::Message;
    let running = Running::new();
    let types = [("contentions", "count"), ("delay", "nanoseconds")];
    let samples: [(&[&str], &[i64], &str); 2] = [(&["lock", "main"], &[2, 30], ""), (&["wait", "main"], &[1, 7], "")];
    let mut profile = pprof_emit::pb::Profile::decode(&*pprof(&types, &samples, "main.go")).unwrap();
    for location in &mut profile.location {
        location.id = location.id * 10 + 3;
        location.line[0].function_id += 90;
    }
    profile.function.iter_mut().for_each(|function| function.id += 90);
    profile.sample.iter_mut().flat_map(|s| &mut s.location_id).for_each(|id| *id = *id * 10 + 3);
    let names = ["delta-mutex.pprof", "go.trace"];
    // A day after a fixed time, there would be a warning about the clock.
    let now = jiff::Timestamp::now();
    let start = now - jiff::SignedDuration::from_secs(60);
    let event = event("sparse", "go", &names, &start.to_string(), &now.to_string(), "");
    let body = form(&[
        ("delta-mutex.pprof", Some("delta-mutex.pprof"), &profile.encode_to_vec()),
        ("go.trace", Some("go.trace"), b"go 1.26 trace\0\0\0 and what it holds"),
        ("event", Some("event.json"), &event),
    ]);
    let id = running.post("/profiling/v1/input", FORM, &body).id();
    let profile = running.ready(&id);
    assert_eq!(profile["warnings"], serde_json::json!([]), "{profile}");
    let table = running.json(&format!("/api/v1/table?profile={id}&type=mutex"));
    let rows: Vec<(&str, i64)> = table["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["key"].as_str().unwrap(), r["total"].as_i64().unwrap()))
        .collect();
    assert_eq!(rows, [("lock", 30), ("wait", 7), ("main", 37)]);
    assert!(profile["files"].to_string().contains("go.trace"));
}
