//! The definition of a rule.

use super::settings::{Setting, Settings};
use super::verdict::Verdict;
use crate::events::facts::Facts;
use crate::events::needs::Needs;

/// A check of a recording: what it needs, and how it is evaluated.
///
/// Register your own rule with [`Analysis::with_rule`](super::Analysis::with_rule):
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
    /// Describes the rule. Must always return the same value.
    fn info(&self) -> RuleInfo;

    /// The events the rule reads. Must always return the same value.
    fn needs(&self) -> Needs;

    /// Evaluates the rule. Called only if the required events are available.
    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict;
}

/// The description of a rule.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct RuleInfo {
    /// The stable identifier.
    pub id: &'static str,
    /// The human-readable title.
    pub title: &'static str,
    /// The category.
    pub category: Category,
    /// The origin of the rule.
    pub origin: Origin,
    /// What it checks, in one or two sentences.
    pub description: &'static str,
    /// Why it matters; empty if the description already says so.
    pub why: &'static str,
    /// General advice; a verdict may be more specific.
    pub remedy: &'static str,
    /// How the verdict is computed.
    pub formula: &'static str,
    /// For a rule of JMC: how the decision differs from JMC's, and why; otherwise empty.
    pub differences: &'static str,
    /// The available settings.
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
            why: "",
            remedy: "",
            formula: "",
            differences: "",
            settings: &[],
        }
    }

    /// A rule that JDK Mission Control has under the same id; fill in the other fields.
    #[must_use]
    pub const fn jmc(id: &'static str) -> Self {
        Self::new(id, Origin::Jmc)
    }

    /// A rule that JDK Mission Control does not have; fill in the other fields.
    #[must_use]
    pub const fn own(id: &'static str) -> Self {
        Self::new(id, Origin::Own)
    }
}

/// The origin of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// JDK Mission Control has a rule with this id.
    Jmc,
    /// JDK Mission Control does not have this rule.
    Own,
}

/// The subject of a rule.
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
    /// Platform and virtual threads, and thread pools.
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
    /// All categories.
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

    /// The name of the category.
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

    /// The category with this name.
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
