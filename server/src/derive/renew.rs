//! Profiles derived by an older version of jfrkit are derived again from the received data, in the background, newest first.
//!
//! Until then, or if the received data is gone, the page shows them as the older version derived them.

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::compute::Bounds;
use super::worker::{before, files, join, usage};
use super::{Failed, first, jfr, process};
use crate::app::App;
use crate::id::Id;
use crate::model::{Profile, Status, Upload};
use crate::store::DERIVED;
use parking_lot::Mutex;

/// Maximum attempts per profile across restarts, because an attempt may crash the process.
const TRIES: u32 = 3;
/// The count of attempts, beside the older `profile.json`.
const TRIES_FILE: &str = "renew-tries";
/// How long to pause while uploads are processed, which have priority, and after a disk error.
const PAUSE: Duration = Duration::from_millis(500);

/// Profiles to derive again.
#[derive(Debug, Default)]
pub(crate) struct Renewals(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// Oldest first.
    ids: Vec<Id>,
    opened: Vec<Id>,
}

impl Renewals {
    /// Moves a profile that a user opened to the front.
    pub(crate) fn opened(&self, id: Id) {
        let mut waiting = self.0.lock();
        if waiting.ids.contains(&id) && !waiting.opened.contains(&id) {
            waiting.opened.push(id);
        }
    }

    /// How many are waiting.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().ids.len()
    }

    /// Adds ids, newest first.
    pub(crate) fn fill(&self, ids: Vec<Id>) {
        self.0.lock().ids = ids.into_iter().rev().collect();
    }

    fn next(&self) -> Option<Id> {
        let mut waiting = self.0.lock();
        waiting.opened.pop().or_else(|| waiting.ids.last().copied())
    }

    fn done(&self, id: Id) {
        let mut waiting = self.0.lock();
        waiting.ids.retain(|other| *other != id);
        waiting.opened.retain(|other| *other != id);
    }
}

/// What happened to a profile.
enum Outcome {
    Renewed,
    /// It was left as the older version derived it.
    Kept(&'static str),
}

/// Derives all older profiles again, one at a time.
pub(crate) fn run(app: &App) {
    let count = app.renewals.count();
    if count == 0 {
        return;
    }
    tracing::info!(profiles = count, "deriving profiles of an older version again");
    let (mut renewed, mut kept) = (0usize, 0usize);
    while let Some(id) = app.renewals.next() {
        if app.is_stopping() {
            return;
        }
        let (waiting, working) = app.queue.load();
        if waiting > 0 || working >= app.options.workers {
            app.wait(PAUSE);
            continue;
        }
        match catch_unwind(AssertUnwindSafe(|| renew(app, id))) {
            Ok(Ok(Outcome::Renewed)) => renewed = renewed.saturating_add(1),
            Ok(Ok(Outcome::Kept(reason))) => {
                tracing::debug!(%id, reason, "a profile of an older version stays as it is");
                kept = kept.saturating_add(1);
            }
            Ok(Err(error)) => {
                tracing::error!(%id, %error, "a profile cannot be derived again");
                app.fail("io", Some(id), &error.to_string());
                kept = kept.saturating_add(1);
                app.wait(PAUSE);
            }
            Err(_) => {
                tracing::error!(%id, "deriving a profile again panicked");
                app.fail("panic", Some(id), "deriving it again panicked");
                kept = kept.saturating_add(1);
            }
        }
        app.renewals.done(id);
        let _ = app.store.unstage(id);
    }
    tracing::info!(renewed, kept, "profiles of an older version were derived again");
}

fn renew(app: &App, id: Id) -> std::io::Result<Outcome> {
    let Some(old) = app.store.profile(id)? else { return Ok(Outcome::Kept("it was deleted")) };
    if old.derived >= DERIVED {
        // Only the removal of the older files was interrupted.
        let staged = app.store.stage(id)?;
        app.store.renew(&old, &staged)?;
        return Ok(Outcome::Renewed);
    }
    if old.status == Status::Failed {
        return Ok(Outcome::Kept("it could not be read"));
    }
    let Some(uploads) = kept(app, &old)? else { return Ok(Outcome::Kept("its received data is gone")) };
    let tries_file = app.store.derived(id, TRIES_FILE);
    let tries = fs::read_to_string(&tries_file).ok().and_then(|t| t.trim().parse().ok()).unwrap_or(0u32);
    if tries >= TRIES {
        return Ok(Outcome::Kept("it was tried three times"));
    }
    fs::write(&tries_file, tries.saturating_add(1).to_string())?;
    let staged = app.store.stage(id)?;
    let mut made: Option<Profile> = None;
    for (upload, dir) in &uploads {
        let next = match derive(app, upload, dir, &staged) {
            Ok(next) => next,
            Err(Failed::Io(error)) => return Err(error),
            // Keep a profile that the older version could read.
            Err(Failed::Unreadable(_)) => return Ok(Outcome::Kept("this version cannot read it")),
        };
        made = Some(match made {
            Some(profile) => join(profile, next),
            None => next,
        });
    }
    let Some(mut profile) = made else { return Ok(Outcome::Kept("it has no upload")) };
    process::analyze(app, &mut profile, &staged)?;
    profile.disk_derived = usage(&staged)?;
    let _one = app.commit.lock();
    let Some(now) = app.store.profile(id)? else { return Ok(Outcome::Kept("it was deleted")) };
    if now.files.len() != old.files.len() {
        return Ok(Outcome::Kept("another upload was added to it in the meantime"));
    }
    (profile.uploads, profile.digests) = (now.uploads, now.digests);
    (profile.files, profile.bytes, profile.disk_received) = (now.files, now.bytes, now.disk_received);
    app.store.renew(&profile, &staged)?;
    app.index.put(&profile, &app.store.mark(id)).map_err(std::io::Error::other)?;
    app.changed(id);
    Ok(Outcome::Renewed)
}

/// The uploads of a profile with the directories of their parts; `None` if any of them is gone.
fn kept(app: &App, profile: &Profile) -> std::io::Result<Option<Vec<(Upload, PathBuf)>>> {
    let of_files: HashSet<Id> = profile.files.iter().map(|file| file.upload).collect();
    let mut uploads = Vec::new();
    // An identical upload sent again was not stored again.
    for id in profile.uploads.iter().filter(|id| of_files.contains(id)) {
        let Some(upload) = app.store.upload(*id)? else { return Ok(None) };
        let mut dir = None;
        for part in &upload.parts {
            let Some(path) = app.store.received(*id, &part.file) else { return Ok(None) };
            dir = path.parent().map(Path::to_owned);
        }
        let Some(dir) = dir else { return Ok(None) };
        uploads.push((upload, dir));
    }
    Ok((!uploads.is_empty()).then_some(uploads))
}

/// Derives an upload completely, in both stages.
fn derive(app: &App, upload: &Upload, dir: &Path, staged: &Path) -> Result<Profile, Failed> {
    let mut bounds: Bounds = app.bounds.clone();
    if upload.parts.iter().any(|part| part.gzipped) {
        // We compressed it ourselves, so a high ratio does not make it a decompression bomb.
        bounds.limits.unpack_ratio = u64::MAX;
    }
    let mut profile = first(upload, dir, staged, &bounds, &|label| before(app, upload, label))?;
    profile.files = files(upload);
    if profile.pending {
        match jfr::second(upload, dir, staged, &app.rules, &bounds, &mut profile) {
            Ok(()) => {}
            Err(Failed::Io(error)) => return Err(Failed::Io(error)),
            Err(Failed::Unreadable(reason)) => {
                profile.pending = false;
                profile.no_analysis = Some(reason);
            }
        }
    }
    Ok(profile)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_renewed_first_unless_another_is_opened() {
        let ids: Vec<Id> = ["01J00000000000000000000001", "01J00000000000000000000002", "01J00000000000000000000003"]
            .iter()
            .map(|id| Id::parse(id).unwrap())
            .collect();
        let renewals = Renewals::default();
        renewals.fill(ids.iter().rev().copied().collect());
        renewals.opened(ids[0]);
        let mut order = Vec::new();
        while let Some(id) = renewals.next() {
            order.push(id);
            renewals.done(id);
        }
        assert_eq!(order, [ids[0], ids[2], ids[1]]);
        renewals.opened(ids[1]);
        assert_eq!(renewals.next(), None);
    }
}
