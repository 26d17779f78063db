//! Running: metrics, retention, what keeps the disk and the queue from filling, and points for tests.

pub(crate) mod check;
pub(crate) mod forward;
pub(crate) mod kill;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod retention;
