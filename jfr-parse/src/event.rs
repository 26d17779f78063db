//! The framing shared by events, checkpoints and metadata.

use hashbrown::HashMap;

use crate::cursor::Cursor;
use crate::ids::{ChunkOffset, TypeId};
use crate::layout::{Budget, Layout};
use crate::limits::Limits;
use crate::metadata::Metadata;

/// The type id of metadata events.
pub const METADATA: TypeId = TypeId(0);
/// The type id of checkpoint events, which contain constants.
pub const CHECKPOINT: TypeId = TypeId(1);

/// An undecoded event, borrowed from its chunk.
#[derive(Debug, Clone, Copy)]
pub struct RawEvent<'a> {
    /// Where it begins.
    pub offset: ChunkOffset,
    /// Total size of the event in bytes, including its header.
    pub size: usize,
    /// The id of its type in this chunk's metadata.
    pub type_id: TypeId,
    /// The encoded fields, in the order given by the metadata.
    pub payload: &'a [u8],
    /// The payload and the rest of the chunk after it: reading near the end of a slice is slower.
    tail: &'a [u8],
}

impl<'a> RawEvent<'a> {
    /// Reads the fields selected by a plan for this event's type.
    ///
    /// # Errors
    /// [`Short`](crate::Short) if the event ends before the last selected field.
    #[inline]
    pub fn read<const N: usize>(&self, plan: &crate::Plan<N>) -> Result<crate::Row<'a, N>, crate::Short> {
        let mut row = crate::Row::default();
        self.read_into(plan, &mut row)?;
        Ok(row)
    }

    /// Like [`read`](Self::read), but reuses one row for all events of a type.
    ///
    /// # Errors
    /// Same as [`read`](Self::read).
    #[inline]
    pub fn read_into<const N: usize>(
        &self,
        plan: &crate::Plan<N>,
        row: &mut crate::Row<'a, N>,
    ) -> Result<(), crate::Short> {
        let mut at = Cursor::new(self.tail);
        plan.read_into(&mut at, row)?;
        if self.tail.len() - at.left() > self.payload.len() { Err(crate::Short) } else { Ok(()) }
    }
}

/// Reads the event at `offset` of `chunk`; `None` if there is no valid event there.
#[inline]
pub(crate) fn event_at(chunk: &[u8], offset: usize) -> Option<RawEvent<'_>> {
    let bytes = chunk.get(offset..)?;
    let (size, type_id, head) = usual_head(bytes).or_else(|| head(bytes))?;
    event_of(bytes, offset, size, type_id, head)
}

#[inline(always)]
fn event_of(bytes: &[u8], offset: usize, size: usize, type_id: TypeId, head: usize) -> Option<RawEvent<'_>> {
    let tail = bytes.get(head..)?;
    let payload = tail.get(..size.checked_sub(head)?)?;
    Some(RawEvent { offset: ChunkOffset(offset), size, type_id, payload, tail })
}

/// The size of an event, the id of its type, and where its fields begin, if they are written as JVMs write them: a
/// size below 128 takes one byte and a larger one is padded to four, and an id takes one or two.
#[inline(always)]
fn usual_head(bytes: &[u8]) -> Option<(usize, TypeId, usize)> {
    let word = u64::from_le_bytes(*bytes.first_chunk::<8>()?);
    let (size, rest, id_at) = if word & 0x80 == 0 {
        (word & 0x7f, word >> 8, 1)
    } else if word & 0xffff_8080 == 0x0080_8080 {
        ((word & 0x7f) | (word >> 1 & 0x3f80), word >> 32, 4)
    } else {
        return None;
    };
    let (type_id, id_bytes) = if rest & 0x80 == 0 {
        (rest & 0x7f, 1)
    } else if rest & 0x8000 == 0 {
        ((rest & 0x7f) | (rest >> 1 & 0x3f80), 2)
    } else {
        return None;
    };
    Some((usize::try_from(size).ok()?, TypeId(type_id), id_at + id_bytes))
}

/// [`usual_head`] for numbers of any length.
#[cold]
fn head(bytes: &[u8]) -> Option<(usize, TypeId, usize)> {
    let mut at = Cursor::new(bytes);
    let size = usize::try_from(at.varint().ok()?).ok()?;
    let type_id = TypeId(at.varint().ok()?);
    Some((size, type_id, bytes.len() - at.left()))
}

/// How many events in a row must parse for a position to count as the start of an event.
const IN_A_ROW: usize = 4;
/// How many events of undeclared types to skip when checking whether the framing still holds after them.
const UNDECLARED_IN_A_ROW: usize = 16;
/// How many bytes the search for an event start may parse: per byte searched, and before the first one.
const PARSED_PER_BYTE: usize = 64;
const PARSED_AT_FIRST: usize = 1 << 20;

/// A set of event types, for [`Events::without`]. Types with large ids, which no JVM uses, cannot be in it.
#[derive(Debug, Clone, Default)]
pub struct EventTypes {
    /// A bit for each id.
    words: Vec<u64>,
}

static NO_TYPES: EventTypes = EventTypes { words: Vec::new() };

/// The maximum number of [`EventTypes::words`].
const WORDS: usize = 256;

impl EventTypes {
    /// Adds a type, unless its id is large or has a meaning in the format itself.
    pub fn insert(&mut self, of: TypeId) {
        let TypeId(id) = of;
        let Some(word) = usize::try_from(id / 64).ok().filter(|word| *word < WORDS && of > CHECKPOINT) else { return };
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= 1 << (id % 64);
        }
    }

    #[inline(always)]
    fn contains(&self, TypeId(id): TypeId) -> bool {
        let word = usize::try_from(id / 64).ok().and_then(|i| self.words.get(i));
        word.is_some_and(|word| word >> (id % 64) & 1 != 0)
    }
}

/// Iterates over everything in a part of a chunk, in file order: data events, checkpoints and
/// metadata.
///
/// Where the framing breaks, the walk continues at the next position from which several events in a row parse, or at
/// the next known event start (a checkpoint or the metadata); [`Events::skipped`] lists what was skipped. The framing
/// is broken if a size is impossible, or if an event of an undeclared type leads to an impossible size.
#[derive(Debug, Clone)]
pub struct Events<'c, 'a> {
    chunk: &'a [u8],
    at: usize,
    end: usize,
    /// Known starts of events in the chunk, ascending.
    known: &'c [usize],
    /// The first known start after `at`, or `end`.
    fence: usize,
    skipped: Vec<(ChunkOffset, usize)>,
    metadata: &'c Metadata,
    limits: &'c Limits,
    /// Declared event types to skip.
    without: &'c EventTypes,
    search: Option<Box<Search>>,
}

/// State for finding the next event; created at the first broken one.
#[derive(Debug, Clone)]
struct Search {
    layouts: HashMap<TypeId, Option<Layout>, foldhash::fast::RandomState>,
    /// How many more bytes may be parsed.
    credit: usize,
}

impl<'c, 'a> Events<'c, 'a> {
    pub(crate) fn new(
        chunk: &'a [u8],
        range: std::ops::Range<usize>,
        known: &'c [usize],
        metadata: &'c Metadata,
        limits: &'c Limits,
    ) -> Self {
        let end = range.end.min(chunk.len());
        let at = range.start;
        let mut events = Self {
            chunk,
            at,
            end,
            known,
            fence: end,
            skipped: Vec::new(),
            metadata,
            limits,
            without: &NO_TYPES,
            search: None,
        };
        events.next_fence();
        events
    }

    /// Skips the events of some types, which is faster than ignoring them. They must be event types of this
    /// chunk's metadata.
    #[must_use]
    pub fn without(mut self, types: &'c EventTypes) -> Self {
        self.without = types;
        self
    }

    fn next_fence(&mut self) {
        let next = self.known.partition_point(|&at| at <= self.at);
        self.fence = self.known.get(next).copied().filter(|&at| at < self.end).unwrap_or(self.end);
    }

    /// The skipped parts of the chunk (broken events), as (offset, bytes).
    #[must_use]
    pub fn skipped(&self) -> &[(ChunkOffset, usize)] {
        &self.skipped
    }

    /// The position that no event may cross. It does not depend on where the walked part ends, so all parts agree on which
    /// events are broken.
    fn bound(&self, at: usize) -> usize {
        let next = self.known.partition_point(|&known| known <= at);
        self.known.get(next).copied().unwrap_or(self.chunk.len())
    }

    /// Continues after a broken event.
    #[cold]
    fn resync(&mut self) {
        let next = self.beginning_behind(self.at).unwrap_or(self.fence).min(self.fence);
        self.skip_to(next);
    }

    fn skip_to(&mut self, next: usize) {
        self.skipped.push((ChunkOffset(self.at), next.saturating_sub(self.at)));
        self.at = next;
        self.next_fence();
    }

    /// The next position from which several events in a row parse.
    fn beginning_behind(&mut self, at: usize) -> Option<usize> {
        let bound = self.bound(at);
        let mut search = self.search.take().unwrap_or_default();
        let found = (at.saturating_add(1)..bound).find(|&at| {
            crate::work::done(1);
            search.credit = search.credit.saturating_add(PARSED_PER_BYTE);
            let mut at = at;
            (0..IN_A_ROW).all(|_| {
                if at == bound {
                    return true;
                }
                let event = event_at(self.chunk, at).filter(|event| event.size <= bound.saturating_sub(at));
                event.is_some_and(|event| {
                    at = at.saturating_add(event.size);
                    search.parses(&event, self.metadata, self.limits)
                })
            })
        });
        self.search = Some(search);
        found
    }

    /// If the framing breaks after an event of an undeclared type, returns where it resumes within that event.
    #[cold]
    fn misleads(&mut self, event: &RawEvent<'a>) -> Option<usize> {
        let bound = self.bound(event.offset.0);
        let mut at = event.offset.0.saturating_add(event.size);
        let mut search = self.search.take().unwrap_or_default();
        let mut broken = false;
        for _ in 0..UNDECLARED_IN_A_ROW {
            let next = event_at(self.chunk, at).filter(|next| next.size <= bound.saturating_sub(at));
            let Some(next) = next else {
                broken = at != bound;
                break;
            };
            if self.metadata.by_id(next.type_id).is_some() {
                search.credit = search.credit.saturating_add(PARSED_PER_BYTE);
                broken = !search.parses(&next, self.metadata, self.limits);
                break;
            }
            at = at.saturating_add(next.size);
        }
        self.search = Some(search);
        if broken { self.beginning_behind(event.offset.0) } else { None }
    }
}

impl Default for Search {
    fn default() -> Self {
        Self { layouts: HashMap::default(), credit: PARSED_AT_FIRST }
    }
}

impl Search {
    /// Whether the event has a declared type, and its fields fill the payload exactly.
    fn parses(&mut self, event: &RawEvent<'_>, metadata: &Metadata, limits: &Limits) -> bool {
        let Some(of) = metadata.by_id(event.type_id).filter(|of| of.super_type().is_some()) else { return false };
        let Some(credit) = self.credit.checked_sub(event.payload.len()) else { return false };
        self.credit = credit;
        let layout = self.layouts.entry(of.id()).or_insert_with(|| Layout::of_type(of, limits, &mut Budget::single()));
        let mut at = Cursor::new(event.payload);
        layout.as_ref().is_some_and(|layout| layout.skip(&mut at).is_ok() && at.left() == 0)
    }
}

impl<'a> Iterator for Events<'_, 'a> {
    type Item = RawEvent<'a>;

    #[inline]
    fn next(&mut self) -> Option<RawEvent<'a>> {
        loop {
            if self.at >= self.fence {
                if self.at >= self.end {
                    return None;
                }
                self.next_fence();
            }
            crate::work::done(1);
            let bytes = self.chunk.get(self.at..)?;
            let Some((size, type_id, head)) = usual_head(bytes).or_else(|| head(bytes)) else {
                self.resync();
                continue;
            };
            // An event that extends past a known event start has a wrong size.
            let fits = size <= self.fence - self.at;
            if fits && size >= head && self.without.contains(type_id) {
                self.at += size;
                continue;
            }
            match event_of(bytes, self.at, size, type_id, head) {
                Some(event) if fits => {
                    if !self.metadata.declares(event.type_id)
                        && let Some(next) = self.misleads(&event)
                    {
                        self.skip_to(next.min(self.fence));
                        continue;
                    }
                    self.at += event.size;
                    return Some(event);
                }
                _ => self.resync(),
            }
        }
    }
}
