//! `MultipleAgents`, `DynamicAgents`: agents in the JVM.

use std::collections::BTreeSet;

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::units;

/// Whether more than one agent is loaded into the JVM. Needs the agent events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MultipleAgents;

/// Whether agents were attached to the running JVM. Needs the agent events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DynamicAgents;

const JAVA: &str = "jdk.JavaAgent";
const NATIVE: &str = "jdk.NativeAgent";

fn needs() -> Needs {
    let fields = &["name", "options", "dynamic"];
    Needs::new().enabled(JAVA).enabled(NATIVE).table(JAVA, fields).table(NATIVE, fields)
}

/// The agents of one kind, without duplicates: every chunk lists them again.
fn agents<'f>(facts: &'f Facts, event: &str, dynamic_only: bool) -> BTreeSet<(&'f str, &'f str)> {
    let rows = facts.table(event).rows().filter(|r| !dynamic_only || r.flag("dynamic") == Some(true));
    rows.map(|r| (r.text("name").unwrap_or("?"), r.text("options").unwrap_or_default())).collect()
}

/// Options may contain secrets, so only names are shown.
fn evidence(verdict: Verdict, java: &BTreeSet<(&str, &str)>, native: &BTreeSet<(&str, &str)>) -> Verdict {
    verdict
        .with("Java agents", Value::list("agents", java.iter().map(|(name, _)| *name)))
        .with("native agents", Value::list("agents", native.iter().map(|(name, _)| *name)))
}

impl MultipleAgents {
    /// Why it matters.
    const WHY: &str = "Agents rewrite classes. Several of them can interfere with each other, and each one adds \
                       overhead.";
    /// What to do.
    const REMEDY: &str = "Remove the agents that you do not need.";
}

impl Rule for MultipleAgents {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("MultipleAgents")
            .title("Several agents")
            .category(Category::Jvm)
            .description("Whether more than one agent is loaded into the JVM.")
            .formula(
                "A warning if there are more than `java` Java agents or more than `native` native agents; the \
                      score is 55.",
            )
            .unlike_jmc(
                "JMC counts events, so each chunk counts an agent again; jfrkit counts agents. JMC also \
                          applies the limit for Java agents to native agents.",
            )
            .settings(
                const { &[Setting::count("java", 1.0, "Java agents"), Setting::count("native", 1.0, "Native agents")] },
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        needs()
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let (java, native) = (agents(facts, JAVA, false), agents(facts, NATIVE, false));
        let summary = format!("{} Java agents and {} native agents are loaded", java.len(), native.len());
        let many = java.len() as f64 > settings.number("java") || native.len() as f64 > settings.number("native");
        if !many {
            return evidence(Verdict::ok(summary), &java, &native);
        }
        let verdict = Verdict::warning(summary).score(55.0).explain(MultipleAgents::WHY).remedy(MultipleAgents::REMEDY);
        evidence(verdict, &java, &native)
    }
}

impl DynamicAgents {
    /// Why it matters.
    const WHY: &str = "Future JDKs will disallow attaching agents at run time by default.";
    /// What to do.
    const REMEDY: &str =
        "Load agents at startup (-javaagent, -agentpath), or allow it with -XX:+EnableDynamicAgentLoading.";
}

impl Rule for DynamicAgents {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("DynamicAgents")
            .title("Agents attached at run time")
            .category(Category::Jvm)
            .description("Whether agents were attached to the running JVM.")
            .formula("A warning if any agent was attached at run time; the score is 75.")
            .unlike_jmc("JMC counts events, so each chunk counts an agent again; jfrkit counts agents.")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        needs()
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let (java, native) = (agents(facts, JAVA, true), agents(facts, NATIVE, true));
        if java.is_empty() && native.is_empty() {
            return Verdict::ok("No agent was attached at run time");
        }
        let verdict = Verdict::warning(format!(
            "{} attached at run time",
            units::things((java.len() + native.len()) as u64, "agent was", "agents were")
        ))
        .score(75.0)
        .explain(DynamicAgents::WHY)
        .remedy(DynamicAgents::REMEDY);
        evidence(verdict, &java, &native)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
