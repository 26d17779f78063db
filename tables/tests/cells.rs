//! Compares tables with other ways of reading the same recordings: row counts with the summary, cells with the value trees of
//! `jfrkit print --format json`, sums of samples with profiles.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    DurationNanosecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch, StringArray};
use jfr_analyzers::names::java_name;
use jfr_analyzers::{LabelKey, Options, Summary, collect};
use jfr_parse::{EpochNanos, Iso, Recording, ValueReader};
use jfrkit_profile::{LabelValue, ProfileType};
use jfrkit_tables::{ExportOptions, Input, Schemas, Selection, Table, export, read_table};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

/// Recordings in this repository, and those next to it if available.
fn recordings() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![jfr_parse::testing::fixture("")];
    folders.extend(jfr_parse::testing::corpus(""));
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() && !name.contains("scenarios") && !name.ends_with("expected") {
                folders.push(path);
            } else if name.ends_with(".jfr") || name.ends_with(".jfr.gz") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// In recordings up to this size every event is compared, in larger ones every 31st.
const WHOLE: usize = 1 << 20;

fn write(path: &Path, tables: &[Table], raw: bool) -> (tempfile::TempDir, jfrkit_tables::Exported) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = ExportOptions::new(folder.path());
    options.tables = tables.to_vec();
    options.raw_names = raw;
    options.show_secrets = true;
    let input = Input { name: "it".to_owned(), open: Box::new(move || Recording::open(path)), again: true };
    let exported = export(&[input], &options).unwrap();
    (folder, exported)
}

/// The rows of a file, read with the official Parquet reader.
fn batches(path: &Path) -> Vec<RecordBatch> {
    let file = std::fs::File::open(path).unwrap();
    ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap).collect()
}

/// A cell as JSON.
fn cell(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    macro_rules! number {
        ($($of:ty),*) => {$(
            if let Some(values) = array.as_primitive_opt::<$of>() {
                return json!(values.value(row));
            }
        )*};
    }
    if let Some(of) = array.as_struct_opt() {
        let fields = of.column_names().into_iter().zip(of.columns());
        return Value::Object(fields.map(|(name, column)| (name.to_owned(), cell(&**column, row))).collect());
    }
    if let Some(list) = array.as_list_opt::<i32>() {
        let values = list.value(row);
        return (0..values.len()).map(|i| cell(&*values, i)).collect();
    }
    if let Some(texts) = array.as_dictionary_opt::<Int32Type>() {
        let values = texts.values().as_any().downcast_ref::<StringArray>().unwrap();
        return json!(values.value(usize::try_from(texts.keys().value(row)).unwrap()));
    }
    if let Some(times) = array.as_primitive_opt::<TimestampNanosecondType>() {
        return json!(Iso(EpochNanos(times.value(row))).to_string());
    }
    if let Some(lengths) = array.as_primitive_opt::<DurationNanosecondType>() {
        // "Forever" is null in `print`, and the largest number here.
        return if lengths.value(row) == i64::MAX { Value::Null } else { json!(lengths.value(row)) };
    }
    if let Some(truth) = array.as_boolean_opt() {
        return json!(truth.value(row));
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        return json!(texts.value(row));
    }
    number!(
        Int64Type,
        Int32Type,
        UInt64Type,
        UInt32Type,
        Float64Type,
        Float32Type,
        Int16Type,
        UInt16Type,
        Int8Type,
        UInt8Type
    );
    panic!("{:?}", array.data_type());
}

/// Whether a cell matches the output of `print`. A value nested in its own type has only its plain fields.
fn same(cell: &Value, printed: &Value, stacks: &HashMap<i64, Value>, path: &str) -> Result<(), String> {
    match (cell, printed) {
        (Value::Object(cell), Value::Object(printed)) => {
            for (name, value) in cell {
                match printed.get(name) {
                    Some(other) => same(value, other, stacks, &format!("{path}.{name}"))?,
                    // Only chunks with other metadata have this field.
                    None if value.is_null() => {}
                    None => return Err(format!("{path}.{name} is not printed")),
                }
            }
            for (name, value) in printed.iter().filter(|(name, _)| !cell.contains_key(*name)) {
                let nested = value.is_null() || value.is_object() || value.is_array();
                if !nested || !path.contains('.') {
                    return Err(format!("{path}.{name} is missing: {value}"));
                }
            }
            Ok(())
        }
        (Value::Number(id), Value::Object(trace)) if trace.contains_key("frames") => {
            let stack = stacks.get(&id.as_i64().unwrap()).ok_or_else(|| format!("{path}: no stack {id}"))?;
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let frames: Vec<Value> = trace["frames"]
                .as_array()
                .unwrap()
                .iter()
                .map(|frame| {
                    let method = &frame["method"];
                    let class = text(&method["type"]["name"]);
                    let line = frame["lineNumber"].as_i64().unwrap_or(0);
                    json!([
                        java_name(&class),
                        text(&method["name"]),
                        text(&method["descriptor"]),
                        line,
                        text(&frame["type"])
                    ])
                })
                .collect();
            let printed = json!([trace["truncated"], frames]);
            if *stack == printed { Ok(()) } else { Err(format!("{path}: {stack} != {printed}")) }
        }
        (Value::Array(cell), Value::Array(printed)) if cell.len() == printed.len() => {
            cell.iter().zip(printed).try_for_each(|(a, b)| same(a, b, stacks, path))
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => Ok(()),
        (a, b) if a == b => Ok(()),
        // What JSON expresses as a word is null in a table.
        (Value::Null, Value::String(word))
            if ["forever", "unknown", "NaN", "Infinity", "-Infinity"].contains(&word.as_str()) =>
        {
            Ok(())
        }
        (a, b) => Err(format!("{path}: {a} != {b}")),
    }
}

/// The stacks of an export as JSON, with `truncated` and `frames`.
fn stacks(exported: &jfrkit_tables::Exported) -> HashMap<i64, Value> {
    let of = |table: &str| {
        let file = exported.written.iter().find(|file| file.table == table);
        file.map(|file| batches(&file.path)).unwrap_or_default()
    };
    let mut frames = HashMap::new();
    for batch in of("frames") {
        for row in 0..batch.num_rows() {
            let cells: Vec<Value> = batch.columns().iter().map(|column| cell(&**column, row)).collect();
            let line = cells[4].clone();
            let frame = json!([cells[1], cells[2], cells[3], line, cells[5]]);
            assert!(frames.insert(cells[0].as_i64().unwrap(), frame).is_none(), "a frame twice");
        }
    }
    let mut stacks = HashMap::new();
    for batch in of("stacks") {
        for row in 0..batch.num_rows() {
            let cells: Vec<Value> = batch.columns().iter().map(|column| cell(&**column, row)).collect();
            let of: Vec<&Value> =
                cells[1].as_array().unwrap().iter().map(|id| &frames[&id.as_i64().unwrap()]).collect();
            assert!(stacks.insert(cells[0].as_i64().unwrap(), json!([cells[2], of])).is_none(), "a stack twice");
        }
    }
    stacks
}

#[test]
fn rows_and_cells_match_summary_and_print() {
    let mut compared = 0u64;
    let recordings = recordings();
    assert!(recordings.len() >= 6, "{recordings:?}");
    for path in recordings {
        let Ok(recording) = Recording::open(&path) else { continue };
        let Ok(summary) = Summary::of(&recording) else { continue };
        let (_folder, exported) = write(&path, &[Table::Events, Table::Stacks, Table::Frames], true);
        let mut expected: BTreeMap<String, u64> = BTreeMap::new();
        for event in summary.events.iter().filter(|event| event.count > 0) {
            *expected.entry(jfr_parse::metadata::canonical_name(&event.name).into_owned()).or_default() += event.count;
        }
        let name = |table: &str| table.strip_prefix("events/type=").map(str::to_owned);
        let rows: BTreeMap<String, u64> =
            exported.written.iter().filter_map(|file| Some((name(&file.table)?, file.rows))).collect();
        let unread: u64 = expected.values().sum::<u64>().saturating_sub(rows.values().sum());
        // The summary of a damaged recording also counts events that cannot be read completely.
        assert!(unread <= exported.warnings.len() as u64, "{}: {unread} {:?}", path.display(), exported.warnings);
        if exported.warnings.is_empty() {
            let expected: BTreeMap<String, u64> =
                expected.into_iter().map(|(name, n)| (jfrkit_tables::folder(&name), n)).collect();
            assert_eq!(rows, expected, "{}", path.display());
        }
        let step = if recording.bytes().len() > WHOLE { 31u64 } else { 1 };
        let stacks = stacks(&exported);
        let mut tables: HashMap<String, Box<dyn Iterator<Item = (RecordBatch, usize)>>> = HashMap::new();
        for file in exported.written.iter().filter(|file| file.table.starts_with("events/")) {
            let rows = batches(&file.path).into_iter();
            let rows = rows.flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch.clone(), row)));
            tables.insert(name(&file.table).unwrap(), Box::new(rows));
        }
        let mut seen = 0u64;
        for chunk in recording.chunks().flatten() {
            let reader = ValueReader::new(&chunk);
            for event in chunk.events() {
                let Some(of) = chunk.metadata().by_id(event.type_id) else { continue };
                // Damaged events have no rows, so read all events of damaged recordings.
                let wanted = seen.is_multiple_of(step);
                seen += 1;
                if !wanted && exported.warnings.is_empty() {
                    let type_name = jfrkit_tables::folder(&of.canonical_name());
                    assert!(tables.get_mut(&type_name).and_then(Iterator::next).is_some(), "{}", path.display());
                    continue;
                }
                let Ok(value) = reader.event(&event) else { continue };
                let printed = serde_json::to_value(value.as_struct().unwrap().timed(chunk.clock())).unwrap();
                let type_name = jfrkit_tables::folder(&of.canonical_name());
                let place = tables.get_mut(&type_name).and_then(Iterator::next);
                let (batch, row) = place.unwrap_or_else(|| panic!("{}: {type_name} ends early", path.display()));
                let schema = batch.schema();
                let named = schema.fields().iter().zip(batch.columns()).skip(1);
                let cells = named.map(|(field, column)| (field.name().clone(), cell(&**column, row)));
                let cells = Value::Object(cells.collect());
                let cells = with_all(cells, &printed, of.name(), &exported.conflicts);
                if let Err(why) = same(&cells, &printed, &stacks, of.name()) {
                    panic!("{}: {why}\n{cells}\n{printed}", path.display());
                }
                compared += 1;
            }
        }
        for (name, mut rest) in tables {
            assert!(rest.next().is_none(), "{}: {name} goes on", path.display());
        }
    }
    assert!(compared > 20_000, "{compared}");
}

/// Removes null columns that `print` does not have, because only chunks with other metadata declare them. Where recordings
/// have a reported conflict, null matches any printed value.
fn with_all(cells: Value, printed: &Value, of: &str, conflicts: &[String]) -> Value {
    let Value::Object(mut cells) = cells else { return cells };
    cells.retain(|name, value| printed.get(name).is_some() || !value.is_null());
    for (name, value) in cells.iter_mut().filter(|(_, value)| value.is_null()) {
        if conflicts.iter().any(|line| line.starts_with(&format!("{of}.{name}:"))) {
            value.clone_from(&printed[name]);
        }
    }
    Value::Object(cells)
}

#[test]
fn sums_of_samples_match_profiles() {
    let mut compared = 0;
    for path in recordings() {
        let Ok(recording) = Recording::open(&path) else { continue };
        let Ok(set) = collect(&recording, &Options::default()) else { continue };
        let (_folder, exported) = write(&path, &[Table::Samples], false);
        for kind in ProfileType::ALL {
            let expected = set.profiles.iter().find(|profile| profile.kind == *kind);
            let expected: Vec<i64> = match expected {
                Some(profile) => {
                    let mut sums = vec![0i64; kind.values().len()];
                    for sample in profile.samples.iter() {
                        sums.iter_mut().zip(sample.values).for_each(|(sum, value)| *sum += value);
                    }
                    sums
                }
                None => Vec::new(),
            };
            let table = format!("samples/type={}", kind.name());
            let file = exported.written.iter().find(|file| file.table == table);
            let mut sums = vec![0i64; if file.is_some() { kind.values().len() } else { 0 }];
            for batch in file.map(|file| batches(&file.path)).unwrap_or_default() {
                for (sum, value) in sums.iter_mut().zip(kind.values()) {
                    let column = batch.column_by_name(&value.name.replace('-', "_")).unwrap();
                    *sum += column.as_primitive::<Int64Type>().iter().flatten().sum::<i64>();
                }
            }
            assert_eq!(sums, expected, "{} {kind}", path.display());
            compared += usize::from(file.is_some());
        }
    }
    assert!(compared > 20, "{compared}");
}

/// The label columns of samples.
const LABELS: [(LabelKey, &str); 10] = [
    (LabelKey::Thread, "thread"),
    (LabelKey::ThreadId, "threadId"),
    (LabelKey::State, "state"),
    (LabelKey::Class, "class"),
    (LabelKey::Path, "path"),
    (LabelKey::Host, "host"),
    (LabelKey::Port, "port"),
    (LabelKey::SpanId, "spanId"),
    (LabelKey::LocalRootSpanId, "localRootSpanId"),
    (LabelKey::TraceEndpoint, "traceEndpoint"),
];

/// The weight of the samples of each type and value of a label.
type ByLabel = BTreeMap<(String, String, String), i64>;

fn labels_of_profiles(recording: &Recording<'_>) -> Option<ByLabel> {
    let mut options = Options::default();
    options.labels = LabelKey::ALL.to_vec();
    let set = collect(recording, &options).ok()?;
    let mut sums = ByLabel::new();
    for profile in &set.profiles {
        for sample in profile.samples.iter() {
            for label in set.tables.labels(sample.labels) {
                let (_, column) = LABELS.iter().find(|(key, _)| key.name() == label.key).unwrap();
                let value = match label.value {
                    LabelValue::Text(text) => set.tables.str(text).to_owned(),
                    LabelValue::Number(number) => number.to_string(),
                };
                let key = (profile.kind.name().to_owned(), (*column).to_owned(), value);
                *sums.entry(key).or_default() += sample.values.last().unwrap();
            }
        }
    }
    Some(sums)
}

#[test]
fn labels_of_samples_match_profiles() {
    let mut compared = std::collections::BTreeSet::new();
    for path in recordings().into_iter().filter(|path| path.metadata().unwrap().len() < WHOLE as u64) {
        let Ok(recording) = Recording::open(&path) else { continue };
        let Some(expected) = labels_of_profiles(&recording) else { continue };
        let (_folder, exported) = write(&path, &[Table::Samples], false);
        let mut sums = ByLabel::new();
        for file in &exported.written {
            let kind = file.table.strip_prefix("samples/type=").unwrap();
            for batch in batches(&file.path) {
                let weights = batch.column_by_name("weight").unwrap().as_primitive::<Int64Type>();
                for (_, column) in LABELS {
                    let cells = batch.column_by_name(column).unwrap();
                    for row in 0..batch.num_rows() {
                        let value = match cell(cells, row) {
                            Value::Null => continue,
                            Value::String(text) => text,
                            other => other.to_string(),
                        };
                        // A live object without a size weighs nothing.
                        let weight = if weights.is_valid(row) { weights.value(row) } else { 0 };
                        *sums.entry((kind.to_owned(), column.to_owned(), value)).or_default() += weight;
                        compared.insert(column);
                    }
                }
            }
        }
        for (key, expected) in &expected {
            // Without sizes, the weight of live objects is their number in a profile.
            if key.0 != "live" || sums.get(key) != Some(&0) {
                assert_eq!(sums.get(key), Some(expected), "{} {key:?}", path.display());
            }
        }
        assert_eq!(sums.len(), expected.len(), "{}", path.display());
    }
    assert!(compared.len() >= 6, "{compared:?}");
}

#[test]
fn a_receiver_that_fails_ends_one_call() {
    let recording = Recording::open(jfr_parse::testing::fixture("jdk17-full.jfr")).unwrap();
    let read = |each: &mut (dyn FnMut(RecordBatch) -> jfrkit_tables::Result<()> + Send)| {
        let (schemas, selection) = (Schemas::default(), Selection::default());
        read_table(&recording, Table::Samples, &schemas, ProfileType::Alloc, &selection, "it", each)
    };
    let mut calls = 0;
    let failed = read(&mut |_| {
        calls += 1;
        Err(jfrkit_tables::Error::Internal("the receiver is full"))
    });
    assert!(failed.unwrap_err().to_string().contains("the receiver is full"));
    assert_eq!(calls, 1);
    let mut rows = 0;
    read(&mut |batch| {
        rows += batch.num_rows();
        Ok(())
    })
    .unwrap();
    assert!(rows > 0);
}

#[test]
fn annotations_are_in_the_schema_of_the_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/jdk17-full.jfr");
    let (_folder, exported) = write(&path, &[Table::Events], false);
    let file = exported.written.iter().find(|file| file.table.ends_with("=jdk.FileRead")).unwrap();
    let batch = &batches(&file.path)[0];
    let schema = batch.schema();
    let about = |name: &str| schema.field_with_name(name).unwrap().clone();
    assert_eq!(about("startTime").data_type().to_string(), "Timestamp(ns, \"UTC\")");
    assert_eq!(about("duration").data_type().to_string(), "Duration(ns)");
    let bytes = about("bytesRead");
    assert_eq!(bytes.metadata().get("unit").map(String::as_str), Some("bytes"));
    assert_eq!(bytes.metadata().get("content").map(String::as_str), Some("data-amount"));
    assert_eq!(about("path").data_type().to_string(), "Dictionary(Int32, Utf8)");
}

#[test]
fn ids_of_stacks_join_across_recordings() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let ids = |name: &str| {
        let (_folder, exported) = write(&here.join(name), &[Table::Events, Table::Frames], false);
        let file = exported.written.iter().find(|file| file.table == "frames").unwrap();
        let all = batches(&file.path);
        all.iter().flat_map(|b| b.column(0).as_primitive::<Int64Type>().values().to_vec()).collect::<Vec<i64>>()
    };
    let (one, other) = (ids("jdk17-full.jfr"), ids("jdk17-multichunk.jfr"));
    let shared = one.iter().filter(|id| other.contains(id)).count();
    assert!(shared > 10, "{shared} of {} and {}", one.len(), other.len());
}
