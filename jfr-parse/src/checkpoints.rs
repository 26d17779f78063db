//! Finds the checkpoints and the metadata of a chunk: by following the chain that starts in the
//! header or, if the chain is broken, by walking all events.

use crate::cursor::Cursor;
use crate::error::Result;
use crate::event::{CHECKPOINT, METADATA, event_at};
use crate::header::{ChunkHeader, HEADER_SIZE, MAGIC};
use crate::stop::Stop;
use crate::work;

/// Offsets of the checkpoints in chain order, newest first. `None` if the chain is broken: it
/// leaves the chunk, reaches something that is not a checkpoint, or is circular.
pub(crate) fn follow_chain(chunk: &[u8], newest: u64) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    let mut at = usize::try_from(newest).ok()?;
    let mut descending = true;
    let mut seen = hashbrown::HashSet::<usize, foldhash::fast::RandomState>::default();
    loop {
        if at < HEADER_SIZE {
            return None;
        }
        let event = event_at(chunk, at).filter(|e| e.type_id == CHECKPOINT)?;
        work::done(1);
        // A chain that only goes backward cannot loop; only one that turns around has to be
        // checked.
        if descending && found.last().is_some_and(|&last| at >= last) {
            descending = false;
            seen.extend(found.iter().copied());
        }
        if !descending && !seen.insert(at) {
            return None;
        }
        found.push(at);
        let mut fields = Cursor::new(event.payload);
        fields.skip_varints(2).ok()?;
        let delta = isize::try_from(fields.varint().ok()?.cast_signed()).ok()?;
        if delta == 0 {
            return Some(found);
        }
        at = at.checked_add_signed(delta)?;
    }
}

/// What a walk over all events of a chunk found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Offsets of the checkpoints, ascending.
    pub(crate) checkpoints: Vec<usize>,
    /// Offsets of the metadata events, ascending.
    pub(crate) metadata: Vec<usize>,
    /// Where the last whole event ends.
    pub(crate) end: usize,
}

/// Number of events to walk before checking the stop flag again.
const STOP_EVERY: usize = 1 << 16;

/// Walks from the header to where the framing ends: the end of the bytes, an impossible size, or
/// the header of another chunk.
///
/// # Errors
/// [`Error::Stopped`](crate::Error::Stopped).
pub(crate) fn survey(bytes: &[u8], stop: &Stop) -> Result<Survey> {
    let mut found = Survey { end: HEADER_SIZE.min(bytes.len()), ..Survey::default() };
    let mut events = 0usize;
    while let Some(event) = event_at(bytes, found.end) {
        work::done(1);
        events = events.wrapping_add(1);
        if events.is_multiple_of(STOP_EVERY) {
            stop.check()?;
        }
        let next_chunk = bytes.get(found.end..).filter(|rest| rest.starts_with(&MAGIC));
        if next_chunk.is_some_and(|rest| ChunkHeader::read(rest, 0).is_ok_and(|h| h.plausible())) {
            break;
        }
        match event.type_id {
            CHECKPOINT => found.checkpoints.push(found.end),
            METADATA => found.metadata.push(found.end),
            _ => {}
        }
        found.end += event.size;
    }
    Ok(found)
}
