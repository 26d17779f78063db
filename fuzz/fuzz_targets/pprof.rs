#![no_main]

use jfrkit_testkit::{checks, mutant_of_pprof};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|bytes: &[u8]| checks::pprof(bytes));
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    jfrkit_fuzz::by(mutant_of_pprof, data, size, max_size, seed)
});
