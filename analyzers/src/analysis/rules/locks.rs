//! Locks and blocking, and operations of the JVM that block.

mod biased_locking_revocation;
mod biased_locking_revocation_pause;
mod context_switch;
mod java_blocking;
mod vm_operations;
mod deadlock;
mod lock_contention;
mod lock_convoy;
mod blocked;
mod connection_pool_wait;
mod logging_blocks;

pub use biased_locking_revocation::BiasedLockingRevocation;
pub use biased_locking_revocation_pause::BiasedLockingRevocationPause;
pub use context_switch::ContextSwitch;
pub use java_blocking::JavaBlocking;
pub use vm_operations::VmOperations;
mod blocked;
mod connection_pool_wait;
mod java_blocking;
mod logging_blocks;

pub use connection_pool_wait::ConnectionPoolWait;
pub use java_blocking::JavaBlocking;
pub use logging_blocks::LoggingBlocks;

use super::boxed;
use crate::analysis::rule::Rule;
pub(super) use deadlock::DUMPS;
pub use deadlock::Deadlock;
pub use lock_contention::LockContention;
pub use lock_convoy::LockConvoy;
pub use connection_pool_wait::ConnectionPoolWait;
pub use logging_blocks::LoggingBlocks;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![JavaBlocking, ContextSwitch, VmOperations, BiasedLockingRevocationPause, BiasedLockingRevocation, Deadlock, LockContention, LockConvoy, LoggingBlocks, ConnectionPoolWait]
    boxed![JavaBlocking, LoggingBlocks, ConnectionPoolWait]
}
