//! `Options`: JVM options that are deprecated, removed or undocumented.

use super::arguments::jvm_arguments;
use super::deprecated::{Deprecation, Since, X, XX};
use super::documented::{JDK7, JDK8};
use jfr_analyzers::events::{Facts, JvmVersion, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::units;

/// Whether options are deprecated or undocumented. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options;

impl Options {
    /// Why it matters.
    const WHY: &str = "Such options have stopped working, or will stop in one of the next JDKs.";
    /// What to do.
    const REMEDY: &str = "Remove them, or replace them as the JDK release notes recommend.";
}

impl Rule for Options {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("Options")
            .title("JVM options")
            .category(Category::Jvm)
            .description("Whether options are deprecated, no longer have an effect, or are undocumented.")
            .formula(
                "The highest of: 100 for a removed option, 74 for one without effect, 50 for a deprecated one, \
                      24 for one that will be deprecated, 50 for an undocumented one (JDK 7 and 8 only).",
            )
            .unlike_jmc(
                "JMC's list ends at JDK 24; this one extends to JDK 25. JMC takes the score of options that \
                          are not recommended from a second list. That list is empty, so jfrkit has no such score.",
            )
            .settings(const { &[Setting::regex("accepted", "^DebugNonSafepoints$", "Undocumented options to accept")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.JVMInformation")
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        if facts.table("jdk.JVMInformation").texts("jvmArguments").next().is_none() {
            return Verdict::not_applicable("the recording does not contain the JVM options");
        }
        verdict(&measure(facts, settings))
    }
}

/// The options that are not as they should be, with what is wrong and a score, the worst first.
fn measure<'f>(facts: &'f Facts, settings: &Settings) -> Vec<(&'f str, &'static str, f64)> {
    let version = facts.jvm().version.as_ref();
    let documented = match facts.jvm().specification {
        Some(7) => Some(JDK7),
        Some(8) => Some(JDK8),
        _ => None,
    };
    let mut found: Vec<(&str, &str, f64)> = Vec::new();
    for word in jvm_arguments(facts) {
        let (entry, name) = match (xx_name(word), word.strip_prefix("-X")) {
            (Some(name), _) => (XX.iter().find(|d| d.names.contains(&name)), name),
            (None, Some(name)) => (X.iter().find(|d| d.names.iter().any(|p| name.starts_with(p))), name),
            (None, None) => continue,
        };
        if let (Some(entry), Some(version)) = (entry, version)
            && let Some((what, score)) = fate(entry, version)
        {
            found.push((word, what, score));
        }
        if let (Some(list), Some(_)) = (documented, xx_name(word))
            && !list.contains(&name)
            && !settings.matches("accepted", name)
        {
            found.push((word, "not documented", 50.0));
        }
    }
    found.sort_by(|a, b| b.2.total_cmp(&a.2));
    found
}

fn verdict(found: &[(&str, &str, f64)]) -> Verdict {
    let Some((_, _, score)) = found.first() else {
        return Verdict::ok("All JVM options are documented and up to date");
    };
    let summary = format!(
        "{} deprecated, without effect or undocumented",
        units::things(found.len() as u64, "JVM option is", "JVM options are")
    );
    // The value may be a secret, and it does not matter here.
    let rows = found.iter().map(|(word, what, _)| [word.split('=').next().unwrap_or_default().into(), (*what).into()]);
    Verdict::scored(*score, summary)
        .explain(Options::WHY)
        .remedy(Options::REMEDY)
        .at_most(Severity::Info)
        .with("options", Value::table(["option", "state"], rows))
}

/// The name of a `-XX:` option.
fn xx_name(word: &str) -> Option<&str> {
    let rest = word.strip_prefix("-XX:")?;
    let rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    rest.split(['=', ':']).next()
}

/// The state of an option in a version, and its score.
fn fate(entry: &Deprecation, version: &JvmVersion) -> Option<(&'static str, f64)> {
    let reached = |since: Option<Since>| since.is_some_and(|(major, rest)| version.at_least(major, rest));
    let planned = [entry.deprecated, entry.obsolete, entry.removed].iter().any(Option::is_some);
    if reached(entry.removed) {
        Some(("removed", 100.0))
    } else if reached(entry.obsolete) {
        Some(("without effect", 74.0))
    } else if reached(entry.deprecated) {
        Some(("deprecated", 50.0))
    } else {
        planned.then_some(("will be deprecated", 24.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    fn of(version: &str, arguments: &str) -> Severity {
        let line = format!("JRE ({version})");
        Scene::new()
            .event(
                "jdk.JVMInformation",
                0,
                0,
                [("jvmVersion", line.as_str().into()), ("jvmArguments", arguments.into())],
            )
            .as_jmc(&Options)
    }

    #[test]
    fn the_version_decides() {
        assert_eq!(of("17.0.1", "-XX:+UseConcMarkSweepGC"), Severity::Warning);
        assert_eq!(of("14.0.1", "-XX:+UseConcMarkSweepGC"), Severity::Info);
        assert_eq!(of("11.0.1", "-XX:+UseConcMarkSweepGC"), Severity::Ok);
        assert_eq!(of("11.0.17", "-XX:+UseContainerCpuShares"), Severity::Info);
        assert_eq!(of("13.0.1", "-Xverify:none"), Severity::Info);
        assert_eq!(of("17.0.1", "-XX:+UseG1GC -Xmx1g -Da=b"), Severity::Ok);
        assert_eq!(of("17.0.1", ""), Severity::Ok);
        let unknown = Scene::new().event("jdk.JVMInformation", 0, 0, [("jvmName", "a".into())]);
        assert_eq!(unknown.as_jmc(&Options), Severity::NotApplicable);
    }

    #[test]
    fn undocumented_options_of_old_versions() {
        assert_eq!(of("1.8.0_302", "-XX:+SomethingStrange"), Severity::Info);
        assert_eq!(of("1.8.0_302", "-XX:+DebugNonSafepoints"), Severity::Ok);
        assert_eq!(of("17.0.1", "-XX:+SomethingStrange"), Severity::Ok);
    }
}
