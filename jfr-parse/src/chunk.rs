//! One chunk: its clock, its types, its constants, its events.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::checkpoints::{Survey, follow_chain, survey};
use crate::error::{Damage, Error, Loss, Result};
use crate::event::{CHECKPOINT, Events, METADATA, RawEvent, event_at};
use crate::header::{ChunkHeader, HEADER_SIZE};
use crate::limits::Limits;
use crate::metadata::{Metadata, Type};
use crate::plan::Plan;
use crate::pools::{PoolEntries, PoolLayouts, Pools};
use crate::stop::Stop;
use crate::time::Clock;
use crate::value::{Value, ValueReader};

/// Where a chunk stands in the recording, and how far its header can be trusted.
#[derive(Debug, Clone)]
pub(crate) struct Extent {
    pub(crate) range: Range<usize>,
    pub(crate) header: ChunkHeader,
    /// What a walk over its events found, where the size in the header is no guide.
    pub(crate) survey: Option<Arc<Survey>>,
}

/// A chunk of a recording, opened: its metadata is parsed, its constants are indexed when first asked for.
#[derive(Debug)]
pub struct Chunk<'a> {
    index: usize,
    offset: u64,
    bytes: &'a [u8],
    header: ChunkHeader,
    metadata: Arc<Metadata>,
    /// Beginnings of checkpoints and metadata, ascending.
    known: Vec<usize>,
    /// The checkpoints from the newest on, where that is not the reverse of the order in the file.
    newest_first: Option<Vec<usize>>,
    losses: Vec<Loss>,
    limits: Limits,
    stop: Stop,
    pools: OnceLock<Pools<'a>>,
}

impl<'a> Chunk<'a> {
    pub(crate) fn open(
        recording: &'a [u8],
        index: usize,
        extent: &Extent,
        limits: &Limits,
        stop: &Stop,
        cache: &crate::recording::MetadataCache,
    ) -> Result<Self> {
        stop.check()?;
        let offset = extent.range.start as u64;
        let bytes = recording.get(extent.range.clone()).unwrap_or_default();
        let header = extent.header;
        let mut walked: Option<Arc<Survey>> = extent.survey.clone();
        let mut walk = |bytes: &[u8]| -> Result<Arc<Survey>> {
            Ok(match &walked {
                Some(walked) => walked.clone(),
                None => walked.insert(Arc::new(survey(bytes, stop)?)).clone(),
            })
        };

        let load = |at: usize| -> Result<Arc<Metadata>> {
            let event = event_at(bytes, at).filter(|e| e.type_id == METADATA);
            let place = offset.saturating_add(at as u64);
            let event = event.ok_or(Error::damaged(place, Damage::NoMetadata))?;
            cache.parse(event.payload, place, limits)
        };
        let in_header = usize::try_from(header.metadata_position).ok().filter(|&at| at >= HEADER_SIZE);
        let from_header = in_header.map(|at| load(at).map(|m| (at, m)));
        let (metadata_at, metadata) = match from_header {
            Some(Ok(found)) => found,
            Some(Err(e @ Error::LimitExceeded { .. })) => return Err(e),
            failed => {
                let newest = walk(bytes)?.metadata.iter().rev().find_map(|&at| load(at).ok().map(|m| (at, m)));
                let none = || Error::damaged(offset.saturating_add(in_header.unwrap_or(0) as u64), Damage::NoMetadata);
                newest.ok_or_else(|| failed.and_then(Result::err).unwrap_or_else(none))?
            }
        };

        let mut losses = Vec::new();
        let mut newest_first = None;
        let chain = match header.constant_pool_position {
            0 => None,
            newest => follow_chain(bytes, newest),
        };
        let mut known = match chain {
            Some(chain) => {
                let mut ascending = chain.clone();
                ascending.reverse();
                if !ascending.is_sorted() {
                    newest_first = Some(chain);
                    ascending.sort_unstable();
                }
                ascending
            }
            None => {
                if header.constant_pool_position != 0 && extent.survey.is_none() {
                    let at = offset.saturating_add(header.constant_pool_position);
                    losses.push(Loss { offset: at, bytes: 0, what: Damage::BadCheckpointChain });
                }
                walk(bytes)?.checkpoints.clone()
            }
        };
        let at = known.partition_point(|&k| k < metadata_at);
        known.insert(at, metadata_at);
        Ok(Self {
            index,
            offset,
            bytes,
            header,
            metadata,
            known,
            newest_first,
            losses,
            limits: limits.clone(),
            stop: stop.clone(),
            pools: OnceLock::new(),
        })
    }

    /// Its place among the chunks of the recording, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Where it begins, in bytes from the beginning of the recording.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Its bytes, header included.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &ChunkHeader {
        &self.header
    }

    /// Its types.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Its types, to keep.
    #[must_use]
    pub fn shared_metadata(&self) -> &Arc<Metadata> {
        &self.metadata
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock::new(self.header.start_nanos, self.header.start_ticks, self.header.ticks_per_second)
    }

    /// What was found wrong when it was opened; walking its events and constants can find more.
    #[must_use]
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// The limits it is read under.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What ends the work on it.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// A plan for reading `wanted` fields of values of `of`; see [`Plan`].
    ///
    /// # Errors
    /// As for [`Plan::new`].
    pub fn plan<const N: usize>(&self, of: Type<'_>, wanted: [&str; N]) -> Result<Plan<N>> {
        Plan::new(of, wanted, &self.limits)
    }

    /// An event as a tree of values, its references resolved; [`ValueReader`] has options.
    ///
    /// # Errors
    /// As for [`ValueReader::event`].
    pub fn value(&self, event: &RawEvent<'a>) -> Result<Value<'_>> {
        ValueReader::new(self).event(event)
    }

    /// All its events that carry data, in the order of the file.
    pub fn events(&self) -> impl Iterator<Item = RawEvent<'a>> + '_ {
        self.walk(self.whole()).filter(|e: &RawEvent<'a>| e.type_id != METADATA && e.type_id != CHECKPOINT)
    }

    /// The event that begins at this offset of the chunk, which should be that of one that was walked to.
    #[must_use]
    pub fn event_at(&self, offset: usize) -> Option<RawEvent<'a>> {
        event_at(self.bytes, offset)
    }

    fn whole(&self) -> Range<usize> {
        HEADER_SIZE..self.bytes.len()
    }

    /// Everything in a part of the chunk: data events, checkpoints and metadata. The part should be one of
    /// [`segments`](Self::segments).
    #[must_use]
    pub fn walk(&self, part: Range<usize>) -> Events<'_, 'a> {
        Events::new(self.bytes, part, &self.known)
    }

    /// Cuts the chunk, at beginnings of events, into parts of about `target` bytes that can be walked at the
    /// same time. An event larger than that makes a larger part.
    #[must_use]
    pub fn segments(&self, target: usize) -> Vec<Range<usize>> {
        let target = target.max(1);
        let mut out = Vec::new();
        let mut from = HEADER_SIZE;
        let mut cut = |at: usize, from: &mut usize| {
            if at > *from {
                out.push(*from..at);
                *from = at;
            }
        };
        for at in self.known.iter().copied().chain([self.bytes.len()]) {
            if at.saturating_sub(from) > 2 * target {
                // No checkpoint on the way: hop from event to event.
                for event in Events::new(self.bytes, from..at, &self.known) {
                    if event.offset - from >= target {
                        cut(event.offset, &mut from);
                    }
                }
            }
            if at.saturating_sub(from) >= target || at == self.bytes.len() {
                cut(at, &mut from);
            }
        }
        out
    }

    /// How to move past the constants of this chunk, keeping those of types that are wanted.
    pub fn pool_layouts(&self, wanted: impl Fn(Type<'_>) -> bool) -> PoolLayouts {
        PoolLayouts::new(&self.metadata, &self.limits, |id| self.metadata.by_id(id).is_some_and(&wanted))
            .until(&self.stop)
    }

    /// Joins the constants found in the parts of this chunk, given in the order of the file.
    #[must_use]
    pub fn join_pools(&self, parts: Vec<PoolEntries>) -> Pools<'a> {
        Pools::new(self.bytes, parts, self.newest_first.as_deref(), &self.stop)
    }

    /// The constants of all types, indexed at the first call.
    #[must_use]
    pub fn pools(&self) -> &Pools<'a> {
        self.pools.get_or_init(|| {
            let layouts = self.pool_layouts(|_| true);
            let mut entries = PoolEntries::default();
            for event in self.checkpoints() {
                // Who asks for constants learns of it where the next event is read.
                if self.stop.is_raised() {
                    break;
                }
                // What a damaged checkpoint still holds is kept; who walks the chunk hears of the damage.
                let _ = entries.add(&event, &layouts);
            }
            self.join_pools(vec![entries])
        })
    }

    /// The checkpoint events, in the order of the file. One that reaches over the next is none, as in
    /// [`walk`](Self::walk): else each byte could belong to any number of them.
    pub fn checkpoints(&self) -> impl Iterator<Item = RawEvent<'a>> + '_ {
        let ends = self.known.iter().skip(1).copied().chain([self.bytes.len()]);
        self.known.iter().zip(ends).filter_map(|(&at, end)| {
            event_at(self.bytes, at).filter(|event| event.type_id == CHECKPOINT && event.size <= end.saturating_sub(at))
        })
    }
}
