//! What each command prints, on two recordings, word for word: a file per command and recording in `snapshots/`.
//!
//! If a change is intended, `INSTA_UPDATE=always cargo test -p jfrkit --test snapshots` updates the files; look at the
//! diff before you commit it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::Path;

use common::{jfrkit, stdout};

/// Where a command has the recording among its arguments, and where the directory of its output.
const RECORDING: &str = "RECORDING";
const OUTPUT: &str = "OUTPUT";

/// The commands that read recordings. `serve`, `upload` and `open` need a server, and have tests of their own.
const COMMANDS: &[(&str, &[&str])] = &[
    ("analyze", &["analyze", RECORDING]),
    ("analyze-verbose", &["analyze", "-v", RECORDING]),
    ("convert", &["convert", RECORDING, "-o", OUTPUT]),
    ("diff", &["diff", RECORDING, "fixtures/jdk17-multichunk.jfr"]),
    ("export", &["export", RECORDING, "-o", OUTPUT]),
    (
        "export-csv",
        &["export", "--format", "csv", "--tables", "stacks,frames,threads,findings", RECORDING, "-o", OUTPUT],
    ),
    ("flame", &["flame", "--term", RECORDING]),
    ("heatmap", &["heatmap", "--type", "lock", RECORDING, "-o", "OUTPUT/page.html"]),
    ("info", &["info", RECORDING]),
    ("metadata", &["metadata", "--events", "FileRead", RECORDING]),
    ("metrics", &["metrics", RECORDING]),
    ("print", &["print", "--events", "jdk.GarbageCollection", RECORDING]),
    ("report", &["report", RECORDING, "-o", "OUTPUT/page.html"]),
    ("summary", &["summary", RECORDING]),
    ("summary-verbose", &["summary", "-v", RECORDING]),
    ("top", &["top", RECORDING]),
    ("view", &["view", "hot-methods", RECORDING]),
];

const RECORDINGS: &[(&str, &str)] =
    &[("jdk17-full", "fixtures/jdk17-full.jfr"), ("lock-contention", "fixtures/scenarios/lock-contention.jfr.gz")];

/// Lines of a stream in a snapshot; enough to see the shape, and little enough to read.
const LINES: usize = 80;
/// Lines of the data in a page, and of a table.
const PAGE_LINES: usize = 200;
const TABLE_LINES: usize = 4;
/// Characters of a line of such data.
const WIDTH: usize = 240;

fn excerpt(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut shown = lines.iter().take(most).map(|line| format!("{}\n", line.trim_end())).collect::<String>();
    if let Some(more) = lines.len().checked_sub(most).filter(|more| *more > 0) {
        shown.push_str(&format!("… and {more} more lines\n"));
    }
    shown.replace(concat!("jfrkit ", env!("CARGO_PKG_VERSION")), "jfrkit VERSION")
}

/// The beginning of each line.
fn narrow(text: &str) -> String {
    let cut = |line: &str| match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…\n", &line[..end]),
        None => format!("{line}\n"),
    };
    text.lines().map(cut).collect()
}

/// The part of a file that a reader can review: the beginning of a table, and what a page shows, which is JSON. Trees
/// and code in pages are compressed, and have tests of their own.
fn content(path: &Path) -> Option<String> {
    match path.extension()?.to_str()? {
        "csv" => Some(excerpt(&narrow(&std::fs::read_to_string(path).unwrap()), TABLE_LINES)),
        "html" => {
            let page = std::fs::read_to_string(path).unwrap();
            let data = page.split(r#"<script type="application/json" id="jfrkit-page">"#).nth(1).unwrap();
            let data = data.split("</script>").next().unwrap();
            let data: serde_json::Value = serde_json::from_str(data).unwrap();
            Some(excerpt(&narrow(&serde_json::to_string_pretty(&data).unwrap()), PAGE_LINES))
        }
        _ => None,
    }
}

/// Replaces the sizes of compressed files, which depend on the versions of the compressors.
fn without_sizes(text: &str) -> String {
    let unit = |word: &str| matches!(word, "B" | "KiB" | "MiB");
    let line = |line: &str| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        for i in 1..words.len() {
            if unit(words[i]) {
                words[i - 1] = "SIZE";
            }
        }
        words.join(" ") + "\n"
    };
    text.lines().map(line).collect()
}

/// The arguments, exit status, standard output and standard error of a run, and the files that it wrote.
fn run(arguments: &[&str], recording: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = tempfile::tempdir().unwrap();
    let place = output.path().to_str().unwrap().to_owned();
    let replaced = arguments.iter().map(|argument| match *argument {
        RECORDING => recording.to_owned(),
        other => other.replace(OUTPUT, &place),
    });
    let replaced: Vec<String> = replaced.collect();
    let done = jfrkit(&replaced).current_dir(root).env("TZ", "UTC").output().unwrap();
    let shown = |bytes: &[u8]| {
        let text = excerpt(&String::from_utf8_lossy(bytes).replace(&place, OUTPUT), LINES);
        if arguments[0] == "export" { without_sizes(&text) } else { text }
    };
    let mut text = format!("$ jfrkit {}\n", arguments.join(" ").replace(RECORDING, recording));
    text.push_str(&shown(&done.stdout));
    if !done.stderr.is_empty() {
        text.push_str(&format!("\n-- standard error\n{}", shown(&done.stderr)));
    }
    let files: Vec<String> = common::files_below(output.path()).into_keys().collect();
    if !files.is_empty() {
        text.push_str(&format!("\n-- files\n{}\n", files.join("\n")));
    }
    for file in files {
        if let Some(content) = content(&output.path().join(&file)) {
            text.push_str(&format!("\n-- {file}\n{content}"));
        }
    }
    if !done.status.success() {
        text.push_str(&format!("\n-- {}\n", done.status));
    }
    text
}

#[test]
fn each_command_prints_its_snapshot() {
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
fn every_command_has_a_snapshot() {
    const ELSEWHERE: [&str; 6] = ["serve", "upload", "open", "completions", "man", "help"];
    let help = stdout(&common::run!("--help"));
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    for name in names.filter(|name| !name.is_empty()) {
        let here = COMMANDS.iter().any(|(_, arguments)| arguments[0] == name);
        assert!(here || ELSEWHERE.contains(&name), "{name} has no snapshot");
    }
}
