//! How much memory some work takes. Each test binary that has this module uses its allocator.
#![allow(dead_code, unreachable_pub)]

use std::sync::{Mutex, MutexGuard, PoisonError};

use jfrkit_testkit::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

/// The tests of one binary run at the same time; those that measure must not.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What some work took, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// The most at one time, beyond what was there before.
    pub peak: usize,
    /// All that was allocated, given back since or not.
    pub sum: usize,
}

/// To be held by each test that measures, from its beginning to its end.
pub fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does the work, and tells what it took. A list that grows counts twice while it moves.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, Taken) {
    let (before, sum) = (ALLOCATOR.restart(), ALLOCATOR.sum());
    let result = work();
    (result, Taken { peak: ALLOCATOR.peak().saturating_sub(before), sum: ALLOCATOR.sum() - sum })
}
