//! What all chunks share while profiles are collected.

use jfr_parse::{Chunk, Clock};
use jfrkit_profile::index::at;

use super::inherited::InheritedSettings;
use super::options::Options;
use crate::account::Account;
use crate::engine::bounds::Bounds;
use crate::engine::driver::Task;
use crate::engine::stacks::Shared;
use crate::time_range::TimeRange;

/// The state shared by all chunks: the consumer that builds profiles.
#[derive(Debug)]
pub(crate) struct Context<'o> {
    pub(super) options: &'o Options,
    pub(super) shared: &'o Shared,
    pub(super) account: &'o Account,
    /// All chunks.
    pub(super) chunks: &'o [Task<'o>],
    /// What durations are cut to, by chunk index.
    bounds: Vec<Bounds>,
    pub(super) inherited: InheritedSettings,
}

impl<'o> Context<'o> {
    pub(crate) fn new(options: &'o Options, shared: &'o Shared, account: &'o Account, chunks: &'o [Task<'o>]) -> Self {
        let mut bounds: Vec<Bounds> = Vec::with_capacity(chunks.len());
        let mut before: Option<&Task<'_>> = None;
        for task in chunks {
            let known = before.replace(task).filter(|before| std::ptr::eq(before.recording, task.recording));
            let of = match known.and(bounds.last()) {
                Some(bounds) => *bounds,
                // An event counts with its full duration in the range in which it begins.
                None => Bounds::of(task.recording.headers().map(|(_, header)| header))
                    .within(TimeRange { from: None, ..options.filter.range }),
            };
            bounds.push(of);
        }
        Self { options, shared, account, chunks, bounds, inherited: InheritedSettings::default() }
    }

    /// The clock used for durations in a chunk. A duration is the difference between two times rounded to nanoseconds, so it may
    /// vary by a nanosecond with the start of the clock. Like the JDK's parser, use the clock of the recording's first chunk.
    pub(super) fn lengths(&self, index: usize, chunk: &Chunk<'_>) -> Clock {
        let header = chunk.header();
        let first = at(self.chunks, index).and_then(|task| task.recording.headers().next());
        let first = first.map(|(_, first)| first).filter(|first| first.ticks_per_second == header.ticks_per_second);
        first.map_or(chunk.clock(), |first| Clock::new(first.start_nanos, first.start_ticks, first.ticks_per_second))
    }

    /// What durations are cut to in a chunk.
    pub(super) fn bounds(&self, index: usize) -> Bounds {
        at(&self.bounds, index).copied().unwrap_or_default()
    }
}
