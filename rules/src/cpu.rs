//! Rules for CPU load, method profiles and the JIT compilers.

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
