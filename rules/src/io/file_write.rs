//! `FileWrite`: slow file writes.

use super::longest::{FILE_KEYS, Words, judge};
use crate::blocked::{BLOCKED, of_event};
use crate::cost;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::map2;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Verdict};

/// The longest write to a file. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileWrite;

const WORDS: Words = Words {
    what: "write to a file",
    peer: "file",
    nameless: "standard output or a pipe",
    explanation: "The thread blocks until the operating system has accepted the data.",
    remedy: "Write less, write in larger chunks, or write in another thread (an asynchronous log appender). Check \
             the disk.",
};

impl FileWrite {
    /// Why it matters.
    const WHY: &str = "A thread that waits for the disk does nothing else, and everything that waits for the thread \
                       waits too.";
    /// What to do.
    const REMEDY: &str = "Find out which file it is. Buffer writes, write in another thread, or use a faster disk.";
}

impl Rule for FileWrite {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("FileWrite")
            .title("Slow file writes")
            .category(Category::Io)
            .description("The longest write to a file.")
            .formula("25 if the longest write takes half of `warning`, 75 at `warning`.")
            .as_in_jmc("A single write decides; jfrkit adds percentiles and sums to the evidence.")
            .settings(const { &[Setting::seconds("warning", 4.0, "Write to act on")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().enabled("jdk.FileWrite").shared_groups(BLOCKED, &["jdk.FileWrite"]))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let warning = settings.number("warning");
        judge(
            facts,
            &of_event(facts, "jdk.FileWrite"),
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
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::{Scene, stack};

    #[test]
    fn a_slow_write_is_found() {
        let of = |nanos: i64| Scene::new().event("jdk.FileWrite", 0, nanos, [("path", "/a".into())]).as_jmc(&FileWrite);
        assert_eq!(of(5_000_000_000), Severity::Warning);
        assert_eq!(of(1_000_000), Severity::Ok);
        assert_eq!(Scene::new().as_jmc(&FileWrite), Severity::NotApplicable);
    }

    #[test]
    fn the_file_of_the_longest_write_is_named() {
        let write = |scene: Scene, path: &str, from: i64, to: i64| {
            let at = stack(&["java.io.FileOutputStream.write", "shop.Journal.append"]);
            let fields = [("path", path.into()), ("bytesWritten", 4_096.into()), ("stackTrace", at)];
            scene.event("jdk.FileWrite", from, to, fields)
        };
        let scene = write(Scene::new(), "/var/journal", 0, 5_000_000_000);
        assert_eq!(write(scene, "/tmp/x", 10, 20).verdict(&FileWrite).severity, Severity::Info);
    }
}
