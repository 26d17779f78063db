//! Events and constants as trees of values: for printing, and for looking at what is there.

mod read;
mod serialize;

use std::borrow::Cow;

pub use read::ValueReader;
pub use serialize::Timed;

use crate::metadata::{Field, Type};

/// A value as the metadata describes it, with its references resolved.
///
/// Numbers keep the unit they were recorded in: a time may be in ticks of the chunk's clock. What a number
/// means is said by [`Field::content`], which [`StructValue::fields`] gives beside each value.
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
    /// No value: a null string, or a reference that leads nowhere.
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
    /// A char; half of a surrogate pair reads as U+FFFD.
    Char(char),
    /// A string, borrowed from the recording where its bytes are UTF-8.
    Str(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An event, a constant or an inline type. A type that stands for its only field is that field's value.
    Struct(StructValue<'a>),
}

impl<'a> Value<'a> {
    /// The value of the field of this name, if this is a struct that has it.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value<'a>> {
        self.as_struct()?.get(field)
    }

    /// The value behind a path of field names joined by dots, for example `eventThread.javaName`.
    #[must_use]
    pub fn path(&self, path: &str) -> Option<&Value<'a>> {
        path.split('.').try_fold(self, |value, name| value.get(name))
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The struct, if it is one.
    #[must_use]
    pub fn as_struct(&self) -> Option<&StructValue<'a>> {
        if let Self::Struct(value) = self { Some(value) } else { None }
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        if let Self::Array(values) = self { Some(values) } else { None }
    }

    /// The text, if it is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The number, if it is an integer that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::I64(n) => Some(n),
            Self::U64(n) => i64::try_from(n).ok(),
            _ => None,
        }
    }

    /// The number, if it is a float or a double.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::F32(n) => Some(n.into()),
            Self::F64(n) => Some(n),
            _ => None,
        }
    }

    /// The truth, if it is a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(b) = *self { Some(b) } else { None }
    }
}

/// The values of the fields of a type.
#[derive(Debug, Clone)]
pub struct StructValue<'a> {
    of: Type<'a>,
    key: Option<u64>,
    values: Vec<Value<'a>>,
}

impl PartialEq for StructValue<'_> {
    /// Equal names and values: structs of different chunks can be equal, their types cannot be.
    fn eq(&self, other: &Self) -> bool {
        self.of.name() == other.of.name()
            && self.values == other.values
            && self.fields().map(|(f, _)| f.name()).eq(other.fields().map(|(f, _)| f.name()))
    }
}

impl<'a> StructValue<'a> {
    /// The type.
    #[must_use]
    pub fn of(&self) -> Type<'a> {
        self.of
    }

    /// The key of the constant in its pool; `None` for an event and an inline value.
    #[must_use]
    pub fn key(&self) -> Option<u64> {
        self.key
    }

    /// The fields with their values, in the order of the metadata.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (Field<'a>, &Value<'a>)> {
        self.of.fields().zip(&self.values)
    }

    /// The value of the field of this name.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value<'a>> {
        self.fields().find(|(f, _)| f.name() == field).map(|(_, value)| value)
    }
}
