//! CPU, method profile, compiler.

mod code_cache_near_full;
mod compiler_queue_backlog;
mod cpu_samples_lost;
mod cpu_saturation;
mod deoptimization_storm;
mod jit_overhead;
mod kernel_time_share;
mod unwalkable_stacks;

pub use code_cache_near_full::CodeCacheNearFull;
pub use compiler_queue_backlog::CompilerQueueBacklog;
pub use cpu_samples_lost::CpuSamplesLost;
pub use cpu_saturation::CpuSaturation;
pub use deoptimization_storm::DeoptimizationStorm;
pub use jit_overhead::JitOverhead;
pub use kernel_time_share::KernelTimeShare;
pub use unwalkable_stacks::UnwalkableStacks;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![
        CodeCacheNearFull,
        CompilerQueueBacklog,
        CpuSamplesLost,
        CpuSaturation,
        DeoptimizationStorm,
        JitOverhead,
        KernelTimeShare,
        UnwalkableStacks,
    ]
}
