//! JUnit XML for CI servers: one suite per recording, one test per rule.
//!
//! There is no official schema. The strictest one in use is `junit-10.xsd` of Jenkins's xUnit plugin, and the tests validate
//! reports against it. GitLab, GitHub Actions and others accept everything that it allows.
//!
//! Written by hand: quick-junit always writes `skipped` on `<testsuites>`, which that schema does not allow.

use jfr_parse::EpochNanos;
use std::io::{self, Write};

use super::{Counts, Entry, Style, blocks::Blocks};
use jfr_analyzers::rule::{Outcome, Report, Severity};

pub(super) fn write(out: &mut dyn Write, entries: &[Entry<'_>], style: &Style) -> io::Result<()> {
    let suites: Vec<Suite> = entries.iter().map(|entry| Suite::of(entry, style)).collect();
    let sum = |of: fn(&Suite) -> usize| suites.iter().map(of).sum::<usize>();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"jfrkit analyze\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"0\">",
        sum(|s| s.tests),
        sum(|s| s.failures),
        sum(|s| s.errors),
    )?;
    for (entry, suite) in entries.iter().zip(&suites) {
        write!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\"",
            xml(entry.name),
            suite.tests,
            suite.failures,
            suite.errors,
            suite.skipped,
        )?;
        match entry.result {
            Ok(report) => {
                let start = jfr_parse::Iso(report.recording.start_nanos).to_string();
                // Without fractional seconds, as in the common schemas.
                writeln!(out, " timestamp=\"{}\">", start.split('.').next().unwrap_or(&start))?;
                for outcome in &report.rules {
                    test(out, outcome, report, style)?;
                }
            }
            Err(reason) => {
                writeln!(out, ">")?;
                writeln!(out, "    <testcase classname=\"jfrkit\" name=\"recording\" time=\"0\">")?;
                writeln!(out, "      <error message=\"{}\" type=\"unreadable\"/>", xml(reason))?;
                writeln!(out, "    </testcase>")?;
            }
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

/// The counts of a suite.
struct Suite {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Suite {
    fn of(entry: &Entry<'_>, style: &Style) -> Self {
        let Ok(report) = entry.result else { return Self { tests: 1, failures: 0, errors: 1, skipped: 0 } };
        let counts = Counts::of(report);
        Self {
            tests: report.rules.len(),
            failures: report.shown(style.fail_on).count(),
            errors: counts.failed,
            skipped: counts.not_applicable.saturating_sub(counts.failed),
        }
    }
}

/// Whether the test of a rule fails. A finding reported by several rules fails only once, for the rule that is shown.
fn fails(report: &Report, outcome: &Outcome, style: &Style) -> bool {
    report.finding(&outcome.rule.id).is_some_and(|f| f.severity >= style.fail_on)
}

fn test(out: &mut dyn Write, outcome: &Outcome, report: &Report, style: &Style) -> io::Result<()> {
    let verdict = &outcome.verdict;
    let (category, id) = (outcome.rule.category, xml(&outcome.rule.id));
    write!(out, "    <testcase classname=\"jfrkit.{category}\" name=\"{id}\" time=\"0\"")?;
    let because = verdict.not_applicable_because.as_deref().unwrap_or_default();
    match verdict.severity {
        Severity::NotApplicable if outcome.failed => {
            writeln!(out, ">\n      <error message=\"{}\" type=\"rule-failed\"/>\n    </testcase>", xml(because))
        }
        Severity::NotApplicable => writeln!(out, ">\n      <skipped message=\"{}\"/>\n    </testcase>", xml(because)),
        Severity::Ok => writeln!(out, "/>"),
        _ => {
            let details = details(outcome, report.recording.start_nanos);
            let (summary, details) = (xml(&verdict.summary), xml(&details));
            let severity = report.severity_of(outcome);
            if fails(report, outcome, style) {
                writeln!(
                    out,
                    ">\n      <failure message=\"{summary}\" type=\"{severity}\">{details}</failure>\n    </testcase>"
                )
            } else {
                writeln!(out, ">\n      <system-out>{severity}: {summary}\n{details}</system-out>\n    </testcase>")
            }
        }
    }
}

/// The explanation, the evidence, and what to do.
fn details(outcome: &Outcome, start: EpochNanos) -> String {
    let verdict = &outcome.verdict;
    let mut lines = vec![outcome.rule.title.clone().into_owned(), verdict.explanation.clone()];
    let blocks = Blocks::of(&verdict.evidence, start, &jfr_parse::Zone::UTC);
    lines.extend(blocks.pairs.iter().map(|(key, value)| format!("{key}: {value}")));
    for grid in &blocks.grids {
        lines.push(format!("{}:", grid.title));
        for row in grid.rows.iter().take(10) {
            let cells: Vec<&str> = row.iter().map(|c| &*c.text).filter(|t| !t.is_empty()).collect();
            lines.push(format!("  {}", cells.join("  ")));
        }
    }
    lines.push(verdict.remedy.clone());
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// Escapes text for XML 1.0, which cannot represent most control characters.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
