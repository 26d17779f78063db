//! Changes to the structure of a recording (chunks, headers, the order of events), and plain noise.

use jfr_parse::engine::push_varint;
use jfr_parse::{CHECKPOINT, TypeId};

use crate::image::{ChunkImage, EventImage, Image};
use crate::random::Random;

/// Maximum number of events in a chunk.
const MOST_EVENTS: usize = 100_000;

/// Repeats, drops or swaps chunks.
pub(super) fn chunks(image: &mut Image<'_>, random: &mut Random) {
    let n = image.chunks.len();
    let (i, j) = (random.below(n), random.below(n));
    match random.below(3) {
        0 if n < 8 => {
            let copy = image.chunks[i].clone();
            image.chunks.insert(j, copy);
        }
        1 if n > 1 => {
            image.chunks.remove(i);
        }
        _ => image.chunks.swap(i, j),
    }
}

/// Repeats, drops, swaps or retypes events, checkpoints and metadata, or pads their sizes.
pub(super) fn events(chunk: &mut ChunkImage<'_>, random: &mut Random) {
    let n = chunk.events.len();
    if n == 0 {
        return;
    }
    let (i, j) = (random.below(n), random.below(n));
    match random.below(6) {
        0 => {
            let copies = if random.chance(20) { 200 } else { 1 };
            let copy = chunk.events[i].clone();
            if n + copies <= MOST_EVENTS && copy.body.len() * copies <= 1 << 20 {
                chunk.events.splice(j..j, std::iter::repeat_n(copy, copies));
            }
        }
        1 => {
            chunk.events.remove(i);
        }
        2 => chunk.events.swap(i, j),
        3 => chunk.events[i].width = 1 + random.below(8),
        4 => {
            // Gives it the type of another event, or an undeclared type.
            let id = if random.chance(80) { chunk.events[j].type_id() } else { TypeId(random.number(j as u64)) };
            chunk.events[i].body = EventImage::new(id, chunk.events[i].payload()).body;
        }
        _ => link(chunk, random),
    }
}

/// Links a checkpoint to any other one, or to itself.
fn link(chunk: &mut ChunkImage<'_>, random: &mut Random) {
    let all: Vec<usize> = (0..chunk.events.len()).filter(|&i| chunk.events[i].type_id() == CHECKPOINT).collect();
    if all.is_empty() {
        return;
    }
    let (from, to) = (*random.pick(&all), *random.pick(&all));
    let target = chunk.events[to].place as u64;
    let event = &mut chunk.events[from];
    let mut at = jfr_parse::Cursor::new(event.payload());
    if at.skip_varints(2).is_err() {
        return;
    }
    let mut payload = event.payload()[..event.payload().len() - at.left()].to_vec();
    push_varint(&mut payload, target.wrapping_sub(event.place as u64));
    if at.varint().is_ok() {
        payload.extend_from_slice(at.rest());
        event.set_payload(&payload);
    }
}

/// Changes a field of the header. Sizes and offsets that were valid still point to the same place.
pub(super) fn header(chunk: &mut ChunkImage<'_>, random: &mut Random) {
    // Version, offsets, times, frequency, state, flags: (offset, bytes).
    const FIELDS: [(usize, usize); 10] =
        [(4, 2), (6, 2), (16, 8), (24, 8), (32, 8), (40, 8), (48, 8), (56, 8), (64, 1), (66, 2)];
    let &(at, bytes) = random.pick(&FIELDS);
    let field = &mut chunk.header[at..at + bytes];
    let mut wide = [0; 8];
    wide[8 - bytes..].copy_from_slice(field);
    let value = random.number(u64::from_be_bytes(wide)).to_be_bytes();
    field.copy_from_slice(&value[8 - bytes..]);
}

/// Changes some bytes, or truncates.
pub(super) fn noise(bytes: &mut Vec<u8>, random: &mut Random) {
    if bytes.is_empty() {
        return;
    }
    let at = random.below(bytes.len());
    let end = (at + 1 + random.below(12)).min(bytes.len());
    match random.below(7) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = *random.pick(&[0, 1, 0x7f, 0x80, 0xff]),
        2 => bytes[at..end].fill(0xff),
        3 => bytes[at..end].fill(0x80),
        4 => bytes[at..end].iter_mut().for_each(|byte| *byte = random.bits() as u8),
        5 => {
            let source = random.below(bytes.len() - (end - at) + 1);
            bytes.copy_within(source..source + (end - at), at);
        }
        _ => bytes.truncate(at),
    }
}
