//! Profile samples, one row per event. The values are those that [`collect`] adds up, so their sums match the profiles.

use std::collections::BTreeMap;

use jfr_analyzers::{LabelKey, Options, collect};
use jfr_parse::{Chunk, Content, Plan, RawEvent, Recording, TimeUnit, Type};
use jfrkit_profile::{LabelValue, Profile, ProfileSet, ProfileType};

use crate::error::Result;
use crate::flat::Rows;
use crate::recording::Selection;
use crate::schema::{Column, Shape, is_trace};
use crate::stacks::{ChunkStacks, StackPlans, StackTables};

/// The sample columns of a profile type, without the recording's id.
#[must_use]
pub fn sample_columns(kind: ProfileType) -> Vec<Column> {
    let long = Shape::Int { bits: 64, signed: true };
    let text = |name: &str| Column::new(name, Shape::Text);
    let mut columns = vec![
        Column::new("recording", long.clone()),
        Column::new("startTime", Shape::Instant),
        Column::new("duration", Shape::Length),
        text("thread"),
        Column::new("threadId", long.clone()),
        text("state"),
        Column::new("stack", Shape::Stack),
        text("class"),
        text("path"),
        text("host"),
        Column::new("port", long.clone()),
        Column::new("spanId", long.clone()),
        Column::new("localRootSpanId", long.clone()),
        text("traceEndpoint"),
    ];
    for value in kind.values() {
        columns.push(Column::new(&value.name.replace('-', "_"), long.clone()).unit(value.unit));
    }
    let unit = kind.values().last().map_or("count", |value| value.unit);
    columns.push(Column::new("weight", long).unit(unit));
    columns
}

/// Columns before the value columns.
const VALUES: usize = 14;

/// The sample labels, in column order from the fourth column on; the stack is among them.
const LABELS: [(usize, LabelKey); 10] = [
    (3, LabelKey::Thread),
    (4, LabelKey::ThreadId),
    (5, LabelKey::State),
    (7, LabelKey::Class),
    (8, LabelKey::Path),
    (9, LabelKey::Host),
    (10, LabelKey::Port),
    (11, LabelKey::SpanId),
    (12, LabelKey::LocalRootSpanId),
    (13, LabelKey::TraceEndpoint),
];

/// Rows to pass on at a time.
const ROWS: usize = 1 << 16;

/// Reads the profile samples of a recording and returns warnings.
///
/// # Errors
/// Errors of [`collect`], and of `take`, which receives the rows of a profile type.
pub(crate) fn read_samples(
    recording: &Recording<'_>,
    types: &[ProfileType],
    selection: &Selection,
    stacks: &mut StackTables,
    take: &mut dyn FnMut(ProfileType, &mut Rows) -> Result<()>,
) -> Result<Vec<String>> {
    let mut options = Options::default();
    options.types = types.to_vec();
    options.labels = LabelKey::ALL.into_iter().chain([LabelKey::Event]).collect();
    options.raw_names = selection.raw_names;
    if let Some(range) = &selection.range {
        options.filter.from_nanos = Some(range.start).filter(|from| *from > i64::MIN);
        options.filter.to_nanos = Some(range.end).filter(|to| *to < i64::MAX);
    }
    let set = collect(recording, &options)?;
    let mut places: Vec<Places<'_>> = set.profiles.iter().map(|profile| Places::new(profile, &set)).collect();
    let rower = Rower { set: &set, id: selection.recording.unwrap_or(0) };
    for chunk in recording.chunks() {
        recording.stop().check()?;
        // An unreadable chunk has no samples.
        let Ok(chunk) = chunk else { continue };
        let end = chunk.offset().saturating_add(chunk.bytes().len() as u64);
        if places.iter().all(|places| places.next().is_none_or(|event| event >= end)) {
            continue;
        }
        let plans = StackPlans::new(&chunk);
        let of_chunk = ChunkStacks::new(&chunk, chunk.pools(), plans.as_ref(), selection.raw_names);
        let mut events: BTreeMap<u64, Option<EventPlan>> = BTreeMap::new();
        for of in &mut places {
            let mut rows = Rows::new(sample_columns(of.profile.kind));
            let mut keys = Vec::new();
            while let Some(event) = of.next().filter(|event| *event < end) {
                rower.row(&chunk, &mut events, event, of, &of_chunk, &mut keys, &mut rows);
                of.at += 1;
                if rows.len() >= ROWS {
                    stacks.add(&of_chunk, &std::mem::take(&mut keys));
                    take(of.profile.kind, &mut rows)?;
                }
            }
            if rows.len() > 0 {
                stacks.add(&of_chunk, &keys);
                take(of.profile.kind, &mut rows)?;
            }
        }
    }
    Ok(set.warnings.clone())
}

/// The samples of a profile in file order.
struct Places<'p> {
    profile: &'p Profile,
    /// The event's offset, and the sample's number.
    order: Vec<(u64, usize)>,
    at: usize,
}

impl<'p> Places<'p> {
    fn new(profile: &'p Profile, set: &ProfileSet) -> Self {
        let event = LabelKey::Event.name();
        let place = |(i, labels)| {
            let labels = set.tables.labels(labels);
            labels.iter().rev().find_map(|label| match label.value {
                LabelValue::Number(at) if label.key == event => Some((at.cast_unsigned(), i)),
                _ => None,
            })
        };
        let mut order: Vec<(u64, usize)> =
            profile.samples.iter().map(|sample| sample.labels).enumerate().filter_map(place).collect();
        order.sort_unstable();
        Self { profile, order, at: 0 }
    }

    fn next(&self) -> Option<u64> {
        self.order.get(self.at).map(|(event, _)| *event)
    }
}

/// How to read the event fields that profiles do not keep.
struct EventPlan {
    /// `startTime`, `duration`, `stackTrace`.
    plan: Plan<3>,
    start: Option<TimeUnit>,
    duration: Option<TimeUnit>,
    has_stack: bool,
}

impl EventPlan {
    fn new(chunk: &Chunk<'_>, of: Type<'_>) -> Option<Self> {
        let plan = chunk.plan(of, ["startTime", "duration", "stackTrace"]).ok()?;
        let start = match of.field("startTime").and_then(|f| f.content()) {
            Some(Content::Timestamp(unit)) => Some(unit),
            _ => None,
        };
        let duration = match of.field("duration").and_then(|f| f.content()) {
            Some(Content::Timespan(unit)) => Some(unit),
            _ => None,
        };
        let trace = of.field("stackTrace").and_then(|f| f.value_type());
        Some(Self { plan, start, duration, has_stack: trace.is_some_and(is_trace) })
    }
}

/// Builds the rows of samples.
struct Rower<'s> {
    set: &'s ProfileSet,
    id: i64,
}

impl Rower<'_> {
    #[expect(clippy::too_many_arguments, reason = "what a row is made of")]
    fn row(
        &self,
        chunk: &Chunk<'_>,
        plans: &mut BTreeMap<u64, Option<EventPlan>>,
        offset: u64,
        of: &Places<'_>,
        stacks: &ChunkStacks<'_, '_>,
        keys: &mut Vec<u64>,
        rows: &mut Rows,
    ) {
        let place = usize::try_from(offset.saturating_sub(chunk.offset())).unwrap_or(usize::MAX);
        let Some(event): Option<RawEvent<'_>> = chunk.event_at(place) else { return };
        let plan = plans.entry(event.type_id).or_insert_with(|| {
            let of = chunk.metadata().by_id(event.type_id)?;
            EventPlan::new(chunk, of)
        });
        let Some(sample) = of.order.get(of.at).and_then(|(_, i)| of.profile.samples.get(*i)) else { return };
        let row = plan.as_ref().and_then(|plan| Some((plan, plan.plan.read(event.payload).ok()?)));
        let clock = chunk.clock();
        let start = row.as_ref().and_then(|(plan, row)| clock.instant(row.i64(0), plan.start?));
        let duration = row.as_ref().and_then(|(plan, row)| clock.length(row.i64(1), plan.duration?));
        let stack = row.as_ref().filter(|(plan, _)| plan.has_stack).and_then(|(_, row)| {
            let key = row.u64(2);
            let id = stacks.ids(&[key]).pop().flatten();
            if id.is_some() && keys.last() != Some(&key) {
                keys.push(key);
            }
            id
        });
        rows.int(0, Some(self.id));
        rows.int(1, start);
        rows.int(2, duration);
        rows.int(6, stack);
        let labels = self.set.tables.labels(sample.labels);
        for (i, key) in LABELS {
            let value = labels.iter().find(|label| label.key == key.name()).map(|label| label.value);
            match key {
                LabelKey::ThreadId | LabelKey::Port | LabelKey::SpanId | LabelKey::LocalRootSpanId => {
                    rows.int(i, value.and_then(|value| if let LabelValue::Number(n) = value { Some(n) } else { None }));
                }
                _ => rows.text(
                    i,
                    value.and_then(|value| match value {
                        LabelValue::Text(text) => Some(self.set.tables.str(text)),
                        LabelValue::Number(_) => None,
                    }),
                ),
            }
        }
        // A recording may not have the last value, like the size of live objects before JDK 21.
        let values = of.profile.kind.values().len();
        for i in 0..values {
            rows.int(VALUES + i, sample.values.get(i).copied());
        }
        rows.int(VALUES + values, values.checked_sub(1).and_then(|last| sample.values.get(last)).copied());
    }
}
