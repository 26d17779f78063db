//! Operations: metrics, retention, keeping the disk and the queue from filling up, and kill points for tests.

pub(crate) mod check;
pub(crate) mod forward;
pub(crate) mod kill;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod retention;
