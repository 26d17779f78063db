//! `BytecodeVerification`: bytecode verification is off.

use super::arguments::jvm_arguments;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Verdict};

/// Whether bytecode verification is off. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BytecodeVerification;

impl BytecodeVerification {
    /// Why it matters.
    const WHY: &str = "Without verification, a corrupt or malicious class can crash the JVM or bypass its safety \
                       checks.";
    /// What to do.
    const REMEDY: &str = "Remove the option. For a faster startup, use class data sharing instead.";
}

impl Rule for BytecodeVerification {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("BytecodeVerification")
            .title("Bytecode verification")
            .category(Category::Security)
            .description("Whether the JVM runs classes without verifying them.")
            .formula("A warning with -Xverify:none or -noverify, unless the program is weblogic.Server.")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.JVMInformation")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let java = facts.table("jdk.JVMInformation");
        let java: Vec<&str> = java.texts("javaArguments").flat_map(str::split_whitespace).collect();
        let words = jvm_arguments(facts).into_iter().chain(java.iter().copied());
        let off = words.into_iter().find(|w| matches!(*w, "-Xverify:none" | "-noverify"));
        match off {
            Some(option) if !java.iter().any(|w| w.contains("weblogic.Server")) => {
                Verdict::warning(format!("Bytecode verification is off: {option}"))
                    .explain(BytecodeVerification::WHY)
                    .remedy(BytecodeVerification::REMEDY)
                    .with("option", option)
            }
            _ => Verdict::ok("Bytecode verification is on"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn off_is_found_except_for_weblogic() {
        let of = |jvm: &str, java: &str| {
            Scene::new()
                .event("jdk.JVMInformation", 0, 0, [("jvmArguments", jvm.into()), ("javaArguments", java.into())])
                .verdict(&BytecodeVerification)
                .severity
        };
        assert_eq!(of("-Xmx1g -Xverify:none", "a.B"), Severity::Warning);
        assert_eq!(of("-Xmx1g", "a.B"), Severity::Ok);
        assert_eq!(of("-noverify", "weblogic.Server"), Severity::Ok);
    }
}
