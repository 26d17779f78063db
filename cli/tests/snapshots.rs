//! What each command prints, on two recordings, word for word: a file per command and recording in `snapshots/`.
//!
//! If a change is meant, `INSTA_UPDATE=always cargo test -p jfrkit --test snapshots` updates the files; look at the
//! diff before you commit it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;
use std::process::Command;

/// Where a command has the recording among its arguments, and where the directory of its output.
const RECORDING: &str = "RECORDING";
const OUTPUT: &str = "OUTPUT";

/// The commands that read recordings. `serve`, `upload` and `open` need a server, and have tests of their own.
const COMMANDS: &[(&str, &[&str])] = &[
    ("analyze", &["analyze", RECORDING]),
    ("analyze-verbose", &["analyze", "-v", RECORDING]),
    ("convert", &["convert", RECORDING, "-o", OUTPUT]),
    ("diff", &["diff", RECORDING, "fixtures/jdk17-multichunk.jfr"]),
    ("flame", &["flame", "--term", RECORDING]),
    ("info", &["info", RECORDING]),
    ("metadata", &["metadata", "--events", "FileRead", RECORDING]),
    ("metrics", &["metrics", RECORDING]),
    ("print", &["print", "--events", "jdk.GarbageCollection", RECORDING]),
    ("summary", &["summary", RECORDING]),
    ("summary-verbose", &["summary", "-v", RECORDING]),
    ("top", &["top", RECORDING]),
    ("view", &["view", "hot-methods", RECORDING]),
];

const RECORDINGS: &[(&str, &str)] =
    &[("jdk17-full", "fixtures/jdk17-full.jfr"), ("lock-contention", "fixtures/scenarios/lock-contention.jfr.gz")];

/// Lines of a stream in a snapshot; enough to see the shape, and little enough to read.
const LINES: usize = 80;

fn excerpt(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut shown = lines.iter().take(LINES).map(|line| format!("{}\n", line.trim_end())).collect::<String>();
    if let Some(more) = lines.len().checked_sub(LINES).filter(|more| *more > 0) {
        shown.push_str(&format!("… and {more} more lines\n"));
    }
    shown
}

/// The arguments, exit status, standard output and standard error of a run, and the files that it wrote.
fn run(arguments: &[&str], recording: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = tempfile::tempdir().unwrap();
    let place = output.path().to_str().unwrap().to_owned();
    let replaced = arguments.iter().map(|argument| match *argument {
        RECORDING => recording,
        OUTPUT => &place,
        other => other,
    });
    let done = Command::new(env!("CARGO_BIN_EXE_jfrkit"))
        .args(replaced)
        .current_dir(root)
        .env_remove("COLUMNS")
        .env("TZ", "UTC")
        .output()
        .unwrap();
    let shown = |bytes: &[u8]| excerpt(&String::from_utf8_lossy(bytes).replace(&place, OUTPUT));
    let mut text = format!("$ jfrkit {}\n", arguments.join(" ").replace(RECORDING, recording));
    text.push_str(&shown(&done.stdout));
    if !done.stderr.is_empty() {
        text.push_str(&format!("\n-- standard error\n{}", shown(&done.stderr)));
    }
    let mut files: Vec<String> =
        std::fs::read_dir(output.path()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    if !files.is_empty() {
        text.push_str(&format!("\n-- files\n{}\n", files.join("\n")));
    }
    if !done.status.success() {
        text.push_str(&format!("\n-- {}\n", done.status));
    }
    text
}

#[test]
fn each_command_prints_this() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for (name, arguments) in COMMANDS {
        for (of, recording) in RECORDINGS {
            insta::assert_snapshot!(format!("{name}-{of}"), run(arguments, recording));
        }
    }
}

/// A new command needs an entry above, or a reason here.
#[test]
fn every_command_is_here() {
    const ELSEWHERE: [&str; 9] =
        ["report", "heatmap", "export", "serve", "upload", "open", "completions", "man", "help"];
    let help = Command::new(env!("CARGO_BIN_EXE_jfrkit")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    for name in names.filter(|name| !name.is_empty()) {
        let here = COMMANDS.iter().any(|(_, arguments)| arguments[0] == name);
        assert!(here || ELSEWHERE.contains(&name), "{name} has no snapshot");
    }
}
