//! Secrets are reported by name, and their values never appear in any format.

use jfr_analyzers::rule::{Report, Severity};
use jfrkit_reports::{Entry, Format, Style};

use super::{Quoting, fixture, quoting, write};

const FORMATS: [Format; 5] = [Format::Text, Format::Json, Format::Markdown, Format::Junit, Format::Sarif];

fn in_all_forms(report: &Report) -> Vec<(Format, String)> {
    let mut style = Style::default();
    (style.least, style.evidence) = (Severity::NotApplicable, true);
    FORMATS.iter().map(|format| (*format, write(*format, &[Entry::new("rec.jfr", report)], &style))).collect()
}

#[test]
fn reports_of_a_recording_with_secrets_contain_none() {
    let report = fixture("secrets");
    for id in ["PasswordsInArguments", "PasswordsInEnvironment", "PasswordsInSystemProperties"] {
        assert_eq!(report.outcome(id).unwrap().verdict.severity, Severity::Warning, "{id}");
    }
    // The values that fixtures/record.sh passes to the program.
    for (format, text) in in_all_forms(report) {
        let text = text.replace("\\_", "_").replace("<wbr>", "");
        for name in ["db-password", "DB_PASSWORD", "my.password"] {
            assert!(text.contains(name), "{format:?}: {name}");
        }
        assert!(!text.to_lowercase().contains("made-up"), "{format:?}");
    }
}

/// No matter which rule quotes them.
#[test]
fn rules_that_quote_command_lines_mask_secrets() {
    let names = vec![
        "-Ddb.password=hunter2",
        "--api-key hunter2",
        "--token=hunter2",
        "AWS_SECRET_ACCESS_KEY='hunter2 hunter2'",
        "jdbc:postgresql://joe:hunter2@db.example/orders",
        "-Djavax.net.ssl.keyStorePassword=hunter2 -Xmx1g",
    ];
    let report = quoting(Quoting { names });
    for (format, text) in in_all_forms(&report) {
        assert!(text.contains("db.example") && text.contains("password"), "{format:?}");
        assert!(!text.contains("hunter2"), "{format:?}: {}", text.lines().find(|l| l.contains("hunter2")).unwrap());
    }
}
