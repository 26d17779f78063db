//! `FileForce`: slow syncs to disk.

use super::longest::{FILE_KEYS, Words, judge};
use crate::blocked::{BLOCKED, of_event};
use crate::cost;
use jfr_analyzers::events::{Facts, Needs};
use jfr_analyzers::math::map_exp74;
use jfr_analyzers::rule::{Category, Rule, RuleInfo, Setting, Settings, Verdict};

/// The longest sync to disk. Needs no event table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileForce;

const WORDS: Words = Words {
    what: "sync to disk",
    peer: "file",
    nameless: "standard output or a pipe",
    explanation: "The thread waits until the disk has stored everything that was written to the file.",
    remedy: "Sync less often, batch several changes into one sync, or use a faster disk.",
};

impl FileForce {
    /// Why it matters.
    const WHY: &str = "A sync waits until the disk has stored all written data: milliseconds on a good disk, much \
                       longer on a busy one.";
    /// What to do.
    const REMEDY: &str = "Sync less often, batch several writes into one sync, or use a faster disk.";
}

impl Rule for FileForce {
    fn info(&self) -> RuleInfo {
        RuleInfo::jmc("FileForce")
            .title("Slow file sync (fsync)")
            .category(Category::Io)
            .description("The longest wait for a sync to disk (FileChannel.force, FileDescriptor.sync).")
            .formula("25 if the longest sync takes `info`; never above 74.")
            .unlike_jmc(
                "JMC shows details only above a score of 50, because it compares the score with the \
                          milliseconds.",
            )
            .settings(const { &[Setting::seconds("info", 0.05, "Sync that is worth a look")] })
            .why(Self::WHY)
            .remedy(Self::REMEDY)
    }

    fn needs(&self) -> Needs {
        cost::needs(Needs::new().available("jdk.FileForce").shared_groups(BLOCKED, &["jdk.FileForce"]))
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        judge(
            facts,
            &of_event(facts, "jdk.FileForce"),
            FILE_KEYS,
            &WORDS,
            |_| true,
            |nanos| map_exp74(nanos / 1e9, settings.number("info")),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict_snapshots::SceneSnapshot;
    use jfr_analyzers::rule::Severity;
    use jfr_analyzers::testing::Scene;

    #[test]
    fn a_slow_force_is_found() {
        let of = |nanos: i64| {
            Scene::new().event("jdk.FileForce", 0, nanos, [("path", "/a".into())]).verdict(&FileForce).severity
        };
        assert_eq!(of(60_000_000), Severity::Info);
        assert_eq!(of(1_000_000), Severity::Ok);
        assert_eq!(Scene::new().verdict(&FileForce).severity, Severity::NotApplicable);
    }
}
