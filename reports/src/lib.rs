//! Writes reports for people and machines: the results of an [analysis](jfr_analyzers::rule) in various
//! formats.
//!
//! ```
//! use jfr_analyzers::rule::AnalysisOptions;
//! use jfrkit_reports::{Entry, Format, Style};
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
//! let recording = jfr_parse::Recording::open(path)?;
//! let report = jfrkit_rules::analysis().evaluate(&recording, &AnalysisOptions::default())?;
//! let mut page = Vec::new();
//! Format::Markdown.write(&mut page, &[Entry::new("jdk17-full.jfr", &report)], &Style::default())?;
//! assert!(page.starts_with(b"# "));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocks;
mod json;
mod junit;
mod markdown;
mod overview;
pub mod page;
mod sarif;
mod text;

use std::io::{self, Write};

use jfr_analyzers::rule::{Outcome, Report, Severity};

/// A recording and the result of its analysis.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The display name, usually the file name.
    pub name: &'a str,
    /// The report, or the reason why there is none.
    pub result: Result<&'a Report, &'a str>,
}

impl<'a> Entry<'a> {
    /// A recording that was analyzed.
    #[must_use]
    pub const fn new(name: &'a str, report: &'a Report) -> Self {
        Self { name, result: Ok(report) }
    }

    /// A recording that could not be analyzed, and the reason.
    #[must_use]
    pub const fn failed(name: &'a str, reason: &'a str) -> Self {
        Self { name, result: Err(reason) }
    }
}

/// How to write a report.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Style {
    /// The lowest severity to show. Machine-readable formats that list all rules (JSON, JUnit) ignore it.
    pub least: Severity,
    /// The lowest severity that fails a test in JUnit output.
    pub fail_on: Severity,
    /// Whether to color text with terminal escape sequences.
    pub color: bool,
    /// The width at which text is wrapped, in columns.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { least: Severity::Info, fail_on: Severity::Warning, color: false, width: 100 }
    }
}

/// The format of a report. For the HTML page, see [`page::report_page`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text for a terminal.
    Text,
    /// One JSON object with all rules, described in `docs/analysis.schema.json`.
    Json,
    /// Markdown for issues and chats.
    Markdown,
    /// JUnit XML for CI servers. There is no official schema; reports validate against the strictest one in
    /// use, that of Jenkins's xUnit plugin (`junit-10.xsd`).
    Junit,
    /// SARIF 2.1.0 for code scanning; reports validate against the OASIS schema.
    Sarif,
}

impl Format {
    /// Writes the report for one or more recordings. For several, it includes a table that
    /// summarizes all of them.
    ///
    /// # Errors
    /// Errors of `out`.
    pub fn write(self, out: &mut dyn Write, entries: &[Entry<'_>], style: &Style) -> io::Result<()> {
        match self {
            Self::Text => text::write(out, entries, style),
            Self::Json => json::write(out, entries),
            Self::Markdown => markdown::write(out, entries, style),
            Self::Junit => junit::write(out, entries, style),
            Self::Sarif => sarif::write(out, entries, style),
        }
    }
}

/// The number of findings, and of rules that found nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
struct Counts {
    warnings: usize,
    infos: usize,
    ok: usize,
    not_applicable: usize,
    /// The number of rules that failed, which are among those that do not apply.
    failed: usize,
}

impl Counts {
    fn of(report: &Report) -> Self {
        let count = |severity| report.rules.iter().filter(|o| o.verdict.severity == severity).count();
        let found = |severity| report.findings.iter().filter(|f| f.severity == severity).count();
        Self {
            warnings: found(Severity::Warning),
            infos: found(Severity::Info),
            ok: count(Severity::Ok),
            not_applicable: count(Severity::NotApplicable),
            failed: report.rules.iter().filter(|o| o.failed).count(),
        }
    }

    /// `2 warnings, 1 to look at`.
    fn findings(self) -> String {
        match (self.warnings, self.infos) {
            // No rule had anything to look at.
            (0, 0) if self.ok == 0 => "nothing to judge".to_owned(),
            (0, 0) => "nothing found".to_owned(),
            (0, infos) => format!("{infos} to look at"),
            (warnings, 0) => plural(warnings, "warning", "warnings"),
            (warnings, infos) => format!("{}, {infos} to look at", plural(warnings, "warning", "warnings")),
        }
    }

    /// `47 rules found nothing wrong, 22 do not apply`, and those that failed.
    fn rest(self) -> String {
        let mut line = format!(
            "{} found nothing wrong, {} not apply",
            plural(self.ok, "rule", "rules"),
            match self.not_applicable.saturating_sub(self.failed) {
                1 => "1 does".to_owned(),
                n => format!("{n} do"),
            }
        );
        if self.failed > 0 {
            line.push_str(&format!(", {} failed", self.failed));
        }
        line
    }
}

fn plural(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The rules that failed.
fn failed(report: &Report) -> impl Iterator<Item = &Outcome> {
    report.rules.iter().filter(|o| o.failed)
}

/// Which other rules report the same problem, and what it is caused by, on one line.
fn also(report: &Report, outcome: &Outcome) -> Option<String> {
    let finding = report.finding(outcome.rule.id)?;
    let cause = finding.because_of.map(|id| format!("Follows from {id}."));
    let others = (!finding.also.is_empty()).then(|| format!("Also: {}.", finding.also.join(", ")));
    let parts: Vec<String> = cause.into_iter().chain(others).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The display name of a severity.
const fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "Warning",
        Severity::Info => "Look at",
        Severity::Ok => "Fine",
        Severity::NotApplicable => "Does not apply",
    }
}

/// What is known about the recording: JVM, main class, start and duration.
fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let recording = &report.recording;
    let mut facts = Vec::new();
    if let Some(main) = &recording.main {
        facts.push(("program", main.clone()));
    }
    if let Some(jvm) = &recording.jvm {
        facts.push(("JVM", jvm.clone()));
    }
    facts.push(("start", blocks::instant(recording.start_nanos)));
    facts.push(("length", jfrkit_profile::units::duration(recording.duration_nanos)));
    let events = i64::try_from(recording.events).unwrap_or(i64::MAX);
    let mut content = format!("{} events", jfrkit_profile::units::count(events));
    if recording.chunks > 1 {
        content.push_str(&format!(" in {} chunks", recording.chunks));
    }
    facts.push(("content", content));
    facts
}
