//! Joins the results of chunks in file order, so that the result is the same for any number of threads.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use jfr_parse::{Loss, work};

use super::chunk::{ChunkResult, SourceState, Tally};
use super::facts::Facts;
use super::load::Loads;
use super::memory::Memory;
use super::options::CpuSource;
use super::overlaps::Overlaps;
use super::sources::{self, BySource};
use crate::engine::routing::Target;
use crate::hash::{HashMap, Hasher};
use jfrkit_profile::index::at;
use jfrkit_profile::{LabelSetId, Moment, ProfileType, Samples, StackId, Timeline};

/// Samples in which each combination of stack and labels occurs once.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) samples: Samples,
    /// When they were taken, if requested.
    pub(super) timeline: Option<Timeline>,
    table: HashTable<u32>,
    hasher: Hasher,
}

impl Merged {
    pub(super) fn new(kind: ProfileType) -> Self {
        Self {
            samples: Samples::new(kind.values().len()),
            timeline: None,
            table: HashTable::new(),
            hasher: Hasher::default(),
        }
    }

    /// Adds a sample and returns its number.
    pub(super) fn add(&mut self, stack: StackId, labels: LabelSetId, values: &[i64]) -> u32 {
        let (samples, hasher) = (&mut self.samples, &self.hasher);
        let key = (stack, labels);
        let same = |&i: &u32| {
            work::done(1);
            samples.key(i as usize) == Some(key)
        };
        let rehash = |&i: &u32| samples.key(i as usize).map_or(0, |k| hasher.hash_one(k));
        match self.table.entry(hasher.hash_one(key), same, rehash) {
            Entry::Occupied(found) => {
                samples.add(*found.get() as usize, values);
                *found.get()
            }
            Entry::Vacant(free) => {
                let number = u32::try_from(samples.len()).unwrap_or(u32::MAX);
                free.insert(number);
                samples.push(stack, labels, values);
                number
            }
        }
    }

    fn add_all(&mut self, other: &Self) {
        let samples = other.samples.iter();
        let numbers: Vec<u32> = samples.map(|sample| self.add(sample.stack, sample.labels, sample.values)).collect();
        self.add_times(other, &numbers);
    }

    /// Adds the times of samples that have these numbers here.
    pub(super) fn add_times(&mut self, other: &Self, numbers: &[u32]) {
        if let Some(times) = &other.timeline {
            let timeline = self.timeline.get_or_insert_with(|| Timeline::new(times.step_nanos()));
            timeline.append(times, |sample| at(numbers, sample as usize).copied());
        }
    }

    fn record(&mut self, step_nanos: i64, moment: Moment) {
        self.timeline.get_or_insert_with(|| Timeline::new(step_nanos)).push(moment);
    }
}

/// Maximum number of different values of a setting to keep; each becomes a comment in the profiles.
const MAX_VALUES: usize = 64;

/// What is known about a source over all chunks.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceTotal {
    pub(super) declared: bool,
    pub(super) enabled: bool,
    pub(super) disabled: bool,
    pub(super) thresholds: BTreeSet<String>,
    pub(super) throttles: BTreeSet<String>,
    /// The profile types that received its samples, each with its periods in chunk order.
    pub(super) kinds: BTreeMap<ProfileType, Vec<i64>>,
    /// Periods that no setting specifies, with the producer whose default they are.
    pub(super) assumed: BTreeSet<(i64, &'static str)>,
    pub(super) events: u64,
}

impl SourceTotal {
    fn add(&mut self, state: SourceState) {
        self.declared |= state.declared;
        self.enabled |= state.enabled == Some(true);
        self.disabled |= state.enabled == Some(false);
        for (values, value) in [(&mut self.thresholds, state.threshold), (&mut self.throttles, state.throttle)] {
            if values.len() < MAX_VALUES {
                values.extend(value);
            }
        }
        for (kind, period) in state.kinds {
            let periods = self.kinds.entry(kind).or_default();
            if let Some((nanos, assumed)) = period {
                if periods.len() < MAX_VALUES && !periods.contains(&nanos) {
                    periods.push(nanos);
                }
                self.assumed.extend(assumed.map(|producer| (nanos, producer)));
            }
        }
        self.events = self.events.saturating_add(state.events);
    }
}

/// The joined results of all chunks committed so far.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) profiles: BTreeMap<ProfileType, Merged>,
    pub(super) sources: BySource<SourceTotal>,
    pub(super) tallies: HashMap<Target, Tally>,
    pub(super) facts: Vec<Facts>,
    pub(super) losses: Vec<Loss>,
    pub(super) endpoints: BTreeMap<u64, String>,
    pub(super) lost_samples: u64,
    pub(super) lost_bytes: u64,
    pub(super) cpu_sources: BTreeSet<CpuSource>,
    pub(super) max_losses: usize,
    pub(super) more_losses: u64,
    pub(super) odd_durations: u64,
    /// By recording.
    pub(super) loads: BTreeMap<usize, Loads>,
    /// By recording, because each process has its own address space.
    memory: BTreeMap<usize, Memory<(StackId, LabelSetId)>>,
}

/// Maximum number of different JVMs for which facts are kept.
const MAX_FACTS: usize = 16;

impl Totals {
    fn new(max_losses: usize) -> Self {
        Self {
            profiles: BTreeMap::new(),
            sources: sources::by_source(SourceTotal::default()),
            tallies: HashMap::default(),
            facts: Vec::new(),
            losses: Vec::new(),
            endpoints: BTreeMap::new(),
            lost_samples: 0,
            lost_bytes: 0,
            cpu_sources: BTreeSet::new(),
            max_losses,
            more_losses: 0,
            odd_durations: 0,
            loads: BTreeMap::new(),
            memory: BTreeMap::new(),
        }
    }

    fn profile(&mut self, kind: ProfileType) -> &mut Merged {
        self.profiles.entry(kind).or_insert_with(|| Merged::new(kind))
    }

    /// Records losses, up to the limit.
    pub(super) fn add_losses(&mut self, losses: impl IntoIterator<Item = Loss>) {
        for loss in losses {
            if self.losses.len() < self.max_losses {
                self.losses.push(loss);
            } else {
                self.more_losses += 1;
            }
        }
    }
}

/// CPU samples of one source.
#[derive(Debug)]
struct CpuSamples {
    merged: Merged,
    tally: Tally,
}

impl Default for CpuSamples {
    fn default() -> Self {
        Self { merged: Merged::new(ProfileType::Cpu), tally: Tally::default() }
    }
}

/// The samples that count toward a target.
fn merged_of<'m>(
    totals: &'m mut Totals,
    sources: &'m mut BTreeMap<CpuSource, CpuSamples>,
    target: Target,
) -> &'m mut Merged {
    match target {
        Target::Profile(kind) => totals.profile(kind),
        Target::Cpu(source) => &mut sources.entry(source).or_default().merged,
    }
}

/// Commits the results of chunks, in file order.
#[derive(Debug)]
pub(super) struct Committer {
    recording_of: Vec<usize>,
    cpu: Overlaps<CpuSamples>,
    totals: Totals,
}

impl Committer {
    /// `spans` are the recording, start and end of each chunk in nanoseconds.
    pub(super) fn new(spans: &[(usize, i64, i64)], chosen: Option<CpuSource>, max_losses: usize) -> Self {
        let recording_of = spans.iter().map(|span| span.0).collect();
        Self { recording_of, cpu: Overlaps::new(spans, chosen), totals: Totals::new(max_losses) }
    }

    pub(super) fn add_loss(&mut self, loss: Loss) {
        self.totals.add_losses([loss]);
    }

    pub(super) fn finish(mut self) -> Totals {
        let memory = std::mem::take(&mut self.totals.memory);
        for ((stack, labels), size) in memory.values().flat_map(Memory::leaked) {
            self.totals.profile(ProfileType::NativeAlloc).add(stack, labels, &[1, size]);
        }
        self.totals
    }

    /// Adds the result of chunk `index`; `None` if the chunk could not be read.
    pub(super) fn take(&mut self, index: usize, result: Option<ChunkResult>) {
        let (totals, cpu) = (&mut self.totals, &mut self.cpu);
        if let Some(result) = result {
            let sources = cpu.sources(index);
            for source in result.cpu_sources() {
                sources.entry(source).or_default();
            }
            let mut numbers: Vec<u32> = Vec::new();
            for sample in &result.samples {
                let merged = merged_of(totals, sources, sample.target);
                let number = merged.add(sample.stack, sample.labels, &sample.values);
                if result.timeline.is_some() {
                    numbers.push(number);
                }
            }
            for moment in result.timeline.iter().flatten() {
                let place = moment.sample as usize;
                let (Some(sample), Some(&number)) = (at(&result.samples, place), at(&numbers, place)) else { continue };
                let merged = merged_of(totals, sources, sample.target);
                if let Some(timeline) = &result.timeline {
                    merged.record(timeline.step_nanos(), Moment { sample: number, ..moment });
                }
            }
            for (target, tally) in result.tallies {
                let sum = match target {
                    Target::Cpu(source) => &mut sources.entry(source).or_default().tally,
                    Target::Profile(_) => totals.tallies.entry(target).or_default(),
                };
                add_tally(sum, tally);
            }
            for (total, state) in totals.sources.iter_mut().zip(result.sources) {
                total.add(state);
            }
            let recording = at(&self.recording_of, index).copied().unwrap_or(0);
            totals.memory.entry(recording).or_default().append(result.memory, |key| key);
            totals.lost_samples = totals.lost_samples.saturating_add(result.facts.lost_samples);
            totals.lost_bytes = totals.lost_bytes.saturating_add(result.facts.lost_bytes);
            totals.endpoints.extend(result.facts.endpoints.iter().cloned());
            let mut facts = result.facts;
            facts.endpoints = Vec::new();
            facts.forget_settings();
            totals.loads.entry(recording).or_default().append(std::mem::take(&mut facts.loads));
            if totals.facts.len() < MAX_FACTS {
                totals.facts.push(facts);
            }
            totals.odd_durations = totals.odd_durations.saturating_add(result.odd_durations);
            totals.add_losses(result.losses);
        }
        if let Some((source, CpuSamples { merged, tally })) = self.cpu.end(index) {
            self.totals.cpu_sources.insert(source);
            add_tally(self.totals.tallies.entry(Target::Cpu(source)).or_default(), tally);
            self.totals.profile(ProfileType::Cpu).add_all(&merged);
        }
    }
}

fn add_tally(sum: &mut Tally, more: Tally) {
    sum.samples = sum.samples.saturating_add(more.samples);
    sum.truncated = sum.truncated.saturating_add(more.truncated);
    sum.without_stack = sum.without_stack.saturating_add(more.without_stack);
    sum.failed = sum.failed.saturating_add(more.failed);
}
