//! Cell values while rows are built: small and without lifetimes, with texts as numbers.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::hash::Hasher;
use jfrkit_profile::index::{Id, IndexVec};

crate::ids::ids! {
    /// A text in [`Names`].
    pub(crate) NameId;
}

/// A value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Val {
    /// No value.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A number; nanoseconds for timestamps and durations.
    Int(i64),
    /// An unsigned number.
    UInt(u64),
    /// A float.
    Single(f32),
    /// A double.
    Float(f64),
    /// A text, a class, a thread and so on, in [`Names`].
    Text(NameId),
}

impl Val {
    /// Tag and bits, which are equal for equal values.
    pub(crate) fn bits(self) -> (u8, u64) {
        match self {
            Self::Null => (0, 0),
            Self::Bool(b) => (1, u64::from(b)),
            Self::Int(n) => (2, n.cast_unsigned()),
            Self::UInt(n) => (2, n),
            Self::Single(n) => (4, f64::from(n).to_bits()),
            Self::Float(n) => (4, n.to_bits()),
            Self::Text(n) => (5, n.place() as u64),
        }
    }

    /// The number, if it is finite.
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

    /// The number, if it is an integer.
    pub(crate) fn whole(self) -> Option<i128> {
        match self {
            Self::Int(n) => Some(n.into()),
            Self::UInt(n) => Some(n.into()),
            _ => None,
        }
    }
}

/// Prefix of the identities of stack traces.
pub(crate) const STACK: &str = "stack ";

/// What identifies a text: equal texts of different kinds are different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Identity {
    /// A string, identified by its text.
    Plain,
    /// A constant, identified by a 128-bit hash of its content. A collision would merge two rows, but no file
    /// can contain enough constants for that to happen by chance.
    Thing([u64; 2]),
}

#[derive(Debug)]
struct Name {
    text: Box<str>,
    identity: Identity,
    /// Whether it is a stack trace, with one line per frame.
    stack: bool,
}

impl Name {
    fn hash(&self, hasher: &Hasher) -> u64 {
        hash_of(hasher, self.identity, &self.text)
    }
}

fn hash_of(hasher: &Hasher, identity: Identity, text: &str) -> u64 {
    match identity {
        Identity::Plain => hasher.hash_one(text),
        Identity::Thing(bits) => hasher.hash_one(bits),
    }
}

/// Numbered texts, each stored once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: IndexVec<NameId, Name>,
    table: HashTable<NameId>,
    hasher: Hasher,
}

impl Names {
    /// The number of a string.
    pub(crate) fn plain(&mut self, text: &str) -> Val {
        self.find(Identity::Plain, false, text)
    }

    /// The number of a constant that is displayed as `text`.
    pub(crate) fn thing(&mut self, identity: &str, text: &str) -> Val {
        let bits = [1, 2].map(|seed| foldhash::quality::FixedState::with_seed(seed).hash_one(identity));
        self.find(Identity::Thing(bits), identity.starts_with(STACK), text)
    }

    fn known(&self, hash: u64, identity: Identity, text: &str) -> Option<Val> {
        let same = |&id: &NameId| {
            let name = &self.names[id];
            name.identity == identity && (identity != Identity::Plain || *name.text == *text)
        };
        self.table.find(hash, same).map(|&found| Val::Text(found))
    }

    fn find(&mut self, identity: Identity, stack: bool, text: &str) -> Val {
        let hash = hash_of(&self.hasher, identity, text);
        self.known(hash, identity, text).unwrap_or_else(|| self.add(hash, Name { text: text.into(), identity, stack }))
    }

    /// Like [`find`](Self::find), for a text that does not have to be copied.
    fn keep(&mut self, identity: Identity, stack: bool, text: Box<str>) -> Val {
        let hash = hash_of(&self.hasher, identity, &text);
        self.known(hash, identity, &text).unwrap_or_else(|| self.add(hash, Name { text, identity, stack }))
    }

    fn add(&mut self, hash: u64, name: Name) -> Val {
        let Self { names, table, hasher } = self;
        let id = names.push(name);
        table.insert_unique(hash, id, |&id| names[id].hash(hasher));
        Val::Text(id)
    }

    /// The text with this number.
    pub(crate) fn text(&self, id: NameId) -> &str {
        &self.names[id].text
    }

    /// Whether the text is a stack trace, with one line per frame.
    pub(crate) fn is_stack(&self, id: NameId) -> bool {
        self.names[id].stack
    }

    /// Adds the names of another table; returns their numbers in this one.
    pub(crate) fn absorb(&mut self, other: Self) -> IndexVec<NameId, Val> {
        let mut numbers: IndexVec<NameId, Val> = IndexVec::with_capacity(other.names.len());
        for Name { text, identity, stack } in other.names {
            numbers.push(self.keep(identity, stack, text));
        }
        numbers
    }
}

/// Replaces the text number from another table in a value.
pub(crate) fn renumbered(value: Val, numbers: &IndexVec<NameId, Val>) -> Val {
    match value {
        Val::Text(id) => numbers[id],
        other => other,
    }
}
