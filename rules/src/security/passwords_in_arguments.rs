//! `PasswordsInArguments`: passwords in the arguments of the program, which anyone can read.

use super::passwords::{EXCLUDE, FORMULA, REMEDY, WHY, found, is_suspicious};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Verdict};

/// Whether program arguments look like passwords. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PasswordsInArguments;

impl Rule for PasswordsInArguments {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("PasswordsInArguments")
            .title("Passwords in arguments")
            .category(Category::Security)
            .description("Whether the program arguments contain passwords.")
            .why(WHY)
            .remedy(REMEDY)
            .formula(FORMULA)
            .settings(const { &[EXCLUDE] })
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.JVMInformation")
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let table = facts.table("jdk.JVMInformation");
        let arguments = table.texts("javaArguments").filter(|a| !settings.matches("exclude", a));
        let words = arguments.flat_map(str::split_whitespace).filter(|w| is_suspicious(w));
        // A name ends where its value begins. A word without a separator may itself be a password.
        let name = |word: &str| match word.find(['=', ':']) {
            Some(at) => format!("{}[hidden]", word.get(..=at).unwrap_or_default()),
            None if word.starts_with('-') => word.to_owned(),
            None => "[hidden]".to_owned(),
        };
        found(["argument", "arguments"], words.map(name).collect())
    }
}
