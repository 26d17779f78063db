//! Hostile uploads and requests: all are answered, none stops the server.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "common/mod.rs"]
mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::*;

#[test]
fn uploads_that_are_none_are_refused_with_a_sentence() {
    let running = Running::with(|o| o.max_upload = 4 << 20);
    let event = event("x", "java", &[], "2026-11-26T20:50:10Z", "2026-11-26T20:51:10Z", "");
    let post = |parts: &[Part<'_>]| running.post("/profiling/v1/input", FORM, &form(parts));
    let cases: Vec<(&str, Answer, u16)> = vec![
        ("multipart", running.post("/profiling/v1/input", "Content-Type: text/plain\r\n", b"x"), 400),
        ("event", post(&[("main", Some("main.jfr"), b"FLR\0")]), 400),
        ("JSON", post(&[("event", Some("event.json"), b"nope"), ("main", Some("main.jfr"), b"FLR\0")]), 400),
        ("profile", post(&[("event", Some("event.json"), &event)]), 400),
        ("larger", post(&[("event", Some("event.json"), &event), ("main", Some("m"), &vec![7u8; 5 << 20])]), 413),
        ("event", post(&[("event", Some("event.json"), &vec![b'{'; 2 << 20]), ("main", Some("m"), b"FLR\0")]), 400),
        ("boundary", running.post("/profiling/v1/input", FORM, b"--------------------------b0undary\r\n\r\nhalf"), 400),
        ("name", running.post("/ingest?from=1", FORM, &form(&[("jfr", Some("jfr"), b"FLR\0")])), 400),
        ("unknown parameter", running.post("/api/v1/recordings?nope=1", "", b"FLR\0"), 400),
        ("empty", running.post("/api/v1/recordings", "", b""), 400),
    ];
    for (word, answer, status) in cases {
        assert_eq!(answer.status, status, "{word}: {}", answer.text());
        assert!(answer.json()["detail"].as_str().unwrap().contains(word), "{word}: {}", answer.text());
    }
    assert_eq!(running.json("/api/v1/profiles?from=0")["total"], 0);
}

#[test]
fn ten_thousand_parts_and_long_names_are_refused() {
    let running = Running::new();
    let many: Vec<Part<'_>> = (0..10_000).map(|_| ("x", Some("f"), &b"FLR\0"[..])).collect();
    assert_eq!(running.post("/profiling/v1/input", FORM, &form(&many)).status, 400);
    let fields: Vec<Part<'_>> = (0..10_000).map(|_| ("x", None, &b"v"[..])).collect();
    assert_eq!(running.post("/profiling/v1/input", FORM, &form(&fields)).status, 400);
    let name = "n".repeat(20 << 10);
    assert_eq!(running.post("/profiling/v1/input", FORM, &form(&[(&name, Some("f"), b"FLR\0")])).status, 400);
    assert_eq!(std::fs::read_dir(running.dir.path().join("data/spool/tmp")).unwrap().count(), 0);
}

#[test]
fn bombs_of_every_packing_are_defused() {
    let running = Running::with(|o| o.max_upload = 8 << 20);
    let zeros = vec![0u8; 300 << 20];
    let packed = gzip(&zeros);
    drop(zeros);
    let answer = running.post("/profiling/v1/input", &format!("{FORM}Content-Encoding: gzip\r\n"), &packed);
    assert!(matches!(answer.status, 400 | 413), "{} {}", answer.status, answer.text());
    let id = running.post("/api/v1/recordings?service=bomb", "", &packed).id();
    let profile = running.ready(&id);
    assert_eq!(profile["status"], "failed", "{profile}");
    assert_eq!(running.get("/healthz").status, 200);
}

#[test]
fn an_endless_chunked_body_is_cut_off() {
    let running = Running::with(|o| o.max_upload = 1 << 20);
    let mut stream = TcpStream::connect(&running.address).unwrap();
    stream
        .write_all(
            format!("POST /profiling/v1/input HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{FORM}\r\n")
                .as_bytes(),
        )
        .unwrap();
    let piece = vec![b'x'; 64 << 10];
    let mut sent = 0;
    while sent < 64 << 20 {
        let chunk = [format!("{:x}\r\n", piece.len()).into_bytes(), piece.clone(), b"\r\n".to_vec()].concat();
        if stream.write_all(&chunk).is_err() {
            break;
        }
        sent += piece.len();
    }
    assert!(sent < 64 << 20, "the server reads on and on");
    assert_eq!(running.get("/healthz").status, 200);
}

#[test]
fn a_slow_body_is_given_up_and_half_closed_sockets_are_answered() {
    let running = Running::new();
    let mut slow = TcpStream::connect(&running.address).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    slow.write_all(
        format!("POST /profiling/v1/input HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n{FORM}\r\n--").as_bytes(),
    )
    .unwrap();
    let half = TcpStream::connect(&running.address).unwrap();
    (&half).write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    half.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    (&half).read_to_end(&mut answer).unwrap();
    assert_eq!(parse(&answer).status, 200);
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).unwrap();
    assert_eq!(parse(&answer).status, 408);
}

#[test]
fn more_uploads_at_once_than_there_is_room_for_wait_or_are_503() {
    let running = Running::with(|o| o.uploads = 1);
    let mut held = TcpStream::connect(&running.address).unwrap();
    held.write_all(
        format!("POST /profiling/v1/input HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n{FORM}\r\n--").as_bytes(),
    )
    .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let answer = running.post("/api/v1/recordings?service=a", "", b"FLR\0");
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.head.to_lowercase().contains("retry-after: 5"), "{}", answer.head);
}

#[test]
fn a_full_spool_is_a_503() {
    let running = Running::with(|o| {
        o.spool_max = 0;
        o.workers = 1;
    });
    let recording = fixture("jdk17-full.jfr");
    let mut codes = Vec::new();
    for n in 0..20 {
        codes.push(running.post(&format!("/api/v1/recordings?service=s{n}"), "", &recording).status);
    }
    assert!(codes.contains(&503) && codes[0] == 200, "{codes:?}");
}

#[test]
fn strangers_are_kept_out() {
    let running = Running::new();
    let ask = |text: &str| send(&running.address, text.as_bytes(), usize::MAX);
    let get = |path: &str, headers: &str| ask(&format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n"));
    // Names of hosts.
    assert_eq!(get("/api/v1/profiles", "Host: evil.example\r\n").status, 421);
    assert_eq!(get("/profiles", "Host: evil.example:8126\r\n").status, 421);
    assert_eq!(get("/api/v1/profiles", "Host: localhost:1\r\n").status, 200);
    assert_eq!(get("/info", "Host: agent.example\r\n").status, 200);
    // Origins.
    let event = event("x", "java", &[], "2026-11-26T20:50:10Z", "2026-11-26T20:51:10Z", "");
    let body = form(&[("event", Some("event.json"), &event), ("main", Some("main.jfr"), b"FLR\0")]);
    let post = |headers: &str| running.post("/profiling/v1/input", &format!("{FORM}{headers}"), &body).status;
    assert_eq!(post("Origin: http://evil.example\r\n"), 403);
    assert_eq!(post("Sec-Fetch-Site: cross-site\r\n"), 403);
    assert_eq!(post("Sec-Fetch-Mode: cors\r\n"), 200);
    assert_eq!(running.post("/api/v1/recordings", "Cookie: jfrkit=x\r\n", b"FLR\0").status, 403);
    // Traversal.
    for path in [
        "/api/v1/profiles/..%2f..%2flock",
        "/api/v1/profiles/x",
        "/../lock",
        "/api/v1/profiles/01ARZ3NDEKTSV4RRFFQ69G5FAV/files/..%2f..%2flock",
    ] {
        let status = get(path, "Host: localhost\r\n").status;
        assert!(status == 404 || status == 400, "{path}: {status}");
    }
    // Headers of every answer.
    for path in ["/", "/api/v1/profiles", "/nothing", "/healthz"] {
        let head = get(path, "Host: localhost\r\n").head.to_lowercase();
        for header in [
            "content-security-policy: default-src 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cross-origin-opener-policy: same-origin",
        ] {
            assert!(head.contains(header), "{path}: {header}: {head}");
        }
    }
    let wide = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: {}\r\n\r\n", "y".repeat(40 << 10));
    assert_eq!(ask(&wide).status, 431);
}

#[test]
fn keys_and_tokens_are_asked_for() {
    let running = Running::with(|o| {
        o.intake_keys = vec!["secret".to_owned()];
        o.page_tokens = vec!["token".to_owned()];
        o.no_received_download = true;
    });
    let content = fixture("jdk17-profile.jfr.gz");
    let post = |path: &str, headers: &str| running.post(path, headers, &content).status;
    let event = event("keyed", "java", &[], "2026-11-26T20:50:10Z", "2026-11-26T20:51:10Z", "");
    let body = form(&[("event", Some("event.json"), &event), ("main", Some("main.jfr"), &content)]);
    assert_eq!(post("/api/v1/recordings", ""), 401);
    assert_eq!(post("/api/v1/recordings", "DD-API-KEY: wrong\r\n"), 401);
    assert_eq!(post("/api/v1/recordings?service=a", "DD-API-KEY: secret\r\n"), 200);
    assert_eq!(post("/api/v1/recordings?service=b", "Authorization: Bearer secret\r\n"), 200);
    assert_eq!(post("/api/v1/recordings?service=c", "Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"), 200);
    assert_eq!(running.post("/k/secret/profiling/v1/input", FORM, &body).status, 200);
    assert_eq!(running.post("/k/wrong/profiling/v1/input", FORM, &body).status, 401);
    assert_eq!(running.get("/api/v1/profiles").status, 401);
    let form = running.post("/login", "Content-Type: application/x-www-form-urlencoded\r\n", b"token=wrong");
    assert_eq!(form.status, 401);
    let form = running.post("/login", "Content-Type: application/x-www-form-urlencoded\r\n", b"token=token");
    assert_eq!(form.status, 303);
    let cookie = form.head.lines().find(|l| l.to_lowercase().starts_with("set-cookie")).unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let cookie = cookie.split_once(": ").unwrap().1.split(';').next().unwrap().to_owned();
    let with = |path: &str, header: &str| {
        send(
            &running.address,
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n").as_bytes(),
            usize::MAX,
        )
    };
    assert_eq!(with("/api/v1/profiles", &format!("Cookie: {cookie}\r\n")).status, 200);
    assert_eq!(with("/api/v1/profiles", "Authorization: Bearer token\r\n").status, 200);
    assert_eq!(with("/", "Accept: text/html\r\n").status, 401);
    let rows = with("/api/v1/profiles?from=0", "Authorization: Bearer token\r\n").json();
    let id = rows["rows"][0]["id"].as_str().unwrap();
    let file = with(&format!("/api/v1/profiles/{id}/files/recording"), "Authorization: Bearer token\r\n");
    assert!(matches!(file.status, 202 | 403 | 404), "{}", file.status);
}
