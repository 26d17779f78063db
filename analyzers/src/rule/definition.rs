//! What a rule is.

use super::settings::{Setting, Settings};
use super::verdict::Verdict;
use crate::events::facts::Facts;
use crate::events::needs::Needs;

/// A check of a recording: what it needs, and what it says.
///
/// A rule of one's own is registered with [`Analysis::with_rule`](super::Analysis::with_rule):
///
/// ```
/// use jfr_analyzers::events::{Facts, GroupBy, Needs};
/// use jfr_analyzers::math;
/// use jfr_analyzers::rule::*;
///
/// /// Warns of slow reads.
/// struct SlowReads;
///
/// const READS: GroupBy = GroupBy::of(&["jdk.FileRead"]).by(&["path"]).measure(&["duration"]);
///
/// impl Rule for SlowReads {
///     fn info(&self) -> RuleInfo {
///         RuleInfo {
///             title: "Slow reads",
///             category: Category::Io,
///             description: "Whether reading a file took long",
///             formula: "25 for the longest read at `info`, 75 at `warning`",
///             settings: const {
///                 &[Setting::seconds("info", 0.1, "worth a look"), Setting::seconds("warning", 1.0, "bad")]
///             },
///             ..RuleInfo::own("SlowReads")
///         }
///     }
///
///     fn needs(&self) -> Needs {
///         Needs::new().enabled("jdk.FileRead").groups(READS)
///     }
///
///     fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
///         let reads = facts.groups(&READS);
///         let Some(longest) = reads.iter().max_by(|a, b| a.max(0).total_cmp(&b.max(0))) else {
///             return Verdict::ok("No reads");
///         };
///         let score = math::map2(longest.max(0) / 1e9, settings.number("info"), settings.number("warning"));
///         Verdict::scored(score, format!("The longest read took {:.3} s", longest.max(0) / 1e9))
///             .with("path", longest.text(0).unwrap_or("unknown"))
///     }
/// }
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
/// let recording = jfr_parse::Recording::open(path)?;
/// let report = Analysis::empty().with_rule(SlowReads)?.evaluate(&recording, &AnalysisOptions::default())?;
/// assert_eq!(report.outcome("SlowReads").map(|o| o.verdict.severity), Some(Severity::Ok));
/// # Ok::<(), AnalysisError>(())
/// ```
pub trait Rule: Send + Sync {
    /// What it is. Always the same.
    fn info(&self) -> RuleInfo;

    /// What it reads. Always the same.
    fn needs(&self) -> Needs;

    /// What it says. Called only if the events that it needs are there.
    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict;
}

/// What a rule says of itself.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct RuleInfo {
    /// Its id, the same for ever.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is about.
    pub category: Category,
    /// Where it comes from.
    pub origin: Origin,
    /// What it checks, in a sentence or two.
    pub description: &'static str,
    /// How it comes to its verdict.
    pub formula: &'static str,
    /// For a rule of JMC: where it decides otherwise than JMC, and why; else empty.
    pub differences: &'static str,
    /// What can be set.
    pub settings: &'static [Setting],
}

impl RuleInfo {
    const fn new(id: &'static str, origin: Origin) -> Self {
        Self {
            id,
            title: "",
            category: Category::Recording,
            origin,
            description: "",
            formula: "",
            differences: "",
            settings: &[],
        }
    }

    /// A rule that JDK Mission Control has under the same id; the rest is to be filled in.
    #[must_use]
    pub const fn jmc(id: &'static str) -> Self {
        Self::new(id, Origin::Jmc)
    }

    /// A rule beyond those of JDK Mission Control; the rest is to be filled in.
    #[must_use]
    pub const fn own(id: &'static str) -> Self {
        Self::new(id, Origin::Own)
    }
}

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// JDK Mission Control has a rule of this id.
    Jmc,
    /// It has not.
    Own,
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Garbage collection.
    Gc,
    /// Heap, allocation, leaks, native memory.
    Heap,
    /// CPU, method profile, compiler.
    Cpu,
    /// Locks and blocking.
    Locks,
    /// Threads, virtual or not, and their pools.
    Threads,
    /// Files and sockets.
    Io,
    /// Exceptions and errors.
    Exceptions,
    /// Class loading.
    Classes,
    /// The JVM, its options and operations.
    Jvm,
    /// The machine, the container, other processes.
    Environment,
    /// Security.
    Security,
    /// The recording itself.
    Recording,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Gc,
        Self::Heap,
        Self::Cpu,
        Self::Locks,
        Self::Threads,
        Self::Io,
        Self::Exceptions,
        Self::Classes,
        Self::Jvm,
        Self::Environment,
        Self::Security,
        Self::Recording,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gc => "gc",
            Self::Heap => "heap",
            Self::Cpu => "cpu",
            Self::Locks => "locks",
            Self::Threads => "threads",
            Self::Io => "io",
            Self::Exceptions => "exceptions",
            Self::Classes => "classes",
            Self::Jvm => "jvm",
            Self::Environment => "environment",
            Self::Security => "security",
            Self::Recording => "recording",
        }
    }

    /// The category of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }
}

impl std::fmt::Display for Category {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
