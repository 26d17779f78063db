//! `DumpReason`: why the recording was written.

use crate::tally::distinct;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Section, Setting, Settings, Value, Verdict};

/// Whether the recording was written because the JVM died. Needs the table of `jdk.DumpReason`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DumpReason;

/// A phrase in the reason, and the setting with its score.
const REASONS: [(&str, &str); 3] = [("crash", "crash"), ("core dump", "core-dump"), ("out of memory", "out-of-memory")];

impl DumpReason {
    /// Why it matters.
    const WHY: &str = "The JVM ended abnormally. Its last events are likely to show what led to it.";
    /// What to do.
    const REMEDY: &str = "Look for the hs_err file or the heap dump that the JVM wrote at the same time.";
}

impl Rule for DumpReason {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("DumpReason")
            .title("Recording dump reason")
            .category(Category::Recording)
            .description("Whether the recording was written because the JVM crashed or ran out of memory.")
            .formula("The score of the first of crash, core dump and out of memory that a reason contains.")
            .settings(
                const {
                    &[
                        Setting::count("crash", 100.0, "Score for a crash"),
                        Setting::count("core-dump", 90.0, "Score for a core dump"),
                        Setting::count("out-of-memory", 80.0, "Score for running out of memory"),
                    ]
                },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.DumpReason").table("jdk.DumpReason", &["reason"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        // Any number of events may refer to one text.
        let texts = distinct(facts.table("jdk.DumpReason").texts("reason"));
        let reasons: Vec<String> = texts.map(str::to_lowercase).collect();
        for (part, key) in REASONS {
            if let Some(reason) = reasons.iter().find(|r| r.contains(part)) {
                return Verdict::scored(
                    settings.number(key),
                    format!("The JVM wrote the recording because of: {reason}"),
                )
                .urgent()
                .section(Section::Program)
                .explain(DumpReason::WHY)
                .remedy(DumpReason::REMEDY)
                .with("reason", reason.as_str());
            }
        }
        Verdict::ok("The recording was written normally").with("reasons", Value::list("reasons", reasons))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn crashes_are_found_and_other_reasons_are_fine() {
        let of = |reason: &str| {
            Scene::new().event("jdk.DumpReason", 0, 0, [("reason", reason.into())]).verdict(&DumpReason).severity
        };
        assert_eq!(of("Crash"), Severity::Warning);
        assert_eq!(of("Out of Memory"), Severity::Warning);
        assert_eq!(of("Stopped by user"), Severity::Ok);
        assert_eq!(Scene::new().verdict(&DumpReason).severity, Severity::NotApplicable);
    }
}
