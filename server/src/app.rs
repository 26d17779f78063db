//! State shared by all modules, and how a server starts and stops.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use serde::Serialize;
use tokio::sync::{Semaphore, broadcast};

use crate::config::Options;
use crate::derive::compute::{Bounds, Rules};
use crate::derive::renew::{self, Renewals};
use crate::derive::worker::{self, Queue};
use crate::id::Id;
use crate::index::{Index, Row};
use crate::model::{Status, Upload};
use crate::ops::forward::Forward;
use crate::ops::metrics::Metrics;
use crate::ops::{check, retention};
use crate::spool::Spool;
use crate::store::{FileStore, Store};

/// How many failures the Status page remembers.
const FAILURES: usize = 50;
/// How many requests for the state of the server are answered at once.
const GLANCES: usize = 4;
/// With less free disk space than this, uploads are refused.
const LEAST_FREE: u64 = 1 << 30;

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Invalid or conflicting options.
    #[error("{0}")]
    Usage(String),
    /// The directory or an address cannot be used.
    #[error("{0}")]
    Failed(String),
}

/// What subscribers of `/api/v1/events` receive.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A row was added or changed.
    Profile(Id),
    /// A row was removed.
    Deleted(Id),
    /// Something on the Status page changed.
    Status,
}

/// Notifies subscribers.
#[derive(Debug)]
pub(crate) struct Events(broadcast::Sender<Event>);

impl Events {
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }

    pub(crate) fn profile(&self, id: Id) {
        let _ = self.0.send(Event::Profile(id));
    }

    pub(crate) fn deleted(&self, id: Id) {
        let _ = self.0.send(Event::Deleted(id));
    }

    fn status(&self) {
        let _ = self.0.send(Event::Status);
    }
}

/// A failure, as the Status page lists it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    pub(crate) at: String,
    pub(crate) kind: String,
    pub(crate) id: Option<Id>,
    pub(crate) reason: String,
}

/// The state of a server.
pub(crate) struct App {
    pub(crate) options: Options,
    pub(crate) spool: Spool,
    pub(crate) store: Box<dyn Store>,
    pub(crate) index: Box<dyn Index>,
    pub(crate) queue: Queue,
    pub(crate) renewals: Renewals,
    pub(crate) rules: Rules,
    pub(crate) bounds: Bounds,
    pub(crate) metrics: Metrics,
    pub(crate) events: Events,
    pub(crate) forward: Forward,
    /// Held while a profile is published, changed or deleted: one at a time.
    pub(crate) commit: Mutex<()>,
    failures: Mutex<VecDeque<Failure>>,
    pub(crate) uploads: Arc<Semaphore>,
    pub(crate) queries: Arc<Semaphore>,
    /// For what has to be answered even if all queries are slow.
    pub(crate) glances: Arc<Semaphore>,
    pub(crate) started: i64,
    stopping: Mutex<bool>,
    stopped: Condvar,
    free: AtomicU64,
    pub(crate) decoded: crate::derive::views::Cache,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Released after the last write, so another server can then use the directory.
    lock: Mutex<Option<File>>,
}

impl App {
    /// Opens directory, store, index and spool, and starts the workers.
    pub(crate) fn start(options: Options, reindex: bool) -> Result<Arc<Self>, ServeError> {
        options.check().map_err(ServeError::Usage)?;
        let dir = options.dir.clone();
        let failed = |path: &Path, e: &dyn std::fmt::Display| ServeError::Failed(format!("{}: {e}", path.display()));
        let rules = Rules::new(options.rules.as_deref()).map_err(ServeError::Usage)?;
        make_private(&dir).map_err(|e| failed(&dir, &e))?;
        let lock = lock(&dir)?;
        let store = FileStore::open(&dir.join("store")).map_err(|e| failed(&dir.join("store"), &e))?;
        let index = check::open_index(&dir.join("index.db"), &store, reindex).map_err(ServeError::Failed)?;
        let (spool, waiting) =
            Spool::open(&dir.join("spool"), index.newest()).map_err(|e| failed(&dir.join("spool"), &e))?;
        let spooled: Vec<_> = waiting.iter().map(|upload| (upload.id, spool.path(upload.id))).collect();
        let forward = Forward::open(&dir.join("forward"), options.forward.as_deref(), options.forward_max, &spooled)
            .map_err(|e| failed(&dir, &e))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let app = Arc::new(Self {
            uploads: Arc::new(Semaphore::new(options.uploads)),
            queries: Arc::new(Semaphore::new(cores)),
            glances: Arc::new(Semaphore::new(GLANCES)),
            decoded: crate::derive::views::Cache::new(options.cache),
            spool,
            store: Box::new(store),
            index: Box::new(index),
            queue: Queue::default(),
            renewals: Renewals::default(),
            rules,
            bounds: if options.trusted { Bounds::tool() } else { Bounds::intake() },
            metrics: Metrics::default(),
            events: Events(broadcast::channel(1_024).0),
            forward,
            commit: Mutex::new(()),
            failures: Mutex::default(),
            started: crate::time::now(),
            stopping: Mutex::new(false),
            stopped: Condvar::new(),
            free: AtomicU64::new(u64::MAX),
            options,
            threads: Mutex::default(),
            lock: Mutex::new(Some(lock)),
        });
        app.look_at_disk();
        if !waiting.is_empty() {
            tracing::info!(uploads = waiting.len(), "processing uploads from the spool");
        }
        for upload in waiting {
            app.enqueue(upload);
        }
        for n in 0..app.options.workers {
            app.thread(&format!("worker-{n}"), worker::run)?;
        }
        if !app.options.read_only {
            app.list_outdated();
            app.thread("renew", renew::run)?;
        }
        app.thread("retention", |app| {
            let mut rounds = 0u32;
            while !app.is_stopping() {
                app.look_at_disk();
                if rounds.is_multiple_of(12) || app.is_over() {
                    retention::run(app);
                }
                rounds = rounds.wrapping_add(1);
                app.wait(Duration::from_secs(5));
            }
        })?;
        if app.forward.is_on() {
            app.thread("forward", crate::ops::forward::run)?;
        }
        Ok(app)
    }

    fn list_outdated(&self) {
        match self.store.outdated() {
            Ok(ids) => self.renewals.fill(ids),
            Err(error) => tracing::error!(%error, "cannot list profiles of older versions"),
        }
    }

    fn thread(self: &Arc<Self>, name: &str, work: impl FnOnce(&Self) + Send + 'static) -> Result<(), ServeError> {
        let app = self.clone();
        let spawned = std::thread::Builder::new().name(name.to_owned()).stack_size(8 << 20).spawn(move || work(&app));
        let handle = spawned.map_err(|e| ServeError::Failed(format!("a thread cannot be started: {e}")))?;
        self.threads.lock().push(handle);
        Ok(())
    }

    /// Makes an upload visible to searches and hands it to the workers.
    pub(crate) fn enqueue(&self, upload: Upload) {
        let known = crate::derive::facets(&upload, &crate::derive::FromRecording::default());
        // A pending upload must not replace the row of a finished profile.
        if self.index.row(upload.id).is_none() {
            self.index.show(Row::of_upload(&upload, known, crate::derive::process(&upload), Status::Received));
        }
        self.changed(upload.id);
        self.queue.push(upload);
    }

    /// Announces a new or changed row.
    pub(crate) fn changed(&self, id: Id) {
        self.decoded.forget(id);
        self.events.profile(id);
    }

    /// Announces a removed row.
    pub(crate) fn deleted(&self, id: Id) {
        self.decoded.forget(id);
        self.events.deleted(id);
    }

    /// Records a failure for the Status page.
    pub(crate) fn fail(&self, kind: &str, id: Option<Id>, reason: &str) {
        self.metrics.failed(kind);
        let mut failures = self.failures.lock();
        if failures.len() >= FAILURES {
            failures.pop_back();
        }
        failures.push_front(Failure {
            at: crate::time::rfc3339(crate::time::now()),
            kind: kind.to_owned(),
            id,
            reason: reason.chars().take(1_000).collect(),
        });
        drop(failures);
        self.events.status();
    }

    /// The latest failures, newest first.
    pub(crate) fn failures(&self) -> Vec<Failure> {
        self.failures.lock().iter().cloned().collect()
    }

    /// Free and total bytes of the disk.
    pub(crate) fn free_bytes(&self) -> Option<(u64, u64)> {
        let stat = rustix::fs::statvfs(&self.options.dir).ok()?;
        Some((stat.f_bavail.saturating_mul(stat.f_frsize), stat.f_blocks.saturating_mul(stat.f_frsize)))
    }

    fn look_at_disk(&self) {
        let room = self.free_bytes().map_or(u64::MAX, |(free, all)| {
            // On a small disk, 1 GiB would be too much to keep free.
            let least = self.options.min_free.unwrap_or((all / 20).max(LEAST_FREE).min(all / 4));
            free.saturating_sub(least)
        });
        let before = self.free.swap(room, Ordering::Relaxed);
        if (before == 0) != (room == 0) {
            if room == 0 {
                tracing::error!("the disk is nearly full: uploads are answered with 503");
            }
            self.events.status();
        }
    }

    /// Whether the disk is too full to accept uploads.
    pub(crate) fn is_disk_full(&self) -> bool {
        self.free.load(Ordering::Relaxed) == 0
    }

    /// Why uploads are refused right now, if they are.
    pub(crate) fn overload(&self) -> Option<&'static str> {
        if self.is_stopping() {
            return Some("the server is stopping");
        }
        if self.is_disk_full() {
            return Some("the disk is nearly full");
        }
        if self.spool.load().1 > self.options.spool_max {
            return Some("too many uploads wait for a worker; see --spool-max");
        }
        None
    }

    fn is_over(&self) -> bool {
        let totals = self.index.totals();
        totals.disk_received.saturating_add(totals.disk_derived) > self.options.max_bytes || self.is_disk_full()
    }

    /// Whether the server is shutting down.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.lock()
    }

    /// Sleeps, but returns early if the server stops.
    pub(crate) fn wait(&self, time: Duration) {
        let mut stopping = self.stopping.lock();
        let _ = self.stopped.wait_while_for(&mut stopping, |stopping| !*stopping, time);
    }

    /// Starts the shutdown: no more uploads are accepted.
    pub(crate) fn stop(&self) {
        *self.stopping.lock() = true;
        self.stopped.notify_all();
        self.queue.close();
        self.events.status();
    }

    /// Waits for the workers, then cleans up.
    pub(crate) fn finish(&self, patience: Duration) {
        let end = Instant::now() + patience;
        if !self.queue.wait_idle(patience) {
            tracing::info!("unfinished work stays in the spool");
        }
        self.index.close();
        let threads = std::mem::take(&mut *self.threads.lock());
        while threads.iter().any(|thread| !thread.is_finished()) {
            if Instant::now() >= end {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.lock.lock().take();
    }
}

/// Creates a directory that only this user can access.
fn make_private(dir: &Path) -> std::io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// How long a starting server waits for the previous one to exit.
const HANDOVER: Duration = Duration::from_secs(3);

/// Allows one server per directory. A server that is shutting down, or a child it has just spawned, may hold the lock
/// a little longer.
fn lock(dir: &Path) -> Result<File, ServeError> {
    let path = dir.join("lock");
    let failed = |e: &dyn std::fmt::Display| ServeError::Failed(format!("{}: {e}", path.display()));
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(|e| failed(&e))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if began.elapsed() < HANDOVER => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(fs::TryLockError::WouldBlock) => {
                return Err(ServeError::Failed(format!("{}: another server uses this directory", dir.display())));
            }
            Err(fs::TryLockError::Error(e)) => return Err(failed(&e)),
        }
    }
}
