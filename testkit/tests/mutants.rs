//! Thousands of damaged recordings: none may panic, hang, use memory out of proportion, or yield an invalid
//! profile.
//!
//! The mutants are seeded, so that a failure can be reproduced: it names the file and the mutant.
//! `JFRKIT_MUTANTS` sets the number of mutants, `JFRKIT_MUTANT` selects a single one by its number.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::{Duration, Instant};

use common::Seed;
use jfrkit_testkit::{Counting, Random, checks, mutant};

const MUTANTS: usize = 20_000;
/// One in this many mutants goes through the slow checks.
const SLOW: usize = 8;
/// Generous: a mutant takes milliseconds.
const LONGEST: Duration = Duration::from_secs(10);
/// Memory allowed for one recording in addition to its input: a fixed amount, and this many bytes per byte of
/// input.
const FIXED: usize = 64 << 20;
const PER_BYTE: usize = 64;

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

/// Processes a mutant as a pipeline would process an upload.
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
    // One after another, so that time and memory can be attributed to one mutant.
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

/// Damages one of the recordings and returns the peak memory of processing it.
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
