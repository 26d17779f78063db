//! Recordings and the profiles and tables made from them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use jfr_analyzers::metrics::Metrics;
use jfr_analyzers::rule::AnalysisOptions;
use jfr_analyzers::runtime::Runtime;
use jfr_analyzers::{LabelKey, Options, Summary, TimeRange, collect, runtime};
use jfr_parse::{EpochNanos, Limits, Nanos, OpenOptions, Stop};
use jfrkit_profile::tree::{CallStacks, Tree, View};
use jfrkit_profile::{Cancel, ProfileSet, ProfileType};
use jfrkit_tables::ids::RecordingHash;
use jfrkit_tables::{Schema, Schemas, Selection, Table as Which, events_schema, read_table, table_schema};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};

use crate::table::{Batches, Table};
use crate::work::{Failure, object, run, threads};

/// A recording in memory.
#[pyclass(frozen, module = "jfrkit")]
pub(crate) struct Recording {
    bytes: Arc<Vec<u8>>,
    limits: Limits,
    #[pyo3(get)]
    file: String,
}

/// Limits: the name of a preset, or a dict of values.
fn limits(given: Option<&Bound<'_, PyAny>>) -> PyResult<Limits> {
    let Some(given) = given else { return Ok(Limits::tool()) };
    if let Ok(preset) = given.extract::<String>() {
        return match preset.as_str() {
            "tool" => Ok(Limits::tool()),
            "intake" => Ok(Limits::intake()),
            other => {
                Err(PyValueError::new_err(format!("no limits {other:?}: expected \"tool\", \"intake\" or a dict")))
            }
        };
    }
    let values = given.cast_dict()?;
    let mut limits = Limits::tool();
    for (name, value) in values {
        let (name, value): (String, u64) = (name.extract()?, value.extract()?);
        if !limits.set(&name, value) {
            let names = Limits::NAMES.join(", ");
            return Err(PyValueError::new_err(format!("no limit {name:?}; expected one of {names}")));
        }
    }
    Ok(limits)
}

trait CastDict<'py> {
    fn cast_dict(&self) -> PyResult<Bound<'py, PyDict>>;
}

impl<'py> CastDict<'py> for Bound<'py, PyAny> {
    fn cast_dict(&self) -> PyResult<Bound<'py, PyDict>> {
        self.downcast::<PyDict>().cloned().map_err(|_| PyTypeError::new_err("limits: expected a name or a dict"))
    }
}

/// The content of a bytes-like object. `Vec` copies any sequence, one item after another.
fn bytes_of(source: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    source.extract::<PyBackedBytes>().map(|bytes| bytes.to_vec()).or_else(|_| source.extract())
}

/// Opens a recording: a path, bytes, or a file opened in binary mode.
#[pyfunction]
#[pyo3(signature = (source, *, limits=None))]
pub(crate) fn open(
    py: Python<'_>,
    source: &Bound<'_, PyAny>,
    limits: Option<&Bound<'_, PyAny>>,
) -> PyResult<Recording> {
    let limits = self::limits(limits)?;
    let (file, bytes) = if let Ok(bytes) = source.downcast::<PyBytes>() {
        ("<bytes>".to_owned(), Some(bytes.as_bytes().to_vec()))
    } else if source.hasattr("read")? {
        let name = source.getattr("name").and_then(|name| name.extract::<String>());
        (name.unwrap_or_else(|_| "<file>".to_owned()), Some(bytes_of(&source.call_method0("read")?)?))
    } else if let Ok(path) = source.extract::<PathBuf>() {
        (path.display().to_string(), None)
    } else {
        let bytes = bytes_of(source);
        let bytes = bytes.map_err(|_| PyTypeError::new_err("expected a path, bytes or a file"))?;
        ("<bytes>".to_owned(), Some(bytes))
    };
    let (of, name) = (limits.clone(), file.clone());
    let bytes = run(py, &file, move |stop| {
        let opening = OpenOptions::new().limits(of).stop(stop.clone());
        let bytes = match bytes {
            Some(bytes) => bytes,
            None => std::fs::read(&name).map_err(|source| {
                let path = PathBuf::from(&name);
                Failure::from(jfr_parse::Error::Io { path, source })
            })?,
        };
        let (bytes, _) = opening.unpack(bytes)?;
        opening.from_bytes(bytes.as_slice())?;
        Ok(bytes)
    })?;
    Ok(Recording { bytes: Arc::new(bytes), limits, file })
}

/// A table by name, and the profile type for samples.
fn which(name: &str, kind: Option<&str>) -> Result<(Which, ProfileType), Failure> {
    let kind = kind.unwrap_or("cpu");
    let of = ProfileType::from_name(kind).ok_or_else(|| Failure::value(format!("no profile type {kind:?}")))?;
    Ok((Which::from_name(name).filter(|table| *table != Which::Events).unwrap_or(Which::Events), of))
}

/// An empty table with the columns of a table that is not of events; `type` is the profile type of samples.
#[pyfunction]
#[pyo3(signature = (name, *, r#type=None))]
pub(crate) fn table_columns(py: Python<'_>, name: &str, r#type: Option<&str>) -> PyResult<Table> {
    let of = which(name, r#type).map_err(|failure| failure.raise(py, ""))?;
    if of.0 == Which::Events {
        return Err(PyValueError::new_err(format!("unknown table {name:?}")));
    }
    Ok(Table { schema: Arc::new(table_schema(of.0, of.1)), batches: Vec::new(), losses: Vec::new() })
}

/// The part of a table to read.
struct Wanted {
    table: Which,
    kind: ProfileType,
    name: String,
    selection: Selection,
}

impl Wanted {
    fn new(
        name: &str,
        kind: Option<&str>,
        columns: Option<Vec<String>>,
        from_to: (Option<i64>, Option<i64>),
        show_secrets: bool,
    ) -> Result<Self, Failure> {
        let (table, kind) = which(name, kind)?;
        let mut selection = Selection::default();
        selection.show_secrets = show_secrets;
        selection.range = TimeRange { from: from_to.0.map(EpochNanos), to: from_to.1.map(EpochNanos) };
        if table == Which::Events {
            let only = name.to_owned();
            selection.types = Some(Arc::new(move |of| of.canonical_name() == only.as_str() || of.name() == only));
            selection.columns = columns;
        } else if columns.is_some() {
            return Err(Failure::value("columns can only be selected for event types"));
        }
        Ok(Self { table, kind, name: jfr_parse::metadata::canonical_name(name).into_owned(), selection })
    }

    /// Adds the recording's id to rows: to events on request, to other tables always.
    fn identify(&mut self, recording: &jfr_parse::Recording<'_>, events: bool) {
        if events || self.table != Which::Events {
            self.selection.recording = Some(RecordingHash::of(recording.bytes()).id());
        }
    }

    fn schema(&self, recording: &jfr_parse::Recording<'_>) -> Result<(Schema, Schemas), Failure> {
        match self.table {
            Which::Events => {
                let of = events_schema(recording, &self.name, &self.selection).ok_or_else(|| {
                    Failure::value(format!("the recording has no event type and no table {:?}", self.name))
                })?;
                let unknown = |name: &&String| of.0.field_with_name(name).is_err();
                match self.selection.columns.iter().flatten().find(unknown) {
                    Some(name) => Err(Failure::value(format!("{} has no column {name:?}", self.name))),
                    None => Ok(of),
                }
            }
            table => {
                let mut schemas = Schemas::default();
                if matches!(table, Which::Stacks | Which::Frames) {
                    schemas.add(recording, &self.selection);
                }
                Ok((table_schema(table, self.kind), schemas))
            }
        }
    }
}

impl Recording {
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&jfr_parse::Recording<'_>, &Stop) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let (bytes, limits) = (self.bytes.clone(), self.limits.clone());
        run(py, &self.file, move |stop| {
            let opening = OpenOptions::new().limits(limits).stop(stop.clone());
            let recording = opening.from_bytes(bytes.as_slice())?;
            work(&recording, stop)
        })
    }

    fn json<'py>(
        &self,
        py: Python<'py>,
        work: impl FnOnce(&jfr_parse::Recording<'_>, &Stop) -> Result<serde_json::Value, Failure> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        object(py, &self.with(py, work)?)
    }
}

fn json(value: &impl serde_json_value::ToJson) -> Result<serde_json::Value, Failure> {
    value.to_json().map_err(|e| Failure::plain(&e))
}

mod serde_json_value {
    /// Serializes to JSON without a direct dependency on serde.
    pub(super) trait ToJson {
        fn to_json(&self) -> serde_json::Result<serde_json::Value>;
    }

    macro_rules! to_json {
        ($($of:ty),*) => {$(
            impl ToJson for $of {
                fn to_json(&self) -> serde_json::Result<serde_json::Value> {
                    serde_json::to_value(self)
                }
            }
        )*};
    }
    to_json!(
        jfr_analyzers::Summary,
        jfr_analyzers::runtime::Runtime,
        jfr_analyzers::metrics::Metrics,
        jfr_analyzers::rule::Evidence,
        jfrkit_profile::tree::TreeJson
    );
}

#[pymethods]
impl Recording {
    /// The hash that identifies the recording in tables.
    #[getter]
    fn hash(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |recording, _| Ok(RecordingHash::of(recording.bytes()).to_string()))
    }

    /// Start and end of each chunk, in bytes.
    #[getter]
    fn chunks(&self, py: Python<'_>) -> PyResult<Vec<(u64, u64)>> {
        self.with(py, |recording, _| {
            let chunk = |(at, header): (u64, &jfr_parse::ChunkHeader)| (at, at.saturating_add(header.chunk_size));
            Ok(recording.headers().map(chunk).collect())
        })
    }

    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.json(py, |recording, _| json(&Summary::of(recording)?))
    }

    #[pyo3(signature = (*, show_secrets=false))]
    fn info<'py>(&self, py: Python<'py>, show_secrets: bool) -> PyResult<Bound<'py, PyAny>> {
        self.json(py, move |recording, _| {
            json(&Runtime::of(recording, runtime::Options::default().with_secrets(show_secrets))?)
        })
    }

    #[pyo3(signature = (*, step=None))]
    fn metrics<'py>(&self, py: Python<'py>, step: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
        let step = step.map(|seconds| (seconds * 1e9) as i64);
        if step.is_some_and(|step| step <= 0) {
            return Err(PyValueError::new_err("step: expected a positive number"));
        }
        self.json(py, move |recording, _| json(&Metrics::of(recording, step.map(Nanos))?))
    }

    #[pyo3(signature = (*, rules=None, skip=None))]
    fn analyze<'py>(
        of: Bound<'py, Self>,
        rules: Option<Vec<String>>,
        skip: Option<Vec<String>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = of.py();
        let given = PyDict::new(py);
        given.set_item("rules", rules)?;
        given.set_item("skip", skip)?;
        py.import("jfrkit")?.getattr("analyze")?.call((of,), Some(&given))
    }

    /// The findings as dicts, worst first.
    #[pyo3(signature = (*, rules=None, skip=None))]
    fn _findings<'py>(
        &self,
        py: Python<'py>,
        rules: Option<Vec<String>>,
        skip: Option<Vec<String>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.json(py, move |recording, stop| {
            let analysis = jfrkit_rules::analysis();
            let mut options = AnalysisOptions::default();
            options.rules = rules.unwrap_or_default();
            options.skip = skip.unwrap_or_default();
            options.stop = stop.clone();
            let report = analysis.evaluate(recording, &options)?;
            let mut findings = Vec::new();
            for finding in &report.findings {
                let Some(outcome) = report.outcome(&finding.id) else { continue };
                let verdict = &outcome.verdict;
                findings.push(serde_json::json!({
                    "id": finding.id,
                    "title": outcome.rule.title,
                    "category": outcome.rule.category.name(),
                    "severity": finding.severity.name(),
                    "score": verdict.score,
                    "section": finding.section.name(),
                    "cost": finding.cost.map(|cost| cost.share),
                    "summary": verdict.summary,
                    "explanation": verdict.explanation,
                    "remedy": verdict.remedy,
                    "because_of": finding.because_of,
                    "evidence": json(&verdict.evidence)?,
                }));
            }
            Ok(serde_json::Value::Array(findings))
        })
    }

    #[pyo3(signature = (r#type="cpu", *, labels=None))]
    fn profile(&self, py: Python<'_>, r#type: &str, labels: Option<Vec<String>>) -> PyResult<Profile> {
        let kind = ProfileType::from_name(r#type);
        let kind = kind.ok_or_else(|| PyValueError::new_err(format!("no profile type {:?}", r#type)))?;
        let label = |name: &String| {
            LabelKey::from_name(name).ok_or_else(|| PyValueError::new_err(format!("unknown label {name:?}")))
        };
        let labels = labels.unwrap_or_default().iter().map(label).collect::<PyResult<Vec<_>>>()?;
        let set = self.with(py, move |recording, stop| {
            let mut options = Options::default();
            options.types = vec![kind];
            options.labels = labels;
            options.stop = stop.clone();
            Ok(collect(recording, &options)?)
        })?;
        let recording = Recording { bytes: self.bytes.clone(), limits: self.limits.clone(), file: self.file.clone() };
        Ok(Profile { set: Arc::new(set), kind, recording })
    }

    /// The table names, each with its number of rows if that is known without reading the table.
    fn tables<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = self.with(py, |recording, _| {
            let summary = Summary::of(recording)?;
            let name = |name: &str| jfr_parse::metadata::canonical_name(name).into_owned();
            Ok(summary.events.iter().map(|event| (name(&event.name), event.count)).collect::<Vec<_>>())
        })?;
        let tables = PyDict::new(py);
        for (name, count) in counts {
            let before = tables.get_item(&name)?.map_or(Ok(0), |n| n.extract::<u64>())?;
            tables.set_item(name, before + count)?;
        }
        for table in Which::ALL.into_iter().filter(|table| *table != Which::Events) {
            tables.set_item(table.name(), py.None())?;
        }
        Ok(tables)
    }

    /// The column names of a table.
    #[pyo3(signature = (name, *, r#type=None))]
    fn columns(&self, py: Python<'_>, name: &str, r#type: Option<&str>) -> PyResult<Vec<String>> {
        self.with(py, move |recording, _| {
            let (schema, _) = Wanted::new(name, r#type, None, (None, None), false)?.schema(recording)?;
            Ok(schema.fields().iter().map(|field| field.name().clone()).collect())
        })
    }

    #[pyo3(signature = (name, *, columns=None, r#type=None, start=None, end=None, show_secrets=false, recording=false))]
    #[expect(clippy::too_many_arguments, reason = "keywords")]
    fn table(
        &self,
        py: Python<'_>,
        name: &str,
        columns: Option<Vec<String>>,
        r#type: Option<&str>,
        start: Option<i64>,
        end: Option<i64>,
        show_secrets: bool,
        recording: bool,
    ) -> PyResult<Table> {
        let file = self.file.clone();
        let with_id = recording;
        self.with(py, move |recording, _| {
            let mut wanted = Wanted::new(name, r#type, columns, (start, end), show_secrets)?;
            wanted.identify(recording, with_id);
            let (schema, schemas) = wanted.schema(recording)?;
            let mut batches = Vec::new();
            let mut each = |batch| {
                batches.push(batch);
                Ok(())
            };
            let losses =
                read_table(recording, wanted.table, &schemas, wanted.kind, &wanted.selection, &file, &mut each)?;
            Ok(Table { schema: Arc::new(schema), batches, losses })
        })
    }

    #[pyo3(signature = (name, *, columns=None, r#type=None, start=None, end=None, show_secrets=false, recording=false))]
    #[expect(clippy::too_many_arguments, reason = "keywords")]
    fn batches(
        &self,
        py: Python<'_>,
        name: &str,
        columns: Option<Vec<String>>,
        r#type: Option<&str>,
        start: Option<i64>,
        end: Option<i64>,
        show_secrets: bool,
        recording: bool,
    ) -> PyResult<Batches> {
        let with_id = recording;
        let (wanted, schema, schemas) = self.with(py, move |recording, _| {
            let mut wanted = Wanted::new(name, r#type, columns, (start, end), show_secrets)?;
            wanted.identify(recording, with_id);
            let (schema, schemas) = wanted.schema(recording)?;
            Ok((wanted, schema, schemas))
        })?;
        let (sender, receiver) = sync_channel(2);
        let stop = Stop::new();
        let opening = OpenOptions::new().limits(self.limits.clone()).stop(stop.clone());
        let (bytes, file) = (self.bytes.clone(), self.file.clone());
        std::thread::spawn(move || {
            let read = || -> Result<(), Failure> {
                let recording = opening.from_bytes(bytes.as_slice())?;
                let mut each = |batch| {
                    // The consumer has gone; end the reading as if it had been stopped.
                    sender.send(Ok(batch)).map_err(|_| jfrkit_tables::Error::Read(jfr_parse::Error::Stopped))
                };
                read_table(&recording, wanted.table, &schemas, wanted.kind, &wanted.selection, &file, &mut each)?;
                Ok(())
            };
            // Use separate threads: one of them blocks while nobody takes a batch, and other work must not depend on it.
            if let Err(failure) = threads().and_then(|threads| threads.install(read)) {
                let _ = sender.send(Err(failure));
            }
        });
        Ok(Batches {
            schema: Arc::new(schema),
            receiver: std::sync::Mutex::new(Some(receiver)),
            stop,
            file: self.file.clone(),
        })
    }

    fn __repr__(&self) -> String {
        format!("<jfrkit.Recording {:?}, {} bytes>", self.file, self.bytes.len())
    }
}

/// A profile of one type.
#[pyclass(frozen, module = "jfrkit")]
pub(crate) struct Profile {
    set: Arc<ProfileSet>,
    kind: ProfileType,
    recording: Recording,
}

impl Profile {
    fn of(set: &ProfileSet) -> Option<&jfrkit_profile::Profile> {
        set.profiles.first()
    }
}

#[pymethods]
impl Profile {
    #[getter]
    fn r#type(&self) -> &'static str {
        self.kind.name()
    }

    /// Totals by value name.
    #[getter]
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let totals = PyDict::new(py);
        let sums = Self::of(&self.set).map(jfrkit_profile::Profile::totals).unwrap_or_default();
        for (i, value) in self.kind.values().iter().enumerate() {
            totals.set_item(value.name, sums.get(i).copied().unwrap_or(0))?;
        }
        Ok(totals)
    }

    /// Why there are no samples, if there are none.
    #[getter]
    fn absent(&self) -> Option<String> {
        self.set.absent.first().map(|absent| absent.reason.clone())
    }

    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.set.warnings.clone()
    }

    /// The profile as gzipped pprof `profile.proto`; `None` if there are no samples.
    fn pprof<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let set = self.set.clone();
        let bytes = run(py, &self.recording.file, move |_| {
            let of = Self::of(&set);
            let options = pprof_emit::Options::default();
            of.map(|profile| pprof_emit::to_bytes(profile, &set.tables, &options).map_err(|e| Failure::plain(&e)))
                .transpose()
        })?;
        Ok(bytes.map(|bytes| PyBytes::new(py, &bytes)))
    }

    /// The samples, one per event.
    fn table(&self, py: Python<'_>) -> PyResult<Table> {
        self.recording.table(py, "samples", None, Some(self.kind.name()), None, None, false, false)
    }

    /// The flame graph as a tree: names, and depths and values of its nodes.
    #[pyo3(signature = (*, min=0.0))]
    fn tree<'py>(&self, py: Python<'py>, min: f64) -> PyResult<Option<Bound<'py, PyAny>>> {
        let set = self.set.clone();
        let value = self.kind.values().len().saturating_sub(1);
        let tree = run(py, &self.recording.file, move |_| {
            let Some(profile) = Self::of(&set) else { return Ok(None) };
            let stacks = CallStacks::of(profile, &set.tables);
            let none = Cancel::default();
            let tree = Tree::new(&stacks, value, &View::default(), &none).map_err(|e| Failure::plain(&e))?;
            tree.to_json(None, min).map(|json_tree| json(&json_tree)).transpose()
        })?;
        tree.map(|tree| object(py, &tree)).transpose()
    }
}
