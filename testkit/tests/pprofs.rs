//! Thousands of damaged pprof files of Java, Go, Python and Node.js: each is rejected, or read with the right numbers, in little memory.
//!
//! `JFRKIT_MUTANTS` sets the number of mutants.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use jfrkit_testkit::{Counting, Random, checks, mutant_of_pprof};

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

fn seeds() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let packed =
        ["server/demo/go-cpu.pprof.gz", "cli/tests/node/wall.pprof.gz", "cli/tests/node/heap.pprof.gz"].map(|name| {
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(std::fs::File::open(root.join(name)).unwrap())
                .read_to_end(&mut bytes)
                .unwrap();
            (name.to_owned(), bytes)
        });
    let python = std::fs::read(root.join("server/demo/python.pprof.zst")).unwrap();
    let mut unpacked = Vec::new();
    ruzstd::decoding::StreamingDecoder::new(&*python).unwrap().read_to_end(&mut unpacked).unwrap();
    let recording = jfr_parse::Recording::open(root.join("fixtures/jdk17-multichunk.jfr")).unwrap();
    let set = jfr_analyzers::collect(&recording, &jfr_analyzers::Options::default()).unwrap();
    let raw = pprof_emit::Options { packing: pprof_emit::Packing::Raw, ..pprof_emit::Options::default() };
    let ours = set.profiles.iter().map(|profile| {
        let mut bytes = Vec::new();
        pprof_emit::write_pprof(profile, &set.tables, &mut bytes, &raw).unwrap();
        (profile.kind.name().to_owned(), bytes)
    });
    packed.into_iter().chain([("python".to_owned(), unpacked)]).chain(ours).collect()
}

/// Profiles of Go, Python and Node.js, and our own: nothing is lost in reading and writing.
#[test]
fn real_profiles_come_back_as_they_were() {
    for (name, bytes) in seeds() {
        println!("{name}");
        checks::pprof_comes_back(&bytes);
    }
}

#[test]
fn no_damaged_pprof_does_harm() {
    let count = std::env::var("JFRKIT_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_500);
    let seeds = seeds();
    assert!(seeds.len() > 10);
    let mut read = 0;
    for (name, bytes) in &seeds {
        checks::pprof(bytes);
        assert!(pprof_emit::read(bytes).is_ok(), "{name}");
    }
    for i in 0..count {
        let mut random = Random::new(i);
        let (name, bytes) = random.pick(&seeds);
        let bytes = mutant_of_pprof(bytes, &mut random);
        let (began, before) = (Instant::now(), ALLOCATOR.restart());
        assert!(std::panic::catch_unwind(|| checks::pprof(&bytes)).is_ok(), "mutant {i} of {name}");
        // Generous: a mutant takes milliseconds.
        assert!(began.elapsed() < Duration::from_secs(20), "mutant {i} of {name}: {:?}", began.elapsed());
        let taken = ALLOCATOR.peak() - before;
        assert!(taken < (64 << 20) + 64 * bytes.len(), "mutant {i} of {name}: {taken} bytes");
        read += u64::from(pprof_emit::read(&bytes).is_ok());
    }
    // Otherwise the damage would not reach much code.
    assert!(read > count / 4 && read < count, "{read} of {count} can be read");
}
