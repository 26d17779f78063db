//! Turns recordings into profiles in one pass over their bytes.
//!
//! Chunks and parts of chunks are read in parallel. Events are added up by the key of their stack trace while
//! the constants are indexed. When all events of a chunk have been read, its stacks are resolved, each once,
//! into tables shared by all chunks. The results of chunks are committed in file order.
//!
//! What an event adds to which profile is decided here, and explained to the user (`report.rs`). Walking chunks
//! and resolving stacks belong in `engine`, because rules need them too; profiles as data, tables and trees
//! belong in `jfrkit-profile`. Start with `sources.rs`, the list of the events, then follow them through
//! `gather.rs`, `chunk.rs` and `commit.rs`.

mod chunk;
mod commit;
mod context;
mod events;
pub(crate) mod execution;
mod facts;
mod gather;
mod inherited;
mod labels;
mod load;
mod memory;
mod options;
mod overlaps;
mod periods;
pub(crate) mod plans;
mod report;
pub(crate) mod sources;

use std::sync::Arc;

use jfr_parse::{EpochNanos, Error, Recording, Result};

use crate::account::Account;
use crate::engine::consumer::Engine;
use crate::engine::driver::{Task, as_loss, repeated, run, tasks};
use crate::engine::functions::Spelling;
use crate::engine::stacks::{Shared, with_bounded_names};
use crate::time_range::span;
use chunk::ChunkResult;
use commit::{Committer, Merged, Totals};
pub(crate) use context::Context;
pub use events::{ChunkSamples, SampleEvent, SampleLabel, samples};
pub(crate) use load::load;
pub use options::{CpuSource, Filter, LabelKey, Options, Progress};
pub(crate) use overlaps::overlapping;

use jfrkit_profile::units::things;
use jfrkit_profile::{Label, LabelSetId, LabelValue, Profile, ProfileSet, ProfileType, Samples, Tables, Timeline};

/// Collects the profiles of a recording.
///
/// # Errors
/// The error that prevented every chunk from being read; [`Error::Stopped`]; [`Error::Changed`];
/// [`Error::LimitExceeded`] if a limit of the whole call was exceeded. If only some chunks cannot be read, they
/// are losses.
pub fn collect(recording: &Recording<'_>, options: &Options) -> Result<ProfileSet> {
    collect_merged(&[recording], options)
}

/// Collects one set of profiles from several recordings.
///
/// # Errors
/// Same as [`collect`].
pub fn collect_merged(recordings: &[&Recording<'_>], options: &Options) -> Result<ProfileSet> {
    with_bounded_names(|short| collect_with(recordings, options, Spelling { short, ..options.into() }))
}

fn collect_with(recordings: &[&Recording<'_>], options: &Options, spelling: Spelling) -> Result<ProfileSet> {
    let limits = recordings.first().map(|r| r.limits().clone()).unwrap_or_default();
    let tasks = tasks(recordings);
    let shared = Shared::new(spelling, &limits, recordings.iter().map(|r| r.bytes().len()).sum());
    let account = Account::new(limits.clone());
    let engine = Engine::new(Context::new(options, &shared, &account, &tasks), &shared, &account, [&options.stop]);
    let mut collecting = Collecting::new(recordings, options, &tasks, limits.losses);
    let read = |index: usize, chunk: &jfr_parse::Chunk<'_>| {
        let result = engine.chunk(index, chunk)?;
        if !spelling.short {
            options.progress.report(chunk.header().chunk_size);
        }
        Ok(result)
    };
    let failures = run(&tasks, read, |index, result| collecting.take(index, result))?;
    drop(engine);
    match failures.first {
        Some(error) if failures.chunks == tasks.len() => Err(error),
        _ => {
            let collected = collecting.finish(&shared);
            Ok(collected.into_set(Arc::new(shared.freeze())))
        }
    }
}

/// Profiles while chunks are being committed.
pub(crate) struct Collecting<'o> {
    options: &'o Options,
    tasks: &'o [Task<'o>],
    /// When the first recording begins, in nanoseconds since the Unix epoch.
    start: EpochNanos,
    spans: Vec<(usize, i64, i64)>,
    committer: Committer,
}

/// Profiles whose tables are not complete yet.
pub(crate) struct Collected<'o> {
    options: &'o Options,
    start: EpochNanos,
    spans: Vec<(usize, i64, i64)>,
    totals: Totals,
    cut_names: usize,
}

impl<'o> Collecting<'o> {
    pub(crate) fn new(
        recordings: &[&Recording<'_>],
        options: &'o Options,
        tasks: &'o [Task<'o>],
        max_losses: usize,
    ) -> Self {
        let number_of = |task: &Task<'_>| recordings.iter().position(|r| std::ptr::eq(*r, task.recording));
        let spans: Vec<(usize, i64, i64)> = tasks
            .iter()
            .filter_map(|task| {
                let (_, header) = task.recording.header(task.number)?;
                Some((number_of(task)?, header.start_nanos.0, header.end_nanos().0))
            })
            .collect();
        let mut committer = Committer::new(&spans, options.cpu_source, max_losses);
        let lost = recordings.iter().flat_map(|r| r.losses()).cloned();
        for loss in lost.chain(repeated(recordings, tasks)) {
            committer.add_loss(loss);
        }
        Self { options, tasks, start: span(recordings).0, spans, committer }
    }

    /// Adds the result of the chunk with this index.
    pub(crate) fn take(&mut self, index: usize, result: std::result::Result<ChunkResult, &Error>) {
        if let (Err(error), Some(task)) = (&result, self.tasks.get(index)) {
            self.committer.add_loss(as_loss(task, error));
        }
        self.committer.take(index, result.ok());
    }

    /// Finishes after all chunks have been added.
    pub(crate) fn finish(self, shared: &Shared) -> Collected<'o> {
        let mut totals = self.committer.finish();
        if self.options.labels.contains(&LabelKey::TraceEndpoint) {
            name_endpoints(shared, &mut totals);
        }
        let Self { options, start, spans, .. } = self;
        Collected { options, start, spans, totals, cut_names: shared.cut_names() }
    }
}

impl Collected<'_> {
    /// Converts the sums to profiles.
    pub(crate) fn into_set(self, tables: Arc<Tables>) -> ProfileSet {
        finish(self, tables)
    }
}

/// Converts the sums to profiles.
fn finish(collected: Collected<'_>, tables: Arc<Tables>) -> ProfileSet {
    let Collected { options, start, spans, mut totals, cut_names } = collected;
    let start = start.max(options.filter.range.first()).0;
    // As in a merge of pprof files, the durations of several recordings add up.
    let duration_nanos = durations(&spans, &options.filter).into_iter().fold(0, i64::saturating_add);
    let main = totals.facts.iter().find_map(|f| f.main.clone());
    let mut profiles = Vec::new();
    let mut absent = Vec::new();
    let mut merged = std::mem::take(&mut totals.profiles);
    for &kind in ProfileType::ALL.iter().filter(|k| options.wants(**k)) {
        let (mut samples, timeline) = merged.remove(&kind).map(|m| (m.samples, m.timeline)).unwrap_or_default();
        let timeline = filter_frames(&mut samples, timeline, &tables, &options.filter);
        // JDK 17 and before do not record sizes of live objects.
        if kind == ProfileType::Live && samples.iter().all(|sample| sample.values.get(1) == Some(&0)) {
            samples = samples.narrowed(1);
        }
        if samples.is_empty() {
            absent.push(report::absent(kind, &totals, options));
            continue;
        }
        let coverage = report::coverage(kind, &samples, &totals, options);
        let mut comments = report::comments(kind, &totals, options);
        comments.extend(coverage.map(|(covers, used)| report::covers(covers, used, options)));
        profiles.push(Profile {
            kind,
            samples,
            coverage: coverage.map(|(covers, _)| covers),
            time_nanos: start,
            duration_nanos,
            period: report::period(kind, &totals),
            comments,
            main: main.clone(),
            timeline,
        });
    }
    let mut warnings = report::warnings(&totals, options);
    let saturated =
        profiles.iter().filter(|p| p.samples.iter().any(|s| s.values.contains(&i64::MAX))).map(|p| p.kind.name());
    let saturated: Vec<&str> = saturated.collect();
    if !saturated.is_empty() {
        warnings.push(format!("sums of {} exceed 64 bits; the largest 64-bit value is used", saturated.join(", ")));
    }
    if cut_names > 0 {
        let number = u64::try_from(cut_names).unwrap_or(u64::MAX);
        warnings.push(format!("truncated {}", things(number, "overlong name", "overlong names")));
    }
    ProfileSet { tables, profiles, absent, losses: totals.losses.iter().map(ToString::to_string).collect(), warnings }
}

/// How long each recording is, within the time range of the filter: from the start of its first chunk to the end of its
/// last one.
fn durations(spans: &[(usize, i64, i64)], filter: &Filter) -> Vec<i64> {
    let mut ranges: std::collections::BTreeMap<usize, (i64, i64)> = std::collections::BTreeMap::new();
    for &(recording, start, end) in spans {
        let range = ranges.entry(recording).or_insert((start, end));
        *range = (range.0.min(start), range.1.max(end));
    }
    let (from, to) = (filter.range.first().0, filter.range.end().0);
    ranges.into_values().map(|(start, end)| end.min(to).saturating_sub(start.max(from)).max(0)).collect()
}

/// Keeps only the samples whose stacks contain the frames required by the filter. Returns their timeline.
fn filter_frames(
    samples: &mut Samples,
    timeline: Option<Timeline>,
    tables: &Tables,
    filter: &Filter,
) -> Option<Timeline> {
    if filter.include.is_none() && filter.exclude.is_none() {
        return timeline;
    }
    let matches = |regex: &Option<regex::Regex>| -> Vec<bool> {
        let Some(regex) = regex else { return Vec::new() };
        let functions = (0..tables.function_count()).filter_map(|i| tables.function_at(i));
        functions.map(|f| regex.is_match(tables.str(f.name))).collect()
    };
    let (include, exclude) = (matches(&filter.include), matches(&filter.exclude));
    let any = |list: &[bool], stack| {
        let frames = tables.stack(stack).iter();
        frames.map(|f| tables.frame(*f).function.index()).any(|i| list.get(i).copied().unwrap_or(false))
    };
    // The new number of each sample that is kept.
    let (mut numbers, mut kept) = (Vec::new(), 0_u32);
    samples.retain(|s| {
        let keep = (filter.include.is_none() || any(&include, s.stack))
            && (filter.exclude.is_none() || !any(&exclude, s.stack));
        if timeline.is_some() {
            numbers.push(keep.then_some(kept));
            kept += u32::from(keep);
        }
        keep
    });
    timeline.map(|of_all| {
        let mut timeline = Timeline::new(of_all.step_nanos());
        timeline.append(&of_all, |sample| numbers.get(sample as usize).copied().flatten());
        timeline
    })
}

/// Replaces the root span id that identifies an endpoint with the name of the endpoint, which is recorded later
/// than the samples of its request.
fn name_endpoints(shared: &Shared, totals: &mut Totals) {
    let key = LabelKey::TraceEndpoint.name();
    let Totals { profiles, endpoints, .. } = totals;
    for (kind, merged) in profiles.iter_mut() {
        let mut named = Merged::new(*kind);
        let mut numbers = Vec::with_capacity(merged.samples.len());
        let mut known: std::collections::BTreeMap<LabelSetId, LabelSetId> = std::collections::BTreeMap::new();
        for sample in merged.samples.iter() {
            let labels = *known.entry(sample.labels).or_insert_with(|| {
                let mut symbols = shared.interner.symbols();
                let old = symbols.labels_of(sample.labels).to_vec();
                let new: Vec<Label> = old
                    .into_iter()
                    .filter_map(|label| match label.value {
                        LabelValue::Number(root) if label.key == key => {
                            let endpoint = endpoints.get(&root.cast_unsigned())?;
                            Some(Label { key, value: LabelValue::Text(symbols.string(endpoint)) })
                        }
                        _ => Some(label),
                    })
                    .collect();
                symbols.label_set(&new)
            });
            numbers.push(named.add(sample.stack, labels, sample.values));
        }
        named.add_times(merged, &numbers);
        *merged = named;
    }
}

#[cfg(test)]
mod tests {
    use jfr_parse::EpochNanos;

    use super::*;
    use crate::time_range::TimeRange;

    #[test]
    fn durations_of_recordings_add_up() {
        // Two chunks of one recording, and one of another an hour later.
        let spans = [(0, 10, 20), (0, 20, 35), (1, 3_600, 3_610)];
        assert_eq!(durations(&spans, &Filter::default()), [25, 10]);
        let filter = Filter {
            range: TimeRange { from: Some(EpochNanos(15)), to: Some(EpochNanos(3_602)) },
            ..Filter::default()
        };
        assert_eq!(durations(&spans, &filter), [20, 2]);
    }
}
