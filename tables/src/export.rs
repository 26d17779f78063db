//! Writes the tables of recordings to a folder.

use jfr_analyzers::TimeRange;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{BooleanArray, RecordBatch};
use hashbrown::HashSet;
use jfr_analyzers::rule::Analysis;
use jfr_parse::Recording;
use jfrkit_profile::ProfileType;
use pprof_emit::Files;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::facts;
use crate::flat::Rows;
use crate::ids::RecordingHash;
use crate::recording::{Schemas, Selection, Take, WantsType, read_events};
use crate::samples::read_samples;
use crate::stacks::StackTables;
use crate::write::{Format, Tables, Written};

/// A table, or a group of tables of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Table {
    /// One table per event type.
    Events,
    /// One table per profile type.
    Samples,
    /// Stacks that events and samples refer to.
    Stacks,
    /// Frames of stacks.
    Frames,
    /// Threads.
    Threads,
    /// The settings in effect.
    Settings,
    /// Metrics, for the whole recording and over time.
    Metrics,
    /// The findings of the rules.
    Findings,
    /// The recordings themselves.
    Recordings,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 9] = [
        Self::Events,
        Self::Samples,
        Self::Stacks,
        Self::Frames,
        Self::Threads,
        Self::Settings,
        Self::Metrics,
        Self::Findings,
        Self::Recordings,
    ];

    /// The name, also used for the folder.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Samples => "samples",
            Self::Stacks => "stacks",
            Self::Frames => "frames",
            Self::Threads => "threads",
            Self::Settings => "settings",
            Self::Metrics => "metrics",
            Self::Findings => "findings",
            Self::Recordings => "recordings",
        }
    }

    /// The table of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }
}

/// Opens a recording; may be called more than once.
pub type Open<'i> = dyn Fn() -> jfr_parse::Result<Recording<'static>> + Send + Sync + 'i;

/// The time range to export from a recording, or the reason it cannot be determined.
pub type RangeOf<'i> = dyn Fn(&Recording<'_>) -> std::result::Result<TimeRange, String> + Send + Sync + 'i;

/// A recording to export.
pub struct Input<'i> {
    /// The name used in messages and in the `recordings` table.
    pub name: String,
    /// Opens the recording.
    pub open: Box<Open<'i>>,
    /// Whether it can be opened again; standard input cannot.
    pub again: bool,
}

/// What to export, and where.
#[non_exhaustive]
pub struct ExportOptions<'i> {
    /// The folder, created if necessary.
    pub folder: PathBuf,
    /// The file format.
    pub format: Format,
    /// The tables; by default all.
    pub tables: Vec<Table>,
    /// Decides whether to export an event type; by default all are exported.
    pub events: Option<Arc<WantsType>>,
    /// The profile types to export samples for; by default all.
    pub types: Vec<ProfileType>,
    /// The time range to export from each recording.
    pub range: Option<Box<RangeOf<'i>>>,
    /// Keep class and method names as recorded.
    pub raw_names: bool,
    /// Do not mask secrets.
    pub show_secrets: bool,
    /// Add recordings to existing tables, skipping those already in them.
    pub append: bool,
    /// Creates the files.
    pub files: Files,
}

impl ExportOptions<'_> {
    /// Exports all tables as Parquet to a folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            format: Format::Parquet,
            tables: Table::ALL.to_vec(),
            events: None,
            types: Vec::new(),
            range: None,
            raw_names: false,
            show_secrets: false,
            append: false,
            files: Files::new(),
        }
    }

    fn wants(&self, table: Table) -> bool {
        self.tables.contains(&table)
    }
}

/// The result of an export.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Exported {
    /// The files, in table order.
    pub written: Vec<Written>,
    /// How many recordings were added.
    pub added: usize,
    /// Recordings that were in the tables already or occurred twice in the input.
    pub known: Vec<String>,
    /// Lost data, with the name of the input.
    pub warnings: Vec<(String, String)>,
    /// Unreadable inputs, and the reasons.
    pub failures: Vec<(String, Error)>,
    /// Fields whose types conflict between recordings, one line each.
    pub conflicts: Vec<String>,
}

/// The folder for everything that is not a table; table readers skip names that begin with an underscore.
const INDEX: &str = "_jfrkit";
/// Recordings up to this size are read in parallel, and stay open between the first and the second pass.
const SMALL: usize = 8 << 20;
/// Maximum bytes of recordings to keep open.
const KEPT: usize = 256 << 20;

/// Writes the tables of recordings to a folder.
///
/// No file appears until everything has been read, and a failure leaves no files behind. File names depend only on the content
/// of the recordings.
///
/// # Errors
/// Returns [`Error::NotEmpty`], file system errors, or an error if a recording changes while it is read. Unreadable recordings
/// are not errors; they are listed in [`Exported::failures`].
pub fn export(inputs: &[Input<'_>], options: &ExportOptions<'_>) -> Result<Exported> {
    let mut exported = Exported::default();
    let mut known = index(&options.folder)?;
    if !known.is_empty() && !options.append {
        return Err(Error::NotEmpty(options.folder.clone()));
    }
    let base = Selection { types: options.events.clone(), ..Selection::default() };
    let mut schemas = Schemas::default();
    let (mut wanted, mut kept) = (Vec::new(), 0usize);
    for input in inputs {
        let recording = match (input.open)() {
            Ok(recording) => recording,
            Err(error @ jfr_parse::Error::Stopped) => return Err(error.into()),
            Err(error) => {
                exported.failures.push((input.name.clone(), error.into()));
                continue;
            }
        };
        let hash = RecordingHash::of(recording.bytes());
        if !known.insert(hash.to_string()) {
            exported.known.push(input.name.clone());
            continue;
        }
        if options.wants(Table::Events) {
            schemas.add(&recording, &base);
        }
        let bytes = recording.bytes().len();
        kept = kept.saturating_add(bytes);
        let recording = (!input.again || kept <= KEPT).then_some(recording);
        wanted.push((input, hash, recording, bytes));
    }
    exported.conflicts = schemas.conflicts().to_vec();
    let analysis = options.wants(Table::Findings).then(jfrkit_rules::analysis);
    let all: Vec<RecordingHash> = wanted.iter().map(|(_, hash, ..)| *hash).collect();
    let part = RecordingHash::of_all(&all).to_string();
    let part = part.get(..16).unwrap_or(&part).to_owned();
    let mut out = Output {
        tables: Tables::new(&options.files, options.format, &options.folder, &part),
        seen: Default::default(),
    };
    let mut added = BTreeSet::new();
    let mut rest = wanted.as_mut_slice();
    let threads = rayon::current_num_threads().max(1);
    while !rest.is_empty() {
        let small = rest.iter().take(2 * threads).take_while(|(_, _, _, bytes)| *bytes <= SMALL).count();
        let (some, others) = rest.split_at_mut(small.max(1));
        rest = others;
        let job = Job { options, base: &base, schemas: &schemas, analysis: analysis.as_ref() };
        if let [(input, hash, recording, bytes)] = some
            && *bytes > SMALL
        {
            let done = job.read(input, *hash, recording.take(), &mut |table, batch| out.write(table, batch));
            added.extend(exported.take(input, *hash, done, true)?);
            continue;
        }
        // Buffer in memory, so a failed recording leaves nothing behind.
        let read: Vec<_> = some
            .par_iter_mut()
            .with_max_len(1)
            .map(|(input, hash, recording, _)| {
                let mut batches = Vec::new();
                let mut keep = |table: &str, batch: RecordBatch| {
                    batches.push((table.to_owned(), batch));
                    Ok(())
                };
                let done = job.read(input, *hash, recording.take(), &mut keep);
                (&**input, *hash, done, batches)
            })
            .collect();
        for (input, hash, done, batches) in read {
            let Some(hash) = exported.take(input, hash, done, false)? else { continue };
            added.insert(hash);
            for (table, batch) in batches {
                out.write(&table, batch)?;
            }
        }
    }
    if added.is_empty() {
        return Ok(exported);
    }
    exported.added = added.len();
    exported.written = out.tables.finish()?;
    // Comes last: without this index, the same call simply writes the same files again.
    note(options, &part, &added)?;
    Ok(exported)
}

impl Exported {
    /// Records the result of an input. With `all`, its failure fails the whole call.
    fn take(
        &mut self,
        input: &Input<'_>,
        hash: RecordingHash,
        done: Result<Vec<String>>,
        all: bool,
    ) -> Result<Option<RecordingHash>> {
        match done {
            Ok(warnings) => {
                self.warnings.extend(warnings.into_iter().map(|warning| (input.name.clone(), warning)));
                Ok(Some(hash))
            }
            Err(error @ Error::Read(jfr_parse::Error::Stopped)) => Err(error),
            Err(error) if !all => {
                self.failures.push((input.name.clone(), error));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

struct Output {
    tables: Tables,
    /// Ids of the stacks and frames already written.
    seen: [HashSet<i64, foldhash::fast::RandomState>; 2],
}

impl Output {
    fn write(&mut self, table: &str, batch: RecordBatch) -> Result<()> {
        let seen = match table {
            "stacks" => self.seen.first_mut(),
            "frames" => self.seen.last_mut(),
            _ => None,
        };
        let Some(seen) = seen else { return self.tables.write(table, batch) };
        let Some(ids) = batch.columns().first().and_then(|ids| ids.as_primitive_opt::<Int64Type>()) else {
            return Err(Error::Internal("a table of stacks has no ids"));
        };
        let new: BooleanArray = ids.values().iter().map(|id| Some(seen.insert(*id))).collect();
        let batch = arrow_select::filter::filter_record_batch(&batch, &new)?;
        if batch.num_rows() == 0 { Ok(()) } else { self.tables.write(table, batch) }
    }
}

/// Settings shared by all recordings of an export.
struct Job<'j, 'i> {
    options: &'j ExportOptions<'i>,
    base: &'j Selection,
    schemas: &'j Schemas,
    analysis: Option<&'j Analysis>,
}

type Sink<'s> = dyn FnMut(&str, RecordBatch) -> Result<()> + Send + 's;

impl Job<'_, '_> {
    /// Reads all tables of a recording and returns what was lost.
    fn read(
        &self,
        input: &Input<'_>,
        hash: RecordingHash,
        opened: Option<Recording<'static>>,
        sink: &mut Sink<'_>,
    ) -> Result<Vec<String>> {
        let options = self.options;
        let recording = match opened {
            Some(recording) => recording,
            None => (input.open)()?,
        };
        let mut selection = self.base.clone();
        selection.recording = Some(hash.id());
        selection.raw_names = options.raw_names;
        selection.show_secrets = options.show_secrets;
        selection.range = match &options.range {
            Some(range) => range(&recording).map_err(Error::Range)?,
            None => TimeRange::default(),
        };
        let with_stacks = [options.wants(Table::Stacks), options.wants(Table::Frames)];
        let mut stacks = StackTables::new(with_stacks.contains(&true));
        let mut losses = Vec::new();
        if options.wants(Table::Events) {
            let mut take = Events { sink, with_stacks };
            losses = read_events(&recording, self.schemas, &selection, &mut stacks, &mut take)?;
        }
        if options.wants(Table::Samples) {
            let mut take =
                |kind: ProfileType, batch: RecordBatch| sink(&format!("samples/type={}", kind.name()), batch);
            let warnings = read_samples(&recording, &options.types, &selection, &mut stacks, &mut take)?;
            if losses.is_empty() {
                losses = warnings;
            }
        }
        give_stacks(&mut stacks, with_stacks, 1, sink)?;
        let mut give = |table: Table, mut rows: Rows| {
            if rows.len() == 0 { Ok(()) } else { sink(table.name(), rows.take()?) }
        };
        if options.wants(Table::Threads) {
            give(Table::Threads, facts::threads(&recording, hash.id())?)?;
        }
        if options.wants(Table::Settings) {
            give(Table::Settings, facts::settings(&recording, hash.id(), &selection)?)?;
        }
        if options.wants(Table::Metrics) {
            give(Table::Metrics, facts::metrics(&recording, hash.id())?)?;
        }
        if let Some(analysis) = self.analysis {
            give(Table::Findings, facts::findings(&recording, hash.id(), analysis, &selection)?)?;
        }
        if options.wants(Table::Recordings) {
            let mut rows = Rows::new(facts::recording_columns());
            facts::recording(&mut rows, &recording, hash, &input.name, &losses)?;
            give(Table::Recordings, rows)?;
        }
        recording.check_unchanged()?;
        Ok(losses)
    }
}

/// Rows of stacks or frames to pass on at a time.
const STACK_ROWS: usize = 1 << 14;

fn give_stacks(stacks: &mut StackTables, wanted: [bool; 2], least: usize, sink: &mut Sink<'_>) -> Result<()> {
    let [with_stacks, with_frames] = wanted;
    for (wanted, table, rows) in
        [(with_stacks, Table::Stacks, &mut stacks.stacks), (with_frames, Table::Frames, &mut stacks.frames)]
    {
        if rows.len() >= least {
            let batch = rows.take()?;
            if wanted {
                sink(table.name(), batch)?;
            }
        }
    }
    Ok(())
}

struct Events<'s, 't> {
    sink: &'s mut Sink<'t>,
    with_stacks: [bool; 2],
}

impl Take for Events<'_, '_> {
    fn events(&mut self, name: &str, batch: RecordBatch) -> Result<()> {
        (self.sink)(&format!("events/type={}", folder(name)), batch)
    }

    fn stacks(&mut self, stacks: &mut StackTables) -> Result<()> {
        give_stacks(stacks, self.with_stacks, STACK_ROWS, self.sink)
    }
}

/// The folder name of an event type; special characters are escaped as in Hive, with `%` and two hex digits.
#[must_use]
pub fn folder(name: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'$' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    if out.is_empty() || out.bytes().all(|b| b == b'.') {
        out.push_str("%00");
    }
    if out.len() > 200 {
        let hash = crate::ids::text(name);
        out.truncate(180);
        // Do not cut an escape in half.
        if let Some(cut) = out.rfind('%').filter(|at| at + 3 > out.len()) {
            out.truncate(cut);
        }
        let _ = write!(out, "-{hash:016x}");
    }
    out
}

/// The hashes of the recordings already in a folder.
fn index(folder: &Path) -> Result<BTreeSet<String>> {
    let path = folder.join(INDEX);
    let failed = |source| Error::File { path: path.clone(), source };
    let mut known = BTreeSet::new();
    let entries = match std::fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(known),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "txt") {
            let text = std::fs::read_to_string(&path).map_err(|source| Error::File { path: path.clone(), source })?;
            known.extend(text.lines().map(str::to_owned));
        }
    }
    Ok(known)
}

/// Records which recordings the files of this call contain.
fn note(options: &ExportOptions<'_>, part: &str, added: &BTreeSet<RecordingHash>) -> Result<()> {
    let folder = options.folder.join(INDEX);
    std::fs::create_dir_all(&folder).map_err(|source| Error::File { path: folder.clone(), source })?;
    let lines: String = added.iter().map(|hash| format!("{hash}\n")).collect();
    let write = |file: &mut std::fs::File| std::io::Write::write_all(file, lines.as_bytes());
    let path = folder.join(format!("part-{part}.txt"));
    options.files.write_file(&path, write).map_err(|e| Error::File { path: e.path, source: e.source })
}

#[cfg(test)]
mod tests {
    use super::folder;

    #[test]
    fn names_of_types_are_names_of_folders() {
        assert_eq!(folder("jdk.GarbageCollection"), "jdk.GarbageCollection");
        assert_eq!(folder("../a b/ü"), "..%2Fa%20b%2F%C3%BC");
        assert_eq!(folder(".."), "..%00");
        assert!(folder(&"ü".repeat(1_000)).len() < 220);
    }
}
