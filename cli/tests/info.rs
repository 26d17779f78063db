//! `jfrkit info` and `jfrkit summary` as run by users.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{arguments, fixture, jfrkit, said};
use serde_json::Value;

fn info(args: &[std::ffi::OsString]) -> String {
    let output = jfrkit(args).output().unwrap();
    assert!(output.status.success(), "{:?}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The entries of a section, by name.
fn section(runtime: &Value, name: &str) -> Vec<(String, String)> {
    let section = runtime["sections"].as_array().unwrap().iter().find(|section| section["name"] == name).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    section["entries"].as_array().unwrap().iter().map(|e| (text(&e["name"]), text(&e["value"]))).collect()
}

#[test]
fn every_section_is_there() {
    let text = info(&arguments!("info", fixture("jdk17-full.jfr")));
    for heading in [
        "Process",
        "JVM",
        "Operating system",
        "CPU",
        "Container",
        "Memory",
        "Collector and heap",
        "Flags that differ from the defaults",
        "Arguments",
        "Agents",
        "Profiler",
        "Settings of the recording, by event",
        "What the recording cannot show, and how to enable it",
        "System properties",
        "Environment",
        "Modules",
        "All flags, with their origin",
    ] {
        assert!(text.contains(&format!("{heading}\n---")), "{heading}");
    }
    let runtime: Value =
        serde_json::from_str(&info(&arguments!("info", "--format", "json", fixture("jdk17-full.jfr")))).unwrap();
    let heap = section(&runtime, "heap");
    assert!(heap.contains(&("Young Garbage Collector".into(), "G1New".into())), "{heap:?}");
    let settings = section(&runtime, "settings");
    assert!(
        settings.iter().any(|(name, value)| name == "jdk.CPULoad" && value.starts_with("on, period 1")),
        "{settings:?}"
    );
    // This recording has the flags.
    let profile = fixture("jdk17-profile.jfr.gz");
    let flags: Value = serde_json::from_str(&info(&arguments!("info", "--format", "json", profile))).unwrap();
    let (all, changed) = (section(&flags, "flags"), section(&flags, "flags-changed"));
    assert!(all.len() > 500 && !changed.is_empty() && changed.len() < 100, "{} {}", all.len(), changed.len());
    assert!(changed.iter().all(|flag| all.contains(flag)));
    assert_eq!(runtime["overview"].as_array().unwrap().len(), 10);
}

#[test]
fn secrets_are_hidden_unless_they_are_asked_for() {
    let file = fixture("scenarios/secrets.jfr.gz");
    for format in ["text", "json"] {
        let hidden = info(&arguments!("info", "--format", format, &file));
        assert!(!hidden.contains("made-up"), "{format}");
        assert!(hidden.contains("••••") && hidden.contains("DB_PASSWORD"), "{format}");
        let shown = info(&arguments!("info", "--format", format, "--show-secrets", &file));
        assert!(shown.contains("made-up"), "{format}");
    }
    assert!(!info(&arguments!("summary", &file)).contains("made-up"));
}

#[test]
fn a_value_that_changed_has_its_earlier_ones() {
    // Two JVMs in sequence.
    let directory = tempfile::tempdir().unwrap();
    let joined = directory.path().join("joined.jfr");
    let bytes = ["jdk17-full.jfr", "jdk17-multichunk.jfr"].map(|name| std::fs::read(fixture(name)).unwrap()).concat();
    std::fs::write(&joined, bytes).unwrap();
    let of = |file: &std::ffi::OsStr| -> Value {
        let runtime: Value = serde_json::from_str(&info(&arguments!("info", "--format", "json", file))).unwrap();
        let process =
            runtime["sections"].as_array().unwrap().iter().find(|section| section["name"] == "process").unwrap();
        process["entries"].as_array().unwrap().iter().find(|entry| entry["name"] == "PID").unwrap().clone()
    };
    let (first, second) = (of(fixture("jdk17-full.jfr").as_os_str()), of(fixture("jdk17-multichunk.jfr").as_os_str()));
    let both = of(joined.as_os_str());
    assert_eq!(both["value"], second["value"]);
    assert_eq!(both["earlier"], serde_json::json!([first["value"]]));
}

#[test]
fn sections_by_name() {
    let text = info(&arguments!("info", "--section", "cpu,memory", fixture("jdk17-full.jfr")));
    assert!(text.starts_with("CPU\n---\n") && text.contains("\nMemory\n") && !text.contains("Process\n"), "{text}");
    let output = jfrkit(&arguments!("info", "--section", "nothing", fixture("jdk17-full.jfr"))).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output)[0].contains("there are process, jvm"), "{:?}", said(&output));
}

#[test]
fn a_summary_is_ten_lines_and_the_rest_with_v() {
    let file = fixture("jdk17-full.jfr");
    let short = info(&arguments!("summary", &file));
    let names: Vec<&str> = short.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(
        names,
        [
            "File",
            "Main class",
            "JVM",
            "Collector",
            "Heap",
            "CPUs",
            "Container",
            "Span",
            "Events",
            "Profiler",
            "Profiles"
        ]
    );
    assert!(short.contains("Profiles:   cpu, alloc, native,"), "{short}");
    let long = info(&arguments!("summary", "-v", &file));
    assert!(long.starts_with(&short) && long.contains("jdk.ThreadSleep"), "{long}");
}
