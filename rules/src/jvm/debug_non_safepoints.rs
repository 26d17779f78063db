//! `DebugNonSafepoints`: imprecise method samples.

use super::arguments::jvm_arguments;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Severity, Verdict};

/// Whether method samples are imprecise on JDK 8 and earlier. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DebugNonSafepoints;

impl DebugNonSafepoints {
    /// Why it matters.
    const WHY: &str = "Code between safepoints is attributed to the next safepoint, which may be in another method.";
    /// What to do.
    const REMEDY: &str = "Start with -XX:+UnlockDiagnosticVMOptions -XX:+DebugNonSafepoints.";
}

impl Rule for DebugNonSafepoints {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("DebugNonSafepoints")
            .title("DebugNonSafepoints is off")
            .category(Category::Recording)
            .description("Whether method samples are attributed to the right lines and inlined methods.")
            .formula(
                "Worth a look on JDK 8 and earlier without -XX:+DebugNonSafepoints, except with async-profiler, which \
                      has the same effect.",
            )
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.InitialSystemProperty")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let Some(version) = facts.jvm().specification else {
            return Verdict::not_applicable("the JVM version is unknown");
        };
        let words = jvm_arguments(facts);
        let on = words.contains(&"-XX:+DebugNonSafepoints") && !words.contains(&"-XX:-DebugNonSafepoints");
        // To watch the compilers as async-profiler does has the same effect.
        let names = facts.table("jdk.ActiveRecording").texts("name");
        let watched = names.into_iter().any(|name| name.starts_with("async-profiler"));
        if version >= 9 || on {
            return Verdict::ok("Method samples are as precise as the JVM can make them");
        }
        Verdict::info("Method samples may name the wrong line or inlined method")
            .explain(DebugNonSafepoints::WHY)
            .remedy(DebugNonSafepoints::REMEDY)
            .at_most(if watched { Severity::Ok } else { Severity::Info })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn only_old_versions_need_the_option() {
        let of = |version: &str, arguments: &str| {
            Scene::new()
                .event(
                    "jdk.JVMInformation",
                    0,
                    0,
                    [("jvmVersion", format!("JRE ({version})").as_str().into()), ("jvmArguments", arguments.into())],
                )
                .event("jdk.InitialSystemProperty", 0, 0, [("key", "a".into())])
                .verdict(&DebugNonSafepoints)
                .severity
        };
        assert_eq!(of("1.8.0_302-b08", ""), Severity::Info);
        assert_eq!(of("1.8.0_302-b08", "-XX:+DebugNonSafepoints"), Severity::Ok);
        assert_eq!(of("17.0.1+1", ""), Severity::Ok);
        assert_eq!(of("unknown", ""), Severity::NotApplicable);
    }
}
