//! Writes reports for people and machines: the results of an [analysis](jfr_analyzers::rule) in various
//! formats.
//!
//! Each format is a file. `blocks.rs` turns evidence into text and tables for the human-readable ones, [`page`] writes
//! HTML pages, and [`runtime`] the sections about the JVM and the machine. Judging belongs in rules; opening and naming
//! files belongs in the command. Start with [`Format`], then `markdown.rs`, a short format.
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
pub mod runtime;
mod sarif;
mod text;

use std::io::{self, Write};

use jfr_analyzers::rule::{Outcome, Report, Severity, Value};
use jfr_parse::Zone;

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
    /// The width of the terminal: text is filled to it, and names in tables are truncated. If `None`, names are not
    /// truncated.
    pub width: Option<usize>,
    /// Whether text contains explanations and tables of evidence. Without them, each finding is a paragraph, and several
    /// recordings are only summarized in a table.
    pub evidence: bool,
    /// The time zone for text and Markdown.
    pub zone: Zone,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            least: Severity::Info,
            fail_on: Severity::Warning,
            color: false,
            width: None,
            evidence: false,
            zone: Zone::UTC,
        }
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

    /// `2 warnings, 1 info`.
    fn findings(self) -> String {
        let infos = || plural(self.infos, "info", "infos");
        match (self.warnings, self.infos) {
            (0, 0) if self.ok == 0 => "no rule applied".to_owned(),
            (0, 0) => "nothing found".to_owned(),
            (0, _) => infos(),
            (warnings, 0) => plural(warnings, "warning", "warnings"),
            (warnings, _) => format!("{}, {}", plural(warnings, "warning", "warnings"), infos()),
        }
    }

    /// `47 rules found nothing wrong, 22 do not apply`, and the number of failed rules, without the parts that are 0;
    /// `None` if all are.
    fn rest(self) -> Option<String> {
        let inapplicable = self.not_applicable.saturating_sub(self.failed);
        let parts = [
            (self.ok, "found nothing wrong"),
            (inapplicable, if inapplicable == 1 { "does not apply" } else { "do not apply" }),
            (self.failed, "failed"),
        ];
        let mut line = String::new();
        for (number, what) in parts.into_iter().filter(|(number, _)| *number > 0) {
            // The first part says that rules are counted.
            let number = if line.is_empty() { plural(number, "rule", "rules") } else { format!(", {number}") };
            line.push_str(&format!("{number} {what}"));
        }
        (!line.is_empty()).then_some(line)
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
    let finding = report.finding(&outcome.rule.id)?;
    let cause = finding.because_of.as_ref().map(|id| format!("Follows from {id}."));
    let others = (!finding.also.is_empty()).then(|| format!("Also: {}.", finding.also.join(", ")));
    let parts: Vec<String> = cause.into_iter().chain(others).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The display name of a severity.
const fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "Warning",
        Severity::Info => "Info",
        Severity::Ok => "OK",
        Severity::NotApplicable => "Does not apply",
    }
}

/// What a finding costs: `12 % of CPU time`.
fn cost(report: &Report, outcome: &Outcome) -> Option<String> {
    let finding = report.finding(&outcome.rule.id)?;
    let about = if outcome.verdict.estimated { "about " } else { "" };
    finding.cost.map(|cost| format!("{about}{} of {}", jfrkit_profile::units::share(cost.share), cost.of.name()))
}

/// Facts about the recording: program, JVM, collector and heap, CPUs, container limits, time.
fn facts(report: &Report, zone: &Zone) -> Vec<(&'static str, String)> {
    use jfrkit_profile::units::{count, duration, number, size};
    let recording = &report.recording;
    let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let mut facts = Vec::new();
    if let Some(main) = &recording.main {
        facts.push(("Program", main.clone()));
    }
    if let Some(jvm) = &recording.jvm {
        facts.push(("JVM", jvm.clone()));
    }
    let heap = recording.max_heap_bytes.map(|bytes| format!("heap up to {}", size(bytes)));
    let collector: Vec<String> = recording.collector.iter().cloned().chain(heap).collect();
    if !collector.is_empty() {
        facts.push(("Collector", collector.join(", ")));
    }
    if let Some(threads) = recording.hardware_threads {
        let threads = u64::try_from(threads).unwrap_or_default();
        facts.push(("CPUs", jfrkit_profile::units::things(threads, "hardware thread", "hardware threads")));
    }
    if let Some(container) = &recording.container {
        let kind = container.kind.as_deref().unwrap_or("limits");
        let cpus = container.cpus.map(|cpus| format!("{} {}", number(cpus), if cpus == 1.0 { "CPU" } else { "CPUs" }));
        let memory = container.memory_bytes.map(|bytes| format!("{} of memory", size(bytes)));
        let limits: Vec<String> = cpus.into_iter().chain(memory).collect();
        let limits = if limits.is_empty() { "no limits".to_owned() } else { limits.join(", ") };
        facts.push(("Container", format!("{kind}: {limits}")));
    }
    facts.push(("Start", blocks::instant(recording.start_nanos, zone)));
    facts.push(("Duration", duration(recording.duration_nanos.0)));
    // A profile of another language has no chunks and no events.
    if recording.chunks == 0 {
        return facts;
    }
    let events = i64::try_from(recording.events).unwrap_or(i64::MAX);
    let mut content = format!("{} {}", count(events), if events == 1 { "event" } else { "events" });
    if recording.chunks > 1 {
        content.push_str(&format!(" in {} chunks", count(whole(recording.chunks))));
    }
    facts.push(("Content", content));
    facts.extend(hottest(report).map(|method| ("Hottest", method)));
    facts
}

/// What the hottest method takes, unless a finding reports it already.
fn hottest(report: &Report) -> Option<String> {
    let verdict = &report.outcome("HotSpots")?.verdict;
    let is_named = verdict.evidence.iter().any(|(_, value)| matches!(value, Value::Methods { .. }));
    (verdict.severity == Severity::Ok && is_named).then(|| verdict.summary.clone())
}
