//! `FileWrite`: slow writes to files.

use super::longest::{Words, judge};
use crate::cost;
use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Verdict};

/// The longest write to a file. Needs no list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileWrite;

const WRITES: GroupBy =
    GroupBy::of(&["jdk.FileWrite"]).by(&["path", "stackTrace"]).measure(&["duration", "bytesWritten"]).histogram();
const WORDS: Words = Words {
    what: "written to a file",
    peer: "file",
    nameless: "standard output or a pipe",
    explanation: "The thread stands still until the system has taken what it writes.",
    remedy: "Write less, in larger pieces or in another thread (an asynchronous log appender); look at the disk.",
};

impl FileWrite {
    /// Why it matters.
    const WHY: &str = "While a thread waits for the disk it does nothing else, and whoever waits for it waits too.";
    /// What to do.
    const REMEDY: &str = "See which file it is, buffer writes, write from another thread, or use a faster disk.";
}

impl Rule for FileWrite {
    fn info(&self) -> RuleInfo {
        RuleInfo {
            title: "Slow file writes",
            category: Category::Io,
            description: "The longest write to a file.",
            formula: "25 for a longest write of half of `warning`, 75 at `warning`.",
            differences: "As in JMC one write decides; the evidence has percentiles and sums.",
            settings: const { &[Setting::seconds("warning", 4.0, "Write to act on")] },
            why: Self::WHY,
            remedy: Self::REMEDY,
            ..RuleInfo::jmc("FileWrite")
        }
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().enabled("jdk.FileWrite").groups(WRITES))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let warning = settings.number("warning");
        judge(facts, &WRITES, &WORDS, |_| true, |nanos| map2(nanos / 1e9, warning / 2.0, warning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_slow_write_is_found() {
        let of = |nanos: i64| Scene::new().event("jdk.FileWrite", 0, nanos, [("path", "/a".into())]).as_jmc(&FileWrite);
        assert_eq!(of(5_000_000_000), Severity::Warning);
        assert_eq!(of(1_000_000), Severity::Ok);
        assert_eq!(Scene::new().as_jmc(&FileWrite), Severity::NotApplicable);
    }
}
