//! What was acknowledged is there: after SIGKILL at each step and at random, with a damaged index, a full disk, two servers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "common/mod.rs"]
mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::*;
use jfrkit_server::{Options, Server};

/// Not a test: the server of the tests below, in a process of its own.
#[test]
fn child() {
    let Ok(dir) = std::env::var("JFRKIT_TEST_DIR") else { return };
    let mut options = Options::default();
    options.dir = Path::new(&dir).join("data");
    options.listen = vec!["127.0.0.1:0".to_owned()];
    options.min_free = Some(0);
    let server = Server::start(options, false).unwrap();
    let address = server.urls()[0].trim_start_matches("http://").to_owned();
    std::fs::write(Path::new(&dir).join("address.new"), address).unwrap();
    std::fs::rename(Path::new(&dir).join("address.new"), Path::new(&dir).join("address")).unwrap();
    server.run();
}

fn start(dir: &Path, kill_at: Option<&str>) -> (Child, String) {
    let _ = std::fs::remove_file(dir.join("address"));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--test-threads=1"])
        .env("JFRKIT_TEST_DIR", dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(point) = kill_at {
        command.env("JFRKIT_KILL_AT", point);
    }
    let mut child = command.spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Ok(address) = std::fs::read_to_string(dir.join("address")) {
            return (child, address);
        }
        assert!(Instant::now() < end && child.try_wait().unwrap().is_none(), "the child does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends an upload that may be cut off; the id, if it was acknowledged.
fn upload(address: &str, service: &str, content: &[u8]) -> Option<String> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    stream.write_all(&request(&format!("/api/v1/recordings?service={service}"), "", content)).ok()?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    let at = text.find("\r\n\r\n")?;
    text.starts_with("HTTP/1.1 200")
        .then(|| serde_json::from_str::<serde_json::Value>(&text[at..]).ok()?["id"].as_str().map(str::to_owned))
        .flatten()
}

/// Starts a server on the directory and looks for everything that was acknowledged.
fn all_there(dir: tempfile::TempDir, acknowledged: &[(String, Vec<u8>)], what: &str) {
    let mut options = Options::default();
    options.dir = dir.path().join("data");
    options.listen = vec!["127.0.0.1:0".to_owned()];
    options.min_free = Some(0);
    let server = Server::start(options.clone(), false).unwrap();
    let address = server.urls()[0].trim_start_matches("http://").to_owned();
    let running = Running { server: Some(server), address, dir };
    for (id, content) in acknowledged {
        let profile = running.ready(id);
        assert_eq!(profile["status"], "ready", "{what}: {profile}");
        let own = profile["id"].as_str().unwrap();
        let name = profile["files"][0]["name"].as_str().unwrap();
        let file = running.get(&format!("/api/v1/profiles/{own}/files/{name}"));
        assert!(&file.body == content, "{what}: {id} is not what was sent");
    }
    // Nothing twice: as many rows as there are services.
    let end = Instant::now() + Duration::from_secs(30);
    while running.json("/api/v1/status")["spool"]["uploads"] != 0 {
        assert!(Instant::now() < end, "{what}: the spool is not emptied");
        std::thread::sleep(Duration::from_millis(50));
    }
    let rows = running.json("/api/v1/profiles?from=0&limit=500");
    let mut services: Vec<&str> =
        rows["rows"].as_array().unwrap().iter().map(|r| r["service"].as_str().unwrap()).collect();
    let all = services.len();
    services.sort_unstable();
    services.dedup();
    assert_eq!(services.len(), all, "{what}: a profile is there twice");
    let Running { server, dir, .. } = running;
    server.unwrap().stop();
    assert_eq!(std::fs::read_dir(dir.path().join("data/spool/tmp")).unwrap().count(), 0, "{what}");
    assert_eq!(std::fs::read_dir(dir.path().join("data/store/tmp")).unwrap().count(), 0, "{what}");
    assert_eq!(jfrkit_server::check(&options.dir).unwrap(), Vec::<String>::new(), "{what}");
}

#[test]
fn killed_at_each_step_nothing_acknowledged_is_lost() {
    let points = [
        "spool-written",
        "spool-synced",
        "spool-renamed",
        "spool-durable",
        "worker-began",
        "received-written",
        "received-placed",
        "derived-written",
        "derived-placed",
        "profile-indexed",
        "join-moved",
        "join-placed",
        "worker-indexed",
    ];
    let content = fixture("jdk17-profile.jfr.gz");
    for point in points {
        let dir = tempfile::tempdir().unwrap();
        let (mut child, address) = start(dir.path(), Some(point));
        let mut acknowledged = Vec::new();
        // The second may come after the end.
        for service in ["one", "two"] {
            if let Some(id) = upload(&address, service, &content) {
                acknowledged.push((id, content.clone()));
            }
        }
        let end = Instant::now() + Duration::from_secs(30);
        while child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "the child is not killed at {point}");
            std::thread::sleep(Duration::from_millis(10));
        }
        if !point.starts_with("spool") {
            assert!(!acknowledged.is_empty(), "{point}");
        }
        all_there(dir, &acknowledged, point);
    }
}

#[test]
fn killed_at_random_under_load_nothing_acknowledged_is_lost() {
    for round in 0..3u64 {
        let dir = tempfile::tempdir().unwrap();
        let (mut child, address) = start(dir.path(), None);
        let content = fixture("jdk11-profile.jfr.gz");
        let acknowledged = std::thread::scope(|scope| {
            let (address, content) = (&address, &content);
            let senders: Vec<_> = (0..4)
                .map(|sender| {
                    scope.spawn(move || {
                        let mut done = Vec::new();
                        for n in 0..50 {
                            match upload(address, &format!("r{round}-{sender}-{n}"), content) {
                                Some(id) => done.push((id, content.clone())),
                                None => return done,
                            }
                        }
                        done
                    })
                })
                .collect();
            std::thread::sleep(Duration::from_millis(300 + 370 * round));
            child.kill().unwrap();
            child.wait().unwrap();
            senders.into_iter().flat_map(|s| s.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(!acknowledged.is_empty(), "nothing was acknowledged in round {round}");
        all_there(dir, &acknowledged, &format!("round {round}"));
    }
}

#[test]
fn a_damaged_or_missing_index_is_made_anew() {
    let running = Running::new();
    let id = running.post("/api/v1/recordings?service=a", "", &fixture("jdk17-profile.jfr.gz")).id();
    let before = running.ready(&id);
    let Running { mut server, dir, .. } = running;
    server.take().unwrap().stop();
    let index = dir.path().join("data/index.db");
    for damage in ["garbage", "missing"] {
        if damage == "garbage" {
            std::fs::write(&index, b"this is no database at all, whatever its name says".repeat(100)).unwrap();
        } else {
            std::fs::remove_file(&index).unwrap();
        }
        let mut options = Options::default();
        options.dir = dir.path().join("data");
        options.listen = vec!["127.0.0.1:0".to_owned()];
        options.min_free = Some(0);
        let server = Server::start(options, false).unwrap();
        let address = server.urls()[0].trim_start_matches("http://").to_owned();
        let answer = send(
            &address,
            format!("GET /api/v1/profiles/{id} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
            usize::MAX,
        );
        let after = answer.json();
        for name in ["id", "service", "types", "cpu_cores", "findings", "bytes"] {
            assert_eq!(after[name], before[name], "{damage}: {name}");
        }
        server.stop();
    }
}

#[test]
fn one_directory_is_for_one_server() {
    let running = Running::new();
    let mut options = Options::default();
    options.dir = running.dir.path().join("data");
    options.listen = vec!["127.0.0.1:0".to_owned()];
    options.min_free = Some(0);
    let error = Server::start(options, false).err().unwrap().to_string();
    assert!(error.contains("another server uses this directory"), "{error}");
}

#[test]
fn a_directory_that_cannot_be_written_is_a_503() {
    let running = Running::new();
    let tmp = running.dir.path().join("data/spool/tmp");
    std::fs::remove_dir(&tmp).unwrap();
    let answer = running.post("/api/v1/recordings?service=a", "", &fixture("jdk17-profile.jfr.gz"));
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.head.to_lowercase().contains("retry-after"), "{}", answer.head);
    std::fs::create_dir(&tmp).unwrap();
    let id = running.post("/api/v1/recordings?service=a", "", &fixture("jdk17-profile.jfr.gz")).id();
    assert_eq!(running.ready(&id)["status"], "ready");
}

#[test]
fn what_cannot_be_read_is_kept_apart_with_the_reason() {
    let running = Running::new();
    for (service, content) in [("text", &b"this is no profile"[..]), ("cut", &fixture("jdk17-profile.jfr.gz")[..20])] {
        let id = running.post(&format!("/api/v1/recordings?service={service}"), "", content).id();
        let profile = running.ready(&id);
        assert_eq!(profile["status"], "failed", "{profile}");
        assert!(!profile["reason"].as_str().unwrap().is_empty());
        let name = profile["files"][0]["name"].as_str().unwrap();
        assert_eq!(running.get(&format!("/api/v1/profiles/{id}/files/{name}")).body, content);
        assert!(running.dir.path().join(format!("data/store/quarantine/{id}/reason.txt")).is_file());
    }
    let status = running.json("/api/v1/status");
    assert_eq!(status["profiles"]["failed"], 2);
    assert_eq!(running.json("/api/v1/profiles?q=status:failed&from=0")["total"], 2);
}
