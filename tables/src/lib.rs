//! Recordings as tables: events, samples, stacks, findings and metrics as Arrow's columns, in memory or in files.
//!
//! [`read_events`] fills columns from the bytes of a recording, without a value tree or a row between; [`Schemas`] joins the
//! columns of recordings of different JVMs. There is no query engine here: others have good ones.
//!
//! Reading recordings and making profiles, findings and metrics does not belong here, nor does anything about arguments. Start
//! with `recording.rs`, then `column.rs`.

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
