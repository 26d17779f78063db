//! Markdown for issues and chats.

use jfrkit_reports::{Entry, Format};

use super::{all_entries, fixture, harmless_entries, hostile_entries, written};

/// A line without its escaped characters.
fn unescaped(line: &str) -> String {
    let mut out = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next();
        } else {
            out.push(c);
        }
    }
    out
}

/// The structure of a page: the beginning of each line, and its number of cells.
fn shape(page: &str) -> Vec<(String, usize)> {
    let start = |line: &str| line.chars().take_while(|c| "#>|-:_* ".contains(*c)).collect::<String>().trim().to_owned();
    page.lines().map(unescaped).map(|line| (start(&line), line.matches('|').count())).collect()
}

#[test]
fn hostile_names_make_the_same_page_as_harmless_ones() {
    let page = written(Format::Markdown, &hostile_entries());
    // A name may look like the beginning of a line, but the numbers of lines and cells must not change.
    let cells = |page: &str| shape(page).into_iter().map(|(_, cells)| cells).collect::<Vec<_>>();
    assert_eq!(cells(&page), cells(&written(Format::Markdown, &harmless_entries())));
    for line in page.lines().map(unescaped) {
        let code = line.replace("`Quoting`", "").replace("`FullGc`", "");
        // Remedies may contain code.
        let code = if code.starts_with("> ") { code.replace("`code`", "") } else { code };
        for bad in ["<", "](", "![", "`", "@", "://", "\u{1b}"] {
            assert!(!code.contains(bad), "{bad}: {line}");
        }
    }
}

#[test]
fn tables_have_a_cell_under_each_header() {
    let page = written(Format::Markdown, &all_entries());
    let lines: Vec<String> = page.lines().map(unescaped).collect();
    let mut tables = 0;
    for (i, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("|:--") || line.starts_with("|--")) {
        tables += 1;
        let columns = line.matches('|').count();
        assert_eq!(lines[i - 1].matches('|').count(), columns);
        assert!(lines[i - 2].is_empty(), "a table needs an empty line before it: {}", lines[i - 2]);
        for row in lines[i + 1..].iter().take_while(|row| row.starts_with('|')) {
            assert_eq!(row.matches('|').count(), columns, "{row}");
        }
    }
    assert!(tables > 20);
}

#[test]
fn one_has_no_table_over_all() {
    let page = written(Format::Markdown, &[Entry::new("rec.jfr", fixture("jdk17-full"))]);
    assert!(page.starts_with("# rec.jfr\n"));
    assert!(!page.contains("| Recording |"));
    assert!(written(Format::Markdown, &all_entries()).contains("| Recording | Warnings |"));
}
