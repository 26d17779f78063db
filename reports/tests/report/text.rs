//! Text for terminals.

use jfr_analyzers::rule::Severity;
use jfrkit_reports::{Entry, Format, Style};

use super::{all_entries, fixture, fixtures, hostile_entries, write, written};

#[test]
fn worst_first_with_evidence_and_remedy() {
    let report = fixture("jdk17-full");
    let mut style = Style::default();
    style.evidence = true;
    let text = write(Format::Text, &[Entry::new("rec.jfr", report)], &style);
    let findings = report.worst_first(Severity::Info);
    let place = |id: &str| text.find(&format!("  {id}")).unwrap_or_else(|| panic!("{id}: {text}"));
    assert!(findings.len() > 3);
    assert!(findings.iter().map(|o| place(&o.rule.id)).is_sorted());
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
fn the_hottest_method_is_always_named() {
    for name in ["scenarios/healthy", "jdk17-full"] {
        let report = fixture(name);
        let head = report.finding("HotSpots").is_none();
        let text = written(Format::Text, &[Entry::new("rec.jfr", report)]);
        assert!(text.contains("fx.Workload.burnUnit itself takes"), "{text}");
        assert_eq!(text.contains("\nHottest  "), head, "{text}");
    }
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
fn names_cannot_control_the_terminal() {
    let text = written(Format::Text, &hostile_entries());
    let bad: Vec<char> = text.chars().filter(|c| c.is_control() && *c != '\n' || *c == '\u{202e}').collect();
    assert_eq!(bad, [' '; 0]);
}

#[test]
fn lines_fit_the_width() {
    for (name, report) in fixtures() {
        // Tables of many numbers need more than 80 columns.
        for (width, evidence) in [(80, false), (100, true), (160, true)] {
            let mut style = Style::default();
            (style.width, style.evidence) = (Some(width), evidence);
            let text = write(Format::Text, &[Entry::new(name, report)], &style);
            for line in text.lines() {
                // Words longer than a line are not broken, and rule names are not truncated.
                let words = line.split_whitespace().count();
                let title = Severity::ALL.iter().any(|s| line.starts_with(&s.name().to_uppercase()));
                assert!(line.chars().count() <= width || words < 3 || title, "{width}: {name}: {line}");
            }
        }
    }
}

#[test]
fn names_are_not_shortened_in_a_pipe() {
    let report = fixture("jdk17-full");
    let mut style = Style::default();
    style.evidence = true;
    let entries = [Entry::new("rec.jfr", report)];
    let whole = write(Format::Text, &entries, &style);
    let cut = |text: &str| {
        text.lines().filter(|line| line.split_whitespace().any(|w| w.starts_with('…') && w.len() > 3)).count()
    };
    assert_eq!(cut(&whole), 0);
    style.width = Some(60);
    assert!(cut(&write(Format::Text, &entries, &style)) > 0);
}

#[test]
fn several_have_a_table_worst_first_and_the_rest_on_request() {
    let entries = all_entries();
    let text = written(Format::Text, &entries);
    assert!(text.starts_with(&format!("{} recordings\n", entries.len())), "{text}");
    let rows: Vec<&str> = text.lines().skip(2).take_while(|line| !line.is_empty()).collect();
    assert_eq!(rows.len(), entries.len() + 1);
    let place = |name: &str| rows.iter().position(|row| row.contains(name)).unwrap_or_else(|| panic!("{name}: {text}"));
    for entry in &entries {
        place(entry.name);
    }
    // First failures, then what takes the most time, then healthy recordings, then unreadable ones.
    let order = ["scenarios/oom-error", "scenarios/lock-contention", "scenarios/healthy", "broken.jfr"];
    assert!(order.map(place).is_sorted(), "{text}");
    assert!(rows[place("broken.jfr")].contains("offset 0: not"));
    assert!(text.contains("warns in") && !text.contains("→"));
    let mut style = Style::default();
    style.evidence = true;
    let details = write(Format::Text, &entries, &style);
    assert!(details.starts_with(&text));
    let place = |name: &str| details.find(&format!("\n{name}")).unwrap();
    assert!(place("fixtures/scenarios/lock-contention.jfr.gz: ") < place("fixtures/scenarios/healthy.jfr.gz: "));
    let one = written(Format::Text, &entries[..1]);
    assert!(!one.contains("warns in"), "{one}");
}

#[test]
fn the_table_leaves_out_the_directory_that_all_are_in() {
    let report = fixture("scenarios/lock-contention");
    let text = written(Format::Text, &[Entry::new("/logs/a/x.jfr", report), Entry::new("/logs/b/x.jfr", report)]);
    assert!(text.starts_with("2 recordings in /logs/\n"), "{text}");
    assert!(text.contains("\na/x.jfr ") && text.contains("\nb/x.jfr "), "{text}");
}

#[test]
fn the_minimum_severity_decides_what_is_shown() {
    let report = fixture("jdk17-full");
    let shown = |least| {
        let mut style = Style::default();
        style.least = least;
        let text = write(Format::Text, &[Entry::new("rec.jfr", report)], &style);
        text.lines().filter(|l| Severity::ALL.iter().any(|s| l.starts_with(&s.name().to_uppercase()))).count()
    };
    let all = [Severity::Warning, Severity::Info, Severity::Ok, Severity::NotApplicable];
    for least in all {
        assert_eq!(shown(least), report.worst_first(least).len(), "{least}");
    }
}
