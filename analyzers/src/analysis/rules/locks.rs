//! Locks and blocking.

mod java_blocking;

pub use java_blocking::JavaBlocking;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![JavaBlocking]
}
