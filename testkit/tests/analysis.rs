//! The complete analysis, on the recordings in `fixtures/`.
#![allow(clippy::unwrap_used, clippy::panic)]

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Analysis, AnalysisOptions, Category, Report, Rule, RuleInfo, Settings, Severity, Verdict};
use jfr_parse::Recording;

fn report(analysis: &Analysis, name: &str) -> Report {
    let path = format!("{}/../fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    analysis.evaluate(&Recording::open(path).unwrap(), &AnalysisOptions::default()).unwrap()
}

/// A healthy program, recorded with the JDK's default settings: any finding here would be reported for
/// everybody.
#[test]
fn a_healthy_program_has_no_findings() {
    let report = report(&jfrkit_rules::analysis(), "scenarios/healthy.jfr.gz");
    assert_eq!(report.findings, []);
    assert!(report.rules.iter().filter(|o| o.verdict.severity == Severity::Ok).count() > 40);
}

/// If a rule does not apply, the report must explain why.
#[test]
fn rules_that_do_not_apply_give_the_reason() {
    for name in ["scenarios/healthy.jfr.gz", "scenarios/spin.jfr.gz", "jdk8-profile.jfr.gz", "jdk25-full.jfr.gz"] {
        for outcome in report(&jfrkit_rules::analysis(), name).rules {
            let because = outcome.verdict.not_applicable_because;
            assert_eq!(because.is_some(), outcome.verdict.severity == Severity::NotApplicable, "{}", outcome.rule.id);
            let because = because.unwrap_or_else(|| "enough".repeat(4));
            assert!(because.len() > 20, "{}: {because}", outcome.rule.id);
        }
    }
}

struct Careless;

impl Rule for Careless {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("Careless").title("Careless").category(Category::Jvm)
    }

    fn needs(&self) -> Needs {
        Needs::new()
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        panic!("no room for {} chunks, password=hunter2hunter2", facts.chunks())
    }
}

#[test]
fn a_rule_that_panics_is_reported_and_does_not_stop_others() {
    let alone = report(&jfrkit_rules::analysis(), "scenarios/explicit-gc.jfr.gz");
    let with = report(&jfrkit_rules::analysis().with_rule(Careless).unwrap(), "scenarios/explicit-gc.jfr.gz");
    let failed = with.outcome("Careless").unwrap();
    assert!(failed.failed);
    assert_eq!(failed.verdict.severity, Severity::NotApplicable);
    assert!(failed.verdict.summary.contains("the rule failed: no room for 1 chunks"), "{}", failed.verdict.summary);
    assert!(!failed.verdict.summary.contains("hunter2"), "{}", failed.verdict.summary);
    assert_eq!(with.rules.len(), alone.rules.len() + 1);
    for outcome in &alone.rules {
        let other = with.outcome(&outcome.rule.id).unwrap();
        assert!(!other.failed && other.verdict == outcome.verdict, "{}", outcome.rule.id);
    }
}

#[test]
fn the_same_recording_gives_the_same_report_whatever_the_number_of_threads() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            serde_json::to_string(&report(&jfrkit_rules::analysis(), "jdk17-multichunk.jfr").rules).unwrap()
        })
    };
    assert_eq!(with(1), with(4));
}

/// Datadog's live-object events start at the allocation, half an hour before this one-minute recording.
#[test]
fn an_event_that_began_earlier_does_not_extend_the_recording() {
    let Some(path) = jfr_parse::testing::corpus("public/btraceio+jafar/tck-test.jfr") else { return };
    let report =
        jfrkit_rules::analysis().evaluate(&Recording::open(path).unwrap(), &AnalysisOptions::default()).unwrap();
    let seconds = report.recording.duration_nanos.0 / 1_000_000_000;
    assert!((59..=61).contains(&seconds), "{seconds}");
}
