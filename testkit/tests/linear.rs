//! Recordings made to take time: four times of one is about four times the work, never sixteen.
//!
//! Work is counted, not timed: the units of `jfr_parse::work` (turns of loops, comparisons of keys, bytes of text), and the
//! bytes that are allocated. One thread does all of it, so that the units are its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod hostile;
mod memory;
mod uses;

use jfr_parse::{OpenOptions, work};
use memory::measure;
use uses::{USES, Use};

const SIZE: usize = 128 << 10;
const TIMES: usize = 4;
/// How much more than [`TIMES`] as much may be done: tables grow in steps, and sorting takes a little more than twice for
/// twice as much.
const SLACK: f64 = 1.4;
/// What may be done for a recording of any size, in units and in bytes.
const FIXED: (f64, f64) = (200_000.0, 4e6);

/// Units and bytes allocated.
fn effort(of: &Use, bytes: &[u8]) -> (f64, f64) {
    let run = || OpenOptions::new().from_bytes(bytes).map(|recording| of.run(&recording));
    let ((_, units), taken) = measure(|| work::count(run));
    (units as f64, taken.sum as f64)
}

#[test]
fn work_follows_the_input() {
    let _alone = memory::alone();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let failed = pool.install(|| {
        let mut failed = Vec::new();
        for (name, make) in hostile::all() {
            let (small, large) = (make(SIZE), make(TIMES * SIZE));
            // Larger keys take more bytes; some are of no size that could be chosen.
            let times = large.len() as f64 / small.len() as f64;
            assert!(times < TIMES as f64 * 1.5, "{name}: {} and {} bytes", small.len(), large.len());
            for of in USES {
                let (before, after) = (effort(of, &small), effort(of, &large));
                let allowed = |before: f64, fixed: f64| (before * times.max(1.0) * SLACK).max(fixed);
                if after.0 > allowed(before.0, FIXED.0) {
                    failed.push(format!("{} of {name}: {} units, then {}", of.name, before.0, after.0));
                }
                if after.1 > allowed(before.1, FIXED.1) {
                    failed.push(format!("{} of {name}: {} bytes, then {}", of.name, before.1, after.1));
                }
                // Nothing is expensive for what it is, either.
                let (per_byte, limit) = (after.0 / large.len() as f64, 200.0);
                if per_byte > limit {
                    failed.push(format!("{} of {name}: {per_byte} units for each byte", of.name));
                }
            }
        }
        failed
    });
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The counters count: a loop in a loop is noticed.
#[test]
fn quadratic_work_shows() {
    let of = |n: usize| work::count(|| (0..n).for_each(|_| work::done(n))).1;
    assert_eq!(of(400), 16 * of(100));
}
