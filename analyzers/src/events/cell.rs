//! A value of an event field, in a form that is independent of its chunk.

use jfrkit_profile::{StackId, StrId};

/// A thread of [`Facts`](super::Facts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ThreadId(pub(crate) u32);

jfrkit_profile::impl_id!(ThreadId);

/// The value of a field. Times are nanoseconds (timestamps since the Unix epoch) and sizes are bytes,
/// regardless of the unit in which the event was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Cell {
    /// No value: a field that the event does not have, a null reference or a null string.
    #[default]
    Null,
    /// An integer; a boolean is 0 or 1.
    Int(i64),
    /// The bits of a floating-point number, see [`Cell::float`].
    Float(u64),
    /// A text: a string, a class name as in Java source code, the name of a method or of a constant such as a
    /// GC cause.
    Text(StrId),
    /// A thread.
    Thread(ThreadId),
    /// A stack trace.
    Stack(StackId),
}

impl Cell {
    /// The cell for a floating-point number.
    #[must_use]
    pub fn of_float(value: f64) -> Self {
        // Otherwise the two zeros and the many NaNs would be different group keys.
        if value.is_nan() { Self::Null } else { Self::Float((value + 0.0).to_bits()) }
    }

    /// A word to be hashed in one step. Cells of different kinds may share one.
    #[inline]
    pub(crate) fn word(self) -> u64 {
        let (tag, value) = match self {
            Self::Null => (0u32, 0),
            Self::Int(value) => (1, value.cast_unsigned()),
            Self::Float(bits) => (2, bits),
            Self::Text(id) => (3, u64::from(id.number())),
            Self::Thread(id) => (4, u64::from(id.0)),
            Self::Stack(id) => (5, u64::from(id.number())),
        };
        value ^ u64::from(tag).rotate_right(4)
    }

    /// The integer, if it is one; a floating-point number is not.
    #[inline]
    #[must_use]
    pub fn int(self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The number, if it is an integer or a floating-point number.
    #[inline]
    #[must_use]
    pub fn float(self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(value as f64),
            Self::Float(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// The text, if it is one.
    #[inline]
    #[must_use]
    pub fn text(self) -> Option<StrId> {
        match self {
            Self::Text(id) => Some(id),
            _ => None,
        }
    }

    /// The thread, if it is one.
    #[inline]
    #[must_use]
    pub fn thread(self) -> Option<ThreadId> {
        match self {
            Self::Thread(id) => Some(id),
            _ => None,
        }
    }

    /// The stack trace, if it is one.
    #[inline]
    #[must_use]
    pub fn stack(self) -> Option<StackId> {
        match self {
            Self::Stack(id) => Some(id),
            _ => None,
        }
    }
}
