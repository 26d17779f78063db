//! Settings that a chunk takes over from an earlier one.
//!
//! async-profiler and Datadog's profiler write their settings into the first chunk of a recording only. The JVM
//! repeats them in each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jfr_parse::Chunk;

use super::chunk::Context;
use super::execution::by_jvm;
use super::facts::{FactKind, Facts};
use super::plans::{Act, Plans};
use crate::engine::driver::Task;

/// What chunks say about settings, their own or taken over, by number of the chunk.
#[derive(Debug, Default)]
pub(super) struct Settled {
    known: Mutex<BTreeMap<usize, Arc<Earlier>>>,
}

#[derive(Debug)]
struct Earlier {
    facts: Facts,
    /// Everything before this chunk is taken over already.
    complete: bool,
}

/// As many are kept as threads can be apart, and more.
const KEPT: usize = 256;
/// How far back settings are looked for. Chunks of a JVM may stand between.
const BACK: usize = 64;

impl Settled {
    fn get(&self, index: usize) -> Option<Arc<Earlier>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&index).cloned()
    }

    fn put(&self, index: usize, facts: &Facts, complete: bool) -> Arc<Earlier> {
        let mut kept = Facts::default();
        kept.inherit(facts);
        let earlier = Arc::new(Earlier { facts: kept, complete });
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(index, earlier.clone());
        if known.len() > KEPT {
            known.pop_first();
        }
        earlier
    }
}

impl Context<'_> {
    /// Completes the facts of a chunk by those of the one before it that the same writer made.
    pub(super) fn settle(&self, index: usize, chunk: &Chunk<'_>, facts: &mut Facts) {
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
        self.settled.put(index, facts, true);
    }

    /// What chunk `before` says, if it belongs to the recording of chunk `index`.
    fn earlier(&self, index: usize, before: usize) -> Option<Arc<Earlier>> {
        if let Some(known) = self.settled.get(before) {
            return Some(known);
        }
        let (mine, Task { recording, number }) = (self.chunks.get(index)?, *self.chunks.get(before)?);
        if !std::ptr::eq(mine.recording, recording) {
            return None;
        }
        // Another thread is still at it: this much is quickly read.
        let mut facts = Facts::default();
        if let Ok(chunk) = recording.chunk(number)
            && !by_jvm(&chunk)
            && let Ok(plans) = Plans::new(&chunk, self.options)
        {
            let fact = |event: jfr_parse::RawEvent<'_>| match plans.acts.get(event.type_id) {
                Some(Act::Fact(kind)) if kind != FactKind::Endpoint => Some(kind),
                _ => None,
            };
            let events: Vec<_> = chunk.events().filter_map(|event| Some((fact(event)?, event.offset))).collect();
            facts = Facts::gather(&chunk, &plans, chunk.pools(), &events, self.options);
        }
        Some(self.settled.put(before, &facts, false))
    }
}
