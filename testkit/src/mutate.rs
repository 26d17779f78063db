//! Damage that usually preserves the framing, so that the code behind it is reached.
//!
//! `framing.rs` changes chunks, headers and the order of events, `types.rs` the metadata, `values.rs` events
//! and constants, `pprof.rs` pprof files. Taking a recording apart and putting it together again belongs in
//! `image.rs`, `parts.rs` and `tree.rs` next to this folder; what must hold afterward belongs in `checks`.
//! Start with [`mutant`].

mod framing;
mod pprof;
mod types;
mod values;

use jfr_parse::{CHECKPOINT, METADATA, Metadata, TypeId};

use crate::image::{ChunkImage, EventImage, Image};
use crate::random::Random;

pub use pprof::mutant_of_pprof;

/// A damaged copy of a recording, or of any other bytes.
#[must_use]
pub fn mutant(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut image = Image::parse(bytes);
    mutate(&mut image, random);
    let mut out = image.write();
    if random.chance(8) {
        framing::noise(&mut out, random);
    }
    out
}

/// A damaged copy of the payload of a metadata event, or of any other bytes.
#[must_use]
pub fn mutant_of_metadata(payload: &[u8], random: &mut Random) -> Vec<u8> {
    changed(payload, random, |payload, random| types::change(payload, None, random))
}

/// A damaged copy of the payload of a checkpoint with constants of these types, or of any other bytes.
#[must_use]
pub fn mutant_of_checkpoint(payload: &[u8], of: &Metadata, random: &mut Random) -> Vec<u8> {
    changed(payload, random, |payload, random| values::change(&EventImage::new(CHECKPOINT, payload), of, random))
}

/// Makes one to four changes; if `change` cannot make one, adds noise.
fn changed(payload: &[u8], random: &mut Random, change: impl Fn(&[u8], &mut Random) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut out = payload.to_vec();
    for _ in 0..1 + random.below(4) {
        match change(&out, random).filter(|_| !random.chance(10)) {
            Some(changed) => out = changed,
            None => framing::noise(&mut out, random),
        }
    }
    out
}

/// Makes one to four changes to a recording.
pub fn mutate(image: &mut Image<'_>, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        if image.chunks.is_empty() {
            return;
        }
        if random.chance(4) {
            framing::chunks(image, random);
        } else {
            let chunk = random.below(image.chunks.len());
            damage(&mut image.chunks[chunk], random);
        }
    }
}

/// Makes one to four changes to a chunk, keeping its magic number and size correct so that its neighbors are
/// found.
pub fn mutate_chunk(chunk: &mut ChunkImage<'_>, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        damage(chunk, random);
    }
}

fn damage(chunk: &mut ChunkImage<'_>, random: &mut Random) {
    chunk.changed = true;
    match random.below(100) {
        0..40 => inside(chunk, CHECKPOINT, random),
        40..65 => inside(chunk, TypeId(u64::MAX), random),
        65..82 => inside(chunk, METADATA, random),
        82..90 => framing::events(chunk, random),
        90..95 => framing::header(chunk, random),
        _ => {
            if let Some(i) = some(&chunk.events, random, |_| true) {
                let event = &mut chunk.events[i];
                framing::noise(event.body.to_mut(), random);
            }
        }
    }
}

/// Changes a checkpoint, the metadata, or (with any other id) an event.
fn inside(chunk: &mut ChunkImage<'_>, type_id: TypeId, random: &mut Random) {
    let is = |e: &EventImage<'_>| match e.type_id() {
        id @ (CHECKPOINT | METADATA) => id == type_id,
        _ => type_id != CHECKPOINT && type_id != METADATA,
    };
    let Some(i) = some(&chunk.events, random, is) else { return };
    let types = chunk.types.clone();
    let event = &chunk.events[i];
    let payload = if type_id == METADATA {
        // Most types have no events, so one that is used is changed more often.
        let used = some(&chunk.events, random, |e| e.type_id() != METADATA && e.type_id() != CHECKPOINT);
        let used = used.map(|i| chunk.events[i].type_id()).filter(|_| random.chance(50));
        types::change(event.payload(), used, random)
    } else {
        types.and_then(|types| values::change(event, &types, random))
    };
    match payload {
        Some(payload) => chunk.events[i].set_payload(&payload),
        None => framing::noise(chunk.events[i].body.to_mut(), random),
    }
}

/// One of the events for which `is` returns true.
fn some(events: &[EventImage<'_>], random: &mut Random, is: impl Fn(&EventImage<'_>) -> bool) -> Option<usize> {
    // Random picks do not find a few among many.
    for _ in 0..4 {
        let i = random.below(events.len());
        if events.get(i).is_some_and(&is) {
            return Some(i);
        }
    }
    let all: Vec<usize> = (0..events.len()).filter(|&i| is(&events[i])).collect();
    (!all.is_empty()).then(|| *random.pick(&all))
}
