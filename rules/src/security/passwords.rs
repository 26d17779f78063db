//! `PasswordsInArguments`, `PasswordsInEnvironment`, `PasswordsInSystemProperties`: secrets that anyone can read.
//! Values are never shown.

use std::collections::BTreeSet;

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};

/// Whether program arguments look like passwords. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PasswordsInArguments;

/// Whether environment variables look like passwords. Needs the environment variable events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PasswordsInEnvironment;

/// Whether system properties look like passwords. Needs the system property events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PasswordsInSystemProperties;

const FORMULA: &str = "A warning if a name contains `passw` in any case and `exclude` does not match it.";
const WHY: &str = "Anyone who can read the recording or list the machine's processes can read them.";
const REMEDY: &str = "Supply passwords in files or through a vault, and do not share this recording.";
const EXCLUDE: Setting = Setting::regex("exclude", r"(?i)(passworld|passwise)", "Names to ignore");

fn is_suspicious(text: &str) -> bool {
    text.to_lowercase().contains("passw")
}

fn found([one, many]: [&str; 2], names: BTreeSet<String>) -> Verdict {
    let summary = match names.len() {
        0 => return Verdict::ok(format!("No {one} looks like a password")),
        1 => format!("1 {one} looks like a password"),
        n => format!("{n} {many} look like passwords"),
    };
    Verdict::warning(summary).explain(WHY).remedy(REMEDY).with("names", Value::list("names", names))
}

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

fn names(facts: &Facts, event: &'static str, settings: &Settings) -> BTreeSet<String> {
    let keys = facts.table(event);
    let keys = keys.texts("key").filter(|k| is_suspicious(k) && !settings.matches("exclude", k));
    keys.map(str::to_owned).collect()
}

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn arguments_are_found_and_never_shown() {
        let of = |arguments: &str| {
            Scene::new()
                .event("jdk.JVMInformation", 0, 0, [("javaArguments", arguments.into())])
                .verdict(&PasswordsInArguments)
        };
        let verdict = of("app.jar --db-Password=geheim1 user:passwd:geheim2");
        assert_eq!(verdict.severity, Severity::Warning);
        assert!(!format!("{verdict:?}").contains("geheim"), "{verdict:?}");
        assert_eq!(of("app.jar --user=me").severity, Severity::Ok);
        assert_eq!(of("app.jar --site=passworld").severity, Severity::Ok);
    }

    #[test]
    fn names_of_variables_and_properties() {
        let of = |event: &str, key: &str, rule: &dyn Rule| {
            Scene::new().event(event, 0, 0, [("key", key.into()), ("value", "geheim".into())]).verdict(rule)
        };
        let variable = of("jdk.InitialEnvironmentVariable", "DB_PASSWORD", &PasswordsInEnvironment);
        assert_eq!(variable.severity, Severity::Warning);
        assert!(!format!("{variable:?}").contains("geheim"));
        let property = of("jdk.InitialSystemProperty", "my.passwd", &PasswordsInSystemProperties);
        assert_eq!(property.severity, Severity::Warning);
        assert!(!format!("{property:?}").contains("geheim"));
        let harmless = of("jdk.InitialSystemProperty", "user.name", &PasswordsInSystemProperties);
        assert_eq!(harmless.severity, Severity::Ok);
    }
}
