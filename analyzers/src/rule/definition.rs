//! The definition of a rule.

use std::borrow::Cow;

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
///         RuleInfo::own("SlowReads")
///             .title("Slow reads")
///             .category(Category::Io)
///             .description("Whether reading a file took long")
///             .formula("25 for the longest read at `info`, 75 at `warning`")
///             .settings(const {
///                 &[Setting::seconds("info", 0.1, "worth a look"), Setting::seconds("warning", 1.0, "bad")]
///             })
///     }
///
///     fn needs(&self) -> Needs {
///         Needs::new().enabled("jdk.FileRead").groups(READS)
///     }
///
///     fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
///         let reads = facts.groups(&READS);
///         let Some(longest) = reads.iter().max_by(|a, b| a.max("duration").total_cmp(&b.max("duration"))) else {
///             return Verdict::ok("No reads");
///         };
///         let score = math::map2(longest.max("duration") / 1e9, settings.number("info"), settings.number("warning"));
///         Verdict::scored(score, format!("The longest read took {:.3} s", longest.max("duration") / 1e9))
///             .with("path", longest.text("path").unwrap_or("unknown"))
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

/// A constant of the program, or a text that was made at run time.
pub type Text = Cow<'static, str>;

/// The description of a rule.
///
/// Most texts are constants of the program; those of a rule that is built at run time are owned.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct RuleInfo {
    /// The stable identifier.
    pub id: Text,
    /// The human-readable title.
    pub title: Text,
    /// The category.
    pub category: Category,
    /// The origin of the rule.
    pub origin: Origin,
    /// What it checks, in one or two sentences.
    pub description: Text,
    /// Why it matters; empty if the description already says so.
    pub why: Text,
    /// General advice; a verdict may be more specific.
    pub remedy: Text,
    /// How the verdict is computed.
    pub formula: Text,
    /// How the rule decides compared with JMC's rule of the same id, unless it simply decides the same.
    pub jmc: Option<JmcComparison>,
    /// The available settings.
    pub settings: Cow<'static, [Setting]>,
}

impl RuleInfo {
    fn new(id: impl Into<Text>, origin: Origin) -> Self {
        Self {
            id: id.into(),
            title: Text::default(),
            category: Category::Recording,
            origin,
            description: Text::default(),
            why: Text::default(),
            remedy: Text::default(),
            formula: Text::default(),
            jmc: None,
            settings: Cow::default(),
        }
    }

    /// A rule that JDK Mission Control has under the same id.
    #[must_use]
    pub fn jmc(id: impl Into<Text>) -> Self {
        Self::new(id, Origin::Jmc)
    }

    /// A rule that JDK Mission Control does not have.
    #[must_use]
    pub fn own(id: impl Into<Text>) -> Self {
        Self::new(id, Origin::Own)
    }

    /// Sets the category; the default is [`Category::Recording`].
    #[must_use]
    pub fn category(mut self, category: Category) -> Self {
        self.category = category;
        self
    }

    /// Says in what way the rule decides like JMC's, where that may surprise.
    #[must_use]
    pub fn as_in_jmc(mut self, text: impl Into<Text>) -> Self {
        self.jmc = Some(JmcComparison::Same(text.into()));
        self
    }

    /// Says how the rule decides unlike JMC's, and why.
    #[must_use]
    pub fn unlike_jmc(mut self, text: impl Into<Text>) -> Self {
        self.jmc = Some(JmcComparison::Differs(text.into()));
        self
    }

    /// Sets the available settings; the default is none.
    #[must_use]
    pub fn settings(mut self, settings: impl Into<Cow<'static, [Setting]>>) -> Self {
        self.settings = settings.into();
        self
    }
}

/// The methods that set a text.
macro_rules! texts {
    ($($(#[doc = $doc:literal])* $name:ident),* $(,)?) => {
        impl RuleInfo {$(
            $(#[doc = $doc])*
            #[must_use]
            pub fn $name(mut self, text: impl Into<Text>) -> Self {
                self.$name = text.into();
                self
            }
        )*}
    };
}
texts! {
    /// Sets the human-readable title.
    title,
    /// Sets what the rule checks, in one or two sentences.
    description,
    /// Sets why it matters, if the description does not say so.
    why,
    /// Sets general advice.
    remedy,
    /// Sets how the verdict is computed.
    formula,
}

/// How a rule decides compared with the rule of JDK Mission Control that has the same id.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JmcComparison {
    /// Like JMC's rule, in a way that may surprise.
    Same(Text),
    /// Unlike JMC's rule: how and why.
    Differs(Text),
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
