//! The events that profiles count, one by one, for tables of samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use jfr_parse::{Chunk, ConstantKey, EpochNanos, Error, Nanos, Recording, Result};
use jfrkit_profile::{LabelSetId, LabelValue, ProfileType};

use super::Collecting;
use super::chunk::ChunkResult;
use super::context::Context;
use super::options::{LabelKey, Options};
use super::overlaps::Overlaps;
use crate::account::Account;
use crate::engine::consumer::Engine;
use crate::engine::driver::{Task, run, tasks};
use crate::engine::routing::Target;
use crate::engine::stacks::Shared;

/// An event that counts in a profile.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SampleEvent {
    /// Its start; `None` if the event has none.
    pub start: Option<EpochNanos>,
    /// Its duration as recorded; `None` if the event has none.
    pub duration: Option<Nanos>,
    /// Key of its stack trace in the chunk; 0 for none.
    pub stack: ConstantKey,
    /// Its labels; see [`ChunkSamples::labels`].
    pub labels: LabelSetId,
    /// What it adds to the values of the profile type, in the order of [`ProfileType::values`].
    pub values: [i64; 3],
}

/// The events of a chunk that count in profiles of one type, in file order.
pub struct ChunkSamples<'s> {
    /// The profile type.
    pub kind: ProfileType,
    /// The events.
    pub events: &'s [SampleEvent],
    shared: &'s Shared,
    endpoints: &'s BTreeMap<u64, String>,
}

impl std::fmt::Debug for ChunkSamples<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkSamples").field("kind", &self.kind).field("events", &self.events.len()).finish()
    }
}

/// The value of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SampleLabel {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

impl ChunkSamples<'_> {
    /// The labels of a set, by [name](LabelKey::name).
    #[must_use]
    pub fn labels(&self, set: LabelSetId) -> Vec<(&'static str, SampleLabel)> {
        let symbols = self.shared.interner.symbols();
        let labels = symbols.labels_of(set).iter();
        labels
            .filter_map(|label| {
                let value = match label.value {
                    LabelValue::Text(text) => SampleLabel::Text(symbols.str(text).to_owned()),
                    // An endpoint is recorded after the samples of its request, whose root span stands for it.
                    LabelValue::Number(root) if label.key == LabelKey::TraceEndpoint.name() => {
                        SampleLabel::Text(self.endpoints.get(&root.cast_unsigned())?.clone())
                    }
                    LabelValue::Number(number) => SampleLabel::Number(number),
                };
                Some((label.key, value))
            })
            .collect()
    }
}

/// Reads the events that profiles count. Their values are those that [`collect`](crate::collect()) adds up.
///
/// `make` turns the events of a chunk into something for each profile type, in the order given; it is called on many threads at
/// once. `take` receives the results in file order. Filters on frames and `native_leaks` do not apply. Returns the warnings that a profile would have.
///
/// # Errors
/// Same as [`collect`](crate::collect()).
pub fn samples<T: Send>(
    recording: &Recording<'_>,
    options: &Options,
    make: impl Fn(&Chunk<'_>, &[ChunkSamples<'_>]) -> Vec<T> + Sync,
    mut take: impl FnMut(ProfileType, T) + Send,
) -> Result<Vec<String>> {
    let mut options = options.clone();
    (options.each, options.native_leaks) = (true, false);
    let options = &options;
    let limits = recording.limits();
    let tasks = tasks(&[recording]);
    let shared = Shared::new(options.into(), limits, recording.bytes().len());
    let account = Account::new(limits.clone());
    let endpoints = endpoints(recording, options, &tasks)?;
    let engine = Engine::new(Context::new(options, &shared, &account, &tasks), &shared, &account, [&options.stop]);
    let mut collecting = Collecting::new(&[recording], options, &tasks, limits.losses);
    let mut cpu: Overlaps<Vec<T>> = Overlaps::new(&collecting.spans, options.cpu_source);
    let read = |index: usize, chunk: &Chunk<'_>| {
        let mut result = engine.chunk(index, chunk)?;
        let events = std::mem::take(&mut result.events);
        let of = |target: &Target, events| ChunkSamples {
            kind: target.kind(),
            events,
            shared: &shared,
            endpoints: &endpoints,
        };
        let samples: Vec<ChunkSamples<'_>> = events.iter().map(|(target, events)| of(target, events)).collect();
        let made = if samples.is_empty() { Vec::new() } else { make(chunk, &samples) };
        let made: Vec<(Target, T)> = events.keys().copied().zip(made).collect();
        Ok((result, made))
    };
    let failures = run(&tasks, read, |index, result| {
        let result = result.map(|(result, made)| {
            let sources = cpu.sources(index);
            for source in result.cpu_sources() {
                sources.entry(source).or_default();
            }
            for (target, one) in made {
                match target {
                    Target::Profile(kind) => take(kind, one),
                    Target::Cpu(source) => sources.entry(source).or_default().push(one),
                }
            }
            result
        });
        for one in cpu.end(index).into_iter().flat_map(|(_, made)| made) {
            take(ProfileType::Cpu, one);
        }
        collecting.take(index, result);
    })?;
    drop(engine);
    match failures.first {
        Some(error) if failures.chunks == tasks.len() => Err(error),
        _ => {
            let collected = collecting.finish(&shared);
            Ok(collected.into_set(Arc::new(shared.freeze())).warnings)
        }
    }
}

/// The endpoints of requests by their root span.
fn endpoints(recording: &Recording<'_>, options: &Options, tasks: &[Task<'_>]) -> Result<BTreeMap<u64, String>> {
    let mut found = BTreeMap::new();
    let declared = |chunk: std::result::Result<Chunk<'_>, Error>| {
        chunk.is_ok_and(|chunk| chunk.metadata().by_name("datadog.Endpoint").is_some())
    };
    if !options.labels.contains(&LabelKey::TraceEndpoint) || !recording.chunks().any(declared) {
        return Ok(found);
    }
    // Facts are read in any case; ask for a profile type of few events besides.
    let mut facts = Options::default();
    (facts.types, facts.labels) = (vec![ProfileType::MethodTrace], vec![LabelKey::TraceEndpoint]);
    (facts.each, facts.stop) = (true, options.stop.clone());
    let limits = recording.limits();
    let (shared, account) = (Shared::new((&facts).into(), limits, 0), Account::new(limits.clone()));
    let engine = Engine::new(Context::new(&facts, &shared, &account, tasks), &shared, &account, [&facts.stop]);
    run(
        tasks,
        |index, chunk| engine.chunk(index, chunk),
        |_, result| found.extend(result.into_iter().flat_map(ChunkResult::into_endpoints)),
    )?;
    Ok(found)
}
