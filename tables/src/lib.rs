//! Recordings as tables: events, samples, stacks, findings and metrics as Arrow columns, in memory or in files.
//!
//! [`read_events`] decodes a recording straight into columns, without intermediate rows or value trees; [`Schemas`] merges
//! the columns of recordings from different JVMs. There is no query engine here, because good ones exist.
//!
//! Reading recordings, parsing arguments, and computing profiles, findings and metrics belong elsewhere. Start with
//! `recording.rs`, then `column.rs`.
//!
//! The garbage collections of a recording, as Arrow batches:
//!
//! ```
//! use jfr_parse::Recording;
//! use jfrkit_profile::ProfileType;
//! use jfrkit_tables::{Selection, Table, events_schema, read_table};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
//! let recording = Recording::open(path)?;
//! let mut selection = Selection::default();
//! selection.types = Some(std::sync::Arc::new(|of| of.name() == "jdk.GarbageCollection"));
//! let (schema, schemas) = events_schema(&recording, "jdk.GarbageCollection", &selection).ok_or("no such event type")?;
//! assert!(schema.column_with_name("longestPause").is_some());
//! let mut rows = 0;
//! let mut each = |batch: arrow_array::RecordBatch| {
//!     rows += batch.num_rows();
//!     Ok(())
//! };
//! read_table(&recording, Table::Events, &schemas, ProfileType::Cpu, &selection, "rec.jfr", &mut each)?;
//! println!("{rows} collections");
//! # assert!(rows > 0);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod column;
mod csv;
mod error;
mod expand;
mod export;
mod facts;
mod flat;
pub mod ids;
mod mask;
mod one;
mod read;
mod recording;
mod samples;
mod schema;
mod stacks;
mod write;

pub use error::{Error, Result};
pub use export::{ExportOptions, Exported, Input, Open, RangeOf, Table, export, folder};
pub use one::{Schema, events_schema, read_table, table_schema};
pub use recording::{Schemas, Selection, Take, WantsType, read_events};
pub use samples::sample_columns;
pub use schema::{Column, Shape};
pub use stacks::StackTables;
pub use write::{Format, Written};
