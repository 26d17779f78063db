//! Tables that other libraries read without copying, through the Arrow PyCapsule interface.

use std::ffi::CString;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, RecordBatch, RecordBatchIterator, StructArray};
use arrow_schema::{DataType, Schema};
use jfr_parse::Stop;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::work::Failure;

fn name(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}

fn arrow(error: &dyn std::fmt::Display) -> PyErr {
    pyo3::exceptions::PyRuntimeError::new_err(error.to_string())
}

fn schema_capsule<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema).map_err(|e| arrow(&e))?;
    PyCapsule::new(py, schema, Some(name("arrow_schema")))
}

/// A table in memory.
#[pyclass(frozen, module = "jfrkit")]
pub(crate) struct Table {
    pub(crate) schema: Arc<Schema>,
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) losses: Vec<String>,
}

#[pymethods]
impl Table {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface allows ignoring a requested schema.
        drop(requested_schema);
        let batches: Vec<_> = self.batches.iter().cloned().map(Ok).collect();
        let reader = RecordBatchIterator::new(batches, self.schema.clone());
        PyCapsule::new(py, FFI_ArrowArrayStream::new(Box::new(reader)), Some(name("arrow_array_stream")))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    #[getter]
    fn num_rows(&self) -> usize {
        self.__len__()
    }

    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    #[getter]
    fn losses(&self) -> Vec<String> {
        self.losses.clone()
    }

    fn batches(&self) -> Vec<Batch> {
        self.batches.iter().cloned().map(|batch| Batch { batch }).collect()
    }

    fn __repr__(&self) -> String {
        format!("<jfrkit.Table of {} rows, {} columns>", self.__len__(), self.schema.fields().len())
    }
}

/// Some rows of a table.
#[pyclass(frozen, module = "jfrkit")]
pub(crate) struct Batch {
    batch: RecordBatch,
}

#[pymethods]
impl Batch {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Py<PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        drop(requested_schema);
        let of = StructArray::from(self.batch.clone());
        debug_assert!(matches!(of.data_type(), DataType::Struct(_)));
        let array = FFI_ArrowArray::new(&of.to_data());
        let array = PyCapsule::new(py, array, Some(name("arrow_array")))?;
        Ok((schema_capsule(py, &self.batch.schema())?, array))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.batch.schema())
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    fn __repr__(&self) -> String {
        format!("<jfrkit.Batch of {} rows>", self.batch.num_rows())
    }
}

/// What the reading thread sends.
pub(crate) type Sent = Result<RecordBatch, Failure>;

/// The batches of a table, read on demand.
#[pyclass(frozen, module = "jfrkit")]
pub(crate) struct Batches {
    pub(crate) schema: Arc<Schema>,
    pub(crate) receiver: Mutex<Option<Receiver<Sent>>>,
    pub(crate) stop: Stop,
    pub(crate) file: String,
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.stop.raise();
    }
}

#[pymethods]
impl Batches {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }

    fn __iter__(of: PyRef<'_, Self>) -> PyRef<'_, Self> {
        of
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        loop {
            let waited = py.detach(|| {
                let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
                let receiver = receiver.as_ref();
                receiver.map_or(Err(RecvTimeoutError::Disconnected), |r| r.recv_timeout(Duration::from_millis(20)))
            });
            match waited {
                Ok(Ok(batch)) => return Ok(Some(Batch { batch })),
                Ok(Err(failure)) => {
                    self.close();
                    return Err(failure.raise(py, &self.file));
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => py.check_signals().inspect_err(|_| self.close())?,
            }
        }
    }

    /// Stops reading early.
    fn close(&self) {
        self.stop.raise();
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
