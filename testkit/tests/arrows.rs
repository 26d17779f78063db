//! Checks that the crates depend on each other only as drawn in ARCHITECTURE.md, using `cargo metadata`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Each package with the packages of this workspace that it may depend on, except in its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("jfr-parse", &[]),
    ("jfrkit-profile", &[]),
    ("jfr-analyzers", &["jfr-parse", "jfrkit-profile"]),
    ("jfrkit-rules", &["jfr-analyzers", "jfr-parse", "jfrkit-profile"]),
    ("jfrkit-web", &[]),
    ("jfrkit-reports", &["jfr-analyzers", "jfr-parse", "jfrkit-profile", "jfrkit-rules", "jfrkit-web"]),
    ("pprof-emit", &["jfrkit-profile"]),
    ("jfrkit-tables", &["jfr-analyzers", "jfr-parse", "jfrkit-profile", "jfrkit-rules", "pprof-emit"]),
    (
        "jfrkit-server",
        &["jfr-analyzers", "jfr-parse", "jfrkit-profile", "jfrkit-reports", "jfrkit-rules", "jfrkit-web", "pprof-emit"],
    ),
    (
        "jfrkit",
        &[
            "jfr-analyzers",
            "jfr-parse",
            "jfrkit-profile",
            "jfrkit-reports",
            "jfrkit-rules",
            "jfrkit-server",
            "jfrkit-tables",
            "jfrkit-web",
            "pprof-emit",
        ],
    ),
];

/// Packages that are never published: tests and benchmarks. They may depend on everything.
const UNPUBLISHED: &[&str] = &["jfrkit-testkit", "jfrkit-benches"];

/// External packages that some of our packages must not depend on.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("jfr-parse", &["rayon", "regex", "toml", "prost", "arrow-array", "arrow-schema", "parquet"]),
    ("jfrkit-profile", &["memmap2", "toml", "prost", "flate2", "arrow-array", "arrow-schema", "parquet"]),
    ("jfr-analyzers", &["toml", "prost", "anstyle", "arrow-array", "arrow-schema", "parquet"]),
    ("jfrkit-rules", &["arrow-array", "arrow-schema", "parquet"]),
    ("jfrkit-reports", &["arrow-array", "arrow-schema", "parquet"]),
    ("pprof-emit", &["memmap2", "toml", "regex", "arrow-array", "arrow-schema", "parquet"]),
    ("jfrkit-server", &["arrow-array", "arrow-schema", "parquet"]),
    // Only `tables` knows Arrow and Parquet.
    ("jfrkit", &["arrow-array", "arrow-schema", "parquet"]),
];

#[test]
fn crates_depend_only_along_the_arrows() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut checked = 0;
    for package in packages {
        let name = package["name"].as_str().unwrap();
        if UNPUBLISHED.contains(&name) {
            continue;
        }
        let may =
            allowed.get(name).unwrap_or_else(|| panic!("{name} has no arrows: add it here and to ARCHITECTURE.md"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            let of_tests = dependency["kind"] == "dev";
            if !of_tests && ours.contains(to) {
                assert!(may.contains(&to), "{name} must not depend on {to}");
            }
            let forbidden = FORBIDDEN.iter().filter(|(of, _)| *of == name).flat_map(|(_, list)| list.iter());
            assert!(of_tests || !forbidden.copied().any(|f| f == to), "{name} must not depend on {to}");
        }
        checked += 1;
    }
    assert!(checked >= 7, "{checked} packages");
}
