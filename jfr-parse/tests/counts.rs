//! Counts the events of real recordings and compares the results with those of other parsers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use jfr_parse::Recording;
use jfr_parse::testing::{corpus, fixture};

type Counts = BTreeMap<String, u64>;

/// Number of events of each declared type.
fn count(path: &Path) -> jfr_parse::Result<Counts> {
    let recording = Recording::open(path)?;
    let mut counts = Counts::new();
    for chunk in recording.chunks() {
        let chunk = chunk?;
        for event in chunk.events() {
            if let Some(of) = chunk.metadata().by_id(event.type_id) {
                *counts.entry(of.name().to_owned()).or_default() += 1;
            }
        }
    }
    Ok(counts)
}

/// The counts of the crate `jfrs`; `None` if it cannot read the file.
fn count_with_jfrs(path: &Path) -> Option<Counts> {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut counts = Counts::new();
    let mut reader = jfrs::reader::JfrReader::new(file);
    for chunk in reader.chunks() {
        let (mut bytes, chunk) = chunk.ok()?;
        for event in bytes.events(&chunk) {
            *counts.entry(event.ok()?.class.name().to_owned()).or_default() += 1;
        }
    }
    Some(counts)
}

#[test]
fn the_corpus_matches_jfrs() {
    let Some(corpus) = corpus("") else { return };
    let (mut compared, mut folders) = (0, vec![corpus.join("generated"), corpus.join("public")]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|e| e != "jfr") || path.metadata().unwrap().len() > 2 << 20 {
                continue;
            }
            // It rejects many files and panics on some; a file that it cannot read proves nothing about us.
            let Ok(Some(theirs)) = std::panic::catch_unwind(|| count_with_jfrs(&path)) else { continue };
            if !theirs.is_empty() {
                assert_eq!(count(&path).unwrap(), theirs, "{}", path.display());
                compared += 1;
            }
        }
    }
    assert!(compared >= 10, "only {compared} files compared");
}

#[test]
fn the_corpus_matches_the_jdk() {
    let Some(corpus) = corpus("") else { return };
    let mut folders = vec![corpus.join("expected")];
    let (mut compared, mut wrong) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = if path.extension().is_some_and(|e| e == "gz") {
                std::io::read_to_string(flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap())).unwrap()
            } else {
                std::fs::read_to_string(&path).unwrap()
            };
            let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
            if expected.get("error").is_some() || expected.get("directError").is_some() {
                // It gave up partway, or read only the finished chunks.
                continue;
            }
            let Some(events) = expected.get("events").and_then(|e| e.as_object()) else { continue };
            let events: Counts = events.iter().map(|(k, v)| (k.clone(), v.as_u64().unwrap())).collect();
            let name = path.strip_prefix(corpus.join("expected")).unwrap().to_str().unwrap();
            let recording = corpus.join(name.trim_end_matches(".gz").trim_end_matches(".json"));
            // Some recordings with an expected file are missing from some copies of the corpus.
            let Some(recording) =
                [recording, corpus.join(name.trim_end_matches(".json"))].into_iter().find(|p| p.exists())
            else {
                continue;
            };
            compared += 1;
            match count(&recording) {
                Ok(counts) if counts == events => {}
                Ok(counts) => {
                    let differ = |k: &&String| counts.get(*k) != events.get(*k);
                    let first = counts.keys().chain(events.keys()).find(differ).unwrap();
                    let (ours, theirs) = (counts.get(first), events.get(first));
                    wrong.push(format!("{name}: {first}: {ours:?}, the JDK reads {theirs:?}"));
                }
                Err(e) => wrong.push(format!("{name}: {e}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 50, "only {compared} recordings compared");
}

#[test]
fn serde_reads_the_same_values_as_the_value_tree() {
    let recording = Recording::open(fixture("jdk17-full.jfr")).unwrap();
    let mut events = 0;
    for chunk in recording.chunks() {
        let chunk = chunk.unwrap();
        // Every 7th event, because whole trees are large.
        for event in chunk.events().step_by(7) {
            let tree = serde_json::to_value(chunk.value(&event).unwrap()).unwrap();
            let read: serde_json::Value = chunk.deserialize(&event).unwrap();
            assert_eq!(read, tree);
            events += 1;
        }
    }
    assert!(events > 500, "{events}");
}
