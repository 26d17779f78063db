//! How much a recording may ask for, and how a long call is stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::Error;

/// Upper bounds for what is read from one recording.
///
/// Memory follows the size of the input whatever its counts say; the limits bound what an input may
/// unfold into. Passing one is [`Error::LimitExceeded`] where nothing can be kept, else a
/// [`Loss`](crate::Loss).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the recording, after unpacking.
    pub recording_bytes: u64,
    /// Bytes that one byte of a compressed file may unfold into.
    pub unpack_ratio: u64,
    /// Chunks in one recording.
    pub chunks: usize,
    /// Types, fields, annotations and settings in the metadata of one chunk, together.
    pub metadata_elements: usize,
    /// Constants in the pools of one chunk.
    pub pool_entries: usize,
    /// How deep inline types may nest, in types.
    pub nesting: usize,
    /// How deep a constant is followed through other constants when it is shown as a value tree or read by serde, the
    /// inline types on the way counted. The path of an old object to its root takes two for each object.
    pub value_depth: usize,
    /// Values in one value tree, or read into one value by serde.
    pub value_nodes: usize,
    /// Frames that are kept of one stack trace.
    pub stack_frames: usize,
    /// Losses that are listed; more are only counted.
    pub losses: usize,
}

impl Limits {
    /// For a person with a recording that is probably harmless and possibly huge.
    #[must_use]
    pub const fn tool() -> Self {
        Self {
            recording_bytes: 64 << 30,
            unpack_ratio: 1_000,
            chunks: 1 << 20,
            metadata_elements: 1 << 20,
            pool_entries: 1 << 28,
            nesting: 16,
            value_depth: 256,
            value_nodes: 1 << 20,
            stack_frames: 1 << 16,
            losses: 1_000,
        }
    }

    /// For a service that reads what strangers send.
    #[must_use]
    pub const fn intake() -> Self {
        Self {
            recording_bytes: 512 << 20,
            unpack_ratio: 100,
            chunks: 1 << 12,
            metadata_elements: 1 << 17,
            pool_entries: 1 << 24,
            nesting: 8,
            value_depth: 64,
            value_nodes: 1 << 17,
            stack_frames: 2_048,
            losses: 100,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::tool()
    }
}

/// Asks a running call to end early: a flag that can be raised from another thread, and a deadline.
///
/// Clones share the flag.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    raised: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Stop {
    /// One that nobody has raised, with no deadline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that raises itself after `time`.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self { raised: Arc::default(), deadline: Instant::now().checked_add(time) }
    }

    /// Makes calls that were given this, or a clone of it, end with [`Error::Stopped`].
    pub fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    /// Whether work should end.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed) || self.deadline.is_some_and(|at| Instant::now() >= at)
    }

    /// [`Error::Stopped`] if it was raised.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub fn check(&self) -> Result<(), Error> {
        if self.is_raised() { Err(Error::Stopped) } else { Ok(()) }
    }
}
