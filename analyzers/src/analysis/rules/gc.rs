//! Garbage collection.

mod gc_pause_ratio;

pub use gc_pause_ratio::GcPauseRatio;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![GcPauseRatio]
}
