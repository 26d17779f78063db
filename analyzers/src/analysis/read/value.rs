//! From what an event refers to, to what all chunks share: texts, threads.

use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use hashbrown::{HashMap, HashTable};
use jfr_parse::{Chunk, Cursor, Plan, Pools, RawStr, Type};

use super::plan::{Convert, of_field};
use crate::analysis::cell::{Cell, ThreadId};
use crate::analysis::facts::ThreadInfo;
use crate::model::{Interner, StrId};
use crate::names;

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Bytes of a text that are kept. Thread dumps are long, and rules read them.
const MAX_TEXT: usize = 4 << 20;
/// How many references are followed from one to the next.
const MAX_STEPS: usize = 8;

/// The threads of all chunks, each once.
#[derive(Debug, Default)]
pub(super) struct Threads {
    inner: Mutex<ThreadList>,
    hasher: foldhash::fast::RandomState,
}

#[derive(Debug, Default)]
struct ThreadList {
    list: Vec<ThreadInfo>,
    table: HashTable<u32>,
}

impl Threads {
    fn id(&self, thread: ThreadInfo) -> ThreadId {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = self.hasher.hash_one(&thread);
        let ThreadList { list, table } = &mut *inner;
        if let Some(i) = table.find(hash, |&i| list.get(i as usize) == Some(&thread)) {
            return ThreadId(*i);
        }
        let id = u32::try_from(list.len()).unwrap_or(u32::MAX);
        list.push(thread);
        table.insert_unique(hash, id, |&i| list.get(i as usize).map_or(0, |t| self.hasher.hash_one(t)));
        ThreadId(id)
    }

    pub(super) fn into_list(self) -> Vec<ThreadInfo> {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner).list
    }
}

/// Finds values of one chunk, on one thread; remembers what it has found.
pub(super) struct Values<'c, 'a> {
    chunk: &'c Chunk<'a>,
    pools: &'c Pools<'a>,
    interner: &'c Interner,
    threads: &'c Threads,
    string_type: u64,
    references: Map<(u64, &'static str, u64), Cell>,
    texts: Map<RawStr<'a>, Cell>,
}

impl<'c, 'a> Values<'c, 'a> {
    pub(super) fn new(
        chunk: &'c Chunk<'a>,
        pools: &'c Pools<'a>,
        interner: &'c Interner,
        threads: &'c Threads,
        string_type: u64,
    ) -> Self {
        Self { chunk, pools, interner, threads, string_type, references: Map::default(), texts: Map::default() }
    }

    /// A string that stands in an event.
    pub(super) fn text(&mut self, raw: RawStr<'a>) -> Cell {
        let raw = self.pools.resolve(self.string_type, raw);
        if raw == RawStr::Null {
            return Cell::Null;
        }
        if let Some(known) = self.texts.get(&raw) {
            return *known;
        }
        let cell = raw.decode().map_or(Cell::Null, |text| Cell::Text(self.intern(&text)));
        self.texts.insert(raw, cell);
        cell
    }

    /// The name of an event type of the chunk.
    pub(super) fn name(&mut self, name: &str, type_id: u64) -> Cell {
        if let Some(known) = self.references.get(&(u64::MAX, "", type_id)) {
            return *known;
        }
        let cell = Cell::Text(self.intern(name));
        self.references.insert((u64::MAX, "", type_id), cell);
        cell
    }

    fn intern(&self, text: &str) -> StrId {
        let mut end = text.len().min(MAX_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.interner.symbols().string(text.get(..end).unwrap_or_default())
    }

    /// What a reference leads to.
    pub(super) fn reference(&mut self, type_id: u64, rest: &'static str, key: u64) -> Cell {
        if let Some(known) = self.references.get(&(type_id, rest, key)) {
            return *known;
        }
        let cell = self.follow(type_id, rest, key, MAX_STEPS).unwrap_or_default();
        self.references.insert((type_id, rest, key), cell);
        cell
    }

    fn follow(&mut self, type_id: u64, path: &str, key: u64, steps: usize) -> Option<Cell> {
        let steps = steps.checked_sub(1)?;
        let of = self.chunk.metadata().by_id(type_id)?;
        if path.is_empty() {
            return self.named(of, key, steps);
        }
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let field = of.field(name)?;
        let plan = self.chunk.plan(of, [name]).ok()?;
        let row = plan.read(self.pools.get(type_id, key)?).ok()?;
        match of_field(field) {
            Convert::Reference { type_id, .. } => self.follow(type_id, rest, row.u64(0), steps),
            Convert::Int => Some(Cell::Int(row.i64(0))),
            Convert::Float => Some(Cell::of_float(row.f64(0))),
            Convert::TickInstant => Some(Cell::Int(self.chunk.clock().nanos(row.i64(0)))),
            Convert::TickSpan => Some(Cell::Int(self.chunk.clock().span(row.i64(0)))),
            Convert::Times(n) => Some(Cell::Int(row.i64(0).saturating_mul(n))),
            Convert::Text => Some(self.text(row.str(0))),
            _ => None,
        }
    }

    /// The name of a constant, or the thread that it is.
    fn named(&mut self, of: Type<'_>, key: u64, steps: usize) -> Option<Cell> {
        match &*of.canonical_name() {
            "java.lang.Thread" => self.thread(of, key, steps),
            "java.lang.Class" => {
                let name = self.field_text(of, key, "name")?;
                Some(Cell::Text(self.intern(&names::type_name(&name))))
            }
            "jdk.types.Method" => {
                let class = self.follow(of.id(), "type", key, steps).and_then(Cell::text);
                let name = names::normalise_method(&self.field_text(of, key, "name")?).into_owned();
                let class = class.map(|id| self.interner.symbols().str(id).to_owned()).unwrap_or_default();
                let full = if class.is_empty() { name } else { format!("{class}.{name}") };
                Some(Cell::Text(self.intern(&full)))
            }
            "jdk.types.ClassLoader" => match self.field_text(of, key, "name").filter(|n| !n.is_empty()) {
                Some(name) => Some(Cell::Text(self.intern(&name))),
                None => self.follow(of.id(), "type", key, steps),
            },
            "jdk.types.OldObject" => self.follow(of.id(), "type", key, steps),
            _ => {
                let text = self.pools.string(self.chunk.metadata(), of.id(), key);
                // Nothing named: that something is there at all.
                text.decode().map(|text| Cell::Text(self.intern(&text)))
            }
        }
    }

    fn field_text(&self, of: Type<'_>, key: u64, field: &str) -> Option<String> {
        let plan: Plan<1> = self.chunk.plan(of, [field]).ok()?;
        let row = plan.read(self.pools.get(of.id(), key)?).ok()?;
        let raw = match plan.type_id(0) {
            Some(id) if plan.is_pooled(0) => self.pools.string(self.chunk.metadata(), id, row.u64(0)),
            _ => self.pools.resolve(self.string_type, row.str(0)),
        };
        raw.decode().map(std::borrow::Cow::into_owned)
    }

    fn thread(&mut self, of: Type<'_>, key: u64, steps: usize) -> Option<Cell> {
        let bytes = self.pools.get(of.id(), key)?;
        let plan = self.chunk.plan(of, ["javaThreadId", "osThreadId", "virtual"]).ok()?;
        let row = plan.read(bytes).ok()?;
        let name = |field| self.field_text(of, key, field).filter(|n| !n.is_empty());
        let name = name("javaName").or_else(|| name("osName")).unwrap_or_default();
        let group = self.follow(of.id(), "group.name", key, steps).and_then(Cell::text);
        let group = group.map(|id| self.interner.symbols().str(id).to_owned()).unwrap_or_default();
        let (java_id, os_id) = (row.i64(0).max(0), row.i64(1).max(0));
        let is_virtual = row.bool(2) && plan.has(2);
        Some(Cell::Thread(self.threads.id(ThreadInfo { name, java_id, os_id, is_virtual, group })))
    }
}

/// Keys of stack traces that are truncated.
pub(super) fn truncated(pools: &Pools<'_>, trace_type: u64, plan: &Plan<2>) -> Map<u64, ()> {
    let Some(pool) = pools.of_type(trace_type) else { return Map::default() };
    let is_truncated = |key: &u64| {
        pool.get(*key).and_then(|bytes| plan.read_next(&mut Cursor::new(bytes)).ok()).is_some_and(|row| row.bool(0))
    };
    pool.keys().filter(is_truncated).map(|key| (key, ())).collect()
}
