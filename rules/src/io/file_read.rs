//! `FileRead`: slow file reads.

use super::longest::{FILE_KEYS, Words, judge};
use crate::blocked::{BLOCKED, of_event};
use crate::cost;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Verdict};

/// The longest read from a file. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileRead;

const WORDS: Words = Words {
    what: "read from a file",
    peer: "file",
    nameless: "standard input or a pipe",
    explanation: "The thread blocks until the disk, or the network behind it, delivers the data.",
    remedy: "Read less, read ahead, or read in another thread. Check the disk; network file systems are a frequent \
             cause.",
};

impl FileRead {
    /// Why it matters.
    const WHY: &str = "A thread that waits for the disk does nothing else, and everything that waits for the thread \
                       waits too.";
    /// What to do.
    const REMEDY: &str = "Find out which file it is. Read it once and cache it, read it in larger chunks, or use a \
                          faster disk.";
}

impl Rule for FileRead {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("FileRead")
            .title("Slow file reads")
            .category(Category::Io)
            .description("The longest read of a file.")
            .formula("25 if the longest read takes half of `warning`, 75 at `warning`.")
            .as_in_jmc("A single read decides; jfrkit adds percentiles and sums to the evidence.")
            .settings(const { &[Setting::seconds("warning", 4.0, "Read to act on")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().enabled("jdk.FileRead").shared_groups(BLOCKED, &["jdk.FileRead"]))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let warning = settings.number("warning");
        judge(
            facts,
            &of_event(facts, "jdk.FileRead"),
            FILE_KEYS,
            &WORDS,
            |_| true,
            |nanos| map2(nanos / 1e9, warning / 2.0, warning),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_slow_read_is_found() {
        let of = |nanos: i64| Scene::new().event("jdk.FileRead", 0, nanos, [("path", "/a".into())]).as_jmc(&FileRead);
        assert_eq!(of(5_000_000_000), Severity::Warning);
        assert_eq!(of(2_500_000_000), Severity::Info);
        assert_eq!(of(1_000_000), Severity::Ok);
        assert_eq!(Scene::new().enabled("jdk.FileRead").as_jmc(&FileRead), Severity::Ok);
    }
}
