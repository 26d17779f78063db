//! Hostile uploads and requests: all get a response, and none stops the server.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "common/mod.rs"]
mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::*;

#[test]
fn invalid_uploads_are_rejected_with_a_reason() {
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
fn ten_thousand_parts_and_long_names_are_rejected() {
    let running = Running::new();
    let many: Vec<Part<'_>> = (0..10_000).map(|_| ("x", Some("f"), &b"FLR\0"[..])).collect();
    assert_eq!(running.post("/profiling/v1/input", FORM, &form(&many)).status, 400);
    let fields: Vec<Part<'_>> = (0..10_000).map(|_| ("x", None, &b"v"[..])).collect();
    assert_eq!(running.post("/profiling/v1/input", FORM, &form(&fields)).status, 400);
    let name = "n".repeat(20 << 10);
    assert_eq!(running.post("/profiling/v1/input", FORM, &form(&[(&name, Some("f"), b"FLR\0")])).status, 400);
    assert_eq!(std::fs::read_dir(running.dir.path().join("data/spool/tmp")).unwrap().count(), 0);
}

/// Checks that no worker or request crashed.
fn unharmed(running: &Running) {
    assert_eq!(running.get("/healthz").status, 200);
    let metrics = running.get("/metrics").text();
    assert!(!metrics.contains("reason=\"panic\""), "{metrics}");
    assert!(!metrics.lines().any(|l| l.starts_with("jfrkit_http") && l.contains("code=\"500\"")), "{metrics}");
}

/// Random numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(n.max(1)).unwrap()).unwrap()
    }

    /// Changes, removes or repeats bytes, or truncates them.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        if self.below(2) == 0 {
            // Little damage, so that most of the file can be read.
            let at = self.below(out.len());
            out[at] ^= 1 << self.below(8);
            return out;
        }
        for _ in 0..=self.below(8) {
            if out.len() < 16 {
                break;
            }
            let (at, length) = (self.below(out.len()), self.below(64).min(out.len()));
            match self.below(6) {
                0 => out.truncate(at.max(8)),
                1 => drop(out.drain(at..(at + length).min(out.len()))),
                2 => {
                    let piece = out[at..(at + length).min(out.len())].to_vec();
                    out.splice(at..at, piece);
                }
                3 => out[at] ^= 1 << self.below(8),
                4 => out[at] = 0xff,
                _ => {
                    let end = (at + length).min(out.len());
                    out[at..end].fill(u8::try_from(self.below(256)).unwrap());
                }
            }
        }
        out
    }
}

#[test]
fn damaged_recordings_and_profiles_are_all_answered_and_all_end() {
    let running = Running::new();
    let unpacked = |name: &str| {
        let mut bytes = Vec::new();
        flate2::read::MultiGzDecoder::new(&*fixture(name)).read_to_end(&mut bytes).unwrap();
        bytes
    };
    let types = [("samples", "count"), ("cpu", "nanoseconds"), ("alloc-space", "bytes")];
    let go = pprof(&types, &[(&["c", "b", "a"], &[1, 100, 7], "t1"), (&["d", "b"], &[1, 20, 9], "t2")], "main.go");
    let kinds: [(&str, Vec<u8>, usize); 4] = [
        ("jdk17", unpacked("jdk17-profile.jfr.gz"), 16),
        ("jdk8", unpacked("jdk8-profile.jfr.gz"), 16),
        ("multichunk", fixture("jdk17-multichunk.jfr"), 8),
        ("pprof", go, 100),
    ];
    let mut random = Random(0x5eed);
    let mut ids = Vec::new();
    for (name, sound, count) in &kinds {
        for n in 0..*count {
            let damaged = random.damage(sound);
            // In every compression format, because each is another way into the reader.
            let damaged = if n % 3 == 0 { gzip(&damaged) } else { damaged };
            let path = format!("/api/v1/recordings?service={name}&tag=n:{n}");
            ids.push(running.post(&path, "", &damaged).id());
        }
    }
    let (mut ready, mut failed) = (0, 0);
    for id in &ids {
        let profile = running.ready(id);
        if profile["status"] == "ready" {
            ready += 1;
            // Whatever was read can be shown.
            for entry in profile["types"].as_array().unwrap().iter().filter(|t| t["absent"].is_null()) {
                let kind = entry["type"].as_str().unwrap();
                let tree = running.get(&format!("/api/v1/flame?profile={id}&type={kind}"));
                assert_eq!(tree.status, 200, "{id} {kind}: {}", tree.text());
            }
        } else {
            failed += 1;
            assert!(!profile["reason"].as_str().unwrap().is_empty());
        }
    }
    assert!(ready > 10 && failed > 10, "{ready} can be read, {failed} cannot");
    unharmed(&running);
}

#[test]
fn damaged_requests_are_all_answered() {
    let running = Running::new();
    let event = event("x", "java", &["main.jfr"], "2026-11-26T20:50:10Z", "2026-11-26T20:51:10Z", "");
    let body = form(&[("event", Some("event.json"), &event), ("main", Some("main.jfr"), b"FLR\0 and no more")]);
    let labels = b"\x0a\x29\x0a\x14\x0a\x0cservice_name\x12\x04shop\x12\x11\x0a\x0fthis is a pprof";
    let mut random = Random(7);
    for n in 0..120 {
        let (path, headers, sound): (&str, &str, &[u8]) = match n % 4 {
            0 | 1 => ("/profiling/v1/input", FORM, &body),
            2 => ("/push.v1.PusherService/Push", "Content-Type: application/proto\r\n", labels),
            _ => ("/v1development/profiles", "Content-Type: application/x-protobuf\r\n", labels),
        };
        let answer = running.post(path, headers, &random.damage(sound));
        assert!(matches!(answer.status, 200 | 400 | 413), "{path}: {} {}", answer.status, answer.text());
    }
    unharmed(&running);
}

/// Zeros, compressed in every supported format.
fn bombs(megabytes: usize) -> Vec<(&'static str, Vec<u8>)> {
    let zeros = vec![0u8; megabytes << 20];
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(&zeros).unwrap();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("zeros", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(&zeros).unwrap();
    let zstd = ruzstd::encoding::compress_to_vec(&*zeros, ruzstd::encoding::CompressionLevel::Fastest);
    let once = gzip(&zeros);
    vec![
        ("gzip in zip", {
            let mut twice = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
            twice.start_file("bomb.gz", zip::write::SimpleFileOptions::default()).unwrap();
            twice.write_all(&once).unwrap();
            twice.finish().unwrap().into_inner()
        }),
        ("gzip", once),
        ("zstd", zstd),
        ("lz4", lz4.finish().unwrap()),
        ("zip", zip.finish().unwrap().into_inner()),
    ]
}

#[test]
fn decompression_bombs_of_every_format_are_rejected() {
    let running = Running::with(|o| o.max_upload = 8 << 20);
    let bombs = bombs(256);
    for (packing, bytes) in &bombs {
        assert!(bytes.len() < 4 << 20, "{packing}: {}", bytes.len());
        let id = running.post("/api/v1/recordings?service=bomb", "", bytes).id();
        let profile = running.ready(&id);
        assert_eq!(profile["status"], "failed", "{packing}: {profile}");
        if let "gzip" | "zstd" = *packing {
            for (path, headers) in [("/profiling/v1/input", FORM), ("/api/v1/recordings?service=bomb", "")] {
                let answer = running.post(path, &format!("{headers}Content-Encoding: {packing}\r\n"), bytes);
                assert!(matches!(answer.status, 400 | 413), "{packing} {path}: {} {}", answer.status, answer.text());
            }
        }
    }
    unharmed(&running);
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
fn slow_bodies_time_out_and_half_closed_sockets_are_answered() {
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
fn sixty_four_slow_uploads_do_not_delay_others() {
    let running = Running::with(|o| o.uploads = 65);
    let begin = format!("POST /profiling/v1/input HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n{FORM}\r\n--------");
    let slow: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(&running.address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            stream.write_all(begin.as_bytes()).unwrap();
            stream
        })
        .collect();
    let tmp = running.dir.path().join("data/spool/tmp");
    let held = || std::fs::read_dir(&tmp).unwrap().count();
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while held() < 64 && std::time::Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    let id = running.post("/api/v1/recordings?service=quick", "", &fixture("jdk17-profile.jfr.gz")).id();
    assert_eq!(running.ready(&id)["status"], "ready");
    assert_eq!(running.get("/api/v1/profiles").status, 200);
    // Each is aborted in time and leaves nothing behind.
    for mut stream in slow {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(parse(&answer).status, 408);
    }
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while held() > 0 {
        assert!(std::time::Instant::now() < end, "what they sent is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn uploads_beyond_the_limit_wait_or_get_503() {
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
fn requests_from_other_origins_are_rejected() {
    let running = Running::new();
    let ask = |text: &str| send(&running.address, text.as_bytes(), usize::MAX);
    let get = |path: &str, headers: &str| ask(&format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n"));
    // Host names.
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
    // Path traversal.
    for path in [
        "/api/v1/profiles/..%2f..%2flock",
        "/api/v1/profiles/x",
        "/../lock",
        "/api/v1/profiles/01ARZ3NDEKTSV4RRFFQ69G5FAV/files/..%2f..%2flock",
    ] {
        let status = get(path, "Host: localhost\r\n").status;
        assert!(status == 404 || status == 400, "{path}: {status}");
    }
    // The headers of every response.
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
fn keys_and_tokens_are_required() {
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
