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

/// The fixture with this name, below `fixtures/`.
fn fixture(name: &str) -> Option<String> {
    let names =
        ["{}.jfr", "{}.jfr.gz", "scenarios/{}.jfr.gz", "metrics/{}.jfr.gz"].map(|form| form.replace("{}", name));
    names.into_iter().find(|path| root().join("fixtures").join(path).is_file())
}

/// The names of the files with a suffix in a directory, without the suffix.
fn names(directory: &str, suffix: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(directory)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(suffix).map(str::to_owned)).collect();
    names.sort();
    names
}

/// Each file of expectations has the name of a fixture. Its numbers come from the program's own counts or from its design, as its
/// note says; never from what we read.
#[test]
fn fixtures_have_the_profiles_that_their_programs_make() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for name in names("testkit/tests/correctness", ".json").iter().filter(|name| *name != "workload") {
        let text = std::fs::read_to_string(root().join(format!("testkit/tests/correctness/{name}.json"))).unwrap();
        let all = profiles(&fixture(name).unwrap_or_else(|| panic!("the fixture {name} does not exist")));
        for of in expected(&text).stacks {
            let Some(profile) = all.iter().find(|p| p.values().any(|(value, _)| value == of.profile_type)) else {
                wrong.push(format!("{name}: there is no {}", of.profile_type));
                continue;
            };
            checked += of.content.len();
            let one = Expected { test_name: name.clone(), stacks: vec![of] };
            wrong.extend(check(profile, &one).into_iter().map(|line| format!("{name}: {line}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 100, "{checked}");
}

#[test]
fn each_fixture_with_a_truth_has_expectations() {
    let known = names("testkit/tests/correctness", ".json");
    for name in [names("fixtures", ".truth.json"), names("fixtures/metrics", ".truth.json")].concat() {
        assert!(known.contains(&name), "testkit/tests/correctness/{name}.json is missing");
    }
}

/// A check that cannot fail is worthless.
#[test]
fn wrong_expectations_are_reported() {
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
