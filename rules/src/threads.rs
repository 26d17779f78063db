//! Rules on platform threads, virtual threads and thread pools: their number, states and lifetime, and tasks that wait
//! for a thread.
//!
//! Locks and deadlocks belong in `locks`, the CPU load in `cpu`. `dump.rs` parses thread dumps, also for the rule on
//! deadlocks. Open `virtual_thread_submit_failed.rs` first, then `thread_churn.rs`.

mod executor_queue_delay;
mod oversized_thread_pool;
mod stuck_threads;
mod thread_churn;
mod thread_states;
mod virtual_thread_backlog;
mod virtual_thread_pinned;
mod virtual_thread_submit_failed;

use super::boxed;
pub(crate) use executor_queue_delay::ExecutorQueueDelay;
use jfr_analyzers::rule::Rule;
pub(crate) use oversized_thread_pool::OversizedThreadPool;
pub(crate) use stuck_threads::StuckThreads;
pub(crate) use thread_churn::ThreadChurn;
pub(crate) use thread_states::ThreadStates;
pub(crate) use virtual_thread_backlog::VirtualThreadBacklog;
pub(crate) use virtual_thread_pinned::VirtualThreadPinned;
pub(crate) use virtual_thread_submit_failed::VirtualThreadSubmitFailed;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![
        ExecutorQueueDelay,
        OversizedThreadPool,
        StuckThreads,
        ThreadChurn,
        ThreadStates,
        VirtualThreadBacklog,
        VirtualThreadPinned,
        VirtualThreadSubmitFailed
    ]
}
