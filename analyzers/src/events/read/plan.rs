//! Plans for reading the events of a chunk, derived from metadata alone and shared by all chunks with the same
//! metadata.

use std::sync::Arc;

use jfr_parse::{Chunk, Column, ConstantKey, Content, Field, Kind, Plan, Result, Ticks, TimeUnit, Type, TypeId};

use super::wanted::Wanted;
use crate::engine::type_map::TypeMap;
use crate::events::facts::SHAPE;
use crate::events::needs::{AMOUNT, EVENT, PROFILE};
use crate::hash::HashMap;
use crate::names::cut;
use crate::numbered::Numbered;
use crate::profiles::sources::{self, KEY, Measure, Route, SourceId, source_of};
use jfrkit_profile::index::IndexVec;
use jfrkit_profile::{Interner, StrId};

/// Maximum number of fields read from one event type; the first three are always start, duration and stack
/// trace.
pub(super) const SLOTS: usize = 24;
/// How many of them rules can ask for.
pub(super) const FIELDS: usize = SLOTS - 3;
pub(super) const START: Column<Ticks> = Column::at(0);
pub(super) const DURATION: Column<i64> = Column::at(1);
pub(super) const STACK: Column<ConstantKey> = Column::at(2);

/// How a recorded value becomes a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Convert {
    /// No value.
    None,
    Int,
    Float,
    /// A floating-point number in some unit of time.
    TickInstant,
    TickSpan,
    /// Nanoseconds per unit of time.
    Times(i64),
    /// A string stored in the event.
    Text,
    /// A reference: the type of the pool, and the path to follow from there.
    Reference {
        type_id: TypeId,
        rest: PathId,
    },
    /// A reference to a stack trace.
    Stack,
    /// The id of an event type, converted to its name.
    EventType,
    /// A fixed text.
    Fixed(StrId),
    /// The duration of the event.
    Duration,
    /// The number 1 for each event.
    One,
    /// A floating-point number times the integer in another field.
    Product(Column<i64>),
    /// What determines the profile in which the event counts: its source, and a constant of this type.
    Profile {
        source: SourceId,
        text: Option<TypeId>,
    },
}

crate::ids::ids! {
    /// How the events of a type are read.
    pub(super) ReadingId;
    /// A name of event types in the chunk's metadata.
    pub(super) EventNameId;
    /// A path to follow from a constant, in [`Paths`].
    pub(super) PathId;
}

impl PathId {
    /// The constant itself.
    pub(super) const NONE: Self = Self(0);
}

/// The paths that lead on from constants, each once.
#[derive(Debug)]
pub(super) struct Paths(Numbered<PathId, Box<str>>);

impl Paths {
    fn id(&mut self, path: &str) -> PathId {
        self.0.number(path.into())
    }

    /// The path; empty for [`PathId::NONE`].
    pub(super) fn get(&self, id: PathId) -> &str {
        &self.0[id]
    }
}

impl Default for Paths {
    fn default() -> Self {
        let mut paths = Numbered::default();
        paths.number("".into());
        Self(paths)
    }
}

/// A field of an event type that is needed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) column: Column,
    pub(super) convert: Convert,
}

/// The index among the wanted groups, and the sources of the keys and measures.
pub(super) type GroupSources = (usize, Vec<usize>, Vec<usize>);

/// The source of a field that the event type does not have: the first one, which is always null.
pub(super) const NO_SOURCE: usize = 0;

/// How the events of one type are read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) event: EventNameId,
    /// Start, duration, stack trace.
    pub(super) head: Plan<3>,
    pub(super) has_duration: bool,
    pub(super) duration: Convert,
    /// Whether the event type has a stack trace.
    pub(super) has_stack: bool,
    /// Whether it describes the JVM or the recording, so that it counts regardless of its time.
    pub(super) timeless: bool,
    /// Additional needs of rules; most types have none.
    pub(super) wanted_fields: Option<Box<WantedFields>>,
}

/// What rules need from the events of one type.
#[derive(Debug)]
pub(super) struct WantedFields {
    pub(super) plan: Plan<SLOTS>,
    /// The values that are read, each once; the first is [`NO_SOURCE`].
    pub(super) sources: Vec<Source>,
    /// The index among the wanted tables, and the source of each field.
    pub(super) table: Option<(usize, Vec<usize>)>,
    pub(super) groups: Vec<GroupSources>,
}

/// Maximum number of event types with the same name in one chunk from which more than the number of events is
/// read.
const SAME_NAME: usize = 16;
/// Maximum number of bytes of a label to keep: any number of types may share one.
const MAX_LABEL: usize = 256;

/// Everything that depends only on metadata.
#[derive(Debug)]
pub(crate) struct Plans {
    pub(super) by_type: TypeMap<ReadingId>,
    pub(super) readings: IndexVec<ReadingId, Reading>,
    /// The names of the event types, each once, with the label of the first type of that name.
    pub(super) events: IndexVec<EventNameId, (Arc<str>, Option<String>)>,
    /// The fields of `jdk.ActiveSetting`.
    pub(super) shape: Option<String>,
    pub(super) trace_type: Option<TypeId>,
    pub(super) string_type: TypeId,
    pub(super) paths: Paths,
}

/// Event types that describe the JVM or the recording, rather than something that happened.
fn is_timeless(event: &str) -> bool {
    let Some(name) = event.strip_prefix("jdk.") else { return false };
    name.starts_with("Initial")
        || name.starts_with("Active")
        || name.ends_with("Configuration")
        || name.ends_with("Flag")
        || matches!(name, "JVMInformation" | "CPUInformation" | "OSInformation" | "VirtualizationInformation")
}

impl Plans {
    pub(super) fn new(chunk: &Chunk<'_>, wanted: &Wanted, interner: &Interner) -> Result<Self> {
        let metadata = chunk.metadata();
        let mut by_type = TypeMap::default();
        let mut readings: IndexVec<ReadingId, Reading> = IndexVec::new();
        let mut events: IndexVec<EventNameId, (Arc<str>, Option<String>)> = IndexVec::new();
        let mut setting = None;
        let mut paths = Paths::default();
        // Any number of types may share one name, which is stored once in the metadata.
        let mut places: HashMap<(usize, usize), (EventNameId, usize)> = HashMap::default();
        for event in metadata.event_types() {
            let recorded = event.name();
            let (place, same) = places.entry((recorded.as_ptr().addr(), recorded.len())).or_insert_with(|| {
                let label = event.label().map(|label| cut(label, MAX_LABEL).to_owned());
                (events.push((Arc::from(&*event.canonical_name()), label)), 0)
            });
            *same += 1;
            let name = &*events[*place].0;
            let builder =
                Builder { chunk, of: event, sources: vec![NOTHING], fields: vec!["", "", ""], paths: &mut paths };
            let reading = builder.reading(*place, name, wanted, interner, *same <= SAME_NAME)?;
            by_type.insert(event.id(), readings.push(reading));
            if name == "jdk.ActiveSetting" && *same <= 1 {
                setting = Some(shape(event));
            }
        }
        let trace_type = readings.iter().find_map(|r: &Reading| r.head.type_id(STACK));
        let string_type = metadata.string_type();
        Ok(Self { by_type, readings, events, shape: setting, trace_type, string_type, paths })
    }
}

/// The fields of an event type, with their types.
fn shape(of: Type<'_>) -> String {
    let mut text = String::new();
    for field in of.fields() {
        let holds = field.value_type().map_or("", |t| t.name());
        let array = if field.is_array() { "[]" } else { "" };
        let content = field.content().map(|c| format!(" {c:?}")).unwrap_or_default();
        text.extend([field.name(), " ", holds, array, &content, "\n"]);
    }
    text
}

/// A placeholder for values that are not read from a field.
const FIRST: Column = Column::at(0);

/// What is read for [`NO_SOURCE`].
const NOTHING: Source = Source { column: FIRST, convert: Convert::None };

struct Builder<'c, 'a> {
    chunk: &'c Chunk<'a>,
    of: Type<'c>,
    sources: Vec<Source>,
    fields: Vec<&'c str>,
    paths: &'c mut Paths,
}

impl<'c> Builder<'c, '_> {
    fn reading(
        mut self,
        event: EventNameId,
        name: &str,
        wanted: &'c Wanted,
        interner: &Interner,
        reads_fields: bool,
    ) -> Result<Reading> {
        let stack = self.of.field("stackTrace").filter(|f| f.is_pooled() && !f.is_array());
        let duration = self.of.field("duration").filter(|f| !f.is_pooled() && !f.is_array());
        for (slot, field, there) in [
            (START.place(), "startTime", self.of.field("startTime").is_some()),
            (DURATION.place(), "duration", duration.is_some()),
            (STACK.place(), "stackTrace", stack.is_some()),
        ] {
            if let Some(to) = self.fields.get_mut(slot).filter(|_| there) {
                *to = field;
            }
        }
        let head = [self.fields.first(), self.fields.get(1), self.fields.get(2)];
        let head = self.chunk.plan(self.of, head.map(|field| field.copied().unwrap_or_default()))?;
        let table = wanted
            .tables
            .iter()
            .enumerate()
            .find(|(_, (event, _))| reads_fields && **event == *name)
            .map(|(i, (_, (fields, _)))| (i, fields.iter().map(|f| self.source(name, f, interner)).collect()));
        let mut groups = Vec::new();
        for (i, group) in wanted.groups.iter().enumerate() {
            if !reads_fields || !group.events.contains(name) {
                continue;
            }
            let keys = group.keys.iter().map(|field| self.source(name, field, interner)).collect();
            let measures = group.measures.iter().map(|field| self.source(name, field, interner)).collect();
            groups.push((i, keys, measures));
        }
        let wanted_fields = if table.is_some() || !groups.is_empty() {
            let mut paths = [""; SLOTS];
            for (to, from) in paths.iter_mut().zip(&self.fields) {
                *to = from;
            }
            let plan = self.chunk.plan(self.of, paths)?;
            Some(Box::new(WantedFields { plan, sources: self.sources, table, groups }))
        } else {
            None
        };
        Ok(Reading {
            event,
            head,
            has_duration: duration.is_some(),
            duration: duration.map_or(Convert::None, |f| match of_field(f) {
                // A duration is in ticks unless it is annotated otherwise.
                Convert::Int => Convert::TickSpan,
                convert => convert,
            }),
            has_stack: stack.is_some(),
            timeless: is_timeless(name),
            wanted_fields,
        })
    }

    /// The index of a wanted field among the sources; [`NO_SOURCE`] if the type does not have the field.
    fn source(&mut self, event: &str, wanted: &'c str, interner: &Interner) -> usize {
        wanted.split('|').find_map(|path| self.one(event, path, interner)).unwrap_or(NO_SOURCE)
    }

    fn one(&mut self, event: &str, path: &'c str, interner: &Interner) -> Option<usize> {
        let source = match path {
            SHAPE => Source { column: FIRST, convert: Convert::Fixed(interner.symbols().string(&shape(self.of))) },
            EVENT => Source { column: FIRST, convert: Convert::Fixed(interner.symbols().string(event)) },
            PROFILE => self.profile(event)?,
            AMOUNT => self.amount(event)?,
            "duration" if self.of.field("duration").is_some() => {
                Source { column: DURATION.of(), convert: Convert::Duration }
            }
            _ => self.located(event, path)?,
        };
        let known = self.sources.iter().position(|s| s.column == source.column && s.convert == source.convert);
        Some(known.unwrap_or_else(|| {
            self.sources.push(source);
            self.sources.len() - 1
        }))
    }

    /// What determines the profile in which an event counts.
    fn profile(&mut self, event: &str) -> Option<Source> {
        let id = source_of(event)?;
        let source = id.source();
        let said = matches!(source.route, Route::ExecutionSample | Route::Park)
            .then(|| self.located(event, source.field(KEY)))
            .flatten();
        Some(match said {
            Some(Source { column, convert: Convert::Reference { type_id, .. } }) => {
                Source { column, convert: Convert::Profile { source: id, text: Some(type_id) } }
            }
            _ => Source { column: FIRST, convert: Convert::Profile { source: id, text: None } },
        })
    }

    /// What an event adds to its profile.
    fn amount(&mut self, event: &str) -> Option<Source> {
        let source = source_of(event)?.source();
        let [first, second] = [source.field(sources::AMOUNT), source.field(sources::SECOND)];
        Some(match source.measure {
            Measure::Count | Measure::Period | Measure::CpuTicks => Source { column: FIRST, convert: Convert::One },
            Measure::Weight | Measure::Bytes => self.located(event, first)?,
            Measure::WeightedBytes => {
                let (weight, size) = (self.located(event, first)?, self.located(event, second)?);
                Source { column: weight.column, convert: Convert::Product(size.column.of()) }
            }
            Measure::Ticks | Measure::BytesAndTicks => Source { column: DURATION.of(), convert: Convert::Duration },
        })
    }

    fn located(&mut self, event: &str, path: &'c str) -> Option<Source> {
        // If the value is stored in the event itself.
        let (mut of, mut from) = (self.of, 0usize);
        let (field, rest) = loop {
            let tail = path.get(from..)?;
            let (name, rest) = tail.split_once('.').unwrap_or((tail, ""));
            let field = of.field(name)?;
            let inline = !field.is_pooled() && !field.is_array() && !rest.is_empty();
            if !inline {
                break (field, rest);
            }
            of = field.value_type()?;
            from = from.checked_add(name.len())?.checked_add(1)?;
        };
        let end = if rest.is_empty() { path.len() } else { path.len().checked_sub(rest.len())?.checked_sub(1)? };
        let here = path.get(..end)?;
        let convert = if event == "jdk.ActiveSetting" && here == "id" {
            Convert::EventType
        } else {
            match of_field(field) {
                Convert::Reference { type_id, .. } => Convert::Reference { type_id, rest: self.paths.id(rest) },
                other if rest.is_empty() => other,
                _ => return None,
            }
        };
        if convert == Convert::None {
            return None;
        }
        let slot = match self.fields.iter().position(|f| *f == here) {
            Some(slot) => slot,
            None if self.fields.len() < SLOTS => {
                self.fields.push(here);
                self.fields.len() - 1
            }
            None => unreachable!("Wanted::check counted the fields of {event}"),
        };
        Some(Source { column: Column::at(slot), convert })
    }
}

/// How the value of a field becomes a cell.
pub(super) fn of_field(field: Field<'_>) -> Convert {
    if field.is_array() {
        return Convert::None;
    }
    let Some(of) = field.value_type() else {
        return if field.is_pooled() {
            Convert::Reference { type_id: field.type_id(), rest: PathId::NONE }
        } else {
            Convert::None
        };
    };
    if field.is_pooled() {
        return match &*of.canonical_name() {
            "jdk.types.StackTrace" => Convert::Stack,
            _ => Convert::Reference { type_id: of.id(), rest: PathId::NONE },
        };
    }
    match of.kind() {
        Kind::Float | Kind::Double => Convert::Float,
        Kind::String => Convert::Text,
        Kind::Struct => Convert::None,
        _ => match field.content() {
            Some(Content::Timestamp(TimeUnit::Ticks)) => Convert::TickInstant,
            Some(Content::Timespan(TimeUnit::Ticks)) => Convert::TickSpan,
            Some(Content::Timestamp(unit) | Content::Timespan(unit)) => match unit {
                TimeUnit::Micros => Convert::Times(1_000),
                TimeUnit::Millis => Convert::Times(1_000_000),
                TimeUnit::Seconds => Convert::Times(1_000_000_000),
                _ => Convert::Int,
            },
            _ => Convert::Int,
        },
    }
}
