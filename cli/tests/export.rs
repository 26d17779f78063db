//! `jfrkit export`: tables in a folder.
#![cfg(feature = "tables")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::path::Path;
use std::process::Output;

use common::{arguments, files_below as files, fixture, jfrkit, shown};
use insta::assert_snapshot;

fn export(folder: &Path, args: &[&str]) -> Output {
    jfrkit(&arguments!["export", "-o", folder]).args(args).output().unwrap()
}

/// Everything that the command printed, without sizes, which depend on the versions of the compressors.
fn without_sizes(output: &Output) -> String {
    let sizes = regex::Regex::new(r" *[0-9.,]+ [KM]?i?B\b").unwrap();
    sizes.replace_all(&shown(output), " SIZE").into_owned()
}

#[test]
fn a_folder_has_a_table_for_each_event_type() {
    let folder = tempfile::tempdir().unwrap();
    let input = fixture("jdk17-multichunk.jfr");
    let output = export(folder.path(), &["--tables", "events,stacks,frames,recordings", input.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    assert_snapshot!(without_sizes(&output), @r"
    events           3,579 rows    62 types SIZE  TEMP/events
    stacks             252 rows SIZE  TEMP/stacks
    frames             603 rows SIZE  TEMP/frames
    recordings            1 row SIZE  TEMP/recordings
    ");
    let files = files(folder.path());
    let mut names: Vec<&str> = files.keys().map(|name| name.rsplit_once('/').unwrap().0).collect();
    names.dedup();
    assert_snapshot!(names.join("\n"), @r"
    _jfrkit
    events/type=fx.OrderPlaced
    events/type=fx.Tick
    events/type=jdk.ActiveRecording
    events/type=jdk.ActiveSetting
    events/type=jdk.CPUInformation
    events/type=jdk.CPULoad
    events/type=jdk.CPUTimeStampCounter
    events/type=jdk.ClassLoadingStatistics
    events/type=jdk.CodeCacheConfiguration
    events/type=jdk.CodeCacheStatistics
    events/type=jdk.Compilation
    events/type=jdk.CompilationFailure
    events/type=jdk.CompilerConfiguration
    events/type=jdk.CompilerStatistics
    events/type=jdk.DirectBufferStatistics
    events/type=jdk.ExceptionStatistics
    events/type=jdk.ExecuteVMOperation
    events/type=jdk.ExecutionSample
    events/type=jdk.FileForce
    events/type=jdk.FileRead
    events/type=jdk.FileWrite
    events/type=jdk.G1HeapSummary
    events/type=jdk.GCCPUTime
    events/type=jdk.GCConfiguration
    events/type=jdk.GCHeapConfiguration
    events/type=jdk.GCHeapSummary
    events/type=jdk.GCPhasePause
    events/type=jdk.GCPhasePauseLevel1
    events/type=jdk.GCReferenceStatistics
    events/type=jdk.GCSurvivorConfiguration
    events/type=jdk.GCTLABConfiguration
    events/type=jdk.GarbageCollection
    events/type=jdk.InitialSystemProperty
    events/type=jdk.JVMInformation
    events/type=jdk.JavaErrorThrow
    events/type=jdk.JavaExceptionThrow
    events/type=jdk.JavaMonitorEnter
    events/type=jdk.JavaMonitorWait
    events/type=jdk.JavaThreadStatistics
    events/type=jdk.MetaspaceSummary
    events/type=jdk.NativeMethodSample
    events/type=jdk.ObjectAllocationInNewTLAB
    events/type=jdk.ObjectAllocationOutsideTLAB
    events/type=jdk.ObjectAllocationSample
    events/type=jdk.OldGarbageCollection
    events/type=jdk.OldObjectSample
    events/type=jdk.PhysicalMemory
    events/type=jdk.SafepointBegin
    events/type=jdk.SafepointEnd
    events/type=jdk.SafepointStateSynchronization
    events/type=jdk.SocketRead
    events/type=jdk.SocketWrite
    events/type=jdk.SystemGC
    events/type=jdk.ThreadAllocationStatistics
    events/type=jdk.ThreadCPULoad
    events/type=jdk.ThreadContextSwitchRate
    events/type=jdk.ThreadEnd
    events/type=jdk.ThreadPark
    events/type=jdk.ThreadSleep
    events/type=jdk.ThreadStart
    events/type=jdk.VirtualizationInformation
    events/type=jdk.YoungGenerationConfiguration
    frames
    recordings
    stacks
    ");
    assert!(files.iter().filter(|(name, _)| name.ends_with(".parquet")).all(|(_, bytes)| bytes.starts_with(b"PAR1")));
}

#[test]
fn the_files_do_not_depend_on_the_number_of_threads() {
    let input = fixture("jdk17-multichunk.jfr");
    let of = |threads: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = jfrkit(&arguments!["export", "-o", folder.path(), &input]);
        let output = command.env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        files(folder.path())
    };
    let (one, eight) = (of("1"), of("8"));
    assert!(one.len() > 50, "{}", one.len());
    assert!(one == eight);
}

#[test]
fn append_adds_each_recording_once() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (fixture("jdk17-multichunk.jfr"), fixture("jdk11-profile.jfr.gz"));
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    let tables = ["--tables", "recordings,settings"];
    let run = |more: &[&str]| export(folder.path(), &[&tables[..], more].concat());
    assert!(run(&[first]).status.success());
    let before = files(folder.path());
    assert_snapshot!(shown(&run(&[second])), @r"
    jfrkit: error: TEMP: already contains tables; add to them with --append, or choose another folder
    exit status 1
    ");
    assert!(files(folder.path()) == before);
    // The first recording again, compressed or not, is recognized by its content.
    assert!(run(&["--append", first, second, second]).status.success());
    let after = files(folder.path());
    assert_eq!(after.len(), before.len() + 3, "{:?}", after.keys());
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    assert_snapshot!(without_sizes(&run(&["--append", first, second])), @r"
    fixtures/jdk17-multichunk.jfr: already in these tables
    fixtures/jdk11-profile.jfr.gz: already in these tables
    ");
    assert!(files(folder.path()) == after);
}

#[test]
fn secrets_are_hidden_unless_they_are_asked_for() {
    let input = fixture("scenarios/secrets.jfr.gz");
    let of = |more: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let args = ["--format", "csv", "--tables", "events", "--events", "InitialSystemProperty,JVMInformation"];
        let output = export(folder.path(), &[&args[..], more, &[input.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{output:?}");
        let all = files(folder.path());
        all.into_iter()
            .filter(|(name, _)| name.ends_with("csv"))
            .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
            .collect::<String>()
    };
    let (hidden, shown) = (of(&[]), of(&["--show-secrets"]));
    let secrets = |text: &str| {
        let cells = text.lines().flat_map(|line| line.split([',', ' '])).map(|cell| cell.trim_matches('"'));
        let secret = cells.filter(|cell| cell.contains("••••") || cell.contains("made-up"));
        secret.map(str::to_owned).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(secrets(&hidden), @r"
    --db-password=••••
    -Dapi.key=••••
    -Dmy.password=••••
    ••••
    ");
    assert_snapshot!(secrets(&shown), @r"
    --db-password=made-up-argument
    -Dapi.key=made-up-key
    -Dmy.password=made-up-password
    made-up-key
    made-up-password
    ");
}

#[test]
fn unreadable_inputs_fail_and_the_others_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.jfr");
    std::fs::write(&broken, b"no recording").unwrap();
    let out = folder.path().join("out");
    let output = export(&out, &["--tables", "recordings", broken.to_str().unwrap()]);
    assert_snapshot!(shown(&output), @r#"
    jfrkit: error: TEMP/broken.jfr: not a flight recording: found text ("no recor"…) at offset 0; expected a .jfr file, optionally compressed with gzip, zip, LZ4 or zstd
    exit status 1
    "#);
    assert!(!out.exists());
    let good = fixture("jdk11-profile.jfr.gz");
    let output = export(&out, &["--tables", "recordings", broken.to_str().unwrap(), good.to_str().unwrap()]);
    assert_snapshot!(without_sizes(&output), @r#"
    recordings            1 row SIZE  TEMP/out/recordings
    jfrkit: error: TEMP/broken.jfr: not a flight recording: found text ("no recor"…) at offset 0; expected a .jfr file, optionally compressed with gzip, zip, LZ4 or zstd
    exit status 1
    "#);
    assert_eq!(files(&out).keys().filter(|name| name.starts_with("recordings/")).count(), 1);
}

#[test]
fn csv_and_arrow_have_the_same_rows() {
    let input = fixture("jdk17-multichunk.jfr");
    let folder = tempfile::tempdir().unwrap();
    let tables = ["--tables", "events", "--events", "GCHeapSummary"];
    for format in ["csv", "arrow"] {
        let out = folder.path().join(format);
        let output = export(&out, &[&tables[..], &["--format", format, input.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{output:?}");
    }
    let csv = files(&folder.path().join("csv"));
    let (_, text) = csv.iter().find(|(name, _)| name.ends_with(".csv")).unwrap();
    let text = String::from_utf8_lossy(text);
    assert!(text.lines().next().unwrap().starts_with("recording,startTime,gcId,when,heapSpace.start"), "{text}");
    let arrow = files(&folder.path().join("arrow"));
    assert!(arrow.iter().any(|(name, bytes)| name.ends_with(".arrow") && bytes.starts_with(b"ARROW1")));
}

#[test]
fn time_ranges_are_relative_to_each_recording() {
    let input = fixture("jdk17-multichunk.jfr");
    let rows = |more: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let args = ["--format", "csv", "--tables", "events", "--events", "ExecutionSample"];
        let output = export(folder.path(), &[&args[..], more, &[input.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{output:?}");
        let all = files(folder.path());
        let text = all.iter().find(|(name, _)| name.ends_with(".csv")).map(|(_, bytes)| bytes.clone());
        String::from_utf8(text.unwrap_or_default()).unwrap().lines().count().saturating_sub(1)
    };
    let (all, first, rest) = (rows(&[]), rows(&["--to", "1s"]), rows(&["--from", "1s"]));
    assert!(all > 0 && first > 0 && first + rest == all, "{first} + {rest} != {all}");
}
