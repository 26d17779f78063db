//! Locates the fields that a query needs in the events of one chunk.

use crate::hash::HashMap;
use jfr_parse::{Chunk, ConstantKey, Content, Cursor, Kind, Plan, RawStr, Row, TimeUnit, Type, TypeId};

use super::constants::{Constants, Own, Part, plain};
use super::query::{Column, Compiled};
use super::syntax::FieldRef;
use super::value::{Names, Val};

/// Number of fields located by one plan.
pub(crate) const SLOTS: usize = 12;

/// The label and meaning of a column, from the metadata.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Meta {
    pub(crate) label: Option<String>,
    pub(crate) content: Option<Content>,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(crate) enum Extract {
    /// The same value for each event of the type.
    Const(Val),
    /// A slot of a plan.
    Slot { plan: usize, column: jfr_parse::Column, form: Form },
}

/// How to interpret the number in a slot.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    Bool,
    Int,
    /// A 32-bit number whose minimum means "no value".
    Narrow,
    Unsigned,
    Single,
    Double,
    Instant(TimeUnit),
    Span(TimeUnit),
    Text(TypeId),
    Constant {
        type_id: TypeId,
        part: u32,
    },
    /// The id of an event type, shown as its label or name.
    EventType {
        label: bool,
    },
}

/// What one query needs from events of one type, as one of its sources.
#[derive(Debug)]
pub(crate) struct Tap {
    pub(crate) view: usize,
    pub(crate) source: usize,
    pub(crate) conditions: Vec<(Extract, String)>,
    pub(crate) keys: Vec<Extract>,
    pub(crate) columns: Vec<(usize, Extract)>,
    /// The group of all events, if the key does not depend on the event.
    pub(crate) group: Option<u32>,
    pub(crate) constant_key: bool,
}

/// Everything needed from events of one type.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) plans: Vec<Plan<SLOTS>>,
    pub(crate) taps: Vec<Tap>,
    pub(crate) start: Option<Extract>,
    pub(crate) duration: Option<Extract>,
    pub(crate) thread: Option<Extract>,
}

/// The state of the chunk being read.
pub(crate) struct Context<'c, 'a> {
    chunk: &'c Chunk<'a>,
    constants: Constants<'c, 'a>,
    pub(crate) names: Names,
    /// UTF-16 strings that have already been decoded.
    wide: HashMap<Box<[u8]>, Val>,
}

impl<'c, 'a> Context<'c, 'a> {
    pub(crate) fn new(chunk: &'c Chunk<'a>, own: &'c Own, lines: usize) -> Self {
        Self { chunk, constants: Constants::new(chunk, own, lines), names: Names::default(), wide: HashMap::default() }
    }

    /// Whether a value has this text.
    pub(crate) fn is(&self, value: Val, literal: &str) -> bool {
        match value {
            Val::Text(n) => self.names.text(n) == literal,
            Val::Null => literal == "null" || literal == "N/A",
            Val::Bool(b) => literal == if b { "true" } else { "false" },
            other => plain(other) == literal,
        }
    }
}

/// Collects the needed fields of one type, and then locates them.
pub(crate) struct Builder<'b, 'c, 'a> {
    context: &'b mut Context<'c, 'a>,
    of: Type<'c>,
    /// The paths of the needed fields.
    wanted: Vec<String>,
}

impl<'b, 'c, 'a> Builder<'b, 'c, 'a> {
    pub(crate) fn new(context: &'b mut Context<'c, 'a>, of: Type<'c>) -> Self {
        Self { context, of, wanted: Vec::new() }
    }

    /// The taps of a query, one for each source with this type.
    pub(crate) fn taps(
        &mut self,
        view: usize,
        query: &Compiled,
        columns: &[Column],
        name: &str,
        metas: &mut [Meta],
        out: &mut Vec<Tap>,
    ) {
        for (source, from) in query.from.iter().enumerate() {
            if from.is(name) {
                out.extend(self.tap(view, source, query, columns, metas));
            }
        }
    }

    fn tap(&mut self, view: usize, source: usize, query: &Compiled, all: &[Column], metas: &mut [Meta]) -> Option<Tap> {
        let applies = |field: &FieldRef| field.sources.is_empty() || field.sources.contains(&source);
        let mut conditions = Vec::new();
        for condition in query.conditions.iter().filter(|c| applies(&c.field)) {
            match self.field(&condition.field.path) {
                Some((extract, _)) => conditions.push((extract, condition.literal.clone())),
                // A field that the query takes from this source, but that the source does not have, is never
                // equal.
                None if !condition.field.sources.is_empty() => return None,
                None => {}
            }
        }
        let mut keys = Vec::new();
        for field in &query.group_by {
            let found = if applies(field) { self.field(&field.path) } else { None };
            // The key may be qualified with another source of the join.
            let found = found.or_else(|| self.field(&field.path));
            keys.push(found?.0);
        }
        let mut columns = Vec::new();
        for (i, column) in all.iter().enumerate().filter(|(_, c)| applies(&c.field)) {
            let Some((extract, meta)) = self.field(&column.field.path) else { continue };
            if let Some(known) = metas.get_mut(i)
                && known.label.is_none()
            {
                *known = meta;
            }
            columns.push((i, extract));
        }
        let constant_key = keys.iter().all(|key| matches!(key, Extract::Const(_)));
        Some(Tap { view, source, conditions, keys, columns, group: None, constant_key })
    }

    /// The location of a field in the event, if the type has it.
    pub(crate) fn field(&mut self, path: &str) -> Option<(Extract, Meta)> {
        let label = |text: &str| Meta { label: Some(text.to_owned()), content: None };
        match path {
            "*" => return Some((Extract::Const(Val::Int(1)), label(""))),
            "eventType.label" => {
                let text = self.of.label().unwrap_or_else(|| self.of.name());
                return Some((Extract::Const(self.context.names.plain(text)), label("Event Type")));
            }
            "eventType.name" => {
                return Some((Extract::Const(self.context.names.plain(self.of.name())), label("Event Type")));
            }
            // The name of the event type that a setting belongs to.
            "id.name" if self.of.is_named("jdk.ActiveSetting") => {
                let slot = self.want("id");
                let form = Form::EventType { label: false };
                return Some((located(slot, form), label("Event Type")));
            }
            // The thread of the event, regardless of the name of the field.
            "ownThread" => {
                return ["eventThread", "sampledThread", "thread"].into_iter().find_map(|path| self.field(path));
            }
            _ => {}
        }
        // `jdk.Shutdown.reason`: a field of that type only.
        let rest = self.of.canonical_name().into_owned();
        if let Some(rest) = path.strip_prefix(&rest).and_then(|rest| rest.strip_prefix('.')) {
            return self.field(rest);
        }
        // The part of the path that leads through inline types is within the event.
        let mut of = self.of;
        let mut end = 0;
        loop {
            let rest = path.get(end..)?;
            let (name, behind) = rest.split_once('.').unwrap_or((rest, ""));
            let field = of.field(name)?;
            let stop = end + name.len();
            let inline =
                field.value_type().filter(|t| !field.is_pooled() && !field.is_array() && t.kind() == Kind::Struct);
            if let (Some(inner), false) = (inline, behind.is_empty()) {
                of = inner;
                end = stop + 1;
                continue;
            }
            let slot = self.want(path.get(..stop)?);
            let content = field.content();
            let mut meta = Meta { label: Some(field.label().unwrap_or(name).to_owned()), content };
            let form = if field.is_array() {
                return None;
            } else if field.is_pooled() {
                let target = field.value_type()?;
                let part = Part::of(target, behind);
                if let Some((last, content)) = last_field(target, behind) {
                    meta = Meta { label: Some(last), content };
                }
                Form::Constant { type_id: field.type_id(), part: self.context.constants.part(part) }
            } else if behind.is_empty() {
                self.form(field.value_type()?.kind(), field, name)?
            } else {
                return None;
            };
            return Some((located(slot, form), meta));
        }
    }

    fn form(&self, kind: Kind, field: jfr_parse::Field<'_>, name: &str) -> Option<Form> {
        if name == "id" && self.of.is_named("jdk.ActiveSetting") {
            return Some(Form::EventType { label: true });
        }
        Some(match (kind, field.content()) {
            (Kind::Long | Kind::Int | Kind::Short, Some(Content::Timestamp(unit))) => Form::Instant(unit),
            (Kind::Long | Kind::Int | Kind::Short, Some(Content::Timespan(unit))) => Form::Span(unit),
            (Kind::Boolean, _) => Form::Bool,
            (Kind::Byte | Kind::Short | Kind::Int | Kind::Long | Kind::Char, _) if field.is_unsigned() => {
                Form::Unsigned
            }
            (Kind::Int, _) => Form::Narrow,
            (Kind::Byte | Kind::Short | Kind::Long | Kind::Char, _) => Form::Int,
            (Kind::Float, _) => Form::Single,
            (Kind::Double, _) => Form::Double,
            (Kind::String, _) => Form::Text(field.type_id()),
            (Kind::Struct, _) => return None,
        })
    }

    fn want(&mut self, path: &str) -> usize {
        self.wanted.iter().position(|known| known == path).unwrap_or_else(|| {
            self.wanted.push(path.to_owned());
            self.wanted.len() - 1
        })
    }

    /// The plans for the requested fields.
    pub(crate) fn plans(&self) -> Option<Vec<Plan<SLOTS>>> {
        let make = |wanted: &[String]| {
            let mut names = ["\u{0}"; SLOTS];
            for (name, wanted) in names.iter_mut().zip(wanted) {
                *name = wanted;
            }
            self.context.chunk.plan(self.of, names).ok()
        };
        self.wanted.chunks(SLOTS).map(make).collect()
    }
}

/// The value in a slot, counted over all plans.
fn located(slot: usize, form: Form) -> Extract {
    Extract::Slot { plan: slot / SLOTS, column: jfr_parse::Column::at(slot % SLOTS), form }
}

/// The label and meaning of the last field of a path.
fn last_field(mut of: Type<'_>, path: &str) -> Option<(String, Option<Content>)> {
    if path.is_empty() {
        return None;
    }
    let mut found = None;
    for name in path.split('.') {
        let special = match name {
            "topFrame" => Some("Top Frame"),
            "topApplicationFrame" => Some("Top Application Frame"),
            "topNotInitFrame" => Some("Top Method"),
            "topOwnFrame" => Some("Top Frame of Own Code"),
            _ => None,
        };
        if let Some(label) = special {
            found = Some((label.to_owned(), None));
            let frame = of.field("frames").and_then(|frames| frames.value_type());
            of = frame?;
            continue;
        }
        let field = of.field(name)?;
        found = Some((field.label().unwrap_or(name).to_owned(), field.content()));
        match field.value_type() {
            Some(next) => of = next,
            None => break,
        }
    }
    found
}

impl<'c, 'a> Context<'c, 'a> {
    /// The value of an event whose fields were read into `rows`.
    #[inline]
    pub(crate) fn value(&mut self, extract: &Extract, rows: &[Row<'_, SLOTS>]) -> Val {
        let Self { chunk, constants, names, wide } = self;
        let (row, column, form) = match extract {
            Extract::Const(value) => return *value,
            Extract::Slot { plan, column, form } => {
                let Some(row) = rows.get(*plan) else { return Val::Null };
                (row, *column, form)
            }
        };
        match *form {
            Form::Bool => Val::Bool(row.get(column.of::<bool>())),
            Form::Int => match row.get(column.of::<i64>()) {
                i64::MIN => Val::Null,
                n => Val::Int(n),
            },
            Form::Narrow => match row.get(column.of::<i64>()) {
                n if n == i64::from(i32::MIN) => Val::Null,
                n => Val::Int(n),
            },
            Form::Unsigned => Val::UInt(row.get(column.of::<u64>())),
            Form::Single =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "it was a float")]
                Val::Single(row.get(column.of::<f64>()) as f32)
            }
            Form::Double => Val::Float(row.get(column.of::<f64>())),
            Form::Instant(unit) => {
                chunk.clock().instant(row.get(column.of::<i64>()), unit).map_or(Val::Null, |at| Val::Int(at.0))
            }
            Form::Span(unit) => match row.get(column.of::<i64>()) {
                i64::MIN => Val::Null,
                i64::MAX => Val::Int(i64::MAX),
                n => Val::Int(chunk.clock().length(n, unit).map_or(i64::MAX, |length| length.0)),
            },
            Form::Text(string_type) => text(row.get(column.of::<jfr_parse::Text>()), string_type, chunk, names, wide),
            Form::Constant { type_id, part } => {
                constants.get(names, part, type_id, row.get(column.of::<ConstantKey>()))
            }
            Form::EventType { label } => match chunk.metadata().by_id(row.get(column.of::<TypeId>())) {
                Some(of) => {
                    let text = of.label().filter(|_| label).unwrap_or_else(|| of.name());
                    // Types with the same label are still different types.
                    names.thing(of.name(), text)
                }
                None => Val::Int(row.get(column.of::<i64>())),
            },
        }
    }
}

fn text(
    raw: RawStr<'_>,
    string_type: TypeId,
    chunk: &Chunk<'_>,
    names: &mut Names,
    wide: &mut HashMap<Box<[u8]>, Val>,
) -> Val {
    let raw = match raw {
        RawStr::Pooled(key) => chunk
            .pools()
            .get(string_type, key)
            .and_then(|bytes| RawStr::read(&mut Cursor::new(bytes)).ok())
            .unwrap_or(RawStr::Null),
        other => other,
    };
    // Decoding these is slower than looking them up.
    if let RawStr::Utf16(bytes) = raw {
        if let Some(known) = wide.get(bytes) {
            return *known;
        }
        let value = raw.decode().map_or(Val::Null, |text| names.plain(&text));
        wide.insert(bytes.into(), value);
        return value;
    }
    raw.decode().map_or(Val::Null, |text| names.plain(&text))
}
