//! Filters, on recordings and pprof files, and what is shown if they leave nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::Path;

use common::{arguments, demo, failure, fixture, jfrkit, shown};
use insta::assert_snapshot;

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
    let filters = [["--from", "1s"], ["--to", "1s"], ["--thread", "allocate"], ["--state", "RUNNABLE"]];
    insta::allow_duplicates! {
        for command in
            [&["top"][..], &["flame", "--term"], &["heatmap", "-o", "-"], &["convert", "--format", "collapsed", "-o", out]]
        {
            let each = filters.map(|filter| failure(&run(&go, &[command, &filter].concat())));
            assert_snapshot!(each.join("\n"), @r"
            jfrkit: error: server/demo/go-cpu.pprof.gz: this profile has no times of samples, so --from and --to cannot be applied
            jfrkit: error: server/demo/go-cpu.pprof.gz: this profile has no times of samples, so --from and --to cannot be applied
            jfrkit: error: server/demo/go-cpu.pprof.gz: this profile has no threads, so --thread cannot be applied
            jfrkit: error: server/demo/go-cpu.pprof.gz: this profile has no thread states, so --state cannot be applied
            ");
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
    assert_snapshot!(shown(&run(&python, &["top", "--type", "wall", "--thread", "nobody"])), @r"
    jfrkit: error: server/demo/python.pprof.zst: no wall profile: the filters exclude all samples
    exit status 1
    ");
}

#[test]
fn a_filter_does_not_change_the_type_that_is_shown() {
    let recording = fixture("jdk17-full.jfr");
    insta::allow_duplicates! {
        for command in [&["top"][..], &["flame", "--term"], &["heatmap", "-o", "-"]] {
            assert_snapshot!(shown(&run(&recording, &[command, &["--state", "foo"]].concat())), @r"
            jfrkit: error: fixtures/jdk17-full.jfr: no cpu profile: the filters exclude all events of jdk.ExecutionSample
            exit status 1
            ");
        }
    }
    // The page has the other types, and says what is missing.
    let page = run(&recording, &["flame", "--state", "foo", "-o", "-"]);
    assert!(page.status.success() && !page.stdout.is_empty());
    assert_snapshot!(common::without_places(&common::said(&page).join("\n")), @"jfrkit: warning: fixtures/jdk17-full.jfr: no cpu profile: the filters exclude all events of jdk.ExecutionSample");
    // Without CPU samples to begin with, another type comes first whatever the filter.
    assert!(samples(&fixture("scenarios/lock-contention.jfr.gz"), &["--type", "lock", "--thread", "."]) > 0);
    let go = demo("go-cpu.pprof.gz");
    assert_snapshot!(shown(&run(&go, &["top", "--include", "no.such.function"])), @r"
    jfrkit: error: server/demo/go-cpu.pprof.gz: no cpu profile: the filters exclude all samples
    exit status 1
    ");
}

#[test]
fn a_type_without_samples_does_not_hide_the_others() {
    let recording = fixture("jdk11-profile.jfr.gz");
    let only_cpu = run(&recording, &["top", "--type", "cpu"]);
    let both = run(&recording, &["top", "--type", "cpu,lock"]);
    assert!(both.status.success());
    assert_eq!(both.stdout, only_cpu.stdout);
    assert_snapshot!(common::without_places(&common::said(&both).join("\n")), @"jfrkit: warning: fixtures/jdk11-profile.jfr.gz: no lock profile: jdk.ThreadPark events do not count here: they are not lock waits");
    let reversed = run(&recording, &["flame", "--term", "--type", "lock,cpu"]);
    assert_eq!(reversed.stdout, run(&recording, &["flame", "--term", "--type", "cpu"]).stdout);
    assert!(reversed.status.success());
    // A typo is still one, and nothing at all is a failure.
    assert_snapshot!(shown(&run(&recording, &["top", "--type", "cpu,lokc"])), @r#"
    jfrkit: error: fixtures/jdk11-profile.jfr.gz: no profile type "lokc"; did you mean lock?
    exit status 2
    "#);
    assert_snapshot!(shown(&run(&recording, &["top", "--type", "lock,wall"])), @r"
    jfrkit: error: fixtures/jdk11-profile.jfr.gz: no lock profile: jdk.ThreadPark events do not count here: they are not lock waits
    exit status 1
    ");
    assert_snapshot!(shown(&common::run!("top", "--type", "cpu,lock", &recording, demo("go-cpu.pprof.gz"))), @r"
    jfrkit: error: fixtures/jdk11-profile.jfr.gz and 1 more: its cpu profile measures samples/count, cpu/nanoseconds, those before it measure cpu-samples/count, cpu-time/nanoseconds
    exit status 1
    ");
}

#[test]
fn commands_for_recordings_reject_pprof_files() {
    insta::allow_duplicates! {
        for command in ["summary", "info", "print", "metadata"] {
            assert_snapshot!(shown(&run(&demo("go-cpu.pprof.gz"), &[command])), @r"
            jfrkit: error: server/demo/go-cpu.pprof.gz: this is a pprof file, not a recording; analyze, convert, top, flame, diff, heatmap, report and metrics can read it
            exit status 1
            ");
        }
    }
}

#[test]
fn a_file_that_cannot_be_exported_is_named_once() {
    let dir = tempfile::tempdir().unwrap();
    assert_snapshot!(shown(&common::run!("export", "nosuch.jfr", "-o", dir.path().join("out"))), @r"
    jfrkit: error: nosuch.jfr: No such file or directory (os error 2)
    exit status 1
    ");
}

#[test]
fn rows_by_method_or_function_are_the_same() {
    let recording = fixture("jdk17-full.jfr");
    let top = |by| run(&recording, &["top", "--by", by]).stdout;
    assert!(!top("method").is_empty() && top("method") == top("function"));
    let diff = |by| jfrkit(&arguments!["diff", &recording, &recording, "--by", by]).output().unwrap().stdout;
    assert!(!diff("method").is_empty() && diff("method") == diff("function"));
}
