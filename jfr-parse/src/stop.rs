//! Stopping a long call early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::Error;

/// Asks a running call to stop early: a flag that another thread can raise, and a deadline.
///
/// Clones share the flag. Long calls check it every few milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    raised: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Stop {
    /// A handle that is not raised and has no deadline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A handle that raises itself after `time`.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self { raised: Arc::default(), deadline: Instant::now().checked_add(time) }
    }

    /// Makes every call that was given this handle or a clone of it end with [`Error::Stopped`].
    pub fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    /// Whether work should stop.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed) || self.deadline.is_some_and(|at| Instant::now() >= at)
    }

    /// Returns [`Error::Stopped`] if the handle was raised.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub fn check(&self) -> Result<(), Error> {
        if self.is_raised() { Err(Error::Stopped) } else { Ok(()) }
    }
}
