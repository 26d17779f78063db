//! Locks and blocking.

mod deadlock;
mod java_blocking;

pub(super) use deadlock::DUMPS;
pub use deadlock::Deadlock;
pub use java_blocking::JavaBlocking;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![Deadlock, JavaBlocking]
}
