//! What rules say about synthetic recordings, word for word, in `snapshots/`: `<rule>.<test>.snap` has the first
//! finding of a rule in a test, `all.<test>.snap` has a line per rule. What they say about real recordings is in `reports/tests/report/rules/`.
//!
//! If a change is meant, `INSTA_UPDATE=always cargo test -p jfrkit-rules` updates the files; look at the diff before
//! you commit it.

#![allow(clippy::unwrap_used)]

use jfr_parse::Iso;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write;

use jfr_analyzers::rule::{Frame, Rule, Value, Verdict};
use jfr_analyzers::testing::Scene;
use jfrkit_profile::units;

/// [`Scene::judge`] with a snapshot.
pub(crate) trait SceneSnapshot {
    /// The verdict of a rule. The first finding of each rule in each test is compared with its snapshot.
    fn verdict(&self, rule: &dyn Rule) -> Verdict;
}

impl SceneSnapshot for Scene {
    fn verdict(&self, rule: &dyn Rule) -> Verdict {
        thread_local! {
            /// Each test has a thread.
            static SHOWN: RefCell<BTreeSet<jfr_analyzers::rule::Text>> = const { RefCell::new(BTreeSet::new()) };
        }
        let verdict = self.judge(rule);
        let id = rule.info().id;
        if verdict.is_finding() && SHOWN.with_borrow_mut(|shown| shown.insert(id.clone())) {
            assert_snapshot(&id, &verdict);
        }
        verdict
    }
}

/// Compares a verdict with its snapshot. Only for rules that never report a finding; see [`SceneSnapshot::verdict`].
pub(crate) fn assert_snapshot(id: &str, verdict: &Verdict) {
    assert_file(id, &shown(id, verdict));
}

/// Compares what several rules say in a test with `all.<test>.snap`.
pub(crate) fn assert_text_snapshot(text: &str) {
    assert_file("all", text);
}

fn assert_file(about: &str, text: &str) {
    let thread = std::thread::current();
    let test = thread.name().and_then(|name| name.rsplit("::").next()).unwrap_or("unnamed");
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("{about}.{test}"), text));
}

/// A verdict as text.
fn shown(id: &str, verdict: &Verdict) -> String {
    let mut text = format!("{} {id}\n{}\n", verdict.severity.name().to_uppercase(), verdict.summary);
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    line("score", &verdict.score.map(|score| format!("{score:.1}")).unwrap_or_default());
    line("JMC", verdict.jmc.map_or("", |severity| severity.name()));
    line("cost", &verdict.cost.map(|c| format!("{} of {}", units::share(c.share), c.of.name())).unwrap_or_default());
    line("why", &verdict.explanation);
    line("what to do", &verdict.remedy);
    for (key, value) in verdict.evidence.iter() {
        line(key, &value_shown(value));
    }
    text
}

fn value_shown(value: &Value) -> String {
    let rows = |rows: Vec<String>| rows.iter().map(|row| format!("\n  {row}")).collect::<String>();
    match value {
        Value::Number { value, unit } => format!("{} {unit}", units::number(*value)).trim().to_owned(),
        Value::Text { value } => value.clone(),
        Value::Flag { value } => value.to_string(),
        Value::Duration { nanos } => units::duration(nanos.0),
        Value::Bytes { value } => units::size_f64(*value),
        Value::Percent { value } => units::percentage(*value),
        Value::Instant { epoch_nanos } => Iso(*epoch_nanos).to_string(),
        Value::Window { from_nanos, to_nanos } => {
            format!("{} to {}", Iso(*from_nanos), Iso(*to_nanos))
        }
        Value::Stack { frames } => rows(frames.iter().map(frame).collect()),
        Value::List { items, .. } => rows(items.clone()),
        Value::Methods { rows: of } => rows(
            of.iter()
                .map(|row| {
                    let application = row.application_frame.as_ref().map(|f| format!(" | {}", frame(f)));
                    let (value, percent) = (value_shown(&row.value), units::percentage(row.percent));
                    format!("{} | {value} | {percent}{}", frame(&row.method), application.unwrap_or_default())
                })
                .collect(),
        ),
        Value::Table { columns, rows: of } => {
            let head = columns.join(" | ");
            let cells = of.iter().map(|row| row.iter().map(value_shown).collect::<Vec<_>>().join(" | "));
            rows(std::iter::once(head).chain(cells).collect())
        }
        other => format!("{other:?}"),
    }
}

fn frame(frame: &Frame) -> String {
    frame.line.map_or_else(|| frame.method.clone(), |line| format!("{}:{line}", frame.method))
}

/// What each rule says about a recording without events: why it does not apply, or that it always applies.
#[test]
fn a_recording_without_events() {
    let mut text = String::new();
    let mut say = |id: &str, verdict: &Verdict| {
        let _ = match &verdict.not_applicable_because {
            Some(because) => writeln!(text, "{id}: {because}"),
            None => {
                writeln!(text, "{id} always applies: {} {}", verdict.severity.name().to_uppercase(), verdict.summary)
            }
        };
    };
    for rule in crate::builtin() {
        say(&rule.info().id, &Scene::new().judge(&*rule));
    }
    for outcome in &crate::profiled::evaluate(&crate::profiled::Process::default()).rules {
        say(&outcome.rule.id, &outcome.verdict);
    }
    assert_text_snapshot(&text);
}

/// A renamed test would leave its old snapshot behind.
#[test]
fn each_snapshot_has_its_test() {
    let mut sources = String::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut snapshots = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|e| e.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("rs") => sources.push_str(&std::fs::read_to_string(path).unwrap()),
                Some("snap") => snapshots.push(path.file_stem().unwrap().to_string_lossy().into_owned()),
                _ => {}
            }
        }
    }
    assert!(snapshots.len() > 60, "{}", snapshots.len());
    snapshots.retain(|name| !sources.contains(&format!("fn {}()", name.split_once('.').unwrap().1)));
    assert!(snapshots.is_empty(), "snapshots without a test: {snapshots:?}");
}
