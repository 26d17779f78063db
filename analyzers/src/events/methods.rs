//! Sets of methods, defined by name patterns.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use crate::rule::AnalysisError;

/// A set of methods, defined by name patterns.
///
/// A pattern names a package, a class or a method, and covers everything in it; `*` matches any text, including
/// none.
///
/// ```
/// use jfr_analyzers::rule::AnalysisError;
/// use jfr_analyzers::events::MethodSet;
///
/// let set = MethodSet::new(["com.acme.cache", "com.acme.Shop.find", "*Exception.<init>", "ObjectMonitor::*"])?;
/// assert!(set.matches("com.acme.cache.Store.get") && set.matches("com.acme.Shop.find"));
/// assert!(set.matches("com.acme.LostException.<init>") && set.matches("ObjectMonitor::enter"));
/// assert!(!set.matches("com.acme.cached.Store.get") && !set.matches("com.acme.Shop.findAll"));
/// # Ok::<(), AnalysisError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MethodSet {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    patterns: Vec<String>,
    scope: Scope,
    regex: Regex,
}

/// Which frames of a stack are examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// All frames: a method is responsible for everything it calls.
    #[default]
    Anywhere,
    /// The frames from the leaf up to the first method of the program that is not in the set, or the first
    /// method that the JDK called reflectively. For methods that also pass control on: they are not responsible
    /// for what is called then.
    Direct,
}

impl PartialEq for MethodSet {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
            || (self.inner.patterns == other.inner.patterns && self.inner.scope == other.inner.scope)
    }
}

/// Maximum size of a compiled expression in bytes: far more than any handwritten table needs.
pub(super) const REGEX_SIZE: usize = 16 << 20;

impl MethodSet {
    /// Creates the set of all methods covered by any of the patterns.
    ///
    /// # Errors
    /// [`AnalysisError::BadPattern`] if a pattern is empty or covers everything, or if there are no patterns or
    /// too many.
    pub fn new(patterns: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, AnalysisError> {
        let patterns: Vec<String> = patterns.into_iter().map(Into::into).collect();
        let bad = |pattern: &str, reason| AnalysisError::BadPattern { pattern: pattern.to_owned(), reason };
        if patterns.is_empty() {
            return Err(bad("", "at least one package, class or method is needed"));
        }
        if let Some(pattern) = patterns.iter().find(|p| p.trim().is_empty() || p.trim() != *p) {
            return Err(bad(pattern, "it is empty or surrounded by spaces; name a package, a class or a method"));
        }
        if let Some(pattern) = patterns.iter().find(|p| p.chars().all(|c| matches!(c, '*' | '.'))) {
            return Err(bad(pattern, "it covers everything; name a package, a class or a method"));
        }
        let all = patterns.iter().map(|p| expression(p)).collect::<Vec<_>>().join("|");
        let regex = RegexBuilder::new(&all).size_limit(REGEX_SIZE).build();
        let regex = regex.map_err(|_| {
            bad(patterns.first().map_or("", |p| p), "this and the following patterns are too large together; use fewer")
        })?;
        Ok(Self { inner: Arc::new(Inner { patterns, scope: Scope::Anywhere, regex }) })
    }

    /// Sets which frames of a stack are examined for these methods.
    #[must_use]
    pub fn scope(self, scope: Scope) -> Self {
        let Inner { patterns, regex, .. } = &*self.inner;
        Self { inner: Arc::new(Inner { patterns: patterns.clone(), scope, regex: regex.clone() }) }
    }

    /// Whether a method (`package.Class.method`, or the name of a native function) is in the set.
    #[must_use]
    pub fn matches(&self, method: &str) -> bool {
        self.inner.regex.is_match(method)
    }

    /// The patterns.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        &self.inner.patterns
    }

    /// Which frames of a stack are examined.
    #[must_use]
    pub fn looks_at(&self) -> Scope {
        self.inner.scope
    }
}

/// The regular expression of a pattern.
pub(super) fn expression(pattern: &str) -> String {
    let parts: Vec<String> = pattern.split('*').map(regex::escape).collect();
    // A package or class name is followed by its content; a name that only starts with the same letters is a
    // different name.
    let end = if pattern.ends_with(['*', '.', '$', ':']) { "" } else { r"(?:[.$:(<]|\z)" };
    format!(r"(?s:\A{}{end})", parts.join(".*"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn matches(pattern: &str, method: &str) -> bool {
        MethodSet::new([pattern]).unwrap().matches(method)
    }

    #[test]
    fn a_pattern_covers_its_packages_classes_and_methods() {
        assert!(matches("java.util.regex", "java.util.regex.Pattern.compile"));
        assert!(matches("java.util.HashMap", "java.util.HashMap$TreeNode.find"));
        assert!(matches("java.util.HashMap.get", "java.util.HashMap.get"));
        assert!(!matches("java.util.HashMap.get", "java.util.HashMap.getNode"));
        assert!(!matches("java.util.HashMap", "java.util.HashMapper.get"));
        assert!(!matches("util.HashMap", "java.util.HashMap.get"));
        assert!(matches("com.acme.", "com.acme.A.b") && matches("com.acme.*", "com.acme.A.b"));
        assert!(matches("com.acme.*.run", "com.acme.a.B.run") && !matches("com.acme.*.run", "com.acme.a.B.runs"));
        assert!(matches("*Error.<init>", "x.LocalError.<init>") && !matches("*Error.<init>", "x.LocalError.of"));
        assert!(matches("ObjectMonitor::enter", "ObjectMonitor::enter(JavaThread*)"));
        // Characters that are special in regular expressions are not special here.
        assert!(!matches("a.b+c", "a.bbc") && matches("a.b+c", "a.b+c"));
    }

    #[test]
    fn a_pattern_for_nothing_or_everything_is_an_error() {
        for bad in ["", " ", "*", "**", ".", "*.*", " com.acme"] {
            assert!(matches!(MethodSet::new([bad]), Err(AnalysisError::BadPattern { .. })), "{bad:?}");
        }
        assert!(MethodSet::new([] as [&str; 0]).is_err());
        let many = (0..1_000_000).map(|i| format!("com.acme.package{i}.*.Class{i}"));
        assert!(MethodSet::new(many.take(40_000)).is_err());
    }
}
