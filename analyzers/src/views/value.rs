//! Values of cells while rows are made: small and without lifetimes, texts by number.

use std::hash::BuildHasher;

use hashbrown::HashTable;

/// A value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Val {
    /// None.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A number; nanoseconds for instants and times.
    Int(i64),
    /// A number whose field has no sign.
    UInt(u64),
    /// A float.
    Single(f32),
    /// A double.
    Float(f64),
    /// A text, a class, a thread and the like: a place in [`Names`].
    Text(u32),
}

impl Val {
    /// Tag and bits: equal for equal values.
    pub(crate) fn bits(self) -> (u8, u64) {
        match self {
            Self::Null => (0, 0),
            Self::Bool(b) => (1, u64::from(b)),
            Self::Int(n) => (2, n.cast_unsigned()),
            Self::UInt(n) => (2, n),
            Self::Single(n) => (4, f64::from(n).to_bits()),
            Self::Float(n) => (4, n.to_bits()),
            Self::Text(n) => (5, u64::from(n)),
        }
    }

    /// The number, if it is a finite one.
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::Int(n) => Some(n as f64),
            Self::UInt(n) => Some(n as f64),
            Self::Single(n) => Some(n.into()),
            Self::Float(n) => Some(n),
            Self::Null | Self::Bool(_) | Self::Text(_) => None,
        }
        .filter(|n| n.is_finite())
    }

    /// The number, if it is a whole one.
    pub(crate) fn whole(self) -> Option<i128> {
        match self {
            Self::Int(n) => Some(n.into()),
            Self::UInt(n) => Some(n.into()),
            _ => None,
        }
    }
}

/// What the identities of stack traces begin with.
pub(crate) const STACK: &str = "stack ";

/// What a text stands for: equal texts of different kinds are different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// A string.
    Plain,
    /// A constant with an identity of its own.
    Thing,
}

#[derive(Debug)]
struct Name {
    sort: Sort,
    /// What makes it the same as another: the text itself for a plain one.
    identity: Box<str>,
    text: Option<Box<str>>,
}

/// Texts by number, each kept once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: Vec<Name>,
    table: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

impl Names {
    /// The number of a string.
    pub(crate) fn plain(&mut self, text: &str) -> Val {
        self.find(Sort::Plain, text, || None)
    }

    /// The number of a constant that is shown as `text`.
    pub(crate) fn thing(&mut self, identity: &str, text: &str) -> Val {
        self.find(Sort::Thing, identity, || Some(text.into()))
    }

    fn find(&mut self, sort: Sort, identity: &str, text: impl FnOnce() -> Option<Box<str>>) -> Val {
        let Self { names, table, hasher } = self;
        let hash = hasher.hash_one(identity);
        let same =
            |&n: &u32| names.get(n as usize).is_some_and(|name| name.sort == sort && *name.identity == *identity);
        if let Some(&found) = table.find(hash, same) {
            return Val::Text(found);
        }
        let Ok(number) = u32::try_from(names.len()) else { return Val::Null };
        let rehash = |&n: &u32| names.get(n as usize).map_or(0, |name| hasher.hash_one(&*name.identity));
        table.insert_unique(hash, number, rehash);
        names.push(Name { sort, identity: identity.into(), text: text() });
        Val::Text(number)
    }

    /// The text with this number.
    pub(crate) fn text(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", |name| name.text.as_deref().unwrap_or(&name.identity))
    }

    /// Whether the text is a stack trace, a line for each frame.
    pub(crate) fn is_stack(&self, number: u32) -> bool {
        let stack = |name: &Name| name.sort == Sort::Thing && name.identity.starts_with(STACK);
        self.names.get(number as usize).is_some_and(stack)
    }

    /// Adds the names of another table; gives its numbers in this one.
    pub(crate) fn absorb(&mut self, other: Self) -> Vec<Val> {
        let add = |name: Name| self.find(name.sort, &name.identity, || name.text);
        other.names.into_iter().map(add).collect()
    }
}

/// A value with the number that its text has in another table.
pub(crate) fn renumbered(value: Val, numbers: &[Val]) -> Val {
    match value {
        Val::Text(n) => numbers.get(n as usize).copied().unwrap_or_default(),
        other => other,
    }
}
