//! A finding: what it is, what to do, and the evidence.

use std::io::{self, Write};

use super::escape;
use crate::blocks::{Blocks, Grid};
use crate::label;
use jfr_analyzers::rule::{Outcome, Report};

/// Characters of a single value that stands beside others.
const TILE: usize = 28;

/// The finding of this number, with the id by which it is linked.
pub(super) fn write(
    out: &mut dyn Write,
    report: &Report,
    outcome: &Outcome,
    number: usize,
    anchor: &str,
) -> io::Result<()> {
    let verdict = &outcome.verdict;
    let shown = report.severity_of(outcome);
    let severity = shown.name();
    writeln!(out, "<details class=\"finding {severity}\" open>\n<summary>")?;
    writeln!(out, "<span class=\"badge\">{}</span>", label(shown))?;
    writeln!(
        out,
        "<h3>{number}. {} <small>{} · {}</small></h3>",
        escape(outcome.rule.title),
        escape(outcome.rule.id),
        outcome.rule.category
    )?;
    if let Some(score) = verdict.score {
        writeln!(out, "<span class=\"score\">score {score:.0}<i style=\"--s:{score:.0}%\"></i></span>")?;
    }
    writeln!(out, "</summary>\n<div class=\"body\" id=\"{}\">", escape(anchor))?;
    writeln!(out, "<p class=\"says\">{}</p>", escape(&verdict.summary))?;
    if !verdict.explanation.is_empty() {
        writeln!(out, "<p>{}</p>", escape(&verdict.explanation))?;
    }
    if !verdict.remedy.is_empty() {
        writeln!(out, "<div class=\"remedy\"><b>What to do</b>{}</div>", escape(&verdict.remedy))?;
    }
    if let Some(finding) = report.finding(outcome.rule.id) {
        if let Some(cause) = finding.because_of {
            writeln!(out, "<p>Follows from <code>{}</code>.</p>", escape(cause))?;
        }
        if !finding.also.is_empty() {
            let also: Vec<String> = finding.also.iter().map(|id| format!("<code>{}</code>", escape(id))).collect();
            writeln!(out, "<p>Also: {}.</p>", also.join(", "))?;
        }
    }
    let blocks = Blocks::of(&verdict.evidence, report.recording.start_nanos);
    if !blocks.pairs.is_empty() {
        writeln!(out, "<dl class=\"pairs\">")?;
        for (key, value) in &blocks.pairs {
            let class = match value.chars().count() {
                0..=TILE => "",
                length if length <= 2 * TILE => " class=\"long\"",
                _ => " class=\"full\"",
            };
            writeln!(out, "<div{class}><dt>{}</dt><dd>{}</dd></div>", escape(key), escape(value))?;
        }
        writeln!(out, "</dl>")?;
    }
    for grid in &blocks.grids {
        table(out, grid)?;
    }
    writeln!(out, "</div>\n</details>")
}

fn table(out: &mut dyn Write, grid: &Grid) -> io::Result<()> {
    writeln!(out, "<div class=\"scroll\"><table><caption>{}</caption>", escape(&grid.title))?;
    if grid.columns.len() > 1 {
        write!(out, "<tr>")?;
        for column in &grid.columns {
            let class = if column.numbers { " class=\"n\"" } else { "" };
            write!(out, "<th scope=\"col\"{class}>{}</th>", escape(&column.name))?;
        }
        writeln!(out, "</tr>")?;
    }
    for row in &grid.rows {
        write!(out, "<tr>")?;
        for (cell, column) in row.iter().zip(&grid.columns) {
            let text = escape(&cell.text);
            match (cell.share, column.numbers) {
                (Some(share), true) => {
                    write!(out, "<td class=\"n s\" style=\"--s:{:.1}%\">{text}</td>", share * 100.0)?;
                }
                (None, true) => write!(out, "<td class=\"n\">{text}</td>")?,
                _ if column.names => write!(out, "<td class=\"code\">{}</td>", breakable(&text))?,
                _ => write!(out, "<td>{text}</td>")?,
            }
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</table></div>")
}

/// Lets a long name break after its dots and slashes rather than anywhere.
fn breakable(text: &str) -> String {
    text.replace('.', ".<wbr>").replace('/', "/<wbr>")
}
