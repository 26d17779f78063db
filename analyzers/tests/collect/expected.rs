//! Compares totals with those of the JDK's own parser for the recordings of the corpus, if available. The full
//! comparison, including stacks, is `check.py` of the conformance checks.

use jfr_analyzers::collect;
use jfrkit_profile::ProfileType;
use jfrkit_profile::ProfileType::ClassLoad;
use jfrkit_profile::ProfileType::FileIo;
use jfrkit_profile::ProfileType::Native;
use jfrkit_profile::ProfileType::SocketIo;
use serde_json::Value;

use crate::read::{only, totals};

type Expected = (ProfileType, &'static str, &'static [(&'static str, &'static str)]);

/// Types whose events always count, with the group and the column that contains bytes.
const KINDS: [Expected; 4] = [
    (Native, "native", &[("jdk.NativeMethodSample", "")]),
    (ClassLoad, "class-load", &[("jdk.ClassLoad", "")]),
    (FileIo, "file", &[("jdk.FileRead", "bytesRead"), ("jdk.FileWrite", "bytesWritten"), ("jdk.FileForce", "")]),
    (SocketIo, "socket", &[("jdk.SocketRead", "bytesRead"), ("jdk.SocketWrite", "bytesWritten")]),
];

/// The total of a column; 0 if the events do not have it.
fn total(event: &Value, column: &str) -> i64 {
    let place = event["columns"].as_array().and_then(|all| all.iter().position(|c| c == column));
    place.and_then(|i| event["totals"][i].as_i64()).unwrap_or(0)
}

#[test]
fn totals_are_those_of_the_jdks_parser() {
    let Some(corpus) = jfr_parse::testing::corpus("") else { return };
    let expectations = std::fs::read_dir(corpus.join("expected/generated")).unwrap();
    let mut compared = 0;
    for path in expectations.map(|entry| entry.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "json")) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let expected: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        if !expected["error"].is_null() || !expected["sumOf"].is_null() {
            continue;
        }
        let recording = jfr_parse::Recording::open(corpus.join("generated").join(&name)).unwrap();
        let set = collect(&recording, &only(&KINDS.map(|k| k.0))).unwrap();
        for (kind, group, events) in KINDS {
            let events = events.iter().map(|(event, bytes)| (&expected["profiles"][group][event], bytes));
            let events: Vec<_> = events.filter(|(event, _)| !event.is_null()).collect();
            let count: i64 = events.iter().map(|(event, _)| event["count"].as_i64().unwrap()).sum();
            let found = totals(&set, kind);
            if count == 0 {
                assert!(kind == ClassLoad || found.is_empty(), "{name} {kind}: {found:?}");
                continue;
            }
            assert_eq!(found[0], count, "{name} {kind}");
            if found.len() == 3 {
                assert_eq!(
                    found[1],
                    events.iter().map(|(event, bytes)| total(event, bytes)).sum::<i64>(),
                    "{name} {kind}"
                );
            }
            if kind != Native {
                let nanos: i64 = events.iter().map(|(event, _)| total(event, "duration")).sum();
                assert!((found[found.len() - 1] - nanos).abs() <= count, "{name} {kind}: {found:?}, not {nanos} ns");
            }
            compared += 1;
        }
    }
    assert!(compared > 20, "only {compared} profiles were compared");
}
