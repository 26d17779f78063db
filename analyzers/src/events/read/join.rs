//! Joins the results of chunks in file order.

use std::collections::BTreeMap;
use std::sync::Arc;

use jfr_parse::{Error, Recording, Stop};

use super::chunk::{ChunkFacts, Context, Gathered};
use super::profiles::{ChunkView, Profiles};
use super::wanted::Wanted;
use crate::account::Account;
use crate::engine::bounds;
use crate::events::facts::{EventFacts, Facts, Lazy, TableData, ThreadInfo};
use crate::math::Window;
use crate::rule::Text;
use crate::summary::gaps_of;
use crate::time_range::{TimeRange, span};
use jfrkit_profile::{StackId, Tables};

/// Maximum number of warnings to keep.
const MAX_WARNINGS: usize = 100;

/// The joined results of the chunks so far.
pub(crate) struct Joined {
    events: BTreeMap<String, EventFacts>,
    gathered: Gathered,
    profiles: Profiles,
    warnings: Vec<String>,
    shape: Option<String>,
    odd_durations: u64,
    unread_chunks: usize,
    /// The time range to which the analysis is limited.
    range: TimeRange,
}

impl Joined {
    pub(crate) fn new(recording: &Recording<'_>, context: &Context<'_>) -> Self {
        let wanted = context.wanted;
        let profiles = Profiles::new(&wanted.groups, &spans(recording), &context.shared.interner);
        Self {
            events: BTreeMap::new(),
            gathered: Gathered::new(wanted),
            profiles,
            warnings: Vec::new(),
            shape: None,
            odd_durations: 0,
            unread_chunks: 0,
            range: context.options.range,
        }
    }

    /// Adds the result of chunk `index`, or the reason why it cannot be read. Call it in file order.
    pub(crate) fn take_result(
        &mut self,
        context: &Context<'_>,
        account: &Account,
        index: usize,
        result: std::result::Result<ChunkFacts, &Error>,
    ) {
        let warning = result.as_ref().err().map(|error| format!("chunk {index} cannot be read: {error}"));
        self.take(context, index, result.ok(), warning);
        account.keep(self.bytes());
    }

    /// Adds the result of chunk `index`. Call it in file order.
    pub(crate) fn take(
        &mut self,
        context: &Context<'_>,
        index: usize,
        facts: Option<ChunkFacts>,
        warning: Option<String>,
    ) {
        self.warn(warning);
        let Some(mut facts) = facts else {
            self.unread_chunks = self.unread_chunks.saturating_add(1);
            self.profiles.finish_chunk(index, &mut self.gathered.groups);
            return;
        };
        let stack = |id: StackId| facts.stacks[id];
        let chunk = ChunkView::of(index, &facts, context.wanted, &context.shared.interner);
        self.profiles.assign_profiles(&chunk, &mut facts.gathered.groups, &context.shared.interner, stack);
        for (name, event) in facts.events {
            match self.events.get_mut(&*name) {
                Some(known) => known.merge(&event),
                None => {
                    self.events.insert(name.as_ref().to_owned(), event);
                }
            }
        }
        self.shape = self.shape.take().or(facts.shape);
        self.gathered.append(facts.gathered, stack);
        self.profiles.finish_chunk(index, &mut self.gathered.groups);
        self.odd_durations = self.odd_durations.saturating_add(facts.odd_durations);
        self.warn(facts.warnings);
    }

    fn warn(&mut self, warnings: impl IntoIterator<Item = String>) {
        let room = MAX_WARNINGS.saturating_sub(self.warnings.len());
        self.warnings.extend(warnings.into_iter().take(room));
    }

    /// Approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.gathered.bytes()
    }

    pub(crate) fn finish(
        mut self,
        recording: &Recording<'_>,
        stop: &Stop,
        wanted: &Wanted,
        threads: Vec<ThreadInfo>,
        names: Arc<Tables>,
    ) -> Facts {
        self.warn(recording.losses().iter().map(ToString::to_string));
        self.warn(bounds::warning(self.odd_durations));
        let mut tables: BTreeMap<Text, TableData> = wanted.tables.keys().cloned().zip(self.gathered.tables).collect();
        let mut notes = Vec::new();
        for (event, table) in &mut tables {
            table.sort();
            if table.seen > table.len() as u64 {
                notes.push(format!(
                    "of {} {event} events, only the first {} are examined individually",
                    table.seen,
                    table.len()
                ));
            }
        }
        for groups in &self.gathered.groups {
            if let Some(others) = &groups.others {
                let (events, kept) = (groups.by.events.join(", "), groups.len());
                notes.push(format!(
                    "{} {events} events beyond the first {kept} groups are counted as one group",
                    others.count
                ));
            }
        }
        let (start, end) = span(&[recording]);
        let gaps = gaps_of(recording).into_iter().map(|(from, to)| Window { from: from.0, to: to.0 }).collect();
        let mut facts = Facts {
            names,
            threads,
            events: self.events,
            tables,
            groups: self.gathered.groups,
            methods: wanted.methods.clone(),
            chunks: recording.chunk_count(),
            unread_chunks: self.unread_chunks,
            first_shape: self.shape,
            header_range: (start.0, end.0),
            range: self.range,
            warnings: self.warnings,
            notes,
            gaps,
            empty: TableData::default(),
            stops: [stop.clone(), recording.stop().clone()],
            lazy: Lazy::default(),
        };
        facts.count_switches();
        facts.notes.extend(facts.describe_jvms());
        facts
    }
}

/// Start and end of each chunk according to its header.
fn spans(recording: &Recording<'_>) -> Vec<(i64, i64)> {
    recording.headers().map(|(_, h)| (h.start_nanos.0, h.end_nanos().0)).collect()
}
