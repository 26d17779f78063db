//! Measures the memory used by some work. Each test binary that includes this module uses its allocator.
#![allow(dead_code, unreachable_pub)]

use std::sync::{Mutex, MutexGuard, PoisonError};

use jfrkit_testkit::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

/// Tests in one binary run in parallel, but those that measure memory must not.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The memory used by some work, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// The peak, beyond what was in use before.
    pub peak: usize,
    /// Everything allocated, freed or not.
    pub sum: usize,
}

/// Each test that measures must hold this from beginning to end.
pub fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does the work and measures it. A vector that grows counts twice while it moves.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, Taken) {
    let (before, sum) = (ALLOCATOR.restart(), ALLOCATOR.sum());
    let result = work();
    (result, Taken { peak: ALLOCATOR.peak().saturating_sub(before), sum: ALLOCATOR.sum() - sum })
}
