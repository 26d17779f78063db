//! Each stage on its own, from varints to a complete conversion, compared with the crate `jfrs`.
//!
//! `JFRKIT_BENCH_FILE=rec.jfr cargo bench -p jfrkit-benches --bench stages` measures another recording instead of the fixture.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jfr_analyzers::{Options, Summary, collect};
use jfr_parse::engine::PoolEntries;
use jfr_parse::{CHECKPOINT, Cursor, Limits, METADATA, Metadata, Recording};
use jfrkit_profile::ProfileType;

fn open() -> Recording<'static> {
    Recording::open(jfrkit_benches::recording()).expect("the recording to measure")
}

fn varints(c: &mut Criterion) {
    let mut bytes = Vec::new();
    // Like the frames of stack traces: method, line, bytecode index, type.
    for i in 0..20_000u64 {
        for value in [((i * 7_919) << 16) | (i % 60), i % 900, i % 200, i % 3] {
            jfr_parse::engine::push_varint(&mut bytes, value);
        }
    }
    let mut group = c.benchmark_group("varints");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("skip", |b| b.iter(|| Cursor::new(black_box(&bytes)).skip_varints(80_000)));
    group.bench_function("read", |b| {
        b.iter(|| {
            let mut cursor = Cursor::new(black_box(&bytes));
            (0..80_000).map(|_| cursor.varint().unwrap_or(0)).fold(0u64, u64::wrapping_add)
        });
    });
    group.finish();
}

fn reading(c: &mut Criterion) {
    let recording = open();
    let mut group = c.benchmark_group("reading");
    group.throughput(Throughput::Bytes(recording.bytes().len() as u64));
    group.sample_size(20);
    group.bench_function("event headers", |b| {
        b.iter(|| {
            let chunks = recording.chunks().map(Result::unwrap);
            chunks.map(|chunk| chunk.events().map(|e| e.type_id.0).fold(0, u64::wrapping_add)).sum::<u64>()
        });
    });
    let chunk = recording.chunk(0).unwrap();
    let metadata = chunk.walk(0..chunk.bytes().len()).find(|e| e.type_id == METADATA);
    let metadata = metadata.or_else(|| chunk.walk(68..chunk.bytes().len()).find(|e| e.type_id == METADATA)).unwrap();
    group.bench_function("metadata of a chunk", |b| {
        b.iter(|| Metadata::parse(black_box(metadata.payload), 0, &Limits::default()).unwrap());
    });
    group.bench_function("constants", |b| {
        b.iter(|| {
            for chunk in recording.chunks() {
                let chunk = chunk.unwrap();
                let layouts = chunk.pool_layouts(|_| true);
                let mut entries = PoolEntries::default();
                for event in chunk.checkpoints().filter(|e| e.type_id == CHECKPOINT) {
                    entries.add(&event, &layouts).unwrap();
                }
                black_box(chunk.join_pools(vec![entries]));
            }
        });
    });
    group.bench_function("fields by plan", |b| {
        b.iter(|| {
            let mut sum = 0i64;
            for chunk in recording.chunks() {
                let chunk = chunk.unwrap();
                let Some(of) = chunk.metadata().by_name("jdk.ObjectAllocationInNewTLAB") else { continue };
                let plan = chunk.plan(of, ["startTime", "stackTrace", "tlabSize"]).unwrap();
                let size = plan.field::<i64>("tlabSize");
                for event in chunk.events().filter(|e| e.type_id == of.id()) {
                    sum = sum.wrapping_add(event.read(&plan).unwrap().get(size));
                }
            }
            sum
        });
    });
    group.bench_function("summary", |b| b.iter(|| Summary::of(&recording).unwrap()));
    group.finish();
}

fn profiles(c: &mut Criterion) {
    let recording = open();
    let mut group = c.benchmark_group("profiles");
    group.throughput(Throughput::Bytes(recording.bytes().len() as u64));
    group.sample_size(20);
    let mut cpu = Options::default();
    cpu.types = vec![ProfileType::Cpu];
    for (name, options) in [("all types", Options::default()), ("cpu", cpu)] {
        group.bench_with_input(BenchmarkId::new("aggregation", name), &options, |b, options| {
            b.iter(|| collect(&recording, options).unwrap());
        });
    }
    let set = collect(&recording, &Options::default()).unwrap();
    for (name, packing) in [("raw", pprof_emit::Packing::Raw), ("gzip", pprof_emit::Packing::default())] {
        let options = pprof_emit::Options { packing, ..Default::default() };
        group.bench_function(BenchmarkId::new("pprof", name), |b| {
            b.iter(|| {
                let bytes = |p| pprof_emit::to_bytes(p, &set.tables, &options).unwrap().len();
                set.profiles.iter().map(bytes).sum::<usize>()
            });
        });
    }
    group.finish();
}

fn whole(c: &mut Criterion) {
    let path = jfrkit_benches::recording();
    let dir = std::env::temp_dir().join("jfrkit-bench");
    std::fs::create_dir_all(&dir).unwrap();
    let mut group = c.benchmark_group("end to end");
    group.throughput(Throughput::Bytes(std::fs::metadata(&path).unwrap().len()));
    group.sample_size(10);
    group.bench_function("convert all types", |b| {
        b.iter(|| {
            let set = collect(&Recording::open(&path).unwrap(), &Options::default()).unwrap();
            let file = |p: &jfrkit_profile::Profile| dir.join(format!("{}.pb.gz", p.kind));
            pprof_emit::write_all(&set, file, &pprof_emit::Options::default()).unwrap().len()
        });
    });
    // If the other crate cannot read the file, there is nothing to compare.
    if jfrs_events(&path).is_some() {
        group.bench_function("jfrs iterates events", |b| b.iter(|| jfrs_events(&path)));
    }
    group.finish();
    let _ = std::fs::remove_dir_all(dir);
}

fn jfrs_events(path: &std::path::Path) -> Option<u64> {
    let mut reader = jfrs::reader::JfrReader::new(std::fs::File::open(path).ok()?);
    let mut events = 0;
    for chunk in reader.chunks() {
        let (mut chunk_reader, chunk) = chunk.ok()?;
        for event in chunk_reader.events(&chunk) {
            event.ok()?;
            events += 1;
        }
    }
    Some(events)
}

criterion_group!(benches, varints, reading, profiles, whole);
criterion_main!(benches);
