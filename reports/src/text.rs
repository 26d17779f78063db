//! Text for a terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Paint};
use jfr_parse::text::plain;

use super::blocks::{Blocks, Grid};
use super::{Counts, Entry, Style, facts, failed, overview, plural};
use jfr_analyzers::rule::{Outcome, Report, Severity};

/// Rows of a table that are shown; all are in JSON and HTML.
const ROWS: usize = 10;
/// Characters of a cell, at most, and where there is little room.
const CELL: usize = 72;
const LEAST_CELL: usize = 12;
/// Between the columns of a table.
const BETWEEN: &str = "  ";
const INDENT: &str = "    ";

pub(super) fn write(out: &mut dyn Write, entries: &[Entry<'_>], style: &Style) -> io::Result<()> {
    let mut page = Page { out, style };
    for entry in entries {
        page.entry(entry)?;
    }
    if entries.len() > 1 {
        page.overview(entries)?;
    }
    Ok(())
}

struct Page<'o> {
    out: &'o mut dyn Write,
    style: &'o Style,
}

impl Page<'_> {
    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.style.color { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.paint(Paint::new().bold(), text)
    }

    fn dim(&self, text: &str) -> String {
        self.paint(Paint::new().dimmed(), text)
    }

    fn entry(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let name = plain(entry.name);
        let report = match entry.result {
            Ok(report) => report,
            Err(reason) => return writeln!(self.out, "{}: {}\n", self.bold(&name), plain(reason)),
        };
        writeln!(self.out, "{}: {}", self.bold(&name), Counts::of(report).findings())?;
        let facts: Vec<String> = facts(report).into_iter().map(|(_, value)| value).collect();
        self.paragraph(&facts.join(" · "), "", "")?;
        writeln!(self.out)?;
        for outcome in report.worst_first(self.style.least) {
            self.finding(report, outcome)?;
        }
        self.end(report)
    }

    fn finding(&mut self, report: &Report, outcome: &Outcome) -> io::Result<()> {
        let verdict = &outcome.verdict;
        let (severity, start) = (report.severity_of(outcome), report.recording.start_nanos);
        let badge = self.paint(color(severity), &format!("{:<8}", severity.name().to_uppercase()));
        let score = verdict.score.map(|s| format!("  score {s:.0}")).unwrap_or_default();
        writeln!(
            self.out,
            "{badge} {}  {}",
            self.bold(outcome.rule.title),
            self.dim(&format!("{}{score}", outcome.rule.id))
        )?;
        self.paragraph(&verdict.summary, INDENT, INDENT)?;
        if !verdict.explanation.is_empty() {
            self.paragraph(&verdict.explanation, INDENT, INDENT)?;
        }
        if let Some(also) = super::also(report, outcome) {
            self.paragraph(&also, INDENT, INDENT)?;
        }
        let blocks = Blocks::of(&verdict.evidence, start);
        if !blocks.pairs.is_empty() {
            writeln!(self.out)?;
            let width = blocks.pairs.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
            for (key, value) in &blocks.pairs {
                let key = plain(key);
                let pad = " ".repeat(width.saturating_sub(key.chars().count()));
                let first = format!("{INDENT}{key}{pad}  ");
                self.paragraph(value, &first, &" ".repeat(width + INDENT.len() + 2))?;
            }
        }
        for grid in &blocks.grids {
            self.grid(grid)?;
        }
        if !verdict.remedy.is_empty() {
            writeln!(self.out)?;
            self.paragraph(&verdict.remedy, &format!("{INDENT}→ "), &format!("{INDENT}  "))?;
        }
        writeln!(self.out)
    }

    fn grid(&mut self, grid: &Grid) -> io::Result<()> {
        writeln!(self.out, "\n{INDENT}{}", self.dim(&plain(&grid.title)))?;
        let names = grid.columns.iter().map(|c| plain(&c.name).into_owned()).collect::<Vec<_>>();
        // A single column has the same name as the table, or nothing to tell apart.
        let head = (grid.columns.len() > 1).then_some(names);
        let rows = grid.rows.iter().take(ROWS).map(|row| row.iter().map(|c| plain(&c.text).into_owned()).collect());
        let kinds = grid.columns.iter().map(|c| match (c.numbers, c.names) {
            (true, _) => Kind::Numbers,
            (false, true) => Kind::Names,
            (false, false) => Kind::Words,
        });
        self.table(head.into_iter().chain(rows).collect(), &kinds.collect::<Vec<_>>())?;
        match grid.rows.len().saturating_sub(ROWS) {
            0 => Ok(()),
            more => writeln!(self.out, "{INDENT}{}", self.dim(&format!("… {more} more"))),
        }
    }

    fn table(&mut self, rows: Vec<Vec<String>>, kinds: &[Kind]) -> io::Result<()> {
        let widths = widths(&rows, kinds, self.style.width.saturating_sub(INDENT.len()));
        for row in &rows {
            let cells = row.iter().zip(&widths).zip(kinds).map(|((cell, width), kind)| {
                let cell = short(cell, *width);
                if *kind == Kind::Numbers { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            writeln!(self.out, "{INDENT}{}", cells.collect::<Vec<_>>().join(BETWEEN).trim_end())?;
        }
        Ok(())
    }

    /// Words filled to the width. A word that is longer has a line of its own.
    fn paragraph(&mut self, text: &str, first: &str, others: &str) -> io::Result<()> {
        let mut lead = first;
        for source in text.lines() {
            let mut line = String::from(lead);
            let mut length = line.chars().count();
            let mut fresh = true;
            for word in plain(source).split_whitespace() {
                let size = word.chars().count();
                if !fresh && length + 1 + size > self.style.width {
                    writeln!(self.out, "{}", line.trim_end())?;
                    line = others.to_owned();
                    length = others.chars().count();
                    fresh = true;
                }
                if !fresh {
                    line.push(' ');
                    length += 1;
                }
                line.push_str(word);
                length += size;
                fresh = false;
            }
            writeln!(self.out, "{}", line.trim_end())?;
            lead = others;
        }
        Ok(())
    }

    fn end(&mut self, report: &Report) -> io::Result<()> {
        for outcome in failed(report) {
            let reason = outcome.verdict.not_applicable_because.as_deref().unwrap_or_default();
            writeln!(self.out, "{}: {}", outcome.rule.id, plain(reason))?;
        }
        for note in &report.recording.notes {
            writeln!(self.out, "{}", self.dim(&format!("Note: {}", plain(note))))?;
        }
        writeln!(self.out, "{}\n", Counts::of(report).rest())
    }

    fn overview(&mut self, entries: &[Entry<'_>]) -> io::Result<()> {
        writeln!(self.out, "{}", self.bold(&format!("All {}", plural(entries.len(), "recording", "recordings"))))?;
        let mut rows = vec![["recording", "warnings", "to look at", "worst"].map(str::to_owned).to_vec()];
        for line in overview::lines(entries) {
            let number = |of: fn(Counts) -> usize| line.counts.map_or_else(|| "-".into(), |c| of(c).to_string());
            let last = match (&line.worst, line.error) {
                (_, Some(error)) => error.to_owned(),
                (Some(worst), None) => format!("{}: {}", worst.id, worst.summary),
                (None, None) => String::new(),
            };
            let (file, last) = (plain(line.file).into_owned(), plain(&last).into_owned());
            rows.push(vec![file, number(|c| c.warnings), number(|c| c.infos), last]);
        }
        self.table(rows, &[Kind::Names, Kind::Numbers, Kind::Numbers, Kind::Words])?;
        let rules = overview::rules(entries);
        if !rules.is_empty() {
            writeln!(self.out)?;
            let mut rows = vec![["rule", "warns in", "to look at in", "title"].map(str::to_owned).to_vec()];
            rows.extend(
                rules.iter().map(|r| vec![r.id.into(), r.warnings.to_string(), r.infos.to_string(), r.title.into()]),
            );
            self.table(rows, &[Kind::Names, Kind::Numbers, Kind::Numbers, Kind::Words])?;
        }
        Ok(())
    }
}

const fn color(severity: Severity) -> Paint {
    let paint = Paint::new();
    match severity {
        Severity::Warning => AnsiColor::Red.on_default().bold(),
        Severity::Info => AnsiColor::Yellow.on_default().bold(),
        Severity::Ok => AnsiColor::Green.on_default(),
        Severity::NotApplicable => paint.dimmed(),
    }
}

/// What a column holds: numbers are not cut, names only where cutting words is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Numbers,
    Names,
    Words,
}

/// How wide columns are: as their cells, but the widest are made narrower until a row fits into the room.
fn widths(rows: &[Vec<String>], kinds: &[Kind], room: usize) -> Vec<usize> {
    let wide = |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
    let start = |(i, kind): (usize, &Kind)| if *kind == Kind::Numbers { wide(i) } else { wide(i).min(CELL) };
    let mut widths: Vec<usize> = kinds.iter().enumerate().map(start).collect();
    let gaps = BETWEEN.len() * kinds.len().saturating_sub(1);
    for cut in [Kind::Words, Kind::Names] {
        while widths.iter().sum::<usize>() + gaps > room {
            let of_kind = widths.iter_mut().zip(kinds).filter(|(width, kind)| **kind == cut && **width > LEAST_CELL);
            let Some((widest, _)) = of_kind.max_by_key(|(width, _)| **width) else { break };
            *widest -= 1;
        }
    }
    widths
}

/// A text that fits into so many characters: the beginning of words, but the end of a name, which tells it apart from
/// others in the same package or directory.
fn short(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    if text.contains(' ') {
        format!("{}…", text.chars().take(kept).collect::<String>())
    } else {
        format!("…{}", text.chars().skip(length - kept).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_fit_into_the_room() {
        let rows = vec![
            vec!["a method".to_owned(), "value".to_owned(), "why".to_owned()],
            vec!["com.example.".repeat(9) + "Main.run:12", "1,234".to_owned(), "many words ".repeat(9)],
        ];
        let kinds = [Kind::Names, Kind::Numbers, Kind::Words];
        let of = |room| widths(&rows, &kinds, room);
        // Words first, names next, numbers never.
        assert_eq!(of(200), [72, 5, 72]);
        assert_eq!(of(100), [72, 5, 19]);
        assert_eq!(of(80), [59, 5, LEAST_CELL]);
        assert_eq!(of(10), [LEAST_CELL, 5, LEAST_CELL]);
    }

    #[test]
    fn names_keep_their_end_and_words_their_beginning() {
        assert_eq!(short("java.util.HashMap.get:12", 12), "…hMap.get:12");
        assert_eq!(short("waits for the disk", 10), "waits for…");
        assert_eq!(short("short", 5), "short");
    }
}
