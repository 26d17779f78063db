//! Runs the command in situations where something goes wrong.
#![allow(dead_code, reason = "each program of tests uses a part of it")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

pub(crate) use jfr_parse::testing::fixture;

pub(crate) fn jfrkit<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jfrkit"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Arguments of any kind, as a list.
macro_rules! arguments {
    ($($argument:expr),* $(,)?) => { [$(std::ffi::OsString::from($argument)),*] };
}
pub(crate) use arguments;

/// The lines of standard error.
pub(crate) fn said(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect()
}

/// Asserts that the command failed with status 1 and a single line that contains all of these parts.
pub(crate) fn assert_failed(output: &Output, parts: &[&str]) {
    let said = said(output);
    assert_eq!((output.status.code(), said.len()), (Some(1), 1), "{said:?} {}", output.status);
    assert!(said[0].starts_with("jfrkit: error: "), "{said:?}");
    assert!(parts.iter().all(|part| said[0].contains(part)), "{parts:?}: {said:?}");
}

/// The names in a directory, including those that begin with a dot.
pub(crate) fn names(directory: &Path) -> Vec<OsString> {
    let mut names: Vec<OsString> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

/// The files of a directory.
pub(crate) fn files(directory: &Path) -> BTreeMap<OsString, Vec<u8>> {
    names(directory).into_iter().map(|name| (name.clone(), fs::read(directory.join(name)).unwrap())).collect()
}

/// Asserts that a directory contains complete profiles and nothing else, and returns how many.
pub(crate) fn whole_profiles(directory: &Path) -> usize {
    let files = files(directory);
    for (name, bytes) in &files {
        assert!(name.to_string_lossy().ends_with(".pb.gz"), "{name:?} stayed");
        assert!(!pprof_emit::read(bytes).unwrap().sample.is_empty(), "{name:?}");
    }
    files.len()
}

/// Writes a recording with this many chunks that looks as if it had not been written to for an hour.
pub(crate) fn large(path: &Path, times: usize) {
    let bytes = fs::read(fixture("jdk17-multichunk.jfr")).unwrap();
    fs::write(path, repeated(&bytes, times)).unwrap();
    settle(path);
}

/// Repeats a recording, an hour later each time, because equal chunks count once.
pub(crate) fn repeated(recording: &[u8], times: usize) -> Vec<u8> {
    (0..times).flat_map(|n| later(recording, n)).collect()
}

/// Moves a recording by this many hours.
pub(crate) fn later(recording: &[u8], hours: usize) -> Vec<u8> {
    let mut bytes = recording.to_vec();
    let number = |bytes: &[u8], at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
    let mut at = 0;
    while at < bytes.len() {
        // The chunk header: magic number, version, then the size, and the start time at offset 32.
        let size = usize::try_from(number(&bytes, at + 8)).unwrap();
        let start = number(&bytes, at + 32) + hours as u64 * 3_600_000_000_000;
        bytes[at + 32..at + 40].copy_from_slice(&start.to_be_bytes());
        at += size;
    }
    bytes
}

/// Makes a file look an hour old.
pub(crate) fn settle(path: &Path) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
}

/// Waits until a condition holds; fails after a minute.
pub(crate) fn wait_until(what: &str, so: impl Fn() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until a command has installed its signal handlers.
#[cfg(unix)]
pub(crate) fn wait_for_handlers(child: &Child) {
    if !Path::new("/proc/self/status").exists() {
        std::thread::sleep(Duration::from_millis(500));
        return;
    }
    const SIGTERM: u64 = 1 << 14;
    wait_until("there is a handler", || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() & SIGTERM != 0
    });
}

/// Sends a signal by its name.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", child.id())).status().unwrap();
    assert!(status.success());
}
