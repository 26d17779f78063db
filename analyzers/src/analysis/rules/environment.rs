//! The machine, the container, other processes.

mod container_cpu_throttling;

pub use container_cpu_throttling::ContainerCpuThrottling;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![ContainerCpuThrottling]
}
