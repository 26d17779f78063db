//! Threads, virtual or not, and their pools.

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
pub use executor_queue_delay::ExecutorQueueDelay;
use jfr_analyzers::rule::Rule;
pub use oversized_thread_pool::OversizedThreadPool;
pub use stuck_threads::StuckThreads;
pub use thread_churn::ThreadChurn;
pub use thread_states::ThreadStates;
pub use virtual_thread_backlog::VirtualThreadBacklog;
pub use virtual_thread_pinned::VirtualThreadPinned;
pub use virtual_thread_submit_failed::VirtualThreadSubmitFailed;

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
