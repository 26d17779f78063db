//! `jfrkit analyze` as run by users and CI jobs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use common::{jfrkit, shown};
use insta::assert_snapshot;
use serde_json::Value;

fn fixture(name: &str) -> String {
    common::fixture(name).canonicalize().unwrap().to_str().unwrap().to_owned()
}

fn demo(name: &str) -> String {
    common::demo(name).canonicalize().unwrap().to_str().unwrap().to_owned()
}

/// An empty directory, so that no `jfrkit.toml` is found.
fn empty() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn analyze_in(folder: &Path, args: &[&str]) -> Output {
    jfrkit(&["analyze"]).args(args).current_dir(folder).output().unwrap()
}

fn analyze(args: &[&str]) -> Output {
    analyze_in(empty().path(), args)
}

/// Standard output of a call that must succeed and print nothing to standard error.
fn stdout(args: &[&str]) -> String {
    common::stdout(&analyze(args))
}

/// The first line on standard output, without what differs between machines.
fn first(args: &[&str]) -> String {
    common::without_places(stdout(args).lines().next().unwrap())
}

/// The lines on standard error, and the exit status.
fn errors(done: &Output) -> String {
    shown(&Output { stdout: Vec::new(), ..done.clone() })
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
        assert_eq!(errors(&done), format!("jfrkit: error: 1 finding meets --fail-on {fail_on}\nexit status 3"));
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
    assert_snapshot!(shown(&analyze_in(folder.path(), &["-o", "out", "nowhere.jfr"])), @r"
    jfrkit: error: nowhere.jfr: No such file or directory (os error 2)
    exit status 1
    ");
    assert_eq!(entries(folder.path()), [folder.path().join("out")]);
    assert_eq!(std::fs::read(folder.path().join("out")).unwrap(), before);
    // Neither does a path where no file can be created.
    let bad = ["no/such/folder/out", "."]
        .map(|bad| common::failure(&analyze_in(folder.path(), &["-o", bad, "--rules", GC, &input])));
    assert_snapshot!(bad.join("\n"), @r"
    jfrkit: error: no/such/folder/out: No such file or directory (os error 2)
    jfrkit: error: .: is a directory
    ");
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
    assert_snapshot!(shown(&analyze(&["--from", "yesterday", &input])), @r#"
    jfrkit: error: invalid value 'yesterday' for '--from <TIME>': invalid time "yesterday": expected a timestamp (2026-11-22T10:36:30Z), a time of day (10:36:30), milliseconds since 1970, a time from the start (10s, 1m30s) or from the end (-10s); see --help
    exit status 2
    "#);
    assert_snapshot!(shown(&analyze(&["--from=8s", "--to=4s", &input])), @r"
    jfrkit: error: fixtures/jdk17-full.jfr: --from (2026-11-23T11:34:52.455510092Z) is not before --to (2026-11-23T11:34:48.455510092Z); the recording covers 2026-11-23T11:34:44.455510092Z to 2026-11-23T11:34:54.867899841Z
    exit status 1
    ");
    // What describes the JVM counts whenever it was written, but is no event of the range.
    assert!(events(&["--from", "500ms", "--to", "501ms"]) < 10);
    let part = json(&["--from", "2s", "--to", "6s", "--rules", GC, &input]);
    let nanos = part["recording"]["duration_nanos"].as_i64().unwrap_or_default();
    assert_eq!(nanos, 4_000_000_000, "{}", part["recording"]);
    // No data is not the same as no findings.
    assert_snapshot!(shown(&analyze(&["--from", "1h", "--rules", GC, &input])), @r"
    jfrkit: error: fixtures/jdk17-full.jfr: no events between --from and --to; the recording covers 2026-11-23T11:34:44.455510092Z to 2026-11-23T11:34:54.867899841Z
    exit status 1
    ");
}

#[test]
fn several_inputs_have_a_report_each_and_a_table() {
    let (one, two) = (fixture("scenarios/explicit-gc.jfr.gz"), fixture("scenarios/leak.jfr.gz"));
    assert_snapshot!(shown(&analyze(&["--category", "gc", &one, &two])), @r"
    2 recordings in fixtures/scenarios/

    recording           warnings  infos  worst
    leak.jfr.gz                0      2  GC pause time, 7.26 % of elapsed time: GC pauses took 7.26 % of the worst window and 7.26 % of the recording
    explicit-gc.jfr.gz         0      1  Explicit GC, 1.26 % of elapsed time: System.gc() was called 20 times, mostly by fx.Scenarios.dropCaches; it caused 100 % of all collections

    rule              warns in  infos in  title
    ExplicitGc               0         1  Explicit GC
    GcPauseRatio             0         1  GC pause time
    HeapInspectionGc         0         1  GC caused by heap histograms

    -v shows the findings of each input.
    ");
    let text = stdout(&["-v", "--category", "gc", &one, &two]);
    assert_eq!(text.matches("rules found nothing wrong").count(), 2);
    let report = json(&["--category", "gc", &one, &two]);
    assert_eq!(report["reports"].as_array().unwrap().len(), 2);
    assert_eq!(report["overview"]["recordings"].as_array().unwrap().len(), 2);
    // An unreadable input is named, and the others are read.
    let folder = empty();
    std::fs::write(folder.path().join("bad.jfr"), "text").unwrap();
    // Under a short name, because the width of the table depends on it.
    std::fs::copy(two, folder.path().join("leak.jfr.gz")).unwrap();
    assert_snapshot!(shown(&analyze_in(folder.path(), &["--category", "gc", "bad.jfr", "leak.jfr.gz"])), @r#"
    2 recordings

    recording    warnings  infos  worst
    leak.jfr.gz         0      2  GC pause time, 7.26 % of elapsed time: GC pauses took 7.26 % of the worst window and 7.26 % of the recording
    bad.jfr             -      -  not a flight recording: found text ("text"…) at offset 0; expected a .jfr file, optionally compressed with gzip, zip, LZ4 or zstd

    rule              warns in  infos in  title
    GcPauseRatio             0         1  GC pause time
    HeapInspectionGc         0         1  GC caused by heap histograms

    -v shows the findings of each input.
    jfrkit: error: bad.jfr: not a flight recording: found text ("text"…) at offset 0; expected a .jfr file, optionally compressed with gzip, zip, LZ4 or zstd
    exit status 1
    "#);
}

#[test]
fn directories_and_standard_input() {
    let folder = empty();
    std::fs::copy(fixture("scenarios/explicit-gc.jfr.gz"), folder.path().join("a.jfr.gz")).unwrap();
    let searched = common::stdout(&analyze_in(folder.path(), &["--rules", GC, "."]));
    let file = Stdio::from(std::fs::File::open(fixture("scenarios/explicit-gc.jfr.gz")).unwrap());
    let piped = jfrkit(&["analyze", "--rules", GC, "-"]).current_dir(empty().path()).stdin(file).output().unwrap();
    assert_snapshot!(shown(&piped), @r"
    standard input: 1 info

    Program    fx.Scenarios
    JVM        OpenJDK 64-Bit Server VM 17.0.15
    Collector  Serial, heap up to 64 MiB
    CPUs       2 hardware threads
    Start      2026-11-23 11:39:57 UTC
    Duration   8.12 s
    Content    475 events

    INFO     System.gc() requested, 1.26 % of elapsed time  SystemGc
        System.gc() triggered 20 of 20 collections
        An explicit collection is usually a full one, and runs at a time that the collector would not
        have chosen.
        → Find the callers (jdk.SystemGC events contain their stack traces) and remove the calls,
          disable them with -XX:+DisableExplicitGC, or make them concurrent with
          -XX:+ExplicitGCInvokesConcurrent.

        share of collections  100 %

        causes
        collection  cause                 count    time  longest
        SerialOld   System.gc()  20 collections  102 ms  6.21 ms

    OK       GC pause time  GcPauseRatio
        GC pauses took 1.26 % of the worst window and 1.26 % of the recording
        While the collector stops the application, no work is done and every request waits.
        → Allocate less (see the allocation rules), increase the heap, or choose a collector with
          shorter pauses: G1 with -XX:MaxGCPauseMillis, ZGC or Shenandoah.

        share of worst window  1.26 %
        worst window           11:39:57.252 – 11:40:05.371 (8.12 s from +0 ns)
        share of recording     1.26 %
        pauses                 20
        time paused            102 ms

    NOT-APPLICABLE Full GC  FullGc
        Not applicable: the collector is SerialOld, not G1 or CMS

    1 rule found nothing wrong, 1 does not apply
    ");
    assert_eq!(searched.replace("./a.jfr.gz:", "standard input:"), common::stdout(&piped));
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

    let wrong = [
        "[rules.LongGcPause]\n\ninfo = \"1 MiB\"\n",
        "[rules.LongGcPause]\ninof = \"1 s\"\n",
        "\n[rules.LongGcPauses]\n",
        "[rules.LongGcPause\n",
        "[patterns]\n",
    ]
    .map(|text| {
        config(text);
        shown(&run(&[]))
    });
    assert_snapshot!(wrong.join("\n"), @r#"
    jfrkit: error: jfrkit.toml: line 3: the setting info of the rule LongGcPause cannot be "1 MiB": give a time with its unit (ns, us, ms, s, min, h, d), such as 250 ms
    exit status 2
    jfrkit: error: jfrkit.toml: line 2: the rule LongGcPause has no setting "inof"; it has: info
    exit status 2
    jfrkit: error: jfrkit.toml: line 2: there is no rule "LongGcPauses"; `jfrkit analyze --list` lists all rules
    exit status 2
    jfrkit: error: jfrkit.toml: line 1: unclosed table, expected `]`
    exit status 2
    jfrkit: error: jfrkit.toml: line 1: unknown key "patterns"; expected [rules.ID], [[pattern]] or [own]
    exit status 2
    "#);
    assert_snapshot!(shown(&run(&["--config", "missing.toml"])), @r"
    jfrkit: error: missing.toml: No such file or directory (os error 2)
    exit status 2
    ");
}

#[test]
fn wrong_usage_is_one_line() {
    let input = fixture("jdk17-full.jfr");
    let wrong: [&[&str]; 13] = [
        &["--rules", "LongGcPauses", &input],
        &["--skip", "X", &input],
        &["--rules", "FullGc", "--category", "io", &input],
        &["--category", "memory", &input],
        &["--format", "xml", &input],
        &["--fail-on", "ok", &input],
        &["--min-severity", "bad", &input],
        &[],
        &["--explain", "Nothing"],
        &["--explain", "FullGc", "--format", "json"],
        &["--list", "--format", "sarif"],
        &["--list", &input],
        &["nowhere.jfr"],
    ];
    let lines = wrong.map(|args| format!("$ jfrkit analyze {}\n{}\n", args.join(" "), shown(&analyze(args))));
    assert_snapshot!(common::without_places(&lines.join("\n")), @r#"
    $ jfrkit analyze --rules LongGcPauses fixtures/jdk17-full.jfr
    jfrkit: error: there is no rule "LongGcPauses"; did you mean LongGcPause?
    exit status 2

    $ jfrkit analyze --skip X fixtures/jdk17-full.jfr
    jfrkit: error: there is no rule "X"; `jfrkit analyze --list` lists all rules
    exit status 2

    $ jfrkit analyze --rules FullGc --category io fixtures/jdk17-full.jfr
    jfrkit: error: no rule is left to run: see --rules, --skip, --category and the settings
    exit status 2

    $ jfrkit analyze --category memory fixtures/jdk17-full.jfr
    jfrkit: error: invalid value 'memory' for '--category <LIST>': no such category; expected one of gc, heap, cpu, locks, threads, io, exceptions, classes, jvm, environment, security, recording; see --help
    exit status 2

    $ jfrkit analyze --format xml fixtures/jdk17-full.jfr
    jfrkit: error: invalid value 'xml' for '--format <FORMAT>' [possible values: text, json, html, markdown, junit, sarif]; a similar value exists: 'html'; see --help
    exit status 2

    $ jfrkit analyze --fail-on ok fixtures/jdk17-full.jfr
    jfrkit: error: invalid value 'ok' for '--fail-on <SEVERITY>' [possible values: info, warning]; see --help
    exit status 2

    $ jfrkit analyze --min-severity bad fixtures/jdk17-full.jfr
    jfrkit: error: invalid value 'bad' for '--min-severity <SEVERITY>' [possible values: not-applicable, ok, info, warning]; see --help
    exit status 2

    $ jfrkit analyze
    jfrkit: error: the following required arguments were not provided: <INPUT>...; see --help
    exit status 2

    $ jfrkit analyze --explain Nothing
    jfrkit: error: there is no rule "Nothing"; `jfrkit analyze --list` lists all rules
    exit status 2

    $ jfrkit analyze --explain FullGc --format json
    jfrkit: error: --explain writes text; leave out --format
    exit status 2

    $ jfrkit analyze --list --format sarif
    jfrkit: error: --list writes text, Markdown or JSON: give --format text, markdown or json
    exit status 2

    $ jfrkit analyze --list fixtures/jdk17-full.jfr
    jfrkit: error: the argument '--list' cannot be used with '[INPUT]...'; see --help
    exit status 2

    $ jfrkit analyze nowhere.jfr
    jfrkit: error: nowhere.jfr: No such file or directory (os error 2)
    exit status 1
    "#);
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
    let mut command = jfrkit(&["analyze", &fixture("jdk17-full.jfr")]);
    let colored = command.current_dir(empty().path()).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(String::from_utf8(colored.stdout).unwrap().contains("\u{1b}[1m"));
}

#[test]
fn rules_can_be_listed_and_explained() {
    let all = stdout(&["--list"]);
    assert!(all.lines().count() > 100);
    assert!(all.starts_with("Rule "));
    assert_snapshot!(shown(&analyze(&["--list", "--category", "security", "--skip", "WeakCrypto"])), @r"
    Rule                         Category  JMC   pprof  Title
    BytecodeVerification         security  yes          Bytecode verification
    ManagementAgent              security  yes          JMX remote management
    CryptoSecurityRule           security  yes          Weak certificates
    PasswordsInArguments         security  yes          Passwords in arguments
    PasswordsInEnvironment       security  yes          Passwords in the environment
    PasswordsInSystemProperties  security  yes          Passwords in system properties
    SecretsInConfiguration       security               Secrets in configuration
    UnsafeDeserialization        security               Deserialization without a filter
    ");
    assert!(stdout(&["--list", "--format", "markdown"]).starts_with("# Rules\n"));
    let list: Value = serde_json::from_str(&stdout(&["--list", "--format", "json"])).unwrap();
    assert_eq!(list.as_array().unwrap().len(), all.lines().count() - 1);

    assert_snapshot!(shown(&analyze(&["--explain", "HeapContent"])), @r#"
    Heap content (HeapContent)
    heap; JDK Mission Control has a rule with this id

    What it checks:
      Whether a few classes fill the heap.

    Why it matters:
      If one class fills the heap, look there first for objects that are kept too long.

    What to do:
      This rule never reports a finding. Find out what holds the objects: use the event
      jdk.OldObjectSample or a heap dump.

    How it decides:
      The largest totalSize of each class; sum over the classes of share of the total by rank: 25 at
      `info`, 75 at `warning`, 100 % if one class is everything.

    Unlike JDK Mission Control:
      JMC divides by the largest class instead of the total, so that any recording with
      jdk.ObjectCount is a warning. jfrkit divides by the total, with thresholds to match, and never
      reports a finding: in most programs a few classes fill the heap, and only HeapLeakForecast can
      tell whether that is a problem.

    Settings in jfrkit.toml, with their defaults:
      [rules.HeapContent]
      info = "50 %"                       # Balance that is worth a look
      warning = "75 %"                    # Balance to act on
      To disable the rule: enabled = false under [rules.HeapContent] in jfrkit.toml, or --skip HeapContent

    Events:
      jdk.ObjectCount  required: the rule does not apply if the event is disabled; disabled by default

    To record them, with JDK 17 or later:
      java '-XX:StartFlightRecording:settings=profile,jdk.ObjectCount#enabled=true,filename=recording.jfr' …
      jcmd PID JFR.start settings=profile jdk.ObjectCount#enabled=true filename=recording.jfr
    With an older JDK, enable them in a copy of lib/jfr/profile.jfc, and pass that file as settings.
    Also useful:
      jdk.ObjectCount#period=everyChunk  counts the objects in the heap; each count runs a full collection
    "#);
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
    let go = demo("go-cpu.pprof.gz");
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
    assert_snapshot!(shown(&analyze(&["--rules", "ProfileHotFunction", &go])), @"
    server/demo/go-cpu.pprof.gz: 1 info

    Program   gateway
    Start     2026-11-27 01:39:56 UTC
    Duration  8.04 s

    INFO     Hot function, 63.9 % of CPU time  ProfileHotFunction
        runtime.asyncPreempt itself takes 63.9 % of CPU time
        A function with a large share of its own, without the functions that it calls, is where a change
        saves most CPU time.
        → Look at its callers: calling it less often usually pays off more than making it faster. Then
          look for work that its lines repeat needlessly: `jfrkit top --by line` lists them; on the
          page, show the flame graph by line.

        cpu cores  0.19

        functions
        function              itself   share
        runtime.asyncPreempt  990 ms  63.9 %
        math.ldexp            100 ms  6.45 %
        math.Mod              90 ms   5.81 %
        math.mod              70 ms   4.52 %
        math.frexp            40 ms   2.58 %
        math.IsInf            30 ms   1.94 %
        cmpbody               30 ms   1.94 %
        indexbytebody         30 ms   1.94 %
        runtime.findObject    30 ms   1.94 %
        strings.genSplit      20 ms   1.29 %
    ");
    let listed = stdout(&["--list"]);
    let line = listed.lines().find(|line| line.starts_with("ProfileHotFunction ")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["ProfileHotFunction", "cpu", "yes", "Hot", "function"]);
    assert_snapshot!(shown(&analyze(&["--explain", "ProfileHotFunction"])), @r#"
    Hot function (ProfileHotFunction)
    cpu; not a rule of JDK Mission Control

    What it checks:
      Whether one function alone, without its callees, takes much of the CPU time.

    Why it matters:
      A function with a large share of its own, without the functions that it calls, is where a change
      saves most CPU time.

    What to do:
      Look at its callers: calling it less often usually pays off more than making it faster. Then
      look for work that its lines repeat needlessly: `jfrkit top --by line` lists them; on the page,
      show the flame graph by line.

    How it decides:
      Share of the CPU time: 25 at `info`, 75 at `warning`; not a finding below 0.05 cores. At most
      worth a look, because a hot function may be the program's work. Idle time, such as `(idle)` in
      Node.js, is not CPU time.

    Settings in jfrkit.toml, with their defaults:
      [rules.ProfileHotFunction]
      info = "20 %"                       # Share of the CPU time worth a look
      warning = "50 %"                    # Share of the CPU time that scores 75
      To disable the rule: enabled = false under [rules.ProfileHotFunction] in jfrkit.toml, or --skip ProfileHotFunction

    Input:
      The rule reads pprof profiles of Python, Go and Node.js instead of recordings.
    "#);
    assert_snapshot!(first(&[&go, &go]), @"2 profiles in server/demo/");
    assert_snapshot!(first(&[&go, &jfr]), @"2 inputs in ROOT/");
    assert_snapshot!(shown(&analyze(&["--rules", "ProfileHotFunctions", &go])), @r#"
    jfrkit: error: there is no rule "ProfileHotFunctions"; did you mean ProfileHotFunction?
    exit status 2
    "#);
}

#[test]
fn profiles_of_other_languages_are_judged_by_the_rules_that_need_no_jvm() {
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
    let top = common::json(&common::run!("top", "--type", "cpu", "--format", "json", "--limit", "1", &go));
    let name = top["rows"][0]["name"].as_str().or(top["rows"][0]["key"].as_str()).unwrap();
    assert!(hot["summary"].as_str().unwrap().contains(name), "{hot}");
}
