//! Checks of reading pprof.

use std::collections::HashMap;

use jfrkit_profile::Cancel;
use jfrkit_profile::any::AnyProfile;
use jfrkit_profile::tree::{By, Tree, View, table};
use pprof_emit::{AnyLimits, any_to_bytes, check, pb, read_any, read_with_limit};
use prost::Message;

/// Reads arbitrary bytes as a profile: what is accepted must be valid, and stay valid when it is written and
/// read again. Its numbers must be those that another decoder finds, in trees and tables too.
pub fn pprof(bytes: &[u8]) {
    const LIMIT: u64 = 16 << 20;
    if let Ok(profile) = read_with_limit(bytes, LIMIT) {
        check(&profile).expect("what was read is valid");
        let again = read_with_limit(&profile.encode_to_vec(), u64::MAX).expect("what was read can be written and read");
        assert_eq!(profile, again);
    }
    let limits = AnyLimits { bytes: LIMIT, ..AnyLimits::intake() };
    let cancel = Cancel::never();
    let Ok(profile) = read_any(bytes, &limits, &cancel) else { return };
    let again = read_any(&any_to_bytes(&profile), &AnyLimits::default(), &cancel).expect("it was just written");
    // What was lost in reading is not written, but sums that overflow do so again.
    let without_losses = |profile: &AnyProfile| AnyProfile { losses: Vec::new(), ..profile.clone() };
    assert!(without_losses(&profile) == without_losses(&again), "a field changed");
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return;
    }
    let theirs = pb::Profile::decode(bytes).ok();
    for value in 0..profile.width().min(4) {
        let values = || profile.samples().map(|sample| i128::from(sample.values[value]));
        if let Some(theirs) = &theirs {
            assert!(theirs.sample.iter().map(|sample| i128::from(sample.value[value])).eq(values()), "values differ");
        }
        let (least, sum): (i128, i128) = (values().min().unwrap_or(0), values().sum());
        // Sums of other signs may saturate on the way.
        if least < 0 || sum > i128::from(i64::MAX) {
            assert!(sum <= i128::from(i64::MAX) || !profile.losses.is_empty(), "a sum beyond 64 bits is not reported");
            continue;
        }
        let stacks = profile.call_stacks(&[value]);
        let view = View::default();
        let tree = Tree::new(&stacks, 0, &view, &cancel).expect("there is such a value");
        assert_eq!(i128::from(tree.total[0]), sum);
        let rows = table(&stacks, 0, &view, &By::Function, &cancel).expect("there is such a value");
        assert_eq!(i128::from(rows.total), sum);
        assert_eq!(rows.rows.iter().map(|row| i128::from(row.own)).sum::<i128>(), sum);
        let inverted = Tree::callers(&stacks, 0, &view, &cancel).expect("there is such a value");
        assert_eq!(i128::from(inverted.total[0]), sum);
    }
}

/// Reads a real profile, writes it, and compares the two files as another decoder reads them: every field of every message.
/// Only the numbers of strings and ids may change.
pub fn pprof_comes_back(bytes: &[u8]) {
    let cancel = Cancel::never();
    let limits = AnyLimits::default();
    let profile = read_any(bytes, &limits, &cancel).expect("a real profile can be read");
    assert_eq!(profile.losses, [""; 0]);
    let written = any_to_bytes(&profile);
    assert_eq!(profile, read_any(&written, &limits, &cancel).expect("it was just written"));
    let theirs = read_with_limit(bytes, limits.bytes).expect("a real profile can be read");
    let ours = read_with_limit(&written, limits.bytes).expect("it was just written");
    let (theirs, ours) = (Resolved::of(&theirs), Resolved::of(&ours));
    assert_eq!(theirs.head, ours.head);
    assert_eq!(theirs.mappings, ours.mappings);
    assert_eq!(theirs.functions, ours.functions);
    assert_eq!(theirs.locations, ours.locations);
    assert_eq!(theirs.samples.len(), ours.samples.len());
    for (theirs, ours) in theirs.samples.iter().zip(&ours.samples) {
        assert_eq!(theirs, ours);
    }
}

/// File, build id, addresses, and what the locations have.
type Mapping<'p> = (&'p str, &'p str, [u64; 3], [bool; 4]);
/// Function, line, column.
type Line = (Option<usize>, i64, i64);
/// Key, text, number, unit.
type Label<'p> = (&'p str, &'p str, i64, &'p str);

/// Locations, values and labels.
type Sample<'p> = (Vec<Option<usize>>, &'p [i64], Vec<Label<'p>>);

/// A profile with texts instead of numbers of strings, and positions instead of ids.
struct Resolved<'p> {
    head: Head<'p>,
    mappings: Vec<Mapping<'p>>,
    /// Name, system name, file, first line.
    functions: Vec<(&'p str, &'p str, &'p str, i64)>,
    /// Mapping, address, whether it is folded, and its lines.
    locations: Vec<(Option<usize>, u64, bool, Vec<Line>)>,
    samples: Vec<Sample<'p>>,
}

/// What a profile says about itself.
#[derive(Debug, PartialEq)]
struct Head<'p> {
    sample_types: Vec<(&'p str, &'p str)>,
    default_sample_type: &'p str,
    period: (Option<(&'p str, &'p str)>, i64),
    frames: (&'p str, &'p str),
    times: (i64, i64),
    comments: Vec<&'p str>,
}

impl<'p> Resolved<'p> {
    fn of(profile: &'p pb::Profile) -> Self {
        let text = |n: i64| profile.string_table[usize::try_from(n).expect("an index")].as_str();
        let positions = |ids: Vec<u64>| ids.into_iter().enumerate().map(|(i, id)| (id, i)).collect::<HashMap<_, _>>();
        let mappings = positions(profile.mapping.iter().map(|of| of.id).collect());
        let functions = positions(profile.function.iter().map(|of| of.id).collect());
        let locations = positions(profile.location.iter().map(|of| of.id).collect());
        let kind = |of: &pb::ValueType| (text(of.r#type), text(of.unit));
        Self {
            head: Head {
                sample_types: profile.sample_type.iter().map(kind).collect(),
                default_sample_type: text(profile.default_sample_type),
                period: (profile.period_type.as_ref().map(kind), profile.period),
                frames: (text(profile.drop_frames), text(profile.keep_frames)),
                times: (profile.time_nanos, profile.duration_nanos),
                comments: profile.comment.iter().map(|n| text(*n)).collect(),
            },
            mappings: profile
                .mapping
                .iter()
                .map(|of| {
                    let has = [of.has_functions, of.has_filenames, of.has_line_numbers, of.has_inline_frames];
                    let addresses = [of.memory_start, of.memory_limit, of.file_offset];
                    (text(of.filename), text(of.build_id), addresses, has)
                })
                .collect(),
            functions: profile
                .function
                .iter()
                .map(|of| (text(of.name), text(of.system_name), text(of.filename), of.start_line))
                .collect(),
            locations: profile
                .location
                .iter()
                .map(|of| {
                    let lines = of.line.iter().map(|l| (functions.get(&l.function_id).copied(), l.line, l.column));
                    (mappings.get(&of.mapping_id).copied(), of.address, of.is_folded, lines.collect())
                })
                .collect(),
            samples: profile
                .sample
                .iter()
                .map(|of| {
                    let labels = of.label.iter().map(|l| (text(l.key), text(l.str), l.num, text(l.num_unit)));
                    let stack = of.location_id.iter().map(|id| locations.get(id).copied()).collect();
                    (stack, of.value.as_slice(), labels.collect())
                })
                .collect(),
        }
    }
}
