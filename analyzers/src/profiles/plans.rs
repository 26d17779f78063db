//! What is read from the events and constants of chunks with the same metadata; made once for all of them.

use hashbrown::HashMap;
use jfr_parse::{Chunk, Plan, Result, Type};

use super::facts::FactKind;
use super::options::{LabelKey, Options};
use super::sources::{
    KEY, Measure, OTHER_TEXT, PORT, ROOT_SPAN, Route, SLOTS, SOURCES, SPAN, STACK, TEXT, THREAD, TIME, source_of,
};
use crate::engine::stack_plans::ClassPlan;
use crate::engine::type_map::TypeMap;

/// How to read the events of one type.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Place in [`SOURCES`].
    pub(super) source: u32,
    pub(super) plan: Plan<SLOTS>,
    pub(super) measure: Measure,
    pub(super) route: Route,
    /// The class or state tells events apart.
    pub(super) keyed: bool,
    /// Thread, text and the like tell events apart.
    pub(super) detailed: bool,
    /// The text is part of that.
    pub(super) text: bool,
}

/// What to do with an event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// Read it, with the reading of this number.
    Read(u32),
    /// Keep it for the facts about the chunk.
    Fact(FactKind),
}

/// Everything that can be known from metadata alone.
#[derive(Debug)]
pub(crate) struct Plans {
    pub(super) acts: TypeMap<Act>,
    pub(super) readings: Vec<Reading>,
    /// Place among the readings by place in [`SOURCES`].
    by_source: Vec<Option<usize>>,
    pub(super) trace_type: Option<u64>,
    pub(super) threads: Option<ThreadPlan>,
    /// Type ids of the sources by place in [`SOURCES`], where they are declared.
    pub(super) source_types: Vec<Option<u64>>,
    pub(super) string_type: u64,
    /// Whether times are compared.
    pub(super) timed: bool,
    /// How to get the names that keys of events stand for, by the type of the key, where it is no string or symbol.
    pub(super) keys: HashMap<u64, KeyPlan, foldhash::fast::RandomState>,
    /// Some of the event types with the name of a source are not read, there are so many.
    pub(super) too_many: bool,
}

/// How to get the name that the key of an event stands for.
#[derive(Debug)]
pub(crate) enum KeyPlan {
    Class(ClassPlan),
    /// An object, of which the class is told: the field of its type, and that.
    Object(Plan<1>, Option<ClassPlan>),
}

/// Event types with the same name in one chunk that are read.
const SAME_NAME: usize = 16;

/// How to get the names and ids of a thread.
#[derive(Debug)]
pub(crate) struct ThreadPlan {
    pub(super) thread_type: u64,
    /// `javaName`, `osName`, `javaThreadId`, `osThreadId`.
    pub(super) thread: Plan<4>,
}

impl Plans {
    pub(super) fn new(chunk: &Chunk<'_>, options: &Options) -> Result<Self> {
        let metadata = chunk.metadata();
        let timed = options.filter.from_nanos.is_some() || options.filter.to_nanos.is_some();
        let mut acts = TypeMap::default();
        let mut readings = Vec::new();
        let mut source_types = vec![None; SOURCES.len()];
        let mut by_source = vec![None; SOURCES.len()];
        let (mut by_name, mut too_many) = (vec![0usize; SOURCES.len()], false);
        for event in metadata.event_types() {
            let name = event.canonical_name();
            if let Some(fact) = FactKind::of(&name) {
                acts.insert(event.id(), Act::Fact(fact));
                continue;
            }
            let Some(i) = source_of(&name) else { continue };
            // One name for a million types would take memory out of proportion; a JVM has one type.
            let same = by_name.get_mut(i).map_or(0, |n| std::mem::replace(n, *n + 1));
            if same >= SAME_NAME {
                too_many = true;
                continue;
            }
            if let Some(slot) = source_types.get_mut(i) {
                *slot = Some(event.id());
            }
            if let Some(reading) = Reading::new(chunk, event, i, options, timed)? {
                acts.insert(event.id(), Act::Read(u32::try_from(readings.len()).unwrap_or(u32::MAX)));
                if let Some(slot) = by_source.get_mut(i) {
                    *slot = Some(readings.len());
                }
                readings.push(reading);
            }
        }
        let slot_type = |slot: usize| {
            readings.iter().find_map(|r: &Reading| r.plan.type_id(slot).and_then(|id| metadata.by_id(id)))
        };
        let trace_type = slot_type(STACK).map(|of| of.id());
        let mut keys = HashMap::default();
        for of in readings.iter().filter_map(|r: &Reading| metadata.by_id(r.plan.type_id(KEY)?)) {
            keys.extend(KeyPlan::new(chunk, of)?.map(|plan| (of.id(), plan)));
        }
        let thread_type = slot_type(THREAD).or_else(|| metadata.by_name("java.lang.Thread"));
        let threads = match thread_type {
            Some(of) => Some(ThreadPlan {
                thread_type: of.id(),
                thread: chunk.plan(of, ["javaName", "osName", "javaThreadId", "osThreadId"])?,
            }),
            None => None,
        };
        let string_type = metadata.by_name("java.lang.String").map_or(u64::MAX, |t| t.id());
        Ok(Self { acts, readings, by_source, trace_type, threads, source_types, string_type, timed, keys, too_many })
    }

    /// Whether constants of this type are looked up.
    pub(super) fn reads_constants(&self, of: Type<'_>, options: &Options) -> bool {
        match &*of.canonical_name() {
            "jdk.types.StackTrace"
            | "jdk.types.Method"
            | "java.lang.Class"
            | "jdk.types.Symbol"
            | "java.lang.String"
            | "jdk.types.ThreadState" => true,
            "java.lang.Thread" => {
                options.filter.threads.is_some()
                    || options.labels.iter().any(|l| matches!(l, LabelKey::Thread | LabelKey::ThreadId))
            }
            "jdk.types.OldObject" => options.labels.contains(&LabelKey::Class),
            _ => false,
        }
    }

    /// How the events of this place in [`SOURCES`] are read.
    pub(super) fn reading(&self, source: usize) -> Option<&Reading> {
        self.readings.get((*self.by_source.get(source)?)?)
    }
}

impl KeyPlan {
    /// `None` where the constant is a string or stands for one.
    fn new(chunk: &Chunk<'_>, of: Type<'_>) -> Result<Option<Self>> {
        Ok(match &*of.canonical_name() {
            "java.lang.Class" => Some(Self::Class(ClassPlan::new(chunk, of)?)),
            "jdk.types.OldObject" => {
                let plan = chunk.plan(of, ["type"])?;
                let class = plan.type_id(0).and_then(|id| chunk.metadata().by_id(id));
                let class = class.map(|of| ClassPlan::new(chunk, of)).transpose()?;
                Some(Self::Object(plan, class))
            }
            _ => None,
        })
    }
}

impl Reading {
    /// `None` where none of the profiles that the events make is wanted.
    fn new(chunk: &Chunk<'_>, event: Type<'_>, place: usize, options: &Options, timed: bool) -> Result<Option<Self>> {
        let Some(source) = SOURCES.get(place).filter(|s| s.kinds().iter().any(|k| options.wants(*k))) else {
            return Ok(None);
        };
        if source.route == Route::Free && !options.native_leaks {
            return Ok(None);
        }
        let labels = |key: Option<LabelKey>| key.is_some_and(|key| options.labels.contains(&key));
        let any = |keys: &[LabelKey]| keys.iter().any(|key| options.labels.contains(key));
        let thread = options.filter.threads.is_some() || any(&[LabelKey::Thread, LabelKey::ThreadId]);
        let text = labels(source.text);
        let port = any(&[LabelKey::Port]) && !source.fields.get(PORT).is_none_or(|f| f.is_empty());
        let spans = any(&[LabelKey::SpanId, LabelKey::LocalRootSpanId, LabelKey::TraceEndpoint]);
        let routed =
            matches!(source.route, Route::ExecutionSample | Route::ErrorThrow | Route::ExceptionThrow | Route::Park);
        let stated = source.key == Some(LabelKey::State) && options.filter.states.is_some();
        let keyed = routed || stated || labels(source.key);
        let mut fields = source.fields;
        let lasts = matches!(source.measure, Measure::Ticks | Measure::BytesAndTicks)
            || matches!(source.route, Route::Malloc | Route::Free);
        for (slot, wanted) in [
            (THREAD, thread),
            (TIME, timed || lasts),
            (KEY, keyed),
            (TEXT, text),
            (OTHER_TEXT, text),
            (PORT, port),
            (SPAN, spans),
            (ROOT_SPAN, spans),
        ] {
            if let Some(field) = fields.get_mut(slot)
                && !wanted
            {
                *field = "";
            }
        }
        let plan = chunk.plan(event, fields)?;
        let detailed = thread || text || port || (spans && (plan.has(SPAN) || plan.has(ROOT_SPAN)));
        let (measure, route) = (source.measure, source.route);
        let source = u32::try_from(place).unwrap_or(u32::MAX);
        Ok(Some(Self { source, plan, measure, route, keyed, detailed, text }))
    }
}
