//! Splits a recording into chunks and events, and reassembles it with consistent sizes and offsets.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use jfr_parse::engine::push_varint;
use jfr_parse::testing::padded_varint;
use jfr_parse::{CHECKPOINT, ChunkHeader, Cursor, HEADER_SIZE, Limits, MAGIC, METADATA, Metadata, TypeId};

/// A recording that can be modified and written. Unmodified parts are written unchanged.
#[derive(Debug, Clone)]
pub struct Image<'a> {
    /// The chunks, in file order.
    pub chunks: Vec<ChunkImage<'a>>,
    /// The remaining bytes, which do not begin a chunk.
    pub tail: &'a [u8],
}

/// A chunk.
#[derive(Debug, Clone)]
pub struct ChunkImage<'a> {
    /// The header bytes. The size and the offsets in it are updated when a modified chunk is written.
    pub header: [u8; HEADER_SIZE],
    /// The events, checkpoints and metadata.
    pub events: Vec<EventImage<'a>>,
    /// The remaining bytes, which are not an event.
    pub tail: &'a [u8],
    /// Whether it has to be reassembled.
    pub changed: bool,
    /// The types, as far as the metadata can be read.
    pub types: Option<Arc<Metadata>>,
    bytes: &'a [u8],
}

/// An event.
#[derive(Debug, Clone)]
pub struct EventImage<'a> {
    /// The original offset in its chunk. Offsets and links to it are updated to its new position.
    pub place: usize,
    /// Width of the size field in bytes.
    pub width: usize,
    /// Everything after the size: the type and the payload.
    pub body: Cow<'a, [u8]>,
}

impl<'a> EventImage<'a> {
    /// A new event without an original offset.
    #[must_use]
    pub fn new(type_id: TypeId, payload: &[u8]) -> Self {
        let mut body = Vec::new();
        push_varint(&mut body, type_id.0);
        body.extend_from_slice(payload);
        Self { place: usize::MAX, width: 1, body: body.into() }
    }

    /// The type id, and the start of the payload within the body.
    #[must_use]
    pub fn head(&self) -> (TypeId, usize) {
        let mut at = Cursor::new(&self.body);
        let id = TypeId(at.varint().unwrap_or(u64::MAX));
        (id, self.body.len() - at.left())
    }

    /// The type id.
    #[must_use]
    pub fn type_id(&self) -> TypeId {
        self.head().0
    }

    /// The encoded fields.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.body[self.head().1..]
    }

    /// Replaces the encoded fields.
    pub fn set_payload(&mut self, payload: &[u8]) {
        let head = self.head().1;
        let body = self.body.to_mut();
        body.truncate(head);
        body.extend_from_slice(payload);
    }

    /// The event at the beginning of `bytes`, and its size.
    fn parse(bytes: &'a [u8], place: usize) -> Option<(Self, usize)> {
        let mut at = Cursor::new(bytes);
        let size = usize::try_from(at.varint().ok()?).ok()?;
        let width = bytes.len() - at.left();
        at.varint().ok()?;
        if size < bytes.len() - at.left() {
            return None;
        }
        let body = bytes.get(width..size)?;
        Some((Self { place, width, body: Cow::Borrowed(body) }, size))
    }
}

impl<'a> Image<'a> {
    /// Splits arbitrary bytes as far as possible.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Self {
        let mut image = Self { chunks: Vec::new(), tail: bytes };
        while let Ok(header) = ChunkHeader::read(image.tail, 0) {
            let size = usize::try_from(header.chunk_size).unwrap_or(usize::MAX);
            let size = if (HEADER_SIZE..=image.tail.len()).contains(&size) { size } else { image.tail.len() };
            let (chunk, rest) = image.tail.split_at(size);
            image.chunks.push(ChunkImage::parse(chunk));
            image.tail = rest;
        }
        image
    }

    /// Reassembles the recording. If nothing was modified, the result is the original bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for chunk in &self.chunks {
            if chunk.changed { chunk.write(&mut out) } else { out.extend_from_slice(chunk.bytes) }
        }
        out.extend_from_slice(self.tail);
        out
    }
}

impl<'a> ChunkImage<'a> {
    fn parse(bytes: &'a [u8]) -> Self {
        let (mut events, mut at) = (Vec::new(), HEADER_SIZE.min(bytes.len()));
        while let Some((event, size)) = EventImage::parse(&bytes[at..], at) {
            if bytes[at..].starts_with(&MAGIC) {
                break;
            }
            events.push(event);
            at += size;
        }
        let mut header = [0; HEADER_SIZE];
        header.copy_from_slice(&bytes[..HEADER_SIZE]);
        let mut chunk = Self { header, events, tail: &bytes[at..], changed: false, types: None, bytes };
        let newest = chunk.position(24);
        let metadata = chunk.events.iter().filter(|e| e.type_id() == METADATA);
        let metadata = metadata.clone().find(|e| e.place == newest).or_else(|| metadata.clone().next_back());
        chunk.types = metadata.and_then(|e| Metadata::parse(e.payload(), 0, &Limits::intake()).ok()).map(Arc::new);
        chunk
    }

    /// The eight-byte number at `at` in the header.
    fn position(&self, at: usize) -> usize {
        let bytes = self.header[at..at + 8].try_into().unwrap_or_default();
        usize::try_from(u64::from_be_bytes(bytes)).unwrap_or(usize::MAX)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let base = out.len();
        // The original positions; if an event was copied, the first copy counts.
        let mut known = HashMap::new();
        for (i, event) in self.events.iter().enumerate() {
            known.entry(event.place).or_insert(i);
        }
        let links: Vec<Option<Link>> = self.events.iter().map(|e| Link::of(e, &known)).collect();
        let (mut starts, mut widths, mut at) = (Vec::new(), Vec::new(), HEADER_SIZE);
        for (event, link) in self.events.iter().zip(&links) {
            let body = event.body.len() + link.as_ref().map_or(0, |link| LINK_BYTES - link.bytes.len());
            // A size includes its own bytes.
            let width = (event.width..).find(|&w| (body + w) as u64 >> (7 * w).min(63) == 0).unwrap_or(9);
            starts.push(at);
            widths.push(width);
            at += width + body;
        }
        starts.push(at);
        out.extend(self.header);
        for (i, (event, link)) in self.events.iter().zip(&links).enumerate() {
            out.extend(padded_varint((starts[i + 1] - starts[i]) as u64, widths[i]));
            let Some(link) = link else {
                out.extend_from_slice(&event.body);
                continue;
            };
            out.extend_from_slice(&event.body[..link.bytes.start]);
            out.extend(long_varint((starts[link.target] as u64).wrapping_sub(starts[i] as u64)));
            out.extend_from_slice(&event.body[link.bytes.end..]);
        }
        out.extend_from_slice(self.tail);
        let size = (out.len() - base) as u64;
        out[base + 8..base + 16].copy_from_slice(&size.to_be_bytes());
        for field in [16, 24] {
            if let Some(&i) = known.get(&self.position(field)) {
                out[base + field..base + field + 8].copy_from_slice(&(starts[i] as u64).to_be_bytes());
            }
        }
    }
}

/// A link from a checkpoint to the previous one.
struct Link {
    /// Where the distance is stored in the body of the event.
    bytes: Range<usize>,
    /// The event that it points to.
    target: usize,
}

impl Link {
    /// The link of an event, if it is a checkpoint and points to an event.
    fn of(event: &EventImage<'_>, known: &HashMap<usize, usize>) -> Option<Self> {
        let mut at = Cursor::new(&event.body);
        if at.varint().ok()? != CHECKPOINT.0 {
            return None;
        }
        at.skip_varints(2).ok()?;
        let start = event.body.len() - at.left();
        let delta = at.varint().ok()?;
        if delta == 0 {
            return None;
        }
        let place = usize::try_from((event.place as u64).wrapping_add(delta)).ok()?;
        Some(Self { bytes: start..event.body.len() - at.left(), target: *known.get(&place)? })
    }
}

/// Encoded size of a distance between checkpoints: large enough for any value, so that the sizes do not depend
/// on it.
const LINK_BYTES: usize = 9;

fn long_varint(value: u64) -> [u8; LINK_BYTES] {
    let mut out = [0; LINK_BYTES];
    for (i, byte) in out.iter_mut().enumerate() {
        *byte = if i < 8 { (value >> (7 * i)) as u8 | 0x80 } else { (value >> 56) as u8 };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload, STRING};
    use jfr_parse::{ConstantKey, Recording};

    /// Two checkpoints around a few events, with the metadata at the end.
    fn chunk() -> Vec<u8> {
        let mut chunk = ChunkWriter::new();
        chunk.checkpoint(&[(STRING, vec![(1, Payload::new().utf8("one"))])]);
        for i in 0..5 {
            chunk.event(100, &Payload::new().varint(i));
        }
        chunk.checkpoint(&[(STRING, vec![(2, Payload::new().utf8("two"))])]);
        chunk.metadata(&[Class::event(100, "test.Tick").field(Field::new("startTime", LONG))]);
        chunk.finish()
    }

    #[test]
    fn unchanged_it_is_written_as_it_was() {
        let mut bytes = [chunk(), chunk()].concat();
        bytes.extend(b"stray");
        let image = Image::parse(&bytes);
        assert_eq!((image.chunks.len(), image.chunks[0].events.len(), image.tail), (2, 8, &b"stray"[..]));
        assert_eq!(image.write(), bytes);
    }

    #[test]
    fn sizes_offsets_and_links_follow_a_change() {
        let bytes = chunk();
        let mut image = Image::parse(&bytes);
        let chunk = &mut image.chunks[0];
        chunk.changed = true;
        chunk.events[3].body.to_mut().extend([0x55; 300]);
        chunk.events.remove(1);
        let written = image.write();
        let recording = Recording::from_bytes(&written, &Limits::default()).expect("a recording");
        assert!(recording.losses().is_empty());
        let chunk = recording.chunk(0).expect("a chunk");
        assert!(chunk.losses().is_empty(), "{:?}", chunk.losses());
        assert_eq!(chunk.checkpoints().count(), 2);
        assert_eq!(chunk.events().map(|e| e.payload.len()).collect::<Vec<_>>(), [1, 301, 1, 1]);
        assert!(
            chunk.pools().get(TypeId(STRING), ConstantKey(1)).is_some()
                && chunk.pools().get(TypeId(STRING), ConstantKey(2)).is_some()
        );
    }
}
