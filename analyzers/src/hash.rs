//! Hash tables with a fast seeded hasher, so that a file cannot choose colliding keys.

/// The hasher of all tables.
pub(crate) type Hasher = foldhash::fast::RandomState;
/// A map.
pub(crate) type HashMap<K, V> = hashbrown::HashMap<K, V, Hasher>;
/// A set.
pub(crate) type HashSet<T> = hashbrown::HashSet<T, Hasher>;
