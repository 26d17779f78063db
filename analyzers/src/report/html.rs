//! One page of HTML: no script, nothing from elsewhere, so that it can be mailed and opened anywhere.

mod timeline;

use std::io::{self, Write};

use jfr_parse::text::plain;

use super::blocks::{Blocks, Grid, windows};
use super::{Counts, Entry, Style, facts, label, overview, plural};
use crate::analysis::{Outcome, Report, Severity};
use timeline::Mark;

const STYLE: &str = include_str!("html/style.css");
/// Windows of one finding that are marked in the timeline.
const WINDOWS: usize = 3;
/// Characters of a single value that stands beside others.
const TILE: usize = 28;
/// So many findings have a list of them above.
const LISTED: usize = 3;
/// Recordings that are open from the beginning.
const OPEN: usize = 3;

pub(super) fn write(out: &mut dyn Write, entries: &[Entry<'_>], style: &Style) -> io::Result<()> {
    let title = match entries {
        [one] => format!("{} – jfrkit", one.name),
        several => format!("{} – jfrkit", plural(several.len(), "recording", "recordings")),
    };
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"generator\" content=\"jfrkit {}\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        env!("CARGO_PKG_VERSION"),
        escape(&title),
    )?;
    match entries {
        [one] => {
            if one.result.is_ok() {
                writeln!(out, "<a class=\"skip\" href=\"#r1-findings\">To the findings</a>")?;
            }
            writeln!(out, "<header>\n<h1>{}</h1>", escape(one.name))?;
            match one.result {
                Ok(report) => {
                    head(out, report)?;
                    writeln!(out, "</header>")?;
                    body(out, report, "r1", style)?;
                }
                Err(reason) => writeln!(out, "</header>\n<p class=\"error\">{}</p>", escape(reason))?,
            }
        }
        several => {
            writeln!(out, "<header>\n<h1>{}</h1>\n</header>", plural(several.len(), "recording", "recordings"))?;
            all(out, several)?;
            for (i, entry) in several.iter().enumerate() {
                let (id, open) = (format!("r{}", i + 1), if i < OPEN { " open" } else { "" });
                // The id is inside, so that a link to it opens what is closed.
                writeln!(
                    out,
                    "<details class=\"recording\"{open}>\n<summary><h2>{}</h2></summary>\n<div id=\"{id}\">",
                    escape(entry.name)
                )?;
                match entry.result {
                    Ok(report) => {
                        head(out, report)?;
                        body(out, report, &id, style)?;
                    }
                    Err(reason) => writeln!(out, "<p class=\"error\">{}</p>", escape(reason))?,
                }
                writeln!(out, "</div>\n</details>")?;
            }
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    writeln!(out, "<footer>Written by jfrkit {version}. Times are UTC.</footer>\n</main>\n</body>\n</html>")
}

/// What is known of the recording, and how many rules said what.
fn head(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "<dl class=\"facts\">")?;
    for (what, value) in facts(report) {
        writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(what), escape(&value))?;
    }
    writeln!(out, "</dl>\n<ul class=\"counts\">")?;
    let counts = Counts::of(report);
    let numbers = [
        ("warning", counts.warnings, if counts.warnings == 1 { "warning" } else { "warnings" }),
        ("info", counts.infos, "to look at"),
        ("ok", counts.ok, "fine"),
        ("not-applicable", counts.not_applicable, "do not apply"),
    ];
    for (class, number, words) in numbers {
        writeln!(out, "<li class=\"{class}\"><b>{number}</b>{words}</li>")?;
    }
    writeln!(out, "</ul>")
}

fn body(out: &mut dyn Write, report: &Report, id: &str, style: &Style) -> io::Result<()> {
    let findings = report.worst_first(style.least.max(Severity::Info));
    let range =
        (report.recording.start_nanos, report.recording.start_nanos.saturating_add(report.recording.duration_nanos));
    if let Some(timeline) = &report.timeline {
        let marks = findings.iter().enumerate().flat_map(|(i, outcome)| {
            windows(&outcome.verdict.evidence, range).into_iter().take(WINDOWS).map(move |(from, to)| Mark {
                number: i + 1,
                anchor: anchor(id, outcome),
                title: outcome.rule.title,
                severity: outcome.verdict.severity,
                from,
                to,
            })
        });
        let marks: Vec<Mark<'_>> = marks.collect();
        if let Some(picture) = timeline::draw(timeline, &marks) {
            writeln!(out, "<section aria-label=\"Timeline\">\n<h2>Timeline</h2>\n<figure class=\"card\">\n{picture}")?;
            if !marks.is_empty() {
                writeln!(
                    out,
                    "<figcaption>The numbers are those of the findings below, where they point at a time.</figcaption>"
                )?;
            }
            writeln!(out, "</figure>\n</section>")?;
        }
    }
    writeln!(out, "<section id=\"{id}-findings\">\n<h2>Findings</h2>")?;
    if findings.len() >= LISTED {
        list(out, &findings, id)?;
    }
    if findings.is_empty() {
        writeln!(out, "<p class=\"card\">No rule found anything to worry about.</p>")?;
    }
    for (i, outcome) in findings.iter().enumerate() {
        finding(out, outcome, Some(i + 1), id, report.recording.start_nanos)?;
    }
    writeln!(out, "</section>")?;
    rest(out, report)?;
    notes(out, report)
}

/// The findings in short, each a link.
fn list(out: &mut dyn Write, findings: &[&Outcome], id: &str) -> io::Result<()> {
    writeln!(out, "<nav class=\"card\" aria-label=\"Findings\">\n<ol>")?;
    for outcome in findings {
        writeln!(
            out,
            "<li class=\"{}\"><a href=\"#{}\">{}</a> {}</li>",
            outcome.verdict.severity.name(),
            escape(&anchor(id, outcome)),
            escape(outcome.rule.title),
            escape(&outcome.verdict.summary),
        )?;
    }
    writeln!(out, "</ol>\n</nav>")
}

fn anchor(id: &str, outcome: &Outcome) -> String {
    // An id has no space.
    format!("{id}-{}", outcome.rule.id.replace(char::is_whitespace, "-"))
}

fn finding(out: &mut dyn Write, outcome: &Outcome, number: Option<usize>, id: &str, start: i64) -> io::Result<()> {
    let verdict = &outcome.verdict;
    let severity = verdict.severity.name();
    let number = number.map(|n| format!("{n}. ")).unwrap_or_default();
    writeln!(out, "<details class=\"finding {severity}\" open>\n<summary>")?;
    writeln!(out, "<span class=\"badge\">{}</span>", label(verdict.severity))?;
    writeln!(
        out,
        "<h3>{number}{} <small>{} · {}</small></h3>",
        escape(outcome.rule.title),
        escape(outcome.rule.id),
        outcome.rule.category
    )?;
    if let Some(score) = verdict.score {
        writeln!(out, "<span class=\"score\">score {score:.0}<i style=\"--s:{score:.0}%\"></i></span>")?;
    }
    let anchor = escape(&anchor(id, outcome));
    writeln!(out, "</summary>\n<div class=\"body\" id=\"{anchor}\">")?;
    writeln!(out, "<p class=\"says\">{}</p>", escape(&verdict.summary))?;
    if !verdict.explanation.is_empty() {
        writeln!(out, "<p>{}</p>", escape(&verdict.explanation))?;
    }
    if !verdict.remedy.is_empty() {
        writeln!(out, "<div class=\"remedy\"><b>What to do</b>{}</div>", escape(&verdict.remedy))?;
    }
    let blocks = Blocks::of(&verdict.evidence, start);
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

/// The rules that found nothing, and those that do not apply.
fn rest(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "<section>\n<h2>Other rules</h2>")?;
    let groups = [(Severity::Ok, "found nothing wrong"), (Severity::NotApplicable, "do not apply")];
    for (severity, words) in groups {
        let rules: Vec<&Outcome> = report.rules.iter().filter(|o| o.verdict.severity == severity).collect();
        if rules.is_empty() {
            continue;
        }
        writeln!(out, "<details class=\"rest\">\n<summary>{} {words}</summary>", plural(rules.len(), "rule", "rules"))?;
        writeln!(out, "<div class=\"scroll\"><table class=\"wide\">")?;
        for outcome in rules {
            let says = outcome.verdict.not_applicable_because.as_ref().unwrap_or(&outcome.verdict.summary);
            let class = if outcome.failed { " class=\"error\"" } else { "" };
            writeln!(
                out,
                "<tr><td><b>{}</b><br><small>{}</small></td><td{class}>{}</td></tr>",
                escape(outcome.rule.title),
                escape(outcome.rule.id),
                escape(says)
            )?;
        }
        writeln!(out, "</table></div>\n</details>")?;
    }
    writeln!(out, "</section>")
}

/// What could not be read, and what was left out.
fn notes(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let recording = &report.recording;
    if recording.warnings.is_empty() && recording.notes.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section>\n<h2>Notes</h2>\n<ul class=\"notes\">")?;
    for note in recording.warnings.iter().chain(&recording.notes) {
        writeln!(out, "<li>{}</li>", escape(note))?;
    }
    writeln!(out, "</ul>\n</section>")
}

fn all(out: &mut dyn Write, entries: &[Entry<'_>]) -> io::Result<()> {
    writeln!(out, "<section>\n<h2>All recordings</h2>\n<div class=\"card\"><table class=\"wide all\">")?;
    writeln!(
        out,
        "<tr><th scope=\"col\">Recording</th><th scope=\"col\" class=\"n\">Warnings</th><th scope=\"col\" class=\"n\">To look at</th><th scope=\"col\">Worst</th></tr>"
    )?;
    for (i, line) in overview::lines(entries).iter().enumerate() {
        let number = |of: fn(Counts) -> usize| line.counts.map_or_else(String::new, |c| of(c).to_string());
        let (warnings, infos) = (number(|c| c.warnings), number(|c| c.infos));
        write!(out, "<tr><td><a href=\"#r{}\">{}</a></td>", i + 1, escape(line.file))?;
        write!(out, "<td class=\"n\">{warnings}</td><td class=\"n\">{infos}</td>")?;
        match (&line.worst, line.error) {
            (_, Some(error)) => writeln!(out, "<td class=\"error\">{}</td></tr>", escape(error))?,
            (Some(worst), None) => writeln!(
                out,
                "<td><span class=\"badge {}\">{}</span> {}</td></tr>",
                worst.severity.name(),
                label(worst.severity),
                escape(worst.summary)
            )?,
            (None, None) => writeln!(out, "<td>nothing found</td></tr>")?,
        }
    }
    writeln!(out, "</table></div>")?;
    let rules = overview::rules(entries);
    if !rules.is_empty() {
        writeln!(out, "<h2>All findings</h2>\n<div class=\"card\"><table class=\"wide\">")?;
        writeln!(
            out,
            "<tr><th scope=\"col\">Rule</th><th scope=\"col\" class=\"n\">Warns in</th><th scope=\"col\" class=\"n\">To look at in</th></tr>"
        )?;
        for rule in rules {
            let all = rule.recordings.max(1) as f64;
            let share = |n: usize| n as f64 / all * 100.0;
            writeln!(
                out,
                "<tr><td><b>{}</b><br><small>{}</small></td><td class=\"n s\" style=\"--s:{:.0}%\">{}</td><td class=\"n s\" style=\"--s:{:.0}%\">{}</td></tr>",
                escape(rule.title),
                escape(rule.id),
                share(rule.warnings),
                rule.warnings,
                share(rule.infos),
                rule.infos
            )?;
        }
        writeln!(out, "</table></div>")?;
    }
    writeln!(out, "</section>")
}

/// Text for an element or an attribute in quotes.
fn escape(text: &str) -> String {
    let line = text.lines().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(line.len() + 8);
    for c in plain(&line).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
