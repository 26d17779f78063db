//! Commands that are interrupted.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{arguments, fixture, jfrkit, large, names, said, signal, wait_for_handlers, whole_profiles};

/// For scripts, which run the command themselves.
const PROGRAM: &str = env!("CARGO_BIN_EXE_jfrkit");

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// Whether Ctrl-C is ignored here, as in background jobs of a shell.
fn ignores_interrupts() -> bool {
    let output = Command::new("sh").args(["-c", "kill -INT $$; echo ignored"]).output().unwrap();
    !output.stdout.is_empty()
}

/// The signals to test.
fn signals() -> Vec<(&'static str, i32)> {
    if ignores_interrupts() {
        println!("skipped in part: SIGINT is ignored here");
        return vec![("TERM", SIGTERM)];
    }
    vec![("INT", SIGINT), ("TERM", SIGTERM)]
}

#[test]
fn a_signal_at_any_time_leaves_no_partial_file() {
    let directory = tempfile::tempdir().unwrap();
    let (input, out) = (directory.path().join("in"), directory.path().join("out"));
    fs::create_dir(&input).unwrap();
    for n in 0..60 {
        fs::copy(fixture("jdk17-full.jfr"), input.join(format!("{n}.jfr"))).unwrap();
    }
    let (mut ended, mut written) = (0, 0);
    for (name, number) in signals() {
        for round in 0..12 {
            let _ = fs::remove_dir_all(&out);
            let child = jfrkit(&arguments!("convert", "-o", &out, &input)).stdout(Stdio::null()).spawn().unwrap();
            // Interrupt at an arbitrary moment once files are being written.
            common::wait_until("it writes", || fs::read_dir(&out).is_ok_and(|mut files| files.next().is_some()));
            std::thread::sleep(Duration::from_micros(700 * round));
            signal(&child, name);
            let output = child.wait_with_output().unwrap();
            written += whole_profiles(&out);
            if output.status.success() {
                continue;
            }
            ended += 1;
            assert_eq!(output.status.signal(), Some(number), "{}", output.status);
            let said = said(&output);
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(said[0].starts_with(&format!("jfrkit: error: interrupted by SIG{name}")), "{said:?}");
        }
    }
    assert!(ended > 6 && written > 0, "{ended} of the commands ended before they were done");
}

#[test]
fn a_signal_while_reading_leaves_no_output() {
    let directory = tempfile::tempdir().unwrap();
    let (recording, out) = (directory.path().join("rec.jfr"), directory.path().join("out"));
    large(&recording, 150);
    let page = out.join("page.html");
    for (name, number) in signals() {
        for arguments in [
            arguments!("convert", "-o", &out, &recording).to_vec(),
            arguments!("analyze", "--format", "html", "-o", &page, &recording).to_vec(),
        ] {
            fs::create_dir_all(&out).unwrap();
            let began = Instant::now();
            let child = jfrkit(&arguments).stdout(Stdio::null()).spawn().unwrap();
            wait_for_handlers(&child);
            std::thread::sleep(Duration::from_millis(30));
            signal(&child, name);
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.signal(), Some(number), "{} {:?}", output.status, began.elapsed());
            assert_eq!(said(&output).len(), 1);
            assert!(names(&out).is_empty());
        }
    }
}

/// A silent pipe does not delay the end.
#[test]
fn a_signal_ends_waiting_for_input() {
    for (name, number) in signals() {
        for command in [&["summary", "-"][..], &["print", "-"], &["convert", "-"], &["analyze", "-"]] {
            let mut child = jfrkit(command).stdin(Stdio::piped()).spawn().unwrap();
            let input = child.stdin.take();
            wait_for_handlers(&child);
            signal(&child, name);
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.signal(), Some(number), "{command:?}");
            assert_eq!(said(&output).len(), 1);
            drop(input);
        }
    }
}

#[test]
fn the_shell_sees_the_usual_status() {
    let script = r#"
        mkfifo "$1/pipe"
        "$0" summary - < "$1/pipe" 2> "$1/said" & p=$!
        exec 3> "$1/pipe"
        sleep 0.3; kill -TERM $p; wait $p; echo $?"#;
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", script, PROGRAM]).arg(directory.path());
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "143", "{:?}", said(&output));
}

/// As with `nohup`, and with background jobs of a shell.
#[cfg(target_os = "linux")]
#[test]
fn ignored_signals_stay_ignored() {
    let mut child = Command::new("sh")
        .args(["-c", "trap '' INT HUP; exec \"$0\" summary -", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    wait_for_handlers(&child);
    signal(&child, "INT");
    signal(&child, "HUP");
    std::thread::sleep(Duration::from_millis(50));
    input.write_all(&fs::read(fixture("jdk17-full.jfr")).unwrap()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{} {:?}", output.status, said(&output));
}
