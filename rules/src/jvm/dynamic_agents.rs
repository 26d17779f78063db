//! `DynamicAgents`: agents that were attached to the running JVM.

use super::agents::{JAVA, NATIVE, agents, evidence, needs};
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Verdict};
use jfrkit_profile::units;

/// Whether agents were attached to the running JVM. Needs the agent events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DynamicAgents;

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
