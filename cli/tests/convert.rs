//! `jfrkit convert` as run by users.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload, TIMESPAN, TIMESTAMP, fixture};

fn jfrkit() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jfrkit"));
    command.stdin(Stdio::null());
    command
}

fn convert(arguments: &[&OsStr]) -> Output {
    jfrkit().arg("convert").args(arguments).output().unwrap()
}

/// Arguments of any kind.
macro_rules! convert {
    ($($argument:expr),* $(,)?) => { convert(&[$(OsStr::new($argument)),*]) };
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{:?}: {}", output.status, text(&output.stderr)))
}

/// The single line on standard error, which names the input and the problem.
fn error_line(output: &Output, code: i32) -> String {
    assert_eq!(status(output), code, "{}", text(&output.stderr));
    let lines: Vec<&str> = text(&output.stderr).lines().collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("jfrkit: error: "), "{lines:?}");
    lines[0].to_owned()
}

/// The files below a directory, by relative path.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    found
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
    let output = convert!(&fixture("jdk17-full.jfr"), "-o", out.path());
    assert_eq!((status(&output), text(&output.stderr)), (0, ""));
    let found = files(out.path());
    for kind in ["cpu", "alloc", "native", "class-load", "error", "file-io", "lock", "socket-io"] {
        let file = format!("jdk17-full.{kind}.pb.gz");
        let profile = pprof_emit::read(&found[&file]).unwrap();
        assert!(!profile.sample.is_empty(), "{file}");
        let line = text(&output.stdout).lines().find(|line| line.starts_with(&format!("{kind} "))).unwrap();
        assert!(line.ends_with(&file) && line.contains(" samples "), "{line}");
    }
    assert_eq!(text(&output.stdout).lines().count(), found.len());
    assert!(!text(&output.stdout).contains('\x1b'));
}

#[test]
fn an_absent_core_type_has_a_reason() {
    let out = tempfile::tempdir().unwrap();
    let output = convert!(&fixture("jdk17-profile.jfr.gz"), "-o", out.path());
    assert_eq!(status(&output), 0);
    let line = text(&output.stdout).lines().find(|line| line.starts_with("class-load ")).unwrap();
    assert!(line.contains("none: disabled") && line.contains("jdk.ClassLoad#enabled=true"), "{line}");
    assert!(!names(out.path()).iter().any(|name| name.contains("class-load")));
}

#[test]
fn only_requested_types_are_written() {
    let out = tempfile::tempdir().unwrap();
    let output = convert!(&fixture("jdk17-full.jfr"), "-d", out.path(), "--types", "cpu,file-io", "--types", "sleep");
    assert_eq!(status(&output), 0);
    assert_eq!(names(out.path()), ["jdk17-full.cpu.pb.gz", "jdk17-full.file-io.pb.gz", "jdk17-full.sleep.pb.gz"]);
    assert_eq!(text(&output.stdout).lines().count(), 3);
}

#[test]
fn to_standard_output() {
    let out = tempfile::tempdir().unwrap();
    let file = fixture("jdk17-full.jfr");
    assert_eq!(status(&convert!(&file, "-o", out.path(), "--types", "lock")), 0);
    let output = convert!(&file, "-o", "-", "--types", "lock");
    assert_eq!((status(&output), text(&output.stderr)), (0, ""));
    assert_eq!(output.stdout, files(out.path())["jdk17-full.lock.pb.gz"]);

    assert!(error_line(&convert!(&file, "-o", "-"), 2).contains("--types"));
    assert!(error_line(&convert!(&file, &file, "-o", "-", "--types", "lock"), 2).contains("--merge"));
    let merged = convert!(&file, &file, "-o", "-", "--types", "lock", "--merge");
    assert_eq!(status(&merged), 0);
    let sum = |bytes: &[u8]| pprof_emit::read(bytes).unwrap().sample.iter().map(|s| s.value[0]).sum::<i64>();
    // Equal chunks count once.
    assert_eq!(sum(&merged.stdout), sum(&output.stdout));
    assert!(
        text(&merged.stderr).contains("equal to") && text(&merged.stderr).lines().count() == 1,
        "{}",
        text(&merged.stderr)
    );
    // There is nothing to write.
    let line = error_line(&convert!(&fixture("jdk17-profile.jfr.gz"), "-o", "-", "--types", "class-load"), 1);
    assert!(line.contains("no class-load profile: disabled"), "{line}");
}

#[test]
fn collapsed_stacks() {
    let out = tempfile::tempdir().unwrap();
    let output = convert!(&fixture("jdk17-full.jfr"), "-o", out.path(), "--types", "cpu", "--format", "collapsed");
    assert_eq!(status(&output), 0);
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
    let output = convert!(&one, &two, "-o", out.path(), "--types", "sleep");
    assert_eq!(status(&output), 0);
    assert_eq!(names(out.path()), ["jdk17-full.sleep.pb.gz", "jdk17-multichunk.sleep.pb.gz"]);
    let printed = text(&output.stdout);
    assert!(printed.find("jdk17-full.jfr").unwrap() < printed.find("jdk17-multichunk.jfr").unwrap(), "{printed}");

    let merged = tempfile::tempdir().unwrap();
    assert_eq!(status(&convert!(&one, &two, "-o", merged.path(), "--types", "sleep", "--merge")), 0);
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
    let output = convert!(input.path(), "-o", out.path());
    assert_eq!((status(&output), text(&output.stderr)), (0, ""));
    let found = files(out.path());
    let (packed, plain): (Vec<_>, Vec<_>) = found.iter().partition(|(name, _)| name.starts_with("deeper/packed."));
    assert!(packed.len() > 3);
    assert_eq!(packed.len(), plain.len());
    for ((packed, a), (plain, b)) in packed.into_iter().zip(plain) {
        assert_eq!(packed.strip_prefix("deeper/packed"), plain.strip_prefix("plain"));
        assert!(a == b, "{packed} differs from {plain}");
    }

    let empty = tempfile::tempdir().unwrap();
    assert!(error_line(&convert!(empty.path(), "-o", out.path()), 1).contains("no recordings in this directory"));
}

#[test]
fn from_standard_input() {
    let out = tempfile::tempdir().unwrap();
    let mut child = jfrkit()
        .args(["convert", "-", "--types", "sleep", "-o"])
        .arg(out.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
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
    assert_eq!(status(&output), 1);
    let lines: Vec<&str> = text(&output.stderr).lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("jfrkit: error: ") && lines[0].contains("missing.jfr"), "{lines:?}");
    assert!(lines[1].starts_with("jfrkit: error: ") && lines[1].contains("other.jfr"), "{lines:?}");
    assert_eq!(names(&target), ["jdk17-full.sleep.pb.gz"]);
}

#[test]
fn nothing_can_be_done() {
    let out = tempfile::tempdir().unwrap();
    let missing = out.path().join("missing.jfr");
    assert!(error_line(&convert!(&missing, "-o", out.path()), 1).contains("missing.jfr"));
    assert!(error_line(&convert!(&missing, "-o", "-", "--types", "cpu"), 1).contains("missing.jfr"));
    assert_eq!(names(out.path()), [""; 0]);
}

#[test]
fn wrong_usage() {
    for arguments in [
        &["rec.jfr", "--types", "cpu,nonsense"][..],
        &["rec.jfr", "--from", "soon"],
        &["rec.jfr", "--include", "("],
        &["rec.jfr", "--cpu-source", "jdk.ThreadSleep"],
        &[],
    ] {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let output = convert(&arguments);
        assert!(error_line(&output, 2).contains("--help"), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_output_directory_is_created_if_possible() {
    let out = tempfile::tempdir().unwrap();
    let input = out.path().join("rec.jfr");
    fs::write(&input, recording(false)).unwrap();
    assert_eq!(status(&convert!(&input, "-o", &out.path().join("a/b"))), 0);
    assert_eq!(names(&out.path().join("a/b")), ["rec.sleep.pb.gz"]);
    // The output directory is a file.
    assert!(error_line(&convert!(&input, "-o", &input), 1).contains("rec.jfr"));
    assert_eq!(fs::read(&input).unwrap(), recording(false));
}

#[test]
fn a_file_that_cannot_be_written() {
    let out = tempfile::tempdir().unwrap();
    let input = out.path().join("rec.jfr");
    fs::write(&input, recording(false)).unwrap();
    // Not even root can replace a directory by a file.
    fs::create_dir(out.path().join("rec.sleep.pb.gz")).unwrap();
    assert!(error_line(&convert!(&input, "-o", out.path()), 1).contains("rec.sleep.pb.gz"));
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
    let output = convert!(&input, "-o", &target, "--types", "sleep");
    assert_eq!(status(&output), 0);
    let warnings: Vec<&str> = text(&output.stderr).lines().collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("jfrkit: warning: ") && warnings[0].contains("rec.jfr"), "{warnings:?}");

    let output = convert!(&input, "-o", &target, "--types", "sleep", "--strict");
    assert_eq!(status(&output), 1);
    assert!(text(&output.stderr).lines().last().unwrap().contains("--strict"));
    // It accepts an intact recording.
    fs::write(&input, recording(false)).unwrap();
    let output = convert!(&input, "-o", &target, "--types", "sleep", "--strict");
    assert_eq!((status(&output), text(&output.stderr)), (0, ""));
    let printed = text(&output.stdout);
    assert!(printed.contains(" 2 samples ") && printed.contains(" 12"), "{printed}");
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_not_an_error() {
    let out = tempfile::tempdir().unwrap();
    for arguments in [&["-o", "-", "--types", "cpu"][..], &["-o", out.path().to_str().unwrap()]] {
        let mut child = jfrkit()
            .arg("convert")
            .arg(fixture("jdk17-full.jfr"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The reader closes the pipe.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((status(&output), text(&output.stderr)), (0, ""), "{arguments:?}");
    }
}
