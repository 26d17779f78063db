//! Threads, virtual or not, and their pools.

pub(super) mod dump;
mod stuck_threads;
mod thread_states;

pub use stuck_threads::StuckThreads;
pub use thread_states::ThreadStates;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![StuckThreads, ThreadStates]
}
