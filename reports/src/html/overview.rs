//! The tables over several recordings.

use std::io::{self, Write};

use super::escape;
use crate::{Counts, Entry, label, overview};

/// A line for each recording, which links to its report, and one for each rule that found something.
pub(super) fn write(out: &mut dyn Write, entries: &[Entry<'_>]) -> io::Result<()> {
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
