//! `diff --fail-on-regression` on real recordings: two runs of the same program rarely differ, and a planted slowdown is found.
//!
//! Recording takes fifteen minutes and a quiet machine, so this runs only on request:
//! `JFRKIT_PAIRS=20 cargo test -p jfrkit --test pairs -- --nocapture`. JAVA_HOME, or `java` and `javac` in PATH, must be JDK 17 or
//! later. JFRKIT_PAIRS_DIR keeps the recordings and uses those that are there.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{arguments, jfrkit};
use serde_json::Value;

/// Seconds of each recording: enough for some thousands of samples.
const SECONDS: &str = "12";

fn tool(name: &str) -> PathBuf {
    std::env::var_os("JAVA_HOME").map_or_else(|| name.into(), |home| Path::new(&home).join("bin").join(name))
}

/// The output of a program. Fails if the program does.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Compares two recordings; returns the functions that became slower.
fn slower(a: &Path, b: &Path) -> Vec<String> {
    let diff = ["--type", "cpu", "--fail-on-regression", "10%", "--format", "json"];
    let output = jfrkit(&arguments!["diff", a, b]).args(diff).output().unwrap();
    let compared: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    let found: Vec<String> = compared["regressions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {:+.1} %", row["key"].as_str().unwrap(), row["growth"].as_f64().unwrap() * 100.0))
        .collect();
    assert_eq!(output.status.code(), Some(if found.is_empty() { 0 } else { 3 }), "{found:?}");
    found
}

#[test]
fn real_recordings_raise_few_alarms_and_a_slowdown_of_15_percent_is_found() {
    let Some(pairs) = std::env::var("JFRKIT_PAIRS").ok().and_then(|n| n.parse::<usize>().ok()) else {
        println!("skipped: set JFRKIT_PAIRS=20 to record 20 pairs; takes fifteen minutes and a JDK");
        return;
    };
    if Command::new(tool("javac")).arg("-version").output().is_err() {
        println!("skipped: javac is not installed");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("JFRKIT_PAIRS_DIR").map_or_else(|| scratch.path().to_owned(), PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/Slowdown.java");
    run(Command::new(tool("javac")).arg("-d").arg(&folder).arg(source));
    let java = || {
        let mut java = Command::new(tool("java"));
        java.args(["-XX:+UnlockDiagnosticVMOptions", "-XX:+DebugNonSafepoints", "-XX:+UseSerialGC", "-cp"]);
        java.arg(&folder).arg("fx.Slowdown");
        java
    };
    let rounds = run(java().arg("calibrate")).trim().to_owned();
    println!("{rounds} rounds of work in a request");
    let record = |name: String, percent: &str| {
        let file = folder.join(name);
        if !file.exists() {
            run(java().arg(&file).args([SECONDS, &rounds, percent]));
        }
        file
    };
    let (mut alarms, mut found) = (0, 0);
    for i in 0..pairs {
        let [a, b] = ["a", "b"].map(|side| record(format!("{i}-{side}.jfr"), "100"));
        let slow = record(format!("{i}-slow.jfr"), "115");
        let (same, planted) = (slower(&a, &b), slower(&a, &slow));
        println!("pair {i}: the same program: {same:?}; 15 % slower: {planted:?}");
        alarms += usize::from(!same.is_empty());
        found += usize::from(planted.iter().any(|row| row.starts_with("fx.Slowdown.price ")));
    }
    println!(
        "{alarms} of {pairs} pairs of the same program raise an alarm; the slowdown is found in {found} of {pairs}"
    );
    assert!(alarms * 20 <= pairs, "{alarms} alarms");
    assert!(found * 20 >= pairs * 18, "found in {found}");
}
