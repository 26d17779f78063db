//! `JfrPeriodicEventsFix`: a JVM that drops periodic events.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Severity, Verdict};

/// Whether the JVM has the fix for periodic events. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JfrPeriodicEventsFix;

impl JfrPeriodicEventsFix {
    /// Why it matters.
    const WHY: &str =
        "JDK 8 before 8u302 emits some periodic events too rarely, so rules that need them miss problems.";
    /// What to do.
    const REMEDY: &str = "Upgrade to 8u302 or later.";
}

impl Rule for JfrPeriodicEventsFix {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("JfrPeriodicEventsFix")
            .title("Periodic events of JDK 8")
            .category(Category::Recording)
            .description("Whether the JVM may drop periodic events.")
            .formula("A warning for OpenJDK before 8u302.")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.JVMInformation")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let Some(version) = &facts.jvm().version else {
            return Verdict::not_applicable("the JVM version is unknown");
        };
        let open = facts.jvm().name.as_deref().is_some_and(|n| n.starts_with("OpenJDK"));
        if !open || version.at_least(8, &[0, 302]) {
            return Verdict::ok("Periodic events are reliable");
        }
        Verdict::warning(format!("OpenJDK {version} may drop periodic events"))
            .remedy(JfrPeriodicEventsFix::REMEDY)
            .at_most(Severity::Info)
            .with("version", version.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn only_old_builds_of_openjdk() {
        let of = |name: &str, version: &str| {
            let line = format!("JRE ({version})");
            Scene::new()
                .event("jdk.JVMInformation", 0, 0, [("jvmName", name.into()), ("jvmVersion", line.as_str().into())])
                .as_jmc(&JfrPeriodicEventsFix)
        };
        assert_eq!(of("OpenJDK 64-Bit Server VM", "1.8.0_292-b10"), Severity::Warning);
        assert_eq!(of("OpenJDK 64-Bit Server VM", "1.8.0_302-b08"), Severity::Ok);
        assert_eq!(of("Java HotSpot(TM) 64-Bit Server VM", "1.8.0_292-b10"), Severity::Ok);
    }

    #[test]
    fn an_old_jdk_8_is_worth_a_look() {
        let fields = [("jvmName", "OpenJDK 64-Bit Server VM".into()), ("jvmVersion", "JRE (1.8.0_292-b10)".into())];
        let scene = Scene::new().event("jdk.JVMInformation", 0, 0, fields);
        assert_eq!(scene.verdict(&JfrPeriodicEventsFix).severity, Severity::Info);
    }
}
