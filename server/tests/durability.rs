//! Acknowledged uploads survive: SIGKILL at each step and at random, a full disk, a read-only directory, a damaged index, a clock
//! that goes back, two servers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

#[path = "common/mod.rs"]
mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::*;
use jfrkit_server::{Id, Options, Server};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn options(dir: &Path) -> Options {
    let mut options = Options::default();
    options.dir = dir.join("data");
    options.listen = vec!["127.0.0.1:0".to_owned()];
    options.min_free = Some(0);
    options.workers = 2;
    options
}

fn open(dir: tempfile::TempDir) -> Running {
    let server = Server::start(options(dir.path()), false).unwrap();
    let address = server.urls()[0].trim_start_matches("http://").to_owned();
    Running { server: Some(server), address, dir }
}

/// Not a test: runs the server for the tests below in a separate process.
#[test]
fn child() {
    let Ok(dir) = std::env::var("JFRKIT_TEST_DIR") else { return };
    let mut options = options(Path::new(&dir));
    options.forward = std::env::var("JFRKIT_TEST_FORWARD").ok();
    let server = Server::start(options, false).unwrap();
    let address = server.urls()[0].trim_start_matches("http://").to_owned();
    std::fs::write(Path::new(&dir).join("address.new"), address).unwrap();
    std::fs::rename(Path::new(&dir).join("address.new"), Path::new(&dir).join("address")).unwrap();
    server.run();
}

/// A server in a separate process, which ends with the test.
struct Process(Child, String);

impl Process {
    fn start(dir: &Path, kill_at: Option<&str>) -> Self {
        Self::with(dir, kill_at.map(|point| ("JFRKIT_KILL_AT", point)).as_slice())
    }

    fn with(dir: &Path, variables: &[(&str, &str)]) -> Self {
        let mut process = Self::spawn(dir, variables);
        let end = Instant::now() + PATIENCE;
        loop {
            if let Ok(address) = std::fs::read_to_string(dir.join("address")) {
                process.1 = address;
                return process;
            }
            assert!(Instant::now() < end && process.0.try_wait().unwrap().is_none(), "the child does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts a server that may exit before it listens.
    fn spawn(dir: &Path, variables: &[(&str, &str)]) -> Self {
        let _ = std::fs::remove_file(dir.join("address"));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "child", "--test-threads=1"])
            .env("JFRKIT_TEST_DIR", dir)
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().unwrap(), String::new())
    }

    fn wait(&mut self) {
        let end = Instant::now() + PATIENCE;
        while self.0.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "the child does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn kill(&mut self) {
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An upload that was sent: its service, the id in the response if there was one, and the content.
struct Sent {
    service: String,
    id: Option<String>,
    content: Vec<u8>,
}

/// Sends an upload that may be interrupted.
fn upload(address: &str, service: &str, content: Vec<u8>) -> Sent {
    let ask = || -> Option<String> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.write_all(&request(&format!("/api/v1/recordings?service={service}"), "", &content)).ok()?;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n")?;
        head.starts_with("HTTP/1.1 200").then_some(())?;
        serde_json::from_str::<serde_json::Value>(body).ok()?["id"].as_str().map(str::to_owned)
    };
    let id = ask();
    Sent { service: service.to_owned(), id, content }
}

/// A profile that is different for each number.
fn small(n: i64) -> Vec<u8> {
    gzip(&pprof(
        &[("samples", "count"), ("cpu", "nanoseconds")],
        &[(&["main.hot", "main.main"], &[1, 10_000_000 + n], "t")],
        "main.go",
    ))
}

fn entries(dir: &Path) -> Vec<String> {
    std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

/// Starts a server on the directory, checks that everything acknowledged is there, and returns the services of all rows.
fn all_there(dir: tempfile::TempDir, sent: &[Sent], what: &str) -> Vec<String> {
    let running = open(dir);
    for sent in sent {
        let Some(id) = &sent.id else { continue };
        let profile = running.ready(id);
        assert_eq!(profile["status"], "ready", "{what}: {profile}");
        let own = profile["id"].as_str().unwrap();
        let files = profile["files"].as_array().unwrap();
        let name = files.iter().find(|f| f["kind"] == "received").unwrap()["name"].as_str().unwrap();
        let file = running.get(&format!("/api/v1/profiles/{own}/files/{name}"));
        assert!(file.body == sent.content, "{what}: {id} is not what was sent");
    }
    let end = Instant::now() + PATIENCE;
    while running.json("/api/v1/status")["spool"]["uploads"] != 0 {
        assert!(Instant::now() < end, "{what}: the spool is not emptied");
        std::thread::sleep(Duration::from_millis(10));
    }
    // No duplicates: at most one row per service.
    let rows = running.json("/api/v1/profiles?from=0&limit=500");
    let rows: Vec<String> =
        rows["rows"].as_array().unwrap().iter().map(|r| r["service"].as_str().unwrap().to_owned()).collect();
    for sent in sent {
        let count = rows.iter().filter(|service| **service == sent.service).count();
        assert!(count == 1 || count == 0 && sent.id.is_none(), "{what}: {} is there {count} times", sent.service);
    }
    let Running { server, dir, .. } = running;
    server.unwrap().stop();
    let data = dir.path().join("data");
    assert_eq!(entries(&data.join("spool")), ["tmp"], "{what}");
    assert!(!data.join("index.db.damaged").exists(), "{what}: the index was rebuilt without need");
    assert_eq!(entries(&data.join("spool/tmp")), [""; 0], "{what}");
    assert_eq!(entries(&data.join("store/tmp")), [""; 0], "{what}");
    assert_eq!(jfrkit_server::check(&data).unwrap(), Vec::<String>::new(), "{what}");
    rows
}

/// Kills a server at a point that two uploads of the same kind pass, and looks for both.
fn killed_at(point: &str, content: &[Vec<u8>; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let mut process = Process::start(dir.path(), Some(point));
    // The second upload may arrive after the crash.
    let sent = [upload(&process.1, "one", content[0].clone()), upload(&process.1, "two", content[1].clone())];
    process.wait();
    let rows = all_there(dir, &sent, point);
    // The worker takes durable uploads; whether the response was sent before the crash is a matter of chance.
    if !point.starts_with("spool") || point == "spool-durable" {
        assert_eq!(rows.iter().filter(|service| *service == "one").count(), 1, "{point}: {rows:?}");
    }
}

#[test]
fn killed_while_an_upload_becomes_durable() {
    for point in ["spool-written", "spool-synced", "spool-renamed", "spool-durable"] {
        killed_at(point, &[small(1), small(2)]);
    }
}

#[test]
fn killed_while_a_profile_becomes_visible() {
    for point in
        ["worker-began", "received-written", "received-placed", "derived-written", "derived-placed", "profile-indexed"]
    {
        killed_at(point, &[small(1), small(2)]);
    }
    killed_at("worker-indexed", &[small(1), small(2)]);
}

#[test]
fn killed_while_the_analysis_is_added() {
    let recording = fixture("jdk17-profile.jfr.gz");
    for point in ["join-moved", "join-placed"] {
        killed_at(point, &[recording.clone(), small(1)]);
    }
}

#[test]
fn killed_before_an_upload_is_queued_for_forwarding() {
    for point in ["spool-durable", "forward-moved"] {
        let dir = tempfile::tempdir().unwrap();
        let (address, heard) = agent(&[]);
        let forward = ("JFRKIT_TEST_FORWARD", address.as_str());
        let mut process = Process::with(dir.path(), &[("JFRKIT_KILL_AT", point), forward]);
        let body = datadog("shop");
        {
            use std::io::{Read, Write};
            let mut stream = std::net::TcpStream::connect(&process.1).unwrap();
            stream.write_all(&request("/profiling/v1/input", FORM, &body)).unwrap();
            // There is no response.
            let _ = stream.read_to_end(&mut Vec::new());
        }
        process.wait();
        assert!(heard.try_recv().is_err(), "{point}");
        let mut process = Process::with(dir.path(), &[forward]);
        let sent = heard.recv_timeout(PATIENCE).unwrap();
        assert!(sent.ends_with(&body), "{point}: the body is not the one that came");
        let end = Instant::now() + PATIENCE;
        let (queue, spool) = (dir.path().join("data/forward"), dir.path().join("data/spool"));
        while !entries(&queue).is_empty() || entries(&spool) != ["tmp"] {
            assert!(Instant::now() < end, "{point}: {:?} and {:?} remain", entries(&queue), entries(&spool));
            std::thread::sleep(Duration::from_millis(10));
        }
        process.kill();
        assert!(heard.try_recv().is_err(), "{point}: it was forwarded twice");
        let running = open(dir);
        assert_eq!(running.json("/api/v1/profiles?from=0")["total"], 1, "{point}");
    }
}

#[test]
fn killed_while_an_unreadable_upload_is_moved_to_quarantine() {
    for point in ["quarantine-placed", "derived-written", "derived-placed"] {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Process::start(dir.path(), Some(point));
        let sent = upload(&process.1, "none", b"this is not a profile".to_vec());
        process.wait();
        let running = open(dir);
        let rows = running.json("/api/v1/profiles?from=0");
        assert_eq!(rows["total"], 1, "{point}");
        let id = rows["rows"][0]["id"].as_str().unwrap().to_owned();
        assert!(sent.id.is_none_or(|answered| answered == id), "{point}");
        let profile = running.ready(&id);
        assert_eq!(profile["status"], "failed", "{point}: {profile}");
        let name = profile["files"][0]["name"].as_str().unwrap();
        assert_eq!(running.get(&format!("/api/v1/profiles/{id}/files/{name}")).body, sent.content, "{point}");
        assert_eq!(running.json("/api/v1/profiles?from=0")["total"], 1, "{point}");
    }
}

/// Makes the profiles in a store look as if an older version had derived them that knew no types and found nothing.
fn age(store: &Path) {
    std::fs::rename(store.join("derived/2"), store.join("derived/1")).unwrap();
    for profile in profiles(&store.join("derived/1")) {
        let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&profile).unwrap()).unwrap();
        json["derived"] = 1.into();
        json["types"] = serde_json::json!([]);
        json["findings"] = serde_json::json!([]);
        std::fs::write(&profile, json.to_string()).unwrap();
        for entry in std::fs::read_dir(profile.parent().unwrap()).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().ends_with(".gz") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
}

/// All `profile.json` files below a directory.
fn profiles(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(profiles(&path));
        } else if path.ends_with("profile.json") {
            found.push(path);
        }
    }
    found
}

fn renewed(running: &Running) {
    let end = Instant::now() + PATIENCE;
    while running.json("/api/v1/status")["renewals"] != 0 {
        assert!(Instant::now() < end, "the profiles are not derived again");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn profiles_of_an_older_version_are_derived_again() {
    let running = Running::new();
    let heap = pprof(
        &[("inuse_objects", "count"), ("inuse_space", "bytes")],
        &[(&["main.keep", "main.main"], &[3, 4_096], "t")],
        "main.go",
    );
    let (start, end) = ("2026-11-26T10:00:00Z", "2026-11-26T10:01:00Z");
    let both = |label: &str, content: &[u8]| {
        let event = event("go", "go", &[label], start, end, "");
        let body = form(&[("event", Some("event.json"), &event), (label, Some(label), content)]);
        running.post("/profiling/v1/input", FORM, &body).id()
    };
    let java = running.post("/api/v1/recordings?service=java", "", &fixture("jdk17-profile.jfr.gz")).id();
    let go = both("cpu.pprof", &small(1));
    running.ready(&go);
    // Joins the previous one.
    running.ready(&both("heap.pprof", &heap));
    let gone = running.post("/api/v1/recordings?service=gone", "", &small(2)).id();
    let before: Vec<_> = [&java, &go, &gone].map(|id| running.ready(id)).into();
    assert_eq!(running.json("/api/v1/profiles?from=0")["total"], 3);
    let patch = b"{\"pinned\":true,\"note\":\"keep\"}";
    let head = format!(
        "PATCH /api/v1/profiles/{go} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        patch.len()
    );
    assert_eq!(send(&running.address, &[head.as_bytes(), patch].concat(), usize::MAX).status, 200);
    let Running { mut server, dir, .. } = running;
    server.take().unwrap().stop();
    let store = dir.path().join("data/store");
    age(&store);
    let received = profiles_dir(&store.join("received"), &gone);
    std::fs::remove_dir_all(received).unwrap();

    let running = open(dir);
    renewed(&running);
    for (id, before) in [(&java, &before[0]), (&go, &before[1])] {
        let after = running.json(&format!("/api/v1/profiles/{id}"));
        assert_eq!(after["derived"], 2);
        for name in
            ["types", "cpu_cores", "alloc_rate", "findings", "tags", "warnings", "start", "end", "bytes", "files"]
        {
            assert_eq!(after[name], before[name], "{name} of {id}");
        }
        assert_eq!(running.get(&format!("/api/v1/flame?profile={id}&type=cpu")).status, 200);
        assert_eq!(running.get(&format!("/api/v1/profiles/{id}/analysis")).status, 200);
    }
    assert_eq!(running.json(&format!("/api/v1/profiles/{go}"))["pinned"], true);
    assert_eq!(running.json(&format!("/api/v1/profiles/{go}"))["note"], "keep");
    // A profile that cannot be derived again is left alone.
    let kept = running.json(&format!("/api/v1/profiles/{gone}"));
    assert_eq!((&kept["derived"], &kept["status"]), (&1.into(), &"ready".into()));
    assert_eq!(running.json("/api/v1/profiles?from=0")["total"], 3);
    assert_eq!(profiles(&store.join("derived/1")).len(), 1);
    assert_eq!(profiles(&store.join("derived/2")).len(), 2);

    // It can still be deleted, and a rebuilt index contains it.
    let Running { mut server, dir, .. } = running;
    server.take().unwrap().stop();
    std::fs::remove_file(dir.path().join("data/index.db")).unwrap();
    let running = open(dir);
    assert_eq!(running.json("/api/v1/profiles?from=0")["total"], 3);
    let request = format!("DELETE /api/v1/profiles/{gone} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let answer = send(&running.address, request.as_bytes(), usize::MAX);
    assert!(answer.status / 100 == 2, "{}", answer.text());
    assert_eq!(profiles(&store.join("derived/1")), [""; 0].map(std::path::PathBuf::from));
    assert_eq!(running.json("/api/v1/profiles?from=0")["total"], 2);
}

/// The directory of an upload or profile below a directory organized by hour.
fn profiles_dir(dir: &Path, id: &str) -> std::path::PathBuf {
    let mut level = vec![dir.to_owned()];
    loop {
        if let Some(found) = level.iter().find(|path| path.ends_with(id)) {
            return found.clone();
        }
        level = level.iter().flat_map(|dir| std::fs::read_dir(dir).unwrap()).map(|e| e.unwrap().path()).collect();
        assert!(!level.is_empty(), "{id} is not below {}", dir.display());
    }
}

#[test]
fn killed_while_a_profile_is_derived_again() {
    for point in ["renew-written", "renew-placed"] {
        let running = Running::new();
        let content = [small(1), small(2)];
        let sent = ["one", "two"].iter().zip(&content).map(|(service, content)| {
            let sent = upload(&running.address, service, content.clone());
            running.ready(sent.id.as_ref().unwrap());
            sent
        });
        let sent: Vec<Sent> = sent.collect();
        let Running { mut server, dir, .. } = running;
        server.take().unwrap().stop();
        age(&dir.path().join("data/store"));
        Process::spawn(dir.path(), &[("JFRKIT_KILL_AT", point)]).wait();
        let running = open(dir);
        renewed(&running);
        let Running { mut server, dir, .. } = running;
        server.take().unwrap().stop();
        assert_eq!(profiles(&dir.path().join("data/store/derived/1")).len(), 0, "{point}");
        all_there(dir, &sent, point);
    }
}

#[test]
fn killed_at_random_under_load() {
    for round in 0..3i64 {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Process::start(dir.path(), None);
        let address = process.1.clone();
        let acknowledged = AtomicUsize::new(0);
        let sent = std::thread::scope(|scope| {
            let (address, acknowledged) = (&address, &acknowledged);
            let senders: Vec<_> = (0..4i64)
                .map(|sender| {
                    scope.spawn(move || {
                        let mut done = Vec::new();
                        for n in 0..100 {
                            let name = format!("r{round}-{sender}-{n}");
                            done.push(upload(address, &name, small(round * 1_000 + sender * 100 + n)));
                            if done.last().is_some_and(|sent| sent.id.is_none()) {
                                break;
                            }
                            acknowledged.fetch_add(1, Ordering::Relaxed);
                        }
                        done
                    })
                })
                .collect();
            // Kill it at any time once some are acknowledged; how many depends on the machine.
            let end = Instant::now() + PATIENCE;
            while acknowledged.load(Ordering::Relaxed) < 3 && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(
                u64::from(std::process::id() % 97) + 60 * u64::try_from(round).unwrap(),
            ));
            process.kill();
            senders.into_iter().flat_map(|s| s.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(sent.iter().any(|s| s.id.is_some()), "nothing was acknowledged in round {round}");
        all_there(dir, &sent, &format!("round {round}"));
    }
}

#[test]
fn an_upload_that_kills_the_server_repeatedly_is_abandoned_but_kept() {
    let dir = tempfile::tempdir().unwrap();
    let content = small(1);
    let mut process = Process::start(dir.path(), Some("derived-written"));
    upload(&process.1, "one", content.clone());
    process.wait();
    for _ in 1..3 {
        Process::spawn(dir.path(), &[("JFRKIT_KILL_AT", "derived-written")]).wait();
    }
    let running = open(dir);
    let id = running.json("/api/v1/profiles?from=0")["rows"][0]["id"].as_str().unwrap().to_owned();
    let profile = running.ready(&id);
    assert_eq!(profile["status"], "failed", "{profile}");
    assert!(profile["reason"].as_str().unwrap().contains("3 times"), "{profile}");
    assert_eq!(running.get(&format!("/api/v1/profiles/{id}/files/recording")).body, content);
}

#[test]
fn a_damaged_or_missing_index_is_rebuilt() {
    let running = Running::new();
    let id = running.post("/api/v1/recordings?service=a", "", &small(1)).id();
    let before = running.ready(&id);
    running.ready(&running.post("/api/v1/recordings?service=b", "", &small(2)).id());
    let Running { mut server, dir, .. } = running;
    server.take().unwrap().stop();
    let index = dir.path().join("data/index.db");
    let sound = std::fs::read(&index).unwrap();
    let mut dir = Some(dir);
    type Damage<'d> = (&'d str, &'d dyn Fn());
    let damages: [Damage<'_>; 6] = [
        ("not a database", &|| std::fs::write(&index, b"whatever its name says ".repeat(1_000)).unwrap()),
        ("missing", &|| std::fs::remove_file(&index).unwrap()),
        ("empty", &|| std::fs::write(&index, b"").unwrap()),
        ("cut", &|| std::fs::write(&index, &sound[..sound.len() / 2]).unwrap()),
        ("pages of noise", &|| {
            let mut bytes = sound.clone();
            for (i, byte) in bytes.iter_mut().enumerate().skip(4_096) {
                *byte = u8::try_from(i % 251).unwrap();
            }
            std::fs::write(&index, bytes).unwrap();
        }),
        ("a later version", &|| {
            let mut bytes = sound.clone();
            bytes[63] = 99;
            std::fs::write(&index, bytes).unwrap();
        }),
    ];
    for (damage, apply) in damages {
        let _ = std::fs::remove_file(dir.as_ref().unwrap().path().join("data/index.db-wal"));
        let _ = std::fs::remove_file(dir.as_ref().unwrap().path().join("data/index.db-shm"));
        apply();
        let running = open(dir.take().unwrap());
        let after = running.json(&format!("/api/v1/profiles/{id}"));
        for name in ["id", "service", "types", "cpu_cores", "findings", "bytes"] {
            assert_eq!(after[name], before[name], "{damage}: {name}");
        }
        assert_eq!(running.json("/api/v1/profiles?from=0")["total"], 2, "{damage}");
        let new = running.post(&format!("/api/v1/recordings?service={}", damage.replace(' ', "-")), "", b"no").id();
        assert_eq!(running.ready(&new)["status"], "failed", "{damage}");
        send(
            &running.address,
            format!("DELETE /api/v1/profiles/{new} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                .as_bytes(),
            usize::MAX,
        );
        let Running { server, dir: kept, .. } = running;
        server.unwrap().stop();
        assert_eq!(jfrkit_server::check(&kept.path().join("data")).unwrap(), Vec::<String>::new(), "{damage}");
        dir = Some(kept);
    }
}

#[test]
fn the_index_can_be_rebuilt_on_demand_and_check_lists_differences() {
    let running = Running::new();
    let id = running.post("/api/v1/recordings?service=a", "", &small(1)).id();
    running.ready(&id);
    // Checking changes nothing while a server is running.
    let data = running.dir.path().join("data");
    std::fs::create_dir(data.join("store/tmp/being-made")).unwrap();
    assert_eq!(jfrkit_server::check(&data).unwrap(), Vec::<String>::new());
    assert!(data.join("store/tmp/being-made").is_dir());
    let Running { mut server, dir, .. } = running;
    server.take().unwrap().stop();
    let find = |name: &str| {
        let mut found = Vec::new();
        let mut dirs = vec![data.join("store")];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    dirs.push(entry.path());
                } else if entry.file_name() == name {
                    found.push(entry.path());
                }
            }
        }
        found
    };
    let part = find("00.part").remove(0);
    let sound = std::fs::read(&part).unwrap();
    let mut damaged = sound.clone();
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(&part, damaged).unwrap();
    let cpu = find("cpu.pb.gz").remove(0);
    let derived = std::fs::read(&cpu).unwrap();
    std::fs::remove_file(&cpu).unwrap();
    let found = jfrkit_server::check(&data).unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("the derived file cpu.pb.gz is missing"), "{found:?}");
    assert!(found[1].contains("is not what was sent"), "{found:?}");
    std::fs::write(&part, sound).unwrap();
    std::fs::write(&cpu, derived).unwrap();
    // A profile that exists only in the store, and one only in the index.
    let json = find("profile.json").remove(0);
    let hidden = dir.path().join("hidden");
    std::fs::rename(json.parent().unwrap(), &hidden).unwrap();
    assert_eq!(jfrkit_server::check(&data).unwrap(), [format!("{id}: in the index, not in the store")]);
    let server = Server::start(options(dir.path()), true).unwrap();
    server.stop();
    assert_eq!(jfrkit_server::check(&data).unwrap(), Vec::<String>::new());
    std::fs::rename(&hidden, json.parent().unwrap()).unwrap();
    assert_eq!(jfrkit_server::check(&data).unwrap(), [format!("{id}: in the store, not in the index")]);
    // What looks like the rest of an interrupted deletion is left to the server.
    std::fs::rename(&json, &hidden).unwrap();
    assert_eq!(jfrkit_server::check(&data).unwrap(), Vec::<String>::new());
    assert!(cpu.exists());
    std::fs::rename(&hidden, &json).unwrap();
    let server = Server::start(options(dir.path()), true).unwrap();
    server.stop();
    assert_eq!(jfrkit_server::check(&data).unwrap(), Vec::<String>::new());
}

#[test]
fn a_directory_has_one_server() {
    let running = Running::new();
    let mut options = Options::default();
    options.dir = running.dir.path().join("data");
    options.listen = vec!["127.0.0.1:0".to_owned()];
    let error = Server::start(options, false).err().unwrap().to_string();
    assert!(error.contains("another server uses this directory"), "{error}");
    // The first server did not notice.
    let id = running.post("/api/v1/recordings?service=a", "", &small(1)).id();
    assert_eq!(running.ready(&id)["status"], "ready");
}

#[test]
fn a_spool_that_cannot_be_written_is_a_503() {
    let running = Running::new();
    let tmp = running.dir.path().join("data/spool/tmp");
    std::fs::remove_dir(&tmp).unwrap();
    let answer = running.post("/api/v1/recordings?service=a", "", &small(1));
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.head.to_lowercase().contains("retry-after"), "{}", answer.head);
    std::fs::create_dir(&tmp).unwrap();
    let id = running.post("/api/v1/recordings?service=a", "", &small(1)).id();
    assert_eq!(running.ready(&id)["status"], "ready");
}

#[test]
fn setting_the_clock_back_keeps_the_order_and_deletes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // A year ahead, until someone corrects it.
    let mut process = Process::with(dir.path(), &[("JFRKIT_TEST_CLOCK", "31536000000")]);
    let first = upload(&process.1, "first", small(1)).id.unwrap();
    process.kill();
    let ahead = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap() + 30_000_000_000;
    assert!(Id::parse(&first).unwrap().millis() > ahead, "{first}");
    let running = open(dir);
    assert_eq!(running.ready(&first)["service"], "first");
    let second = running.post("/api/v1/recordings?service=second", "", &small(2)).id();
    assert!(second > first, "ids sort by the order of receipt: {second} after {first}");
    running.ready(&second);
    let running = running.restart();
    let third = running.post("/api/v1/recordings?service=third", "", &small(3)).id();
    assert!(third > second, "{third} after {second}");
    assert_eq!(running.ready(&third)["status"], "ready");
    let rows = running.json("/api/v1/profiles?from=0&to=now%2B1000d");
    assert_eq!(rows["total"], 3, "{rows}");
    assert_eq!(running.ready(&first)["status"], "ready");
}

#[test]
fn unreadable_uploads_are_kept_for_a_week() {
    let dir = tempfile::tempdir().unwrap();
    let mut sent = Vec::new();
    for days in [8, 5] {
        let clock = (-days * 86_400_000_i64).to_string();
        let mut process = Process::with(dir.path(), &[("JFRKIT_TEST_CLOCK", &clock)]);
        let there = Running { server: None, address: process.1.clone(), dir: tempfile::tempdir().unwrap() };
        for (service, content) in [("fine", small(days)), ("odd", format!("odd {days}").into_bytes())] {
            let id = upload(&process.1, service, content).id.unwrap();
            there.ready(&id);
            sent.push((service, days, id));
        }
        process.kill();
    }
    let running = open(dir);
    for (service, days, id) in sent {
        let file = format!("/api/v1/profiles/{id}/files/recording");
        // Retention runs at the start, in the background.
        let kept = (service, days) == ("odd", 5);
        let end = Instant::now() + PATIENCE;
        while !kept && running.get(&file).status != 410 {
            assert!(Instant::now() < end, "{service} of {days} days ago is still there");
            std::thread::sleep(Duration::from_millis(10));
        }
        let profile = running.json(&format!("/api/v1/profiles/{id}"));
        assert_eq!(profile["received_removed"].is_null(), kept, "{service} {days}: {profile}");
        assert_eq!(running.get(&file).status, if kept { 200 } else { 410 }, "{service} {days}");
    }
    let Running { mut server, dir, .. } = running;
    server.take().unwrap().stop();
    assert_eq!(jfrkit_server::check(&dir.path().join("data")).unwrap(), Vec::<String>::new());
}

#[test]
fn a_starting_server_answers_503() {
    let running = Running::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let mut options = options(running.dir.path());
    options.listen = vec![address.clone()];
    // It waits a while for the other server to leave the directory.
    let second = std::thread::spawn(move || Server::start(options, false).err().unwrap().to_string());
    let end = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(&address).is_err() {
        assert!(Instant::now() < end, "it does not listen");
        std::thread::sleep(Duration::from_millis(1));
    }
    let get =
        |path: &str| send(&address, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes(), usize::MAX);
    assert_eq!(get("/healthz").status, 200);
    let answer = get("/readyz");
    assert!(answer.status == 503 && answer.text().contains("the server is starting"), "{}", answer.text());
    let answer = send(&address, &request("/api/v1/recordings", "", &vec![7; 1 << 20]), usize::MAX);
    assert!(answer.status == 503 && answer.head.contains("retry-after: 5"), "{}", answer.head);
    // A client that waits to be asked for its body is not asked for a body that nothing would keep.
    let waiting = request("/api/v1/recordings", "Expect: 100-continue\r\n", &[7; 9]);
    let answer = send(&address, &waiting[..waiting.len() - 9], usize::MAX);
    assert_eq!(answer.status, 503, "{}", answer.head);
    assert!(second.join().unwrap().contains("another server uses this directory"));
}

/// A small RAM disk, removed after the test. `None` if tests are not allowed to mount.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount = ["-t", "tmpfs", "-o", &format!("size={size}"), "jfrkit-test"].map(str::to_owned);
        let mounted = Command::new("mount").args(mount).arg(dir.path()).stderr(Stdio::null()).status();
        if !mounted.is_ok_and(|status| status.success()) {
            eprintln!("skipped: only root can mount a small disk");
            return None;
        }
        Some(Self(dir))
    }

    fn running(&self) -> Running {
        let server = Server::start(options(self.0.path()), false).unwrap();
        let address = server.urls()[0].trim_start_matches("http://").to_owned();
        Running { server: Some(server), address, dir: tempfile::tempdir().unwrap() }
    }

    /// Uses up all space except for `leave` bytes.
    fn fill(&self, leave: usize) {
        use std::io::Write;
        let mut file = std::fs::File::create(self.0.path().join("filler")).unwrap();
        let mut bytes = 0;
        while file.write_all(&[7; 4_096]).is_ok() {
            bytes += 4_096u64;
        }
        file.set_len(bytes.saturating_sub(leave as u64)).unwrap();
    }

    fn free(&self) {
        std::fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let Some(disk) = Disk::new("6m") else { return };
    let running = disk.running();
    let first = running.post("/api/v1/recordings?service=first", "", &small(1)).id();
    running.ready(&first);
    disk.fill(0);
    let answer = running.post("/api/v1/recordings?service=second", "", &small(2));
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.head.to_lowercase().contains("retry-after"), "{}", answer.head);
    assert_eq!(running.json(&format!("/api/v1/profiles/{first}"))["status"], "ready");
    assert_eq!(running.json(&format!("/api/v1/flame?type=cpu&profile={first}"))["samples"], 1);
    disk.free();
    // Now the space runs out at different points between the first byte of an upload and the last row of its profile.
    disk.fill(400 << 10);
    let mut sent = vec![Sent { service: "first".to_owned(), id: Some(first), content: small(1) }];
    let mut refused = 0;
    for n in 0..400 {
        let one = upload(&running.address, &format!("s{n}"), small(100 + n));
        refused += u32::from(one.id.is_none());
        sent.push(one);
        if refused > 3 {
            break;
        }
    }
    assert!(refused > 0 && sent.iter().filter(|s| s.id.is_some()).count() > 2, "{refused} of {} refused", sent.len());
    assert_eq!(running.get("/healthz").status, 200);
    disk.free();
    for one in &sent {
        let Some(id) = &one.id else { continue };
        let profile = running.ready(id);
        assert_eq!(profile["status"], "ready", "{profile}");
        let file = running.get(&format!("/api/v1/profiles/{id}/files/recording"));
        assert!(file.body == one.content, "{id} is not what was sent");
    }
    running.server.unwrap().stop();
    let data = disk.0.path().join("data");
    assert_eq!(entries(&data.join("spool/tmp")), [""; 0]);
    assert_eq!(entries(&data.join("store/tmp")), [""; 0]);
    assert_eq!(jfrkit_server::check(&data).unwrap(), Vec::<String>::new());
}

#[test]
fn a_read_only_directory_is_an_error_at_startup_and_stays_unchanged() {
    let Some(disk) = Disk::new("6m") else { return };
    let running = disk.running();
    let id = running.post("/api/v1/recordings?service=first", "", &small(1)).id();
    running.ready(&id);
    running.server.unwrap().stop();
    let remount = |how: &str| {
        let status = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(disk.0.path()).status();
        assert!(status.unwrap().success());
    };
    remount("ro");
    let error = Server::start(options(disk.0.path()), false).err().unwrap().to_string();
    assert!(error.contains("Read-only file system"), "{error}");
    remount("rw");
    let running = disk.running();
    assert_eq!(running.ready(&id)["status"], "ready");
    running.server.unwrap().stop();
}
