//! The options that limit what a recording may demand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload, STRING, fixture};

/// Every command that reads recordings, with the other arguments it needs.
const COMMANDS: [&[&str]; 10] = [
    &["convert"],
    &["top", "--type", "cpu"],
    &["summary"],
    &["print"],
    &["metadata"],
    &["analyze"],
    &["view", "hot-methods"],
    &["view", "all-events"],
    &["info"],
    &["metrics"],
];

fn run(command: &[&str], options: &[&str], name: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_jfrkit"));
    run.args(command).args(options).arg(fixture(name)).current_dir(directory.path()).output().unwrap()
}

/// The single line on standard error of a failing command.
fn complaint(output: &Output, what: &[&str]) -> String {
    assert_eq!(output.status.code(), Some(1), "{what:?}: {output:?}");
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{what:?}: {text}");
    text
}

#[test]
fn an_exceeded_limit_is_named_with_its_option() {
    for command in COMMANDS {
        for (limit, option) in [("chunks=1", "--max chunks=N"), ("recording-bytes=1k", "--max recording-bytes=N")] {
            let text = complaint(&run(command, &["--max", limit], "jdk17-multichunk.jfr"), command);
            assert!(text.contains(option) && text.contains("jdk17-multichunk.jfr"), "{command:?}: {text}");
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let zeros = directory.path().join("zeros.jfr.gz");
    let mut gzip = flate2::write::GzEncoder::new(std::fs::File::create(&zeros).unwrap(), flate2::Compression::fast());
    gzip.write_all(&vec![0; 2 << 20]).unwrap();
    gzip.finish().unwrap();
    let text = complaint(&run(&["convert"], &["--max", "unpack-ratio=10"], zeros.to_str().unwrap()), &["convert"]);
    assert!(text.contains("--max unpack-ratio=N"), "{text}");
    let text = complaint(&run(&["convert"], &["--max", "stacks=3"], "jdk17-full.jfr"), &["convert"]);
    assert!(text.contains("--max stacks=N"), "{text}");
}

#[test]
fn raising_it_helps() {
    for command in COMMANDS {
        let output =
            run(command, &["--limits", "intake", "--max", "chunks=1", "--max", "chunks=1000"], "jdk17-multichunk.jfr");
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
}

#[test]
fn an_expired_timeout_is_reported() {
    for command in COMMANDS {
        let text = complaint(&run(command, &["--timeout", "0s"], "jdk17-full.jfr"), command);
        assert!(text.contains("--timeout"), "{command:?}: {text}");
    }
}

#[test]
fn unknown_limits_are_usage_errors() {
    for options in [
        ["--max", "nothing=1"],
        ["--max", "chunks=many"],
        ["--limits", "none"],
        ["--timeout", "-1"],
        ["--timeout", "5"],
    ] {
        let output = run(&["summary"], &options, "jdk17-full.jfr");
        assert_eq!(output.status.code(), Some(2), "{options:?}");
    }
}

/// How much longer than its timeout a command may take, on a machine with other work.
const SLACK: Duration = Duration::from_secs(2);

/// Runs a command with a timeout that is too short, and checks that it ends in time.
fn ends_in_time(command: &[&str], timeout: Duration, recording: &Path) {
    let began = Instant::now();
    let output = run(command, &["--timeout", &format!("{}ms", timeout.as_millis())], recording.to_str().unwrap());
    let took = began.elapsed();
    let text = complaint(&output, command);
    assert!(text.contains("timed out"), "{command:?}: {text}");
    assert!(took < timeout + SLACK, "{command:?}: {took:?}");
}

/// A chunk whose only checkpoint is a gigabyte of constants, all zeros, in a sparse file.
fn large_checkpoint(path: &Path) {
    const SIZE: u64 = 1 << 30;
    let mut chunk = ChunkWriter::new();
    let class = Class::new(50, "test.Constant").field(Field::new("value", LONG));
    let event = Class::event(100, "jdk.ExecutionSample").field(Field::new("constant", 50).pooled());
    chunk.metadata(&[class, event]);
    let from = chunk.position() as u64;
    // Size, type, three numbers, mask, and a pool of this type with one constant per two bytes. It says that another pool
    // follows: the last one would not be looked at.
    let head = Payload::new().padded(SIZE, 5).varint(1).varint(0).varint(0).varint(0).byte(1).varint(2).varint(50);
    chunk.raw(&head.varint(SIZE / 2 - 100).into_bytes());
    let mut bytes = chunk.finish();
    let end = from + SIZE;
    bytes[8..16].copy_from_slice(&end.to_be_bytes());
    bytes[16..24].copy_from_slice(&from.to_be_bytes());
    std::fs::write(path, bytes).unwrap();
    std::fs::File::options().write(true).open(path).unwrap().set_len(end).unwrap();
}

#[test]
fn the_timeout_holds_within_a_checkpoint_of_a_gigabyte() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoint.jfr");
    large_checkpoint(&path);
    for command in [&["convert"][..], &["analyze"]] {
        ends_in_time(command, Duration::from_millis(200), &path);
    }
    // These commands do not need the constants of that type, and may finish within the timeout.
    for command in [&["info"][..], &["summary"], &["view", "hot-methods"]] {
        let began = Instant::now();
        run(command, &["--timeout", "200ms"], path.to_str().unwrap());
        assert!(began.elapsed() < Duration::from_millis(200) + SLACK, "{command:?}: {:?}", began.elapsed());
    }
}

/// Thread dumps of a megabyte each, all the same text, which the file contains once.
#[test]
fn rules_that_read_long_texts_keep_to_the_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dumps.jfr");
    let thread = |i: usize| {
        format!(
            "\"t{i}\" #1 tid=0x{i:x}\n   java.lang.Thread.State: BLOCKED\n\tat a.B.c(B.java:1)\n\t- waiting to lock <0x{:x}> (a.L)\n\t- locked <0x{i:x}> (a.L)\n\n",
            i + 1
        )
    };
    let dump: String = (0..8_000).map(thread).collect();
    assert!(dump.len() > 1_000_000);
    let mut chunk = ChunkWriter::new();
    let event =
        Class::event(100, "jdk.ThreadDump").field(Field::new("startTime", LONG)).field(Field::new("result", STRING));
    chunk.metadata(&[event]).checkpoint(&[(STRING, vec![(1, Payload::new().utf8(&dump))])]);
    for i in 0..200 {
        chunk.event(100, &Payload::new().varint(1_000 + i * 1_000_000_000).pooled(1));
    }
    std::fs::write(&path, chunk.finish()).unwrap();
    let began = Instant::now();
    let output = run(&["analyze"], &["--limits", "intake", "--timeout", "10s"], path.to_str().unwrap());
    assert!(output.status.success(), "{output:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// Reading standard input, decompressing, reading, judging, writing: the timeout works in every stage.
#[test]
fn each_stage_keeps_to_the_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("large.jfr");
    let bytes = std::fs::read(fixture("jdk17-full.jfr")).unwrap();
    // An hour later each time, because equal chunks count once.
    let mut large = Vec::new();
    for hours in 0..400u64 {
        let start = large.len() + 32;
        large.extend_from_slice(&bytes);
        let nanos = u64::from_be_bytes(large[start..start + 8].try_into().unwrap()) + hours * 3_600_000_000_000;
        large[start..start + 8].copy_from_slice(&nanos.to_be_bytes());
    }
    std::fs::write(&path, large).unwrap();
    for command in [&["convert"][..], &["analyze"], &["print"], &["summary"], &["metrics"], &["top", "--type", "cpu"]] {
        ends_in_time(command, Duration::from_millis(50), &path);
    }
    // A silent pipe.
    let mut child = Command::new(env!("CARGO_BIN_EXE_jfrkit"))
        .args(["summary", "--timeout", "200ms", "-"])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (began, held) = (Instant::now(), child.stdin.take());
    let output = child.wait_with_output().unwrap();
    drop(held);
    assert!(began.elapsed() < Duration::from_millis(200) + SLACK, "{:?}", began.elapsed());
    assert!(complaint(&output, &["summary"]).contains("timed out"));
}
