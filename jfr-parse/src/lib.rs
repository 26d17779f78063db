//! A reader for JDK Flight Recorder recordings.
//!
//! Recordings of JDK 8u262 to today, of async-profiler, of Datadog's profiler and of JMC's writer (format
//! versions 1.0 to 2.x), whole or damaged, plain or packed. Events are slices of the mapped file; a field is
//! located once per chunk and type ([`Plan`]); constants are indexed and decoded when asked for ([`Pools`]).
//!
//! Nothing in a file can make this crate panic, run for ever or allocate more than in proportion to the file.

mod checkpoints;
mod chunk;
mod cursor;
mod error;
mod event;
mod header;
mod layout;
mod limits;
pub mod metadata;
mod plan;
mod pools;
mod recording;
mod source;
mod string;
mod time;

pub use chunk::Chunk;
pub use cursor::{Cursor, push_varint};
pub use error::{Damage, Error, Loss, Result, Short};
pub use event::{CHECKPOINT, Events, METADATA, RawEvent};
pub use header::{ChunkHeader, HEADER_SIZE, MAGIC};
pub use limits::{Limits, Stop};
pub use metadata::{Field, Kind, Metadata, Type};
pub use plan::{Plan, Row};
pub use pools::{PoolEntries, PoolLayouts, PoolOf, Pools};
pub use recording::{MetadataCache, Recording};
pub use string::RawStr;
pub use time::Clock;
