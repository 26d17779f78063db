//! Deserializes events into the caller's own structs with serde.
//!
//! The struct names the fields it wants, as they are named in the metadata; all other fields are skipped. A
//! field with a constant or an inline type maps to a nested struct, an array to a `Vec`, and an enumeration
//! such as a thread state to a `String`, a `&str` or a Rust enum. Use `Option` for anything that may be null:
//! references and strings can always be null, and a field may be missing in recordings made by other JDKs.
//! `&str` works for strings whose bytes are UTF-8; `Cow<str>` with `#[serde(borrow)]` works for all strings.
//!
//! Numbers are delivered as recorded: signed unless the field is annotated as unsigned, and times in ticks of
//! the chunk's clock if the field is annotated that way. The types [`Timestamp`] and [`Timespan`] always
//! deliver nanoseconds, regardless of the unit of the field. With an `Option`, the special times "not set",
//! "none" and "forever" are `None`.
//!
//! Code that does not know the fields in advance belongs in [`value`](crate::value), code for millions of
//! events in [`Plan`](crate::Plan). Start with the example; `time.rs` has the types for times.
//!
//! ```
//! use jfr_parse::de::{Timespan, Timestamp};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(rename_all = "camelCase")]
//! struct FileRead<'a> {
//!     start_time: Timestamp,
//!     duration: Timespan,
//!     path: Option<std::borrow::Cow<'a, str>>,
//!     bytes_read: i64,
//!     #[serde(borrow)]
//!     event_thread: Option<Thread<'a>>,
//! }
//!
//! #[derive(serde::Deserialize)]
//! #[serde(rename_all = "camelCase")]
//! struct Thread<'a> {
//!     java_name: Option<&'a str>,
//! }
//!
//! # fn main() -> jfr_parse::Result<()> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
//! let recording = jfr_parse::Recording::open(path)?;
//! let mut bytes = 0;
//! for chunk in recording.chunks() {
//!     let chunk = chunk?;
//!     let Some(file_read) = chunk.metadata().by_name("jdk.FileRead") else { continue };
//!     for event in chunk.events().filter(|e| e.type_id == file_read.id()) {
//!         let read: FileRead = chunk.deserialize(&event)?;
//!         assert!(read.start_time.nanos > 0 && read.duration.nanos >= 0);
//!         assert!(read.path.is_some() && read.event_thread.is_some_and(|t| t.java_name.is_some()));
//!         bytes += read.bytes_read;
//!     }
//! }
//! assert!(bytes > 0);
//! # Ok(())
//! # }
//! ```

mod time;

use std::borrow::Cow;
use std::cell::Cell;

use serde::de::value::{BorrowedStrDeserializer, CowStrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

pub use time::{Timespan, Timestamp};

use crate::chunk::Chunk;
use crate::cursor::Cursor;
use crate::error::{Damage, Error, Result, Short};
use crate::event::RawEvent;
use crate::ids::ConstantKey;
use crate::layout::{Budget, Layout};
use crate::leaf::{Leaf, count};
use crate::limits::Limits;
use crate::metadata::{Content, Field, Kind, Type};
use crate::pools::Pools;
use crate::time::Clock;

impl<'a> Chunk<'a> {
    /// Deserializes an event into the caller's own struct; see [`de`](crate::de).
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the event does not have what the struct asks for, [`Error::Unknown`] for an event
    /// of an undeclared type, [`Error::Damaged`] if the event does not match its type, [`Error::LimitExceeded`]
    /// beyond [`Limits::value_nodes`], [`Limits::array_elements`] or [`Limits::string_bytes`],
    /// [`Error::Stopped`].
    pub fn deserialize<'c, T: Deserialize<'c>>(&'c self, event: &RawEvent<'a>) -> Result<T> {
        let of = self.metadata().by_id(event.type_id);
        let of = of.ok_or_else(|| Error::Unknown { kind: "event type", name: event.type_id.to_string() })?;
        self.stop().check()?;
        let limits = self.limits();
        let context = Context {
            pools: self.pools(),
            limits,
            clock: self.clock(),
            offset: self.file_offset(event.offset),
            nodes: Cell::new(limits.value_nodes),
        };
        T::deserialize(ValueDe {
            context: &context,
            data: Data::Whole(of, None),
            at: Cursor::new(event.payload),
            depth: limits.value_depth,
            nesting: limits.nesting,
        })
    }
}

impl serde::de::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Mismatch(message.to_string())
    }
}

/// State shared by all values of one event.
struct Context<'c> {
    pools: &'c Pools<'c>,
    limits: &'c Limits,
    clock: Clock,
    offset: u64,
    /// How many more values may be read.
    nodes: Cell<usize>,
}

impl Context<'_> {
    fn damaged(&self, what: Damage) -> Error {
        Error::damaged(self.offset, what)
    }

    fn whole<T>(&self, read: Result<T, Short>) -> Result<T> {
        read.map_err(|_| self.damaged(Damage::Truncated))
    }

    fn spend(&self) -> Result<()> {
        let left = self.nodes.get().checked_sub(1).ok_or_else(|| self.limits.exceeded("value_nodes", self.offset))?;
        self.nodes.set(left);
        Ok(())
    }

    /// Checks that `n` is within the limit called `name`, whose value is `limit`.
    fn within(&self, n: usize, limit: usize, name: &'static str) -> Result<()> {
        if n > limit { Err(self.limits.exceeded(name, self.offset)) } else { Ok(()) }
    }

    fn skip(&self, field: Field<'_>, element: bool, at: &mut Cursor<'_>) -> Result<()> {
        if field.is_pooled() && (element || !field.is_array()) {
            return self.whole(at.skip_varints(1));
        }
        let of = if element { Layout::of_element } else { Layout::of_field };
        let layout = of(field, self.limits, &mut Budget::single());
        self.whole(layout.ok_or_else(|| self.damaged(Damage::TooDeep))?.skip(at))
    }
}

/// What kind of data is at a position in the recording.
#[derive(Clone, Copy)]
enum Data<'c> {
    /// A field: a count with elements, a key, or a value.
    Field(Field<'c>),
    /// One element of a field that is an array.
    Element(Field<'c>),
    /// A whole value, with the innermost field that led to it; `None` for an event.
    Whole(Type<'c>, Option<Field<'c>>),
}

/// A value in the recording. It has its own cursor: the owner of the value skips it with its layout, which is
/// cheap and lets a reference continue in the bytes of its constant.
#[derive(Clone, Copy)]
struct ValueDe<'x, 'c> {
    context: &'x Context<'c>,
    data: Data<'c>,
    at: Cursor<'c>,
    /// How many more references may be followed; inline types on the way count too.
    depth: usize,
    /// How many more inline types may be opened.
    nesting: usize,
}

/// A value that needs no further resolving.
enum Found<'x, 'c> {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    F32(f32),
    F64(f64),
    Char(char),
    Str(Cow<'c, str>),
    Array(Elements<'x, 'c>),
    Fields(Type<'c>),
}

impl<'x, 'c> ValueDe<'x, 'c> {
    /// Follows references, and types that wrap a single field, to the actual value. The place left in `self` is
    /// the innermost one.
    fn find(&mut self) -> Result<Found<'x, 'c>> {
        self.context.spend()?;
        loop {
            let (of, field) = match self.data {
                Data::Field(field) if field.is_array() => return self.array(field),
                Data::Field(field) | Data::Element(field) if field.is_pooled() => {
                    let key = ConstantKey(self.context.whole(self.at.varint())?);
                    let bytes = field.value_type().and_then(|of| Some((of, self.context.pools.get(of.id(), key)?)));
                    let (Some((of, bytes)), Some(depth)) = (bytes, self.depth.checked_sub(1)) else {
                        return Ok(Found::Null);
                    };
                    (self.at, self.depth, self.nesting) = (Cursor::new(bytes), depth, self.context.limits.nesting);
                    (of, Some(field))
                }
                Data::Field(field) | Data::Element(field) => {
                    // Counts as a reference: the types of a constant can nest again, and this bounds both
                    // together.
                    self.depth = self.depth.saturating_sub(1);
                    (field.value_type().ok_or_else(|| self.context.damaged(Damage::BadMetadata))?, Some(field))
                }
                // An event has fields, regardless of its declared type.
                Data::Whole(of, None) => return Ok(Found::Fields(of)),
                Data::Whole(of, field) => (of, field),
            };
            self.data = Data::Whole(of, field);
            let unsigned = field.is_some_and(|f| f.is_unsigned());
            if let Some(leaf) = self.context.whole(Leaf::read(of.kind(), unsigned, &mut self.at))? {
                return Ok(match leaf {
                    Leaf::Bool(b) => Found::Bool(b),
                    Leaf::Signed(n) => Found::Signed(n),
                    Leaf::Unsigned(n) => Found::Unsigned(n),
                    Leaf::F32(n) => Found::F32(n),
                    Leaf::F64(n) => Found::F64(n),
                    Leaf::Char(c) => Found::Char(c),
                    Leaf::Str(raw) => {
                        let raw = self.context.pools.resolve(of.id(), raw);
                        self.context.within(raw.bytes().len(), self.context.limits.string_bytes, "string_bytes")?;
                        raw.decode().map_or(Found::Null, Found::Str)
                    }
                });
            }
            self.nesting = self.nesting.checked_sub(1).ok_or_else(|| self.context.damaged(Damage::TooDeep))?;
            let mut fields = of.fields();
            match (fields.next(), fields.next()) {
                (Some(only), None) if of.is_simple() => self.data = Data::Field(only),
                _ => return Ok(Found::Fields(of)),
            }
        }
    }

    /// The meaning of the number according to the innermost field. Call only after [`find`](Self::find).
    fn content(&self) -> Option<Content> {
        match self.data {
            Data::Whole(_, Some(field)) => field.content(),
            _ => None,
        }
    }

    fn array(&mut self, field: Field<'c>) -> Result<Found<'x, 'c>> {
        let bare = |of: Type<'_>| of.kind() == Kind::Struct && of.fields().len() == 0;
        let empty = !field.is_pooled() && field.value_type().is_some_and(bare);
        let left = self.context.whole(count(&mut self.at, empty))?;
        self.context.within(left, self.context.limits.array_elements, "array_elements")?;
        Ok(Found::Array(Elements { left, field, of: *self }))
    }

    /// Passes the value to the visitor. For a struct, passes only the `wanted` fields, or all fields if that is
    /// `None`.
    fn give<V: Visitor<'c>>(
        self,
        found: Found<'x, 'c>,
        wanted: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value> {
        match found {
            Found::Null => visitor.visit_unit(),
            Found::Bool(b) => visitor.visit_bool(b),
            Found::Signed(n) => visitor.visit_i64(n),
            Found::Unsigned(n) => visitor.visit_u64(n),
            Found::F32(n) => visitor.visit_f32(n),
            Found::F64(n) => visitor.visit_f64(n),
            Found::Char(c) => visitor.visit_char(c),
            Found::Str(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Found::Str(Cow::Owned(text)) => visitor.visit_string(text),
            Found::Array(elements) => visitor.visit_seq(elements),
            Found::Fields(of) => visitor.visit_map(Fields { of, next: 0, wanted, value: None, owner: self }),
        }
    }
}

impl<'c> Deserializer<'c> for ValueDe<'_, 'c> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'c>>(mut self, visitor: V) -> Result<V::Value> {
        let found = self.find()?;
        self.give(found, None, visitor)
    }

    fn deserialize_struct<V: Visitor<'c>>(
        mut self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let found = self.find()?;
        self.give(found, Some(fields), visitor)
    }

    fn deserialize_option<V: Visitor<'c>>(self, visitor: V) -> Result<V::Value> {
        // Only a look ahead: the content of the option reads the value again.
        let mut ahead = self;
        let none = match ahead.find()? {
            Found::Null => true,
            Found::Signed(n) => time::is_unset(n, ahead.content()),
            Found::Unsigned(n) => time::is_unset(n.cast_signed(), ahead.content()),
            _ => false,
        };
        if none { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'c>>(mut self, name: &'static str, visitor: V) -> Result<V::Value> {
        if !time::is_time(name) {
            return visitor.visit_newtype_struct(self);
        }
        let number = match self.find()? {
            Found::Signed(n) => n,
            Found::Unsigned(n) => n.cast_signed(),
            other => return self.give(other, None, visitor),
        };
        match time::nanos(name, number, self.content(), self.context.clock)? {
            Some(nanos) => visitor.visit_i64(nanos),
            None => visitor.visit_none(),
        }
    }

    fn deserialize_enum<V: Visitor<'c>>(
        mut self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.find()? {
            Found::Str(Cow::Borrowed(text)) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            Found::Str(text) => visitor.visit_enum(CowStrDeserializer::new(text)),
            other => self.give(other, None, visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'c>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'c>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier
    }
}

/// The elements of an array.
struct Elements<'x, 'c> {
    left: usize,
    field: Field<'c>,
    of: ValueDe<'x, 'c>,
}

impl<'c> SeqAccess<'c> for Elements<'_, 'c> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'c>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let element = ValueDe { data: Data::Element(self.field), ..self.of };
        self.of.context.skip(self.field, true, &mut self.of.at)?;
        seed.deserialize(element).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// The fields of a struct.
struct Fields<'x, 'c> {
    of: Type<'c>,
    next: usize,
    wanted: Option<&'static [&'static str]>,
    value: Option<ValueDe<'x, 'c>>,
    owner: ValueDe<'x, 'c>,
}

impl<'c> MapAccess<'c> for Fields<'_, 'c> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'c>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        while let Some(field) = self.of.fields().nth(self.next) {
            self.next += 1;
            let value = ValueDe { data: Data::Field(field), ..self.owner };
            self.owner.context.skip(field, false, &mut self.owner.at)?;
            if self.wanted.is_none_or(|wanted| wanted.contains(&field.name())) {
                self.value = Some(value);
                return seed.deserialize(BorrowedStrDeserializer::new(field.name())).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'c>>(&mut self, seed: V) -> Result<V::Value> {
        match self.value.take() {
            Some(value) => seed.deserialize(value),
            None => Err(Error::Mismatch("the value of a field was asked for before its name".to_owned())),
        }
    }
}
