//! Locks and blocking.

mod blocked;
mod connection_pool_wait;
mod java_blocking;
mod logging_blocks;

pub use connection_pool_wait::ConnectionPoolWait;
pub use java_blocking::JavaBlocking;
pub use logging_blocks::LoggingBlocks;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![JavaBlocking, LoggingBlocks, ConnectionPoolWait]
}
