//! `DiscouragedVmOptions`: options that a program should not need.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Value, Verdict};

/// Whether discouraged options are on. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DiscouragedVmOptions;

impl DiscouragedVmOptions {
    /// Why it matters.
    const WHY: &str = "Experimental options may change or break, and ignoring unrecognized options hides mistakes.";
    /// What to do.
    const REMEDY: &str = "Remove them if you can.";
}

impl Rule for DiscouragedVmOptions {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("DiscouragedVmOptions")
            .title("Discouraged JVM options")
            .category(Category::Jvm)
            .description("Whether the JVM runs with discouraged options.")
            .formula("Worth a look if UnlockExperimentalVMOptions or IgnoreUnrecognizedVMOptions is on.")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.BooleanFlag")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let flags = ["UnlockExperimentalVMOptions", "IgnoreUnrecognizedVMOptions"];
        let on: Vec<&str> = flags.into_iter().filter(|f| facts.flag_on(f) == Some(true)).collect();
        if on.is_empty() {
            return Verdict::ok("The JVM runs without discouraged options");
        }
        Verdict::info(format!("The JVM runs with discouraged options: {}", on.join(", ")))
            .explain(DiscouragedVmOptions::WHY)
            .remedy(DiscouragedVmOptions::REMEDY)
            .with("options", Value::list("options", on))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn on_is_found() {
        let of = |value: bool| {
            Scene::new()
                .event(
                    "jdk.BooleanFlag",
                    0,
                    0,
                    [("name", "UnlockExperimentalVMOptions".into()), ("value", value.into())],
                )
                .verdict(&DiscouragedVmOptions)
                .severity
        };
        assert_eq!(of(true), Severity::Info);
        assert_eq!(of(false), Severity::Ok);
    }
}
