//! Text for terminals.

use jfr_analyzers::rule::Severity;
use jfrkit_reports::{Entry, Format, Style};

use super::{all_entries, fixture, fixtures, hostile_entries, write, written};

#[test]
fn worst_first_with_evidence_and_remedy() {
    let report = fixture("jdk17-full");
    let text = written(Format::Text, &[Entry::new("rec.jfr", report)]);
    let findings = report.worst_first(Severity::Info);
    let place = |id: &str| text.find(&format!("  {id}")).unwrap_or_else(|| panic!("{id}: {text}"));
    assert!(findings.len() > 3);
    assert!(findings.iter().map(|o| place(o.rule.id)).is_sorted());
    let words = |s: &str| s.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    for outcome in findings {
        assert!(words(&text).contains(&words(&outcome.verdict.summary)), "{}", outcome.rule.id);
        assert!(words(&text).contains(&words(&outcome.verdict.remedy)), "{}", outcome.rule.id);
    }
    let count = |severity| report.rules.iter().filter(|o| o.verdict.severity == severity).count();
    let (ok, not) = (count(Severity::Ok), count(Severity::NotApplicable));
    let last = text.trim_end().lines().last().unwrap();
    assert_eq!(last, format!("{ok} rules found nothing wrong, {not} do not apply"));
}

#[test]
fn color_only_where_it_is_wanted() {
    let mut style = Style::default();
    let entries = all_entries();
    assert!(!write(Format::Text, &entries, &style).contains('\u{1b}'));
    style.color = true;
    assert!(write(Format::Text, &entries, &style).contains("\u{1b}[1m"));
}

#[test]
fn names_control_no_terminal() {
    let text = written(Format::Text, &hostile_entries());
    let bad: Vec<char> = text.chars().filter(|c| c.is_control() && *c != '\n' || *c == '\u{202e}').collect();
    assert_eq!(bad, [' '; 0]);
}

#[test]
fn lines_fit_the_width() {
    for (name, report) in fixtures() {
        let text = written(Format::Text, &[Entry::new(name, report)]);
        for line in text.lines() {
            // A word that is longer than a line is not broken.
            let words = line.split_whitespace().count();
            assert!(line.chars().count() <= 100 || words < 3, "{name}: {line}");
        }
    }
}

#[test]
fn several_have_a_table_over_all() {
    let entries = all_entries();
    let text = written(Format::Text, &entries);
    let table = text.split(&format!("All {} recordings\n", entries.len())).nth(1).expect("a table");
    for entry in &entries {
        assert!(table.contains(entry.name), "{}", entry.name);
    }
    assert!(table.contains("offset 0: not"));
    assert!(table.contains("warns in"));
    assert!(!written(Format::Text, &entries[..1]).contains("All "));
}

#[test]
fn the_least_severity_decides_what_is_shown() {
    let report = fixture("jdk17-full");
    let shown = |least| {
        let mut style = Style::default();
        style.least = least;
        let text = write(Format::Text, &[Entry::new("rec.jfr", report)], &style);
        text.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_uppercase()) && l.contains("  ")).count()
    };
    let all = [Severity::Warning, Severity::Info, Severity::Ok, Severity::NotApplicable];
    for least in all {
        assert_eq!(shown(least), report.worst_first(least).len(), "{least}");
    }
}
