//! Sets of methods, by patterns on their names.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use crate::rule::AnalysisError;

/// Methods, by patterns on their names.
///
/// A pattern names a package, a class or a method, and covers what is in it; `*` stands for any text, also none.
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

/// Which frames of a stack are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// All of them: what a method calls is its doing.
    #[default]
    Anywhere,
    /// From the leaf to the first method of the program that is none of the set, or to the first method that the JDK was told to
    /// call (by reflection). For methods that also pass control on: what is then called is not their doing.
    Direct,
}

impl PartialEq for MethodSet {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
            || (self.inner.patterns == other.inner.patterns && self.inner.scope == other.inner.scope)
    }
}

/// Bytes of a compiled expression: far more than any table made by hand takes.
pub(super) const REGEX_SIZE: usize = 16 << 20;

impl MethodSet {
    /// The methods that one of the patterns covers.
    ///
    /// # Errors
    /// [`AnalysisError::BadPattern`] where a pattern is empty or covers everything, and where there is none or there are too many.
    pub fn new(patterns: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, AnalysisError> {
        let patterns: Vec<String> = patterns.into_iter().map(Into::into).collect();
        let bad = |pattern: &str, reason| AnalysisError::BadPattern { pattern: pattern.to_owned(), reason };
        if patterns.is_empty() {
            return Err(bad("", "at least one package, class or method is needed"));
        }
        if let Some(pattern) = patterns.iter().find(|p| p.trim().is_empty() || p.trim() != *p) {
            return Err(bad(pattern, "it is empty, or has blanks around it; name a package, a class or a method"));
        }
        if let Some(pattern) = patterns.iter().find(|p| p.chars().all(|c| matches!(c, '*' | '.'))) {
            return Err(bad(pattern, "it covers everything; name a package, a class or a method"));
        }
        let all = patterns.iter().map(|p| expression(p)).collect::<Vec<_>>().join("|");
        let regex = RegexBuilder::new(&all).size_limit(REGEX_SIZE).build();
        let regex = regex
            .map_err(|_| bad(patterns.first().map_or("", |p| p), "with those after it, it is too much; name fewer"))?;
        Ok(Self { inner: Arc::new(Inner { patterns, scope: Scope::Anywhere, regex }) })
    }

    /// The same methods, looked for on another part of the stack.
    #[must_use]
    pub fn scope(self, scope: Scope) -> Self {
        let Inner { patterns, regex, .. } = &*self.inner;
        Self { inner: Arc::new(Inner { patterns: patterns.clone(), scope, regex: regex.clone() }) }
    }

    /// Whether a method is one: `package.Class.method`, or the name of a native function.
    #[must_use]
    pub fn matches(&self, method: &str) -> bool {
        self.inner.regex.is_match(method)
    }

    /// The patterns.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        &self.inner.patterns
    }

    /// Which frames of a stack are looked at.
    #[must_use]
    pub fn looks_at(&self) -> Scope {
        self.inner.scope
    }
}

/// The regular expression of a pattern.
pub(super) fn expression(pattern: &str) -> String {
    let parts: Vec<String> = pattern.split('*').map(regex::escape).collect();
    // Behind the name of a package or class comes what is in it; a name that ends in the middle of a word is another name.
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
    fn a_pattern_covers_what_is_in_it() {
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
        // What is special in regular expressions is not special here.
        assert!(!matches("a.b+c", "a.bbc") && matches("a.b+c", "a.b+c"));
    }

    #[test]
    fn what_covers_nothing_or_everything_is_an_error() {
        for bad in ["", " ", "*", "**", ".", "*.*", " com.acme"] {
            assert!(matches!(MethodSet::new([bad]), Err(AnalysisError::BadPattern { .. })), "{bad:?}");
        }
        assert!(MethodSet::new([] as [&str; 0]).is_err());
        let many = (0..1_000_000).map(|i| format!("com.acme.package{i}.*.Class{i}"));
        assert!(MethodSet::new(many.take(40_000)).is_err());
    }
}
