//! Exports of pprof files, intact and damaged: whatever can be read can be written, and totals do not change.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::cast_possible_truncation)]

use std::io::Read;
use std::path::Path;

use jfrkit_profile::Cancel;
use jfrkit_profile::any::{AnyProfile, TypeInfo, types};
use pprof_emit::export::{
    Typed, write_collapsed_any, write_firefox, write_otlp, write_otlp_json, write_speedscope_any,
    write_speedscope_evented,
};
use pprof_emit::{AnyLimits, read_any};

fn demo() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/demo/go-cpu.pprof.gz");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn typed<'p>(profile: &'p AnyProfile, all: &'p [TypeInfo]) -> Vec<Typed<'p>> {
    let of = |of: &'p TypeInfo| Typed { kind: &of.kind, title: &of.title, profile, values: of.values.clone() };
    all.iter().map(of).collect()
}

/// Writes the profile in every format.
fn export(profile: &AnyProfile) {
    let all = types(profile);
    let typed = typed(profile, &all);
    let cancel = Cancel::default();
    for of in &typed {
        write_collapsed_any(of, true, std::io::sink(), &cancel).unwrap();
    }
    write_otlp(&typed, "x", std::io::sink(), &cancel).unwrap();
    write_otlp_json(&typed, "x", std::io::sink(), &cancel).unwrap();
    write_speedscope_any(&typed, "x", std::io::sink(), &cancel).unwrap();
    write_firefox(&typed, "x", std::io::sink(), &cancel).unwrap();
    // Without times it must be rejected, not written wrongly.
    let _ = write_speedscope_evented(&typed, "x", std::io::sink(), &cancel);
}

#[test]
fn readable_parts_of_a_damaged_file_can_be_written() {
    let good = demo();
    let (mut state, mut read, mut refused) = (7_u64, 0, 0);
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..600 {
        let mut bytes = good.clone();
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            bytes[at] = u8::try_from(random(256)).unwrap();
        }
        if random(4) == 0 {
            bytes.truncate(random(good.len()));
        }
        match read_any(&bytes, &AnyLimits::intake(), &Cancel::default()) {
            Ok(profile) => {
                read += 1;
                export(&profile);
            }
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().contains('\n'), "{error}");
            }
        }
    }
    assert!(read > 50 && refused > 50, "{read} read, {refused} refused");
}

#[test]
fn extreme_values_and_times_are_written() {
    let mut profile = read_any(&demo(), &AnyLimits::default(), &Cancel::default()).unwrap();
    let key = profile.texts.push("end_timestamp_ns");
    let mut samples = jfrkit_profile::any::AnySamples::default();
    for (value, time) in [(i64::MAX, i64::MAX), (1, i64::MIN), (i64::MAX, 0), (5, 1), (-3, 2)] {
        let label = jfrkit_profile::any::AnyLabel { key, number: time, ..Default::default() };
        samples.push([0, 1], &[value, value], [label]);
    }
    profile.samples = samples;
    export(&profile);
}

#[test]
fn collapsed_stacks_and_speedscope_have_the_total_of_the_profile() {
    let profile = read_any(&demo(), &AnyLimits::default(), &Cancel::default()).unwrap();
    let all = types(&profile);
    let typed = typed(&profile, &all);
    let of = typed.iter().find(|of| of.kind == "cpu").unwrap();
    let total = profile.totals()[*of.values.last().unwrap()];
    let mut text = Vec::new();
    write_collapsed_any(of, false, &mut text, &Cancel::default()).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().map(|line| line.rsplit_once(' ').unwrap().1.parse::<i64>().unwrap()).sum::<i64>(), total);
    let mut json = Vec::new();
    write_speedscope_any(&typed, "go", &mut json, &Cancel::default()).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["profiles"][0]["endValue"], total);
}
