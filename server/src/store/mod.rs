//! The store: what clients sent and what was made of it, as files. It is the truth; the index is a cache of it.
//!
//! Whoever keeps profiles elsewhere implements [`Store`]; [`FileStore`] keeps them in a directory.

mod files;

use std::io;
use std::path::{Path, PathBuf};

pub(crate) use files::{DERIVED, FileStore};

use crate::id::Id;
use crate::model::{Mark, Profile, Upload};

/// Keeps uploads and profiles.
pub(crate) trait Store: Send + Sync {
    /// Keeps what a client sent, from the directory of the spool. Can be repeated. Returns the bytes that it takes.
    fn put_received(&self, upload: &Upload, from: &Path) -> io::Result<u64>;
    /// An empty directory in which to make derived files.
    fn stage(&self, id: Id) -> io::Result<PathBuf>;
    /// Removes what was staged and everything else half made of an upload.
    fn unstage(&self, id: Id) -> io::Result<()>;
    /// Makes a profile of the staged files visible, all at once.
    fn publish(&self, profile: &Profile, staged: &Path) -> io::Result<()>;
    /// Adds staged files to a profile that is visible already, and replaces its description.
    fn join(&self, profile: &Profile, staged: &Path) -> io::Result<()>;
    /// Replaces the description of a profile.
    fn rewrite(&self, profile: &Profile) -> io::Result<()>;
    /// Keeps an upload that could not be read, with the reason.
    fn quarantine(&self, upload: &Upload, from: &Path, reason: &str) -> io::Result<u64>;
    /// A profile.
    fn profile(&self, id: Id) -> io::Result<Option<Profile>>;
    /// What a user set on it.
    fn mark(&self, id: Id) -> Mark;
    /// Sets that.
    fn set_mark(&self, id: Id, mark: &Mark) -> io::Result<()>;
    /// An upload that is kept.
    fn upload(&self, id: Id) -> io::Result<Option<Upload>>;
    /// Where a derived file is to be read.
    fn derived(&self, id: Id, file: &str) -> PathBuf;
    /// Where a received part is to be read.
    fn received(&self, id: Id, file: &str) -> Option<PathBuf>;
    /// Removes what was received.
    fn remove_received(&self, uploads: &[Id]) -> io::Result<()>;
    /// Removes a profile with everything.
    fn remove(&self, id: Id, uploads: &[Id]) -> io::Result<()>;
    /// Calls `each` with all profiles received at `since` or later, oldest first.
    fn each(&self, since: i64, each: &mut dyn FnMut(Profile, Mark)) -> io::Result<()>;
    /// Profiles that an older version of jfrkit derived, newest first.
    fn outdated(&self) -> io::Result<Vec<Id>>;
    /// Puts the staged files of a profile in the place of those that an older version of jfrkit made. Can be repeated.
    fn renew(&self, profile: &Profile, staged: &Path) -> io::Result<()>;
    /// Removes what is in quarantine for longer than this, milliseconds.
    fn expire_quarantine(&self, before: i64) -> io::Result<Vec<Id>>;
}
