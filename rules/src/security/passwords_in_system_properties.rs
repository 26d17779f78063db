//! `PasswordsInSystemProperties`: passwords in system properties.

use super::passwords::{EXCLUDE, FORMULA, REMEDY, WHY, found, names};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Verdict};

/// Whether system properties look like passwords. Needs the system property events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PasswordsInSystemProperties;

impl Rule for PasswordsInSystemProperties {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("PasswordsInSystemProperties")
            .title("Passwords in system properties")
            .category(Category::Security)
            .description("Whether system properties contain passwords.")
            .why(WHY)
            .remedy(REMEDY)
            .formula(FORMULA)
            .settings(const { &[EXCLUDE] })
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.InitialSystemProperty")
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        found(["system property", "system properties"], names(facts, "jdk.InitialSystemProperty", settings))
    }
}
