//! Checks of the analysis, its reports, and user-written settings.

use jfr_analyzers::TimeBound;
use jfr_analyzers::rule::AnalysisOptions;
use jfr_parse::EpochNanos;
use jfrkit_reports::{Entry, Format, Style};
use jfrkit_rules::config::Config;

/// Runs all rules on a recording and writes every report format: no rule may fail, and machine-readable output
/// must be well-formed.
pub fn analysis(bytes: &[u8]) {
    let Some(recording) = super::open(bytes) else { return };
    let options = AnalysisOptions::default();
    let Ok(report) = jfrkit_rules::analysis().evaluate(&recording, &options) else { return };
    for outcome in &report.rules {
        assert!(!outcome.failed, "rule {}: {}", outcome.rule.id, outcome.verdict.summary);
    }
    let write = |format: Format| {
        let mut out = Vec::new();
        let entries = [Entry::new("a<b>&\"c\".jfr", &report), Entry::failed("gone.jfr", "not there")];
        format.write(&mut out, &entries, &Style::default()).expect("memory takes everything");
        String::from_utf8(out).expect("reports are UTF-8")
    };
    for format in [Format::Json, Format::Sarif] {
        let text = write(format);
        let _: serde_json::Value = serde_json::from_str(&text).expect("a report in JSON is JSON");
    }
    let text = write(Format::Junit);
    roxmltree::Document::parse(&text).unwrap_or_else(|e| panic!("the JUnit report is not XML: {e}"));
    let text = write(Format::Text);
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "control characters reach the terminal");
    let _ = write(Format::Markdown);
}

/// Parses a text as a settings file and as the bound of a time range.
pub fn configuration(text: &str) {
    if let Ok(bound) = TimeBound::parse(text) {
        for (start, end) in [(0, 0), (i64::MIN, i64::MAX), (1_780_000_000_000_000_000, 1_780_000_001_000_000_000)] {
            let _ = bound.resolve(EpochNanos(start), EpochNanos(end));
        }
    }
    let analysis = jfrkit_rules::analysis();
    match Config::parse(text, &analysis) {
        Ok(config) => config.apply(&mut AnalysisOptions::default()),
        Err(error) => assert!(error.line >= 1 && error.line <= text.matches('\n').count() + 1, "{error}"),
    }
}
