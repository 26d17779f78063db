//! Workers: threads that turn uploads from the spool into profiles, in steps that can be repeated.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Failed, UNMARKED, failed, first, jfr};
use crate::app::App;
use crate::model::{FileEntry, Profile, Status, Upload};
use crate::ops::kill::kill_point;
use parking_lot::{Condvar, Mutex};

/// How often to try an upload that crashes the worker.
const TRIES: u32 = 3;
/// How long to wait after a disk error.
const PAUSE: Duration = Duration::from_secs(2);

/// Uploads waiting for a worker, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    uploads: VecDeque<Upload>,
    working: usize,
    closed: bool,
}

impl Queue {
    pub(crate) fn push(&self, upload: Upload) {
        self.state.lock().uploads.push_back(upload);
        self.changed.notify_all();
    }

    fn take(&self) -> Option<Upload> {
        let mut state = self.state.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(upload) = state.uploads.pop_front() {
                state.working += 1;
                return Some(upload);
            }
            self.changed.wait(&mut state);
        }
    }

    fn done(&self) {
        let mut state = self.state.lock();
        state.working = state.working.saturating_sub(1);
        self.changed.notify_all();
    }

    /// Stops handing out uploads; current work is finished.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits until all workers are idle or the time is up.
    pub(crate) fn wait_idle(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        let mut state = self.state.lock();
        while state.working > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            self.changed.wait_for(&mut state, left);
        }
        true
    }

    /// How many uploads are waiting and how many are being processed.
    pub(crate) fn load(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.uploads.len(), state.working)
    }
}

/// Works until the queue is closed.
pub(crate) fn run(app: &App) {
    while let Some(upload) = app.queue.take() {
        let began = Instant::now();
        let id = upload.id;
        app.index.set_status(id, Status::Processing);
        match catch_unwind(AssertUnwindSafe(|| process(app, &upload))) {
            Ok(Ok(())) => app.metrics.processed(began.elapsed()),
            Ok(Err(error)) => {
                tracing::error!(%id, %error, "an upload cannot be processed now; trying again");
                app.fail("io", Some(id), &error.to_string());
                app.index.set_status(id, Status::Received);
                app.wait(PAUSE);
                app.queue.push(upload);
            }
            Err(_) => {
                tracing::error!(%id, "a worker panicked");
                app.fail("panic", Some(id), "a worker panicked");
                app.index.set_status(id, Status::Received);
                app.queue.push(upload);
            }
        }
        app.queue.done();
    }
}

fn process(app: &App, upload: &Upload) -> std::io::Result<()> {
    let dir = app.spool.path(upload.id);
    if !dir.exists() {
        return Ok(());
    }
    kill_point("worker-began");
    // An upload that crashes the process will do so again, so attempts are counted on disk.
    let tries_file = dir.join("tries");
    let tries = std::fs::read_to_string(&tries_file).ok().and_then(|t| t.trim().parse().ok()).unwrap_or(0u32);
    if tries >= TRIES {
        give_up(app, upload, &dir, &format!("reading it crashed the worker {TRIES} times"))?;
        return app.spool.remove(upload);
    }
    std::fs::write(&tries_file, (tries + 1).to_string())?;
    let done = steps(app, upload, &dir);
    if done.is_err() {
        // A disk error is not the upload's fault: do not count the attempt, and remove half-written files.
        let _ = std::fs::remove_file(&tries_file);
        let _ = app.store.unstage(upload.id);
    }
    done
}

fn steps(app: &App, upload: &Upload, dir: &Path) -> std::io::Result<()> {
    let mut profile = match there(app, upload)? {
        Some(profile) => profile,
        None => match derive(app, upload, dir)? {
            Some(profile) => profile,
            None => return app.spool.remove(upload),
        },
    };
    if profile.pending {
        let staged = app.store.stage(upload.id)?;
        match jfr::second(upload, dir, &staged, &app.rules, &app.bounds, &mut profile) {
            Ok(()) => {}
            Err(Failed::Io(error)) => return Err(error),
            Err(Failed::Unreadable(reason)) => {
                profile.pending = false;
                profile.no_analysis = Some(reason);
            }
        }
        profile.disk_derived = profile.disk_derived.saturating_add(usage(&staged)?);
        let _one = app.commit.lock();
        match app.store.profile(profile.id)? {
            Some(now) => {
                // The same bytes may have arrived again in the meantime.
                (profile.uploads, profile.digests) = (now.uploads, now.digests);
                app.store.join(&profile, &staged)?;
                app.index.put(&profile, &app.store.mark(profile.id)).map_err(std::io::Error::other)?;
            }
            // It was deleted in the meantime.
            None => app.store.unstage(upload.id)?,
        }
    }
    kill_point("worker-indexed");
    app.spool.remove(upload)?;
    app.changed(profile.id);
    Ok(())
}

/// The profile that an earlier attempt made from this upload.
fn there(app: &App, upload: &Upload) -> std::io::Result<Option<Profile>> {
    let mut ids = vec![upload.id];
    ids.extend(app.index.with_digest(&upload.digest));
    let own = super::empty(upload);
    ids.extend(app.index.of_process(&own.process, own.start, own.end));
    for id in ids {
        let Some(mut profile) = app.store.profile(id)? else { continue };
        let known = profile.uploads.contains(&upload.id);
        // The same bytes again, before the first copy was committed.
        let same = profile.digests.contains(&upload.digest) && profile.id != upload.id;
        if !known && !same {
            continue;
        }
        let _one = app.commit.lock();
        if !known {
            profile.uploads.push(upload.id);
            profile.digests.push(upload.digest.clone());
            app.store.rewrite(&profile)?;
        }
        app.index.put(&profile, &app.store.mark(id)).map_err(std::io::Error::other)?;
        if id != upload.id {
            app.index.remove(upload.id).map_err(std::io::Error::other)?;
            profile.pending = false;
        }
        return Ok(Some(profile));
    }
    Ok(None)
}

fn derive(app: &App, upload: &Upload, dir: &Path) -> std::io::Result<Option<Profile>> {
    let staged = app.store.stage(upload.id)?;
    let mut profile = match first(upload, dir, &staged, &app.bounds, &|label| before(app, upload, label)) {
        Ok(profile) => profile,
        Err(Failed::Io(error)) => return Err(error),
        Err(Failed::Unreadable(reason)) => {
            std::fs::remove_dir_all(&staged)?;
            give_up(app, upload, dir, &reason)?;
            return Ok(None);
        }
    };
    profile.disk_received = app.store.put_received(upload, dir)?;
    profile.files = files(upload);
    super::process::analyze(app, &mut profile, &staged)?;
    let _one = app.commit.lock();
    let target = joinable(app, &profile)?;
    if let Some(target) = target {
        profile.disk_derived = usage(&staged)?;
        let mut joined = join(target, profile);
        super::process::analyze(app, &mut joined, &staged)?;
        app.store.join(&joined, &staged)?;
        app.index.put(&joined, &app.store.mark(joined.id)).map_err(std::io::Error::other)?;
        app.index.remove(upload.id).map_err(std::io::Error::other)?;
        app.events.deleted(upload.id);
        app.changed(joined.id);
        return Ok(Some(joined));
    }
    profile.disk_derived = usage(&staged)?;
    app.store.publish(&profile, &staged)?;
    app.index.put(&profile, &UNMARKED).map_err(std::io::Error::other)?;
    kill_point("profile-indexed");
    app.changed(profile.id);
    Ok(Some(profile))
}

/// The part of this name in the previous upload of the same process, if that upload directly precedes this one.
pub(super) fn before(app: &App, upload: &Upload, label: &str) -> Option<std::path::PathBuf> {
    let (start, end) = (upload.start?, upload.end?);
    let profile = app.store.profile(app.index.neighbors(upload.id).0?).ok()??;
    if start.saturating_sub(profile.end).abs() * 2 > end.saturating_sub(start) {
        return None;
    }
    let file = profile.files.iter().find(|file| file.label == label)?;
    app.store.received(file.upload, &file.file)
}

/// A profile of the same process and time range to which this one adds types.
fn joinable(app: &App, profile: &Profile) -> std::io::Result<Option<Profile>> {
    let own: Vec<&str> = profile.present().collect();
    for id in app.index.of_process(&profile.process, profile.start, profile.end) {
        let Some(other) = app.store.profile(id)? else { continue };
        let overlap = profile.end.min(other.end) - profile.start.max(other.start);
        let shorter = (profile.end - profile.start).min(other.end - other.start);
        let same_time = if shorter > 0 { overlap * 10 >= shorter * 8 } else { profile.start == other.start };
        if same_time && !other.pending && other.id != profile.id && other.present().all(|t| !own.contains(&t)) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// Merges both into one profile.
pub(super) fn join(mut to: Profile, from: Profile) -> Profile {
    to.uploads.extend(from.uploads);
    to.digests.extend(from.digests);
    to.start = to.start.min(from.start);
    to.end = to.end.max(from.end);
    to.bytes = to.bytes.saturating_add(from.bytes);
    to.disk_received = to.disk_received.saturating_add(from.disk_received);
    to.disk_derived = to.disk_derived.saturating_add(from.disk_derived);
    for entry in from.types {
        match to.types.iter_mut().find(|t| t.kind == entry.kind) {
            Some(there) if there.absent.is_some() => *there = entry,
            Some(_) => {}
            None => to.types.push(entry),
        }
    }
    if to.cpu_cores.value.is_none() {
        to.cpu_cores = from.cpu_cores;
    }
    if to.alloc_rate.value.is_none() {
        to.alloc_rate = from.alloc_rate;
    }
    for (name, value) in from.metrics {
        if !to.metrics.iter().any(|(n, _)| *n == name) {
            to.metrics.push((name, value));
        }
    }
    for (key, value) in from.tags {
        if !to.tags.iter().any(|(k, _)| *k == key) {
            to.tags.push((key, value));
        }
    }
    to.warnings.extend(from.warnings);
    to.how.extend(from.how);
    for mut file in from.files {
        let mut n = 2;
        let name = file.name.clone();
        while to.files.iter().any(|f| f.name == file.name) {
            file.name = format!("{n}-{name}");
            n += 1;
        }
        to.files.push(file);
    }
    to
}

/// The received files of an upload, with the names for URLs.
pub(super) fn files(upload: &Upload) -> Vec<FileEntry> {
    let mut files: Vec<FileEntry> = Vec::new();
    for part in &upload.parts {
        let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        let mut name: String = part.label().chars().take(80).map(safe).collect();
        name = name.trim_start_matches('.').to_owned();
        if name.is_empty() || files.iter().any(|f| f.name == name) {
            name = format!("{}-{name}", part.file.trim_end_matches(".part"));
        }
        files.push(FileEntry {
            name,
            kind: "received".to_owned(),
            bytes: part.bytes,
            upload: upload.id,
            file: part.file.clone(),
            label: part.label().to_owned(),
            gzipped: false,
        });
    }
    files
}

/// Quarantines an unreadable upload, with a row that says why.
fn give_up(app: &App, upload: &Upload, dir: &Path, reason: &str) -> std::io::Result<()> {
    tracing::warn!(id = %upload.id, protocol = %upload.protocol, reason, "an upload cannot be read");
    app.fail("unreadable", Some(upload.id), reason);
    let mut profile = failed(upload, reason);
    profile.disk_received = app.store.quarantine(upload, dir, reason)?;
    profile.files = files(upload);
    let staged = app.store.stage(upload.id)?;
    let _one = app.commit.lock();
    app.store.publish(&profile, &staged)?;
    app.index.put(&profile, &UNMARKED).map_err(std::io::Error::other)?;
    app.changed(profile.id);
    Ok(())
}

pub(super) fn usage(dir: &Path) -> std::io::Result<u64> {
    std::fs::read_dir(dir)?.try_fold(0u64, |sum, entry| Ok(sum.saturating_add(entry?.metadata()?.len())))
}
