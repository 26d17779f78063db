//! Compares tables, trees and comparisons with google/pprof (`go tool pprof`), on our own profiles and on those of real programs
//! in Go, Python and Node.js (`node/record.mjs`). Skipped with a message if Go is not installed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{arguments, fixture, jfrkit};
use jfrkit_profile::Cancel;
use jfrkit_profile::any::AnyProfile;
use jfrkit_profile::tree::{By, CallStacks, Diff, Group, Per, Tree, View, table};
use pprof_emit::{AnyLimits, read_any};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `go tool pprof`, if it runs.
fn pprof(arguments: &[&str]) -> Option<String> {
    let output = Command::new("go").args(["tool", "pprof"]).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

fn there_is_pprof() -> bool {
    let there = Command::new("go")
        .args(["tool", "pprof", "-h"])
        .output()
        .is_ok_and(|o| !o.stderr.is_empty() || o.status.success());
    if !there {
        eprintln!("skipped: Go is not installed");
    }
    there
}

/// A profile as a file for pprof, and as stacks of one value.
struct Case {
    name: String,
    path: PathBuf,
    profile: AnyProfile,
    value: usize,
}

impl Case {
    fn new(path: &Path, value: &str) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let profile = read_any(&bytes, &AnyLimits::default(), &Cancel::default()).unwrap();
        let value = profile.values().position(|(name, _)| name == value).unwrap();
        let name = format!("{} {}", path.file_name().unwrap().to_string_lossy(), profile.value(value).0);
        Self { name, path: path.to_owned(), profile, value }
    }

    fn stacks(&self) -> CallStacks {
        self.profile.call_stacks(&[self.value])
    }

    /// The output of pprof, without rounding or omissions.
    fn ask(&self, what: &[&str]) -> String {
        let (value, unit) = self.profile.value(self.value);
        let unit = match unit {
            "nanoseconds" => "ns",
            "bytes" => "B",
            other => other,
        };
        let (sample, unit) = (format!("-sample_index={value}"), format!("-unit={unit}"));
        let mut arguments = what.to_vec();
        arguments.extend(["-nodefraction=0", "-edgefraction=0", "-nodecount=100000", &sample, &unit]);
        arguments.push(self.path.to_str().unwrap());
        pprof(&arguments).unwrap_or_else(|| panic!("pprof does not open {}", self.name))
    }

    /// Functions that call themselves, directly or not, because pprof counts their edges differently.
    fn recursive(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for sample in self.profile.samples() {
            let mut seen = BTreeSet::new();
            for line in sample.locations.iter().flat_map(|&location| self.profile.lines_of(location)) {
                let name = self.profile.texts.get(self.profile.functions[line.function as usize].name);
                if !seen.insert(name) {
                    found.insert(name.to_owned());
                }
            }
        }
        found
    }
}

/// Converts an input to pprof files with thread labels.
fn convert(folder: &Path, input: &Path) {
    let output = jfrkit(&arguments!["convert", "--labels", "thread", "-o", folder, input]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A profile of Node.js.
fn node(name: &str) -> PathBuf {
    root().join("cli/tests/node").join(name)
}

/// Our own profiles, created once, and those of other languages.
fn cases(folder: &Path) -> Vec<Case> {
    convert(folder, &fixture("jdk17-full.jfr"));
    // pprof does not support zstd.
    convert(folder, &root().join("server/demo/python.pprof.zst"));
    let mut cases = vec![
        Case::new(&folder.join("jdk17-full.cpu.pb.gz"), "cpu-time"),
        Case::new(&folder.join("jdk17-full.alloc.pb.gz"), "alloc-space"),
        Case::new(&folder.join("jdk17-full.lock.pb.gz"), "lock-time"),
        Case::new(&root().join("server/demo/go-cpu.pprof.gz"), "cpu"),
        Case::new(&folder.join("python.pb.gz"), "wall-time"),
        Case::new(&folder.join("python.pb.gz"), "alloc-space"),
        Case::new(&node("wall.pprof.gz"), "wall"),
        Case::new(&node("heap.pprof.gz"), "inuse_space"),
    ];
    cases.extend(program(folder));
    cases
}

/// A Go program that profiles itself: recursion, inlined calls, several functions.
const PROGRAM: &str = r#"package main

import (
	"os"
	"runtime/pprof"
	"sort"
	"strings"
	"time"
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func words() int {
	parts := strings.Split(strings.Repeat("b a d c ", 5000), " ")
	sort.Strings(parts)
	return len(parts)
}

func main() {
	file, _ := os.Create(os.Args[1])
	pprof.StartCPUProfile(file)
	sum := 0
	for end := time.Now().Add(700 * time.Millisecond); time.Now().Before(end); {
		sum += fib(20) + words()
	}
	pprof.StopCPUProfile()
	file.Close()
	if sum == 0 {
		os.Exit(1)
	}
}
"#;

/// The profile of the program, if it can be built: that takes the sources of the standard library, which some machines lack.
fn program(folder: &Path) -> Option<Case> {
    let (source, profile) = (folder.join("main.go"), folder.join("program.pprof"));
    std::fs::write(&source, PROGRAM).unwrap();
    let ran = Command::new("go").arg("run").arg(&source).arg(&profile).output().unwrap();
    if !ran.status.success() {
        eprintln!("skipped: the Go program does not run: {}", String::from_utf8_lossy(&ran.stderr));
        return None;
    }
    Some(Case::new(&profile, "cpu"))
}

/// A number with its unit: `990000000ns`, `52B`, `0`.
fn number(text: &str) -> i64 {
    text.trim_end_matches(|c: char| c.is_alphabetic() || c == '%').parse().unwrap_or_else(|_| panic!("{text:?}"))
}

/// The name without pprof's suffix for inlined calls.
fn plain(name: &str) -> &str {
    name.trim().trim_end_matches(" (inline)").trim_end_matches(" (partial-inline)")
}

/// The rows of `-top`: name, self value, total.
fn top(text: &str) -> BTreeMap<String, (i64, i64)> {
    let rows = text.lines().skip_while(|line| !line.contains("flat%")).skip(1);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let name = line.split_whitespace().skip(5).collect::<Vec<_>>().join(" ");
        (plain(&name).to_owned(), (number(cells[0]), number(cells[3])))
    };
    rows.filter(|line| !line.trim().is_empty()).map(row).collect()
}

/// A function in the output of `-tree` or `-peek`, with its callers and callees.
#[derive(Debug, Default)]
struct Block {
    name: String,
    callers: BTreeMap<String, i64>,
    callees: BTreeMap<String, i64>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut block = Block::default();
    for line in text.lines().skip_while(|line| !line.contains("flat%")).skip(2) {
        if line.starts_with("-----") {
            found.push(std::mem::take(&mut block));
            continue;
        }
        let Some((numbers, name)) = line.split_once(" | ") else { continue };
        let cells: Vec<&str> = numbers.split_whitespace().collect();
        if cells.len() >= 4 {
            block.name = plain(name).to_owned();
        } else {
            let side = if block.name.is_empty() { &mut block.callers } else { &mut block.callees };
            *side.entry(plain(name).to_owned()).or_default() += number(cells[0]);
        }
    }
    found.push(block);
    found.retain(|block| !block.name.is_empty());
    found
}

/// The children of the root, which is the function, with their totals.
fn below(tree: &Tree) -> BTreeMap<String, i64> {
    let json = tree.to_json(None, 0.0).unwrap();
    let mut totals = json.own.clone();
    let mut parents = vec![0; totals.len()];
    let mut open: Vec<usize> = Vec::new();
    for (node, &depth) in json.depth.iter().enumerate() {
        open.truncate(depth as usize);
        parents[node] = open.last().copied().unwrap_or(0);
        open.push(node);
    }
    for node in (1..totals.len()).rev() {
        totals[parents[node]] += totals[node];
    }
    let at = |node: &usize| json.depth[*node] == 1;
    let name = |node: usize| json.names[json.name[node] as usize].to_string();
    (0..totals.len()).filter(at).map(|node| (name(node), totals[node])).collect()
}

#[test]
fn functions_have_the_values_of_top() {
    if !there_is_pprof() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for case in cases(folder.path()) {
        let theirs = top(&case.ask(&["-top"]));
        let rows = table(&case.stacks(), 0, &View::default(), &By::Function, &Cancel::default()).unwrap().rows;
        let ours: BTreeMap<String, (i64, i64)> =
            rows.iter().map(|row| (plain(&row.key).to_owned(), (row.own, row.total))).collect();
        let made_up = |name: &&String| name.starts_with('[');
        let shared: Vec<&String> = theirs.keys().filter(|name| ours.contains_key(*name)).collect();
        assert!(shared.len() > 3, "{}: {theirs:?}", case.name);
        // We have a row for samples without a stack, and pprof omits them.
        assert_eq!(theirs.len(), shared.len(), "{}", case.name);
        assert_eq!(ours.keys().filter(|name| !made_up(name)).filter(|name| !theirs.contains_key(*name)).count(), 0);
        for name in shared {
            assert_eq!(ours[name], theirs[name], "{}: {name}", case.name);
        }
    }
}

#[test]
fn callers_and_callees_are_those_of_tree_and_peek() {
    if !there_is_pprof() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for case in cases(folder.path()) {
        let recursive = case.recursive();
        let all = blocks(&case.ask(&["-tree"]));
        assert!(all.len() > 3, "{}", case.name);
        let stacks = case.stacks();
        let mut compared = 0;
        for block in all.iter().filter(|block| !recursive.contains(&block.name)).take(80) {
            let both = Tree::sandwich(&stacks, 0, &View::default(), &block.name, &Cancel::default()).unwrap();
            assert_eq!(below(&both.callees), block.callees, "{}: callees of {}", case.name, block.name);
            assert_eq!(below(&both.callers), block.callers, "{}: callers of {}", case.name, block.name);
            compared += 1;
        }
        assert!(compared > 3, "{}", case.name);
        let first = all.iter().find(|block| !recursive.contains(&block.name) && !block.callees.is_empty()).unwrap();
        let pattern: String = first.name.chars().map(|c| if c.is_alphanumeric() { c } else { '.' }).collect();
        let peeked = blocks(&case.ask(&[&format!("-peek=^{pattern}$")]));
        let peeked = peeked.iter().find(|block| block.name == first.name).unwrap();
        assert_eq!((&peeked.callers, &peeked.callees), (&first.callers, &first.callees), "{}", case.name);
    }
}

#[test]
fn labels_have_the_values_of_tags() {
    if !there_is_pprof() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let all = cases(folder.path());
    let label = |key: &str| Group::Label(key.into());
    for (case, key, group) in [
        (&all[0], "thread", Group::Thread),
        (&all[4], "thread name", label("thread name")),
        (&all[6], "route", label("route")),
    ] {
        let text = case.ask(&["-tags"]);
        let mut theirs: BTreeMap<String, i64> = BTreeMap::new();
        let mut inside = false;
        for line in text.lines() {
            if let Some((name, _)) = line.split_once(": Total ") {
                inside = name.trim() == key;
            } else if let (true, Some((numbers, label))) = (inside, line.split_once("): ")) {
                theirs.insert(label.trim().to_owned(), number(numbers.split_whitespace().next().unwrap()));
            }
        }
        // pprof lists samples even if their value of this type is 0.
        theirs.retain(|_, value| *value != 0);
        let rows = table(&case.stacks(), 0, &View::default(), &By::Label(group), &Cancel::default()).unwrap().rows;
        let ours: BTreeMap<String, i64> = rows
            .iter()
            .filter(|row| theirs.contains_key(&*row.key))
            .map(|row| (row.key.to_string(), row.total))
            .collect();
        assert!(theirs.len() > 1, "{text}");
        assert_eq!(ours, theirs, "{}", case.name);
    }
}

#[test]
fn a_comparison_has_the_values_of_diff_base() {
    if !there_is_pprof() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let all = cases(folder.path());
    convert(folder.path(), &fixture("jdk21-full.jfr.gz"));
    diff_base(&all[0], &Case::new(&folder.path().join("jdk21-full.cpu.pb.gz"), "cpu-time"), 20);
    diff_base(&all[6], &Case::new(&node("wall-later.pprof.gz"), "wall"), 8);
}

fn diff_base(first: &Case, other: &Case, least: usize) {
    let theirs = top(&other.ask(&["-top", &format!("-diff_base={}", first.path.display())]));
    let (a, b) = (first.stacks(), other.stacks());
    let (_, _, rows) =
        Diff::table((&a, 0), (&b, 0), &View::default(), &By::Function, Per::Second, &Cancel::default()).unwrap();
    let mut compared = 0;
    for row in rows.iter().filter(|row| !row.key.starts_with('[')) {
        // pprof omits rows that are 0 in both profiles.
        let (own, total) = theirs.get(&*row.key).copied().unwrap_or((0, 0));
        assert_eq!((row.self_b - row.self_a, row.b - row.a), (own, total), "{}", row.key);
        compared += 1;
    }
    assert!(compared > least, "{}: {compared}", other.name);
}

#[test]
fn samples_have_the_sums_of_raw() {
    if !there_is_pprof() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for case in cases(folder.path()) {
        let text = case.ask(&["-raw"]);
        let types = text.lines().skip_while(|line| *line != "Samples:").nth(1).unwrap();
        let names: Vec<&str> = types.split_whitespace().map(|t| t.split('/').next().unwrap()).collect();
        let mut sums = vec![0_i64; names.len()];
        let samples =
            text.lines().skip_while(|line| *line != "Samples:").skip(2).take_while(|line| *line != "Locations");
        for line in samples.filter(|line| line.contains(':')) {
            let values: Vec<&str> = line.split(':').next().unwrap().split_whitespace().collect();
            // Lines with labels have something else than numbers before the colon.
            if values.len() == names.len() && values.iter().all(|v| v.parse::<i64>().is_ok()) {
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value.parse::<i64>().unwrap());
            }
        }
        let ours = case.profile.totals();
        let known: Vec<&str> = case.profile.values().map(|(name, _)| name).collect();
        for (name, sum) in names.iter().zip(sums) {
            let at = known.iter().position(|known| known == name).unwrap();
            assert_eq!(ours[at], sum, "{}: {name}", case.name);
        }
    }
}
