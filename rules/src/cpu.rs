//! Rules on CPU time: how busy the JVM and the machine are, which methods take the time, what the JIT compilers and the
//! code cache cost, and whether the CPU samples can be trusted.
//!
//! The CPU time of the collector belongs in `gc`, the cost of libraries and coding habits in `overhead`, a container's
//! CPU quota in `environment`. `load.rs` has the CPU load over time for several rules. Open `kernel_time_share.rs`
//! first.

mod code_cache;
mod code_cache_near_full;
mod compare_cpu;
mod compiler_queue_backlog;
mod cpu_samples_lost;
mod cpu_saturation;
mod deoptimization_storm;
mod few_sampled_threads;
mod high_jvm_cpu;
mod jit_overhead;
mod kernel_time_share;
mod load;
mod method_profiling;
mod unwalkable_stacks;

use super::boxed;
pub(crate) use code_cache::CodeCache;
pub(crate) use code_cache_near_full::CodeCacheNearFull;
pub(crate) use compare_cpu::CompareCpu;
pub(crate) use compiler_queue_backlog::CompilerQueueBacklog;
pub(crate) use cpu_samples_lost::CpuSamplesLost;
pub(crate) use cpu_saturation::CpuSaturation;
pub(crate) use deoptimization_storm::DeoptimizationStorm;
pub(crate) use few_sampled_threads::FewSampledThreads;
pub(crate) use high_jvm_cpu::HighJvmCpu;
use jfr_analyzers::rule::Rule;
pub(crate) use jit_overhead::JitOverhead;
pub(crate) use kernel_time_share::KernelTimeShare;
pub(crate) use method_profiling::MethodProfiling;
pub(crate) use unwalkable_stacks::UnwalkableStacks;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![
        MethodProfiling,
        HighJvmCpu,
        CompareCpu,
        FewSampledThreads,
        CodeCache,
        CodeCacheNearFull,
        CompilerQueueBacklog,
        CpuSamplesLost,
        CpuSaturation,
        DeoptimizationStorm,
        JitOverhead,
        KernelTimeShare,
        UnwalkableStacks
    ]
}
