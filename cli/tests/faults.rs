//! Full disks, directories that cannot be written to, closed pipes, unreadable inputs.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::{
    arguments, failure, files, fixture, jfrkit, large, later, names, said, signal, whole_profiles, without_places,
};
use insta::assert_snapshot;
use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload, TIMESPAN, TIMESTAMP};

/// For scripts, which run the command themselves.
const PROGRAM: &str = env!("CARGO_BIN_EXE_jfrkit");

const GOOD: &str = "jdk17-full.jfr";

fn run(arguments: &[OsString]) -> Output {
    jfrkit(arguments).output().unwrap()
}

/// Commands that write to standard output, with arguments that make them write a lot or a little.
fn writers() -> Vec<Vec<OsString>> {
    let file = fixture(GOOD);
    vec![
        arguments!("print", &file).to_vec(),
        arguments!("summary", &file).to_vec(),
        arguments!("top", "--type", "cpu", &file).to_vec(),
        arguments!("metadata", &file).to_vec(),
        arguments!("analyze", &file).to_vec(),
        arguments!("analyze", "--format", "json", "--list").to_vec(),
        arguments!("convert", "--types", "cpu", "-o", "-", &file).to_vec(),
        arguments!("completions", "bash").to_vec(),
        arguments!("man").to_vec(),
        arguments!("--help").to_vec(),
        arguments!("--version").to_vec(),
    ]
}

/// A recording of a single sleep, a few hundred bytes long.
fn small() -> Vec<u8> {
    let mut chunk = ChunkWriter::new();
    chunk.metadata(&[Class::event(100, "jdk.ThreadSleep")
        .field(Field::new("startTime", LONG).annotated(TIMESTAMP, "TICKS"))
        .field(Field::new("duration", LONG).annotated(TIMESPAN, "TICKS"))]);
    chunk.event(100, &Payload::new().varint(2_000).varint(5_000_000));
    chunk.finish()
}

#[test]
fn standard_output_on_a_full_disk_is_an_error() {
    if !Path::new("/dev/full").exists() {
        println!("skipped: no /dev/full");
        return;
    }
    let full = || File::options().write(true).open("/dev/full").unwrap();
    insta::allow_duplicates! {
        for arguments in writers() {
            let output = jfrkit(&arguments).stdout(full()).output().unwrap();
            assert_snapshot!(failure(&output), @"jfrkit: error: writing the output failed: No space left on device (os error 28)");
        }
    }
    // The lines about the profiles cannot be written, but the profiles are.
    let out = tempfile::tempdir().unwrap();
    let arguments = arguments!("convert", "-o", out.path(), fixture(GOOD));
    assert_snapshot!(failure(&jfrkit(&arguments).stdout(full()).output().unwrap()), @"jfrkit: error: writing the output failed: No space left on device (os error 28)");
    assert!(whole_profiles(out.path()) > 8);
    // A report to a device instead of a file.
    let output = run(&arguments!("analyze", "-o", "/dev/full", fixture(GOOD)));
    assert_snapshot!(failure(&output), @"jfrkit: error: /dev/full: No space left on device (os error 28)");
}

#[test]
fn a_closed_pipe_ends_every_command_silently() {
    for arguments in writers() {
        let mut child = jfrkit(&arguments).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?} {:?}", said(&output));
    }
    // If standard error is closed as well, only the status reports the failure.
    let mut child = jfrkit(&["summary", "missing.jfr"]).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// A file size limit acts like a disk that fills up: small files are written, and nothing is left of the others.
#[test]
fn a_file_size_limit_leaves_no_partial_files() {
    let out = tempfile::tempdir().unwrap();
    let script = "ulimit -f 8 && exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, PROGRAM, "convert", "-o"]).arg(out.path()).arg(fixture(GOOD));
    let output = command.stdout(Stdio::piped()).output().unwrap();
    let (said, whole) = (said(&output), whole_profiles(out.path()));
    assert_eq!(output.status.code(), Some(1), "{} {said:?}", output.status);
    assert!(whole > 0 && !said.is_empty(), "{whole} {said:?}");
    for line in &said {
        let name = line.strip_prefix("jfrkit: error: ").unwrap().split(": ").next().unwrap();
        assert!(name.ends_with(".pb.gz") && !Path::new(name).exists() && line.contains("large"), "{line}");
    }
    // Each file is reported as written or as failed.
    let printed = String::from_utf8_lossy(&output.stdout).lines().filter(|l| l.contains(" samples ")).count();
    assert_eq!(printed, whole);

    let page = out.path().join("page.html");
    let mut command = Command::new("sh");
    command.args(["-c", script, PROGRAM, "analyze", "--format", "html", "-o"]);
    let output = command.arg(&page).arg(fixture(GOOD)).output().unwrap();
    assert_snapshot!(failure(&output), @"jfrkit: error: TEMP/page.html: File too large (os error 27)");
    assert_eq!(names(out.path()).len(), whole);
}

#[test]
fn a_full_disk_leaves_no_partial_files() {
    let out = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=40k none \"$1\"";
    let within = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script, PROGRAM]).arg(out.path()).arg(fixture(GOOD));
        command.output()
    };
    if !within(mount).is_ok_and(|output| output.status.success()) {
        println!("skipped: no file system can be mounted here");
        return;
    }
    let copied = tempfile::tempdir().unwrap();
    let copy = format!("cp -a \"$1/.\" {}", copied.path().display());
    let output =
        within(&format!("{mount} && {{ \"$0\" convert -o \"$1\" \"$2\"; status=$?; {copy}; exit $status; }}")).unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said:?}");
    assert!(!said.is_empty());
    assert!(said.iter().all(|l| l.starts_with("jfrkit: error: ") && l.contains("No space left")), "{said:?}");
    assert!(said.iter().all(|l| l.contains(".pb.gz: ") && !l.contains(".jfrkit-")), "{said:?}");
    let whole = whole_profiles(copied.path());
    let printed = String::from_utf8_lossy(&output.stdout).lines().filter(|l| l.contains(" samples ")).count();
    assert_eq!(printed, whole);
}

#[test]
fn a_directory_that_cannot_be_written_to() {
    let directory = tempfile::tempdir().unwrap();
    let closed = directory.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();
    let mut places = vec![closed.clone()];
    if File::create(closed.join("try")).is_ok() {
        // Root may write anywhere, except where no file can be created.
        fs::remove_file(closed.join("try")).unwrap();
        places = vec!["/proc/self".into()];
        if !Path::new("/proc/self").exists() {
            println!("skipped: an administrator may write everywhere");
            return;
        }
    }
    insta::allow_duplicates! {
        for place in places {
            let shown = place.to_str().unwrap();
            let lines = [
                arguments!("convert", "--types", "cpu", "-o", &place, fixture(GOOD)).to_vec(),
                arguments!("convert", "--types", "cpu", "-o", place.join("new"), fixture(GOOD)).to_vec(),
                arguments!("analyze", "-o", place.join("page.txt"), fixture(GOOD)).to_vec(),
            ]
            .map(|arguments| failure(&run(&arguments)).replace(&without_places(shown), "PLACE"));
            // The reason differs between systems and users.
            let named = lines.map(|line| line.rsplit_once(": ").unwrap().0.to_owned());
            assert_snapshot!(named.join("\n"), @r"
            jfrkit: error: PLACE/jdk17-full.cpu.pb.gz
            jfrkit: error: PLACE/new
            jfrkit: error: PLACE/page.txt
            ");
        }
    }
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert!(names(&closed).is_empty());
}

#[test]
fn a_directory_that_disappears_during_the_conversion() {
    let directory = tempfile::tempdir().unwrap();
    let (recording, out) = (directory.path().join("rec.jfr"), directory.path().join("out"));
    large(&recording, 150);
    let child = jfrkit(&arguments!("convert", "--types", "cpu,alloc", "-o", &out, &recording)).spawn().unwrap();
    common::wait_until("the directory is made", || out.exists());
    signal(&child, "STOP");
    fs::remove_dir(&out).unwrap();
    signal(&child, "CONT");
    let output = child.wait_with_output().unwrap();
    let said = said(&output);
    assert_eq!((output.status.code(), said.len()), (Some(1), 2), "{said:?}");
    assert_snapshot!(without_places(&said.join("\n")), @r"
    jfrkit: error: TEMP/out/rec.cpu.pb.gz: No such file or directory (os error 2)
    jfrkit: error: TEMP/out/rec.alloc.pb.gz: No such file or directory (os error 2)
    ");
    assert!(output.stdout.is_empty() && !out.exists());
    let output = run(&arguments!("analyze", "-o", out.join("page.txt"), fixture(GOOD)));
    assert_snapshot!(failure(&output), @"jfrkit: error: TEMP/out/page.txt: No such file or directory (os error 2)");
}

#[test]
fn a_thousand_good_inputs_are_converted_despite_bad_ones() {
    let directory = tempfile::tempdir().unwrap();
    let (input, out) = (directory.path().join("in"), directory.path().join("out"));
    fs::create_dir(&input).unwrap();
    for n in 0..1000 {
        fs::write(input.join(format!("{n:04}.jfr")), later(&small(), n)).unwrap();
    }
    symlink("nowhere", input.join("0500-link.jfr")).unwrap();
    symlink("0600-loop.jfr", input.join("0600-loop.jfr")).unwrap();
    fs::write(input.join("0700-text.jfr"), "no recording").unwrap();
    let status = Command::new("mkfifo").arg(input.join("0800-pipe.jfr")).status();
    assert!(status.is_ok_and(|status| status.success()));
    let closed = input.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    let administrator = fs::read_dir(&closed).is_ok();
    let missing = directory.path().join("missing.jfr");
    let empty = directory.path().join("empty");
    fs::create_dir(&empty).unwrap();

    let output = run(&arguments!("convert", "-o", &out, &missing, &empty, &input));
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1));
    let (closed_lines, lines): (Vec<_>, Vec<_>) = said.iter().partition(|line| line.contains("/in/closed: "));
    assert_eq!(closed_lines.len(), usize::from(!administrator), "{said:?}");
    let lines: Vec<&str> = lines.into_iter().map(String::as_str).collect();
    assert_snapshot!(without_places(&lines.join("\n")), @r#"
    jfrkit: error: TEMP/empty: no recordings in this directory (files ending in .jfr, .jfr.gz and the like)
    jfrkit: error: TEMP/missing.jfr: No such file or directory (os error 2)
    jfrkit: error: TEMP/in/0500-link.jfr: No such file or directory (os error 2)
    jfrkit: error: TEMP/in/0600-loop.jfr: Too many levels of symbolic links (os error 40)
    jfrkit: error: TEMP/in/0700-text.jfr: not a flight recording: found text ("no recor"…) at offset 0; expected a .jfr file, optionally compressed with gzip, zip, LZ4 or zstd
    "#);
    assert_eq!(whole_profiles(&out), 1000);

    // The merged profile contains all other inputs.
    let output = run(&arguments!("convert", "--merge", "-o", &out, &missing, &empty, &input));
    assert_eq!((output.status.code(), common::said(&output).len()), (Some(1), said.len()));
    let merged = pprof_emit::read(&fs::read(out.join("merged.sleep.pb.gz")).unwrap()).unwrap();
    assert_eq!(merged.sample.iter().map(|sample| sample.value[0]).sum::<i64>(), 1000);
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn a_report_lists_unreadable_inputs() {
    let directory = tempfile::tempdir().unwrap();
    let (empty, page) = (directory.path().join("empty"), directory.path().join("page.json"));
    fs::create_dir(&empty).unwrap();
    let missing = directory.path().join("missing.jfr");
    let output = run(&arguments!("analyze", "--format", "json", "-o", &page, &missing, &empty, fixture(GOOD)));
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(without_places(&said(&output).join("\n")), @r"
    jfrkit: error: TEMP/empty: no recordings in this directory (files ending in .jfr, .jfr.gz and the like)
    jfrkit: error: TEMP/missing.jfr: No such file or directory (os error 2)
    ");
    let report = fs::read_to_string(&page).unwrap();
    assert!(report.contains("missing.jfr") && report.contains("no recordings in this directory"));
    assert!(report.contains(GOOD));
    assert_snapshot!(failure(&run(&arguments!("analyze", &empty))), @"jfrkit: error: TEMP/empty: no recordings in this directory (files ending in .jfr, .jfr.gz and the like)");
}

#[test]
fn names_that_are_not_text() {
    let directory = tempfile::tempdir().unwrap();
    let odd = |name: &[u8]| directory.path().join(OsStr::from_bytes(name));
    let (input, out) = (odd(b"rec\xff\xfe.jfr"), odd(b"out\x80"));
    if fs::copy(fixture(GOOD), &input).is_err() {
        println!("skipped: the file system takes no such names");
        return;
    }
    let output = run(&arguments!("convert", "--types", "cpu", "-o", &out, &input));
    assert!(output.status.success() && output.stderr.is_empty(), "{:?}", said(&output));
    assert_eq!(names(&out), [OsString::from_vec(b"rec\xff\xfe.cpu.pb.gz".to_vec())]);
    // The same if found by searching a directory.
    let output = run(&arguments!("convert", "--types", "cpu", "-o", &out, directory.path()));
    assert!(output.status.success() && output.stderr.is_empty(), "{:?}", said(&output));
    let page = odd(b"page\xff.txt");
    assert!(run(&arguments!("analyze", "-o", &page, &input)).status.success());
    assert!(!fs::read(&page).unwrap().is_empty());
    for command in ["print", "summary", "metadata"] {
        let output = run(&arguments!(command, &input));
        assert!(output.status.success() && std::str::from_utf8(&output.stdout).is_ok(), "{command}");
    }
    insta::allow_duplicates! {
        for command in ["convert", "analyze", "print", "summary", "metadata"] {
            assert_snapshot!(failure(&run(&arguments!(command, odd(b"missing\xff.jfr")))), @"jfrkit: error: TEMP/missing�.jfr: No such file or directory (os error 2)");
        }
    }
}

#[test]
fn several_processes_write_to_one_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (alone, shared) = (directory.path().join("alone"), directory.path().join("shared/deeper"));
    let inputs = [fixture(GOOD), fixture("jdk17-multichunk.jfr")];
    let command = |out: &Path| jfrkit(&arguments!("convert", "-o", out, &inputs[0], &inputs[1]));
    assert!(command(&alone).output().unwrap().status.success());
    let children: Vec<_> = (0..4).map(|_| command(&shared).stdout(Stdio::null()).spawn().unwrap()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{:?}", said(&output));
    }
    assert!(files(&shared) == files(&alone));
}
