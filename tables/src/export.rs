//! Writing the tables of recordings to a folder.

use std::collections::BTreeSet;
use std::ops::Range;
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

/// A table, or several of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Table {
    /// One for each event type.
    Events,
    /// One for each type of profile.
    Samples,
    /// Stacks that events and samples refer to.
    Stacks,
    /// Frames of stacks.
    Frames,
    /// Threads.
    Threads,
    /// Settings in force.
    Settings,
    /// Measures, of the whole and over time.
    Metrics,
    /// What the rules found.
    Findings,
    /// The recordings themselves.
    Recordings,
}

impl Table {
    /// All of them.
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

    /// The name, as that of its folder.
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

/// Opens a recording, as often as it is called.
pub type Open<'i> = dyn Fn() -> jfr_parse::Result<Recording<'static>> + Send + Sync + 'i;

/// The time range that is wanted of a recording, or why that cannot be said.
pub type RangeOf<'i> = dyn Fn(&Recording<'_>) -> std::result::Result<Option<Range<i64>>, String> + Send + Sync + 'i;

/// A recording to export.
pub struct Input<'i> {
    /// What it is called in messages and in the table of recordings.
    pub name: String,
    /// Opens it.
    pub open: Box<Open<'i>>,
    /// Whether it can be opened again: standard input cannot.
    pub again: bool,
}

/// What to export, and where to.
#[non_exhaustive]
pub struct ExportOptions<'i> {
    /// The folder; made if it is not there.
    pub folder: PathBuf,
    /// The form of the files.
    pub format: Format,
    /// The tables; by default all.
    pub tables: Vec<Table>,
    /// Says of an event type whether it is wanted; by default all are.
    pub events: Option<Arc<WantsType>>,
    /// The types of profiles of which there are samples; by default all.
    pub types: Vec<ProfileType>,
    /// The time range that is wanted of each recording.
    pub range: Option<Box<RangeOf<'i>>>,
    /// Names as recorded.
    pub raw_names: bool,
    /// Leave secrets in.
    pub show_secrets: bool,
    /// Add to tables that are there, recordings that are not in them yet.
    pub append: bool,
    /// The files that this process writes.
    pub files: Files,
}

impl ExportOptions<'_> {
    /// All tables as Parquet to a folder.
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

/// What came of an export.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Exported {
    /// The files, in the order of their tables.
    pub written: Vec<Written>,
    /// Recordings that are in the tables now and were not before.
    pub added: usize,
    /// Recordings that were there before, or twice among the inputs.
    pub known: Vec<String>,
    /// What was lost, with the name of the input.
    pub warnings: Vec<(String, String)>,
    /// Inputs that could not be read, and why.
    pub failures: Vec<(String, String)>,
    /// Fields that recordings disagree on, a line each.
    pub conflicts: Vec<String>,
}

/// The folder of what is no table: readers of tables pass over names that begin with an underscore.
const INDEX: &str = "_jfrkit";
/// Recordings of no more than so many bytes are read beside each other, and kept open from their first look to the second.
const SMALL: usize = 8 << 20;
/// Bytes of recordings that are kept open.
const KEPT: usize = 256 << 20;

/// Writes the tables of recordings to a folder.
///
/// All files appear when everything is read; before that there is nothing, and a failure leaves nothing. The file names depend on
/// the content of the recordings alone.
///
/// # Errors
/// [`Error::NotEmpty`]; those of the file system; where a recording that is read was changed. Recordings that cannot be read are
/// not errors but [`Exported::failures`].
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
                exported.failures.push((input.name.clone(), error.to_string()));
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
        // In memory, so that one that fails leaves nothing.
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
    // Last: without it the same call writes the same files again.
    note(options, &part, &added)?;
    Ok(exported)
}

impl Exported {
    /// Takes what came of an input; `all`: its failure is that of the call.
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
                self.failures.push((input.name.clone(), error.to_string()));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

struct Output {
    tables: Tables,
    /// Ids of stacks and frames that are written.
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

/// How recordings are read.
struct Job<'j, 'i> {
    options: &'j ExportOptions<'i>,
    base: &'j Selection,
    schemas: &'j Schemas,
    analysis: Option<&'j Analysis>,
}

type Sink<'s> = dyn FnMut(&str, RecordBatch) -> Result<()> + 's;

impl Job<'_, '_> {
    /// Reads all tables of a recording. Comes back with what was lost.
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
            None => None,
        };
        let mut stacks = StackTables::default();
        let with_stacks = [options.wants(Table::Stacks), options.wants(Table::Frames)];
        let mut losses = Vec::new();
        if options.wants(Table::Events) {
            let mut take = Events { sink, with_stacks };
            losses = read_events(&recording, self.schemas, &selection, &mut stacks, &mut take)?;
        }
        if options.wants(Table::Samples) {
            let mut take =
                |kind: ProfileType, rows: &mut Rows| sink(&format!("samples/type={}", kind.name()), rows.take()?);
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

/// Rows of stacks or frames that are handed on at a time.
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

/// The name of an event type as that of a folder: what may not be in one is written as Hive does, `%` and two digits.
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
        // No digit of an escape is left alone.
        if let Some(cut) = out.rfind('%').filter(|at| at + 3 > out.len()) {
            out.truncate(cut);
        }
        let _ = write!(out, "-{hash:016x}");
    }
    out
}

/// The hashes of the recordings that are in a folder.
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

/// Notes which recordings are in the files of a call.
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
