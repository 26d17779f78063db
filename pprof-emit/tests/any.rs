//! Any pprof file: what is written is read back, and errors are reported.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::path::{Path, PathBuf};

use jfrkit_profile::any::{AnyFunction, AnyLabel, AnyProfile, Line, Location, Mapping, SampleType};
use jfrkit_profile::{Cancel, StrId};
use pprof_emit::{AnyError, AnyLimits, any_to_bytes, pb, read_any};
use proptest::prelude::*;
use prost::Message;

fn read(bytes: &[u8]) -> Result<AnyProfile, AnyError> {
    read_any(bytes, &AnyLimits::intake(), &Cancel::never())
}

fn files(directory: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, out);
        } else if path.components().any(|c| c.as_os_str() == "testdata") {
            out.push(path);
        }
    }
}

#[test]
fn profiles_of_google_pprof_survive_a_round_trip() {
    let home = std::env::var("GOMODCACHE").map(PathBuf::from).or_else(|_| {
        std::env::var("GOPATH")
            .or_else(|_| std::env::var("HOME").map(|h| h + "/go"))
            .map(|p| Path::new(&p).join("pkg/mod"))
    });
    let mut all = Vec::new();
    files(&home.unwrap_or_default().join("github.com/google"), &mut all);
    let mut same = 0;
    for path in all {
        let bytes = std::fs::read(&path).unwrap();
        // Files in the old text formats are not pprof files; they must be rejected, not misread.
        let Ok(mut first) = read(&bytes) else { continue };
        first.losses.clear();
        let written = any_to_bytes(&first);
        let second = read(&written).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(first, second, "{}", path.display());
        assert_eq!(written, any_to_bytes(&second), "{}", path.display());
        same += 1;
    }
    if same == 0 {
        eprintln!("skipped: github.com/google/pprof is not in the Go module cache");
    } else {
        assert!(same >= 4, "only {same} profiles of google/pprof could be read");
    }
}

prop_compose! {
    /// An arbitrary profile: every field is used, and references are within range.
    fn any_profile()(
        texts in prop::collection::vec(".{0,6}", 1..12),
        width in 1_usize..4,
        mappings in prop::collection::vec((any::<u64>(), any::<[bool; 4]>()), 0..3),
        functions in prop::collection::vec((any::<[u8; 3]>(), any::<i64>()), 1..5),
        locations in prop::collection::vec((any::<u64>(), any::<bool>(), prop::collection::vec((any::<u8>(), any::<i64>(), any::<i64>()), 0..4)), 1..6),
        samples in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..6), any::<[i64; 3]>(), prop::collection::vec((any::<[u8; 3]>(), any::<i64>()), 0..3)), 0..8),
        numbers in any::<[i64; 3]>(),
        few in any::<[u8; 8]>(),
    ) -> AnyProfile {
        let mut out = AnyProfile::default();
        for text in &texts {
            out.texts.push(text);
        }
        let count = out.texts.len();
        let text = |n: u8| StrId::from_number(u32::try_from(usize::from(n) % count).unwrap());
        let place = |n: u8, count: usize| u32::try_from(usize::from(n) % count).unwrap();
        for i in 0..width {
            let [a, b, c, ..] = few;
            out.sample_types.push(SampleType { name: text(a ^ u8::try_from(i).unwrap()), unit: text(b ^ c) });
        }
        for (start, [a, b, c, d]) in &mappings {
            out.mappings.push(Mapping {
                start: *start, limit: start.wrapping_add(9), offset: *start >> 3, file: text(few[3]), build_id: text(few[4]),
                has_functions: *a, has_filenames: *b, has_line_numbers: *c, has_inline_frames: *d,
            });
        }
        for ([a, b, c], start_line) in &functions {
            out.functions.push(AnyFunction { name: text(*a), system_name: text(*b), file: text(*c), start_line: *start_line });
        }
        for (address, folded, lines) in &locations {
            let from = u32::try_from(out.lines.len()).unwrap();
            for (function, line, column) in lines {
                out.lines.push(Line { function: place(*function, functions.len()), line: *line, column: *column });
            }
            let mapping = (!mappings.is_empty() && *address % 2 == 0).then(|| place(few[5], mappings.len()));
            out.locations.push(Location { mapping, address: *address, folded: *folded, lines_from: from, lines_to: u32::try_from(out.lines.len()).unwrap() });
        }
        for (stack, values, labels) in &samples {
            let labels = labels.iter().map(|([a, b, c], number)| AnyLabel { key: text(*a), text: text(*b), number: *number, unit: text(*c) });
            out.samples.push(stack.iter().map(|n| place(*n, locations.len())), &values[..width], labels);
        }
        [out.time_nanos, out.duration_nanos, out.period] = numbers;
        out.comments = vec![text(few[6]), text(few[7])];
        out.drop_frames = text(few[1]);
        out.keep_frames = text(few[2]);
        out.doc_url = text(few[3]);
        out.default_sample_type = out.sample_types[0].name;
        out.period_type = (few[0] % 2 == 0).then(|| out.sample_types[0]);
        out
    }
}

proptest! {
    #[test]
    fn any_profile_survives_a_round_trip(profile in any_profile()) {
        let bytes = any_to_bytes(&profile);
        let mut back = read(&bytes).unwrap();
        back.losses.clear();
        prop_assert_eq!(&back, &profile);
        // Another reader sees the same content.
        let theirs = pb::Profile::decode(bytes.as_slice()).unwrap();
        prop_assert_eq!(theirs.sample.len(), profile.samples.len());
        prop_assert!(!theirs.encode_to_vec().is_empty());
        // A truncated file is an error or a shorter profile, never a panic.
        for at in 0..bytes.len() {
            let _ = read(&bytes[..at]);
        }
    }

    #[test]
    fn any_bytes_are_read_or_rejected(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }
}

/// A profile with one sample, to be damaged.
fn good() -> pb::Profile {
    pb::Profile {
        sample_type: vec![pb::ValueType { r#type: 1, unit: 2 }],
        sample: vec![pb::Sample { location_id: vec![7], value: vec![5], label: vec![] }],
        location: vec![pb::Location {
            id: 7,
            line: vec![pb::Line { function_id: 9, line: 3, column: 0 }],
            ..Default::default()
        }],
        function: vec![pb::Function { id: 9, name: 3, ..Default::default() }],
        string_table: ["", "cpu", "nanoseconds", "main"].map(String::from).to_vec(),
        ..Default::default()
    }
}

#[test]
fn each_fault_has_one_clear_error() {
    assert_eq!(read(&good().encode_to_vec()).unwrap().totals(), [5]);
    type Damage = fn(&mut pb::Profile);
    let cases: [(Damage, &str); 12] = [
        (|p| p.sample[0].location_id = vec![8], "sample 0 refers to location 8, which does not exist"),
        (|p| p.sample[0].value = vec![1, 2], "sample 0 has 2 values for 1 sample types"),
        (|p| p.sample[0].value.clear(), "sample 0 has 0 values for 1 sample types"),
        (|p| p.sample_type.clear(), "it has no sample types"),
        (|p| p.location[0].line[0].function_id = 1, "a line refers to function 1, which does not exist"),
        (|p| p.location[0].mapping_id = 4, "location 7 refers to mapping 4, which does not exist"),
        (|p| p.location.push(p.location[0].clone()), "location 7 is defined twice"),
        (|p| p.function[0].id = 0, "a function has id 0"),
        (|p| p.function[0].name = 4, "the name of a function refers to string 4, but the string table has 4 entries"),
        (|p| p.function[0].name = -1, "invalid string index -1"),
        (|p| p.string_table[0] = "x".to_owned(), "the first entry of the string table is not empty"),
        (|p| p.string_table.clear(), "it has no string table"),
    ];
    for (damage, expected) in cases {
        let mut profile = good();
        damage(&mut profile);
        let error = read(&profile.encode_to_vec()).unwrap_err().to_string();
        assert_eq!(error, format!("not a valid pprof profile: {expected}"));
    }
    for (bytes, expected) in [
        (&b""[..], "it has no sample types"),
        (b"hello world, this is text", "not a pprof profile, or truncated"),
        (b"\x1f\x8b\x08\x00", "the gzip stream is damaged or truncated"),
    ] {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn faults_that_change_no_number_are_losses() {
    let mut bytes = good().encode_to_vec();
    // A string that is not UTF-8, and an unknown field.
    bytes.extend_from_slice(&[6 << 3 | 2, 2, 0xff, b'a', 0x80 | (30 << 3 & 0x7f), 30 >> 4, 1]);
    let profile = read(&bytes).unwrap();
    assert_eq!(profile.totals(), [5]);
    assert_eq!(profile.losses.len(), 2, "{:?}", profile.losses);
}

#[test]
fn a_sum_beyond_64_bits_is_a_loss() {
    let mut profile = good();
    profile.sample[0].value = vec![1 << 62];
    profile.sample = vec![profile.sample[0].clone(); 3];
    let read = read(&profile.encode_to_vec()).unwrap();
    assert_eq!(read.totals(), [i64::MAX]);
    assert_eq!(read.losses, ["the sum of cpu exceeds 64 bits; the largest 64-bit value is used"]);
}

/// Ids that a writer may choose as it likes.
#[test]
fn huge_ids_and_equal_strings_are_read() {
    let mut profile = good();
    profile.function[0].id = u64::MAX;
    profile.location[0].id = u64::MAX - 1;
    profile.location[0].line[0].function_id = u64::MAX;
    profile.sample[0].location_id = vec![u64::MAX - 1; 3];
    // A second function whose name is another copy of the string.
    profile.string_table.push("main".to_owned());
    profile.function.push(pb::Function { id: 1, name: 4, ..Default::default() });
    profile.location.push(pb::Location {
        id: 1,
        line: vec![pb::Line { function_id: 1, line: 3, column: 0 }],
        ..Default::default()
    });
    profile.sample.push(pb::Sample { location_id: vec![1; 3], value: vec![6], label: vec![] });
    let profile = read(&profile.encode_to_vec()).unwrap();
    assert_eq!((profile.totals(), profile.losses.len()), (vec![11], 0));
    // Equal names are one function in trees.
    let stacks = profile.call_stacks(&[0]);
    assert_eq!((stacks.len(), stacks.totals()), (1, vec![11]));
}

#[test]
fn limits_hold() {
    let mut profile = good();
    profile.sample[0].location_id = vec![7; 20_000];
    let error = read(&profile.encode_to_vec()).unwrap_err().to_string();
    assert_eq!(error, "more than 16384 locations in a stack");
    // A billion values or lines must not be stored before they are refused.
    profile = good();
    profile.sample[0].value = vec![1; 100_000];
    let error = read(&profile.encode_to_vec()).unwrap_err().to_string();
    assert_eq!(error, "more than 200 values in a sample");
    profile = good();
    profile.location[0].line = vec![profile.location[0].line[0]; 1_001];
    let lines = AnyLimits { locations: 1_000, ..AnyLimits::intake() };
    let error = read_any(&profile.encode_to_vec(), &lines, &Cancel::never()).unwrap_err().to_string();
    assert_eq!(error, "more than 1000 lines");
    // Few locations with many lines in many stacks.
    let error = read(&{
        let mut profile = profile.clone();
        profile.sample[0].location_id = vec![7; 100];
        profile.encode_to_vec()
    });
    assert_eq!(error.unwrap_err().to_string(), "more than 16384 frames in a stack, including inlined calls");
    profile.sample = vec![profile.sample[0].clone(); 1_000];
    let small = AnyLimits { bytes: 1_000_000, ..AnyLimits::intake() };
    let error = read_any(&profile.encode_to_vec(), &small, &Cancel::never()).unwrap_err().to_string();
    assert_eq!(error, "more than 1000000 frames in all stacks, including inlined calls");
    // The number of a line is only a number.
    profile.location[0].line = vec![pb::Line { function_id: 9, line: 1 << 31, column: i64::MIN }];
    assert_eq!(read(&profile.encode_to_vec()).unwrap().lines[0].line, 1 << 31);
    profile = good();
    profile.sample[0].label = vec![pb::Label::default(); 257];
    let error = read(&profile.encode_to_vec()).unwrap_err().to_string();
    assert_eq!(error, "more than 256 labels of a sample");
    let few = AnyLimits { samples: 1, ..AnyLimits::intake() };
    profile = good();
    profile.sample.push(profile.sample[0].clone());
    let error = read_any(&profile.encode_to_vec(), &few, &Cancel::never()).unwrap_err().to_string();
    assert_eq!(error, "more than 1 samples");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, &vec![0; 1 << 20]).unwrap();
    let small = AnyLimits { bytes: 1 << 16, ..AnyLimits::intake() };
    let error = read_any(&packed.finish().unwrap(), &small, &Cancel::never()).unwrap_err().to_string();
    assert_eq!(error, "more than 65536 decompressed bytes");
}
