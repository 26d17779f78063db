//! Recordings with conflicting fields of an event type, exported together.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use jfr_parse::Recording;
use jfr_parse::testing::{ChunkWriter, Class, Field, INT, LONG, Payload, STRING, UNSIGNED};
use jfrkit_tables::{ExportOptions, Exported, Input, Table, export};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

fn recording(fields: &[Field], payload: &Payload) -> Vec<u8> {
    let class = fields.iter().cloned().fold(Class::event(100, "test.Event"), Class::field);
    let mut chunk = ChunkWriter::new();
    chunk.metadata(&[class]);
    chunk.event(100, payload);
    chunk.finish()
}

fn exported(recordings: Vec<Vec<u8>>) -> (Exported, Vec<RecordBatch>) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = ExportOptions::new(folder.path());
    options.tables = vec![Table::Events];
    let input = |(i, bytes): (usize, Vec<u8>)| {
        let bytes: Arc<[u8]> = bytes.into();
        let open = move || Recording::from_bytes(bytes.to_vec(), &Default::default());
        Input { name: format!("{i}.jfr"), open: Box::new(open), again: true }
    };
    let inputs: Vec<Input<'_>> = recordings.into_iter().enumerate().map(input).collect();
    let exported = export(&inputs, &options).unwrap();
    let file = std::fs::File::open(&exported.written[0].path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batches = reader.map(Result::unwrap).collect();
    (exported, batches)
}

/// The values of a column of longs in all batches.
fn longs(batches: &[RecordBatch], name: &str) -> Vec<Option<i64>> {
    let values = batches.iter().map(|batch| batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().clone());
    values.flat_map(|values| values.iter().collect::<Vec<_>>()).collect()
}

#[test]
fn signed_and_unsigned_ints_become_longs() {
    let signed = recording(&[Field::new("n", INT)], &Payload::new().int(-1));
    let unsigned =
        recording(&[Field::new("n", INT).annotated(UNSIGNED, "")], &Payload::new().varint(u64::from(u32::MAX)));
    let expected = [Some(-1), Some(i64::from(u32::MAX))];
    let (done, batches) = exported(vec![signed.clone(), unsigned.clone()]);
    assert_eq!((longs(&batches, "n").as_slice(), done.conflicts.len()), (expected.as_slice(), 0));
    let (done, batches) = exported(vec![unsigned, signed]);
    assert_eq!(longs(&batches, "n"), [expected[1], expected[0]]);
    assert_eq!(done.conflicts.len(), 0);
}

#[test]
fn no_type_holds_signed_and_unsigned_longs() {
    let signed = recording(&[Field::new("n", LONG)], &Payload::new().long(-1));
    let unsigned = recording(&[Field::new("n", LONG).annotated(UNSIGNED, "")], &Payload::new().varint(u64::MAX));
    let (done, batches) = exported(vec![signed.clone(), unsigned.clone()]);
    assert_eq!(longs(&batches, "n"), [Some(-1), None]);
    let line = "test.Event.n: its type differs between recordings; it is null where it differs from the first";
    assert_eq!(done.conflicts, [line]);
    let (done, batches) = exported(vec![unsigned, signed]);
    let column = batches[0].column_by_name("n").unwrap();
    assert_eq!(column.data_type(), &DataType::UInt64);
    assert_eq!(column.as_primitive::<UInt64Type>().iter().collect::<Vec<_>>(), [Some(u64::MAX), None]);
    assert_eq!(done.conflicts, [line]);
}

#[test]
fn a_field_named_recording_gives_way_to_the_id() {
    let fields = [Field::new("recording", LONG), Field::new("recording_", STRING)];
    let bytes = recording(&fields, &Payload::new().long(7).utf8("text"));
    let id = jfrkit_tables::ids::RecordingHash::of(&bytes).id();
    let (_, batches) = exported(vec![bytes]);
    let schema = batches[0].schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["recording", "recording__", "recording_"]);
    assert_eq!(longs(&batches, "recording"), [Some(id)]);
    assert_eq!(longs(&batches, "recording__"), [Some(7)]);
}
