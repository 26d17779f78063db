//! Things that are costly to make, for whichever thread needs one.

use std::sync::{Mutex, PoisonError};

/// A pool; it comes to hold as many as are used at the same time.
pub(crate) struct Pool<T>(Mutex<Vec<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Pool<T> {
    /// Does something with one that nobody else has; it is made if there is none.
    pub(crate) fn with<R>(&self, make: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let idle = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = idle().pop();
        let mut item = free.unwrap_or_else(make);
        let result = work(&mut item);
        idle().push(item);
        result
    }
}
