//! Garbage collection.

mod gc_cpu_overhead;
mod gc_pause_ratio;

pub use gc_cpu_overhead::GcCpuOverhead;
pub use gc_pause_ratio::GcPauseRatio;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![GcCpuOverhead, GcPauseRatio]
}
