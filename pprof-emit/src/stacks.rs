//! Converts a pprof file of any language to the stacks from which trees are built.

use jfrkit_profile::any::TIME_LABELS;
use jfrkit_profile::tree::{CallStacks, FrameKind, LabelText, SampleType};

use crate::pb;

/// Limits for untrusted files, in addition to the size limit of [`read_with_limit`](crate::read_with_limit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackLimits {
    /// Samples.
    pub samples: usize,
    /// Frames in one stack, including inlined calls.
    pub depth: usize,
    /// Bytes of a name or a label; longer ones are truncated.
    pub name: usize,
}

impl Default for StackLimits {
    fn default() -> Self {
        Self { samples: 20_000_000, depth: 100_000, name: 8 << 10 }
    }
}

/// Why the stacks of a file cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StackError {
    /// The profile has more samples than allowed.
    #[error("the profile has {found} samples, more than the limit of {limit}")]
    Samples {
        /// The number of samples.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A stack has more frames than allowed.
    #[error("sample {sample} has more than {limit} frames")]
    Depth {
        /// Index of the sample.
        sample: usize,
        /// The limit.
        limit: usize,
    },
}

/// The string with this index, truncated to `most` bytes; empty if there is none.
fn text(profile: &pb::Profile, index: i64, most: usize) -> &str {
    let text = usize::try_from(index).ok().and_then(|i| profile.string_table.get(i)).map_or("", String::as_str);
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or(text)
}

/// The message with this id. The ids are 1, 2, 3… in files from most tools; otherwise it is searched for.
fn by_id<T>(list: &[T], id: u64, of: impl Fn(&T) -> u64) -> Option<&T> {
    let at = usize::try_from(id).ok()?.checked_sub(1)?;
    list.get(at).filter(|found| of(found) == id).or_else(|| list.iter().find(|found| of(found) == id))
}

/// Converts a [checked](crate::check) profile with all its values and labels. Inlined calls become separate
/// frames; a location without a function is shown as its address. Samples that are equal, or that differ only
/// in their timestamps, are merged.
///
/// # Errors
/// [`StackError`] if the profile exceeds the limits.
pub fn call_stacks(profile: &pb::Profile, limits: StackLimits) -> Result<CallStacks, StackError> {
    if profile.sample.len() > limits.samples {
        return Err(StackError::Samples { found: profile.sample.len(), limit: limits.samples });
    }
    let named = |index: i64| text(profile, index, limits.name);
    let types = profile.sample_type.iter().map(|t| SampleType::new(named(t.r#type), named(t.unit))).collect();
    let mut stacks = CallStacks::new(types);
    stacks.time_nanos = profile.time_nanos;
    stacks.seconds = profile.duration_nanos.max(0) as f64 / 1e9;
    let shown = named(profile.default_sample_type);
    if let Some(value) = Some(shown).filter(|name| !name.is_empty()).and_then(|name| stacks.value_named(name)) {
        stacks.default_value = value;
    }
    // The frames of each location, innermost first.
    let of_location: Vec<Vec<u32>> =
        profile.location.iter().map(|at| frames(profile, at, &named, &mut stacks)).collect();
    let place = |id: u64| -> Option<usize> {
        let at = usize::try_from(id).ok()?.checked_sub(1)?;
        let dense = profile.location.get(at).is_some_and(|l| l.id == id);
        if dense { Some(at) } else { profile.location.iter().position(|l| l.id == id) }
    };
    let mut path = Vec::new();
    for (i, sample) in profile.sample.iter().enumerate() {
        path.clear();
        for id in &sample.location_id {
            path.extend(place(*id).and_then(|at| of_location.get(at)).into_iter().flatten());
            if path.len() > limits.depth {
                return Err(StackError::Depth { sample: i, limit: limits.depth });
            }
        }
        path.reverse();
        let labels: Vec<(Box<str>, LabelText)> = sample
            .label
            .iter()
            .filter(|label| !TIME_LABELS.contains(&named(label.key)))
            .map(|label| {
                let value = if label.str == 0 {
                    LabelText::Number(label.num, named(label.num_unit).into())
                } else {
                    LabelText::Text(named(label.str).into())
                };
                (named(label.key).into(), value)
            })
            .collect();
        stacks.add(&path, &labels, &sample.value);
    }
    Ok(stacks)
}

/// The frames of a location, innermost first.
fn frames<'p>(
    profile: &'p pb::Profile,
    at: &pb::Location,
    named: &impl Fn(i64) -> &'p str,
    stacks: &mut CallStacks,
) -> Vec<u32> {
    let library = by_id(&profile.mapping, at.mapping_id, |m| m.id).map_or("", |m| named(m.filename));
    if at.line.is_empty() {
        return vec![stacks.frame(&format!("{:#x}", at.address), FrameKind::Native, 0)];
    }
    at.line
        .iter()
        .map(|line| {
            let function = by_id(&profile.function, line.function_id, |f| f.id);
            let name = function.map_or("", |f| named(f.name));
            let name = if name.is_empty() { function.map_or("", |f| named(f.system_name)) } else { name };
            let address;
            let name = if name.is_empty() {
                address = format!("{:#x}", at.address);
                &address
            } else {
                name
            };
            let file = function.map_or("", |f| named(f.filename));
            let descriptor = function.map_or("", |f| named(f.system_name));
            let kind = match FrameKind::guess(name, file, library) {
                // In the profiles that we write for Java, the system name is the descriptor.
                FrameKind::Native if descriptor.contains('(') && descriptor.contains(')') && name.contains('.') => {
                    FrameKind::Java
                }
                kind => kind,
            };
            stacks.frame(name, kind, u32::try_from(line.line).unwrap_or(0))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jfrkit_profile::Cancel;
    use jfrkit_profile::tree::{Tree, View};

    use super::*;

    fn profile() -> pb::Profile {
        let strings =
            ["", "cpu", "nanoseconds", "main.main", "main.go", "inlined", "thread name", "worker", "end_timestamp_ns"];
        pb::Profile {
            sample_type: vec![pb::ValueType { r#type: 1, unit: 2 }],
            string_table: strings.map(str::to_owned).to_vec(),
            function: vec![
                pb::Function { id: 1, name: 3, filename: 4, ..Default::default() },
                pb::Function { id: 2, name: 5, filename: 4, ..Default::default() },
            ],
            location: vec![
                pb::Location {
                    id: 1,
                    line: vec![
                        pb::Line { function_id: 2, line: 7, column: 0 },
                        pb::Line { function_id: 1, line: 3, column: 0 },
                    ],
                    ..Default::default()
                },
                pb::Location { id: 2, address: 0x1234, ..Default::default() },
            ],
            sample: (0..2)
                .map(|i| pb::Sample {
                    location_id: vec![2, 1],
                    value: vec![10],
                    label: vec![
                        pb::Label { key: 6, str: 7, ..Default::default() },
                        pb::Label { key: 8, num: i, ..Default::default() },
                    ],
                })
                .collect(),
            duration_nanos: 2_000_000_000,
            ..Default::default()
        }
    }

    #[test]
    fn inlined_calls_are_frames_and_timestamps_do_not_separate_samples() {
        let stacks = call_stacks(&profile(), StackLimits::default()).unwrap();
        assert_eq!((stacks.len(), stacks.totals(), stacks.seconds), (1, vec![20], 2.0));
        let tree = Tree::new(&stacks, 0, &View::default(), &Cancel::never()).unwrap();
        assert!(tree.find(&["main.main", "inlined", "0x1234"]).is_some(), "{tree:?}");
        assert_eq!(tree.kinds.iter().filter(|kind| **kind == FrameKind::Go).count(), 2);
    }

    #[test]
    fn limits_are_errors_that_name_them() {
        let limits = StackLimits { depth: 2, ..StackLimits::default() };
        let error = call_stacks(&profile(), limits).unwrap_err();
        assert_eq!(error.to_string(), "sample 0 has more than 2 frames");
        let limits = StackLimits { samples: 1, ..StackLimits::default() };
        assert_eq!(call_stacks(&profile(), limits).unwrap_err(), StackError::Samples { found: 2, limit: 1 });
    }
}
