//! From recordings to profiles, in one pass over their bytes.
//!
//! Chunks are read in parallel, and parts of a chunk too. Events are added up by the key of their stack trace
//! while the constants are indexed; only when a chunk is read are its stacks resolved, each once, into tables
//! that all chunks share. What a chunk yields is committed in the order of the file.

mod chunk;
mod commit;
pub(crate) mod execution;
mod facts;
mod gather;
mod labels;
mod memory;
mod options;
mod periods;
pub(crate) mod plans;
mod report;
mod settled;
pub(crate) mod sources;

use jfr_parse::{Recording, Result};

use crate::account::Account;
use crate::engine::driver::{as_loss, run, tasks};
use crate::engine::plans::PlanCache;
use crate::engine::stacks::Shared;
use chunk::Context;
pub(crate) use commit::overlapping;
use commit::{Committer, Merged, Totals};
pub use options::{CpuSource, Filter, LabelKey, Options, Progress};
use settled::Settled;

use jfrkit_profile::{Label, LabelSetId, LabelValue, Profile, ProfileSet, ProfileType, Tables};

/// Collects the profiles of a recording.
///
/// # Errors
/// What kept every chunk from being read; [`Error::Stopped`]; [`Error::Changed`]; [`Error::LimitExceeded`] where a limit
/// of the whole call was passed. A chunk that cannot be read among others that can is a loss.
pub fn collect(recording: &Recording<'_>, options: &Options) -> Result<ProfileSet> {
    collect_merged(&[recording], options)
}

/// Collects one set of profiles from several recordings.
///
/// # Errors
/// As for [`collect`].
pub fn collect_merged(recordings: &[&Recording<'_>], options: &Options) -> Result<ProfileSet> {
    let limits = recordings.first().map(|r| r.limits().clone()).unwrap_or_default();
    let mut spans = Vec::new();
    for (number, recording) in recordings.iter().enumerate() {
        for (_, header) in recording.headers() {
            spans.push((number, header.start_nanos, header.start_nanos.saturating_add(header.duration_nanos.max(0))));
        }
    }
    let tasks = tasks(recordings);
    let context = Context {
        options,
        shared: Shared::new(options.into(), &limits, recordings.iter().map(|r| r.bytes().len()).sum()),
        account: Account::new(limits.clone()),
        plans: PlanCache::default(),
        chunks: &tasks,
        settled: Settled::default(),
    };
    let mut committer = Committer::new(&spans, options.cpu_source, limits.losses);
    for loss in recordings.iter().flat_map(|r| r.losses()) {
        committer.lose(loss.clone());
    }
    let read = |index: usize, chunk: &jfr_parse::Chunk<'_>| {
        let result = context.chunk(index, chunk)?;
        options.progress.tell(chunk.header().chunk_size);
        Ok(result)
    };
    let failures = run(&tasks, read, |index, result| {
        if let (Err(error), Some(task)) = (&result, tasks.get(index)) {
            committer.lose(as_loss(task, error));
        }
        committer.take(index, result.ok());
    })?;
    match failures.first {
        Some(error) if failures.chunks == tasks.len() => Err(error),
        _ => Ok(finish(context, committer.finish(), &spans)),
    }
}

/// Makes profiles of the sums.
fn finish(context: Context<'_>, mut totals: Totals, spans: &[(usize, i64, i64)]) -> ProfileSet {
    let options = context.options;
    if options.labels.contains(&LabelKey::TraceEndpoint) {
        name_endpoints(&context, &mut totals);
    }
    let start = spans.iter().map(|s| s.1).min().unwrap_or(0).max(options.filter.from_nanos.unwrap_or(i64::MIN));
    let end = spans.iter().map(|s| s.2).max().unwrap_or(0).min(options.filter.to_nanos.unwrap_or(i64::MAX));
    let main = totals.facts.iter().find_map(|f| f.main.clone());
    let cut_names = context.shared.cut_names();
    let tables = context.shared.interner.freeze();
    let mut profiles = Vec::new();
    let mut absent = Vec::new();
    let mut merged = std::mem::take(&mut totals.profiles);
    for &kind in ProfileType::ALL.iter().filter(|k| options.wants(**k)) {
        let mut samples = merged.remove(&kind).map(|m| m.samples).unwrap_or_default();
        filter_frames(&mut samples, &tables, &options.filter);
        if samples.is_empty() {
            absent.push(report::absent(kind, &totals, options));
            continue;
        }
        profiles.push(Profile {
            kind,
            samples,
            time_nanos: start,
            duration_nanos: end.saturating_sub(start).max(0),
            period: report::period(kind, &totals),
            comments: report::comments(kind, &totals, options),
            main: main.clone(),
        });
    }
    let mut warnings = report::warnings(&totals, options);
    if cut_names > 0 {
        warnings.push(format!("{cut_names} names are too long and were cut"));
    }
    ProfileSet { tables, profiles, absent, losses: totals.losses.iter().map(ToString::to_string).collect(), warnings }
}

/// Keeps the samples whose stacks have the frames that the filter asks for.
fn filter_frames(samples: &mut jfrkit_profile::Samples, tables: &Tables, filter: &Filter) {
    if filter.include.is_none() && filter.exclude.is_none() {
        return;
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
    samples.retain(|s| {
        (filter.include.is_none() || any(&include, s.stack)) && (filter.exclude.is_none() || !any(&exclude, s.stack))
    });
}

/// Replaces the root span that stands for an endpoint by the endpoint's name, which is told later than the
/// samples of its request.
fn name_endpoints(context: &Context<'_>, totals: &mut Totals) {
    let key = LabelKey::TraceEndpoint.name();
    let Totals { profiles, endpoints, .. } = totals;
    for (kind, merged) in profiles.iter_mut() {
        let mut named = Merged::new(*kind);
        let mut known: std::collections::BTreeMap<LabelSetId, LabelSetId> = std::collections::BTreeMap::new();
        for sample in merged.samples.iter() {
            let labels = *known.entry(sample.labels).or_insert_with(|| {
                let mut symbols = context.shared.interner.symbols();
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
            named.add(sample.stack, labels, sample.values);
        }
        *merged = named;
    }
}
