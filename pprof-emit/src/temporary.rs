//! Temporary files, and how they go away when the process has to end.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

/// The temporary files that there are.
static ALL: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn all() -> MutexGuard<'static, Vec<PathBuf>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the temporary files of every [`write_file`](crate::write_file) that is under way; these calls, and those
/// that come later, never return. For a program that ends now: after a signal, before `std::process::exit`. What was
/// written before is not touched.
pub fn abandon_files() {
    let mut all = all();
    for path in all.drain(..) {
        // Nobody is left to be told.
        let _ = std::fs::remove_file(path);
    }
    // Never unlocked again.
    std::mem::forget(all);
}

/// A file that is removed unless it takes the place of another.
#[derive(Debug)]
pub(crate) struct Temporary {
    // Removed before it leaves the list.
    pub(crate) file: NamedTempFile,
    listed: Listed,
}

impl Temporary {
    /// An empty file in the directory of another.
    pub(crate) fn beside(target: &Path) -> io::Result<Self> {
        let directory = target.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".jfrkit-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Temporary files are private unless said otherwise; the process's mask still applies.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        // Locked, so that none can appear while all are removed.
        let mut all = all();
        let file = builder.tempfile_in(directory).map_err(without_name)?;
        let listed = Listed(file.path().to_owned());
        all.push(listed.0.clone());
        Ok(Self { file, listed })
    }

    /// Puts it in place of the target.
    pub(crate) fn persist(self, target: &Path) -> io::Result<()> {
        let Self { file, listed: _listed } = self;
        // Locked, so that it is either removed or in place.
        let all = all();
        // The error has the file, and removes it.
        let done = file.persist(target).map(|_| ()).map_err(|failed| failed.error);
        drop(all);
        done
    }
}

/// A place in the list.
#[derive(Debug)]
struct Listed(PathBuf);

impl Drop for Listed {
    fn drop(&mut self) {
        all().retain(|path| *path != self.0);
    }
}

/// The name of a temporary file tells its user nothing.
fn without_name(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((reason, _)) => io::Error::new(error.kind(), reason),
        None => error,
    }
}
