//! Errors when building a tree.

/// Why a tree cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The profile has fewer values than requested.
    #[error("the profile has {values} values; there is no value {value}")]
    NoSuchValue {
        /// Index of the requested value.
        value: usize,
        /// The number of values.
        values: usize,
    },
    /// The profiles measure different things, so they cannot be merged or compared.
    #[error("the profiles measure different things: {a} and {b}")]
    DifferentTypes {
        /// The values of one profile, as `name/unit`.
        a: String,
        /// The values of the other profile.
        b: String,
    },
    /// The regular expression is invalid or too large.
    #[error("invalid regular expression {pattern:?}: {message}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// All stacks together have more frames than fit into 32 bits.
    #[error("too many frames: a tree can have at most 4,294,967,295")]
    TooLarge,
    /// The call was canceled.
    #[error("canceled before it finished")]
    Canceled,
}

impl From<crate::Canceled> for TreeError {
    fn from(_: crate::Canceled) -> Self {
        Self::Canceled
    }
}
