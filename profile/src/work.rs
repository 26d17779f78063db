//! Counts work, for tests that check that time is linear in the size of the input.
//!
//! Seconds depend on the machine and its load; these units do not. One unit is one iteration of a loop over a
//! stack, an entry of a table, or a byte of a name. Units are counted per thread, and only if the feature
//! `testing` is enabled; otherwise [`done`] does nothing.

/// Records that this many units of work were done.
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

/// Returns the result of `work` and the number of units it took on this thread.
#[cfg(feature = "testing")]
pub fn count<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = UNITS.get();
    let result = work();
    (result, UNITS.get().wrapping_sub(before))
}
