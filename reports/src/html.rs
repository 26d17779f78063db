//! One page of HTML: no script, nothing from elsewhere, so that it can be mailed and opened anywhere.

mod finding;
mod overview;
mod timeline;

use std::io::{self, Write};

use jfr_parse::text::plain;

use super::blocks::windows;
use super::{Counts, Entry, Style, facts, plural};
use jfr_analyzers::rule::{Outcome, Report, Severity};
use timeline::Mark;

const STYLE: &str = include_str!("html/style.css");
/// Windows of one finding that are marked in the timeline.
const WINDOWS: usize = 3;
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
            overview::write(out, several)?;
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
                severity: report.severity_of(outcome),
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
        list(out, report, &findings, id)?;
    }
    if findings.is_empty() {
        let judged = report.rules.iter().any(|outcome| outcome.verdict.severity == Severity::Ok);
        let says = if judged { "No rule found anything to worry about." } else { "Nothing to judge: no rule applies." };
        writeln!(out, "<p class=\"card\">{says}</p>")?;
    }
    for (i, outcome) in findings.iter().enumerate() {
        finding::write(out, report, outcome, i + 1, &anchor(id, outcome))?;
    }
    writeln!(out, "</section>")?;
    rest(out, report)?;
    notes(out, report)
}

/// The findings in short, each a link.
fn list(out: &mut dyn Write, report: &Report, findings: &[&Outcome], id: &str) -> io::Result<()> {
    writeln!(out, "<nav class=\"card\" aria-label=\"Findings\">\n<ol>")?;
    for outcome in findings {
        writeln!(
            out,
            "<li class=\"{}\"><a href=\"#{}\">{}</a> {}</li>",
            report.severity_of(outcome).name(),
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
