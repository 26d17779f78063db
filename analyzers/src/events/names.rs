//! Lists of names in queries: constants of a rule, or made at run time from settings or a request.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A list of the names of event types or fields. Names that are constants cost nothing to copy; others are shared.
/// Lists with the same names in the same order are equal, whichever they are.
///
/// ```
/// use jfr_analyzers::events::Names;
///
/// let constant = Names::constant(&["path", "bytesRead"]);
/// let made: Names = ["path".to_owned(), format!("bytes{}", "Read")].into_iter().collect();
/// assert_eq!(constant, made);
/// ```
#[derive(Clone)]
pub struct Names(List);

#[derive(Clone)]
enum List {
    Constant(&'static [&'static str]),
    Made(Arc<[Arc<str>]>),
}

impl Names {
    /// No names.
    pub const NONE: Self = Self::constant(&[]);

    /// Names that are constants of the program.
    #[must_use]
    pub const fn constant(names: &'static [&'static str]) -> Self {
        Self(List::Constant(names))
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            List::Constant(names) => names.len(),
            List::Made(names) => names.len(),
        }
    }

    /// Whether there are no names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name at this place, from 0.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&str> {
        match &self.0 {
            List::Constant(names) => names.get(place).copied(),
            List::Made(names) => names.get(place).map(|name| &**name),
        }
    }

    /// The names, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator + Clone {
        (0..self.len()).map(|place| self.get(place).unwrap_or_default())
    }

    /// The names, with a separator between them.
    #[must_use]
    pub fn join(&self, separator: &str) -> String {
        self.iter().collect::<Vec<_>>().join(separator)
    }

    /// These names, and those of `more` that are not among them.
    pub(crate) fn with(&self, more: &Self) -> Self {
        let mut all: Vec<&str> = self.iter().collect();
        for name in more.iter() {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        if all.len() == self.len() {
            self.clone()
        } else if self.is_empty() && all.len() == more.len() {
            more.clone()
        } else {
            all.into_iter().collect()
        }
    }

    /// Whether a name is in the list.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// The place of a name in the list, from 0.
    #[inline]
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        match &self.0 {
            List::Constant(names) => names.iter().position(|known| *known == name),
            List::Made(names) => names.iter().position(|known| **known == *name),
        }
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::NONE
    }
}

impl From<&'static [&'static str]> for Names {
    fn from(names: &'static [&'static str]) -> Self {
        Self::constant(names)
    }
}

impl<const N: usize> From<&'static [&'static str; N]> for Names {
    fn from(names: &'static [&'static str; N]) -> Self {
        Self::constant(names)
    }
}

impl From<&Names> for Names {
    fn from(names: &Names) -> Self {
        names.clone()
    }
}

impl<S: Into<Arc<str>>> FromIterator<S> for Names {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        Self(List::Made(names.into_iter().map(Into::into).collect()))
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            // The same constant, as is usual for groups that a rule requests and then reads.
            (List::Constant(mine), List::Constant(theirs)) => std::ptr::eq(*mine, *theirs) || mine == theirs,
            _ => self.iter().eq(other.iter()),
        }
    }
}

impl Eq for Names {}

impl Hash for Names {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        self.iter().for_each(|name| name.hash(state));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_made_at_run_time_are_equal_to_constants() {
        let made: Names = vec!["path".to_owned(), "duration".to_owned()].into_iter().collect();
        let constant = Names::constant(&["path", "duration"]);
        assert_eq!(made, constant);
        assert_eq!(made.position("duration"), Some(1));
        assert_ne!(made, Names::constant(&["duration", "path"]));
        assert_ne!(made, Names::constant(&["path"]));
        assert!(Names::default().is_empty());
        assert_eq!(constant.with(&Names::constant(&["duration", "path", "bytes"])).join(" "), "path duration bytes");
        assert_eq!(Names::NONE.with(&constant).with(&made), constant);
    }
}
