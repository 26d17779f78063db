//! The options that bound what a recording may ask for.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

/// Every command that reads recordings, with what it needs besides.
const COMMANDS: [&[&str]; 6] =
    [&["convert"], &["top", "--type", "cpu"], &["summary"], &["print"], &["metadata"], &["analyze"]];

fn run(command: &[&str], options: &[&str], name: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_jfrkit"));
    run.args(command).args(options).arg(fixture(name)).current_dir(directory.path()).output().unwrap()
}

/// The only line on standard error of a command that fails.
fn complaint(output: &Output, what: &[&str]) -> String {
    assert_eq!(output.status.code(), Some(1), "{what:?}: {output:?}");
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{what:?}: {text}");
    text
}

#[test]
fn a_limit_that_is_passed_is_named_with_its_option() {
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
fn time_that_is_over_is_told() {
    for command in COMMANDS {
        let text = complaint(&run(command, &["--timeout", "0s"], "jdk17-full.jfr"), command);
        assert!(text.contains("--timeout"), "{command:?}: {text}");
    }
}

#[test]
fn what_is_no_limit_is_wrong_usage() {
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
