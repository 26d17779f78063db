//! Agents in the JVM, shared by the rules on them.

use std::collections::BTreeSet;

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Value, Verdict};

pub(super) const JAVA: &str = "jdk.JavaAgent";
pub(super) const NATIVE: &str = "jdk.NativeAgent";

/// What [`agents`] reads.
pub(super) fn needs() -> Needs {
    let fields = &["name", "options", "dynamic"];
    Needs::new().enabled(JAVA).enabled(NATIVE).table(JAVA, fields).table(NATIVE, fields)
}

/// The agents of one kind, without duplicates: every chunk lists them again.
pub(super) fn agents<'f>(facts: &'f Facts, event: &str, dynamic_only: bool) -> BTreeSet<(&'f str, &'f str)> {
    let rows = facts.table(event).rows().filter(|r| !dynamic_only || r.flag("dynamic") == Some(true));
    rows.map(|r| (r.text("name").unwrap_or("?"), r.text("options").unwrap_or_default())).collect()
}

/// Options may contain secrets, so only names are shown.
pub(super) fn evidence(verdict: Verdict, java: &BTreeSet<(&str, &str)>, native: &BTreeSet<(&str, &str)>) -> Verdict {
    verdict
        .with("Java agents", Value::list("agents", java.iter().map(|(name, _)| *name)))
        .with("native agents", Value::list("agents", native.iter().map(|(name, _)| *name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jvm::{DynamicAgents, MultipleAgents};
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn scene(names: &[&str], dynamic: bool) -> Scene {
        names.iter().fold(Scene::new().enabled(JAVA).enabled(NATIVE), |s, name| {
            s.event(JAVA, 0, 0, [("name", (*name).into()), ("dynamic", dynamic.into())])
        })
    }

    #[test]
    fn agents_count_once_each() {
        assert_eq!(scene(&["a.jar", "b.jar"], false).verdict(&MultipleAgents).severity, Severity::Warning);
        assert_eq!(scene(&["a.jar", "a.jar"], false).verdict(&MultipleAgents).severity, Severity::Ok);
        assert_eq!(Scene::new().verdict(&MultipleAgents).severity, Severity::NotApplicable);
    }

    #[test]
    fn loaded_later() {
        assert_eq!(scene(&["a.jar"], true).verdict(&DynamicAgents).severity, Severity::Warning);
        assert_eq!(scene(&["a.jar"], false).verdict(&DynamicAgents).severity, Severity::Ok);
    }
}
