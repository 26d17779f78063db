//! Rules for platform and virtual threads and thread pools.

pub(super) mod dump;
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
