//! Joining what the chunks yield, in the order of the file.

use std::collections::BTreeMap;

use jfr_parse::Recording;

use super::chunk::{ChunkFacts, Context, Gathered};
use super::wanted::Wanted;
use crate::analysis::facts::{EventFacts, Facts, Lazy, TableData};
use crate::analysis::options::AnalysisOptions;

/// Warnings that are kept.
const MAX_WARNINGS: usize = 100;

/// What the chunks joined so far yield.
pub(super) struct Joined {
    next: usize,
    waiting: BTreeMap<usize, Option<ChunkFacts>>,
    events: BTreeMap<String, EventFacts>,
    gathered: Gathered,
    warnings: Vec<String>,
    shape: Option<String>,
}

impl Joined {
    pub(super) fn new(wanted: &Wanted) -> Self {
        Self {
            next: 0,
            waiting: BTreeMap::new(),
            events: BTreeMap::new(),
            gathered: Gathered::new(wanted),
            warnings: Vec::new(),
            shape: None,
        }
    }

    /// Takes what chunk `index` yields, and joins what is next.
    pub(super) fn take(&mut self, index: usize, facts: Option<ChunkFacts>, warning: Option<String>) {
        self.warn(warning);
        self.waiting.insert(index, facts);
        while let Some(facts) = self.waiting.remove(&self.next) {
            self.next += 1;
            let Some(facts) = facts else { continue };
            for (name, event) in facts.events {
                match self.events.get_mut(&*name) {
                    Some(known) => known.merge(&event),
                    None => {
                        self.events.insert(name.as_ref().to_owned(), event);
                    }
                }
            }
            self.shape = self.shape.take().or(facts.shape);
            self.gathered.append(facts.gathered, |id| facts.stacks.get(id.index()).copied().unwrap_or_default());
            self.warn(facts.warnings);
        }
    }

    fn warn(&mut self, warnings: impl IntoIterator<Item = String>) {
        let room = MAX_WARNINGS.saturating_sub(self.warnings.len());
        self.warnings.extend(warnings.into_iter().take(room));
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.gathered.bytes()
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
            wanted.tables.keys().copied().zip(self.gathered.tables).collect();
        let mut notes = Vec::new();
        for (event, table) in &mut tables {
            table.sort();
            if table.seen > table.len() as u64 {
                notes.push(format!(
                    "of {} {event} events the first {} are looked at one by one",
                    table.seen,
                    table.len()
                ));
            }
        }
        for groups in &self.gathered.groups {
            if let Some(others) = &groups.others {
                let (events, kept) = (groups.by.events.join(", "), groups.keys.len());
                notes.push(format!(
                    "of {events}, {} events beyond the first {kept} groups are not told apart",
                    others.count
                ));
            }
        }
        let ends =
            recording.headers().map(|(_, h)| (h.start_nanos, h.start_nanos.saturating_add(h.duration_nanos.max(0))));
        let range = ends.fold((i64::MAX, i64::MIN), |all, one| (all.0.min(one.0), all.1.max(one.1)));
        let mut facts = Facts {
            names: context.shared.interner.freeze(),
            threads: context.threads.into_list(),
            events: self.events,
            tables,
            groups: self.gathered.groups,
            chunks: recording.chunk_count(),
            first_shape: self.shape,
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
