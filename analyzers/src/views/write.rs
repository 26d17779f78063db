//! Formats answers as text, CSV, JSON and Markdown.

use std::borrow::Cow;
use std::io::{self, Write};

use jfr_parse::text::plain;
use jfrkit_profile::layout;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Answers, Shape};
use super::catalog::Kind;
use super::syntax::Truncate;

/// How to lay out text.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TextOptions {
    /// Maximum width of a line in columns of a terminal; 0 for unlimited.
    pub width: usize,
    /// Where to truncate long cells, unless the view specifies it.
    pub truncate: Truncate,
    /// Show raw numbers, with their units in the titles, instead of the JDK's formatting.
    pub raw: bool,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { width: 120, truncate: Truncate::End, raw: false }
    }
}

fn cell<'a>(answers: &'a Answers, answer: &'a Answer, row: usize, column: usize, raw: bool) -> Cow<'a, str> {
    if !raw {
        return answers.cell(answer, row, column);
    }
    match answers.raw(answer, row, column) {
        super::Raw::Null => "".into(),
        super::Raw::Bool(b) => b.to_string().into(),
        super::Raw::Int(n) => n.to_string().into(),
        super::Raw::Float(n) => n.to_string().into(),
        super::Raw::Text(text) => text.into(),
    }
}

fn heading(answer: &Answer, column: usize, raw: bool) -> Cow<'_, str> {
    let Some(column) = answer.columns.get(column) else { return "".into() };
    match column.shape.unit().filter(|_| raw) {
        Some(unit) => format!("{} [{unit}]", column.title).into(),
        None => (&*column.title).into(),
    }
}

/// Writes an answer as human-readable text: its title, followed by labels with values or a table.
///
/// # Errors
/// Errors of `out`.
pub fn text(out: &mut impl Write, answers: &Answers, answer: &Answer, options: &TextOptions) -> io::Result<()> {
    let title = plain(&answer.title);
    if let Some(note) = &answer.note {
        writeln!(out, "{title}")?;
        return writeln!(out, "  {note}");
    }
    if answer.kind == Kind::Form {
        writeln!(out, "{title}")?;
        writeln!(out, "{}", "-".repeat(layout::width(&title)))?;
        let labels: Vec<_> = (0..answer.columns.len()).map(|i| heading(answer, i, options.raw)).collect();
        let width = labels.iter().map(|label| layout::width(label)).max().unwrap_or(0) + 1;
        for (i, label) in labels.iter().enumerate() {
            let value = cell(answers, answer, 0, i, options.raw);
            let room = if options.width == 0 { usize::MAX } else { options.width.saturating_sub(width + 1).max(20) };
            for (n, line) in wrapped(&plain(&value), room).into_iter().enumerate() {
                let label = if n == 0 { format!("{label}:") } else { String::new() };
                writeln!(out, "{} {line}", layout::left(&label, width))?;
            }
        }
        return Ok(());
    }
    table(out, answers, answer, options, &title)
}

fn table(
    out: &mut impl Write,
    answers: &Answers,
    answer: &Answer,
    options: &TextOptions,
    title: &str,
) -> io::Result<()> {
    let columns = answer.columns.len();
    let headings: Vec<Cow<'_, str>> = (0..columns).map(|i| heading(answer, i, options.raw)).collect();
    let mut widths: Vec<usize> = headings.iter().map(|heading| layout::width(heading)).collect();
    let least = widths.clone();
    for row in 0..answer.len() {
        for (i, width) in widths.iter_mut().enumerate() {
            let cell = cell(answers, answer, row, i, options.raw);
            let longest = cell.lines().map(|line| layout::width(&plain(line))).max().unwrap_or(0);
            *width = (*width).max(longest);
        }
    }
    // The widest columns shrink, down to the width of their titles.
    let room = options.width.saturating_sub(columns.saturating_sub(1));
    while options.width > 0 && widths.iter().sum::<usize>() > room {
        let over = widths.iter().sum::<usize>() - room;
        let widest = widths.iter().zip(&least).enumerate().filter(|(_, (w, l))| *w > l).max_by_key(|(_, (w, _))| **w);
        let Some((i, (&width, &floor))) = widest else { break };
        let second = widths.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, w)| *w).max().unwrap_or(0);
        let next = width.saturating_sub(over).max(floor.max(8).min(width - 1)).max(second.min(width - 1));
        if let Some(width) = widths.get_mut(i) {
            *width = next;
        }
    }
    let total = widths.iter().sum::<usize>() + columns.saturating_sub(1);
    let indent = total.saturating_sub(layout::width(title)) / 2;
    writeln!(out, "{:indent$}{title}\n", "")?;
    let right =
        |i: usize| answer.columns.get(i).is_some_and(|column| column.is_number && column.shape != Shape::Instant);
    let line = |cells: &[Cow<'_, str>], out: &mut dyn Write| -> io::Result<()> {
        let mut text = String::new();
        for (i, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
            if i > 0 {
                text.push(' ');
            }
            let side = answer.columns.get(i).and_then(|column| column.truncate()).unwrap_or(options.truncate);
            let shown = plain(cell);
            let cell = cut(&shown, width, side);
            text.push_str(&if right(i) { layout::right(&cell, width) } else { layout::left(&cell, width) });
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(&headings, out)?;
    let rules: Vec<Cow<'_, str>> = widths.iter().map(|&width| "-".repeat(width).into()).collect();
    line(&rules, out)?;
    for row in 0..answer.len() {
        let cells: Vec<Cow<'_, str>> = (0..columns).map(|i| cell(answers, answer, row, i, options.raw)).collect();
        let height = cells.iter().map(|cell| cell.lines().count()).max().unwrap_or(1).max(1);
        for n in 0..height {
            let parts: Vec<Cow<'_, str>> =
                cells.iter().map(|cell| cell.lines().nth(n).unwrap_or_default().into()).collect();
            line(&parts, out)?;
        }
    }
    Ok(())
}

/// Truncates a text to `width` columns, with `...` where it is cut.
fn cut(text: &str, width: usize, side: Truncate) -> Cow<'_, str> {
    if layout::width(text) <= width {
        return text.into();
    }
    let dots = ".".repeat(3.min(width));
    let kept = width - dots.len();
    match side {
        Truncate::End => format!("{}{dots}", layout::start(text, kept)).into(),
        Truncate::Beginning => format!("{dots}{}", layout::end(text, kept)).into(),
    }
}

/// Wraps a text into lines of at most `width` columns.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0usize;
    for word in text.split_inclusive(' ') {
        let word_length = layout::width(word.trim_end());
        if length > 0 && length + word_length > width {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            length = 0;
        }
        for c in word.chars() {
            let columns = layout::of_char(c);
            if length > 0 && length + columns > width && c != ' ' {
                lines.push(std::mem::take(&mut line));
                length = 0;
            }
            line.push(c);
            length += columns;
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// Converts an answer to JSON: `name`, `title`, and either `columns` with `rows` or `form` with labels and
/// values. Cells are formatted as in the JDK, or are raw values along with `units`. If the answer is empty,
/// `note` explains why.
#[must_use]
pub fn json(answers: &Answers, answer: &Answer, raw: bool) -> Map<String, Value> {
    let value = |row: usize, column: usize| {
        if raw { json!(answers.raw(answer, row, column)) } else { json!(answers.cell(answer, row, column)) }
    };
    let mut out = Map::new();
    out.insert("name".to_owned(), json!(answer.name));
    out.insert("title".to_owned(), json!(answer.title));
    let units: Vec<Option<&str>> = answer.columns.iter().map(|column| column.shape.unit()).collect();
    if answer.kind == Kind::Form && !answer.is_empty() {
        let mut form = Map::new();
        for (i, column) in answer.columns.iter().enumerate() {
            let value = value(0, i);
            let value = match column.shape.unit().filter(|_| raw) {
                Some(unit) => json!({"value": value, "unit": unit}),
                None => value,
            };
            form.insert(column.title.clone(), value);
        }
        out.insert("form".to_owned(), form.into());
        return out;
    }
    let titles: Vec<&str> = answer.columns.iter().map(|column| column.title.as_str()).collect();
    out.insert("columns".to_owned(), json!(titles));
    if raw {
        out.insert("units".to_owned(), json!(units));
    }
    let rows: Vec<Vec<Value>> =
        (0..answer.len()).map(|row| (0..titles.len()).map(|column| value(row, column)).collect()).collect();
    out.insert("rows".to_owned(), json!(rows));
    if let Some(note) = &answer.note {
        out.insert("note".to_owned(), json!(note));
    }
    out
}

/// Writes an answer as CSV (RFC 4180), with the titles first; a form has one line per label.
///
/// # Errors
/// Errors of `out`.
pub fn csv(out: &mut impl Write, answers: &Answers, answer: &Answer, raw: bool) -> io::Result<()> {
    let quoted = |text: &str| {
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    };
    let titles: Vec<String> = (0..answer.columns.len()).map(|i| quoted(&heading(answer, i, raw))).collect();
    if answer.kind == Kind::Form {
        writeln!(out, "label,value")?;
        for (i, title) in titles.iter().enumerate().filter(|_| !answer.is_empty()) {
            writeln!(out, "{title},{}", quoted(&cell(answers, answer, 0, i, raw)))?;
        }
        return Ok(());
    }
    writeln!(out, "{}", titles.join(","))?;
    for row in 0..answer.len() {
        let cells: Vec<String> = (0..titles.len()).map(|i| quoted(&cell(answers, answer, row, i, raw))).collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

/// Writes an answer as Markdown: a heading and a table.
///
/// # Errors
/// Errors of `out`.
pub fn markdown(out: &mut impl Write, answers: &Answers, answer: &Answer, raw: bool) -> io::Result<()> {
    let escaped = |text: &str| {
        let text = plain(text).replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;");
        text.replace('\n', "<br>").replace("\\n", "<br>")
    };
    writeln!(out, "## {}\n", plain(&answer.title))?;
    if let Some(note) = &answer.note {
        return writeln!(out, "{note}\n");
    }
    if answer.kind == Kind::Form {
        writeln!(out, "| | |\n|---|---|")?;
        for i in 0..answer.columns.len() {
            writeln!(
                out,
                "| {} | {} |",
                escaped(&heading(answer, i, raw)),
                escaped(&cell(answers, answer, 0, i, raw))
            )?;
        }
        return writeln!(out);
    }
    let titles: Vec<String> = (0..answer.columns.len()).map(|i| escaped(&heading(answer, i, raw))).collect();
    writeln!(out, "| {} |", titles.join(" | "))?;
    let rules: Vec<&str> = answer.columns.iter().map(|column| if column.is_number { "---:" } else { "---" }).collect();
    writeln!(out, "|{}|", rules.join("|"))?;
    for row in 0..answer.len() {
        let cells: Vec<String> = (0..titles.len()).map(|i| escaped(&cell(answers, answer, row, i, raw))).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    writeln!(out)
}
