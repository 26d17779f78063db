//! What the rules say about the recordings of this repository, word for word.
//!
//! `rules/` has a file per rule, with its finding in each fixture that has one and a fixture to which it does not
//! apply; `recordings/` a file per fixture, with the verdicts of all rules; `formats/` a report in each format. Rules
//! that find nothing in any fixture speak about synthetic recordings instead, in `rules/src/snapshots/`.
//!
//! If a change is intended, `INSTA_UPDATE=always cargo test -p jfrkit-reports verdicts` updates the files; review the
//! diff before you commit it.

use std::collections::BTreeSet;
use std::fmt::Write;

use jfr_analyzers::rule::{Finding, Outcome, Report, Severity};
use jfrkit_reports::{Entry, Format, Style};

use super::{all_entries, analyze, fixture, fixtures, root, write};

/// Compares a text with the file of this name in a folder beside this one.
fn assert_snapshot(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The names of the files in one of these folders, without `.snap`.
fn snapshots(folder: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(root().join("reports/tests/report").join(folder)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(".snap").map(str::to_owned)).collect()
}

/// `fixtures/scenarios/spin.jfr.gz` as the name of a file: `scenarios-spin`.
fn short(recording: &str) -> String {
    let name = recording.trim_start_matches("fixtures/").trim_end_matches(".gz").trim_end_matches(".jfr");
    name.replace('/', "-")
}

/// The report with the verdict of one rule alone, without the facts about the recording, and whether the rule's finding is
/// part of another one there.
pub(super) fn alone(report: &Report, outcome: &Outcome) -> (Report, bool) {
    let mut alone = report.clone();
    alone.rules.retain(|o| o.rule.id == outcome.rule.id);
    alone.findings.retain(|f| f.id == outcome.rule.id);
    alone.recording.notes.clear();
    let is_part = alone.findings.is_empty() && outcome.verdict.is_finding();
    if is_part {
        alone.findings.push(Finding {
            id: outcome.rule.id.clone(),
            severity: outcome.verdict.severity,
            section: outcome.section(),
            cost: outcome.verdict.cost,
            because_of: None,
            also: Vec::new(),
        });
    }
    (alone, is_part)
}

/// What one rule says, as the report in text shows it, without the facts about the recording before it.
fn said(report: &Report, outcome: &Outcome) -> String {
    let (alone, is_part) = alone(report, outcome);
    let text = if is_part { "Part of another finding; alone it would be:\n\n" } else { "" };
    let mut style = Style::default();
    (style.evidence, style.least) = (true, Severity::NotApplicable);
    let whole = write(Format::Text, &[Entry::new("", &alone)], &style);
    let badge = alone.severity_of(outcome).name().to_uppercase();
    let begin = whole.find(&format!("\n{badge}")).expect("the verdict is in the report");
    // The last line counts the rules without a finding; here at most this one.
    let end = whole.rfind("\n1 rule ").unwrap_or(whole.len());
    text.to_owned() + whole[begin..end].trim()
}

#[test]
fn each_rule_on_each_fixture() {
    let analysis = jfrkit_rules::analysis();
    let mut known = BTreeSet::new();
    let synthetic: BTreeSet<String> = std::fs::read_dir(root().join("rules/src/snapshots"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.split_once('.')?.0.to_owned()))
        .collect();
    let mut silent = Vec::new();
    for info in analysis.infos() {
        let outcomes = || fixtures().iter().map(|(name, report)| (name, report, report.outcome(&info.id).unwrap()));
        let of = |severities: &'static [Severity]| {
            outcomes().filter(move |(.., outcome)| severities.contains(&outcome.verdict.severity))
        };
        if of(&[Severity::Info, Severity::Warning]).next().is_none() && !synthetic.contains(&*info.id) {
            silent.push(info.id.clone());
        }
        let mut text = format!("{}: {}\n", info.id, info.description);
        let shown = of(&[Severity::Info, Severity::Warning]).chain(of(&[Severity::NotApplicable]).take(1));
        for (name, report, outcome) in shown {
            write!(text, "\n== {name}\n\n{}\n", said(report, outcome)).unwrap();
        }
        assert_snapshot("rules", &info.id, &text);
        known.insert(info.id.clone().into_owned());
    }
    assert!(silent.is_empty(), "these rules find nothing in any fixture, and have no synthetic recording: {silent:?}");
    assert_eq!(snapshots("rules"), known, "a snapshot of a rule that does not exist");
}

#[test]
fn the_verdicts_of_each_recording() {
    let mut known = BTreeSet::new();
    for (name, report) in fixtures() {
        let mut outcomes: Vec<&Outcome> = report.rules.iter().collect();
        // Findings in the order of the report, then the rest by severity and name.
        let place = |o: &Outcome| report.findings.iter().position(|f| f.id == o.rule.id).unwrap_or(usize::MAX);
        outcomes.sort_by_key(|o| (place(o), std::cmp::Reverse(o.verdict.severity), o.rule.id.clone()));
        let mut text = format!("{name}\n\n");
        for outcome in outcomes {
            let severity = outcome.verdict.severity;
            let jmc = outcome.jmc_severity.filter(|jmc| *jmc != severity);
            write!(text, "{severity:<15} {}", outcome.rule.id).unwrap();
            if let Some(jmc) = jmc {
                write!(text, " (JMC: {jmc})").unwrap();
            }
            if outcome.verdict.is_finding() {
                write!(text, ": {}", outcome.verdict.summary).unwrap();
                if let Some(by) = report.findings.iter().find(|f| f.also.contains(&outcome.rule.id)) {
                    write!(text, " [part of {}]", by.id).unwrap();
                }
            }
            text.push('\n');
        }
        assert_snapshot("recordings", &short(name), &text);
        known.insert(short(name));
    }
    assert_eq!(snapshots("recordings"), known, "a snapshot of a recording that does not exist");
}

#[test]
fn the_output_of_each_format() {
    // Some rules are enough: one warns, one is part of another, one found nothing, and one does not apply.
    let rules = ["ExplicitGc", "SystemGc", "HotSpots", "FullGc", "PID1Rule"];
    let report = analyze(&jfrkit_rules::analysis(), "fixtures/scenarios/explicit-gc.jfr.gz", &rules);
    let entries = [Entry::new("explicit-gc.jfr.gz", &report), Entry::failed("broken.jfr", "offset 0: no recording")];
    let mut style = Style::default();
    style.evidence = true;
    for (name, format) in [
        ("text", Format::Text),
        ("markdown", Format::Markdown),
        ("json", Format::Json),
        ("junit", Format::Junit),
        ("sarif", Format::Sarif),
    ] {
        assert_snapshot("formats", name, &write(format, &entries, &style));
    }
    let whole = [Entry::new("rec.jfr", fixture("scenarios/lock-contention"))];
    assert_snapshot("formats", "text-brief", &write(Format::Text, &whole, &Style::default()));
    assert_snapshot("formats", "text-many", &write(Format::Text, &all_entries(), &Style::default()));
}
