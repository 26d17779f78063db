//! `PasswordsInEnvironment`: passwords in environment variables.

use super::passwords::{EXCLUDE, FORMULA, REMEDY, WHY, found, names};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Verdict};

/// Whether environment variables look like passwords. Needs the environment variable events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PasswordsInEnvironment;

impl Rule for PasswordsInEnvironment {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("PasswordsInEnvironment")
            .title("Passwords in the environment")
            .category(Category::Security)
            .description("Whether environment variables contain passwords.")
            .why(WHY)
            .remedy(REMEDY)
            .formula(FORMULA)
            .settings(const { &[EXCLUDE] })
    }

    fn needs(&self) -> Needs {
        // The rule does not need the values, so it does not read them.
        Needs::new().available("jdk.InitialEnvironmentVariable").table("jdk.InitialEnvironmentVariable", &["key"])
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        found(
            ["environment variable", "environment variables"],
            names(facts, "jdk.InitialEnvironmentVariable", settings),
        )
    }
}
