//! Converts profiles to a form that tests can compare.

use jfr_analyzers::{LabelKey, Options, collect};
use jfrkit_profile::{LabelValue, ProfileSet, ProfileType, Sample};

use crate::writer::{Chunk, recording};

/// Options that request these types.
pub(crate) fn only(types: &[ProfileType]) -> Options {
    let mut options = Options::default();
    options.types = types.to_vec();
    options
}

pub(crate) fn labeled(labels: &[LabelKey]) -> Options {
    let mut options = Options::default();
    options.labels = labels.to_vec();
    options
}

/// The profiles of chunks, with the default options.
pub(crate) fn profiles(chunks: &[&Chunk]) -> ProfileSet {
    profiles_with(chunks, &Options::default())
}

pub(crate) fn profiles_with(chunks: &[&Chunk], options: &Options) -> ProfileSet {
    let set = collect(&recording(chunks), options).unwrap();
    assert!(set.losses.is_empty(), "{:?}", set.losses);
    set
}

/// Function names and lines, leaf first, joined by `;`.
pub(crate) fn stack(set: &ProfileSet, sample: &Sample<'_>) -> String {
    let frames = set.tables.stack(sample.stack).iter().map(|frame| {
        let frame = set.tables.frame(*frame);
        let name = set.tables.str(set.tables.function(frame.function).name);
        if frame.line == 0 { name.to_owned() } else { format!("{name}:{}", frame.line) }
    });
    frames.collect::<Vec<_>>().join(";")
}

/// Labels as `key=value`, joined by `, `.
pub(crate) fn labels(set: &ProfileSet, sample: &Sample<'_>) -> String {
    let labels = set.tables.labels(sample.labels).iter().map(|label| match label.value {
        LabelValue::Text(text) => format!("{}={}", label.key, set.tables.str(text)),
        LabelValue::Number(number) => format!("{}={number}", label.key),
    });
    labels.collect::<Vec<_>>().join(", ")
}

/// Stacks with their values, in the order of the profile; empty if the profile is missing.
pub(crate) fn samples(set: &ProfileSet, kind: ProfileType) -> Vec<(String, Vec<i64>)> {
    let Some(profile) = set.get(kind) else { return Vec::new() };
    profile.samples.iter().map(|s| (stack(set, &s), s.values.to_vec())).collect()
}

/// Labels with their values.
pub(crate) fn by_labels(set: &ProfileSet, kind: ProfileType) -> Vec<(String, Vec<i64>)> {
    let Some(profile) = set.get(kind) else { return Vec::new() };
    profile.samples.iter().map(|s| (labels(set, &s), s.values.to_vec())).collect()
}

/// Totals; empty if the profile is missing.
pub(crate) fn totals(set: &ProfileSet, kind: ProfileType) -> Vec<i64> {
    set.get(kind).map(|p| p.totals()).unwrap_or_default()
}

/// Why a type is absent.
pub(crate) fn reason(set: &ProfileSet, kind: ProfileType) -> &str {
    &set.absent.iter().find(|a| a.kind == kind).unwrap_or_else(|| panic!("{kind} is there")).reason
}

pub(crate) fn comments(set: &ProfileSet, kind: ProfileType) -> String {
    set.get(kind).unwrap_or_else(|| panic!("{kind} is absent")).comments.join("\n")
}

/// Expected values, without writing `to_owned` and `vec!` everywhere.
pub(crate) fn rows<const N: usize>(rows: &[(&str, [i64; N])]) -> Vec<(String, Vec<i64>)> {
    rows.iter().map(|(text, values)| ((*text).to_owned(), values.to_vec())).collect()
}
