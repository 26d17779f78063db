#![no_main]

use std::sync::LazyLock;

use jfr_parse::Metadata;
use jfrkit_testkit::{checks, mutant_of_checkpoint};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

static TYPES: LazyLock<Metadata> = LazyLock::new(checks::checkpoint_types);

fuzz_target!(|bytes: &[u8]| checks::checkpoint(bytes));
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    jfrkit_fuzz::by(|bytes, random| mutant_of_checkpoint(bytes, &TYPES, random), data, size, max_size, seed)
});
