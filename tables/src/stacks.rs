//! Stacks and frames, identified by hashes of their content.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use jfr_analyzers::names;
use jfr_parse::{Chunk, Column, ConstantKey, Cursor, Inline, Plan, Pools, RawStr, Row, Type, TypeId};
use parking_lot::{Mutex, MutexGuard};

use crate::flat::Rows;
use crate::ids;
use crate::schema::{self, Shape, is_trace};

type Hasher = foldhash::fast::RandomState;
type Map<K, V> = HashMap<K, V, Hasher>;

/// Longer names are truncated, as everywhere.
const MAX_NAME: usize = 2_048;

/// Columns of a stack trace.
const TRUNCATED: Column<bool> = Column::at(0);
const FRAMES: Column<Inline> = Column::at(1);
/// Columns of a frame.
const METHOD: Column<ConstantKey> = Column::at(0);
const LINE: Column<u64> = Column::at(1);
const KIND: Column<ConstantKey> = Column::at(2);
/// Columns of a method.
const CLASS: Column<ConstantKey> = Column::at(0);
const NAME: Column<jfr_parse::Text> = Column::at(1);
const DESCRIPTOR: Column<jfr_parse::Text> = Column::at(2);
/// A column of a class.
const CLASS_NAME: Column<jfr_parse::Text> = Column::at(0);

/// How to get from a stack trace key to its frames; depends only on the metadata.
#[derive(Debug)]
pub(crate) struct StackPlans {
    trace_type: TypeId,
    /// `truncated`, `frames`.
    trace: Plan<2>,
    frame_type: TypeId,
    pooled_frames: bool,
    /// `method`, `lineNumber`, `type`.
    frame: Plan<3>,
    /// If a frame consists of varints only, as in every known recording: how many, and the positions of these three.
    varints: Option<(usize, [usize; 3])>,
    method_type: TypeId,
    /// `type`, `name`, `descriptor`.
    method: Plan<3>,
    /// `name` of a class.
    class: Option<(TypeId, Plan<1>)>,
}

impl StackPlans {
    /// `None` if there are no stack traces.
    pub(crate) fn new(chunk: &Chunk<'_>) -> Option<Self> {
        let trace = chunk.metadata().types().find(|of| is_trace(*of))?;
        let frames = trace.field("frames").filter(|f| f.is_array())?;
        let frame = frames.value_type()?;
        let method = frame.field("method")?.value_type()?;
        let class = |of: Type<'_>| Some((of.id(), chunk.plan(of, ["name"]).ok()?));
        Some(Self {
            trace_type: trace.id(),
            trace: Plan::open_ended(trace, ["truncated", "frames"], chunk.limits()).ok()?,
            frame_type: frame.id(),
            pooled_frames: frames.is_pooled(),
            frame: Plan::whole(frame, ["method", "lineNumber", "type"], chunk.limits()).ok()?,
            varints: frame.varints().filter(|_| !frames.is_pooled()).zip(places(frame)),
            method_type: method.id(),
            method: chunk.plan(method, ["type", "name", "descriptor"]).ok()?,
            class: method.field("type").and_then(|f| f.value_type()).and_then(class),
        })
    }
}

/// Which fields of a frame are `method`, `lineNumber` and `type`.
fn places(frame: Type<'_>) -> Option<[usize; 3]> {
    let place = |name: &str| frame.fields().position(|field| field.name() == name);
    Some([place("method")?, place("lineNumber")?, place("type")?])
}

/// A string with its hash.
#[derive(Debug, Clone)]
struct Text {
    text: Arc<str>,
    hash: u64,
}

impl Text {
    fn new(text: &str) -> Self {
        Self { text: names::cut(text, MAX_NAME).into(), hash: ids::text(names::cut(text, MAX_NAME)) }
    }
}

#[derive(Debug)]
struct Trace {
    id: i64,
    /// Positions in the memo's rows.
    frames: Box<[u32]>,
    truncated: bool,
}

#[derive(Debug)]
struct FrameRow {
    id: i64,
    /// Whether it is in the table.
    given: bool,
    texts: [Text; 4],
    line: i32,
}

/// Method, kind and line of a frame.
type FrameKey = (ConstantKey, ConstantKey, i32);

/// Frames that are looked up together.
const BLOCK: usize = 8;

/// Frames next to each other: their positions in the memo's rows, and their ids.
#[derive(Debug)]
struct Block {
    places: [u32; BLOCK],
    ids: [i64; BLOCK],
}

/// Blocks by their bytes. Stacks are alike near the root, so most blocks are in many of them.
#[derive(Debug, Default)]
struct Blocks<'a> {
    places: Map<&'a [u8], usize>,
    all: Vec<Block>,
}

/// What was found out about the stacks of a chunk.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    traces: Map<ConstantKey, Option<Trace>>,
    /// Class, name and descriptor by method key.
    methods: Map<ConstantKey, [Text; 3]>,
    texts: Map<(u64, ConstantKey), Text>,
    /// Row positions by method key, type key and line.
    frames: Map<FrameKey, u32>,
    rows: Vec<FrameRow>,
    /// The frame ids of the current trace.
    ids: Vec<i64>,
}

/// The stacks of a chunk, looked up on demand.
pub(crate) struct ChunkStacks<'c, 'a> {
    chunk: &'c Chunk<'a>,
    pools: &'c Pools<'a>,
    plans: Option<&'c StackPlans>,
    raw: bool,
    memo: Mutex<Memo>,
    blocks: Mutex<Blocks<'a>>,
}

impl<'c, 'a> ChunkStacks<'c, 'a> {
    pub(crate) fn new(chunk: &'c Chunk<'a>, pools: &'c Pools<'a>, plans: Option<&'c StackPlans>, raw: bool) -> Self {
        Self { chunk, pools, plans, raw, memo: Mutex::default(), blocks: Mutex::default() }
    }

    pub(crate) fn memo(&self) -> MutexGuard<'_, Memo> {
        self.memo.lock()
    }

    pub(crate) fn into_memo(self) -> Memo {
        self.memo.into_inner()
    }

    /// The ids of the stacks with these keys; `None` if a stack does not exist or cannot be read.
    pub(crate) fn ids(&self, keys: &[ConstantKey]) -> Vec<Option<i64>> {
        let (mut memo, mut blocks) = (self.memo(), self.blocks.lock());
        let mut last = None;
        let one = |&key: &ConstantKey| {
            if let Some((of, id)) = last
                && of == key
            {
                return id;
            }
            let id = match memo.traces.get(&key) {
                Some(known) => known.as_ref().map(|trace| trace.id),
                None => {
                    let trace = self.read(key, &mut memo, &mut blocks);
                    let id = trace.as_ref().map(|trace| trace.id);
                    memo.traces.insert(key, trace);
                    id
                }
            };
            last = Some((key, id));
            id
        };
        keys.iter().map(one).collect()
    }

    fn read(&self, key: ConstantKey, memo: &mut Memo, blocks: &mut Blocks<'a>) -> Option<Trace> {
        let plans = self.plans?;
        let row = plans.trace.read(self.pools.get(plans.trace_type, key)?).ok()?;
        let mut at = row.get(FRAMES)?;
        let count = at.count().ok()?;
        let kept = count.min(self.chunk.limits().stack_frames);
        let mut frames = Vec::with_capacity(kept);
        memo.ids.clear();
        // Blocks are counted from the root.
        let fields = plans.varints.map(|(fields, _)| fields);
        let whole = fields.map_or(0, |_| kept / BLOCK);
        self.frames(plans, &mut at, kept - whole * BLOCK, memo, &mut frames)?;
        for _ in 0..whole {
            let start = at.rest();
            at.skip_varints(fields?.saturating_mul(BLOCK)).ok()?;
            let bytes = start.get(..start.len().checked_sub(at.rest().len())?)?;
            if let Some(block) = blocks.places.get(bytes).and_then(|place| blocks.all.get(*place)) {
                frames.extend_from_slice(&block.places);
                memo.ids.extend_from_slice(&block.ids);
                continue;
            }
            let from = frames.len();
            self.frames(plans, &mut Cursor::new(bytes), BLOCK, memo, &mut frames)?;
            let (places, ids) = (frames.get(from..)?.try_into().ok()?, memo.ids.get(from..)?.try_into().ok()?);
            blocks.places.insert(bytes, blocks.all.len());
            blocks.all.push(Block { places, ids });
        }
        let truncated = row.get(TRUNCATED) || kept < count;
        Some(Trace { id: ids::stack(&memo.ids, truncated), frames: frames.into(), truncated })
    }

    /// Reads the next `count` frames one by one.
    fn frames(
        &self,
        plans: &StackPlans,
        at: &mut Cursor<'a>,
        count: usize,
        memo: &mut Memo,
        frames: &mut Vec<u32>,
    ) -> Option<()> {
        for _ in 0..count {
            let of = if let Some((fields, places)) = plans.varints {
                let [method, line, kind] = at.varints_at(fields, places).ok()?;
                Some((ConstantKey(method), ConstantKey(kind), line_of(line)))
            } else if plans.pooled_frames {
                let bytes = self.pools.get(plans.frame_type, ConstantKey(at.varint().ok()?));
                let row = bytes.and_then(|bytes| plans.frame.read(bytes).ok());
                row.map(|row| frame_key(&row))
            } else {
                let row = plans.frame.read_next(at).ok()?;
                Some(frame_key(&row))
            };
            let Some(of) = of else { continue };
            let place = match memo.frames.get(&of) {
                Some(place) => *place,
                None => self.frame(plans, of, memo),
            };
            frames.push(place);
            memo.ids.push(memo.rows.get(place as usize).map_or(0, |row| row.id));
        }
        Some(())
    }

    #[cold]
    fn frame(&self, plans: &StackPlans, of: FrameKey, memo: &mut Memo) -> u32 {
        let (method, kind, line) = of;
        let kind = match plans.frame.type_id(KIND) {
            Some(type_id) => self.text(type_id, kind, memo),
            None => Text::new(""),
        };
        let [class, name, descriptor] = self.method(plans, method, memo);
        let texts = [class, name, descriptor, kind];
        let id = ids::frame(texts.each_ref().map(|text| text.hash), line);
        let place = u32::try_from(memo.rows.len()).unwrap_or(u32::MAX);
        memo.frames.insert(of, place);
        memo.rows.push(FrameRow { id, given: false, texts, line });
        place
    }

    fn method(&self, plans: &StackPlans, key: ConstantKey, memo: &mut Memo) -> [Text; 3] {
        if let Some(known) = memo.methods.get(&key) {
            return known.clone();
        }
        let row = self.pools.get(plans.method_type, key).and_then(|bytes| plans.method.read(bytes).ok());
        let none = || Text::new("");
        let texts = row.map_or_else(
            || [none(), none(), none()],
            |row| {
                let raw = self.raw;
                let class = plans.class.as_ref().and_then(|(of, plan)| {
                    let row = plan.read(self.pools.get(*of, row.get(CLASS))?).ok()?;
                    Some(self.named(plan, CLASS_NAME, &row, memo, move |text| {
                        names::java_name(&if raw { text.into() } else { names::normalize_class(text) }).into()
                    }))
                });
                let name = self.named(&plans.method, NAME, &row, memo, move |text| {
                    if raw { text.to_owned() } else { names::normalize_method(text).into() }
                });
                let descriptor = self.named(&plans.method, DESCRIPTOR, &row, memo, move |text| {
                    if raw { text.to_owned() } else { names::normalize_descriptor(text).into() }
                });
                [class.unwrap_or_else(none), name, descriptor]
            },
        );
        memo.methods.insert(key, texts.clone());
        texts
    }

    /// A string field of a row, inline or by key.
    fn named<const N: usize>(
        &self,
        plan: &Plan<N>,
        column: Column<jfr_parse::Text>,
        row: &Row<'a, N>,
        memo: &mut Memo,
        spell: impl Fn(&str) -> String,
    ) -> Text {
        match plan.type_id(column) {
            Some(type_id) if plan.is_pooled(column) => {
                // The same symbol may name both a class and a method, which must be kept apart.
                let of_class = if N == 1 { 3 } else { 0 };
                let place = type_id.0.wrapping_mul(4).wrapping_add(column.place() as u64).wrapping_add(of_class);
                let key = row.get(column.of::<ConstantKey>());
                if let Some(known) = memo.texts.get(&(place, key)) {
                    return known.clone();
                }
                let raw = self.pools.string(self.chunk.metadata(), type_id, key);
                let text = self.spelled(raw, spell);
                memo.texts.insert((place, key), text.clone());
                text
            }
            Some(type_id) => self.spelled(self.pools.resolve(type_id, row.get(column)), spell),
            None => Text::new(""),
        }
    }

    fn spelled(&self, raw: RawStr<'_>, spell: impl Fn(&str) -> String) -> Text {
        let text = raw.cut(MAX_NAME).decode_copied().unwrap_or_default();
        Text::new(&spell(&text))
    }

    /// The string of a constant.
    fn text(&self, type_id: TypeId, key: ConstantKey, memo: &mut Memo) -> Text {
        let place = (type_id.0.wrapping_mul(4), key);
        if let Some(known) = memo.texts.get(&place) {
            return known.clone();
        }
        let raw = self.pools.string(self.chunk.metadata(), type_id, key).cut(MAX_NAME);
        let text = Text::new(&raw.decode_copied().unwrap_or_default());
        memo.texts.insert(place, text.clone());
        text
    }
}

fn frame_key(row: &Row<'_, 3>) -> FrameKey {
    (row.get(METHOD), row.get(KIND), line_of(row.get(LINE)))
}

/// A line number as recorded; only the low bits count.
fn line_of(raw: u64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "writers extend the sign or not")]
    (raw as u32).cast_signed()
}

/// The tables of stacks and frames; each row appears once per call.
#[derive(Debug)]
pub struct StackTables {
    wanted: bool,
    stacks_seen: HashSet<i64, Hasher>,
    frames_seen: HashSet<i64, Hasher>,
    pub(crate) stacks: Rows,
    pub(crate) frames: Rows,
}

impl Default for StackTables {
    fn default() -> Self {
        Self {
            wanted: true,
            stacks_seen: HashSet::default(),
            frames_seen: HashSet::default(),
            stacks: Rows::new(stack_columns()),
            frames: Rows::new(frame_columns()),
        }
    }
}

/// Columns of the `stacks` table.
pub(crate) fn stack_columns() -> Vec<schema::Column> {
    vec![
        schema::Column::new("id", Shape::Stack),
        schema::Column::new("frames", Shape::List(Box::new(Shape::Stack))),
        schema::Column::new("truncated", Shape::Bool),
    ]
}

/// Columns of the `frames` table.
pub(crate) fn frame_columns() -> Vec<schema::Column> {
    vec![
        schema::Column::new("id", Shape::Stack),
        schema::Column::new("class", Shape::Text),
        schema::Column::new("method", Shape::Text),
        schema::Column::new("descriptor", Shape::Text),
        schema::Column::new("line", Shape::Int { bits: 32, signed: true }),
        schema::Column::new("kind", Shape::Text),
    ]
}

impl StackTables {
    /// Tables that stay empty unless `wanted`, for callers that may need only the ids of stacks.
    #[must_use]
    pub fn new(wanted: bool) -> Self {
        Self { wanted, ..Self::default() }
    }

    pub(crate) fn are_wanted(&self) -> bool {
        self.wanted
    }

    /// Adds the stacks with these keys and their frames, unless already added.
    pub(crate) fn add(&mut self, memo: &mut Memo, keys: &[ConstantKey]) {
        if !self.wanted {
            return;
        }
        let Memo { traces, rows, .. } = memo;
        for key in keys {
            let Some(Some(trace)) = traces.get_mut(key) else { continue };
            if !self.stacks_seen.insert(trace.id) {
                trace.frames = Box::default();
                continue;
            }
            self.stacks.int(0, Some(trace.id));
            // Only needed once.
            let frames = std::mem::take(&mut trace.frames);
            let ids = frames.iter().map(|place| rows.get(*place as usize).map_or(0, |row| row.id));
            self.stacks.list(1, ids);
            self.stacks.bool(2, Some(trace.truncated));
            for place in &frames {
                let Some(row) = rows.get_mut(*place as usize).filter(|row| !row.given) else { continue };
                row.given = true;
                if !self.frames_seen.insert(row.id) {
                    continue;
                }
                self.frames.int(0, Some(row.id));
                for (i, text) in (1..4).zip(&row.texts) {
                    self.frames.text(i, Some(&text.text));
                }
                self.frames.int(4, Some(i64::from(row.line)));
                let [.., kind] = &row.texts;
                self.frames.text(5, Some(&kind.text));
            }
        }
    }
}
