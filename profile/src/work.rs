//! Counting work, for tests that time follows the input.
//!
//! Seconds depend on the machine and on what else runs there; these units do not. A unit is one turn of a loop over a
//! stack, an entry of a table or a byte of a name. They are counted per thread, and only where the feature `testing` is on;
//! without it [`done`] is nothing at all.

/// Notes that this many units were done.
#[inline(always)]
#[cfg_attr(not(feature = "testing"), expect(unused_variables, reason = "nothing is counted"))]
pub fn done(units: usize) {
    #[cfg(feature = "testing")]
    UNITS.set(UNITS.get().wrapping_add(units as u64));
}

#[cfg(feature = "testing")]
std::thread_local! {
    static UNITS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// What `work` comes back with, and the units that it took on this thread.
#[cfg(feature = "testing")]
pub fn count<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = UNITS.get();
    let result = work();
    (result, UNITS.get().wrapping_sub(before))
}
