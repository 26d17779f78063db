//! The numbers by which a chunk refers to its parts, as distinct types: a mix-up does not compile.

use std::fmt;

/// The id of a type. It is valid only within one chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct TypeId(
    /// The number in the file.
    pub u64,
);

impl fmt::Display for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The key of a constant in the pool of its type. It is valid only within one chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct ConstantKey(
    /// The number in the file.
    pub u64,
);

/// The position of a byte in a chunk, counted from the beginning of the chunk. [`Chunk::file_offset`](crate::Chunk::file_offset)
/// converts it to a position in the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct ChunkOffset(
    /// The number of bytes before it.
    pub usize,
);
