//! Commands as run by users.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload, TIMESTAMP};
use serde_json::Value;

fn jfrkit(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jfrkit")).args(args).output().unwrap()
}

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name).to_str().unwrap().to_owned()
}

/// Standard output of a command that must succeed and print nothing to standard error.
fn stdout(args: &[&str]) -> String {
    let done = jfrkit(args);
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success() && said.is_empty(), "{args:?}: {:?}: {said}", done.status);
    String::from_utf8(done.stdout).unwrap()
}

/// The exit status, and the single line on standard error.
fn complaint(args: &[&str]) -> (i32, String) {
    let done = jfrkit(args);
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
    (done.status.code().unwrap(), said)
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
fn summary_as_text_and_from_standard_input() {
    let path = fixture("jdk17-full.jfr");
    let text = stdout(&["summary", "-v", &path]);
    assert!(text.contains("HotSpot") && text.contains("jdk.FileRead"), "{text}");
    let mut child = Command::new(env!("CARGO_BIN_EXE_jfrkit"))
        .args(["summary", "-v", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
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
    let first: Vec<&str> = text.lines().take_while(|line| *line != "}").collect();
    assert_eq!(first[0], "jdk.FileRead {");
    assert!(first[1].starts_with("  startTime = ") && first[1].ends_with(')'), "{first:?}");
    assert!(first[2].starts_with("  duration = "), "{first:?}");
    assert!(first.iter().any(|l| l.starts_with("  eventThread = \"") && l.contains("(javaThreadId = ")), "{first:?}");
    let stack = first.iter().position(|l| *l == "  stackTrace = [").unwrap();
    assert!(first[stack + 1].starts_with("    ") && first[stack + 1].contains(") line: "), "{first:?}");
    assert!(stack + 5 >= first.len(), "{first:?}");
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
    let done = jfrkit(&["print", "--from", "soon", &path]);
    assert_eq!(done.status.code(), Some(2));
}

#[test]
fn a_loss_is_a_warning_or_with_strict_an_error() {
    // An event of size 0 ends the walk.
    let (_folder, path) = recording(|chunk| {
        chunk.raw(&[0, 0, 0]);
    });
    for command in ["summary", "print"] {
        let (status, said) = complaint(&[command, &path]);
        assert_eq!(status, 0);
        assert!(said.starts_with("jfrkit: warning: ") && said.contains(&path) && said.contains("offset "), "{said}");
        let strict = jfrkit(&[command, "--strict", &path]);
        assert_eq!(strict.status.code(), Some(1));
        let said = String::from_utf8(strict.stderr).unwrap();
        assert!(said.lines().last().unwrap().starts_with("jfrkit: error: "), "{said}");
    }
}

#[test]
fn an_undeclared_type_is_a_warning_of_the_summary() {
    let (_folder, path) = recording(|chunk| {
        chunk.event(4_711, &Payload::new());
        chunk.event(u64::MAX, &Payload::new());
    });
    let done = jfrkit(&["summary", "-v", "--format", "json", &path]);
    let summary: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(summary["events"].as_array().unwrap().len(), 1);
    assert_eq!(summary["warnings"].as_array().unwrap().len(), 2);
    assert!(String::from_utf8(done.stderr).unwrap().contains("undeclared type 4711"));
}

#[test]
fn a_chunk_without_metadata_does_not_affect_the_others() {
    let (folder, path) = recording(|_| {});
    let good = std::fs::read(&path).unwrap();
    let bad = ChunkWriter::new().finish();
    let both = folder.path().join("both.jfr").to_str().unwrap().to_owned();
    std::fs::write(&both, [bad.as_slice(), &good].concat()).unwrap();
    for command in ["summary", "print", "metadata"] {
        let (status, said) = complaint(&[command, &both]);
        assert_eq!(status, 0, "{said}");
        assert!(said.contains("no readable metadata"), "{said}");
    }
    std::fs::write(&both, [bad.as_slice(), &bad].concat()).unwrap();
    for command in ["summary", "print", "metadata"] {
        let done = jfrkit(&[command, &both]);
        assert_eq!(done.status.code(), Some(1));
        assert!(String::from_utf8(done.stderr).unwrap().contains("error: "));
    }
}

#[test]
fn unreadable_inputs_are_one_line_and_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("text"), "hello, world\n").unwrap();
    std::fs::write(path("empty"), "").unwrap();
    for input in [path("text"), path("empty"), path("missing"), path("")] {
        for command in ["summary", "print", "metadata"] {
            let (status, said) = complaint(&[command, &input]);
            assert_eq!(status, 1, "{said}");
            assert!(said.starts_with("jfrkit: error: ") && said.contains(&input), "{said}");
        }
    }
}

#[test]
fn wrong_usage_is_status_2() {
    for args in [&["summary"][..], &["nothing"], &["print", "--format", "xml", "x"], &["man", "nothing"]] {
        assert_eq!(jfrkit(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_jfrkit"))
        .args(["print", "--format", "json", &fixture("jdk17-full.jfr")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
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
    let text = stdout(&["metadata", "--events", "FileRead", &fixture("jdk17-multichunk.jfr")]);
    let expected = "@Name(\"jdk.FileRead\")\n@Label(\"File Read\")\n@Category(\"Java Application\")\n";
    assert!(text.starts_with(expected), "{text}");
    for part in
        ["  // setting threshold = ", "  @DataAmount(\"BYTES\")\n  long bytesRead;\n", "  Thread eventThread;\n"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("class FileWrite"));
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
    let text = stdout(&["metadata", "--events", "test.*", &path]);
    let heads: Vec<&str> = text.lines().filter(|l| l.starts_with("//") || l.starts_with("class")).collect();
    let expected =
        ["// chunks 0, 2", "class Tick extends jdk.jfr.Event {", "// chunk 1", "class Other extends jdk.jfr.Event {"];
    assert_eq!(heads, expected);
}

#[test]
fn help_version_completions_and_man_come_from_one_definition() {
    let help = stdout(&["--help"]);
    assert!(stdout(&["--version"]).starts_with("jfrkit "));
    for command in ["summary", "print", "metadata", "completions", "man"] {
        assert!(help.contains(command));
        assert!(stdout(&[command, "--help"]).contains("Examples:"), "{command}");
        for shell in ["bash", "zsh", "fish"] {
            assert!(stdout(&["completions", shell]).contains(command));
        }
    }
    assert!(stdout(&["man"]).contains(".TH jfrkit"));
    let page = stdout(&["man", "print"]);
    assert!(page.contains(".TH jfrkit") && page.contains("stack\\-depth"), "{page}");
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
    assert_eq!(complaint(&["print", "--compact", &file]).0, 2);
}

#[test]
#[cfg(target_os = "linux")]
fn binary_output_to_a_terminal_is_an_error() {
    // `script` runs a command in a terminal.
    let program = env!("CARGO_BIN_EXE_jfrkit");
    let run = |format: &str| {
        let file = fixture("jdk17-full.jfr");
        let command = format!("'{program}' convert --types cpu --format {format} -o - '{file}'");
        Command::new("script").args(["-qec", &command, "/dev/null"]).stdin(Stdio::null()).output()
    };
    let Ok(done) = run("pprof") else {
        println!("skipped: script(1) is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.contains("a terminal cannot show this format") && said.lines().count() == 1, "{said}");
    assert_eq!(done.status.code(), Some(2));
    let text = run("collapsed").unwrap();
    assert!(text.status.success() && String::from_utf8_lossy(&text.stdout).contains("fx.Workload.burnUnit"));
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
