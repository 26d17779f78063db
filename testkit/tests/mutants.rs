//! Damaged recordings, thousands of them: none may panic, hang, take memory out of proportion, or yield a profile
//! that is not valid.
//!
//! Seeded, so that a failure can be repeated: it names the file and the mutant. `JFRKIT_MUTANTS` sets how many there
//! are, `JFRKIT_MUTANT` makes it one, by its number.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::{Duration, Instant};

use common::Seed;
use jfrkit_testkit::{Counting, Random, checks, mutant};

const MUTANTS: usize = 20_000;
/// One in so many goes through the checks that take long.
const SLOW: usize = 8;
/// Generous: a mutant takes milliseconds.
const LONGEST: Duration = Duration::from_secs(10);
/// What work on one recording may take beyond its input: a fixed amount, and so many bytes for each of the input.
const FIXED: usize = 64 << 20;
const PER_BYTE: usize = 64;

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

/// What a pipeline would do with an upload.
fn process(i: usize, bytes: &[u8]) {
    checks::convert(bytes);
    match i % SLOW {
        0 => checks::analysis(bytes),
        2 => checks::recording(bytes),
        4 => checks::serde(bytes),
        _ => {}
    }
}

#[test]
fn no_mutant_does_harm() {
    let mutants = number("JFRKIT_MUTANTS").unwrap_or(MUTANTS);
    let seeds = common::seeds();
    assert!(seeds.len() >= 20, "only {} seeds", seeds.len());
    let (began, mut highest) = (Instant::now(), 0);
    // One after the other, so that time and memory are those of one mutant.
    let numbers = match number("JFRKIT_MUTANT") {
        Some(only) => only..only + 1,
        None => 0..mutants,
    };
    for i in numbers {
        highest = highest.max(one(i, &seeds));
    }
    println!("{mutants} mutants of {} recordings in {:?}, peak {} MB", seeds.len(), began.elapsed(), highest >> 20);
}

/// A number from the environment.
fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

/// Damages one of the recordings; the most bytes that working on it took.
fn one(i: usize, seeds: &[Seed]) -> usize {
    let mut random = Random::new(i as u64);
    let seed = random.pick(seeds);
    let bytes = mutant(&seed.bytes, &mut random);
    let (began, before) = (Instant::now(), ALLOCATOR.restart());
    if std::panic::catch_unwind(|| process(i, &bytes)).is_err() {
        panic!("a panic: mutant {i} of {}", seed.name);
    }
    assert!(began.elapsed() < LONGEST, "{:?}: mutant {i} of {}", began.elapsed(), seed.name);
    let taken = ALLOCATOR.peak() - before;
    assert!(taken < FIXED + PER_BYTE * bytes.len(), "{taken} bytes: mutant {i} of {}", seed.name);
    taken
}
