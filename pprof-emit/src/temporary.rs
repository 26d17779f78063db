//! Temporary files, and their removal when the process is interrupted.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tempfile::NamedTempFile;

/// The files being written by a program that may be interrupted: after a signal, [`abandon`](Self::abandon)
/// removes all unfinished files. Clones refer to the same files.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::io::Write;
///
/// let directory = tempfile::tempdir()?;
/// let (files, path) = (pprof_emit::Files::new(), directory.path().join("whole"));
/// files.write_file(&path, |out| out.write_all(b"all of it"))?;
/// files.abandon();
/// assert_eq!(std::fs::read(path)?, b"all of it");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// The existing temporary files.
    temporary: Arc<Mutex<Vec<PathBuf>>>,
}

impl Files {
    /// No files yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn all(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.temporary.lock()
    }

    /// Removes all unfinished files. Current and future calls that write files through this object never
    /// return, so call this only right before the process ends: after a signal, before `std::process::exit`.
    /// Finished files are not touched.
    pub fn abandon(&self) {
        let mut all = self.all();
        for path in all.drain(..) {
            // There is nobody left to report an error to.
            let _ = std::fs::remove_file(path);
        }
        // Never unlocked again.
        std::mem::forget(all);
    }
}

/// A temporary file that is removed unless it replaces its target.
#[derive(Debug)]
pub(crate) struct Temporary {
    // Removed before it leaves the list.
    pub(crate) file: NamedTempFile,
    listed: Listed,
}

impl Temporary {
    /// Creates an empty file in the directory of `target`.
    pub(crate) fn beside(target: &Path, files: &Files) -> io::Result<Self> {
        let directory = target.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".jfrkit-");
        // Locked, so that no file can be created while all are removed.
        let mut all = files.all();
        let mut failed = None;
        // Created here instead of by tempfile, which would put the name of the temporary file into the error.
        let made = builder
            .make_in(directory, |path| create(path).inspect_err(|error| failed = error.raw_os_error().or(failed)));
        let file = made.map_err(|error| failed.map_or(error, io::Error::from_raw_os_error))?;
        let listed = Listed { path: file.path().to_owned(), files: files.clone() };
        all.push(listed.path.clone());
        drop(all);
        Ok(Self { file, listed })
    }

    /// Renames it to the target.
    pub(crate) fn persist(self, target: &Path) -> io::Result<()> {
        let Self { file, listed } = self;
        // Locked, so that the file is either removed or in place.
        let all = listed.files.all();
        // The error owns the file, and removes it.
        let done = file.persist(target).map(|_| ()).map_err(|failed| failed.error);
        drop(all);
        done
    }
}

/// An entry in the list.
#[derive(Debug)]
struct Listed {
    path: PathBuf,
    files: Files,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.files.all().retain(|path| *path != self.path);
    }
}

/// Creates a new file, with the permissions that the process's umask leaves: the target is an ordinary file.
fn create(path: &Path) -> io::Result<std::fs::File> {
    std::fs::File::options().read(true).write(true).create_new(true).open(path)
}
