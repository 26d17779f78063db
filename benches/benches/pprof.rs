//! Writing pprof: encoding alone, with our own compressor, and with gzip at several levels.
//!
//! `JFRKIT_BENCH_RECORDING=rec.jfr` uses the profiles of a recording instead of a synthetic one. The sizes are
//! printed before the times, because both matter for choosing the level.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jfrkit_benches::{Random, set_of};
use jfrkit_profile::{Frame, Function, Interner, LabelSetId, ProfileSet, Samples};
use pprof_emit::{Options, Packing, Stats, write_pprof};

/// The levels to compare.
const LEVELS: [u8; 6] = [1, 2, 3, 4, 6, 9];

/// 100,000 stacks of 45 frames. Each shares its root with the previous one and diverges somewhere near the
/// leaf, like successive stacks of a program.
fn made_up() -> ProfileSet {
    let mut random = Random(1);
    let interner = Interner::new();
    let frames: Vec<_> = {
        let mut symbols = interner.symbols();
        (0..40_000_u64)
            .map(|i| {
                let class = format!("org.example.area{}.part{}.Component{}", i % 13, i % 101, i / 9);
                let name = format!("{class}.operation{}", i / 3 % 3);
                let function = Function {
                    name: symbols.string(&name),
                    system_name: symbols.string(&format!("{name}(Ljava/lang/Object;I)Lorg/example/Result{};", i % 7)),
                    file: symbols.string(&format!("Component{}.java", i / 9)),
                    library: symbols.string(""),
                };
                let function = symbols.function_id(function);
                symbols.frame_id(Frame { function, line: u32::try_from(i % 3 * 17 + 20).unwrap() })
            })
            .collect()
    };
    let pick = |random: &mut Random| frames[usize::try_from(random.skewed(40_000)).unwrap()];
    let mut stack: Vec<_> = (0..45).map(|_| pick(&mut random)).collect();
    let mut samples = Samples::new(2);
    for _ in 0..100_000 {
        let depart = usize::try_from(random.skewed(45)).unwrap();
        for frame in stack.iter_mut().take(depart + 1) {
            *frame = pick(&mut random);
        }
        let count = i64::try_from(1 + random.skewed(20)).unwrap();
        samples.push(interner.stack(&stack), LabelSetId::default(), &[count, count * 20_000_000]);
    }
    set_of(samples, interner)
}

fn profiles() -> ProfileSet {
    match std::env::var_os("JFRKIT_BENCH_RECORDING") {
        Some(path) => {
            let recording = jfr_parse::Recording::open(path).unwrap();
            jfr_analyzers::collect(&recording, &jfr_analyzers::Options::default()).unwrap()
        }
        None => made_up(),
    }
}

/// Writes all profiles one after another; returns the raw and the written bytes.
fn write(set: &ProfileSet, packing: Packing) -> (u64, u64) {
    let options = Options { packing, ..Options::default() };
    set.profiles.iter().fold((0, 0), |(raw, bytes), profile| {
        let stats: Stats = write_pprof(profile, &set.tables, std::io::sink(), &options).unwrap();
        (raw + stats.raw_bytes, bytes + stats.bytes)
    })
}

fn pprof(criterion: &mut Criterion) {
    let set = profiles();
    let (raw, _) = write(&set, Packing::Raw);
    let (_, reference) = write(&set, Packing::Gzip(6));
    println!("{raw} bytes raw");
    for packing in LEVELS.map(Packing::Gzip) {
        let (_, bytes) = write(&set, packing);
        println!("{packing:?}: {bytes} bytes, {:.3} of level 6", bytes as f64 / reference as f64);
    }
    let mut group = criterion.benchmark_group("pprof");
    group.sample_size(10).throughput(Throughput::Bytes(raw));
    group.bench_function("raw", |b| b.iter(|| write(&set, Packing::Raw)));
    for level in LEVELS {
        group.bench_with_input(BenchmarkId::new("gzip", level), &level, |b, &level| {
            b.iter(|| write(&set, Packing::Gzip(level)));
        });
    }
    group.finish();
}

criterion_group!(benches, pprof);
criterion_main!(benches);
