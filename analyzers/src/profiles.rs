//! From recordings to profiles, in one pass over their bytes.
//!
//! Chunks are read in parallel, and parts of a chunk too. Events are added up by the key of their stack trace
//! while the constants are indexed; only when a chunk is read are its stacks resolved, each once, into tables
//! that all chunks share. What a chunk yields is committed in the order of the file.

mod chunk;
mod commit;
pub(crate) mod execution;
mod facts;
pub(crate) mod functions;
mod gather;
mod labels;
mod memo;
mod memory;
mod options;
mod periods;
pub(crate) mod plans;
mod report;
mod settled;
pub(crate) mod sources;
pub(crate) mod stacks;
pub(crate) mod type_map;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jfr_parse::{Damage, Error, Loss, Recording, Result};

use crate::account::Account;
use chunk::{ChunkResult, Context};
pub(crate) use commit::overlapping;
use commit::{Committer, Merged, Totals};
pub use options::{CpuSource, Filter, LabelKey, Options, Progress};
use plans::PlanCache;
use settled::Settled;
use stacks::Shared;

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
    let mut tasks = Vec::new();
    for (number, recording) in recordings.iter().enumerate() {
        for (i, (_, header)) in recording.headers().enumerate() {
            spans.push((number, header.start_nanos, header.start_nanos.saturating_add(header.duration_nanos.max(0))));
            tasks.push((*recording, i));
        }
    }
    let context = Context {
        options,
        shared: Shared::new(options.raw_names, &limits, recordings.iter().map(|r| r.bytes().len()).sum()),
        account: Account::new(limits.clone()),
        plans: PlanCache::default(),
        chunks: &tasks,
        settled: Settled::default(),
    };
    let mut committer = Committer::new(&spans, options.cpu_source, limits.losses);
    for loss in recordings.iter().flat_map(|r| r.losses()) {
        committer.lose(loss.clone());
    }
    let run = Run {
        context: &context,
        tasks: &tasks,
        next: AtomicUsize::new(0),
        committer: Mutex::new(committer),
        failed: Mutex::default(),
    };
    if tasks.len() == 1 {
        run.work();
    } else {
        rayon::scope(|scope| {
            for _ in 0..rayon::current_num_threads().min(tasks.len()) {
                scope.spawn(|_| run.work());
            }
        });
    }
    for recording in recordings {
        recording.check_unchanged()?;
    }
    let failed = run.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    match failed.error {
        Some(error) if failed.chunks == tasks.len() || ends(&error) => return Err(error),
        _ => {}
    }
    let totals = run.committer.into_inner().unwrap_or_else(PoisonError::into_inner).finish();
    Ok(finish(context, totals, &spans))
}

/// The chunks being read.
struct Run<'r, 'o, 's> {
    context: &'r Context<'o>,
    tasks: &'r [(&'r Recording<'s>, usize)],
    next: AtomicUsize,
    committer: Mutex<Committer>,
    failed: Mutex<Failed>,
}

#[derive(Default)]
struct Failed {
    chunks: usize,
    error: Option<Error>,
}

impl Run<'_, '_, '_> {
    /// Takes chunks, in order, until none is left.
    fn work(&self) {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(&(recording, number)) = self.tasks.get(index) else { return };
            let result: Result<ChunkResult> =
                recording.chunk(number).and_then(|chunk| self.context.chunk(index, &chunk));
            let mut loss = None;
            let result = match result {
                Ok(result) => {
                    let bytes = recording.header(number).map_or(0, |(_, header)| header.chunk_size);
                    self.context.options.progress.tell(bytes);
                    Some(result)
                }
                Err(error) => {
                    loss = Some(as_loss(recording, number, &error));
                    let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                    failed.chunks += 1;
                    let ends = ends(&error);
                    if failed.error.as_ref().is_none_or(|known| ends && !self::ends(known)) {
                        failed.error = Some(error);
                    }
                    if ends {
                        self.next.store(self.tasks.len(), Ordering::Relaxed);
                    }
                    None
                }
            };
            let mut committer = self.committer.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(loss) = loss {
                committer.lose(loss);
            }
            committer.take(index, result);
        }
    }
}

/// Whether an error is of the whole call rather than of one chunk.
fn ends(error: &Error) -> bool {
    matches!(error, Error::Stopped | Error::LimitExceeded { name: "memory" | "stacks", .. })
}

/// A chunk that cannot be read, as a loss.
fn as_loss(recording: &Recording<'_>, number: usize, error: &Error) -> Loss {
    let header = recording.header(number);
    let (offset, bytes) = header.map_or((0, 0), |(offset, header)| (offset, header.chunk_size));
    let left = (recording.bytes().len() as u64).saturating_sub(offset);
    let what = match error {
        Error::Damaged { what, .. } => *what,
        Error::LimitExceeded { name, .. } => Damage::OverLimit { limit: name },
        _ => Damage::BadMetadata,
    };
    Loss { offset, bytes: bytes.min(left), what }
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
