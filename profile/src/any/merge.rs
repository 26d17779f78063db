//! Merges several profiles into one.

use super::{AnyFunction, AnyLabel, AnyProfile, AnySample, Line, Location, Mapping, SampleType};
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
    texts: Map<String, StrId>,
    mappings: Map<(StrId, StrId, u64, u64, u64), u32>,
    functions: Map<AnyFunction, u32>,
    locations: Map<(Option<u32>, u64, bool, Vec<Line>), u32>,
    samples: Map<(Vec<u32>, Vec<AnyLabel>), usize>,
    values: Vec<i64>,
    rows: Vec<(Vec<u32>, Vec<AnyLabel>)>,
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Merger {
    fn text(&mut self, text: &str) -> StrId {
        if text.is_empty() {
            return StrId::default();
        }
        if let Some(&id) = self.texts.get(text) {
            return id;
        }
        let id = self.out.texts.push(text);
        self.texts.insert(text.to_owned(), id);
        id
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
            let lines: Vec<Line> = profile
                .lines_of(number(i))
                .iter()
                .map(|line| Line { function: functions.get(line.function as usize).copied().unwrap_or(0), ..*line })
                .collect();
            let mapping = of.mapping.and_then(|m| mappings.get(m as usize).copied());
            let key = (mapping, of.address, of.folded, lines);
            let at = match self.locations.get(&key) {
                Some(&at) => at,
                None => {
                    let from = number(self.out.lines.len());
                    self.out.lines.extend_from_slice(&key.3);
                    let lines_to = number(self.out.lines.len());
                    let at = number(self.out.locations.len());
                    self.out.locations.push(Location { mapping, lines_from: from, lines_to, ..*of });
                    self.locations.insert(key, at);
                    at
                }
            };
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
        let stack: Vec<u32> =
            sample.locations.iter().map(|&at| locations.get(at as usize).copied().unwrap_or(0)).collect();
        let labels: Vec<AnyLabel> = sample
            .labels
            .iter()
            .map(|l| AnyLabel { key: text(l.key), text: text(l.text), number: l.number, unit: text(l.unit) })
            .collect();
        let key = (stack, labels);
        let width = self.out.width();
        if let Some(&row) = self.samples.get(&key) {
            for (sum, value) in self.values.iter_mut().skip(row.saturating_mul(width)).zip(sample.values) {
                *sum = sum.saturating_add(*value);
            }
            return;
        }
        self.values.extend_from_slice(sample.values);
        self.rows.push(key.clone());
        self.samples.insert(key, self.rows.len().saturating_sub(1));
    }

    fn finish(mut self) -> AnyProfile {
        let width = self.out.width().max(1);
        for ((stack, labels), values) in self.rows.into_iter().zip(self.values.chunks(width)) {
            self.out.samples.push(stack, values, labels);
        }
        self.out
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
    Ok(merger.finish())
}
