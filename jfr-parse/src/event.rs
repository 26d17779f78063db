//! The framing shared by events, checkpoints and metadata.

use crate::cursor::Cursor;

/// The type id of metadata events.
pub const METADATA: u64 = 0;
/// The type id of checkpoint events, which contain constants.
pub const CHECKPOINT: u64 = 1;

/// An undecoded event, borrowed from its chunk.
#[derive(Debug, Clone, Copy)]
pub struct RawEvent<'a> {
    /// Offset from the beginning of its chunk, in bytes.
    pub offset: usize,
    /// Total size of the event in bytes, including its header.
    pub size: usize,
    /// The id of its type in this chunk's metadata.
    pub type_id: u64,
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
    let mut at = Cursor::new(bytes);
    let size = usize::try_from(at.varint().ok()?).ok()?;
    let type_id = at.varint().ok()?;
    let head = bytes.len() - at.left();
    let payload = bytes.get(head..size)?;
    Some(RawEvent { offset, size, type_id, payload, tail: at.rest() })
}

/// Iterates over everything in a part of a chunk, in file order: data events, checkpoints and
/// metadata.
///
/// If the framing breaks, the walk resumes at the next known start of an event (a checkpoint or the
/// metadata), or ends if there is none. [`Events::skipped`] lists the ranges that were skipped.
#[derive(Debug, Clone)]
pub struct Events<'c, 'a> {
    chunk: &'a [u8],
    at: usize,
    end: usize,
    /// Known starts of events in the chunk, ascending.
    known: &'c [usize],
    /// The first of them after `at`, or `end`.
    fence: usize,
    skipped: Vec<(usize, usize)>,
}

impl<'c, 'a> Events<'c, 'a> {
    pub(crate) fn new(chunk: &'a [u8], range: std::ops::Range<usize>, known: &'c [usize]) -> Self {
        let end = range.end.min(chunk.len());
        let mut events = Self { chunk, at: range.start, end, known, fence: end, skipped: Vec::new() };
        events.next_fence();
        events
    }

    fn next_fence(&mut self) {
        let next = self.known.partition_point(|&at| at <= self.at);
        self.fence = self.known.get(next).copied().filter(|&at| at < self.end).unwrap_or(self.end);
    }

    /// The parts of the chunk that were skipped because of an impossible event size, as (offset,
    /// bytes).
    #[must_use]
    pub fn skipped(&self) -> &[(usize, usize)] {
        &self.skipped
    }

    #[cold]
    fn resync(&mut self) {
        self.skipped.push((self.at, self.fence.saturating_sub(self.at)));
        self.at = self.fence;
        self.next_fence();
    }
}

impl<'a> Iterator for Events<'_, 'a> {
    type Item = RawEvent<'a>;

    #[inline]
    fn next(&mut self) -> Option<RawEvent<'a>> {
        loop {
            if self.at >= self.end {
                return None;
            }
            if self.at >= self.fence {
                self.next_fence();
            }
            crate::work::done(1);
            // An event that extends past a known event start has a wrong size.
            match event_at(self.chunk, self.at) {
                Some(event) if event.size <= self.fence - self.at => {
                    self.at += event.size;
                    return Some(event);
                }
                _ => self.resync(),
            }
        }
    }
}
