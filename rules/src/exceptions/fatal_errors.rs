//! `Fatal Errors`: how the JVM ended.

use crate::tally::once_per_text;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Severity, Value, Verdict};

/// Whether an internal error ended the JVM. Needs the table of `jdk.Shutdown`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FatalErrors;

impl FatalErrors {
    /// Why it matters.
    const WHY: &str = "A finished program ends like this; a server should not.";
    /// What to do.
    const REMEDY: &str = "Look for the hs_err file that the JVM wrote.";
}

impl Rule for FatalErrors {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("Fatal Errors")
            .title("JVM shutdown")
            .category(Category::Jvm)
            .description("Whether the JVM ended during the recording, and why.")
            .formula(
                "A warning if the reason of jdk.Shutdown contains `VM Error`, worth a look if it contains `No \
                      remaining non-daemon Java threads`; other reasons are ignored.",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.Shutdown").table_up_to(1_000, "jdk.Shutdown", &["reason"])
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let table = facts.table("jdk.Shutdown");
        let find = |part: &str| {
            // Any number of events may refer to one text.
            let mut has = once_per_text(|text| text.contains(part));
            table.rows().find(|row| row.text("reason").is_some_and(&mut has))
        };
        if let Some(row) = find("VM Error") {
            return Verdict::warning("An internal error terminated the JVM")
                .urgent()
                .remedy(FatalErrors::REMEDY)
                .with("at", Value::instant(row.start))
                .with("reason", row.text("reason").unwrap_or_default());
        }
        if let Some(row) = find("No remaining non-daemon Java threads") {
            return Verdict::info("The program ended because its last non-daemon thread ended")
                // This is how every finished program ends.
                .at_most(Severity::Ok)
                .explain(FatalErrors::WHY)
                .with("at", Value::instant(row.start));
        }
        Verdict::not_applicable("the JVM was asked to shut down, or the reason is unknown")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn reasons() {
        let of =
            |reason: &str| Scene::new().event("jdk.Shutdown", 0, 0, [("reason", reason.into())]).as_jmc(&FatalErrors);
        assert_eq!(of("VM Error"), Severity::Warning);
        assert_eq!(of("No remaining non-daemon Java threads"), Severity::Info);
        assert_eq!(of("Shutdown requested from Java"), Severity::NotApplicable);
    }

    #[test]
    fn a_crash_is_a_warning() {
        let scene = Scene::new().event("jdk.Shutdown", 0, 0, [("reason", "VM Error".into())]);
        assert_eq!(scene.verdict(&FatalErrors).severity, Severity::Warning);
    }
}
