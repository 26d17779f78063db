//! Builds the rows of a chunk from its events, and the rows of the recording from those.

use std::cmp::Ordering;
use std::hash::BuildHasher;

use hashbrown::HashTable;
use jfr_parse::{Chunk, Content, EpochNanos, RawEvent, Row, Type};
use regex::Regex;

use super::answer::{Answer, AnswerColumn, Answers, Shape};
use super::bind::{Builder, Context, Meta, Reading, SLOTS, Tap};
use super::catalog::View;
use super::constants::Own;
use super::query::{Column, Compiled, Mode};
use super::state::{From, State};
use super::syntax::{Aggregate, CellFormat, FieldRef, Source};
use super::value::{NameId, Names, Val, renumbered};
use crate::engine::reachable::Reachable;
use crate::engine::type_map::TypeMap;
use crate::hash::{HashMap, Hasher};
use crate::time_range::TimeRange;
use jfrkit_profile::index::{IndexVec, at, at_mut, range, range_mut};

/// Selects which events count.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Filter {
    /// Only events that begin in this time range.
    pub range: TimeRange,
    /// Only events of threads with a matching name.
    pub thread: Option<Regex>,
    /// What counts as the user's own code.
    pub own: Own,
}

/// Views that are answered together, in one pass over a recording.
///
/// Chunks are processed independently: [`read`](Self::read) creates a [`Part`] from each, on any thread, and
/// [`Merged::add`] takes the parts in file order.
#[derive(Debug, Clone)]
pub struct ViewSet {
    queries: Vec<Compiled>,
    filter: Filter,
}

/// The contribution of one chunk to the answers.
#[derive(Debug)]
pub struct Part {
    names: Names,
    views: Vec<Rows>,
}

/// The merged contributions of the chunks so far.
#[derive(Debug)]
pub struct Merged {
    queries: Vec<Compiled>,
    names: Names,
    views: Vec<Rows>,
    chunks: u32,
}

/// The rows of one view.
#[derive(Debug, Default)]
struct Rows {
    metas: Vec<Meta>,
    /// The columns of `SELECT *`.
    star: Vec<Column>,
    /// For rows that are events: the values, one per column.
    events: Vec<Val>,
    groups: Groups,
    /// End of the latest event of each source.
    last_end: Vec<Option<i64>>,
    /// The event types of the view that are declared.
    declared: Vec<String>,
    /// The fields in the query that one of those types has.
    located: Vec<String>,
    /// The number of events that counted.
    seen: u64,
}

/// Rows by key.
#[derive(Debug, Default)]
struct Groups {
    table: HashTable<u32>,
    hasher: Hasher,
    keys: Vec<Val>,
    states: Vec<State>,
    /// For each group, its first chunk, and the end of its first event there.
    first: Vec<(u32, i64)>,
    len: usize,
}

impl Groups {
    /// The index of the group with this key.
    #[inline]
    fn find(&mut self, key: &[Val], columns: usize, at: (u32, i64)) -> u32 {
        let Self { table, hasher, keys, states, first, len } = self;
        let width = key.len();
        let of = |n: u32| range(keys, n as usize * width..(n as usize + 1) * width);
        let hash = |key: &[Val]| {
            let mut hash = 0u64;
            for value in key {
                hash = hasher.hash_one((hash, value.bits()));
            }
            hash
        };
        let own = hash(key);
        let same = |&n: &u32| of(n).iter().zip(key).all(|(a, b)| a.bits() == b.bits());
        if let Some(&found) = table.find(own, same) {
            if let Some(first) = at_mut(first, found as usize) {
                *first = (*first).min(at);
            }
            return found;
        }
        let new = u32::try_from(*len).unwrap_or(u32::MAX);
        table.insert_unique(own, new, |&n| hash(of(n)));
        keys.extend_from_slice(key);
        first.push(at);
        states.resize_with(states.len() + columns, State::default);
        *len += 1;
        new
    }

    #[inline]
    fn states(&mut self, group: u32, columns: usize) -> &mut [State] {
        let start = group as usize * columns;
        range_mut(&mut self.states, start..start + columns)
    }
}

/// Minimum number of event rows to keep before sorting them and discarding those beyond the limit.
const PRUNE: usize = 1 << 12;

impl ViewSet {
    /// Creates a set of views over the events that pass `filter`.
    pub fn new<'v>(views: impl IntoIterator<Item = &'v View>, filter: Filter) -> Self {
        Self { queries: views.into_iter().map(Compiled::new).collect(), filter }
    }

    /// Starts merging parts.
    #[must_use]
    pub fn merge(&self) -> Merged {
        let views = self.queries.iter().map(Rows::new).collect();
        Merged { queries: self.queries.clone(), names: Names::default(), views, chunks: 0 }
    }

    /// Whether the views need events of this type.
    pub(crate) fn needs(&self, of: Type<'_>) -> bool {
        let name = of.canonical_name();
        self.queries.iter().any(|query| query.from.iter().any(|from| from.is(&name)))
    }

    /// Reads the events of a chunk that the views need.
    #[must_use]
    pub fn read(&self, chunk: &Chunk<'_>) -> Part {
        self.read_events(chunk, chunk.events())
    }

    /// Like [`read`](Self::read), but takes the events of the chunk, in file order. Those that the views do not need may be
    /// missing.
    pub(crate) fn read_events<'a>(&self, chunk: &Chunk<'a>, events: impl Iterator<Item = RawEvent<'a>>) -> Part {
        let lines = self
            .queries
            .iter()
            .flat_map(|query| &query.columns)
            .filter(|column| column.field.path.ends_with("stackTrace"))
            .filter_map(|column| column.format.lines)
            .max();
        let mut context = Context::new(chunk, &self.filter.own, lines.unwrap_or(1).max(1));
        let mut views: Vec<Rows> = self.queries.iter().map(Rows::new).collect();
        let (mut readings, mut by_type) = (Vec::new(), TypeMap::default());
        for of in chunk.metadata().event_types() {
            if let Some(reading) = self.bind(of, &mut context, &mut views) {
                by_type.insert(of.id(), readings.len());
                readings.push(reading);
            }
        }
        let mut constants = Reachable::new(chunk.metadata(), readings.iter().flat_map(|reading| &reading.plans));
        let mut threads: HashMap<(u8, u64), bool> = HashMap::default();
        let mut rows: Vec<Row<'_, SLOTS>> = Vec::new();
        let mut key: Vec<Val> = Vec::new();
        'events: for (i, event) in events.enumerate() {
            if i.is_multiple_of(1 << 12) && chunk.stop().is_raised() {
                break;
            }
            let Some(reading) = by_type.get(event.type_id).and_then(|i: usize| at_mut(&mut readings, i)) else {
                continue;
            };
            constants.index(chunk);
            rows.clear();
            for plan in &reading.plans {
                let mut row = Row::default();
                if event.read_into(plan, &mut row).is_err() {
                    continue 'events;
                }
                rows.push(row);
            }
            let start = reading.start.as_ref().map(|start| context.value(start, &rows));
            if !self.in_range(start) {
                continue;
            }
            if let (Some(wanted), thread) = (&self.filter.thread, &reading.thread) {
                let thread = thread.as_ref().map(|thread| context.value(thread, &rows));
                let Some(thread @ Val::Text(name)) = thread else { continue };
                let matches = threads.entry(thread.bits()).or_insert_with(|| wanted.is_match(context.names.text(name)));
                if !*matches {
                    continue;
                }
            }
            let duration = reading.duration.as_ref().map(|duration| context.value(duration, &rows));
            let end = match (start, duration) {
                (Some(Val::Int(start)), Some(Val::Int(duration))) => start.saturating_add(duration),
                (Some(Val::Int(start)), _) => start,
                _ => 0,
            };
            for tap in &mut reading.taps {
                if let (Some(into), Some(query)) = (at_mut(&mut views, tap.view), at(&self.queries, tap.view)) {
                    into.event(query, tap, end, &mut key, &rows, &mut context);
                }
            }
        }
        for (rows, query) in views.iter_mut().zip(&self.queries) {
            rows.prune(query, &context.names);
        }
        Part { names: context.names, views }
    }

    fn in_range(&self, start: Option<Val>) -> bool {
        let range = self.filter.range;
        range.is_open() || matches!(start, Some(Val::Int(at)) if range.contains(EpochNanos(at)))
    }

    fn bind<'c>(&self, of: Type<'c>, context: &mut Context<'c, '_>, views: &mut [Rows]) -> Option<Reading> {
        let mut builder = Builder::new(context, of);
        let mut taps = Vec::new();
        let name = of.canonical_name();
        for (i, (query, rows)) in self.queries.iter().zip(views).enumerate() {
            let is_source = |from: &Source| from.is(&name);
            if !query.from.iter().any(is_source) {
                continue;
            }
            if query.from.iter().all(|from| from.event != "*") {
                rows.declared.push(name.clone().into_owned());
            }
            if query.star {
                rows.expand(of);
                let columns = rows.star.clone();
                builder.taps(i, query, &columns, &name, &mut rows.metas, &mut taps);
            } else {
                builder.taps(i, query, &query.columns, &name, &mut rows.metas, &mut taps);
            }
            // Only fields that the query reads from this type, because a located field is read from every event.
            for field in query.fields() {
                let mut sources = field.sources.iter().filter_map(|source| at(&query.from, *source));
                let taken = field.sources.is_empty() || sources.any(is_source);
                if taken && !rows.located.contains(&field.path) && builder.field(&field.path).is_some() {
                    rows.located.push(field.path.clone());
                }
            }
        }
        if taps.is_empty() {
            return None;
        }
        let filtered = !self.filter.range.is_open();
        let timed = taps.iter().any(|tap| at(&self.queries, tap.view).is_some_and(Compiled::needs_time));
        let by_thread = self.filter.thread.is_some();
        let mut find =
            |wanted: bool, path: &str| if wanted { builder.field(path).map(|(extract, _)| extract) } else { None };
        let start = find(filtered || timed, "startTime");
        let duration = find(timed, "duration");
        let thread = find(by_thread, "eventThread").or_else(|| find(by_thread, "sampledThread"));
        Some(Reading { plans: builder.plans()?, taps, start, duration, thread })
    }
}

impl Rows {
    fn new(query: &Compiled) -> Self {
        let metas = if query.star { Vec::new() } else { vec![Meta::default(); query.columns.len()] };
        Self { metas, last_end: vec![None; query.from.len()], ..Self::default() }
    }

    fn width(&self, query: &Compiled) -> usize {
        if query.star { self.star.len() } else { query.columns.len() }
    }

    fn columns<'q>(&'q self, query: &'q Compiled) -> &'q [Column] {
        if query.star { &self.star } else { &query.columns }
    }

    /// Adds the fields of a type to the columns of `SELECT *`, with up to two levels of nesting.
    fn expand(&mut self, of: Type<'_>) {
        for field in of.fields() {
            let inner = field.value_type().filter(|_| !field.is_array() && !is_shown_whole(field));
            match inner {
                Some(inner) => {
                    for nested in inner.fields() {
                        self.add_column(format!("{}.{}", field.name(), nested.name()));
                    }
                }
                None => self.add_column(field.name().to_owned()),
            }
        }
    }

    fn add_column(&mut self, path: String) {
        if self.star.iter().any(|column| column.field.path == path) {
            return;
        }
        let field = FieldRef { sources: Vec::new(), path };
        self.star.push(Column { title: None, format: CellFormat::default(), aggregate: None, field });
        self.metas.push(Meta::default());
    }

    /// Adds an event that a tap reads.
    #[inline]
    fn event(
        &mut self,
        query: &Compiled,
        tap: &mut Tap,
        end: i64,
        key: &mut Vec<Val>,
        rows: &[Row<'_, SLOTS>],
        context: &mut Context<'_, '_>,
    ) {
        for (extract, literal) in &tap.conditions {
            let value = context.value(extract, rows);
            if !context.is(value, literal) {
                return;
            }
        }
        self.seen += 1;
        if query.mode == Mode::Event {
            let width = self.width(query);
            let start = self.events.len();
            self.events.resize(start + width, Val::Null);
            for (column, extract) in &tap.columns {
                let value = context.value(extract, rows);
                if let Some(cell) = at_mut(&mut self.events, start + column) {
                    *cell = value;
                }
            }
            if let Some(limit) = query.limit
                && self.events.len() > width * (limit * 4).max(PRUNE)
            {
                self.prune(query, &context.names);
            }
            return;
        }
        let width = query.columns.len();
        let group = match tap.group {
            Some(group) => group,
            None => {
                key.clear();
                key.extend(tap.keys.iter().map(|extract| context.value(extract, rows)));
                let group = self.groups.find(key, width, (0, end));
                tap.group = tap.constant_key.then_some(group);
                group
            }
        };
        let from = From { source: u16::try_from(tap.source).unwrap_or(u16::MAX), end };
        if let Some(last) = at_mut(&mut self.last_end, tap.source) {
            *last = Some(last.map_or(end, |last| last.max(end)));
        }
        for (column, extract) in &tap.columns {
            let value = context.value(extract, rows);
            let names = &context.names;
            let aggregate = at(&query.columns, *column).and_then(|column| column.aggregate);
            if let Some(state) = at_mut(self.groups.states(group, width), *column) {
                state.add(aggregate, value, from, |a, b| compare(names, a, b).is_lt());
            }
        }
    }

    /// Discards event rows beyond the limit, if the rows are sorted.
    fn prune(&mut self, query: &Compiled, names: &Names) {
        let width = self.width(query);
        let Some(limit) = query.limit.filter(|_| query.mode == Mode::Event) else { return };
        if width == 0 || self.events.len() <= limit * width {
            return;
        }
        let directions = self.directions(query);
        let mut rows: Vec<&[Val]> = self.events.chunks_exact(width).collect();
        rows.sort_by(|a, b| by_order(names, &directions, a, b));
        self.events = rows.into_iter().take(limit).flatten().copied().collect();
    }

    /// The columns by which rows are sorted, and whether the order is descending.
    fn directions(&self, query: &Compiled) -> Vec<(usize, bool)> {
        let columns = self.columns(query);
        let falls = |column: usize| {
            let Some((column, meta)) = columns.get(column).zip(self.metas.get(column)) else { return false };
            let shape = Shape::of(meta.content, column.aggregate, column.format.normalized);
            matches!(shape, Shape::Span | Shape::Percent | Shape::Share)
        };
        query.order.iter().map(|&(column, falling)| (column, falling.unwrap_or_else(|| falls(column)))).collect()
    }

    fn merge(&mut self, query: &Compiled, later: Self, chunk: u32, numbers: &IndexVec<NameId, Val>, names: &Names) {
        self.seen += later.seen;
        for name in later.declared {
            if !self.declared.contains(&name) {
                self.declared.push(name);
            }
        }
        for path in later.located {
            if !self.located.contains(&path) {
                self.located.push(path);
            }
        }
        for (last, later) in self.last_end.iter_mut().zip(later.last_end) {
            *last = (*last).max(later);
        }
        // The columns of `SELECT *` may differ between chunks.
        let before = self.star.len();
        let mut places = Vec::new();
        if query.star {
            for column in &later.star {
                self.add_column(column.field.path.clone());
                places.push(self.star.iter().position(|known| known.field.path == column.field.path).unwrap_or(0));
            }
            if before > 0 && self.star.len() > before {
                let old = std::mem::take(&mut self.events);
                for row in old.chunks_exact(before) {
                    self.events
                        .extend(row.iter().copied().chain(std::iter::repeat_n(Val::Null, self.star.len() - before)));
                }
            }
        } else {
            places.extend(0..query.columns.len());
        }
        for (&place, meta) in places.iter().zip(later.metas) {
            if let Some(known) = at_mut(&mut self.metas, place)
                && known.label.is_none()
            {
                *known = meta;
            }
        }
        let width = self.width(query);
        if !places.is_empty() {
            for row in later.events.chunks_exact(places.len()) {
                let start = self.events.len();
                self.events.resize(start + width, Val::Null);
                for (&place, &value) in places.iter().zip(row) {
                    if let Some(cell) = at_mut(&mut self.events, start + place) {
                        *cell = renumbered(value, numbers);
                    }
                }
            }
        }
        if query.mode == Mode::Group && later.groups.len > 0 {
            let keys = later.groups.keys.len() / later.groups.len;
            let mut states = later.groups.states.into_iter();
            let mut key = Vec::new();
            for group in 0..later.groups.len {
                key.clear();
                let old = range(&later.groups.keys, group * keys..(group + 1) * keys);
                key.extend(old.iter().map(|&value| renumbered(value, numbers)));
                let first = at(&later.groups.first, group).map_or(0, |first| first.1);
                let group = self.groups.find(&key, width, (chunk, first));
                let into = self.groups.states(group, width);
                for ((state, later), column) in into.iter_mut().zip(states.by_ref().take(width)).zip(&query.columns) {
                    state.merge(column.aggregate, later, numbers, |a, b| compare(names, a, b).is_lt());
                }
            }
        }
        self.prune(query, names);
    }

    fn finish(mut self, query: &Compiled, names: &mut Names) -> Answer {
        let width = self.width(query);
        let directions = self.directions(query);
        let shapes: Vec<Shape> = self
            .columns(query)
            .iter()
            .zip(&self.metas)
            .map(|(column, meta)| Shape::of(meta.content, column.aggregate, column.format.normalized))
            .collect();
        let mut rows: Vec<Vec<Val>> = Vec::new();
        if query.mode == Mode::Event {
            if width > 0 {
                rows.extend(self.events.chunks_exact(width).map(<[Val]>::to_vec));
            }
        } else {
            let mut states = std::mem::take(&mut self.groups.states).into_iter();
            let mut first = Vec::new();
            for group in 0..self.groups.len {
                let mut row = Vec::with_capacity(width);
                let mut current = true;
                for (column, meta) in query.columns.iter().zip(&self.metas) {
                    let mut state = states.next().unwrap_or_default();
                    if let State::Batch { source, end, .. } = state {
                        current &= at(&self.last_end, usize::from(source)).copied().flatten() == Some(end);
                    }
                    row.push(match (column.aggregate, &mut state) {
                        (Some(Aggregate::List | Aggregate::Set), State::Values(values)) => {
                            joined(names, values, column.aggregate == Some(Aggregate::Set))
                        }
                        _ => state.finish(column.aggregate, matches!(meta.content, Some(Content::Timestamp(_)))),
                    });
                }
                if current {
                    rows.push(row);
                    first.push(at(&self.groups.first, group).copied().unwrap_or_default());
                }
            }
            // Rows that compare equal stay in chronological order.
            let mut timed: Vec<_> = first.into_iter().zip(rows).collect();
            timed.sort_by_key(|(first, _)| *first);
            rows = timed.into_iter().map(|(_, row)| row).collect();
        }
        rows.sort_by(|a, b| by_order(names, &directions, a, b));
        for (i, column) in self.columns(query).iter().enumerate() {
            if column.format.normalized {
                normalize(&mut rows, i);
            }
        }
        rows.truncate(query.limit.unwrap_or(usize::MAX));
        let shown = if query.star { width } else { query.shown };
        for row in &mut rows {
            row.truncate(shown);
        }
        let columns = self
            .columns(query)
            .iter()
            .zip(&self.metas)
            .zip(shapes)
            .take(shown)
            .map(|((column, meta), shape)| AnswerColumn {
                title: column.title.clone().unwrap_or_else(|| title(column, meta)),
                shape,
                format: column.format.clone(),
                is_number: matches!(column.aggregate, Some(Aggregate::Count | Aggregate::Unique))
                    || shape != Shape::Plain,
            })
            .collect();
        let from = query.from.iter().map(|source| source.event.clone()).collect();
        let mut unknown: Vec<String> = Vec::new();
        let paths = query.fields().map(|field| &field.path);
        for path in paths.filter(|path| !self.declared.is_empty() && !self.located.contains(path)) {
            if !unknown.contains(path) {
                unknown.push(path.clone());
            }
        }
        let mut answer = Answer::new(query.name.clone(), query.title.clone(), query.kind, columns, rows);
        answer.unknown_fields = unknown;
        answer.with_sources(from, self.declared, self.seen)
    }
}

/// Whether a field is shown as one cell, instead of one for each of its own fields.
fn is_shown_whole(field: jfr_parse::Field<'_>) -> bool {
    let Some(of) = field.value_type() else { return true };
    let name = of.canonical_name();
    let known = [
        "java.lang.Thread",
        "java.lang.Class",
        "jdk.types.ClassLoader",
        "jdk.types.Method",
        "jdk.types.StackTrace",
        "jdk.types.StackFrame",
        "jdk.types.OldObject",
        "jdk.types.Module",
        "jdk.types.Package",
    ];
    of.kind() != jfr_parse::Kind::Struct || of.fields().len() < 2 || known.contains(&&*name)
}

fn joined(names: &mut Names, values: &[Val], distinct: bool) -> Val {
    let mut texts: Vec<String> = Vec::new();
    for value in values {
        let text = match *value {
            Val::Text(n) => names.text(n).to_owned(),
            other => super::constants::plain(other),
        };
        if !distinct || !texts.contains(&text) {
            texts.push(text);
        }
    }
    names.plain(&texts.join(", "))
}

/// Converts each value to its share of the sum.
fn normalize(rows: &mut [Vec<Val>], column: usize) {
    let sum: f64 = rows.iter().filter_map(|row| row.get(column)?.number()).sum();
    for row in rows {
        if let Some(cell) = row.get_mut(column)
            && let Some(number) = cell.number()
        {
            *cell = Val::Float(if sum == 0.0 { 0.0 } else { number / sum });
        }
    }
}

/// The title of a column for which the query does not specify one.
fn title(column: &Column, meta: &Meta) -> String {
    let label = meta.label.clone().unwrap_or_else(|| column.field.path.clone());
    let prefix = match column.aggregate {
        Some(Aggregate::Count) => return "Count".to_owned(),
        Some(Aggregate::Average) => "Avg.".to_owned(),
        Some(Aggregate::Maximum) => "Max.".to_owned(),
        Some(Aggregate::Minimum) => "Min.".to_owned(),
        Some(Aggregate::Sum) => "Total".to_owned(),
        Some(Aggregate::Difference) => "Difference".to_owned(),
        Some(Aggregate::Unique) => "Unique Count".to_owned(),
        Some(Aggregate::StandardDeviation) => "Std. Dev.".to_owned(),
        Some(Aggregate::Percentile(500)) => "Median".to_owned(),
        Some(Aggregate::Percentile(999)) => "P99.9".to_owned(),
        Some(Aggregate::Percentile(thousandths)) => format!("P{}", thousandths / 10),
        None | Some(Aggregate::First | Aggregate::Last | Aggregate::LastBatch | Aggregate::List | Aggregate::Set) => {
            return label;
        }
    };
    format!("{prefix} {label}")
}

fn by_order(names: &Names, order: &[(usize, bool)], a: &[Val], b: &[Val]) -> Ordering {
    for &(column, falling) in order {
        let value = |row: &[Val]| row.get(column).copied().unwrap_or_default();
        let found = compare(names, value(a), value(b));
        let found = if falling { found.reverse() } else { found };
        if found.is_ne() {
            return found;
        }
    }
    Ordering::Equal
}

/// Orders missing values first, then numbers, then texts.
fn compare(names: &Names, a: Val, b: Val) -> Ordering {
    match (a, b) {
        (Val::Text(a), Val::Text(b)) => names.text(a).cmp(names.text(b)),
        (Val::Bool(a), Val::Bool(b)) => a.cmp(&b),
        _ => match (a.whole(), b.whole()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => match (a.number(), b.number()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                _ => a.bits().0.cmp(&b.bits().0),
            },
        },
    }
}

impl Merged {
    /// Adds the contribution of the next chunk in the file.
    pub fn add(&mut self, part: Part) {
        let numbers = self.names.absorb(part.names);
        self.chunks += 1;
        for ((rows, later), query) in self.views.iter_mut().zip(part.views).zip(&self.queries) {
            rows.merge(query, later, self.chunks, &numbers, &self.names);
        }
    }

    /// The answers, in the order of the views.
    #[must_use]
    pub fn finish(self) -> Answers {
        let Self { queries, mut names, views, .. } = self;
        let answers = views.into_iter().zip(&queries).map(|(rows, query)| rows.finish(query, &mut names)).collect();
        Answers::new(names, answers)
    }
}
