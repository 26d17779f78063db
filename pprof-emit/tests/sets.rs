//! Profiles that are written together.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod common;

use std::collections::BTreeSet;

use common::{Plain, PlainFrame, PlainSample, PlainValue, plain_rows, rows, set};
use jfr_analyzers::model::{Profile, ProfileSet, ProfileType};
use pprof_emit::{Options, Packing, pb, read, to_bytes, write_all};
use proptest::prelude::*;

const KINDS: [ProfileType; 4] = [ProfileType::Cpu, ProfileType::Alloc, ProfileType::Lock, ProfileType::Wall];

/// Writes a set; the bytes of each file.
fn together(set: &ProfileSet, packing: Packing) -> Vec<Vec<u8>> {
    let directory = tempfile::tempdir().unwrap();
    let path = |profile: &Profile| directory.path().join(profile.kind.name());
    let written = write_all(set, path, &Options { packing }).unwrap();
    written
        .into_iter()
        .map(|w| {
            let bytes = std::fs::read(&w.path).unwrap();
            assert_eq!(w.stats.bytes, bytes.len() as u64);
            bytes
        })
        .collect()
}

/// A frame of a program whose names are so long that some methods make up a group.
fn method(i: u64) -> PlainFrame {
    let class = format!("org.example.application.part{}.Component{}", i % 7, i / 5);
    let name = format!("{class}.operation{}", i / 2 % 4);
    let library = if i % 31 == 0 { "libexample.so" } else { "" };
    (name.clone(), format!("{name}(J)V"), format!("Component{}.java", i / 5), library.to_owned(), i as u32 % 3)
}

fn distinct(profile: &pb::Profile) -> bool {
    profile.string_table.iter().collect::<BTreeSet<_>>().len() == profile.string_table.len()
}

/// All profiles see the first methods, some others.
fn program(kind: ProfileType, from: u64) -> Plain {
    let mut plain = Plain::new(kind);
    for i in 0..60 {
        let stack = (0..10).map(|d| method(if d < 7 { (i * 7 + d) % 200 } else { from + i * 3 + d })).collect();
        plain.samples.push(PlainSample { stack, labels: Vec::new(), values: vec![1, i as i64] });
    }
    plain
}

#[test]
fn common_strings_are_written_once() {
    let plain: Vec<Plain> =
        KINDS.iter().zip([1000, 1000, 5000, 9000]).map(|(&kind, from)| program(kind, from)).collect();
    let set = set(&plain, 0);
    let files = together(&set, Packing::default());
    let back: Vec<pb::Profile> = files.iter().map(|bytes| read(bytes).unwrap()).collect();
    for (profile, plain) in back.iter().zip(&plain) {
        assert_eq!(rows(profile), plain_rows(plain));
        assert!(distinct(profile));
    }
    // The strings that all need are the last in each file, and compressed in the same way.
    let tail = |bytes: &[u8]| bytes[bytes.len() - 500..bytes.len() - 10].to_vec();
    assert!(files.iter().all(|bytes| tail(bytes) == tail(&files[0])));
    let last = |profile: &pb::Profile| profile.string_table.iter().rev().take(100).cloned().collect::<Vec<_>>();
    assert!(back.iter().all(|profile| last(profile) == last(&back[0])));
    let both = |i: usize, j: usize| {
        let strings: BTreeSet<_> = back[i].string_table.iter().collect();
        back[j].string_table.iter().filter(|text| strings.contains(text)).count()
    };
    assert!(both(0, 1) > both(0, 2));
}

#[test]
fn alone_or_together_a_profile_says_the_same() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
    let recording = jfr_parse::Recording::open(path).unwrap();
    let set = jfr_analyzers::collect(&recording, &jfr_analyzers::Options::default()).unwrap();
    let raw = together(&set, Packing::Raw);
    for ((profile, bytes), raw) in set.profiles.iter().zip(together(&set, Packing::default())).zip(raw) {
        let found = read(&bytes).unwrap();
        assert_eq!(found, read(&raw).unwrap());
        let alone = read(&to_bytes(profile, &set.tables, &Options::default()).unwrap()).unwrap();
        assert_eq!(rows(&found), rows(&alone));
        let strings = |profile: &pb::Profile| profile.string_table.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!(strings(&found), strings(&alone), "no strings that it does not need");
    }
}

#[test]
fn more_profiles_than_have_a_bit() {
    let mut set = set(&[program(ProfileType::Cpu, 1000)], 0);
    set.profiles = vec![set.profiles[0].clone(); 70];
    let directory = tempfile::tempdir().unwrap();
    let count = std::sync::atomic::AtomicUsize::new(0);
    let path = |_: &Profile| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        directory.path().join(number.to_string())
    };
    let written = write_all(&set, path, &Options::default()).unwrap();
    assert_eq!(written.len(), 70);
    for file in written {
        assert_eq!(rows(&read(&std::fs::read(file.path).unwrap()).unwrap()).values().sum::<usize>(), 60);
    }
}

/// Samples of a program, whose labels, comments and main class may be names that other profiles have, too.
fn any_profile(kind: ProfileType) -> impl Strategy<Value = Plain> {
    let known = || (0..300u64).prop_map(|i| method(i).0);
    let label = known().prop_map(|text| ("class", PlainValue::Text(text)));
    let stack = prop::collection::vec((0..300u64).prop_map(method), 0..30);
    let sample = (stack, prop::collection::vec(label, 0..2), any::<i32>())
        .prop_map(|(stack, labels, value)| PlainSample { stack, labels, values: vec![1, value.into()] });
    let main = prop::option::of((0..300u64).prop_map(|i| method(i).2));
    (prop::collection::vec(sample, 0..30), main, prop::collection::vec(known(), 0..3))
        .prop_map(move |(samples, main, comments)| Plain { kind, samples, main, comments, period: None })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_together_is_read_back(
        one in any_profile(KINDS[0]),
        two in any_profile(KINDS[1]),
        three in any_profile(KINDS[2]),
        shuffle in any::<u64>(),
    ) {
        let plain = [one, two, three];
        let files = together(&set(&plain, 0), Packing::default());
        for (bytes, plain) in files.iter().zip(&plain) {
            let profile = read(bytes).unwrap();
            prop_assert_eq!(rows(&profile), plain_rows(plain));
            prop_assert!(distinct(&profile), "each string once");
        }
        prop_assert!(files == together(&set(&plain, shuffle), Packing::default()), "handles show in the bytes");
    }
}
