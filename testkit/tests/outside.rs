//! A rule from outside of the crates can do everything that the built-in ones can: explain why it does not
//! apply, have settings, examine stacks and methods, share computed values, and show evidence.
#![allow(clippy::unwrap_used)]

use jfr_analyzers::events::{Facts, GroupBy, Level, Needs};
use jfr_analyzers::math::{map2, ratio};
use jfr_analyzers::rule::{
    Analysis, AnalysisOptions, Category, Outcome, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict,
};
use jfr_parse::Recording;

/// The time in writes, which rules could share.
struct InWrites {
    nanos: f64,
}

/// Where the program writes files, and how much of that happens in its own logger.
struct Writes;

const WRITE: &str = "jdk.FileWrite";
const WRITES: GroupBy = GroupBy::of(&[WRITE]).by(&["path", "stackTrace"]).measure(&["bytesWritten", "duration"]);

impl Rule for Writes {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("Writes")
            .title("File writes")
            .category(Category::Io)
            .description("Whether the program spends its time writing files.")
            .formula("Share of the time in writes: 25 at `info`, 75 at `warning`.")
            .settings(
                const {
                    &[
                        Setting::percent("info", 0.000_001, "Share that is worth a look"),
                        Setting::percent("warning", 50.0, "Share to act on"),
                        Setting::regex("exclude", "", "Files left out"),
                    ]
                },
            )
    }

    fn needs(&self) -> Needs {
        Needs::new().groups(WRITES).table(WRITE, &["path"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if let Some(because) = facts.missing_all(&[WRITE, "jdk.FileForce"], Level::Available) {
            return Verdict::not_applicable(because);
        }
        let writes: Vec<_> = facts
            .groups(&WRITES)
            .iter()
            .filter(|group| group.text("path").is_some_and(|path| !settings.matches("exclude", path)))
            .collect();
        let all = facts.once(|facts| InWrites { nanos: facts.groups(&WRITES).iter().map(|g| g.sum("duration")).sum() });
        let nanos: f64 = writes.iter().map(|group| group.sum("duration")).sum();
        let share = ratio(nanos, facts.nanos() as f64) * 100.0;
        let stacks = || writes.iter().filter_map(|group| Some((group.stack("stackTrace")?, group.sum("duration"))));
        let own = stacks().filter(|(stack, _)| facts.application_frame(*stack).is_some()).count();
        let threshold = facts.setting(WRITE, "threshold").unwrap_or("none").to_owned();
        Verdict::scored(map2(share, settings.number("info"), settings.number("warning")), "The program writes files")
            .with("threshold", threshold.as_str())
            .with("all writes", Value::nanos_f64(all.nanos))
            .with("stacks with a frame of the program", Value::count(own as u64, "stacks"))
            .with("methods", facts.top_methods(stacks(), 3, Value::nanos_f64))
            .with_some("first stack", stacks().next().map(|(stack, _)| facts.stack_value(stack, 5)))
            .remedy("Write less.")
    }
}

fn outcome(name: &str, options: &AnalysisOptions) -> Outcome {
    let path = format!("{}/../fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let analysis = Analysis::empty().with_rule(Writes).unwrap();
    let report = analysis.evaluate(&Recording::open(path).unwrap(), options).unwrap();
    report.outcome("Writes").unwrap().clone()
}

#[test]
fn an_outside_rule_uses_stacks_and_settings() {
    let verdict = outcome("jdk17-full.jfr", &AnalysisOptions::default()).verdict;
    assert_eq!(verdict.severity, Severity::Info);
    let names: Vec<&str> = verdict.evidence.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["threshold", "all writes", "stacks with a frame of the program", "methods", "first stack"]);
    assert!(matches!(verdict.evidence.get("first stack"), Some(Value::Stack { frames }) if frames.len() == 5));
    // If a setting excludes all files, there is nothing to judge.
    let mut options = AnalysisOptions::default();
    options.settings.entry("Writes".to_owned()).or_default().insert("exclude".to_owned(), ".".to_owned());
    assert_eq!(outcome("jdk17-full.jfr", &options).verdict.severity, Severity::Ok);
}

#[test]
fn the_report_explains_why_the_rule_does_not_apply() {
    let verdict = outcome("scenarios/spin.jfr.gz", &AnalysisOptions::default()).verdict;
    assert_eq!(verdict.severity, Severity::NotApplicable);
    let because = verdict.not_applicable_because.unwrap();
    assert!(because.contains(WRITE), "{because}");
}
