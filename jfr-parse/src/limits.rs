//! How much a recording may ask for.

use crate::error::Error;

macro_rules! limits {
    ($($(#[$doc:meta])+ $name:ident: $kind:ty, $what:literal, $tool:expr, $intake:expr;)+) => {
        /// Upper bounds for what is read from one recording.
        ///
        /// # What holds without them
        ///
        /// Nothing that a recording says of itself (a size, a count, an offset) makes memory be taken or time be
        /// spent: both follow the bytes that are there, after unpacking. With `n` of them,
        ///
        /// * opening a recording, unpacking it, opening its chunks and indexing their constants,
        ///   `jfr_analyzers::collect`, `Summary`, `Analysis` and writing profiles take time in proportion to `n`;
        /// * the memory of each of them stays below **64 MB + 64 · `n`**, that of `Analysis` below **64 MB + 128 · `n`**;
        ///   the `n` bytes themselves come on top where the recording is not mapped. What JVMs and profilers write takes
        ///   a hundredth of that.
        ///
        /// A tree of values ([`Chunk::value`](crate::Chunk::value)) and a struct read by serde follow references and
        /// can be far larger than the event: [`value_nodes`](Self::value_nodes), [`value_depth`](Self::value_depth) and
        /// [`string_bytes`](Self::string_bytes) bound each of them, not their sum.
        ///
        /// # What they add
        ///
        /// Bounds that do not depend on the input. Passing one is [`Error::LimitExceeded`], which names the limit,
        /// where nothing can be kept, else a [`Loss`](crate::Loss); the documentation of each limit says which. The
        /// presets are [`tool`](Self::tool), which is the default, and [`intake`](Self::intake).
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
            /// For a person with a recording that is probably harmless and possibly huge.
            #[must_use]
            pub const fn tool() -> Self {
                Self { $($name: $tool,)+ }
            }

            /// For a service that reads what strangers send.
            #[must_use]
            pub const fn intake() -> Self {
                Self { $($name: $intake,)+ }
            }

            /// The names of all limits, those of the fields.
            pub const NAMES: &[&str] = &[$(stringify!($name),)+];

            /// The limit of this name.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<u64> {
                match name {
                    $(stringify!($name) => u64::try_from(self.$name).ok(),)+
                    _ => None,
                }
            }

            /// Sets the limit of this name, for options that users give as text. Says whether there is one. A value
            /// that is too high for this machine is the highest.
            #[must_use]
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => self.$name = <$kind>::try_from(value).unwrap_or(<$kind>::MAX),)+
                    _ => return false,
                }
                true
            }

            /// What the limit of this name counts.
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
    /// Bytes of the recording, after unpacking. More is [`Error::LimitExceeded`].
    recording_bytes: u64, "bytes in the recording", 64 << 30, 512 << 20;
    /// Bytes that one byte of a packed file may unfold into; files that unfold into less than 1 MiB are not held to
    /// it. More is [`Error::LimitExceeded`].
    unpack_ratio: u64, "bytes for each byte of the packed file", 1_000, 100;
    /// Chunks in one recording. More is [`Error::LimitExceeded`].
    chunks: usize, "chunks", 1 << 20, 1 << 12;
    /// Types in the metadata of one chunk. A chunk with more cannot be read, the others can: a
    /// [`Loss`](crate::Loss), or [`Error::LimitExceeded`] where there are no others.
    types: usize, "types in the metadata of a chunk", 1 << 17, 1 << 14;
    /// Types, fields, annotations and settings in the metadata of one chunk, together; what is passed over counts,
    /// too. More is as for [`types`](Self::types).
    metadata_elements: usize, "elements in the metadata of a chunk", 1 << 20, 1 << 17;
    /// Constants of one type in one part of a chunk. A checkpoint that holds more is read up to there, and is a
    /// [`Loss`](crate::Loss).
    pool_entries: usize, "constants of one type", 1 << 28, 1 << 24;
    /// Bytes of one string as it stands in the recording. A longer one is [`Error::LimitExceeded`] where an event is
    /// read with its values, and is cut where it becomes a name in a profile or a report.
    string_bytes: usize, "bytes in a string", 1 << 24, 1 << 20;
    /// Elements of one array that are read as values. More is [`Error::LimitExceeded`] for that event.
    array_elements: usize, "elements in an array", 1 << 20, 1 << 16;
    /// How deep inline types may nest, in types. What is deeper cannot be read: a [`Loss`](crate::Loss).
    nesting: usize, "inline types within each other", 16, 8;
    /// How deep a constant is followed through other constants when it is shown as a value tree or read by serde, the
    /// inline types on the way counted. The path of an old object to its root takes two for each object. What lies
    /// deeper reads as null.
    value_depth: usize, "constants that refer to each other", 256, 64;
    /// Values in one value tree, or read into one value by serde. More is [`Error::LimitExceeded`] for that event.
    value_nodes: usize, "values in one event", 1 << 20, 1 << 17;
    /// Frames that are kept of one stack trace. A longer one is marked as truncated.
    stack_frames: usize, "frames in a stack trace", 1 << 16, 2_048;
    /// Distinct stacks that `jfr_analyzers` keeps in one call. More is [`Error::LimitExceeded`].
    stacks: usize, "distinct stacks", 1 << 27, 1 << 22;
    /// Bytes that `jfr_analyzers` may take for what it gathers in one call, beyond the recording itself. They are
    /// counted when a part of a chunk is done, so that it can be passed by what the parts at hand take. More is
    /// [`Error::LimitExceeded`].
    memory: u64, "bytes of memory", 16 << 30, 1 << 30;
    /// Losses that are listed; more are only counted.
    losses: usize, "losses", 1_000, 100;
}

impl Limits {
    /// The error for passing the limit of this name.
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
