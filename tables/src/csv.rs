//! Comma-separated values: nested columns are flattened with dotted names, lists are written in brackets.

use std::fmt::Write as _;
use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    DurationNanosecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use jfr_parse::{EpochNanos, Iso};

use crate::error::Result;
use crate::expand::text;

pub(crate) struct Writer<W> {
    out: W,
    line: String,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(out: W, schema: &Schema) -> Result<Self> {
        let mut names = Vec::new();
        for field in schema.fields() {
            header("", field, &mut names);
        }
        let mut writer = Self { out, line: String::new() };
        for (i, name) in names.iter().enumerate() {
            if i > 0 {
                writer.line.push(',');
            }
            quoted(&mut writer.line, name);
        }
        writer.end()?;
        Ok(writer)
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            for (i, column) in batch.columns().iter().enumerate() {
                if i > 0 {
                    self.line.push(',');
                }
                cell(&mut self.line, &**column, Some(row));
            }
            self.end()?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.line.push('\n');
        self.out.write_all(self.line.as_bytes()).map_err(ArrowError::from)?;
        self.line.clear();
        Ok(())
    }

    pub(crate) fn into_inner(self) -> W {
        self.out
    }
}

fn header(prefix: &str, field: &Field, names: &mut Vec<String>) {
    let name = format!("{prefix}{}", field.name());
    match field.data_type() {
        DataType::Struct(fields) => fields.iter().for_each(|field| header(&format!("{name}."), field, names)),
        _ => names.push(name),
    }
}

/// A string, quoted if necessary. The empty string is always quoted to distinguish it from null.
fn quoted(line: &mut String, text: &str) {
    if !text.is_empty() && !text.contains(['"', ',', '\n', '\r']) {
        return line.push_str(text);
    }
    line.push('"');
    line.push_str(&text.replace('"', "\"\""));
    line.push('"');
}

/// A cell; `row` is `None` if the enclosing value is null.
fn cell(line: &mut String, array: &dyn Array, row: Option<usize>) {
    let row = row.filter(|row| array.is_valid(*row));
    if let Some(of) = array.as_struct_opt() {
        for (i, column) in of.columns().iter().enumerate() {
            if i > 0 {
                line.push(',');
            }
            cell(line, &**column, row);
        }
        return;
    }
    let Some(row) = row else { return };
    if let Some(list) = array.as_list_opt::<i32>() {
        let values = list.value(row);
        let mut inner = String::from("[");
        for i in 0..values.len() {
            if i > 0 {
                inner.push(',');
            }
            cell(&mut inner, &*values, Some(i));
        }
        inner.push(']');
        return quoted(line, &inner);
    }
    if let Some(text) = text(array, row) {
        return quoted(line, text);
    }
    macro_rules! number {
        ($($of:ty),*) => {$(
            if let Some(values) = array.as_primitive_opt::<$of>() {
                let _ = write!(line, "{}", values.value(row));
                return;
            }
        )*};
    }
    if let Some(values) = array.as_primitive_opt::<TimestampNanosecondType>() {
        let _ = write!(line, "{}", Iso(EpochNanos(values.value(row))));
        return;
    }
    if let Some(values) = array.as_boolean_opt() {
        let _ = write!(line, "{}", values.value(row));
        return;
    }
    number!(
        Int64Type,
        Int32Type,
        UInt64Type,
        UInt32Type,
        Float64Type,
        Float32Type,
        DurationNanosecondType,
        Int16Type,
        UInt16Type,
        Int8Type,
        UInt8Type
    );
}
