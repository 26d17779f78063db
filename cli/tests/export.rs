//! `jfrkit export`: tables in a folder.
#![cfg(feature = "tables")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use jfr_parse::testing::fixture;
use std::path::Path;
use std::process::{Command, Output};

fn export(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jfrkit")).arg("export").arg("-o").arg(folder).args(args).output().unwrap()
}

/// All files below a folder, by path, with their contents.
fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_folder_has_a_table_for_each_event_type() {
    let folder = tempfile::tempdir().unwrap();
    let input = fixture("jdk17-multichunk.jfr");
    let output = export(folder.path(), &["--tables", "events,stacks,frames,recordings", input.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    let files = files(folder.path());
    let names: Vec<&str> = files.keys().map(|name| name.rsplit_once('/').unwrap().0).collect();
    for table in ["events/type=jdk.ExecutionSample", "events/type=jdk.ActiveSetting", "stacks", "frames", "recordings"]
    {
        assert!(names.contains(&table), "{table}: {names:?}");
    }
    assert!(!names.contains(&"samples"), "{names:?}");
    assert!(files.iter().filter(|(name, _)| name.ends_with(".parquet")).all(|(_, bytes)| bytes.starts_with(b"PAR1")));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.lines().next().unwrap().starts_with("events "), "{told}");
    assert_eq!(told.lines().count(), 4, "{told}");
}

#[test]
fn the_files_do_not_depend_on_the_number_of_threads() {
    let input = fixture("jdk17-multichunk.jfr");
    let of = |threads: &str| {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_jfrkit"))
            .env("RAYON_NUM_THREADS", threads)
            .args(["export", "-o"])
            .arg(folder.path())
            .arg(&input)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        files(folder.path())
    };
    let (one, eight) = (of("1"), of("8"));
    assert!(one.len() > 50, "{}", one.len());
    assert!(one == eight);
}

#[test]
fn append_adds_each_recording_once() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (fixture("jdk17-multichunk.jfr"), fixture("jdk11-profile.jfr.gz"));
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    let tables = ["--tables", "recordings,settings"];
    let run = |more: &[&str]| export(folder.path(), &[&tables[..], more].concat());
    assert!(run(&[first]).status.success());
    let before = files(folder.path());
    let refused = run(&[second]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--append"), "{refused:?}");
    assert!(files(folder.path()) == before);
    // The first recording again, compressed or not, is recognized by its content.
    assert!(run(&["--append", first, second, second]).status.success());
    let after = files(folder.path());
    assert_eq!(after.len(), before.len() + 3, "{:?}", after.keys());
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    let again = run(&["--append", first, second]);
    assert!(again.status.success());
    assert_eq!(String::from_utf8_lossy(&again.stdout).matches("already").count(), 2, "{again:?}");
    assert!(files(folder.path()) == after);
}

#[test]
fn secrets_are_hidden_unless_they_are_asked_for() {
    let input = fixture("scenarios/secrets.jfr.gz");
    let of = |more: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let args = ["--format", "csv", "--tables", "events", "--events", "InitialSystemProperty,JVMInformation"];
        let output = export(folder.path(), &[&args[..], more, &[input.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{output:?}");
        let all = files(folder.path());
        all.into_iter()
            .filter(|(name, _)| name.ends_with("csv"))
            .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
            .collect::<String>()
    };
    let (hidden, shown) = (of(&[]), of(&["--show-secrets"]));
    assert!(hidden.contains("••••") && !shown.contains("••••"), "{hidden}");
    assert!(shown.contains("made-up-password") && !hidden.contains("made-up-p"), "{hidden}");
}

#[test]
fn unreadable_inputs_fail_and_the_others_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.jfr");
    std::fs::write(&broken, b"no recording").unwrap();
    let out = folder.path().join("out");
    let output = export(&out, &["--tables", "recordings", broken.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(!out.exists());
    let good = fixture("jdk11-profile.jfr.gz");
    let output = export(&out, &["--tables", "recordings", broken.to_str().unwrap(), good.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(files(&out).keys().filter(|name| name.starts_with("recordings/")).count(), 1);
    assert!(String::from_utf8_lossy(&output.stderr).contains("broken.jfr"), "{output:?}");
}

#[test]
fn csv_and_arrow_have_the_same_rows() {
    let input = fixture("jdk17-multichunk.jfr");
    let folder = tempfile::tempdir().unwrap();
    let tables = ["--tables", "events", "--events", "GCHeapSummary"];
    for format in ["csv", "arrow"] {
        let out = folder.path().join(format);
        let output = export(&out, &[&tables[..], &["--format", format, input.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{output:?}");
    }
    let csv = files(&folder.path().join("csv"));
    let (_, text) = csv.iter().find(|(name, _)| name.ends_with(".csv")).unwrap();
    let text = String::from_utf8_lossy(text);
    assert!(text.lines().next().unwrap().starts_with("recording,startTime,gcId,when,heapSpace.start"), "{text}");
    let arrow = files(&folder.path().join("arrow"));
    assert!(arrow.iter().any(|(name, bytes)| name.ends_with(".arrow") && bytes.starts_with(b"ARROW1")));
}

#[test]
fn time_ranges_are_relative_to_each_recording() {
    let input = fixture("jdk17-multichunk.jfr");
    let rows = |more: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let args = ["--format", "csv", "--tables", "events", "--events", "ExecutionSample"];
        let output = export(folder.path(), &[&args[..], more, &[input.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{output:?}");
        let all = files(folder.path());
        let text = all.iter().find(|(name, _)| name.ends_with(".csv")).map(|(_, bytes)| bytes.clone());
        String::from_utf8(text.unwrap_or_default()).unwrap().lines().count().saturating_sub(1)
    };
    let (all, first, rest) = (rows(&[]), rows(&["--to", "1s"]), rows(&["--from", "1s"]));
    assert!(all > 0 && first > 0 && first + rest == all, "{first} + {rest} != {all}");
}
