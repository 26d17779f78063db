//! Locks and blocking, and operations of the JVM that block.

mod biased_locking_revocation;
mod biased_locking_revocation_pause;
pub(super) mod blocked;
mod connection_pool_wait;
mod context_switch;
mod deadlock;
mod java_blocking;
mod lock_contention;
mod lock_convoy;
mod logging_blocks;
mod vm_operations;
mod waits;

use super::boxed;
pub use biased_locking_revocation::BiasedLockingRevocation;
pub use biased_locking_revocation_pause::BiasedLockingRevocationPause;
pub use connection_pool_wait::ConnectionPoolWait;
pub use context_switch::ContextSwitch;
pub(super) use deadlock::DUMPS;
pub use deadlock::Deadlock;
pub use java_blocking::JavaBlocking;
use jfr_analyzers::rule::Rule;
pub use lock_contention::LockContention;
pub use lock_convoy::LockConvoy;
pub use logging_blocks::LoggingBlocks;
pub use vm_operations::VmOperations;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![
        JavaBlocking,
        ContextSwitch,
        VmOperations,
        BiasedLockingRevocationPause,
        BiasedLockingRevocation,
        Deadlock,
        LockContention,
        LockConvoy,
        LoggingBlocks,
        ConnectionPoolWait
    ]
}
