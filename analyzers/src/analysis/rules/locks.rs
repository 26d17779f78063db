//! Locks and blocking.

mod deadlock;
mod java_blocking;
mod lock_contention;
mod lock_convoy;

pub(super) use deadlock::DUMPS;
pub use deadlock::Deadlock;
pub use java_blocking::JavaBlocking;
pub use lock_contention::LockContention;
pub use lock_convoy::LockConvoy;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![Deadlock, JavaBlocking, LockContention, LockConvoy]
}
