//! Tables without dictionaries. Arrow's file format allows one dictionary per column and file, which we would have to know
//! before the first row.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StringArray, StructArray};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema};

/// Rows to expand at a time.
const ROWS: usize = 1 << 14;
/// Bytes of strings to expand at a time.
const BYTES: usize = 64 << 20;

/// The schema with plain strings.
pub(crate) fn schema(of: &Schema) -> Schema {
    Schema::new_with_metadata(fields(of.fields()), of.metadata().clone())
}

fn fields(of: &Fields) -> Fields {
    of.iter().map(|field| Arc::new(plain_field(field))).collect()
}

fn plain_field(field: &Field) -> Field {
    let plain = match field.data_type() {
        DataType::Dictionary(_, values) => (**values).clone(),
        DataType::Struct(inner) => DataType::Struct(fields(inner)),
        DataType::List(item) => DataType::List(Arc::new(plain_field(item))),
        other => other.clone(),
    };
    field.clone().with_data_type(plain)
}

/// Calls `with` for groups of rows with their strings expanded.
pub(crate) fn each(
    batch: &RecordBatch,
    mut with: impl FnMut(&RecordBatch) -> Result<(), ArrowError>,
) -> Result<(), ArrowError> {
    let (mut at, mut step) = (0, ROWS);
    while at < batch.num_rows() {
        let slice = batch.slice(at, step.min(batch.num_rows() - at));
        if step > 1 && slice.columns().iter().map(bytes).fold(0, usize::saturating_add) > BYTES {
            step /= 2;
            continue;
        }
        let columns = slice.columns().iter().map(plain).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(slice.num_rows()));
        with(&RecordBatch::try_new_with_options(Arc::new(schema(&slice.schema())), columns, &options)?)?;
        at += slice.num_rows();
    }
    Ok(())
}

/// Estimates the bytes that the strings will take.
fn bytes(array: &ArrayRef) -> usize {
    if let Some(texts) = array.as_dictionary_opt::<Int32Type>() {
        let Some(values) = texts.values().as_string_opt::<i32>() else { return 0 };
        let length = |key: i32| usize::try_from(key).ok().filter(|k| *k < values.len()).map(|k| values.value_length(k));
        let lengths = texts.keys().iter().flatten().filter_map(length);
        return lengths.map(|n| usize::try_from(n).unwrap_or(0)).fold(0, usize::saturating_add);
    }
    if let Some(of) = array.as_struct_opt() {
        return of.columns().iter().map(bytes).fold(0, usize::saturating_add);
    }
    array.as_list_opt::<i32>().map_or(0, |list| bytes(list.values()))
}

fn plain(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if let Some(texts) = array.as_dictionary_opt::<Int32Type>() {
        return arrow_select::take::take(texts.values(), texts.keys(), None);
    }
    if let Some(of) = array.as_struct_opt() {
        let columns = of.columns().iter().map(plain).collect::<Result<_, _>>()?;
        let fields = fields(of.fields());
        return Ok(Arc::new(StructArray::try_new_with_length(fields, columns, of.nulls().cloned(), of.len())?));
    }
    if let (Some(list), DataType::List(item)) = (array.as_list_opt::<i32>(), array.data_type()) {
        let values = plain(list.values())?;
        let item = Arc::new(plain_field(item));
        return Ok(Arc::new(ListArray::try_new(item, list.offsets().clone(), values, list.nulls().cloned())?));
    }
    Ok(array.clone())
}

/// The string in a row, whether or not the column is a dictionary.
pub(crate) fn text(array: &dyn Array, row: usize) -> Option<&str> {
    if let Some(texts) = array.as_any().downcast_ref::<StringArray>() {
        return texts.is_valid(row).then(|| texts.value(row));
    }
    let texts = array.as_dictionary_opt::<Int32Type>()?;
    let key = texts.keys().is_valid(row).then(|| texts.keys().value(row))?;
    let values = texts.values().as_string_opt::<i32>()?;
    let key = usize::try_from(key).ok().filter(|key| *key < values.len() && values.is_valid(*key))?;
    Some(values.value(key))
}
