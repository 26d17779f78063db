//! JSON, as described by `docs/analysis.schema.json`.

use std::io::{self, Write};

use serde::Serialize;

use super::{Entry, overview};
use jfr_analyzers::rule::{Finding, Outcome, RecordingInfo, Report};

/// The report for one recording.
#[derive(Serialize)]
struct One<'a> {
    recording: Named<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<&'a [Finding]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<&'a [Outcome]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Named<'a> {
    file: &'a str,
    #[serde(flatten)]
    info: Option<&'a RecordingInfo>,
}

/// The report for several recordings.
#[derive(Serialize)]
struct Several<'a> {
    reports: Vec<One<'a>>,
    overview: Overview<'a>,
}

#[derive(Serialize)]
struct Overview<'a> {
    recordings: Vec<overview::Line<'a>>,
    rules: Vec<overview::RuleLine<'a>>,
}

impl<'a> One<'a> {
    fn of(entry: &Entry<'a>) -> Self {
        let report: Option<&Report> = entry.result.ok();
        Self {
            recording: Named { file: entry.name, info: report.map(|r| &r.recording) },
            findings: report.map(|r| &*r.findings),
            rules: report.map(|r| &*r.rules),
            error: entry.result.err(),
        }
    }
}

pub(super) fn write(out: &mut dyn Write, entries: &[Entry<'_>]) -> io::Result<()> {
    match entries {
        [one] => serde_json::to_writer(&mut *out, &One::of(one))?,
        several => {
            let overview = Overview { recordings: overview::lines(several), rules: overview::rules(several) };
            serde_json::to_writer(&mut *out, &Several { reports: several.iter().map(One::of).collect(), overview })?;
        }
    }
    writeln!(out)
}
