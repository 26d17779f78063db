//! Beyond plain TCP: Unix sockets, the client of `jfrkit upload`, and forwarding.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "common/mod.rs"]
mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use common::*;
use jfrkit_server::upload::Target;
use jfrkit_server::{Options, Server};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_unix_socket_accepts_uploads_and_is_removed() {
    let sockets = tempfile::tempdir().unwrap();
    let path = sockets.path().join("jfrkit.sock");
    // Left behind by a killed server.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let running = Running::with(|o| o.listen.push(format!("unix:{}", path.display())));
    let ask = |bytes: &[u8]| {
        let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        parse(&answer)
    };
    let id = ask(&request("/api/v1/recordings?service=s", "", &fixture("jdk17-profile.jfr.gz"))).id();
    let profile = running.ready(&id);
    assert_eq!((profile["status"].as_str(), profile["service"].as_str()), (Some("ready"), Some("s")));
    assert_eq!(ask(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").status, 200);
    let urls = running.server.as_ref().unwrap().urls().to_vec();
    assert_eq!(urls[1], format!("unix:{}", path.display()));
    // A second server does not take over the socket.
    let mut options = Options::default();
    options.dir = sockets.path().join("other");
    options.listen = vec![format!("unix:{}", path.display())];
    assert!(Server::start(options, false).err().unwrap().to_string().contains("in use"));
    running.server.unwrap().stop();
    assert!(!path.exists());
}

#[test]
fn upload_prints_the_response_even_to_a_large_file() {
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("large.jfr");
    std::fs::write(&file, vec![1; 40 << 20]).unwrap();
    let send = |running: &Running| {
        let target = Target { url: format!("http://{}", running.address), key: None };
        target.send(&file, "service=s", false)
    };
    let full = Running::with(|o| o.min_free = Some(u64::MAX));
    let error = send(&full).unwrap_err();
    assert!(error.contains("the server answered 503") && error.contains("the disk is nearly full"), "{error}");
    let small = Running::with(|o| o.max_upload = 1 << 20);
    let error = send(&small).unwrap_err();
    assert!(error.contains("the server answered 413") && error.contains("larger than 1048576 bytes"), "{error}");
    let keyed = Running::with(|o| o.intake_keys = vec!["secret".to_owned()]);
    let error = send(&keyed).unwrap_err();
    assert!(error.contains("the server answered 401") && error.contains("key is missing or wrong"), "{error}");
    let fine = Running::new();
    assert_eq!(send(&fine).unwrap().status, "received");
    let gone = Target { url: "http://127.0.0.1:1".to_owned(), key: None }.send(&file, "", false).unwrap_err();
    assert!(gone.starts_with("http://127.0.0.1:1: "), "{gone}");
}

#[test]
fn upload_can_wait_where_pages_need_a_token() {
    let running = Running::with(|o| {
        o.intake_keys = vec!["secret".to_owned()];
        o.page_tokens = vec!["token".to_owned()];
    });
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("small.jfr.gz");
    std::fs::write(&file, fixture("jdk17-profile.jfr.gz")).unwrap();
    let send = |key: &str, wait: bool| {
        let target = Target { url: format!("http://{}", running.address), key: Some(key.to_owned()) };
        target.send(&file, "service=s", wait)
    };
    assert_eq!(send("secret", false).unwrap().status, "received");
    assert_eq!(send("token", true).unwrap().status, "ready");
    let error = send("secret", true).unwrap_err();
    assert!(error.contains("was accepted") && error.contains("--wait needs a page token"), "{error}");
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn uploads_are_forwarded_unchanged() {
    // It fails once, then arrives.
    let (address, heard) = agent(&[503]);
    let running = Running::with(|o| o.forward = Some(address));
    let body = datadog("shop");
    let headers = format!("{FORM}DD-EVP-ORIGIN: dd-trace-java\r\nX-Custom: kept\r\nConnection: close\r\n");
    let id = running.post("/profiling/v1/input?debug=1", &headers, &body).id();
    for _ in 0..2 {
        let sent = heard.recv_timeout(PATIENCE).unwrap();
        let at = sent.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&sent[..at]).to_lowercase();
        assert!(head.starts_with("post /profiling/v1/input?debug=1 http/1.1\r\n"), "{head}");
        for line in ["dd-evp-origin: dd-trace-java", "x-custom: kept", "via: 1.1 jfrkit", "boundary=-----"] {
            assert!(head.contains(line), "{line}: {head}");
        }
        assert!(!head.contains("host: localhost\r\n") && !head.contains("x-jfrkit"), "{head}");
        assert!(sent[at + 4..] == body, "the body is not the one that came");
    }
    assert_eq!(running.ready(&id)["status"], "ready", "it is kept here, too");
    wait_for("the queue is not emptied", || {
        let forward = running.json("/api/v1/status")["forward"].clone();
        forward["queue"] == 0 && forward["state"]["sent"] == 1 && forward["state"]["failed"] == 1
    });
    assert_eq!(std::fs::read_dir(running.dir.path().join("data/forward")).unwrap().count(), 0);
    // Recordings uploaded by a person are not forwarded.
    running.ready(&running.post("/api/v1/recordings?service=own", "", &fixture("jdk17-profile.jfr.gz")).id());
    assert!(heard.recv_timeout(Duration::from_millis(600)).is_err());
}

#[test]
fn uploads_waiting_to_be_forwarded_survive_a_restart() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let away = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let forward_only = |address: String| {
        move |o: &mut Options| {
            o.forward = Some(address);
            o.forward_only = true;
        }
    };
    let running = Running::with(forward_only(away));
    let began = Instant::now();
    let answer = running.post("/profiling/v1/input", FORM, &datadog("shop"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(began.elapsed() < Duration::from_secs(30), "the client waited for the agent");
    wait_for("the failure is not shown", || running.json("/api/v1/status")["forward"]["state"]["failed"] != 0);
    assert_eq!(running.json("/api/v1/status")["forward"]["queue"], 1);
    assert_eq!(running.json("/api/v1/profiles?from=0")["total"], 0, "only the queue keeps the upload");
    running.server.unwrap().stop();
    let (address, heard) = agent(&[]);
    let mut options = Options::default();
    options.dir = running.dir.path().join("data");
    options.listen = vec!["127.0.0.1:0".to_owned()];
    options.min_free = Some(0);
    forward_only(address)(&mut options);
    let server = Server::start(options, false).unwrap();
    let sent = heard.recv_timeout(PATIENCE).unwrap();
    let at = sent.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    assert!(sent[at + 4..] == datadog("shop"));
    wait_for("the queue is not emptied", || {
        std::fs::read_dir(running.dir.path().join("data/forward")).unwrap().count() == 0
    });
    server.stop();
}

#[test]
fn a_full_queue_drops_uploads_and_reports_it() {
    let (address, heard) = agent(&[]);
    let running = Running::with(|o| {
        o.forward = Some(address);
        o.forward_max = 1;
    });
    let id = running.post("/profiling/v1/input", FORM, &datadog("shop")).id();
    assert_eq!(running.ready(&id)["status"], "ready");
    let forward = running.json("/api/v1/status")["forward"].clone();
    assert_eq!((&forward["queue"], &forward["state"]["dropped"]), (&0.into(), &1.into()), "{forward}");
    assert!(forward["state"]["last_error"].as_str().unwrap().contains("--forward-max"), "{forward}");
    assert!(heard.try_recv().is_err());
    // If nothing else keeps it, the client has to know.
    let (address, heard) = agent(&[]);
    let running = Running::with(|o| {
        o.forward = Some(address);
        o.forward_max = 1;
        o.forward_only = true;
    });
    let answer = running.post("/profiling/v1/input", FORM, &datadog("shop"));
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("--forward-max") && answer.head.contains("retry-after"), "{}", answer.text());
    assert!(heard.try_recv().is_err());
}
