//! `jfrkit serve`: profilers upload to it, it keeps every upload that it acknowledges, and users search, view and
//! compare the profiles.
//!
//! ```text
//! clients ──HTTP──▶ intake ──fsync──▶ spool ──▶ workers ──▶ store + index ──▶ API ──▶ page
//! ```
//!
//! `intake` turns requests of every protocol into one kind of upload; `spool` makes uploads durable; `derive` turns them
//! into profiles; `store` keeps the files, `index` finds them; `api` answers requests; `ops` runs it all. This crate never
//! computes a profile, a finding or a view itself: `derive/compute.rs` calls the crates that do. Start with `app.rs`.

#![forbid(unsafe_code)]

mod api;
mod app;
mod config;
mod demo;
mod derive;
mod id;
mod index;
mod intake;
mod model;
mod ops;
mod spool;
mod store;
mod time;
pub mod upload;
mod url;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use app::ServeError;
pub use config::{DEFAULT_LISTEN, Options};
pub use id::Id;

use app::App;

/// A server running on its own threads until it is stopped or dropped.
pub struct Server {
    app: Arc<App>,
    runtime: Option<tokio::runtime::Runtime>,
    stop: watch::Sender<bool>,
    serving: Option<tokio::task::JoinHandle<()>>,
    urls: Vec<String>,
}

impl Server {
    /// Opens the directory and starts listening.
    ///
    /// # Errors
    /// The options conflict, the directory cannot be used or is in use by another server, or an address is taken.
    pub fn start(mut options: Options, reindex: bool) -> Result<Self, ServeError> {
        if options.listen.is_empty() {
            options.listen.push(DEFAULT_LISTEN.to_owned());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .max_blocking_threads(256)
            .build()
            .map_err(|e| ServeError::Failed(format!("threads cannot be started: {e}")))?;
        let mut listeners = Vec::new();
        options.check().map_err(ServeError::Usage)?;
        for address in &options.listen {
            listeners.push(runtime.block_on(api::bind(address))?);
        }
        let urls = listeners.iter().map(api::Listener::url).collect();
        let (started, starting) = watch::channel(false);
        let starting = runtime.spawn(api::serve_starting(listeners, starting));
        let app = App::start(options, reindex)?;
        if app.options.demo {
            demo::fill(&app)?;
        }
        let _ = started.send(true);
        let listeners = runtime.block_on(starting).map_err(|e| ServeError::Failed(format!("cannot listen: {e}")))?;
        let (stop, stopped) = watch::channel(false);
        let serving = runtime.spawn(api::serve_all(app.clone(), listeners, stopped));
        Ok(Self { app, runtime: Some(runtime), stop, serving: Some(serving), urls })
    }

    /// The URLs of the server, in the order of `listen`.
    #[must_use]
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Stores a recording or pprof file as `POST /api/v1/recordings` with this query would.
    ///
    /// # Errors
    /// The file is empty, or the directory cannot be written.
    pub fn insert(&self, content: &[u8], query: &str) -> Result<Id, ServeError> {
        api::insert(&self.app, &[("", content)], query, None).map_err(|refusal| ServeError::Failed(refusal.detail))
    }

    /// Waits until these profiles are ready, then returns a time range that finds them all: from the first start to just
    /// after the last start, in milliseconds since 1970, the end exclusive.
    #[must_use]
    pub fn span(&self, ids: &[Id]) -> (i64, i64) {
        let end = std::time::Instant::now() + Duration::from_secs(60);
        loop {
            let rows: Vec<index::Row> =
                ids.iter().filter_map(|id| self.app.index.row(self.app.index.profile_of(*id)?)).collect();
            let waiting = |row: &index::Row| matches!(row.status, model::Status::Received | model::Status::Processing);
            if !rows.iter().any(waiting) || std::time::Instant::now() >= end {
                let starts = || rows.iter().map(|row| row.start);
                return (starts().min().unwrap_or(0), starts().max().unwrap_or(0).saturating_add(1));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops: refuses new uploads, finishes the bodies being received, and finishes the current work or leaves it in the spool.
    pub fn stop(mut self) {
        self.end(Duration::from_secs(10));
    }

    /// Serves until SIGTERM or Ctrl-C, then stops. A second signal ends the process at once.
    pub fn run(mut self) {
        if let Some(runtime) = &self.runtime {
            runtime.block_on(signal());
            tracing::info!("stopping; a second signal ends the process immediately");
            runtime.spawn(async {
                signal().await;
                std::process::exit(1);
            });
        }
        self.end(Duration::from_secs(10));
    }

    fn end(&mut self, patience: Duration) {
        let (Some(runtime), Some(serving)) = (self.runtime.take(), self.serving.take()) else { return };
        self.app.stop();
        let _ = self.stop.send(true);
        let _ = runtime.block_on(serving);
        self.app.finish(patience);
        runtime.shutdown_timeout(Duration::from_millis(100));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end(Duration::from_secs(1));
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}

/// Starts logging to standard error, as text or JSON.
pub fn log(json: bool) {
    ops::log::start(json);
}

/// Compares the store and the index of a directory and returns a line for each difference.
///
/// # Errors
/// The directory cannot be read.
pub fn check(dir: &Path) -> Result<Vec<String>, ServeError> {
    ops::check::check(dir).map_err(ServeError::Failed)
}
