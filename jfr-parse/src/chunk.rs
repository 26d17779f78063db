//! A single chunk: its clock, types, constants and events.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::checkpoints::{Survey, follow_chain, survey};
use crate::error::{Damage, Error, Loss, Result};
use crate::event::{CHECKPOINT, Events, METADATA, RawEvent, event_at};
use crate::header::{ChunkHeader, HEADER_SIZE};
use crate::ids::ChunkOffset;
use crate::limits::Limits;
use crate::metadata::{Metadata, Type};
use crate::plan::Plan;
use crate::pools::{PoolEntries, PoolLayouts, Pools};
use crate::stop::Stop;
use crate::time::Clock;
use crate::value::{Value, ValueReader};

/// Where a chunk is in the recording, and how far its header can be trusted.
#[derive(Debug, Clone)]
pub(crate) struct Extent {
    pub(crate) range: Range<usize>,
    pub(crate) header: ChunkHeader,
    /// The result of walking its events, if the size in the header cannot be used.
    pub(crate) survey: Option<Arc<Survey>>,
}

/// An opened chunk of a recording. Its metadata is already parsed; its constants are indexed on
/// first use.
#[derive(Debug)]
pub struct Chunk<'a> {
    index: usize,
    offset: u64,
    bytes: &'a [u8],
    header: ChunkHeader,
    metadata: Arc<Metadata>,
    /// Offsets of the checkpoints and metadata events, ascending.
    known: Vec<usize>,
    /// The checkpoints, newest first, if that is not simply the reverse of their order in the file.
    newest_first: Option<Vec<usize>>,
    losses: Vec<Loss>,
    limits: Limits,
    stop: Stop,
    /// The constants, and damage in their checkpoints.
    pools: OnceLock<(Pools<'a>, Vec<Loss>)>,
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

    /// Index of this chunk in the recording, starting at 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Offset of the chunk from the beginning of the recording, in bytes.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes of the chunk, including the header.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The chunk header.
    #[must_use]
    pub fn header(&self) -> &ChunkHeader {
        &self.header
    }

    /// The types declared in this chunk.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Like [`metadata`](Self::metadata), but shared, so that the types can outlive the chunk.
    #[must_use]
    pub fn shared_metadata(&self) -> &Arc<Metadata> {
        &self.metadata
    }

    /// The clock that converts the ticks of this chunk.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock::new(self.header.start_nanos, self.header.start_ticks, self.header.ticks_per_second)
    }

    /// Damage found while opening the chunk. Walking its events and constants can reveal more.
    #[must_use]
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// The limits that apply to this chunk.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The handle that can stop work on this chunk.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Creates a plan for reading the `wanted` fields of values of type `of`; see [`Plan`].
    ///
    /// # Errors
    /// Same as [`Plan::new`].
    pub fn plan<const N: usize>(&self, of: Type<'_>, wanted: [&str; N]) -> Result<Plan<N>> {
        Plan::new(of, wanted, &self.limits)
    }

    /// Decodes an event into a tree of values with its references resolved. [`ValueReader`] has
    /// more options.
    ///
    /// # Errors
    /// Same as [`ValueReader::event`].
    pub fn value(&self, event: &RawEvent<'a>) -> Result<Value<'_>> {
        ValueReader::new(self).event(event)
    }

    /// All events that carry data, in file order.
    pub fn events(&self) -> impl Iterator<Item = RawEvent<'a>> + '_ {
        self.walk(self.whole()).filter(|e: &RawEvent<'a>| e.type_id != METADATA && e.type_id != CHECKPOINT)
    }

    /// The event at this offset of the chunk. Pass only offsets that came from a walk.
    #[doc(hidden)]
    #[must_use]
    pub fn event_at(&self, offset: ChunkOffset) -> Option<RawEvent<'a>> {
        event_at(self.bytes, offset.0)
    }

    /// The position in the recording of a position in the chunk.
    #[must_use]
    pub fn file_offset(&self, offset: ChunkOffset) -> u64 {
        self.offset.saturating_add(offset.0 as u64)
    }

    fn whole(&self) -> Range<usize> {
        HEADER_SIZE..self.bytes.len()
    }

    /// Everything in a part of the chunk: data events, checkpoints and metadata. Pass one of the
    /// parts returned by [`segments`](Self::segments).
    #[doc(hidden)]
    #[must_use]
    pub fn walk(&self, part: Range<usize>) -> Events<'_, 'a> {
        Events::new(self.bytes, part, &self.known, &self.metadata, &self.limits)
    }

    /// Splits the chunk at event boundaries into parts of about `target` bytes that can be walked
    /// in parallel. A part that contains an event larger than `target` is larger.
    #[doc(hidden)]
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
            if at.saturating_sub(from) > target.saturating_mul(2) {
                // No checkpoint in between: step from event to event.
                for event in Events::new(self.bytes, from..at, &self.known, &self.metadata, &self.limits) {
                    if event.offset.0 - from >= target {
                        cut(event.offset.0, &mut from);
                    }
                }
            }
            if at.saturating_sub(from) >= target || at == self.bytes.len() {
                cut(at, &mut from);
            }
        }
        out
    }

    /// How to skip the constants of this chunk while keeping those of the `wanted` types.
    #[doc(hidden)]
    pub fn pool_layouts(&self, wanted: impl Fn(Type<'_>) -> bool) -> PoolLayouts {
        PoolLayouts::new(&self.metadata, &self.limits, |id| self.metadata.by_id(id).is_some_and(&wanted))
            .until(&self.stop)
    }

    /// Joins the constants found in the parts of this chunk. `parts` must be in file order.
    #[doc(hidden)]
    #[must_use]
    pub fn join_pools(&self, parts: Vec<PoolEntries>) -> Pools<'a> {
        let threads = self.metadata.by_name("java.lang.Thread").map(|of| of.id());
        Pools::new(self.bytes, parts, self.newest_first.as_deref(), threads, &self.stop)
    }

    /// The constants of all types, indexed on the first call.
    #[must_use]
    pub fn pools(&self) -> &Pools<'a> {
        self.pools_for(|_| true)
    }

    /// The constants of the types for which `wanted` is true. Only the first call of this method or of [`pools`](Self::pools)
    /// indexes constants; later calls return the same ones, whatever they ask for.
    pub fn pools_for(&self, wanted: impl Fn(Type<'_>) -> bool) -> &Pools<'a> {
        let (pools, _) = self.pools.get_or_init(|| {
            let layouts = self.pool_layouts(wanted);
            let (mut entries, mut losses) = (PoolEntries::default(), Vec::new());
            for event in self.checkpoints() {
                // Callers learn that work was stopped when they read the next event.
                if self.stop.is_raised() {
                    break;
                }
                // The readable part of a damaged checkpoint is kept.
                if let Err(what) = entries.add(&event, &layouts)
                    && losses.len() < self.limits.losses
                {
                    losses.push(Loss { offset: self.file_offset(event.offset), bytes: event.size as u64, what });
                }
            }
            (self.join_pools(vec![entries]), losses)
        });
        pools
    }

    /// Damage in the checkpoints that [`pools`](Self::pools) indexed; empty before its first call, which [`value`](Self::value)
    /// and [`deserialize`](Self::deserialize) make. Constants after the damage are missing, so a reference to them has no value.
    ///
    /// ```
    /// # fn main() -> jfr_parse::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
    /// let recording = jfr_parse::Recording::open(path)?;
    /// for chunk in recording.chunks() {
    ///     let chunk = chunk?;
    ///     for event in chunk.events().take(10) {
    ///         println!("{:?}", chunk.value(&event)?);
    ///     }
    ///     for loss in chunk.constant_losses() {
    ///         eprintln!("some constants are missing: {loss}");
    ///     }
    ///     assert!(chunk.constant_losses().is_empty());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn constant_losses(&self) -> &[Loss] {
        self.pools.get().map_or(&[], |(_, losses)| losses)
    }

    /// The checkpoint events, in file order. As in [`walk`](Self::walk), an event that overlaps the
    /// next checkpoint is not a checkpoint; otherwise a single byte could belong to any number of
    /// them.
    pub fn checkpoints(&self) -> impl Iterator<Item = RawEvent<'a>> + '_ {
        let ends = self.known.iter().skip(1).copied().chain([self.bytes.len()]);
        self.known.iter().zip(ends).filter_map(|(&at, end)| {
            event_at(self.bytes, at).filter(|event| event.type_id == CHECKPOINT && event.size <= end.saturating_sub(at))
        })
    }
}
