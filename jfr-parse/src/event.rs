//! The framing that events, checkpoints and metadata share.

use crate::cursor::Cursor;

/// The type of metadata events.
pub const METADATA: u64 = 0;
/// The type of checkpoint events, which hold constants.
pub const CHECKPOINT: u64 = 1;

/// One event where it stands in its chunk.
#[derive(Debug, Clone, Copy)]
pub struct RawEvent<'a> {
    /// Where it begins, in bytes from the beginning of its chunk.
    pub offset: usize,
    /// Its size, all of it.
    pub size: usize,
    /// The id of its type in this chunk's metadata.
    pub type_id: u64,
    /// Its fields, in the order of the metadata.
    pub payload: &'a [u8],
    /// The payload and all of the chunk behind it: reading near the end of a slice is slower.
    tail: &'a [u8],
}

impl<'a> RawEvent<'a> {
    /// Reads the fields that a plan for its type wants.
    ///
    /// # Errors
    /// [`Short`](crate::Short) where the event ends before the last of them.
    #[inline]
    pub fn read<const N: usize>(&self, plan: &crate::Plan<N>) -> Result<crate::Row<'a, N>, crate::Short> {
        let mut row = crate::Row::default();
        self.read_into(plan, &mut row)?;
        Ok(row)
    }

    /// [`read`](Self::read) into a row that is used for all events of a type.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
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

/// Reads the event at `offset` of `chunk`; `None` where none can be.
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

/// The events of part of a chunk, in the order of the file: data events, checkpoints and metadata alike.
///
/// Where the framing breaks, the walk goes on at the next place that is known to begin an event (a checkpoint
/// or the metadata), else it ends; [`Events::skipped`] tells what was passed over.
#[derive(Debug, Clone)]
pub struct Events<'c, 'a> {
    chunk: &'a [u8],
    at: usize,
    end: usize,
    /// Known beginnings of events in the chunk, ascending.
    known: &'c [usize],
    /// The first of them behind `at`, or `end`.
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

    /// Parts of the chunk that were passed over, as (offset, bytes): events whose size was impossible.
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
            // An event that reaches over a known beginning has a wrong size.
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
