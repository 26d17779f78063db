//! `flame` and `diff`, on recordings and pprof files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use assert_cmd::assert::OutputAssertExt;
use common::{arguments, fixture, jfrkit, run, shown};
use insta::assert_snapshot;

fn text(output: &std::process::Output) -> String {
    output.clone().assert().success();
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The number behind a name in the data of a page.
fn page_total(html: &str, value: &str) -> u64 {
    let from = html.find("id=\"jfrkit-page\">").unwrap() + "id=\"jfrkit-page\">".len();
    let json = &html[from..from + html[from..].find("</script>").unwrap()];
    let page: serde_json::Value = serde_json::from_str(json).unwrap();
    let types = page["types"].as_array().unwrap();
    let values = types.iter().flat_map(|of| of["values"].as_array().unwrap());
    values.filter(|of| of["name"] == value).map(|of| of["total"].as_u64().unwrap()).next().unwrap()
}

#[test]
fn the_page_of_a_recording_is_that_of_its_pprof() {
    let dir = tempfile::tempdir().unwrap();
    let recording = fixture("jdk17-full.jfr");
    let converted = jfrkit(&arguments!["convert", "--types", "cpu", "-o", dir.path(), &recording]).output().unwrap();
    text(&converted);
    let of = |input: &std::path::Path| {
        let html = text(&jfrkit(&arguments!["flame", "--type", "cpu", "-o", "-", input]).output().unwrap());
        assert!(html.starts_with("<!doctype html>") && html.contains("default-src 'none'"));
        assert!(!html.contains("http://") || !html.contains("src=\"http"), "a page needs no network");
        page_total(&html, "cpu-time")
    };
    let pprof = dir.path().join("jdk17-full.cpu.pb.gz");
    let total = of(&recording);
    assert!(total > 0);
    assert_eq!(total, of(&pprof));
    let tree = |input: &std::path::Path| {
        text(&jfrkit(&arguments!["flame", "--term", "--type", "cpu", input]).output().unwrap())
    };
    let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&tree(&recording)), lines(&tree(&pprof)));
    assert!(lines(&tree(&pprof)).len() > 3);
}

#[test]
fn without_a_file_the_page_goes_to_the_cache_and_its_path_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = jfrkit(&arguments!["flame", "--no-open", fixture("jdk17-full.jfr")]);
    let printed = text(&command.env("XDG_CACHE_HOME", dir.path()).output().unwrap());
    let path = printed.trim();
    assert!(path.starts_with(dir.path().to_str().unwrap()), "{path}");
    let page = std::fs::read_to_string(path).unwrap();
    assert!(page_total(&page, "alloc-space") > 0);
}

#[test]
fn a_profile_does_not_differ_from_itself() {
    let recording = fixture("jdk17-full.jfr");
    let arguments = arguments!["diff", "--format", "json", "--fail-on-regression", "1%", &recording, &recording];
    let json: serde_json::Value = serde_json::from_str(&text(&jfrkit(&arguments).output().unwrap())).unwrap();
    assert_eq!(json["type"], "cpu");
    assert_eq!(json["regressions"].as_array().unwrap().len(), 0);
    assert_eq!(json["a"]["total"], json["b"]["total"]);
    for row in json["rows"].as_array().unwrap() {
        assert_eq!(row["a"], row["b"]);
        assert_eq!(row["noise"], true);
    }
}

/// A profile with the function `main.slow` of this many samples, among others.
fn profile(path: &std::path::Path, samples: i64) {
    profile_of(path, "main.slow", samples);
}

fn profile_of(path: &std::path::Path, name: &str, samples: i64) {
    use jfrkit_profile::any::{AnyFunction, AnyProfile, Line, Location, SampleType};
    let mut of = AnyProfile::default();
    let mut text = |text: &str| of.texts.push(text);
    let names = [text(name), text("main.other")];
    let (samples_name, count, cpu, nanos, file) =
        (text("samples"), text("count"), text("cpu"), text("nanoseconds"), text("main.go"));
    of.sample_types = vec![SampleType { name: samples_name, unit: count }, SampleType { name: cpu, unit: nanos }];
    for (i, name) in (0..).zip(names) {
        of.functions.push(AnyFunction { name, file, ..AnyFunction::default() });
        of.lines.push(Line { function: i, line: 3, column: 0 });
        of.locations.push(Location { lines_from: i, lines_to: i + 1, ..Location::default() });
    }
    of.samples.push([0], &[samples, samples * 10_000_000], []);
    of.samples.push([1], &[5_000, 50_000_000_000], []);
    of.duration_nanos = 60_000_000_000;
    pprof_emit::write_any(&of, std::fs::File::create(path).unwrap()).unwrap();
}

#[test]
fn a_regression_ends_with_status_3_and_names_the_function() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a.pb.gz", "b.pb.gz"].map(|name| dir.path().join(name));
    profile(&a, 3_000);
    profile(&b, 3_900);
    assert_snapshot!(shown(&run!("diff", "--fail-on-regression", "20%", &a, &b)), @r"
    cpu · cpu
    A  TEMP/a.pb.gz: 1 min 20 s in 1 min, 8,000 samples
    B  TEMP/b.pb.gz: 1 min 29 s in 1 min, 8,900 samples

            A          B   change
    1.333 s/s  1.483 s/s  +11.3 %         all
    0.500 s/s  0.650 s/s  +30.0 %         main.slow
    0.833 s/s  0.833 s/s   +0.0 %  noise  main.other
    jfrkit: error: regression: main.slow grew by 30.0 %
    exit status 3
    ");
    // In the other direction nothing grew.
    text(&jfrkit(&arguments!["diff", "--fail-on-regression", "20%", &b, &a]).output().unwrap());
    assert_snapshot!(shown(&run!("diff", "--format", "markdown", &a, &b)), @r"
    **cpu** (cpu), A: `TEMP/a.pb.gz`, B: `TEMP/b.pb.gz`

    | function | A | B | change | |
    |---|--:|--:|--:|---|
    | `all` | 1.333 s/s | 1.483 s/s | +11.3 % |  |
    | `main.slow` | 0.500 s/s | 0.650 s/s | +30.0 % |  |
    | `main.other` | 0.833 s/s | 0.833 s/s | +0.0 % | noise |
    ");
    let html = text(&jfrkit(&arguments!["diff", "--format", "html", "-o", "-", &a, &b]).output().unwrap());
    assert!(html.contains("\"kind\":\"diff\"") && html.contains("\"self_b\"") || html.contains("application/gzip"));
}

#[test]
fn a_file_that_is_neither_format_is_one_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    std::fs::write(&path, "hello, this is no profile").unwrap();
    assert_snapshot!(shown(&run!("flame", "--no-open", &path)), @r"
    jfrkit: error: TEMP/notes.txt: neither a recording nor a profile: not a pprof profile, or truncated: the profile is damaged at byte 2 of 25 (decompressed)
    exit status 1
    ");
    std::fs::write(&path, "").unwrap();
    assert_snapshot!(shown(&run!("top", &path)), @r"
    jfrkit: error: TEMP/notes.txt: the file is empty
    exit status 1
    ");
    assert_snapshot!(shown(&run!("heatmap", "--no-open", dir.path())), @r"
    jfrkit: error: TEMP: no profiles in this directory (files ending in .jfr, .pprof, .pb or .prof, compressed or not)
    exit status 1
    ");
}

#[test]
fn top_of_a_pprof_file_is_top_of_its_recording() {
    let dir = tempfile::tempdir().unwrap();
    let recording = fixture("jdk17-full.jfr");
    text(&jfrkit(&arguments!["convert", "--types", "cpu", "-o", dir.path(), &recording]).output().unwrap());
    let rows = |input: &std::path::Path| {
        let json = text(&jfrkit(&arguments!["top", "--type", "cpu", "--format", "json", input]).output().unwrap());
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["type"], &json["values"][1]["name"]), (&"cpu".into(), &"cpu-time".into()));
        json["rows"].clone()
    };
    let theirs = rows(&recording);
    assert_eq!(theirs.as_array().unwrap().len(), 20);
    assert_eq!(theirs, rows(&dir.path().join("jdk17-full.cpu.pb.gz")));
}

#[test]
fn speedscope_files_have_the_weights_of_the_profile() {
    let arguments =
        arguments!["convert", "--types", "alloc", "--format", "speedscope", "-o", "-", fixture("jdk17-full.jfr")];
    let json: serde_json::Value = serde_json::from_str(&text(&jfrkit(&arguments).output().unwrap())).unwrap();
    let frames = json["shared"]["frames"].as_array().unwrap().len() as u64;
    let profiles = json["profiles"].as_array().unwrap();
    assert_eq!(
        profiles.iter().map(|p| p["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["Allocation · alloc-space", "Allocation · alloc-samples"]
    );
    for profile in profiles {
        let (samples, weights) = (profile["samples"].as_array().unwrap(), profile["weights"].as_array().unwrap());
        assert_eq!(samples.len(), weights.len());
        assert_eq!(weights.iter().map(|w| w.as_u64().unwrap()).sum::<u64>(), profile["endValue"].as_u64().unwrap());
        assert!(samples.iter().flat_map(|s| s.as_array().unwrap()).all(|at| at.as_u64().unwrap() < frames));
    }
}

/// The value of a sample type that is not the default of its profile type.
#[test]
fn a_sample_type_can_be_selected_by_name() {
    let recording = fixture("jdk17-full.jfr");
    let shown = |arguments: &[&str]| {
        let output = jfrkit(&arguments!["flame", "--term", &recording]).args(arguments).output().unwrap();
        text(&output).lines().next().unwrap().to_owned()
    };
    assert_snapshot!(shown(&["--type", "alloc"]), @"Allocation · alloc-space: 51.7 MiB in 678 samples");
    assert_snapshot!(shown(&["--type", "alloc-samples"]), @"Allocation · alloc-samples: 678 in 678 samples");
    let diff = arguments!["diff", "--format", "json", "--type", "alloc-samples", &recording, &recording];
    let json: serde_json::Value = serde_json::from_str(&text(&jfrkit(&diff).output().unwrap())).unwrap();
    assert_eq!(
        (&json["type"], &json["value"], &json["unit"]),
        (&"alloc".into(), &"alloc-samples".into(), &"count".into())
    );
    assert_eq!(json["a"]["total"], json["a"]["samples"]);
}

/// One sample with a stack of these functions, outermost first.
fn measured(path: &std::path::Path, file: &str, types: &[(&str, &str)], stack: &[&str]) {
    use jfrkit_profile::any::{AnyFunction, AnyProfile, Line, Location, SampleType};
    let mut of = AnyProfile::default();
    let file = of.texts.push(file);
    for (name, unit) in types {
        let (name, unit) = (of.texts.push(name), of.texts.push(unit));
        of.sample_types.push(SampleType { name, unit });
    }
    for (i, name) in (0..).zip(stack) {
        let name = of.texts.push(name);
        of.functions.push(AnyFunction { name, file, ..AnyFunction::default() });
        of.lines.push(Line { function: i, line: 3, column: 0 });
        of.locations.push(Location { lines_from: i, lines_to: i + 1, ..Location::default() });
    }
    let leaf_first: Vec<u32> = (0..u32::try_from(stack.len()).unwrap()).rev().collect();
    of.samples.push(leaf_first, &vec![100; types.len()], []);
    pprof_emit::write_any(&of, std::fs::File::create(path).unwrap()).unwrap();
}

#[test]
fn types_have_the_names_of_their_language() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pb.gz");
    for (file, types, shown) in [
        ("app.py", &[("cpu", "nanoseconds")][..], "CPU · cpu: 100 ns in 1 sample"),
        (
            "node:fs",
            &[("inuse_objects", "count"), ("inuse_space", "bytes")],
            "Heap · inuse_space: 100 B in 100 samples",
        ),
        ("main.go", &[("contentions", "count"), ("delay", "nanoseconds")], "Contention · delay: 100 ns in 100 samples"),
        ("lib.rs", &[("samples", "count"), ("cpu", "nanoseconds")], "CPU · cpu: 100 ns in 100 samples"),
    ] {
        measured(&path, file, types, &["main"]);
        let tree = text(&jfrkit(&arguments!["flame", "--term", &path]).output().unwrap());
        assert_eq!(tree.lines().next().unwrap(), shown);
    }
}

#[test]
fn library_code_counts_for_the_function_that_was_called() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pb.gz");
    let stack = ["main.run", "lib.outer", "lib.inner", "main.back", "lib.outer", "lib.inner"];
    measured(&path, "main.go", &[("cpu", "nanoseconds")], &stack);
    let shown = |arguments: &[&str]| {
        let output = jfrkit(&arguments!["flame", "--term", &path]).args(arguments).output().unwrap();
        text(&output).lines().skip(1).map(|line| line.split_whitespace().last().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(shown(&[]), stack);
    assert_eq!(shown(&["--collapse-library", "x,lib."]), ["main.run", "lib.outer", "main.back", "lib.outer"]);
    let top = jfrkit(&arguments!["top", "--collapse-library", "lib.", "--format", "json", &path]).output().unwrap();
    let top: serde_json::Value = serde_json::from_str(&text(&top)).unwrap();
    assert!(top["rows"].to_string().contains("lib.outer") && !top["rows"].to_string().contains("lib.inner"), "{top}");
    assert_snapshot!(common::shown(&run!("flame", "--term", "--collapse-library", "", &path)), @r"
    jfrkit: error: a value is required for '--collapse-library <PREFIXES>' but none was supplied; see --help
    exit status 2
    ");
}

#[test]
fn a_comparison_that_lacks_an_input_fails() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
    for side in [&a, &b] {
        std::fs::create_dir(side).unwrap();
        profile(&side.join("one.pb.gz"), 3_000);
        profile(&side.join("two.pb.gz"), 3_000);
    }
    // Sets: directories and patterns.
    let json = |a: &std::path::Path| {
        let output = jfrkit(&arguments!["diff", "--format", "json", a, &b]).output().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), json["a"]["samples"].as_i64(), json["b"]["samples"].as_i64())
    };
    assert_eq!(json(&a), (Some(0), Some(16_000), Some(16_000)));
    assert_eq!(json(&a.join("o*.pb.gz")), (Some(0), Some(8_000), Some(16_000)));
    std::fs::write(a.join("three.pb.gz"), "damaged").unwrap();
    assert_eq!(json(&a), (Some(1), Some(16_000), Some(16_000)));
}

#[test]
fn names_with_control_characters_are_escaped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pb");
    profile_of(&path, "\u{1b}[31m\u{202e}red\n| `x`", 3_000);
    let mut names = Vec::new();
    let commands: [&[&str]; 4] = [&["diff"], &["diff", "--format", "markdown"], &["top"], &["flame", "--term"]];
    for command in commands {
        let inputs = if command[0] == "diff" { vec![&path, &path] } else { vec![&path] };
        let printed = text(&jfrkit(command).args(inputs).output().unwrap());
        assert!(!printed.contains(['\u{1b}', '\u{202e}']), "{command:?}: {printed}");
        names.push(printed.lines().find(|line| line.contains("red")).unwrap().trim().to_owned());
    }
    assert_snapshot!(names.join("\n"), @r"
    0.500 s/s  0.500 s/s  +0.0 %  noise  \u{1b}[31m\u{202e}red\n| `x`
    | `\u{1b}[31m\u{202e}red\n\| 'x'` | 0.500 s/s | 0.500 s/s | +0.0 % | noise |
    \u{1b}[31m\u{202e}red\n| `x`  30 s    37.5   30 s     37.5    3,000
    30 s  37.5 %  \u{1b}[31m\u{202e}red\n| `x`
    ");
}

#[test]
fn a_type_that_a_profile_does_not_have_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pb.gz");
    profile(&path, 3_000);
    insta::allow_duplicates! {
        for command in ["top", "flame", "heatmap"] {
            assert_snapshot!(shown(&run!(command, "--type", "lock", &path)), @r"
            jfrkit: error: TEMP/a.pb.gz: no lock profile; it has cpu
            exit status 1
            ");
        }
    }
}

#[test]
fn a_file_that_measures_something_else_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let recording = fixture("jdk17-full.jfr");
    text(&jfrkit(&arguments!["convert", "--types", "cpu", "-o", dir.path(), &recording]).output().unwrap());
    profile(&dir.path().join("z.pb.gz"), 3_000);
    assert_snapshot!(shown(&run!("top", dir.path())), @r"
    jfrkit: error: TEMP/z.pb.gz: its cpu profile measures samples/count, cpu/nanoseconds, those before it measure cpu-samples/count, cpu-time/nanoseconds
    exit status 1
    ");
}

#[test]
fn a_heat_map_shows_the_first_type_that_has_samples() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("page.html");
    // Recorded without CPU samples.
    let recording = fixture("scenarios/lock-convoy.jfr.gz");
    text(&jfrkit(&arguments!["heatmap", "-o", &page, &recording]).output().unwrap());
    assert!(std::fs::read_to_string(&page).unwrap().contains("\"kind\":\"heatmap\""));
    assert_snapshot!(shown(&run!("heatmap", "-o", &page, "--type", "cpu", &recording)), @r"
    jfrkit: error: fixtures/scenarios/lock-convoy.jfr.gz: no cpu profile: disabled in the recording's settings: jdk.ExecutionSample; enable it with: jcmd fx.Scenarios JFR.start settings=profile jdk.ExecutionSample#enabled=true filename=recording.jfr
    exit status 1
    ");
}
