//! Measures the memory used by a test, with a counting allocator.

#![expect(unsafe_code, reason = "an allocator is unsafe by definition; this one hands everything on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator, extended to count the bytes in use.
///
/// ```
/// use jfrkit_testkit::Counting;
///
/// #[global_allocator]
/// static ALLOCATOR: Counting = Counting::new();
///
/// let before = ALLOCATOR.restart();
/// drop(vec![0u8; 1 << 20]);
/// assert!(ALLOCATOR.peak() - before >= 1 << 20);
/// ```
#[derive(Debug)]
pub struct Counting {
    now: AtomicUsize,
    peak: AtomicUsize,
    sum: AtomicUsize,
}

impl Counting {
    /// A counter at zero.
    #[must_use]
    pub const fn new() -> Self {
        Self { now: AtomicUsize::new(0), peak: AtomicUsize::new(0), sum: AtomicUsize::new(0) }
    }

    /// Resets the peak and returns the number of bytes in use.
    pub fn restart(&self) -> usize {
        let now = self.now.load(Relaxed);
        self.peak.store(now, Relaxed);
        now
    }

    /// The maximum number of bytes in use at a time since [`restart`](Self::restart), by all threads together.
    pub fn peak(&self) -> usize {
        self.peak.load(Relaxed)
    }

    /// The total number of bytes ever allocated, freed or not.
    pub fn sum(&self) -> usize {
        self.sum.load(Relaxed)
    }
}

impl Default for Counting {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: every call is forwarded to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.sum.fetch_add(layout.size(), Relaxed);
        self.peak.fetch_max(self.now.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller's guarantee is the one that `System` requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        self.now.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}
