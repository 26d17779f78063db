//! Shared by the fuzz targets: connects libFuzzer to the mutators of recordings and their parts.
//!
//! Mutators and checks belong in `testkit`. Start with `fuzz_targets/recording.rs`; README.md lists all
//! targets.

use jfrkit_testkit::{Random, mutant};

/// Mutates the recording in the first `size` bytes of `data`; see [`by`].
#[must_use]
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    by(mutant, data, size, max_size, seed)
}

/// Mutates the first `size` bytes of `data`, which has a capacity of `max_size`, and returns the new size.
/// Three times out of four it uses `mutant`, which knows the structure of the data, otherwise libFuzzer's own
/// mutator.
#[must_use]
pub fn by(
    mutant: impl Fn(&[u8], &mut Random) -> Vec<u8>,
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
) -> usize {
    let mut random = Random::new(seed.into());
    if !random.chance(25) {
        let changed = mutant(data.get(..size).unwrap_or_default(), &mut random);
        if let Some(room) = data.get_mut(..changed.len())
            && !changed.is_empty()
            && changed.len() <= max_size
        {
            room.copy_from_slice(&changed);
            return changed.len();
        }
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
}
