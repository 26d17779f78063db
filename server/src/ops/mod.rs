//! Operations: what a server needs in order to run for months. Checking and rebuilding the index, deleting old data,
//! counters, logging, forwarding Datadog uploads, and kill points for tests.
//!
//! Routes that show counters and state belong in `api`; starting threads and watching the disk belong in `app.rs`,
//! which calls this folder. Open `retention.rs` first.

pub(crate) mod check;
pub(crate) mod forward;
pub(crate) mod kill;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod retention;
