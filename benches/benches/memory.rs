//! Memory use of a conversion: the peak beyond the mapped file, and allocations per event. Then of merging 500 typical profiles
//! (see `trees`): the decoded profiles, and what the merge takes in addition (at most 500 MB).
//!
//! `JFRKIT_BENCH_FILE=rec.jfr cargo bench -p jfrkit-benches --bench memory`
#![allow(
    unsafe_code,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "an allocator that counts; a bench may stop"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use jfr_analyzers::{Options, Summary, collect};
use jfr_parse::Recording;
use jfrkit_profile::Cancel;
use jfrkit_profile::any::AnyProfile;
use jfrkit_profile::tree::CallStacks;
use pprof_emit::{AnyLimits, read_any};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static COUNT: AtomicUsize = AtomicUsize::new(0);

struct Counting;

impl Counting {
    fn grow(by: usize) {
        COUNT.fetch_add(1, Relaxed);
        PEAK.fetch_max(NOW.fetch_add(by, Relaxed) + by, Relaxed);
    }
}

// SAFETY: every call is forwarded to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::grow(layout.size());
        // SAFETY: the caller's guarantee is the one that `System` requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        NOW.fetch_sub(layout.size(), Relaxed);
        Self::grow(size);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn measure<T>(what: &str, events: u64, run: impl FnOnce() -> T) -> T {
    let (before, count) = (NOW.load(Relaxed), COUNT.load(Relaxed));
    PEAK.store(before, Relaxed);
    let result = run();
    let allocations = COUNT.load(Relaxed) - count;
    let peak = PEAK.load(Relaxed) - before;
    println!(
        "{what:<12} peak {:>8.1} MB, {allocations:>9} allocations, {:.3} per event",
        peak as f64 / 1e6,
        allocations as f64 / events.max(1) as f64
    );
    result
}

fn main() {
    let recording = Recording::open(jfrkit_benches::recording()).unwrap();
    let events = recording.chunks().flatten().map(|chunk| chunk.events().count() as u64).sum();
    println!("{} bytes, {events} events", recording.bytes().len());
    measure("summary", events, || Summary::of(&recording).unwrap());
    let set = measure("collect", events, || collect(&recording, &Options::default()).unwrap());
    measure("pprof", events, || {
        let bytes = |p| pprof_emit::to_bytes(p, &set.tables, &pprof_emit::Options::default()).unwrap().len();
        set.profiles.iter().map(bytes).sum::<usize>()
    });
    merging();
}

fn merging() {
    const COUNT: u64 = 500;
    println!("\n{COUNT} typical profiles (allocations per profile)");
    let files: Vec<Vec<u8>> = jfrkit_benches::typical(COUNT).collect();
    println!("{} bytes of files", files.iter().map(Vec::len).sum::<usize>());
    let decode = |bytes: &Vec<u8>| read_any(bytes, &AnyLimits::default(), &Cancel::never()).unwrap();
    let stacks = |profile: &AnyProfile| profile.call_stacks(&(0..profile.width()).collect::<Vec<_>>());
    let decoded: Vec<CallStacks> =
        measure("stacks", COUNT, || files.iter().map(|file| stacks(&decode(file))).collect());
    drop(measure("merge", COUNT, || jfrkit_profile::tree::merge(&decoded, &Cancel::never()).unwrap()));
    drop(decoded);
    drop(measure("as read", COUNT, || {
        let mut all = stacks(&decode(&files[0]));
        for file in files.iter().skip(1) {
            all.append(&stacks(&decode(file)), &Cancel::never()).unwrap();
        }
        all
    }));
    let profiles: Vec<AnyProfile> = measure("pprof", COUNT, || files.iter().map(decode).collect());
    measure("merge", COUNT, || jfrkit_profile::any::merge(&profiles, &Cancel::never()).unwrap());
}
