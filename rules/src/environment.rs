//! The machine, the container, other processes.

mod container_cpu_throttling;
mod container_memory_headroom;
mod low_on_physical_memory;
mod many_running_processes;
mod process_started;

use super::boxed;
pub(crate) use container_cpu_throttling::ContainerCpuThrottling;
pub(crate) use container_memory_headroom::ContainerMemoryHeadroom;
use jfr_analyzers::rule::Rule;
pub(crate) use low_on_physical_memory::LowOnPhysicalMemory;
pub(crate) use many_running_processes::ManyRunningProcesses;
pub(crate) use process_started::ProcessStarted;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![LowOnPhysicalMemory, ManyRunningProcesses, ProcessStarted, ContainerCpuThrottling, ContainerMemoryHeadroom]
}
