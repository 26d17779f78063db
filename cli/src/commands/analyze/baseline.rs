//! `--baseline`: ignores findings that existed before.

use std::collections::BTreeMap;
use std::path::Path;

use jfr_analyzers::rule::{Analysis, AnalysisOptions, Cost, Finding, Report, Severity};
use jfr_parse::OpenOptions;
use serde_json::Value;

use crate::failure::Failure;

/// A cost is worse if it rises by at least one percentage point and a fifth of its old value.
const POINT: f64 = 0.01;
const FIFTH: f64 = 1.2;

/// The findings of a recording or of a JSON report, by rule id.
#[derive(Debug, Default)]
pub(super) struct Baseline(BTreeMap<String, Before>);

/// A finding in the baseline.
#[derive(Debug, Clone, PartialEq)]
struct Before {
    severity: Severity,
    /// The share, and what it is a share of.
    cost: Option<(f64, String)>,
}

/// What a cost is a share of, as written in reports.
fn of(cost: Cost) -> String {
    serde_json::to_value(cost.of).ok().and_then(|of| of.as_str().map(str::to_owned)).unwrap_or_default()
}

impl Baseline {
    /// Reads a JSON report of `jfrkit analyze`, or analyzes a recording with these options.
    pub(super) fn read(
        path: &Path,
        analysis: &Analysis,
        options: &AnalysisOptions,
        opening: &OpenOptions,
    ) -> Result<Self, Failure> {
        let name = path.display();
        if begins_like_json(path) {
            let text = std::fs::read_to_string(path).map_err(|e| Failure::Failed(format!("{name}: {e}")))?;
            return Self::of_json(&text)
                .map_err(|why| Failure::Failed(format!("{name}: not usable as a baseline: {why}")));
        }
        let failed = |error: &jfr_parse::Error| Failure::of(&name.to_string(), error);
        let recording = opening.open(path).map_err(|error| failed(&error))?;
        match analysis.evaluate(&recording, options) {
            Ok(report) => Ok(Self::of_report(&report)),
            Err(error) => Err(Failure::Failed(format!("{name}: {error}"))),
        }
    }

    fn of_report(report: &Report) -> Self {
        let mut baseline = Self::default();
        for finding in &report.findings {
            let cost = finding.cost.map(|cost| (cost.share, of(cost)));
            baseline.add(&finding.id, finding.also.iter().map(|id| &**id), finding.severity, cost);
        }
        baseline
    }

    fn of_json(text: &str) -> Result<Self, String> {
        let report: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let mut baseline = Self::default();
        let several = report.get("reports").and_then(Value::as_array);
        for report in several.into_iter().flatten().chain(several.is_none().then_some(&report)) {
            let findings = report.get("findings").and_then(Value::as_array);
            let Some(findings) = findings else {
                return Err("it has no `findings` list; create the file with `jfrkit analyze --format json`".to_owned());
            };
            for finding in findings {
                let id = finding.get("id").and_then(Value::as_str).ok_or("a finding without an id")?;
                let severity = match finding.get("severity").and_then(Value::as_str) {
                    Some("warning") => Severity::Warning,
                    Some("info") => Severity::Info,
                    other => {
                        return Err(format!(
                            "{id}: expected the severity warning or info, not {}",
                            other.unwrap_or("none")
                        ));
                    }
                };
                let also =
                    finding.get("also").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
                let cost = finding
                    .get("cost")
                    .and_then(|cost| Some((cost.get("share")?.as_f64()?, cost.get("of")?.as_str()?.to_owned())));
                baseline.add(id, also, severity, cost);
            }
        }
        Ok(baseline)
    }

    /// Adds a finding; of several with the same id, the worst counts. Rules folded into it are added too, with unknown cost.
    fn add<'i>(
        &mut self,
        id: &str,
        also: impl Iterator<Item = &'i str>,
        severity: Severity,
        cost: Option<(f64, String)>,
    ) {
        let before = self.0.entry(id.to_owned()).or_insert(Before { severity, cost: cost.clone() });
        before.severity = before.severity.max(severity);
        if let (Some((share, what)), Some((new, of))) = (&mut before.cost, cost)
            && *what == of
        {
            *share = share.max(new);
        }
        for other in also {
            let before = self.0.entry(other.to_owned()).or_insert(Before { severity, cost: None });
            before.severity = before.severity.max(severity);
        }
    }

    /// Whether a finding is new or worse: its severity is higher, or its cost rose by at least one point and a fifth.
    pub(super) fn is_new_or_worse(&self, finding: &Finding) -> bool {
        let Some(before) = self.0.get(&*finding.id) else { return true };
        let dearer = match (&before.cost, finding.cost) {
            (Some((share, what)), Some(now)) if *what == of(now) => {
                now.share >= share + POINT && now.share >= share * FIFTH
            }
            _ => false,
        };
        finding.severity > before.severity || dearer
    }
}

/// Whether the file starts with a brace, as reports do and recordings never do.
fn begins_like_json(path: &Path) -> bool {
    use std::io::Read;
    let mut start = [0; 16];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut start)).unwrap_or(0);
    start.get(..read).unwrap_or_default().iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jfr_analyzers::rule::Section;

    fn finding(id: &'static str, severity: Severity, share: f64) -> Finding {
        let cost = (share > 0.0).then(|| Cost::cpu(share));
        Finding { id: id.into(), severity, section: Section::Program, cost, because_of: None, also: vec![] }
    }

    #[test]
    fn new_findings_and_worse_ones_count() {
        let report = r#"{"findings":[
            {"id":"Regex","severity":"info","cost":{"share":0.10,"of":"cpu-time"},"also":["RegexCompile"]},
            {"id":"Deadlock","severity":"warning","cost":null,"also":[]}]}"#;
        let baseline = Baseline::of_json(report).unwrap();
        let counts = |id, severity, share| baseline.is_new_or_worse(&finding(id, severity, share));
        assert!(counts("Other", Severity::Info, 0.1), "new");
        assert!(!counts("Regex", Severity::Info, 0.10), "the same");
        assert!(!counts("Regex", Severity::Info, 0.11), "a point more, and no fifth");
        assert!(counts("Regex", Severity::Info, 0.13), "three points and more than a fifth");
        assert!(counts("Regex", Severity::Warning, 0.10), "a higher severity");
        assert!(!counts("RegexCompile", Severity::Info, 0.05), "it was known");
        assert!(!counts("Deadlock", Severity::Warning, 0.0));
    }

    #[test]
    fn a_file_that_is_not_a_report_is_an_error() {
        assert!(Baseline::of_json("{}").unwrap_err().contains("findings"));
        assert!(Baseline::of_json("{").is_err());
        assert!(Baseline::of_json(r#"{"findings":[{"id":"A","severity":"bad"}]}"#).is_err());
    }
}
