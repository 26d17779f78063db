//! Trees of a large CPU profile, and merging 500 typical profiles.
//!
//! `JFRKIT_BENCH_FILE=rec.jfr cargo bench -p jfrkit-benches --bench trees` takes the CPU profile of a recording instead of a
//! made-up one. The bars: `from the file` below 250 ms, each `view` below 60 ms (both for 323,000 nodes), `merge of 500` below 4 s.
//! The bench `memory` measures the memory of the merge.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use jfrkit_profile::Cancel;
use jfrkit_profile::any::AnyProfile;
use jfrkit_profile::tree::{By, CallStacks, Group, Pattern, Tree, View, merge, table};
use pprof_emit::{AnyLimits, read_any};

fn decode(bytes: &[u8]) -> AnyProfile {
    read_any(bytes, &AnyLimits::default(), &Cancel::never()).unwrap()
}

fn stacks(profile: &AnyProfile) -> CallStacks {
    profile.call_stacks(&(0..profile.width()).collect::<Vec<_>>())
}

fn tree(stacks: &CallStacks, view: &View) -> Tree {
    Tree::new(stacks, stacks.default_value, view, &Cancel::never()).unwrap()
}

fn trees(criterion: &mut Criterion) {
    let bytes = jfrkit_benches::cpu_profile().unwrap();
    let all = stacks(&decode(&bytes));
    println!("{} bytes, {} stacks, {} nodes", bytes.len(), all.len(), tree(&all, &View::default()).len());
    let mut group = criterion.benchmark_group("tree");
    group.sample_size(20);
    group.bench_function("decode", |b| b.iter(|| decode(black_box(&bytes))));
    group.bench_function("from the file", |b| {
        b.iter(|| tree(&stacks(&decode(black_box(&bytes))), &View::default()));
    });
    let views = [
        ("all", View::default()),
        ("threads", View { group: Some(Group::Thread), ..View::default() }),
        ("recursion collapsed", View { collapse_recursion: true, ..View::default() }),
        ("lines", View { lines: true, ..View::default() }),
        ("hide", View { hide: Some(Pattern::new("^(java|sun|jdk|org.example.area1)\\.").unwrap()), ..View::default() }),
    ];
    for (name, view) in &views {
        group.bench_function(format!("view {name}"), |b| b.iter(|| tree(black_box(&all), view)));
    }
    let value = all.default_value;
    group.bench_function("view callers", |b| {
        b.iter(|| Tree::callers(black_box(&all), value, &View::default(), &Cancel::never()).unwrap());
    });
    group.bench_function("table of functions", |b| {
        b.iter(|| table(black_box(&all), value, &View::default(), &By::Function, &Cancel::never()).unwrap());
    });
    group.finish();
}

fn merging(criterion: &mut Criterion) {
    let profiles: Vec<AnyProfile> = jfrkit_benches::typical(500).map(|bytes| decode(&bytes)).collect();
    let decoded: Vec<CallStacks> = profiles.iter().map(stacks).collect();
    let mut group = criterion.benchmark_group("merge of 500");
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    group.bench_function("stacks", |b| b.iter(|| merge(black_box(&decoded), &Cancel::never()).unwrap()));
    group.bench_function("pprof", |b| {
        b.iter(|| jfrkit_profile::any::merge(black_box(&profiles), &Cancel::never()).unwrap());
    });
    group.finish();
}

criterion_group!(benches, trees, merging);
criterion_main!(benches);
