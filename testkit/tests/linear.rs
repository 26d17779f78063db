//! Recordings crafted to take time: four times the input may take about four times the work, not sixteen times.
//!
//! Work is counted, not timed: in units of `jfr_parse::work` (loop iterations, comparisons of keys, bytes of
//! text) and in allocated bytes. A single thread does all the work, so that the units can be attributed to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod hostile;
mod memory;
mod uses;

use jfr_parse::{OpenOptions, work};
use memory::measure;
use uses::{USES, Use};

const SIZE: usize = 128 << 10;
const TIMES: usize = 4;
/// How much more than [`TIMES`] the work may grow: tables grow in steps, and sorting grows slightly faster than
/// linearly.
const SLACK: f64 = 1.4;
/// Work allowed for a recording of any size, in units and in bytes.
const FIXED: (f64, f64) = (200_000.0, 4e6);

/// The units of work and the bytes allocated.
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
            // Larger keys take more bytes, and the size of some recordings cannot be chosen exactly.
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
                // No recording may be expensive for its size, either.
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

/// The counters work: a nested loop is detected.
#[test]
fn quadratic_work_is_detected() {
    let of = |n: usize| work::count(|| (0..n).for_each(|_| work::done(n))).1;
    assert_eq!(of(400), 16 * of(100));
}
