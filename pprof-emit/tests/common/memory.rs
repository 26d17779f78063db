//! An allocator that counts, for tests of how much memory something takes. Each test binary that has this module uses
//! it.
#![allow(dead_code, unreachable_pub, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static SUM: AtomicUsize = AtomicUsize::new(0);
/// The tests of one binary run at the same time; those that measure must not.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

struct Counting;

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        SUM.fetch_add(layout.size(), Relaxed);
        PEAK.fetch_max(NOW.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller's promise is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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
    let (before, sum) = (NOW.load(Relaxed), SUM.load(Relaxed));
    PEAK.store(before, Relaxed);
    let result = work();
    (result, Taken { peak: PEAK.load(Relaxed).saturating_sub(before), sum: SUM.load(Relaxed) - sum })
}
