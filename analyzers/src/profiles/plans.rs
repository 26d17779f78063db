//! Plans for reading events and constants, created once for all chunks with the same metadata.

use jfr_parse::{Chunk, Column, ConstantKey, Content, Plan, Result, Text, TimeUnit, Type, TypeId};

use super::facts::FactKind;
use super::options::{LabelKey, Options};
use super::sources::{
    self, AMOUNT, BySource, KEY, LASTED, Measure, OTHER_TEXT, PORT, ROOT_SPAN, Route, SLOTS, SPAN, STACK, SourceId,
    TEXT, THREAD, TIME, source_of,
};
use crate::engine::stack_plans::ClassPlan;
use crate::engine::type_map::TypeMap;
use crate::hash::HashMap;
use jfrkit_profile::index::IndexVec;

/// How to read the events of one type.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(super) source: SourceId,
    pub(super) plan: Plan<SLOTS>,
    pub(super) measure: Measure,
    pub(super) route: Route,
    /// Whether events are distinguished by class or state.
    pub(super) keyed: bool,
    /// Whether events are distinguished by thread, text and so on.
    pub(super) detailed: bool,
    /// Whether their texts are distinguished.
    pub(super) text: bool,
    /// Whether the span slot contains a context.
    pub(super) context: bool,
    /// Whether their times are distinguished.
    pub(super) times: bool,
    /// How to read when an event began and how long it lasted, if every event is kept by itself.
    pub(super) each: Option<Times>,
}

/// How to read when an event began and how long it lasted; `None` if it has no such field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) start: Option<TimeUnit>,
    /// The field and its unit.
    pub(super) duration: Option<(Column<i64>, TimeUnit)>,
}

crate::ids::ids! {
    /// A [`Reading`] of a chunk's metadata.
    pub(crate) ReadingId;
}

/// What the events of a type are used for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EventRole {
    /// They count in profiles and are read like this.
    Sample(ReadingId),
    /// They are facts about the chunk.
    Fact(FactKind),
}

/// Everything that depends only on metadata.
#[derive(Debug)]
pub(crate) struct Plans {
    pub(super) roles: TypeMap<EventRole>,
    pub(super) readings: IndexVec<ReadingId, Reading>,
    by_source: BySource<Option<ReadingId>>,
    pub(super) trace_type: Option<TypeId>,
    pub(super) threads: Option<ThreadPlan>,
    /// The type ids of the sources, if they are declared.
    pub(super) source_types: BySource<Option<TypeId>>,
    pub(super) string_type: TypeId,
    /// Whether times are compared.
    pub(super) timed: bool,
    /// How to read the names that event keys refer to, by the type of the key, unless it is a string or symbol.
    pub(super) keys: HashMap<TypeId, KeyPlan>,
    /// Whether some event types with the name of a source are skipped because there are too many.
    pub(super) too_many: bool,
}

/// How to read the name that an event key refers to.
#[derive(Debug)]
pub(crate) enum KeyPlan {
    Class(ClassPlan),
    /// An object whose class matters: the field with its type, and how to read that.
    Object(Plan<1>, Option<ClassPlan>),
}

/// Maximum number of event types with the same name to read in one chunk.
const SAME_NAME: usize = 16;

/// The class of a constant.
pub(super) const CLASS: Column<ConstantKey> = Column::at(0);

/// How to read the names and ids of a thread.
#[derive(Debug)]
pub(crate) struct ThreadPlan {
    pub(super) thread_type: TypeId,
    /// `javaName`, `osName`, `javaThreadId`, `osThreadId`.
    pub(super) thread: Plan<4>,
}

impl ThreadPlan {
    /// `javaName`, `osName`.
    pub(super) const NAMES: [Column<Text>; 2] = [Column::at(0), Column::at(1)];
    /// `javaThreadId`, `osThreadId`.
    pub(super) const IDS: [Column<i64>; 2] = [Column::at(2), Column::at(3)];
}

impl Plans {
    pub(super) fn new(chunk: &Chunk<'_>, options: &Options) -> Result<Self> {
        let metadata = chunk.metadata();
        let timed = !options.filter.range.is_open();
        let mut roles = TypeMap::default();
        let mut readings: IndexVec<ReadingId, Reading> = IndexVec::new();
        let mut source_types = sources::by_source(None);
        let mut by_source = sources::by_source(None);
        let (mut by_name, mut too_many) = (sources::by_source(0usize), false);
        for event in metadata.event_types() {
            let name = event.canonical_name();
            if let Some(fact) = FactKind::of(&name) {
                if fact.is_for_scaling() && !options.scale_cpu {
                    continue;
                }
                roles.insert(event.id(), EventRole::Fact(fact));
                continue;
            }
            let Some(source) = source_of(&name) else { continue };
            // One name for a million types would take memory out of proportion; a JVM has one type per name.
            by_name[source] += 1;
            if by_name[source] > SAME_NAME {
                too_many = true;
                continue;
            }
            source_types[source] = Some(event.id());
            if let Some(reading) = Reading::new(chunk, event, source, options, timed)? {
                let id = readings.push(reading);
                roles.insert(event.id(), EventRole::Sample(id));
                by_source[source] = Some(id);
            }
        }
        let slot_type = |column: Column<ConstantKey>| {
            readings.iter().find_map(|r: &Reading| r.plan.type_id(column).and_then(|id| metadata.by_id(id)))
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
        let string_type = metadata.string_type();
        Ok(Self { roles, readings, by_source, trace_type, threads, source_types, string_type, timed, keys, too_many })
    }

    /// Whether constants of this type are needed.
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

    /// How to read the events of a source, if any are read.
    pub(super) fn reading(&self, source: SourceId) -> Option<&Reading> {
        self.by_source[source].map(|id| &self.readings[id])
    }
}

impl KeyPlan {
    /// `None` if the constant is a string or wraps one.
    fn new(chunk: &Chunk<'_>, of: Type<'_>) -> Result<Option<Self>> {
        Ok(match &*of.canonical_name() {
            "java.lang.Class" => Some(Self::Class(ClassPlan::new(chunk, of)?)),
            "jdk.types.OldObject" => {
                let plan = chunk.plan(of, ["type"])?;
                let class = plan.type_id(CLASS).and_then(|id| chunk.metadata().by_id(id));
                let class = class.map(|of| ClassPlan::new(chunk, of)).transpose()?;
                Some(Self::Object(plan, class))
            }
            _ => None,
        })
    }
}

const DURATION: &str = "duration";

impl Times {
    fn new(event: Type<'_>, lasted: Column<i64>) -> Self {
        let content = |name: &str| event.field(name).and_then(|field| field.content());
        Self {
            start: match content("startTime") {
                Some(Content::Timestamp(unit)) => Some(unit),
                _ => None,
            },
            duration: match content(DURATION) {
                Some(Content::Timespan(unit)) => Some((lasted, unit)),
                _ => None,
            },
        }
    }
}

impl Reading {
    /// `None` if no profile that the events contribute to is requested.
    fn new(
        chunk: &Chunk<'_>,
        event: Type<'_>,
        source_id: SourceId,
        options: &Options,
        timed: bool,
    ) -> Result<Option<Self>> {
        let source = source_id.source();
        if !source.kinds().iter().any(|kind| options.wants(*kind)) {
            return Ok(None);
        }
        if source.route == Route::Free && !options.native_leaks {
            return Ok(None);
        }
        let labels = |key: Option<LabelKey>| key.is_some_and(|key| options.labels.contains(&key));
        let any = |keys: &[LabelKey]| keys.iter().any(|key| options.labels.contains(key));
        let scaled = options.scale_cpu && source.route == Route::ExecutionSample;
        let thread = options.filter.threads.is_some() || any(&[LabelKey::Thread, LabelKey::ThreadId]) || scaled;
        let text = labels(source.text);
        let port = any(&[LabelKey::Port]) && !source.field(PORT).is_empty();
        let spans = any(&[LabelKey::SpanId, LabelKey::LocalRootSpanId, LabelKey::TraceEndpoint]);
        // Agents record spans or contexts, not both.
        let context = any(&[LabelKey::ContextId]) && event.field("contextId").is_some();
        let routed =
            matches!(source.route, Route::ExecutionSample | Route::ErrorThrow | Route::ExceptionThrow | Route::Park);
        let stated = source.key == Some(LabelKey::State) && options.filter.states.is_some();
        let keyed = routed || stated || labels(source.key);
        let mut fields = source.fields;
        let lasts = matches!(source.measure, Measure::Ticks | Measure::BytesAndTicks)
            || matches!(source.route, Route::Malloc | Route::Free);
        for (slot, wanted) in [
            (THREAD.place(), thread),
            (TIME.place(), timed || lasts || options.times || options.timeline.is_some() || options.each),
            (KEY.place(), keyed),
            (TEXT.place(), text),
            (OTHER_TEXT.place(), text),
            (PORT.place(), port),
            (SPAN.place(), spans || context),
            (ROOT_SPAN.place(), spans),
        ] {
            if let Some(field) = fields.get_mut(slot)
                && !wanted
            {
                *field = "";
            }
        }
        if let Some(field) = fields.get_mut(SPAN.place())
            && context
        {
            *field = "contextId";
        }
        let lasted = if fields.get(AMOUNT.place()) == Some(&DURATION) { AMOUNT } else { LASTED };
        if let Some(field) = fields.get_mut(LASTED.place())
            && options.each
            && lasted == LASTED
        {
            *field = DURATION;
        }
        let plan = chunk.plan(event, fields)?;
        let each = options.each.then(|| Times::new(event, lasted));
        let times = options.times && plan.has(TIME);
        let spanned = (spans || context) && (plan.has(SPAN) || plan.has(ROOT_SPAN));
        let detailed = thread || text || port || times || spanned;
        let (measure, route) = (source.measure, source.route);
        Ok(Some(Self { source: source_id, plan, measure, route, keyed, detailed, text, context, times, each }))
    }
}
