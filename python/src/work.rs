//! Runs work on another thread without the GIL, and turns errors into exceptions.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jfr_parse::{Error, Stop};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde_json::Value;

use crate::JfrError;

/// A failure that did not come from Python.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    offset: Option<u64>,
    /// The error number of the operating system, for example when a file does not exist.
    io: Option<i32>,
    value: bool,
}

impl Failure {
    pub(crate) fn plain(error: &dyn std::fmt::Display) -> Self {
        Self { message: error.to_string(), offset: None, io: None, value: false }
    }

    /// The caller passed an invalid value.
    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self { message: message.into(), offset: None, io: None, value: true }
    }

    pub(crate) fn raise(self, py: Python<'_>, file: &str) -> PyErr {
        if self.value {
            return pyo3::exceptions::PyValueError::new_err(self.message);
        }
        if let Some(code) = self.io {
            return pyo3::exceptions::PyOSError::new_err((code, self.message, file.to_owned()));
        }
        let message = if self.message.starts_with(file) { self.message } else { format!("{file}: {}", self.message) };
        let error = JfrError::new_err(message);
        let value = error.value(py);
        let _ = value.setattr("file", file);
        let _ = value.setattr("offset", self.offset);
        error
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (mut offset, mut io) = (None, None);
        match &error {
            Error::Damaged { offset: at, .. } | Error::LimitExceeded { offset: at, .. } => offset = Some(*at),
            Error::Io { source, .. } => io = source.raw_os_error(),
            _ => {}
        }
        Self { message: error.to_string(), offset, io, value: false }
    }
}

impl From<jfrkit_tables::Error> for Failure {
    fn from(error: jfrkit_tables::Error) -> Self {
        match error {
            jfrkit_tables::Error::Read(error) => error.into(),
            other => Self::plain(&other),
        }
    }
}

impl From<jfr_analyzers::rule::AnalysisError> for Failure {
    fn from(error: jfr_analyzers::rule::AnalysisError) -> Self {
        match error {
            jfr_analyzers::rule::AnalysisError::Read(error) => error.into(),
            other => Self::value(other.to_string()),
        }
    }
}

/// The threads that read recordings, and the process they belong to.
static POOL: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// Creates the threads.
pub(crate) fn threads() -> Result<ThreadPool, Failure> {
    ThreadPoolBuilder::new().build().map_err(|e| Failure::plain(&e))
}

/// The threads of this process. After a fork the child has none of its parent's threads, and work queued for them would
/// never finish, so the child creates its own.
fn pool() -> Result<Arc<ThreadPool>, Failure> {
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    match &*pool {
        Some((of, threads)) if *of == process => Ok(threads.clone()),
        _ => {
            let threads = Arc::new(threads()?);
            // The parent's threads cannot be stopped from here.
            std::mem::forget(pool.replace((process, threads.clone())));
            Ok(threads)
        }
    }
}

/// How often to check for Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(20);

/// Runs work on another thread while this one waits for it and for Ctrl-C, which stops the work.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    file: &str,
    work: impl FnOnce(&Stop) -> Result<T, Failure> + Send,
) -> PyResult<T> {
    let stop = Stop::new();
    let done = std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        let stop = &stop;
        let worker = scope.spawn(move || {
            let done = pool().and_then(|pool| pool.install(|| work(stop)));
            let _ = sender.send(());
            done
        });
        let receiver = Mutex::new(receiver);
        let mut interrupted = None;
        loop {
            let waited = py.detach(|| {
                receiver.lock().map_or(Err(RecvTimeoutError::Disconnected), |receiver| receiver.recv_timeout(PATIENCE))
            });
            if waited != Err(RecvTimeoutError::Timeout) {
                break;
            }
            if interrupted.is_none()
                && let Err(signal) = py.check_signals()
            {
                stop.raise();
                interrupted = Some(signal);
            }
        }
        let done = py.detach(|| worker.join());
        interrupted.map_or(Ok(done), Err)
    });
    match done? {
        Ok(done) => done.map_err(|failure| failure.raise(py, file)),
        Err(_) => Err(pyo3::exceptions::PyRuntimeError::new_err("jfrkit: internal error: a thread panicked")),
    }
}

/// Converts JSON to Python objects.
pub(crate) fn object<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => whole.into_pyobject(py)?.into_any(),
            (None, Some(whole)) => whole.into_pyobject(py)?.into_any(),
            _ => number.as_f64().unwrap_or(f64::NAN).into_pyobject(py)?.into_any(),
        },
        Value::String(text) => text.into_pyobject(py)?.into_any(),
        Value::Array(values) => {
            let list = PyList::empty(py);
            for value in values {
                list.append(object(py, value)?)?;
            }
            list.into_any()
        }
        Value::Object(fields) => {
            let dict = PyDict::new(py);
            for (name, value) in fields {
                dict.set_item(name, object(py, value)?)?;
            }
            dict.into_any()
        }
    })
}
