//! From the recorded class, method and descriptor to a function with names for people.

use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use hashbrown::HashTable;
use jfr_parse::{Chunk, Pools, RawStr};

use super::plans::{ClassPlan, StackPlans};
use crate::model::{Function, FunctionId, Interner, StrId};
use crate::names;

type Hasher = foldhash::fast::RandomState;

/// Functions by what was recorded of them, so that a name is composed once and not in every chunk.
#[derive(Debug, Default)]
pub(super) struct Functions {
    known: Mutex<Known>,
    hasher: Hasher,
}

#[derive(Debug, Default)]
struct Known {
    bytes: Vec<u8>,
    entries: Vec<(std::ops::Range<usize>, FunctionId)>,
    table: HashTable<u32>,
}

/// The strings of a method as they stand in the recording.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawMethod<'a> {
    pub(super) class: RawStr<'a>,
    pub(super) name: RawStr<'a>,
    pub(super) descriptor: RawStr<'a>,
}

impl<'a> RawMethod<'a> {
    /// Looks a method up in the pools of its chunk; `None` where it is not there.
    pub(super) fn find(chunk: &Chunk<'a>, pools: &Pools<'a>, plans: &StackPlans, key: u64) -> Option<Self> {
        let row = plans.method.read(pools.get(plans.method_type, key)?).ok()?;
        let symbol = |i: usize| match plans.method.type_id(i) {
            Some(id) if plans.method.is_pooled(i) => pools.string(chunk.metadata(), id, row.u64(i)),
            _ => row.str(i),
        };
        let class = plans.class.as_ref().map_or(RawStr::Null, |class| class_name(chunk, pools, class, row.u64(0)));
        Some(Self { class, name: symbol(1), descriptor: symbol(2) })
    }

    /// Bytes that are equal only for equal methods, appended to `out`.
    fn write(&self, out: &mut Vec<u8>) {
        for text in [self.class, self.name, self.descriptor] {
            let (tag, bytes): (u8, &[u8]) = match text {
                RawStr::Null | RawStr::Pooled(_) => (0, &[]),
                RawStr::Empty => (1, &[]),
                RawStr::Utf8(bytes) => (3, bytes),
                RawStr::Utf16(bytes) => (4, bytes),
                RawStr::Latin1(bytes) => (5, bytes),
            };
            out.push(tag);
            out.extend_from_slice(&bytes.len().to_le_bytes());
            out.extend_from_slice(bytes);
        }
    }
}

/// The recorded name of a class.
pub(super) fn class_name<'a>(chunk: &Chunk<'a>, pools: &Pools<'a>, plan: &ClassPlan, key: u64) -> RawStr<'a> {
    let Some(row) = pools.get(plan.class_type, key).and_then(|bytes| plan.class.read(bytes).ok()) else {
        return RawStr::Null;
    };
    match plan.class.type_id(0) {
        Some(id) if plan.class.is_pooled(0) => pools.string(chunk.metadata(), id, row.u64(0)),
        _ => row.str(0),
    }
}

impl Functions {
    /// The function of a recorded method. `scratch` is only working space.
    pub(super) fn get(
        &self,
        method: &RawMethod<'_>,
        raw_names: bool,
        interner: &Interner,
        scratch: &mut Vec<u8>,
    ) -> FunctionId {
        scratch.clear();
        method.write(scratch);
        let hash = self.hasher.hash_one(&scratch[..]);
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = lock().find(hash, scratch) {
            return id;
        }
        let id = compose(method, raw_names, interner);
        lock().insert(hash, scratch, id, &self.hasher);
        id
    }
}

impl Known {
    fn find(&self, hash: u64, bytes: &[u8]) -> Option<FunctionId> {
        let entry = |i: u32| self.entries.get(i as usize);
        let same = |&i: &u32| entry(i).is_some_and(|(range, _)| self.bytes.get(range.clone()) == Some(bytes));
        self.table.find(hash, same).and_then(|&i| entry(i)).map(|(_, id)| *id)
    }

    fn insert(&mut self, hash: u64, bytes: &[u8], id: FunctionId, hasher: &Hasher) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push((from..self.bytes.len(), id));
        let (all, entries) = (&self.bytes, &self.entries);
        self.table.insert_unique(hash, number, |&i| {
            hasher.hash_one(entries.get(i as usize).and_then(|(range, _)| all.get(range.clone())).unwrap_or_default())
        });
    }
}

/// Descriptors that async-profiler gives to frames that are no Java methods.
const NATIVE: &str = "()L;";
const KERNEL: &str = "(Lk;)L;";

fn compose(method: &RawMethod<'_>, raw_names: bool, interner: &Interner) -> FunctionId {
    let text = |raw: RawStr<'_>| raw.decode().unwrap_or_default().into_owned();
    let (class, name, descriptor) = (text(method.class), text(method.name), text(method.descriptor));
    let native = descriptor == NATIVE || descriptor == KERNEL;
    let join = |class: &str, name: &str| match (class, name) {
        ("", name) => name.to_owned(),
        (class, "") => class.to_owned(),
        (class, name) => format!("{class}.{name}"),
    };
    let (full, library, file, system) = if native && !raw_names {
        let library = if descriptor == KERNEL && class.is_empty() { "[kernel]".to_owned() } else { class };
        (name.clone(), library, String::new(), name)
    } else if raw_names {
        let dotted = names::java_name(&class);
        let full = if class.is_empty() { name.clone() } else { format!("{dotted}.{name}") };
        let library = if native { class.clone() } else { String::new() };
        let file = if native || class.is_empty() { String::new() } else { names::source_file(&class) };
        let system = if native { full.clone() } else { format!("{full}{descriptor}") };
        (full, library, file, system)
    } else {
        let stable = names::normalise_class(&class);
        let method = names::normalise_method(&name);
        let full = join(&names::java_name(&stable), &method);
        let file = if class.is_empty() { String::new() } else { names::source_file(&stable) };
        let system = format!("{full}{}", names::normalise_descriptor(&descriptor));
        (full, String::new(), file, system)
    };
    let mut symbols = interner.symbols();
    let function = Function {
        name: symbols.string(&full),
        system_name: symbols.string(&system),
        file: symbols.string(&file),
        library: symbols.string(&library),
    };
    symbols.function_id(function)
}

/// A frame of our own, such as `[truncated]`.
pub(super) fn pseudo(name: &str, interner: &Interner) -> FunctionId {
    let mut symbols = interner.symbols();
    let name = symbols.string(name);
    symbols.function_id(Function { name, system_name: name, file: StrId::default(), library: StrId::default() })
}
