//! One value of one event, in the form that all chunks share.

use jfrkit_profile::{StackId, StrId};

/// A thread of [`Facts`](super::Facts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ThreadId(pub(crate) u32);

/// The value of a field: times are nanoseconds (instants since the Unix epoch), amounts bytes, whatever unit the
/// event was recorded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Cell {
    /// No value: a field that the event does not have, a null reference, a null string.
    #[default]
    Null,
    /// A whole number; a boolean is 0 or 1.
    Int(i64),
    /// The bits of a floating-point number, see [`Cell::float`].
    Float(u64),
    /// A text: a string, the name of a class as in Java source, of a method, of a constant such as a GC's cause.
    Text(StrId),
    /// A thread.
    Thread(ThreadId),
    /// A stack trace.
    Stack(StackId),
}

impl Cell {
    /// The cell of a floating-point number.
    #[must_use]
    pub fn of_float(value: f64) -> Self {
        // Two zeros and many NaNs would be several keys of a group.
        if value.is_nan() { Self::Null } else { Self::Float((value + 0.0).to_bits()) }
    }

    /// Different bits for different cells, to be hashed in one step.
    #[inline]
    pub(crate) fn bits(self) -> u128 {
        let (tag, value) = match self {
            Self::Null => (0u8, 0),
            Self::Int(value) => (1, value.cast_unsigned()),
            Self::Float(bits) => (2, bits),
            Self::Text(id) => (3, u64::from(id.number())),
            Self::Thread(id) => (4, u64::from(id.0)),
            Self::Stack(id) => (5, u64::from(id.number())),
        };
        u128::from(tag) << 64 | u128::from(value)
    }

    /// A whole number; a floating-point one is none.
    #[inline]
    #[must_use]
    pub fn int(self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(value),
            _ => None,
        }
    }

    /// A number of any kind.
    #[inline]
    #[must_use]
    pub fn float(self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(value as f64),
            Self::Float(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// A text.
    #[inline]
    #[must_use]
    pub fn text(self) -> Option<StrId> {
        match self {
            Self::Text(id) => Some(id),
            _ => None,
        }
    }

    /// A thread.
    #[inline]
    #[must_use]
    pub fn thread(self) -> Option<ThreadId> {
        match self {
            Self::Thread(id) => Some(id),
            _ => None,
        }
    }

    /// A stack trace.
    #[inline]
    #[must_use]
    pub fn stack(self) -> Option<StackId> {
        match self {
            Self::Stack(id) => Some(id),
            _ => None,
        }
    }
}
