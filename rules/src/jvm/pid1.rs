//! `PID1Rule`: the JVM is the container's first process.

use std::collections::BTreeSet;

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Severity, Verdict};

/// Whether the JVM is process 1. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pid1;

impl Pid1 {
    /// Why it matters.
    const WHY: &str = "Process 1 must reap orphaned processes and has no default signal handling.";
    /// What to do.
    const REMEDY: &str = "Start the JVM under an init process such as tini (docker run --init).";
}

impl Rule for Pid1 {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("PID1Rule")
            .title("JVM runs as PID 1")
            .category(Category::Environment)
            .description("Whether the JVM is the first process of its container.")
            .formula("A warning if the process ID is 1.")
            .unlike_jmc(
                "JMC always warns. Process 1 is normal in a container and costs nothing, so jfrkit reports \
                          it as worth a look before JDK 10, whose tools cannot attach to it, and not at all from JDK \
                          10 on.",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.JVMInformation")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let pids: BTreeSet<i64> = facts.table("jdk.JVMInformation").ints("pid").collect();
        let attaches = facts.jvm().version.as_ref().is_some_and(|v| v.at_least(10, &[]));
        match pids.first() {
            None => Verdict::not_applicable("the recording does not contain the process ID"),
            Some(_) if pids.len() > 1 => Verdict::not_applicable("the recording covers several processes"),
            // From JDK 10 on, tools can attach to process 1.
            Some(1) => Verdict::warning("The JVM is process 1 of its container")
                .at_most(if attaches { Severity::Ok } else { Severity::Info })
                .explain(Pid1::WHY)
                .remedy(Pid1::REMEDY),
            Some(_) => Verdict::ok("The JVM is not process 1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn process_one() {
        let of = |pids: &[i64]| {
            let scene = Scene::new().event("jdk.JVMInformation", 0, 0, [("jvmName", "a".into())]);
            pids.iter().fold(scene, |s, p| s.event("jdk.JVMInformation", 0, 0, [("pid", (*p).into())])).as_jmc(&Pid1)
        };
        assert_eq!(of(&[1]), Severity::Warning);
        assert_eq!(of(&[77]), Severity::Ok);
        assert_eq!(of(&[1, 2]), Severity::NotApplicable);
        assert_eq!(of(&[]), Severity::NotApplicable);
    }
}
