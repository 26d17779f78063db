//! `jfrkit analyze` as run by users and CI jobs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name);
    path.canonicalize().unwrap().to_str().unwrap().to_owned()
}

/// An empty directory, so that no `jfrkit.toml` is found.
fn empty() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn analyze_in(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jfrkit")).arg("analyze").args(args).current_dir(folder).output().unwrap()
}

fn analyze(args: &[&str]) -> Output {
    analyze_in(empty().path(), args)
}

/// Standard output of a call that must succeed and print nothing to standard error.
fn stdout(args: &[&str]) -> String {
    let done = analyze(args);
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success() && said.is_empty(), "{args:?}: {:?}: {said}", done.status);
    String::from_utf8(done.stdout).unwrap()
}

/// The exit status, and the single line on standard error.
fn complaint(done: &Output) -> (i32, String) {
    let said = String::from_utf8(done.stderr.clone()).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    (done.status.code().unwrap(), said)
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&stdout(&[&["--format", "json"], args].concat())).unwrap()
}

fn ids(report: &Value) -> Vec<&str> {
    report["rules"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap()).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    entries
}

const GC: &str = "FullGc,SystemGc,GcPauseRatio";

#[test]
fn rules_and_categories_are_chosen() {
    let input = fixture("scenarios/explicit-gc.jfr.gz");
    let all = json(&[&input]);
    assert!(ids(&all).len() > 90);
    assert_eq!(ids(&json(&["--rules", GC, &input])).len(), 3);
    assert_eq!(ids(&json(&["--rules", GC, "--skip", "FullGc", &input])).len(), 2);
    let gc = json(&["--category", "gc,heap", &input]);
    let categories = gc["rules"].as_array().unwrap().iter().map(|r| r["category"].as_str().unwrap());
    assert_eq!(categories.collect::<std::collections::BTreeSet<_>>(), ["gc", "heap"].into());
}

#[test]
fn exit_status_three_when_fail_on_is_met() {
    let input = fixture("scenarios/leak.jfr.gz");
    let report = json(&[&input]);
    let of = |severity: &str| {
        let rules = report["rules"].as_array().unwrap();
        rules.iter().find(|r| r["severity"] == severity).unwrap()["id"].as_str().unwrap()
    };
    let run = |rule: &str, fail_on: &str| analyze(&["--rules", rule, "--fail-on", fail_on, &input]);
    for (severity, fail_on) in [("warning", "warning"), ("warning", "info"), ("info", "info")] {
        let done = run(of(severity), fail_on);
        assert_eq!(complaint(&done), (3, format!("jfrkit: error: 1 finding meets --fail-on {fail_on}\n")));
        // The report is written anyway.
        assert!(!done.stdout.is_empty());
    }
    for (severity, fail_on) in [("info", "warning"), ("ok", "info"), ("not-applicable", "info")] {
        assert!(run(of(severity), fail_on).status.success(), "{severity}");
    }
    assert!(analyze(&["--rules", of("warning"), &input]).status.success());
}

#[test]
fn an_output_file_is_complete_or_absent() {
    let folder = empty();
    let input = fixture("scenarios/explicit-gc.jfr.gz");
    for format in ["text", "json", "html", "markdown", "junit", "sarif"] {
        let done = analyze_in(folder.path(), &["--format", format, "-o", "out", "--rules", GC, &input]);
        assert!(done.status.success() && done.stdout.is_empty() && done.stderr.is_empty(), "{format}");
        assert!(std::fs::metadata(folder.path().join("out")).unwrap().len() > 100, "{format}");
    }
    // Nothing else is left behind, and an unreadable input changes nothing.
    let before = std::fs::read(folder.path().join("out")).unwrap();
    let (status, _) = complaint(&analyze_in(folder.path(), &["-o", "out", "nowhere.jfr"]));
    assert_eq!(status, 1);
    assert_eq!(entries(folder.path()), [folder.path().join("out")]);
    assert_eq!(std::fs::read(folder.path().join("out")).unwrap(), before);
    // Neither does a path where no file can be created.
    for bad in ["no/such/folder/out", "."] {
        let done = analyze_in(folder.path(), &["-o", bad, "--rules", GC, &input]);
        assert_eq!(complaint(&done).0, 1, "{bad}");
    }
    let dash = analyze_in(folder.path(), &["-o", "-", "--rules", GC, &input]);
    assert!(dash.status.success() && !dash.stdout.is_empty());
}

#[test]
fn findings_are_written_even_if_the_status_is_three() {
    let folder = empty();
    let input = fixture("scenarios/leak.jfr.gz");
    let done = analyze_in(folder.path(), &["--fail-on", "warning", "--format", "junit", "-o", "out.xml", &input]);
    assert_eq!(done.status.code(), Some(3));
    assert!(std::fs::read_to_string(folder.path().join("out.xml")).unwrap().contains("<failure"));
}

#[test]
fn a_time_range_restricts_the_analysis() {
    let input = fixture("jdk17-full.jfr");
    let events =
        |args: &[&str]| json(&[args, &["--rules", GC, &input]].concat())["recording"]["events"].as_u64().unwrap();
    let all = events(&[]);
    let (first, last) = (events(&["--to", "4s"]), events(&["--from", "4s"]));
    assert!(first > 0 && last > 0 && first < all && last < all);
    // An event may belong to both.
    assert!(first + last >= all);
    assert!(events(&["--from", "-1s"]) < last);
    for (args, expected) in [(["--from", "yesterday"], 2), (["--from=8s", "--to=4s"], 1)] {
        let (status, said) = complaint(&analyze(&[&args[..], &[&input]].concat()));
        assert_eq!(status, expected, "{said}");
    }
    // What describes the JVM counts whenever it was written, but is no event of the range.
    assert!(events(&["--from", "500ms", "--to", "501ms"]) < 10);
    let part = json(&["--from", "2s", "--to", "6s", "--rules", GC, &input]);
    let nanos = part["recording"]["duration_nanos"].as_i64().unwrap_or_default();
    assert_eq!(nanos, 4_000_000_000, "{}", part["recording"]);
    // No data is not the same as no findings.
    let (status, said) = complaint(&analyze(&["--from", "1h", "--rules", GC, &input]));
    assert!(status == 1 && said.contains("no events between --from and --to"), "{said}");
}

#[test]
fn several_inputs_have_a_report_each_and_a_table() {
    let (one, two) = (fixture("scenarios/explicit-gc.jfr.gz"), fixture("scenarios/leak.jfr.gz"));
    let text = stdout(&["--category", "gc", &one, &two]);
    assert!(text.starts_with("2 recordings in ") && text.contains("-v shows the findings of each"), "{text}");
    assert!(!text.contains("rules found nothing wrong"), "{text}");
    let text = stdout(&["-v", "--category", "gc", &one, &two]);
    assert_eq!(text.matches("rules found nothing wrong").count(), 2);
    let report = json(&["--category", "gc", &one, &two]);
    assert_eq!(report["reports"].as_array().unwrap().len(), 2);
    assert_eq!(report["overview"]["recordings"].as_array().unwrap().len(), 2);
    // An unreadable input is named, and the others are read.
    let folder = empty();
    std::fs::write(folder.path().join("bad.jfr"), "text").unwrap();
    let done = analyze_in(folder.path(), &["--category", "gc", "bad.jfr", &two]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(said.starts_with("jfrkit: error: bad.jfr: not a flight recording"), "{said}");
    assert!(
        String::from_utf8(done.stdout)
            .unwrap()
            .lines()
            .any(|line| line.starts_with("bad.jfr ") && line.contains("not a flight recording"))
    );
}

#[test]
fn directories_and_standard_input() {
    let folder = empty();
    std::fs::copy(fixture("scenarios/explicit-gc.jfr.gz"), folder.path().join("a.jfr.gz")).unwrap();
    let done = analyze_in(folder.path(), &["--rules", GC, "."]);
    assert!(String::from_utf8(done.stdout).unwrap().starts_with("./a.jfr.gz: "));
    let piped = Command::new(env!("CARGO_BIN_EXE_jfrkit"))
        .args(["analyze", "--rules", GC, "-"])
        .current_dir(empty().path())
        .stdin(Stdio::from(std::fs::File::open(fixture("scenarios/explicit-gc.jfr.gz")).unwrap()))
        .output()
        .unwrap();
    assert!(String::from_utf8(piped.stdout).unwrap().starts_with("standard input: "));
}

#[test]
fn settings_come_from_a_file() {
    let folder = empty();
    let input = fixture("jdk17-full.jfr");
    let config = |text: &str| std::fs::write(folder.path().join("jfrkit.toml"), text).unwrap();
    let run = |args: &[&str]| analyze_in(folder.path(), &[args, &["--format", "json", &input]].concat());
    let report = |args: &[&str]| {
        let done = run(args);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice::<Value>(&done.stdout).unwrap()
    };
    let of = |report: &Value, id: &str| -> Option<Value> {
        report["rules"].as_array().unwrap().iter().find(|r| r["id"] == id).cloned()
    };
    assert!(of(&report(&[]), "FullGc").is_some());
    config("[rules.FullGc]\nenabled = false\n\n[rules.LongGcPause]\ninfo = \"1 us\"\n");
    let changed = report(&[]);
    assert!(of(&changed, "FullGc").is_none());
    assert_eq!(of(&changed, "LongGcPause").unwrap()["severity"], "info");
    // A rule named by the user is always shown.
    assert!(of(&report(&["--rules", "FullGc"]), "FullGc").is_some());
    // A file given by the user takes precedence.
    std::fs::write(folder.path().join("other.toml"), "[rules.SystemGc]\nenabled = false\n").unwrap();
    let other = report(&["--config", "other.toml"]);
    assert!(of(&other, "FullGc").is_some() && of(&other, "SystemGc").is_none());

    for (text, line, part) in [
        ("[rules.LongGcPause]\n\ninfo = \"1 MiB\"\n", 3, "a time with its unit"),
        ("[rules.LongGcPause]\ninof = \"1 s\"\n", 2, "no setting \"inof\""),
        ("\n[rules.LongGcPauses]\n", 2, "no rule \"LongGcPauses\""),
        ("[rules.LongGcPause\n", 1, ""),
        ("[patterns]\n", 1, "unknown key \"patterns\""),
    ] {
        config(text);
        let (status, said) = complaint(&run(&[]));
        assert_eq!(status, 2);
        assert!(
            said.starts_with(&format!("jfrkit: error: jfrkit.toml: line {line}: ")) && said.contains(part),
            "{said}"
        );
    }
    let (status, said) = complaint(&run(&["--config", "missing.toml"]));
    assert!(status == 2 && said.contains("missing.toml"), "{said}");
}

#[test]
fn wrong_usage_is_one_line() {
    let input = fixture("jdk17-full.jfr");
    for (args, part) in [
        (vec!["--rules", "LongGcPauses", &input], "no rule \"LongGcPauses\""),
        (vec!["--skip", "X", &input], "no rule \"X\""),
        (vec!["--rules", "FullGc", "--category", "io", &input], "no rule is left"),
        (vec!["--category", "memory", &input], "there are gc, heap"),
        (vec!["--format", "xml", &input], "xml"),
        (vec!["--fail-on", "ok", &input], "ok"),
        (vec!["--min-severity", "bad", &input], "bad"),
        (vec![], "INPUT"),
        (vec!["--explain", "Nothing"], "no rule \"Nothing\""),
        (vec!["--explain", "FullGc", "--format", "json"], "--explain writes text"),
        (vec!["--list", "--format", "sarif"], "--list writes"),
        (vec!["--list", &input], "--list"),
    ] {
        let (status, said) = complaint(&analyze(&args));
        assert_eq!(status, 2, "{args:?}: {said}");
        assert!(said.contains(part), "{args:?}: {said}");
    }
    let (status, said) = complaint(&analyze(&["nowhere.jfr"]));
    assert!(status == 1 && said.contains("nowhere.jfr"), "{said}");
}

#[test]
fn the_least_severity() {
    let input = fixture("jdk17-full.jfr");
    let findings = |least: &str| stdout(&["--min-severity", least, &input]).matches("\n    ").count();
    assert!(findings("warning") < findings("info"));
    assert!(findings("info") < findings("ok"));
    assert!(findings("ok") < findings("not-applicable"));
}

#[test]
fn there_is_no_color_without_a_terminal() {
    assert!(!stdout(&[&fixture("jdk17-full.jfr")]).contains('\u{1b}'));
    let colored = Command::new(env!("CARGO_BIN_EXE_jfrkit"))
        .args(["analyze", &fixture("jdk17-full.jfr")])
        .current_dir(empty().path())
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(String::from_utf8(colored.stdout).unwrap().contains("\u{1b}[1m"));
}

#[test]
fn rules_can_be_listed_and_explained() {
    let all = stdout(&["--list"]);
    assert!(all.lines().count() > 100);
    assert!(all.starts_with("Rule "));
    let gc = stdout(&["--list", "--category", "gc", "--skip", "FullGc"]);
    assert!(gc.contains("SystemGc") && !gc.contains("FullGc ") && !gc.contains("Deadlock"));
    assert!(stdout(&["--list", "--format", "markdown"]).starts_with("# Rules\n"));
    let list: Value = serde_json::from_str(&stdout(&["--list", "--format", "json"])).unwrap();
    assert_eq!(list.as_array().unwrap().len(), all.lines().count() - 1);

    let page = stdout(&["--explain", "HeapContent"]);
    for part in ["What it checks:", "How it decides:", "[rules.HeapContent]", "jdk.ObjectCount", "jcmd PID JFR.start"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

/// `--explain` shows settings in the format of the settings file.
#[test]
fn settings_are_shown_as_they_are_read() {
    let folder = empty();
    let list: Value = serde_json::from_str(&stdout(&["--list", "--format", "json"])).unwrap();
    let mut config = String::new();
    // Only about a dozen, because each starts a process.
    for rule in list.as_array().unwrap().iter().filter(|r| !r["settings"].as_array().unwrap().is_empty()).step_by(5) {
        let page = stdout(&["--explain", rule["id"].as_str().unwrap()]);
        let of_rule = page
            .lines()
            .skip_while(|line| !line.trim_start().starts_with("[rules."))
            .take_while(|l| !l.contains("disable the rule"));
        of_rule.for_each(|line| config.push_str(&format!("{line}\n")));
    }
    assert!(config.matches("[rules.").count() > 8, "{config}");
    std::fs::write(folder.path().join("jfrkit.toml"), config).unwrap();
    let done = analyze_in(folder.path(), &["--rules", GC, &fixture("scenarios/explicit-gc.jfr.gz")]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn a_baseline_leaves_only_new_or_worse_findings() {
    let (regex, spin) = (fixture("scenarios/regex-hot.jfr.gz"), fixture("scenarios/spin.jfr.gz"));
    let against = |baseline: &str, recording: &str| {
        let args = ["--fail-on", "warning", "--baseline", baseline, "--format", "json", recording];
        analyze(&args).status.code()
    };
    assert_eq!(analyze(&["--fail-on", "warning", "--format", "json", &regex]).status.code(), Some(3));
    assert_eq!(against(&regex, &regex), Some(0), "no finding is new");
    assert_eq!(against(&regex, &spin), Some(3), "busy spinning is");
    let folder = empty();
    let report = folder.path().join("old.json");
    let report = report.to_str().unwrap();
    assert_eq!(analyze(&["--format", "json", "-o", report, &regex]).status.code(), Some(0));
    assert_eq!(against(report, &regex), Some(0), "a report does as well as its recording");
    assert_eq!(analyze(&["--baseline", report, &regex]).status.code(), Some(2), "without --fail-on it does nothing");
}

#[test]
fn rules_of_pprof_profiles_are_selected_and_described_like_the_others() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/demo");
    let go = path.join("go-cpu.pprof.gz").canonicalize().unwrap().to_str().unwrap().to_owned();
    let jfr = fixture("scenarios/explicit-gc.jfr.gz");
    let ids = |args: &[&str]| -> Vec<String> {
        let report = json(args);
        report["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&["--rules", "profilehotfunction", &go]), ["ProfileHotFunction"]);
    assert!(!ids(&["--skip", "ProfileHotFunction", &go]).contains(&"ProfileHotFunction".to_owned()));
    assert_eq!(ids(&["--category", "cpu", &go]), ["ProfileHotFunction"]);
    assert_eq!(ids(&["--category", "gc", &go]), [""; 0]);
    // Each kind of rule leaves the other kind of input alone.
    assert_eq!(ids(&["--rules", "ProfileHotFunction", &jfr]), [""; 0]);
    assert_eq!(ids(&["--rules", "ExplicitGc", &go]), [""; 0]);
    assert_eq!(ids(&["--rules", "ExplicitGc,ProfileHotFunction", &jfr]), ["ExplicitGc"]);
    assert!(!ids(&["--skip", "ProfileHotFunction,ExplicitGc", &jfr]).contains(&"ExplicitGc".to_owned()));
    let text = stdout(&["--rules", "ProfileHotFunction", &go]);
    assert!(text.contains("takes") && !text.contains("0 rules") && !text.contains("0 do not apply"), "{text}");
    let listed = stdout(&["--list"]);
    let line = listed.lines().find(|line| line.starts_with("ProfileHotFunction ")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["ProfileHotFunction", "cpu", "yes", "Hot", "function"]);
    assert!(stdout(&["--explain", "ProfileHotFunction"]).contains("reads pprof profiles"));
    assert!(stdout(&[&go, &go]).starts_with("2 profiles in "));
    assert!(stdout(&[&go, &jfr]).starts_with("2 inputs in "));
    let (status, said) = complaint(&analyze(&["--rules", "ProfileHotFunctions", &go]));
    assert!(status == 2 && said.contains("ProfileHotFunction"), "{said}");
}

#[test]
fn profiles_of_other_languages_are_judged_by_the_rules_that_need_no_jvm() {
    let demo = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/demo").join(name);
        path.canonicalize().unwrap().to_str().unwrap().to_owned()
    };
    let (python, go) = (demo("python.pprof.zst"), demo("go-cpu.pprof.gz"));
    let report = json(&[&go]);
    let ids: Vec<&str> = report["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"ProfileHotFunction") && ids.iter().all(|id| id.starts_with("Profile")), "{ids:?}");
    // Nothing is known about the hour before, so growth cannot be judged.
    let growth = report["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == "ProfileHeapGrowth").unwrap();
    assert_eq!(growth["severity"], "not-applicable");
    let both = json(&[&python, &go, &fixture("jdk17-full.jfr")]);
    assert_eq!(both["reports"].as_array().unwrap().len(), 3);
    // The hottest function in the report matches `top`.
    let hot = report["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == "ProfileHotFunction").unwrap();
    let top = Command::new(env!("CARGO_BIN_EXE_jfrkit"))
        .args(["top", "--type", "cpu", "--format", "json", "--limit", "1", &go])
        .output()
        .unwrap();
    let top: Value = serde_json::from_slice(&top.stdout).unwrap();
    let name = top["rows"][0]["name"].as_str().or(top["rows"][0]["key"].as_str()).unwrap();
    assert!(hot["summary"].as_str().unwrap().contains(name), "{hot}");
}
