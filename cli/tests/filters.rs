//! Filters, on recordings and pprof files, and what is shown if they leave nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};

use common::{arguments, assert_failed, fixture, jfrkit};

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/demo").join(name)
}

fn run(input: &Path, arguments: &[&str]) -> std::process::Output {
    jfrkit(&arguments[..1]).arg(input).args(&arguments[1..]).output().unwrap()
}

/// The number of samples of a profile as `top` counts them.
fn samples(input: &Path, arguments: &[&str]) -> i64 {
    let output = run(input, &[&["top", "--format", "json"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let top: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    top["samples"].as_i64().unwrap()
}

#[test]
fn a_filter_that_a_pprof_file_cannot_answer_is_an_error() {
    let go = demo("go-cpu.pprof.gz");
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    for (filter, what) in [
        (
            ["--from", "1s"],
            "go-cpu.pprof.gz: this profile has no times of samples, so --from and --to cannot be applied",
        ),
        (["--to", "1s"], "this profile has no times of samples"),
        (["--thread", "allocate"], "this profile has no threads, so --thread cannot be applied"),
        (["--state", "RUNNABLE"], "this profile has no thread states, so --state cannot be applied"),
    ] {
        for command in [
            &["top"][..],
            &["flame", "--term"],
            &["heatmap", "-o", "-"],
            &["convert", "--format", "collapsed", "-o", out],
        ] {
            assert_failed(&run(&go, &[command, &filter].concat()), &[what]);
        }
    }
    assert!(common::names(dir.path()).is_empty());
}

#[test]
fn pprof_files_are_filtered_by_thread_time_and_frame() {
    let python = demo("python.pprof.zst");
    let all = samples(&python, &["--type", "wall"]);
    let main = samples(&python, &["--type", "wall", "--thread", "^MainThread$"]);
    let others = samples(&python, &["--type", "wall", "--thread", "^[^M]"]);
    assert!(0 < main && main < all && main + others == all, "{main} + {others} of {all}");
    let early = samples(&python, &["--type", "wall", "--to", "5s"]);
    let late = samples(&python, &["--type", "wall", "--from", "5s"]);
    assert!(0 < early && 0 < late && early + late == all, "{early} + {late} of {all}");

    // `convert` writes what `top` counts.
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    for (filter, expected) in [(["--thread", "^MainThread$"], main), (["--to", "5s"], early)] {
        let written = run(&python, &[&["convert", "-o", out], &filter[..]].concat());
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
        let file = dir.path().join("python.pb.gz");
        assert_eq!(samples(&file, &["--type", "wall"]), expected, "{filter:?}");
    }
    let with = samples(&python, &["--type", "wall", "--include", "Thread.run"]);
    let without = samples(&python, &["--type", "wall", "--exclude", "Thread.run"]);
    assert_eq!(with + without, all);
    assert_failed(&run(&python, &["top", "--type", "wall", "--thread", "nobody"]), &["no wall profile: the filters"]);
}

#[test]
fn a_filter_does_not_change_the_type_that_is_shown() {
    let recording = fixture("jdk17-full.jfr");
    let reason = "no cpu profile: the filters exclude all events of jdk.ExecutionSample";
    for command in [&["top"][..], &["flame", "--term"], &["heatmap", "-o", "-"]] {
        assert_failed(&run(&recording, &[command, &["--state", "foo"]].concat()), &[reason]);
    }
    // The page has the other types, and says what is missing.
    let page = run(&recording, &["flame", "--state", "foo", "-o", "-"]);
    assert!(page.status.success() && !page.stdout.is_empty());
    assert!(common::said(&page)[0].contains(reason), "{:?}", common::said(&page));
    // Without CPU samples to begin with, another type comes first whatever the filter.
    assert!(samples(&fixture("scenarios/lock-contention.jfr.gz"), &["--type", "lock", "--thread", "."]) > 0);
    let go = demo("go-cpu.pprof.gz");
    assert_failed(&run(&go, &["top", "--include", "no.such.function"]), &["no cpu profile: the filters exclude"]);
}

#[test]
fn a_type_without_samples_does_not_hide_the_others() {
    let recording = fixture("jdk11-profile.jfr.gz");
    let only_cpu = run(&recording, &["top", "--type", "cpu"]);
    let both = run(&recording, &["top", "--type", "cpu,lock"]);
    assert!(both.status.success());
    assert_eq!(both.stdout, only_cpu.stdout);
    assert!(common::said(&both)[0].contains("jdk11-profile.jfr.gz: no lock profile: "), "{:?}", common::said(&both));
    let reversed = run(&recording, &["flame", "--term", "--type", "lock,cpu"]);
    assert_eq!(reversed.stdout, run(&recording, &["flame", "--term", "--type", "cpu"]).stdout);
    assert!(reversed.status.success());
    // A typo is still one, and nothing at all is a failure.
    assert_eq!(run(&recording, &["top", "--type", "cpu,lokc"]).status.code(), Some(2));
    let none = run(&recording, &["top", "--type", "lock,wall"]);
    assert_eq!((none.status.code(), none.stdout.len()), (Some(1), 0));
    let merged =
        jfrkit(&arguments!["top", "--type", "cpu,lock", &recording, demo("go-cpu.pprof.gz")]).output().unwrap();
    assert!(merged.status.code().is_some());
}

#[test]
fn commands_for_recordings_reject_pprof_files() {
    for command in ["summary", "info", "print", "metadata"] {
        assert_failed(&run(&demo("go-cpu.pprof.gz"), &[command]), &["this is a pprof file, not a recording", "top"]);
    }
}

#[test]
fn a_file_that_cannot_be_exported_is_named_once() {
    let dir = tempfile::tempdir().unwrap();
    let output = jfrkit(&arguments!["export", "nosuch.jfr", "-o", dir.path().join("out")]).output().unwrap();
    let said = common::said(&output);
    assert!(said.iter().any(|line| line.matches("nosuch.jfr").count() == 1), "{said:?}");
    assert!(said.iter().all(|line| line.matches("nosuch.jfr").count() < 2), "{said:?}");
}

#[test]
fn rows_by_method_or_function_are_the_same() {
    let recording = fixture("jdk17-full.jfr");
    let top = |by| run(&recording, &["top", "--by", by]).stdout;
    assert!(!top("method").is_empty() && top("method") == top("function"));
    let diff = |by| jfrkit(&arguments!["diff", &recording, &recording, "--by", by]).output().unwrap().stdout;
    assert!(!diff("method").is_empty() && diff("method") == diff("function"));
}
