//! `MultipleAgents`: several agents in the JVM.

use super::agents::{JAVA, NATIVE, agents, evidence, needs};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Verdict};

/// Whether more than one agent is loaded into the JVM. Needs the agent events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MultipleAgents;

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
                const {
                    &[
                        Setting::count("java", 1.0, "Java agents that may be loaded"),
                        Setting::count("native", 1.0, "Native agents that may be loaded"),
                    ]
                },
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
