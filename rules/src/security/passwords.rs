//! Names that look like passwords, shared by the rules on them. Values are never shown.

use std::collections::BTreeSet;

use crate::tally::distinct;
use jfr_analyzers::events::Facts;
use jfr_analyzers::rule::{Setting, Settings, Value, Verdict};

pub(super) const FORMULA: &str = "A warning if a name contains `passw` in any case and `exclude` does not match it.";
pub(super) const WHY: &str = "Anyone who can read the recording or list the machine's processes can read them.";
pub(super) const REMEDY: &str = "Supply passwords in files or through a vault, and do not share this recording.";
pub(super) const EXCLUDE: Setting = Setting::regex("exclude", r"(?i)(passworld|passwise)", "Names to ignore");

/// Whether a name or an argument looks like a password.
pub(super) fn is_suspicious(text: &str) -> bool {
    text.to_lowercase().contains("passw")
}

/// The verdict on what was found; the words are for one and for many.
pub(super) fn found([one, many]: [&str; 2], names: BTreeSet<String>) -> Verdict {
    let summary = match names.len() {
        0 => return Verdict::ok(format!("No {one} looks like a password")),
        1 => format!("1 {one} looks like a password"),
        n => format!("{n} {many} look like passwords"),
    };
    Verdict::warning(summary).explain(WHY).remedy(REMEDY).with("names", Value::list("names", names))
}

/// The keys of an event that look like passwords.
pub(super) fn names(facts: &Facts, event: &'static str, settings: &Settings) -> BTreeSet<String> {
    // Any number of events may refer to one text.
    let keys = distinct(facts.table(event).texts("key"));
    keys.filter(|key| is_suspicious(key) && !settings.matches("exclude", key)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::security::{PasswordsInArguments, PasswordsInEnvironment, PasswordsInSystemProperties};
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::{Rule, Severity};
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
