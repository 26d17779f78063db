//! Profiles written and read back.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Plain, PlainFrame, PlainSample, PlainValue, frame};
use jfrkit_profile::ProfileType;
use pprof_emit::{Options, Packing, ReadError, pb, read, read_with_limit, to_bytes};
use proptest::prelude::*;

fn raw() -> Options {
    Options { packing: Packing::Raw, ..Options::default() }
}

fn written(plain: &Plain) -> pb::Profile {
    let (profile, tables) = plain.model(0);
    let packed = read(&to_bytes(&profile, &tables, &Options::default()).unwrap()).unwrap();
    let unpacked = read(&to_bytes(&profile, &tables, &raw()).unwrap()).unwrap();
    assert_eq!(packed, unpacked);
    packed
}

type Row = (Vec<PlainFrame>, Vec<(String, PlainValue)>, Vec<i64>);

/// The content of a profile, without its numbering and the order of its samples.
fn rows(profile: &pb::Profile) -> BTreeMap<Row, usize> {
    let text = |i: i64| profile.string_table[i as usize].clone();
    let mut rows = BTreeMap::new();
    for sample in &profile.sample {
        let mut stack = Vec::new();
        for id in &sample.location_id {
            let location = profile.location.iter().find(|l| l.id == *id).unwrap();
            assert_eq!(location.line.len(), 1);
            let line = location.line[0];
            let function = profile.function.iter().find(|f| f.id == line.function_id).unwrap();
            let mapping = profile.mapping.iter().find(|m| m.id == location.mapping_id).unwrap();
            let library = if mapping.id == 1 { String::new() } else { text(mapping.filename) };
            let names = (text(function.name), text(function.system_name), text(function.filename));
            stack.push((names.0, names.1, names.2, library, line.line as u32));
        }
        let labels = sample
            .label
            .iter()
            .map(|l| {
                let value = if l.str == 0 { PlainValue::Number(l.num) } else { PlainValue::Text(text(l.str)) };
                (text(l.key), value)
            })
            .collect();
        *rows.entry((stack, labels, sample.value.clone())).or_default() += 1;
    }
    rows
}

fn plain_rows(plain: &Plain) -> BTreeMap<Row, usize> {
    let mut rows = BTreeMap::new();
    for sample in &plain.samples {
        let labels = sample.labels.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        *rows.entry((sample.stack.clone(), labels, sample.values.clone())).or_default() += 1;
    }
    rows
}

#[test]
fn empty_profile_has_its_types_and_a_mapping() {
    let profile = written(&Plain::new(ProfileType::Cpu));
    assert!(profile.sample.is_empty() && profile.location.is_empty() && profile.function.is_empty());
    let text = |i: i64| profile.string_table[i as usize].as_str();
    let types: Vec<_> = profile.sample_type.iter().map(|t| (text(t.r#type), text(t.unit))).collect();
    assert_eq!(types, [("cpu-samples", "count"), ("cpu-time", "nanoseconds")]);
    assert_eq!(text(profile.default_sample_type), "cpu-time");
    assert_eq!(profile.mapping.len(), 1);
    let mapping = profile.mapping[0];
    assert_eq!((mapping.id, text(mapping.filename)), (1, "java"));
    assert!(mapping.has_functions && mapping.has_filenames && mapping.has_line_numbers);
    assert!(!mapping.has_inline_frames);
    assert_eq!((profile.time_nanos, profile.duration_nanos), (1_700_000_000_000_000_000, 60_000_000_000));
    assert_eq!(profile.period_type, None);
}

#[test]
fn head_carries_main_period_and_comments() {
    let mut plain = Plain::new(ProfileType::Alloc).sample(&["a", "b"], &[1, 2]);
    plain.main = Some("org.example.Main".to_owned());
    plain.comments = vec!["first".to_owned(), String::new(), "second ünï".to_owned(), "first".to_owned()];
    plain.period = Some(-7);
    let profile = written(&plain);
    let text = |i: i64| profile.string_table[i as usize].as_str();
    assert_eq!(text(profile.mapping[0].filename), "org.example.Main");
    let comments: Vec<_> = profile.comment.iter().map(|&c| text(c)).collect();
    assert_eq!(comments, ["first", "", "second ünï", "first"]);
    let period = profile.period_type.unwrap();
    assert_eq!((text(period.r#type), text(period.unit), profile.period), ("alloc-samples", "count", -7));
    let mut strings = profile.string_table.clone();
    strings.sort();
    strings.dedup();
    assert_eq!(strings.len(), profile.string_table.len(), "each string once");
}

#[test]
fn frequent_frames_get_small_numbers() {
    let mut plain = Plain::new(ProfileType::Cpu);
    for i in 0..200 {
        plain = plain.sample(&[&format!("a.A.rare{i}"), "z.Z.root"], &[1, 1]);
    }
    let profile = written(&plain);
    let name = |location: &pb::Location| {
        let function = profile.function.iter().find(|f| f.id == location.line[0].function_id).unwrap();
        profile.string_table[function.name as usize].as_str()
    };
    // It is last by its class, but takes one byte in any position.
    let root = profile.location.iter().find(|location| name(location) == "z.Z.root").unwrap();
    assert_eq!(root.id, 127);
    // Of equally frequent ones, the first.
    let of = |range: std::ops::Range<u64>| profile.location.iter().filter(move |l| range.contains(&l.id)).map(name);
    assert!(of(1..127).all(|name| (0..126).any(|i| name == format!("a.A.rare{i}"))));
}

#[test]
fn functions_of_a_class_are_adjacent() {
    let plain = Plain::new(ProfileType::Cpu).sample(&["b.B.x", "a.A.y", "b.B.a"], &[1, 1]).sample(&["a.A.b"], &[1, 1]);
    let profile = written(&plain);
    let names: Vec<_> = profile.function.iter().map(|f| profile.string_table[f.name as usize].as_str()).collect();
    assert_eq!(names, ["a.A.y", "a.A.b", "b.B.x", "b.B.a"]);
    assert_eq!(profile.function.iter().map(|f| f.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn native_functions_are_in_the_mapping_of_their_library() {
    let mut plain = Plain::new(ProfileType::Cpu);
    let native = |name: &str, library: &str| (name.to_owned(), name.to_owned(), String::new(), library.to_owned(), 0);
    let stack = vec![native("malloc", "libc.so.6"), native("JVM_Do", "libjvm.so"), frame("Main.main", 3)];
    plain.samples.push(PlainSample { stack, labels: Vec::new(), values: vec![1, 2] });
    let profile = written(&plain);
    assert_eq!(profile.mapping.len(), 3);
    assert_eq!(rows(&profile), plain_rows(&plain));
}

#[test]
fn a_profile_of_many_blocks_is_one_gzip_member() {
    let mut plain = Plain::new(ProfileType::FileIo);
    for i in 0..30_000_i64 {
        let stack =
            (0..20).map(|d| frame(&format!("pkg.Class{}.method{d}", (i * i + d) % (1 + d * 40)), 1 + i as u32 % 7));
        plain.samples.push(PlainSample {
            stack: stack.collect(),
            labels: Vec::new(),
            values: vec![1, i * 1000, i64::MAX - i],
        });
    }
    let (profile, tables) = plain.model(0);
    let mut out = Vec::new();
    let stats = pprof_emit::write_pprof(&profile, &tables, &mut out, &Options::default()).unwrap();
    assert_eq!(stats.bytes, out.len() as u64);
    assert!(stats.raw_bytes > 2 << 20, "more than a few blocks: {stats:?}");
    let mut unpacked = Vec::new();
    let mut one = flate2::bufread::GzDecoder::new(out.as_slice());
    std::io::Read::read_to_end(&mut one, &mut unpacked).unwrap();
    assert!(one.into_inner().is_empty(), "nothing after the first member");
    assert_eq!(unpacked, to_bytes(&profile, &tables, &raw()).unwrap());
    assert_eq!(unpacked.len() as u64, stats.raw_bytes);
    let back = read(&out).unwrap();
    assert_eq!(back.sample.len(), 30_000);
    let total: i128 = back.sample.iter().map(|s| i128::from(s.value[2])).sum();
    assert_eq!(total, (0..30_000_i128).map(|i| i128::from(i64::MAX) - i).sum());

    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = pool.install(|| to_bytes(&profile, &tables, &Options::default()).unwrap());
        assert!(again == out, "{threads} threads make a difference");
    }
}

#[test]
fn the_limit_for_decompressed_bytes_applies() {
    let (profile, tables) = Plain::new(ProfileType::Cpu).sample(&["a"], &[1, 2]).model(0);
    let size = to_bytes(&profile, &tables, &raw()).unwrap().len() as u64;
    for options in [raw(), Options::default()] {
        let bytes = to_bytes(&profile, &tables, &options).unwrap();
        assert!(read_with_limit(&bytes, size).is_ok());
        assert!(matches!(read_with_limit(&bytes, size - 1), Err(ReadError::TooLarge { .. })));
    }
}

#[test]
fn damaged_files_are_rejected() {
    let (profile, tables) = Plain::new(ProfileType::Cpu).sample(&["a"], &[1, 2]).model(0);
    let bytes = to_bytes(&profile, &tables, &Options::default()).unwrap();
    for cut in 2..bytes.len() {
        assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    assert!(matches!(read(b"\xff\xff\xff"), Err(ReadError::Decode(_))));
    assert!(matches!(read(b""), Err(ReadError::Check(_))));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-c]{1,2}".prop_map(String::from),
        "\\PC{0,12}".prop_map(String::from),
        Just("thread".to_owned()),
        Just("cpu-time".to_owned()),
        Just("x".repeat(300)),
    ]
}

fn any_frame() -> impl Strategy<Value = PlainFrame> {
    let line = prop_oneof![Just(0u32), 1..4u32, any::<u32>()];
    let library = prop_oneof![4 => Just(String::new()), 1 => "lib[a-c]\\.so".prop_map(String::from)];
    (text(), text(), text(), library, line)
}

fn any_value() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), Just(1), Just(i64::MAX), Just(i64::MIN), any::<i64>()]
}

fn any_label() -> impl Strategy<Value = (&'static str, PlainValue)> {
    // The format cannot distinguish an empty string from the number 0.
    let value = prop_oneof![
        text().prop_filter("not empty", |t| !t.is_empty()).prop_map(PlainValue::Text),
        any_value().prop_map(PlainValue::Number)
    ];
    (prop_oneof![Just("thread"), Just("thread id"), Just("class"), Just("span id")], value)
}

fn any_sample() -> impl Strategy<Value = PlainSample> {
    let depth = prop_oneof![5 => 0..12usize, 1 => 40..160usize];
    let stack = depth.prop_flat_map(|d| prop::collection::vec(any_frame(), d));
    let labels = prop::collection::vec(any_label(), 0..3);
    let values = prop::collection::vec(any_value(), 2..=2);
    (stack, labels, values).prop_map(|(stack, labels, values)| PlainSample { stack, labels, values })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn written_profiles_are_read_back(
        samples in prop::collection::vec(any_sample(), 0..12),
        main in prop::option::of(text()),
        comments in prop::collection::vec(text(), 0..3),
        period in prop::option::of(any_value()),
        shuffle in any::<u64>(),
    ) {
        let plain = Plain { kind: ProfileType::Lock, samples, main, comments, period };
        let profile = written(&plain);
        prop_assert_eq!(rows(&profile), plain_rows(&plain));
        let distinct: BTreeSet<_> = profile.string_table.iter().collect();
        prop_assert_eq!(distinct.len(), profile.string_table.len(), "each string once");

        let (one, tables) = plain.model(0);
        let (other, other_tables) = plain.model(shuffle);
        let bytes = to_bytes(&one, &tables, &Options::default()).unwrap();
        let shuffled = to_bytes(&other, &other_tables, &Options::default()).unwrap();
        prop_assert!(bytes == shuffled, "handles show in the bytes");
    }

    #[test]
    fn the_reader_survives_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }
}
