//! Ending a long call early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::Error;

/// Asks a running call to end early: a flag that can be raised from another thread, and a deadline.
///
/// Clones share the flag. Long calls look at it every few milliseconds.
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
