//! `convert` to the formats of other viewers, from recordings and pprof files. `web/test/formats.mjs` checks what the viewers show.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::cast_possible_truncation)]

mod common;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};

use common::{arguments, demo, fixture, jfrkit, run, shown};
use insta::assert_snapshot;
use serde_json::Value;

fn convert(input: &Path, out: &Path, more: &[&str]) -> Output {
    let output = jfrkit(&arguments!["convert", input, "-o", out]).args(more).output().unwrap();
    assert!(output.status.success(), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn json(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&*bytes).read_to_end(&mut unpacked).unwrap();
        unpacked
    } else {
        bytes
    };
    serde_json::from_slice(&bytes).unwrap()
}

/// The total of a type, as printed by `top`.
fn total(input: &Path, kind: &str) -> i64 {
    let output = jfrkit(&arguments!["top", "--type", kind, "--format", "json", input]).output().unwrap();
    let top: Value = serde_json::from_slice(&output.stdout).unwrap();
    match &top["totals"] {
        Value::Array(totals) => totals[top["value"].as_u64().unwrap() as usize].as_i64().unwrap(),
        _ => top["total"].as_i64().unwrap(),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[test]
fn every_format_has_its_ending_for_recordings_and_for_profiles_of_other_languages() {
    let formats: [(&[&str], &str); 7] = [
        (&["collapsed"], "cpu.collapsed.txt"),
        (&["flamegraph"], "html"),
        (&["otlp"], "otlp.pb"),
        (&["otlp", "--otlp-json"], "otlp.json"),
        (&["firefox"], "firefox.json.gz"),
        (&["speedscope"], "speedscope.json"),
        (&["pprof"], "pb.gz"),
    ];
    for (input, stem) in [(demo("python.pprof.zst"), "python"), (demo("go-cpu.pprof.gz"), "go-cpu")] {
        let out = tempfile::tempdir().unwrap();
        for (format, ending) in formats {
            convert(&input, out.path(), &[&["--types", "cpu", "--format"], format].concat());
            assert!(out.path().join(format!("{stem}.{ending}")).exists(), "{ending}: {:?}", names(out.path()));
        }
        assert_eq!(total(&out.path().join(format!("{stem}.pb.gz")), "cpu"), total(&input, "cpu"));
    }
    let out = tempfile::tempdir().unwrap();
    for (format, ending) in &formats[..6] {
        convert(&fixture("jdk17-full.jfr"), out.path(), &[&["--types", "cpu", "--format"], *format].concat());
        assert!(out.path().join(format!("jdk17-full.{ending}")).exists(), "{ending}: {:?}", names(out.path()));
    }
}

#[test]
fn labels_are_frames_of_collapsed_stacks() {
    let out = tempfile::tempdir().unwrap();
    let recording = fixture("jdk17-full.jfr");
    convert(&recording, out.path(), &["--types", "cpu", "--format", "collapsed", "--labels", "thread"]);
    let text = std::fs::read_to_string(out.path().join("jdk17-full.cpu.collapsed.txt")).unwrap();
    let lines: Vec<(&str, i64)> =
        text.lines().map(|line| line.rsplit_once(' ').map(|(stack, n)| (stack, n.parse().unwrap())).unwrap()).collect();
    assert_eq!(lines.iter().map(|(_, n)| n).sum::<i64>(), total(&recording, "cpu"));
    assert!(lines.iter().all(|(stack, _)| stack.starts_with("[thread: ")));
    let threads: std::collections::BTreeSet<_> = lines.iter().map(|(stack, _)| stack.split(';').next()).collect();
    assert!(threads.len() > 2, "{threads:?}");
}

#[test]
fn classes_are_leaf_frames_on_request() {
    let out = tempfile::tempdir().unwrap();
    let recording = fixture("jdk17-full.jfr");
    let frames = ["--types", "alloc", "--class-frames", "--labels", "none", "--format"];
    let format = |name| [&frames[..], &[name]].concat();
    convert(&recording, out.path(), &format("collapsed"));
    let text = std::fs::read_to_string(out.path().join("jdk17-full.alloc.collapsed.txt")).unwrap();
    let lines = text.lines().map(|line| line.rsplit_once(' ').unwrap());
    let bytes = lines.clone().filter(|(stack, _)| stack.ends_with(";byte[]"));
    let bytes: i64 = bytes.map(|(_, n)| n.parse::<i64>().unwrap()).sum();
    let all: i64 = lines.map(|(_, n)| n.parse::<i64>().unwrap()).sum();
    assert_eq!(all, total(&recording, "alloc"));
    let top = jfrkit(&arguments!["top", &recording, "--type", "alloc", "--by", "class", "--format", "json"]).output();
    let top: Value = serde_json::from_slice(&top.unwrap().stdout).unwrap();
    assert_eq!((top["rows"][0]["name"].as_str(), top["rows"][0]["self"][1].as_i64()), (Some("byte[]"), Some(bytes)));
    // The same for a pprof file, in the other format.
    convert(&recording, out.path(), &["--types", "alloc"]);
    convert(&out.path().join("jdk17-full.alloc.pb.gz"), out.path(), &["--class-frames", "--format", "speedscope"]);
    let file = json(&out.path().join("jdk17-full.alloc.speedscope.json"));
    let names = file["shared"]["frames"].as_array().unwrap();
    assert!(names.iter().any(|frame| frame["name"] == "byte[]"), "{names:?}");
}

#[test]
fn opentelemetry_has_a_profile_for_each_value_and_one_dictionary() {
    let out = tempfile::tempdir().unwrap();
    let recording = fixture("jdk17-full.jfr");
    convert(&recording, out.path(), &["--format", "otlp", "--otlp-json", "--labels", "thread"]);
    let data = json(&out.path().join("jdk17-full.otlp.json"));
    let dictionary = &data["dictionary"];
    let table = |name: &str| dictionary[name].as_array().unwrap();
    let strings: Vec<&str> = table("stringTable").iter().map(|s| s.as_str().unwrap()).collect();
    // Each table begins with the empty entry.
    assert_eq!(strings[0], "");
    assert_eq!(table("stackTable")[0]["locationIndices"].as_array().unwrap().len(), 0);
    let resource = &data["resourceProfiles"][0];
    assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "fx.Workload");
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for profile in resource["scopeProfiles"][0]["profiles"].as_array().unwrap() {
        let name = strings[profile["sampleType"]["typeStrindex"].as_u64().unwrap() as usize];
        for sample in profile["samples"].as_array().unwrap() {
            let stack = sample["stackIndex"].as_u64().unwrap() as usize;
            for location in table("stackTable")[stack]["locationIndices"].as_array().unwrap() {
                let location = &table("locationTable")[location.as_u64().unwrap() as usize];
                let function = location["lines"][0]["functionIndex"].as_u64().unwrap() as usize;
                let name = table("functionTable")[function]["nameStrindex"].as_u64().unwrap() as usize;
                assert!(!strings[name].is_empty());
            }
            let value: i64 = sample["values"][0].as_str().unwrap().parse().unwrap();
            *sums.entry(name).or_default() += value;
        }
    }
    assert_eq!(sums["cpu-time"], total(&recording, "cpu"));
    assert_eq!(sums["alloc-space"], total(&recording, "alloc"));
    let keys: Vec<&str> =
        table("attributeTable").iter().map(|a| strings[a["keyStrindex"].as_u64().unwrap() as usize]).collect();
    assert!(keys.contains(&"thread.name") && keys.contains(&"profile.frame.type"));
}

/// Reads the protobuf with OpenTelemetry's own classes in Python: the sum of each sample type, and the resource.
const READ_OTLP: &str = "
import sys, json
from opentelemetry.proto.profiles.v1development import profiles_pb2
from opentelemetry.proto.collector.profiles.v1development import profiles_service_pb2
from google.protobuf import json_format
data = open(sys.argv[1], 'rb').read()
request = profiles_service_pb2.ExportProfilesServiceRequest()
request.ParseFromString(data)
all = profiles_pb2.ProfilesData()
all.ParseFromString(data)
text = json_format.Parse(open(sys.argv[2]).read(), profiles_pb2.ProfilesData())
d = all.dictionary
sums, frames = {}, set()
for r in all.resource_profiles:
    for s in r.scope_profiles:
        for p in s.profiles:
            name = d.string_table[p.sample_type.type_strindex]
            sums[name] = sum(sum(x.values) for x in p.samples)
            for x in p.samples:
                for l in d.stack_table[x.stack_index].location_indices:
                    for line in d.location_table[l].lines:
                        frames.add(d.string_table[d.function_table[line.function_index].name_strindex])
print(json.dumps({'sums': sums, 'frames': len(frames), 'same': text == all, 'request': len(request.resource_profiles)}))
";

#[test]
fn opentelemetry_reads_what_is_written() {
    let python = std::env::var("JFRKIT_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python).args(["-c", "import opentelemetry.proto.profiles.v1development"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        eprintln!(
            "skipped: {python} has no opentelemetry-proto (pip install opentelemetry-proto; JFRKIT_PYTHON names it)"
        );
        return;
    }
    for (input, stem, kind, value) in [
        (fixture("jdk17-full.jfr"), "jdk17-full", "cpu", "cpu-time"),
        (demo("python.pprof.zst"), "python", "wall", "wall-time"),
        (demo("go-cpu.pprof.gz"), "go-cpu", "cpu", "cpu"),
    ] {
        let out = tempfile::tempdir().unwrap();
        convert(&input, out.path(), &["--format", "otlp"]);
        convert(&input, out.path(), &["--format", "otlp", "--otlp-json"]);
        let files = ["pb", "json"].map(|ending| out.path().join(format!("{stem}.otlp.{ending}")));
        let read = Command::new(&python).arg("-c").arg(READ_OTLP).args(files).output().unwrap();
        assert!(read.status.success(), "{stem}: {}", String::from_utf8_lossy(&read.stderr));
        let read: Value = serde_json::from_slice(&read.stdout).unwrap();
        assert_eq!(read["sums"][value], total(&input, kind), "{stem}");
        assert_eq!(read["request"], 1);
        assert_eq!(read["same"], true, "{stem}: JSON and protobuf have the same content");
        assert!(read["frames"].as_u64().unwrap() > 3);
    }
}

/// The collector's own reader, in Go: from protobuf and from JSON.
#[test]
fn the_opentelemetry_collector_reads_what_is_written() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/otlp");
    let scratch = tempfile::tempdir().unwrap();
    let reader = scratch.path().join("reader");
    let built = Command::new("go").args(["build", "-o"]).arg(&reader).arg(".").current_dir(source).output();
    match built {
        Ok(built) if built.status.success() => {}
        Ok(built) => {
            let said = String::from_utf8_lossy(&built.stderr).into_owned();
            // The first time, modules are downloaded.
            let network = ["dial tcp", "lookup ", "i/o timeout", "proxyconnect", "connection re"];
            assert!(network.iter().any(|text| said.contains(text)) || said.contains("toolchain"), "{said}");
            eprintln!("skipped: the collector's reader cannot be built: {said}");
            return;
        }
        Err(_) => {
            eprintln!("skipped: Go is not installed");
            return;
        }
    }
    for (input, stem, types) in [
        (
            fixture("jdk17-full.jfr"),
            "jdk17-full",
            [("cpu", "cpu-time"), ("alloc", "alloc-space"), ("lock", "lock-time")],
        ),
        (
            fixture("jdk25-full.jfr.gz"),
            "jdk25-full",
            [("cpu", "cpu-time"), ("alloc", "alloc-space"), ("lock", "lock-time")],
        ),
        (
            demo("python.pprof.zst"),
            "python",
            [("wall", "wall-time"), ("cpu", "cpu-time"), ("lock", "lock-acquire-wait")],
        ),
    ] {
        let out = tempfile::tempdir().unwrap();
        convert(&input, out.path(), &["--format", "otlp", "--labels", "thread"]);
        convert(&input, out.path(), &["--format", "otlp", "--otlp-json", "--labels", "thread"]);
        let files = ["pb", "json"].map(|ending| out.path().join(format!("{stem}.otlp.{ending}")));
        let read = Command::new(&reader).args(files).output().unwrap();
        assert!(read.status.success(), "{stem}: {}", String::from_utf8_lossy(&read.stderr));
        let read: Value = serde_json::from_slice(&read.stdout).unwrap();
        assert_eq!(read[0], read[1], "{stem}: protobuf and JSON have the same content");
        for (kind, value) in types {
            assert_eq!(read[0]["sums"][value], total(&input, kind), "{stem} {value}");
        }
        let list =
            |name: &str| read[0][name].as_array().unwrap().iter().map(|of| of.as_str().unwrap()).collect::<Vec<_>>();
        assert!(list("attributes").contains(&"thread.name"), "{stem}: {:?}", list("attributes"));
        let top = jfrkit(&arguments!["top", "-n", "5", "--type", types[0].0, "--format", "json", &input]).output();
        let top: Value = serde_json::from_slice(&top.unwrap().stdout).unwrap();
        // Samples without a stack have no function.
        let names = top["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap());
        for name in names.filter(|name| !name.starts_with('[')) {
            assert!(list("frames").contains(&name), "{stem}: {name}");
        }
    }
}

#[test]
fn speedscope_has_all_types_in_one_file_and_a_timeline_on_request() {
    let out = tempfile::tempdir().unwrap();
    let recording = fixture("jdk17-full.jfr");
    convert(&recording, out.path(), &["--format", "speedscope"]);
    assert_eq!(names(out.path()), ["jdk17-full.speedscope.json"]);
    let file = json(&out.path().join("jdk17-full.speedscope.json"));
    let profiles = file["profiles"].as_array().unwrap();
    let of = |name: &str| profiles.iter().find(|p| p["name"] == name).unwrap();
    let cpu = of("CPU in Java Code · cpu-time");
    assert_eq!(cpu["endValue"].as_i64().unwrap(), total(&recording, "cpu"));
    assert_eq!(
        cpu["weights"].as_array().unwrap().iter().map(|w| w.as_i64().unwrap()).sum::<i64>(),
        total(&recording, "cpu")
    );
    assert_eq!(of("Lock · lock-time")["endValue"].as_i64().unwrap(), total(&recording, "lock"));

    convert(&recording, out.path(), &["--format", "speedscope", "--evented", "--types", "cpu"]);
    let file = json(&out.path().join("jdk17-full.speedscope.json"));
    let threads = file["profiles"].as_array().unwrap();
    assert!(threads.len() > 2);
    let mut spent = 0;
    for thread in threads {
        assert_eq!(thread["type"], "evented");
        let (mut open, mut before): (Vec<(u64, i64)>, i64) = (Vec::new(), 0);
        for event in thread["events"].as_array().unwrap() {
            let (frame, at) = (event["frame"].as_u64().unwrap(), event["at"].as_i64().unwrap());
            assert!(at >= before, "events are in the order of time");
            before = at;
            if event["type"] == "O" {
                open.push((frame, at));
            } else {
                let (opened, from) = open.pop().unwrap();
                assert_eq!(opened, frame, "the innermost call closes first");
                if open.is_empty() {
                    spent += at - from;
                }
            }
        }
        assert!(open.is_empty() && before <= thread["endValue"].as_i64().unwrap());
    }
    // Samples overlap and have gaps, so the timeline differs a little from the sum.
    let total = total(&recording, "cpu");
    assert!((spent - total).abs() < total / 2, "{spent} of {total}");
    let go = demo("go-cpu.pprof.gz");
    assert_snapshot!(shown(&run!("convert", "--format", "speedscope", "--evented", "-o", out.path(), go)), @r"
    jfrkit: error: TEMP/go-cpu.speedscope.json: its samples have no timestamps
    exit status 1
    ");
}

#[test]
fn firefox_has_threads_times_markers_and_counters() {
    let out = tempfile::tempdir().unwrap();
    convert(&fixture("jdk17-full.jfr"), out.path(), &["--format", "firefox"]);
    let file = json(&out.path().join("jdk17-full.firefox.json.gz"));
    let threads = file["threads"].as_array().unwrap();
    let samples = |thread: &Value| thread["samples"]["length"].as_i64().unwrap();
    let of_type = |thread: &&Value| !thread["name"].as_str().unwrap().contains(" · ");
    assert_eq!(threads.iter().filter(of_type).map(samples).sum::<i64>(), 2099, "a sample for each event");
    assert!(threads.iter().any(|thread| thread["name"] == "main"));
    let start = file["meta"]["startTime"].as_f64().unwrap();
    assert!((start - 1_795_433_684_455.0).abs() < 5_000.0, "{start}");
    let marked: i64 = threads.iter().map(|thread| thread["markers"]["length"].as_i64().unwrap()).sum();
    assert!(marked > 500, "{marked}");
    let counters: Vec<&str> =
        file["counters"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert!(counters.contains(&"processCPU") && counters.contains(&"Heap after GC"), "{counters:?}");
}

#[test]
fn contradictory_options_are_usage_errors() {
    let out = tempfile::tempdir().unwrap();
    let recording = fixture("jdk17-full.jfr");
    let wrong = [&["--otlp-json"][..], &["--evented"], &["--class-frames"], &["--types", "nothing"]].map(|wrong| {
        shown(&jfrkit(&arguments!["convert", &recording, "-o", out.path()]).args(wrong).output().unwrap())
    });
    assert_snapshot!(wrong.join("\n"), @r"
    jfrkit: error: --otlp-json requires --format otlp
    exit status 2
    jfrkit: error: --evented requires --format speedscope
    exit status 2
    jfrkit: error: --class-frames requires --format collapsed or speedscope; with pprof, use its -tagleaf=class
    exit status 2
    jfrkit: error: --types nothing: no such profile type; expected one of cpu, alloc, native, class-load, error, file-io, lock, socket-io, wall, live, park, wait, sleep, pinned, native-alloc, native-lock, method-trace, event; see --help
    exit status 2
    ");
    // A file never overwrites its own input.
    let copy = out.path().join("a.pb.gz");
    convert(&demo("go-cpu.pprof.gz"), out.path(), &[]);
    std::fs::rename(out.path().join("go-cpu.pb.gz"), &copy).unwrap();
    assert_snapshot!(shown(&run!("convert", &copy, "-o", out.path())), @r"
    jfrkit: error: TEMP/a.pb.gz: this is an input file; choose another directory with -o
    exit status 1
    ");
}

#[test]
fn pprof_files_are_merged_but_not_with_recordings() {
    let out = tempfile::tempdir().unwrap();
    let go = demo("go-cpu.pprof.gz");
    let output = jfrkit(&arguments!["convert", "--merge", "-o", out.path(), &go, &go]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(total(&out.path().join("merged.pb.gz"), "cpu"), 2 * total(&go, "cpu"));
    assert_snapshot!(shown(&run!("convert", "--merge", "-o", out.path(), &go, fixture("jdk17-full.jfr"))), @r"
    jfrkit: error: merged: recordings and pprof files cannot be merged; convert the recordings first
    exit status 1
    ");
}

/// `heatmap`; `web/test/pages.mjs` checks how the page works.
#[test]
fn a_heat_map_is_a_page_of_a_recording_or_of_a_profile_with_times() {
    let out = tempfile::tempdir().unwrap();
    let page = out.path().join("heat.html");
    insta::allow_duplicates! {
        for input in [fixture("jdk17-full.jfr"), demo("python.pprof.zst")] {
            assert_snapshot!(shown(&run!("heatmap", "-o", &page, &input)), @"TEMP/heat.html");
            let html = std::fs::read_to_string(&page).unwrap();
            assert!(html.contains("\"kind\":\"heatmap\"") && html.contains("id=\"c0\""));
        }
    }
    assert_snapshot!(shown(&run!("heatmap", "-o", &page, demo("go-cpu.pprof.gz"))), @r"
    jfrkit: error: server/demo/go-cpu.pprof.gz: its samples have no timestamps
    exit status 1
    ");
}
