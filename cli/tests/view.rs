//! `jfrkit view` as run by users.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{arguments, fixture, jfrkit, run as execute, said, shown};
use insta::assert_snapshot;
use serde_json::Value;

fn run(args: &[std::ffi::OsString]) -> (i32, String, Vec<String>) {
    let output = jfrkit(args).output().unwrap();
    let out = String::from_utf8(output.stdout.clone()).unwrap();
    (output.status.code().unwrap(), out, said(&output))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_unknown_view_suggests_similar_names() {
    let file = fixture("jdk17-full.jfr");
    assert_snapshot!(shown(&execute!("view", "hot-method", &file)), @r#"
    jfrkit: error: there is no view "hot-method"; did you mean hot-methods, cpu-time-hot-methods, method-calls, method-timing? See jfrkit view --list
    exit status 2
    "#);
    assert_snapshot!(shown(&execute!("view", "FileReed", &file)), @r#"
    jfrkit: error: there is no view and no event type "FileReed"; see jfrkit view types
    exit status 2
    "#);
    assert_snapshot!(shown(&execute!("view", &file)), @r"
    jfrkit: error: name a view (see jfrkit view --list), an event type, or give a --query
    exit status 2
    ");
    assert_snapshot!(shown(&execute!("view", "gc")), @r"
    jfrkit: error: no recording given; see --help
    exit status 2
    ");
}

#[test]
fn an_error_in_a_query_gives_its_position() {
    let query = "SELECT a FROM b ORDER c";
    assert_snapshot!(shown(&execute!("view", "--query", query, fixture("jdk17-full.jfr"))), @r#"
    jfrkit: error: --query: line 1, column 23: expected BY, found "c"
    exit status 2
    "#);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("own.views");
    std::fs::write(&file, "[mine.sleeps]\nlabel = Sleeps\ntable =\n  SELECT time FORM ThreadSleep\n").unwrap();
    assert_snapshot!(shown(&execute!("view", "--views", &file, "sleeps", fixture("jdk17-full.jfr"))), @r#"
    jfrkit: error: TEMP/own.views: line 4, column 15: expected "," or FROM, found "FORM"
    exit status 2
    "#);
    std::fs::write(&file, "[mine.sleeps]\nlabel = Sleeps\ntable =\n  SELECT COUNT(*) FROM ThreadSleep\n").unwrap();
    let sleeps = execute!("view", "--views", &file, "sleeps", fixture("jdk17-full.jfr"), "--format", "csv");
    assert_snapshot!(shown(&sleeps), @r"
    Count
    39
    ");
}

#[test]
fn a_query_for_an_unknown_field_or_event_suggests_similar_names() {
    let query = "SELECT gcId, longestPuase FROM jdk.GarbageCollection";
    assert_snapshot!(shown(&execute!("view", "--query", query, fixture("jdk17-full.jfr"))), @r#"
    jfrkit: error: --query: line 1, column 14: jdk.GarbageCollection has no field "longestPuase"; did you mean longestPause?
    exit status 2
    "#);
    let each = [
        "SELECT COUNT(*) FROM jdk.GarbageCollection WHERE nam = 'G1New'",
        "SELECT COUNT(*) FROM jdk.GarbageCollection GROUP BY nam",
        "SELECT name FROM jdk.GarbageCollection ORDER BY nam",
    ]
    .map(|query| shown(&execute!("view", "--query", query, fixture("jdk17-full.jfr"))));
    assert_snapshot!(each.join("\n"), @r#"
    jfrkit: error: --query: line 1, column 50: jdk.GarbageCollection has no field "nam"; did you mean name?
    exit status 2
    jfrkit: error: --query: line 1, column 53: jdk.GarbageCollection has no field "nam"; did you mean name?
    exit status 2
    jfrkit: error: --query: line 1, column 8: jdk.GarbageCollection has no field "nam"; did you mean name?
    exit status 2
    "#);
    // It is not always known in advance where a path leads, but the event has the first field.
    let query =
        "SELECT stackTrace.topFrame.method, eventThread.javaName, COUNT(*) FROM jdk.FileRead GROUP BY eventThread";
    assert_snapshot!(shown(&execute!("view", "--query", query, fixture("jdk17-full.jfr"))), @r"
                                     Query

    Java Method                                       Java Thread Name Count
    ------------------------------------------------- ---------------- -----
    java.io.FileInputStream.read(byte[], int, int)    main                 1
    java.io.FileInputStream.read(byte[], int, int)    contender            1
    java.io.FileInputStream.read(byte[], int, int)    allocator            1
    java.io.FileInputStream.read(byte[], int, int)    plugin-loader        2
    java.io.FileInputStream.read(byte[], int, int)    orders               3
    java.io.FileInputStream.read(byte[], int, int)    ping-client          4
    java.io.FileInputStream.read(byte[], int, int)    namer                5
    sun.nio.ch.FileChannelImpl.read(ByteBuffer, long) files              384
    ");
    let query = "SELECT name FROM jdk.GarbageColection";
    assert_snapshot!(shown(&execute!("view", "--query", query, fixture("jdk17-full.jfr"))), @r"
    Query
      The recording cannot have jdk.GarbageColection: its metadata does not declare the type. The JVM is too old or too new for it, or the profiler does not record it. Did you mean jdk.GarbageCollection or jdk.G1GarbageCollection or jdk.OldGarbageCollection or jdk.YoungGarbageCollection?
    ");
    // A view may be written for another JDK: the column is empty, and there is a warning.
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("own.views");
    std::fs::write(&file, "[mine.gcs]\nlabel = GCs\ntable = SELECT name, later FROM GarbageCollection LIMIT 1\n")
        .unwrap();
    let output = execute!("view", "--views", &file, "gcs", fixture("jdk17-full.jfr"), "--format", "csv");
    assert_snapshot!(shown(&output), @r#"
    Name,later
    G1Full,N/A
    jfrkit: warning: fixtures/jdk17-full.jfr: view gcs: jdk.GarbageCollection has no field "later"; jfrkit metadata shows the fields of jdk.GarbageCollection
    "#);
}

#[test]
fn one_object_a_line_for_many_inputs_and_views() {
    let two = [fixture("jdk17-full.jfr"), fixture("jdk17-multichunk.jfr")];
    let (status, out, _) = run(&arguments!("view", "gc", "tlabs", &two[0], &two[1], "--format", "json"));
    assert_eq!(status, 0);
    let objects = lines(&out);
    let names: Vec<_> = objects.iter().map(|object| object["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["gc", "tlabs", "gc", "tlabs"]);
    assert_eq!(objects[2]["file"], two[1].to_str().unwrap());
    assert!(objects[1]["form"]["Inside TLAB Count"].is_string());
    let (_, out, _) = run(&arguments!("view", "all-views", &two[0], "--format", "json"));
    let objects = lines(&out);
    assert_eq!(objects.len(), 90);
    for object in &objects {
        let empty = object["rows"].as_array().is_some_and(Vec::is_empty);
        assert_eq!(empty, object["note"].is_string(), "{object}");
    }
}

#[test]
fn events_of_a_type_and_of_all() {
    let file = fixture("jdk17-full.jfr");
    for name in ["jdk.ThreadSleep", "ThreadSleep"] {
        let (status, out, _) = run(&arguments!("view", name, &file, "--format", "json", "--raw"));
        assert_eq!(status, 0);
        let object = &lines(&out)[0];
        assert_eq!(object["name"], "jdk.ThreadSleep");
        assert_eq!(object["rows"].as_array().unwrap().len(), 39);
        assert_eq!(object["units"][1], "ns");
    }
    let (status, out, _) = run(&arguments!("view", "all-events", &file, "--format", "json"));
    assert_eq!(status, 0);
    let rows: usize = lines(&out).iter().filter_map(|object| object["rows"].as_array()).map(Vec::len).sum();
    let (_, summary, _) = run(&arguments!("summary", &file, "--format", "json"));
    let counted: Value = serde_json::from_str(&summary).unwrap();
    let counted: u64 = counted["events"].as_array().unwrap().iter().map(|e| e["count"].as_u64().unwrap()).sum();
    assert_eq!(rows as u64, counted);
    let types = common::stdout(&execute!("view", "types", &file));
    assert_snapshot!(types.lines().take(12).map(str::trim_end).collect::<Vec<_>>().join("\n"), @r"
    Java virtual machine
      blocked-by-system-gc             longest stop-the-world System.gc() calls with stack
      class-modifications              class redefinitions and retransformations, with their source
      classes-by-source                classes defined per code source
      compiler-configuration           JIT threads and tiers
      compiler-phases                  duration per compiler phase
      compiler-statistics              JIT totals
      deoptimizations-by-reason        deoptimizations per reason
      deoptimizations-by-site          deoptimizations per method
      gc                               collections with heap before and after
      gc-allocation-trigger            application frames whose allocations triggered a collection
      gc-concurrent-phases             concurrent GC phases
    ");
    let sleeps: Vec<&str> = types.split_whitespace().filter(|name| *name == "jdk.ThreadSleep").collect();
    assert_eq!(sleeps.len(), 1);
}

#[test]
fn events_that_the_recording_cannot_have_are_named() {
    assert_snapshot!(shown(&execute!("view", "method-timing", fixture("jdk17-full.jfr"))), @r"
    Method Timing
      The recording cannot have jdk.MethodTiming: its metadata does not declare the type. The JVM is too old or too new for it, or the profiler does not record it.
    ");
    let (status, out, _) = run(&arguments!("view", "jdk.Nothing", fixture("jdk17-full.jfr"), "--format", "json"));
    assert_eq!(status, 0);
    assert_eq!(lines(&out)[0]["rows"], serde_json::json!([]));
}

#[test]
fn own_code_is_set_by_the_option_or_the_settings_file() {
    let file = fixture("jdk17-full.jfr");
    let (_, out, _) = run(&arguments!("view", "own-code", &file, "--own", "java.util,java.lang", "--format", "json"));
    for row in lines(&out)[0]["rows"].as_array().unwrap() {
        let method = row[0].as_str().unwrap();
        assert!(
            method.starts_with("java.util.") || method.starts_with("java.lang.") || method.starts_with('('),
            "{method}"
        );
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("jfrkit.toml"), "[own]\npackages = [\"nobody\"]\n").unwrap();
    let output = jfrkit(&arguments!("view", "own-code", file, "--format", "json"))
        .current_dir(directory.path())
        .output()
        .unwrap();
    let object = &lines(std::str::from_utf8(&output.stdout).unwrap())[0];
    assert_eq!(object["rows"][0][0], "(no own code)");
}

#[test]
fn the_list_has_every_view() {
    let (status, out, _) = run(&arguments!("view", "--list"));
    assert_eq!(status, 0);
    let views = out.lines().filter(|line| line.starts_with("  ")).count();
    assert_eq!(views, 90);
}

#[test]
fn a_failing_input_does_not_affect_the_others() {
    let file = fixture("jdk17-full.jfr");
    let (status, out, said) = run(&arguments!("view", "gc-pauses", "missing.jfr", &file, "--format", "json"));
    assert_eq!(status, 1);
    assert_snapshot!(said.join("\n"), @"jfrkit: error: missing.jfr: No such file or directory (os error 2)");
    assert_eq!(lines(&out).len(), 1);
}
