//! Merges 500 profiles into one: exactly, and in bounded memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod memory;

use std::path::Path;

use jfr_analyzers::{LabelKey, Options, collect};
use jfr_parse::Recording;
use jfrkit_profile::tree::{By, CallStacks, FrameKind, Tree, View, merge, table};
use jfrkit_profile::{Cancel, ProfileType};

/// The cpu profile of a recording as the server stores it, with threads.
fn cpu(name: &str) -> CallStacks {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name);
    let recording = Recording::open(path).unwrap();
    let mut options = Options::default();
    options.types = vec![ProfileType::Cpu];
    options.labels = vec![LabelKey::Thread];
    let set = collect(&recording, &options).unwrap();
    CallStacks::of(&set.profiles[0], &set.tables)
}

#[test]
fn five_hundred_profiles_merge_exactly() {
    let kinds = ["jdk17-full.jfr", "jdk21-full.jfr.gz", "jdk17-multichunk.jfr"].map(cpu);
    let profiles: Vec<CallStacks> = (0..500)
        .map(|n| {
            let mut of = kinds[n % kinds.len()].clone();
            // Each process has some functions of its own.
            let own = of.frame(&format!("process{n}.Main.run"), FrameKind::Java, 1);
            let width = of.types().len();
            of.add(&[own], &[], &vec![1; width]);
            of
        })
        .collect();
    let (all, taken) = memory::measure(|| merge(&profiles, &Cancel::default()).unwrap());
    assert!(taken.peak < 500_000_000, "{taken:?}");
    for at in 0..all.types().len() {
        let sum: i64 = profiles.iter().map(|of| of.totals()[at]).sum();
        assert_eq!(all.totals()[at], sum);
    }
    let value = all.default_value;
    let rows = table(&all, value, &View::default(), &By::Function, &Cancel::default()).unwrap().rows;
    assert_eq!(rows.iter().filter(|row| row.key.starts_with("process")).count(), 500);
    let total = |of: &CallStacks| {
        let rows = table(of, of.default_value, &View::default(), &By::Function, &Cancel::default()).unwrap().rows;
        rows.iter().find(|row| &*row.key == "fx.Workload.burnUnit").unwrap().total
    };
    assert_eq!(
        total(&all),
        profiles.iter().take(3).map(total).sum::<i64>() * 166 + total(&profiles[0]) + total(&profiles[1])
    );
    let seconds: f64 = profiles.iter().map(|of| of.seconds).sum();
    assert!((all.seconds - seconds).abs() < 1e-3);
    assert_eq!(Tree::new(&all, value, &View::default(), &Cancel::default()).unwrap().total[0], all.totals()[value]);
}
