//! Forwards Datadog uploads to the vendor's agent unchanged, in the background.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::kill::kill_point;
use crate::app::App;
use crate::id::Id;
use crate::intake::body::RAW;
use crate::model::Upload;

/// How long to keep trying an upload.
const PATIENCE: i64 = 24 * 3_600_000;
/// The longest pause between two attempts, in seconds.
const LONGEST_WAIT: u64 = 300;
/// The file in the directory of an upload that describes how to forward it. While it exists, the upload is not queued.
const ENVELOPE: &str = "forward.json";

/// Uploads waiting to be forwarded.
#[derive(Debug)]
pub(crate) struct Forward {
    dir: PathBuf,
    to: Option<String>,
    most: u64,
    count: AtomicU64,
    bytes: AtomicU64,
    state: Mutex<State>,
}

/// The state shown on the Status page.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct State {
    pub(crate) sent: u64,
    pub(crate) failed: u64,
    pub(crate) dropped: u64,
    pub(crate) last_error: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    received_at: i64,
    path: String,
    headers: Vec<(String, String)>,
    bytes: u64,
}

/// Hop-by-hop headers, and those that the HTTP client sets itself.
const HOP: [&str; 12] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "host",
    "content-length",
    "expect",
    "via",
];

impl Forward {
    /// Opens the queue, and adds the uploads in these directories of the spool that are not queued yet.
    pub(crate) fn open(dir: &Path, to: Option<&str>, most: u64, spooled: &[(Id, PathBuf)]) -> io::Result<Self> {
        let forward = Self {
            dir: dir.to_owned(),
            to: to.map(str::to_owned),
            most,
            count: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            state: Mutex::default(),
        };
        if to.is_some() {
            fs::create_dir_all(dir)?;
            for (id, upload) in spooled {
                forward.take(*id, upload)?;
            }
            let waiting = forward.waiting()?;
            for entry in fs::read_dir(dir)? {
                // Remove a body whose description was not written before a crash.
                let path = entry?.path();
                let of = path.file_stem().and_then(|stem| stem.to_str()).and_then(Id::parse);
                if !of.is_some_and(|id| waiting.contains(&id)) {
                    fs::remove_file(&path)?;
                }
            }
            for id in waiting {
                if let Ok(envelope) = forward.envelope(id) {
                    forward.count.fetch_add(1, Ordering::Relaxed);
                    forward.bytes.fetch_add(envelope.bytes, Ordering::Relaxed);
                }
            }
        }
        Ok(forward)
    }

    /// Whether forwarding is enabled.
    pub(crate) fn is_on(&self) -> bool {
        self.to.is_some()
    }

    fn file(&self, id: Id, ending: &str) -> PathBuf {
        self.dir.join(format!("{id}.{ending}"))
    }

    fn waiting(&self) -> io::Result<Vec<Id>> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let name = entry?.file_name();
            ids.extend(name.to_str().and_then(|n| n.strip_suffix(".json")).and_then(Id::parse));
        }
        ids.sort();
        Ok(ids)
    }

    fn envelope(&self, id: Id) -> io::Result<Envelope> {
        Ok(serde_json::from_slice(&fs::read(self.file(id, "json"))?)?)
    }

    /// Durably writes a description of an upload to its directory, which contains the body as received. From then on,
    /// [`queue`](Self::queue) can queue it, even after a restart. Returns `false` if the queue is full.
    pub(crate) fn describe(&self, dir: &Path, upload: &Upload, headers: &[(String, String)]) -> io::Result<bool> {
        let body = File::open(dir.join(RAW))?;
        let bytes = body.metadata()?.len();
        if self.bytes.load(Ordering::Relaxed).saturating_add(bytes) > self.most {
            self.with(|s| {
                s.dropped += 1;
                s.last_error = Some("the queue is full; see --forward-max".to_owned());
            });
            return Ok(false);
        }
        let path =
            if upload.query.is_empty() { upload.path.clone() } else { format!("{}?{}", upload.path, upload.query) };
        let headers = headers.iter().filter(|(name, _)| !HOP.contains(&name.as_str())).cloned().collect();
        let envelope = Envelope { received_at: upload.received_at, path, headers, bytes };
        body.sync_data()?;
        let aside = dir.join("forward.new");
        fs::write(&aside, serde_json::to_vec(&envelope)?)?;
        File::open(&aside)?.sync_data()?;
        fs::rename(aside, dir.join(ENVELOPE))?;
        Ok(true)
    }

    /// Queues an upload that is described in its directory.
    pub(crate) fn queue(&self, id: Id, dir: &Path) -> io::Result<()> {
        self.take(id, dir)?;
        let bytes = fs::metadata(self.file(id, "body"))?.len();
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Moves an upload that is described in its directory to the queue; does nothing if there is no description.
    fn take(&self, id: Id, dir: &Path) -> io::Result<()> {
        let described = dir.join(ENVELOPE);
        if !described.exists() {
            return Ok(());
        }
        match fs::rename(dir.join(RAW), self.file(id, "body")) {
            // An earlier attempt got as far as this.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            moved => moved?,
        }
        kill_point("forward-moved");
        fs::rename(described, self.file(id, "json"))?;
        File::open(&self.dir)?.sync_all()
    }

    fn with(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock());
    }

    /// How many uploads are waiting, and their bytes.
    pub(crate) fn load(&self) -> (u64, u64) {
        (self.count.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    pub(crate) fn state(&self) -> State {
        self.state.lock().clone()
    }

    fn done(&self, id: Id, bytes: u64) {
        let _ = fs::remove_file(self.file(id, "json"));
        let _ = fs::remove_file(self.file(id, "body"));
        self.count.fetch_sub(1.min(self.count.load(Ordering::Relaxed)), Ordering::Relaxed);
        self.bytes.fetch_sub(bytes.min(self.bytes.load(Ordering::Relaxed)), Ordering::Relaxed);
    }
}

/// Forwards until the server stops.
pub(crate) fn run(app: &App) {
    let Some(to) = app.forward.to.clone() else { return };
    let agent = crate::upload::agent(Duration::from_secs(60));
    let mut wait = 1u64;
    while !app.is_stopping() {
        let next = app.forward.waiting().ok().and_then(|ids| ids.first().copied());
        let Some(id) = next else {
            app.wait(Duration::from_millis(500));
            continue;
        };
        let Ok(envelope) = app.forward.envelope(id) else {
            app.forward.done(id, 0);
            continue;
        };
        if crate::time::now() - envelope.received_at > PATIENCE {
            app.forward.done(id, envelope.bytes);
            app.forward.with(|s| s.dropped += 1);
            app.metrics.forwarded("dropped");
            continue;
        }
        match send(&agent, &to, &envelope, &app.forward.file(id, "body")) {
            Ok(status) if status < 500 && status != 429 => {
                app.forward.done(id, envelope.bytes);
                wait = 1;
                let refused = status >= 400;
                app.forward.with(|s| {
                    if refused {
                        s.failed += 1;
                        s.last_error = Some(format!("{to} answered {status}"));
                    } else {
                        s.sent += 1;
                    }
                });
                app.metrics.forwarded(if refused { "refused" } else { "sent" });
            }
            other => {
                let reason = other.map_or_else(|e| e, |status| format!("{to} answered {status}"));
                tracing::warn!(%id, reason, wait, "an upload cannot be forwarded; trying again");
                app.forward.with(|s| {
                    s.failed += 1;
                    s.last_error = Some(reason);
                });
                app.metrics.forwarded("failed");
                app.wait(Duration::from_secs(wait));
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

fn send(agent: &ureq::Agent, to: &str, envelope: &Envelope, body: &Path) -> Result<u16, String> {
    let file = File::open(body).map_err(|e| e.to_string())?;
    let mut request = agent.post(format!("{to}{}", envelope.path));
    for (name, value) in &envelope.headers {
        request = request.header(name, value);
    }
    request = request.header("via", "1.1 jfrkit").header("content-length", envelope.bytes.to_string());
    request.send(file).map(|answer| answer.status().as_u16()).map_err(|e| e.to_string())
}
