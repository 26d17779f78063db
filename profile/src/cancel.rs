//! Canceling a long call.

use std::fmt;
use std::sync::Arc;

/// Asks a running call to stop early: a callback that long calls check every few milliseconds.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// let flag = Arc::new(AtomicBool::new(false));
/// let cancel = jfrkit_profile::Cancel::when({
///     let flag = Arc::clone(&flag);
///     move || flag.load(Ordering::Relaxed)
/// });
/// assert!(!cancel.is_raised());
/// flag.store(true, Ordering::Relaxed);
/// assert!(cancel.is_raised());
/// ```
#[derive(Clone, Default)]
pub struct Cancel(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

/// The error returned by a canceled call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canceled;

impl fmt::Display for Canceled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("canceled before it finished")
    }
}

impl std::error::Error for Canceled {}

impl Cancel {
    /// A handle that is never raised.
    #[must_use]
    pub const fn never() -> Self {
        Self(None)
    }

    /// A handle that is raised once `raised` returns true. `raised` is called from several threads and must be
    /// cheap.
    #[must_use]
    pub fn when(raised: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(raised)))
    }

    /// Whether work should stop.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.as_ref().is_some_and(|raised| raised())
    }

    /// Returns an error if the handle is raised.
    ///
    /// # Errors
    /// [`Canceled`].
    pub fn check(&self) -> Result<(), Canceled> {
        if self.is_raised() { Err(Canceled) } else { Ok(()) }
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancel").field(&self.is_raised()).finish()
    }
}
