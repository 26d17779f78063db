//! Commands as run by users.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{jfrkit, shown};
use insta::assert_snapshot;
use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload, TIMESTAMP};
use serde_json::Value;

fn fixture(name: &str) -> String {
    common::fixture(name).to_str().unwrap().to_owned()
}

/// Standard output of a command that must succeed and print nothing to standard error.
fn stdout(args: &[&str]) -> String {
    common::stdout(&jfrkit(args).output().unwrap())
}

/// Everything that a command prints.
fn all(args: &[&str]) -> String {
    shown(&jfrkit(args).output().unwrap())
}

/// A recording in a file, with events at 10, 20 and 30 ms and whatever `change` makes the writer do.
fn recording(change: impl FnOnce(&mut ChunkWriter)) -> (tempfile::TempDir, String) {
    let mut chunk = ChunkWriter::new();
    (chunk.start_nanos, chunk.start_ticks, chunk.duration_nanos) = (0, 0, 40_000_000);
    let start = Field::new("startTime", LONG).annotated(TIMESTAMP, "TICKS");
    chunk.metadata(&[Class::event(100, "test.Tick").field(start).field(Field::new("n", LONG))]);
    for n in 1..=3 {
        chunk.event(100, &Payload::new().long(n * 10_000_000).long(n));
    }
    change(&mut chunk);
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("test.jfr");
    std::fs::write(&path, chunk.finish()).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The field `n` of the printed events.
fn numbers(args: &[&str]) -> Vec<i64> {
    let args = [&["print", "--format", "json"], args].concat();
    json_lines(&stdout(&args)).iter().map(|line| line["values"]["n"].as_i64().unwrap()).collect()
}

#[test]
fn summary_as_json() {
    let path = fixture("jdk17-multichunk.jfr");
    let summary: Value = serde_json::from_str(&stdout(&["summary", "--format", "json", &path])).unwrap();
    let keys: Vec<&String> = summary.as_object().unwrap().keys().collect();
    let mut expected = ["file", "start_nanos", "duration_nanos", "chunks", "events", "warnings"];
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(summary["file"], path);
    assert_eq!(summary["warnings"], Value::Array(Vec::new()));
    let chunks = summary["chunks"].as_array().unwrap();
    assert!(chunks.len() > 1);
    for chunk in chunks {
        assert_eq!((chunk["version"].as_str(), chunk["producer"].as_str()), (Some("2.1"), Some("HotSpot")));
        assert!(chunk["jvm_version"].as_str().unwrap().contains("17."));
    }
    let in_chunks: u64 = chunks.iter().map(|c| c["event_count"].as_u64().unwrap()).sum();
    let events = summary["events"].as_array().unwrap();
    assert_eq!(events.iter().map(|e| e["count"].as_u64().unwrap()).sum::<u64>(), in_chunks);
    assert!(events.windows(2).all(|w| w[0]["count"].as_u64() >= w[1]["count"].as_u64()));
}

#[test]
fn a_summary_of_standard_input_is_that_of_the_file() {
    let path = fixture("jdk17-full.jfr");
    let text = stdout(&["summary", "-v", &path]);
    let mut child = jfrkit(&["summary", "-v", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&std::fs::read(&path).unwrap()).unwrap();
    let piped = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let tail = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(tail(&piped), tail(&text));
}

#[test]
fn print_and_summary_count_the_same() {
    let path = fixture("jdk17-full.jfr");
    let summary: Value = serde_json::from_str(&stdout(&["summary", "--format", "json", &path])).unwrap();
    let mut counts = std::collections::BTreeMap::<String, u64>::new();
    for line in json_lines(&stdout(&["print", "--format", "json", "--stack-depth", "1", &path])) {
        assert_eq!(line["startTime"], line["values"]["startTime"]);
        assert!(line["startTime"].as_str().unwrap().ends_with('Z'));
        *counts.entry(line["type"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    for event in summary["events"].as_array().unwrap() {
        assert_eq!(counts.remove(event["name"].as_str().unwrap()), event["count"].as_u64());
    }
    assert!(counts.is_empty(), "{counts:?}");
}

#[test]
fn print_chooses_by_name_and_category() {
    let path = fixture("jdk17-full.jfr");
    let names = |args: &[&str]| {
        let lines = json_lines(&stdout(&[&["print", "--format", "json", &path], args].concat()));
        lines.iter().map(|l| l["type"].as_str().unwrap().to_owned()).collect::<std::collections::BTreeSet<_>>()
    };
    let files = names(&["--events", "FileRead,jdk.FileWrite"]);
    assert_eq!(files.into_iter().collect::<Vec<_>>(), ["jdk.FileRead", "jdk.FileWrite"]);
    let sockets = names(&["--events", "Socket*"]);
    assert!(sockets.contains("jdk.SocketRead") && sockets.iter().all(|n| n.starts_with("jdk.Socket")));
    let heap = names(&["--categories", "Heap"]);
    assert!(heap.contains("jdk.GCHeapSummary") && !heap.contains("jdk.FileRead"), "{heap:?}");
}

#[test]
fn text_looks_like_that_of_the_jdk() {
    let text = stdout(&["print", "--events", "FileRead", "--stack-depth", "2", &fixture("jdk17-full.jfr")]);
    assert_snapshot!(text.split("\n\n").next().unwrap(), @r#"
    jdk.FileRead {
      startTime = 11:34:44.496 (2026-11-23)
      duration = 0.00808 ms
      path = "/tmp/fx/classes8/fx/Workload$Work.class"
      bytesRead = 228 bytes
      endOfFile = false
      eventThread = "main" (javaThreadId = 1)
      stackTrace = [
        java.io.FileInputStream.read(byte[], int, int) line: 115
        jdk.internal.loader.Resource.getBytes() line: 126
        ...
      ]
    }
    "#);
}

/// The `jfr` tool of a JDK 25, to compare with: from `JAVA_HOME`, from the `PATH`, or from where packages install it.
fn jfr_of_jdk_25() -> Option<std::path::PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<std::path::PathBuf> = std::env::split_paths(&path).collect();
    let packages = std::fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    let packages = packages.map(|entry| entry.path().join("bin"));
    home.into_iter().chain(path).chain(packages).find_map(|bin| {
        let java = Command::new(bin.join("java")).arg("-version").output().ok()?;
        let is_25 = String::from_utf8_lossy(&java.stderr).contains(" version \"25");
        Some(bin.join("jfr")).filter(|tool| is_25 && tool.exists())
    })
}

/// Each event is printed as by the JDK, in any order. Needs a JDK.
#[test]
fn text_equals_that_of_the_jdk() {
    let Some(tool) = jfr_of_jdk_25() else {
        println!("skipped: no JDK 25 at hand");
        return;
    };
    let path = fixture("jdk17-full.jfr");
    let theirs = Command::new(tool).args(["print", &path]).env("TZ", "UTC").env("LC_ALL", "C.UTF-8").output().unwrap();
    let theirs = String::from_utf8_lossy(&theirs.stdout).into_owned();
    let ours = stdout(&["print", &path]);
    // The JDK does not join surrogates in thread names, and marks a stack of exactly the requested depth as truncated.
    let events = |text: &str| {
        let lines = text.lines().filter(|l| l.trim() != "..." && !l.contains(['\u{fffd}', '\u{1f600}']));
        let mut events: Vec<String> =
            lines.collect::<Vec<_>>().join("\n").split("\n}\n").map(|e| e.trim().to_owned()).collect();
        events.sort_unstable();
        events
    };
    let (theirs, ours) = (events(&theirs), events(&ours));
    assert!(ours.len() > 1_000, "{}", ours.len());
    let first = theirs.iter().zip(&ours).find(|(a, b)| a != b);
    assert_eq!((first, theirs.len()), (None, ours.len()));
}

#[test]
fn time_bounds() {
    let (_folder, path) = recording(|_| {});
    let of = |bounds: &[&str]| numbers(&[&[path.as_str()], bounds].concat());
    assert_eq!(of(&[]), [1, 2, 3]);
    assert_eq!(of(&["--from", "20ms"]), [2, 3]);
    assert_eq!(of(&["--to", "20ms"]), [1]);
    assert_eq!(of(&["--from", "-25ms", "--to=-5ms"]), [2, 3]);
    assert_eq!(of(&["--from", "1970-01-01T00:00:00.011Z", "--to", "1970-01-01T00:00:00.03Z"]), [2]);
    assert_eq!(of(&["--from", "30"]), [3]);
    assert_snapshot!(all(&["print", "--from", "soon", &path]), @r#"
    jfrkit: error: invalid value 'soon' for '--from <TIME>': invalid time "soon": expected a timestamp (2026-11-22T10:36:30Z), a time of day (10:36:30), milliseconds since 1970, a time from the start (10s, 1m30s) or from the end (-10s); see --help
    exit status 2
    "#);
}

#[test]
fn a_loss_is_a_warning_or_with_strict_an_error() {
    // An event of size 0 ends the walk.
    let (_folder, path) = recording(|chunk| {
        chunk.raw(&[0, 0, 0]);
    });
    insta::allow_duplicates! {
        for command in [&["summary"][..], &["print"]] {
            let errors = |args: &[&str]| {
                let output = jfrkit(&[command, args].concat()).output().unwrap();
                let text = String::from_utf8_lossy(&output.stderr).into_owned();
                (output.status.code(), common::without_places(&text))
            };
            let (status, warning) = errors(&[&path]);
            assert_eq!(status, Some(0));
            assert_snapshot!(warning, @"jfrkit: warning: TEMP/test.jfr: offset 629: the size of an event is impossible; 3 bytes skipped");
            let (status, error) = errors(&["--strict", &path]);
            assert_eq!(status, Some(1));
            assert_snapshot!(error, @r"
            jfrkit: warning: TEMP/test.jfr: offset 629: the size of an event is impossible; 3 bytes skipped
            jfrkit: error: TEMP/test.jfr: not read completely; leave out --strict to accept that
            ");
        }
    }
}

#[test]
fn an_undeclared_type_is_a_warning_of_the_summary() {
    let (_folder, path) = recording(|chunk| {
        chunk.event(4_711, &Payload::new());
        chunk.event(u64::MAX, &Payload::new());
    });
    assert_snapshot!(all(&["summary", "-v", "--format", "json", &path]), @r#"
    {"file":"TEMP/test.jfr","start_nanos":0,"duration_nanos":40000000,"chunks":[{"offset":0,"size":642,"version":"2.1","producer":"unknown","jvm_name":null,"jvm_version":null,"start_nanos":0,"duration_nanos":40000000,"in_progress":false,"is_final":false,"event_count":3,"error":null}],"events":[{"name":"test.Tick","count":3,"bytes":21}],"warnings":["offset 0: skipped 1 event of the undeclared type 4711 in this chunk","offset 0: skipped 1 event of the undeclared type 18446744073709551615 in this chunk"]}
    jfrkit: warning: TEMP/test.jfr: offset 0: skipped 1 event of the undeclared type 4711 in this chunk
    jfrkit: warning: TEMP/test.jfr: offset 0: skipped 1 event of the undeclared type 18446744073709551615 in this chunk
    "#);
}

#[test]
fn a_chunk_without_metadata_does_not_affect_the_others() {
    let (folder, path) = recording(|_| {});
    let good = std::fs::read(&path).unwrap();
    let bad = ChunkWriter::new().finish();
    let both = folder.path().join("both.jfr").to_str().unwrap().to_owned();
    std::fs::write(&both, [bad.as_slice(), &good].concat()).unwrap();
    insta::allow_duplicates! {
        for command in ["summary", "print", "metadata"] {
            let done = jfrkit(&[command, &both]).output().unwrap();
            assert!(done.status.success() && !done.stdout.is_empty(), "{command}");
            assert_snapshot!(common::without_places(&common::said(&done).join("\n")), @"jfrkit: warning: TEMP/both.jfr: offset 0: the chunk has no readable metadata event");
        }
    }
    std::fs::write(&both, bad).unwrap();
    insta::allow_duplicates! {
        for command in ["summary", "print", "metadata"] {
            assert_snapshot!(common::said(&jfrkit(&[command, &both]).output().unwrap()).last().unwrap().replace(&both, "both.jfr"), @"jfrkit: error: both.jfr: offset 0: the chunk has no readable metadata event");
        }
    }
}

#[test]
fn unreadable_inputs_are_one_line_and_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("text"), "hello, world\n").unwrap();
    std::fs::write(path("empty"), "").unwrap();
    insta::allow_duplicates! {
        for command in ["summary", "print", "metadata"] {
            let each = ["text", "empty", "missing", ""]
                .map(|name| common::failure(&jfrkit(&[command, &path(name)]).output().unwrap()));
            assert_snapshot!(each.join("\n"), @r#"
            jfrkit: error: TEMP/text: not a flight recording: found text ("hello, w"…) at offset 0; expected a .jfr file, optionally compressed with gzip, zip, LZ4 or zstd
            jfrkit: error: TEMP/empty: not a flight recording: found an empty file at offset 0; expected a .jfr file, optionally compressed with gzip, zip, LZ4 or zstd
            jfrkit: error: TEMP/missing: No such file or directory (os error 2)
            jfrkit: error: TEMP/: no recordings in this directory (files ending in .jfr, .jfr.gz and the like)
            "#);
        }
    }
}

#[test]
fn wrong_usage_is_status_2() {
    let wrong = [&["summary"][..], &["nothing"], &["print", "--format", "xml", "x"], &["man", "nothing"]];
    assert_snapshot!(wrong.map(all).join("\n\n"), @r#"
    jfrkit: error: the following required arguments were not provided: <INPUT>...; see --help
    exit status 2

    jfrkit: error: unrecognized subcommand 'nothing'; see --help
    exit status 2

    jfrkit: error: invalid value 'xml' for '--format <FORMAT>' [possible values: text, json, jdk-json]; see --help
    exit status 2

    jfrkit: error: no command "nothing"; see jfrkit --help
    exit status 2
    "#);
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let mut child = jfrkit(&["print", "--format", "json", &fixture("jdk17-full.jfr")]).spawn().unwrap();
    let mut some = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{:?}", done.status);
    assert!(done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn metadata_shows_types_once() {
    let text = stdout(&["metadata", &fixture("jdk17-multichunk.jfr")]);
    assert_eq!(text.matches("class FileRead extends jdk.jfr.Event {").count(), 1);
    assert_snapshot!(all(&["metadata", "--events", "FileRead", &fixture("jdk17-multichunk.jfr")]), @r#"
    @Name("jdk.FileRead")
    @Label("File Read")
    @Category("Java Application")
    @Description("Reading data from a file")
    class FileRead extends jdk.jfr.Event {
      // setting threshold = "0 ns" (jdk.settings.Threshold)
      // setting stackTrace = "false" (jdk.settings.StackTrace)
      // setting enabled = "false" (jdk.settings.Enabled)

      @Label("Start Time")
      @Timestamp("TICKS")
      long startTime;

      @Label("Duration")
      @Timespan("TICKS")
      long duration;

      @Label("Event Thread")
      @Description("Thread in which event was committed in")
      Thread eventThread;

      @Label("Stack Trace")
      @Description("Stack Trace starting from the method the event was committed in")
      StackTrace stackTrace;

      @Label("Path")
      @Description("Full path of the file")
      String path;

      @Label("Bytes Read")
      @Description("Number of bytes read from the file (possibly 0)")
      @DataAmount("BYTES")
      long bytesRead;

      @Label("End of File")
      @Description("If end of file was reached")
      boolean endOfFile;
    }
    "#);
}

#[test]
fn metadata_that_differs_is_shown_for_its_chunks() {
    let mut other = ChunkWriter::new();
    other.metadata(&[Class::event(100, "test.Other").field(Field::new("m", LONG))]);
    let (_folder, path) = recording(|_| {});
    let one = std::fs::read(&path).unwrap();
    // The last one starts at another time, because equal chunks count once.
    let mut last = one.clone();
    last[39] ^= 1;
    std::fs::write(&path, [&one[..], &other.finish(), &last].concat()).unwrap();
    assert_snapshot!(all(&["metadata", "--events", "test.*", &path]), @r#"
    // chunks 0, 2

    @Name("test.Tick")
    class Tick extends jdk.jfr.Event {
      @Timestamp("TICKS")
      long startTime;

      long n;
    }

    // chunk 1

    @Name("test.Other")
    class Other extends jdk.jfr.Event {
      long m;
    }
    "#);
}

#[test]
fn help_version_completions_and_man_come_from_one_definition() {
    let help = stdout(&["--help"]);
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands: Vec<&str> = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let commands: Vec<&str> = commands.into_iter().filter(|name| !name.is_empty()).collect();
    assert_snapshot!(commands.join(" "), @"analyze convert top flame diff heatmap report view export info metrics summary print metadata serve upload open completions man help");
    let completions = ["bash", "zsh", "fish"].map(|shell| (shell, stdout(&["completions", shell])));
    for command in commands {
        for (shell, text) in &completions {
            assert!(text.contains(command), "{command} in {shell}");
        }
        if command != "help" {
            let page = stdout(&["man", command]);
            assert!(page.contains("\n.SH OPTIONS\n"), "{command}: {page}");
        }
    }
    let page = stdout(&["man", "print"]);
    assert_snapshot!(page.split(".SH DESCRIPTION").next().unwrap().replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
    .ie \n(.g .ds Aq \(aq
    .el .ds Aq '
    .TH jfrkit-print 1  "jfrkit-print " 
    .SH NAME
    jfrkit\-print \- Print events with their values
    .SH SYNOPSIS
    \fBjfrkit print\fR [\fB\-\-events\fR] [\fB\-\-categories\fR] [\fB\-\-stack\-depth\fR] [\fB\-\-format\fR] [\fB\-\-compact\fR] [\fB\-\-from\fR] [\fB\-\-to\fR] [\fB\-\-strict\fR] [\fB\-\-limits\fR] [\fB\-\-max\fR] [\fB\-\-timeout\fR] [\fB\-\-color\fR] [\fB\-q\fR|\fB\-\-quiet\fR] [\fB\-v\fR|\fB\-\-verbose\fR] [\fB\-\-utc\fR] [\fB\-\-local\fR] [\fB\-h\fR|\fB\-\-help\fR] <\fIINPUT\fR>
    "#);
}

#[test]
fn json_in_the_shape_of_the_jdk_is_one_document() {
    let file = fixture("jdk17-full.jfr");
    let text = stdout(&["print", "--format", "jdk-json", "--events", "jdk.GarbageCollection,jdk.FileRead", &file]);
    let document: Value = serde_json::from_str(&text).unwrap();
    let events = document["recording"]["events"].as_array().unwrap();
    // What `jfr print --json` of JDK 17 prints for these two events.
    let first = events.iter().find(|event| event["type"] == "jdk.GarbageCollection").unwrap();
    assert_eq!(
        *first,
        serde_json::json!({"type": "jdk.GarbageCollection", "values": {
            "startTime": "2026-11-23T11:34:44.481280685Z", "duration": "PT0.011857175S", "gcId": 2, "name": "G1Full",
            "cause": "Heap Inspection Initiated GC", "sumOfPauses": "PT0.011857175S", "longestPause": "PT0.011857175S"
        }})
    );
    let read = events.iter().find(|event| event["type"] == "jdk.FileRead").unwrap();
    assert_eq!(read["values"]["duration"], "PT0.000008075S");
    assert_eq!(read["values"]["stackTrace"]["frames"][0]["method"]["type"]["name"], "java/io/FileInputStream");
    // The output is also valid for several recordings and without events.
    let both = stdout(&[
        "print",
        "--format",
        "jdk-json",
        "--events",
        "jdk.GarbageCollection",
        &file,
        &fixture("jdk17-multichunk.jfr"),
    ]);
    let both: Value = serde_json::from_str(&both).unwrap();
    assert!(both["recording"]["events"].as_array().unwrap().len() > 9);
    let none = stdout(&["print", "--format", "jdk-json", "--events", "jdk.OldObjectSample", "--to", "+1ms", &file]);
    assert_eq!(serde_json::from_str::<Value>(&none).unwrap(), serde_json::json!({"recording": {"events": []}}));
}

#[test]
fn compact_json_has_a_string_for_each_frame() {
    let file = fixture("jdk17-full.jfr");
    let long = stdout(&["print", "--format", "json", "--events", "jdk.FileRead", &file]);
    let short = stdout(&["print", "--format", "json", "--compact", "--events", "jdk.FileRead", &file]);
    assert_eq!(long.lines().count(), short.lines().count());
    assert!(short.len() * 5 < long.len(), "{} and {}", short.len(), long.len());
    let first: Value = serde_json::from_str(short.lines().next().unwrap()).unwrap();
    assert_eq!(first["values"]["stackTrace"]["frames"][0], "java.io.FileInputStream.read:115");
    assert_eq!(first["values"]["eventThread"], "main");
    assert_snapshot!(all(&["print", "--compact", &file]), @r"
    jfrkit: error: --compact needs --format json or jdk-json
    exit status 2
    ");
}

/// What a terminal was sent, without its line endings.
#[cfg(target_os = "linux")]
fn stdout_of_terminal(output: &std::process::Output) -> String {
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n")
}

#[test]
#[cfg(target_os = "linux")]
fn binary_output_to_a_terminal_is_an_error() {
    // `script` runs a command in a terminal.
    let program = assert_cmd::cargo::cargo_bin!("jfrkit").display();
    let run = |format: &str| {
        let file = fixture("jdk17-full.jfr");
        let command = format!("'{program}' convert --types cpu --format {format} -o - '{file}'");
        Command::new("script").args(["-qec", &command, "/dev/null"]).stdin(Stdio::null()).output()
    };
    let Ok(done) = run("pprof") else {
        println!("skipped: script(1) is not installed");
        return;
    };
    assert_snapshot!(shown(&done), @r"
    jfrkit: error: a terminal cannot show this format: redirect it (> profile.pb.gz), pipe it, or use --format collapsed
    exit status 2
    ");
    let text = stdout_of_terminal(&run("collapsed").unwrap());
    let file = stdout(&["convert", "--types", "cpu", "--format", "collapsed", "-o", "-", &fixture("jdk17-full.jfr")]);
    assert!(text == file);
}

/// The CPU time of each thread by its own clock, as written by the recorded program.
#[test]
fn scaled_cpu_time_equals_the_time_that_threads_used() {
    for (recording, truth) in
        [("jdk17-full.jfr", "jdk17-full.truth.json"), ("jdk21-full.jfr.gz", "jdk21-full.truth.json")]
    {
        let truth: Value = serde_json::from_str(&std::fs::read_to_string(fixture(truth)).unwrap()).unwrap();
        let facts = truth["facts"].as_array().unwrap();
        let burner =
            facts.iter().filter(|fact| fact["thread"] == "burner").filter_map(|fact| fact["cpuNanos"].as_f64());
        let used: f64 = burner.sum();
        assert!(used > 1e9, "{recording}");
        let rows = |options: &[&str]| {
            let file = fixture(recording);
            let mut args = vec!["top", "--type", "cpu", "--by", "thread", "--format", "json"];
            args.extend(options);
            args.push(&file);
            serde_json::from_str::<Value>(&stdout(&args)).unwrap()
        };
        let own = |top: &Value, thread: &str| {
            let rows = top["rows"].as_array().unwrap();
            let row = rows.iter().find(|row| row["name"] == thread || row["key"] == thread).unwrap();
            row["self"].as_array().map_or(&row["self"], |values| values.last().unwrap()).as_f64().unwrap()
        };
        let scaled = rows(&["--scale-cpu"]);
        let found = own(&scaled, "burner");
        assert!((found / used - 1.0).abs() < 0.1, "{recording}: {found} of {used}");
        // A short-lived thread must not count as running all the time.
        let all: f64 = scaled["totals"].as_array().unwrap().last().unwrap().as_f64().unwrap();
        assert!(all < used * 1.6, "{recording}: {all} beside {used}");
    }
}

#[cfg(feature = "serve")]
#[test]
fn an_upload_has_the_name_of_its_file_without_the_folder() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n{\"id\":\"X\"}";
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(head).unwrap().lines().next().unwrap().to_owned()
    });
    let printed = stdout(&["upload", "--url", &url, "--tag", "team:core", &fixture("jdk17-profile.jfr.gz")]);
    assert_eq!(printed, format!("{url}/profiles/X\n"));
    let query = "tag=file%3Ajdk17-profile.jfr.gz&tag=team%3Acore";
    assert_eq!(server.join().unwrap(), format!("POST /api/v1/recordings?{query} HTTP/1.1"));
}
