//! Converts what an event refers to into a form that is independent of the chunk: texts, threads.

use std::sync::Arc;

use jfr_parse::{Chunk, Column, ConstantKey, Cursor, Plan, Pools, RawStr, Row, Text, TickSpan, Ticks, Type, TypeId};
use parking_lot::Mutex;

use super::plan::{Convert, PathId, Paths, Plans, of_field};
use crate::events::cell::{Cell, ThreadId};
use crate::events::facts::ThreadInfo;
use crate::hash::HashMap;
use crate::names::{self, cut};
use crate::numbered::Numbered;
use jfrkit_profile::{Interner, StrId};

/// The only selected field of a plan.
const FIRST: Column = Column::at(0);

/// Maximum number of bytes of a text to keep. Thread dumps are long, and rules read them.
const MAX_TEXT: usize = 4 << 20;
/// Maximum number of bytes to keep of a thread name, and of each part of a method name: any number may share a
/// long one.
const MAX_NAME: usize = 256;
/// Maximum number of references to follow from one to the next.
const MAX_STEPS: usize = 8;

/// The threads of all chunks, each once.
#[derive(Debug, Default)]
pub(super) struct Threads(Mutex<Numbered<ThreadId, Arc<ThreadInfo>>>);

impl Threads {
    fn id(&self, thread: ThreadInfo) -> ThreadId {
        self.0.lock().number(Arc::new(thread))
    }

    pub(super) fn into_list(self) -> Vec<ThreadInfo> {
        self.0.into_inner().into_items().into_iter().map(Arc::unwrap_or_clone).collect()
    }
}

/// Finds values in one chunk, on one thread, and caches them. Any number of events may refer to one constant,
/// and any number of constants to one long text; each is decoded once.
pub(super) struct Values<'c, 'a> {
    chunk: &'c Chunk<'a>,
    pools: Option<&'c Pools<'a>>,
    interner: &'c Interner,
    threads: &'c Threads,
    string_type: TypeId,
    paths: &'c Paths,
    longest: usize,
    references: HashMap<(TypeId, PathId, ConstantKey), Cell>,
    /// Texts that events refer to, by key, and those stored in events.
    pooled: HashMap<ConstantKey, Cell>,
    texts: HashMap<RawStr<'a>, Cell>,
    /// Texts of constants, and names of event types, by their position.
    places: HashMap<(usize, usize), StrId>,
    /// Class names, by the position of the recorded name.
    classes: HashMap<(usize, usize), StrId>,
    plans: HashMap<(TypeId, &'c str), Option<Arc<Plan<1>>>>,
}

impl<'c, 'a> Values<'c, 'a> {
    pub(super) fn new(
        chunk: &'c Chunk<'a>,
        pools: Option<&'c Pools<'a>>,
        interner: &'c Interner,
        threads: &'c Threads,
        plans: &'c Plans,
    ) -> Self {
        Self {
            chunk,
            pools,
            interner,
            threads,
            string_type: plans.string_type,
            paths: &plans.paths,
            longest: chunk.limits().string_bytes.min(MAX_TEXT),
            references: HashMap::default(),
            pooled: HashMap::default(),
            texts: HashMap::default(),
            places: HashMap::default(),
            classes: HashMap::default(),
            plans: HashMap::default(),
        }
    }

    /// A string stored in an event.
    pub(super) fn text(&mut self, raw: RawStr<'a>) -> Cell {
        match raw {
            RawStr::Null => Cell::Null,
            RawStr::Pooled(key) => {
                if let Some(known) = self.pooled.get(&key) {
                    return *known;
                }
                let cell = match self.pools.map_or(RawStr::Null, |pools| pools.resolve(self.string_type, raw)) {
                    RawStr::Null | RawStr::Pooled(_) => Cell::Null,
                    text => Cell::Text(self.constant(text)),
                };
                self.pooled.insert(key, cell);
                cell
            }
            text => {
                if let Some(known) = self.texts.get(&text) {
                    return *known;
                }
                let cell = text.cut(self.longest).decode().map_or(Cell::Null, |text| Cell::Text(self.intern(&text)));
                self.texts.insert(text, cell);
                cell
            }
        }
    }

    /// The name of an event type in the chunk.
    pub(super) fn name(&mut self, of: Type<'_>) -> Cell {
        let (interner, name) = (self.interner, of.name());
        let place = (name.as_ptr().addr(), name.len());
        Cell::Text(*self.places.entry(place).or_insert_with(|| interner.symbols().string(&of.canonical_name())))
    }

    fn intern(&self, text: &str) -> StrId {
        self.interner.symbols().string(cut(text, MAX_TEXT))
    }

    /// The text of a constant.
    fn constant(&mut self, raw: RawStr<'a>) -> StrId {
        let bytes = raw.bytes();
        if bytes.is_empty() {
            return StrId::default();
        }
        let (interner, longest) = (self.interner, self.longest);
        *self.places.entry((bytes.as_ptr().addr(), bytes.len())).or_insert_with(|| {
            let text = raw.cut(longest).decode().unwrap_or_default();
            interner.symbols().string(cut(&text, MAX_TEXT))
        })
    }

    /// The value that a reference leads to.
    pub(super) fn reference(&mut self, type_id: TypeId, rest: PathId, key: ConstantKey) -> Cell {
        if let Some(known) = self.references.get(&(type_id, rest, key)) {
            return *known;
        }
        let cell = self.follow(type_id, self.paths.get(rest), key, MAX_STEPS).unwrap_or_default();
        self.references.insert((type_id, rest, key), cell);
        cell
    }

    fn follow(&mut self, type_id: TypeId, path: &'c str, key: ConstantKey, steps: usize) -> Option<Cell> {
        let steps = steps.checked_sub(1)?;
        let of = self.chunk.metadata().by_id(type_id)?;
        if path.is_empty() {
            return self.named(of, key, steps);
        }
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let row = self.row(of, key, name)?;
        match of_field(of.field(name)?) {
            Convert::Reference { type_id, .. } => self.follow(type_id, rest, row.get(FIRST.of::<ConstantKey>()), steps),
            Convert::Int => Some(Cell::Int(row.get(FIRST.of::<i64>()))),
            Convert::Float => Some(Cell::of_float(row.get(FIRST.of::<f64>()))),
            Convert::TickInstant => Some(Cell::Int(self.chunk.clock().nanos(row.get(FIRST.of::<Ticks>())).0)),
            Convert::TickSpan => Some(Cell::Int(self.chunk.clock().span(row.get(FIRST.of::<TickSpan>())).0)),
            Convert::Times(n) => Some(Cell::Int(row.get(FIRST.of::<i64>()).saturating_mul(n))),
            Convert::Text => Some(self.text(row.get(FIRST.of::<Text>()))),
            _ => None,
        }
    }

    /// The name of a constant, or the thread if it is one.
    fn named(&mut self, of: Type<'_>, key: ConstantKey, steps: usize) -> Option<Cell> {
        if of.is_named("java.lang.Thread") {
            self.thread(of, key, steps)
        } else if of.is_named("java.lang.Class") {
            let name = self.raw_text(of, key, "name")?;
            let (interner, longest) = (self.interner, self.longest);
            let place = (name.bytes().as_ptr().addr(), name.bytes().len());
            Some(Cell::Text(*self.classes.entry(place).or_insert_with(|| {
                let name = name.cut(longest).decode().unwrap_or_default();
                interner.symbols().string(cut(&names::type_name(&name), MAX_TEXT))
            })))
        } else if of.is_named("jdk.types.Method") {
            let class = self.follow(of.id(), "type", key, steps).and_then(Cell::text);
            let name = self.field_text(of, key, "name", MAX_NAME)?;
            let name = names::normalize_method(&name).into_owned();
            let class = class.map(|id| cut(self.interner.symbols().str(id), MAX_NAME).to_owned()).unwrap_or_default();
            let full = if class.is_empty() { name } else { format!("{class}.{name}") };
            Some(Cell::Text(self.intern(&full)))
        } else if of.is_named("jdk.types.ClassLoader") {
            match self.raw_text(of, key, "name") {
                Some(name) if !name.bytes().is_empty() => Some(Cell::Text(self.constant(name))),
                _ => self.follow(of.id(), "type", key, steps),
            }
        } else if of.is_named("jdk.types.OldObject") {
            self.follow(of.id(), "type", key, steps)
        } else {
            match self.pools?.string(self.chunk.metadata(), of.id(), key) {
                // It has no name; only record that it exists.
                RawStr::Null | RawStr::Pooled(_) => None,
                text => Some(Cell::Text(self.constant(text))),
            }
        }
    }

    /// A field of a constant.
    fn row(&mut self, of: Type<'_>, key: ConstantKey, field: &'c str) -> Option<Row<'a, 1>> {
        let chunk = self.chunk;
        let plan = self.plans.entry((of.id(), field)).or_insert_with(|| chunk.plan(of, [field]).ok().map(Arc::new));
        plan.as_ref()?.read(self.pools?.get(of.id(), key)?).ok()
    }

    fn raw_text(&mut self, of: Type<'_>, key: ConstantKey, field: &'c str) -> Option<RawStr<'a>> {
        let row = self.row(of, key, field)?;
        let plan = self.plans.get(&(of.id(), field))?.as_ref()?;
        Some(self.pools?.text(self.chunk.metadata(), plan, &row, FIRST.of::<Text>()))
    }

    /// The text of a field, truncated to `bytes` bytes.
    fn field_text(&mut self, of: Type<'_>, key: ConstantKey, field: &'c str, bytes: usize) -> Option<String> {
        let raw = self.raw_text(of, key, field)?;
        raw.cut(bytes).decode().map(std::borrow::Cow::into_owned)
    }

    fn thread(&mut self, of: Type<'_>, key: ConstantKey, steps: usize) -> Option<Cell> {
        self.pools?.get(of.id(), key)?;
        let mut name = |field| self.field_text(of, key, field, MAX_NAME).filter(|n| !n.is_empty());
        let name = name("javaName").or_else(|| name("osName")).unwrap_or_default();
        let group = self.follow(of.id(), "group.name", key, steps).and_then(Cell::text);
        let group = group.map(|id| cut(self.interner.symbols().str(id), MAX_NAME).to_owned()).unwrap_or_default();
        let mut number = |field| self.row(of, key, field).map_or(0, |row| row.get(FIRST.of::<i64>()));
        let (java_id, os_id) = (number("javaThreadId").max(0), number("osThreadId").max(0));
        let is_virtual = self.row(of, key, "virtual").is_some_and(|row| row.get(FIRST.of::<bool>()));
        Some(Cell::Thread(self.threads.id(ThreadInfo { name, java_id, os_id, is_virtual, group })))
    }
}

/// The keys of truncated stack traces.
pub(super) fn truncated(pools: &Pools<'_>, trace_type: TypeId, plan: &Plan<2>) -> HashMap<ConstantKey, ()> {
    let Some(pool) = pools.of_type(trace_type) else { return HashMap::default() };
    let is_truncated = |key: &ConstantKey| {
        pool.get(*key)
            .and_then(|bytes| plan.read_next(&mut Cursor::new(bytes)).ok())
            .is_some_and(|row| row.get(FIRST.of::<bool>()))
    };
    pool.keys().filter(is_truncated).map(|key| (key, ())).collect()
}
