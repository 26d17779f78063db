//! The table over several recordings.

use serde::Serialize;

use super::{Counts, Entry};
use jfr_analyzers::rule::Severity;

/// What was found in one recording.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    pub(super) file: &'a str,
    #[serde(flatten)]
    pub(super) counts: Option<Counts>,
    /// The worst finding.
    pub(super) worst: Option<Worst<'a>>,
    /// Why there is no report.
    pub(super) error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Worst<'a> {
    pub(super) id: &'a str,
    pub(super) severity: Severity,
    pub(super) summary: &'a str,
}

/// What a rule said of all recordings.
#[derive(Debug, Serialize)]
pub(super) struct RuleLine<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// In how many recordings it warns.
    pub(super) warnings: usize,
    /// In how many there is something to look at.
    pub(super) infos: usize,
    /// How many were read.
    pub(super) recordings: usize,
}

/// A line for each recording, in order.
pub(super) fn lines<'a>(entries: &[Entry<'a>]) -> Vec<Line<'a>> {
    let line = |entry: &Entry<'a>| {
        let report = entry.result.ok();
        let worst = report.and_then(|r| r.shown(Severity::Info).next());
        Line {
            file: entry.name,
            counts: report.map(Counts::of),
            worst: worst.map(|(f, o)| Worst { id: f.id, severity: f.severity, summary: &o.verdict.summary }),
            error: entry.result.err(),
        }
    };
    entries.iter().map(line).collect()
}

/// The rules that found something in any recording, those in most of them first.
pub(super) fn rules<'a>(entries: &[Entry<'a>]) -> Vec<RuleLine<'a>> {
    let mut rules: Vec<RuleLine<'a>> = Vec::new();
    let read = entries.iter().filter(|e| e.result.is_ok()).count();
    for (finding, outcome) in entries.iter().filter_map(|e| e.result.ok()).flat_map(|r| r.shown(Severity::Info)) {
        let place = rules.iter().position(|r| r.id == finding.id).unwrap_or_else(|| {
            let (id, title) = (finding.id, outcome.rule.title);
            rules.push(RuleLine { id, title, warnings: 0, infos: 0, recordings: read });
            rules.len() - 1
        });
        if let Some(rule) = rules.get_mut(place) {
            match finding.severity {
                Severity::Warning => rule.warnings += 1,
                _ => rule.infos += 1,
            }
        }
    }
    rules.sort_by_key(|r| std::cmp::Reverse((r.warnings, r.infos)));
    rules
}
