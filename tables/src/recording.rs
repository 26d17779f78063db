//! From a recording to batches of rows, in file order.
//!
//! Parts of a chunk are read in parallel, each into its own columns. The results are passed on in file order, so they do not
//! depend on the number of threads, and before much more is read, so memory is bounded.

use jfr_analyzers::TimeRange;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, PrimitiveArray, RecordBatch};
use arrow_schema::Schema;
use hashbrown::HashMap;
use jfr_parse::{
    CHECKPOINT, Chunk, ConstantKey, Content, Cursor, Damage, EpochNanos, Loss, METADATA, Metadata, Plan, RawEvent,
    Recording, TimeUnit, Type, TypeId,
};
use parking_lot::Mutex;
use rayon::prelude::*;

use crate::column::{Col, Finishing, group};
use crate::error::{Error, Result};
use crate::mask;
use crate::read::{Compiler, Node, Reading};
use crate::schema::{Column, Shape, arrow_fields, join_columns};
use crate::stacks::{ChunkStacks, StackPlans, StackTables};

type Hasher = foldhash::fast::RandomState;

/// Bytes of a chunk that a thread reads at a time.
const SEGMENT: usize = 2 << 20;

/// Decides whether to read an event type.
pub type WantsType = dyn Fn(Type<'_>) -> bool + Send + Sync;

/// Which events to read, and how.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Selection {
    /// Decides whether to read an event type; by default all are read.
    pub types: Option<Arc<WantsType>>,
    /// The names of the columns to read, in this order; by default all.
    pub columns: Option<Vec<String>>,
    /// Only events that start within this range. Unless it is open at both ends, events without a time are skipped.
    pub range: TimeRange,
    /// Keep class and method names as recorded, instead of normalizing the parts that vary between runs.
    pub raw_names: bool,
    /// Do not mask values that may be passwords, keys or tokens.
    pub show_secrets: bool,
    /// Add this recording id to the rows.
    pub recording: Option<i64>,
}

impl std::fmt::Debug for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Selection").field("columns", &self.columns).field("range", &self.range).finish_non_exhaustive()
    }
}

impl Selection {
    fn wants(&self, of: Type<'_>) -> bool {
        self.types.as_ref().is_none_or(|wants| wants(of))
    }
}

/// The columns of event types, merged across recordings.
///
/// Event types have their current JDK names; recordings of Oracle JDK 8 use others.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    types: BTreeMap<String, Vec<Column>>,
    conflicts: Vec<String>,
}

impl Schemas {
    /// Adds the event types of a recording; unreadable chunks are skipped.
    pub fn add(&mut self, recording: &Recording<'_>, selection: &Selection) {
        let mut last: Option<Arc<Metadata>> = None;
        for chunk in recording.chunks().flatten() {
            if last.as_ref().is_some_and(|last| Arc::ptr_eq(last, chunk.shared_metadata())) {
                continue;
            }
            for of in chunk.metadata().event_types().filter(|of| selection.wants(*of)) {
                self.add_type(of, selection);
            }
            last = Some(chunk.shared_metadata().clone());
        }
    }

    fn add_type(&mut self, of: Type<'_>, selection: &Selection) {
        let name = of.canonical_name();
        let (mut columns, cut) = Column::of_event(of);
        if let Some(wanted) = &selection.columns {
            columns.retain(|column| wanted.contains(&column.name));
            columns.sort_by_key(|column| wanted.iter().position(|name| *name == column.name));
        }
        let mut conflicts = Vec::new();
        match self.types.get_mut(&*name) {
            Some(known) => join_columns(known, &columns, "", &mut conflicts),
            None => {
                self.types.insert(name.to_string(), columns);
            }
        }
        if cut {
            self.report(format!("{name}: too many nested fields; some are left out"));
        }
        for field in conflicts {
            self.report(format!(
                "{name}.{field}: its type differs between recordings; it is null where it differs from the first"
            ));
        }
    }

    fn report(&mut self, line: String) {
        if !self.conflicts.contains(&line) {
            self.conflicts.push(line);
        }
    }

    /// Fields whose types conflict between recordings, one line each.
    #[must_use]
    pub fn conflicts(&self) -> &[String] {
        &self.conflicts
    }

    /// The columns of an event type.
    #[must_use]
    pub fn columns(&self, name: &str) -> Option<&[Column]> {
        self.types.get(name).map(Vec::as_slice)
    }

    /// The names of all event types.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// The schema of the table of an event type.
    #[must_use]
    pub fn arrow(&self, name: &str, with_recording: bool) -> Option<Schema> {
        let columns = self.types.get(name)?;
        Some(Schema::new(arrow_fields(&with_id(columns, with_recording), true)))
    }
}

/// The columns, with the recording's id if requested. An event field of the same name is renamed.
pub(crate) fn with_id(columns: &[Column], with_recording: bool) -> Vec<Column> {
    if !with_recording {
        return columns.to_vec();
    }
    let id = Column::new(RECORDING, Shape::Int { bits: 64, signed: true });
    let mut all: Vec<Column> = std::iter::once(id).chain(columns.iter().cloned()).collect();
    if columns.iter().any(|column| column.name == RECORDING) {
        let mut name = format!("{RECORDING}_");
        while columns.iter().any(|column| column.name == name) {
            name.push('_');
        }
        let clash = all.iter_mut().skip(1).find(|column| column.name == RECORDING);
        clash.into_iter().for_each(|column| column.name.clone_from(&name));
    }
    all
}

/// The column with the recording's id.
const RECORDING: &str = "recording";

/// How to read the events of a type.
struct TypePlan {
    name: Arc<str>,
    node: Node,
    start: Option<(Plan<1>, TimeUnit)>,
    schema: Arc<Schema>,
    columns: Vec<Column>,
}

/// The only field of [`TypePlan::start`].
const START: jfr_parse::Column<i64> = jfr_parse::Column::at(0);

/// How to read the chunks with the same metadata.
struct ChunkPlans {
    types: Vec<TypePlan>,
    by_id: HashMap<TypeId, usize, Hasher>,
    stacks: Option<StackPlans>,
    unreadable: Vec<String>,
}

impl ChunkPlans {
    fn new(chunk: &Chunk<'_>, schemas: &Schemas, selection: &Selection) -> Self {
        let mut plans = Self {
            types: Vec::new(),
            by_id: HashMap::default(),
            stacks: StackPlans::new(chunk),
            unreadable: Vec::new(),
        };
        for of in chunk.metadata().event_types().filter(|of| selection.wants(*of)) {
            let name = of.canonical_name();
            let Some(columns) = schemas.columns(&name) else { continue };
            let Some(node) = Compiler::default().group(of, columns) else {
                plans.unreadable.push(of.name().to_owned());
                continue;
            };
            let start = of.field("startTime").and_then(|field| match field.content() {
                Some(Content::Timestamp(unit)) => Some((chunk.plan(of, ["startTime"]).ok()?, unit)),
                _ => None,
            });
            let schema = schemas.arrow(&name, selection.recording.is_some()).unwrap_or_else(Schema::empty);
            plans.by_id.insert(of.id(), plans.types.len());
            let (schema, columns) = (Arc::new(schema), columns.to_vec());
            plans.types.push(TypePlan { name: (*name).into(), node, start, schema, columns });
        }
        plans
    }
}

/// The result of a part of a chunk.
#[derive(Default)]
struct Part {
    /// Rows by type number.
    batches: Vec<(usize, RecordBatch)>,
    /// Keys of the stacks that the rows refer to, each once.
    stacks: Vec<ConstantKey>,
    losses: Vec<String>,
}

/// Receives the rows of events.
pub trait Take {
    /// Receives rows of an event type.
    ///
    /// # Errors
    /// An error stops the reading.
    fn events(&mut self, name: &str, batch: RecordBatch) -> Result<()>;

    /// Receives the stacks with these keys.
    ///
    /// # Errors
    /// An error stops the reading.
    fn stacks(&mut self, stacks: &mut StackTables) -> Result<()> {
        let _ = stacks;
        Ok(())
    }
}

/// Reads the events of a recording and returns what was lost, one line each.
///
/// # Errors
/// Returns [`Error::Read`] if nothing can be read, or the error of `take`.
pub fn read_events(
    recording: &Recording<'_>,
    schemas: &Schemas,
    selection: &Selection,
    stacks: &mut StackTables,
    take: &mut dyn Take,
) -> Result<Vec<String>> {
    let mut losses: Vec<String> = recording.losses().iter().map(ToString::to_string).collect();
    let mut plans: Option<(Arc<Metadata>, ChunkPlans)> = None;
    let (mut failed, mut readable) = (None, false);
    for chunk in recording.chunks() {
        recording.stop().check()?;
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error @ (jfr_parse::Error::Stopped | jfr_parse::Error::Changed)) => return Err(error.into()),
            Err(error) => {
                losses.push(error.to_string());
                failed = failed.or(Some(error));
                continue;
            }
        };
        readable = true;
        losses.extend(chunk.losses().iter().map(ToString::to_string));
        if plans.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, chunk.shared_metadata())) {
            let fresh = ChunkPlans::new(&chunk, schemas, selection);
            for name in &fresh.unreadable {
                losses.push(format!("{name}: its fields are nested too deeply to be read"));
            }
            plans = Some((chunk.shared_metadata().clone(), fresh));
        }
        if let Some((_, plans)) = &plans {
            read_chunk(&chunk, plans, selection, stacks, take, &mut losses)?;
        }
    }
    recording.check_unchanged()?;
    match failed {
        Some(error) if !readable => Err(error.into()),
        _ => Ok(losses),
    }
}

fn read_chunk(
    chunk: &Chunk<'_>,
    plans: &ChunkPlans,
    selection: &Selection,
    stacks: &mut StackTables,
    take: &mut dyn Take,
    losses: &mut Vec<String>,
) -> Result<()> {
    if plans.types.is_empty() {
        return Ok(());
    }
    let of_chunk = ChunkStacks::new(chunk, chunk.pools(), plans.stacks.as_ref(), selection.raw_names);
    let segments = chunk.segments(SEGMENT);
    // As many parts at a time as there are threads; their rows are written before the next parts are read.
    for some in segments.chunks(rayon::current_num_threads().max(1)) {
        chunk.stop().check()?;
        let parts: Vec<Result<Part>> =
            some.par_iter().map(|segment| read_part(chunk, segment.clone(), plans, selection, &of_chunk)).collect();
        for part in parts {
            let part = part?;
            losses.extend(part.losses);
            stacks.add(&mut of_chunk.memo(), &part.stacks);
            take.stacks(stacks)?;
            for (i, batch) in part.batches {
                if let Some(plan) = plans.types.get(i) {
                    take.events(&plan.name, batch)?;
                }
            }
        }
    }
    Ok(())
}

/// Rows of one type while they are read.
struct Filling<'a> {
    rows: usize,
    column: Col<'a>,
}

/// Maximum losses to report for a part of a chunk.
const MAX_LOSSES: usize = 100;

fn read_part(
    chunk: &Chunk<'_>,
    segment: Range<usize>,
    plans: &ChunkPlans,
    selection: &Selection,
    stacks: &ChunkStacks<'_, '_>,
) -> Result<Part> {
    let limits = chunk.limits();
    let reading = Reading { clock: chunk.clock(), array_elements: limits.array_elements };
    let mut filling: Vec<Option<Filling<'_>>> = plans.types.iter().map(|_| None).collect();
    let mut part = Part::default();
    let mut lose = |loss: Loss| {
        if part.losses.len() < MAX_LOSSES {
            part.losses.push(loss.to_string());
        }
    };
    let mut events = chunk.walk(segment);
    for (n, event) in events.by_ref().enumerate() {
        if n.is_multiple_of(1 << 12) {
            chunk.stop().check()?;
        }
        if matches!(event.type_id, CHECKPOINT | METADATA) {
            continue;
        }
        let Some(&i) = plans.by_id.get(&event.type_id) else { continue };
        let (Some(plan), Some(slot)) = (plans.types.get(i), filling.get_mut(i)) else { continue };
        let range = selection.range;
        if !range.is_open() && !plan.start(&event, &reading).is_some_and(|at| range.contains(EpochNanos(at))) {
            continue;
        }
        let filled = slot.get_or_insert_with(|| Filling { rows: 0, column: plan.node.column() });
        match plan.node.read(&mut Cursor::new(event.payload), &mut filled.column, &reading) {
            Ok(()) => filled.rows += 1,
            Err(_) => {
                filled.column.truncate(filled.rows);
                let offset = chunk.file_offset(event.offset);
                lose(Loss { offset, bytes: event.size as u64, what: Damage::Truncated });
            }
        }
    }
    for &(at, bytes) in events.skipped() {
        let offset = chunk.file_offset(at);
        lose(Loss { offset, bytes: bytes as u64, what: Damage::BadEventSize });
    }
    let used: Mutex<(Vec<ConstantKey>, hashbrown::HashSet<ConstantKey, Hasher>)> = Mutex::default();
    let ids = |keys: &[ConstantKey]| {
        let mut used = used.lock();
        let (list, seen) = &mut *used;
        list.extend(keys.iter().filter(|key| seen.insert(**key)));
        stacks.ids(keys)
    };
    for (i, (slot, plan)) in filling.into_iter().zip(&plans.types).enumerate() {
        let Some(filled) = slot.filter(|filled| filled.rows > 0) else { continue };
        let finishing = Finishing { pools: chunk.pools(), reading, string_bytes: limits.string_bytes, stacks: &ids };
        let batch = plan.batch(filled, &finishing, selection)?;
        part.batches.push((i, batch));
    }
    part.stacks = used.into_inner().0;
    Ok(part)
}

impl TypePlan {
    /// When an event starts, in nanoseconds since the Unix epoch.
    fn start(&self, event: &RawEvent<'_>, reading: &Reading) -> Option<i64> {
        let (plan, unit) = self.start.as_ref()?;
        Some(reading.clock.instant(plan.read(event.payload).ok()?.get(START), *unit)?.0)
    }

    fn batch<'a>(&self, filled: Filling<'a>, f: &Finishing<'_, 'a>, selection: &Selection) -> Result<RecordBatch> {
        let rows = filled.rows;
        let (Col::Group(columns), Node::Group { fields, .. }) = (filled.column, &self.node) else {
            return Err(Error::Internal("an event is not a group of fields"));
        };
        let types = self.schema.fields().get(usize::from(selection.recording.is_some())..).unwrap_or_default();
        let mut arrays = group(columns, fields, (&self.columns, types), rows, f, 0)?;
        if !selection.show_secrets {
            mask::secrets(&self.columns, &mut arrays)?;
        }
        let id =
            selection.recording.map(|id| -> ArrayRef { Arc::new(PrimitiveArray::<Int64Type>::from_value(id, rows)) });
        let arrays = id.into_iter().chain(arrays).collect();
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)?)
    }
}
