//! Converts recorded class names, method names and descriptors to functions with human-readable names.
//!
//! The same few strings make up the names of all methods in all chunks, and the meaning of a string as a class,
//! a method or a descriptor does not depend on its context. So each distinct string gets a number and is
//! processed once for the whole call. Within a chunk, symbols map to these numbers, and three numbers map to a
//! function. A method key that has another meaning in another chunk (for example, of another JVM in the same
//! file) does no harm, because keys are remembered only within their chunk.

use parking_lot::Mutex;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::HashTable;
use jfr_parse::{Chunk, ConstantKey, Cursor, Kind, Limits, PoolOf, Pools, RawStr, Row, TypeId, work};

use super::stack_plans::{ClassPlan, StackPlans};
use crate::Options;
use crate::hash::{HashMap, Hasher};
use crate::names;
use jfrkit_profile::{Function, FunctionId, Interner, StrId, Symbols};

/// How names are written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spelling {
    /// Keep names as recorded, including everything that differs from run to run.
    pub(crate) raw: bool,
    /// Use the full name with the descriptor as the system name, instead of only the descriptor.
    pub(crate) full_system_names: bool,
    /// Truncate each part of a name to [`SHORT_NAME`] bytes. See [`with_bounded_names`](super::stacks::with_bounded_names).
    pub(crate) short: bool,
}

impl From<&Options> for Spelling {
    fn from(options: &Options) -> Self {
        Self { raw: options.raw_names, full_system_names: options.full_system_names, short: false }
    }
}

/// Functions, keyed by what was recorded about them.
#[derive(Debug)]
pub(super) struct Functions {
    spelling: Spelling,
    classes: Mutex<Texts<Class>>,
    names: Mutex<Texts<Box<str>>>,
    descriptors: Mutex<Texts<Descriptor>>,
    /// Keyed by the numbers of class, name and descriptor.
    known: Mutex<HashMap<[u32; 3], FunctionId>>,
    hasher: Hasher,
    /// How many bytes of names may be created. A class name occurs once in a recording, no matter how long it is, but here it
    /// is part of the names of all its methods.
    allowed: usize,
    /// How many bytes the names of all functions have before they are truncated. It does not depend on the order in which the
    /// functions are found.
    composed: AtomicUsize,
    longest: usize,
    cut: AtomicUsize,
}

/// Bytes of names allowed for any recording, in addition to an allowance per byte of the recording. Recordings
/// of the largest programs use a tenth of that.
const NAMES: usize = 16 << 20;
/// The parts of names are truncated to this many bytes if there are too many long names.
const SHORT_NAME: usize = 128;
/// Longer strings are identified by their position in the recording.
const SHORT_KEY: usize = 512;

/// The meaning of a string as a class name.
#[derive(Debug)]
struct Class {
    /// The human-readable name; empty if the class has no name.
    name: Box<str>,
    /// The likely source file.
    file: StrId,
}

/// The meaning of a string as a descriptor.
#[derive(Debug)]
struct Descriptor {
    text: StrId,
    native: Option<Native>,
}

/// The frames of async-profiler that are not Java methods.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Native {
    Library,
    Kernel,
}

/// Strings that are interpreted in the same way, each stored once.
#[derive(Debug)]
struct Texts<M> {
    /// The string as recorded, truncated to the limit.
    text: String,
    entries: Vec<Text<M>>,
    table: HashTable<(u64, u32)>,
    /// Long strings, identified by their position: a million methods can share one. The recordings are not
    /// moved while this is in use, so an address identifies the bytes at that address.
    long: HashMap<(usize, usize), u32>,
}

#[derive(Debug)]
struct Text<M> {
    end: usize,
    /// Whether the string was longer than the limit.
    is_cut: bool,
    meaning: M,
}

impl<M> Default for Texts<M> {
    fn default() -> Self {
        Self { text: String::new(), entries: Vec::new(), table: HashTable::new(), long: HashMap::default() }
    }
}

impl<M> Texts<M> {
    fn get(&self, id: u32) -> Option<(&str, &Text<M>)> {
        let i = id as usize;
        let from = i.checked_sub(1).map_or(Some(0), |before| Some(self.entries.get(before)?.end))?;
        let text = self.entries.get(i)?;
        Some((self.text.get(from..text.end)?, text))
    }

    fn find(&self, sought: &Sought<'_, '_>) -> Option<u32> {
        if sought.is_long() {
            return self.long.get(&sought.place()).copied();
        }
        let same = |&(hash, id): &(u64, u32)| {
            work::done(1);
            hash == sought.hash && self.get(id).is_some_and(|(text, _)| text == sought.text)
        };
        self.table.find(sought.hash, same).map(|&(_, id)| id)
    }

    fn insert(&mut self, sought: &Sought<'_, '_>, meaning: M) -> u32 {
        // Another thread may have inserted it first.
        if let Some(id) = self.find(sought) {
            return id;
        }
        let id = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.text.push_str(sought.text);
        self.entries.push(Text { end: self.text.len(), is_cut: sought.is_cut, meaning });
        if sought.is_long() {
            self.long.insert(sought.place(), id);
        } else {
            self.table.insert_unique(sought.hash, (sought.hash, id), |&(hash, _)| hash);
        }
        id
    }
}

/// A string whose number is being looked up.
struct Sought<'a, 't> {
    raw: RawStr<'a>,
    text: &'t str,
    hash: u64,
    is_cut: bool,
}

impl Sought<'_, '_> {
    fn is_long(&self) -> bool {
        self.raw.bytes().len() > SHORT_KEY
    }

    fn place(&self) -> (usize, usize) {
        (self.raw.bytes().as_ptr().addr(), self.raw.bytes().len())
    }
}

/// The numbers of the strings referenced by the constants of a chunk, by key.
#[derive(Default)]
struct Column {
    ids: HashMap<ConstantKey, u32>,
    /// Unknown keys. While they are looked up, they have numbers that count down from `u32::MAX`.
    unknown: Vec<ConstantKey>,
    /// The texts of the unknown keys.
    text: String,
    buffer: Vec<u8>,
}

impl Column {
    /// The number of the string for each key; `raw` finds the string. Done in batches, because the lookups wait
    /// for memory and can overlap.
    fn texts<'a, M>(
        &mut self,
        keys: impl Iterator<Item = ConstantKey> + Clone,
        raw: impl Fn(ConstantKey) -> RawStr<'a>,
        texts: &Mutex<Texts<M>>,
        functions: &Functions,
        meaning: impl Fn(&str) -> M,
    ) -> Vec<u32> {
        let Self { ids, unknown, text, buffer } = self;
        let number = |key: ConstantKey| {
            *ids.entry(key).or_insert_with(|| {
                unknown.push(key);
                u32::try_from(unknown.len()).map_or(0, |n| u32::MAX - (n - 1))
            })
        };
        let mut numbers: Vec<u32> = keys.map(number).collect();
        text.clear();
        let longest = functions.longest;
        let mut read = |&key: &ConstantKey| {
            let raw = raw(key);
            // Names are read repeatedly; in a mapped file, they are copied before they are checked.
            raw.cut(longest).decode_onto(text, buffer);
            (raw, text.len())
        };
        let raws: Vec<(RawStr<'a>, usize)> = unknown.iter().map(&mut read).collect();
        let mut from = 0;
        let seek = |&(raw, end): &(RawStr<'a>, usize)| {
            let text = text.get(std::mem::replace(&mut from, end)..end).unwrap_or_default();
            Sought { raw, text, hash: functions.hasher.hash_one(text), is_cut: raw.bytes().len() > longest }
        };
        let sought: Vec<Sought<'a, '_>> = raws.iter().map(seek).collect();
        let found: Vec<Option<u32>> = {
            let texts = texts.lock();
            sought.iter().map(|sought| texts.find(sought)).collect()
        };
        let found = found.into_iter().zip(&sought).map(|(found, sought)| {
            found.unwrap_or_else(|| {
                let meaning = meaning(sought.text);
                texts.lock().insert(sought, meaning)
            })
        });
        let found: Vec<u32> = found.collect();
        for number in &mut numbers {
            if let Some(id) = found.get((u32::MAX - *number) as usize) {
                *number = *id;
            }
        }
        ids.extend(unknown.drain(..).zip(found));
        numbers
    }
}

/// Finds the functions of a chunk's methods, many at a time.
pub(super) struct Methods<'c, 'a> {
    plans: &'c StackPlans,
    methods: Option<PoolOf<'c, 'a>>,
    classes: Option<PoolOf<'c, 'a>>,
    class_name: Strings<'c, 'a>,
    name: Strings<'c, 'a>,
    descriptor: Strings<'c, 'a>,
    class_texts: Column,
    name_texts: Column,
    descriptor_texts: Column,
}

impl<'c, 'a> Methods<'c, 'a> {
    pub(super) fn new(chunk: &'c Chunk<'a>, pools: &'c Pools<'a>, plans: &'c StackPlans) -> Self {
        let class = plans.class.as_ref();
        Self {
            plans,
            methods: pools.of_type(plans.method_type),
            classes: class.and_then(|c| pools.of_type(c.class_type)),
            class_name: Strings::new(chunk, pools, class.and_then(|c| c.class.type_id(ClassPlan::NAME))),
            name: Strings::new(chunk, pools, plans.method.type_id(StackPlans::NAME)),
            descriptor: Strings::new(chunk, pools, plans.method.type_id(StackPlans::DESCRIPTOR)),
            class_texts: Column::default(),
            name_texts: Column::default(),
            descriptor_texts: Column::default(),
        }
    }

    /// The function of each method; `None` if the chunk does not contain the method.
    pub(super) fn functions(
        &mut self,
        keys: &[ConstantKey],
        functions: &Functions,
        interner: &Interner,
    ) -> Vec<Option<FunctionId>> {
        let (plans, methods, classes) = (self.plans, self.methods, self.classes);
        let row = |key: &ConstantKey| plans.method.read(methods?.get(*key)?).ok();
        let rows: Vec<Option<Row<'a, 3>>> = keys.iter().map(row).collect();
        let keys = |column| rows.iter().flatten().map(move |row| row.get(column));
        let class = |key: ConstantKey| {
            let row = plans.class.as_ref().and_then(|plan| plan.class.read(classes?.get(key)?).ok());
            row.map_or(RawStr::Null, |row| self.class_name.of(row.get(ClassPlan::NAME.of::<ConstantKey>())))
        };
        let of_class = |text: &str| functions.class(text, interner);
        let classes = self.class_texts.texts(keys(StackPlans::CLASS), class, &functions.classes, functions, of_class);
        let name = |key: ConstantKey| self.name.of(key);
        let of_name = |text: &str| functions.method(text);
        let names = self.name_texts.texts(keys(StackPlans::NAME), name, &functions.names, functions, of_name);
        let descriptor = |key: ConstantKey| self.descriptor.of(key);
        let of_descriptor = |text: &str| functions.descriptor(text, interner);
        let descriptors = self.descriptor_texts.texts(
            keys(StackPlans::DESCRIPTOR),
            descriptor,
            &functions.descriptors,
            functions,
            of_descriptor,
        );
        let texts = classes.iter().zip(&names).zip(&descriptors);
        let texts: Vec<[u32; 3]> = texts.map(|((class, name), descriptor)| [*class, *name, *descriptor]).collect();
        let mut found = functions.get(&texts, interner).into_iter();
        rows.iter().map(|row| row.as_ref().and_then(|_| found.next())).collect()
    }
}

/// The strings that a field refers to.
struct Strings<'c, 'a> {
    chunk: &'c Chunk<'a>,
    pools: &'c Pools<'a>,
    type_id: Option<TypeId>,
    /// The pool, if its constants are plain strings.
    direct: Option<PoolOf<'c, 'a>>,
}

impl<'c, 'a> Strings<'c, 'a> {
    fn new(chunk: &'c Chunk<'a>, pools: &'c Pools<'a>, type_id: Option<TypeId>) -> Self {
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

    /// The string with this key.
    #[inline]
    fn of(&self, key: ConstantKey) -> RawStr<'a> {
        let Some(type_id) = self.type_id else { return RawStr::Null };
        let direct = self.direct.and_then(|pool| RawStr::read(&mut Cursor::new(pool.get(key)?)).ok());
        match direct {
            Some(RawStr::Pooled(_)) | None => self.pools.string(self.chunk.metadata(), type_id, key),
            Some(text) => text,
        }
    }
}

/// The recorded name of a class.
pub(crate) fn class_name<'a>(chunk: &Chunk<'a>, pools: &Pools<'a>, plan: &ClassPlan, key: ConstantKey) -> RawStr<'a> {
    let Some(row) = pools.get(plan.class_type, key).and_then(|bytes| plan.class.read(bytes).ok()) else {
        return RawStr::Null;
    };
    pools.text(chunk.metadata(), &plan.class, &row, ClassPlan::NAME)
}

impl Functions {
    /// Creates an empty table for recordings with this many bytes in total.
    pub(super) fn new(spelling: Spelling, limits: &Limits, bytes: usize) -> Self {
        Self {
            spelling,
            classes: Mutex::default(),
            names: Mutex::default(),
            descriptors: Mutex::default(),
            known: Mutex::default(),
            hasher: Hasher::default(),
            allowed: NAMES.saturating_add(bytes),
            composed: AtomicUsize::new(0),
            longest: limits.string_bytes,
            cut: AtomicUsize::new(0),
        }
    }

    /// The number of names that were truncated, because they or their total were too long.
    pub(super) fn cut(&self) -> usize {
        self.cut.load(Ordering::Relaxed)
    }

    /// The allowance, if the names exceed it and not all of them have been truncated.
    pub(super) fn exceeded(&self) -> Option<u64> {
        let is_exceeded = !self.spelling.short && self.composed.load(Ordering::Relaxed) > self.allowed;
        is_exceeded.then_some(self.allowed as u64)
    }

    fn class(&self, recorded: &str, interner: &Interner) -> Class {
        let class = if self.spelling.raw { recorded.into() } else { names::normalize_class(recorded) };
        let file = if class.is_empty() { String::new() } else { names::source_file(&class) };
        Class { name: names::java_name(&class).into(), file: interner.symbols().string(&file) }
    }

    fn method(&self, recorded: &str) -> Box<str> {
        if self.spelling.raw { recorded.into() } else { names::normalize_method(recorded).into() }
    }

    fn descriptor(&self, recorded: &str, interner: &Interner) -> Descriptor {
        let text = if self.spelling.raw { recorded.into() } else { names::normalize_descriptor(recorded) };
        let native = match recorded {
            "()L;" => Some(Native::Library),
            "(Lk;)L;" => Some(Native::Kernel),
            _ => None,
        };
        Descriptor { text: interner.symbols().string(&text), native }
    }

    /// The functions of methods, given the numbers of their strings.
    fn get(&self, methods: &[[u32; 3]], interner: &Interner) -> Vec<FunctionId> {
        let mut unknown = Vec::new();
        let mut found: Vec<FunctionId> = {
            let known = self.known.lock();
            let one = |(i, texts): (usize, &[u32; 3])| {
                known.get(texts).copied().unwrap_or_else(|| {
                    unknown.push(i);
                    FunctionId::default()
                })
            };
            methods.iter().enumerate().map(one).collect()
        };
        if unknown.is_empty() {
            return found;
        }
        let (classes, names, descriptors) = (self.classes.lock(), self.names.lock(), self.descriptors.lock());
        let mut known = self.known.lock();
        let mut text = String::new();
        for i in unknown {
            let (Some(place), Some(&method)) = (found.get_mut(i), methods.get(i)) else { continue };
            *place = *known.entry(method).or_insert_with(|| {
                let [class, name, descriptor] = method;
                let parts = (classes.get(class), names.get(name), descriptors.get(descriptor));
                let (Some(class), Some(name), Some(descriptor)) = parts else {
                    debug_assert!(false, "a text without a number");
                    return FunctionId::default();
                };
                self.compose(class, name, descriptor, interner, &mut text)
            });
        }
        found
    }

    /// Composes a function; `text` is a buffer that is reused.
    fn compose(
        &self,
        (raw_class, class): (&str, &Text<Class>),
        (raw_name, name): (&str, &Text<Box<str>>),
        (raw_descriptor, descriptor): (&str, &Text<Descriptor>),
        interner: &Interner,
        text: &mut String,
    ) -> FunctionId {
        let lengths = [raw_class.len(), raw_name.len(), raw_descriptor.len()];
        // The full name is part of the name and of the name with descriptor, and its class is part of the file name.
        let bytes = lengths.iter().fold(0, |sum: usize, length| sum.saturating_add(*length)).saturating_mul(3);
        let composed = self.composed.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        // When the total is too long, the call starts over; truncating bounds the memory until then.
        let most = if self.spelling.short || composed > self.allowed { SHORT_NAME } else { usize::MAX };
        if class.is_cut || name.is_cut || descriptor.is_cut || lengths.iter().any(|length| *length > most) {
            self.cut.fetch_add(1, Ordering::Relaxed);
        }
        let short = |text| names::cut(text, most);
        let Spelling { raw, full_system_names, .. } = self.spelling;
        text.clear();
        let mut symbols = interner.symbols();
        if let Some(native) = descriptor.meaning.native {
            let (name, library) = (short(raw_name), short(raw_class));
            let library = match library {
                "" if !raw && native == Native::Kernel => "[kernel]",
                class => class,
            };
            if raw && !raw_class.is_empty() {
                text.push_str(&names::java_name(short(raw_class)));
                text.push('.');
            }
            text.push_str(name);
            let (name, library) = (symbols.string(text), symbols.string(library));
            return symbols.function_id(Function { name, system_name: name, file: StrId::default(), library });
        }
        let name = short(&name.meaning);
        text.push_str(short(&class.meaning.name));
        // With raw names, the name of a method without a name ends with the dot.
        if !class.meaning.name.is_empty() && (raw || !name.is_empty()) {
            text.push('.');
        }
        text.push_str(name);
        let plain = symbols.string(text);
        let system_name = if full_system_names {
            text.push_str(short(symbols.str(descriptor.meaning.text)));
            symbols.string(text)
        } else {
            shortened(descriptor.meaning.text, most, &mut symbols)
        };
        let file = shortened(class.meaning.file, most, &mut symbols);
        symbols.function_id(Function { name: plain, system_name, file, library: StrId::default() })
    }
}

/// The string, truncated to `most` bytes.
fn shortened(text: StrId, most: usize, symbols: &mut Symbols) -> StrId {
    if symbols.str(text).len() <= most {
        return text;
    }
    let short = names::cut(symbols.str(text), most).to_owned();
    symbols.string(&short)
}

/// A synthetic frame, such as `[truncated]`.
pub(super) fn pseudo(name: &str, interner: &Interner) -> FunctionId {
    let mut symbols = interner.symbols();
    let name = symbols.string(name);
    symbols.function_id(Function { name, system_name: name, file: StrId::default(), library: StrId::default() })
}
