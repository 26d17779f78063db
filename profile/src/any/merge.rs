//! Merges several profiles into one.

use super::{AnyFunction, AnyLabel, AnyProfile, AnySample, Line, Location, Mapping, SampleType, part};
use crate::places::Places;
use crate::{Cancel, StrId};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

type Map<K, V> = HashMap<K, V, RandomState>;

/// Why profiles cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MergeError {
    /// They have different sample types.
    SampleTypes {
        /// The sample types of the first profile, as `name/unit`.
        first: String,
        /// The sample types of the other profile.
        other: String,
    },
    /// The call was canceled.
    Canceled,
}

impl std::fmt::Display for MergeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SampleTypes { first, other } => {
                write!(f, "profiles with different sample types cannot be merged: {first} and {other}")
            }
            Self::Canceled => f.write_str("canceled before it finished"),
        }
    }
}

impl std::error::Error for MergeError {}

#[derive(Default)]
struct Merger {
    out: AnyProfile,
    texts: Places,
    mappings: Map<(StrId, StrId, u64, u64, u64), u32>,
    functions: Map<AnyFunction, u32>,
    locations: Places,
    samples: Places,
    /// The stack and labels of the sample that is being added.
    stack: Vec<u32>,
    labels: Vec<AnyLabel>,
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Merger {
    fn text(&mut self, text: &str) -> StrId {
        if text.is_empty() {
            return StrId::default();
        }
        let texts = &mut self.out.texts;
        let (id, new) = self.texts.of(&text, texts.len(), |i| texts.get(StrId::from_number(i)));
        if new { texts.push(text) } else { StrId::from_number(id) }
    }

    fn add(&mut self, profile: &AnyProfile, cancel: &Cancel) -> Result<(), MergeError> {
        let texts: Vec<StrId> = profile.texts.iter().map(|text| self.text(text)).collect();
        let text = |id: StrId| texts.get(id.index()).copied().unwrap_or_default();
        let mut mappings = Vec::with_capacity(profile.mappings.len());
        for of in &profile.mappings {
            let of = Mapping { file: text(of.file), build_id: text(of.build_id), ..*of };
            let key = (of.file, of.build_id, of.start, of.limit, of.offset);
            mappings.push(*self.mappings.entry(key).or_insert_with(|| {
                self.out.mappings.push(of);
                number(self.out.mappings.len().saturating_sub(1))
            }));
        }
        let mut functions = Vec::with_capacity(profile.functions.len());
        for of in &profile.functions {
            let of = AnyFunction {
                name: text(of.name),
                system_name: text(of.system_name),
                file: text(of.file),
                start_line: of.start_line,
            };
            functions.push(*self.functions.entry(of).or_insert_with(|| {
                self.out.functions.push(of);
                number(self.out.functions.len().saturating_sub(1))
            }));
        }
        let mut locations = Vec::with_capacity(profile.locations.len());
        for (i, of) in profile.locations.iter().enumerate() {
            let mut lines: Vec<Line> = profile
                .lines_of(number(i))
                .iter()
                .map(|line| Line { function: functions.get(line.function as usize).copied().unwrap_or(0), ..*line })
                .collect();
            let mapping = of.mapping.and_then(|m| mappings.get(m as usize).copied());
            let out = &mut self.out;
            let (at, new) =
                self.locations.of(&(mapping, of.address, of.folded, lines.as_slice()), out.locations.len(), |i| {
                    let known = out.locations.get(i as usize).copied().unwrap_or_default();
                    (known.mapping, known.address, known.folded, out.lines_of(i))
                });
            if new {
                let lines_from = number(out.lines.len());
                out.lines.append(&mut lines);
                out.locations.push(Location { mapping, lines_from, lines_to: number(out.lines.len()), ..*of });
            }
            locations.push(at);
        }
        for (i, sample) in profile.samples().enumerate() {
            if i.is_multiple_of(1 << 12) {
                cancel.check().map_err(|_| MergeError::Canceled)?;
            }
            self.sample(&sample, &locations, text);
        }
        Ok(())
    }

    fn sample(&mut self, sample: &AnySample<'_>, locations: &[u32], text: impl Fn(StrId) -> StrId) {
        let Self { out, samples, stack, labels, .. } = self;
        stack.clear();
        stack.extend(sample.locations.iter().map(|&at| locations.get(at as usize).copied().unwrap_or(0)));
        labels.clear();
        labels.extend(sample.labels.iter().map(|l| AnyLabel {
            key: text(l.key),
            text: text(l.text),
            number: l.number,
            unit: text(l.unit),
        }));
        let width = out.width();
        let rows = &mut out.samples;
        let (row, new) = samples.of(&(stack.as_slice(), labels.as_slice()), rows.len(), |i| {
            let i = i as usize;
            (part(&rows.locations, &rows.location_ends, i), part(&rows.labels, &rows.label_ends, i))
        });
        if new {
            rows.push(stack.iter().copied(), sample.values, labels.iter().copied());
            return;
        }
        let sums = rows.values.iter_mut().skip((row as usize).saturating_mul(width));
        for (sum, value) in sums.zip(sample.values) {
            *sum = sum.saturating_add(*value);
        }
    }
}

fn named(profile: &AnyProfile) -> Vec<(String, String)> {
    profile.values().map(|(name, unit)| (name.to_owned(), unit.to_owned())).collect()
}

/// Merges profiles with the same sample types without loss: samples with equal stacks and labels are added up.
/// The result begins when the earliest profile begins. Durations are added, as `pprof` does, so that values per
/// second remain those of one process.
///
/// # Errors
/// [`MergeError`].
pub fn merge<'p>(
    profiles: impl IntoIterator<Item = &'p AnyProfile>,
    cancel: &Cancel,
) -> Result<AnyProfile, MergeError> {
    let mut merger = Merger::default();
    let mut first: Option<Vec<(String, String)>> = None;
    let mut duration = 0_i64;
    for profile in profiles {
        let values = named(profile);
        match &first {
            None => {
                for (name, unit) in &values {
                    let (name, unit) = (merger.text(name), merger.text(unit));
                    merger.out.sample_types.push(SampleType { name, unit });
                }
                let text = |merger: &mut Merger, id| merger.text(profile.texts.get(id));
                merger.out.default_sample_type = text(&mut merger, profile.default_sample_type);
                merger.out.drop_frames = text(&mut merger, profile.drop_frames);
                merger.out.keep_frames = text(&mut merger, profile.keep_frames);
                merger.out.doc_url = text(&mut merger, profile.doc_url);
                if let Some(period) = profile.period_type {
                    let (name, unit) = (text(&mut merger, period.name), text(&mut merger, period.unit));
                    merger.out.period_type = Some(SampleType { name, unit });
                    merger.out.period = profile.period;
                }
                merger.out.time_nanos = profile.time_nanos;
                first = Some(values);
            }
            Some(known) if *known == values => {
                let begins = [merger.out.time_nanos, profile.time_nanos].into_iter().filter(|&t| t > 0).min();
                merger.out.time_nanos = begins.unwrap_or(0);
                // As in pprof: if the periods differ, take the longest.
                merger.out.period = merger.out.period.max(profile.period);
            }
            Some(known) => {
                let shown = |values: &[(String, String)]| {
                    values.iter().map(|(name, unit)| format!("{name}/{unit}")).collect::<Vec<_>>().join(", ")
                };
                return Err(MergeError::SampleTypes { first: shown(known), other: shown(&values) });
            }
        }
        for &comment in &profile.comments {
            let id = merger.text(profile.texts.get(comment));
            if !merger.out.comments.contains(&id) {
                merger.out.comments.push(id);
            }
        }
        duration = duration.saturating_add(profile.duration_nanos);
        merger.out.losses.extend_from_slice(&profile.losses);
        merger.add(profile, cancel)?;
    }
    merger.out.duration_nanos = duration;
    Ok(merger.out)
}
