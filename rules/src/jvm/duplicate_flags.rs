//! `DuplicateFlags`: options that are set twice.

use std::collections::BTreeMap;

use super::arguments::by_jvm;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Settings, Value, Verdict};
use jfrkit_profile::units::things;

/// Whether an option is set more than once. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DuplicateFlags;

/// Options with the same meaning.
const SAME: &[(&str, &str)] = &[
    ("Xbatch", "BackgroundCompilation"),
    ("Xmaxjitcodesize", "ReservedCodeCacheSize"),
    ("Xmx", "MaxHeapSize"),
    ("Xmn", "NewSize"),
    ("Xms", "InitialHeapSize"),
    ("Xss", "ThreadStackSize"),
    ("Xusealtsigs", "UseAltSigs"),
    ("cp", "classpath"),
    ("esa", "enablesystemassertions"),
    ("dsa", "disablesystemassertions"),
    ("Xconcgc", "UseConcMarkSweepGC"),
    ("Xnoconcgc", "UseConcMarkSweepGC"),
    ("Xnoclassgc", "ClassUnloading"),
    ("Xminf", "MinHeapFreeRatio"),
    ("Xmaxf", "MaxHeapFreeRatio"),
    ("Xrs", "ReduceSignalUsage"),
    ("Dcom.sun.management", "ManagementServer"),
    ("Xshare:dump", "DumpSharedSpaces"),
    ("Xboundthreads", "UseBoundThreads"),
    ("AlwaysTenure", "NeverTenure"),
    ("ResizeTLE", "ResizeTLAB"),
    ("PrintTLE", "PrintTLAB"),
    ("TLESize", "TLABSize"),
    ("UseTLE", "UseTLAB"),
    ("UsePermISM", "UseISM"),
    ("G1MarkStackSize", "CMSMarkStackSize"),
    ("DisplayVMOutputToStderr", "DisplayVMOutputToStdout"),
    ("Xverify", "BytecodeVerificationLocal"),
    ("Xverify", "BytecodeVerificationRemote"),
    ("DefaultMaxRAMFraction", "MaxRAMFraction"),
    ("CMSMarkStackSizeMax", "MarkStackSizeMax"),
    ("ParallelMarkingThreads", "ConcGCThreads"),
    ("ParallelCMSThreads", "ConcGCThreads"),
    ("CreateMinidumpOnCrash", "CreateCoredumpOnCrash"),
];

impl DuplicateFlags {
    /// Why it matters.
    const WHY: &str = "The last value wins, which is easy to miss.";
    /// What to do.
    const REMEDY: &str = "Set each option once.";
}

impl Rule for DuplicateFlags {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("DuplicateFlags")
            .title("Duplicate JVM flags")
            .category(Category::Jvm)
            .description("Whether a JVM option is set more than once, perhaps with different values.")
            .formula("Worth a look if two options have the same name or the same meaning (-Xmx and -XX:MaxHeapSize).")
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        Needs::new().available("jdk.JVMInformation")
    }

    fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
        let mut by_name: BTreeMap<(usize, String), Vec<&str>> = BTreeMap::new();
        for (jvm, words) in by_jvm(facts).into_iter().enumerate() {
            for word in words {
                let name = name(word);
                let meaning = SAME.iter().find(|(a, _)| *a == name).map_or(name.as_str(), |(_, b)| *b).to_owned();
                by_name.entry((jvm, meaning)).or_default().push(word);
            }
        }
        by_name.retain(|_, words| words.len() > 1);
        if by_name.is_empty() {
            return Verdict::ok("No option is set twice");
        }
        let rows =
            by_name.iter().map(|((_, name), words)| [name.as_str().into(), Value::count(words.len() as u64, "times")]);
        let number = u64::try_from(by_name.len()).unwrap_or(u64::MAX);
        Verdict::info(things(number, "option is set more than once", "options are set more than once"))
            .explain(DuplicateFlags::WHY)
            .remedy(DuplicateFlags::REMEDY)
            .with("options", Value::table(["option", "times"], rows))
    }
}

/// The name of an option, without its value.
fn name(word: &str) -> String {
    if ["-verbose", "--add-exports", "--add-opens"].iter().any(|p| word.contains(p)) {
        return word.to_owned();
    }
    let mut parts = word.splitn(2, [':', '=']);
    let head = parts.next().unwrap_or_default();
    let name = match (head, parts.next()) {
        ("-XX", Some(rest)) => {
            let rest = rest.split('=').next().unwrap_or_default();
            rest.strip_prefix(['+', '-']).unwrap_or(rest)
        }
        ("-javaagent" | "-agentlib" | "-agentpath" | "-agent", Some(rest)) => {
            rest.split('=').next().unwrap_or_default()
        }
        _ => head.strip_prefix('-').unwrap_or(head),
    };
    let sized = ["Xmaxjitcodesize", "Xmx", "Xms", "Xmn", "Xss"];
    sized.into_iter().find(|p| name.starts_with(p)).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn names_of_options() {
        for (word, expected) in [
            ("-XX:+UseG1GC", "UseG1GC"),
            ("-XX:MaxHeapSize=1g", "MaxHeapSize"),
            ("-Xmx4g", "Xmx"),
            ("-javaagent:/a.jar=x=y", "/a.jar"),
            ("-Dkey=value", "Dkey"),
            ("--add-opens=a/b=c", "--add-opens=a/b=c"),
        ] {
            assert_eq!(name(word), expected);
        }
    }

    #[test]
    fn the_same_and_the_equivalent() {
        let of = |arguments: &str| {
            Scene::new()
                .event("jdk.JVMInformation", 0, 0, [("jvmArguments", arguments.into())])
                .verdict(&DuplicateFlags)
                .severity
        };
        assert_eq!(of("-Xmx1g -Xms1g -Xmx2g"), Severity::Info);
        assert_eq!(of("-Xmx1g -XX:MaxHeapSize=2g"), Severity::Info);
        assert_eq!(of("-Xmx1g -Xms1g --add-opens=a --add-opens=b"), Severity::Ok);
    }
}
