//! `FlightRecordingSupport`: JVMs whose recordings are not reliable.

use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Severity, Verdict};

/// Whether the JVM's recordings are supported. Needs no list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlightRecordingSupport;

impl FlightRecordingSupport {
    /// Why it matters.
    const WHY: &str = "What it records may change or be wrong.";
    /// What to do.
    const REMEDY: &str = "Use a newer JDK.";
}

impl Rule for FlightRecordingSupport {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "Flight Recorder support",
            category: Category::Recording,
            description: "Whether the recording comes from a JVM whose recordings are supported.",
            formula: "To act on before 7u40 and for early access builds.",
            differences: "JMC warns of early access builds; some distributions call all their builds so, and it is no finding here.",
            why: Self::WHY,
            remedy: Self::REMEDY,
            ..RuleInfo::jmc("FlightRecordingSupport")
        }
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.JVMInformation")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let Some(version) = &facts.jvm().version else {
            return Verdict::not_applicable("the version of the JVM is not known");
        };
        let verdict = if !version.at_least(7, &[0, 40]) {
            Verdict::warning(format!("Recordings of {version} are not supported"))
                .remedy(FlightRecordingSupport::REMEDY)
        } else if version.early_access {
            Verdict::warning(format!("The JVM is an early access build: {version}"))
                // Some distributions call all their builds so.
                .at_most(Severity::Ok)
                .explain(FlightRecordingSupport::WHY)
                .remedy("Use a release, at least in production.")
        } else {
            Verdict::ok(format!("Recordings of {version} are supported"))
        };
        verdict.with("version", version.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
}
