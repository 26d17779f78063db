//! A reader for JDK Flight Recorder (JFR) recordings.
//!
//! It reads recordings made by JDK 8u262 and later, async-profiler, Datadog's profiler and JMC's
//! writer (format versions 1.0 to 2.x), whether intact or damaged, plain or compressed. Events are
//! slices of the file. Fields are located once per chunk and type ([`Plan`]); constants are indexed
//! first and decoded on demand ([`Pools`]).
//!
//! # Three ways to read an event
//!
//! | | what you get | cost |
//! |---|---|---|
//! | [`Chunk::plan`] | a few selected fields as numbers, times, keys and raw strings; you look up constants yourself | no allocation; for millions of events |
//! | [`Chunk::deserialize`] | your own struct ([`de`]), with nested constants resolved | whatever your struct allocates |
//! | [`Chunk::value`] | the complete event as a [`Value`] tree | one allocation per struct; for printing and exploring |
//!
//! ```
//! # fn main() -> jfr_parse::Result<()> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
//! #[derive(serde::Deserialize)]
//! struct Sleep {
//!     time: i64,
//! }
//!
//! let recording = jfr_parse::Recording::open(path)?;
//! let (mut by_plan, mut by_struct, mut by_value) = (0, 0, 0);
//! for chunk in recording.chunks() {
//!     let chunk = chunk?;
//!     let Some(sleep) = chunk.metadata().by_name("jdk.ThreadSleep") else { continue };
//!     let plan = chunk.plan(sleep, ["time"])?;
//!     let time = plan.field::<i64>("time");
//!     for event in chunk.events().filter(|e| e.type_id == sleep.id()) {
//!         by_plan += plan.read(event.payload)?.get(time);
//!         by_struct += chunk.deserialize::<Sleep>(&event)?.time;
//!         by_value += chunk.value(&event)?.get("time").and_then(|v| v.as_i64()).unwrap_or(0);
//!     }
//! }
//! assert!(by_plan > 0 && by_plan == by_struct && by_plan == by_value);
//! # Ok(())
//! # }
//! ```
//!
//! No input can make this crate panic, run forever, or allocate memory out of proportion to the
//! size of the file.
//!
//! Profiles, metrics and findings do not belong here; `jfr-analyzers` computes them from what this
//! crate reads. To use the crate, start with [`Recording`] and [`Chunk`]. To change it, read
//! `recording.rs`, `chunk.rs` and `event.rs`, then `plan.rs` and `pools.rs`; everything reads bytes
//! through `cursor.rs`.

#![deny(unsafe_code)]

mod bits;
mod checkpoints;
mod chunk;
mod cursor;
pub mod de;
#[doc(hidden)]
pub mod engine;
mod error;
mod event;
mod header;
mod ids;
mod layout;
mod leaf;
mod limits;
pub mod metadata;
mod open;
mod plan;
mod pools;
mod recording;
mod source;
mod stop;
mod string;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
pub mod text;
mod time;
pub mod value;
#[doc(hidden)]
pub mod work;

pub use chunk::Chunk;
pub use cursor::Cursor;
pub use error::{Damage, Error, Loss, Result, Short};
pub use event::{CHECKPOINT, EventTypes, Events, METADATA, RawEvent};
pub use header::{ChunkHeader, HEADER_SIZE, MAGIC};
pub use ids::{ChunkOffset, ConstantKey, TypeId};
pub use limits::Limits;
pub use metadata::{Content, Field, Kind, Metadata, TimeUnit, Type};
pub use open::{Access, OpenOptions};
pub use plan::{Column, FieldType, Inline, Plan, Row, Text, Untyped};
pub use pools::{PoolOf, Pools};
pub use recording::{MetadataCache, Recording};
pub use source::guard_maps;
pub use stop::Stop;
pub use string::RawStr;
pub use time::{Clock, EpochNanos, Iso, LocalNanos, Nanos, TickSpan, Ticks, Zone};
pub use value::{StructValue, Timed, Value, ValueReader};
