//! Comparing the index with the store, and rebuilding it.

use std::collections::HashSet;
use std::path::Path;

use crate::index::{Index, IndexError, SqliteIndex};
use crate::store::{FileStore, Store};

/// At each start, rows within this many milliseconds of the newest are compared with the store.
const RECENT: i64 = 2 * 3_600_000;

/// Opens the index. A missing or damaged one is rebuilt from the store.
pub(crate) fn open_index(path: &Path, store: &dyn Store, anew: bool) -> Result<SqliteIndex, String> {
    let missing = !path.exists();
    if anew && !missing {
        SqliteIndex::set_aside(path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    let (index, damaged) = match SqliteIndex::open(path).and_then(whole) {
        Ok(index) => (index, false),
        // If the disk is full or read-only, a new file on it does not help.
        Err(error) if !error.is_damage() => return Err(format!("{}: {error}", path.display())),
        Err(error) => {
            tracing::warn!(%error, "the index is damaged and is rebuilt from the store");
            SqliteIndex::set_aside(path).map_err(|e| format!("{}: {e}", path.display()))?;
            (SqliteIndex::open(path).map_err(|e| format!("{}: {e}", path.display()))?, true)
        }
    };
    if anew || missing || damaged {
        fill(&index, store, 0);
    } else {
        // Restore what a lost write-ahead log contained.
        let since = index.newest().map_or(0, |id| id.millis() - RECENT);
        fill(&index, store, since);
    }
    Ok(index)
}

/// Rejects a damaged index. Large ones are only checked by `--check`, because it takes too long.
fn whole(index: SqliteIndex) -> Result<SqliteIndex, IndexError> {
    const LARGE: u64 = 64 << 20;
    if index.bytes() <= LARGE
        && let Some(found) = index.integrity()?
    {
        return Err(IndexError::Damaged(found));
    }
    Ok(index)
}

/// Adds missing and changed profiles of the store to the index.
fn fill(index: &SqliteIndex, store: &dyn Store, since: i64) {
    let known: HashSet<_> = index.ids().into_iter().collect();
    let mut added = 0usize;
    let result = store.each(since, &mut |profile, mark| {
        let same = |row: crate::index::Row| {
            let now = crate::index::Row::of(&profile, &mark);
            (row.types, row.rules, row.disk_derived, row.status) == (now.types, now.rules, now.disk_derived, now.status)
        };
        if !known.contains(&profile.id) || !index.row(profile.id).is_some_and(same) {
            match index.put(&profile, &mark) {
                Ok(()) => added += 1,
                Err(error) => tracing::error!(id = %profile.id, %error, "a profile cannot be added to the index"),
            }
        }
    });
    if let Err(error) = result {
        tracing::error!(%error, "the store cannot be read");
    }
    if added > 0 {
        tracing::info!(added, "profiles were added to the index from the store");
    }
}

/// Compares the store and the index; returns a line for each difference.
pub(crate) fn check(dir: &Path) -> Result<Vec<String>, String> {
    // A server may be using this directory, so change nothing.
    if !dir.join("store").is_dir() {
        return Err(format!("{}: there is no store", dir.display()));
    }
    let store = FileStore::existing(&dir.join("store"));
    let path = dir.join("index.db");
    if !path.exists() {
        return Ok(vec!["index: it is missing; the next start rebuilds it".to_owned()]);
    }
    let mut differences = Vec::new();
    let index = match SqliteIndex::open(&path) {
        Ok(index) => index,
        Err(error) => return Ok(vec![error.to_string()]),
    };
    match index.integrity() {
        Ok(None) => {}
        Ok(Some(found)) => differences.push(format!("index: {found}")),
        Err(error) => differences.push(error.to_string()),
    }
    let mut rows: HashSet<_> = index.ids().into_iter().collect();
    store
        .each(0, &mut |profile, mark| {
            if !rows.remove(&profile.id) {
                differences.push(format!("{}: in the store, not in the index", profile.id));
            }
            for file in profile.types.iter().filter_map(|t| t.file.as_deref()) {
                if !store.derived(profile.id, file).is_file() {
                    differences.push(format!("{}: the derived file {file} is missing", profile.id));
                }
            }
            if mark.received_removed.is_none() {
                for file in &profile.files {
                    match verify(&store, file) {
                        Ok(true) => {}
                        Ok(false) => differences
                            .push(format!("{}: the received file {} is not what was sent", profile.id, file.name)),
                        Err(error) => {
                            differences.push(format!("{}: the received file {}: {error}", profile.id, file.name))
                        }
                    }
                }
            }
        })
        .map_err(|e| e.to_string())?;
    differences.extend(rows.iter().map(|id| format!("{id}: in the index, not in the store")));
    Ok(differences)
}

/// Whether a received part matches its hash.
fn verify(store: &FileStore, file: &crate::model::FileEntry) -> std::io::Result<bool> {
    use sha2::Digest;
    let upload = store.upload(file.upload)?.ok_or_else(|| std::io::Error::other("its upload.json is missing"))?;
    let part =
        upload.parts.iter().find(|p| p.file == file.file).ok_or_else(|| std::io::Error::other("no such part"))?;
    let path = store.received(file.upload, &file.file).ok_or_else(|| std::io::Error::other("it is missing"))?;
    let mut reader = crate::store::reader(&path, part.gzipped)?;
    let mut hash = sha2::Sha256::new();
    let mut piece = vec![0u8; 64 << 10];
    loop {
        let n = reader.read(&mut piece)?;
        if n == 0 {
            return Ok(crate::spool::hex(&hash.finalize()) == part.sha256);
        }
        hash.update(piece.get(..n).unwrap_or_default());
    }
}
