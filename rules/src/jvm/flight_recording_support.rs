//! `FlightRecordingSupport`: JVMs that do not make reliable recordings.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Severity, Verdict};

/// Whether the JVM supports Flight Recorder. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlightRecordingSupport;

impl FlightRecordingSupport {
    /// Why it matters.
    const WHY: &str = "Events of such a JVM may be missing or wrong.";
    /// What to do.
    const REMEDY: &str = "Upgrade to a newer JDK.";
}

impl Rule for FlightRecordingSupport {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("FlightRecordingSupport")
            .title("Flight Recorder support")
            .category(Category::Recording)
            .description("Whether the JVM that made the recording supports Flight Recorder.")
            .formula("A warning before 7u40 and for early-access builds.")
            .unlike_jmc(
                "JMC warns about early-access builds. Some distributions label all of their builds early \
                          access, so jfrkit does not report them.",
            )
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
        let verdict = if !version.at_least(7, &[0, 40]) {
            Verdict::warning(format!("JDK {version} does not support Flight Recorder"))
                .remedy(FlightRecordingSupport::REMEDY)
        } else if version.early_access {
            Verdict::warning(format!("The JVM is an early-access build: {version}"))
                // Some distributions label all of their builds early access.
                .at_most(Severity::Ok)
                .explain(FlightRecordingSupport::WHY)
                .remedy("Use a released version, at least in production.")
        } else {
            Verdict::ok(format!("JDK {version} supports Flight Recorder"))
        };
        verdict.with("version", version.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn old_and_early_versions() {
        let of = |version: &str| {
            let line = format!("JRE ({version})");
            Scene::new()
                .event("jdk.JVMInformation", 0, 0, [("jvmVersion", line.as_str().into())])
                .as_jmc(&FlightRecordingSupport)
        };
        assert_eq!(of("1.7.0_30"), Severity::Warning);
        assert_eq!(of("28-ea+18"), Severity::Warning);
        assert_eq!(of("17.0.15+6"), Severity::Ok);
        assert_eq!(of("?"), Severity::NotApplicable);
    }

    #[test]
    fn jdk_7_before_its_update_40_is_a_warning() {
        let fields = [("jvmVersion", "JRE (1.7.0_30-b12)".into())];
        let scene = Scene::new().event("jdk.JVMInformation", 0, 0, fields);
        assert_eq!(scene.verdict(&FlightRecordingSupport).severity, Severity::Warning);
    }
}
