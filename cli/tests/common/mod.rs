//! Runs the command, and shows what it printed.
//!
//! A test makes a command with [`jfrkit`] or runs it with `run!`, and compares [`shown`] with an inline snapshot. If a change
//! is intended, `cargo insta test --accept -p jfrkit` updates the snapshots.
#![allow(dead_code, unused_imports, unused_macros, reason = "each program of tests uses a part of it")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use assert_cmd::assert::OutputAssertExt;
pub(crate) use jfr_parse::testing::fixture;
use serde_json::Value;

/// The command with these arguments and an empty standard input.
pub(crate) fn jfrkit<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("jfrkit"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("COLUMNS");
    command
}

/// Arguments of any kind, as a list.
macro_rules! arguments {
    ($($argument:expr),* $(,)?) => { [$(std::ffi::OsString::from($argument)),*] };
}
pub(crate) use arguments;

/// Runs the command with arguments of any kind.
macro_rules! run {
    ($($argument:expr),* $(,)?) => { $crate::common::jfrkit(&$crate::common::arguments!($($argument),*)).output().unwrap() };
}
pub(crate) use run;

/// A profile of another language, from `server/demo`.
pub(crate) fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/demo").join(name)
}

/// Standard output of a command that must succeed and print nothing to standard error.
pub(crate) fn stdout(output: &Output) -> String {
    output.clone().assert().success().stderr("");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard output of such a command as JSON.
pub(crate) fn json(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap()
}

/// Everything a user sees of a run: standard output, then standard error, then the exit status if it is not 0. Paths are
/// those of a checkout: `fixtures/…`, `server/demo/…`, `TEMP/…`.
pub(crate) fn shown(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(0) => {}
        Some(code) => text.push_str(&format!("exit status {code}\n")),
        None => text.push_str(&format!("{}\n", output.status)),
    }
    without_places(&text)
}

/// The text without what differs between machines.
pub(crate) fn without_places(text: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let temporary = std::env::temp_dir().join(".tmp");
    let mut text = text.replace(fixture("").to_str().unwrap(), "fixtures/");
    for root in [root.clone(), root.canonicalize().unwrap()] {
        let root = root.to_str().unwrap();
        text = text.replace(&format!("{root}/fixtures/"), "fixtures/").replace(&format!("{root}/server/"), "server/");
        text = text.replace(&format!("{root}/"), "ROOT/");
    }
    let unique = regex::Regex::new(&format!("{}[A-Za-z0-9]{{6}}", regex::escape(temporary.to_str().unwrap()))).unwrap();
    let lines = unique.replace_all(&text, "TEMP").into_owned();
    lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// The lines of standard error.
pub(crate) fn said(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect()
}

/// The single line on standard error of a command that failed with status 1 and printed nothing else.
pub(crate) fn failure(output: &Output) -> String {
    output.clone().assert().code(1).stdout("");
    let said = said(output);
    assert_eq!(said.len(), 1, "{said:?}");
    without_places(&said[0])
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

/// The files below a directory, by relative path.
pub(crate) fn files_below(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            let below = files_below(&entry.path());
            found.extend(below.into_iter().map(|(path, bytes)| (format!("{name}/{path}"), bytes)));
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    found
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
