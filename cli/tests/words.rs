//! What all commands have in common: many inputs, output options, times, types, and number formats.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::Path;
use std::process::Output;

use common::{arguments, fixture, jfrkit, later, names, run, said, shown, stdout};
use insta::assert_snapshot;

#[test]
fn without_arguments_it_prints_the_short_help() {
    let help = stdout(&jfrkit::<&str>(&[]).output().unwrap());
    assert_snapshot!(help, @r"
    Reads JDK Flight Recorder recordings

    Usage: jfrkit [OPTIONS] <COMMAND>

    Commands:
      analyze      Find problems in recordings and explain how to fix them
      convert      Convert recordings, and pprof files of any language, to profile formats that other
                   tools open
      top          Show the hottest methods, lines, classes, packages, threads or labels of a profile
      flame        Draw flame graphs as one self-contained HTML page, or as a tree in the terminal
      diff         Compare two profiles, or two sets of profiles: what grew, what shrank, what is noise
      heatmap      Draw samples over time as one HTML page; select a range to see its flame graph
      report       Write one HTML page with flame graphs, analysis, metrics and runtime information
      view         Show tables: those of the JDK's `jfr view`, more views, any event type, and your own
                   queries
      export       Export recordings as tables for DuckDB, Polars, pandas and Spark
      info         Show runtime information: JVM, machine, flags, arguments, properties, recording
                   settings
      metrics      Show metrics over time: CPU cores, allocation rate, pauses, heap, threads, waits
      summary      Summarize a recording in ten lines; -v adds its chunks and event types
      print        Print events with their values
      metadata     Show the event types and other types of a recording, with fields, annotations and
                   settings
      serve        Run a server that receives, stores and shows profiles
      upload       Send recordings and pprof files to a server
      open         Open recordings and profiles in the browser
      completions  Print a completion script for a shell
      man          Print the manual page of jfrkit or one of its commands
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Global options:
          --color <WHEN>  When to use colors [default: auto] [possible values: auto, always, never]
      -q, --quiet         Print only results and errors: no warnings, no progress, no list of written
                          files
      -v, --verbose       Print more: every warning instead of one of each kind, the evidence for
                          findings, how values were computed
          --utc           Show times and interpret --from and --to in UTC (the default)
          --local         Show times and interpret --from and --to in the local time zone; JSON is
                          always UTC
    ");
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
}

#[test]
fn options_of_a_command_come_before_global_options() {
    for command in
        ["analyze", "convert", "top", "summary", "print", "metadata", "view", "info", "metrics", "flame", "diff"]
    {
        let help = stdout(&run!(command, "--help"));
        let place =
            |heading: &str| help.find(&format!("\n{heading}:\n")).unwrap_or_else(|| panic!("{command} {heading}"));
        assert!(place("Options") < place("Limits"), "{command}");
        assert!(place("Limits") < place("Global options"), "{command}");
        // The paragraphs at the end are wrapped once, not twice.
        let end = help.split("Examples:").nth(1).unwrap_or_default();
        assert!(end.lines().all(|line| line.chars().count() <= 120), "{command}: {end}");
    }
}

#[test]
fn every_command_takes_many_inputs_and_directories() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("sub")).unwrap();
    let recording = std::fs::read(fixture("jdk17-full.jfr")).unwrap();
    for (hours, name) in ["a.jfr", "sub/b.jfr"].into_iter().enumerate() {
        std::fs::write(place.path().join(name), later(&recording, hours)).unwrap();
    }
    let folder = place.path();
    for command in ["summary", "metadata", "info", "metrics"] {
        let text = stdout(&run!(command, folder));
        let found = ["a.jfr", "sub/b.jfr"].map(|name| text.matches(name).count());
        assert_eq!(found, [1, 1], "{command}: {text}");
    }
    let text = stdout(&run!("print", "--events", "CPULoad", folder));
    let one = stdout(&run!("print", "--events", "CPULoad", folder.join("a.jfr")));
    assert_eq!(text.matches("jdk.CPULoad").count(), 2 * one.matches("jdk.CPULoad").count());
    let json = stdout(&run!("print", "--events", "CPULoad", "--format", "json", folder));
    assert!(json.lines().all(|line| line.starts_with("{\"file\":")), "{json}");
    // The sum over both inputs.
    let total = |input: &Path| {
        let json: serde_json::Value = serde_json::from_str(&stdout(&run!("top", "--format", "json", input))).unwrap();
        json["totals"][1].as_i64().unwrap()
    };
    assert_eq!(total(folder), 2 * total(&folder.join("a.jfr")));
    // An unreadable input does not stop the others.
    std::fs::write(folder.join("bad.jfr"), "text").unwrap();
    insta::allow_duplicates! {
        for command in ["summary", "metadata", "top"] {
            let output = run!(command, folder);
            assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(1), false), "{command}");
            assert_snapshot!(common::without_places(&said(&output).join("\n")), @r#"jfrkit: error: TEMP/bad.jfr: not a flight recording: found text ("text"…) at offset 0; expected a .jfr file, optionally compressed with gzip, zip, LZ4 or zstd"#);
        }
    }
}

#[test]
fn output_files_mirror_the_tree_of_the_recordings() {
    let place = tempfile::tempdir().unwrap();
    let (logs, out) = (place.path().join("logs"), place.path().join("out"));
    for host in ["host-1", "host-2"] {
        std::fs::create_dir_all(logs.join(host)).unwrap();
        std::fs::copy(fixture("jdk17-full.jfr"), logs.join(host).join("rec.jfr")).unwrap();
    }
    stdout(&run!("convert", "--type", "lock", "-o", &out, &logs));
    assert_eq!(names(&out), ["host-1", "host-2"]);
    assert_eq!(names(&out.join("host-1")), ["rec.lock.pb.gz"]);
    // Files named on the command line are written to the output directory; on a collision, below their common parent.
    let (one, two) = (logs.join("host-1/rec.jfr"), logs.join("host-2/rec.jfr"));
    let single = place.path().join("single");
    stdout(&run!("convert", "--types", "lock", "-o", &single, &one));
    assert_eq!(names(&single), ["rec.lock.pb.gz"]);
    let both = place.path().join("both");
    stdout(&run!("convert", "--types", "lock", "-o", &both, &one, &two));
    assert_eq!(names(&both.join("host-2")), ["rec.lock.pb.gz"]);
    // A path that exists but is not a directory is reported as such.
    std::fs::write(place.path().join("file"), "").unwrap();
    let output = run!("convert", "-o", place.path().join("file"), &one);
    assert_snapshot!(shown(&output), @r"
    jfrkit: error: TEMP/file: is not a directory
    exit status 1
    ");
}

#[test]
fn top_has_a_default_type_and_takes_several() {
    let file = fixture("jdk17-full.jfr");
    let default = stdout(&run!("top", &file));
    assert!(default.starts_with("cpu · "), "{default}");
    assert_eq!(default, stdout(&run!("top", "--types", "cpu", &file)));
    // Otherwise the first type with samples.
    let sleeps = stdout(&run!("top", "--exclude", "burnUnit", "--type", "lock,sleep", &file));
    let titles: Vec<&str> = sleeps.lines().filter(|line| line.contains(" · ")).collect();
    assert_snapshot!(titles.join("\n"), @r"
    lock · Lock
    sleep · Sleep
    ");
    assert_snapshot!(shown(&run!("top", "--type", "lok", &file)), @r#"
    jfrkit: error: fixtures/jdk17-full.jfr: no profile type "lok"; did you mean lock?
    exit status 2
    "#);
}

#[test]
fn top_groups_by_package_class_and_label() {
    let file = fixture("jdk17-full.jfr");
    let rows = |arguments: &[&str]| {
        let mut all = arguments!("top", "--format", "json", "-n", "1000").to_vec();
        all.extend(arguments.iter().map(std::ffi::OsString::from));
        all.push(file.clone().into());
        let json: serde_json::Value = serde_json::from_str(&stdout(&jfrkit(&all).output().unwrap())).unwrap();
        let rows = json["rows"].as_array().unwrap().clone();
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(rows(&["--by", "package"])[0], "fx");
    assert_eq!(rows(&["--by", "class"])[0], "fx.Workload");
    assert_eq!(rows(&["--by", "class", "--type", "alloc"])[0], "byte[]");
    assert!(rows(&["--by", "declaring-class", "--type", "alloc"])[0].starts_with("fx.Workload"));
    assert_eq!(rows(&["--by", "label:class", "--type", "alloc"]), rows(&["--by", "label", "--type", "alloc"]));
    assert!(rows(&["--by", "thread"]).iter().any(|name| name == "burner"), "{:?}", rows(&["--by", "thread"]));
    // Stacks end at the first frame of the user's own code.
    let own = |row: &String| row.starts_with("fx.") || row == "[no own code]" || !row.contains("Workload");
    let all = rows(&["--own", "fx", "--type", "alloc"]);
    assert!(all[0].starts_with("fx.") && all.iter().all(own), "{all:?}");
    assert!(!all.iter().any(|row| row.starts_with("java.util.stream.")), "{all:?}");
}

#[test]
fn names_come_first_and_are_shortened_only_on_a_terminal() {
    let file = fixture("jdk17-full.jfr");
    assert_snapshot!(shown(&run!("top", "--type", "error", "-n", "3", &file)), @r"
    error · Error
    method                      self  self %  total  total %
    java.lang.Throwable.<init>   441    86.8    441     86.8
    java.lang.Error.<init>        67    13.2     67     13.2
    fx.Workload$$Lambda.run        0     0.0    508    100.0

    Total: 508 samples; 67 more rows (-n shows more)
    ");
    let narrow = jfrkit(&arguments!("top", "--type", "error", "-n", "3", &file)).env("COLUMNS", "50").output().unwrap();
    assert_snapshot!(shown(&narrow), @r"
    error · Error
    method                self  self %  total  total %
    …ng.Throwable.<init>   441    86.8    441     86.8
    …a.lang.Error.<init>    67    13.2     67     13.2
    …orkload$$Lambda.run     0     0.0    508    100.0

    Total: 508 samples; 67 more rows (-n shows more)
    ");
    let narrow = stdout(&narrow);
    assert!(narrow.lines().take(5).all(|line| line.chars().count() <= 50), "{narrow}");
}

#[test]
fn a_bound_outside_of_the_recording_is_reported() {
    let file = fixture("jdk17-full.jfr");
    let output = run!("top", "--from", "-30s", &file);
    assert!(output.status.success());
    assert_snapshot!(common::without_places(&said(&output).join("\n")), @"jfrkit: warning: fixtures/jdk17-full.jfr: --from (2026-11-23T11:34:24.867899841Z) is before the recording, which covers 2026-11-23T11:34:44.455510092Z to 2026-11-23T11:34:54.867899841Z");
    assert_eq!(said(&run!("-q", "top", "--from", "-30s", &file)), [""; 0]);
    assert_eq!(said(&run!("top", "--from", "11:34", "--to", "11:34:55", &file)).len(), 1);
}

#[test]
fn times_are_utc_or_local_and_are_read_as_they_are_shown() {
    let file = fixture("jdk17-full.jfr");
    let at = |zone: &str, arguments: &[&str]| {
        let mut all: Vec<std::ffi::OsString> = arguments.iter().map(std::ffi::OsString::from).collect();
        all.push(file.clone().into());
        jfrkit(&all).env("TZ", zone).output().unwrap()
    };
    let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
    insta::allow_duplicates! {
        for command in ["summary", "analyze", "metrics"] {
            let utc = stdout(&at(berlin, &[command]));
            assert_eq!(utc, stdout(&at(berlin, &[command, "--utc"])));
            let local = stdout(&at(berlin, &[command, "--local"]));
            let times = [utc, local].map(|text| {
                let at = text.find("2026-11-23 ").unwrap();
                text[at..at + 30].lines().next().unwrap().split(',').next().unwrap().to_owned()
            });
            assert_snapshot!(times.join("\n"), @r"
            2026-11-23 11:34:44 UTC
            2026-11-23 12:34:44 UTC+01:00
            ");
        }
    }
    for command in ["convert", "top", "flame", "diff", "view", "info", "print", "metadata"] {
        let help = stdout(&run!(command, "--help"));
        assert!(help.contains("--local") && help.contains("--utc"), "{command}");
    }
    let events = |zone: &[&str], from: &str| {
        let arguments = [&["print", "--events", "CPULoad", "--from", from], zone].concat();
        stdout(&at(berlin, &arguments)).matches("jdk.CPULoad").count()
    };
    let count = events(&[], "11:34:50");
    assert!(count > 0 && count < events(&[], "+0s"));
    assert_eq!(events(&["--local"], "12:34:50"), count);
    assert_eq!(events(&["--local"], "2026-11-23T12:34:50"), count);
    assert_eq!(events(&["--local"], "2026-11-23T11:34:50Z"), count);
    let local = stdout(&at(berlin, &["print", "--local", "--events", "CPULoad"]));
    assert_snapshot!(local.lines().nth(1).unwrap(), @"  startTime = 12:34:45.416 (2026-11-23)");
    // JSON is always in UTC.
    let json = |zone: &str| stdout(&at(berlin, &["print", zone, "--events", "CPULoad", "--format", "json"]));
    assert_eq!(json("--local"), json("--utc"));
    assert_snapshot!(shown(&at("Nowhere/Land", &["summary", "--local"])), @r"
    jfrkit: error: the local time zone is not known: /usr/share/zoneinfo/Nowhere/Land: No such file or directory (os error 2)
    exit status 1
    ");
}

#[test]
fn warnings_of_one_kind_are_one_line() {
    let place = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(fixture("jdk17-multichunk.jfr")).unwrap();
    // Corrupt the size of the first event in every chunk.
    let mut at = 0;
    let mut chunks = 0;
    while at < bytes.len() {
        let size = u64::from_be_bytes(bytes[at + 8..at + 16].try_into().unwrap());
        let size = usize::try_from(size).unwrap();
        bytes[at + 68..at + 72].copy_from_slice(&[0; 4]);
        (at, chunks) = (at + size, chunks + 1);
    }
    assert!(chunks > 2);
    let file = place.path().join("rec.jfr");
    std::fs::write(&file, bytes).unwrap();
    for command in [&["top"][..], &["summary"], &["print", "--events", "CPULoad"], &["analyze"]] {
        let with = |option: &[&str]| {
            let mut all: Vec<std::ffi::OsString> = command.iter().chain(option).map(std::ffi::OsString::from).collect();
            all.push(file.clone().into());
            said(&jfrkit(&all).output().unwrap())
        };
        let (short, long) = (with(&[]), with(&["-v"]));
        assert!(
            short.len() < long.len() && short.iter().any(|line| line.contains("more like this (-v shows all)")),
            "{short:?}"
        );
        assert!(long.len() >= chunks, "{long:?}");
        assert_eq!(with(&["-q"]), [""; 0]);
    }
}

#[test]
fn color_follows_the_option() {
    let file = fixture("scenarios/leak.jfr.gz");
    assert!(stdout(&run!("analyze", "--color", "always", &file)).contains('\u{1b}'));
    assert!(!stdout(&run!("analyze", &file)).contains('\u{1b}'));
    assert!(!stdout(&run!("analyze", "--color", "never", &file)).contains('\u{1b}'));
}

#[test]
fn quiet_lists_no_files() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(stdout(&run!("convert", "-q", "-o", place.path(), fixture("jdk17-full.jfr"))), "");
    assert!(!names(place.path()).is_empty());
}

#[test]
fn the_class_is_a_label_by_default() {
    let file = fixture("jdk17-full.jfr");
    let classes = |arguments: &[&str]| {
        let mut all = arguments!("convert", "-o", "-").to_vec();
        all.extend(arguments.iter().map(std::ffi::OsString::from));
        all.push(file.clone().into());
        let profile = pprof_emit::read(&stdout_bytes(&jfrkit(&all).output().unwrap())).unwrap();
        let text = |at: i64| profile.string_table[usize::try_from(at).unwrap()].clone();
        let labels = profile.sample.iter().flat_map(|sample| &sample.label);
        labels.map(|label| (text(label.key), text(label.str))).collect::<std::collections::BTreeSet<_>>()
    };
    for kind in ["alloc", "lock", "park", "wait", "error"] {
        let found = classes(&["--types", kind]);
        assert!(!found.is_empty() && found.iter().all(|(key, _)| key == "class"), "{kind}: {found:?}");
        assert!(classes(&["--types", kind, "--labels", "none"]).is_empty(), "{kind}");
    }
    assert!(classes(&["--types", "cpu"]).is_empty());
    assert!(classes(&["--types", "alloc"]).contains(&("class".into(), "byte[]".into())));
}

fn stdout_bytes(output: &Output) -> Vec<u8> {
    assert!(output.status.success(), "{:?}", said(output));
    output.stdout.clone()
}
