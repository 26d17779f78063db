//! Patterns: which code to look for, and how large a share of a resource is too much.

use jfr_analyzers::events::{MethodSet, Scope};
use jfr_analyzers::rule::{AnalysisError, Category};

/// Code that should not take more than its share of a resource.
///
/// ```
/// use jfrkit_rules::overhead::{Pattern, Resource, Thresholds};
///
/// let pattern = Pattern::new("OurCache", "Our cache", ["com.acme.cache"])?
///     .limit(Resource::Cpu, Thresholds::new(2.0, 5.0))
///     .limit(Resource::Allocation, Thresholds::info(10.0))
///     .remedy("Make the keys smaller.");
/// # Ok::<(), jfr_analyzers::rule::AnalysisError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) category: Category,
    pub(super) methods: MethodSet,
    pub(super) explanation: String,
    pub(super) remedy: String,
    pub(super) limits: Vec<(Resource, Thresholds)>,
    pub(super) native: bool,
}

/// A resource that code can take a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// CPU samples: the `cpu` profile.
    Cpu,
    /// Bytes allocated on the heap: the `alloc` profile.
    Allocation,
    /// Wall-clock samples: the `wall` profile, which includes waiting threads, except those that wait for something to do.
    Wall,
    /// Time that threads are blocked: entering monitors, waiting for locks, on files.
    Blocking,
}

/// Limits on a share, in percent from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// From this share on, the finding is worth a look.
    pub info: f64,
    /// From this share on, the finding is a warning; `None` if it never is.
    pub warning: Option<f64>,
}

impl Thresholds {
    /// Worth a look from `info` on, a warning from `warning` on; both from 0 to 100.
    #[must_use]
    pub const fn new(info: f64, warning: f64) -> Self {
        Self { info, warning: Some(warning) }
    }

    /// Worth a look from `info` on, never a warning.
    #[must_use]
    pub const fn info(info: f64) -> Self {
        Self { info, warning: None }
    }
}

impl Resource {
    /// All resources.
    pub const ALL: [Self; 4] = [Self::Cpu, Self::Allocation, Self::Wall, Self::Blocking];

    /// The name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Allocation => "allocation",
            Self::Wall => "wall",
            Self::Blocking => "blocking",
        }
    }

    /// What its shares are computed from.
    pub(super) const fn of(self) -> &'static str {
        match self {
            Self::Cpu => "CPU samples",
            Self::Allocation => "allocated bytes",
            Self::Wall => "wall-clock samples",
            Self::Blocking => "blocked time",
        }
    }

    /// What code takes a share of, in a headline.
    pub(super) const fn taken(self) -> &'static str {
        match self {
            Self::Cpu => "CPU time",
            Self::Allocation => "allocated bytes",
            Self::Wall => "wall-clock time",
            Self::Blocking => "blocked time",
        }
    }
}

impl Pattern {
    /// A pattern without limits; [`PatternRule`](super::PatternRule) accepts it only once it has one. `methods` are
    /// patterns as for [`MethodSet::new`].
    ///
    /// # Errors
    /// [`AnalysisError::BadPattern`] if `methods` is empty or one of them is invalid.
    pub fn new(
        id: impl Into<String>,
        title: impl Into<String>,
        methods: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, AnalysisError> {
        Ok(Self {
            id: id.into(),
            title: title.into(),
            category: Category::Cpu,
            methods: MethodSet::new(methods)?,
            explanation: String::new(),
            remedy: String::new(),
            limits: Vec::new(),
            native: false,
        })
    }

    /// Sets the limits for a resource, replacing earlier ones.
    #[must_use]
    pub fn limit(mut self, resource: Resource, thresholds: Thresholds) -> Self {
        self.limits.retain(|(of, _)| *of != resource);
        self.limits.push((resource, thresholds));
        self.limits.sort_by_key(|(of, _)| *of);
        self
    }

    /// Sets the category; the default is [`Category::Cpu`].
    #[must_use]
    pub fn category(mut self, category: Category) -> Self {
        self.category = category;
        self
    }

    /// Sets the part of the stacks to search; the default is [`Scope::Anywhere`].
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.methods = self.methods.scope(scope);
        self
    }

    /// Sets the text that says why a finding matters.
    #[must_use]
    pub fn explain(mut self, text: impl Into<String>) -> Self {
        self.explanation = text.into();
        self
    }

    /// Sets the text that says what to do about a finding.
    #[must_use]
    pub fn remedy(mut self, text: impl Into<String>) -> Self {
        self.remedy = text.into();
        self
    }

    /// Marks a pattern of functions of the JVM itself: the rule does not apply if the stacks hold only Java frames.
    #[must_use]
    pub fn native(mut self) -> Self {
        self.native = true;
        self
    }

    /// The id of the pattern and its rule.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The limits by resource.
    #[must_use]
    pub fn limits(&self) -> &[(Resource, Thresholds)] {
        &self.limits
    }

    /// The methods to look for.
    #[must_use]
    pub fn methods(&self) -> &MethodSet {
        &self.methods
    }
}
