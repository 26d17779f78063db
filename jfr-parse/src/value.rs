//! Events and constants as trees of values, for printing and exploring.
//!
//! `read.rs` decodes them, with constants resolved; `serialize.rs` writes them with serde, for example as JSON.
//! Code that reads millions of events does not belong here, because each struct is allocated: use
//! [`Plan`](crate::Plan), or [`de`](crate::de) for your own structs. Text in the layout of `jfr print` is in
//! [`text`](crate::text). Start with [`Value`], then [`ValueReader`].

mod read;
mod serialize;

use std::borrow::Cow;

pub use read::ValueReader;
pub use serialize::Timed;

use crate::ids::ConstantKey;
use crate::metadata::{Field, Type};

/// A value as described by the metadata, with its references resolved.
///
/// Numbers keep the unit in which they were recorded: a time may be in ticks of the chunk's clock.
/// [`Field::content`] gives the meaning of a number; [`StructValue::fields`] returns the field along with each
/// value.
///
/// ```
/// # fn main() -> jfr_parse::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
/// let recording = jfr_parse::Recording::open(path)?;
/// let chunk = recording.chunk(0)?;
/// let jvm = chunk.metadata().by_name("jdk.JVMInformation").map(|t| t.id());
/// for event in chunk.events().filter(|e| Some(e.type_id) == jvm) {
///     let value = chunk.value(&event)?;
///     assert_eq!(value.get("jvmName").and_then(|v| v.as_str()), Some("OpenJDK 64-Bit Server VM"));
///     assert!(value.get("pid").and_then(|v| v.as_i64()) > Some(0));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value<'a> {
    /// No value: a null string, or a reference that cannot be resolved.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A byte, short, int or long.
    I64(i64),
    /// A byte, short, int or long whose field is annotated as unsigned.
    U64(u64),
    /// A float.
    F32(f32),
    /// A double.
    F64(f64),
    /// A char. Half of a surrogate pair reads as U+FFFD.
    Char(char),
    /// A string, borrowed from the recording if its bytes are UTF-8.
    Str(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An event, a constant or an inline type. A type that only wraps a single field becomes the value of that
    /// field.
    Struct(StructValue<'a>),
}

impl<'a> Value<'a> {
    /// The value of the field with this name, if this is a struct that has one.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value<'a>> {
        self.as_struct()?.get(field)
    }

    /// The value at a path of field names joined by dots, for example `eventThread.javaName`.
    #[must_use]
    pub fn path(&self, path: &str) -> Option<&Value<'a>> {
        path.split('.').try_fold(self, |value, name| value.get(name))
    }

    /// Whether this is [`Value::Null`].
    #[must_use]
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The struct, if this is one.
    #[must_use]
    pub fn as_struct(&self) -> Option<&StructValue<'a>> {
        if let Self::Struct(value) = self { Some(value) } else { None }
    }

    /// The elements, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        if let Self::Array(values) = self { Some(values) } else { None }
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The number, if this is an integer that fits into an `i64`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::I64(n) => Some(n),
            Self::U64(n) => i64::try_from(n).ok(),
            _ => None,
        }
    }

    /// The number, if this is a float or a double.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::F32(n) => Some(n.into()),
            Self::F64(n) => Some(n),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(b) = *self { Some(b) } else { None }
    }
}

/// The values of all fields of a struct.
#[derive(Debug, Clone)]
pub struct StructValue<'a> {
    of: Type<'a>,
    key: Option<ConstantKey>,
    values: Vec<Value<'a>>,
}

impl PartialEq for StructValue<'_> {
    /// Compares names and values. Structs of different chunks can be equal; their types never are.
    fn eq(&self, other: &Self) -> bool {
        self.of.name() == other.of.name()
            && self.values == other.values
            && self.fields().map(|(f, _)| f.name()).eq(other.fields().map(|(f, _)| f.name()))
    }
}

impl<'a> StructValue<'a> {
    /// The type of the struct.
    #[must_use]
    pub fn of(&self) -> Type<'a> {
        self.of
    }

    /// The key of the constant in its pool; `None` for an event or an inline value.
    #[must_use]
    pub fn key(&self) -> Option<ConstantKey> {
        self.key
    }

    /// The fields with their values, in metadata order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (Field<'a>, &Value<'a>)> {
        self.of.fields().zip(&self.values)
    }

    /// The value of the field with this name.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value<'a>> {
        self.fields().find(|(f, _)| f.name() == field).map(|(_, value)| value)
    }
}
