//! A pool of values that are costly to create, for use by any thread.

use parking_lot::Mutex;

/// A pool. It grows to the number of values that are in use at the same time.
pub(crate) struct Pool<T>(Mutex<Vec<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Pool<T> {
    /// Calls `work` with a value that nobody else is using; creates one if necessary.
    pub(crate) fn with<R>(&self, make: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let idle = || self.0.lock();
        let free = idle().pop();
        let mut item = free.unwrap_or_else(make);
        let result = work(&mut item);
        idle().push(item);
        result
    }
}
