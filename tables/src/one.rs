//! One table of one recording, in memory or in batches.

use arrow_array::RecordBatch;
pub use arrow_schema::Schema;
use jfr_parse::Recording;
use jfrkit_profile::ProfileType;

use crate::error::Result;
use crate::export::Table;
use crate::facts;
use crate::flat::Rows;
use crate::recording::{Schemas, Selection, Take, read_events};
use crate::samples::{read_samples, sample_columns};
use crate::schema::{Column, arrow_fields};
use crate::stacks::{StackTables, frame_columns, stack_columns};

/// Receives batches.
type Each<'e> = dyn FnMut(RecordBatch) -> Result<()> + Send + 'e;

/// The table schema of an event type, and the columns of all types; `None` if the recording does not have the type.
#[must_use]
pub fn events_schema(recording: &Recording<'_>, name: &str, selection: &Selection) -> Option<(Schema, Schemas)> {
    let mut schemas = Schemas::default();
    schemas.add(recording, selection);
    Some((schemas.arrow(name, selection.recording.is_some())?, schemas))
}

/// The schema of a table that is not of events; `kind` is the profile type of samples.
#[must_use]
pub fn table_schema(table: Table, kind: ProfileType) -> Schema {
    Schema::new(arrow_fields(&columns(table, kind), true))
}

fn columns(table: Table, kind: ProfileType) -> Vec<Column> {
    match table {
        Table::Events => Vec::new(),
        Table::Samples => sample_columns(kind),
        Table::Stacks => stack_columns(),
        Table::Frames => frame_columns(),
        Table::Threads => facts::thread_columns(),
        Table::Settings => facts::setting_columns(),
        Table::Metrics => facts::metric_columns(),
        Table::Findings => facts::finding_columns(),
        Table::Recordings => facts::recording_columns(),
    }
}

struct Only<'s, 'e> {
    each: &'s mut Each<'e>,
    table: Table,
}

impl Take for Only<'_, '_> {
    fn events(&mut self, _: &str, batch: RecordBatch) -> Result<()> {
        if self.table == Table::Events { (self.each)(batch) } else { Ok(()) }
    }

    fn stacks(&mut self, stacks: &mut StackTables) -> Result<()> {
        give(stacks, self.table, 1 << 14, self.each)
    }
}

fn give(stacks: &mut StackTables, table: Table, least: usize, each: &mut Each<'_>) -> Result<()> {
    for (of, rows) in [(Table::Stacks, &mut stacks.stacks), (Table::Frames, &mut stacks.frames)] {
        if rows.len() >= least {
            let batch = rows.take()?;
            if of == table {
                each(batch)?;
            }
        }
    }
    Ok(())
}

/// Passes on the rows of a table in batches. For events, stacks and frames, `schemas` comes from [`events_schema`]; `file` is
/// the name in the `recordings` table. Returns what was lost, one line each.
///
/// # Errors
/// Fails if the recording cannot be read, or with the error of `each`.
pub fn read_table(
    recording: &Recording<'_>,
    table: Table,
    schemas: &Schemas,
    kind: ProfileType,
    selection: &Selection,
    file: &str,
    each: &mut Each<'_>,
) -> Result<Vec<String>> {
    let id = selection.recording.unwrap_or(0);
    let mut stacks = StackTables::new(matches!(table, Table::Stacks | Table::Frames));
    let mut rows = match table {
        Table::Events | Table::Stacks | Table::Frames => {
            let losses = read_events(recording, schemas, selection, &mut stacks, &mut Only { each, table })?;
            give(&mut stacks, table, 1, each)?;
            return Ok(losses);
        }
        Table::Samples => {
            let mut take = |_: ProfileType, batch: RecordBatch| each(batch);
            return read_samples(recording, &[kind], selection, &mut stacks, &mut take);
        }
        Table::Threads => facts::threads(recording, id)?,
        Table::Settings => facts::settings(recording, id, selection)?,
        Table::Metrics => facts::metrics(recording, id)?,
        Table::Findings => facts::findings(recording, id, &jfrkit_rules::analysis(), selection)?,
        Table::Recordings => {
            let mut rows = Rows::new(facts::recording_columns());
            let hash = crate::ids::RecordingHash::of(recording.bytes());
            facts::recording(&mut rows, recording, hash, file, &[])?;
            rows
        }
    };
    if rows.len() > 0 {
        each(rows.take()?)?;
    }
    Ok(Vec::new())
}
