//! The spool: durable uploads that wait for a worker.
//!
//! `tmp/ID` is being received, `ID` is acknowledged. First the parts are written and synced, then the directory is synced
//! and renamed, then its parent is synced, and only then the client gets its answer. Anything left in `tmp` at startup was
//! never acknowledged.
//!
//! Parsing requests belongs in `intake`, and what happens after a worker has taken the upload in `derive` and `store`. Start
//! with [`Spool`], then `draft.rs`, an upload being received.

mod draft;
mod sync;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

pub(crate) use draft::{Draft, hex};
pub(crate) use sync::SharedSync;

use crate::id::{Id, Ids};
use crate::model::Upload;
use crate::ops::kill::kill_point;

/// The directory of the spool.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    tmp: PathBuf,
    parent: SharedSync,
    ids: Ids,
    /// Waiting uploads by digest.
    digests: Mutex<HashMap<String, Id>>,
    bytes: AtomicU64,
    count: AtomicU64,
}

impl Spool {
    /// Opens the spool, removes unacknowledged uploads and returns the acknowledged ones, oldest first.
    pub(crate) fn open(dir: &Path, last: Option<Id>) -> io::Result<(Self, Vec<Upload>)> {
        let tmp = dir.join("tmp");
        fs::create_dir_all(&tmp)?;
        for entry in fs::read_dir(&tmp)? {
            let path = entry?.path();
            if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
        }
        let mut waiting = Vec::new();
        let mut digests = HashMap::new();
        let mut bytes = 0u64;
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let Some(id) = entry.file_name().to_str().and_then(Id::parse) else { continue };
            let text = match fs::read(entry.path().join("upload.json")) {
                Ok(text) => text,
                Err(error) => {
                    tracing::error!(%id, %error, "an upload in the spool cannot be read; it stays where it is");
                    continue;
                }
            };
            match serde_json::from_slice::<Upload>(&text) {
                Ok(upload) => {
                    bytes = bytes.saturating_add(size(&upload));
                    digests.insert(upload.digest.clone(), id);
                    waiting.push(upload);
                }
                Err(error) => {
                    tracing::error!(%id, %error, "an upload in the spool cannot be read; it stays where it is")
                }
            }
        }
        waiting.sort_by_key(|upload| upload.id);
        let last = waiting.last().map(|u| u.id).max(last);
        let spool = Self {
            parent: SharedSync::new(dir),
            dir: dir.to_owned(),
            tmp,
            ids: Ids::after(last),
            digests: Mutex::new(digests),
            bytes: AtomicU64::new(bytes),
            count: AtomicU64::new(u64::try_from(waiting.len()).unwrap_or(0)),
        };
        Ok((spool, waiting))
    }

    /// Creates a draft for an upload.
    pub(crate) fn draft(&self, limit: u64) -> io::Result<Draft> {
        Draft::new(&self.tmp, self.ids.next(crate::time::now()), limit)
    }

    /// The directory of a waiting upload.
    pub(crate) fn path(&self, id: Id) -> PathBuf {
        self.dir.join(id.to_string())
    }

    /// The waiting upload with this digest.
    pub(crate) fn with_digest(&self, digest: &str) -> Option<Id> {
        self.digests.lock().get(digest).copied()
    }

    /// Makes an upload durable. If an identical one is already waiting, returns that one's id and `false` instead.
    pub(crate) fn commit(&self, mut draft: Draft, upload: &Upload) -> io::Result<(Id, bool)> {
        if let Some(id) = self.with_digest(&upload.digest) {
            return Ok((id, false));
        }
        kill_point("spool-written");
        draft.write_own("upload.json", &serde_json::to_vec(upload)?)?;
        draft.sync()?;
        kill_point("spool-synced");
        fs::rename(&draft.dir, self.path(upload.id))?;
        draft.keep();
        kill_point("spool-renamed");
        self.parent.sync()?;
        kill_point("spool-durable");
        self.bytes.fetch_add(size(upload), Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.digests.lock().insert(upload.digest.clone(), upload.id);
        Ok((upload.id, true))
    }

    /// Removes an upload that a worker has finished.
    pub(crate) fn remove(&self, upload: &Upload) -> io::Result<()> {
        let aside = self.tmp.join(format!("{}.done", upload.id));
        match fs::rename(self.path(upload.id), &aside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        }
        self.bytes.fetch_sub(size(upload).min(self.bytes.load(Ordering::Relaxed)), Ordering::Relaxed);
        self.count.fetch_sub(1.min(self.count.load(Ordering::Relaxed)), Ordering::Relaxed);
        self.digests.lock().remove(&upload.digest);
        fs::remove_dir_all(&aside)
    }

    /// How many uploads are waiting, and their bytes.
    pub(crate) fn load(&self) -> (u64, u64) {
        (self.count.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// Total bytes of the parts.
pub(crate) fn size(upload: &Upload) -> u64 {
    upload.parts.iter().fold(0, |sum, part| sum.saturating_add(part.bytes))
}
