//! The machine, the container.

mod container_memory_headroom;

pub use container_memory_headroom::ContainerMemoryHeadroom;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![ContainerMemoryHeadroom]
}
