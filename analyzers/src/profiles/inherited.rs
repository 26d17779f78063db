//! Settings that a chunk inherits from an earlier one.
//!
//! async-profiler and Datadog's profiler write their settings only into the first chunk of a recording. The JVM
//! repeats them in each chunk.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use jfr_parse::Chunk;

use super::context::Context;
use super::execution::by_jvm;
use super::facts::{FactKind, Facts};
use super::plans::{EventRole, Plans};
use crate::engine::driver::Task;
use jfrkit_profile::index::at;

/// The settings of chunks, their own or inherited, by chunk number.
#[derive(Debug, Default)]
pub(super) struct InheritedSettings {
    by_chunk: Mutex<BTreeMap<usize, Arc<Earlier>>>,
}

#[derive(Debug)]
struct Earlier {
    facts: Facts,
    /// Whether everything before this chunk has been inherited.
    complete: bool,
}

/// Number of chunks to keep: more than threads can be apart.
const KEPT: usize = 256;
/// How many chunks back to look for settings. Chunks of a JVM may be in between.
const BACK: usize = 64;

impl InheritedSettings {
    fn get(&self, index: usize) -> Option<Arc<Earlier>> {
        self.by_chunk.lock().get(&index).cloned()
    }

    fn put(&self, index: usize, facts: &Facts, complete: bool) -> Arc<Earlier> {
        let mut kept = Facts::default();
        kept.inherit(facts);
        let earlier = Arc::new(Earlier { facts: kept, complete });
        let mut by_chunk = self.by_chunk.lock();
        by_chunk.insert(index, earlier.clone());
        if by_chunk.len() > KEPT {
            by_chunk.pop_first();
        }
        earlier
    }
}

impl Context<'_> {
    /// Completes the facts of a chunk with those of the previous chunk of the same writer.
    pub(super) fn inherit_settings(&self, index: usize, chunk: &Chunk<'_>, facts: &mut Facts) {
        if by_jvm(chunk) {
            return;
        }
        if !facts.has_settings() {
            for before in (0..index).rev().take(BACK) {
                let Some(earlier) = self.earlier(index, before) else { break };
                facts.inherit(&earlier.facts);
                if facts.has_settings() || earlier.complete {
                    break;
                }
            }
        }
        self.inherited.put(index, facts, true);
    }

    /// The settings of chunk `before`, if it belongs to the same recording as chunk `index`.
    fn earlier(&self, index: usize, before: usize) -> Option<Arc<Earlier>> {
        if let Some(known) = self.inherited.get(before) {
            return Some(known);
        }
        let (mine, Task { recording, number }) = (at(self.chunks, index)?, *at(self.chunks, before)?);
        if !std::ptr::eq(mine.recording, recording) {
            return None;
        }
        // Another thread is still working on it: this much can be read quickly.
        let mut facts = Facts::default();
        if let Ok(chunk) = recording.chunk(number)
            && !by_jvm(&chunk)
            && let Ok(plans) = Plans::new(&chunk, self.options)
        {
            let fact = |event: jfr_parse::RawEvent<'_>| match plans.roles.get(event.type_id) {
                Some(EventRole::Fact(kind)) if kind != FactKind::Endpoint => Some(kind),
                _ => None,
            };
            let events: Vec<_> = chunk.events().filter_map(|event| Some((fact(event)?, event.offset))).collect();
            facts = Facts::gather(&chunk, chunk.pools(), &events, self.options);
        }
        Some(self.inherited.put(before, &facts, false))
    }
}
