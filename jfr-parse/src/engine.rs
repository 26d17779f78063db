//! What `jfr-analyzers` and our test tools need to read the parts of a chunk on several threads, and to write varints. It may
//! change in any release. Hidden from the documentation, because other programs get the same events from [`Chunk::events`]
//! and the same constants from [`Chunk::pools`].
//!
//! The hidden methods of [`Chunk`] belong to it: `segments` splits a chunk into parts, `walk` iterates over everything in one,
//! `pool_layouts` and [`PoolEntries`] index the constants in it, and `join_pools` joins these. `event_at` returns to an event.
//!
//! [`Chunk`]: crate::Chunk
//! [`Chunk::events`]: crate::Chunk::events
//! [`Chunk::pools`]: crate::Chunk::pools

pub use crate::bits::top_bits;
pub use crate::cursor::push_varint;
pub use crate::pools::{PoolEntries, PoolLayouts};
