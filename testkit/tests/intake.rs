//! A service that runs for months: uploads must leave nothing behind, damaged or not.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hash::{BuildHasher, DefaultHasher, Hasher};
use std::path::Path;

use jfr_parse::Recording;
use jfrkit_testkit::{Counting, Random, mutant, reduced};

#[path = "../examples/intake.rs"]
#[expect(dead_code, reason = "the upload is given here")]
mod intake;

use intake::Intake;

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

/// Uploads per round; there are two rounds.
const UPLOADS: u64 = 500;
/// Bytes by which the memory in use may grow in the second round, half a kilobyte for each upload: the caches of
/// regular expressions, and the queues of the threads, are cleared now and then.
const SLACK: usize = 256 << 10;
/// Only the smallest recordings are uploaded, so that the test takes seconds.
const SEEDS: usize = 3;

/// The fixtures, reduced to a few events of each type.
fn seeds() -> Vec<Vec<u8>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let mut paths: Vec<_> = std::fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let recordings = paths.iter().filter_map(|path| Recording::open(path).ok());
    let mut seeds: Vec<_> = recordings.map(|recording| reduced(&recording, 2, |_| true).unwrap()).collect();
    seeds.sort_by_key(Vec::len);
    seeds.truncate(SEEDS);
    seeds
}

/// What became of the uploads of one round.
#[derive(Debug, PartialEq, Eq)]
struct Round {
    accepted: usize,
    refused: usize,
    /// Of all profiles and findings, in order.
    hash: u64,
}

/// Receives the same uploads in every round: every second one is damaged.
fn round(intake: &Intake, seeds: &[Vec<u8>]) -> Round {
    let (mut accepted, mut refused) = (0, 0);
    let mut hash = std::hash::BuildHasherDefault::<DefaultHasher>::default().build_hasher();
    for i in 0..UPLOADS {
        let mut random = Random::new(i);
        let seed = random.pick(seeds);
        let upload = if i % 2 == 0 { seed.clone() } else { mutant(seed, &mut random) };
        match intake.receive(&upload) {
            Ok(received) => {
                accepted += 1;
                for (name, bytes) in &received.profiles {
                    hash.write(name.as_bytes());
                    hash.write(bytes);
                }
                hash.write(&received.findings);
            }
            Err(_) => refused += 1,
        }
    }
    Round { accepted, refused, hash: hash.finish() }
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn a_thousand_uploads_leave_nothing_behind() {
    let (intake, seeds) = (Intake::new(2).unwrap(), seeds());
    assert_eq!(seeds.len(), SEEDS);
    // Whatever is created once, such as the buffers of the threads, exists afterward.
    let first = round(&intake, &seeds);
    let before = ALLOCATOR.restart();
    let second = round(&intake, &seeds);
    let after = ALLOCATOR.restart();
    println!("{first:?}; {before} bytes in use after {UPLOADS} uploads, {after} after twice as many");
    assert_eq!(first, second, "an upload changes what comes of later ones");
    assert!(first.accepted > 300 && first.refused > 0, "{first:?}");
    assert!(after <= before + SLACK, "{before} bytes in use after {UPLOADS} uploads, {after} after twice as many");
}
