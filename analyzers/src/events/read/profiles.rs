//! Determines in which profile an event counts, for groups that use the key [`PROFILE`].
//!
//! While a chunk is read, the key contains what is known from the event itself: its source, and the name of its
//! thread state or of the class on which the thread is parked. When the chunk is joined to the others, this
//! becomes the name of a profile, by the same rules as in [`collect`](crate::collect()). CPU samples wait until
//! all chunks that overlap in time have been read; then those of one source are used.

use std::collections::BTreeMap;

use super::chunk::ChunkFacts;
use super::wanted::Wanted;
use crate::CpuSource;
use crate::engine::routing::{Routes, Target};
use crate::events::cell::Cell;
use crate::events::facts::{GroupsData, TableData};
use crate::events::needs::{GroupBy, PROFILE};
use crate::hash::HashMap;
use crate::profiles::execution::{Execution, is_async_profiler};
use crate::profiles::overlapping;
use crate::profiles::sources::{BySource, Route, SourceId};
use jfrkit_profile::index::{at, at_mut};
use jfrkit_profile::{Interner, ProfileType, StackId, StrId};

/// Maximum number of groups of overlapping chunks whose CPU samples wait for more chunks.
const WAITING: usize = 8;

/// The key of an event of this source, with its text if it may matter.
pub(crate) fn code(source: SourceId, text: Option<StrId>) -> Cell {
    let text = text.map_or(0, |id| i64::from(id.number()).saturating_add(1));
    debug_assert!(source.number() <= 0xff);
    Cell::Int((text << 8) | i64::from(source.number() & 0xff))
}

/// The source and the text of a key.
fn decode(cell: Cell) -> Option<(SourceId, Option<StrId>)> {
    let code = cell.int()?;
    let text = (code >> 8).checked_sub(1).and_then(|id| u32::try_from(id).ok()).map(StrId::from_number);
    Some((SourceId::from_number(u32::try_from(code & 0xff).ok()?)?, text))
}

/// What a chunk reveals about its writer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Writer {
    /// Whether a JVM wrote the chunk. JVMs repeat their settings in each chunk; profilers write them only into
    /// the first one.
    by_jvm: bool,
    is_async_profiler: bool,
    has_settings: bool,
    /// The setting `event`.
    event: Option<String>,
}

impl Writer {
    /// Determines the writer from the tables of a chunk.
    pub(crate) fn of(by_jvm: bool, tables: &[TableData], wanted: &Wanted, interner: &Interner) -> Self {
        let table = |name: &str| wanted.tables.keys().position(|n| *n == name).and_then(|i| tables.get(i));
        let text = |id: StrId| interner.symbols().str(id).to_owned();
        let recordings = table("jdk.ActiveRecording").into_iter().flat_map(|t| t.texts("name")).flatten();
        let recordings: Vec<String> = recordings.map(text).collect();
        let settings = table("jdk.ActiveSetting");
        let event = interner.symbols().string("event");
        let column = |field: &'static str| settings.into_iter().flat_map(move |t| t.texts(field));
        let setting = column("name").zip(column("value")).find(|(name, _)| *name == Some(event));
        Self {
            by_jvm,
            is_async_profiler: is_async_profiler(recordings.iter().map(String::as_str)),
            has_settings: settings.is_some_and(|t| t.len() > 0),
            event: setting.and_then(|(_, value)| value).map(text),
        }
    }
}

/// What determines where the events of a chunk count.
pub(crate) struct ChunkView {
    /// The index of the chunk.
    pub(crate) index: usize,
    pub(crate) writer: Writer,
    /// Whether the chunk declares [`State::Default`].
    pub(crate) has_default_state: bool,
    /// The number of events of each source.
    pub(crate) counts: BySource<u64>,
}

impl ChunkView {
    pub(super) fn of(index: usize, facts: &ChunkFacts, wanted: &Wanted, interner: &Interner) -> Self {
        let count = |event: &str| facts.events.iter().find(|(name, _)| **name == *event).map_or(0, |(_, e)| e.count);
        Self {
            index,
            writer: Writer::of(facts.by_jvm, &facts.gathered.tables, wanted, interner),
            has_default_state: facts.has_default_state,
            counts: SourceId::all().map(|id| count(id.source().event)).collect(),
        }
    }

    fn has(&self, is: impl Fn(Route) -> bool) -> bool {
        self.counts.enumerate().any(|(id, count)| is(id.source().route) && *count > 0)
    }
}

/// Joins groups, with each event in its profile.
#[derive(Debug)]
pub(crate) struct Profiles {
    /// The index of the key among those of each wanted group.
    places: Vec<Option<usize>>,
    wanted: Vec<GroupBy>,
    names: BTreeMap<ProfileType, StrId>,
    /// The group of overlapping chunks to which each chunk belongs, and the number of chunks that each group
    /// still expects.
    group_of: Vec<usize>,
    open: BTreeMap<usize, usize>,
    /// CPU samples of chunks that overlap in time.
    waiting: BTreeMap<usize, BTreeMap<CpuSource, Vec<GroupsData>>>,
    /// The last profiler that wrote a chunk.
    profiler: Writer,
}

impl Profiles {
    /// `spans` are the start and end times of the chunks in nanoseconds.
    pub(crate) fn new(wanted: &[GroupBy], spans: &[(i64, i64)], interner: &Interner) -> Self {
        let spans: Vec<(usize, i64, i64)> = spans.iter().map(|(from, to)| (0, *from, *to)).collect();
        let group_of = overlapping(&spans);
        let mut open: BTreeMap<usize, usize> = BTreeMap::new();
        for group in &group_of {
            *open.entry(*group).or_default() += 1;
        }
        Self {
            places: wanted.iter().map(|by| by.keys.position(PROFILE)).collect(),
            wanted: wanted.to_vec(),
            names: ProfileType::ALL.iter().map(|kind| (*kind, interner.symbols().string(kind.name()))).collect(),
            group_of,
            open,
            waiting: BTreeMap::new(),
            profiler: Writer::default(),
        }
    }

    /// Assigns the events of a chunk to profiles. CPU samples are removed from its groups, with their stacks
    /// converted by `stack`, until the chunk is [finished](Self::finish_chunk). Events that do not count are dropped.
    pub(crate) fn assign_profiles(
        &mut self,
        chunk: &ChunkView,
        groups: &mut [GroupsData],
        interner: &Interner,
        stack: impl Fn(StackId) -> Cell,
    ) {
        let mut writer = chunk.writer.clone();
        if !writer.by_jvm {
            if !writer.has_settings {
                writer.event.clone_from(&self.profiler.event);
                writer.is_async_profiler |= self.profiler.is_async_profiler;
            }
            self.profiler = writer.clone();
        }
        let execution = Execution::of(writer.is_async_profiler, chunk.has_default_state, writer.event.as_deref());
        let routes = Routes::new(execution, &chunk.counts);
        let mut known: HashMap<Cell, Option<Target>> = HashMap::default();
        let mut target = |key: Cell| {
            *known.entry(key).or_insert_with(|| {
                let (source, text) = decode(key)?;
                let text = || text.map(|id| interner.symbols().str(id).to_owned());
                // Exceptions are counted by separate rules that check the class.
                routes.target(source.source().route, text, || true)
            })
        };
        let number = at(&self.group_of, chunk.index).copied().unwrap_or(chunk.index);
        let wanted = &self.wanted;
        let fresh = || wanted.iter().map(|by| GroupsData::new(by.clone())).collect::<Vec<_>>();
        let waiting = self.waiting.entry(number).or_default();
        for source in CpuSource::ALL.into_iter().filter(|source| chunk.has(|route| route == Route::Cpu(*source))) {
            waiting.entry(source).or_insert_with(fresh);
        }
        for (i, group) in groups.iter_mut().enumerate() {
            let Some(place) = at(&self.places, i).copied().flatten() else { continue };
            let empty = GroupsData::new(group.by.clone());
            let from = std::mem::replace(group, empty);
            for j in 0..from.len() {
                let (mut keys, bucket) = from.key(j);
                let Some(of) = at_mut(&mut keys, place) else { continue };
                let Some(target) = target(*of) else { continue };
                *of = self.names.get(&target.kind()).map_or(Cell::Null, |name| Cell::Text(*name));
                let Target::Cpu(source) = target else {
                    group.take_group(&(keys, bucket), &from, j);
                    continue;
                };
                for cell in &mut keys {
                    if let Cell::Stack(id) = *cell {
                        *cell = stack(id);
                    }
                }
                if let Some(group) = at_mut(waiting.entry(source).or_insert_with(fresh), i) {
                    group.take_group(&(keys, bucket), &from, j);
                }
            }
            from.others.into_iter().for_each(|sums| group.merge_others(sums));
        }
    }

    /// Finishes chunk `index`, whether it could be read or not. If it was the last one of its overlapping
    /// group, the CPU samples of the group are added.
    pub(crate) fn finish_chunk(&mut self, index: usize, to: &mut [GroupsData]) {
        let number = at(&self.group_of, index).copied().unwrap_or(index);
        if let Some(open) = self.open.get_mut(&number) {
            *open = open.saturating_sub(1);
            if *open > 0 {
                // A crafted file could make all chunks wait for the last one.
                while self.waiting.len() > WAITING {
                    choose(self.waiting.pop_first().map(|(_, sources)| sources), to);
                }
                return;
            }
        }
        choose(self.waiting.remove(&number), to);
    }
}

/// If several sources observed the same work, the best one counts.
fn choose(sources: Option<BTreeMap<CpuSource, Vec<GroupsData>>>, to: &mut [GroupsData]) {
    let best = sources.and_then(|sources| sources.into_iter().next());
    for (mine, theirs) in to.iter_mut().zip(best.into_iter().flat_map(|(_, groups)| groups)) {
        mine.append(theirs, |key| key);
    }
}

#[cfg(test)]
mod tests;
