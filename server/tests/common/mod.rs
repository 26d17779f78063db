//! A server for tests, and requests built byte by byte.
#![allow(unreachable_pub, dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use jfrkit_server::{Options, Server};
use serde_json::Value;

/// A server on a free port with its own directory.
pub struct Running {
    pub server: Option<Server>,
    pub address: String,
    pub dir: tempfile::TempDir,
}

impl Running {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Options)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::default();
        options.dir = dir.path().join("data");
        options.listen = vec!["127.0.0.1:0".to_owned()];
        // Test machines often have full disks.
        options.min_free = Some(0);
        change(&mut options);
        let server = Server::start(options, false).unwrap();
        let address = server.urls()[0].trim_start_matches("http://").to_owned();
        Self { server: Some(server), address, dir }
    }

    /// Stops the server and starts another one on the same directory.
    pub fn restart(mut self) -> Self {
        self.server.take().unwrap().stop();
        let mut options = Options::default();
        options.dir = self.dir.path().join("data");
        options.listen = vec!["127.0.0.1:0".to_owned()];
        options.min_free = Some(0);
        let server = Server::start(options, false).unwrap();
        self.address = server.urls()[0].trim_start_matches("http://").to_owned();
        self.server = Some(server);
        self
    }

    pub fn get(&self, path: &str) -> Answer {
        send(
            &self.address,
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
            usize::MAX,
        )
    }

    pub fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    }

    pub fn post(&self, path: &str, headers: &str, body: &[u8]) -> Answer {
        send(&self.address, &request(path, headers, body), usize::MAX)
    }

    /// Waits until a profile is ready, including its analysis.
    pub fn ready(&self, id: &str) -> Value {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let profile = self.json(&format!("/api/v1/profiles/{id}"));
            let status = profile["status"].as_str().unwrap();
            if status == "failed" || status == "ready" && profile["analysis"]["status"] != "processing" {
                return profile;
            }
            assert!(Instant::now() < end, "not derived in a minute: {profile}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A request with a body of known length.
pub fn request(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.head, self.text()))
    }

    pub fn id(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()["id"].as_str().unwrap().to_owned()
    }
}

/// Sends bytes in pieces of this size and reads the response.
pub fn send(address: &str, bytes: &[u8], piece: usize) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    for piece in bytes.chunks(piece.min(bytes.len()).max(1)) {
        // A server that rejects the request does not read the rest.
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    parse(&answer)
}

pub fn parse(answer: &[u8]) -> Answer {
    let at = answer
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(answer)));
    let head = String::from_utf8_lossy(&answer[..at]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut body = answer[at + 4..].to_vec();
    if head.to_lowercase().contains("transfer-encoding: chunked") {
        let (mut plain, mut rest) = (Vec::new(), &body[..]);
        while let Some(at) = rest.windows(2).position(|w| w == b"\r\n") {
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..at]).unwrap().trim(), 16).unwrap();
            plain.extend_from_slice(&rest[at + 2..at + 2 + size]);
            rest = &rest[at + 4 + size..];
            if size == 0 {
                break;
            }
        }
        body = plain;
    }
    Answer { status, head, body }
}

/// Part of a form: name, file name, content.
pub type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

pub const FORM: &str = "Content-Type: multipart/form-data; boundary=------------------------b0undary\r\n";

pub fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map(|f| format!("; filename=\"{f}\"")).unwrap_or_default();
        body.extend(format!("--------------------------b0undary\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\nContent-Type: application/octet-stream\r\n\r\n").bytes());
        body.extend_from_slice(content);
        body.extend(b"\r\n");
    }
    body.extend(b"--------------------------b0undary--\r\n");
    body
}

pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)).unwrap()
}

/// The `event.json` that Java's agent sends with a recording.
pub fn event(service: &str, family: &str, attachments: &[&str], start: &str, end: &str, more: &str) -> Vec<u8> {
    let attachments: Vec<String> = attachments.iter().map(|a| format!("\"{a}\"")).collect();
    format!(
        "{{\"attachments\":[{}],\"tags_profiler\":\"service:{service},env:test,version:1.0,host:web-1,runtime-id:r-{service},language:{family}{more}\",\"start\":\"{start}\",\"end\":\"{end}\",\"family\":\"{family}\",\"version\":\"4\"}}",
        attachments.join(",")
    )
    .into_bytes()
}

/// A small pprof file as clients write it: sample types, and samples as (stack leaf first, values, thread).
pub fn pprof(types: &[(&str, &str)], samples: &[(&[&str], &[i64], &str)], file: &str) -> Vec<u8> {
    use pprof_emit::pb;
    use prost::Message;
    let mut strings = vec![String::new()];
    let mut add = |text: &str| {
        let at = strings.iter().position(|s| s == text).unwrap_or_else(|| {
            strings.push(text.to_owned());
            strings.len() - 1
        });
        i64::try_from(at).unwrap()
    };
    let mut profile =
        pb::Profile { time_nanos: 1_795_433_684_000_000_000, duration_nanos: 60_000_000_000, ..Default::default() };
    profile.sample_type = types.iter().map(|(t, u)| pb::ValueType { r#type: add(t), unit: add(u) }).collect();
    profile.mapping.push(pb::Mapping { id: 1, has_functions: true, ..Default::default() });
    let mut functions: Vec<&str> = Vec::new();
    for (stack, values, thread) in samples {
        let mut location_id = Vec::new();
        for name in *stack {
            let at = functions.iter().position(|f| f == name).unwrap_or_else(|| {
                functions.push(name);
                functions.len() - 1
            });
            location_id.push(u64::try_from(at + 1).unwrap());
        }
        let label = vec![pb::Label { key: add("thread name"), str: add(thread), ..Default::default() }];
        profile.sample.push(pb::Sample { location_id, value: values.to_vec(), label });
    }
    for (i, name) in functions.iter().enumerate() {
        let id = u64::try_from(i + 1).unwrap();
        profile.function.push(pb::Function {
            id,
            name: add(name),
            system_name: add(name),
            filename: add(file),
            start_line: 1,
        });
        profile.location.push(pb::Location {
            id,
            mapping_id: 1,
            line: vec![pb::Line { function_id: id, line: 1, column: 0 }],
            ..Default::default()
        });
    }
    profile.string_table = strings;
    profile.encode_to_vec()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// An agent that responds with these statuses in turn, then with 200, and passes on what it received.
pub fn agent(statuses: &'static [u16]) -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (told, heard): (Sender<Vec<u8>>, Receiver<Vec<u8>>) = channel();
    std::thread::spawn(move || {
        let mut statuses = statuses.iter().copied();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if told.send(read_request(&mut stream)).is_err() {
                return;
            }
            let status = statuses.next().unwrap_or(200);
            let _ = stream.write_all(
                format!("HTTP/1.1 {status} x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}").as_bytes(),
            );
        }
    });
    (address, heard)
}

fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at]).to_lowercase();
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse::<usize>().ok()).unwrap();
            if bytes.len() >= at + 4 + length {
                return bytes;
            }
        }
        let n = stream.read(&mut piece).unwrap();
        assert!(n > 0, "the request ends early");
        bytes.extend_from_slice(&piece[..n]);
    }
}

/// An upload as Datadog's agent for Java sends it.
pub fn datadog(service: &str) -> Vec<u8> {
    let event = event(service, "java", &["main.jfr"], "2026-11-26T20:50:10Z", "2026-11-26T20:51:10Z", "");
    form(&[("event", Some("event.json"), &event), ("main", Some("main.jfr"), &fixture("jdk17-profile.jfr.gz"))])
}
