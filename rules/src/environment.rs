//! Rules on what surrounds the JVM: the machine, the container, and other processes.
//!
//! How the JVM uses its CPUs belongs in `cpu`, which also compares it with other processes (`compare_cpu.rs`); what
//! runs inside the process belongs in `jvm`. Open `low_on_physical_memory.rs` first.

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
