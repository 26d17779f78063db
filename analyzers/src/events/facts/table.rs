//! All events of a type, with selected fields.

use super::Facts;
use super::bounded::Places;
use crate::events::cell::Cell;
use crate::events::names::Names;
use crate::math::Timed;
use jfrkit_profile::index::{at, range};
use jfrkit_profile::{StackId, StrId};

/// The events of one type, in order of their start.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableData {
    pub(crate) fields: Names,
    /// Which of the fields are declared in any chunk.
    pub(crate) declared: Vec<bool>,
    pub(crate) cap: usize,
    rows: Vec<Row>,
    /// The existing cells of each row. Missing values take no space, because an event can be as small as two
    /// bytes.
    cells: Vec<Cell>,
    /// Number of events, including those that were not kept.
    pub(crate) seen: u64,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    start: i64,
    end: i64,
    /// Index of its first cell.
    from: u32,
    /// Bit i is set if there is a cell for field i.
    there: u32,
}

impl TableData {
    pub(crate) fn new(fields: Names, cap: usize) -> Self {
        debug_assert!(fields.len() <= u32::BITS as usize, "{fields:?}");
        Self { declared: vec![false; fields.len()], fields, cap, ..Self::default() }
    }

    pub(crate) fn push(&mut self, start: i64, end: i64, cells: impl Iterator<Item = Cell>) {
        self.seen = self.seen.saturating_add(1);
        let Some(from) = u32::try_from(self.cells.len()).ok().filter(|_| self.rows.len() < self.cap) else { return };
        let mut there = 0;
        for (i, cell) in cells.enumerate().take(u32::BITS as usize).filter(|(_, cell)| *cell != Cell::Null) {
            there |= 1 << i;
            self.cells.push(cell);
        }
        self.rows.push(Row { start, end, from, there });
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>() + self.cells.capacity() * size_of::<Cell>()
    }

    /// Appends the rows of a later part, with their cells converted by `map`.
    pub(crate) fn append(&mut self, later: Self, map: impl Fn(Cell) -> Cell) {
        self.seen = self.seen.saturating_add(later.seen);
        for (mine, theirs) in self.declared.iter_mut().zip(&later.declared) {
            *mine |= theirs;
        }
        for row in later.rows {
            let Some(from) = u32::try_from(self.cells.len()).ok().filter(|_| self.rows.len() < self.cap) else { break };
            let first = row.from as usize;
            let cells = range(&later.cells, first..first + row.there.count_ones() as usize);
            self.cells.extend(cells.iter().copied().map(&map));
            self.rows.push(Row { from, ..row });
        }
    }

    /// The text of a field in each row.
    pub(crate) fn texts(&self, field: &str) -> impl Iterator<Item = Option<StrId>> {
        let place = self.fields.position(field).unwrap_or(usize::MAX);
        (0..self.rows.len()).map(move |row| self.cell(row, place).text())
    }

    /// Sorts the rows by start; rows with equal starts stay in file order.
    pub(crate) fn sort(&mut self) {
        let time = |row: &Row| (row.start, row.end);
        if !self.rows.is_sorted_by_key(time) {
            self.rows.sort_by_key(time);
        }
    }

    /// Field `place` of row `i`.
    fn cell(&self, i: usize, place: usize) -> Cell {
        let Some(row) = at(&self.rows, i) else { return Cell::Null };
        if place >= u32::BITS as usize || row.there & (1 << place) == 0 {
            return Cell::Null;
        }
        let before = (row.there & ((1 << place) - 1)).count_ones();
        at(&self.cells, row.from.saturating_add(before) as usize).copied().unwrap_or_default()
    }
}

/// The events of one type that a rule requested with [`Needs::table`](crate::events::Needs::table), in order of
/// their start. Empty if the recording has none.
#[derive(Debug, Clone, Copy)]
pub struct Table<'f> {
    pub(super) facts: &'f Facts,
    pub(super) data: &'f TableData,
}

impl<'f> Table<'f> {
    /// The number of events in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.rows.len()
    }

    /// Whether the table is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.rows.is_empty()
    }

    /// The number of events in the recording, which is more than [`len`](Self::len) if the row limit was
    /// reached.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.data.seen
    }

    /// Whether the recorded JVM has this field.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        let place = self.data.fields.position(field);
        place.and_then(|i| self.data.declared.get(i)).copied().unwrap_or(false)
    }

    /// The events. Yields nothing after the analysis was stopped ([`Facts::stopped`]).
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = Event<'f>> + ExactSizeIterator + use<'f> {
        let table = *self;
        Places::new(self.facts, self.len()).map(move |i| table.row(i))
    }

    /// Event `i`, which must be less than [`len`](Self::len).
    fn row(&self, i: usize) -> Event<'f> {
        let (start, end) = at(&self.data.rows, i).map_or((0, 0), |row| (row.start, row.end));
        Event { facts: self.facts, data: self.data, row: i, start, end }
    }

    /// Event `i`, if it exists.
    #[must_use]
    pub fn get(&self, i: usize) -> Option<Event<'f>> {
        (i < self.len()).then(|| self.row(i))
    }

    /// The first event.
    #[must_use]
    pub fn first(&self) -> Option<Event<'f>> {
        self.rows().next()
    }

    /// The last event, by start.
    #[must_use]
    pub fn last(&self) -> Option<Event<'f>> {
        self.rows().next_back()
    }

    /// The integers in a field, skipping events without a value.
    pub fn ints<'n>(&self, field: &'n str) -> impl Iterator<Item = i64> + use<'f, 'n> {
        self.rows().filter_map(move |row| row.int(field))
    }

    /// The numbers in a field, integer or floating-point.
    pub fn floats<'n>(&self, field: &'n str) -> impl Iterator<Item = f64> + use<'f, 'n> {
        self.rows().filter_map(move |row| row.float(field))
    }

    /// The texts in a field.
    pub fn texts<'n>(&self, field: &'n str) -> impl Iterator<Item = &'f str> + use<'f, 'n> {
        self.rows().filter_map(move |row| row.text(field))
    }
}

/// An event in a [`Table`]. Fields have the names that the rule used to request them. A field that was not
/// requested, or that the event does not have, is `None`.
#[derive(Debug, Clone, Copy)]
pub struct Event<'f> {
    facts: &'f Facts,
    data: &'f TableData,
    row: usize,
    /// Start in nanoseconds since the Unix epoch.
    pub start: i64,
    /// End in nanoseconds since the Unix epoch; equal to the start for events without a duration.
    pub end: i64,
}

impl<'f> Event<'f> {
    /// Duration in nanoseconds.
    #[must_use]
    pub fn nanos(&self) -> i64 {
        self.end.saturating_sub(self.start)
    }

    /// A field.
    #[must_use]
    pub fn cell(&self, field: &str) -> Cell {
        let place = self.data.fields.position(field);
        debug_assert!(place.is_some(), "the rule does not request the field {field}, only {:?}", self.data.fields);
        place.map_or(Cell::Null, |place| self.data.cell(self.row, place))
    }

    /// An integer: nanoseconds for times, bytes for sizes.
    #[must_use]
    pub fn int(&self, field: &str) -> Option<i64> {
        self.cell(field).int()
    }

    /// A number, integer or floating-point.
    #[must_use]
    pub fn float(&self, field: &str) -> Option<f64> {
        self.cell(field).float()
    }

    /// A boolean.
    #[must_use]
    pub fn flag(&self, field: &str) -> Option<bool> {
        self.int(field).map(|v| v != 0)
    }

    /// A text, or the name of a referenced object.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&'f str> {
        self.cell(field).text().map(|id| self.facts.str(id))
    }

    /// The thread in a field.
    #[must_use]
    pub fn thread(&self, field: &str) -> Option<&'f super::ThreadInfo> {
        self.cell(field).thread().map(|id| self.facts.thread(id))
    }

    /// The stack trace.
    #[must_use]
    pub fn stack(&self) -> Option<StackId> {
        self.cell("stackTrace").stack()
    }
}

impl Timed for Event<'_> {
    fn start(&self) -> i64 {
        self.start
    }
    fn end(&self) -> i64 {
        self.end
    }
}
