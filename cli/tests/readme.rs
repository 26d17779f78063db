//! Checks that the README shows what the program really does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};

use common::{jfrkit, stdout};
use jfr_analyzers::LabelKey;
use jfrkit_profile::ProfileType;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    // A checkout on Windows may have other line endings.
    std::fs::read_to_string(root().join(path)).unwrap().replace("\r\n", "\n")
}

/// The commands in the README, each with the output shown below it.
fn shown(readme: &str) -> Vec<(String, String)> {
    let mut shown: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        if let Some(command) = line.strip_prefix("    $ ") {
            shown.push((command.to_owned(), String::new()));
            inside = true;
        } else if inside && (line.starts_with("    ") || line.is_empty()) {
            let output = &mut shown.last_mut().unwrap().1;
            output.push_str(line.strip_prefix("    ").unwrap_or(line).trim_end());
            output.push('\n');
        } else {
            inside = false;
        }
    }
    shown
}

/// Runs the commands where only the fixture exists, and compares their output with the README.
#[cfg(unix)]
#[test]
fn commands_print_what_the_readme_shows() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("fixtures")).unwrap();
    std::fs::create_dir(directory.path().join("fixtures/scenarios")).unwrap();
    for fixture in ["fixtures/jdk17-full.jfr", "fixtures/scenarios/small-io.jfr.gz"] {
        std::fs::copy(root().join(fixture), directory.path().join(fixture)).unwrap();
    }
    let shown = shown(&read("README.md"));
    assert!(shown.len() >= 2);
    for (command, expected) in shown {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(words[0], "jfrkit");
        let printed = stdout(&jfrkit(&words[1..]).current_dir(directory.path()).output().unwrap());
        let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
        assert_eq!(printed.join("\n").trim_end(), expected.trim_end(), "{command}");
    }
}

#[test]
fn every_type_is_in_the_table_with_its_values() {
    let readme = read("docs/profiles.md");
    for kind in ProfileType::ALL {
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{kind}` |")));
        let row = row.unwrap_or_else(|| panic!("no row for {kind}"));
        let values: Vec<String> = kind.values().iter().map(|value| format!("`{}`", value.name)).collect();
        assert!(row.ends_with(&format!("| {} |", values.join(", "))), "{row}");
    }
}

#[test]
fn every_label_is_documented() {
    let readme = read("docs/convert.md");
    let row = readme.lines().find(|line| line.starts_with("| `--labels")).unwrap();
    for label in LabelKey::ALL {
        assert!(row.contains(&format!("`{}`", label.name().replace(' ', "-"))), "{label:?}");
    }
}

/// The code snippets come from examples that are tested elsewhere.
#[test]
fn code_matches_the_examples() {
    let readme = read("docs/library.md");
    let code: Vec<&str> = readme.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let examples = [
        "testkit/examples/convert.rs",
        "jfr-parse/examples/reads.rs",
        "rules/examples/slow_reads.rs",
        "testkit/examples/receive.rs",
    ];
    assert_eq!(code.len(), examples.len());
    for (code, example) in code.iter().zip(examples) {
        let example = read(example).replace("pub(crate) ", "");
        for item in code.trim().split("\n\n") {
            assert!(example.contains(item), "{item}");
        }
    }
}

#[test]
fn every_option_of_convert_and_analyze_is_documented() {
    for (command, some) in [("convert", ["--types", "--strict"]), ("analyze", ["--fail-on", "--explain"])] {
        let readme = read(&format!("docs/{command}.md")) + &read("docs/limits.md");
        let help = stdout(&common::run!(command, "--help"));
        let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        let options: Vec<&str> =
            lines.filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--"))).collect();
        assert!(some.iter().all(|option| options.contains(option)), "{options:?}");
        // The first one is shown in its short form; the last one exists everywhere.
        for option in options.into_iter().filter(|o| !["--out-dir", "--help"].contains(o)) {
            assert!(readme.contains(&format!("`{option}")), "{option}");
        }
    }
}

/// The settings shown in the docs can be parsed.
#[test]
fn documented_settings_exist() {
    let readme = read("docs/analyze.md");
    let toml = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let config = jfrkit_rules::config::Config::parse(toml, &jfrkit_rules::analysis()).unwrap();
    assert!(!config.settings.is_empty() && !config.off.is_empty());
}
