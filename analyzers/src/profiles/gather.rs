//! Adds up the events of a part of a chunk by stack trace key, before any stack is resolved.

use std::hash::{BuildHasher, Hasher as _};

use hashbrown::HashTable;
use jfr_parse::{Clock, ConstantKey, EpochNanos, Nanos, RawStr, Row, TickSpan, Ticks, work};
use jfrkit_profile::index::IndexVec;
use jfrkit_profile::{Moment, Timeline};

use super::plans::{Reading, Times};
use super::sources::{
    AMOUNT, KEY, Measure, OTHER_TEXT, PORT, ROOT_SPAN, SECOND, SLOTS, SPAN, STACK, SourceId, TEXT, THREAD, TIME,
};

use crate::engine::bounds::Bounds;
use crate::hash::Hasher;
use crate::numbered::Numbered;

crate::ids::ids! {
    /// A [`Key`].
    pub(super) KeyId;
    /// A [`Detail`]; the first is empty.
    pub(crate) DetailId;
    /// A text of a [`Detail`]; the first is null.
    pub(crate) TextId;
}

impl KeyId {
    const NONE: Self = Self(u32::MAX);
}

/// What events that are added up have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(super) source: SourceId,
    /// 0 for none.
    pub(super) detail: DetailId,
    /// Key of the stack trace in this chunk.
    pub(super) stack: ConstantKey,
    /// Key of a class or a state in this chunk, if it matters for the source.
    pub(super) key: ConstantKey,
}

impl Key {
    /// As few steps as possible, because it is computed for every event.
    #[inline]
    fn hash(&self, hasher: &Hasher) -> u64 {
        let mut state = hasher.build_hasher();
        let kind = u64::from(self.source.number()) | u64::from(self.detail.0) << 32;
        state.write_u128(u128::from(kind) | u128::from(self.stack.0) << 64);
        state.write_u64(self.key.0);
        state.finish()
    }
}

/// Sums of up to three values; their meaning depends on the source's [`Measure`].
pub(crate) type Sums = [i64; 3];

/// What is needed only for labels and filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Detail {
    pub(super) thread: ConstantKey,
    pub(super) text: TextId,
    pub(super) port: u32,
    pub(super) span: u64,
    pub(super) root_span: u64,
    /// Start of the event, if sample times are kept.
    pub(super) time: i64,
}

/// When an event began and how long it lasted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occurrence {
    pub(super) start: Option<EpochNanos>,
    pub(super) duration: Option<Nanos>,
}

/// Sums of events, in the order of the first event of each key.
#[derive(Debug)]
pub(crate) struct Gathered<'a> {
    keys: IndexVec<KeyId, Key>,
    sums: IndexVec<KeyId, Sums>,
    /// Maps a hash to a key. The hash is stored too, so that growing does not hash all keys again.
    table: HashTable<(u64, KeyId)>,
    /// The key of the last event; [`KeyId::NONE`] if there is none.
    last: KeyId,
    details: Numbered<DetailId, Detail>,
    texts: Numbered<TextId, RawStr<'a>>,
    /// If every event is kept by itself, when each began and how long it lasted.
    pub(super) occurrences: Option<Vec<Occurrence>>,
    /// The number of events with impossible durations.
    pub(super) odd_durations: u64,
    /// When the events of each key began, with the sum that [`Measure::main`] returns, if requested.
    pub(super) timeline: Option<Timeline>,
    hasher: Hasher,
}

impl Default for Gathered<'_> {
    fn default() -> Self {
        let mut details = Numbered::default();
        details.number(Detail::default());
        let mut texts = Numbered::default();
        texts.number(RawStr::Null);
        Self {
            keys: IndexVec::new(),
            sums: IndexVec::new(),
            table: HashTable::new(),
            last: KeyId::NONE,
            details,
            texts,
            odd_durations: 0,
            occurrences: None,
            timeline: None,
            hasher: Hasher::default(),
        }
    }
}

impl<'a> Gathered<'a> {
    /// Adds one event.
    #[inline]
    pub(super) fn event(
        &mut self,
        reading: &Reading,
        row: &Row<'a, SLOTS>,
        [clock, lengths]: [&Clock; 2],
        bounds: Bounds,
    ) {
        let mut odd = false;
        let mut lasted = |start: Ticks, ticks: TickSpan| {
            let Nanos(nanos) = lengths.elapsed(start, ticks);
            let EpochNanos(begin) = clock.nanos(start);
            let end = begin.saturating_add(nanos);
            if bounds.contains(begin, nanos, end) {
                return nanos;
            }
            odd = bounds.is_odd(nanos, end);
            let (start, end) = bounds.cut(begin, end.max(begin));
            end.saturating_sub(start)
        };
        let sums = match reading.measure {
            Measure::Count | Measure::Period => [1, 0, 0],
            Measure::Weight => [row.get(AMOUNT), 0, 0],
            Measure::Bytes => [1, row.get(AMOUNT), 0],
            Measure::WeightedBytes => [1, weighted(row.get(AMOUNT.of::<f64>()), row.get(SECOND)), 0],
            Measure::Ticks => [1, lasted(row.get(TIME), row.get(AMOUNT.of::<TickSpan>())), 0],
            Measure::CpuTicks => {
                [1, lengths.span(row.get(AMOUNT.of::<TickSpan>())).0, i64::from(row.get(SECOND.of::<bool>()))]
            }
            Measure::BytesAndTicks => [1, row.get(SECOND), lasted(row.get(TIME), row.get(AMOUNT.of::<TickSpan>()))],
        };
        self.odd_durations += u64::from(odd);
        let key = self.key(reading, row, clock);
        if let Some(times) = reading.each {
            return self.keep(key, sums, Occurrence::new(times, row, clock));
        }
        self.add(key, sums);
        if self.timeline.is_some() {
            self.record(clock.nanos(row.get(TIME)).0, reading.measure.main(sums));
        }
    }

    /// Keeps an event by itself.
    fn keep(&mut self, key: Key, sums: Sums, occurrence: Occurrence) {
        self.last = self.keys.push(key);
        self.sums.push(sums);
        self.occurrences.get_or_insert_default().push(occurrence);
    }

    /// Records when the last added event began.
    #[cold]
    fn record(&mut self, nanos: i64, value: i64) {
        if let Some(timeline) = &mut self.timeline {
            timeline.push(Moment { cell: timeline.cell_of(nanos), sample: self.last.0, value });
        }
    }

    /// The key of an event.
    #[inline]
    pub(super) fn key(&mut self, reading: &Reading, row: &Row<'a, SLOTS>, clock: &Clock) -> Key {
        let detail = if reading.detailed { self.detail(reading, row, clock) } else { DetailId::default() };
        let key = if reading.keyed { row.get(KEY) } else { ConstantKey::default() };
        Key { source: reading.source, detail, stack: row.get(STACK), key }
    }

    fn detail(&mut self, reading: &Reading, row: &Row<'a, SLOTS>, clock: &Clock) -> DetailId {
        let text = match row.get(TEXT) {
            _ if !reading.text => TextId::default(),
            RawStr::Null | RawStr::Empty => self.texts.number(row.get(OTHER_TEXT)),
            text => self.texts.number(text),
        };
        let port = u32::try_from(row.get(PORT)).unwrap_or(0);
        let time = if reading.times { clock.nanos(row.get(TIME)).0 } else { 0 };
        let (span, root_span) = (row.get(SPAN), row.get(ROOT_SPAN));
        let detail = Detail { thread: row.get(THREAD), text, port, span, root_span, time };
        self.details.number(detail)
    }

    #[inline]
    fn add(&mut self, key: Key, sums: Sums) {
        // A loop that reads a file produces the same event over and over.
        if self.keys.checked(self.last) == Some(&key) {
            self.add_to(self.last, sums);
            return;
        }
        let hash = key.hash(&self.hasher);
        let keys = &self.keys;
        let same = |&(h, id): &(u64, KeyId)| {
            work::done(1);
            h == hash && keys[id] == key
        };
        match self.table.find(hash, same) {
            Some(&(_, found)) => {
                self.last = found;
                self.add_to(found, sums);
            }
            None => self.first(hash, key, sums),
        }
    }

    /// Adds the first event of a key.
    #[cold]
    fn first(&mut self, hash: u64, key: Key, sums: Sums) {
        // More than 2^32 different stacks do not fit into any chunk that fits into memory.
        self.last = self.keys.push(key);
        self.sums.push(sums);
        self.table.insert_unique(hash, (hash, self.last), |&(hash, _)| hash);
    }

    #[inline]
    fn add_to(&mut self, key: KeyId, sums: Sums) {
        for (sum, added) in self.sums[key].iter_mut().zip(sums) {
            *sum = sum.saturating_add(added);
        }
    }

    /// Adds the sums of a later part of the same chunk. Returns the new numbers of its details.
    pub(super) fn append(&mut self, later: Self) -> IndexVec<DetailId, DetailId> {
        if self.keys.is_empty() && self.details.items().len() <= 1 {
            *self = later;
            return self.details.items().enumerate().map(|(id, _)| id).collect();
        }
        self.odd_durations += later.odd_durations;
        let texts: IndexVec<TextId, TextId> = later.texts.items().iter().map(|text| self.texts.number(*text)).collect();
        let details: IndexVec<DetailId, DetailId> = later
            .details
            .items()
            .iter()
            .map(|detail| self.details.number(Detail { text: texts[detail.text], ..*detail }))
            .collect();
        if let Some(occurrences) = later.occurrences {
            self.occurrences.get_or_insert_default().extend(occurrences);
            self.sums.extend(later.sums);
            self.keys.extend(later.keys.iter().map(|key| Key { detail: details[key.detail], ..*key }));
            return details;
        }
        let mut numbers: IndexVec<KeyId, KeyId> = IndexVec::with_capacity(later.keys.len());
        for (key, sums) in later.keys.into_iter().zip(later.sums) {
            self.add(Key { detail: details[key.detail], ..key }, sums);
            numbers.push(self.last);
        }
        if let (Some(timeline), Some(later)) = (&mut self.timeline, &later.timeline) {
            timeline.append(later, |key| Some(numbers[KeyId(key)].0));
        }
        details
    }

    /// Approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        let entry = size_of::<Key>() + size_of::<Sums>() + 2 * size_of::<u64>() + 1;
        let detail = 2 * size_of::<Detail>() + size_of::<u32>();
        let timeline = self.timeline.as_ref().map_or(0, Timeline::bytes);
        let occurrences = self.occurrences.as_ref().map_or(0, |all| all.capacity() * size_of::<Occurrence>());
        timeline
            + occurrences
            + self.keys.capacity() * entry
            + self.details.items().capacity() * detail
            + self.texts.items().capacity() * 2 * detail
    }

    /// With a timeline, if `step` is the length of its cells.
    pub(super) fn timed(step: Option<i64>) -> Self {
        Self { timeline: step.map(Timeline::new), ..Self::default() }
    }

    /// The key of a [`Moment`] in the timeline.
    pub(super) fn key_of(&self, moment: &Moment) -> (KeyId, &Key) {
        let id = KeyId(moment.sample);
        (id, &self.keys[id])
    }

    /// The keys with their handles and sums.
    pub(super) fn enumerate(&self) -> impl ExactSizeIterator<Item = (KeyId, &Key, &Sums)> + Clone {
        self.keys.enumerate().zip(&self.sums).map(|((id, key), sums)| (id, key, sums))
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Sums)> + Clone {
        self.keys.iter().zip(&self.sums)
    }

    pub(super) fn detail_of(&self, key: &Key) -> Detail {
        self.details[key.detail]
    }

    pub(super) fn text_of(&self, detail: &Detail) -> RawStr<'a> {
        self.texts[detail.text]
    }
}

impl Occurrence {
    fn new(times: Times, row: &Row<'_, SLOTS>, clock: &Clock) -> Self {
        Self {
            start: times.start.and_then(|unit| clock.instant(row.get(TIME.of::<i64>()), unit)),
            duration: times.duration.and_then(|(column, unit)| clock.length(row.get(column), unit)),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a weight is an estimate; `as` saturates"
)]
fn weighted(weight: f64, size: i64) -> i64 {
    (weight * size as f64).round() as i64
}
