//! The table that summarizes several recordings.

use serde::Serialize;

use super::{Counts, Entry, plural};
use jfr_analyzers::rule::{Cost, Section, Severity};

/// The findings of one recording.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    /// Index of the input.
    #[serde(skip)]
    pub(super) place: usize,
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
    #[serde(skip)]
    pub(super) title: &'a str,
    #[serde(skip)]
    pub(super) cost: Option<Cost>,
}

/// The results of a rule over all recordings.
#[derive(Debug, Serialize)]
pub(super) struct RuleLine<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// In how many recordings it reports a warning.
    pub(super) warnings: usize,
    /// In how many recordings it reports an info.
    pub(super) infos: usize,
    /// How many recordings were read.
    pub(super) recordings: usize,
}

/// One line per recording, in input order.
pub(super) fn lines<'a>(entries: &[Entry<'a>]) -> Vec<Line<'a>> {
    let line = |(place, entry): (usize, &Entry<'a>)| {
        let report = entry.result.ok();
        let worst = report.and_then(|r| r.shown(Severity::Info).next());
        Line {
            place,
            file: entry.name,
            counts: report.map(Counts::of),
            worst: worst.map(|(f, o)| Worst {
                id: &f.id,
                severity: f.severity,
                summary: &o.verdict.summary,
                title: &o.rule.title,
                cost: f.cost,
            }),
            error: entry.result.err(),
        }
    };
    entries.iter().enumerate().map(line).collect()
}

/// One line per recording, with the worst findings about the program first and unreadable recordings last.
pub(super) fn worst_first<'a>(entries: &[Entry<'a>]) -> Vec<Line<'a>> {
    // Failures and exposures first, then the highest cost, then the number of warnings.
    let badness = |line: &Line<'a>| {
        let Some(Ok(report)) = entries.get(line.place).map(|entry| entry.result) else { return None };
        let program = || report.shown(Severity::Info).filter(|(finding, _)| finding.section == Section::Program);
        let warnings = || program().filter(|(finding, _)| finding.severity == Severity::Warning);
        let urgent = warnings().any(|(_, outcome)| outcome.verdict.urgent);
        let of = |costs: &mut dyn Iterator<Item = Option<Cost>>| costs.flatten().map(Cost::weight).fold(0.0, f64::max);
        let (warned, dearest) = (of(&mut warnings().map(|(f, _)| f.cost)), of(&mut program().map(|(f, _)| f.cost)));
        Some((urgent, warnings().count() > 0, warned, warnings().count(), dearest, program().count()))
    };
    let mut lines: Vec<_> = lines(entries).into_iter().map(|line| (badness(&line), line)).collect();
    lines.sort_by(|(a, _), (b, _)| b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal));
    lines.into_iter().map(|(_, line)| line).collect()
}

/// What the inputs are: `recording` if each of them is one, `input` if some are profiles of other languages.
pub(super) fn input(entries: &[Entry<'_>]) -> &'static str {
    // A profile has no chunks. An unreadable file may be anything.
    let is_profile = |entry: &Entry<'_>| {
        entry.result.is_ok_and(|report| report.recording.chunks == 0 && report.recording.unread_chunks == 0)
    };
    let profiles = entries.iter().filter(|entry| is_profile(entry)).count();
    match profiles {
        0 => "recording",
        n if n == entries.len() => "profile",
        _ => "input",
    }
}

/// `27 recordings`, `3 profiles` or, for a mixture, `27 inputs`.
pub(super) fn inputs(entries: &[Entry<'_>]) -> String {
    let one = input(entries);
    plural(entries.len(), one, &format!("{one}s"))
}

/// The common directory of all recordings, with its trailing separator; empty if there is none.
pub(super) fn parent<'a>(entries: &[Entry<'a>]) -> &'a str {
    let directory = |name: &'a str| name.rfind('/').and_then(|at| name.get(..=at)).unwrap_or("");
    let mut names = entries.iter().map(|entry| entry.name);
    let Some(mut common) = names.next().map(directory) else { return "" };
    for name in names {
        while !name.starts_with(common) {
            common = directory(common.strip_suffix('/').unwrap_or(common));
        }
    }
    common
}

/// The rules that found something in any recording, the most frequent ones first.
pub(super) fn rules<'a>(entries: &[Entry<'a>]) -> Vec<RuleLine<'a>> {
    let mut rules: Vec<RuleLine<'a>> = Vec::new();
    let read = entries.iter().filter(|e| e.result.is_ok()).count();
    for (finding, outcome) in entries.iter().filter_map(|e| e.result.ok()).flat_map(|r| r.shown(Severity::Info)) {
        let place = rules.iter().position(|r| r.id == finding.id).unwrap_or_else(|| {
            let (id, title) = (&*finding.id, &*outcome.rule.title);
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
