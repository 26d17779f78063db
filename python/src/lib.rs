//! The module `jfrkit._jfrkit`. Python programs import `python/jfrkit/__init__.py`; `_jfrkit.pyi` has the signatures and docs
//! for editors.
//!
//! A recording is read into memory once, when it is opened, so later changes to the file cannot crash the interpreter. Each
//! call works on another thread without the GIL, while the calling thread watches for Ctrl-C.
//!
//! Only the conversion between Rust and Python belongs here: computing belongs in the other crates, and what can be
//! written in Python in `python/jfrkit`. Start with `recording.rs`; `table.rs` passes Arrow tables on, `work.rs` runs
//! calls and converts errors.

#![deny(unsafe_code)]

mod recording;
mod table;
mod work;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

pyo3::create_exception!(jfrkit, JfrError, pyo3::exceptions::PyException, "A recording cannot be read.");

/// Runs the command line; the first argument is the program name.
#[pyfunction]
fn main(py: Python<'_>, args: Vec<std::ffi::OsString>) -> u8 {
    py.detach(|| jfrkit::run(args))
}

/// The id of a recording in tables, computed by reading the file piece by piece.
#[pyfunction]
fn recording_id(file: &Bound<'_, PyAny>) -> PyResult<i64> {
    let next = || file.call_method1("read", (PIECE,))?.extract::<PyBackedBytes>();
    Ok(jfrkit_tables::ids::RecordingHash::of_pieces(next)?.id())
}

/// Bytes to read at a time.
const PIECE: usize = 4 << 20;

/// Merges profiles in the given order.
///
/// The string order of a merged profile depends on which profiles were merged first. Reading and writing the result once
/// more makes it independent of that.
#[pyfunction]
fn merge(py: Python<'_>, profiles: Vec<PyBackedBytes>) -> PyResult<Bound<'_, PyBytes>> {
    let merged = work::run(py, "pprof", move |_| {
        let none = jfrkit_profile::Cancel::default();
        let limits = pprof_emit::AnyLimits::default();
        let read = |bytes: &[u8]| pprof_emit::read_any(bytes, &limits, &none).map_err(|e| work::Failure::plain(&e));
        let all = profiles.iter().map(|bytes| read(bytes)).collect::<Result<Vec<_>, _>>()?;
        let written = |profiles: &[_]| {
            let merged = jfrkit_profile::any::merge(profiles, &none).map_err(|e| work::Failure::plain(&e))?;
            let mut out = Vec::new();
            pprof_emit::write_any(&merged, &mut out).map_err(|e| work::Failure::plain(&e))?;
            Ok(out)
        };
        let once = written(&all)?;
        written(&[read(&once)?])
    })?;
    Ok(PyBytes::new(py, &merged))
}

/// Compares a value of two profiles function by function, largest change first.
#[pyfunction]
#[pyo3(signature = (a, b, *, value=None))]
fn diff<'py>(
    py: Python<'py>,
    a: PyBackedBytes,
    b: PyBackedBytes,
    value: Option<String>,
) -> PyResult<Bound<'py, PyAny>> {
    use jfrkit_profile::tree::{By, Diff, Per, View};
    let rows = work::run(py, "pprof", move |_| {
        let none = jfrkit_profile::Cancel::default();
        let limits = pprof_emit::AnyLimits::default();
        let read = |bytes: &[u8]| pprof_emit::read_any(bytes, &limits, &none).map_err(|e| work::Failure::plain(&e));
        let [a, b] = [read(&a)?, read(&b)?].map(|profile| {
            let all: Vec<usize> = (0..profile.width()).collect();
            profile.call_stacks(&all)
        });
        let place = |stacks: &jfrkit_profile::tree::CallStacks| match &value {
            Some(name) => stacks
                .value_named(name)
                .ok_or_else(|| work::Failure::value(format!("the profile has no value {name:?}"))),
            None => Ok(stacks.types().len().saturating_sub(1)),
        };
        let (at, bt) = (place(&a)?, place(&b)?);
        let (_, _, rows) = Diff::table((&a, at), (&b, bt), &View::default(), &By::Function, Per::Second, &none)
            .map_err(|e| work::Failure::plain(&e))?;
        let row = |row: jfrkit_profile::tree::DiffRow| {
            serde_json::json!({
                "name": row.key, "a": row.a, "b": row.b, "self_a": row.self_a, "self_b": row.self_b,
                "change": row.change, "ratio": row.ratio, "deviations": row.deviations, "noise": row.noise,
            })
        };
        Ok(serde_json::Value::Array(rows.into_iter().map(row).collect()))
    })?;
    work::object(py, &rows)
}

#[pymodule]
fn _jfrkit(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("JfrError", module.py().get_type::<JfrError>())?;
    module.add_class::<recording::Recording>()?;
    module.add_class::<recording::Profile>()?;
    module.add_class::<table::Table>()?;
    module.add_class::<table::Batch>()?;
    module.add_class::<table::Batches>()?;
    module.add_function(wrap_pyfunction!(recording::open, module)?)?;
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_function(wrap_pyfunction!(recording_id, module)?)?;
    module.add_function(wrap_pyfunction!(merge, module)?)?;
    module.add_function(wrap_pyfunction!(diff, module)?)?;
    module.add_function(wrap_pyfunction!(recording::table_columns, module)?)?;
    Ok(())
}
