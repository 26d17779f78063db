//! The options that limit what a recording may demand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::io::Write;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use common::{failure, fixture, jfrkit};
use insta::assert_snapshot;
use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload, STRING};

/// Every command that reads recordings, with the other arguments it needs.
const COMMANDS: [&[&str]; 15] = [
    &["convert"],
    &["top", "--type", "cpu"],
    &["flame", "--type", "cpu", "-o", "page.html"],
    &["heatmap", "--type", "cpu", "-o", "page.html"],
    &["report", "-o", "page.html"],
    &["export", "-o", "tables"],
    &["summary"],
    &["print"],
    &["metadata"],
    &["analyze"],
    &["view", "hot-methods"],
    &["view", "all-events"],
    &["info"],
    &["metrics"],
    &["diff"],
];

/// Runs a command in an empty directory. `diff` compares the recording with itself.
fn run(command: &[&str], options: &[&str], name: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let mut run = jfrkit(command);
    run.args(options).arg(fixture(name));
    if command == ["diff"] {
        run.arg(fixture(name));
    }
    run.current_dir(directory.path()).output().unwrap()
}

/// Every command that reads recordings is in the list: those whose help mentions the limits.
#[test]
fn every_command_with_limits_is_tested() {
    let help = common::stdout(&common::run!("--help"));
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    for name in names.filter(|name| !["", "help"].contains(name)) {
        let help = common::stdout(&common::run!(name, "--help"));
        let tested = COMMANDS.iter().any(|command| command[0] == name);
        assert_eq!(help.contains("--timeout"), tested, "{name}");
    }
}

#[test]
fn an_exceeded_limit_is_named_with_its_option() {
    insta::allow_duplicates! {
        for command in COMMANDS {
            let lines = ["chunks=1", "recording-bytes=1k"]
                .map(|limit| failure(&run(command, &["--max", limit], "jdk17-multichunk.jfr")));
            assert_snapshot!(lines.join("\n"), @r"
            jfrkit: error: fixtures/jdk17-multichunk.jfr: offset 184375: more than 1 chunks; if you trust the recording, raise it with --max chunks=N
            jfrkit: error: fixtures/jdk17-multichunk.jfr: offset 1024: more than 1024 bytes in the recording; if you trust the recording, raise it with --max recording-bytes=N
            ");
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let zeros = directory.path().join("zeros.jfr.gz");
    let mut gzip = flate2::write::GzEncoder::new(std::fs::File::create(&zeros).unwrap(), flate2::Compression::fast());
    gzip.write_all(&vec![0; 2 << 20]).unwrap();
    gzip.finish().unwrap();
    assert_snapshot!(failure(&run(&["convert"], &["--max", "unpack-ratio=10"], zeros.to_str().unwrap())), @"jfrkit: error: TEMP/zeros.jfr.gz: offset 1048576: more than 10 decompressed bytes per compressed byte; if you trust the recording, raise it with --max unpack-ratio=N");
    assert_snapshot!(failure(&run(&["convert"], &["--max", "stacks=3"], "jdk17-full.jfr")), @"jfrkit: error: fixtures/jdk17-full.jfr: offset 0: more than 3 distinct stacks; if you trust the recording, raise it with --max stacks=N");
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
    insta::allow_duplicates! {
        for command in COMMANDS {
            assert_snapshot!(failure(&run(command, &["--timeout", "0s"], "jdk17-full.jfr")), @"jfrkit: error: fixtures/jdk17-full.jfr: timed out; raise --timeout to allow more time");
        }
    }
}

#[test]
fn unknown_limits_are_usage_errors() {
    let lines = [
        ["--max", "nothing=1"],
        ["--max", "chunks=many"],
        ["--limits", "none"],
        ["--timeout", "-1"],
        ["--timeout", "5"],
    ]
    .map(|options| common::shown(&run(&["summary"], &options, "jdk17-full.jfr")));
    assert_snapshot!(lines.join("\n"), @r"
    jfrkit: error: invalid value 'nothing=1' for '--max <NAME=VALUE>': no such limit; expected one of recording-bytes, unpack-ratio, chunks, types, metadata-elements, pool-entries, string-bytes, array-elements, nesting, value-depth, value-nodes, stack-frames, stacks, memory, losses; see --help
    exit status 2
    jfrkit: error: invalid value 'chunks=many' for '--max <NAME=VALUE>': expected a whole number; see --help
    exit status 2
    jfrkit: error: invalid value 'none' for '--limits <PRESET>' [possible values: tool, intake]; see --help
    exit status 2
    jfrkit: error: unexpected argument '-1' found; to pass '-1' as a value, use '-- -1'; see --help
    exit status 2
    jfrkit: error: invalid value '5' for '--timeout <TIME>': 5 has no unit; expected a time with a unit (ns, us, ms, s, min, h, d), such as 30s; see --help
    exit status 2
    ");
}

/// How much longer than its timeout a command may take, on a machine with other work.
const SLACK: Duration = Duration::from_secs(2);

/// Runs a command with a timeout that is too short, and checks that it ends in time.
fn ends_in_time(command: &[&str], timeout: Duration, recording: &Path) {
    let began = Instant::now();
    let output = run(command, &["--timeout", &format!("{}ms", timeout.as_millis())], recording.to_str().unwrap());
    let took = began.elapsed();
    // `print` may have printed events before.
    let said = common::said(&output);
    assert_eq!((output.status.code(), said.len()), (Some(1), 1), "{command:?}: {said:?}");
    assert!(said[0].ends_with("timed out; raise --timeout to allow more time"), "{command:?}: {said:?}");
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
    for command in [
        &["convert"][..],
        &["analyze"],
        &["print"],
        &["summary"],
        &["metrics"],
        &["top", "--type", "cpu"],
        &["flame", "-o", "page.html"],
        &["heatmap", "-o", "page.html"],
        &["report", "-o", "page.html"],
        &["export", "-o", "tables"],
        &["diff"],
    ] {
        ends_in_time(command, Duration::from_millis(50), &path);
    }
    // A silent pipe.
    let mut command = jfrkit(&["summary", "--timeout", "200ms", "-"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let (began, held) = (Instant::now(), child.stdin.take());
    let output = child.wait_with_output().unwrap();
    drop(held);
    assert!(began.elapsed() < Duration::from_millis(200) + SLACK, "{:?}", began.elapsed());
    assert_snapshot!(failure(&output), @"jfrkit: error: timed out; raise --timeout to allow more time");
}
