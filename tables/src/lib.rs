//! Recordings as tables: events, samples, stacks, findings and metrics as Arrow columns, in memory or in files.
//!
//! [`read_events`] decodes a recording straight into columns, without intermediate rows or value trees; [`Schemas`] merges
//! the columns of recordings from different JVMs. There is no query engine here, because good ones exist.
//!
//! Reading recordings, parsing arguments, and computing profiles, findings and metrics belong elsewhere. Start with
//! `recording.rs`, then `column.rs`.

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
