//! Resource limits for reading a recording.

use crate::error::Error;

macro_rules! limits {
    ($($(#[$doc:meta])+ $name:ident: $kind:ty, $what:literal, $tool:expr, $intake:expr;)+) => {
        /// Upper bounds on what is read from one recording.
        ///
        /// # Guarantees without limits
        ///
        /// Sizes, counts and offsets in a recording are never trusted: neither memory nor time
        /// depends on what they claim, only on the number of bytes that are really there after
        /// decompression. With `n` bytes:
        ///
        /// * Opening and decompressing a recording, opening its chunks and indexing their
        ///   constants, `jfr_analyzers::collect`, `Summary`, `Analysis` and writing profiles all
        ///   take time proportional to `n`.
        /// * The memory of each of them stays below **64 MB + 64 · `n`**, that of `Analysis` below
        ///   **64 MB + 128 · `n`**. If the recording is not mapped, its `n` bytes come on top.
        ///   Recordings from real JVMs and profilers need about a hundredth of that.
        ///
        /// A tree of values ([`Chunk::value`](crate::Chunk::value)) or a struct read with serde
        /// follows references and can be far larger than the event.
        /// [`value_nodes`](Self::value_nodes), [`value_depth`](Self::value_depth) and
        /// [`string_bytes`](Self::string_bytes) bound each tree or struct, not the sum of all of
        /// them.
        ///
        /// # What the limits add
        ///
        /// The limits are bounds that do not depend on the size of the input. If a limit is
        /// exceeded and nothing can be kept, the result is [`Error::LimitExceeded`], which names
        /// the limit; otherwise it is a [`Loss`](crate::Loss). The documentation of each limit says
        /// which one applies. There are two presets: [`tool`](Self::tool), the default, and
        /// [`intake`](Self::intake).
        ///
        /// ```
        /// use jfr_parse::{Limits, OpenOptions, Stop};
        /// use std::time::Duration;
        ///
        /// # fn main() -> jfr_parse::Result<()> {
        /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
        /// let mut limits = Limits::intake();
        /// limits.recording_bytes = 64 << 20;
        /// let options = OpenOptions::new().limits(limits).stop(Stop::after(Duration::from_secs(30)));
        /// let recording = options.open(path)?;
        /// # assert!(recording.chunk_count() > 0);
        /// # Ok(())
        /// # }
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Limits {
            $($(#[$doc])+ pub $name: $kind,)+
        }

        impl Limits {
            /// Limits for interactive use: trusted, possibly very large recordings.
            #[must_use]
            pub const fn tool() -> Self {
                Self { $($name: $tool,)+ }
            }

            /// Limits for services that accept untrusted uploads.
            #[must_use]
            pub const fn intake() -> Self {
                Self { $($name: $intake,)+ }
            }

            /// The names of all limits, identical to the field names.
            pub const NAMES: &[&str] = &[$(stringify!($name),)+];

            /// The value of the limit with this name.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<u64> {
                match name {
                    $(stringify!($name) => u64::try_from(self.$name).ok(),)+
                    _ => None,
                }
            }

            /// Sets the limit with this name, for options that users give as text. Returns whether
            /// the limit exists. A value that is too large for this machine is reduced to the
            /// largest possible one.
            #[must_use]
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => self.$name = <$kind>::try_from(value).unwrap_or(<$kind>::MAX),)+
                    _ => return false,
                }
                true
            }

            /// What the limit with this name counts.
            #[must_use]
            pub fn what(name: &str) -> &'static str {
                match name {
                    $(stringify!($name) => $what,)+
                    _ => "",
                }
            }
        }
    };
}

limits! {
    /// Bytes in the decompressed recording. Exceeding it is [`Error::LimitExceeded`].
    recording_bytes: u64, "bytes in the recording", 64 << 30, 512 << 20;
    /// Decompressed bytes per compressed byte. Files that decompress to less than 1 MiB are exempt.
    /// Exceeding it is [`Error::LimitExceeded`].
    unpack_ratio: u64, "decompressed bytes per compressed byte", 1_000, 100;
    /// Chunks in one recording. Exceeding it is [`Error::LimitExceeded`].
    chunks: usize, "chunks", 1 << 20, 1 << 12;
    /// Types in the metadata of one chunk. A chunk with more types cannot be read; the other chunks
    /// can. Exceeding it is a [`Loss`](crate::Loss), or [`Error::LimitExceeded`] if there are no
    /// other chunks.
    types: usize, "types in the metadata of a chunk", 1 << 17, 1 << 14;
    /// Types, fields, annotations and settings in the metadata of one chunk, together, including
    /// skipped ones. Exceeding it has the same result as exceeding [`types`](Self::types).
    metadata_elements: usize, "elements in the metadata of a chunk", 1 << 20, 1 << 17;
    /// Constants of one type in one part of a chunk. A checkpoint with more constants is read up to
    /// the limit; the rest is a [`Loss`](crate::Loss).
    pool_entries: usize, "constants of one type", 1 << 28, 1 << 24;
    /// Bytes of one string as encoded in the recording. A longer string is [`Error::LimitExceeded`]
    /// if an event is read with its values, and is truncated if it becomes a name in a profile or a
    /// report.
    string_bytes: usize, "bytes in a string", 1 << 24, 1 << 20;
    /// Elements of one array that is read as values. Exceeding it is [`Error::LimitExceeded`] for
    /// that event.
    array_elements: usize, "elements in an array", 1 << 20, 1 << 16;
    /// Nesting depth of inline types. Types nested deeper cannot be read: a [`Loss`](crate::Loss).
    nesting: usize, "nested inline types", 16, 8;
    /// How many references are followed from constant to constant when a constant is shown as a
    /// value tree or read by serde. Inline types on the way count too. The path of an old object to
    /// its root takes two for each object. Anything deeper reads as null.
    value_depth: usize, "chained constants", 256, 64;
    /// Values in one value tree, or read into one value by serde. Exceeding it is
    /// [`Error::LimitExceeded`] for that event.
    value_nodes: usize, "values in one event", 1 << 20, 1 << 17;
    /// Frames kept per stack trace. A longer stack trace is marked as truncated.
    stack_frames: usize, "frames in a stack trace", 1 << 16, 2_048;
    /// Distinct stacks that `jfr_analyzers` keeps in one call. Exceeding it is
    /// [`Error::LimitExceeded`].
    stacks: usize, "distinct stacks", 1 << 27, 1 << 22;
    /// Bytes of memory that `jfr_analyzers` may use in one call, beyond the recording itself.
    /// Memory is counted whenever a part of a chunk is done, so the parts in progress can exceed
    /// the limit. Exceeding it is [`Error::LimitExceeded`].
    memory: u64, "bytes of memory", 16 << 30, 1 << 30;
    /// Losses that are listed; further losses are only counted.
    losses: usize, "losses", 1_000, 100;
}

impl Limits {
    /// The error for exceeding the limit with this name.
    #[must_use]
    pub fn exceeded(&self, name: &'static str, offset: u64) -> Error {
        debug_assert!(Self::NAMES.contains(&name), "{name}");
        Error::LimitExceeded { offset, what: Self::what(name), name, limit: self.get(name).unwrap_or(0) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::tool()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_name_and_is_stricter_for_intake() {
        for name in Limits::NAMES {
            let mut limits = Limits::tool();
            assert!(limits.get(name) > Limits::intake().get(name), "{name}");
            assert!(limits.set(name, 7) && limits.get(name) == Some(7), "{name}");
            assert!(matches!(limits.exceeded(name, 3), Error::LimitExceeded { limit: 7, offset: 3, .. }));
        }
        assert!(!Limits::tool().set("nothing", 1));
    }
}
