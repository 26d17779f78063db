//! Runs rules on the recordings of `fixtures/`, for tests.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use jfr_analyzers::rule::{AnalysisOptions, Severity, Verdict};

/// The verdict of a rule on a recording in `fixtures/` or `fixtures/scenarios/`, named without `.jfr.gz`.
pub(crate) fn judge(id: &str, name: &str) -> Verdict {
    judge_file(id, &path(name))
}

fn path(name: &str) -> PathBuf {
    let scenario = jfr_parse::testing::fixture(&format!("scenarios/{name}.jfr.gz"));
    if scenario.exists() { scenario } else { jfr_parse::testing::fixture(&format!("{name}.jfr.gz")) }
}

fn judge_file(id: &str, path: &Path) -> Verdict {
    let recording = jfr_parse::Recording::open(path).unwrap();
    let mut options = AnalysisOptions::default();
    options.rules = vec![id.to_owned()];
    let report = crate::analysis().evaluate(&recording, &options).unwrap();
    let outcome = report.outcome(id).unwrap();
    assert!(!outcome.failed, "{:?}", outcome.verdict);
    outcome.verdict.clone()
}

/// The verdict of a rule on a recording of the shared corpus, which is not part of the project; `None` if it is
/// missing.
pub(crate) fn corpus(id: &str, name: &str) -> Option<Verdict> {
    jfr_parse::testing::corpus(name).map(|path| judge_file(id, &path))
}

/// Like [`judge`]; fails if the severity differs.
pub(crate) fn expect(id: &str, name: &str, severity: Severity) -> Verdict {
    let verdict = judge(id, name);
    assert_eq!(verdict.severity, severity, "{id} of {name}: {}", verdict.summary);
    verdict
}

/// The verdict as text, to search it.
pub(crate) fn text(verdict: &Verdict) -> String {
    serde_json::to_string(verdict).unwrap()
}
