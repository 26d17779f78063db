//! Profile samples, one row per event. The values are those that [`collect`](jfr_analyzers::collect()) adds up, so their sums
//! match the profiles.

use std::sync::Arc;

use arrow_array::types::{DurationNanosecondType, Int64Type, TimestampNanosecondType};
use arrow_array::{ArrayRef, PrimitiveArray, RecordBatch};
use arrow_schema::{ArrowError, Schema};
use hashbrown::HashMap;
use jfr_analyzers::{ChunkSamples, LabelKey, Options, SampleEvent, SampleLabel, samples};
use jfr_parse::{Chunk, ConstantKey, Recording};
use jfrkit_profile::{LabelSetId, ProfileType};
use parking_lot::Mutex;

use crate::column::{dictionary, strings};
use crate::error::Result;
use crate::recording::Selection;
use crate::schema::{Column, Shape, arrow_fields};
use crate::stacks::{ChunkStacks, Memo, StackPlans, StackTables};

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

/// Where the values of a column after the first three come from.
enum Of {
    Text(LabelKey),
    Number(LabelKey),
    Stack,
}

/// The columns from the fourth on, before the values.
const LABELS: [Of; 11] = [
    Of::Text(LabelKey::Thread),
    Of::Number(LabelKey::ThreadId),
    Of::Text(LabelKey::State),
    Of::Stack,
    Of::Text(LabelKey::Class),
    Of::Text(LabelKey::Path),
    Of::Text(LabelKey::Host),
    Of::Number(LabelKey::Port),
    Of::Number(LabelKey::SpanId),
    Of::Number(LabelKey::LocalRootSpanId),
    Of::Text(LabelKey::TraceEndpoint),
];

/// Rows to pass on at a time.
const ROWS: usize = 1 << 16;

/// The rows of a chunk and profile type.
struct Made {
    batches: std::result::Result<Vec<RecordBatch>, ArrowError>,
    /// The keys of their stacks, and what was found out about them.
    stacks: Option<(Vec<ConstantKey>, Arc<Mutex<Memo>>)>,
}

/// Reads the profile samples of a recording and returns warnings.
///
/// # Errors
/// Errors of [`samples`], and of `take`, which receives the rows of a profile type.
pub(crate) fn read_samples(
    recording: &Recording<'_>,
    types: &[ProfileType],
    selection: &Selection,
    stacks: &mut StackTables,
    take: &mut (dyn FnMut(ProfileType, RecordBatch) -> Result<()> + Send),
) -> Result<Vec<String>> {
    let mut options = Options::default();
    options.types = types.to_vec();
    options.labels = LabelKey::ALL.to_vec();
    options.raw_names = selection.raw_names;
    options.filter.range = selection.range;
    let with_stacks = stacks.are_wanted();
    let make = |chunk: &Chunk<'_>, all: &[ChunkSamples<'_>]| {
        let plans = StackPlans::new(chunk);
        let of_chunk = ChunkStacks::new(chunk, chunk.pools(), plans.as_ref(), selection.raw_names);
        let batches: Vec<_> = all.iter().map(|samples| batches(samples, &of_chunk, selection)).collect();
        let memo = Arc::new(Mutex::new(of_chunk.into_memo()));
        let keys = |samples: &ChunkSamples<'_>| samples.events.iter().map(|event| event.stack).collect();
        let made = |(batches, samples)| Made { batches, stacks: with_stacks.then(|| (keys(samples), memo.clone())) };
        batches.into_iter().zip(all).map(made).collect()
    };
    let mut failed = None;
    let warnings = samples(recording, &options, make, |kind, made| {
        if failed.is_some() {
            return;
        }
        let give = || {
            if let Some((keys, memo)) = made.stacks {
                stacks.add(&mut memo.lock(), &keys);
            }
            made.batches?.into_iter().try_for_each(|batch| take(kind, batch))
        };
        failed = give().err();
        if failed.is_some() {
            options.stop.raise();
        }
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(warnings?),
    }
}

/// The rows of a chunk's samples.
fn batches(
    samples: &ChunkSamples<'_>,
    stacks: &ChunkStacks<'_, '_>,
    selection: &Selection,
) -> std::result::Result<Vec<RecordBatch>, ArrowError> {
    let columns = sample_columns(samples.kind);
    let schema = Arc::new(Schema::new(arrow_fields(&columns, true)));
    let id = selection.recording.unwrap_or(0);
    let batch = |events: &[SampleEvent]| RecordBatch::try_new(schema.clone(), arrays(samples, events, stacks, id)?);
    samples.events.chunks(ROWS).map(batch).collect()
}

fn arrays(
    samples: &ChunkSamples<'_>,
    events: &[SampleEvent],
    stacks: &ChunkStacks<'_, '_>,
    id: i64,
) -> std::result::Result<Vec<ArrayRef>, ArrowError> {
    let labels = Labels::new(samples, events);
    let starts = events.iter().map(|event| Some(event.start?.0)).collect::<PrimitiveArray<TimestampNanosecondType>>();
    let durations =
        events.iter().map(|event| Some(event.duration?.0)).collect::<PrimitiveArray<DurationNanosecondType>>();
    let keys: Vec<ConstantKey> = events.iter().map(|event| event.stack).collect();
    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(PrimitiveArray::<Int64Type>::from_value(id, events.len())),
        Arc::new(starts.with_timezone("UTC")),
        Arc::new(durations),
    ];
    for of in LABELS {
        arrays.push(match of {
            Of::Text(key) => labels.texts(key)?,
            Of::Number(key) => labels.numbers(key),
            Of::Stack => Arc::new(stacks.ids(&keys).into_iter().collect::<PrimitiveArray<Int64Type>>()),
        });
    }
    let values = samples.kind.values().len();
    for i in (0..values).chain(values.checked_sub(1)) {
        let value = |event: &SampleEvent| event.values.get(i).copied();
        // JDK 17 and before do not record sizes of live objects.
        let is_size = samples.kind == ProfileType::Live && i > 0;
        arrays.push(if is_size {
            Arc::new(events.iter().map(|event| value(event).filter(|n| *n != 0)).collect::<PrimitiveArray<Int64Type>>())
        } else {
            let values = events.iter().map(|event| value(event).unwrap_or(0));
            Arc::new(PrimitiveArray::<Int64Type>::from_iter_values(values))
        });
    }
    Ok(arrays)
}

/// The labels of rows. Each set is looked up once.
struct Labels {
    /// For each row, the number of its set.
    rows: Vec<u32>,
    sets: Vec<Vec<(&'static str, SampleLabel)>>,
}

impl Labels {
    fn new(samples: &ChunkSamples<'_>, events: &[SampleEvent]) -> Self {
        let mut numbers: HashMap<LabelSetId, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut last = None;
        let mut sets = Vec::new();
        let number = |event: &SampleEvent| {
            if let Some((set, number)) = last
                && set == event.labels
            {
                return number;
            }
            let number = *numbers.entry(event.labels).or_insert_with(|| {
                sets.push(samples.labels(event.labels));
                u32::try_from(sets.len() - 1).unwrap_or(u32::MAX)
            });
            last = Some((event.labels, number));
            number
        };
        let rows = events.iter().map(number).collect();
        Self { rows, sets }
    }

    fn value<'l>(of: &'l [(&'static str, SampleLabel)], key: LabelKey) -> Option<&'l SampleLabel> {
        of.iter().find(|(name, _)| *name == key.name()).map(|(_, value)| value)
    }

    fn texts(&self, key: LabelKey) -> std::result::Result<ArrayRef, ArrowError> {
        let mut numbers: HashMap<Option<&str>, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut texts: Vec<Option<&str>> = Vec::new();
        let of_sets: Vec<u32> = self
            .sets
            .iter()
            .map(|set| {
                let text = match Self::value(set, key) {
                    Some(SampleLabel::Text(text)) => Some(text.as_str()),
                    _ => None,
                };
                *numbers.entry(text).or_insert_with(|| {
                    texts.push(text);
                    u32::try_from(texts.len() - 1).unwrap_or(u32::MAX)
                })
            })
            .collect();
        let row = |set: &u32| of_sets.get(*set as usize).copied().unwrap_or(0);
        dictionary(strings(texts.into_iter())?, Some(self.rows.iter().map(row).collect()))
    }

    fn numbers(&self, key: LabelKey) -> ArrayRef {
        let of_set = |set: &Vec<_>| match Self::value(set, key) {
            Some(SampleLabel::Number(number)) => Some(*number),
            _ => None,
        };
        let of_sets: Vec<Option<i64>> = self.sets.iter().map(of_set).collect();
        let row = |set: &u32| of_sets.get(*set as usize).copied().flatten();
        Arc::new(self.rows.iter().map(row).collect::<PrimitiveArray<Int64Type>>())
    }
}
