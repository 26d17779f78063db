//! Recordings that are truncated, replaced or written to while a command reads them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{arguments, failure, files, fixture, jfrkit, large, names, repeated, said, signal, wait_until};
use insta::assert_snapshot;
use tempfile::TempDir;

/// How often to repeat the chunks of a fixture: reading 80 MB takes longer than stopping the command.
const TIMES: usize = 150;

/// A directory with a recording of 80 MB, and one for the output.
struct Place {
    _directory: TempDir,
    recording: PathBuf,
    out: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (recording, out) = (directory.path().join("rec.jfr"), directory.path().join("out"));
        fs::create_dir(&out).unwrap();
        large(&recording, TIMES);
        Self { _directory: directory, recording, out }
    }

    fn convert(&self) -> Vec<OsString> {
        arguments!("convert", "--types", "cpu,alloc", "-o", &self.out, &self.recording).to_vec()
    }

    /// The output of the command if nobody interferes.
    fn undisturbed(&self) -> BTreeMap<OsString, Vec<u8>> {
        let other = tempfile::tempdir().unwrap();
        let mut arguments = self.convert();
        arguments[4] = other.path().into();
        let output = jfrkit(&arguments).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{:?}", said(&output));
        assert_eq!(names(other.path()).len(), 2);
        files(other.path())
    }

    fn file(&self) -> File {
        File::options().write(true).open(&self.recording).unwrap()
    }

    fn len(&self) -> u64 {
        self.file().metadata().unwrap().len()
    }
}

/// Kilobytes of a file that a process has mapped and read; 0 if it has not mapped the file.
fn resident(child: &Child, path: &Path) -> u64 {
    let maps = fs::read_to_string(format!("/proc/{}/smaps", child.id())).unwrap_or_default();
    let mut lines = maps.lines().skip_while(|line| !line.ends_with(path.to_str().unwrap()));
    let rss = lines.find_map(|line| line.strip_prefix("Rss:"));
    rss.map_or(0, |rss| rss.trim().trim_end_matches(" kB").parse().unwrap())
}

/// Runs the command, stops it after it has read a third of the file, interferes, and lets it continue.
fn disturbed(arguments: &[OsString], recording: &Path, disturb: impl FnOnce()) -> Output {
    let third = fs::metadata(recording).unwrap().len() / 1024 / 3;
    let mut command = jfrkit(arguments);
    // The output must not fill a pipe that nobody is reading yet.
    let out = tempfile::tempfile().unwrap();
    let child = command.stdout(out).spawn().unwrap();
    wait_until("a third is read", || {
        let ended = fs::read_to_string(format!("/proc/{}/stat", child.id())).is_ok_and(|stat| stat.contains(") Z "));
        assert!(!ended, "it ended before it could be disturbed");
        resident(&child, recording) > third
    });
    signal(&child, "STOP");
    disturb();
    signal(&child, "CONT");
    child.wait_with_output().unwrap()
}

#[test]
fn a_file_truncated_during_convert_is_an_error_and_leaves_nothing() {
    insta::allow_duplicates! {
        for part in [0, 2] {
            let place = Place::new();
            let left = place.len().checked_div(part).unwrap_or(0);
            let output = disturbed(&place.convert(), &place.recording, || {
                assert!(names(&place.out).is_empty(), "it was done before it could be disturbed");
                place.file().set_len(left).unwrap();
            });
            assert_snapshot!(failure(&output), @"jfrkit: error: TEMP/rec.jfr: the file changed while it was being read; try again when nothing is writing to it, or read a copy");
            assert!(names(&place.out).is_empty());
        }
    }
}

#[test]
fn an_overwritten_file_is_an_error() {
    let place = Place::new();
    let other = repeated(&fs::read(fixture("jdk17-full.jfr")).unwrap(), TIMES);
    // Like JFR.dump with an existing file: truncates it, then writes.
    let output = disturbed(&place.convert(), &place.recording, || fs::write(&place.recording, &other).unwrap());
    assert_snapshot!(failure(&output), @"jfrkit: error: TEMP/rec.jfr: the file changed while it was being read; try again when nothing is writing to it, or read a copy");
    assert!(names(&place.out).is_empty());
}

#[test]
fn a_replaced_or_growing_file_is_converted_as_it_was() {
    let place = Place::new();
    let expected = place.undisturbed();
    let output = disturbed(&place.convert(), &place.recording, || {
        let more = fs::read(fixture("jdk17-full.jfr")).unwrap();
        File::options().append(true).open(&place.recording).unwrap().write_all(&more).unwrap();
    });
    assert!(output.status.success() && output.stderr.is_empty(), "{:?}", said(&output));
    assert!(files(&place.out) == expected);

    large(&place.recording, TIMES);
    let output = disturbed(&place.convert(), &place.recording, || {
        let other = place.recording.with_extension("new");
        fs::write(&other, "not a recording").unwrap();
        fs::rename(&other, &place.recording).unwrap();
    });
    assert!(output.status.success() && output.stderr.is_empty(), "{:?}", said(&output));
    assert!(files(&place.out) == expected);

    large(&place.recording, TIMES);
    let output = disturbed(&place.convert(), &place.recording, || fs::remove_file(&place.recording).unwrap());
    assert!(output.status.success() && output.stderr.is_empty(), "{:?}", said(&output));
    assert!(files(&place.out) == expected);
}

#[test]
fn the_other_commands_survive_it_too() {
    let place = Place::new();
    let report = place.out.join("report.html");
    insta::allow_duplicates! {
        for arguments in [
            arguments!("summary", &place.recording).to_vec(),
            arguments!("top", "--type", "cpu", &place.recording).to_vec(),
            arguments!("analyze", "--format", "html", "-o", &report, &place.recording).to_vec(),
            arguments!("print", "--events", "jdk.ThreadSleep", &place.recording).to_vec(),
        ] {
            large(&place.recording, TIMES);
            let output = disturbed(&arguments, &place.recording, || place.file().set_len(5000).unwrap());
            assert_snapshot!(failure(&output), @"jfrkit: error: TEMP/rec.jfr: the file changed while it was being read; try again when nothing is writing to it, or read a copy");
            assert!(names(&place.out).is_empty(), "{arguments:?}");
        }
    }
}

#[test]
fn the_others_are_converted() {
    let place = Place::new();
    let good = fixture("jdk17-full.jfr");
    let mut arguments = place.convert();
    arguments.push(good.clone().into());
    let output = disturbed(&arguments, &place.recording, || place.file().set_len(5000).unwrap());
    assert_snapshot!(failure(&output), @"jfrkit: error: TEMP/rec.jfr: the file changed while it was being read; try again when nothing is writing to it, or read a copy");
    assert_eq!(names(&place.out), ["jdk17-full.alloc.pb.gz", "jdk17-full.cpu.pb.gz"]);
    let alone = files(&place.out);

    // The merged result is the same as without the truncated recording.
    large(&place.recording, TIMES);
    arguments.push("--merge".into());
    let output = disturbed(&arguments, &place.recording, || place.file().set_len(5000).unwrap());
    assert_snapshot!(failure(&output), @"jfrkit: error: TEMP/rec.jfr: the file changed while it was being read; try again when nothing is writing to it, or read a copy");
    let merged = files(&place.out);
    assert_eq!(merged.len(), 4);
    for kind in ["cpu", "alloc"] {
        let of = |stem: &str| OsString::from(format!("{stem}.{kind}.pb.gz"));
        assert!(merged[&of("merged")] == alone[&of("jdk17-full")], "{kind}");
    }
}

/// A JVM keeps writing the recording while it is converted again and again.
#[test]
fn an_unfinished_file_is_converted_up_to_its_current_end() {
    let directory = tempfile::tempdir().unwrap();
    let (path, out) = (directory.path().join("growing.jfr"), directory.path().join("out"));
    let recording = fs::read(fixture("jdk17-multichunk.jfr")).unwrap();
    fs::write(&path, &recording).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = File::options().append(true).open(&path).unwrap();
            for piece in recording.chunks(50_000).cycle() {
                file.write_all(piece).unwrap();
                std::thread::sleep(Duration::from_millis(2));
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        for _ in 0..5 {
            let output = jfrkit(&arguments!("convert", "--types", "cpu", "-o", &out, &path)).output().unwrap();
            // The last chunk may be incomplete, which causes a warning.
            assert!(output.status.success(), "{:?}", said(&output));
            assert!(said(&output).iter().all(|line| line.starts_with("jfrkit: warning: ")), "{:?}", said(&output));
            assert_eq!(common::whole_profiles(&out), 1);
        }
        stop.store(true, Ordering::Relaxed);
    });
}
