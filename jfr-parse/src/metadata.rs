//! The types declared in a chunk: event types with their fields, annotations and settings.
//!
//! Ids are valid only within one chunk and differ between JDKs, so everything is looked up by name.
//!
//! Decoding values of these types does not belong here: see [`Plan`](crate::Plan), [`de`](crate::de) and
//! [`value`](crate::value). Start with [`Metadata::by_name`], which leads to [`Type`] and [`Field`]; `parse.rs`
//! reads the metadata event, `annotations.rs` interprets units and other annotations.

mod annotations;
mod parse;

use hashbrown::HashMap;

use crate::ids::TypeId;

pub use annotations::{Annotation, Content, TimeUnit};

type IdMap = HashMap<TypeId, u32, foldhash::fast::RandomState>;

/// The types of one chunk. Chunks with the same metadata bytes share one instance.
///
/// Everything is stored in a few flat tables; [`Type`] and [`Field`] are views into them.
#[derive(Debug, Default)]
pub struct Metadata {
    text: String,
    strings: Vec<(u32, u32)>,
    types: Vec<RawType>,
    fields: Vec<RawField>,
    annotations: Vec<RawAnnotation>,
    attributes: Vec<(u32, u32)>,
    settings: Vec<RawSetting>,
    by_id: IdMap,
    /// A bit set of the declared types with small ids, which makes the check for each event cheap.
    declared: Vec<u64>,
    locale: u32,
    id: u64,
}

/// Words of [`Metadata::declared`]. The JDK's ids are below 2,000; a program's own types follow shortly after.
const DECLARED_WORDS: usize = 64;

type Range = std::ops::Range<u32>;

#[derive(Debug, Clone, Default)]
struct RawType {
    id: TypeId,
    name: u32,
    super_type: u32,
    simple: bool,
    kind: Kind,
    fields: Range,
    annotations: Range,
    settings: Range,
}

#[derive(Debug, Clone, Default)]
struct RawField {
    name: u32,
    type_id: TypeId,
    array: bool,
    pooled: bool,
    annotations: Range,
    /// Index of the type in the list of types; `u32::MAX` if it is not declared.
    type_index: u32,
    /// Cached from the annotations, because printing needs it for every value.
    unsigned: bool,
    content: Option<Content>,
}

#[derive(Debug, Clone, Default)]
struct RawAnnotation {
    type_id: TypeId,
    attributes: Range,
}

#[derive(Debug, Clone, Default)]
struct RawSetting {
    name: u32,
    type_id: TypeId,
    default_value: u32,
    annotations: Range,
}

/// How the values of a type are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// One byte; nonzero is true.
    Boolean,
    /// One byte.
    Byte,
    /// A varint of 16 bits.
    Short,
    /// A varint of 16 bits: a UTF-16 code unit.
    Char,
    /// A varint of 32 bits.
    Int,
    /// A varint of 64 bits.
    Long,
    /// Four bytes, big-endian.
    Float,
    /// Eight bytes, big-endian.
    Double,
    /// A byte that selects the encoding, followed by the text in that encoding.
    String,
    /// The fields, one after another.
    #[default]
    Struct,
}

impl Metadata {
    fn str(&self, index: u32) -> &str {
        let range = self.strings.get(index as usize);
        range.and_then(|&(from, to)| self.text.get(from as usize..to as usize)).unwrap_or_default()
    }

    /// The id that the writer gave this metadata. It is not unique: equal ids do not imply equal metadata.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// All types, in file order.
    pub fn types(&self) -> impl ExactSizeIterator<Item = Type<'_>> {
        self.types.iter().map(move |raw| Type { metadata: self, raw })
    }

    /// The number of types and fields together.
    pub(crate) fn size(&self) -> usize {
        self.types.len().saturating_add(self.fields.len())
    }

    /// The event types, in file order.
    pub fn event_types(&self) -> impl Iterator<Item = Type<'_>> {
        self.types().filter(Type::is_event)
    }

    /// The type with this id.
    #[must_use]
    pub fn by_id(&self, id: TypeId) -> Option<Type<'_>> {
        let raw = self.types.get(*self.by_id.get(&id)? as usize)?;
        Some(Type { metadata: self, raw })
    }

    /// Whether the type is declared or part of the format.
    #[inline]
    pub(crate) fn declares(&self, id: TypeId) -> bool {
        let word = usize::try_from(id.0 / 64).ok().and_then(|i| self.declared.get(i));
        word.is_some_and(|word| word >> (id.0 % 64) & 1 != 0)
            || id <= crate::event::CHECKPOINT
            || self.declares_large(id)
    }

    /// Records the id of a type.
    fn declare(&mut self, id: TypeId) {
        let Some(word) = usize::try_from(id.0 / 64).ok().filter(|word| *word < DECLARED_WORDS) else { return };
        if self.declared.len() <= word {
            self.declared.resize(word + 1, 0);
        }
        if let Some(word) = self.declared.get_mut(word) {
            *word |= 1 << (id.0 % 64);
        }
    }

    #[cold]
    fn declares_large(&self, id: TypeId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// The type with this name, either the current name or the recorded one (see [`Type::canonical_name`]).
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<Type<'_>> {
        self.types().find(|t| {
            crate::work::done(1);
            t.is_named(name)
        })
    }

    /// The type of strings; if it is not declared, an id that no type has.
    #[must_use]
    pub fn string_type(&self) -> TypeId {
        self.by_name("java.lang.String").map_or(TypeId(u64::MAX), |of| of.id())
    }

    /// The locale of the JVM, for example `en_US`; empty if it is not recorded.
    #[must_use]
    pub fn locale(&self) -> &str {
        self.str(self.locale)
    }

    fn annotations_of(&self, range: &Range) -> impl Iterator<Item = Annotation<'_>> {
        slice(&self.annotations, range).iter().map(move |raw| Annotation { metadata: self, raw })
    }
}

/// The items of a range that is known to be inside the table; empty otherwise.
fn slice<'t, T>(table: &'t [T], range: &Range) -> &'t [T] {
    table.get(range.start as usize..range.end as usize).unwrap_or_default()
}

/// A type declared in a chunk's metadata.
#[derive(Clone, Copy)]
pub struct Type<'m> {
    metadata: &'m Metadata,
    raw: &'m RawType,
}

impl std::fmt::Debug for Type<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.name(), self.id())
    }
}

/// JDK 9 and 10 used other prefixes: (recorded prefix, current prefix).
const OLD_PREFIXES: [(&str, &str); 2] = [("com.oracle.jdk.", "jdk."), ("com.oracle.jfr.types.", "jdk.types.")];

/// The current name of a type recorded in format 1.0 (`com.oracle.jdk.FileRead` becomes `jdk.FileRead`); other
/// names are returned unchanged.
#[must_use]
pub fn canonical_name(recorded: &str) -> std::borrow::Cow<'_, str> {
    for (old, new) in OLD_PREFIXES {
        if let Some(rest) = recorded.strip_prefix(old) {
            return format!("{new}{rest}").into();
        }
    }
    recorded.into()
}

impl<'m> Type<'m> {
    /// The id, valid only in this chunk.
    #[must_use]
    pub fn id(&self) -> TypeId {
        self.raw.id
    }

    /// The name as it was recorded.
    #[must_use]
    pub fn name(&self) -> &'m str {
        self.metadata.str(self.raw.name)
    }

    /// The current name; see [`canonical_name`].
    #[must_use]
    pub fn canonical_name(&self) -> std::borrow::Cow<'m, str> {
        canonical_name(self.name())
    }

    /// Whether it has this name, either recorded or current.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        let mine = self.name();
        mine == name
            || OLD_PREFIXES.iter().any(
                |(old, new)| matches!((mine.strip_prefix(old), name.strip_prefix(new)), (Some(a), Some(b)) if a == b),
            )
    }

    /// The name without its package.
    #[must_use]
    pub fn simple_name(&self) -> &'m str {
        let name = self.name();
        name.rsplit('.').next().unwrap_or(name)
    }

    /// `jdk.jfr.Event` for an event type, other names for annotations and settings, `None` for data types.
    #[must_use]
    pub fn super_type(&self) -> Option<&'m str> {
        Some(self.metadata.str(self.raw.super_type)).filter(|name| !name.is_empty())
    }

    /// Whether this is an event type.
    #[must_use]
    pub fn is_event(&self) -> bool {
        self.super_type() == Some("jdk.jfr.Event")
    }

    /// Whether this type only wraps its single field, so that its value is the value of that field.
    #[must_use]
    pub fn is_simple(&self) -> bool {
        self.raw.simple
    }

    /// How its values are encoded.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.raw.kind
    }

    /// The number of varints in a value, if the fields consist of varints only, as those of a frame do in every known
    /// recording.
    #[must_use]
    pub fn varints(&self) -> Option<usize> {
        let is_varint = |field: Field<'_>| {
            let is_number = |of: Type<'_>| matches!(of.kind(), Kind::Short | Kind::Char | Kind::Int | Kind::Long);
            !field.is_array() && field.value_type().is_some_and(|of| field.is_pooled() || is_number(of))
        };
        self.fields().all(is_varint).then_some(self.fields().len())
    }

    /// The fields, in the order in which their values are encoded.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Field<'m>> + use<'m> {
        let metadata = self.metadata;
        slice(&metadata.fields, &self.raw.fields).iter().map(move |raw| Field { metadata, raw })
    }

    /// The field with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Field<'m>> {
        self.fields().find(|f| {
            crate::work::done(1);
            f.name() == name
        })
    }

    /// The annotations of this type.
    pub fn annotations(&self) -> impl Iterator<Item = Annotation<'m>> + use<'m> {
        self.metadata.annotations_of(&self.raw.annotations)
    }

    /// The settings of this event type, with their defaults. The values in effect are recorded in
    /// `jdk.ActiveSetting` events.
    pub fn settings(&self) -> impl ExactSizeIterator<Item = Setting<'m>> + use<'m> {
        let metadata = self.metadata;
        slice(&metadata.settings, &self.raw.settings).iter().map(move |raw| Setting { metadata, raw })
    }

    /// The metadata that declares this type.
    #[must_use]
    pub fn metadata(&self) -> &'m Metadata {
        self.metadata
    }
}

/// A field of a type.
#[derive(Clone, Copy)]
pub struct Field<'m> {
    metadata: &'m Metadata,
    raw: &'m RawField,
}

impl std::fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?}", self.name(), self.value_type())
    }
}

impl<'m> Field<'m> {
    /// The name of the field.
    #[must_use]
    pub fn name(&self) -> &'m str {
        self.metadata.str(self.raw.name)
    }

    /// The id of the field's type.
    #[must_use]
    pub fn type_id(&self) -> TypeId {
        self.raw.type_id
    }

    /// The type of the field; `None` if the metadata does not declare it.
    #[must_use]
    pub fn value_type(&self) -> Option<Type<'m>> {
        let raw = self.metadata.types.get(self.raw.type_index as usize)?;
        Some(Type { metadata: self.metadata, raw })
    }

    /// Whether the field contains a count followed by that many values.
    #[must_use]
    pub fn is_array(&self) -> bool {
        self.raw.array
    }

    /// Whether the field contains a key into the pool of its type (for an array: one key per element).
    #[must_use]
    pub fn is_pooled(&self) -> bool {
        self.raw.pooled
    }

    /// The annotations of the field.
    pub fn annotations(&self) -> impl Iterator<Item = Annotation<'m>> + use<'m> {
        self.metadata.annotations_of(&self.raw.annotations)
    }
}

/// A configurable setting of an event type.
#[derive(Clone, Copy)]
pub struct Setting<'m> {
    metadata: &'m Metadata,
    raw: &'m RawSetting,
}

impl<'m> Setting<'m> {
    /// The name of the setting, for example `threshold`.
    #[must_use]
    pub fn name(&self) -> &'m str {
        self.metadata.str(self.raw.name)
    }

    /// The type of the setting.
    #[must_use]
    pub fn value_type(&self) -> Option<Type<'m>> {
        self.metadata.by_id(self.raw.type_id)
    }

    /// The default value, as text.
    #[must_use]
    pub fn default_value(&self) -> &'m str {
        self.metadata.str(self.raw.default_value)
    }

    /// The annotations of the setting.
    pub fn annotations(&self) -> impl Iterator<Item = Annotation<'m>> + use<'m> {
        self.metadata.annotations_of(&self.raw.annotations)
    }
}
