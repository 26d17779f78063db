//! Compares profiles with expectations in the format of DataDog's prof-correctness.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::{Path, PathBuf};

use jfr_analyzers::{LabelKey, Options, collect};
use jfr_parse::Recording;
use jfrkit_profile::Cancel;
use jfrkit_profile::any::AnyProfile;
use jfrkit_testkit::correctness::{Expected, check};
use pprof_emit::{AnyLimits, read_any};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn expected(text: &str) -> Expected {
    serde_json::from_str(text).unwrap()
}

/// All profiles of a recording, read back from their pprof files.
fn profiles(name: &str) -> Vec<AnyProfile> {
    let recording = Recording::open(root().join("fixtures").join(name)).unwrap();
    let mut options = Options::default();
    options.labels = vec![LabelKey::Thread];
    let set = collect(&recording, &options).unwrap();
    let read = |profile: &jfrkit_profile::Profile| {
        let mut bytes = Vec::new();
        pprof_emit::write_pprof(profile, &set.tables, &mut bytes, &pprof_emit::Options::default()).unwrap();
        read_any(&bytes, &AnyLimits::default(), &Cancel::default()).unwrap()
    };
    set.profiles.iter().map(read).collect()
}

#[test]
fn recordings_of_the_workload_have_the_shares_of_its_truth() {
    let text = include_str!("correctness/workload.json");
    for name in ["jdk17-full.jfr", "jdk17-multichunk.jfr", "jdk21-full.jfr.gz", "jdk25-full.jfr.gz"] {
        let all = profiles(name);
        for of in expected(text).stacks {
            let profile = all.iter().find(|p| p.values().any(|(value, _)| value == of.profile_type)).unwrap();
            let one = Expected { test_name: name.to_owned(), stacks: vec![of] };
            assert_eq!(check(profile, &one), [""; 0], "{name}");
        }
    }
}

/// A check that cannot fail is worthless.
#[test]
fn what_is_not_so_is_found() {
    let all = profiles("jdk17-full.jfr");
    let profile = all.iter().find(|p| p.values().any(|(value, _)| value == "exception-samples")).unwrap();
    let of = |content: &str, more: &str| {
        let text = format!(
            r#"{{"stacks": [{{"profile-type": "exception-samples", "error-margin": 3, {more} "stack-content": [{content}]}}]}}"#
        );
        check(profile, &expected(&text))
    };
    let rejected = r#""regular_expression": ";fx\\.Workload\\.throwRejected(;|$)""#;
    assert_eq!(of(&format!("{{{rejected}, \"percent\": 49}}"), "").len(), 0);
    assert_eq!(of(&format!("{{{rejected}, \"percent\": 40}}"), "").len(), 1);
    assert_eq!(
        of(
            &format!("{{{rejected}, \"percent\": 49, \"labels\": [{{\"key\": \"thread\", \"values\": [\"main\"]}}]}}"),
            ""
        )
        .len(),
        1
    );
    // 250 in 10.4 s.
    assert_eq!(of(&format!("{{{rejected}, \"value\": 24}}"), "").len(), 0);
    assert_eq!(of(&format!("{{{rejected}, \"value\": 20}}"), "").len(), 1);
    assert_eq!(of(&format!("{{{rejected}}}"), "\"value-matching-sum\": 24,").len(), 0);
    assert_eq!(of(&format!("{{{rejected}}}"), "\"value-matching-sum\": 30,").len(), 1);
    let absent = expected(r#"{"stacks": [{"profile-type": "heap", "stack-content": []}]}"#);
    assert_eq!(check(profile, &absent), ["there is no heap"]);
}
