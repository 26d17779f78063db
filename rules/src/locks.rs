//! Rules on threads that block each other: contended monitors and locks, deadlocks, waits for a pooled connection or a
//! log; also biased locking and long VM operations.
//!
//! Waiting for files and sockets belongs in `io`; pools, thread states and pinned virtual threads belong in `threads`.
//! `waits.rs` adds up lock waits for several rules. Open `java_blocking.rs` first, then `lock_contention.rs`, which
//! compares the same time with the CPU time.

mod biased_locking_revocation;
mod biased_locking_revocation_pause;
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
pub(crate) use biased_locking_revocation::BiasedLockingRevocation;
pub(crate) use biased_locking_revocation_pause::BiasedLockingRevocationPause;
pub(crate) use connection_pool_wait::ConnectionPoolWait;
pub(crate) use context_switch::ContextSwitch;
pub(crate) use deadlock::Deadlock;
pub(crate) use java_blocking::JavaBlocking;
use jfr_analyzers::rule::Rule;
pub(crate) use lock_contention::LockContention;
pub(crate) use lock_convoy::LockConvoy;
pub(crate) use logging_blocks::LoggingBlocks;
pub(crate) use vm_operations::VmOperations;

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
