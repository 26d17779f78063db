//! Deletes what is too old or too large: first received data, then whole profiles, but never pinned ones.

use crate::app::App;
use crate::id::Id;
use crate::model::{Mark, Profile};

/// How long to keep unreadable uploads, in milliseconds.
const QUARANTINE: i64 = 7 * 86_400_000;

/// Deletes what exceeds the limits.
pub(crate) fn run(app: &App) {
    let now = crate::time::now();
    let mut rows = app.index.by_age();
    let mut total: u64 =
        rows.iter().fold(0, |sum, r| sum.saturating_add(r.disk_received).saturating_add(r.disk_derived));
    // By age.
    for row in &mut rows {
        if row.pinned {
            continue;
        }
        if now - row.received_at > app.options.keep {
            total = total.saturating_sub(row.disk_received).saturating_sub(row.disk_derived);
            (row.disk_received, row.disk_derived) = (0, 0);
            report(row.id, remove(app, row.id));
        } else if row.disk_received > 0 && now - row.received_at > keep_received(app, row.failed) {
            total = total.saturating_sub(row.disk_received);
            row.disk_received = 0;
            report(row.id, remove_received(app, row.id));
        }
    }
    // By size.
    if total > app.options.max_bytes {
        for row in rows.iter_mut().filter(|r| !r.pinned && r.disk_received > 0) {
            if total <= app.options.max_bytes {
                break;
            }
            total = total.saturating_sub(row.disk_received);
            row.disk_received = 0;
            report(row.id, remove_received(app, row.id));
        }
        for row in rows.iter().filter(|r| !r.pinned && r.disk_derived > 0) {
            if total <= app.options.max_bytes {
                break;
            }
            total = total.saturating_sub(row.disk_derived);
            report(row.id, remove(app, row.id));
        }
    }
}

/// How long the received data of a profile is kept, in milliseconds after receipt.
pub(crate) fn keep_received(app: &App, failed: bool) -> i64 {
    if failed { QUARANTINE } else { app.options.keep_received }
}

fn report(id: Id, done: std::io::Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%id, %error, "retention cannot delete a profile");
    }
}

/// Deletes a profile: first its row, then its files.
pub(crate) fn remove(app: &App, id: Id) -> std::io::Result<()> {
    let _one = app.commit.lock();
    let uploads = app.store.profile(id)?.map_or_else(|| vec![id], |p| p.uploads);
    app.index.remove(id).map_err(std::io::Error::other)?;
    app.deleted(id);
    app.store.remove(id, &uploads)
}

fn remove_received(app: &App, id: Id) -> std::io::Result<()> {
    let _one = app.commit.lock();
    let Some(Profile { uploads, pending: false, .. }) = app.store.profile(id)? else { return Ok(()) };
    app.index.received_removed(id).map_err(std::io::Error::other)?;
    let mark = Mark { received_removed: Some(crate::time::now()), ..app.store.mark(id) };
    app.store.set_mark(id, &mark)?;
    app.store.remove_received(&uploads)
}
