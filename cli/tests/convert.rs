//! `jfrkit convert` as run by users.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;

use common::{arguments, files_below as files, fixture, jfrkit, shown, stdout};
use insta::assert_snapshot;
use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload, TIMESPAN, TIMESTAMP};

macro_rules! convert {
    ($($argument:expr),* $(,)?) => { common::run!("convert", $($argument),*) };
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    files(directory).into_keys().collect()
}

/// A recording with two sleeps, the second one damaged if requested.
fn recording(damaged: bool) -> Vec<u8> {
    let mut chunk = ChunkWriter::new();
    chunk.metadata(&[Class::event(100, "jdk.ThreadSleep")
        .field(Field::new("startTime", LONG).annotated(TIMESTAMP, "TICKS"))
        .field(Field::new("duration", LONG).annotated(TIMESPAN, "TICKS"))]);
    chunk.event(100, &Payload::new().varint(2_000).varint(5_000_000));
    if damaged {
        // No fields at all.
        chunk.event(100, &Payload::new());
    } else {
        chunk.event(100, &Payload::new().varint(3_000).varint(7_000_000));
    }
    chunk.finish()
}

#[test]
fn a_file_for_each_type_and_a_line_for_each_file() {
    let out = tempfile::tempdir().unwrap();
    assert_snapshot!(shown(&convert!(&fixture("jdk17-full.jfr"), "-o", out.path())), @r"
    cpu               2,099 samples        8.4 s  TEMP/jdk17-full.cpu.pb.gz
    alloc               678 samples     51.7 MiB  TEMP/jdk17-full.alloc.pb.gz
    native               32 samples       640 ms  TEMP/jdk17-full.native.pb.gz
    class-load          501 samples      54.4 ms  TEMP/jdk17-full.class-load.pb.gz
    error               508 samples               TEMP/jdk17-full.error.pb.gz
    file-io             636 samples      2.78 ms  TEMP/jdk17-full.file-io.pb.gz
    lock                 25 samples       198 ms  TEMP/jdk17-full.lock.pb.gz
    socket-io           481 samples        25 ms  TEMP/jdk17-full.socket-io.pb.gz
    live                 12 samples               TEMP/jdk17-full.live.pb.gz
    park                 30 samples      92.9 ms  TEMP/jdk17-full.park.pb.gz
    wait                 91 samples       20.8 s  TEMP/jdk17-full.wait.pb.gz
    sleep                39 samples       942 ms  TEMP/jdk17-full.sleep.pb.gz
    ");
    let found = files(out.path());
    for kind in ["cpu", "alloc", "native", "class-load", "error", "file-io", "lock", "socket-io"] {
        let file = format!("jdk17-full.{kind}.pb.gz");
        let profile = pprof_emit::read(&found[&file]).unwrap();
        assert!(!profile.sample.is_empty(), "{file}");
    }
    assert_eq!(found.len(), 12);
}

#[test]
fn an_absent_core_type_has_a_reason() {
    let out = tempfile::tempdir().unwrap();
    assert_snapshot!(shown(&convert!(&fixture("jdk17-profile.jfr.gz"), "-o", out.path())), @r"
    cpu                 380 samples        3.8 s  TEMP/jdk17-profile.cpu.pb.gz
    alloc               221 samples     31.9 MiB  TEMP/jdk17-profile.alloc.pb.gz
    native               31 samples       620 ms  TEMP/jdk17-profile.native.pb.gz
    error                67 samples               TEMP/jdk17-profile.error.pb.gz
    live                 26 samples               TEMP/jdk17-profile.live.pb.gz
    park                  6 samples      90.7 ms  TEMP/jdk17-profile.park.pb.gz
    wait                 19 samples       10.4 s  TEMP/jdk17-profile.wait.pb.gz
    sleep                 7 samples       721 ms  TEMP/jdk17-profile.sleep.pb.gz
    class-load    none: disabled in the recording's settings: jdk.ClassLoad, jdk.ClassDefine; enable it with: jcmd fx.Workload JFR.start settings=profile jdk.ClassLoad#enabled=true filename=recording.jfr
    file-io       none: enabled, but no jdk.FileRead, jdk.FileWrite, jdk.FileForce events were recorded; shorter ones are hidden by the threshold: jdk.FileRead of 10 ms, jdk.FileWrite of 10 ms, jdk.FileForce of 10 ms
    lock          none: jdk.ThreadPark events do not count here: they are not lock waits
    socket-io     none: enabled, but no jdk.SocketRead, jdk.SocketWrite events were recorded; shorter ones are hidden by the threshold: jdk.SocketRead of 10 ms, jdk.SocketWrite of 10 ms
    ");
    assert!(!names(out.path()).iter().any(|name| name.contains("class-load")));
}

#[test]
fn only_requested_types_are_written() {
    let out = tempfile::tempdir().unwrap();
    let output = convert!(&fixture("jdk17-full.jfr"), "-d", out.path(), "--types", "cpu,file-io", "--types", "sleep");
    assert_snapshot!(shown(&output), @r"
    cpu               2,099 samples        8.4 s  TEMP/jdk17-full.cpu.pb.gz
    file-io             636 samples      2.78 ms  TEMP/jdk17-full.file-io.pb.gz
    sleep                39 samples       942 ms  TEMP/jdk17-full.sleep.pb.gz
    ");
    assert_eq!(names(out.path()), ["jdk17-full.cpu.pb.gz", "jdk17-full.file-io.pb.gz", "jdk17-full.sleep.pb.gz"]);
}

#[test]
fn to_standard_output() {
    let out = tempfile::tempdir().unwrap();
    let file = fixture("jdk17-full.jfr");
    stdout(&convert!(&file, "-o", out.path(), "--types", "lock"));
    let output = convert!(&file, "-o", "-", "--types", "lock");
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(output.stdout, files(out.path())["jdk17-full.lock.pb.gz"]);

    assert_snapshot!(shown(&convert!(&file, "-o", "-")), @r"
    jfrkit: error: standard output takes a single profile: give one type with --types, and one input or --merge
    exit status 2
    ");
    assert_snapshot!(shown(&convert!(&file, &file, "-o", "-", "--types", "lock")), @r"
    jfrkit: error: standard output takes a single profile: give one type with --types, and one input or --merge
    exit status 2
    ");
    let merged = convert!(&file, &file, "-o", "-", "--types", "lock", "--merge");
    assert!(merged.status.success());
    let sum = |bytes: &[u8]| pprof_emit::read(bytes).unwrap().sample.iter().map(|s| s.value[0]).sum::<i64>();
    // Equal chunks count once.
    assert_eq!(sum(&merged.stdout), sum(&output.stdout));
    assert_snapshot!(common::without_places(text(&merged.stderr)), @"jfrkit: warning: merged: offset 0: 1 chunk is identical to an earlier one and counts once; 550317 bytes skipped");
    // There is nothing to write.
    assert_snapshot!(shown(&convert!(&fixture("jdk17-profile.jfr.gz"), "-o", "-", "--types", "class-load")), @r"
    jfrkit: error: fixtures/jdk17-profile.jfr.gz: no class-load profile: disabled in the recording's settings: jdk.ClassLoad, jdk.ClassDefine; enable it with: jcmd fx.Workload JFR.start settings=profile jdk.ClassLoad#enabled=true filename=recording.jfr
    exit status 1
    ");
}

#[test]
fn collapsed_stacks() {
    let out = tempfile::tempdir().unwrap();
    stdout(&convert!(&fixture("jdk17-full.jfr"), "-o", out.path(), "--types", "cpu", "--format", "collapsed"));
    let found = files(out.path());
    assert_eq!(found.len(), 1);
    let mut three = 0;
    for line in text(&found["jdk17-full.cpu.collapsed.txt"]).lines() {
        let (stack, value) = line.rsplit_once(' ').unwrap();
        let value: i64 = value.parse().unwrap();
        if stack.contains("fx.Workload.burnThree") {
            // The root comes first.
            assert!(stack.starts_with("java.lang.Thread.run"), "{line}");
            three += value;
        }
    }
    assert!(three > 1_000_000_000, "{three} ns");
}

#[test]
fn several_inputs_each_get_their_files_and_merged_ones_one_set() {
    let out = tempfile::tempdir().unwrap();
    let (one, two) = (fixture("jdk17-full.jfr"), fixture("jdk17-multichunk.jfr"));
    assert_snapshot!(shown(&convert!(&one, &two, "-o", out.path(), "--types", "sleep")), @r"
    fixtures/jdk17-full.jfr
    sleep                39 samples       942 ms  TEMP/jdk17-full.sleep.pb.gz
    fixtures/jdk17-multichunk.jfr
    sleep                41 samples       945 ms  TEMP/jdk17-multichunk.sleep.pb.gz
    ");
    assert_eq!(names(out.path()), ["jdk17-full.sleep.pb.gz", "jdk17-multichunk.sleep.pb.gz"]);

    let merged = tempfile::tempdir().unwrap();
    assert_snapshot!(shown(&convert!(&one, &two, "-o", merged.path(), "--types", "sleep", "--merge")), @r"
    merged
    sleep                80 samples       1.89 s  TEMP/merged.sleep.pb.gz
    ");
    assert_eq!(names(merged.path()), ["merged.sleep.pb.gz"]);
    let sums = |directory: &Path| {
        let profiles = files(directory).into_values().map(|bytes| pprof_emit::read(&bytes).unwrap());
        profiles.flat_map(|p| p.sample).fold([0, 0], |sum, s| [sum[0] + s.value[0], sum[1] + s.value[1]])
    };
    assert_eq!(sums(merged.path()), sums(out.path()));
    assert!(sums(merged.path())[0] >= 20);
}

#[test]
fn directories_are_searched_and_compressed_recordings_decompressed() {
    let input = tempfile::tempdir().unwrap();
    let packed = fixture("jdk17-profile.jfr.gz");
    fs::create_dir(input.path().join("deeper")).unwrap();
    fs::copy(&packed, input.path().join("deeper/packed.jfr.gz")).unwrap();
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(fs::File::open(&packed).unwrap()).read_to_end(&mut plain).unwrap();
    fs::write(input.path().join("plain.jfr"), plain).unwrap();
    fs::write(input.path().join("notes.txt"), "no recording").unwrap();

    let out = tempfile::tempdir().unwrap();
    stdout(&convert!(input.path(), "-o", out.path()));
    let found = files(out.path());
    let (packed, plain): (Vec<_>, Vec<_>) = found.iter().partition(|(name, _)| name.starts_with("deeper/packed."));
    assert!(packed.len() > 3);
    assert_eq!(packed.len(), plain.len());
    for ((packed, a), (plain, b)) in packed.into_iter().zip(plain) {
        assert_eq!(packed.strip_prefix("deeper/packed"), plain.strip_prefix("plain"));
        assert!(a == b, "{packed} differs from {plain}");
    }

    let empty = tempfile::tempdir().unwrap();
    assert_snapshot!(shown(&convert!(empty.path(), "-o", out.path())), @r"
    jfrkit: error: TEMP: no recordings in this directory (files ending in .jfr, .jfr.gz and the like)
    exit status 1
    ");
}

#[test]
fn from_standard_input() {
    let out = tempfile::tempdir().unwrap();
    let mut command = jfrkit(&arguments!["convert", "-", "--types", "sleep", "-o", out.path()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&recording(false)).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(names(out.path()), ["stdin.sleep.pb.gz"]);
}

#[test]
fn bad_inputs_among_good_ones() {
    let out = tempfile::tempdir().unwrap();
    let missing = out.path().join("missing.jfr");
    let other = out.path().join("other.jfr");
    fs::write(&other, "certainly no recording").unwrap();
    let target = out.path().join("profiles");
    let output = convert!(&missing, &fixture("jdk17-full.jfr"), &other, "-o", &target, "--types", "sleep");
    assert_snapshot!(shown(&output), @r#"
    fixtures/jdk17-full.jfr
    sleep                39 samples       942 ms  TEMP/profiles/jdk17-full.sleep.pb.gz
    jfrkit: error: TEMP/missing.jfr: No such file or directory (os error 2)
    jfrkit: error: TEMP/other.jfr: not a flight recording: found text ("certainl"…) at offset 0; expected a .jfr file, optionally compressed with gzip, zip, LZ4 or zstd
    exit status 1
    "#);
    assert_eq!(names(&target), ["jdk17-full.sleep.pb.gz"]);
}

#[test]
fn nothing_can_be_done() {
    let out = tempfile::tempdir().unwrap();
    let missing = out.path().join("missing.jfr");
    assert_snapshot!(shown(&convert!(&missing, "-o", out.path())), @r"
    jfrkit: error: TEMP/missing.jfr: No such file or directory (os error 2)
    exit status 1
    ");
    assert_snapshot!(shown(&convert!(&missing, "-o", "-", "--types", "cpu")), @r"
    jfrkit: error: TEMP/missing.jfr: No such file or directory (os error 2)
    exit status 1
    ");
    assert_eq!(names(out.path()), [""; 0]);
}

#[test]
fn wrong_usage() {
    assert_snapshot!(shown(&convert!("rec.jfr", "--types", "cpu,nonsense")), @r"
    jfrkit: error: --types nonsense: no such profile type; expected one of cpu, alloc, native, class-load, error, file-io, lock, socket-io, wall, live, park, wait, sleep, pinned, native-alloc, native-lock, method-trace, event; see --help
    exit status 2
    ");
    assert_snapshot!(shown(&convert!("rec.jfr", "--from", "soon")), @r#"
    jfrkit: error: invalid value 'soon' for '--from <TIME>': invalid time "soon": expected a timestamp (2026-11-22T10:36:30Z), a time of day (10:36:30), milliseconds since 1970, a time from the start (10s, 1m30s) or from the end (-10s); see --help
    exit status 2
    "#);
    assert_snapshot!(shown(&convert!("rec.jfr", "--include", "(")), @r"
    jfrkit: error: invalid value '(' for '--include <REGEX>': regex parse error: ( error: unclosed group; see --help
    exit status 2
    ");
    assert_snapshot!(shown(&convert!("rec.jfr", "--cpu-source", "jdk.ThreadSleep")), @r"
    jfrkit: error: invalid value 'jdk.ThreadSleep' for '--cpu-source <EVENT>': a cpu profile cannot be built from this event type; expected one of datadog.ExecutionSample, jdk.CPUTimeSample, jdk.ExecutionSample; see --help
    exit status 2
    ");
    assert_snapshot!(shown(&convert!("rec.jfr", "--labels", "colour")), @r"
    jfrkit: error: invalid value 'colour' for '--labels <LIST>': no such label; expected thread, thread-id, class, path, host, port, state, span-id, local-root-span-id, trace-endpoint or none; see --help
    exit status 2
    ");
    assert_snapshot!(shown(&convert!()), @r"
    jfrkit: error: the following required arguments were not provided: <INPUT>...; see --help
    exit status 2
    ");
}

#[test]
fn the_output_directory_is_created_if_possible() {
    let out = tempfile::tempdir().unwrap();
    let input = out.path().join("rec.jfr");
    fs::write(&input, recording(false)).unwrap();
    stdout(&convert!(&input, "-o", out.path().join("a/b")));
    assert_eq!(names(&out.path().join("a/b")), ["rec.sleep.pb.gz"]);
    // The output directory is a file.
    assert_snapshot!(shown(&convert!(&input, "-o", &input)), @r"
    jfrkit: error: TEMP/rec.jfr: is not a directory
    exit status 1
    ");
    assert_eq!(fs::read(&input).unwrap(), recording(false));
}

#[test]
fn a_file_that_cannot_be_written() {
    let out = tempfile::tempdir().unwrap();
    let input = out.path().join("rec.jfr");
    fs::write(&input, recording(false)).unwrap();
    // Not even root can replace a directory by a file.
    fs::create_dir(out.path().join("rec.sleep.pb.gz")).unwrap();
    assert_snapshot!(common::failure(&convert!(&input, "-o", out.path(), "--types", "sleep")), @"jfrkit: error: TEMP/rec.sleep.pb.gz: is a directory");
    let mut left: Vec<_> = fs::read_dir(out.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["rec.jfr", "rec.sleep.pb.gz"]);
}

#[test]
fn a_loss_is_a_warning_or_with_strict_an_error() {
    let out = tempfile::tempdir().unwrap();
    let input = out.path().join("rec.jfr");
    fs::write(&input, recording(true)).unwrap();
    let target = out.path().join("profiles");
    assert_snapshot!(shown(&convert!(&input, "-o", &target, "--types", "sleep")), @r"
    sleep                 1 sample          5 ms  TEMP/profiles/rec.sleep.pb.gz
    jfrkit: warning: TEMP/rec.jfr: offset 636: the data ends in the middle of a value; 2 bytes skipped
    ");
    assert_snapshot!(shown(&convert!(&input, "-o", &target, "--types", "sleep", "--strict")), @r"
    sleep                 1 sample          5 ms  TEMP/profiles/rec.sleep.pb.gz
    jfrkit: warning: TEMP/rec.jfr: offset 636: the data ends in the middle of a value; 2 bytes skipped
    jfrkit: error: TEMP/rec.jfr: not read completely; leave out --strict to accept that
    exit status 1
    ");
    // It accepts an intact recording.
    fs::write(&input, recording(false)).unwrap();
    assert_snapshot!(shown(&convert!(&input, "-o", &target, "--types", "sleep", "--strict")), @"sleep                 2 samples        12 ms  TEMP/profiles/rec.sleep.pb.gz");
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_not_an_error() {
    let out = tempfile::tempdir().unwrap();
    for arguments in [&["-o", "-", "--types", "cpu"][..], &["-o", out.path().to_str().unwrap()]] {
        let mut command = jfrkit(&arguments!["convert", fixture("jdk17-full.jfr")]);
        let mut child = command.args(arguments).spawn().unwrap();
        // The reader closes the pipe.
        drop(child.stdout.take());
        stdout(&child.wait_with_output().unwrap());
    }
}
