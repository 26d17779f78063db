//! What `analyze` reports on every fixture and every recording of the corpus, as golden files: a change of judgement shows up in
//! review as a change of lines.
//!
//! `JFRKIT_BLESS=1 cargo test -p jfrkit-testkit --test judgement` writes the golden files from what is reported now.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use jfr_analyzers::rule::AnalysisOptions;
use jfr_parse::Recording;

/// The folders of the corpus that hold recordings.
const CORPUS: [&str; 5] = ["bench", "generated", "hard", "public", "wild"];

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// All files below a folder that may be recordings, by path.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.contains(".jfr") && !name.ends_with(".json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The findings of these recordings in the order of display, a paragraph for each recording, named relative to `root`.
fn findings(root: &Path, paths: &[PathBuf]) -> String {
    let analysis = jfrkit_rules::analysis();
    let mut text = String::new();
    for path in paths {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        let report = Recording::open(path).ok().and_then(|r| analysis.evaluate(&r, &AnalysisOptions::default()).ok());
        writeln!(text, "{name}").unwrap();
        match report {
            None => writeln!(text, "  cannot be read").unwrap(),
            Some(report) => {
                for found in &report.findings {
                    let section = found.section.name();
                    write!(text, "  {:<7}  {section:<11}  {}", found.severity.name(), found.id).unwrap();
                    if !found.also.is_empty() {
                        write!(text, " (also {})", found.also.join(", ")).unwrap();
                    }
                    if let Some(cause) = found.because_of {
                        write!(text, " because of {cause}").unwrap();
                    }
                    writeln!(text).unwrap();
                }
            }
        }
    }
    text
}

/// Compares with a golden file, paragraph by paragraph.
fn compare(golden: &str, now: &str) {
    let path = here("tests/judgement").join(golden);
    if std::env::var_os("JFRKIT_BLESS").is_some() {
        std::fs::write(&path, now).unwrap();
        return;
    }
    let before = std::fs::read_to_string(&path).unwrap();
    let differences: Vec<String> = before
        .lines()
        .zip(now.lines())
        .enumerate()
        .filter(|(_, (a, b))| a != b)
        .map(|(i, (a, b))| format!("line {}: {a:?} is now {b:?}", i + 1))
        .take(5)
        .collect();
    assert!(
        before == now,
        "{golden} differs ({} lines, now {}); if the change of judgement is meant, run with JFRKIT_BLESS=1 and look at \
         the diff:\n{}",
        before.lines().count(),
        now.lines().count(),
        differences.join("\n")
    );
}

#[test]
fn the_fixtures_have_these_findings() {
    let root = here("../fixtures");
    compare("fixtures.txt", &findings(&root, &files(&root)));
}

#[test]
fn the_corpus_has_these_findings() {
    let root = here("../../shared/corpus");
    if !root.is_dir() {
        println!("skipped: ../shared/corpus is not there");
        return;
    }
    let paths: Vec<PathBuf> =
        CORPUS.iter().map(|f| root.join(f)).filter(|f| f.is_dir()).flat_map(|f| files(&f)).collect();
    compare("corpus.txt", &findings(&root, &paths));
}
