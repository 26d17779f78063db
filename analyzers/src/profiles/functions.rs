//! From the recorded class, method and descriptor to a function with names for people.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use hashbrown::{HashMap, HashTable};
use jfr_parse::{Chunk, Cursor, Kind, Limits, PoolOf, Pools, RawStr, Row, work};

use super::options::Options;
use super::plans::{ClassPlan, StackPlans};
use crate::names;
use jfrkit_profile::{Function, FunctionId, Interner, StrId};

type Hasher = foldhash::fast::RandomState;

/// Functions by what was recorded of them, so that a name is composed once and not in every chunk.
#[derive(Debug)]
pub(super) struct Functions {
    known: Mutex<Known>,
    hasher: Hasher,
    /// Bytes of names that may still be composed. A class stands once in a recording, however long its name is, but in
    /// the names of all of its methods here.
    left: AtomicUsize,
    longest: usize,
    cut: AtomicUsize,
}

/// Bytes of names that any recording may have, and some more for each of its bytes; recordings of the largest programs
/// have a tenth of that.
const NAMES: usize = 16 << 20;
/// Bytes that are left of a name where there are too many.
const SHORT_NAME: usize = 128;
/// Longer strings are known by where they stand in the recording.
const SHORT_KEY: usize = 512;

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

/// Finds the strings of a chunk's methods, many at a time: what one look-up waits for in memory, the others use.
pub(super) struct Methods<'c, 'a> {
    plans: &'c StackPlans,
    methods: Option<PoolOf<'c, 'a>>,
    classes: Option<PoolOf<'c, 'a>>,
    class_name: Symbols<'c, 'a>,
    name: Symbols<'c, 'a>,
    descriptor: Symbols<'c, 'a>,
}

impl<'c, 'a> Methods<'c, 'a> {
    pub(super) fn new(chunk: &'c Chunk<'a>, pools: &'c Pools<'a>, plans: &'c StackPlans) -> Self {
        let class = plans.class.as_ref();
        Self {
            plans,
            methods: pools.of_type(plans.method_type),
            classes: class.and_then(|c| pools.of_type(c.class_type)),
            class_name: Symbols::new(chunk, pools, class.and_then(|c| c.class.type_id(0))),
            name: Symbols::new(chunk, pools, plans.method.type_id(1)),
            descriptor: Symbols::new(chunk, pools, plans.method.type_id(2)),
        }
    }

    /// The strings of each method; `None` for those that the chunk does not hold.
    pub(super) fn find(&self, keys: &[u64]) -> Vec<Option<RawMethod<'a>>> {
        let row = |key: &u64| self.plans.method.read(self.methods?.get(*key)?).ok();
        let rows: Vec<Option<Row<'a, 3>>> = keys.iter().map(row).collect();
        let class = |row: &Option<Row<'a, 3>>| {
            self.plans.class.as_ref()?.class.read(self.classes?.get(row.as_ref()?.u64(0))?).ok()
        };
        let classes: Vec<Option<Row<'a, 1>>> = rows.iter().map(class).collect();
        let classes = classes.iter().map(|row| row.as_ref().map_or(RawStr::Null, |row| self.class_name.of(row, 0)));
        let classes: Vec<RawStr<'a>> = classes.collect();
        let method = |(row, class): (Option<Row<'a, 3>>, RawStr<'a>)| {
            row.map(|row| RawMethod { class, name: self.name.of(&row, 1), descriptor: self.descriptor.of(&row, 2) })
        };
        rows.into_iter().zip(classes).map(method).collect()
    }
}

/// The strings that a field refers to.
struct Symbols<'c, 'a> {
    chunk: &'c Chunk<'a>,
    pools: &'c Pools<'a>,
    type_id: Option<u64>,
    /// The pool, where its constants are strings that stand there as such.
    direct: Option<PoolOf<'c, 'a>>,
}

impl<'c, 'a> Symbols<'c, 'a> {
    fn new(chunk: &'c Chunk<'a>, pools: &'c Pools<'a>, type_id: Option<u64>) -> Self {
        let of = type_id.and_then(|id| chunk.metadata().by_id(id));
        let direct = of.filter(|of| {
            let first = of.fields().next();
            of.kind() == Kind::String
                || first.is_some_and(|f| {
                    !f.is_pooled() && !f.is_array() && f.value_type().is_some_and(|t| t.kind() == Kind::String)
                })
        });
        Self { chunk, pools, type_id, direct: direct.and_then(|of| pools.of_type(of.id())) }
    }

    /// The string of field `i` of a row whose plan found it.
    #[inline]
    fn of<const N: usize>(&self, row: &Row<'a, N>, i: usize) -> RawStr<'a> {
        let Some(type_id) = self.type_id else { return RawStr::Null };
        let key = row.u64(i);
        let direct = self.direct.and_then(|pool| RawStr::read(&mut Cursor::new(pool.get(key)?)).ok());
        match direct {
            Some(RawStr::Pooled(_)) | None => self.pools.string(self.chunk.metadata(), type_id, key),
            Some(text) => text,
        }
    }
}

impl RawMethod<'_> {
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
            // A million methods can share one long name. The recordings stay where they are for as long as this is
            // used, so that an address stands for the bytes behind it.
            if bytes.len() > SHORT_KEY {
                out.extend_from_slice(&bytes.as_ptr().addr().to_le_bytes());
            } else {
                out.extend_from_slice(bytes);
            }
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
    /// For recordings of this many bytes.
    pub(super) fn new(limits: &Limits, bytes: usize) -> Self {
        Self {
            known: Mutex::default(),
            hasher: Hasher::default(),
            left: AtomicUsize::new(NAMES.saturating_add(bytes)),
            longest: limits.string_bytes,
            cut: AtomicUsize::new(0),
        }
    }

    /// How many names were cut.
    pub(super) fn cut(&self) -> usize {
        self.cut.load(Ordering::Relaxed)
    }

    /// Cuts the strings of a method that are too long.
    fn within<'a>(&self, method: &RawMethod<'a>) -> RawMethod<'a> {
        let texts = [method.class, method.name, method.descriptor];
        // The full name stands in the name, the name with its descriptor, and (the class) in that of the file.
        let bytes = texts.iter().fold(0, |sum: usize, text| sum.saturating_add(text.bytes().len())).saturating_mul(3);
        let left = self.left.load(Ordering::Relaxed);
        let most = if bytes > left { SHORT_NAME } else { self.longest };
        self.left.store(left.saturating_sub(bytes), Ordering::Relaxed);
        if texts.iter().any(|text| text.bytes().len() > most) {
            self.cut.fetch_add(1, Ordering::Relaxed);
        }
        let [class, name, descriptor] = texts.map(|text| text.cut(most));
        RawMethod { class, name, descriptor }
    }

    /// The functions of recorded methods; that of `None` is `unknown`.
    pub(super) fn get<'a>(
        &self,
        methods: &[Option<RawMethod<'a>>],
        classes: &mut ClassNames<'a>,
        unknown: FunctionId,
        interner: &Interner,
    ) -> Vec<FunctionId> {
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(methods.len()));
        for method in methods {
            if let Some(method) = method {
                method.write(&mut bytes);
            }
            ends.push(bytes.len());
        }
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let keys: Vec<&[u8]> = starts.zip(&ends).map(|(from, &to)| bytes.get(from..to).unwrap_or_default()).collect();
        let hashes: Vec<u64> = keys.iter().map(|key| self.hasher.hash_one(*key)).collect();
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<Option<FunctionId>> = {
            let known = lock();
            hashes.iter().zip(&keys).map(|(hash, key)| known.find(*hash, key)).collect()
        };
        for ((found, method), (key, hash)) in found.iter_mut().zip(methods).zip(keys.iter().zip(&hashes)) {
            if let (None, Some(method)) = (&found, method) {
                let id = compose(&self.within(method), classes, interner);
                *found = Some(id);
                lock().insert(*hash, key, id, &self.hasher);
            }
        }
        found.into_iter().map(|id| id.unwrap_or(unknown)).collect()
    }
}

impl Known {
    fn find(&self, hash: u64, bytes: &[u8]) -> Option<FunctionId> {
        let entry = |i: u32| self.entries.get(i as usize);
        work::done(bytes.len());
        let same = |&i: &u32| entry(i).is_some_and(|(range, _)| self.bytes.get(range.clone()) == Some(bytes));
        self.table.find(hash, same).and_then(|&i| entry(i)).map(|(_, id)| *id)
    }

    fn insert(&mut self, hash: u64, bytes: &[u8], id: FunctionId, hasher: &Hasher) {
        // Another thread may have been faster.
        if self.find(hash, bytes).is_some() {
            return;
        }
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

/// How names are spelled.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spelling {
    /// As recorded, with all that differs from run to run.
    pub(crate) raw: bool,
    /// The system name is the name with the descriptor, rather than the descriptor alone.
    pub(crate) full_system_names: bool,
}

impl From<&Options> for Spelling {
    fn from(options: &Options) -> Self {
        Self { raw: options.raw_names, full_system_names: options.full_system_names }
    }
}

/// The names of the classes of a chunk, made once for all of their methods.
pub(super) struct ClassNames<'a> {
    spelling: Spelling,
    known: HashMap<RawStr<'a>, ClassName, Hasher>,
}

struct ClassName {
    /// Empty where the class has no name.
    name: String,
    /// The likely source file.
    file: String,
}

impl<'a> ClassNames<'a> {
    pub(super) fn new(spelling: Spelling) -> Self {
        Self { spelling, known: HashMap::default() }
    }

    fn of(&mut self, class: RawStr<'a>) -> &ClassName {
        let raw = self.spelling.raw;
        self.known.entry(class).or_insert_with(|| {
            let class = class.decode().unwrap_or_default();
            let class = if raw { class } else { names::normalise_class(&class).into_owned().into() };
            let file = if class.is_empty() { String::new() } else { names::source_file(&class) };
            ClassName { name: names::java_name(&class).into_owned(), file }
        })
    }
}

fn compose<'a>(method: &RawMethod<'a>, classes: &mut ClassNames<'a>, interner: &Interner) -> FunctionId {
    let Spelling { raw, full_system_names } = classes.spelling;
    let name = method.name.decode().unwrap_or_default();
    let descriptor = method.descriptor.decode().unwrap_or_default();
    let native = descriptor == NATIVE || descriptor == KERNEL;
    if native {
        let class = method.class.decode().unwrap_or_default();
        let (full, library) = match &*class {
            "" if raw => (name, class),
            class_name if raw => ([&names::java_name(class_name), ".", &name].concat().into(), class),
            "" if descriptor == KERNEL => (name, "[kernel]".into()),
            _ => (name, class),
        };
        let mut symbols = interner.symbols();
        let name = symbols.string(&full);
        let library = symbols.string(&library);
        return symbols.function_id(Function { name, system_name: name, file: StrId::default(), library });
    }
    let class = classes.of(method.class);
    let (name, descriptor) =
        if raw { (name, descriptor) } else { (stable_method(name), stable_descriptor(descriptor)) };
    let mut text = String::with_capacity(class.name.len() + 1 + name.len() + descriptor.len());
    text.push_str(&class.name);
    // As recorded, the name of a method without a name ends in the dot.
    if !class.name.is_empty() && (raw || !name.is_empty()) {
        text.push('.');
    }
    text.push_str(&name);
    let mut symbols = interner.symbols();
    let plain = symbols.string(&text);
    let system_name = if full_system_names {
        text.push_str(&descriptor);
        symbols.string(&text)
    } else {
        symbols.string(&descriptor)
    };
    let function = Function { name: plain, system_name, file: symbols.string(&class.file), library: StrId::default() };
    symbols.function_id(function)
}

fn stable_method(name: Cow<'_, str>) -> Cow<'_, str> {
    match names::normalise_method(&name) {
        Cow::Borrowed(same) if same.len() == name.len() => name,
        other => Cow::Owned(other.into_owned()),
    }
}

fn stable_descriptor(descriptor: Cow<'_, str>) -> Cow<'_, str> {
    match names::normalise_descriptor(&descriptor) {
        Cow::Borrowed(same) if same.len() == descriptor.len() => descriptor,
        other => Cow::Owned(other.into_owned()),
    }
}

/// A frame of our own, such as `[truncated]`.
pub(super) fn pseudo(name: &str, interner: &Interner) -> FunctionId {
    let mut symbols = interner.symbols();
    let name = symbols.string(name);
    symbols.function_id(Function { name, system_name: name, file: StrId::default(), library: StrId::default() })
}
