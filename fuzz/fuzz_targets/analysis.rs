#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|bytes: &[u8]| jfrkit_testkit::checks::analysis(bytes));
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    jfrkit_fuzz::mutate(data, size, max_size, seed)
});
