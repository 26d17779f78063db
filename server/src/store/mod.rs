//! The store: what clients sent and what was derived from it, as files. It is the source of truth; the index is a cache.
//!
//! To keep profiles elsewhere, implement [`Store`]; [`FileStore`] keeps them in a directory.
//!
//! Searching belongs in `index`, uploads that wait for a worker belong in `spool`, and what a file contains in
//! `derive`. Start with the trait, then `files.rs`, whose first line shows the directories.

mod files;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

pub(crate) use files::{DERIVED, FileStore};

use crate::id::Id;
use crate::model::{Mark, Profile, Upload};

/// Reads a file that the server may have compressed.
pub(crate) fn reader(path: &Path, gzipped: bool) -> io::Result<Box<dyn Read + Send>> {
    let file = BufReader::with_capacity(64 << 10, File::open(path)?);
    Ok(if gzipped { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Stores uploads and profiles.
pub(crate) trait Store: Send + Sync {
    /// Stores what a client sent, from the spool's directory. Can be repeated. Returns the bytes that it takes.
    fn put_received(&self, upload: &Upload, from: &Path) -> io::Result<u64>;
    /// Creates an empty directory for derived files.
    fn stage(&self, id: Id) -> io::Result<PathBuf>;
    /// Removes staged files and anything else half-done for an upload.
    fn unstage(&self, id: Id) -> io::Result<()>;
    /// Publishes a profile with its staged files atomically.
    fn publish(&self, profile: &Profile, staged: &Path) -> io::Result<()>;
    /// Adds staged files to a published profile and replaces its description.
    fn join(&self, profile: &Profile, staged: &Path) -> io::Result<()>;
    /// Replaces the description of a profile.
    fn rewrite(&self, profile: &Profile) -> io::Result<()>;
    /// Stores an unreadable upload with the reason.
    fn quarantine(&self, upload: &Upload, from: &Path, reason: &str) -> io::Result<u64>;
    /// Reads a profile.
    fn profile(&self, id: Id) -> io::Result<Option<Profile>>;
    /// What a user set on a profile.
    fn mark(&self, id: Id) -> Mark;
    /// Sets the mark of a profile.
    fn set_mark(&self, id: Id, mark: &Mark) -> io::Result<()>;
    /// Reads a stored upload.
    fn upload(&self, id: Id) -> io::Result<Option<Upload>>;
    /// The path of a derived file.
    fn derived(&self, id: Id, file: &str) -> PathBuf;
    /// The path of a received part.
    fn received(&self, id: Id, file: &str) -> Option<PathBuf>;
    /// Removes received data, also that of uploads in quarantine.
    fn remove_received(&self, uploads: &[Id]) -> io::Result<()>;
    /// Removes a profile completely.
    fn remove(&self, id: Id, uploads: &[Id]) -> io::Result<()>;
    /// Calls `each` with all profiles received at `since` or later, oldest first.
    fn each(&self, since: i64, each: &mut dyn FnMut(Profile, Mark)) -> io::Result<()>;
    /// Profiles that an older version of jfrkit derived, newest first.
    fn outdated(&self) -> io::Result<Vec<Id>>;
    /// Replaces the files of an older version by the staged ones. Can be repeated.
    fn renew(&self, profile: &Profile, staged: &Path) -> io::Result<()>;
}
