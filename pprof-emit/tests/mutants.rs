//! Damaged recordings, thousands of them: none may panic, hang, take memory out of proportion, or yield a profile
//! that is not valid.
//!
//! Seeded, so that a failure can be repeated: it names the file, the mutant and what was done. `JFRKIT_MUTANTS` sets
//! how many there are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::cast_possible_truncation)]

#[path = "common/memory.rs"]
mod memory;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jfr_analyzers::{LabelKey, Options, Summary, collect};
use jfr_parse::{CHECKPOINT, HEADER_SIZE, Limits, METADATA, Recording, ValueReader};
use pprof_emit::{Packing, check, read, to_bytes};

const MUTANTS: usize = 20_000;
/// Larger recordings would only make the test slow.
const LARGEST_SEED: usize = 400_000;
/// Generous: a mutant takes milliseconds.
const LONGEST: Duration = Duration::from_secs(10);
/// What one conversion may take beyond its input: a fixed amount, and so many bytes for each of the input.
const FIXED: usize = 64 << 20;
const PER_BYTE: usize = 64;
const THREADS: usize = 2;

/// xorshift64*, which is all the randomness that this needs.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

struct Seed {
    name: String,
    bytes: Vec<u8>,
    /// Where events begin and end, by what they are.
    events: Vec<(usize, usize)>,
    checkpoints: Vec<(usize, usize)>,
    metadata: Vec<(usize, usize)>,
    chunks: Vec<usize>,
}

impl Seed {
    fn open(path: &Path) -> Option<Self> {
        let recording = Recording::open(path).ok()?;
        let bytes = recording.bytes().to_vec();
        if bytes.len() > LARGEST_SEED {
            return None;
        }
        let mut seed = Self {
            name: path.file_name()?.to_string_lossy().into_owned(),
            bytes,
            events: Vec::new(),
            checkpoints: Vec::new(),
            metadata: Vec::new(),
            chunks: Vec::new(),
        };
        for chunk in recording.chunks().flatten() {
            let base = usize::try_from(chunk.offset()).ok()?;
            seed.chunks.push(base);
            for event in chunk.walk(HEADER_SIZE..chunk.bytes().len()) {
                let range = (base + event.offset, base + event.offset + event.size);
                match event.type_id {
                    CHECKPOINT => seed.checkpoints.push(range),
                    METADATA => seed.metadata.push(range),
                    _ => seed.events.push(range),
                }
            }
        }
        (!seed.chunks.is_empty() && !seed.metadata.is_empty()).then_some(seed)
    }

    /// Does one to four things to a copy. Most keep the framing, so that what is behind it is reached.
    fn mutant(&self, random: &mut Random) -> (Vec<u8>, String) {
        let mut bytes = self.bytes.clone();
        let mut done = String::new();
        for _ in 0..1 + random.below(4) {
            let kind = random.below(10);
            let within = match kind {
                0..3 if !self.checkpoints.is_empty() => random.pick(&self.checkpoints),
                3 | 4 => random.pick(&self.metadata),
                5 | 6 if !self.events.is_empty() => random.pick(&self.events),
                7 => {
                    let chunk = random.pick(&self.chunks);
                    (chunk + 4, chunk + HEADER_SIZE)
                }
                8 => {
                    let to = random.below(bytes.len());
                    bytes.truncate(to.max(1));
                    done += &format!(" cut at {to};");
                    continue;
                }
                _ => (0, bytes.len()),
            };
            let (from, to) = (within.0.min(bytes.len()), within.1.min(bytes.len()));
            if from >= to {
                continue;
            }
            let at = from + random.below(to - from);
            let end = (at + 1 + random.below(12)).min(to);
            let how = random.below(6);
            match how {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = random.pick(&[0, 1, 0x7f, 0x80, 0xff]),
                2 => bytes[at..end].fill(0xff),
                3 => bytes[at..end].fill(0x80),
                4 => {
                    for byte in &mut bytes[at..end] {
                        *byte = random.next() as u8;
                    }
                }
                _ => {
                    let source = random.below(bytes.len() - (end - at));
                    bytes.copy_within(source..source + (end - at), at);
                }
            }
            done += &format!(" {how} at {at}..{end};");
        }
        (bytes, done)
    }
}

/// Everything that a pipeline would do with an upload.
fn process(bytes: &[u8]) {
    let limits = Limits::intake();
    let Ok(recording) = Recording::from_bytes(bytes, &limits) else { return };
    for loss in recording.losses() {
        assert!(!loss.to_string().is_empty());
    }
    let _ = Summary::of(&recording);
    for chunk in recording.chunks().flatten() {
        let reader = ValueReader::new(&chunk).stack_depth(8);
        for event in chunk.events().take(20) {
            let _ = reader.event(&event).map(|value| value.path("stackTrace.frames").is_some());
        }
    }
    let mut options = Options::default();
    options.labels = LabelKey::ALL.to_vec();
    let Ok(set) = collect(&recording, &options) else { return };
    for profile in &set.profiles {
        let options = pprof_emit::Options { packing: Packing::Raw, ..Default::default() };
        let written = to_bytes(profile, &set.tables, &options).expect("memory takes everything");
        let profile = read(&written).expect("what was written can be read");
        check(&profile).expect("what was written is valid");
    }
}

fn seeds() -> Vec<Seed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut folders = vec![root.join("fixtures")];
    let corpus = root.join("../shared/corpus");
    if corpus.is_dir() {
        folders.extend(["public", "generated", "hard"].map(|name| corpus.join(name)));
    } else {
        println!("../shared/corpus is not there: mutants of the fixtures only");
    }
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() { folders.push(entry.path()) } else { paths.push(entry.path()) }
        }
    }
    paths.sort();
    let mut seeds: Vec<Seed> = paths.iter().filter_map(|path| Seed::open(path)).collect();
    // Many small ones reach more than few large ones.
    seeds.sort_by_key(|seed| (seed.bytes.len(), seed.name.clone()));
    seeds.truncate(40);
    seeds
}

#[test]
fn no_mutant_does_harm() {
    let mutants = std::env::var("JFRKIT_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(MUTANTS);
    let seeds = seeds();
    assert!(seeds.len() >= 10, "only {} seeds", seeds.len());
    let largest = seeds.iter().map(|s| s.bytes.len()).max().unwrap_or(0);
    let began = Instant::now();
    let (_, taken) = memory::measure(|| {
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let seeds = &seeds;
                scope.spawn(move || {
                    for i in (thread..mutants).step_by(THREADS) {
                        let mut random = Random((i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                        let seed = &seeds[random.below(seeds.len())];
                        let (bytes, done) = seed.mutant(&mut random);
                        let began = Instant::now();
                        let what = || format!("mutant {i} of {}:{done}", seed.name);
                        if std::panic::catch_unwind(|| process(&bytes)).is_err() {
                            panic!("a panic: {}", what());
                        }
                        assert!(began.elapsed() < LONGEST, "{:?}: {}", began.elapsed(), what());
                    }
                });
            }
        })
    });
    let peak = taken.peak;
    println!("{mutants} mutants of {} recordings in {:?}, peak {} MB", seeds.len(), began.elapsed(), peak >> 20);
    assert!(peak < THREADS * (FIXED + PER_BYTE * largest), "peak {peak} bytes");
}
