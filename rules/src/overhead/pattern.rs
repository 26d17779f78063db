//! What to look for, and how much of it is too much.

use jfr_analyzers::events::{MethodSet, Scope};
use jfr_analyzers::rule::{AnalysisError, Category};

/// Code that should not take more than its share.
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

/// What code takes a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// CPU samples: those of the `cpu` profile.
    Cpu,
    /// Bytes allocated on the heap: those of the `alloc` profile.
    Allocation,
    /// Wall-clock samples: those of the `wall` profile, of threads that wait, too.
    Wall,
    /// Time for which threads could not go on: entering monitors, waiting for locks, files.
    Blocking,
}

/// Shares of 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Worth a look.
    pub info: f64,
    /// To be acted on; without it, it is worth a look at most.
    pub warning: Option<f64>,
}

impl Thresholds {
    /// Worth a look from `info` on, to be acted on from `warning` on, both of 0 to 100.
    #[must_use]
    pub const fn new(info: f64, warning: f64) -> Self {
        Self { info, warning: Some(warning) }
    }

    /// Worth a look from here on, and no more than that.
    #[must_use]
    pub const fn info(info: f64) -> Self {
        Self { info, warning: None }
    }
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cpu, Self::Allocation, Self::Wall, Self::Blocking];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Allocation => "allocation",
            Self::Wall => "wall",
            Self::Blocking => "blocking",
        }
    }

    /// What shares of it are shares of.
    pub(super) const fn of(self) -> &'static str {
        match self {
            Self::Cpu => "CPU samples",
            Self::Allocation => "allocated bytes",
            Self::Wall => "wall-clock samples",
            Self::Blocking => "blocked time",
        }
    }
}

impl Pattern {
    /// A pattern without limits, under which the rule of this id finds nothing. `methods` are patterns as for [`MethodSet::new`].
    ///
    /// # Errors
    /// [`AnalysisError::BadPattern`].
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

    /// With limits for a resource; those given last count.
    #[must_use]
    pub fn limit(mut self, resource: Resource, thresholds: Thresholds) -> Self {
        self.limits.retain(|(of, _)| *of != resource);
        self.limits.push((resource, thresholds));
        self.limits.sort_by_key(|(of, _)| *of);
        self
    }

    /// In another category than [`Category::Cpu`].
    #[must_use]
    pub fn category(mut self, category: Category) -> Self {
        self.category = category;
        self
    }

    /// Looking at another part of the stacks than [`Scope::Anywhere`].
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.methods = self.methods.scope(scope);
        self
    }

    /// With what it means.
    #[must_use]
    pub fn explain(mut self, text: impl Into<String>) -> Self {
        self.explanation = text.into();
        self
    }

    /// With what to do about it.
    #[must_use]
    pub fn remedy(mut self, text: impl Into<String>) -> Self {
        self.remedy = text.into();
        self
    }

    /// Of functions of the JVM itself: it says nothing where stacks hold only Java.
    #[must_use]
    pub fn native(mut self) -> Self {
        self.native = true;
        self
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its limits.
    #[must_use]
    pub fn limits(&self) -> &[(Resource, Thresholds)] {
        &self.limits
    }

    /// The methods that it is about.
    #[must_use]
    pub fn methods(&self) -> &MethodSet {
        &self.methods
    }
}
