//! Markdown for GitHub and GitLab.
//!
//! By hand: there is nothing to a Markdown writer but escaping, and that depends on where the text goes (prose, cells, code).

use std::io::{self, Write};

use super::blocks::{Blocks, Grid};
use super::{Counts, Entry, Style, facts, failed, label, overview};
use jfr_analyzers::rule::{Outcome, Report, Severity};
use jfrkit_rules::catalog::{escape_markdown as escape, markdown_words as words};

/// Maximum table rows to show.
const ROWS: usize = 20;

pub(super) fn write(out: &mut dyn Write, entries: &[Entry<'_>], style: &Style) -> io::Result<()> {
    if entries.len() > 1 {
        writeln!(out, "# {}\n", overview::inputs(entries))?;
        all(out, entries)?;
    }
    for entry in entries {
        writeln!(out, "# {}\n", escape(entry.name))?;
        let report = match entry.result {
            Ok(report) => report,
            Err(reason) => {
                writeln!(out, "{}\n", escape(reason))?;
                continue;
            }
        };
        let facts: Vec<String> =
            facts(report, &style.zone).iter().map(|(what, value)| format!("{what}: {}", escape(value))).collect();
        writeln!(out, "**{}.** {}\n", Counts::of(report).findings(), facts.join(" · "))?;
        for outcome in report.worst_first(style.least) {
            finding(out, report, outcome, style)?;
        }
        for outcome in failed(report) {
            let reason = outcome.verdict.not_applicable_because.as_deref().unwrap_or_default();
            writeln!(out, "{}: {}\n", escape(&outcome.rule.id), escape(reason))?;
        }
        for note in &report.recording.notes {
            writeln!(out, "Note: {}\n", escape(note))?;
        }
        if let Some(rest) = Counts::of(report).rest() {
            writeln!(out, "{rest}.\n")?;
        }
    }
    Ok(())
}

fn finding(out: &mut dyn Write, report: &Report, outcome: &Outcome, style: &Style) -> io::Result<()> {
    let verdict = &outcome.verdict;
    let (severity, start) = (report.severity_of(outcome), report.recording.start_nanos);
    let mark = match severity {
        Severity::Warning => "🔴 ",
        Severity::Info => "🟡 ",
        Severity::Ok => "🟢 ",
        Severity::NotApplicable => "",
    };
    let score = verdict.score.map(|s| format!(", score {s:.0}")).unwrap_or_default();
    writeln!(out, "## {mark}{}\n", escape(&outcome.rule.title))?;
    writeln!(out, "{} (`{}`{score}): **{}**\n", label(severity), outcome.rule.id, escape(&verdict.summary))?;
    if !verdict.explanation.is_empty() {
        writeln!(out, "{}\n", escape(&verdict.explanation))?;
    }
    if let Some(also) = super::also(report, outcome) {
        writeln!(out, "{}\n", escape(&also))?;
    }
    let blocks = Blocks::of(&verdict.evidence, start, &style.zone);
    if !blocks.pairs.is_empty() {
        writeln!(out, "| | |\n|:--|:--|")?;
        for (key, value) in &blocks.pairs {
            writeln!(out, "| {} | {} |", escape(key), escape(value))?;
        }
        writeln!(out)?;
    }
    for grid in &blocks.grids {
        table(out, grid)?;
    }
    if !verdict.remedy.is_empty() {
        // Written by the rules, so backticks mark code; names from the recording are rare here, and harmless as code.
        writeln!(out, "> **What to do:** {}\n", words(&verdict.remedy))?;
    }
    Ok(())
}

fn table(out: &mut dyn Write, grid: &Grid) -> io::Result<()> {
    writeln!(out, "_{}_\n", escape(&grid.title))?;
    let heads: Vec<String> = grid.columns.iter().map(|c| escape(&c.name)).collect();
    let rules: Vec<&str> = grid.columns.iter().map(|c| if c.numbers { "--:" } else { ":--" }).collect();
    writeln!(out, "| {} |\n|{}|", heads.join(" | "), rules.join("|"))?;
    for row in grid.rows.iter().take(ROWS) {
        let cells: Vec<String> = row.iter().map(|c| escape(&c.text)).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    match grid.rows.len().saturating_sub(ROWS) {
        0 => writeln!(out),
        more => writeln!(out, "\n… {more} more\n"),
    }
}

fn all(out: &mut dyn Write, entries: &[Entry<'_>]) -> io::Result<()> {
    let head = match overview::input(entries) {
        "recording" => "Recording",
        "profile" => "Profile",
        _ => "Input",
    };
    writeln!(out, "| {head} | Warnings | Infos | Worst |\n|:--|--:|--:|:--|")?;
    for line in overview::lines(entries) {
        let number = |of: fn(Counts) -> usize| line.counts.map_or_else(String::new, |c| of(c).to_string());
        let last = match (&line.worst, line.error) {
            (_, Some(error)) => error.to_owned(),
            (Some(worst), None) => format!("{}: {}", worst.id, worst.summary),
            (None, None) => String::new(),
        };
        let (warnings, infos) = (number(|c| c.warnings), number(|c| c.infos));
        writeln!(out, "| {} | {warnings} | {infos} | {} |", escape(line.file), escape(&last))?;
    }
    writeln!(out)?;
    let rules = overview::rules(entries);
    if !rules.is_empty() {
        writeln!(out, "| Rule | Warns in | Infos in | Title |\n|:--|--:|--:|:--|")?;
        for rule in rules {
            writeln!(out, "| {} | {} | {} | {} |", rule.id, rule.warnings, rule.infos, escape(rule.title))?;
        }
        writeln!(out)?;
    }
    Ok(())
}
