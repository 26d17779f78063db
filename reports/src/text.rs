//! Text for a terminal or a pipe.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Paint};
use jfr_parse::text::plain;
use jfrkit_profile::layout;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm, wrap};

use super::blocks::{Blocks, Grid, place};
use super::{Counts, Entry, Style, cost, facts, failed, overview};
use jfr_analyzers::rule::{Outcome, Report, Section, Severity};

/// Maximum table rows to show; JSON and HTML contain all rows.
const ROWS: usize = 10;
/// Maximum width of a cell if the line width is limited, and minimum width if there is little space.
const CELL: usize = 72;
const LEAST_CELL: usize = 12;
/// The width to which sentences are filled if the line width is not limited.
const FILL: usize = 100;
/// Minimum width; text wraps on narrower terminals.
const LEAST_WIDTH: usize = 40;
/// Maximum length of a remedy in a report without evidence. At least one sentence is always shown.
const SHORT_REMEDY: usize = 200;
/// The gap between the columns of a table.
const BETWEEN: &str = "  ";
const INDENT: &str = "    ";

pub(super) fn write(out: &mut dyn Write, entries: &[Entry<'_>], style: &Style) -> io::Result<()> {
    let mut page = Page { out, style };
    if let [one] = entries {
        return page.entry(one);
    }
    page.overview(entries)?;
    if style.evidence {
        for line in overview::worst_first(entries) {
            if let Some(entry) = entries.get(line.place) {
                writeln!(page.out)?;
                page.entry(entry)?;
            }
        }
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

    /// The width to which sentences are filled.
    fn fill(&self) -> usize {
        self.style.width.unwrap_or(FILL).max(LEAST_WIDTH)
    }

    fn entry(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let name = plain(entry.name);
        let report = match entry.result {
            Ok(report) => report,
            Err(reason) => return writeln!(self.out, "{}: {}", self.bold(&name), plain(reason)),
        };
        writeln!(self.out, "{}: {}\n", self.bold(&name), Counts::of(report).findings())?;
        let facts = facts(report, &self.style.zone);
        let width = facts.iter().map(|(what, _)| layout::width(what)).max().unwrap_or(0);
        for (what, value) in facts {
            let lead = format!("{}  ", layout::left(what, width));
            self.paragraph(&value, &self.dim(&lead), &" ".repeat(width + 2))?;
        }
        writeln!(self.out)?;
        let mut section = Section::Program;
        for outcome in report.worst_first(self.style.least) {
            let of = report.finding(&outcome.rule.id).map_or(section, |finding| finding.section);
            if of != section {
                section = of;
                let words = match section {
                    Section::Program => "The program",
                    Section::Environment => "The machine, its limits and other processes",
                    Section::Recording => "The recording and its settings",
                };
                writeln!(self.out, "{}\n", self.dim(words))?;
            }
            self.finding(report, outcome)?;
        }
        self.end(report)
    }

    /// Writes a finding: severity, title, cost; what was found, where, and what to do; then the evidence, if requested.
    fn finding(&mut self, report: &Report, outcome: &Outcome) -> io::Result<()> {
        let verdict = &outcome.verdict;
        let (severity, start) = (report.severity_of(outcome), report.recording.start_nanos);
        let badge = self.paint(color(severity), &format!("{:<8}", severity.name().to_uppercase()));
        let price = cost(report, outcome).map(|cost| format!(", {cost}")).unwrap_or_default();
        let title = self.bold(&outcome.rule.title);
        writeln!(self.out, "{badge} {title}{price}  {}", self.dim(&outcome.rule.id))?;
        self.indented(&verdict.summary)?;
        if self.style.evidence && !verdict.explanation.is_empty() {
            self.indented(&verdict.explanation)?;
        }
        // Add the place unless the sentence already contains it.
        if let Some(place) = place(&verdict.evidence).filter(|_| verdict.is_finding()) {
            let method = place.rsplit_once(':').map_or(&*place, |(method, _)| method);
            if !verdict.summary.contains(method) {
                self.indented(&format!("In {place}"))?;
            }
        }
        if !verdict.remedy.is_empty() {
            let remedy = if self.style.evidence { &verdict.remedy } else { first_sentences(&verdict.remedy) };
            let lead = format!("{INDENT}→ ");
            self.paragraph(remedy, &lead, &format!("{INDENT}  "))?;
        }
        if let Some(also) = super::also(report, outcome) {
            self.indented(&also)?;
        }
        if self.style.evidence {
            self.evidence(&Blocks::of(&verdict.evidence, start, &self.style.zone))?;
        }
        writeln!(self.out)
    }

    fn evidence(&mut self, blocks: &Blocks) -> io::Result<()> {
        if !blocks.pairs.is_empty() {
            writeln!(self.out)?;
            let width = blocks.pairs.iter().map(|(key, _)| layout::width(&plain(key))).max().unwrap_or(0);
            for (key, value) in &blocks.pairs {
                let key = plain(key);
                let lead = format!("{INDENT}{key}{}  ", " ".repeat(width.saturating_sub(layout::width(&key))));
                self.paragraph(value, &lead, &" ".repeat(width + INDENT.len() + 2))?;
            }
        }
        for grid in &blocks.grids {
            self.grid(grid)?;
        }
        Ok(())
    }

    fn grid(&mut self, grid: &Grid) -> io::Result<()> {
        writeln!(self.out, "\n{INDENT}{}", self.dim(&plain(&grid.title)))?;
        let names = grid.columns.iter().map(|c| plain(&c.name).into_owned()).collect::<Vec<_>>();
        // A single column has the same name as the table, so it needs no header.
        let head = (grid.columns.len() > 1).then_some(names);
        let rows = grid.rows.iter().take(ROWS).map(|row| row.iter().map(|c| plain(&c.text).into_owned()).collect());
        let kinds = grid.columns.iter().map(|c| match (c.numbers, c.names) {
            (true, _) => Kind::Numbers,
            (false, true) => Kind::Names,
            (false, false) => Kind::Words,
        });
        self.table(head.into_iter().chain(rows).collect(), &kinds.collect::<Vec<_>>(), INDENT)?;
        match grid.rows.len().saturating_sub(ROWS) {
            0 => Ok(()),
            more => writeln!(self.out, "{INDENT}{}", self.dim(&format!("… {more} more"))),
        }
    }

    fn table(&mut self, rows: Vec<Vec<String>>, kinds: &[Kind], indent: &str) -> io::Result<()> {
        let room = self.style.width.map(|width| width.max(LEAST_WIDTH).saturating_sub(indent.len()));
        let widths = widths(&rows, kinds, room);
        for row in &rows {
            let cells = row.iter().zip(&widths).zip(kinds).map(|((cell, width), kind)| {
                let cell = short(cell, *width);
                let pad = " ".repeat(width.saturating_sub(layout::width(&cell)));
                if *kind == Kind::Numbers { format!("{pad}{cell}") } else { format!("{cell}{pad}") }
            });
            writeln!(self.out, "{indent}{}", cells.collect::<Vec<_>>().join(BETWEEN).trim_end())?;
        }
        Ok(())
    }

    fn indented(&mut self, text: &str) -> io::Result<()> {
        self.paragraph(text, INDENT, INDENT)
    }

    /// Fills text to the width. The first line starts with a prefix. Words longer than a line are not broken.
    fn paragraph(&mut self, text: &str, first: &str, others: &str) -> io::Result<()> {
        let options = Options::new(self.fill())
            .subsequent_indent(others)
            .break_words(false)
            .wrap_algorithm(WrapAlgorithm::FirstFit)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        let mut lead = first;
        for source in text.lines() {
            let words = plain(source).split_whitespace().collect::<Vec<_>>().join(" ");
            for line in wrap(&words, options.clone().initial_indent(lead)) {
                writeln!(self.out, "{}", line.trim_end())?;
            }
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
            self.paragraph(&format!("Note: {note}"), "", "")?;
        }
        match Counts::of(report).rest() {
            Some(rest) => writeln!(self.out, "{rest}"),
            None => Ok(()),
        }
    }

    /// Writes a line for each recording, worst first, and one for each rule that found something.
    fn overview(&mut self, entries: &[Entry<'_>]) -> io::Result<()> {
        let parent = overview::parent(entries);
        let place = if parent.is_empty() { String::new() } else { format!(" in {}", plain(parent)) };
        let title = format!("{}{place}", overview::inputs(entries));
        writeln!(self.out, "{}\n", self.bold(&title))?;
        let mut rows = vec![[overview::input(entries), "warnings", "infos", "worst"].map(str::to_owned).to_vec()];
        for line in overview::worst_first(entries) {
            let number = |of: fn(Counts) -> usize| line.counts.map_or_else(|| "-".into(), |c| of(c).to_string());
            let last = match (&line.worst, line.error) {
                (_, Some(error)) => error.to_owned(),
                (Some(worst), None) => match worst.cost {
                    Some(cost) => format!(
                        "{}, {} of {}: {}",
                        worst.title,
                        jfrkit_profile::units::share(cost.share),
                        cost.of.name(),
                        worst.summary
                    ),
                    None => format!("{}: {}", worst.title, worst.summary),
                },
                (None, None) => String::new(),
            };
            let file = line.file.strip_prefix(parent).unwrap_or(line.file);
            let (file, last) = (plain(file).into_owned(), plain(&last).into_owned());
            rows.push(vec![file, number(|c| c.warnings), number(|c| c.infos), last]);
        }
        self.table(rows, &[Kind::Names, Kind::Numbers, Kind::Numbers, Kind::Words], "")?;
        let rules = overview::rules(entries);
        if !rules.is_empty() {
            writeln!(self.out)?;
            let mut rows = vec![["rule", "warns in", "infos in", "title"].map(str::to_owned).to_vec()];
            rows.extend(
                rules.iter().map(|r| vec![r.id.into(), r.warnings.to_string(), r.infos.to_string(), r.title.into()]),
            );
            self.table(rows, &[Kind::Names, Kind::Numbers, Kind::Numbers, Kind::Words], "")?;
        }
        Ok(())
    }
}

/// As many complete sentences as fit, but at least one.
fn first_sentences(text: &str) -> &str {
    let mut end = 0;
    for (at, _) in text.match_indices(['.', ';']) {
        let (sentence, rest) = text.split_at(at + 1);
        // `e.g. this` and `java.util` do not end a sentence.
        let ends = sentence.ends_with('.')
            && (rest.trim().is_empty() || rest.starts_with(' ') && rest.trim_start().starts_with(char::is_uppercase));
        if ends && (end == 0 || at <= SHORT_REMEDY) {
            end = at + 1;
        }
    }
    if end == 0 { text } else { text.get(..end).unwrap_or(text) }
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

/// The content of a column. Numbers are never truncated, and names only if truncating words is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Numbers,
    Names,
    Words,
}

/// The widths of columns: those of their cells, reduced until a row fits. `room` is `None` if the line width is not limited.
fn widths(rows: &[Vec<String>], kinds: &[Kind], room: Option<usize>) -> Vec<usize> {
    let wide = |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| layout::width(c)).max().unwrap_or(0);
    let Some(room) = room else { return (0..kinds.len()).map(wide).collect() };
    let start =
        |(i, kind): (usize, &Kind)| if *kind == Kind::Numbers { wide(i) } else { wide(i).min(CELL.max(room / 2)) };
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

/// Truncates a text to this width: words at the end, but names at the beginning, because the end distinguishes them from others
/// in the same package or directory.
fn short(text: &str, width: usize) -> String {
    if layout::width(text) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    if text.contains(' ') {
        format!("{}…", layout::start(text, room))
    } else {
        format!("…{}", layout::end(text, room))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_fit_the_width() {
        let rows = vec![
            vec!["a method".to_owned(), "value".to_owned(), "why".to_owned()],
            vec!["com.example.".repeat(9) + "Main.run:12", "1,234".to_owned(), "many words ".repeat(9)],
        ];
        let kinds = [Kind::Names, Kind::Numbers, Kind::Words];
        let of = |room| widths(&rows, &kinds, Some(room));
        // Without a limit, nothing is truncated.
        assert_eq!(widths(&rows, &kinds, None), [119, 5, 99]);
        // First words are truncated, then names, but never numbers.
        assert_eq!(of(200), [100, 5, 91]);
        assert_eq!(of(100), [72, 5, 19]);
        assert_eq!(of(80), [59, 5, LEAST_CELL]);
        assert_eq!(of(10), [LEAST_CELL, 5, LEAST_CELL]);
    }

    #[test]
    fn truncated_names_keep_their_end_and_words_their_beginning() {
        assert_eq!(short("java.util.HashMap.get:12", 12), "…hMap.get:12");
        assert_eq!(short("waits for the disk", 10), "waits for…");
        assert_eq!(short("short", 5), "short");
        // A wide character takes two columns.
        assert_eq!(short("線程線程線程", 7), "…程線程");
    }

    #[test]
    fn a_short_remedy_is_whole_sentences() {
        assert_eq!(first_sentences("Use java.util. Then rest"), "Use java.util.");
        assert_eq!(first_sentences("One; two"), "One; two");
        let long = format!("First. {}. Third.", "Word ".repeat(50).trim_end());
        assert_eq!(first_sentences(&long), "First.");
    }
}
