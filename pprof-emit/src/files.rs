//! Writes files atomically.

use std::cmp::Reverse;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jfrkit_profile::{Profile, ProfileSet, ProfileType};
use rayon::prelude::*;

use crate::temporary::{Files, Temporary};
use crate::write::{Options, Stats};
use crate::writer::Writer;

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct WriteError {
    /// The path of the file.
    pub path: PathBuf,
    /// The reason.
    #[source]
    pub source: io::Error,
}

/// A profile that was written to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The profile type.
    pub kind: ProfileType,
    /// The path of the file.
    pub path: PathBuf,
    /// The size of its content.
    pub stats: Stats,
}

/// Writes all profiles of a set as pprof, in parallel, each to the file returned by `path`. If a profile cannot
/// be written, its file is not created; the others are kept. The results are in the order of the profiles.
pub fn write_each(
    set: &ProfileSet,
    path: impl Fn(&Profile) -> PathBuf + Sync,
    options: &Options,
) -> Vec<Result<Written, WriteError>> {
    Files::new().write_each(set, path, options)
}

/// A file that is written over a longer time and appears once it is [complete](Self::complete). Dropping it leaves nothing behind.
#[derive(Debug)]
pub struct Unfinished {
    temporary: Temporary,
    target: PathBuf,
}

impl Unfinished {
    /// The file to write to.
    pub fn file(&mut self) -> &mut File {
        self.temporary.file.as_file_mut()
    }

    /// Moves the file to its place, replacing an existing one.
    ///
    /// # Errors
    /// Errors of the file system; an existing file is then unchanged.
    pub fn complete(self) -> Result<PathBuf, WriteError> {
        let Self { temporary, target } = self;
        match temporary.persist(&target) {
            Ok(()) => Ok(target),
            Err(source) => Err(WriteError { path: target, source }),
        }
    }
}

impl Files {
    /// Starts a file that will appear at `path`.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn begin(&self, path: &Path) -> Result<Unfinished, WriteError> {
        let failed = |source| WriteError { path: path.to_owned(), source };
        let temporary = Temporary::beside(path, self).map_err(failed)?;
        Ok(Unfinished { temporary, target: path.to_owned() })
    }

    /// Same as [`write_each`](crate::write_each()).
    pub fn write_each(
        &self,
        set: &ProfileSet,
        path: impl Fn(&Profile) -> PathBuf + Sync,
        options: &Options,
    ) -> Vec<Result<Written, WriteError>> {
        let writer = Writer::for_all(&set.tables, options);
        let write = |profile: &Profile| {
            let path = path(profile);
            let stats = self.write_file(&path, |out| writer.write(profile, out))?;
            Ok(Written { kind: profile.kind, path, stats })
        };
        let mut order: Vec<(usize, &Profile)> = set.profiles.iter().enumerate().collect();
        // Large profiles first, so that all threads finish at about the same time.
        order.sort_by_key(|(_, profile)| Reverse(profile.samples.len()));
        let written = order.par_iter().with_max_len(1).map(|&(place, profile)| (place, write(profile)));
        let mut written: Vec<(usize, Result<Written, WriteError>)> = written.collect();
        written.sort_by_key(|&(place, _)| place);
        written.into_iter().map(|(_, written)| written).collect()
    }

    /// Same as [`write_file`](crate::write_file).
    ///
    /// # Errors
    /// Same as [`write_file`](crate::write_file).
    pub fn write_file<T>(&self, path: &Path, fill: impl FnOnce(&mut File) -> io::Result<T>) -> Result<T, WriteError> {
        write_file_inner(path, self, fill).map_err(|source| WriteError { path: path.to_owned(), source })
    }
}

/// Like [`write_each`], but fails unless all files are written.
///
/// # Errors
/// The first failure in the order of the profiles.
pub fn write_all(
    set: &ProfileSet,
    path: impl Fn(&Profile) -> PathBuf + Sync,
    options: &Options,
) -> Result<Vec<Written>, WriteError> {
    write_each(set, path, options).into_iter().collect()
}

/// Writes a file atomically: writes to a temporary file in the same directory, and renames it to `path` after
/// `fill` succeeds. A symbolic link is followed. Anything that is not a regular file (a pipe, `/dev/stdout`) is
/// written directly.
///
/// # Errors
/// Errors of `fill` and of the file system. In that case, an existing file is unchanged and the temporary file
/// is removed. If the process may be interrupted, use [`Files`], which also removes the temporary file then.
pub fn write_file<T>(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<T>) -> Result<T, WriteError> {
    Files::new().write_file(path, fill)
}

fn write_file_inner<T>(path: &Path, files: &Files, fill: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
    let target = match fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(there) if !there.is_file() => {
            let mut file = File::options().write(true).open(path)?;
            let done = fill(&mut file)?;
            file.flush()?;
            return Ok(done);
        }
        // Replaces the file that a link points to, not the link.
        Ok(_) => fs::canonicalize(path)?,
        Err(_) => path.to_owned(),
    };
    let mut temporary = Temporary::beside(&target, files)?;
    let done = fill(temporary.file.as_file_mut())?;
    temporary.persist(&target)?;
    Ok(done)
}
