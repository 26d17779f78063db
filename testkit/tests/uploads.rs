//! Uploads hundreds of damaged recordings and pprof files: each gets a response and is kept, and none stops the server or leaves
//! anything behind.
//!
//! Unlike random bytes, these keep their framing, so they reach the code behind it. `JFRKIT_MUTANTS` sets the number of each
//! kind.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

#[path = "../../server/tests/common/mod.rs"]
mod common;

use common::*;
use jfr_parse::{Limits, Recording};
use jfrkit_testkit::{Random, mutant, mutant_of_pprof, reduced};
use pprof_emit::pb;
use prost::Message;

const MUTANTS: usize = 200;

fn count() -> usize {
    std::env::var("JFRKIT_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(MUTANTS)
}

/// Recordings with a few events of each type, in all format versions.
fn recordings() -> Vec<(&'static str, Vec<u8>)> {
    ["jdk8-profile.jfr.gz", "jdk11-profile.jfr.gz", "jdk17-multichunk.jfr", "jdk21-full.jfr.gz", "jdk25-full.jfr.gz"]
        .map(|name| {
            (name, reduced(&Recording::from_bytes(fixture(name), &Limits::tool()).unwrap(), 2, |_| true).unwrap())
        })
        .into()
}

/// A pprof file with typical content: several values, labels, lines, inlined frames.
fn sound() -> pb::Profile {
    let types = [("samples", "count"), ("cpu", "nanoseconds"), ("alloc_space", "bytes"), ("inuse_space", "bytes")];
    let bytes = pprof(
        &types,
        &[
            (&["c", "b", "a"], &[1, 100, 7, 4_096], "t1"),
            (&["d", "b"], &[1, 20, 9, 0], "t2"),
            (&["runtime.gcBgMarkWorker"], &[3, 5, 0, 1], "t2"),
        ],
        "main.go",
    );
    let mut profile = pb::Profile::decode(&*bytes).unwrap();
    let inlined = profile.location[0].line[0];
    profile.location[1].line.push(inlined);
    profile.period = 10_000_000;
    profile.period_type = profile.sample_type.get(1).copied();
    profile
}

/// The names in a directory.
fn entries(dir: &std::path::Path) -> Vec<String> {
    std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

/// Sends the uploads, waits for all of them, and checks each result. At least one in `share` must be readable; otherwise the
/// damage would not reach much code.
fn all_are_kept(uploads: impl Iterator<Item = (String, Vec<u8>)>, types: &[&str], share: usize) {
    let running = Running::new();
    let mut sent = Vec::new();
    for (n, (name, bytes)) in uploads.enumerate() {
        // Each compression format is another way into the reader.
        let bytes = if n % 3 == 0 { gzip(&bytes) } else { bytes };
        let answer = running.post(&format!("/api/v1/recordings?service=m&tag=n:{n}"), "", &bytes);
        if answer.status == 400 {
            // Nothing was left of it.
            assert!(bytes.len() < 4, "{name}: {}", answer.text());
            continue;
        }
        sent.push((answer.id(), name, bytes));
    }
    let (mut ready, mut failed) = (0, 0);
    for (id, name, bytes) in &sent {
        let profile = running.ready(id);
        let own = profile["id"].as_str().unwrap();
        let file = profile["files"].as_array().unwrap().iter().find(|f| f["kind"] == "received").unwrap();
        let file = running.get(&format!("/api/v1/profiles/{own}/files/{}", file["name"].as_str().unwrap()));
        assert!(file.body == *bytes, "{name}: what is kept is not what was sent");
        if profile["status"] == "failed" {
            assert!(!profile["reason"].as_str().unwrap().is_empty(), "{name}");
            failed += 1;
            continue;
        }
        ready += 1;
        for entry in profile["types"].as_array().unwrap().iter().filter(|t| t["absent"].is_null()) {
            let kind = entry["type"].as_str().unwrap();
            if types.contains(&kind) {
                for what in ["flame?", "flame?view=callers&", "table?by=function&"] {
                    let answer = running.get(&format!("/api/v1/{what}profile={own}&type={kind}"));
                    assert_eq!(answer.status, 200, "{name}: {what} of {kind}: {}", answer.text());
                }
            }
        }
        for what in ["analysis", "runtime"] {
            let answer = running.get(&format!("/api/v1/profiles/{own}/{what}"));
            assert!(matches!(answer.status, 200 | 404), "{name}: {what}: {} {}", answer.status, answer.text());
        }
    }
    println!("{ready} can be read, {failed} cannot");
    assert!(ready > sent.len() / share, "only {ready} of {} can be read", sent.len());
    assert_eq!(running.get("/healthz").status, 200);
    let metrics = running.get("/metrics").text();
    assert!(!metrics.contains("reason=\"panic\""), "{metrics}");
    assert!(!metrics.lines().any(|l| l.starts_with("jfrkit_http") && l.contains("code=\"5")), "{metrics}");

    // After a restart, everything is there, and nothing else.
    let running = running.restart();
    for (id, name, _) in &sent {
        assert_eq!(running.get(&format!("/api/v1/profiles/{id}")).status, 200, "{name} after a restart");
    }
    let Running { server, dir, .. } = running;
    server.unwrap().stop();
    let data = dir.path().join("data");
    assert_eq!(entries(&data.join("spool")), ["tmp"]);
    assert_eq!(entries(&data.join("spool/tmp")), [""; 0]);
    assert_eq!(entries(&data.join("store/tmp")), [""; 0]);
    assert_eq!(jfrkit_server::check(&data).unwrap(), Vec::<String>::new());
}

#[test]
fn damaged_recordings_as_uploads_do_no_harm() {
    let seeds = recordings();
    let mutants = (0..count()).map(|i| {
        let mut random = Random::new(i as u64);
        let (name, bytes) = random.pick(&seeds).clone();
        (format!("mutant {i} of {name}"), mutant(&bytes, &mut random))
    });
    all_are_kept(mutants, &["cpu", "alloc", "lock", "file-io"], 4);
}

#[test]
fn damaged_pprof_files_as_uploads_do_no_harm() {
    let sound = sound().encode_to_vec();
    let mutants = (0..count()).map(|i| (format!("pprof {i}"), mutant_of_pprof(&sound, &mut Random::new(i as u64))));
    all_are_kept(mutants, &["cpu", "alloc", "heap"], 8);
}
