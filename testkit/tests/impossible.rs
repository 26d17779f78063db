//! No report claims anything impossible: a share above 100 %, a part larger than the whole, a time range outside of the recording.
//! Uses the recordings in `fixtures/` and, if available, in `../shared/corpus`, complete and in random time ranges.
#![allow(clippy::unwrap_used, clippy::panic)]

use jfr_analyzers::TimeRange;
use std::path::PathBuf;

use jfr_analyzers::rule::{AnalysisOptions, Report, Value};
use jfr_parse::{EpochNanos, Nanos, Recording};

/// Larger recordings take too long for a test.
const LARGEST: u64 = 3 << 20;

fn recordings() -> Vec<PathBuf> {
    let mut folders = vec![jfr_parse::testing::fixture("")];
    folders.extend(jfr_parse::testing::corpus(""));
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let name = entry.file_name().to_string_lossy().into_owned();
            if kind.is_dir() {
                folders.push(path);
            } else if (name.ends_with(".jfr") || name.ends_with(".jfr.gz")) && entry.metadata().unwrap().len() < LARGEST
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The problem with a value, if any.
fn wrong(value: &Value, whole: (EpochNanos, EpochNanos)) -> Option<String> {
    let share = |percent: f64| !(0.0..=100.000_001).contains(&percent);
    match value {
        Value::Percent { value } if share(*value) => Some(format!("a share of {value} %")),
        Value::Methods { rows } => rows.iter().find_map(|row| {
            share(row.percent).then(|| format!("a share of {} %", row.percent)).or_else(|| wrong(&row.value, whole))
        }),
        Value::Duration { nanos } if nanos.0 < 0 => Some(format!("a duration of {} ns", nanos.0)),
        Value::Window { from_nanos, to_nanos } => {
            let inside = whole.0 <= *from_nanos && from_nanos <= to_nanos && *to_nanos <= whole.1;
            (!inside).then(|| format!("a window {from_nanos:?} to {to_nanos:?}, the recording is {whole:?}"))
        }
        Value::Table { rows, .. } => rows.iter().flatten().find_map(|value| wrong(value, whole)),
        _ => None,
    }
}

/// Evidence of a whole and a part of it, by rule.
const PARTS: [(&str, &str, &str); 2] = [
    ("GcCpuOverhead", "CPU time of collections", "CPU time of the JVM"),
    ("GcPauseRatio", "share of recording", "share of worst window"),
];

/// The problems in a report. In part of a recording (`cut`), events are cut to the time range.
fn impossible(report: &Report, cut: bool) -> Vec<String> {
    let start = report.recording.start_nanos;
    let whole = (start, start.saturating_add(report.recording.duration_nanos));
    let mut all = Vec::new();
    for outcome in &report.rules {
        let (id, evidence) = (&*outcome.rule.id, &outcome.verdict.evidence);
        for (key, value) in evidence.iter() {
            all.extend(wrong(value, whole).map(|what| format!("{id}, {key}: {what}")));
        }
        for (_, part, of) in PARTS.iter().filter(|(rule, ..)| *rule == id) {
            let number = |key| match evidence.get(key) {
                Some(Value::Duration { nanos }) => Some(nanos.0 as f64),
                Some(Value::Percent { value }) => Some(*value),
                _ => None,
            };
            if let (Some(part_of), Some(whole)) = (number(part), number(of))
                && part_of > whole * 1.000_001
            {
                all.push(format!("{id}: {part} {part_of} is more than {of} {whole}"));
            }
        }
        for key in ["longest", "time paused", "time halted"] {
            if let Some(Value::Duration { nanos }) = evidence.get(key)
                && *nanos > report.recording.duration_nanos
                && cut
            {
                all.push(format!("{id}: {key} {nanos:?} is longer than the recording"));
            }
        }
    }
    for finding in &report.findings {
        if let Some(cost) = finding.cost
            && !(0.0..=1.0).contains(&cost.share)
        {
            all.push(format!("{}: a cost of {}", finding.id, cost.share));
        }
    }
    all
}

#[test]
fn no_report_contains_impossible_values() {
    let analysis = jfrkit_rules::analysis();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(state >> 2).unwrap() % below.max(1)
    };
    let (mut reports, mut wrong) = (0, Vec::new());
    for path in recordings() {
        let Ok(recording) = Recording::open(&path) else { continue };
        let mut check = |from: Option<EpochNanos>, to: Option<EpochNanos>| {
            let mut options = AnalysisOptions::default();
            options.range = TimeRange { from, to };
            let report = analysis.evaluate(&recording, &options).ok()?;
            reports += 1;
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            wrong.extend(
                impossible(&report, from.is_some()).into_iter().map(|what| format!("{name} {from:?} {to:?}: {what}")),
            );
            Some((report.recording.start_nanos, report.recording.duration_nanos))
        };
        let Some((start, length)) = check(None, None) else { continue };
        let (a, b) = (random(length.0), random(length.0));
        let after = |nanos| Some(start.saturating_add(Nanos(nanos)));
        check(after(a.min(b)), after(a.max(b) + 10_000_000));
        check(after(a.min(b)), None);
    }
    assert!(reports > 100, "{reports} reports");
    assert!(wrong.is_empty(), "{} of {reports} reports:\n{}", wrong.len(), wrong.join("\n"));
}
