//! Joining what the chunks yield, in the order of the file.

use std::collections::BTreeMap;

use jfr_parse::Recording;

use super::chunk::{ChunkFacts, Context, Gathered};
use super::profiles::{ChunkView, Profiles, Writer};
use crate::analysis::cell::Cell;
use crate::analysis::facts::{EventFacts, Facts, GroupsData, Lazy, TableData};
use crate::analysis::options::AnalysisOptions;

/// Warnings that are kept.
const MAX_WARNINGS: usize = 100;

/// What the chunks joined so far yield.
pub(super) struct Joined {
    next: usize,
    waiting: BTreeMap<usize, Option<ChunkFacts>>,
    events: BTreeMap<String, EventFacts>,
    tables: Vec<TableData>,
    groups: Vec<GroupsData>,
    profiles: Profiles,
    warnings: Vec<String>,
    types: BTreeMap<i64, String>,
}

impl Joined {
    pub(super) fn new(recording: &Recording<'_>, context: &Context<'_>) -> Self {
        let Gathered { tables, groups } = Gathered::new(context.wanted);
        let profiles = Profiles::new(&context.wanted.groups, &spans(recording), &context.shared.interner);
        Self {
            next: 0,
            waiting: BTreeMap::new(),
            events: BTreeMap::new(),
            tables,
            groups,
            profiles,
            warnings: Vec::new(),
            types: BTreeMap::new(),
        }
    }

    /// Takes what chunk `index` yields, and joins what is next.
    pub(super) fn take(
        &mut self,
        context: &Context<'_>,
        index: usize,
        facts: Option<ChunkFacts>,
        warning: Option<String>,
    ) {
        self.warn(warning);
        self.waiting.insert(index, facts);
        while let Some(facts) = self.waiting.remove(&self.next) {
            let index = self.next;
            self.next += 1;
            match facts {
                Some(facts) => self.join(context, index, facts),
                None => self.profiles.done(index, &mut self.groups),
            }
        }
    }

    fn join(&mut self, context: &Context<'_>, index: usize, facts: ChunkFacts) {
        let Gathered { tables, groups } = facts.gathered;
        let map = |cell: Cell| match cell {
            Cell::Stack(id) => facts.stacks.get(id.index()).copied().unwrap_or_default(),
            cell => cell,
        };
        let interner = &context.shared.interner;
        let writer = Writer::of(facts.by_jvm, &tables, context.wanted, interner);
        let count = |event: &str| facts.events.iter().find(|(name, _)| name == event).map_or(0, |(_, e)| e.count);
        let chunk = ChunkView { index, writer, has_default_state: facts.has_default_state, count: &count };
        self.profiles.join(chunk, groups, &mut self.groups, interner, map);
        for (mine, theirs) in self.tables.iter_mut().zip(tables) {
            mine.append(theirs, map);
        }
        for (name, event) in facts.events {
            self.events.entry(name).or_default().merge(&event);
        }
        self.types.extend(facts.types.into_iter().map(|(id, name)| (id.cast_signed(), name)));
        self.warn(facts.warnings);
    }

    fn warn(&mut self, warnings: impl IntoIterator<Item = String>) {
        let room = MAX_WARNINGS.saturating_sub(self.warnings.len());
        self.warnings.extend(warnings.into_iter().take(room));
    }

    pub(super) fn finish(
        mut self,
        recording: &Recording<'_>,
        context: Context<'_>,
        options: &AnalysisOptions,
    ) -> Facts {
        self.warn(recording.losses().iter().map(ToString::to_string));
        let wanted = context.wanted;
        let mut tables: BTreeMap<&'static str, TableData> =
            wanted.tables.keys().copied().zip(self.tables).collect();
        let mut notes = Vec::new();
        for (event, table) in &mut tables {
            table.sort();
            if table.seen > table.times.len() as u64 {
                notes.push(format!(
                    "of {} {event} events the first {} are looked at one by one",
                    table.seen,
                    table.times.len()
                ));
            }
        }
        for groups in &self.groups {
            if let Some(others) = &groups.others {
                let (events, kept) = (groups.by.events.join(", "), groups.keys.len());
                notes.push(format!(
                    "of {events}, {} events beyond the first {kept} groups are not told apart",
                    others.count
                ));
            }
        }
        let range = spans(recording).into_iter().fold((i64::MAX, i64::MIN), |all, one| (all.0.min(one.0), all.1.max(one.1)));
        let mut facts = Facts {
            names: context.shared.interner.freeze(),
            threads: context.threads.into_list(),
            events: self.events,
            tables,
            groups: self.groups,
            methods: wanted.methods.clone(),
            chunks: recording.chunk_count(),
            first_types: self.types,
            header_range: if range.0 <= range.1 { range } else { (0, 0) },
            warnings: self.warnings,
            notes,
            empty: TableData::default(),
            availability: options.availability,
            lazy: Lazy::default(),
        };
        facts.count_switches();
        facts
    }
}

/// When each chunk begins and ends, by its header.
fn spans(recording: &Recording<'_>) -> Vec<(i64, i64)> {
    recording.headers().map(|(_, h)| (h.start_nanos, h.start_nanos.saturating_add(h.duration_nanos.max(0)))).collect()
}
