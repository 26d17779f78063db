//! Files of tables: Parquet, Arrow, CSV. They are started with the first rows, and appear once all are complete.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use pprof_emit::{Files, Unfinished};

use crate::csv;
use crate::error::{Error, Result};
use crate::expand;
use crate::schema;

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// Parquet, compressed with zstd.
    #[default]
    Parquet,
    /// Arrow's file format (Feather), compressed with zstd.
    Arrow,
    /// Comma-separated values with a header; nested columns have dotted names.
    Csv,
}

impl Format {
    /// The file extension.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Csv => "csv",
        }
    }
}

/// Maximum rows of a row group.
const GROUP_ROWS: usize = 1 << 20;
/// Maximum bytes of incomplete row groups in all files; beyond it, the largest group is completed early.
const OPEN_BYTES: usize = 48 << 20;
/// Maximum rows of a page. What a compressor needs grows with the size of a page, and every column has one.
const PAGE_ROWS: usize = 4 << 10;
/// If more bytes of rows than this are waiting in all tables together, the largest tables with [enough rows](Open::is_worth_writing)
/// are written until half of it is left.
const PENDING_BYTES: usize = 8 << 20;
/// If more bytes of rows than this are waiting in all tables together, tables with fewer rows are written too.
const MAX_PENDING_BYTES: usize = 64 << 20;
/// What each column of an open Parquet file needs for its compressor, dictionary and current page. Most tables have fewer bytes
/// of rows than that, so they get no open file before the end.
const COLUMN_BYTES: usize = 400 << 10;
/// Minimum bytes of rows to add to an open file at a time.
const LEAST_BYTES: usize = 64 << 10;
/// Rows to combine before writing.
const TOGETHER: usize = 1 << 14;
/// Files up to this size stay in memory, to limit the number of open files.
const SPILL: usize = 256 << 10;

/// A file in memory until it grows too large.
struct Spill {
    files: Files,
    path: PathBuf,
    memory: Vec<u8>,
    file: Option<Unfinished>,
}

impl Spill {
    fn file(&mut self) -> io::Result<&mut Unfinished> {
        if self.file.is_none() {
            if let Some(folder) = self.path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let file = self.files.begin(&self.path).map_err(|failed| failed.source)?;
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| io::Error::other("no file"))
    }

    fn spill(&mut self) -> io::Result<()> {
        let memory = std::mem::take(&mut self.memory);
        self.file()?.file().write_all(&memory)
    }
}

impl Write for Spill {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.memory.extend_from_slice(bytes);
        if self.memory.len() >= SPILL {
            self.spill()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Writer {
    Parquet(Box<ArrowWriter<Spill>>),
    Arrow(Box<FileWriter<Spill>>),
    Csv(csv::Writer<Spill>),
}

impl Writer {
    fn new(format: Format, schema: &Arc<Schema>, out: Spill) -> Result<Self> {
        Ok(match format {
            Format::Parquet => {
                Self::Parquet(Box::new(ArrowWriter::try_new(out, schema.clone(), Some(properties(schema)?))?))
            }
            Format::Arrow => {
                let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD))?;
                let plain = expand::schema(schema);
                Self::Arrow(Box::new(FileWriter::try_new_with_options(out, &plain, options)?))
            }
            Format::Csv => Self::Csv(csv::Writer::new(out, schema)?),
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::Parquet(writer) => writer.write(batch)?,
            Self::Arrow(writer) => expand::each(batch, |plain| writer.write(plain))?,
            Self::Csv(writer) => writer.write(batch)?,
        }
        Ok(())
    }

    fn open_bytes(&self) -> usize {
        if let Self::Parquet(writer) = self { writer.in_progress_size() } else { 0 }
    }

    fn finish(self) -> Result<Spill> {
        Ok(match self {
            Self::Parquet(writer) => writer.into_inner()?,
            Self::Arrow(mut writer) => {
                writer.finish()?;
                writer.into_inner()?
            }
            Self::Csv(writer) => writer.into_inner(),
        })
    }
}

/// Whether a column is written as the differences of its values: numbers that are small or close together. That takes less
/// time than a dictionary, and hardly more space.
fn is_packed(field: &Field) -> bool {
    let of = field.data_type();
    let is_number = of.is_integer() || matches!(of, DataType::Timestamp(..) | DataType::Duration(_));
    is_number && !schema::is_arbitrary(field)
}

fn properties(schema: &Schema) -> Result<WriterProperties> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(concat!("jfrkit ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new("jfrkit".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]));
    for field in schema.fields() {
        if is_packed(field) {
            let path = ColumnPath::from(field.name().as_str());
            builder = builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    Ok(builder.build())
}

/// The files of a call.
pub(crate) struct Tables {
    files: Files,
    format: Format,
    folder: PathBuf,
    part: String,
    /// Open tables by path below the folder.
    open: BTreeMap<String, Open>,
    /// Bytes of rows not written yet.
    pending: usize,
}

#[derive(Default)]
struct Open {
    writer: Option<Writer>,
    rows: u64,
    pending: Vec<RecordBatch>,
    bytes: usize,
}

impl Open {
    fn open_bytes(&self) -> usize {
        self.writer.as_ref().map_or(0, Writer::open_bytes)
    }

    /// Whether the waiting rows take more memory than they do in a file under construction.
    fn is_worth_writing(&self) -> bool {
        let columns = self.pending.first().map_or(0, |batch| leaves(batch.schema_ref().fields()));
        let least = if self.writer.is_some() { LEAST_BYTES } else { columns.saturating_mul(COLUMN_BYTES) };
        columns > 0 && self.bytes >= least
    }

    /// Writes the waiting rows in large batches.
    fn write(&mut self, format: Format, out: impl FnOnce() -> Spill) -> Result<()> {
        self.bytes = 0;
        let pending = std::mem::take(&mut self.pending);
        let Some(first) = pending.first() else { return Ok(()) };
        let schema = first.schema();
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(Writer::new(format, &schema, out())?),
        };
        let mut rest = pending.as_slice();
        while !rest.is_empty() {
            let mut rows = 0usize;
            let fits = |batch: &&RecordBatch| {
                rows = rows.saturating_add(batch.num_rows());
                rows <= TOGETHER
            };
            let n = rest.iter().take_while(fits).count().max(1);
            let (some, others) = rest.split_at(n);
            rest = others;
            match some {
                [one] => writer.write(one)?,
                some => writer.write(&arrow_select::concat::concat_batches(&schema, some)?)?,
            }
        }
        Ok(())
    }
}

/// The number of columns in a file, where each field of a struct has its own.
fn leaves(fields: &Fields) -> usize {
    let of = |field: &Arc<Field>| match field.data_type() {
        DataType::Struct(inner) => leaves(inner),
        DataType::List(item) => leaves(&Fields::from(vec![item.clone()])),
        _ => 1,
    };
    fields.iter().map(of).fold(0, usize::saturating_add)
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The table's folder, relative to the root: `events/type=jdk.FileRead`.
    pub table: String,
    /// The path.
    pub path: PathBuf,
    /// Its number of rows.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Tables {
    pub(crate) fn new(files: &Files, format: Format, folder: &Path, part: &str) -> Self {
        Self {
            files: files.clone(),
            format,
            folder: folder.to_owned(),
            part: part.to_owned(),
            open: BTreeMap::new(),
            pending: 0,
        }
    }

    fn path(&self, table: &str) -> PathBuf {
        self.folder.join(table).join(format!("part-{}.{}", self.part, self.format.ending()))
    }

    fn spill(&self, table: &str) -> Spill {
        Spill { files: self.files.clone(), path: self.path(table), memory: Vec::new(), file: None }
    }

    /// Adds rows to a table.
    pub(crate) fn write(&mut self, table: &str, batch: RecordBatch) -> Result<()> {
        if !self.open.contains_key(table) {
            self.open.insert(table.to_owned(), Open::default());
        }
        let Some(open) = self.open.get_mut(table) else { return Ok(()) };
        let bytes = batch.get_array_memory_size();
        open.rows = open.rows.saturating_add(batch.num_rows() as u64);
        open.bytes = open.bytes.saturating_add(bytes);
        open.pending.push(batch);
        self.pending = self.pending.saturating_add(bytes);
        if self.pending > PENDING_BYTES {
            while self.pending > PENDING_BYTES / 2 {
                let any = self.pending > MAX_PENDING_BYTES;
                let waiting = self.open.iter().filter(|(_, open)| any || open.is_worth_writing());
                let largest = waiting.max_by_key(|(_, open)| open.bytes).map(|(table, _)| table.clone());
                let Some(largest) = largest else { break };
                self.drain(&largest)?;
            }
        }
        Ok(())
    }

    /// Writes the waiting rows of a table.
    fn drain(&mut self, table: &str) -> Result<()> {
        let out = self.spill(table);
        let Some(open) = self.open.get_mut(table) else { return Ok(()) };
        self.pending = self.pending.saturating_sub(open.bytes);
        let done = open.write(self.format, || out);
        done.map_err(|e| self.failed(table, e))?;
        self.bound()
    }

    /// Completes the largest row groups once all of them together are too large.
    fn bound(&mut self) -> Result<()> {
        while self.open.values().map(Open::open_bytes).sum::<usize>() > OPEN_BYTES {
            let largest = self.open.values_mut().max_by_key(|open| open.open_bytes());
            match largest.and_then(|open| open.writer.as_mut()) {
                Some(Writer::Parquet(writer)) => writer.flush()?,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// An error of a writer, with the file name if it is a file system error.
    fn failed(&self, table: &str, error: Error) -> Error {
        match error {
            Error::Parquet(parquet::errors::ParquetError::External(source)) => match source.downcast::<io::Error>() {
                Ok(source) => Error::File { path: self.path(table), source: *source },
                Err(other) => Error::Parquet(parquet::errors::ParquetError::External(other)),
            },
            Error::Arrow(arrow_schema::ArrowError::IoError(_, source)) => {
                Error::File { path: self.path(table), source }
            }
            other => other,
        }
    }

    /// Completes all files. None appears before all content is written.
    pub(crate) fn finish(mut self) -> Result<Vec<Written>> {
        let mut complete = Vec::new();
        let tables: Vec<String> = self.open.keys().cloned().collect();
        for table in tables {
            self.drain(&table)?;
            let Some(Open { writer: Some(writer), rows, .. }) = self.open.remove(&table) else { continue };
            let spill = writer.finish().map_err(|e| self.failed(&table, e))?;
            complete.push((table, rows, spill));
        }
        let mut ready = Vec::new();
        for (table, rows, mut spill) in complete {
            let path = self.path(&table);
            let failed = |source| Error::File { path: path.clone(), source };
            if spill.file.is_some() {
                spill.spill().map_err(failed)?;
            }
            ready.push((table, rows, spill));
        }
        let mut written = Vec::new();
        for (table, rows, mut spill) in ready {
            let path = self.path(&table);
            let failed = |source| Error::File { path: path.clone(), source };
            spill.spill().map_err(failed)?;
            let bytes = spill.file().and_then(|file| file.file().metadata()).map_err(failed)?.len();
            if let Some(file) = spill.file.take() {
                file.complete().map_err(|e| failed(e.source))?;
            }
            written.push(Written { table, path, rows, bytes });
        }
        Ok(written)
    }
}
