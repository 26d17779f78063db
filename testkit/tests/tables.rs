//! Damaged recordings as tables: none may panic or use memory out of proportion, and every table must agree with the profiles of
//! the same bytes.
//!
//! `JFRKIT_MUTANTS` sets the number of mutants, `JFRKIT_MUTANT` selects a single one by its number.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use common::Seed;
use jfr_analyzers::{LabelKey, Options, Summary, collect};
use jfr_parse::{Limits, Recording};
use jfrkit_profile::ProfileType;
use jfrkit_tables::{Schemas, Selection, Table, read_table};
use jfrkit_testkit::{Counting, Random, mutant};

const MUTANTS: usize = 1_000;
/// Memory allowed for one recording in addition to its input: a fixed amount, and this many bytes per byte of input.
const FIXED: usize = 64 << 20;
const PER_BYTE: usize = 256;

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

/// Reads a table and returns its number of rows.
fn rows(recording: &Recording<'_>, table: Table, kind: ProfileType, weight: &mut i64) -> Option<usize> {
    let selection = Selection::default();
    let mut schemas = Schemas::default();
    schemas.add(recording, &selection);
    let mut rows = 0;
    let read = read_table(recording, table, &schemas, kind, &selection, "mutant", &mut |batch| {
        rows += batch.num_rows();
        let columns = batch.columns();
        assert!(columns.iter().all(|column| column.len() == batch.num_rows()));
        if table == Table::Samples {
            let column = batch.column_by_name("weight").unwrap().as_primitive::<Int64Type>();
            *weight = column.iter().flatten().fold(*weight, i64::saturating_add);
        }
        Ok(())
    });
    read.ok().map(|_| rows)
}

fn process(bytes: &[u8]) {
    let Ok(recording) = Recording::from_bytes(bytes, &Limits::intake()) else { return };
    let mut ignored = 0;
    let events = rows(&recording, Table::Events, ProfileType::Cpu, &mut ignored);
    if let (Some(rows), Ok(summary)) = (events, Summary::of(&recording)) {
        assert!(rows as u64 <= summary.event_count(), "{rows} rows of {} events", summary.event_count());
    }
    for table in [Table::Stacks, Table::Frames, Table::Threads, Table::Settings, Table::Recordings] {
        let _ = rows(&recording, table, ProfileType::Cpu, &mut ignored);
    }
    // With all labels, so that a truncated event is unreadable in both.
    let mut options = Options::default();
    options.labels = LabelKey::ALL.to_vec();
    let profiles = collect(&recording, &options);
    for &kind in ProfileType::ALL {
        let mut weight = 0;
        let rows = rows(&recording, Table::Samples, kind, &mut weight);
        // All types together may exceed a limit that one alone does not.
        assert!(rows.is_some() || profiles.is_err(), "{kind}");
        let profile = profiles.as_ref().ok().and_then(|set| set.profiles.iter().find(|profile| profile.kind == kind));
        // Without sizes, the weight of live objects is unknown.
        if let Some(profile) =
            profile.filter(|profile| profile.samples.iter().all(|s| s.values.len() == kind.values().len()))
        {
            let sum = profile
                .samples
                .iter()
                .filter_map(|sample| sample.values.last())
                .fold(0, |sum: i64, n| sum.saturating_add(*n));
            assert_eq!(weight, sum, "{kind}");
        }
    }
}

fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

fn one(i: usize, seeds: &[Seed]) {
    let mut random = Random::new(i as u64);
    let seed = random.pick(seeds);
    let bytes = mutant(&seed.bytes, &mut random);
    let before = ALLOCATOR.restart();
    if std::panic::catch_unwind(|| process(&bytes)).is_err() {
        panic!("a panic: mutant {i} of {}", seed.name);
    }
    let taken = ALLOCATOR.peak() - before;
    assert!(taken < FIXED + PER_BYTE * bytes.len(), "{taken} bytes: mutant {i} of {}", seed.name);
}

#[test]
fn tables_of_mutants_agree_with_their_profiles() {
    let mutants = number("JFRKIT_MUTANTS").unwrap_or(MUTANTS);
    let seeds: Vec<Seed> = common::seeds().into_iter().filter(|seed| seed.bytes.len() < 200_000).collect();
    assert!(seeds.len() >= 20, "only {} seeds", seeds.len());
    match number("JFRKIT_MUTANT") {
        Some(only) => one(only, &seeds),
        None => (0..mutants).for_each(|i| one(i, &seeds)),
    }
}
