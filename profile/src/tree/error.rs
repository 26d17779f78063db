//! What keeps a tree from being made.

/// Why there is no tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The profile has fewer values.
    #[error("the profile has {values} values, there is no number {value}")]
    NoSuchValue {
        /// The value that was asked for, from 0.
        value: usize,
        /// How many there are.
        values: usize,
    },
    /// Profiles that count different things cannot be merged or compared.
    #[error("the profiles count different things: {a} and {b}")]
    DifferentTypes {
        /// The values of one, as `name/unit`.
        a: String,
        /// The values of the other.
        b: String,
    },
    /// A regular expression that is none, or too large.
    #[error("invalid regular expression {pattern:?}: {message}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// More frames in all stacks than fit 32 bits.
    #[error("too many frames: a tree is made of at most 4,294,967,295")]
    TooLarge,
    /// The caller canceled it.
    #[error("stopped before it was done")]
    Canceled,
}

impl From<crate::Canceled> for TreeError {
    fn from(_: crate::Canceled) -> Self {
        Self::Canceled
    }
}
